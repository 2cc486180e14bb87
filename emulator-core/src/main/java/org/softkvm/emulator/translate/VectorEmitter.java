package org.softkvm.emulator.translate;

import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.decode.Operand;
import org.softkvm.emulator.simd.Moves;
import org.softkvm.emulator.simd.Shuffles;

/**
 * Emits the SSE instructions that compilers use most, arithmetic aside: moves, lane-wise integer operations, shuffles and
 * shifts by constants. Where SSE is switched off, control leaves in front of the instruction.
 */
final class VectorEmitter {
    private static final int ADDRESS = 0;
    /** Temporaries of a memory operand: its low and high half. */
    static final int A = 1;

    static final int B = 2;
    private static final int SECOND = 5;
    private static final int RESULT = 8;

    private static final long LOW = 0xFFFFFFFFL;

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
        if (op.owner() == Shuffles.class) {
            return switch (op.method()) {
                case "punpckldq", "punpcklqdq", "punpckhdq", "punpckhqdq" -> true;
                case "pshufd", "shufps", "shufpd", "shiftImmediate", "pslldq", "psrldq" -> true;
                case "pmovmskb", "movmskpd" -> true;
                default -> false;
            };
        }
        return op.owner() == Moves.class && !op.method().equals("storeGeneral");
    }

    void emit(Insn i) {
        Op op = i.op;
        c.sse();
        if (op.kind() == Op.Kind.LANES) {
            lanes(i);
        } else if (op.owner() == Shuffles.class) {
            shuffle(i);
        } else {
            move(i);
        }
    }

    private void lanes(Insn i) {
        boolean logic = i.op.method().equals("pxor");
        if (logic && !i.mem && i.rm == i.reg) {
            // The idiom that clears a register.
            c.clear(2 * i.reg);
            c.clear(2 * i.reg + 1);
            return;
        }
        if (i.mem) {
            load128(i, true);
        }
        for (int half = 0; half < 2; half++) {
            c.pushLong(2 * i.reg + half);
            pushSource(i, half);
            switch (i.op.method()) {
                case "pxor" -> c.op(Opcodes.LXOR);
                case "pand" -> c.op(Opcodes.LAND);
                case "por" -> c.op(Opcodes.LOR);
                case "paddq" -> c.op(Opcodes.LADD);
                case "psubq" -> c.op(Opcodes.LSUB);
                default ->
                    c.m.visitMethodInsn(
                            Opcodes.INVOKESTATIC, Type.getInternalName(i.op.owner()), i.op.method(), "(JJ)J", false);
            }
            c.popLong(2 * i.reg + half);
        }
    }

    // ---------------------------------------------------------------- moves

    private void move(Insn i) {
        int low = 2 * i.reg;
        int high = low + 1;
        switch (i.op.method()) {
            case "loadAligned", "loadUnaligned" -> {
                if (i.mem) {
                    load128(i, i.op.method().equals("loadAligned"));
                    fromTemporary(low, A);
                    fromTemporary(high, B);
                } else {
                    c.copy(2 * i.rm, low);
                    c.copy(2 * i.rm + 1, high);
                }
            }
            case "storeAligned", "storeUnaligned" -> {
                if (i.mem) {
                    store128(i, i.op.method().equals("storeAligned"));
                } else {
                    c.copy(low, 2 * i.rm);
                    c.copy(high, 2 * i.rm + 1);
                }
            }
            case "loadSd" -> {
                load(i, 8, low);
                if (i.mem) {
                    c.clear(high);
                }
            }
            case "loadQ" -> {
                load(i, 8, low);
                c.clear(high);
            }
            case "loadSs" -> {
                if (i.mem) {
                    load(i, 4, low);
                    c.clear(high);
                } else {
                    mergeLow(2 * i.rm, low);
                }
            }
            case "loadLow" -> {
                if (i.mem) {
                    load(i, 8, low);
                } else {
                    c.copy(2 * i.rm + 1, low);
                }
            }
            case "loadHigh" -> load(i, 8, high);
            case "fromGeneral" -> {
                int size = i.opSize == 8 ? 8 : 4;
                if (i.mem) {
                    load(i, size, low);
                } else {
                    c.register(i.rm);
                    if (size == 4) {
                        c.longConstant(LOW);
                        c.op(Opcodes.LAND);
                    }
                    c.popLong(low);
                }
                c.clear(high);
            }
            case "toGeneral" -> {
                int size = i.opSize == 8 ? 8 : 4;
                if (i.mem) {
                    store(i, size, low);
                } else {
                    c.pushLong(low);
                    c.setRegister(i.rm, size);
                }
            }
            case "storeSs" -> {
                if (i.mem) {
                    store(i, 4, low);
                } else {
                    mergeLow(low, 2 * i.rm);
                }
            }
            case "storeHigh" -> store(i, 8, high);
            default -> {
                if (i.mem) {
                    store(i, 8, low);
                } else {
                    c.copy(low, 2 * i.rm);
                    if (i.op.method().equals("storeQ")) {
                        c.clear(2 * i.rm + 1);
                    }
                }
            }
        }
    }

    /** Replaces the low 32 bits of half a register. */
    private void mergeLow(int from, int to) {
        if (from == to) {
            return;
        }
        c.pushLong(from);
        c.longConstant(LOW);
        c.op(Opcodes.LAND);
        c.pushLong(to);
        c.longConstant(~LOW);
        c.op(Opcodes.LAND);
        c.op(Opcodes.LOR);
        c.popLong(to);
        c.tameSingles |= (c.tameSingles >> from & 1) << to;
    }

    private void fromTemporary(int half, int temporary) {
        c.loadLong(c.temporary(temporary));
        c.popLong(half);
    }

    /** Loads a memory operand into {@link #A}, zero-extended. */
    void load(Insn i, int size) {
        c.address(i, size, false, address);
        c.check(address, size, false);
        c.load(address, size, false);
        c.storeLong(c.temporary(A));
    }

    /** Loads a memory operand, or the low half of the source register, to half a register. */
    private void load(Insn i, int size, int half) {
        if (i.mem) {
            c.address(i, size, false, address);
            c.check(address, size, false);
            c.load(address, size, false);
            c.popLong(half);
        } else {
            c.copy(2 * i.rm, half);
        }
    }

    private void store(Insn i, int size, int half) {
        c.address(i, size, true, address);
        c.check(address, size, true);
        c.pushLong(half);
        c.store(address, size);
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

    /** Loads a memory operand of 128 bits into {@link #A} and {@link #B}. */
    void load128(Insn i, boolean aligned) {
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
    }

    private void store128(Insn i, boolean aligned) {
        c.address(i, 16, true, address);
        if (aligned) {
            aligned();
        }
        c.check(address, 16, true);
        c.pushLong(2 * i.reg);
        c.store(address, 8);
        second();
        c.pushLong(2 * i.reg + 1);
        c.store(c.temporary(SECOND), 8);
    }

    // ---------------------------------------------------------------- shuffles

    /** Pushes half of the source: of a register, or of the memory operand that was loaded. */
    private void pushSource(Insn i, int half) {
        if (i.mem) {
            c.loadLong(c.temporary(half == 0 ? A : B));
        } else {
            c.pushLong(2 * i.rm + half);
        }
    }

    private void shift(int opcode, int count) {
        if (count != 0) {
            c.intConstant(count);
            c.op(opcode);
        }
    }

    /** Pushes one of the four parts of a register or of the source, at the lower or upper place of a half. */
    private void dword(Insn i, boolean source, int part, boolean upper) {
        if (source) {
            pushSource(i, part >> 1);
        } else {
            c.pushLong(2 * i.reg + (part >> 1));
        }
        boolean at = (part & 1) != 0;
        if (upper && at) {
            c.longConstant(~LOW);
            c.op(Opcodes.LAND);
        } else if (upper) {
            shift(Opcodes.LSHL, 32);
        } else if (at) {
            shift(Opcodes.LUSHR, 32);
        } else {
            c.longConstant(LOW);
            c.op(Opcodes.LAND);
        }
    }

    /** Stores two results: the low one from its temporary, the high one from the stack. */
    private void both(int n) {
        c.popLong(2 * n + 1);
        c.loadLong(c.temporary(RESULT));
        c.popLong(2 * n);
    }

    private void shuffle(Insn i) {
        int low = 2 * i.reg;
        int high = low + 1;
        int order = (int) i.imm & 0xFF;
        String method = i.op.method();
        boolean loads = i.mem;
        if (loads) {
            load128(i, true);
        }
        switch (method) {
            case "punpcklqdq" -> {
                pushSource(i, 0);
                c.popLong(high);
            }
            case "punpckhqdq" -> {
                pushSource(i, 1);
                c.storeLong(c.temporary(RESULT));
                c.copy(high, low);
                fromTemporary(high, RESULT);
            }
            case "punpckldq", "punpckhdq" -> {
                int first = method.equals("punpckldq") ? 0 : 2;
                dword(i, false, first, false);
                dword(i, true, first, true);
                c.op(Opcodes.LOR);
                c.storeLong(c.temporary(RESULT));
                dword(i, false, first + 1, false);
                dword(i, true, first + 1, true);
                c.op(Opcodes.LOR);
                both(i.reg);
            }
            case "pshufd", "shufps" -> {
                boolean one = method.equals("pshufd");
                dword(i, one, order & 3, false);
                dword(i, one, order >> 2 & 3, true);
                c.op(Opcodes.LOR);
                c.storeLong(c.temporary(RESULT));
                dword(i, true, order >> 4 & 3, false);
                dword(i, true, order >> 6 & 3, true);
                c.op(Opcodes.LOR);
                both(i.reg);
            }
            case "shufpd" -> {
                c.pushLong(low + (order & 1));
                c.storeLong(c.temporary(RESULT));
                pushSource(i, order >> 1 & 1);
                both(i.reg);
            }
            case "shiftImmediate" -> {
                for (int half = 0; half < 2; half++) {
                    c.pushLong(2 * i.rm + half);
                    c.longConstant(order);
                    c.m.visitMethodInsn(
                            Opcodes.INVOKESTATIC, "org/softkvm/emulator/simd/Lanes", i.op.mnemonic(), "(JJ)J", false);
                    c.popLong(2 * i.rm + half);
                }
            }
            case "pslldq", "psrldq" -> bytes(i, Math.min(order, 16) * 8, method.equals("pslldq"));
            case "pmovmskb" -> {
                mask(i, 0);
                mask(i, 1);
                c.intConstant(8);
                c.op(Opcodes.ISHL);
                c.op(Opcodes.IOR);
                c.op(Opcodes.I2L);
                c.setRegisterClean(i.reg, 4);
            }
            default -> {
                // MOVMSKPD
                c.pushLong(2 * i.rm);
                shift(Opcodes.LUSHR, 63);
                c.pushLong(2 * i.rm + 1);
                shift(Opcodes.LUSHR, 63);
                shift(Opcodes.LSHL, 1);
                c.op(Opcodes.LOR);
                c.setRegisterClean(i.reg, 4);
            }
        }
    }

    private void mask(Insn i, int half) {
        c.pushLong(2 * i.rm + half);
        c.m.visitMethodInsn(Opcodes.INVOKESTATIC, Type.getInternalName(Shuffles.class), "byteMask", "(J)I", false);
    }

    /** Shifts the whole register by a number of bits that is a multiple of 8. */
    private void bytes(Insn i, int n, boolean left) {
        int low = 2 * i.rm;
        int near = left ? low : low + 1;
        int far = left ? low + 1 : low;
        int towards = left ? Opcodes.LSHL : Opcodes.LUSHR;
        if (n == 0) {
            return;
        }
        if (n == 128) {
            c.clear(near);
            c.clear(far);
            return;
        }
        c.pushLong(near);
        if (n >= 64) {
            shift(towards, n - 64);
            c.popLong(far);
            c.clear(near);
            return;
        }
        shift(left ? Opcodes.LUSHR : Opcodes.LSHL, 64 - n);
        c.pushLong(far);
        shift(towards, n);
        c.op(Opcodes.LOR);
        c.popLong(far);
        c.pushLong(near);
        shift(towards, n);
        c.popLong(near);
    }
}
