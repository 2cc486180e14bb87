package org.softkvm.emulator.fpu;

/** FPATAN: a table of 33 arc tangents and a series in 128-bit fixed point; results within 0.51 of the last place. */
final class Float80Atan {
    private final Float80 f;
    private final FpCore core;
    private final Wide w;
    private final Wide t;

    Float80Atan(Float80 f) {
        this.f = f;
        this.core = f.core;
        w = new Wide(core);
        t = new Wide(core);
    }

    /** The angle of the point (x, y). */
    void arcTangent(int seY, long sigY, int seX, long sigX) {
        if (f.nan2(seY, sigY, seX, sigX)) {
            return;
        }
        int signY = Float80.signOf(seY);
        boolean left = Float80.signOf(seX) != 0;
        boolean infX = Float80.isInfinite(seX, sigX);
        boolean infY = Float80.isInfinite(seY, sigY);
        f.noteDenormals(seX, sigX, seY, sigY);
        if (f.stopped()) {
            return;
        }
        if (infY) {
            // pi/2, pi/4 or 3 pi/4.
            multipleOfPi(signY, infX ? left ? 3 : 1 : 2);
            return;
        }
        boolean zeroX = Float80.isZero(seX, sigX);
        boolean zeroY = Float80.isZero(seY, sigY);
        if (zeroY || infX) {
            if (left) {
                multipleOfPi(signY, 4);
            } else {
                f.setZero(signY);
            }
            return;
        }
        if (zeroX) {
            multipleOfPi(signY, 2);
            return;
        }
        compute(signY, left, seY, sigY, seX, sigX);
    }

    private void multipleOfPi(int sign, int quarters) {
        w.set(TranscendentalTables.PI_4TH[0], TranscendentalTables.PI_4TH[1]);
        w.exp = quarters == 1 ? 0 : quarters == 4 ? 2 : 1;
        if (quarters == 3) {
            w.exp = 0;
            w.toFraction(2);
            t.set(w);
            w.add(t.high, t.low);
            w.add(t.high, t.low);
            w.normalize();
        }
        deliver(sign);
    }

    private void deliver(int sign) {
        core.sign = sign;
        core.exp = w.exp - 1;
        core.sig = w.high;
        core.extra = w.low | 1;
        f.round(64);
    }

    private void compute(int sign, boolean left, int seY, long sigY, int seX, long sigX) {
        int eMin = Float80.exponentOf(seY, sigY);
        int eMax = Float80.exponentOf(seX, sigX);
        long min = Float80.significandOf(sigY);
        long max = Float80.significandOf(sigX);
        boolean steep = eMin > eMax || eMin == eMax && Long.compareUnsigned(min, max) > 0;
        if (steep) {
            int e = eMin;
            eMin = eMax;
            eMax = e;
            long m = min;
            min = max;
            max = m;
        }
        int d = eMax - eMin;
        if (d >= 7) {
            // The quotient is small enough for the series.
            w.set(min, 0);
            w.exp = -d;
            w.divideFloat(max, 0, 0);
            series();
            if (!steep && !left) {
                deliver(sign);
                return;
            }
            w.toFraction(2);
        } else {
            tableAndSeries(min, max, d);
        }
        // The angle is now in units of 2^-126.
        long piHigh = TranscendentalTables.PI_4TH[0];
        long piLow = TranscendentalTables.PI_4TH[1];
        if (w.isZero()) {
            w.low = 1;
        }
        if (steep) {
            // pi / 2 - angle, or pi / 2 + angle on the left.
            long h = piHigh >>> 1;
            long l = piLow >>> 1 | piHigh << 63;
            if (left) {
                w.add(h, l);
            } else {
                w.subtractFrom(h, l);
            }
        } else if (left) {
            w.subtractFrom(piHigh, piLow);
        }
        w.exp = 2;
        w.normalize();
        deliver(sign);
    }

    /** atan(w) = w (1 - z / 3 + z^2 / 5 - ...), z = w^2 < 2^-11, into {@link #w}. */
    private void series() {
        t.set(w);
        t.toFraction(0);
        t.multiply(t.high, t.low);
        long zh = t.high;
        long zl = t.low;
        t.polynomial(TranscendentalTables.ARC_TANGENT, zh, zl, true);
        t.multiply(zh, zl);
        if (t.isZero()) {
            t.low = 1;
        }
        t.subtractFrom(0, 0);
        t.exp = 0;
        t.normalize();
        w.multiplyFloat(t.high, t.low, t.exp);
    }

    /**
     * atan(q) = atan(k/32) + atan((q - k/32) / (1 + q k/32)) for q = min / (max * 2^d), as a fraction of 4, into
     * {@link #w}.
     */
    private void tableAndSeries(long min, long max, int d) {
        double q = toDouble(min) / toDouble(max) / (1 << d);
        int k = (int) Math.rint(q * 32);
        // (32 min - k max) / (32 max + k min), exactly: max takes up to 70 bits.
        long maxHigh = d == 0 ? 0 : max >>> 64 - d;
        long maxLow = max << d;
        t.set(min >>> 59, min << 5);
        long kh = maxHigh * k + Math.unsignedMultiplyHigh(maxLow, k);
        long kl = maxLow * k;
        t.subtract(kh, kl);
        boolean negative = t.high < 0;
        if (negative) {
            t.subtractFrom(0, 0);
        }
        long[] table = TranscendentalTables.ARC_TANGENT_OF_32NDS;
        if (t.isZero()) {
            w.set(table[2 * k], table[2 * k + 1]);
            w.exp = 0;
            w.toFraction(2);
            return;
        }
        w.set(t);
        w.exp = 0;
        w.normalize();
        t.set(maxHigh << 5 | maxLow >>> 59, maxLow << 5);
        t.add(Math.unsignedMultiplyHigh(min, k), min * k);
        t.exp = 0;
        t.normalize();
        w.divideFloat(t.high, t.low, t.exp);
        series();
        w.toFraction(2);
        long th = table[2 * k] >>> 2;
        long tl = table[2 * k] << 62 | table[2 * k + 1] >>> 2;
        if (negative) {
            w.subtractFrom(th, tl);
        } else {
            w.add(th, tl);
        }
    }

    private static double toDouble(long significand) {
        return (significand >>> 1) * 0x1p-62;
    }
}
