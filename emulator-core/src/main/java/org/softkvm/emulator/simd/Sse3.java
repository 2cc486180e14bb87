package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Operand;
import org.softkvm.emulator.fpu.FpEnv;
import org.softkvm.emulator.fpu.SoftDouble;
import org.softkvm.emulator.fpu.SoftFloat;

/** SSE3, and the SSSE3 instructions that are no plain lane functions (Intel SDM volume 2). */
public final class Sse3 {
    private static final long LOW = 0xFFFFFFFFL;

    private Sse3() {}

    private static long add(FpEnv env, long a, long b) {
        return SoftDouble.add(env, a, b);
    }

    private static long addLow(FpEnv env, int a, int b) {
        return SoftFloat.add(env, a, b) & LOW;
    }

    private static long subLow(FpEnv env, int a, int b) {
        return SoftFloat.subtract(env, a, b) & LOW;
    }

    private static int high(long a) {
        return (int) (a >>> 32);
    }

    /** ADDSUBPD. */
    public static void addsubpd(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = SoftDouble.subtract(env, c.v[4 * i.reg], c.t0);
        long high = add(env, c.v[4 * i.reg + 1], c.t1);
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    private static long addSub(FpEnv env, long a, long b) {
        return subLow(env, (int) a, (int) b) | addLow(env, high(a), high(b)) << 32;
    }

    /** ADDSUBPS. */
    public static void addsubps(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = addSub(env, c.v[4 * i.reg], c.t0);
        long high = addSub(env, c.v[4 * i.reg + 1], c.t1);
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    /** HADDPD. */
    public static void haddpd(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = add(env, c.v[4 * i.reg], c.v[4 * i.reg + 1]);
        long high = add(env, c.t0, c.t1);
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    /** HSUBPD. */
    public static void hsubpd(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long low = SoftDouble.subtract(env, c.v[4 * i.reg], c.v[4 * i.reg + 1]);
        long high = SoftDouble.subtract(env, c.t0, c.t1);
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    /** HADDPS. */
    public static void haddps(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long a = c.v[4 * i.reg];
        long b = c.v[4 * i.reg + 1];
        long low = addLow(env, (int) a, high(a)) | addLow(env, (int) b, high(b)) << 32;
        long high = addLow(env, (int) c.t0, high(c.t0)) | addLow(env, (int) c.t1, high(c.t1)) << 32;
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    /** HSUBPS. */
    public static void hsubps(Cpu c, Insn i) {
        Simd.source(c, i);
        FpEnv env = Arithmetic.begin(c);
        long a = c.v[4 * i.reg];
        long b = c.v[4 * i.reg + 1];
        long low = subLow(env, (int) a, high(a)) | subLow(env, (int) b, high(b)) << 32;
        long high = subLow(env, (int) c.t0, high(c.t0)) | subLow(env, (int) c.t1, high(c.t1)) << 32;
        Arithmetic.end(c, env);
        Shuffles.set(c, i.reg, low, high);
    }

    private static long twice(long a) {
        return a & LOW | a << 32;
    }

    /** MOVSLDUP. */
    public static void movsldup(Cpu c, Insn i) {
        Simd.source(c, i);
        Shuffles.set(c, i.reg, twice(c.t0), twice(c.t1));
    }

    /** MOVSHDUP. */
    public static void movshdup(Cpu c, Insn i) {
        Simd.source(c, i);
        Shuffles.set(c, i.reg, twice(c.t0 >>> 32), twice(c.t1 >>> 32));
    }

    /** MOVDDUP. */
    public static void movddup(Cpu c, Insn i) {
        long a = Simd.source64(c, i);
        Shuffles.set(c, i.reg, a, a);
    }

    // ---------------------------------------------------------------- SSSE3

    /** One byte of a pair of lanes. */
    private static long pick(long low, long high, int n) {
        return (n < 8 ? low >>> 8 * n : high >>> 8 * (n - 8)) & 0xFF;
    }

    private static long shuffleBytes(long low, long high, long control, int mask) {
        long r = 0;
        for (int k = 0; k < 8; k++) {
            int select = (int) (control >>> 8 * k);
            if ((select & 0x80) == 0) {
                r |= pick(low, high, select & mask) << 8 * k;
            }
        }
        return r;
    }

    /** PSHUFB. */
    public static void pshufb(Cpu c, Insn i) {
        Simd.source(c, i);
        long a = c.v[4 * i.reg];
        long b = c.v[4 * i.reg + 1];
        Shuffles.set(c, i.reg, shuffleBytes(a, b, c.t0, 15), shuffleBytes(a, b, c.t1, 15));
    }

    /** PSHUFB on MMX registers: a lane function. */
    public static long pshufb(long a, long control) {
        return shuffleBytes(a, 0, control, 7);
    }

    /** The 64 bits at byte n of a 32-byte string. */
    private static long window(long d0, long d1, long d2, long d3, int n) {
        long r = 0;
        for (int k = 0; k < 8; k++) {
            int at = n + k;
            long word = at < 8 ? d0 : at < 16 ? d1 : at < 24 ? d2 : at < 32 ? d3 : 0;
            r |= (word >>> 8 * (at & 7) & 0xFF) << 8 * k;
        }
        return r;
    }

    /** PALIGNR. */
    public static void palignr(Cpu c, Insn i) {
        Simd.source(c, i);
        int n = (int) i.imm & 0xFF;
        long a = c.v[4 * i.reg];
        long b = c.v[4 * i.reg + 1];
        Shuffles.set(c, i.reg, window(c.t0, c.t1, a, b, n), window(c.t0, c.t1, a, b, n + 8));
    }

    /** PALIGNR on MMX registers. */
    public static void palignrMmx(Cpu c, Insn i) {
        Simd.mmxSource(c, i);
        int n = (int) i.imm & 0xFF;
        Simd.mmxStore(c, i, window(c.t0, Simd.mmxDestination(c, i), 0, 0, n));
    }

    private static final int ADD = 0;
    private static final int ADD_SATURATE = 1;
    private static final int SUB = 2;
    private static final int SUB_SATURATE = 3;

    private static int combine(int kind, int x, int y) {
        return switch (kind) {
            case ADD -> x + y;
            case ADD_SATURATE -> Math.clamp((long) x + y, -32768, 32767);
            case SUB -> x - y;
            default -> Math.clamp((long) x - y, -32768, 32767);
        };
    }

    /** Neighbouring words of a lane combined: two words. */
    private static long pairs(int kind, long a) {
        int first = combine(kind, (short) a, (short) (a >>> 16));
        int second = combine(kind, (short) (a >>> 32), (short) (a >>> 48));
        return first & 0xFFFFL | (second & 0xFFFFL) << 16;
    }

    private static long pairsD(int kind, long a) {
        return combine(kind, (int) a, high(a)) & LOW;
    }

    private static void horizontal(Cpu c, Insn i, int kind, boolean words) {
        if (i.op.operands().get(0) == Operand.P) {
            Simd.mmxSource(c, i);
            long a = Simd.mmxDestination(c, i);
            Simd.mmxStore(
                    c,
                    i,
                    words ? pairs(kind, a) | pairs(kind, c.t0) << 32 : pairsD(kind, a) | pairsD(kind, c.t0) << 32);
            return;
        }
        Simd.source(c, i);
        long a = c.v[4 * i.reg];
        long b = c.v[4 * i.reg + 1];
        if (words) {
            Shuffles.set(c, i.reg, pairs(kind, a) | pairs(kind, b) << 32, pairs(kind, c.t0) | pairs(kind, c.t1) << 32);
        } else {
            Shuffles.set(
                    c, i.reg, pairsD(kind, a) | pairsD(kind, b) << 32, pairsD(kind, c.t0) | pairsD(kind, c.t1) << 32);
        }
    }

    /** PHADDW. */
    public static void phaddw(Cpu c, Insn i) {
        horizontal(c, i, ADD, true);
    }

    /** PHADDD. */
    public static void phaddd(Cpu c, Insn i) {
        horizontal(c, i, ADD, false);
    }

    /** PHADDSW. */
    public static void phaddsw(Cpu c, Insn i) {
        horizontal(c, i, ADD_SATURATE, true);
    }

    /** PHSUBW. */
    public static void phsubw(Cpu c, Insn i) {
        horizontal(c, i, SUB, true);
    }

    /** PHSUBD. */
    public static void phsubd(Cpu c, Insn i) {
        horizontal(c, i, SUB, false);
    }

    /** PHSUBSW. */
    public static void phsubsw(Cpu c, Insn i) {
        horizontal(c, i, SUB_SATURATE, true);
    }
}
