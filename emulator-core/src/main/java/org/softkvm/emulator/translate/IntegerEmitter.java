package org.softkvm.emulator.translate;

import java.lang.reflect.Method;
import java.util.List;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.decode.Operand;
import org.softkvm.emulator.exec.Alu;
import org.softkvm.emulator.exec.HandlerFactory;
import org.softkvm.emulator.exec.IntegerOps;
import org.softkvm.emulator.exec.Shift;

/**
 * Emits instructions other than branches. All arithmetic is done in longs; bits above the operand size are arbitrary in
 * operands and in recorded flags, and cut where a register or a comparison needs it.
 *
 * <p>Checks of memory come before the first change of a local, so that a side exit finds the state before the
 * instruction.
 */
final class IntegerEmitter {
    /** Temporaries. */
    private static final int ADDRESS = 0;

    private static final int STACK = 1;
    private static final int AT = 2;
    private static final int RESULT = 4;
    private static final int COUNT = 5;
    private static final int VALUES = 6;

    private final Code c;
    private final BitEmitter bits;
    private final int address;
    private final int result;

    IntegerEmitter(Code c) {
        this.c = c;
        address = c.temporary(ADDRESS);
        result = c.temporary(RESULT);
        bits = new BitEmitter(c, this);
    }

    /** Whether an instruction is emitted in place; else its handler or state method is called. */
    static boolean inlined(Insn i) {
        Op op = i.op;
        return switch (op.kind()) {
            case VALUE -> !(i.lock && i.mem && op.isLockable()) && allKnown(op.operands());
            case SETCC, CMOV -> true;
            case STATE -> inlinedState(i);
            default -> false;
        };
    }

    /** Neither a stream nor an iterator: the translator asks several times for each instruction. */
    private static boolean allKnown(List<Operand> operands) {
        for (int k = 0; k < operands.size(); k++) {
            if (!known(operands.get(k))) {
                return false;
            }
        }
        return true;
    }

    private static boolean known(Operand o) {
        return switch (o) {
            case Eb, Ew, Ed, Eq, Ev, Ey, M, Mb, Mw, Md, Mq, Ob, Ov -> true;
            case Gb, Gw, Gd, Gq, Gv, Gy, Zb, Zv, By -> true;
            case Ib, Ibs, Iw, Iz, Iv, AL, rAX, CL, One -> true;
            default -> false;
        };
    }

    private static boolean inlinedState(Insn i) {
        if (i.op.owner() != IntegerOps.class) {
            return BitEmitter.inlined(i);
        }
        return switch (i.op.method()) {
            case "lea", "nop", "cbw", "cwd", "leave", "clc", "stc", "popReg", "pushImm" -> true;
            case "pushReg" -> i.reg != Cpu.RSP || i.opSize != 2;
            case "pushRm" -> i.mem || i.rm != Cpu.RSP || i.opSize != 2;
            case "xchgAx" -> true;
            case "xchgv" -> !i.mem;
            default -> false;
        };
    }

    void emit(Insn i) {
        Op op = i.op;
        switch (op.kind()) {
            case VALUE -> value(i);
            case SETCC -> {
                Operand o = op.operands().get(0);
                if (i.mem) {
                    c.address(i, 1, true, address);
                    c.check(address, 1, true);
                }
                Conditions.push(c, op.condition());
                c.op(Opcodes.I2L);
                set(i, o, 1);
            }
            case CMOV -> {
                int size = op.operands().get(0).size(i.opSize);
                if (i.mem) {
                    c.address(i, size, false, address);
                    c.check(address, size, false);
                }
                Conditions.push(c, op.condition());
                raw(i, op.operands().get(1), size, false);
                raw(i, op.operands().get(0), size, false);
                c.support("select", "(ZJJ)J");
                set(i, op.operands().get(0), size);
            }
            default -> {
                if (BitEmitter.inlined(i)) {
                    bits.state(i);
                } else {
                    state(i);
                }
            }
        }
    }

    // ---------------------------------------------------------------- operands

