package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.fpu.FpEnv;
import org.softkvm.emulator.fpu.SoftDouble;
import org.softkvm.emulator.fpu.SoftFloat;

/** Floating-point arithmetic of SSE and SSE2 (Intel SDM volume 1, chapter 11.5; volume 2). */
public final class Arithmetic {
    private static final int ADD = 0;
    private static final int MUL = 1;
    private static final int SUB = 2;
    private static final int MIN = 3;
    private static final int DIV = 4;
    private static final int MAX = 5;
    private static final int SQRT = 6;

    private static final long LOW = 0xFFFFFFFFL;

    private Arithmetic() {}

    /** Takes MXCSR apart. */
    static FpEnv begin(Cpu c) {
        FpEnv env = c.fpEnv;
        if (env.joined) {
            return env;
        }
        env.setMxcsr(c.mxcsr);
        if (!env.allMasked()) {
            env.beginUnmasked();
        }
        return env;
    }

    /** Puts MXCSR together; raises an unmasked exception, so that the caller writes no result. */
    static void end(Cpu c, FpEnv env) {
        if (env.joined) {
            return;
        }
        boolean trap = !env.allMasked() && env.endUnmasked();
        c.mxcsr = env.mxcsr() | c.mxcsr & 0xFFFF0000;
        if (trap) {
            throw (c.cr4 & Cpu.CR4_OSXMMEXCPT) != 0 ? c.fault(Vector.XM, 0) : c.ud();
        }
    }

    private static int kind(Insn i) {
        return switch (i.opcode) {
            case 0x51 -> SQRT;
            case 0x58 -> ADD;
            case 0x59 -> MUL;
            case 0x5C -> SUB;
            case 0x5D -> MIN;
            case 0x5E -> DIV;
            default -> MAX;
        };
    }

    private static long flush(FpEnv env, long a) {
        return env.daz && (a & 0x7FF0000000000000L) == 0 ? a & Long.MIN_VALUE : a;
    }

    private static int flush(FpEnv env, int a) {
        return env.daz && (a & 0x7F800000) == 0 ? a & Integer.MIN_VALUE : a;
    }

    private static long compute(FpEnv env, int kind, long a, long b) {
        return switch (kind) {
            case ADD -> SoftDouble.add(env, a, b);
            case MUL -> SoftDouble.multiply(env, a, b);
            case SUB -> SoftDouble.subtract(env, a, b);
            case DIV -> SoftDouble.divide(env, a, b);
            case SQRT -> SoftDouble.squareRoot(env, b);
            // The second operand is the answer for NaNs and for two zeros.
            case MIN -> flush(env, SoftDouble.compare(env, a, b, false) == -1 ? a : b);
            default -> flush(env, SoftDouble.compare(env, a, b, false) == 1 ? a : b);
        };
    }

    private static int compute(FpEnv env, int kind, int a, int b) {
        return switch (kind) {
            case ADD -> SoftFloat.add(env, a, b);
            case MUL -> SoftFloat.multiply(env, a, b);
            case SUB -> SoftFloat.subtract(env, a, b);
            case DIV -> SoftFloat.divide(env, a, b);
            case SQRT -> SoftFloat.squareRoot(env, b);
            case MIN -> flush(env, SoftFloat.compare(env, a, b, false) == -1 ? a : b);
            default -> flush(env, SoftFloat.compare(env, a, b, false) == 1 ? a : b);
        };
    }

    /** Two singles of a lane. */
    private static long singles(FpEnv env, int kind, long a, long b) {
        long low = compute(env, kind, (int) a, (int) b) & LOW;
        return low | (long) compute(env, kind, (int) (a >>> 32), (int) (b >>> 32)) << 32;
    }

    /** ADDSD, MULSD, SUBSD, MINSD, DIVSD, MAXSD, SQRTSD. */
    public static void sd(Cpu c, Insn i) {
        long b = Simd.source64(c, i);
        FpEnv env = begin(c);
        long r = compute(env, kind(i), c.v[4 * i.reg], b);
        end(c, env);
        c.v[4 * i.reg] = r;
    }

    /** ADDSS, MULSS, SUBSS, MINSS, DIVSS, MAXSS, SQRTSS. */
    public static void ss(Cpu c, Insn i) {
        int b = Simd.source32(c, i);
        FpEnv env = begin(c);
        int r = compute(env, kind(i), (int) c.v[4 * i.reg], b);
        end(c, env);
        setSingle(c, i, r);
    }

    static void setSingle(Cpu c, Insn i, int value) {
        c.v[4 * i.reg] = c.v[4 * i.reg] & ~LOW | value & LOW;
    }

