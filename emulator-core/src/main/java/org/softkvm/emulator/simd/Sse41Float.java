package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.fpu.FpEnv;
import org.softkvm.emulator.fpu.SoftDouble;
import org.softkvm.emulator.fpu.SoftFloat;

/** Rounding and dot products of SSE4.1 (Intel SDM volume 2, ROUNDPS and DPPS). */
public final class Sse41Float {
    private static final long LOW = 0xFFFFFFFFL;

    private Sse41Float() {}

    private static int rounding(FpEnv env, Insn i) {
        return (i.imm & 4) != 0 ? env.rounding : (int) i.imm & 3;
    }

    private static boolean suppress(Insn i) {
        return (i.imm & 8) != 0;
    }

    /** ROUNDSD. */
    public static void roundsd(Cpu c, Insn i) {
        long a = Simd.source64(c, i);
        FpEnv env = Arithmetic.begin(c);
        long r = SoftDouble.roundToInt(env, a, rounding(env, i), suppress(i));
        Arithmetic.end(c, env);
        c.v[4 * i.reg] = r;
    }

    /** ROUNDSS. */
    public static void roundss(Cpu c, Insn i) {
        int a = Simd.source32(c, i);
        FpEnv env = Arithmetic.begin(c);
        int r = SoftFloat.roundToInt(env, a, rounding(env, i), suppress(i));
        Arithmetic.end(c, env);
        Arithmetic.setSingle(c, i, r);
    }

