package org.softkvm.emulator.fpu;

/**
 * Arithmetic on the bits of {@code float} numbers with the exceptions, NaN rules and rounding modes of SSE (Intel SDM
 * volume 1, sections 4.8, 4.9 and 11.5).
 *
 * <p>Every operation takes the environment, whose flags it adds to, and raw bits. Java computes the same numbers when
 * the rounding mode is to nearest; then only the inexact flag needs care, and only until it is set.
 */
public final class SoftFloat {
    private static final int SIGN = Integer.MIN_VALUE;
    private static final int INFINITY = 0x7F80_0000;
    private static final int QUIET = 0x0040_0000;

    /** The default NaN ("real indefinite"). */
    public static final int DEFAULT_NAN = 0xFFC0_0000;

    /** Answer of {@link #compare}: an operand is NaN. */
    public static final int UNORDERED = 2;

    private SoftFloat() {}

    private static boolean isNormal(int v) {
        return ((v >>> 23) + 1 & 0xFF) > 1;
    }

    private static boolean isZero(int v) {
        return v << 1 == 0;
    }

    /** Whether native arithmetic cannot have met underflow: tininess is detected after rounding. */
    private static boolean isSafe(int v) {
        int e = v >>> 23 & 0xFF;
        return e > 1 && e < 0xFF;
    }

    private static boolean isNan(int v) {
        return (v & ~SIGN) > INFINITY;
    }

    private static boolean isSignaling(int v) {
        return isNan(v) && (v & QUIET) == 0;
    }

    private static boolean isDenormal(int v) {
        return (v & INFINITY) == 0 && v << 1 != 0;
    }

    private static int flush(FpEnv env, int v) {
        return env.daz && isDenormal(v) ? v & SIGN : v;
    }

    /** The result of an operation of which one operand is NaN: the first NaN, made quiet. */
    private static int nan(FpEnv env, int a, int b) {
        if (isSignaling(a) || isSignaling(b)) {
            env.flags |= FpEnv.IE;
        }
        return (isNan(a) ? a : b) | QUIET;
    }

    private static int invalid(FpEnv env) {
        env.flags |= FpEnv.IE;
        return DEFAULT_NAN;
    }

    private static void noteDenormals(FpEnv env, int a, int b) {
        if (isDenormal(a) || isDenormal(b)) {
            env.flags |= FpEnv.DE;
        }
    }

    private static int sign(int v) {
        return v >>> 31;
    }

    /** The exponent, without a bias, of a finite number that is not zero. */
    private static int exponent(int v) {
        int e = v >>> 23 & 0xFF;
        return e != 0 ? e - 127 : -118 - Integer.numberOfLeadingZeros(v & ~SIGN);
    }

    /** The significand, with bit 63 set, of a finite number that is not zero. */
    private static long significand(int v) {
        long f = (long) v << 40 & Long.MAX_VALUE;
        return (v >>> 23 & 0xFF) != 0 ? f | Long.MIN_VALUE : f << Long.numberOfLeadingZeros(f);
    }

    private static int pack(FpEnv env) {
        return (int) env.core.pack(env, 24, 127);
    }