    /** ADDPD, MULPD, SUBPD, MINPD, DIVPD, MAXPD, SQRTPD. */
    public static void pd(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = begin(c);
        int kind = kind(i);
        long low = compute(env, kind, c.v[4 * i.reg], c.t0);
        long high = compute(env, kind, c.v[4 * i.reg + 1], c.t1);
        end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    /** ADDPS, MULPS, SUBPS, MINPS, DIVPS, MAXPS, SQRTPS. */
    public static void ps(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = begin(c);
        int kind = kind(i);
        long low = singles(env, kind, c.v[4 * i.reg], c.t0);
        long high = singles(env, kind, c.v[4 * i.reg + 1], c.t1);
        end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    // ---------------------------------------------------------------- compares

    /** For which orders a predicate (its low four bits) holds: 1 less, 2 equal, 4 greater, 8 unordered. */
    private static final int[] HOLDS = {2, 1, 3, 8, 13, 14, 12, 7, 10, 9, 11, 0, 5, 6, 4, 15};

    private static boolean holds(int predicate, int order) {
        return (HOLDS[predicate & 15] >> order + 1 & 1) != 0;
    }

    /** EQ, UNORD, NEQ, ORD, FALSE and TRUE signal for signaling NaNs only; with bit 4 it is the other way round. */
    private static boolean quiet(int predicate) {
        return ((predicate & 3) == 0 || (predicate & 3) == 3) == ((predicate & 16) == 0);
    }

    /** VEX forms have 32 predicates, others the first eight of them. */
    private static int predicate(Insn i) {
        return (int) i.imm & (i.vectorLength != 0 ? 31 : 7);
    }

    private static long compareDouble(FpEnv env, int predicate, long a, long b) {
        return holds(predicate, SoftDouble.compare(env, a, b, quiet(predicate))) ? -1 : 0;
    }

    private static int compareSingle(FpEnv env, int predicate, int a, int b) {
        return holds(predicate, SoftFloat.compare(env, a, b, quiet(predicate))) ? -1 : 0;
    }

    /** CMPSD. */
    public static void cmpsd(Cpu c, Insn i) {
        long b = Simd.source64(c, i);
        FpEnv env = begin(c);
        long r = compareDouble(env, predicate(i), c.v[4 * i.reg], b);
        end(c, env);
        c.v[4 * i.reg] = r;
    }

    /** CMPSS. */
    public static void cmpss(Cpu c, Insn i) {
        int b = Simd.source32(c, i);
        FpEnv env = begin(c);
        int r = compareSingle(env, predicate(i), (int) c.v[4 * i.reg], b);
        end(c, env);
        setSingle(c, i, r);
    }

    /** CMPPD. */
    public static void cmppd(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = begin(c);
        int p = predicate(i);
        long low = compareDouble(env, p, c.v[4 * i.reg], c.t0);
        long high = compareDouble(env, p, c.v[4 * i.reg + 1], c.t1);
        end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    private static long compareSingles(FpEnv env, int p, long a, long b) {
        long low = compareSingle(env, p, (int) a, (int) b) & LOW;
        return low | (long) compareSingle(env, p, (int) (a >>> 32), (int) (b >>> 32)) << 32;
    }

    /** CMPPS. */
    public static void cmpps(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = begin(c);
        int p = predicate(i);
        long low = compareSingles(env, p, c.v[4 * i.reg], c.t0);
        long high = compareSingles(env, p, c.v[4 * i.reg + 1], c.t1);
        end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    private static void order(Cpu c, int order) {
        c.setArith(
                switch (order) {
                    case -1 -> Flags.CF;
                    case 0 -> Flags.ZF;
                    case 1 -> 0;
                    default -> Flags.ZF | Flags.PF | Flags.CF;
                });
    }

    private static void compareFlags(Cpu c, Insn i, boolean wide, boolean quiet) {
        int order;
        if (wide) {
            long b = Simd.source64(c, i);
            FpEnv env = begin(c);
            order = SoftDouble.compare(env, c.v[4 * i.reg], b, quiet);
            end(c, env);
        } else {
            int b = Simd.source32(c, i);
            FpEnv env = begin(c);
            order = SoftFloat.compare(env, (int) c.v[4 * i.reg], b, quiet);
            end(c, env);
        }
        order(c, order);
    }

    /** UCOMISD. */
    public static void ucomisd(Cpu c, Insn i) {
        compareFlags(c, i, true, true);
    }

    /** COMISD. */
    public static void comisd(Cpu c, Insn i) {
        compareFlags(c, i, true, false);
    }

    /** UCOMISS. */
    public static void ucomiss(Cpu c, Insn i) {
        compareFlags(c, i, false, true);
    }

    /** COMISS. */
    public static void comiss(Cpu c, Insn i) {
        compareFlags(c, i, false, false);
    }
}
