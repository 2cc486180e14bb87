package org.softkvm.emulator.fpu;

/**
 * The arithmetic that all formats share: finite non-zero numbers taken apart, results before rounding.
 *
 * <p>A number is {@code sig * 2^(exp - 63)} with bit 63 of {@code sig} set. A result has 64 more bits in
 * {@link #extra}, the last of which is sticky: it is set where anything below it was lost.
 */
final class FpCore {
    /** Sign of the result, 0 or 1. */
    int sign;

    /** Exponent of the result, without a bias. */
    int exp;

    /** Significand of the result with bit 63 set; 0 if the result is exactly zero. */
    long sig;

    /** The 64 bits below {@link #sig}, the lowest sticky. */
    long extra;

    /** Remainder of {@link #divide128}. */
    long remainder;

    /** Adds two numbers; the sign of an exact zero is left to the caller. */
    void add(int signA, int expA, long sigA, int signB, int expB, long sigB) {
        int d = expA - expB;
        if (d < 0 || d == 0 && Long.compareUnsigned(sigA, sigB) < 0) {
            d = -d;
            int e = expA;
            expA = expB;
            expB = e;
            long s = sigA;
            sigA = sigB;
            sigB = s;
            int t = signA;
            signA = signB;
            signB = t;
        }
        long low = 0;
        if (d != 0) {
            low = shiftedOut(sigB, d);
            sigB = d < 64 ? sigB >>> d : 0;
        }
        sign = signA;
        if (signA == signB) {
            long sum = sigA + sigB;
            if (Long.compareUnsigned(sum, sigA) < 0) {
                low = sum << 63 | low >>> 1 | low & 1;
                sum = sum >>> 1 | Long.MIN_VALUE;
                expA++;
            }
            exp = expA;
            sig = sum;
            extra = low;
            return;
        }
        long high = sigA - sigB;
        if (low != 0) {
            high--;
            low = -low;
        }
        if (high >= 0) {
            if (high == 0) {
                high = low;
                low = 0;
                expA -= 64;
            }
            int n = Long.numberOfLeadingZeros(high);
            if (n != 0 && n != 64) {
                high = high << n | low >>> 64 - n;
                low <<= n;
                expA -= n;
            }
        }
        exp = expA;
        sig = high;
        extra = low;
    }

    /** The 64 bits that a right shift by {@code d >= 1} pushes out of {@code v}, with the last one sticky. */
    static long shiftedOut(long v, int d) {
        if (d < 64) {
            return v << 64 - d;
        }
        if (d == 64) {
            return v;
        }
        if (d < 128) {
            return v >>> d - 64 | (v << 128 - d != 0 ? 1 : 0);
        }
        return v != 0 ? 1 : 0;
    }

    /** Multiplies two numbers, exactly. */
    void multiply(int signA, int expA, long sigA, int signB, int expB, long sigB) {
        long high = Math.unsignedMultiplyHigh(sigA, sigB);
        long low = sigA * sigB;
        int e = expA + expB + 1;
        if (high >= 0) {
            high = high << 1 | low >>> 63;
            low <<= 1;
            e--;
        }
        sign = signA ^ signB;
        exp = e;
        sig = high;
        extra = low;
    }

    /** Adds a number to this result, a product whose 128 bits are exact; the sign of an exact zero is the caller's. */
    void addToProduct(int signC, int expC, long sigC) {
        int signA = sign;
        long high = sig;
        long low = extra;
        int e = exp;
        long high2 = sigC;
        long low2 = 0;
        int d = e - expC;
        boolean swap = d < 0
                || d == 0
                        && (Long.compareUnsigned(high, high2) < 0 || high == high2 && Long.compareUnsigned(low, 0) < 0);
        if (swap) {
            high2 = high;
            low2 = low;
            high = sigC;
            low = 0;
            e = expC;
            d = -d;
            int t = signA;
            signA = signC;
            signC = t;
        }
        // The smaller one moves right; what it loses is kept as a sticky last bit, of which 20 bits keep the result
        // away.
        if (d >= 128) {
            high2 = 0;
            low2 = 1;
        } else if (d >= 64) {
            long lost = low2 | (d == 64 ? 0 : high2 << 128 - d);
            low2 = high2 >>> d - 64 | (lost != 0 ? 1 : 0);
            high2 = 0;
        } else if (d > 0) {
            long lost = low2 << 64 - d;
            low2 = low2 >>> d | high2 << 64 - d | (lost != 0 ? 1 : 0);
            high2 >>>= d;
        }
        sign = signA;
        if (signA == signC) {
            long sumLow = low + low2;
            long carry = Long.compareUnsigned(sumLow, low) < 0 ? 1 : 0;
            long sum = high + high2;
            boolean over = Long.compareUnsigned(sum, high) < 0 || sum == -1 && carry != 0;
            sum += carry;
            if (over) {
                sumLow = sum << 63 | sumLow >>> 1 | sumLow & 1;
                sum = sum >>> 1 | Long.MIN_VALUE;
                e++;
            }
            sig = sum;
            extra = sumLow;
            exp = e;
            return;
        }
        long borrow = Long.compareUnsigned(low, low2) < 0 ? 1 : 0;
        low -= low2;
        high -= high2 + borrow;
        if (high == 0) {
            high = low;
            low = 0;
            e -= 64;
        }
        int n = high == 0 ? 0 : Long.numberOfLeadingZeros(high);
        if (n != 0) {
            high = high << n | low >>> 64 - n;
            low <<= n;
            e -= n;
        }
        sig = high;
        extra = low;
        exp = e;
    }

