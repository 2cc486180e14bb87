package org.softkvm.emulator.translate;

import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.decode.Operand;
import org.softkvm.emulator.exec.Alu;
import org.softkvm.emulator.exec.Bits;
import org.softkvm.emulator.exec.MulDiv;
import org.softkvm.emulator.exec.Shift;

/**
 * Emits rotates, double shifts, bit scans, and multiplication and division with implied registers, all of 32 and 64 bits.
 * Their flags are computed by helpers without branches, and only where somebody may look at them.
 */
final class BitEmitter {
    private static final int ADDRESS = 0;
    private static final int RESULT = 4;
    private static final int FIRST = 6;
    private static final int SECOND = 7;

    private final Code c;
    private final IntegerEmitter integer;
    private final int address;
    private final int result;
    private final int first;
    private final int second;

    BitEmitter(Code c, IntegerEmitter integer) {
        this.c = c;
        this.integer = integer;
        address = c.temporary(ADDRESS);
        result = c.temporary(RESULT);
        first = c.temporary(FIRST);
        second = c.temporary(SECOND);
    }

    /** Whether a state row is emitted in place. */
    static boolean inlined(Insn i) {
        return i.op.owner() == MulDiv.class
                && i.opSize >= 4
                && switch (i.op.method()) {
                    case "mulv", "imulv", "divv" -> true;
                    default -> false;
                };
    }

    /**
     * A value row, after the checks of its memory operand.
     *
     * @return false where this is no instruction of this class
     */
    boolean value(Insn i, Operand destination, int size, boolean rmw) {
        Op op = i.op;
        if (size < 4) {
            return false;
        }
        if (op.owner() == Shift.class) {
            return switch (op.method()) {
                case "rol", "ror" -> rotate(i, destination, size, rmw);
                case "shld", "shrd" -> doubleShift(i, destination, size, rmw);
                default -> false;
            };
        }
        if (op.owner() == Alu.class && (op.method().equals("bsf") || op.method().equals("bsr"))) {
            scan(i, destination, size);
            return true;
        }
        if (op.owner() == Bits.class
                && (op.method().equals("tzcnt") || op.method().equals("lzcnt"))) {
            count(i, destination, size);
            return true;
        }
        return false;
    }

    private void raw() {
        c.storeFa();
        c.setFop(Flags.RAW);
    }

    // ---------------------------------------------------------------- rotates, double shifts

    private boolean rotate(Insn i, Operand destination, int size, boolean rmw) {
        int n = RegisterUse.constantCount(i);
        if (n < 0 && !c.flagsDead) {
            // A count of 0 leaves the flags alone.
            return false;
        }
        boolean left = i.op.method().equals("rol");
        integer.raw(i, destination, size, rmw);
        if (n != 0) {
            if (size == 4) {
                c.op(Opcodes.L2I);
            }
            if (n < 0) {
                c.register(Cpu.RCX);
                c.op(Opcodes.L2I);
            } else {
                c.intConstant(n);
            }
            c.m.visitMethodInsn(
                    Opcodes.INVOKESTATIC,
                    size == 4 ? "java/lang/Integer" : "java/lang/Long",
                    left ? "rotateLeft" : "rotateRight",
                    size == 4 ? "(II)I" : "(JI)J",
                    false);
            if (size == 4) {
                c.op(Opcodes.I2L);
            }
        }
        if (n > 0 && !c.flagsDead) {
            c.storeLong(result);
            c.loadLong(result);
            c.intConstant(8 * size - 1);
            c.loadFlags();
            c.support(left ? "leftFlags" : "rightFlags", "(JIIJJ)J");
            raw();
            c.loadLong(result);
        }
        integer.set(i, destination, size);
        return true;
    }

    private boolean doubleShift(Insn i, Operand destination, int size, boolean rmw) {
        int n = RegisterUse.constantCount(i);
        if (n < 0) {
            return false;
        }
        boolean left = i.op.method().equals("shld");
        int bits = 8 * size;
        integer.raw(i, destination, size, rmw);
        if (n == 0) {
            integer.set(i, destination, size);
            return true;
        }
        if (!left) {
            integer.unsigned(size);
        }
        c.storeLong(first);
        c.loadLong(first);
        c.intConstant(n);
        c.op(left ? Opcodes.LSHL : Opcodes.LUSHR);
        integer.raw(i, i.op.operands().get(1), size, false);
        if (left) {
            integer.unsigned(size);
        }
        c.intConstant(bits - n);
        c.op(left ? Opcodes.LUSHR : Opcodes.LSHL);
        c.op(Opcodes.LOR);
        if (!c.flagsDead) {
            c.storeLong(result);
            c.loadLong(result);
            c.loadLong(first);
            c.intConstant(left ? bits - n : n - 1);
            c.intConstant(64 - bits);
            c.support("doubleFlags", "(JJII)J");
            raw();
            c.loadLong(result);
        }
        integer.set(i, destination, size);
        return true;
    }

