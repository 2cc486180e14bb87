package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;

/** Near branches and what hangs on conditions. */
public final class Branch {
    private Branch() {}

    /**
     * Whether a condition holds, by number.
     *
     * @param c the vcpu
     * @param condition 0 to 15
     * @return 1 or 0
     */
    public static int condition(Cpu c, int condition) {
        return Flags.condition(condition, c.fop, c.fa, c.fb) ? 1 : 0;
    }

    /**
     * CMOVcc.
     *
     * @return b where the condition fails, else a
     */
    public static int select(Cpu c, int condition, int a, int b) {
        return Flags.condition(condition, c.fop, c.fa, c.fb) ? a : b;
    }

    /**
     * CMOVcc.
     *
     * @return b where the condition fails, else a
     */
    public static long select(Cpu c, int condition, long a, long b) {
        return Flags.condition(condition, c.fop, c.fa, c.fb) ? a : b;
    }

    /** Jcc in 64-bit code. */
    public static void jcc64(Cpu c, Insn i, int condition) {
        if (Flags.condition(condition, c.fop, c.fa, c.fb)) {
            c.rip = i.target;
        }
    }

    /** Jcc in 16- and 32-bit code: the target has to lie within the limit. */
    public static void jcc(Cpu c, Insn i, int condition) {
        if (Flags.condition(condition, c.fop, c.fa, c.fb)) {
            jump(c, i.target);
        }
    }

    /** The jump of a fused pair in 64-bit code: the condition is computed from what the first instruction recorded. */
    public static void fused64(Cpu c, Insn i, int condition, int op, long a, long b) {
        if (Flags.condition(condition, op, a, b)) {
            c.rip = i.target;
        }
    }

    /** The jump of a fused pair in 16- and 32-bit code; its target lies within the limit (the decoder saw to it). */
    public static void fused(Cpu c, Insn i, int condition, int op, long a, long b) {
        if (Flags.condition(condition, op, a, b)) {
            c.rip = i.target;
        }
    }

    /** Near relative jump in 64-bit code. */
    public static void jmp64(Cpu c, Insn i) {
        c.rip = i.target;
    }

    /** Near relative jump in 16- and 32-bit code. */
    public static void jmp(Cpu c, Insn i) {
        jump(c, i.target);
    }

    /**
     * Sets RIP to a near target, with #GP(0) where it is outside the limit or not canonical.
     *
     * @param c the vcpu
     * @param target offset in CS, cut to the operand size
     */
    public static void jump(Cpu c, long target) {
        checkTarget(c, target);
        c.rip = target;
    }

    /**
     * Checks a near target: #GP(0) where it is outside the limit or not canonical.
     *
     * @param c the vcpu
     * @param target offset in CS
     */
    public static void checkTarget(Cpu c, long target) {
        if (c.mode64 ? target << 16 >> 16 != target : target > c.segLimit[Cpu.CS]) {
            throw c.gp(0);
        }
    }

    /** JMP r/m. */
    public static void jmpIndirect(Cpu c, Insn i) {
        jump(c, c.getRm(i, i.opSize));
    }

    /** CALL rel. */
    public static void call(Cpu c, Insn i) {
        checkTarget(c, i.target);
        c.push(i.opSize, i.nextRip);
        c.rip = i.target;
    }

    /** CALL r/m. */
    public static void callIndirect(Cpu c, Insn i) {
        long target = c.getRm(i, i.opSize);
        checkTarget(c, target);
        c.push(i.opSize, i.nextRip);
        c.rip = target;
    }

    /** RET and RET imm16. */
    public static void ret(Cpu c, Insn i) {
        long offset = c.sp();
        long target = c.read(c.stackRead(offset, i.opSize), i.opSize);
        checkTarget(c, target);
        c.setSp(offset + i.opSize + (i.imm & 0xFFFF));
        c.rip = target;
    }

    private static long counter(Cpu c, Insn i) {
        return c.r[Cpu.RCX] & i.addrMask;
    }

    private static long countDown(Cpu c, Insn i) {
        return counter(c, i) - 1 & i.addrMask;
    }

    private static void setCounter(Cpu c, Insn i, long value) {
        c.set(Cpu.RCX, i.addrSize, value);
    }

    private static void loop(Cpu c, Insn i, boolean extra) {
        long count = countDown(c, i);
        if (count != 0 && extra) {
            jump(c, i.target);
        }
        setCounter(c, i, count);
    }

    /** LOOP. */
    public static void loop(Cpu c, Insn i) {
        loop(c, i, true);
    }

    /** LOOPE. */
    public static void loope(Cpu c, Insn i) {
        loop(c, i, Flags.zf(c.fop, c.fa, c.fb));
    }

    /** LOOPNE. */
    public static void loopne(Cpu c, Insn i) {
        loop(c, i, !Flags.zf(c.fop, c.fa, c.fb));
    }

    /** JCXZ, JECXZ, JRCXZ. */
    public static void jcxz(Cpu c, Insn i) {
        if (counter(c, i) == 0) {
            jump(c, i.target);
        }
    }
}
