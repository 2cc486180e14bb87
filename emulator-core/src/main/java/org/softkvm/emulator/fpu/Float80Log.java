package org.softkvm.emulator.fpu;

/** F2XM1, FYL2X, FYL2XP1: power series in 128-bit fixed point, results within 0.51 of the last place. */
final class Float80Log {
    private static final long SQRT2 = 0xB504_F333_F9DE_6484L;

    private final Float80 f;
    private final FpCore core;
    private final Wide w;
    private final Wide t;

    Float80Log(Float80 f) {
        this.f = f;
        this.core = f.core;
        w = new Wide(core);
        t = new Wide(core);
    }

    private void deliver(int sign, boolean exact) {
        core.sign = sign;
        core.exp = w.exp - 1;
        core.sig = w.high;
        core.extra = exact ? w.low : w.low | 1;
        f.round(64);
        // Intel's CPUs set it even where the result is exact.
        f.flags |= exact && (f.signExp & Float80.EXP_MASK) == 0 ? FpEnv.PE | FpEnv.UE : FpEnv.PE;
    }

    /** F2XM1: 2^x - 1 for -1 <= x <= 1; beyond, where it is undefined, x stays. */
    void exponential(int se, long sig) {
        if (f.nan1(se, sig)) {
            return;
        }
        int sign = Float80.signOf(se);
        if (Float80.isInfinite(se, sig)) {
            if (sign == 0) {
                f.set(se, sig);
            } else {
                f.set(Float80.SIGN_MASK | Float80.BIAS, Float80.INTEGER_BIT);
            }
            return;
        }
        if (sig == 0) {
            f.set(se, sig);
            return;
        }
        f.noteDenormal(se, sig);
        if (f.stopped()) {
            return;
        }
        int e = Float80.exponentOf(se, sig);
        if (e >= 0) {
            f.flags |= FpEnv.PE;
            if (e == 0 && sig == Float80.INTEGER_BIT) {
                if (sign == 0) {
                    f.set(se, sig);
                } else {
                    f.set(Float80.SIGN_MASK | Float80.BIAS - 1, Float80.INTEGER_BIT);
                }
                return;
            }
            f.set(se, sig);
            return;
        }
        // y = x ln 2; 2^x - 1 = e^y - 1 = y (1 + y / 2! + y^2 / 3! + ...).
        w.set(Float80.significandOf(sig), 0);
        w.exp = e + 1;
        w.multiplyFloat(TranscendentalTables.LN2[0], TranscendentalTables.LN2[1], 0);
        t.set(w);
        t.toFraction(0);
        long yh = t.high;
        long yl = t.low;
        t.polynomial(TranscendentalTables.EXPONENTIAL, yh, yl, sign != 0);
        t.exp = 1;
        t.normalize();
        w.multiplyFloat(t.high, t.low, t.exp);
        deliver(sign, false);
    }

    /** FYL2X: y * log2(x). */
    void logarithm(int seX, long sigX, int seY, long sigY) {
        if (f.nan2(seX, sigX, seY, sigY)) {
            return;
        }
        int signY = Float80.signOf(seY);
        boolean infY = Float80.isInfinite(seY, sigY);
        boolean zeroY = Float80.isZero(seY, sigY);
        if (Float80.isZero(seX, sigX)) {
            if (zeroY) {
                f.invalid();
                return;
            }
            if (infY) {
                f.setInfinity(signY ^ 1);
                return;
            }
            f.flags |= FpEnv.ZE;
            f.setInfinity(signY ^ 1);
            return;
        }
        if (Float80.signOf(seX) != 0) {
            f.invalid();
            return;
        }
        if (Float80.isInfinite(seX, sigX)) {
            if (zeroY) {
                f.invalid();
                return;
            }
            f.noteDenormal(seY, sigY);
            f.setInfinity(signY);
            return;
        }
        int e = Float80.exponentOf(seX, sigX);
        long m = Float80.significandOf(sigX);
        boolean one = e == 0 && m == Float80.INTEGER_BIT;
        if (infY) {
            if (one) {
                f.invalid();
                return;
            }
            f.noteDenormal(seX, sigX);
            f.setInfinity(e < 0 ? signY ^ 1 : signY);
            return;
        }
        f.noteDenormals(seX, sigX, seY, sigY);
        if (f.stopped()) {
            return;
        }
        if (one || zeroY) {
            f.setZero(e < 0 ? signY ^ 1 : signY);
            return;
        }
        t.set(m, 0);
        log2(e);
        boolean exact = m == Float80.INTEGER_BIT;
        int sign = signY ^ negative;
        w.multiplyFloat(Float80.significandOf(sigY), 0, Float80.exponentOf(seY, sigY) + 1);
        deliver(sign, exact);
    }

    private int negative;

