package org.softkvm.emulator.translate;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.decode.Operand;
import org.softkvm.emulator.exec.Alu;
import org.softkvm.emulator.exec.Bits;
import org.softkvm.emulator.exec.Shift;

/** Which registers the inlined form of an instruction reads and writes; flags are a member of the sets. */
final class RegisterUse {
    private RegisterUse() {}

    private static int general(int n) {
        return n < 0 || n == Cpu.ZERO ? 0 : 1 << n;
    }

    private static int byteRegister(int code) {
        return 1 << (code >= 16 ? code - 16 : code);
    }

    private static int operand(Insn i, Operand o) {
        return switch (o) {
            case Eb -> i.mem ? 0 : byteRegister(i.rm);
            case Ew, Ed, Eq, Ev, Ey -> i.mem ? 0 : general(i.rm);
            case Gb, Zb -> byteRegister(i.reg);
            case Gw, Gd, Gq, Gv, Gy, Zv -> general(i.reg);
            case By -> general(i.vvvv);
            case AL, rAX -> 1 << Cpu.RAX;
            case CL -> 1 << Cpu.RCX;
            default -> 0;
        };
    }

    /** Registers that need a local for an inlined instruction. */
    static long used(Insn i) {
        long set = address(i);
        for (Operand o : i.op.operands()) {
            set |= operand(i, o);
        }
        return set | implicit(i) | flagsRead(i) | written(i);
    }

    private static int address(Insn i) {
        return i.mem ? general(i.base) | general(i.index) : 0;
    }

    private static long flagsRead(Insn i) {
        return switch (i.op.kind()) {
            case JCC, SETCC, CMOV -> Code.FLAGS;
            case STATE ->
                switch (i.op.method()) {
                    case "loope", "loopne", "clc", "stc" -> Code.FLAGS;
                    default -> 0;
                };
            default -> i.op.flagsRead() != 0 ? Code.FLAGS : 0;
        };
    }

    private static int implicit(Insn i) {
        if (i.op.kind() != Op.Kind.STATE) {
            return 0;
        }
        return switch (i.op.method()) {
            case "cbw", "xchgAx" -> 1 << Cpu.RAX;
            case "cwd" -> 1 << Cpu.RAX | 1 << Cpu.RDX;
            case "leave" -> 1 << Cpu.RSP | 1 << Cpu.RBP;
            case "pushReg", "pushImm", "pushRm", "popReg", "call", "callIndirect", "ret" -> 1 << Cpu.RSP;
            case "loop", "loope", "loopne", "jcxz" -> 1 << Cpu.RCX;
            case "mulv", "imulv", "divv" -> 1 << Cpu.RAX | 1 << Cpu.RDX;
            default -> 0;
        };
    }

    /** Registers and flags that an inlined instruction changes in locals. */
    static long written(Insn i) {
        Op op = i.op;
        return switch (op.kind()) {
            case VALUE ->
                (op.writesDestination() ? operand(i, op.operands().get(0)) : 0)
                        | (op.flagOp() >= 0 || (op.flagsWritten() & Flags.ARITH) != 0 ? Code.FLAGS : 0);
            case SETCC, CMOV -> operand(i, op.operands().get(0));
            case STATE ->
                switch (op.method()) {
                    case "lea", "popReg" -> general(i.reg) | (op.method().equals("popReg") ? 1 << Cpu.RSP : 0);
                    case "cbw" -> 1 << Cpu.RAX;
                    case "cwd" -> 1 << Cpu.RDX;
                    case "clc", "stc" -> Code.FLAGS;
                    case "leave" -> 1 << Cpu.RSP | 1 << Cpu.RBP;
                    case "pushReg", "pushImm", "pushRm", "call", "callIndirect", "ret" -> 1 << Cpu.RSP;
                    case "xchgAx" -> 1 << Cpu.RAX | general(i.reg);
                    case "xchgv" -> general(i.rm) | general(i.reg);
                    case "loop", "loope", "loopne" -> 1 << Cpu.RCX;
                    case "mulv", "imulv" -> 1 << Cpu.RAX | 1 << Cpu.RDX | Code.FLAGS;
                    case "divv" -> 1 << Cpu.RAX | 1 << Cpu.RDX;
                    case "pmovmskb", "movmskps", "movmskpd" -> general(i.reg);
                    case "cvtsd2si", "cvttsd2si", "cvtss2si", "cvttss2si" -> general(i.reg);
                    case "toGeneral" -> i.mem ? 0 : general(i.rm);
                    case "comisd", "ucomisd", "comiss", "ucomiss" -> Code.FLAGS;
                    case "fcomi", "fcomip", "fucomi", "fucomip" -> Code.FLAGS;
                    default -> 0;
                };
            default -> 0;
        };
    }

    /** Whether control may leave in front of an instruction, or a method that is called may look at the flags. */
    static boolean mayLeave(Insn i) {
        Op op = i.op;
        if (i.mem && !"lea".equals(op.method()) && !"nop".equals(op.method())) {
            return true;
        }
        return switch (op.kind()) {
            case VALUE, SETCC, CMOV ->
                op.operands().contains(Operand.Ob) || op.operands().contains(Operand.Ov);
            case JCC, JMP -> false;
            case STATE -> !stays(op.method()) && !multiplies(i);
            default -> true;
        };
    }

    /** Inlined state methods that touch registers only, and no flags. */
    private static boolean stays(String method) {
        return switch (method) {
            case "lea", "nop", "cbw", "cwd", "xchgAx", "xchgv" -> true;
            default -> false;
        };
    }

    private static boolean multiplies(Insn i) {
        return BitEmitter.inlined(i) && !i.op.method().equals("divv");
    }

    /** Whether an instruction that {@linkplain #mayLeave does not leave} neither reads nor writes flags. */
    static boolean ignoresFlags(Insn i) {
        Op op = i.op;
        if (op.kind() == Op.Kind.STATE) {
            return stays(op.method());
        }
        return op.kind() == Op.Kind.VALUE
                && (op.owner() == Alu.class || op.owner() == Bits.class)
                && switch (op.method()) {
                    case "mov", "zeroExtend", "signByte", "signWord", "signDword", "not", "bswap" -> true;
                    case "movbe", "rorx", "shlx", "shrx", "sarx" -> true;
                    default -> false;
                };
    }

    /** Whether an instruction sets all arithmetic flags and needs none of the old ones. */
    static boolean setsAllFlags(Insn i) {
        Op op = i.op;
        if (op.kind() != Op.Kind.VALUE) {
            return multiplies(i);
        }
        if (op.owner() == Bits.class) {
            return op.method().equals("tzcnt") || op.method().equals("lzcnt");
        }
        if (op.owner() == Shift.class) {
            return switch (op.method()) {
                case "shl", "shr", "sar", "shld", "shrd" -> constantCount(i) > 0;
                default -> false;
            };
        }
        return op.owner() == Alu.class
                && switch (op.method()) {
                    case "add", "sub", "and", "or", "xor", "neg", "imul", "bsf", "bsr", "popcnt" -> true;
                    default -> false;
                };
    }

    /** The count of a shift or rotate of 32 or 64 bits, by which it shifts; -1 where it is in CL or the operand short. */
    static int constantCount(Insn i) {
        var operands = i.op.operands();
        int size = operands.get(0).size(i.opSize);
        return switch (size < 4 ? Operand.CL : operands.get(operands.size() - 1)) {
            case CL -> -1;
            case One -> 1;
            default -> (int) i.imm & 8 * size - 1;
        };
    }
}
