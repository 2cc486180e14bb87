package org.softkvm.emulator.fpu;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/**
 * x87 instructions with a memory operand that translated code has read already, or writes afterwards. They are called
 * only where {@link #ready} holds, when no x87 instruction faults.
 */
public final class X87Direct {
    private X87Direct() {}

    /**
     * Whether x87 instructions run without a fault: the unit is on, and all its exceptions are masked, so that none can
     * be pending either.
     *
     * @param c the vcpu
     * @return 1 or 0
     */
    public static int ready(Cpu c) {
        return (c.cr0 & (Cpu.CR0_EM | Cpu.CR0_TS)) == 0 && c.fpu.f.masks == FpEnv.ALL ? 1 : 0;
    }

    private static FpuOps note(Cpu c, Insn i, long offset) {
        FpuState s = c.fpu;
        s.instructionPointer = i.rip;
        s.instructionSelector = c.segSel[Cpu.CS];
        s.opcode = (i.opcode & 7) << 8 | i.modrm;
        s.dataPointer = offset;
        s.dataSelector = c.segSel[i.seg];
        return s.ops;
    }

    /**
     * An instruction that reads memory.
     *
     * @param c the vcpu
     * @param i the instruction
     * @param value the operand, zero-extended
     * @param offset offset of the operand in its segment
     */
    public static void arithmeticM32(Cpu c, Insn i, long value, long offset) {
        note(c, i, offset).arithmeticFloat32(i.modrm >> 3 & 7, (int) value);
    }

    /** As {@link #arithmeticM32}. */
    public static void arithmeticM64(Cpu c, Insn i, long value, long offset) {
        note(c, i, offset).arithmeticFloat64(i.modrm >> 3 & 7, value);
    }

    /** As {@link #arithmeticM32}. */
    public static void arithmeticI32(Cpu c, Insn i, long value, long offset) {
        note(c, i, offset).arithmeticInteger(i.modrm >> 3 & 7, (int) value);
    }

    /** As {@link #arithmeticM32}. */
    public static void arithmeticI16(Cpu c, Insn i, long value, long offset) {
        note(c, i, offset).arithmeticInteger(i.modrm >> 3 & 7, (short) value);
    }

    /** As {@link #arithmeticM32}. */
    public static void fcomM32(Cpu c, Insn i, long value, long offset) {
        note(c, i, offset).compareFloat32((int) value, i.modrm >> 3 & 1);
    }

    /** As {@link #arithmeticM32}. */
    public static void fcomM64(Cpu c, Insn i, long value, long offset) {
        note(c, i, offset).compareFloat64(value, i.modrm >> 3 & 1);
    }

    /** As {@link #arithmeticM32}. */
    public static void fldM32(Cpu c, Insn i, long value, long offset) {
        note(c, i, offset).loadFloat32((int) value);
    }

    /** As {@link #arithmeticM32}. */
    public static void fldM64(Cpu c, Insn i, long value, long offset) {
        note(c, i, offset).loadFloat64(value);
    }

    /** As {@link #arithmeticM32}. */
    public static void fildI16(Cpu c, Insn i, long value, long offset) {
        note(c, i, offset).loadInteger((short) value);
    }

    /** As {@link #arithmeticM32}. */
    public static void fildI32(Cpu c, Insn i, long value, long offset) {
        note(c, i, offset).loadInteger((int) value);
    }

    /** As {@link #arithmeticM32}. */
    public static void fildI64(Cpu c, Insn i, long value, long offset) {
        note(c, i, offset).loadInteger(value);
    }

    /** FLD of 80 bits. */
    public static void fldM80(Cpu c, Insn i, long low, long high, long offset) {
        note(c, i, offset).loadFloat80((int) high, low);
    }

    private static long finish(FpuOps ops) {
        long value = ops.value;
        ops.commitStore();
        return value;
    }

    /**
     * An instruction that writes memory; with all exceptions masked it always does.
     *
     * @param c the vcpu
     * @param i the instruction
     * @param offset offset of the operand in its segment
     * @return what to write
     */
    public static long fstM32(Cpu c, Insn i, long offset) {
        FpuOps ops = note(c, i, offset);
        ops.storeFloat32(false);
        return finish(ops);
    }

    /** As {@link #fstM32}. */
    public static long fstpM32(Cpu c, Insn i, long offset) {
        FpuOps ops = note(c, i, offset);
        ops.storeFloat32(true);
        return finish(ops);
    }

    /** As {@link #fstM32}. */
    public static long fstM64(Cpu c, Insn i, long offset) {
        FpuOps ops = note(c, i, offset);
        ops.storeFloat64(false);
        return finish(ops);
    }

    /** As {@link #fstM32}. */
    public static long fstpM64(Cpu c, Insn i, long offset) {
        FpuOps ops = note(c, i, offset);
        ops.storeFloat64(true);
        return finish(ops);
    }

    /** As {@link #fstM32}: the low 64 of 80 bits. */
    public static long fstpM80(Cpu c, Insn i, long offset) {
        FpuOps ops = note(c, i, offset);
        ops.storeFloat80();
        return finish(ops);
    }

    /** The high 16 bits of what {@link #fstpM80} has said. */
    public static long high(Cpu c) {
        return c.fpu.ops.valueHigh;
    }

    private static long integer(Cpu c, Insn i, long offset, int bits, boolean truncate, boolean pop) {
        FpuOps ops = note(c, i, offset);
        ops.storeInteger(bits, truncate, pop);
        return finish(ops);
    }

    /** As {@link #fstM32}. */
    public static long fistI16(Cpu c, Insn i, long offset) {
        return integer(c, i, offset, 16, false, false);
    }

    /** As {@link #fstM32}. */
    public static long fistI32(Cpu c, Insn i, long offset) {
        return integer(c, i, offset, 32, false, false);
    }

    /** As {@link #fstM32}. */
    public static long fistpI16(Cpu c, Insn i, long offset) {
        return integer(c, i, offset, 16, false, true);
    }

    /** As {@link #fstM32}. */
    public static long fistpI32(Cpu c, Insn i, long offset) {
        return integer(c, i, offset, 32, false, true);
    }

    /** As {@link #fstM32}. */
    public static long fistpI64(Cpu c, Insn i, long offset) {
        return integer(c, i, offset, 64, false, true);
    }
}
