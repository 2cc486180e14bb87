package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.fpu.FpEnv;
import org.softkvm.emulator.fpu.SoftDouble;
import org.softkvm.emulator.fpu.SoftFloat;

/**
 * FMA (Intel SDM volume 2, VFMADD... to VFNMSUB...; volume 1, 14.5). The opcode says it all: its high digit which operands
 * are factors (9 = 132, A = 213, B = 231), the low one the signs.
 */
public final class Fma {
    private static final long LOW = 0xFFFFFFFFL;

    private Fma() {}

    /** Whether the product of an element changes its sign. */
    private static boolean negatesProduct(int opcode) {
        return (opcode & 15) >= 12;
    }

    /** Whether the addend of an element changes its sign: always, never, or by turns (VFMADDSUB, VFMSUBADD). */
    private static boolean negatesAddend(int opcode, int element) {
        return switch (opcode & 15) {
            case 6 -> (element & 1) == 0;
            case 7 -> (element & 1) != 0;
            case 8, 9, 12, 13 -> false;
            default -> true;
        };
    }

    /** One element; operand 1 is the destination, 2 is VEX.vvvv, 3 is ModRM.rm. */
    private static long element(FpEnv env, int opcode, int n, long x1, long x2, long x3) {
        boolean p = negatesProduct(opcode);
        boolean s = negatesAddend(opcode, n);
        return switch (opcode >> 4) {
            case 9 -> SoftDouble.multiplyAdd(env, x1, x3, x2, p, s);
            case 10 -> SoftDouble.multiplyAdd(env, x2, x1, x3, p, s);
            default -> SoftDouble.multiplyAdd(env, x2, x3, x1, p, s);
        };
    }

    private static int element(FpEnv env, int opcode, int n, int x1, int x2, int x3) {
        boolean p = negatesProduct(opcode);
        boolean s = negatesAddend(opcode, n);
        return switch (opcode >> 4) {
            case 9 -> SoftFloat.multiplyAdd(env, x1, x3, x2, p, s);
            case 10 -> SoftFloat.multiplyAdd(env, x2, x1, x3, p, s);
            default -> SoftFloat.multiplyAdd(env, x2, x3, x1, p, s);
        };
    }

    private static long pair(FpEnv env, int opcode, long x1, long x2, long x3) {
        long low = element(env, opcode, 0, (int) x1, (int) x2, (int) x3) & LOW;
        return low | (long) element(env, opcode, 1, (int) (x1 >>> 32), (int) (x2 >>> 32), (int) (x3 >>> 32)) << 32;
    }

    /** Packed doubles. */
    public static void pd(Cpu c, Insn i) {
        Vex.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        int a = 4 * i.reg;
        int b = 4 * i.vvvv;
        long[] v = c.v;
        boolean wide = i.vectorLength == 32;
        long r0 = element(env, i.opcode, 0, v[a], v[b], c.t0);
        long r1 = element(env, i.opcode, 1, v[a + 1], v[b + 1], c.t1);
        long r2 = wide ? element(env, i.opcode, 2, v[a + 2], v[b + 2], c.t2) : 0;
        long r3 = wide ? element(env, i.opcode, 3, v[a + 3], v[b + 3], c.t3) : 0;
        Arithmetic.end(c, env);
        Vex.set256(c, i.reg, r0, r1, r2, r3);
    }

    /** Packed singles. */
    public static void ps(Cpu c, Insn i) {
        Vex.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        int a = 4 * i.reg;
        int b = 4 * i.vvvv;
        long[] v = c.v;
        boolean wide = i.vectorLength == 32;
        long r0 = pair(env, i.opcode, v[a], v[b], c.t0);
        long r1 = pair(env, i.opcode, v[a + 1], v[b + 1], c.t1);
        long r2 = wide ? pair(env, i.opcode, v[a + 2], v[b + 2], c.t2) : 0;
        long r3 = wide ? pair(env, i.opcode, v[a + 3], v[b + 3], c.t3) : 0;
        Arithmetic.end(c, env);
        Vex.set256(c, i.reg, r0, r1, r2, r3);
    }

    /** A scalar double; bits 64 to 127 of the destination stay. */
    public static void sd(Cpu c, Insn i) {
        Vex.check(c);
        long b = Simd.source64(c, i);
        FpEnv env = Arithmetic.begin(c);
        long r = element(env, i.opcode, 0, c.v[4 * i.reg], c.v[4 * i.vvvv], b);
        Arithmetic.end(c, env);
        Vex.set128(c, i.reg, r, c.v[4 * i.reg + 1]);
    }

    /** A scalar single; bits 32 to 127 of the destination stay. */
    public static void ss(Cpu c, Insn i) {
        Vex.check(c);
        int b = Simd.source32(c, i);
        FpEnv env = Arithmetic.begin(c);
        long r = element(env, i.opcode, 0, (int) c.v[4 * i.reg], (int) c.v[4 * i.vvvv], b) & LOW;
        Arithmetic.end(c, env);
        Vex.set128(c, i.reg, c.v[4 * i.reg] & ~LOW | r, c.v[4 * i.reg + 1]);
    }
}