    // ---------------------------------------------------------------- scans

    private void source(Insn i, int size) {
        integer.raw(i, i.op.operands().get(1), size, false);
        if (!i.mem) {
            integer.unsigned(size);
        }
        c.storeLong(first);
    }

    private void scan(Insn i, Operand destination, int size) {
        source(i, size);
        if (!c.flagsDead) {
            c.loadLong(first);
            c.support("scanFlags", "(J)J");
            raw();
        }
        c.loadLong(first);
        integer.raw(i, destination, size, false);
        c.support(i.op.method(), "(JJ)J");
        integer.set(i, destination, size);
    }

    private void count(Insn i, Operand destination, int size) {
        source(i, size);
        c.loadLong(first);
        c.support(i.op.method() + size, "(J)J");
        if (!c.flagsDead) {
            c.storeLong(result);
            c.loadLong(result);
            c.intConstant(size == 4 ? 5 : 6);
            c.support("countFlags", "(JI)J");
            raw();
            c.loadLong(result);
        }
        integer.set(i, destination, size);
    }

    // ---------------------------------------------------------------- multiplication and division

    /** A row that {@link #inlined} knows. */
    void state(Insn i) {
        int size = i.opSize;
        if (i.mem) {
            c.address(i, size, false, address);
            c.check(address, size, false);
        }
        integer.raw(i, Operand.Ev, size, false);
        boolean signed = i.op.method().equals("imulv");
        extend(size, signed);
        c.storeLong(second);
        if (i.op.method().equals("divv")) {
            divide(size);
            return;
        }
        c.register(Cpu.RAX);
        extend(size, signed);
        c.storeLong(first);
        c.loadLong(first);
        c.loadLong(second);
        c.op(Opcodes.LMUL);
        c.storeLong(result);
        if (size == 8) {
            c.loadLong(first);
            c.loadLong(second);
            c.support(signed ? "signedHigh" : "unsignedHigh", "(JJ)J");
        } else {
            c.loadLong(result);
            c.intConstant(32);
            c.op(Opcodes.LSHR);
        }
        if (!c.flagsDead) {
            c.storeLong(first);
            c.loadLong(first);
            c.loadLong(first);
            if (signed) {
                // No overflow where the high half is nothing but the low half's sign.
                c.loadLong(result);
                if (size == 4) {
                    c.intConstant(32);
                    c.op(Opcodes.LSHL);
                }
                c.intConstant(63);
                c.op(Opcodes.LSHR);
                c.op(Opcodes.LXOR);
            }
            c.support("productFlags", "(JJ)J");
            raw();
            c.loadLong(first);
        }
        c.setRegister(Cpu.RDX, size);
        c.loadLong(result);
        c.setRegister(Cpu.RAX, size);
    }

    private void extend(int size, boolean signed) {
        if (signed) {
            integer.signed(size);
        } else {
            integer.unsigned(size);
        }
    }

    /** DIV by what the second temporary holds. A divide error is the interpreter's. */
    private void divide(int size) {
        c.register(Cpu.RDX);
        integer.unsigned(size);
        c.storeLong(first);
        c.loadLong(first);
        c.loadLong(second);
        c.support("notBelow", "(JJ)Z");
        c.m.visitJumpInsn(Opcodes.IFNE, c.sideExit());
        if (size == 4) {
            c.loadLong(first);
            c.intConstant(32);
            c.op(Opcodes.LSHL);
            c.register(Cpu.RAX);
            integer.unsigned(size);
            c.op(Opcodes.LOR);
            c.storeLong(first);
            c.op(Opcodes.LCONST_0);
            c.loadLong(first);
        } else {
            c.loadLong(first);
            c.register(Cpu.RAX);
            c.storeLong(first);
            c.loadLong(first);
        }
        c.loadLong(second);
        c.m.visitMethodInsn(Opcodes.INVOKESTATIC, Type.getInternalName(MulDiv.class), "quotient", "(JJJ)J", false);
        c.storeLong(result);
        c.loadLong(first);
        c.loadLong(result);
        c.loadLong(second);
        c.op(Opcodes.LMUL);
        c.op(Opcodes.LSUB);
        c.setRegister(Cpu.RDX, size);
        c.loadLong(result);
        c.setRegister(Cpu.RAX, size);
    }
}
