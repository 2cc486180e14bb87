package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.fpu.FpEnv;
import org.softkvm.emulator.fpu.SoftDouble;
import org.softkvm.emulator.fpu.SoftFloat;

/** Conversions of SSE and SSE2 (Intel SDM volume 2, CVT...). */
public final class Conversions {
    private static final long LOW = 0xFFFFFFFFL;

    private Conversions() {}

    private static boolean wide(Insn i) {
        return i.opSize == 8;
    }

    /** CVTSI2SD. */
    public static void cvtsi2sd(Cpu c, Insn i) {
        Simd.check(c, i);
        long value = c.getRm(i, wide(i) ? 8 : 4);
        FpEnv env = Arithmetic.begin(c);
        long r = wide(i) ? SoftDouble.fromInt64(env, value) : SoftDouble.fromInt32((int) value);
        Arithmetic.end(c, env);
        c.v[4 * i.reg] = r;
    }

    /** CVTSI2SS. */
    public static void cvtsi2ss(Cpu c, Insn i) {
        Simd.check(c, i);
        long value = c.getRm(i, wide(i) ? 8 : 4);
        FpEnv env = Arithmetic.begin(c);
        int r = wide(i) ? SoftFloat.fromInt64(env, value) : SoftFloat.fromInt32(env, (int) value);
        Arithmetic.end(c, env);
        Arithmetic.setSingle(c, i, r);
    }

    private static void doubleToInteger(Cpu c, Insn i, boolean truncate) {
        long a = Simd.source64(c, i);
        FpEnv env = Arithmetic.begin(c);
        long r = wide(i) ? SoftDouble.toInt64(env, a, truncate) : SoftDouble.toInt32(env, a, truncate) & LOW;
        Arithmetic.end(c, env);
        c.r[i.reg] = r;
    }

    /** CVTSD2SI. */
    public static void cvtsd2si(Cpu c, Insn i) {
        doubleToInteger(c, i, false);
    }

    /** CVTTSD2SI. */
    public static void cvttsd2si(Cpu c, Insn i) {
        doubleToInteger(c, i, true);
    }

    private static void singleToInteger(Cpu c, Insn i, boolean truncate) {
        int a = Simd.source32(c, i);
        FpEnv env = Arithmetic.begin(c);
        long r = wide(i) ? SoftFloat.toInt64(env, a, truncate) : SoftFloat.toInt32(env, a, truncate) & LOW;
        Arithmetic.end(c, env);
        c.r[i.reg] = r;
    }

    /** CVTSS2SI. */
    public static void cvtss2si(Cpu c, Insn i) {
        singleToInteger(c, i, false);
    }

    /** CVTTSS2SI. */
    public static void cvttss2si(Cpu c, Insn i) {
        singleToInteger(c, i, true);
    }

    /** CVTSS2SD. */
    public static void cvtss2sd(Cpu c, Insn i) {
        int a = Simd.source32(c, i);
        FpEnv env = Arithmetic.begin(c);
        long r = SoftFloat.toDouble(env, a);
        Arithmetic.end(c, env);
        c.v[4 * i.reg] = r;
    }

    /** CVTSD2SS. */
    public static void cvtsd2ss(Cpu c, Insn i) {
        long a = Simd.source64(c, i);
        FpEnv env = Arithmetic.begin(c);
        int r = SoftDouble.toFloat(env, a);
        Arithmetic.end(c, env);
        Arithmetic.setSingle(c, i, r);
    }

    /** CVTPS2PD. */
    public static void cvtps2pd(Cpu c, Insn i) {
        long a = Simd.source64(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = SoftFloat.toDouble(env, (int) a);
        long high = SoftFloat.toDouble(env, (int) (a >>> 32));
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    /** CVTPD2PS. */
    public static void cvtpd2ps(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = SoftDouble.toFloat(env, c.t0) & LOW;
        low |= (long) SoftDouble.toFloat(env, c.t1) << 32;
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, 0);
    }

    /** CVTDQ2PD. */
    public static void cvtdq2pd(Cpu c, Insn i) {
        long a = Simd.source64(c, i);
        Shuffles.set(c, i.reg, SoftDouble.fromInt32((int) a), SoftDouble.fromInt32((int) (a >>> 32)));
    }

    private static long integersToSingles(FpEnv env, long a) {
        long low = SoftFloat.fromInt32(env, (int) a) & LOW;
        return low | (long) SoftFloat.fromInt32(env, (int) (a >>> 32)) << 32;
    }

    /** CVTDQ2PS. */
    public static void cvtdq2ps(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = integersToSingles(env, c.t0);
        long high = integersToSingles(env, c.t1);
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    private static long singlesToIntegers(FpEnv env, long a, boolean truncate) {
        long low = SoftFloat.toInt32(env, (int) a, truncate) & LOW;
        return low | (long) SoftFloat.toInt32(env, (int) (a >>> 32), truncate) << 32;
    }

    private static void packedSingles(Cpu c, Insn i, boolean truncate) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = singlesToIntegers(env, c.t0, truncate);
        long high = singlesToIntegers(env, c.t1, truncate);
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    /** CVTPS2DQ. */
    public static void cvtps2dq(Cpu c, Insn i) {
        packedSingles(c, i, false);
    }

    /** CVTTPS2DQ. */
    public static void cvttps2dq(Cpu c, Insn i) {
        packedSingles(c, i, true);
    }

    private static void packedDoubles(Cpu c, Insn i, boolean truncate) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = SoftDouble.toInt32(env, c.t0, truncate) & LOW;
        low |= (long) SoftDouble.toInt32(env, c.t1, truncate) << 32;
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, 0);
    }

    /** CVTPD2DQ. */
    public static void cvtpd2dq(Cpu c, Insn i) {
        packedDoubles(c, i, false);
    }

    /** CVTTPD2DQ. */
    public static void cvttpd2dq(Cpu c, Insn i) {
        packedDoubles(c, i, true);
    }
}
