package org.softkvm.emulator.translate;

import org.objectweb.asm.Label;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.simd.Arithmetic;
import org.softkvm.emulator.simd.Conversions;

/**
 * Emits arithmetic, compares and conversions of SSE and SSE2. In line stands what {@link FloatSupport} calls tame, as
 * Java's arithmetic and a test of its result, and of operands that are not known to be tame; behind the region's code a
 * call does it for all other values, and the region goes on where they are tame, else leaves behind the instruction.
 */
final class FloatEmitter {
    private static final String SUPPORT = Type.getInternalName(FloatSupport.class);
    private static final String CPU = "L" + Code.CPU + ";";

    private static final int SQRT = 0x51;
    private static final int ADD = 0x58;
    private static final int MUL = 0x59;
    private static final int SUB = 0x5C;
    private static final int MIN = 0x5D;
    private static final int DIV = 0x5E;
    private static final int MAX = 0x5F;

    /** A double is tame where its bits, shifted left by one, plus BIAS64 are less than LIMIT64. */
    private static final long BIAS64 = 0x7FC0_0000_0000_0000L;

    private static final long LIMIT64 = 0x7FA0_0000_0000_0000L;
    /** The same for a single. */
    private static final int BIAS32 = 0x7E00_0000;

    private static final int LIMIT32 = 0x7D00_0000;

    private static final int ADDRESS = 0;
    private static final int RESULT = 8;

    private final Code c;
    private final VectorEmitter vector;

    FloatEmitter(Code c, VectorEmitter vector) {
        this.c = c;
        this.vector = vector;
    }

    /** Whether an instruction is emitted in place. */
    static boolean inlined(Insn i) {
        Op op = i.op;
        if (op.kind() != Op.Kind.STATE || op.vectorForm() != Op.VectorForm.NONE || i.vectorLength != 0) {
            return false;
        }
        if (op.owner() == Arithmetic.class) {
            return switch (op.method()) {
                case "sd", "ss" -> true;
                case "pd" -> i.opcode != MIN && i.opcode != MAX;
                case "ps" -> i.opcode == ADD || i.opcode == SUB || i.opcode == MUL || i.opcode == DIV;
                case "ucomisd", "comisd", "ucomiss", "comiss" -> true;
                default -> false;
            };
        }
        return op.owner() == Conversions.class
                && switch (op.method()) {
                    case "cvtsi2sd", "cvtsi2ss", "cvtss2sd", "cvtsd2ss" -> true;
                    case "cvtsd2si", "cvttsd2si", "cvtss2si", "cvttss2si" -> true;
                    default -> false;
                };
    }

    void emit(Insn i) {
        switch (i.op.method()) {
            case "sd" -> new Scalar(i, true).arithmetic();
            case "ss" -> new Scalar(i, false).arithmetic();
            case "pd", "ps" -> packed(i);
            case "ucomisd", "comisd" -> new Scalar(i, true).compare();
            case "ucomiss", "comiss" -> new Scalar(i, false).compare();
            case "cvtsi2sd" -> fromInteger(i, true);
            case "cvtsi2ss" -> fromInteger(i, false);
            case "cvtss2sd" -> new Scalar(i, false).widen();
            case "cvtsd2ss" -> new Scalar(i, true).narrow();
            case "cvtsd2si", "cvttsd2si" -> new Scalar(i, true).toInteger();
            default -> new Scalar(i, false).toInteger();
        }
    }

    private void call(String name, String descriptor) {
        c.m.visitMethodInsn(Opcodes.INVOKESTATIC, SUPPORT, name, descriptor, false);
    }

    /** Goes to a label where not all is ready for Java's arithmetic. */
    private void fast(Label slow) {
        c.loadReady();
        c.intConstant(3);
        c.m.visitJumpInsn(Opcodes.IF_ICMPLT, slow);
        c.sseChecked = true;
    }