    /**
     * The magnitude of log2(m * 2^e), which is not 0, into {@link #w}, its sign into {@link #negative}; 1 <= m < 2 is in
     * {@link #t} as a fraction of 2.
     */
    private void log2(int e) {
        // Takes m to between 1/sqrt(2) and sqrt(2), so that nothing cancels.
        boolean below = Long.compareUnsigned(t.high, SQRT2) > 0;
        if (below) {
            e++;
            w.set(t);
            w.subtractFrom(0, 0);
        } else {
            w.set(t.high ^ Long.MIN_VALUE, t.low);
        }
        if (w.isZero()) {
            negative = e < 0 ? 1 : 0;
            w.set((long) Math.abs(e) << 32, 0);
            w.exp = 32;
            w.normalize();
            return;
        }
        // s = (m - 1) / (m + 1), both as fractions of 1 or 2.
        w.exp = 0;
        w.normalize();
        t.exp = 0;
        t.toFraction(1);
        t.add(below ? 1L << 63 : 1L << 62, 0);
        t.exp = 1;
        t.normalize();
        w.divideFloat(t.high, t.low, t.exp);
        seriesOfQuotient();
        if (e == 0) {
            negative = below ? 1 : 0;
            return;
        }
        w.toFraction(16);
        long integer = (long) Math.abs(e) << 48;
        if (e > 0 == below) {
            w.subtractFrom(integer, 0);
        } else {
            w.add(integer, 0);
        }
        negative = e < 0 ? 1 : 0;
        w.normalize();
    }

    /** Makes 2/ln2 * atanh(s) = 2/ln2 * (s + s^3/3 + s^5/5 + ...) of s in {@link #w}. */
    private void seriesOfQuotient() {
        t.set(w);
        t.toFraction(0);
        t.multiply(t.high, t.low);
        t.polynomial(TranscendentalTables.HYPERBOLIC_ARC_TANGENT, t.high, t.low, false);
        t.exp = 1;
        t.normalize();
        w.multiplyFloat(t.high, t.low, t.exp);
        w.multiplyFloat(TranscendentalTables.TWO_LOG2_E_4TH[0], TranscendentalTables.TWO_LOG2_E_4TH[1], 2);
    }

    /** FYL2XP1: y * log2(x + 1). */
    void logarithmPlus1(int seX, long sigX, int seY, long sigY) {
        if (f.nan2(seX, sigX, seY, sigY)) {
            return;
        }
        int signX = Float80.signOf(seX);
        int signY = Float80.signOf(seY);
        boolean infY = Float80.isInfinite(seY, sigY);
        if (Float80.isInfinite(seX, sigX)) {
            if (signX != 0 || Float80.isZero(seY, sigY)) {
                f.invalid();
                return;
            }
            f.noteDenormal(seY, sigY);
            f.setInfinity(signY);
            return;
        }
        if (infY) {
            if (Float80.isZero(seX, sigX)) {
                f.invalid();
                return;
            }
            f.noteDenormal(seX, sigX);
            f.setInfinity(signY ^ signX);
            return;
        }
        f.noteDenormals(seX, sigX, seY, sigY);
        if (f.stopped()) {
            return;
        }
        if (Float80.isZero(seX, sigX) || Float80.isZero(seY, sigY)) {
            f.setZero(signX ^ signY);
            return;
        }
        int e = Float80.exponentOf(seX, sigX);
        long m = Float80.significandOf(sigX);
        if (e >= -2) {
            onePlus(signX, e, m, signY, seY, sigY);
            return;
        }
        // s = x / (2 + x), with 2 + x as a fraction of 4.
        t.set(m, 0);
        t.exp = e + 1;
        t.toFraction(2);
        if (signX != 0) {
            t.subtractFrom(1L << 63, 0);
        } else {
            t.add(1L << 63, 0);
        }
        t.normalize();
        w.set(m, 0);
        w.exp = e + 1;
        w.divideFloat(t.high, t.low, t.exp);
        seriesOfQuotient();
        w.multiplyFloat(Float80.significandOf(sigY), 0, Float80.exponentOf(seY, sigY) + 1);
        deliver(signX ^ signY, false);
    }

    /** FYL2XP1 for arguments of 1/4 and more, where the sum with 1 loses nothing. */
    private void onePlus(int signX, int e, long m, int signY, int seY, long sigY) {
        if (signX != 0 && e >= 0) {
            // The logarithm of zero or less, which is undefined here: Intel's CPUs answer x.
            f.set(Float80.SIGN_MASK | e + Float80.BIAS, m);
            f.flags |= FpEnv.PE;
            return;
        }
        t.set(m, 0);
        int exp = e;
        if (signX != 0) {
            // x = -m * 2^(e - 63), e is -1 or -2.
            t.exp = e + 1;
            t.toFraction(0);
            t.subtractFrom(0, 0);
            t.exp = 0;
            t.normalize();
            exp = t.exp - 1;
        } else if (e < 0) {
            t.exp = e;
            t.toFraction(0);
            t.add(1L << 63, 0);
            exp = 0;
        } else {
            // m * 2^e + 1, as a fraction of 2^(e + 2).
            t.exp = -1;
            t.toFraction(0);
            if (e < 64) {
                long h = e < 63 ? 1L << 62 - e : 0;
                t.add(h, e == 63 ? 1L << 63 : 0);
            }
            t.exp = e + 2;
            t.normalize();
            exp = t.exp - 1;
        }
        log2(exp);
        w.multiplyFloat(Float80.significandOf(sigY), 0, Float80.exponentOf(seY, sigY) + 1);
        deliver(signY ^ negative, false);
    }
}