    /** Pushes an operand with arbitrary bits above its size. */
    void raw(Insn i, Operand o, int size, boolean fromWriteTlb) {
        switch (o) {
            case Eb, Ew, Ed, Eq, Ev, Ey, M, Mb, Mw, Md, Mq -> {
                if (i.mem) {
                    c.load(address, size, fromWriteTlb);
                } else {
                    c.registerRaw(i.rm, size);
                }
            }
            case Ob, Ov -> c.load(address, size, fromWriteTlb);
            case Gb, Gw, Gd, Gq, Gv, Gy, Zb, Zv -> c.registerRaw(i.reg, size);
            case By -> c.registerRaw(i.vvvv, size);
            case Ib, Ibs, Iw, Iz, Iv -> c.longConstant(o == Operand.Ib ? i.imm & 0xFF : i.imm);
            case AL, rAX -> c.register(Cpu.RAX);
            case CL -> c.register(Cpu.RCX);
            case One -> c.longConstant(1);
            default -> throw new IllegalStateException(o + " as a value operand of " + i.op);
        }
    }

    /** Stores the long on the stack to the destination. */
    void set(Insn i, Operand o, int size) {
        switch (o) {
            case Eb, Ew, Ed, Eq, Ev, Ey, M, Mb, Mw, Md, Mq -> {
                if (i.mem) {
                    c.store(address, size);
                } else {
                    c.setRegister(i.rm, size);
                }
            }
            case Ob, Ov -> c.store(address, size);
            case Gb, Gw, Gd, Gq, Gv, Gy, Zb, Zv -> c.setRegister(i.reg, size);
            case By -> c.setRegister(i.vvvv, size);
            case AL, rAX -> c.setRegister(Cpu.RAX, size);
            default -> throw new IllegalStateException(o + " as the destination of " + i.op);
        }
    }

    /** Makes the long on the stack sign-extended from its size. */
    void signed(int size) {
        switch (size) {
            case 1 -> {
                c.op(Opcodes.L2I);
                c.op(Opcodes.I2B);
                c.op(Opcodes.I2L);
            }
            case 2 -> {
                c.op(Opcodes.L2I);
                c.op(Opcodes.I2S);
                c.op(Opcodes.I2L);
            }
            case 4 -> {
                c.op(Opcodes.L2I);
                c.op(Opcodes.I2L);
            }
            default -> {}
        }
    }

    /** Makes the long on the stack zero-extended from its size. */
    void unsigned(int size) {
        if (size != 8) {
            c.longConstant(size == 1 ? 0xFF : size == 2 ? 0xFFFF : 0xFFFFFFFFL);
            c.op(Opcodes.LAND);
        }
    }

    private static int sizeIndex(int size) {
        return size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
    }

    // ---------------------------------------------------------------- value rows

    private void value(Insn i) {
        Op op = i.op;
        var operands = op.operands();
        Operand destination = operands.get(0);
        int size = destination.size(i.opSize);
        boolean rmw = false;
        for (int k = 0; k < operands.size(); k++) {
            Operand o = operands.get(k);
            if (i.mem && (o.mayBeMemory() || o == Operand.Ob || o == Operand.Ov)) {
                boolean write = k == 0 && op.writesDestination();
                rmw = write && op.readsDestination();
                int bytes = o.size(i.opSize);
                c.address(i, bytes, write, address);
                c.check(address, bytes, write);
            }
        }
        if (op.owner() == Alu.class && alu(i, destination, size, rmw)
                || op.owner() == Shift.class && shift(i, destination, size, rmw)
                || bits.value(i, destination, size, rmw)) {
            return;
        }
        generic(i, destination, size, rmw);
    }