    /** Begins a slow path: leaves in front of the instruction where it may fault. */
    private void beginSlow(Label slow, Label exit) {
        c.at(slow);
        c.loadReady();
        c.intConstant(2);
        c.m.visitJumpInsn(Opcodes.IF_ICMPLT, exit);
        c.cpu();
    }

    /** Ends it: goes on where all values are tame, else leaves behind the instruction. */
    private void endSlow(Label back, long next, int completed) {
        c.cpu();
        call("readyTame", "(" + CPU + ")I");
        c.storeReady();
        c.loadReady();
        c.m.visitJumpInsn(Opcodes.IFGE, back);
        c.pending = completed;
        c.flushCount();
        c.leave(next);
    }

    private void testDouble(Label otherwise) {
        c.toLong();
        c.op(Opcodes.ICONST_1);
        c.op(Opcodes.LSHL);
        c.longConstant(BIAS64);
        c.op(Opcodes.LADD);
        c.longConstant(LIMIT64);
        c.op(Opcodes.LCMP);
        c.m.visitJumpInsn(Opcodes.IFGE, otherwise);
    }

    private void testSingle(Label otherwise) {
        floatBits();
        c.op(Opcodes.ICONST_1);
        c.op(Opcodes.ISHL);
        c.intConstant(BIAS32);
        c.op(Opcodes.IADD);
        c.intConstant(LIMIT32);
        c.m.visitJumpInsn(Opcodes.IF_ICMPGE, otherwise);
    }

    private void floatBits() {
        c.m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Float", "floatToRawIntBits", "(F)I", false);
    }

    private void bitsFloat() {
        c.op(Opcodes.L2I);
        c.m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Float", "intBitsToFloat", "(I)F", false);
    }

    /** Stores the single on the stack to the low 32 bits of half a register. */
    private void popSingle(int half) {
        floatBits();
        c.op(Opcodes.I2L);
        c.longConstant(0xFFFFFFFFL);
        c.op(Opcodes.LAND);
        c.pushLong(half);
        c.longConstant(-1L << 32);
        c.op(Opcodes.LAND);
        c.op(Opcodes.LOR);
        c.popLong(half);
        c.tameSingles |= 1 << half;
    }

    /** An instruction whose source is one double or single. */
    private final class Scalar {
        private final Insn i;
        private final boolean wide;
        private final int destination;
        private final int source;
        private final int result = c.temporary(RESULT);
        private final Label slow = new Label();
        private final Label back = new Label();
        private final Label exit = c.sideExit();
        private final int completed = c.pending + 1;

        Scalar(Insn i, boolean wide) {
            this.i = i;
            this.wide = wide;
            destination = 2 * i.reg;
            source = i.mem ? -1 : 2 * i.rm;
            if (i.mem) {
                vector.load(i, wide ? 8 : 4);
            }
            fast(slow);
        }

        private void pushSourceLong() {
            if (source < 0) {
                c.loadLong(c.temporary(VectorEmitter.A));
            } else {
                c.pushLong(source);
            }
        }

        private void pushSource() {
            if (!wide) {
                pushSourceLong();
                bitsFloat();
            } else if (source < 0) {
                pushSourceLong();
                c.toDouble();
            } else {
                c.pushDouble(source);
            }
        }

        private void pushDestination() {
            if (wide) {
                c.pushDouble(destination);
            } else {
                c.pushLong(destination);
                bitsFloat();
            }
        }

        private boolean known(int half) {
            return half >= 0 && ((wide ? c.tameDoubles : c.tameSingles) >> half & 1) != 0;
        }

        private void know(int half) {
            if (half >= 0 && wide) {
                c.tameDoubles |= 1 << half;
            } else if (half >= 0) {
                c.tameSingles |= 1 << half;
            }
        }

        private void test() {
            if (wide) {
                testDouble(slow);
            } else {
                testSingle(slow);
            }
        }

