package org.softkvm.vmm.zstd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames made by the reference implementation (zstd 1.5.4), and what becomes of damaged ones. */
class ZstdDecoderTest {
    private static final int MAX = 1 << 20;

    /** Text, noise that compresses a little, and zeros: raw, RLE, Huffman and FSE blocks all come up. */
    private static byte[] content() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < 6000; i++) {
            out.writeBytes(("line " + i * 7919 % 1000 + " of text\n").getBytes(StandardCharsets.US_ASCII));
        }
        int x = 12345;
        for (int i = 0; i < 3000; i++) {
            x = (int) (x * 1103515245L + 12345) & 0x7FFF_FFFF;
            out.write(i % 3 != 0 ? x >> 16 : x >> 16 & 0x0F);
        }
        out.writeBytes(new byte[200_000]);
        return out.toByteArray();
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = ZstdDecoderTest.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    private static byte[] decode(byte[] data) throws ZstdException {
        return ZstdDecoder.decode(data, 0, data.length, MAX);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mixed-1.zst", "mixed-3.zst", "mixed-19.zst", "mixed-stream.zst"})
    void decodesEveryLevelAndIgnoresWhatFollows(String name) throws IOException {
        byte[] data = resource(name);
        assertThat(decode(data)).isEqualTo(content());
        assertThat(decode(Arrays.copyOf(data, data.length + 4))).isEqualTo(content());
    }

    @Test
    void decodesTinyFrames() throws IOException {
        assertThat(decode(resource("one.zst"))).isEqualTo(new byte[] {'a'});
        assertThat(decode(resource("empty.zst"))).isEmpty();
    }

    @Test
    void noticesEveryTruncation() throws IOException {
        byte[] data = resource("mixed-19.zst");
        for (int length = 0; length < data.length; length++) {
            byte[] cut = Arrays.copyOf(data, length);
            assertThatThrownBy(() -> decode(cut)).isInstanceOf(ZstdException.class);
        }
    }

    @Test
    void noticesDamage() throws IOException {
        byte[] good = resource("mixed-3.zst");
        byte[] content = content();
        Random random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 3000; i++) {
            byte[] bad = good.clone();
            bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            try {
                assertThat(decode(bad)).isEqualTo(content);
            } catch (ZstdException e) {
                refused++;
            }
        }
        // The window size and reserved bits may change without harm; nearly everything else is found.
        assertThat(refused).isGreaterThan(2900);
    }

    @Test
    void refusesMoreOutputThanAllowed() throws IOException {
        byte[] known = resource("mixed-3.zst");
        byte[] unknown = resource("mixed-stream.zst");
        int less = content().length - 1;
        assertThatThrownBy(() -> ZstdDecoder.decode(known, 0, known.length, less))
                .hasMessageContaining("more than " + less);
        assertThatThrownBy(() -> ZstdDecoder.decode(unknown, 0, unknown.length, less))
                .hasMessageContaining("more than " + less);
    }

    @Test
    void hashesAsTheSpecificationSays() {
        assertThat(Xxh64.hash(new byte[0], 0)).isEqualTo(0xEF46_DB37_51D8_E999L);
        byte[] abc = {'a', 'b', 'c'};
        assertThat(Xxh64.hash(abc, 3)).isEqualTo(0x44BC_2CF5_AD77_0999L);
    }
}
