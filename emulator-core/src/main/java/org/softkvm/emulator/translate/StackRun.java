package org.softkvm.emulator.translate;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.exec.Branch;
import org.softkvm.emulator.exec.IntegerOps;

/**
 * PUSHes or POPs of 64-bit registers that are one access of {@link GuestStack}. What stands between them may be instructions
 * on other registers that cannot fault: it comes out the same where all accesses are done before it.
 *
 * @param registers as {@link GuestStack} has them
 * @param members a bit for each of the run's instructions, by index in the block
 * @param last index of the last one
 * @param ret whether the instruction behind is a RET and part of the run
 */
record StackRun(int registers, long members, int last, boolean ret) {
    private static final long RSP = 1L << Cpu.RSP;

    static boolean isPush(Insn i) {
        return is(i, "pushReg");
    }

    static boolean isPop(Insn i) {
        return is(i, "popReg");
    }

    private static boolean is(Insn i, String method) {
        return i.op.kind() == Op.Kind.STATE
                && i.op.owner() == IntegerOps.class
                && i.opSize == 8
                && i.reg != Cpu.RSP
                && i.op.method().equals(method);
    }

    /** A RET that pops nothing else, in 64-bit code. */
    static boolean isRet(Insn i) {
        return i.op.kind() == Op.Kind.STATE
                && i.op.owner() == Branch.class
                && i.op.method().equals("ret")
                && i.opSize == 8
                && (i.imm & 0xFFFF) == 0;
    }

    /** An instruction on registers other than RSP, which neither leaves nor is looked at from outside. */
    private static boolean stays(Insn i) {
        return IntegerEmitter.inlined(i)
                && !RegisterUse.mayLeave(i)
                && ((RegisterUse.used(i) | RegisterUse.written(i)) & RSP) == 0;
    }

    /**
     * The run that begins with an instruction.
     *
     * @param insns a block of 64-bit code
     * @param first index of the instruction
     * @param joinRet whether a RET may be part of it
     * @return the run, or null where the instruction is neither PUSH nor POP of a 64-bit register
     */
    static StackRun at(Insn[] insns, int first, boolean joinRet) {
        boolean push = isPush(insns[first]);
        if (!push && !isPop(insns[first])) {
            return null;
        }
        int registers = 0;
        int count = 0;
        long members = 0;
        int last = first;
        // Registers that a later access of the run must not touch.
        long barred = 0;
        for (int k = first; k < insns.length && count < GuestStack.MOST; k++) {
            Insn i = insns[k];
            if (push ? isPush(i) : isPop(i)) {
                if ((barred & 1L << i.reg) != 0) {
                    break;
                }
                registers = push ? GuestStack.below(registers, i.reg) : GuestStack.above(registers, i.reg);
                if (!push) {
                    barred |= 1L << i.reg;
                }
                count++;
                members |= 1L << k;
                last = k;
            } else if (stays(i)) {
                barred |= RegisterUse.written(i) | (push ? 0 : RegisterUse.used(i));
            } else {
                break;
            }
        }
        boolean ret =
                !push && joinRet && last == first + count - 1 && last + 1 < insns.length && isRet(insns[last + 1]);
        return new StackRun(registers, members, last, ret);
    }
}