    /** Divides two numbers. */
    void divide(int signA, int expA, long sigA, int signB, int expB, long sigB) {
        int e = expA - expB;
        long q;
        if (Long.compareUnsigned(sigA, sigB) >= 0) {
            q = divide128(sigA >>> 1, sigA << 63, sigB);
        } else {
            q = divide128(sigA, 0, sigB);
            e--;
        }
        sign = signA ^ signB;
        exp = e;
        sig = q;
        extra = compareHalf(remainder, sigB);
    }

    /** What remains after a division, as bits below the quotient: zero, below, at or above a half. */
    private static long compareHalf(long rest, long divisor) {
        if (rest == 0) {
            return 0;
        }
        if (rest < 0) {
            return 0xC000_0000_0000_0000L;
        }
        int c = Long.compareUnsigned(rest << 1, divisor);
        return c < 0 ? 0x4000_0000_0000_0000L : c == 0 ? Long.MIN_VALUE : 0xC000_0000_0000_0000L;
    }

    /** The square root of a positive number. */
    void squareRoot(int expA, long sigA) {
        // The radicand as 128 bits with an even exponent and one of its two highest bits set.
        long n1;
        long n0;
        if ((expA & 1) == 0) {
            n1 = sigA >>> 1;
            n0 = sigA << 63;
        } else {
            n1 = sigA;
            n0 = 0;
        }
        long s1 = (long) Math.sqrt(n1 >= 0 ? (double) n1 : (n1 >>> 1) * 2.0);
        if (s1 > 0xFFFF_FFFFL) {
            s1 = 0xFFFF_FFFFL;
        }
        while (Long.compareUnsigned(s1 * s1, n1) > 0) {
            s1--;
        }
        long r1 = n1 - s1 * s1;
        while (Long.compareUnsigned(r1, 2 * s1) > 0) {
            r1 -= 2 * s1 + 1;
            s1++;
        }
        // Zimmermann's Karatsuba square root: one more 32-bit digit by division. r1 <= 2 * s1 < 2^33.
        long divisor = 2 * s1;
        long num = r1 << 32 | n0 >>> 32;
        boolean wide = r1 >>> 32 != 0;
        long q;
        long u;
        if (wide) {
            q = divide128(1, num, divisor);
            u = remainder;
        } else {
            q = Long.divideUnsigned(num, divisor);
            u = num - q * divisor;
        }
        // s = s1 * 2^32 + q, r = u * 2^32 + low(n0) - q * q, as a 128-bit signed number.
        long rLow = (u << 32) + (n0 & 0xFFFF_FFFFL);
        long rHigh = u >>> 32;
        long qq = q * q;
        if (q == 0x1_0000_0000L) {
            rHigh--;
        } else {
            if (Long.compareUnsigned(rLow, qq) < 0) {
                rHigh--;
            }
            rLow -= qq;
        }
        long s = (s1 << 32) + q;
        while (rHigh < 0) {
            s--;
            long add = rLow + (s << 1) + 1;
            rHigh += (s >>> 63) + (addCarries(rLow, (s << 1) + 1) ? 1 : 0);
            rLow = add;
        }
        sign = 0;
        exp = expA >> 1;
        sig = s;
        if (rHigh == 0 && rLow == 0) {
            extra = 0;
        } else {
            // The root lies above s + 1/2 where r > s; it can never be exactly there.
            extra = rHigh != 0 || Long.compareUnsigned(rLow, s) > 0 ? 0xC000_0000_0000_0000L : 0x4000_0000_0000_0000L;
        }
    }

    private static boolean addCarries(long a, long b) {
        return Long.compareUnsigned(a + b, a) < 0;
    }

