package org.softkvm.emulator.fpu;

/**
 * Arithmetic on the bits of {@code double} numbers with the exceptions, NaN rules and rounding modes of SSE (Intel SDM
 * volume 1, sections 4.8, 4.9 and 11.5).
 *
 * <p>Every operation takes the environment, whose flags it adds to, and raw bits. Java computes the same numbers when
 * the rounding mode is to nearest; then only the inexact flag needs care, and only until it is set.
 */
public final class SoftDouble {
    private static final long SIGN = Long.MIN_VALUE;
    private static final long INFINITY = 0x7FF0_0000_0000_0000L;
    private static final long QUIET = 0x0008_0000_0000_0000L;

    /** The default NaN ("real indefinite"). */
    public static final long DEFAULT_NAN = 0xFFF8_0000_0000_0000L;

    /** Answer of {@link #compare}: an operand is NaN. */
    public static final int UNORDERED = 2;

    private SoftDouble() {}

    private static boolean isNormal(long v) {
        return ((int) (v >>> 52) + 1 & 0x7FF) > 1;
    }

    private static boolean isZero(long v) {
        return v << 1 == 0;
    }

    /** Whether native arithmetic cannot have met underflow: tininess is detected after rounding. */
    private static boolean isSafe(long v) {
        int e = (int) (v >>> 52) & 0x7FF;
        return e > 1 && e < 0x7FF;
    }

    private static boolean isNan(long v) {
        return (v & ~SIGN) > INFINITY;
    }

    private static boolean isSignaling(long v) {
        return isNan(v) && (v & QUIET) == 0;
    }

    private static boolean isDenormal(long v) {
        return (v & INFINITY) == 0 && v << 1 != 0;
    }

    private static long flush(FpEnv env, long v) {
        return env.daz && isDenormal(v) ? v & SIGN : v;
    }

    /** The result of an operation of which one operand is NaN: the first NaN, made quiet. */
    private static long nan(FpEnv env, long a, long b) {
        if (isSignaling(a) || isSignaling(b)) {
            env.flags |= FpEnv.IE;
        }
        return (isNan(a) ? a : b) | QUIET;
    }

    private static long invalid(FpEnv env) {
        env.flags |= FpEnv.IE;
        return DEFAULT_NAN;
    }

    private static void noteDenormals(FpEnv env, long a, long b) {
        if (isDenormal(a) || isDenormal(b)) {
            env.flags |= FpEnv.DE;
        }
    }

    private static int sign(long v) {
        return (int) (v >>> 63);
    }

    /** The exponent, without a bias, of a finite number that is not zero. */
    private static int exponent(long v) {
        int e = (int) (v >>> 52) & 0x7FF;
        return e != 0 ? e - 1023 : -1011 - Long.numberOfLeadingZeros(v & ~SIGN);
    }

    /** The significand, with bit 63 set, of a finite number that is not zero. */
    private static long significand(long v) {
        long f = v << 11 & ~SIGN;
        return ((int) (v >>> 52) & 0x7FF) != 0 ? f | Long.MIN_VALUE : f << Long.numberOfLeadingZeros(f);
    }

    private static long pack(FpEnv env) {
        return env.core.pack(env, 53, 1023);
    }

    /**
     * Adds.
     *
     * @param env environment
     * @param a bits of the first operand
     * @param b bits of the second operand
     * @return bits of a + b
     */
    public static long add(FpEnv env, long a, long b) {
        if (env.rounding == FpEnv.NEAREST && (isNormal(a) || isZero(a)) && (isNormal(b) || isZero(b))) {
            double x = Double.longBitsToDouble(a);
            double y = Double.longBitsToDouble(b);
            double r = x + y;
            long bits = Double.doubleToRawLongBits(r);
            if (isNormal(bits) || isZero(bits)) {
                if ((env.flags & FpEnv.PE) == 0) {
                    // Knuth's TwoSum: the rounding error of a sum is itself a number of the format.
                    double t = r - x;
                    if ((x - (r - t)) + (y - t) != 0) {
                        env.flags |= FpEnv.PE;
                    }
                }
                return bits;
            }
        }
        return addSlow(env, a, b);
    }