    private boolean alu(Insn i, Operand destination, int size, boolean rmw) {
        Op op = i.op;
        int s = sizeIndex(size);
        switch (op.method()) {
            case "mov" -> {
                raw(i, op.operands().get(1), size, false);
                set(i, destination, size);
            }
            case "zeroExtend" -> {
                Operand source = op.operands().get(1);
                int bytes = source.size(i.opSize);
                raw(i, source, bytes, false);
                if (!i.mem) {
                    unsigned(bytes);
                }
                setClean(i, destination, size);
            }
            case "signByte", "signWord", "signDword" -> {
                Operand source = op.operands().get(1);
                raw(i, source, source.size(i.opSize), false);
                signed(source.size(i.opSize));
                set(i, destination, size);
            }
            case "add", "sub", "and", "or", "xor" -> arithmetic(i, destination, size, rmw);
            case "adc", "sbb" -> {
                boolean add = op.method().equals("adc");
                c.loadFlags();
                c.support("carry", "(IJJ)I");
                c.m.visitVarInsn(Opcodes.ISTORE, c.temporary(COUNT));
                raw(i, destination, size, rmw);
                if (c.flagsDead) {
                    raw(i, op.operands().get(1), size, false);
                    c.op(add ? Opcodes.LADD : Opcodes.LSUB);
                    c.m.visitVarInsn(Opcodes.ILOAD, c.temporary(COUNT));
                    c.op(Opcodes.I2L);
                    c.op(add ? Opcodes.LADD : Opcodes.LSUB);
                    set(i, destination, size);
                    return true;
                }
                c.storeFa();
                raw(i, op.operands().get(1), size, false);
                c.storeFb();
                // ADC is ADD + 4, SBB is SUB + 4.
                c.m.visitVarInsn(Opcodes.ILOAD, c.temporary(COUNT));
                c.intConstant(2);
                c.op(Opcodes.ISHL);
                c.intConstant((add ? Flags.ADD : Flags.SUB) | s);
                c.op(Opcodes.IADD);
                c.storeFop();
                c.loadFa();
                c.loadFb();
                c.op(add ? Opcodes.LADD : Opcodes.LSUB);
                c.m.visitVarInsn(Opcodes.ILOAD, c.temporary(COUNT));
                c.op(Opcodes.I2L);
                c.op(add ? Opcodes.LADD : Opcodes.LSUB);
                set(i, destination, size);
            }
            case "inc", "dec" -> {
                boolean inc = op.method().equals("inc");
                if (c.flagsDead) {
                    raw(i, destination, size, rmw);
                    c.op(Opcodes.LCONST_1);
                    c.op(inc ? Opcodes.LADD : Opcodes.LSUB);
                    set(i, destination, size);
                    return true;
                }
                c.loadFlags();
                c.support("carry", "(IJJ)I");
                c.op(Opcodes.I2L);
                c.storeFb();
                raw(i, destination, size, rmw);
                c.op(Opcodes.LCONST_1);
                c.op(inc ? Opcodes.LADD : Opcodes.LSUB);
                c.op(Opcodes.DUP2);
                c.storeFa();
                c.setFop((inc ? Flags.INC : Flags.DEC) | s);
                set(i, destination, size);
            }
            case "neg" -> {
                raw(i, destination, size, rmw);
                c.storeFb();
                c.op(Opcodes.LCONST_0);
                c.storeFa();
                c.setFop(Flags.SUB | s);
                c.loadFb();
                c.op(Opcodes.LNEG);
                set(i, destination, size);
            }
            case "not" -> {
                raw(i, destination, size, rmw);
                c.longConstant(-1);
                c.op(Opcodes.LXOR);
                set(i, destination, size);
            }
            case "imul" -> {
                if (size < 4) {
                    return false;
                }
                int first = op.readsDestination() ? 0 : 1;
                if (c.flagsDead) {
                    raw(i, op.operands().get(first), size, false);
                    raw(i, op.operands().get(first + 1), size, false);
                    c.op(Opcodes.LMUL);
                    set(i, destination, size);
                    return true;
                }
                raw(i, op.operands().get(first), size, false);
                signed(size);
                c.storeLong(result);
                raw(i, op.operands().get(first + 1), size, false);
                signed(size);
                c.storeFb();
                c.loadLong(result);
                c.loadFb();
                c.support("mulFlags" + size, "(JJ)J");
                c.storeFa();
                c.loadLong(result);
                c.loadFb();
                c.op(Opcodes.LMUL);
                c.setFop(Flags.RAW);
                set(i, destination, size);
            }
            case "bt", "bts", "btr", "btc" -> bits(i, destination, size, rmw);
            default -> {
                return false;
            }
        }
        return true;
    }

    private void setClean(Insn i, Operand o, int size) {
        if (o == Operand.Gv) {
            c.setRegisterClean(i.reg, size);
        } else {
            set(i, o, size);
        }
    }

