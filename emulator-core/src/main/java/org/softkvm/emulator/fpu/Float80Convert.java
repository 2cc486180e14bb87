package org.softkvm.emulator.fpu;

/** Conversions between 80-bit numbers and what x87 instructions load and store. */
final class Float80Convert {
    private final Float80 f;
    private final FpCore core;

    Float80Convert(Float80 f) {
        this.f = f;
        this.core = f.core;
    }

    /** Loads a single-precision number, with the exceptions of a load. */
    void fromFloat32(int bits) {
        widenFloat32(bits);
        noteLoad();
    }

    /** Loads a double-precision number, with the exceptions of a load. */
    void fromFloat64(long bits) {
        widenFloat64(bits);
        noteLoad();
    }

    private void noteLoad() {
        if (Float80.isSignaling(f.signExp, f.sig)) {
            f.flags |= FpEnv.IE;
            f.sig |= Float80.QUIET_BIT;
        } else if (f.memoryDenormal) {
            f.flags |= FpEnv.DE;
        }
    }

    /** Widens a single-precision operand; NaN stays signaling, exceptions are left to the operation. */
    void widenFloat32(int bits) {
        widen(bits >>> 31 << 15, bits >>> 23 & 0xFF, 0xFF, 127, (long) bits << 40 & Long.MAX_VALUE);
    }

    /** Widens a double-precision operand; NaN stays signaling, exceptions are left to the operation. */
    void widenFloat64(long bits) {
        widen((int) (bits >>> 63) << 15, (int) (bits >>> 52) & 0x7FF, 0x7FF, 1023, bits << 11 & Long.MAX_VALUE);
    }

    private void widen(int sign, int e, int max, int bias, long frac) {
        if (e == max) {
            f.set(sign | Float80.EXP_MASK, frac | Float80.INTEGER_BIT);
        } else if (e != 0) {
            f.set(sign | e + Float80.BIAS - bias, frac | Float80.INTEGER_BIT);
        } else if (frac == 0) {
            f.set(sign, 0);
        } else {
            f.memoryDenormal = true;
            int n = Long.numberOfLeadingZeros(frac);
            f.set(sign | 1 + Float80.BIAS - bias - n, frac << n);
        }
    }

    /** Loads an integer; always exact. */
    void fromInt64(long value) {
        if (value == 0) {
            f.set(0, 0);
            return;
        }
        long m = Math.abs(value);
        int n = Long.numberOfLeadingZeros(m);
        f.set((value < 0 ? Float80.SIGN_MASK : 0) | Float80.BIAS + 63 - n, m << n);
    }

    /** Stores to single precision; the answer means nothing where {@link #storeStopped}. */
    int toFloat32(int se, long sig) {
        return (int) toIeee(se, sig, 24, 127);
    }

    /** Stores to double precision; the answer means nothing where {@link #storeStopped}. */
    long toFloat64(int se, long sig) {
        return toIeee(se, sig, 53, 1023);
    }

    /** Whether an exception forbids to write the memory operand of a store. */
    boolean storeStopped() {
        return (f.flags & ~f.masks & (FpEnv.IE | FpEnv.OE | FpEnv.UE)) != 0;
    }

    private long toIeee(int se, long sig, int p, int emax) {
        long signBit = (long) (se >>> 15 & 1) << (p == 24 ? 31 : 63);
        long inf = 2L * emax + 1 << p - 1;
        if (Float80.isUnsupported(se, sig)) {
            f.flags |= FpEnv.IE;
            return (p == 24 ? 1L << 31 : 1L << 63) | inf | 1L << p - 2;
        }
        if ((se & Float80.EXP_MASK) == Float80.EXP_MASK) {
            if (sig == Float80.INTEGER_BIT) {
                return signBit | inf;
            }
            if ((sig & Float80.QUIET_BIT) == 0) {
                f.flags |= FpEnv.IE;
            }
            return signBit | inf | 1L << p - 2 | (sig & Long.MAX_VALUE) >>> 64 - p;
        }
        if (sig == 0) {
            return signBit;
        }
        int emin = 1 - emax;
        int sign = se >>> 15 & 1;
        int e = Float80.exponentOf(se, sig);
        long s = Float80.significandOf(sig);
        int cut = 64 - p;
        long low = s << p;
        long rest = 0;
        boolean tiny = false;
        if (e < emin) {
            tiny = e != emin - 1
                    || s >>> cut != -1L >>> cut
                    || !FpCore.roundsUp(f.rounding, sign, true, FpCore.compareHalf128(low, 0), low != 0);
            if (tiny && (f.masks & FpEnv.UE) == 0) {
                f.flags |= FpEnv.UE;
                return 0;
            }
            int d = emin - e;
            long x = FpCore.shiftedOut(s, d);
            s = d < 64 ? s >>> d : 0;
            e = emin;
            low = s << p | x >>> cut;
            rest = x << p;
        }
        long kept = s >>> cut;
        if ((low | rest) != 0) {
            f.flags |= tiny ? FpEnv.UE | FpEnv.PE : FpEnv.PE;
            f.roundedUp = FpCore.roundsUp(f.rounding, sign, (kept & 1) != 0, FpCore.compareHalf128(low, rest), true);
            if (f.roundedUp) {
                kept++;
                if (kept >>> p != 0) {
                    kept >>>= 1;
                    e++;
                }
            }
        }
        if (e > emax) {
            if ((f.masks & FpEnv.OE) == 0) {
                f.flags = f.flags & ~FpEnv.PE | FpEnv.OE;
                f.roundedUp = false;
                return 0;
            }
            f.flags |= FpEnv.OE | FpEnv.PE;
            f.roundedUp = FpCore.roundsUp(f.rounding, sign, true, 1, true);
            return signBit | (f.roundedUp ? inf : inf - 1);
        }
        if (kept >>> p - 1 == 0) {
            return signBit | kept;
        }
        return signBit | (long) (e + emax) << p - 1 | kept & (1L << p - 1) - 1;
    }

