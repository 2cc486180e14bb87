package org.softkvm.emulator.fpu;

/**
 * FSIN, FCOS, FSINCOS, FPTAN.
 *
 * <p>The argument is reduced exactly by the value that Intel's CPUs have for pi, of 66 bits (SDM volume 1, section
 * 8.3.8); what remains goes through Taylor series in 128-bit fixed point. Results are within 0.51 of the last place.
 */
final class Float80Trig {
    /** pi / 2 is this number (3:243F...) times 2^-65. */
    private static final long PI_HIGH = 3;

    private static final long PI_LOW = 0x243F_6A88_85A3_08D3L;

    private final Float80 f;
    private final Wide w;
    private final Wide cosine;

    /** The reduced argument, at most pi / 4, and its sign. */
    private final Wide r;

    private int negative;
    private int quadrant;
    private long zHigh;
    private long zLow;

    /** C2: the argument is 2^63 or more; nothing was computed. */
    boolean outOfRange;

    /** Second result of {@link #sineCosine}: sign and exponent of the cosine. */
    int secondSignExp;

    /** Second result of {@link #sineCosine}: significand of the cosine. */
    long secondSig;

    Float80Trig(Float80 f) {
        this.f = f;
        w = new Wide(f.core);
        cosine = new Wide(f.core);
        r = new Wide(f.core);
    }

    /** Handles what is not a finite number within range; true if there is nothing left to compute. */
    private boolean special(int se, long sig) {
        outOfRange = false;
        if (f.nan1(se, sig)) {
            return true;
        }
        if (Float80.isInfinite(se, sig)) {
            f.invalid();
            return true;
        }
        if ((se & Float80.EXP_MASK) >= Float80.BIAS + 63) {
            outOfRange = true;
            return true;
        }
        f.noteDenormal(se, sig);
        return f.stopped();
    }

    /**
     * Below 2^-68 a sine or tangent is its argument, and a cosine 1, whatever the rounding mode, as Intel's CPUs have
     * it.
     */
    private static boolean isTiny(int se) {
        return (se & Float80.EXP_MASK) < Float80.BIAS - 68;
    }

    private void deliverTiny(int se, long sig) {
        f.round(se, sig, 64);
        f.flags |= sig > 0 && (se & Float80.EXP_MASK) == 0 ? FpEnv.PE | FpEnv.UE : FpEnv.PE;
    }

    /** FSIN. */
    void sine(int se, long sig) {
        if (special(se, sig)) {
            return;
        }
        if (sig == 0) {
            f.set(se, sig);
            return;
        }
        if (isTiny(se)) {
            deliverTiny(se, sig);
            return;
        }
        reduce(se, sig);
        computeSine();
    }

    /** FCOS. */
    void cosine(int se, long sig) {
        if (special(se, sig)) {
            return;
        }
        if (isTiny(se)) {
            f.set(Float80.BIAS, Float80.INTEGER_BIT);
            f.flags |= sig != 0 ? FpEnv.PE : 0;
            return;
        }
        reduce(se & Float80.EXP_MASK, sig);
        quadrant++;
        computeSine();
    }

    /** FSINCOS: the sine as the result, the cosine as the second one. */
    void sineCosine(int se, long sig) {
        cosine(se, sig);
        if (outOfRange || f.stopped()) {
            return;
        }
        secondSignExp = f.signExp;
        secondSig = f.sig;
        boolean up = f.roundedUp;
        f.roundedUp = false;
        sine(se, sig);
        f.roundedUp = up;
    }

    /** FPTAN. */
    void tangent(int se, long sig) {
        if (special(se, sig)) {
            return;
        }
        if (sig == 0) {
            f.set(se, sig);
            return;
        }
        if (isTiny(se)) {
            deliverTiny(se, sig);
            return;
        }
        reduce(se, sig);
        if (r.exp < -60) {
            tangentOfSmallRest();
            return;
        }
        sineOfRest();
        cosineOfRest(cosine);
        if ((quadrant & 1) == 0) {
            w.divideFloat(cosine.high, cosine.low, cosine.exp);
            deliver(negative);
        } else {
            cosine.divideFloat(w.high, w.low, w.exp);
            w.set(cosine);
            deliver(negative ^ 1);
        }
    }

