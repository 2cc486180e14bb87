package org.softkvm.emulator.translate;

import org.objectweb.asm.Label;
import org.objectweb.asm.Opcodes;
import org.softkvm.emulator.cpu.Flags;

/** Emits conditions over the lazy flags: as plain comparisons where the last setter is known and it is that easy. */
final class Conditions {
    private static final String FLAGS = org.objectweb.asm.Type.getInternalName(Flags.class);

    private Conditions() {}

    /** Pushes whether a condition holds, as a boolean. No label: what resident code has in locals stays there. */
    static void push(Code c, int condition) {
        int kind = c.knownFlags & ~3;
        int size = c.knownFlags & 3;
        if (c.knownFlags >= 0 && kind == Flags.SUB && order(condition) >= 0) {
            operands(c, size, unsigned(condition));
            c.support(NAMES[order(condition) - Opcodes.IFEQ], size < 3 ? "(II)Z" : "(JJ)Z");
        } else if (c.knownFlags >= 0 && sign(kind, condition) >= 0) {
            result(c, kind, size);
            c.op(size < 3 ? Opcodes.ICONST_0 : Opcodes.LCONST_0);
            c.support(NAMES[sign(kind, condition) - Opcodes.IFEQ], size < 3 ? "(II)Z" : "(JJ)Z");
        } else {
            flag(c, condition);
            if ((condition & 1) != 0) {
                c.op(Opcodes.ICONST_1);
                c.op(Opcodes.IXOR);
            }
        }
    }

    /** Jumps where a condition holds. */
    static void jump(Code c, int condition, Label target) {
        int kind = c.knownFlags & ~3;
        int size = c.knownFlags & 3;
        if (c.knownFlags >= 0 && kind == Flags.SUB && order(condition) >= 0) {
            compare(c, condition, size, target);
        } else if (c.knownFlags >= 0 && sign(kind, condition) >= 0) {
            result(c, kind, size);
            if (size == 3) {
                c.op(Opcodes.LCONST_0);
                c.op(Opcodes.LCMP);
            }
            c.m.visitJumpInsn(sign(kind, condition), target);
        } else {
            flag(c, condition);
            c.m.visitJumpInsn((condition & 1) != 0 ? Opcodes.IFEQ : Opcodes.IFNE, target);
        }
    }

    /** Helpers that compare, in the order of IFEQ and what follows. */
    private static final String[] NAMES = {"eq", "ne", "lt", "ge", "gt", "le"};

    /** Pushes what the even one of a pair of conditions asks. */
    private static void flag(Code c, int condition) {
        c.loadFlags();
        if (condition >> 1 == 1) {
            c.support("carry", "(IJJ)I");
            return;
        }
        String name = switch (condition >> 1) {
            case 0 -> "of";
            case 2 -> "zf";
            case 3 -> "be";
            case 4 -> "sf";
            case 5 -> "pf";
            case 6 -> "lt";
            default -> "le";
        };
        c.m.visitMethodInsn(Opcodes.INVOKESTATIC, FLAGS, name, "(IJJ)Z", false);
    }

    private static boolean unsigned(int condition) {
        return condition < 4 || condition == 6 || condition == 7;
    }

    /** How the operands of CMP or SUB compare where a condition holds, as IFEQ and the like; -1 for other conditions. */
    private static int order(int condition) {
        // b, ae, e, ne, be, a, l, ge, le, g
        return switch (condition) {
            case 2, 12 -> Opcodes.IFLT;
            case 3, 13 -> Opcodes.IFGE;
            case 4 -> Opcodes.IFEQ;
            case 5 -> Opcodes.IFNE;
            case 6, 14 -> Opcodes.IFLE;
            case 7, 15 -> Opcodes.IFGT;
            default -> -1;
        };
    }

    /** How a result compares with 0 where a condition holds, as IFEQ and the like; -1 where it does not tell. */
    private static int sign(int kind, int condition) {
        boolean logic = kind == Flags.LOGIC;
        return switch (condition) {
            case 4, 5, 8, 9 ->
                switch (kind) {
                    case Flags.ADD, Flags.SUB, Flags.LOGIC, Flags.INC, Flags.DEC, Flags.SHL, Flags.SHR, Flags.SAR ->
                        condition == 4
                                ? Opcodes.IFEQ
                                : condition == 5 ? Opcodes.IFNE : condition == 8 ? Opcodes.IFLT : Opcodes.IFGE;
                    default -> -1;
                };
            case 6 -> logic ? Opcodes.IFEQ : -1;
            case 7 -> logic ? Opcodes.IFNE : -1;
            case 12 -> logic ? Opcodes.IFLT : -1;
            case 13 -> logic ? Opcodes.IFGE : -1;
            case 14 -> logic ? Opcodes.IFLE : -1;
            case 15 -> logic ? Opcodes.IFGT : -1;
            default -> -1;
        };
    }

    /** Pushes the result that a known operation had: a long, or an int where it is shorter than 64 bits. */
    private static void result(Code c, int kind, int size) {
        c.loadFa();
        int opcode = switch (kind) {
            case Flags.ADD -> Opcodes.LADD;
            case Flags.SUB -> Opcodes.LSUB;
            case Flags.SHL -> Opcodes.LSHL;
            // What they shift was recorded zero-extended and sign-extended.
            case Flags.SHR -> Opcodes.LUSHR;
            case Flags.SAR -> Opcodes.LSHR;
            default -> Opcodes.NOP;
        };
        if (opcode != Opcodes.NOP) {
            c.loadFb();
            if (kind == Flags.SHL || kind == Flags.SHR || kind == Flags.SAR) {
                c.op(Opcodes.L2I);
            }
            c.op(opcode);
        }
        if (size < 3) {
            narrow(c, size);
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

    /** Pushes the operands of CMP or SUB, to be compared with a sign. */
    private static void operands(Code c, int size, boolean unsigned) {
        c.loadFa();
        cut(c, size, unsigned);
        c.loadFb();
        cut(c, size, unsigned);
    }

    /** After CMP or SUB: the operands compared. */
    private static void compare(Code c, int condition, int size, Label target) {
        // HotSpot's fast compiler makes calls of the unsigned comparisons: with the highest bit turned they are signed.
        boolean calls = unsigned(condition) && !c.resident;
        int jump = order(condition);
        operands(c, size, unsigned(condition) && !calls);
        if (size < 3) {
            if (calls) {
                c.m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Integer", "compareUnsigned", "(II)I", false);
                c.m.visitJumpInsn(jump, target);
            } else {
                // IF_ICMPxx has the order of IFxx.
                c.m.visitJumpInsn(jump - Opcodes.IFEQ + Opcodes.IF_ICMPEQ, target);
            }
        } else {
            if (calls) {
                c.m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Long", "compareUnsigned", "(JJ)I", false);
            } else {
                c.op(Opcodes.LCMP);
            }
            c.m.visitJumpInsn(jump, target);
        }
    }
}
