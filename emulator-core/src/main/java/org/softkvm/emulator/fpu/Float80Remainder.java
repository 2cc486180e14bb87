package org.softkvm.emulator.fpu;

/** FPREM, FPREM1, FSCALE and FXTRACT. */
final class Float80Remainder {
    private final Float80 f;
    private final FpCore core;

    /** C2: the remainder is a partial one; do it again. */
    boolean incomplete;

    /** The lowest three bits of the quotient, or -1 where none was computed. */
    int quotient;

    /** Second result of {@link #extract}: sign and exponent. */
    int exponentSignExp;

    /** Second result of {@link #extract}: significand. */
    long exponentSig;

    Float80Remainder(Float80 f) {
        this.f = f;
        this.core = f.core;
    }

    /**
     * Divides step by step.
     *
     * @param nearest whether the quotient is rounded to nearest (FPREM1) and not towards zero (FPREM)
     */
    void remainder(int seA, long sigA, int seB, long sigB, boolean nearest) {
        incomplete = false;
        quotient = -1;
        if (f.nan2(seA, sigA, seB, sigB)) {
            return;
        }
        if (Float80.isInfinite(seA, sigA) || Float80.isZero(seB, sigB)) {
            f.invalid();
            return;
        }
        f.noteDenormals(seA, sigA, seB, sigB);
        if (f.stopped()) {
            return;
        }
        quotient = 0;
        if (Float80.isZero(seA, sigA)) {
            f.set(seA, sigA);
            return;
        }
        if (Float80.isInfinite(seB, sigB)) {
            setUnchanged(seA, sigA);
            return;
        }
        int sign = Float80.signOf(seA);
        int expA = Float80.exponentOf(seA, sigA);
        int expB = Float80.exponentOf(seB, sigB);
        long a = Float80.significandOf(sigA);
        long b = Float80.significandOf(sigB);
        int d = expA - expB;
        if (d < -1 || d == -1 && !nearest) {
            f.round(seA, sigA, 64);
            return;
        }
        if (d >= 64) {
            // A partial step takes 32 to 63 bits off the difference of the exponents, as Intel's CPUs do.
            incomplete = true;
            int n = d & 31 | 32;
            reduce(a, b, n);
            finish(sign, expB + d - n, rest);
            return;
        }
        if (d < 0) {
            // b/4 < a < b: the quotient is 0 or 1.
            if (Long.compareUnsigned(a, b) > 0) {
                // 2a > b: the quotient is 1 and the remainder a - b, of the other sign.
                quotient = 1;
                core.add(sign, expA, a, sign ^ 1, expB, b);
                f.round(64);
                return;
            }
            finish(sign, expA, a);
            return;
        }
        reduce(a, b, d);
        long r = rest;
        if (nearest && r != 0) {
            int c = r < 0 ? 1 : Long.compareUnsigned(r << 1, b);
            if (c > 0 || c == 0 && (quotient & 1) != 0) {
                quotient = quotient + 1 & 7;
                r = b - r;
                sign ^= 1;
            }
        }
        finish(sign, expB, r);
    }

    /** The operand as the result, without underflow; a pseudo-denormal gets its proper exponent. */
    private void setUnchanged(int se, long sig) {
        f.set(sig < 0 && (se & Float80.EXP_MASK) == 0 ? se | 1 : se, sig);
    }

    private long rest;

    /** Divides {@code a * 2^n} by {@code b}, 0 <= n <= 63, both with bit 63 set: {@link #rest} and the quotient. */
    private void reduce(long a, long b, int n) {
        int q = 0;
        long r = a;
        if (Long.compareUnsigned(r, b) >= 0) {
            r -= b;
            q = 1;
        }
        if (n != 0) {
            long low = core.divide128(r >>> 64 - n, r << n, b);
            rest = core.remainder;
            q = n < 3 ? q << n | (int) low : (int) low;
        } else {
            rest = r;
        }
        quotient = q & 7;
    }

    private void finish(int sign, int exp, long r) {
        if (r == 0) {
            f.setZero(sign);
            return;
        }
        int n = Long.numberOfLeadingZeros(r);
        core.sign = sign;
        core.exp = exp - n;
        core.sig = r << n;
        core.extra = 0;
        f.round(64);
    }

    /** FSCALE: a * 2^trunc(b). */
    void scale(int seA, long sigA, int seB, long sigB) {
        if (f.nan2(seA, sigA, seB, sigB)) {
            return;
        }
        if (Float80.isInfinite(seB, sigB)) {
            boolean down = Float80.signOf(seB) != 0;
            if (down ? Float80.isInfinite(seA, sigA) : Float80.isZero(seA, sigA)) {
                f.invalid();
                return;
            }
            f.noteDenormal(seA, sigA);
            if (down) {
                f.setZero(Float80.signOf(seA));
            } else {
                f.setInfinity(Float80.signOf(seA));
            }
            return;
        }
        f.noteDenormals(seA, sigA, seB, sigB);
        if (f.stopped()) {
            return;
        }
        if (Float80.isInfinite(seA, sigA) || sigA == 0 || Float80.isZero(seB, sigB)) {
            setUnchanged(seA, sigA);
            return;
        }
        int e = (seB & Float80.EXP_MASK) - Float80.BIAS;
        // 2^17 is beyond anything that fits, bias adjustment included.
        int n = e < 0 ? 0 : e > 16 ? 1 << 17 : (int) (sigB >>> 63 - e);
        core.sign = Float80.signOf(seA);
        core.exp = Float80.exponentOf(seA, sigA) + (Float80.signOf(seB) != 0 ? -n : n);
        core.sig = Float80.significandOf(sigA);
        core.extra = 0;
        f.round(64);
    }

    /** FXTRACT: the significand as the result, the exponent as the second one. */
    void extract(int se, long sig) {
        if (f.nan1(se, sig)) {
            exponentSignExp = f.signExp;
            exponentSig = f.sig;
            return;
        }
        if (Float80.isInfinite(se, sig)) {
            exponentSignExp = Float80.EXP_MASK;
            exponentSig = sig;
            f.set(se, sig);
            return;
        }
        if (sig == 0) {
            f.flags |= FpEnv.ZE;
            exponentSignExp = Float80.SIGN_MASK | Float80.EXP_MASK;
            exponentSig = Float80.INTEGER_BIT;
            f.set(se, sig);
            return;
        }
        f.noteDenormal(se, sig);
        int e = Float80.exponentOf(se, sig);
        exponentSignExp = 0;
        exponentSig = 0;
        if (e != 0) {
            int m = Math.abs(e);
            int n = Integer.numberOfLeadingZeros(m);
            exponentSignExp = (e < 0 ? Float80.SIGN_MASK : 0) | Float80.BIAS + 31 - n;
            exponentSig = (long) m << n + 32;
        }
        f.set(se & Float80.SIGN_MASK | Float80.BIAS, Float80.significandOf(sig));
    }
}
