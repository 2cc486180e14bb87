package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/**
 * RCPPS, RCPSS, RSQRTPS, RSQRTSS (Intel SDM volume 2). The architecture bounds the relative error by 1.5 * 2^-12 and
 * leaves the value open; here it is the exact one rounded to 12 bits of fraction, the same on every host. Denormals count
 * as zeros, results too small for a normal number become zero, MXCSR has no part in it.
 */
public final class Approximations {
    private static final long LOW = 0xFFFFFFFFL;
    private static final int INFINITY = 0x7F800000;
    private static final int QUIET = 0x00400000;
    private static final int DEFAULT_NAN = 0xFFC00000;
    /** Bits of the fraction that are dropped. */
    private static final int DROPPED = 0x7FF;

    private Approximations() {}

    private static int cut(double value) {
        int bits = Float.floatToRawIntBits((float) value) + (DROPPED + 1) / 2 & ~DROPPED;
        return (bits & INFINITY) == 0 ? bits & Integer.MIN_VALUE : bits;
    }

    /** The reciprocal of a single. */
    static int reciprocal(int a) {
        int sign = a & Integer.MIN_VALUE;
        int magnitude = a & Integer.MAX_VALUE;
        if (magnitude > INFINITY) {
            return a | QUIET;
        }
        if ((a & INFINITY) == 0) {
            return sign | INFINITY;
        }
        return magnitude == INFINITY ? sign : cut(1 / (double) Float.intBitsToFloat(a));
    }

    /** The reciprocal of a single's square root. */
    static int reciprocalRoot(int a) {
        int sign = a & Integer.MIN_VALUE;
        int magnitude = a & Integer.MAX_VALUE;
        if (magnitude > INFINITY) {
            return a | QUIET;
        }
        if ((a & INFINITY) == 0) {
            return sign | INFINITY;
        }
        if (sign != 0) {
            return DEFAULT_NAN;
        }
        return magnitude == INFINITY ? 0 : cut(1 / Math.sqrt(Float.intBitsToFloat(a)));
    }

    private static long reciprocals(long a) {
        return reciprocal((int) a) & LOW | (long) reciprocal((int) (a >>> 32)) << 32;
    }

    private static long reciprocalRoots(long a) {
        return reciprocalRoot((int) a) & LOW | (long) reciprocalRoot((int) (a >>> 32)) << 32;
    }

    /** RCPPS. */
    public static void rcpps(Cpu c, Insn i) {
        Simd.source(c, i);
        Shuffles.set(c, i.reg, reciprocals(c.t0), reciprocals(c.t1));
    }

    /** RCPSS. */
    public static void rcpss(Cpu c, Insn i) {
        Arithmetic.setSingle(c, i, reciprocal(Simd.source32(c, i)));
    }

    /** RSQRTPS. */
    public static void rsqrtps(Cpu c, Insn i) {
        Simd.source(c, i);
        Shuffles.set(c, i.reg, reciprocalRoots(c.t0), reciprocalRoots(c.t1));
    }

    /** RSQRTSS. */
    public static void rsqrtss(Cpu c, Insn i) {
        Arithmetic.setSingle(c, i, reciprocalRoot(Simd.source32(c, i)));
    }
}
