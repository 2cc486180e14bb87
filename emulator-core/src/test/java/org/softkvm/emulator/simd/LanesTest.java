package org.softkvm.emulator.simd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.function.LongBinaryOperator;
import org.junit.jupiter.api.Test;

/** The lane functions that work on all elements at once, against the same done element by element. */
class LanesTest {
    private static final int ROUNDS = 50_000;

    private static long element(long lane, int k, int bits) {
        return lane >>> k * bits & (1L << bits) - 1;
    }

    private static long signed(long element, int bits) {
        return element << 64 - bits >> 64 - bits;
    }

    private static void unsigned(int bits, LongBinaryOperator lanes, LongBinaryOperator reference) {
        Random random = new Random(5);
        for (int round = 0; round < ROUNDS; round++) {
            long a = random.nextLong();
            long b = switch (round & 3) {
                // Elements that are equal, or differ by little, or sit at the edges.
                case 0 -> a ^ random.nextLong() & random.nextLong() & random.nextLong();
                case 1 -> a ^ 0x8000000180018001L;
                case 2 -> 0xFF7F80FF7F8001FFL;
                default -> random.nextLong();
            };
            long wanted = 0;
            for (int k = 0; k < 64 / bits; k++) {
                long r = reference.applyAsLong(element(a, k, bits), element(b, k, bits));
                wanted |= (r & (1L << bits) - 1) << k * bits;
            }
            assertThat(lanes.applyAsLong(a, b)).as("%x, %x", a, b).isEqualTo(wanted);
        }
    }

    private static void signed(int bits, LongBinaryOperator lanes, LongBinaryOperator reference) {
        unsigned(bits, lanes, (a, b) -> reference.applyAsLong(signed(a, bits), signed(b, bits)));
    }

    @Test
    void compares() {
        unsigned(8, Lanes::pcmpeqb, (a, b) -> a == b ? -1 : 0);
        unsigned(16, Lanes::pcmpeqw, (a, b) -> a == b ? -1 : 0);
        unsigned(32, Lanes::pcmpeqd, (a, b) -> a == b ? -1 : 0);
        signed(8, Lanes::pcmpgtb, (a, b) -> a > b ? -1 : 0);
        signed(16, Lanes::pcmpgtw, (a, b) -> a > b ? -1 : 0);
        signed(32, Lanes::pcmpgtd, (a, b) -> a > b ? -1 : 0);
    }

    @Test
    void minimumsAndMaximums() {
        unsigned(8, Lanes::pminub, Math::min);
        unsigned(8, Lanes::pmaxub, Math::max);
        signed(8, Lanes::pminsb, Math::min);
        signed(8, Lanes::pmaxsb, Math::max);
        signed(16, Lanes::pminsw, Math::min);
        signed(16, Lanes::pmaxsw, Math::max);
    }

    @Test
    void sumsAndDifferences() {
        unsigned(8, Lanes::paddb, Long::sum);
        unsigned(16, Lanes::paddw, Long::sum);
        unsigned(32, Lanes::paddd, Long::sum);
        unsigned(8, Lanes::psubb, (a, b) -> a - b);
        unsigned(16, Lanes::psubw, (a, b) -> a - b);
        unsigned(32, Lanes::psubd, (a, b) -> a - b);
        unsigned(8, Lanes::paddusb, (a, b) -> Math.min(a + b, 0xFF));
        unsigned(16, Lanes::paddusw, (a, b) -> Math.min(a + b, 0xFFFF));
        unsigned(8, Lanes::psubusb, (a, b) -> Math.max(a - b, 0));
        unsigned(16, Lanes::psubusw, (a, b) -> Math.max(a - b, 0));
        unsigned(8, Lanes::pavgb, (a, b) -> a + b + 1 >> 1);
        unsigned(16, Lanes::pavgw, (a, b) -> a + b + 1 >> 1);
    }
}