        private void testOperands(boolean both) {
            if (both && !known(destination)) {
                pushDestination();
                test();
                know(destination);
            }
            if (!known(source)) {
                pushSource();
                test();
                know(source);
            }
        }

        /** The bytecode of an operation: that of singles precedes that of doubles. */
        private int typed(int opcodeOfDoubles) {
            return wide ? opcodeOfDoubles : opcodeOfDoubles - 1;
        }

        void arithmetic() {
            testOperands(i.opcode != SQRT);
            if (i.opcode == MIN || i.opcode == MAX) {
                // The destination stays where it is the lesser, or greater.
                pushDestination();
                pushSource();
                c.op(wide ? Opcodes.DCMPG : Opcodes.FCMPG);
                c.m.visitJumpInsn(i.opcode == MIN ? Opcodes.IFLT : Opcodes.IFGT, back);
                pushSource();
            } else {
                if (i.opcode != SQRT) {
                    pushDestination();
                }
                pushSource();
                switch (i.opcode) {
                    case ADD -> c.op(typed(Opcodes.DADD));
                    case SUB -> c.op(typed(Opcodes.DSUB));
                    case MUL -> c.op(typed(Opcodes.DMUL));
                    case DIV -> c.op(typed(Opcodes.DDIV));
                    default -> root();
                }
                c.m.visitVarInsn(wide ? Opcodes.DSTORE : Opcodes.FSTORE, result);
                c.m.visitVarInsn(wide ? Opcodes.DLOAD : Opcodes.FLOAD, result);
                test();
                c.m.visitVarInsn(wide ? Opcodes.DLOAD : Opcodes.FLOAD, result);
            }
            if (wide) {
                c.popDouble(destination);
            } else {
                popSingle(destination);
            }
            know(destination);
            c.at(back);
            c.cold(() -> {
                beginSlow(slow, exit);
                c.intConstant(i.opcode);
                c.pushLong(destination);
                pushSourceLong();
                call(wide ? "slowDouble" : "slowSingle", "(" + CPU + "IJJ)J");
                c.popLong(destination);
                endSlow(back, i.nextRip, completed);
            });
        }

        private void root() {
            if (!wide) {
                c.op(Opcodes.F2D);
            }
            c.m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Math", "sqrt", "(D)D", false);
            if (!wide) {
                // A root of 53 bits, rounded to 24, is the root rounded once.
                c.op(Opcodes.D2F);
            }
        }

        void compare() {
            testOperands(true);
            // CF where less, ZF where equal: a byte of 4001h.
            c.intConstant(Flags.ZF << 8 | Flags.CF);
            pushDestination();
            pushSource();
            c.op(wide ? Opcodes.DCMPL : Opcodes.FCMPL);
            c.op(Opcodes.ICONST_1);
            c.op(Opcodes.IADD);
            c.op(Opcodes.ICONST_3);
            c.op(Opcodes.ISHL);
            c.op(Opcodes.IUSHR);
            c.intConstant(0xFF);
            c.op(Opcodes.IAND);
            c.op(Opcodes.I2L);
            c.storeFa();
            c.setFop(Flags.RAW);
            c.at(back);
            int quiet = i.op.method().startsWith("u") ? 1 : 0;
            c.cold(() -> {
                beginSlow(slow, exit);
                c.intConstant(quiet);
                c.pushLong(destination);
                pushSourceLong();
                call(wide ? "slowCompareDouble" : "slowCompareSingle", "(" + CPU + "IJJ)J");
                c.storeFa();
                c.setFop(Flags.RAW);
                endSlow(back, i.nextRip, completed);
            });
        }

        void widen() {
            testOperands(false);
            pushSource();
            c.op(Opcodes.F2D);
            c.popDouble(destination);
            c.tameDoubles |= 1 << destination;
            c.at(back);
            slowConversion("slowWiden", false);
        }