    /**
     * Adds.
     *
     * @param env environment
     * @param a bits of the first operand
     * @param b bits of the second operand
     * @return bits of a + b
     */
    public static int add(FpEnv env, int a, int b) {
        if (env.rounding == FpEnv.NEAREST && (isNormal(a) || isZero(a)) && (isNormal(b) || isZero(b))) {
            float x = Float.intBitsToFloat(a);
            float y = Float.intBitsToFloat(b);
            float r = x + y;
            int bits = Float.floatToRawIntBits(r);
            if (isNormal(bits) || isZero(bits)) {
                if ((env.flags & FpEnv.PE) == 0) {
                    // Knuth's TwoSum: the rounding error of a sum is itself a number of the format.
                    float t = r - x;
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
    public static int subtract(FpEnv env, int a, int b) {
        // A NaN keeps its sign.
        return add(env, a, isNan(b) ? b : b ^ SIGN);
    }

    private static int addSlow(FpEnv env, int a, int b) {
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
            int v = isZero(a) ? b : a;
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
    public static int multiply(FpEnv env, int a, int b) {
        if (env.rounding == FpEnv.NEAREST && isNormal(a) && isNormal(b)) {
            int bits = Float.floatToRawIntBits(Float.intBitsToFloat(a) * Float.intBitsToFloat(b));
            if (isSafe(bits)) {
                if ((env.flags & FpEnv.PE) == 0 && !isProduct(a, b, bits)) {
                    env.flags |= FpEnv.PE;
                }
                return bits;
            }
        }
        return multiplySlow(env, a, b);
    }

    /** Whether a * b = r: a {@code double} holds every product of two {@code float}s. */
    private static boolean isProduct(int a, int b, int r) {
        return (double) Float.intBitsToFloat(a) * Float.intBitsToFloat(b) == Float.intBitsToFloat(r);
    }

    private static int multiplySlow(FpEnv env, int a, int b) {
        if (isNan(a) || isNan(b)) {
            return nan(env, a, b);
        }
        a = flush(env, a);
        b = flush(env, b);
        int signBit = (a ^ b) & SIGN;
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
    public static int multiplyAdd(FpEnv env, int a, int b, int c, boolean negateProduct, boolean negateAddend) {
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
        int productSign = (a ^ b) & SIGN ^ (negateProduct ? SIGN : 0);
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
    public static int divide(FpEnv env, int a, int b) {
        if (env.rounding == FpEnv.NEAREST && isNormal(a) && isNormal(b)) {
            int bits = Float.floatToRawIntBits(Float.intBitsToFloat(a) / Float.intBitsToFloat(b));
            if (isSafe(bits)) {
                if ((env.flags & FpEnv.PE) == 0 && !isProduct(b, bits, a)) {
                    env.flags |= FpEnv.PE;
                }
                return bits;
            }
        }
        return divideSlow(env, a, b);
    }

    private static int divideSlow(FpEnv env, int a, int b) {
        if (isNan(a) || isNan(b)) {
            return nan(env, a, b);
        }
        a = flush(env, a);
        b = flush(env, b);
        int signBit = (a ^ b) & SIGN;
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
    public static int squareRoot(FpEnv env, int a) {
        if (env.rounding == FpEnv.NEAREST && isNormal(a) && a > 0) {
            int bits = Float.floatToRawIntBits((float) Math.sqrt(Float.intBitsToFloat(a)));
            if ((env.flags & FpEnv.PE) == 0 && !isProduct(bits, bits, a)) {
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

    /**
     * Compares, as COMIS, UCOMIS, CMP, MIN and MAX do.
     *
     * @param env environment
     * @param a bits of the first operand
     * @param b bits of the second operand
     * @param quiet whether a quiet NaN is no invalid operation (UCOMIS, and CMP with EQ, UNORD, NEQ, ORD)
     * @return -1, 0 or 1 as a is less than, equal to or greater than b, or {@link #UNORDERED}
     */
    public static int compare(FpEnv env, int a, int b, boolean quiet) {
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
        float x = Float.intBitsToFloat(a);
        float y = Float.intBitsToFloat(b);
        return x < y ? -1 : x > y ? 1 : 0;
    }

    /**
     * Converts to a 32-bit integer (CVTSS2SI, CVTTSS2SI, and the packed forms).
     *
     * @param env environment
     * @param a bits of the operand
     * @param truncate whether to round towards zero whatever the rounding mode
     * @return the integer, or 80000000h with the invalid flag where it does not fit
     */
    public static int toInt32(FpEnv env, int a, boolean truncate) {
        double x = Float.intBitsToFloat(flush(env, a));
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
     * Converts to a 64-bit integer (CVTSS2SI, CVTTSS2SI with REX.W).
     *
     * @param env environment
     * @param a bits of the operand
     * @param truncate whether to round towards zero whatever the rounding mode
     * @return the integer, or 8000000000000000h with the invalid flag where it does not fit
     */
    public static long toInt64(FpEnv env, int a, boolean truncate) {
        double x = Float.intBitsToFloat(flush(env, a));
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
     * Rounds to an integer in the same format (ROUNDSS).
     *
     * @param env environment
     * @param a bits of the operand
     * @param rounding rounding mode, as {@link FpEnv#rounding}
     * @param suppress whether the inexact flag is suppressed (bit 3 of the immediate)
     * @return bits of the rounded number
     */
    public static int roundToInt(FpEnv env, int a, int rounding, boolean suppress) {
        if (isNan(a)) {
            return nan(env, a, a);
        }
        a = flush(env, a);
        float x = Float.intBitsToFloat(a);
        float r = (float) round(x, rounding);
        if (r != x && !suppress) {
            env.flags |= FpEnv.PE;
        }
        return Float.floatToRawIntBits(r);
    }

    /**
     * Converts from a 64-bit integer (CVTSI2SS with REX.W).
     *
     * @param env environment
     * @param value the integer
     * @return bits of the nearest number by the rounding mode
     */
    public static int fromInt64(FpEnv env, long value) {
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
     * Converts from a 32-bit integer (CVTSI2SS, CVTDQ2PS).
     *
     * @param env environment
     * @param value the integer
     * @return bits of the nearest number by the rounding mode
     */
    public static int fromInt32(FpEnv env, int value) {
        return fromInt64(env, value);
    }

    /**
     * Converts to double precision (CVTSS2SD, CVTPS2PD).
     *
     * @param env environment
     * @param a bits of the operand
     * @return bits of the {@code double}
     */
    public static long toDouble(FpEnv env, int a) {
        if (isNan(a)) {
            if (isSignaling(a)) {
                env.flags |= FpEnv.IE;
            }
            return (long) a << 32 & Long.MIN_VALUE | 0x7FF8_0000_0000_0000L | (a & 0x3F_FFFFL) << 29;
        }
        a = flush(env, a);
        if (isDenormal(a)) {
            env.flags |= FpEnv.DE;
        }
        return Double.doubleToRawLongBits(Float.intBitsToFloat(a));
    }
}
