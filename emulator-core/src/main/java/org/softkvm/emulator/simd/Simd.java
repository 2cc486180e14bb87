package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.fpu.X87;

/** Operand access of SSE and MMX instructions, with the checks that each of them makes first. */
public final class Simd {
    private Simd() {}

    /**
     * The check of every SSE instruction: #UD without CR4.OSFXSR or with CR0.EM, #NM with CR0.TS (Intel SDM volume 3,
     * table 14-1).
     *
     * @param c the vcpu
     * @param i the instruction; VEX forms have rules of their own
     */
    public static void check(Cpu c, Insn i) {
        if ((c.cr0 & (Cpu.CR0_EM | Cpu.CR0_TS) | ~(int) c.cr4 & Cpu.CR4_OSFXSR) != 0) {
            refuse(c, i);
        }
    }

    private static void refuse(Cpu c, Insn i) {
        if (i.vectorLength != 0) {
            Vex.check(c);
            return;
        }
        if ((c.cr0 & Cpu.CR0_EM) != 0 || (c.cr4 & Cpu.CR4_OSFXSR) == 0) {
            throw c.ud();
        }
        throw c.fault(Vector.NM, 0);
    }

    /**
     * Loads an XMM register or an aligned 128-bit memory operand (VEX forms: any) into the scratch.
     *
     * @param c the vcpu
     * @param i the instruction
     */
    public static void source(Cpu c, Insn i) {
        check(c, i);
        if (i.mem) {
            long la = c.eaRead(i, 16);
            if ((la & 15) != 0 && i.vectorLength == 0) {
                throw c.gp(0);
            }
            c.t0 = c.read64(la);
            c.t1 = c.read64(la + 8);
        } else {
            c.t0 = c.v[4 * i.rm];
            c.t1 = c.v[4 * i.rm + 1];
        }
    }

    /**
     * As {@link #source}, for operands that need no alignment.
     *
     * @param c the vcpu
     * @param i the instruction
     */
    public static void sourceUnaligned(Cpu c, Insn i) {
        check(c, i);
        if (i.mem) {
            long la = c.eaRead(i, 16);
            c.t0 = c.read64(la);
            c.t1 = c.read64(la + 8);
        } else {
            c.t0 = c.v[4 * i.rm];
            c.t1 = c.v[4 * i.rm + 1];
        }
    }

    /**
     * The low 64 bits of an XMM register, or a 64-bit memory operand.
     *
     * @param c the vcpu
     * @param i the instruction
     * @return the value
     */
    public static long source64(Cpu c, Insn i) {
        check(c, i);
        return i.mem ? c.read64(c.eaRead(i, 8)) : c.v[4 * i.rm];
    }

    /**
     * The low 32 bits of an XMM register, or a 32-bit memory operand.
     *
     * @param c the vcpu
     * @param i the instruction
     * @return the value
     */
    public static int source32(Cpu c, Insn i) {
        check(c, i);
        return i.mem ? c.read32(c.eaRead(i, 4)) : (int) c.v[4 * i.rm];
    }

    /**
     * Stores 128 bits to memory, all or nothing.
     *
     * @param c the vcpu
     * @param la linear address
     * @param low low half
     * @param high high half
     */
    public static void store128(Cpu c, long la, long low, long high) {
        c.checkWrite(la, 16);
        c.write64(la, low);
        c.write64(la + 8, high);
    }

    /**
     * Loads an MMX register or a 64-bit memory operand into the scratch.
     *
     * @param c the vcpu
     * @param i the instruction
     */
    public static void mmxSource(Cpu c, Insn i) {
        X87.checkMmx(c);
        c.t0 = i.mem ? c.read64(c.eaRead(i, 8)) : c.fpu.mmx(i.rm);
    }

    /**
     * The MMX destination.
     *
     * @param c the vcpu
     * @param i the instruction
     * @return its value
     */
    public static long mmxDestination(Cpu c, Insn i) {
        return c.fpu.mmx(i.reg);
    }

    /**
     * Stores to the MMX destination and leaves the x87 unit in MMX state.
     *
     * @param c the vcpu
     * @param i the instruction
     * @param value new value
     */
    public static void mmxStore(Cpu c, Insn i, long value) {
        c.fpu.enterMmx();
        c.fpu.setMmx(i.reg, value);
    }
}