    /**
     * Subtracts.
     *
     * @param env environment
     * @param a bits of the first operand
     * @param b bits of the second operand
     * @return bits of a - b
     */
    public static long subtract(FpEnv env, long a, long b) {
        // A NaN keeps its sign.
        return add(env, a, isNan(b) ? b : b ^ SIGN);
    }

    private static long addSlow(FpEnv env, long a, long b) {
        if (isNan(a) || isNan(b)) {
            return nan(env, a, b);
        }
        a = flush(env, a);
        b = flush(env, b);
        if ((a & ~SIGN) == INFINITY) {
            if (b == (a ^ SIGN)) {
                return invalid(env);
            }
            noteDenormals(env, a, b);
            return a;
        }
        noteDenormals(env, a, b);
        if ((b & ~SIGN) == INFINITY) {
            return b;
        }
        if ((env.flags & ~env.masks & FpEnv.DE) != 0) {
            return a;
        }
        FpCore core = env.core;
        if (isZero(a) || isZero(b)) {
            if (isZero(a) && isZero(b)) {
                return a == b ? a : env.rounding == FpEnv.DOWN ? SIGN : 0;
            }
            long v = isZero(a) ? b : a;
            core.sign = sign(v);
            core.exp = exponent(v);
            core.sig = significand(v);
            core.extra = 0;
            return pack(env);
        }
        core.add(sign(a), exponent(a), significand(a), sign(b), exponent(b), significand(b));
        if (core.sig == 0) {
            return env.rounding == FpEnv.DOWN ? SIGN : 0;
        }
        return pack(env);
    }

    /**
     * Multiplies.
     *
     * @param env environment
     * @param a bits of the first operand
     * @param b bits of the second operand
     * @return bits of a * b
     */
    public static long multiply(FpEnv env, long a, long b) {
        if (env.rounding == FpEnv.NEAREST && isNormal(a) && isNormal(b)) {
            long bits = Double.doubleToRawLongBits(Double.longBitsToDouble(a) * Double.longBitsToDouble(b));
            if (isSafe(bits)) {
                if ((env.flags & FpEnv.PE) == 0 && !isExactProduct(a, b, bits)) {
                    env.flags |= FpEnv.PE;
                }
                return bits;
            }
        }
        return multiplySlow(env, a, b);
    }

    /** Whether a product has no bits below its 53: trailing zeros of the factors add up. */
    private static boolean isExactProduct(long a, long b, long r) {
        int carry = (int) (r >>> 52 & 0x7FF) - (int) (a >>> 52 & 0x7FF) - (int) (b >>> 52 & 0x7FF) + 1023;
        int zeros = Long.numberOfTrailingZeros(a | 1L << 52) + Long.numberOfTrailingZeros(b | 1L << 52);
        return zeros >= 52 + carry;
    }

    private static long multiplySlow(FpEnv env, long a, long b) {
        if (isNan(a) || isNan(b)) {
            return nan(env, a, b);
        }
        a = flush(env, a);
        b = flush(env, b);
        long signBit = (a ^ b) & SIGN;
        boolean infA = (a & ~SIGN) == INFINITY;
        boolean infB = (b & ~SIGN) == INFINITY;
        if (infA && isZero(b) || infB && isZero(a)) {
            return invalid(env);
        }
        noteDenormals(env, a, b);
        if (infA || infB) {
            return signBit | INFINITY;
        }
        if (isZero(a) || isZero(b)) {
            return signBit;
        }
        if ((env.flags & ~env.masks & FpEnv.DE) != 0) {
            return a;
        }
        env.core.multiply(sign(a), exponent(a), significand(a), sign(b), exponent(b), significand(b));
        return pack(env);
    }

