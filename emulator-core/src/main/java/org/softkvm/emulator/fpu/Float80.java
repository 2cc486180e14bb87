package org.softkvm.emulator.fpu;

/**
 * Arithmetic of the x87 unit on 80-bit numbers (Intel SDM volume 1, chapters 4 and 8).
 *
 * <p>A number is a pair: sign and biased exponent in the low 16 bits of an {@code int}, and the 64-bit significand. The
 * result of an operation is left in {@link #signExp} and {@link #sig}, the exceptions that it met in {@link #flags} and
 * whether its magnitude was rounded up in {@link #roundedUp}; {@link #begin} clears the latter two. Where an unmasked
 * invalid, denormal or divide exception was met the result means nothing.
 */
final class Float80 {
    static final int BIAS = 16383;
    static final int EXP_MASK = 0x7FFF;
    static final int SIGN_MASK = 0x8000;
    static final long INTEGER_BIT = Long.MIN_VALUE;
    static final long QUIET_BIT = 1L << 62;

    /** Sign and exponent of the default NaN. */
    static final int NAN_SIGN_EXP = 0xFFFF;

    /** Significand of the default NaN. */
    static final long NAN_SIG = 0xC000_0000_0000_0000L;

    /** What is added to the exponent on unmasked underflow, and taken away on unmasked overflow. */
    private static final int BIAS_ADJUST = 24576;

    /** Answer of {@link #compare}: an operand is NaN or unsupported. */
    static final int UNORDERED = 2;

    /** Sign and exponent of the result, 16 bits. */
    int signExp;

    /** Significand of the result. */
    long sig;

    /** Exceptions met since {@link #begin}: bits of {@link FpEnv}. */
    int flags;

    /** C1: the magnitude of the result was rounded up. */
    boolean roundedUp;

    /** The second operand came from memory as a denormal number of a smaller format, and so does not look like one. */
    boolean memoryDenormal;

    /** Exceptions that are masked: a set bit is a masked one. */
    int masks = FpEnv.ALL;

    /** Rounding mode of {@link FpEnv}. */
    int rounding;

    /** Precision control: 24, 53 or 64 bits. */
    int precision = 64;

    /** To nearest, with all 64 bits: {@link FpuFast} may be asked. */
    boolean plain = true;

    final FpCore core = new FpCore();

    /** Takes rounding, precision and masks from a control word. */
    void control(int cw) {
        masks = cw & FpEnv.ALL;
        rounding = cw >> 10 & 3;
        int pc = cw >> 8 & 3;
        precision = pc == 0 ? 24 : pc == 2 ? 53 : 64;
        plain = rounding == FpEnv.NEAREST && precision == 64;
    }

    /** Starts an operation. */
    void begin() {
        flags = 0;
        memoryDenormal = false;
        roundedUp = false;
    }

    static boolean isZero(int se, long sig) {
        return sig == 0 && (se & EXP_MASK) == 0;
    }

    static boolean isDenormal(int se, long sig) {
        return (se & EXP_MASK) == 0 && sig != 0;
    }

    static boolean isInfinite(int se, long sig) {
        return (se & EXP_MASK) == EXP_MASK && sig == INTEGER_BIT;
    }

    static boolean isNan(int se, long sig) {
        return (se & EXP_MASK) == EXP_MASK && sig < 0 && sig != INTEGER_BIT;
    }

    static boolean isSignaling(int se, long sig) {
        return isNan(se, sig) && (sig & QUIET_BIT) == 0;
    }

    /** Pseudo-NaNs, pseudo-infinities and unnormals: encodings of the 8087 that the 387 gave up. */
    static boolean isUnsupported(int se, long sig) {
        return sig >= 0 && (se & EXP_MASK) != 0;
    }

    /** True for what is not a finite number: NaN, infinity, unsupported. */
    private static boolean isSpecial(int se, long sig) {
        int e = se & EXP_MASK;
        return e == EXP_MASK || e != 0 && sig >= 0;
    }