    /**
     * Stores to an integer.
     *
     * @param bits width of the integer: 16, 32 or 64
     * @param mode rounding mode
     * @return the integer; the smallest one ("integer indefinite") with the invalid flag where it does not fit
     */
    long toInteger(int se, long sig, int bits, int mode) {
        long indefinite = -1L << bits - 1;
        if (sig == 0 && (se & Float80.EXP_MASK) == 0) {
            return 0;
        }
        int e = (se & Float80.EXP_MASK) - Float80.BIAS;
        if (Float80.isUnsupported(se, sig) || e >= 64) {
            f.flags |= FpEnv.IE;
            return indefinite;
        }
        int sign = se >>> 15 & 1;
        long m = roundMagnitude(sign, e, sig, mode);
        if (overflow || Long.compareUnsigned(m, (1L << bits - 1) - 1 + sign) > 0) {
            f.flags = f.flags & ~FpEnv.PE | FpEnv.IE;
            f.roundedUp = false;
            return indefinite;
        }
        return sign != 0 ? -m : m;
    }

    private boolean overflow;

    /** Rounds to an unsigned integer; {@link #overflow} where it takes 65 bits. {@code e} is below 64. */
    private long roundMagnitude(int sign, int e, long sig, int mode) {
        overflow = false;
        int d = 63 - e;
        if (d == 0) {
            return sig;
        }
        long low = FpCore.shiftedOut(sig, d);
        long m = d < 64 ? sig >>> d : 0;
        if (low != 0) {
            f.flags |= FpEnv.PE;
            f.roundedUp = FpCore.roundsUp(mode, sign, (m & 1) != 0, FpCore.compareHalf128(low, 0), true);
            if (f.roundedUp && ++m == 0) {
                overflow = true;
            }
        }
        return m;
    }

    /** Rounds to an integer in the same format (FRNDINT). */
    void roundToInt(int se, long sig) {
        if (f.nan1(se, sig)) {
            return;
        }
        int e = (se & Float80.EXP_MASK) - Float80.BIAS;
        if (e >= 63 || Float80.isZero(se, sig)) {
            f.set(se, sig);
            return;
        }
        f.noteDenormal(se, sig);
        if (f.stopped()) {
            return;
        }
        int sign = se & Float80.SIGN_MASK;
        long m = roundMagnitude(sign >> 15, e, sig, f.rounding);
        if (m == 0) {
            f.set(sign, 0);
            return;
        }
        int n = Long.numberOfLeadingZeros(m);
        f.set(sign | Float80.BIAS + 63 - n, m << n);
    }

    /**
     * Stores to packed BCD: the low 64 bits (16 digits); {@link #bcdHigh} gets the sign and two more digits.
     */
    long toBcd(int se, long sig) {
        long v;
        int sign = se >>> 15 & 1;
        int e = (se & Float80.EXP_MASK) - Float80.BIAS;
        if (Float80.isUnsupported(se, sig) || e >= 64) {
            v = -1;
        } else {
            v = sig == 0 ? 0 : roundMagnitude(sign, e, sig, f.rounding);
        }
        if (Long.compareUnsigned(v, 999_999_999_999_999_999L) > 0) {
            f.flags = f.flags & ~FpEnv.PE | FpEnv.IE;
            f.roundedUp = false;
            bcdHigh = 0xFFFF;
            return 0xC000_0000_0000_0000L;
        }
        long low = 0;
        for (int i = 0; i < 64; i += 4) {
            low |= v % 10 << i;
            v /= 10;
        }
        bcdHigh = (int) (v % 10 | v / 10 << 4 | (long) sign << 15);
        return low;
    }

    /** The highest two bytes of a packed BCD number. */
    int bcdHigh;

    /** Loads packed BCD; digits above 9 count as they are. */
    void fromBcd(int high, long low) {
        long v = (high >> 4 & 15) * 10L + (high & 15);
        for (int i = 60; i >= 0; i -= 4) {
            v = v * 10 + (low >>> i & 15);
        }
        fromInt64(v);
        f.signExp |= high & 0x8000;
    }
}