    /**
     * Multiplies and adds with one rounding (VFMADD and its kin).
     *
     * @param env environment
     * @param a bits of the first factor
     * @param b bits of the second factor
     * @param c bits of the addend
     * @param negateProduct whether the product changes its sign
     * @param negateAddend whether the addend changes its sign
     * @return bits of a * b + c
     */
    public static long multiplyAdd(FpEnv env, long a, long b, long c, boolean negateProduct, boolean negateAddend) {
        if (isNan(a) || isNan(b) || isNan(c)) {
            // The first NaN in the order factor, factor, addend, made quiet, with its own sign.
            if (isSignaling(a) || isSignaling(b) || isSignaling(c)) {
                env.flags |= FpEnv.IE;
            }
            return (isNan(a) ? a : isNan(b) ? b : c) | QUIET;
        }
        a = flush(env, a);
        b = flush(env, b);
        c = flush(env, c);
        long productSign = (a ^ b) & SIGN ^ (negateProduct ? SIGN : 0);
        if (negateAddend) {
            c ^= SIGN;
        }
        boolean infinite = (a & ~SIGN) == INFINITY || (b & ~SIGN) == INFINITY;
        if (infinite && (isZero(a) || isZero(b))) {
            return invalid(env);
        }
        boolean infiniteAddend = (c & ~SIGN) == INFINITY;
        if (infinite && infiniteAddend && (c & SIGN) != productSign) {
            return invalid(env);
        }
        noteDenormals(env, a, b);
        noteDenormals(env, c, c);
        if (infinite) {
            return productSign | INFINITY;
        }
        if (infiniteAddend || (env.flags & ~env.masks & FpEnv.DE) != 0) {
            return c;
        }
        FpCore core = env.core;
        if (isZero(a) || isZero(b)) {
            if (isZero(c)) {
                return productSign == (c & SIGN) ? c : env.rounding == FpEnv.DOWN ? SIGN : 0;
            }
            core.sign = sign(c);
            core.exp = exponent(c);
            core.sig = significand(c);
            core.extra = 0;
            return pack(env);
        }
        core.multiply(sign(a), exponent(a), significand(a), sign(b), exponent(b), significand(b));
        core.sign = productSign != 0 ? 1 : 0;
        if (!isZero(c)) {
            core.addToProduct(sign(c), exponent(c), significand(c));
            if (core.sig == 0) {
                return env.rounding == FpEnv.DOWN ? SIGN : 0;
            }
        }
        return pack(env);
    }

    /**
     * Divides.
     *
     * @param env environment
     * @param a bits of the dividend
     * @param b bits of the divisor
     * @return bits of a / b
     */
    public static long divide(FpEnv env, long a, long b) {
        if (env.rounding == FpEnv.NEAREST && isNormal(a) && isNormal(b)) {
            long bits = Double.doubleToRawLongBits(Double.longBitsToDouble(a) / Double.longBitsToDouble(b));
            if (isSafe(bits)) {
                if ((env.flags & FpEnv.PE) == 0 && !isExactQuotient(a, b, bits)) {
                    env.flags |= FpEnv.PE;
                }
                return bits;
            }
        }
        return divideSlow(env, a, b);
    }

    /** Whether quotient times divisor is the dividend; they are so close that 64 bits of the product tell. */
    private static boolean isExactQuotient(long a, long b, long r) {
        int shift = 52 + 1023 + (int) (a >>> 52 & 0x7FF) - (int) (b >>> 52 & 0x7FF) - (int) (r >>> 52 & 0x7FF);
        return fraction(r) * fraction(b) == fraction(a) << shift;
    }

    private static long fraction(long v) {
        return v & 0x000F_FFFF_FFFF_FFFFL | 1L << 52;
    }