        void narrow() {
            testOperands(false);
            pushSource();
            c.op(Opcodes.D2F);
            c.m.visitVarInsn(Opcodes.FSTORE, result);
            c.m.visitVarInsn(Opcodes.FLOAD, result);
            testSingle(slow);
            c.m.visitVarInsn(Opcodes.FLOAD, result);
            popSingle(destination);
            c.at(back);
            slowConversion("slowNarrow", true);
        }

        private void slowConversion(String method, boolean toSingle) {
            c.cold(() -> {
                beginSlow(slow, exit);
                pushSourceLong();
                call(method, "(" + CPU + "J)J");
                if (toSingle) {
                    c.pushLong(destination);
                    c.longConstant(-1L << 32);
                    c.op(Opcodes.LAND);
                    c.op(Opcodes.LOR);
                }
                c.popLong(destination);
                endSlow(back, i.nextRip, completed);
            });
        }

        void toInteger() {
            boolean truncate = i.op.method().startsWith("cvtt");
            int size = i.opSize == 8 ? 8 : 4;
            if (!known(source)) {
                pushSource();
                test();
            }
            pushSource();
            if (!wide) {
                c.op(Opcodes.F2D);
            }
            if (!truncate) {
                c.m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Math", "rint", "(D)D", false);
            }
            c.op(Opcodes.D2L);
            c.storeLong(result);
            if (size == 4) {
                c.loadLong(result);
                c.op(Opcodes.L2I);
                c.op(Opcodes.I2L);
                c.loadLong(result);
                c.op(Opcodes.LCMP);
                c.m.visitJumpInsn(Opcodes.IFNE, slow);
            } else {
                // What does not fit becomes the least or the greatest long.
                c.loadLong(result);
                c.op(Opcodes.LCONST_1);
                c.op(Opcodes.LADD);
                c.longConstant(Long.MIN_VALUE + 1);
                c.op(Opcodes.LCMP);
                c.m.visitJumpInsn(Opcodes.IFLE, slow);
            }
            c.loadLong(result);
            c.setRegister(i.reg, size);
            c.at(back);
            c.cold(() -> {
                beginSlow(slow, exit);
                c.intConstant(size);
                c.intConstant(truncate ? 1 : 0);
                pushSourceLong();
                call(wide ? "slowDoubleToInteger" : "slowSingleToInteger", "(" + CPU + "IIJ)J");
                c.setRegister(i.reg, size);
                endSlow(back, i.nextRip, completed);
            });
        }
    }

    private void fromInteger(Insn i, boolean wide) {
        int size = i.opSize == 8 ? 8 : 4;
        int value = c.temporary(VectorEmitter.A);
        int half = 2 * i.reg;
        c.sse();
        if (i.mem) {
            int address = c.temporary(ADDRESS);
            c.address(i, size, false, address);
            c.check(address, size, false);
            c.load(address, size, false);
        } else {
            c.register(i.rm);
        }
        if (size == 4) {
            c.op(Opcodes.L2I);
            c.op(Opcodes.I2L);
        }
        c.storeLong(value);
        if (wide && size == 4) {
            c.loadLong(value);
            c.op(Opcodes.L2D);
            c.popDouble(half);
            c.tameDoubles |= 1 << half;
            return;
        }
        Label slow = new Label();
        Label back = new Label();
        Label exit = c.sideExit();
        int completed = c.pending + 1;
        fast(slow);
        c.loadLong(value);
        if (wide) {
            c.op(Opcodes.L2D);
            c.popDouble(half);
            c.tameDoubles |= 1 << half;
        } else {
            c.op(Opcodes.L2F);
            popSingle(half);
        }
        c.at(back);
        c.cold(() -> {
            beginSlow(slow, exit);
            c.loadLong(value);
            call(wide ? "slowLongToDouble" : "slowLongToSingle", "(" + CPU + "J)J");
            if (!wide) {
                c.pushLong(half);
                c.longConstant(-1L << 32);
                c.op(Opcodes.LAND);
                c.op(Opcodes.LOR);
            }
            c.popLong(half);
            endSlow(back, i.nextRip, completed);
        });
    }