    /** Where r^2 is lost in 128 bits: tan r = r + r^3 / 3 + ..., and 1 / tan r = 1 / r - r / 3 - ... */
    private void tangentOfSmallRest() {
        if ((quadrant & 1) == 0) {
            w.set(r);
            deliver(negative);
            return;
        }
        w.set(Long.MIN_VALUE, 0);
        w.exp = 1;
        w.divideFloat(r.high, r.low, r.exp);
        w.subtract(0, 1);
        w.normalize();
        deliver(negative ^ 1);
    }

    /** The sine of quadrant * pi / 2 + r. */
    private void computeSine() {
        int sign = quadrant >> 1 & 1;
        if ((quadrant & 1) == 0) {
            sineOfRest();
            sign ^= negative;
        } else {
            cosineOfRest(w);
        }
        deliver(sign);
    }

    private void deliver(int sign) {
        FpCore core = f.core;
        core.sign = sign;
        core.exp = w.exp - 1;
        core.sig = w.high;
        // No result of these functions is exact.
        core.extra = w.low | 1;
        f.round(64);
    }

    /** Finds quadrant and rest. */
    private void reduce(int se, long sig) {
        negative = Float80.signOf(se);
        quadrant = 0;
        int e = Float80.exponentOf(se, sig);
        long x = Float80.significandOf(sig);
        if (e < -1 || e == -1 && Long.compareUnsigned(x, PI_HIGH << 62 | PI_LOW >>> 2) <= 0) {
            r.set(x, 0);
            r.exp = e + 1;
        } else {
            // x * 2^(e + 2) modulo pi / 2, both in units of 2^-65.
            long h = 0;
            long l = x;
            int q = 0;
            for (int i = e + 2; i > 0; i--) {
                h = h << 1 | l >>> 63;
                l <<= 1;
                q <<= 1;
                if (h > PI_HIGH || h == PI_HIGH && Long.compareUnsigned(l, PI_LOW) >= 0) {
                    h -= PI_HIGH + (Long.compareUnsigned(l, PI_LOW) < 0 ? 1 : 0);
                    l -= PI_LOW;
                    q |= 1;
                }
            }
            long h2 = h << 1 | l >>> 63;
            if (h2 > PI_HIGH || h2 == PI_HIGH && Long.compareUnsigned(l << 1, PI_LOW) > 0) {
                h = PI_HIGH - h - (Long.compareUnsigned(PI_LOW, l) < 0 ? 1 : 0);
                l = PI_LOW - l;
                q++;
                quadrant = negative == 0 ? q : -q;
                negative ^= 1;
            } else {
                quadrant = negative == 0 ? q : -q;
            }
            r.set(h, l);
            r.exp = 63;
            r.normalize();
        }
        w.set(r);
        w.toFraction(0);
        w.multiply(w.high, w.low);
        zHigh = w.high;
        zLow = w.low;
    }

    /** The magnitude of sin r, into {@link #w}: r * (1 - z / 3! + z^2 / 5! - ...). */
    private void sineOfRest() {
        oneMinus(w, TranscendentalTables.SINE);
        w.multiplyFloat(r.high, r.low, r.exp);
    }

    /** cos r: 1 - z / 2! + z^2 / 4! - ... */
    private void cosineOfRest(Wide to) {
        oneMinus(to, TranscendentalTables.COSINE);
    }

    private void oneMinus(Wide to, long[] series) {
        to.polynomial(series, zHigh, zLow, true);
        to.multiply(zHigh, zLow);
        if (to.isZero()) {
            // Not 1, but next to it: directed rounding has to see that.
            to.low = 1;
        }
        to.subtractFrom(0, 0);
        to.exp = 0;
        to.normalize();
    }
}
