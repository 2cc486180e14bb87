package org.softkvm.emulator.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.cpu.Flags;

/** The forms of flags without branches say what {@link Flags} says. */
class RegionSupportTest {
    private static final long[] EDGES = {
        0,
        1,
        -1,
        0x7F,
        0x80,
        0xFF,
        0x7FFF,
        0x8000,
        0xFFFF,
        0x7FFFFFFF,
        0x80000000L,
        0xFFFFFFFFL,
        Long.MIN_VALUE,
        Long.MAX_VALUE
    };

    private static long value(SplittableRandom random) {
        return random.nextBoolean() ? random.nextLong() : EDGES[random.nextInt(EDGES.length)];
    }

    @Test
    void theCarryIsThatOfFlags() {
        SplittableRandom random = new SplittableRandom(1);
        for (int n = 0; n < 200_000; n++) {
            int op = random.nextInt(Flags.SAR + 4);
            int kind = op & ~3;
            long a = value(random);
            // INC and DEC keep the carry that was there, shifts their count.
            long b = kind == Flags.INC || kind == Flags.DEC
                    ? random.nextInt(2)
                    : kind >= Flags.SHL ? 1 + random.nextInt(31) : value(random);
            assertThat(RegionSupport.carry(op, a, b))
                    .as("operation %d of %x and %x", op, a, b)
                    .isEqualTo(Flags.cf(op, a, b) ? 1 : 0);
        }
    }

    @Test
    void theFlagsOfImulAreThoseOfTheManual() {
        SplittableRandom random = new SplittableRandom(2);
        for (int n = 0; n < 200_000; n++) {
            long a = value(random);
            long b = value(random);
            boolean lost = Math.multiplyHigh(a, b) != a * b >> 63;
            assertThat(RegionSupport.mulFlags8(a, b)).as("%x times %x", a, b).isEqualTo(expected(a * b, lost));
            long product = (long) (int) a * (int) b;
            assertThat(RegionSupport.mulFlags4((int) a, (int) b))
                    .as("%x times %x", (int) a, (int) b)
                    .isEqualTo(expected((int) product, product != (int) product));
        }
    }

    private static long expected(long result, boolean lost) {
        return (lost ? Flags.CF | Flags.OF : 0)
                | (result < 0 ? Flags.SF : 0)
                | (Flags.parity((int) result) ? Flags.PF : 0);
    }
}
