package org.softkvm.emulator.fpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Half precision against the JDK's own conversions, and what these do not have: rounding modes and flags. */
class SoftHalfTest {
    private final FpEnv env = new FpEnv();

    private void reset() {
        env.setMxcsr(FpEnv.MXCSR_RESET);
    }

    @Test
    void everyHalfWidens() {
        for (int h = 0; h < 0x10000; h++) {
            reset();
            int got = SoftHalf.toFloat(env, h);
            boolean nan = (h & 0x7FFF) > 0x7C00;
            if (!nan) {
                assertThat(got).as("%x", h).isEqualTo(Float.floatToRawIntBits(Float.float16ToFloat((short) h)));
            } else {
                assertThat(got).isEqualTo((h & 0x8000) << 16 | 0x7FC0_0000 | (h & 0x3FF) << 13);
            }
            assertThat(env.flags).isEqualTo(nan && (h & 0x200) == 0 ? FpEnv.IE : 0);
        }
    }

    @Test
    void everyHalfComesBack() {
        for (int h = 0; h < 0x10000; h++) {
            boolean nan = (h & 0x7FFF) > 0x7C00;
            for (int rounding = 0; rounding < 4; rounding++) {
                reset();
                int f = SoftHalf.toFloat(env, h);
                reset();
                assertThat(SoftHalf.fromFloat(env, f, rounding)).isEqualTo(nan ? h | 0x200 : h);
                assertThat(env.flags).isZero();
            }
        }
    }

    @Test
    void nearestIsTheJdks() {
        SplittableRandom random = new SplittableRandom(2);
        for (int n = 0; n < 300_000; n++) {
            // Exponents around those that halves have.
            int f = random.nextInt() & 0x807F_FFFF | 95 + random.nextInt(60) << 23;
            if (n % 3 == 0) {
                f &= 0xFFFF_F000;
            }
            reset();
            short wanted = Float.floatToFloat16(Float.intBitsToFloat(f));
            assertThat(SoftHalf.fromFloat(env, f, FpEnv.NEAREST)).as("%x", f).isEqualTo(wanted & 0xFFFF);
            boolean exact = Float.float16ToFloat(wanted) == Float.intBitsToFloat(f);
            assertThat((env.flags & FpEnv.PE) == 0).as("%x", f).isEqualTo(exact);
        }
    }

    @Test
    void directedModesEnclose() {
        SplittableRandom random = new SplittableRandom(3);
        for (int n = 0; n < 100_000; n++) {
            int f = random.nextInt() & 0x807F_FFFF | 95 + random.nextInt(60) << 23;
            reset();
            float x = Float.intBitsToFloat(f);
            float down = Float.float16ToFloat((short) SoftHalf.fromFloat(env, f, FpEnv.DOWN));
            float up = Float.float16ToFloat((short) SoftHalf.fromFloat(env, f, FpEnv.UP));
            float zero = Float.float16ToFloat((short) SoftHalf.fromFloat(env, f, FpEnv.ZERO));
            assertThat(down).isLessThanOrEqualTo(x);
            assertThat(up).isGreaterThanOrEqualTo(x);
            assertThat(zero).isEqualTo(x < 0 ? up : down);
        }
    }

    @Test
    void flags() {
        reset();
        // 65520 is the least that does not fit; toward zero it is the greatest half.
        assertThat(SoftHalf.fromFloat(env, Float.floatToRawIntBits(65520), FpEnv.NEAREST))
                .isEqualTo(0x7C00);
        assertThat(env.flags).isEqualTo(FpEnv.OE | FpEnv.PE);
        reset();
        assertThat(SoftHalf.fromFloat(env, Float.floatToRawIntBits(65520), FpEnv.ZERO))
                .isEqualTo(0x7BFF);
        // Between the greatest half and the next there would be, rounding down is no overflow.
        assertThat(env.flags).isEqualTo(FpEnv.PE);
        reset();
        SoftHalf.fromFloat(env, Float.floatToRawIntBits(0x1.8p-24f), FpEnv.NEAREST);
        assertThat(env.flags).isEqualTo(FpEnv.UE | FpEnv.PE);
        reset();
        // Exact denormals underflow only where that is unmasked.
        assertThat(SoftHalf.fromFloat(env, Float.floatToRawIntBits(0x1p-24f), FpEnv.NEAREST))
                .isEqualTo(1);
        assertThat(env.flags).isZero();
        env.setMxcsr(FpEnv.MXCSR_RESET & ~(FpEnv.UE << 7));
        SoftHalf.fromFloat(env, Float.floatToRawIntBits(0x1p-24f), FpEnv.NEAREST);
        assertThat(env.flags).isEqualTo(FpEnv.UE);
        // A denormal single is a denormal operand, or a zero with DAZ.
        reset();
        SoftHalf.fromFloat(env, 1, FpEnv.NEAREST);
        assertThat(env.flags).isEqualTo(FpEnv.DE | FpEnv.UE | FpEnv.PE);
        env.setMxcsr(FpEnv.MXCSR_RESET | 0x40);
        assertThat(SoftHalf.fromFloat(env, 0x8000_0001, FpEnv.UP)).isEqualTo(0x8000);
        assertThat(env.flags).isZero();
    }
}