    static int signOf(int se) {
        return se >> 15 & 1;
    }

    /** The exponent, without a bias, of a finite number that is not zero. */
    static int exponentOf(int se, long sig) {
        int e = se & EXP_MASK;
        return e != 0 ? e - BIAS : 1 - BIAS - Long.numberOfLeadingZeros(sig);
    }

    /** The significand, with bit 63 set, of a finite number that is not zero. */
    static long significandOf(long sig) {
        return sig << Long.numberOfLeadingZeros(sig);
    }

    void set(int se, long significand) {
        signExp = se;
        sig = significand;
    }

    void setNan() {
        set(NAN_SIGN_EXP, NAN_SIG);
    }

    void setZero(int sign) {
        set(sign << 15, 0);
    }

    void setInfinity(int sign) {
        set(sign << 15 | EXP_MASK, INTEGER_BIT);
    }

    void invalid() {
        flags |= FpEnv.IE;
        setNan();
    }

    void noteDenormals(int seA, long sigA, int seB, long sigB) {
        if (memoryDenormal || isDenormal(seA, sigA) || isDenormal(seB, sigB)) {
            flags |= FpEnv.DE;
        }
    }

    void noteDenormal(int se, long s) {
        if (isDenormal(se, s)) {
            flags |= FpEnv.DE;
        }
    }

    /** True where an exception was met that keeps the result from being computed at all. */
    boolean stopped() {
        return (flags & ~masks & (FpEnv.IE | FpEnv.DE | FpEnv.ZE)) != 0;
    }

    /** Handles one operand that may be NaN or unsupported; true if the result is there. */
    boolean nan1(int se, long s) {
        if (isUnsupported(se, s)) {
            invalid();
            return true;
        }
        if (isNan(se, s)) {
            if ((s & QUIET_BIT) == 0) {
                flags |= FpEnv.IE;
            }
            set(se, s | QUIET_BIT);
            return true;
        }
        return false;
    }

    /**
     * Handles two operands of which one may be NaN or unsupported (SDM volume 1, table 4-7); true if the result is
     * there.
     */
    boolean nan2(int seA, long sigA, int seB, long sigB) {
        if (isUnsupported(seA, sigA) || isUnsupported(seB, sigB)) {
            invalid();
            return true;
        }
        boolean nanA = isNan(seA, sigA);
        boolean nanB = isNan(seB, sigB);
        if (!nanA && !nanB) {
            return false;
        }
        boolean signalA = nanA && (sigA & QUIET_BIT) == 0;
        boolean signalB = nanB && (sigB & QUIET_BIT) == 0;
        if (signalA || signalB) {
            flags |= FpEnv.IE;
        }
        boolean first;
        if (!nanB) {
            first = true;
        } else if (!nanA) {
            first = false;
        } else if (signalA != signalB) {
            first = signalB;
        } else {
            int c = Long.compareUnsigned(sigA, sigB);
            // Of two that differ in the sign only, the positive one.
            first = c > 0 || c == 0 && (seA & SIGN_MASK) == 0;
        }
        if (first) {
            set(seA, sigA | QUIET_BIT);
        } else {
            set(seB, sigB | QUIET_BIT);
        }
        return true;
    }

    /** a + b. */
    void add(int seA, long sigA, int seB, long sigB) {
        if (isSpecial(seA, sigA) || isSpecial(seB, sigB)) {
            if (nan2(seA, sigA, seB, sigB)) {
                return;
            }
            if (isInfinite(seA, sigA)) {
                if (isInfinite(seB, sigB) && ((seA ^ seB) & SIGN_MASK) != 0) {
                    invalid();
                    return;
                }
                noteDenormals(seA, sigA, seB, sigB);
                set(seA, sigA);
                return;
            }
            noteDenormals(seA, sigA, seB, sigB);
            set(seB, sigB);
            return;
        }
        noteDenormals(seA, sigA, seB, sigB);
        if (stopped()) {
            return;
        }
        if (sigA == 0 || sigB == 0) {
            if (sigA == sigB) {
                setZero(((seA ^ seB) & SIGN_MASK) == 0 ? signOf(seA) : rounding == FpEnv.DOWN ? 1 : 0);
            } else if (sigA == 0) {
                round(seB, sigB, precision);
            } else {
                round(seA, sigA, precision);
            }
            return;
        }
        core.add(
                signOf(seA),
                exponentOf(seA, sigA),
                significandOf(sigA),
                signOf(seB),
                exponentOf(seB, sigB),
                significandOf(sigB));
        if (core.sig == 0) {
            setZero(rounding == FpEnv.DOWN ? 1 : 0);
            return;
        }
        round(precision);
    }