    private static long divideSlow(FpEnv env, long a, long b) {
        if (isNan(a) || isNan(b)) {
            return nan(env, a, b);
        }
        a = flush(env, a);
        b = flush(env, b);
        long signBit = (a ^ b) & SIGN;
        boolean infA = (a & ~SIGN) == INFINITY;
        boolean infB = (b & ~SIGN) == INFINITY;
        if (infA && infB || isZero(a) && isZero(b)) {
            return invalid(env);
        }
        if (isZero(b) && !infA) {
            env.flags |= FpEnv.ZE;
            return signBit | INFINITY;
        }
        noteDenormals(env, a, b);
        if (infA) {
            return signBit | INFINITY;
        }
        if (infB || isZero(a)) {
            return signBit;
        }
        if ((env.flags & ~env.masks & FpEnv.DE) != 0) {
            return a;
        }
        env.core.divide(sign(a), exponent(a), significand(a), sign(b), exponent(b), significand(b));
        return pack(env);
    }

    /**
     * Takes the square root.
     *
     * @param env environment
     * @param a bits of the operand
     * @return bits of the root
     */
    public static long squareRoot(FpEnv env, long a) {
        if (env.rounding == FpEnv.NEAREST && isNormal(a) && a > 0) {
            long bits = Double.doubleToRawLongBits(Math.sqrt(Double.longBitsToDouble(a)));
            if ((env.flags & FpEnv.PE) == 0 && !isExactRoot(a, bits)) {
                env.flags |= FpEnv.PE;
            }
            return bits;
        }
        if (isNan(a)) {
            return nan(env, a, a);
        }
        a = flush(env, a);
        if (isZero(a)) {
            return a;
        }
        if (a < 0) {
            return invalid(env);
        }
        if (a == INFINITY) {
            return a;
        }
        noteDenormals(env, a, a);
        env.core.squareRoot(exponent(a), significand(a));
        return pack(env);
    }

    private static boolean isExactRoot(long a, long r) {
        int shift = 52 + 1023 + (int) (a >>> 52) - 2 * (int) (r >>> 52);
        return fraction(r) * fraction(r) == fraction(a) << shift;
    }

    /**
     * Compares, as COMIS, UCOMIS, CMP, MIN and MAX do.
     *
     * @param env environment
     * @param a bits of the first operand
     * @param b bits of the second operand
     * @param quiet whether a quiet NaN is no invalid operation (UCOMIS, and CMP with EQ, UNORD, NEQ, ORD)
     * @return -1, 0 or 1 as a is less than, equal to or greater than b, or {@link #UNORDERED}
     */
    public static int compare(FpEnv env, long a, long b, boolean quiet) {
        if (isNan(a) || isNan(b)) {
            if (!quiet || isSignaling(a) || isSignaling(b)) {
                env.flags |= FpEnv.IE;
            }
            return UNORDERED;
        }
        if (!isNormal(a) || !isNormal(b)) {
            a = flush(env, a);
            b = flush(env, b);
            noteDenormals(env, a, b);
        }
        double x = Double.longBitsToDouble(a);
        double y = Double.longBitsToDouble(b);
        return x < y ? -1 : x > y ? 1 : 0;
    }

    /**
     * Converts to a 32-bit integer (CVTSD2SI, CVTTSD2SI, and the packed forms).
     *
     * @param env environment
     * @param a bits of the operand
     * @param truncate whether to round towards zero whatever the rounding mode
     * @return the integer, or 80000000h with the invalid flag where it does not fit
     */
    public static int toInt32(FpEnv env, long a, boolean truncate) {
        double x = Double.longBitsToDouble(flush(env, a));
        double r = round(x, truncate ? FpEnv.ZERO : env.rounding);
        if (!(r >= -0x1p31 && r < 0x1p31)) {
            env.flags |= FpEnv.IE;
            return Integer.MIN_VALUE;
        }
        if (r != x) {
            env.flags |= FpEnv.PE;
        }
        return (int) r;
    }