    private void arithmetic(Insn i, Operand destination, int size, boolean rmw) {
        Op op = i.op;
        int s = sizeIndex(size);
        int opcode = switch (op.method()) {
            case "add" -> Opcodes.LADD;
            case "sub" -> Opcodes.LSUB;
            case "and" -> Opcodes.LAND;
            case "or" -> Opcodes.LOR;
            default -> Opcodes.LXOR;
        };
        if ((op.flagOp() & ~3) == Flags.LOGIC) {
            Operand source = op.operands().get(1);
            if (!i.mem
                    && opcode == Opcodes.LXOR
                    && source != destination
                    && register(i, source) == register(i, destination)
                    && register(i, source) >= 0
                    && size >= 4) {
                // The idiom that clears a register.
                c.op(Opcodes.LCONST_0);
            } else {
                raw(i, destination, size, rmw);
                raw(i, source, size, false);
                c.op(opcode);
            }
            if (!c.flagsDead || !op.writesDestination()) {
                if (op.writesDestination()) {
                    c.op(Opcodes.DUP2);
                }
                c.storeFa();
                c.setFop(Flags.LOGIC | s);
            }
            if (op.writesDestination()) {
                set(i, destination, size);
            }
            return;
        }
        raw(i, destination, size, rmw);
        if (c.flagsDead && op.writesDestination()) {
            raw(i, op.operands().get(1), size, false);
            c.op(opcode);
            set(i, destination, size);
            return;
        }
        c.storeFa();
        raw(i, op.operands().get(1), size, false);
        c.storeFb();
        c.setFop(op.flagOp() & ~3 | s);
        if (op.writesDestination()) {
            c.loadFa();
            c.loadFb();
            c.op(opcode);
            set(i, destination, size);
        }
    }

    private static int register(Insn i, Operand o) {
        return switch (o) {
            case Ev -> i.rm;
            case Gv -> i.reg;
            default -> -1;
        };
    }

    private void bits(Insn i, Operand destination, int size, boolean rmw) {
        Op op = i.op;
        // The bit number, cut to the operand size.
        raw(i, op.operands().get(1), size, false);
        c.longConstant(8L * size - 1);
        c.op(Opcodes.LAND);
        c.op(Opcodes.L2I);
        c.m.visitVarInsn(Opcodes.ISTORE, c.temporary(COUNT));
        raw(i, destination, size, rmw);
        c.storeLong(result);
        c.loadLong(result);
        c.m.visitVarInsn(Opcodes.ILOAD, c.temporary(COUNT));
        c.op(Opcodes.LUSHR);
        if (c.flagsDead) {
            c.op(Opcodes.POP2);
        } else {
            c.loadFlags();
            c.support("withCarry", "(JIJJ)J");
            c.storeFa();
            c.setFop(Flags.RAW);
        }
        if (op.writesDestination()) {
            c.loadLong(result);
            c.op(Opcodes.LCONST_1);
            c.m.visitVarInsn(Opcodes.ILOAD, c.temporary(COUNT));
            c.op(Opcodes.LSHL);
            switch (op.method()) {
                case "bts" -> c.op(Opcodes.LOR);
                case "btc" -> c.op(Opcodes.LXOR);
                default -> {
                    c.longConstant(-1);
                    c.op(Opcodes.LXOR);
                    c.op(Opcodes.LAND);
                }
            }
            set(i, destination, size);
        }
    }

    // ---------------------------------------------------------------- shifts

    private boolean shift(Insn i, Operand destination, int size, boolean rmw) {
        Op op = i.op;
        int kind;
        int opcode;
        switch (op.method()) {
            case "shl" -> {
                kind = Flags.SHL;
                opcode = Opcodes.LSHL;
            }
            case "shr" -> {
                kind = Flags.SHR;
                opcode = Opcodes.LUSHR;
            }
            case "sar" -> {
                kind = Flags.SAR;
                opcode = Opcodes.LSHR;
            }
            default -> {
                return false;
            }
        }
        if (c.plan.codeBits == 16 && size < 4) {
            // The 8086 does not cut the count; not worth a form of its own.
            return false;
        }
        int s = sizeIndex(size);
        Operand amount = op.operands().get(1);
        int mask = size == 8 ? 63 : 31;
        if (amount != Operand.CL) {
            int n = (amount == Operand.One ? 1 : (int) i.imm) & mask;
            if (n == 0) {
                // Still a 32-bit register's upper half is cleared.
                raw(i, destination, size, rmw);
                set(i, destination, size);
                return true;
            }
            value(i, destination, size, rmw, kind);
            if (!c.flagsDead) {
                c.op(Opcodes.DUP2);
                c.storeFa();
                c.longConstant(n);
                c.storeFb();
                c.setFop(kind | s);
            }
            c.intConstant(n);
            c.op(opcode);
            set(i, destination, size);
            return true;
        }
        c.register(Cpu.RCX);
        c.op(Opcodes.L2I);
        c.intConstant(mask);
        c.op(Opcodes.IAND);
        int count = c.temporary(COUNT);
        c.m.visitVarInsn(Opcodes.ISTORE, count);
        value(i, destination, size, rmw, kind);
        if (c.flagsDead) {
            c.m.visitVarInsn(Opcodes.ILOAD, count);
            c.op(opcode);
            set(i, destination, size);
            return true;
        }
        c.storeLong(result);
        // With a count of 0 the flags stay.
        c.m.visitVarInsn(Opcodes.ILOAD, count);
        c.intConstant(kind | s);
        c.loadFop();
        c.support("pick", "(III)I");
        c.storeFop();
        c.m.visitVarInsn(Opcodes.ILOAD, count);
        c.loadLong(result);
        c.loadFa();
        c.support("pick", "(IJJ)J");
        c.storeFa();
        c.m.visitVarInsn(Opcodes.ILOAD, count);
        c.m.visitVarInsn(Opcodes.ILOAD, count);
        c.op(Opcodes.I2L);
        c.loadFb();
        c.support("pick", "(IJJ)J");
        c.storeFb();
        c.loadLong(result);
        c.m.visitVarInsn(Opcodes.ILOAD, count);
        c.op(opcode);
        set(i, destination, size);
        return true;
    }

