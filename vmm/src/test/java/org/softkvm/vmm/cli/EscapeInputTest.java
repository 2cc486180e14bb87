package org.softkvm.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class EscapeInputTest {
    private int exits;
    private int saves;
    private int helps;

    private EscapeInput input(String keys) {
        return input(new ByteArrayInputStream(keys.getBytes(StandardCharsets.ISO_8859_1)));
    }

    private EscapeInput input(InputStream keys) {
        return new EscapeInput(keys, () -> exits++, () -> saves++, () -> helps++);
    }

    private static String all(InputStream in) throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    @Test
    void keysGoThrough() throws IOException {
        assertThat(all(input("abc\u0003\u00ff\r"))).isEqualTo("abc\u0003\u00ff\r");
        assertThat(exits + helps).isZero();
    }

    @Test
    void controlAXExits() throws IOException {
        assertThat(all(input("a\u0001xb"))).isEqualTo("ab");
        assertThat(exits).isEqualTo(1);
        assertThat(all(input("\u0001X"))).isEmpty();
        assertThat(exits).isEqualTo(2);
    }

    @Test
    void controlASSaves() throws IOException {
        assertThat(all(input("a\u0001sb\u0001S"))).isEqualTo("ab");
        assertThat(saves).isEqualTo(2);
        assertThat(exits + helps).isZero();
    }

    @Test
    void controlAHHelps() throws IOException {
        assertThat(all(input("\u0001h\u0001H\u0001?"))).isEmpty();
        assertThat(helps).isEqualTo(3);
        assertThat(exits).isZero();
    }

    @Test
    void controlATwiceSendsOne() throws IOException {
        assertThat(all(input("\u0001\u0001x"))).isEqualTo("\u0001x");
        assertThat(all(input("\u0001\u0001\u0001x"))).isEqualTo("\u0001");
        assertThat(exits).isEqualTo(1);
    }

    @Test
    void unknownSequencesDoNothing() throws IOException {
        assertThat(all(input("\u0001qa\u0001\u0003b\u0001"))).isEqualTo("ab");
        assertThat(exits + helps).isZero();
    }

    @Test
    void sequencesMayComeInPieces() throws IOException {
        EscapeInput keys = input("a\u0001xb");
        assertThat(keys.read()).isEqualTo('a');
        assertThat(keys.read()).isEqualTo('b');
        assertThat(keys.read()).isEqualTo(-1);
        assertThat(exits).isEqualTo(1);
    }

    @Test
    void nothingPassesTheFilter() throws IOException {
        EscapeInput keys = input("\u0001xa");
        assertThat(keys.skip(2)).isZero();
        assertThat(keys.available()).isZero();
        assertThat(keys.markSupported()).isFalse();
        assertThat(keys.read(new byte[4], 1, 0)).isZero();
        assertThat(keys.read()).isEqualTo('a');
        assertThat(exits).isEqualTo(1);
    }
}