    /**
     * Converts to a 64-bit integer (CVTSD2SI, CVTTSD2SI with REX.W).
     *
     * @param env environment
     * @param a bits of the operand
     * @param truncate whether to round towards zero whatever the rounding mode
     * @return the integer, or 8000000000000000h with the invalid flag where it does not fit
     */
    public static long toInt64(FpEnv env, long a, boolean truncate) {
        double x = Double.longBitsToDouble(flush(env, a));
        double r = round(x, truncate ? FpEnv.ZERO : env.rounding);
        if (!(r >= -0x1p63 && r < 0x1p63)) {
            env.flags |= FpEnv.IE;
            return Long.MIN_VALUE;
        }
        if (r != x) {
            env.flags |= FpEnv.PE;
        }
        return (long) r;
    }

    private static double round(double x, int rounding) {
        return switch (rounding) {
            case FpEnv.NEAREST -> Math.rint(x);
            case FpEnv.DOWN -> Math.floor(x);
            case FpEnv.UP -> Math.ceil(x);
            default -> x < 0 ? Math.ceil(x) : Math.floor(x);
        };
    }

    /**
     * Rounds to an integer in the same format (ROUNDSD).
     *
     * @param env environment
     * @param a bits of the operand
     * @param rounding rounding mode, as {@link FpEnv#rounding}
     * @param suppress whether the inexact flag is suppressed (bit 3 of the immediate)
     * @return bits of the rounded number
     */
    public static long roundToInt(FpEnv env, long a, int rounding, boolean suppress) {
        if (isNan(a)) {
            return nan(env, a, a);
        }
        a = flush(env, a);
        double x = Double.longBitsToDouble(a);
        double r = round(x, rounding);
        if (r != x && !suppress) {
            env.flags |= FpEnv.PE;
        }
        return Double.doubleToRawLongBits(r);
    }

    /**
     * Converts from a 64-bit integer (CVTSI2SD with REX.W).
     *
     * @param env environment
     * @param value the integer
     * @return bits of the nearest number by the rounding mode
     */
    public static long fromInt64(FpEnv env, long value) {
        if (value == 0) {
            return 0;
        }
        FpCore core = env.core;
        long magnitude = Math.abs(value);
        int n = Long.numberOfLeadingZeros(magnitude);
        core.sign = value < 0 ? 1 : 0;
        core.exp = 63 - n;
        core.sig = magnitude << n;
        core.extra = 0;
        return pack(env);
    }

    /**
     * Converts from a 32-bit integer, which is always exact.
     *
     * @param value the integer
     * @return bits of the same number
     */
    public static long fromInt32(int value) {
        return Double.doubleToRawLongBits(value);
    }

    /**
     * Converts to single precision (CVTSD2SS, CVTPD2PS).
     *
     * @param env environment
     * @param a bits of the operand
     * @return bits of the {@code float}
     */
    public static int toFloat(FpEnv env, long a) {
        if (env.rounding == FpEnv.NEAREST && isNormal(a)) {
            double x = Double.longBitsToDouble(a);
            float r = (float) x;
            int bits = Float.floatToRawIntBits(r);
            int e = bits >>> 23 & 0xFF;
            if (e > 1 && e < 0xFF) {
                if (r != x) {
                    env.flags |= FpEnv.PE;
                }
                return bits;
            }
        }
        int signBit = (int) (a >>> 32) & Integer.MIN_VALUE;
        if (isNan(a)) {
            if (isSignaling(a)) {
                env.flags |= FpEnv.IE;
            }
            return signBit | 0x7FC0_0000 | (int) (a >>> 29) & 0x3F_FFFF;
        }
        a = flush(env, a);
        if ((a & ~SIGN) == INFINITY) {
            return signBit | 0x7F80_0000;
        }
        if (isZero(a)) {
            return signBit;
        }
        noteDenormals(env, a, a);
        if ((env.flags & ~env.masks & FpEnv.DE) != 0) {
            return signBit;
        }
        FpCore core = env.core;
        core.sign = sign(a);
        core.exp = exponent(a);
        core.sig = significand(a);
        core.extra = 0;
        return (int) core.pack(env, 24, 127);
    }
}
