package org.softkvm.emulator.translate;

import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.decode.Operand;
import org.softkvm.emulator.simd.Arithmetic;
import org.softkvm.emulator.simd.Moves;

/**
 * Emits the SSE instructions that compilers use most: moves, lane-wise integer operations, and double arithmetic where
 * nothing special can come of it. Registers stay in their array. What is not ordinary (a denormal, a NaN, an overflow,
 * another rounding mode, SSE switched off) leaves in front of the instruction.
 */
final class VectorEmitter {
    private static final int ADDRESS = 0;
    private static final int SECOND = 5;
    private static final int A = 6;
    private static final int B = 7;
    private static final int RESULT = 8;

    private final Code c;
    private final int address;

    VectorEmitter(Code c) {
        this.c = c;
        address = c.temporary(ADDRESS);
    }

    /** Whether an instruction is emitted in place. */
    static boolean inlined(Insn i) {
        Op op = i.op;
        if (op.vectorForm() != Op.VectorForm.NONE || i.vectorLength != 0) {
            return false;
        }
        if (op.kind() == Op.Kind.LANES) {
            return op.operands().get(0) == Operand.V;
        }
        if (op.kind() != Op.Kind.STATE) {
            return false;
        }
        if (op.owner() == Arithmetic.class) {
            return switch (op.method()) {
                case "sd", "pd" -> operation(i) != null;
                default -> false;
            };
        }
        return op.owner() == Moves.class
                && switch (op.method()) {
                    case "loadAligned", "loadUnaligned", "storeAligned", "storeUnaligned" -> true;
                    case "loadSd", "storeSd", "loadQ", "storeQ", "loadLow", "storeLow", "loadHigh", "storeHigh" -> true;
                    default -> false;
                };
    }

    /** The helper of a double operation, or null where it has none. */
    private static String operation(Insn i) {
        return switch (i.opcode) {
            case 0x51 -> "root";
            case 0x58 -> "add";
            case 0x59 -> "mul";
            case 0x5C -> "sub";
            case 0x5E -> "div";
            default -> null;
        };
    }

    void emit(Insn i) {
        Op op = i.op;
        if (op.kind() == Op.Kind.LANES) {
            ready("sseReady");
            source128(i, true);
            for (int half = 0; half < 2; half++) {
                c.array("V");
                c.intConstant(4 * i.reg + half);
                lane(i.reg, half);
                c.loadLong(c.temporary(half == 0 ? A : B));
                c.m.visitMethodInsn(
                        Opcodes.INVOKESTATIC, Type.getInternalName(op.owner()), op.method(), "(JJ)J", false);
                c.op(Opcodes.LASTORE);
            }
            return;
        }
        if (op.owner() == Arithmetic.class) {
            arithmetic(i);
            return;
        }
        ready("sseReady");
        switch (op.method()) {
            case "loadAligned", "loadUnaligned" -> {
                source128(i, op.method().equals("loadAligned"));
                set(i.reg, 0, A);
                set(i.reg, 1, B);
            }
            case "storeAligned", "storeUnaligned" -> store128(i, op.method().equals("storeAligned"));
            case "loadSd" -> {
                source64(i);
                set(i.reg, 0, A);
                if (i.mem) {
                    clear(i.reg);
                }
            }
            case "loadQ" -> {
                source64(i);
                set(i.reg, 0, A);
                clear(i.reg);
            }
            case "loadLow" -> {
                if (i.mem) {
                    source64(i);
                } else {
                    keep(i.rm, 1, A);
                }
                set(i.reg, 0, A);
            }
            case "loadHigh" -> {
                source64(i);
                set(i.reg, 1, A);
            }
            default -> {
                int half = op.method().equals("storeHigh") ? 1 : 0;
                if (i.mem) {
                    c.address(i, 8, true, address);
                    c.check(address, 8, true);
                    lane(i.reg, half);
                    c.store(address, 8);
                } else {
                    keep(i.reg, 0, A);
                    set(i.rm, 0, A);
                    if (op.method().equals("storeQ")) {
                        clear(i.rm);
                    }
                }
            }
        }
    }

