package org.softkvm.emulator.fpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Products and sums with one rounding: to nearest against the JDK's own, directed modes and the inexact flag against exact
 * numbers. Exponents are close together, so that products and addends cancel, or at the ends of their ranges.
 */
class FusedMultiplyAddTest {
    private static final int CASES = 200_000;

    private final SplittableRandom random = new SplittableRandom(1);
    private final FpEnv env = new FpEnv();

    private static FpEnv set(FpEnv env, int rounding) {
        env.setMxcsr(FpEnv.MXCSR_RESET | rounding << 13);
        return env;
    }

    private long randomDouble(int spread) {
        long v = random.nextLong();
        int exponent = switch (random.nextInt(8)) {
            case 0 -> random.nextInt(4);
            case 1 -> 2046 - random.nextInt(3);
            default -> 1023 + random.nextInt(2 * spread) - spread;
        };
        // Few significant bits at times: exact results.
        long fraction = random.nextInt(4) == 0 ? v & 0x000F_FFC0_0000_0000L : v & 0x000F_FFFF_FFFF_FFFFL;
        return v & Long.MIN_VALUE | (long) exponent << 52 | fraction;
    }

    private int randomFloat(int spread) {
        int v = random.nextInt();
        int exponent = switch (random.nextInt(8)) {
            case 0 -> random.nextInt(4);
            case 1 -> 254 - random.nextInt(3);
            default -> 127 + random.nextInt(2 * spread) - spread;
        };
        int fraction = random.nextInt(4) == 0 ? v & 0x7F_E000 : v & 0x7F_FFFF;
        return v & Integer.MIN_VALUE | exponent << 23 | fraction;
    }

    @Test
    void doublesToNearest() {
        for (int n = 0; n < CASES; n++) {
            long a = randomDouble(60);
            long b = randomDouble(60);
            // Now and then the addend nearly cancels the product.
            long c = n % 3 == 0
                    ? Double.doubleToRawLongBits(-Double.longBitsToDouble(a) * Double.longBitsToDouble(b))
                            + random.nextInt(3)
                            - 1
                    : randomDouble(120);
            double x = Double.longBitsToDouble(a);
            double y = Double.longBitsToDouble(b);
            double z = Double.longBitsToDouble(c);
            if (Double.isNaN(z)) {
                continue;
            }
            long got = SoftDouble.multiplyAdd(set(env, FpEnv.NEAREST), a, b, c, false, false);
            double wanted = Math.fma(x, y, z);
            if (Double.isNaN(wanted)) {
                assertThat(got).isEqualTo(SoftDouble.DEFAULT_NAN);
            } else {
                assertThat(got).as("%x * %x + %x", a, b, c).isEqualTo(Double.doubleToRawLongBits(wanted));
            }
        }
    }

    @Test
    void floatsToNearest() {
        for (int n = 0; n < CASES; n++) {
            int a = randomFloat(30);
            int b = randomFloat(30);
            int c = n % 3 == 0
                    ? Float.floatToRawIntBits(-Float.intBitsToFloat(a) * Float.intBitsToFloat(b))
                            + random.nextInt(3)
                            - 1
                    : randomFloat(60);
            float z = Float.intBitsToFloat(c);
            if (Float.isNaN(z)) {
                continue;
            }
            int got = SoftFloat.multiplyAdd(set(env, FpEnv.NEAREST), a, b, c, false, false);
            float wanted = Math.fma(Float.intBitsToFloat(a), Float.intBitsToFloat(b), z);
            if (Float.isNaN(wanted)) {
                assertThat(got).isEqualTo(SoftFloat.DEFAULT_NAN);
            } else {
                assertThat(got).as("%x * %x + %x", a, b, c).isEqualTo(Float.floatToRawIntBits(wanted));
            }
        }
    }