    /** Packed arithmetic: both halves are computed and looked at before the first is written. */
    private void packed(Insn i) {
        boolean wide = i.op.method().equals("pd");
        Label slow = new Label();
        Label back = new Label();
        Label exit = c.sideExit();
        int completed = c.pending + 1;
        if (i.mem) {
            vector.load128(i, true);
        }
        fast(slow);
        for (int half = 0; half < 2; half++) {
            int a = 2 * i.reg + half;
            int result = c.temporary(RESULT + half);
            if (wide) {
                if (i.opcode != SQRT) {
                    if ((c.tameDoubles >> a & 1) == 0) {
                        c.pushDouble(a);
                        testDouble(slow);
                    }
                }
                if (i.mem || (c.tameDoubles >> 2 * i.rm + half & 1) == 0) {
                    pushHalf(i, half);
                    testDouble(slow);
                }
                if (i.opcode != SQRT) {
                    c.pushDouble(a);
                }
                pushHalf(i, half);
                switch (i.opcode) {
                    case ADD -> c.op(Opcodes.DADD);
                    case SUB -> c.op(Opcodes.DSUB);
                    case MUL -> c.op(Opcodes.DMUL);
                    case DIV -> c.op(Opcodes.DDIV);
                    default -> c.m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Math", "sqrt", "(D)D", false);
                }
                c.m.visitVarInsn(Opcodes.DSTORE, result);
                c.m.visitVarInsn(Opcodes.DLOAD, result);
                testDouble(slow);
            } else {
                c.pushLong(a);
                pushHalfLong(i, half);
                call(
                        switch (i.opcode) {
                            case ADD -> "addPair";
                            case SUB -> "subPair";
                            case MUL -> "mulPair";
                            default -> "divPair";
                        },
                        "(JJ)J");
                c.storeLong(result);
                c.pushLong(a);
                pushHalfLong(i, half);
                c.loadLong(result);
                call(i.opcode == MUL ? "productTame" : i.opcode == DIV ? "quotientTame" : "sumTame", "(JJJ)Z");
                c.m.visitJumpInsn(Opcodes.IFEQ, slow);
            }
        }
        for (int half = 0; half < 2; half++) {
            int to = 2 * i.reg + half;
            if (wide) {
                c.m.visitVarInsn(Opcodes.DLOAD, c.temporary(RESULT + half));
                c.popDouble(to);
                c.tameDoubles |= 1 << to;
            } else {
                c.loadLong(c.temporary(RESULT + half));
                c.popLong(to);
                c.tameSingles |= 1 << to;
            }
        }
        c.at(back);
        c.cold(() -> {
            c.at(slow);
            c.loadReady();
            c.intConstant(2);
            c.m.visitJumpInsn(Opcodes.IF_ICMPLT, exit);
            for (int half = 0; half < 2; half++) {
                c.cpu();
                c.intConstant(i.opcode);
                c.pushLong(2 * i.reg + half);
                pushHalfLong(i, half);
                call(wide ? "slowDouble" : "slowPair", "(" + CPU + "IJJ)J");
                c.popLong(2 * i.reg + half);
            }
            endSlow(back, i.nextRip, completed);
        });
    }

    private void pushHalfLong(Insn i, int half) {
        if (i.mem) {
            c.loadLong(c.temporary(half == 0 ? VectorEmitter.A : VectorEmitter.B));
        } else {
            c.pushLong(2 * i.rm + half);
        }
    }

    private void pushHalf(Insn i, int half) {
        if (i.mem) {
            pushHalfLong(i, half);
            c.toDouble();
        } else {
            c.pushDouble(2 * i.rm + half);
        }
    }
}
