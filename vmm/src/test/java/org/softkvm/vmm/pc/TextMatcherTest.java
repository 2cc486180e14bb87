package org.softkvm.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TextMatcherTest {
    private static int endOfFirstMatch(String text, String stream) {
        TextMatcher matcher = new TextMatcher(text.getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < stream.length(); i++) {
            if (matcher.accept((byte) stream.charAt(i))) {
                return i + 1;
            }
        }
        return -1;
    }

    @Test
    void findsTheTextWhereverStringSearchDoes() {
        Random random = new Random(3);
        for (int i = 0; i < 5000; i++) {
            StringBuilder text = new StringBuilder();
            StringBuilder stream = new StringBuilder();
            random.ints(1 + random.nextInt(6), 'a', 'c').forEach(c -> text.append((char) c));
            random.ints(40, 'a', 'c').forEach(c -> stream.append((char) c));
            int at = stream.indexOf(text.toString());
            assertThat(endOfFirstMatch(text.toString(), stream.toString())).isEqualTo(at < 0 ? -1 : at + text.length());
        }
    }

    @Test
    void goesOnAfterAMatch() {
        TextMatcher matcher = new TextMatcher(new byte[] {'a', 'a'});
        assertThat(matcher.accept((byte) 'a')).isFalse();
        assertThat(matcher.accept((byte) 'a')).isTrue();
        assertThat(matcher.accept((byte) 'a')).isTrue();
        assertThat(matcher.accept((byte) 'b')).isFalse();
    }
}
