package org.softkvm.emulator.translate;

import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.fpu.X87;
import org.softkvm.emulator.fpu.X87Direct;

/**
 * Emits x87 instructions as calls that leave everything else where it is: while all exceptions are masked they cannot
 * fault, and their memory operands are read and written by the region, so no register has to be spilled for them. Where
 * one could fault, control leaves in front of it.
 */
final class X87Emitter {
    private static final String DIRECT = Type.getInternalName(X87Direct.class);

    private static final int ADDRESS = 0;
    private static final int OFFSET = 2;
    private static final int VALUE = 5;
    private static final int SECOND = 6;

    private final Code c;
    private final int address;

    X87Emitter(Code c) {
        this.c = c;
        address = c.temporary(ADDRESS);
    }

    /** Whether an instruction is emitted in place. */
    static boolean inlined(Insn i) {
        Op op = i.op;
        if (op.kind() != Op.Kind.STATE || op.owner() != X87.class) {
            return false;
        }
        return switch (op.method()) {
            case "arithmeticSt0", "arithmeticSti", "arithmeticPop", "fld", "constant", "fst", "fstp", "fxch" -> true;
            case "fcom", "fcomp", "fcompp", "fucom", "fucomp", "fucompp", "ftst", "fxam" -> true;
            case "fcomi", "fcomip", "fucomi", "fucomip", "fchs", "fabs", "fsqrt", "frndint", "fscale" -> true;
            case "ffree", "fincstp", "fdecstp" -> true;
            default -> size(i) != 0;
        };
    }

    /** Bytes of the memory operand of an emitted instruction, or 0. */
    private static int size(Insn i) {
        return switch (i.op.method()) {
            case "arithmeticI16", "fildI16", "fistI16", "fistpI16" -> 2;
            case "arithmeticM32", "arithmeticI32", "fcomM32", "fldM32", "fildI32" -> 4;
            case "fstM32", "fstpM32", "fistI32", "fistpI32" -> 4;
            case "arithmeticM64", "fcomM64", "fldM64", "fildI64", "fstM64", "fstpM64", "fistpI64" -> 8;
            case "fldM80", "fstpM80" -> 10;
            default -> 0;
        };
    }

    private static boolean stores(Insn i) {
        return i.op.method().startsWith("fst") || i.op.method().startsWith("fist");
    }

    void emit(Insn i) {
        c.x87();
        int size = size(i);
        if (size == 0) {
            c.cpu();
            c.insn();
            c.m.visitMethodInsn(Opcodes.INVOKESTATIC, Type.getInternalName(X87.class), i.op.method(), Code.EXEC, false);
            if (i.op.flagsWritten() != 0) {
                c.flagsWritten();
            }
            return;
        }
        int offset = c.temporary(OFFSET);
        c.address(i, size, stores(i), address, offset);
        // The last bytes of 16 are not touched: what crosses a page there leaves for nothing, but rarely.
        c.check(address, size == 10 ? 16 : size, stores(i));
        if (stores(i)) {
            c.cpu();
            c.insn();
            c.loadLong(offset);
            c.m.visitMethodInsn(
                    Opcodes.INVOKESTATIC, DIRECT, i.op.method(), "(L" + Code.CPU + ";L" + Code.INSN + ";J)J", false);
            c.store(address, size == 10 ? 8 : size);
            if (size == 10) {
                c.cpu();
                c.m.visitMethodInsn(Opcodes.INVOKESTATIC, DIRECT, "high", "(L" + Code.CPU + ";)J", false);
                second();
                c.store(c.temporary(SECOND), 2);
            }
            return;
        }
        int value = c.temporary(VALUE);
        c.load(address, size == 10 ? 8 : size, false);
        c.storeLong(value);
        c.cpu();
        c.insn();
        c.loadLong(value);
        if (size == 10) {
            second();
            c.load(c.temporary(SECOND), 2, false);
        }
        c.loadLong(offset);
        c.m.visitMethodInsn(
                Opcodes.INVOKESTATIC,
                DIRECT,
                i.op.method(),
                "(L" + Code.CPU + ";L" + Code.INSN + ";" + (size == 10 ? "JJJ" : "JJ") + ")V",
                false);
    }

    private void second() {
        c.loadLong(address);
        c.longConstant(8);
        c.op(Opcodes.LADD);
        c.storeLong(c.temporary(SECOND));
        c.sameKey(address, c.temporary(SECOND));
    }
}