    /** a - b. */
    void subtract(int seA, long sigA, int seB, long sigB) {
        add(seA, sigA, isNan(seB, sigB) ? seB : seB ^ SIGN_MASK, sigB);
    }

    /** a * b. */
    void multiply(int seA, long sigA, int seB, long sigB) {
        int sign = signOf(seA ^ seB);
        if (isSpecial(seA, sigA) || isSpecial(seB, sigB)) {
            if (nan2(seA, sigA, seB, sigB)) {
                return;
            }
            if (isZero(seA, sigA) || isZero(seB, sigB)) {
                invalid();
                return;
            }
            noteDenormals(seA, sigA, seB, sigB);
            setInfinity(sign);
            return;
        }
        noteDenormals(seA, sigA, seB, sigB);
        if (stopped()) {
            return;
        }
        if (sigA == 0 || sigB == 0) {
            setZero(sign);
            return;
        }
        core.multiply(
                signOf(seA),
                exponentOf(seA, sigA),
                significandOf(sigA),
                signOf(seB),
                exponentOf(seB, sigB),
                significandOf(sigB));
        round(precision);
    }

    /** a / b. */
    void divide(int seA, long sigA, int seB, long sigB) {
        int sign = signOf(seA ^ seB);
        if (isSpecial(seA, sigA) || isSpecial(seB, sigB)) {
            if (nan2(seA, sigA, seB, sigB)) {
                return;
            }
            boolean infA = isInfinite(seA, sigA);
            if (infA && isInfinite(seB, sigB)) {
                invalid();
                return;
            }
            noteDenormals(seA, sigA, seB, sigB);
            if (infA) {
                setInfinity(sign);
            } else {
                setZero(sign);
            }
            return;
        }
        if (sigB == 0) {
            if (sigA == 0) {
                invalid();
                return;
            }
            flags |= FpEnv.ZE;
            setInfinity(sign);
            return;
        }
        noteDenormals(seA, sigA, seB, sigB);
        if (stopped()) {
            return;
        }
        if (sigA == 0) {
            setZero(sign);
            return;
        }
        core.divide(
                signOf(seA),
                exponentOf(seA, sigA),
                significandOf(sigA),
                signOf(seB),
                exponentOf(seB, sigB),
                significandOf(sigB));
        round(precision);
    }

    /** The square root of a. */
    void squareRoot(int se, long s) {
        if (isSpecial(se, s)) {
            if (nan1(se, s)) {
                return;
            }
            if (signOf(se) != 0) {
                invalid();
            } else {
                set(se, s);
            }
            return;
        }
        if (s == 0) {
            set(se, s);
            return;
        }
        if (signOf(se) != 0) {
            invalid();
            return;
        }
        noteDenormal(se, s);
        if (stopped()) {
            return;
        }
        core.squareRoot(exponentOf(se, s), significandOf(s));
        round(precision);
    }