    /**
     * Divides {@code high:low} by a divisor with bit 63 set (or by any divisor above {@code high}); the remainder goes
     * to {@link #remainder}. {@code high} must be below {@code divisor}.
     */
    long divide128(long high, long low, long divisor) {
        int n = Long.numberOfLeadingZeros(divisor);
        if (n != 0) {
            divisor <<= n;
            high = high << n | low >>> 64 - n;
            low <<= n;
        }
        long d1 = divisor >>> 32;
        long d0 = divisor & 0xFFFF_FFFFL;
        long q1 = digit(high, low >>> 32, divisor, d1, d0);
        long rest = (high << 32 | low >>> 32) - q1 * divisor;
        long q0 = digit(rest, low & 0xFFFF_FFFFL, divisor, d1, d0);
        remainder = (rest << 32 | low & 0xFFFF_FFFFL) - q0 * divisor >>> n;
        return (q1 << 32) + q0;
    }

    /** One 32-bit quotient digit (Knuth volume 2, 4.3.1, algorithm D). */
    private static long digit(long high, long next, long divisor, long d1, long d0) {
        long q = Long.divideUnsigned(high, d1);
        long r = high - q * d1;
        while (q >>> 32 != 0 || Long.compareUnsigned(q * d0, r << 32 | next) > 0) {
            q--;
            r += d1;
            if (r >>> 32 != 0) {
                break;
            }
        }
        return q;
    }

    /**
     * Decides whether a magnitude grows by one unit of its last place.
     *
     * @param rounding the rounding mode of {@link FpEnv}
     * @param sign sign of the number
     * @param odd whether the kept part is odd
     * @param half what was cut off against half a unit: negative, zero, positive
     * @param inexact whether anything was cut off
     */
    static boolean roundsUp(int rounding, int sign, boolean odd, int half, boolean inexact) {
        return switch (rounding) {
            case FpEnv.NEAREST -> half > 0 || half == 0 && odd;
            case FpEnv.DOWN -> inexact && sign != 0;
            case FpEnv.UP -> inexact && sign == 0;
            default -> false;
        };
    }

    /** Compares what lies below the kept bits with half a unit. {@code low} and {@code rest}: a 128-bit fraction. */
    static int compareHalf128(long low, long rest) {
        if (low == Long.MIN_VALUE) {
            return rest == 0 ? 0 : 1;
        }
        return low < 0 ? 1 : -1;
    }

    /**
     * Rounds this result to an IEEE interchange format, with the exceptions and the flush to zero of SSE (tininess is
     * detected after rounding).
     *
     * @param env environment that gets the flags
     * @param p precision in bits: 24 or 53
     * @param emax largest exponent: 127 or 1023
     * @return the bits of the rounded number
     */
    long pack(FpEnv env, int p, int emax) {
        int emin = 1 - emax;
        int e = exp;
        long s = sig;
        long x = extra;
        int cut = 64 - p;
        int rounding = env.rounding;
        long signBit = sign == 0 ? 0 : 1L << (p == 24 ? 31 : 63);
        boolean tiny = false;
        long low = s << p | x >>> cut;
        long rest = x << p;
        if (e < emin) {
            // Tiny after rounding: not if rounding with an unbounded exponent reaches the smallest normal number.
            tiny = e != emin - 1
                    || s >>> cut != (1L << p) - 1
                    || !roundsUp(rounding, sign, true, compareHalf128(low, rest), (low | rest) != 0);
            if (tiny) {
                if ((env.masks & FpEnv.UE) == 0) {
                    // The result goes nowhere. It is inexact only if it were so with an unbounded exponent.
                    env.flags |= (low | rest) != 0 ? FpEnv.UE | FpEnv.PE : FpEnv.UE;
                    return signBit;
                }
                if (env.ftz) {
                    env.flags |= FpEnv.UE | FpEnv.PE;
                    return signBit;
                }
            }
            int d = emin - e;
            x = shiftedOut(s, d) | (d < 64 ? x >>> d : 0) | (x != 0 ? 1 : 0);
            s = d < 64 ? s >>> d : 0;
            e = emin;
            low = s << p | x >>> cut;
            rest = x << p;
        }
        boolean inexact = (low | rest) != 0;
        long kept = s >>> cut;
        if (inexact) {
            env.flags |= tiny ? FpEnv.UE | FpEnv.PE : FpEnv.PE;
            if (roundsUp(rounding, sign, (kept & 1) != 0, compareHalf128(low, rest), true)) {
                kept++;
                if (kept >>> p != 0) {
                    kept >>>= 1;
                    e++;
                }
            }
        }
        if (e > emax) {
            env.flags |= (env.masks & FpEnv.OE) == 0 ? FpEnv.OE : FpEnv.OE | FpEnv.PE;
            boolean infinite = roundsUp(rounding, sign, true, 1, true);
            long inf = (2L * emax + 1) << p - 1;
            return signBit | (infinite ? inf : inf - 1);
        }
        if (kept >>> p - 1 == 0) {
            return signBit | kept;
        }
        return signBit | (long) (e + emax) << p - 1 | kept & (1L << p - 1) - 1;
    }
}