    /** ROUNDPD. */
    public static void roundpd(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        int rounding = rounding(env, i);
        long low = SoftDouble.roundToInt(env, c.t0, rounding, suppress(i));
        long high = SoftDouble.roundToInt(env, c.t1, rounding, suppress(i));
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    private static long singles(FpEnv env, Insn i, long a) {
        int rounding = rounding(env, i);
        long low = SoftFloat.roundToInt(env, (int) a, rounding, suppress(i)) & LOW;
        return low | (long) SoftFloat.roundToInt(env, (int) (a >>> 32), rounding, suppress(i)) << 32;
    }

    /** ROUNDPS. */
    public static void roundps(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = singles(env, i, c.t0);
        long high = singles(env, i, c.t1);
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    /** Each step of a dot product is an operation of its own: a fault in one ends the instruction there. */
    private static void step(Cpu c, FpEnv env) {
        if (!env.allMasked() && (env.flags & ~env.masks) != 0) {
            Arithmetic.end(c, env);
        }
    }

    private static int product(FpEnv env, Insn i, int n, long a, long b) {
        return (i.imm >> 4 + n & 1) != 0
                ? SoftFloat.multiply(env, (int) (a >>> 32 * (n & 1)), (int) (b >>> 32 * (n & 1)))
                : 0;
    }

    /** DPPS. */
    public static void dpps(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        int p0 = product(env, i, 0, c.v[4 * i.reg], c.t0);
        int p1 = product(env, i, 1, c.v[4 * i.reg], c.t0);
        int p2 = product(env, i, 2, c.v[4 * i.reg + 1], c.t1);
        int p3 = product(env, i, 3, c.v[4 * i.reg + 1], c.t1);
        step(c, env);
        int low = SoftFloat.add(env, p1, p0);
        int high = SoftFloat.add(env, p3, p2);
        step(c, env);
        long sum0 = SoftFloat.add(env, low, high) & LOW;
        long sum1 = sum0;
        long sum2 = sum0;
        long sum3 = sum0;
        if ((sum0 & 0x7FFFFFFF) > 0x7F800000) {
            // Which of several NaNs comes through depends on the lane: its own half first, its neighbour's lane first.
            sum2 = SoftFloat.add(env, high, low) & LOW;
            low = SoftFloat.add(env, p0, p1);
            high = SoftFloat.add(env, p2, p3);
            sum1 = SoftFloat.add(env, low, high) & LOW;
            sum3 = SoftFloat.add(env, high, low) & LOW;
        }
        Arithmetic.end(c, env);
        int to = (int) i.imm;
        Shuffles.set(
                c,
                i.reg,
                ((to & 1) != 0 ? sum0 : 0) | ((to & 2) != 0 ? sum1 << 32 : 0),
                ((to & 4) != 0 ? sum2 : 0) | ((to & 8) != 0 ? sum3 << 32 : 0));
    }

    /** VDPPS of 256 bits: the halves take each step together. */
    public static void dpps256(Cpu c, Insn i) {
        Vex.source256(c, i);
        FpEnv env = Arithmetic.begin(c);
        int a = 4 * i.vvvv;
        int p0 = product(env, i, 0, c.v[a], c.t0);
        int p1 = product(env, i, 1, c.v[a], c.t0);
        int p2 = product(env, i, 2, c.v[a + 1], c.t1);
        int p3 = product(env, i, 3, c.v[a + 1], c.t1);
        int q0 = product(env, i, 0, c.v[a + 2], c.t2);
        int q1 = product(env, i, 1, c.v[a + 2], c.t2);
        int q2 = product(env, i, 2, c.v[a + 3], c.t3);
        int q3 = product(env, i, 3, c.v[a + 3], c.t3);
        step(c, env);
        int low = SoftFloat.add(env, p1, p0);
        int high = SoftFloat.add(env, p3, p2);
        int low2 = SoftFloat.add(env, q1, q0);
        int high2 = SoftFloat.add(env, q3, q2);
        step(c, env);
        long sum = SoftFloat.add(env, low, high) & LOW;
        long other = sum;
        long crossed = sum;
        long otherCrossed = sum;
        if ((sum & 0x7FFFFFFF) > 0x7F800000) {
            crossed = SoftFloat.add(env, high, low) & LOW;
            low = SoftFloat.add(env, p0, p1);
            high = SoftFloat.add(env, p2, p3);
            other = SoftFloat.add(env, low, high) & LOW;
            otherCrossed = SoftFloat.add(env, high, low) & LOW;
        }
        long sum2 = SoftFloat.add(env, low2, high2) & LOW;
        long other2 = sum2;
        long crossed2 = sum2;
        long otherCrossed2 = sum2;
        if ((sum2 & 0x7FFFFFFF) > 0x7F800000) {
            crossed2 = SoftFloat.add(env, high2, low2) & LOW;
            low2 = SoftFloat.add(env, q0, q1);
            high2 = SoftFloat.add(env, q2, q3);
            other2 = SoftFloat.add(env, low2, high2) & LOW;
            otherCrossed2 = SoftFloat.add(env, high2, low2) & LOW;
        }
        Arithmetic.end(c, env);
        int to = (int) i.imm;
        Vex.set256(
                c,
                i.reg,
                ((to & 1) != 0 ? sum : 0) | ((to & 2) != 0 ? other << 32 : 0),
                ((to & 4) != 0 ? crossed : 0) | ((to & 8) != 0 ? otherCrossed << 32 : 0),
                ((to & 1) != 0 ? sum2 : 0) | ((to & 2) != 0 ? other2 << 32 : 0),
                ((to & 4) != 0 ? crossed2 : 0) | ((to & 8) != 0 ? otherCrossed2 << 32 : 0));
    }

    /** DPPD. */
    public static void dppd(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long p0 = (i.imm & 0x10) != 0 ? SoftDouble.multiply(env, c.v[4 * i.reg], c.t0) : 0;
        long p1 = (i.imm & 0x20) != 0 ? SoftDouble.multiply(env, c.v[4 * i.reg + 1], c.t1) : 0;
        step(c, env);
        // Of two NaNs each lane gets its own.
        long sum0 = SoftDouble.add(env, p0, p1);
        long sum1 = SoftDouble.add(env, p1, p0);
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, (i.imm & 1) != 0 ? sum0 : 0, (i.imm & 2) != 0 ? sum1 : 0);
    }
}
