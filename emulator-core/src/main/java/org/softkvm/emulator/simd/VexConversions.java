package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.fpu.FpEnv;
import org.softkvm.emulator.fpu.SoftDouble;
import org.softkvm.emulator.fpu.SoftFloat;
import org.softkvm.emulator.fpu.SoftHalf;

/** Conversions of AVX whose source or destination has half the length, and those of F16C (Intel SDM volume 2). */
public final class VexConversions {
    private static final long LOW = 0xFFFFFFFFL;

    private VexConversions() {}

    /** VCVTPS2PD of 256 bits. */
    public static void cvtps2pd(Cpu c, Insn i) {
        Vex.source128(c, i);
        FpEnv env = Arithmetic.begin(c);
        long r0 = SoftFloat.toDouble(env, (int) c.t0);
        long r1 = SoftFloat.toDouble(env, (int) (c.t0 >>> 32));
        long r2 = SoftFloat.toDouble(env, (int) c.t1);
        long r3 = SoftFloat.toDouble(env, (int) (c.t1 >>> 32));
        Arithmetic.end(c, env);
        Vex.set256(c, i.reg, r0, r1, r2, r3);
    }

    /** VCVTPD2PS of 256 bits. */
    public static void cvtpd2ps(Cpu c, Insn i) {
        Vex.source256(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = SoftDouble.toFloat(env, c.t0) & LOW;
        low |= (long) SoftDouble.toFloat(env, c.t1) << 32;
        long high = SoftDouble.toFloat(env, c.t2) & LOW;
        high |= (long) SoftDouble.toFloat(env, c.t3) << 32;
        Arithmetic.end(c, env);
        Vex.set128(c, i.reg, low, high);
    }

    /** VCVTDQ2PD of 256 bits. */
    public static void cvtdq2pd(Cpu c, Insn i) {
        Vex.source128(c, i);
        Vex.set256(
                c,
                i.reg,
                SoftDouble.fromInt32((int) c.t0),
                SoftDouble.fromInt32((int) (c.t0 >>> 32)),
                SoftDouble.fromInt32((int) c.t1),
                SoftDouble.fromInt32((int) (c.t1 >>> 32)));
    }

    private static void doublesToIntegers(Cpu c, Insn i, boolean truncate) {
        Vex.source256(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = SoftDouble.toInt32(env, c.t0, truncate) & LOW;
        low |= (long) SoftDouble.toInt32(env, c.t1, truncate) << 32;
        long high = SoftDouble.toInt32(env, c.t2, truncate) & LOW;
        high |= (long) SoftDouble.toInt32(env, c.t3, truncate) << 32;
        Arithmetic.end(c, env);
        Vex.set128(c, i.reg, low, high);
    }

    /** VCVTPD2DQ of 256 bits. */
    public static void cvtpd2dq(Cpu c, Insn i) {
        doublesToIntegers(c, i, false);
    }

    /** VCVTTPD2DQ of 256 bits. */
    public static void cvttpd2dq(Cpu c, Insn i) {
        doublesToIntegers(c, i, true);
    }

    // ---------------------------------------------------------------- F16C

    /** Two halves to two singles. */
    private static long toSingles(FpEnv env, int a) {
        long low = SoftHalf.toFloat(env, a & 0xFFFF) & LOW;
        return low | (long) SoftHalf.toFloat(env, a >>> 16) << 32;
    }

    /** VCVTPH2PS. */
    public static void cvtph2ps(Cpu c, Insn i) {
        boolean wide = i.vectorLength == 32;
        if (wide) {
            Vex.source128(c, i);
        } else {
            Vex.check(c);
            c.t0 = i.mem ? c.read64(c.eaRead(i, 8)) : c.v[4 * i.rm];
        }
        FpEnv env = Arithmetic.begin(c);
        long r0 = toSingles(env, (int) c.t0);
        long r1 = toSingles(env, (int) (c.t0 >>> 32));
        long r2 = wide ? toSingles(env, (int) c.t1) : 0;
        long r3 = wide ? toSingles(env, (int) (c.t1 >>> 32)) : 0;
        Arithmetic.end(c, env);
        Vex.set256(c, i.reg, r0, r1, r2, r3);
    }

    /** Two singles to two halves. */
    private static long toHalves(FpEnv env, long a, int rounding) {
        return SoftHalf.fromFloat(env, (int) a, rounding)
                | (long) SoftHalf.fromFloat(env, (int) (a >>> 32), rounding) << 16;
    }

    /** VCVTPS2PH: rounding by the immediate, or by MXCSR with its bit 2. */
    public static void cvtps2ph(Cpu c, Insn i) {
        Vex.check(c);
        boolean wide = i.vectorLength == 32;
        FpEnv env = Arithmetic.begin(c);
        int rounding = (i.imm & 4) != 0 ? env.rounding : (int) i.imm & 3;
        int s = 4 * i.reg;
        long low = toHalves(env, c.v[s], rounding) | toHalves(env, c.v[s + 1], rounding) << 32;
        long high = wide ? toHalves(env, c.v[s + 2], rounding) | toHalves(env, c.v[s + 3], rounding) << 32 : 0;
        if (i.mem) {
            // A store that cannot be made leaves MXCSR alone.
            int size = wide ? 16 : 8;
            long la = c.eaWrite(i, size);
            c.checkWrite(la, size);
            Arithmetic.end(c, env);
            c.write64(la, low);
            if (wide) {
                c.write64(la + 8, high);
            }
        } else {
            Arithmetic.end(c, env);
            Vex.set128(c, i.rm, low, high);
        }
    }
}
