package org.softkvm.emulator.fpu;

/**
 * A register of 128 bits for transcendental functions: either a fraction {@code high:low / 2^128}, or, with
 * {@link #exp}, a floating-point number {@code (high:low / 2^128) * 2^exp} whose highest bit is set.
 */
final class Wide {
    long high;
    long low;
    int exp;

    private final FpCore core;
    private long restHigh;
    private long restLow;

    Wide(FpCore core) {
        this.core = core;
    }

    void set(long h, long l) {
        high = h;
        low = l;
    }

    void set(Wide w) {
        high = w.high;
        low = w.low;
        exp = w.exp;
    }

    /** Multiplies fractions, truncating. */
    void multiply(long bh, long bl) {
        long ah = high;
        long al = low;
        long m1 = ah * bl;
        long m2 = al * bh;
        long mid = Math.unsignedMultiplyHigh(al, bl);
        long carry = 0;
        mid += m1;
        if (Long.compareUnsigned(mid, m1) < 0) {
            carry++;
        }
        mid += m2;
        if (Long.compareUnsigned(mid, m2) < 0) {
            carry++;
        }
        long l = ah * bh;
        long h = Math.unsignedMultiplyHigh(ah, bh);
        long a = Math.unsignedMultiplyHigh(ah, bl);
        l += a;
        if (Long.compareUnsigned(l, a) < 0) {
            h++;
        }
        a = Math.unsignedMultiplyHigh(al, bh);
        l += a;
        if (Long.compareUnsigned(l, a) < 0) {
            h++;
        }
        l += carry;
        if (Long.compareUnsigned(l, carry) < 0) {
            h++;
        }
        high = h;
        low = l;
    }

    /** Multiplies by a floating-point number and normalizes. */
    void multiplyFloat(long bh, long bl, int bexp) {
        multiply(bh, bl);
        exp += bexp;
        if (high >= 0) {
            high = high << 1 | low >>> 63;
            low <<= 1;
            exp--;
        }
    }

    /** Divides by a floating-point number (both have their highest bit set). */
    void divideFloat(long dh, long dl, int dexp) {
        exp -= dexp;
        int c = Long.compareUnsigned(high, dh);
        if (c > 0 || c == 0 && Long.compareUnsigned(low, dl) >= 0) {
            low = low >>> 1 | high << 63;
            high >>>= 1;
            exp++;
        }
        long q1 = digit(high, low, dh, dl);
        long q0 = digit(restHigh, restLow, dh, dl);
        high = q1;
        low = q0;
        normalize();
    }

    /** The next 64 bits of a quotient, as in Knuth volume 2, 4.3.1, algorithm D. */
    private long digit(long nh, long nl, long dh, long dl) {
        long q;
        long r;
        boolean big = false;
        if (nh == dh) {
            q = -1;
            r = nl + dh;
            big = Long.compareUnsigned(r, dh) < 0;
        } else {
            q = core.divide128(nh, nl, dh);
            r = core.remainder;
        }
        long ph = Math.unsignedMultiplyHigh(q, dl);
        long pl = q * dl;
        while (!big && (Long.compareUnsigned(ph, r) > 0 || ph == r && pl != 0)) {
            q--;
            ph -= Long.compareUnsigned(pl, dl) < 0 ? 1 : 0;
            pl -= dl;
            r += dh;
            big = Long.compareUnsigned(r, dh) < 0;
        }
        restLow = -pl;
        restHigh = r - ph - (pl != 0 ? 1 : 0);
        return q;
    }

    /** Shifts left until the highest bit is set; the value must not be 0. */
    void normalize() {
        if (high == 0) {
            high = low;
            low = 0;
            exp -= 64;
        }
        int n = Long.numberOfLeadingZeros(high);
        if (n != 0) {
            high = high << n | low >>> 64 - n;
            low <<= n;
            exp -= n;
        }
    }

    /** Turns a floating-point number below 1 into a fraction with {@code guard} more bits before it. */
    void toFraction(int guard) {
        shiftRight(guard - exp);
        exp = guard;
    }

    private void shiftRight(int n) {
        if (n >= 128) {
            high = 0;
            low = 0;
        } else if (n >= 64) {
            low = high >>> n - 64;
            high = 0;
        } else if (n > 0) {
            low = low >>> n | high << 64 - n;
            high >>>= n;
        }
    }

    void add(long bh, long bl) {
        low += bl;
        high += bh + (Long.compareUnsigned(low, bl) < 0 ? 1 : 0);
    }

    void subtract(long bh, long bl) {
        long borrow = Long.compareUnsigned(low, bl) < 0 ? 1 : 0;
        low -= bl;
        high -= bh + borrow;
    }

    /** b - this. */
    void subtractFrom(long bh, long bl) {
        long borrow = Long.compareUnsigned(bl, low) < 0 ? 1 : 0;
        low = bl - low;
        high = bh - high - borrow;
    }

    boolean isZero() {
        return (high | low) == 0;
    }

    /**
     * Evaluates a polynomial in the fraction z by Horner's rule.
     *
     * @param c coefficients as pairs of longs, the lowest power first
     * @param subtract whether the signs alternate
     */
    void polynomial(long[] c, long zh, long zl, boolean subtract) {
        int i = c.length - 2;
        set(c[i], c[i + 1]);
        for (i -= 2; i >= 0; i -= 2) {
            multiply(zh, zl);
            if (subtract) {
                subtractFrom(c[i], c[i + 1]);
            } else {
                add(c[i], c[i + 1]);
            }
        }
    }
}
