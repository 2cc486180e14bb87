package org.softkvm.emulator.translate;

import org.objectweb.asm.Label;
import org.objectweb.asm.Opcodes;
import org.softkvm.emulator.cpu.Flags;

/** Emits conditions over the lazy flags: as plain comparisons where the last setter is known and it is that easy. */
final class Conditions {
    private static final String FLAGS = org.objectweb.asm.Type.getInternalName(Flags.class);

    private Conditions() {}

    /** Pushes whether a condition holds, as a boolean. */
    static void push(Code c, int condition) {
        c.intConstant(condition);
        c.loadFlags();
        c.m.visitMethodInsn(Opcodes.INVOKESTATIC, FLAGS, "condition", "(IIJJ)Z", false);
    }

    /** Jumps where a condition holds. */
    static void jump(Code c, int condition, Label target) {
        int kind = c.knownFlags & ~3;
        int size = c.knownFlags & 3;
        boolean done = c.knownFlags >= 0
                && switch (kind) {
                    case Flags.SUB -> compare(c, condition, size, target);
                    case Flags.LOGIC -> logic(c, condition, size, target);
                    case Flags.INC, Flags.DEC ->
                        condition >> 1 == 2 || condition >> 1 == 4 ? logic(c, condition, size, target) : false;
                    default -> false;
                };
        if (!done) {
            push(c, condition);
            c.m.visitJumpInsn(Opcodes.IFNE, target);
        }
    }

    /** Cuts the long on the stack to a sign-extended int. */
    private static void narrow(Code c, int size) {
        c.op(Opcodes.L2I);
        if (size == 0) {
            c.op(Opcodes.I2B);
        } else if (size == 1) {
            c.op(Opcodes.I2S);
        }
    }

    private static void cut(Code c, int size, boolean turned) {
        if (size < 3) {
            narrow(c, size);
            if (turned) {
                c.intConstant(Integer.MIN_VALUE);
                c.op(Opcodes.IADD);
            }
        } else if (turned) {
            c.longConstant(Long.MIN_VALUE);
            c.op(Opcodes.LADD);
        }
    }

    /** After CMP or SUB: the operands compared. */
    private static boolean compare(Code c, int condition, int size, Label target) {
        boolean unsigned;
        int jump;
        switch (condition) {
            case 2, 3, 6, 7 -> unsigned = true;
            case 4, 5, 12, 13, 14, 15 -> unsigned = false;
            default -> {
                return false;
            }
        }
        // HotSpot's fast compiler makes calls of the unsigned comparisons: with the highest bit turned they are signed.
        boolean turned = unsigned && c.resident;
        c.loadFa();
        cut(c, size, turned);
        c.loadFb();
        cut(c, size, turned);
        // b, ae, e, ne, be, a, l, ge, le, g
        jump = switch (condition) {
            case 2, 12 -> Opcodes.IFLT;
            case 3, 13 -> Opcodes.IFGE;
            case 4 -> Opcodes.IFEQ;
            case 5 -> Opcodes.IFNE;
            case 6, 14 -> Opcodes.IFLE;
            default -> Opcodes.IFGT;
        };
        if (size < 3) {
            if (unsigned && !turned) {
                c.m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Integer", "compareUnsigned", "(II)I", false);
                c.m.visitJumpInsn(jump, target);
            } else {
                // IF_ICMPxx has the order of IFxx.
                c.m.visitJumpInsn(jump - Opcodes.IFEQ + Opcodes.IF_ICMPEQ, target);
            }
        } else {
            if (unsigned && !turned) {
                c.m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Long", "compareUnsigned", "(JJ)I", false);
            } else {
                c.op(Opcodes.LCMP);
            }
            c.m.visitJumpInsn(jump, target);
        }
        return true;
    }

    /** After AND, OR, XOR, TEST, and for ZF and SF of INC and DEC: the result against 0. */
    private static boolean logic(Code c, int condition, int size, Label target) {
        int jump;
        switch (condition) {
            case 4, 6 -> jump = Opcodes.IFEQ;
            case 5, 7 -> jump = Opcodes.IFNE;
            case 8, 12 -> jump = Opcodes.IFLT;
            case 9, 13 -> jump = Opcodes.IFGE;
            case 14 -> jump = Opcodes.IFLE;
            case 15 -> jump = Opcodes.IFGT;
            default -> {
                return false;
            }
        }
        c.loadFa();
        if (size < 3) {
            narrow(c, size);
        } else {
            c.op(Opcodes.LCONST_0);
            c.op(Opcodes.LCMP);
        }
        c.m.visitJumpInsn(jump, target);
        return true;
    }
}