    /** Pushes what is shifted, extended as the direction needs it. */
    private void value(Insn i, Operand destination, int size, boolean rmw, int kind) {
        raw(i, destination, size, rmw);
        if (kind == Flags.SHR) {
            unsigned(size);
        } else if (kind == Flags.SAR) {
            signed(size);
        }
    }

    // ---------------------------------------------------------------- any other value method

    private void generic(Insn i, Operand destination, int size, boolean rmw) {
        Op op = i.op;
        var operands = op.operands();
        int first = op.readsDestination() ? 0 : 1;
        int count = operands.size() - first;
        Class<?>[] parameters = new Class<?>[count];
        for (int k = 0; k < count; k++) {
            parameters[k] = HandlerFactory.parameter(operands.get(first + k), i.opSize);
        }
        boolean writes = op.writesDestination();
        Class<?> returned = !writes ? void.class : size == 8 ? long.class : int.class;
        Method method =
                HandlerFactory.find(op, !writes && op.flagOp() >= 0 ? parameters[0] : returned, parameters, size * 8);
        boolean takesCpu = method.getParameterCount() > 0 && method.getParameterTypes()[0] == Cpu.class;
        boolean records = op.flagOp() >= 0;
        for (int k = 0; k < count; k++) {
            Operand o = operands.get(first + k);
            int bytes = o.size(i.opSize);
            raw(i, o, bytes, rmw && first + k == 0);
            if (parameters[k] == int.class) {
                if (bytes < 4) {
                    unsigned(bytes);
                }
                c.op(Opcodes.L2I);
                c.m.visitVarInsn(Opcodes.ISTORE, c.temporary(VALUES + k));
            } else {
                c.storeLong(c.temporary(VALUES + k));
            }
        }
        if (takesCpu) {
            c.spillFlags();
            if (rmw && i.mem) {
                // The method changes the flags that it reads: there must be no leaving behind it.
                c.leaveUnlessWritable(address, size);
            }
            c.cpu();
        }
        for (int k = 0; k < count; k++) {
            c.m.visitVarInsn(parameters[k] == int.class ? Opcodes.ILOAD : Opcodes.LLOAD, c.temporary(VALUES + k));
        }
        c.m.visitMethodInsn(
                Opcodes.INVOKESTATIC,
                Type.getInternalName(op.owner()),
                method.getName(),
                Type.getMethodDescriptor(method),
                false);
        if (takesCpu) {
            c.reloadFlags();
        }
        if (method.getReturnType() == void.class) {
            return;
        }
        if (method.getReturnType() == int.class) {
            c.op(Opcodes.I2L);
        }
        c.storeLong(result);
        if (records && (!c.flagsDead || !writes)) {
            int kind = op.flagOp() & ~3;
            if (kind == Flags.LOGIC) {
                c.loadLong(result);
                c.storeFa();
            } else {
                for (int k = 0; k < 2; k++) {
                    if (parameters[k] == int.class) {
                        c.m.visitVarInsn(Opcodes.ILOAD, c.temporary(VALUES + k));
                        c.op(Opcodes.I2L);
                    } else {
                        c.loadLong(c.temporary(VALUES + k));
                    }
                    if (k == 0) {
                        c.storeFa();
                    } else {
                        c.storeFb();
                    }
                }
            }
            c.setFop(kind | sizeIndex(size));
        }
        if (writes) {
            c.loadLong(result);
            set(i, destination, size);
        }
    }

    // ---------------------------------------------------------------- state rows that are inlined

