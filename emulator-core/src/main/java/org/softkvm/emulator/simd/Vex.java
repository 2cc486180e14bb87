package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.fpu.FpEnv;

/**
 * What VEX instructions on vector registers share: their check, operand access, and the bracket around SSE methods that
 * run on halves (Intel SDM volume 2, 2.4; volume 1, 14.3).
 */
public final class Vex {
    /** Scratch register that holds the first source and receives the result of a half. */
    public static final int DESTINATION = 16;
    /** Scratch register that holds the second source. */
    public static final int SOURCE = 17;

    private static final int D = 4 * DESTINATION;
    private static final int S = 4 * SOURCE;
    /** Where the lower half's result waits. */
    private static final int R = 72;

    private Vex() {}

    /**
     * The method of rows whose meaning is their handler (see {@link org.softkvm.emulator.decode.Op#vexLanes}).
     *
     * @param c the vcpu
     * @param i the instruction
     */
    public static void run(Cpu c, Insn i) {
        i.handler.exec(c, i);
    }

    /**
     * The check of every VEX instruction on vector registers: #UD without CR4.OSXSAVE or without SSE and AVX state in
     * XCR0, #NM with CR0.TS. CR0.EM and CR4.OSFXSR do not matter.
     *
     * @param c the vcpu
     */
    public static void check(Cpu c) {
        if ((c.cr0 & Cpu.CR0_TS | ~(int) c.cr4 & Cpu.CR4_OSXSAVE | ~(int) c.xcr0 & 6) != 0) {
            refuse(c);
        }
    }

    private static void refuse(Cpu c) {
        if ((c.cr4 & Cpu.CR4_OSXSAVE) == 0 || (c.xcr0 & 6) != 6) {
            throw c.ud();
        }
        throw c.fault(Vector.NM, 0);
    }

    // ---------------------------------------------------------------- operands

    /** Loads an XMM register or 128 bits of memory into the scratch t0, t1. */
    public static void source128(Cpu c, Insn i) {
        check(c);
        if (i.mem) {
            long la = c.eaRead(i, 16);
            c.t0 = c.read64(la);
            c.t1 = c.read64(la + 8);
        } else {
            c.t0 = c.v[4 * i.rm];
            c.t1 = c.v[4 * i.rm + 1];
        }
    }

    /** Loads a YMM register or 256 bits of memory into the scratch t0 to t3. */
    public static void source256(Cpu c, Insn i) {
        check(c);
        if (i.mem) {
            long la = c.eaRead(i, 32);
            c.t0 = c.read64(la);
            c.t1 = c.read64(la + 8);
            c.t2 = c.read64(la + 16);
            c.t3 = c.read64(la + 24);
        } else {
            int s = 4 * i.rm;
            c.t0 = c.v[s];
            c.t1 = c.v[s + 1];
            c.t2 = c.v[s + 2];
            c.t3 = c.v[s + 3];
        }
    }

    /** Loads a vector of the instruction's length; the upper half of a short one is 0. */
    static void source(Cpu c, Insn i) {
        if (i.vectorLength == 32) {
            source256(c, i);
        } else {
            source128(c, i);
            c.t2 = 0;
            c.t3 = 0;
        }
    }

    /** Loads the count of a shift, the low half of an XMM register or of 128 bits of memory, into t0. */
    public static void count(Cpu c, Insn i) {
        source128(c, i);
    }

    /** Loads the count of a shift, an immediate, into t0. */
    public static void immediate(Cpu c, Insn i) {
        check(c);
        c.t0 = i.imm & 0xFF;
    }

    /** Sets an XMM register; the upper half of its YMM register becomes 0. */
    static void set128(Cpu c, int n, long a, long b) {
        set256(c, n, a, b, 0, 0);
    }

    /** Sets a YMM register. */
    static void set256(Cpu c, int n, long q0, long q1, long q2, long q3) {
        long[] v = c.v;
        int at = 4 * n;
        v[at] = q0;
        v[at + 1] = q1;
        v[at + 2] = q2;
        v[at + 3] = q3;
    }

    /** The upper half of the destination register becomes 0. */
    public static void clearUpper(Cpu c, Insn i) {
        c.v[4 * i.reg + 2] = 0;
        c.v[4 * i.reg + 3] = 0;
    }

    /** The upper half of a destination register in ModRM.rm becomes 0. */
    public static void clearUpperRm(Cpu c, Insn i) {
        if (!i.mem) {
            c.v[4 * i.rm + 2] = 0;
            c.v[4 * i.rm + 3] = 0;
        }
    }

    // ---------------------------------------------------------------- SSE methods on halves

    /** Before a 128-bit form: sources into the scratch registers. */
    public static void begin(Cpu c, Insn i) {
        source128(c, i);
        long[] v = c.v;
        int first = 4 * i.vvvv;
        v[D] = v[first];
        v[D + 1] = v[first + 1];
        v[S] = c.t0;
        v[S + 1] = c.t1;
    }

    /** Before a 128-bit form whose second source is no whole vector: the method loads it. */
    public static void beginScalar(Cpu c, Insn i) {
        check(c);
        long[] v = c.v;
        int first = 4 * i.vvvv;
        v[D] = v[first];
        v[D + 1] = v[first + 1];
    }

    /** After a 128-bit form. */
    public static void end(Cpu c, Insn i) {
        set256(c, i.reg, c.v[D], c.v[D + 1], 0, 0);
    }

    /** Before a 256-bit form. */
    public static void begin256(Cpu c, Insn i) {
        source256(c, i);
        long[] v = c.v;
        int first = 4 * i.vvvv;
        for (int k = 0; k < 4; k++) {
            v[D + k] = v[first + k];
        }
        v[S] = c.t0;
        v[S + 1] = c.t1;
        v[S + 2] = c.t2;
        v[S + 3] = c.t3;
    }

    /** Between the halves. */
    public static void middle(Cpu c) {
        long[] v = c.v;
        v[R] = v[D];
        v[R + 1] = v[D + 1];
        v[D] = v[D + 2];
        v[D + 1] = v[D + 3];
        v[S] = v[S + 2];
        v[S + 1] = v[S + 3];
    }

    /** After a 256-bit form. */
    public static void end256(Cpu c, Insn i) {
        set256(c, i.reg, c.v[R], c.v[R + 1], c.v[D], c.v[D + 1]);
    }

    /** As {@link #begin256} for floating-point instructions: both halves in one bracket of MXCSR. */
    public static void beginJoined(Cpu c, Insn i) {
        begin256(c, i);
        Arithmetic.begin(c).joined = true;
    }

    /** As {@link #end256} for floating-point instructions; an unmasked exception leaves the destination alone. */
    public static void endJoined(Cpu c, Insn i) {
        FpEnv env = c.fpEnv;
        env.joined = false;
        Arithmetic.end(c, env);
        end256(c, i);
    }

    // ---------------------------------------------------------------- VZEROUPPER, VZEROALL

    /** VZEROUPPER: outside 64-bit mode eight registers. */
    public static void vzeroupper(Cpu c, Insn i) {
        check(c);
        int n = c.mode64 ? 64 : 32;
        for (int k = 0; k < n; k += 4) {
            c.v[k + 2] = 0;
            c.v[k + 3] = 0;
        }
    }

    /** VZEROALL. */
    public static void vzeroall(Cpu c, Insn i) {
        check(c);
        java.util.Arrays.fill(c.v, 0, c.mode64 ? 64 : 32, 0);
    }
}