    private void arithmetic(Insn i) {
        String operation = operation(i);
        boolean packed = i.op.method().equals("pd");
        ready("doublesReady");
        if (packed) {
            source128(i, true);
        } else {
            source64(i);
        }
        int lanes = packed ? 2 : 1;
        // All lanes are computed and looked at before the first is written.
        for (int half = 0; half < lanes; half++) {
            int b = c.temporary(half == 0 ? A : B);
            lane(i.reg, half);
            c.loadLong(b);
            c.support(operation, "(JJ)J");
            c.storeLong(c.temporary(RESULT + half));
            lane(i.reg, half);
            c.loadLong(b);
            c.loadLong(c.temporary(RESULT + half));
            c.support(operation + "Ordinary", "(JJJ)Z");
            c.m.visitJumpInsn(Opcodes.IFEQ, c.sideExit());
        }
        for (int half = 0; half < lanes; half++) {
            set(i.reg, half, RESULT + half);
        }
    }

    /** Leaves in front of the instruction where SSE cannot be used plainly. */
    private void ready(String test) {
        c.cpu();
        c.support(test, "(L" + Code.CPU + ";)Z");
        c.m.visitJumpInsn(Opcodes.IFEQ, c.sideExit());
    }

    /** Pushes half a register. */
    private void lane(int n, int half) {
        c.array("V");
        c.intConstant(4 * n + half);
        c.op(Opcodes.LALOAD);
    }

    private void keep(int n, int half, int temporary) {
        lane(n, half);
        c.storeLong(c.temporary(temporary));
    }

    private void set(int n, int half, int temporary) {
        c.array("V");
        c.intConstant(4 * n + half);
        c.loadLong(c.temporary(temporary));
        c.op(Opcodes.LASTORE);
    }

    private void clear(int n) {
        c.array("V");
        c.intConstant(4 * n + 1);
        c.op(Opcodes.LCONST_0);
        c.op(Opcodes.LASTORE);
    }

    private void source64(Insn i) {
        if (i.mem) {
            c.address(i, 8, false, address);
            c.check(address, 8, false);
            c.load(address, 8, false);
            c.storeLong(c.temporary(A));
        } else {
            keep(i.rm, 0, A);
        }
    }

    private void aligned() {
        c.loadLong(address);
        c.longConstant(15);
        c.op(Opcodes.LAND);
        c.op(Opcodes.LCONST_0);
        c.op(Opcodes.LCMP);
        c.m.visitJumpInsn(Opcodes.IFNE, c.sideExit());
    }

    private void second() {
        c.loadLong(address);
        c.longConstant(8);
        c.op(Opcodes.LADD);
        c.storeLong(c.temporary(SECOND));
        c.sameKey(address, c.temporary(SECOND));
    }

    private void source128(Insn i, boolean aligned) {
        if (i.mem) {
            c.address(i, 16, false, address);
            if (aligned) {
                aligned();
            }
            c.check(address, 16, false);
            c.load(address, 8, false);
            c.storeLong(c.temporary(A));
            second();
            c.load(c.temporary(SECOND), 8, false);
            c.storeLong(c.temporary(B));
        } else {
            keep(i.rm, 0, A);
            keep(i.rm, 1, B);
        }
    }

    private void store128(Insn i, boolean aligned) {
        if (!i.mem) {
            keep(i.reg, 0, A);
            keep(i.reg, 1, B);
            set(i.rm, 0, A);
            set(i.rm, 1, B);
            return;
        }
        c.address(i, 16, true, address);
        if (aligned) {
            aligned();
        }
        c.check(address, 16, true);
        lane(i.reg, 0);
        c.store(address, 8);
        second();
        lane(i.reg, 1);
        c.store(c.temporary(SECOND), 8);
    }
}
