package org.softkvm.emulator.translate;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.decode.Operand;
import org.softkvm.emulator.exec.MulDiv;
import org.softkvm.emulator.exec.SystemOps;

/** What a state method may change, so that a region reloads no more than that. */
final class StateEffects {
    private static final String SIMD = "org.softkvm.emulator.simd";
    private static final String FPU = "org.softkvm.emulator.fpu";

    private StateEffects() {}

    private static boolean vector(Op op) {
        String owner = op.owner() == null ? "" : op.owner().getPackageName();
        return owner.equals(SIMD) || owner.equals(FPU) || op.kind() == Op.Kind.LANES;
    }

    /** Whether it changes no more than a bit of EFLAGS that is no arithmetic flag, or nothing: CLI, STAC, CLAC, SERIALIZE. */
    private static boolean plain(Op op) {
        return op.owner() == SystemOps.class
                && switch (op.method()) {
                    case "cli", "stac", "clac", "serialize" -> true;
                    default -> false;
                };
    }

    /** Whether it changes the tag with which data are found in the TLB. */
    static boolean changesTag(Insn i) {
        return plain(i.op) && i.op.method().endsWith("ac");
    }

    /** Whether it may write XMM registers. */
    static boolean writesVectors(Insn i) {
        Op op = i.op;
        return op.kind() == Op.Kind.LANES
                || op.vectorForm() != Op.VectorForm.NONE
                || op.owner() == null
                || op.owner().getPackageName().equals(SIMD);
    }

    /** Whether it may change MXCSR, the control word of the x87, or the control bits of either. */
    static boolean changesReadiness(Insn i) {
        Op op = i.op;
        return op.owner() != MulDiv.class && op.kind() != Op.Kind.LANES && !plain(op);
    }

    /**
     * General registers that it may write.
     *
     * @param i an instruction with a state method
     * @return bit mask
     */
    static int registersWritten(Insn i) {
        Op op = i.op;
        if (op.owner() == MulDiv.class) {
            return 1 << Cpu.RAX | 1 << Cpu.RDX;
        }
        if (op.kind() == Op.Kind.STATE && op.registersWritten() != Op.ALL_REGISTERS) {
            return op.registersWritten() | destination(i);
        }
        if (op.kind() == Op.Kind.LANES) {
            return 0;
        }
        if (!vector(op) || op.operands().isEmpty()) {
            return Op.ALL_REGISTERS;
        }
        return destination(i) | (op.mnemonic().contains("cmp") && op.mnemonic().endsWith("i") ? 1 << Cpu.RCX : 0);
    }

    private static int destination(Insn i) {
        if (i.op.operands().isEmpty()) {
            return 0;
        }
        Operand o = i.op.operands().get(0);
        return switch (o) {
            case Gb, Gw, Gd, Gq, Gv, Gy -> 1 << (i.reg & 15);
            case Eb, Ew, Ed, Eq, Ev, Ey, Ry -> i.mem ? 0 : 1 << (i.rm & 15);
            case By -> 1 << (i.vvvv & 15);
            case AL, rAX -> 1 << Cpu.RAX;
            default -> 0;
        };
    }

    /** Whether the run loop may have to look at something afterwards: a store into code or MMIO, a change of mode. */
    static boolean mayStop(Insn i) {
        Op op = i.op;
        if (op.owner() == MulDiv.class || plain(op)) {
            return false;
        }
        // A load cannot ask for anything: where it has to leave, it throws. MASKMOVQ and MASKMOVDQU store to RDI.
        return !(vector(op)
                && !op.mnemonic().contains("maskmov")
                && (!i.mem
                        || op.kind() == Op.Kind.LANES
                        || !op.operands().get(0).mayBeMemory()));
    }
}