    private void state(Insn i) {
        int size = i.opSize;
        switch (i.op.method()) {
            case "lea" -> {
                c.effectiveAddress(i);
                c.setRegister(i.reg, size);
            }
            case "nop" -> {}
            case "cbw" -> {
                c.register(Cpu.RAX);
                signed(size / 2);
                c.setRegister(Cpu.RAX, size);
            }
            case "cwd" -> {
                c.register(Cpu.RAX);
                signed(size);
                c.intConstant(63);
                c.op(Opcodes.LSHR);
                c.setRegister(Cpu.RDX, size);
            }
            case "clc", "stc" -> {
                c.longConstant(i.op.method().equals("stc") ? 1 : 0);
                c.loadFlags();
                c.support("withCarry", "(JIJJ)J");
                c.storeFa();
                c.setFop(Flags.RAW);
            }
            case "xchgAx" -> {
                if (i.reg != Cpu.RAX) {
                    exchange(Cpu.RAX, i.reg, size);
                }
            }
            case "xchgv" -> exchange(i.rm, i.reg, size);
            case "pushReg" -> push(size, () -> c.register(i.reg));
            case "pushImm" -> push(size, () -> c.longConstant(i.imm));
            case "pushRm" -> {
                if (i.mem) {
                    c.address(i, size, false, address);
                    c.check(address, size, false);
                    push(size, () -> c.load(address, size, false));
                } else {
                    push(size, () -> c.register(i.rm));
                }
            }
            case "popReg" -> {
                stackPointer();
                pop(size);
                c.storeLong(result);
                popped(size, 0);
                c.loadLong(result);
                c.setRegister(i.reg, size);
            }
            default -> {
                // LEAVE: the stack pointer becomes the frame pointer, then POP.
                c.register(Cpu.RBP);
                unsigned(c.plan.stackSize);
                pop(size);
                c.storeLong(result);
                popped(size, 0);
                c.loadLong(result);
                c.setRegister(Cpu.RBP, size);
            }
        }
    }

    private void exchange(int a, int b, int size) {
        c.register(a);
        c.storeLong(result);
        c.register(b);
        c.setRegister(a, size);
        c.loadLong(result);
        c.setRegister(b, size);
    }

    /** Pushes the stack pointer, cut to the stack's size. */
    void stackPointer() {
        c.register(Cpu.RSP);
        unsigned(c.plan.stackSize);
    }

    /** Reads from the stack offset on the JVM's stack; the offset stays in a temporary, the value on the stack. */
    void pop(int size) {
        int stack = c.temporary(STACK);
        int at = c.temporary(AT);
        c.storeLong(stack);
        c.loadLong(stack);
        c.linear(Cpu.SS, size, false, at);
        c.keyed(at, Cpu.RSP, false);
        c.check(at, size, false);
        c.load(at, size, false);
    }

    /** Moves the stack pointer behind what {@link #pop} read. */
    void popped(int size, int more) {
        c.loadLong(c.temporary(STACK));
        c.longConstant(size + more);
        c.op(Opcodes.LADD);
        c.setRegister(Cpu.RSP, c.plan.stackSize);
    }

    /** Pushes a value on the guest's stack. */
    void push(int size, Runnable value) {
        if (c.resident && c.plan.codeBits == 64 && size == 8) {
            value.run();
            c.cpu();
            c.intConstant(c.site());
            c.stack("push", "(JL" + Code.CPU + ";I)Z");
            c.m.visitJumpInsn(Opcodes.IFNE, c.sideExit());
            c.reload(1 << Cpu.RSP);
            return;
        }
        int stack = c.temporary(STACK);
        int at = c.temporary(AT);
        c.register(Cpu.RSP);
        c.longConstant(size);
        c.op(Opcodes.LSUB);
        unsigned(c.plan.stackSize);
        c.storeLong(stack);
        c.loadLong(stack);
        c.linear(Cpu.SS, size, true, at);
        c.keyed(at, Cpu.RSP, true);
        c.check(at, size, true);
        value.run();
        c.store(at, size);
        c.loadLong(stack);
        c.setRegister(Cpu.RSP, c.plan.stackSize);
    }

    /** Pushes a branch target read from the ModRM operand. */
    void branchOperand(Insn i) {
        int size = i.opSize;
        if (i.mem) {
            c.address(i, size, false, address);
            c.check(address, size, false);
            c.load(address, size, false);
        } else {
            c.register(i.rm);
            unsigned(size);
        }
    }
}