    @Test
    void directedModesEnclose() {
        for (int n = 0; n < CASES / 20; n++) {
            long a = randomDouble(60) & ~(0x700L << 52) | 0x300L << 52;
            long b = randomDouble(60) & ~(0x700L << 52) | 0x300L << 52;
            long c = n % 3 == 0
                    ? Double.doubleToRawLongBits(-Double.longBitsToDouble(a) * Double.longBitsToDouble(b))
                            + random.nextInt(3)
                            - 1
                    : randomDouble(60) & ~(0x600L << 52) | 0x200L << 52;
            BigDecimal exact = new BigDecimal(Double.longBitsToDouble(a))
                    .multiply(new BigDecimal(Double.longBitsToDouble(b)))
                    .add(new BigDecimal(Double.longBitsToDouble(c)));
            double down = Double.longBitsToDouble(SoftDouble.multiplyAdd(set(env, FpEnv.DOWN), a, b, c, false, false));
            boolean inexact = (env.flags & FpEnv.PE) != 0;
            double up = Double.longBitsToDouble(SoftDouble.multiplyAdd(set(env, FpEnv.UP), a, b, c, false, false));
            double zero = Double.longBitsToDouble(SoftDouble.multiplyAdd(set(env, FpEnv.ZERO), a, b, c, false, false));
            int low = new BigDecimal(down).compareTo(exact);
            assertThat(inexact).isEqualTo(low != 0);
            if (inexact) {
                assertThat(low).isNegative();
                assertThat(new BigDecimal(up).compareTo(exact)).isPositive();
                assertThat(Math.nextUp(down)).isEqualTo(up);
            } else {
                assertThat(up).isEqualTo(down);
            }
            assertThat(zero).isEqualTo(exact.signum() < 0 ? up : down);
        }
    }

    @Test
    void signs() {
        long two = Double.doubleToRawLongBits(2);
        long three = Double.doubleToRawLongBits(3);
        long one = Double.doubleToRawLongBits(1);
        set(env, FpEnv.NEAREST);
        assertThat(Double.longBitsToDouble(SoftDouble.multiplyAdd(env, two, three, one, true, false)))
                .isEqualTo(-5);
        assertThat(Double.longBitsToDouble(SoftDouble.multiplyAdd(env, two, three, one, false, true)))
                .isEqualTo(5);
        assertThat(Double.longBitsToDouble(SoftDouble.multiplyAdd(env, two, three, one, true, true)))
                .isEqualTo(-7);
        // An exact zero is +0, or -0 when rounding down; zeros of one sign keep it.
        long six = Double.doubleToRawLongBits(6);
        assertThat(SoftDouble.multiplyAdd(env, two, three, six, false, true)).isZero();
        assertThat(SoftDouble.multiplyAdd(set(env, FpEnv.DOWN), two, three, six, false, true))
                .isEqualTo(Long.MIN_VALUE);
        assertThat(SoftDouble.multiplyAdd(set(env, FpEnv.NEAREST), two, 0, 0, true, true))
                .isEqualTo(Long.MIN_VALUE);
    }

    @Test
    void infinitiesAndZeros() {
        long infinity = 0x7FF0_0000_0000_0000L;
        long one = Double.doubleToRawLongBits(1);
        set(env, FpEnv.NEAREST);
        assertThat(SoftDouble.multiplyAdd(env, infinity, one, infinity, false, false))
                .isEqualTo(infinity);
        assertThat(env.flags).isZero();
        assertThat(SoftDouble.multiplyAdd(env, infinity, one, infinity, true, false))
                .isEqualTo(SoftDouble.DEFAULT_NAN);
        assertThat(env.flags).isEqualTo(FpEnv.IE);
        set(env, FpEnv.NEAREST);
        assertThat(SoftDouble.multiplyAdd(env, infinity, 0, one, false, false)).isEqualTo(SoftDouble.DEFAULT_NAN);
        assertThat(env.flags).isEqualTo(FpEnv.IE);
        // Infinity times zero plus a quiet NaN is that NaN and no invalid operation.
        set(env, FpEnv.NEAREST);
        assertThat(SoftDouble.multiplyAdd(env, infinity, 0, 0x7FF8_0000_0000_0007L, false, false))
                .isEqualTo(0x7FF8_0000_0000_0007L);
        assertThat(env.flags).isZero();
    }
}