    /**
     * Compares.
     *
     * @param quiet whether a quiet NaN is no invalid operation (FUCOM)
     * @return -1, 0, 1 or {@link #UNORDERED}
     */
    int compare(int seA, long sigA, int seB, long sigB, boolean quiet) {
        if (isSpecial(seA, sigA) || isSpecial(seB, sigB)) {
            boolean unsupported = isUnsupported(seA, sigA) || isUnsupported(seB, sigB);
            if (unsupported || isNan(seA, sigA) || isNan(seB, sigB)) {
                if (unsupported || !quiet || isSignaling(seA, sigA) || isSignaling(seB, sigB)) {
                    flags |= FpEnv.IE;
                }
                return UNORDERED;
            }
        }
        noteDenormals(seA, sigA, seB, sigB);
        if (isZero(seA, sigA) && isZero(seB, sigB)) {
            return 0;
        }
        int signA = signOf(seA);
        if (signA != signOf(seB)) {
            return signA != 0 ? -1 : 1;
        }
        // A pseudo-denormal (exponent 0 with the integer bit) is worth as much as with exponent 1.
        int expA = Math.max(seA & EXP_MASK, 1);
        int expB = Math.max(seB & EXP_MASK, 1);
        int c = expA != expB ? Integer.compare(expA, expB) : Long.compareUnsigned(sigA, sigB);
        return signA != 0 ? -c : c;
    }

    /** Rounds a finite number that is not zero to a precision. */
    void round(int se, long s, int p) {
        core.sign = signOf(se);
        core.exp = exponentOf(se, s);
        core.sig = significandOf(s);
        core.extra = 0;
        round(p);
    }

    /** Rounds the number in {@link #core} to a precision of 24, 53 or 64 bits, with overflow and underflow. */
    void round(int p) {
        int e = core.exp + BIAS;
        int sign = core.sign;
        long s = core.sig;
        long x = core.extra;
        int cut = 64 - p;
        long low = cut == 0 ? x : s << p | x >>> cut;
        long rest = cut == 0 ? 0 : x << p;
        boolean tiny = false;
        if (e <= 0) {
            // Tiny after rounding: not if rounding with an unbounded exponent reaches the smallest normal number.
            tiny = e != 0
                    || s >>> cut != -1L >>> cut
                    || !FpCore.roundsUp(rounding, sign, true, FpCore.compareHalf128(low, rest), (low | rest) != 0);
            if (tiny && (masks & FpEnv.UE) == 0) {
                flags |= FpEnv.UE;
                e += BIAS_ADJUST;
                if (e <= 0) {
                    // Only FSCALE gets so far down.
                    flags |= FpEnv.PE;
                    setZero(sign);
                    return;
                }
                tiny = false;
            } else {
                int d = 1 - e;
                x = FpCore.shiftedOut(s, d) | (d < 64 ? x >>> d : 0) | (x != 0 ? 1 : 0);
                s = d < 64 ? s >>> d : 0;
                e = 1;
                low = cut == 0 ? x : s << p | x >>> cut;
                rest = cut == 0 ? 0 : x << p;
            }
        }
        if ((low | rest) != 0) {
            flags |= tiny ? FpEnv.PE | FpEnv.UE : FpEnv.PE;
            long kept = s >>> cut;
            roundedUp = FpCore.roundsUp(rounding, sign, (kept & 1) != 0, FpCore.compareHalf128(low, rest), true);
            s = kept << cut;
            if (roundedUp) {
                long unit = 1L << cut;
                boolean carry = s < 0 && s + unit >= 0;
                s += unit;
                if (carry) {
                    s = INTEGER_BIT;
                    e++;
                }
            }
        }
        if (e >= EXP_MASK) {
            flags |= FpEnv.OE;
            if ((masks & FpEnv.OE) == 0) {
                e -= BIAS_ADJUST;
                if (e >= EXP_MASK) {
                    flags |= FpEnv.PE;
                    roundedUp = true;
                    setInfinity(sign);
                    return;
                }
            } else {
                flags |= FpEnv.PE;
                roundedUp = FpCore.roundsUp(rounding, sign, true, 1, true);
                if (roundedUp) {
                    setInfinity(sign);
                } else {
                    set(sign << 15 | EXP_MASK - 1, -1L << cut);
                }
                return;
            }
        }
        if (s >= 0) {
            e = 0;
        }
        set(sign << 15 | e, s);
    }
}
