package org.softkvm.emulator.translate;

import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.decode.Operand;
import org.softkvm.emulator.simd.Vex;
import org.softkvm.emulator.simd.VexMoves;
import org.softkvm.emulator.simd.VexPermutes;

/** Emits AVX instructions of narrow regions as calls of {@link GuestVector}. */
final class VexEmitter {
    private static final String VECTOR = Type.getInternalName(GuestVector.class);
    private static final int ADDRESS = 0;

    private final Code c;
    private final int address;

    VexEmitter(Code c) {
        this.c = c;
        address = c.temporary(ADDRESS);
    }

    /** Whether an instruction is emitted in a narrow region. */
    static boolean inlined(Insn i) {
        Op op = i.op;
        if (op.vectorForm() == Op.VectorForm.LANES) {
            var o = op.operands();
            return o.size() == 3
                    && o.get(0) == Operand.V
                    && o.get(1) == Operand.H
                    && o.get(2) == Operand.W
                    && switch (op.vectorMethod()) {
                        case "pxor", "pand", "por", "pcmpeqb", "pminub" -> true;
                        default -> false;
                    };
        }
        if (op.kind() != Op.Kind.STATE || op.vectorForm() != Op.VectorForm.NONE) {
            return false;
        }
        String method = op.method();
        if (op.owner() == VexMoves.class) {
            return switch (method) {
                case "load", "loadAligned", "store", "storeAligned" -> true;
                case "broadcast8" -> !i.mem;
                default -> false;
            };
        }
        return op.owner() == Vex.class && method.equals("vzeroupper")
                || op.owner() == VexPermutes.class && method.equals("pmovmskb");
    }

    private void call(String name, String result) {
        c.m.visitMethodInsn(Opcodes.INVOKESTATIC, VECTOR, name, "(L" + Code.CPU + ";I)" + result, false);
    }

    private void linear(Insn i, boolean write) {
        c.address(i, i.vectorLength, write, address);
    }

    private void load(int operands) {
        c.cpu();
        c.loadLong(address);
        c.intConstant(operands);
        c.intConstant(c.site());
        c.m.visitMethodInsn(Opcodes.INVOKESTATIC, VECTOR, "load", "(L" + Code.CPU + ";JII)V", false);
    }

    private void aligned(Insn i) {
        c.loadLong(address);
        c.longConstant(i.vectorLength - 1);
        c.op(Opcodes.LAND);
        c.op(Opcodes.LCONST_0);
        c.op(Opcodes.LCMP);
        c.m.visitJumpInsn(Opcodes.IFNE, c.sideExit());
    }

    void emit(Insn i) {
        c.vex();
        boolean lanes = i.op.vectorForm() == Op.VectorForm.LANES;
        String method = lanes ? i.op.vectorMethod() : i.op.method();
        if (i.mem) {
            boolean write = method.startsWith("store");
            linear(i, write);
            if (method.endsWith("Aligned")) {
                aligned(i);
            }
            int register = GuestVector.operands(i.reg, 0, 0, i.vectorLength);
            if (write) {
                c.cpu();
                c.loadLong(address);
                c.intConstant(register);
                c.m.visitMethodInsn(Opcodes.INVOKESTATIC, VECTOR, "store", "(L" + Code.CPU + ";JI)Z", false);
                c.m.visitJumpInsn(Opcodes.IFNE, c.sideExit());
                return;
            }
            load(lanes ? GuestVector.scratch(i.vectorLength) : register);
            if (!lanes) {
                return;
            }
        }
        c.cpu();
        switch (method) {
            case "load", "loadAligned" -> {
                c.intConstant(GuestVector.operands(i.reg, 0, i.rm, i.vectorLength));
                call("move", "V");
            }
            case "store", "storeAligned" -> {
                c.intConstant(GuestVector.operands(i.rm, 0, i.reg, i.vectorLength));
                call("move", "V");
            }
            case "vzeroupper" -> {
                c.op(Opcodes.ICONST_0);
                call(method, "V");
            }
            case "pmovmskb" -> {
                c.intConstant(GuestVector.operands(0, 0, i.rm, i.vectorLength));
                call(method, "J");
                c.setRegisterClean(i.reg, 4);
            }
            default -> {
                c.intConstant(GuestVector.operands(i.reg, i.vvvv, i.mem ? Vex.SOURCE : i.rm, i.vectorLength));
                call(method, "V");
            }
        }
    }
}
