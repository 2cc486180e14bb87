package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.fpu.FpuState;

/** FXSAVE, FXRSTOR, XSAVE, XRSTOR, LDMXCSR, STMXCSR (Intel SDM volume 1, chapters 10.5 and 13; volume 2). */
public final class StateSave {
    /** Bits of MXCSR that exist. */
    private static final int MXCSR_MASK = 0xFFFF;

    private static final int LEGACY_SIZE = 512;
    private static final int HEADER = 512;
    private static final int AREA_SIZE = 576;

    private StateSave() {}

    private static void available(Cpu c) {
        if ((c.cr0 & (Cpu.CR0_EM | Cpu.CR0_TS)) != 0) {
            throw c.fault(Vector.NM, 0);
        }
    }

    /** LDMXCSR. */
    public static void ldmxcsr(Cpu c, Insn i) {
        Simd.check(c);
        int value = c.read32(c.eaRead(i, 4));
        if ((value & ~MXCSR_MASK) != 0) {
            throw c.gp(0);
        }
        c.mxcsr = value;
    }

    /** STMXCSR. */
    public static void stmxcsr(Cpu c, Insn i) {
        Simd.check(c);
        c.write32(c.eaWrite(i, 4), c.mxcsr);
    }

    private static void saveX87(Cpu c, long la, boolean wide) {
        FpuState f = c.fpu;
        c.write16(la, f.controlWord());
        c.write16(la + 2, f.statusWord());
        c.write16(la + 4, f.abridgedTag());
        c.write16(la + 6, f.opcode);
        if (wide) {
            c.write64(la + 8, f.instructionPointer);
            c.write64(la + 16, f.dataPointer);
        } else {
            c.write32(la + 8, (int) f.instructionPointer);
            c.write32(la + 12, f.instructionSelector & 0xFFFF);
            c.write32(la + 16, (int) f.dataPointer);
            c.write32(la + 20, f.dataSelector & 0xFFFF);
        }
        for (int k = 0; k < 8; k++) {
            c.write64(la + 32 + 16L * k, f.stackSignificand(k));
            c.write64(la + 40 + 16L * k, f.stackSignExponent(k));
        }
    }

    private static void saveXmm(Cpu c, long la) {
        int n = c.mode64 ? 16 : 8;
        for (int k = 0; k < n; k++) {
            c.write64(la + 160 + 16L * k, c.v[4 * k]);
            c.write64(la + 168 + 16L * k, c.v[4 * k + 1]);
        }
    }

    private static void saveMxcsr(Cpu c, long la) {
        c.write32(la + 24, c.mxcsr);
        c.write32(la + 28, MXCSR_MASK);
    }

    /** FXSAVE. */
    public static void fxsave(Cpu c, Insn i) {
        available(c);
        long la = c.eaWrite(i, LEGACY_SIZE);
        if ((la & 15) != 0) {
            throw c.gp(0);
        }
        c.checkWrite(la, LEGACY_SIZE);
        saveX87(c, la, i.opSize == 8);
        if (!c.model.has(Feature.SSE)) {
            return;
        }
        saveMxcsr(c, la);
        if ((c.cr4 & Cpu.CR4_OSFXSR) != 0) {
            saveXmm(c, la);
        }
    }

    /** Reads each word once before anything is changed, so that no fault comes later. */
    private static void probe(Cpu c, long la, int size) {
        for (int k = 0; k < size; k += 8) {
            c.read64(la + k);
        }
        c.exitInfo.rewind();
    }

    private static void restoreX87(Cpu c, long la, boolean wide) {
        FpuState f = c.fpu;
        f.setControlWord(c.read16(la));
        f.setStatusWord(c.read16(la + 2));
        f.setAbridgedTag(c.read16(la + 4) & 0xFF);
        f.opcode = c.read16(la + 6) & 0x7FF;
        if (wide) {
            f.instructionPointer = c.read64(la + 8);
            f.dataPointer = c.read64(la + 16);
        } else {
            f.instructionPointer = c.read32(la + 8) & 0xFFFFFFFFL;
            f.instructionSelector = c.read16(la + 12);
            f.dataPointer = c.read32(la + 16) & 0xFFFFFFFFL;
            f.dataSelector = c.read16(la + 20);
        }
        for (int k = 0; k < 8; k++) {
            f.setStack(k, c.read16(la + 40 + 16L * k), c.read64(la + 32 + 16L * k));
        }
    }

    private static void restoreXmm(Cpu c, long la) {
        int n = c.mode64 ? 16 : 8;
        for (int k = 0; k < n; k++) {
            c.v[4 * k] = c.read64(la + 160 + 16L * k);
            c.v[4 * k + 1] = c.read64(la + 168 + 16L * k);
        }
    }

    /** FXRSTOR. */
    public static void fxrstor(Cpu c, Insn i) {
        available(c);
        long la = c.eaRead(i, LEGACY_SIZE);
        if ((la & 15) != 0) {
            throw c.gp(0);
        }
        probe(c, la, LEGACY_SIZE);
        int mxcsr = c.read32(la + 24);
        boolean sse = (c.cr4 & Cpu.CR4_OSFXSR) != 0 && c.model.has(Feature.SSE);
        if (sse && (mxcsr & ~MXCSR_MASK) != 0) {
            throw c.gp(0);
        }
        restoreX87(c, la, i.opSize == 8);
        if (sse) {
            c.mxcsr = mxcsr;
            restoreXmm(c, la);
        }
    }

    private static void xsaveAvailable(Cpu c) {
        if ((c.cr4 & Cpu.CR4_OSXSAVE) == 0) {
            throw c.ud();
        }
        if ((c.cr0 & Cpu.CR0_TS) != 0) {
            throw c.fault(Vector.NM, 0);
        }
    }

    private static long mask(Cpu c) {
        return (c.r[Cpu.RDX] << 32 | c.r[Cpu.RAX] & 0xFFFFFFFFL) & c.xcr0;
    }

    /** XSAVE, standard format. */
    public static void xsave(Cpu c, Insn i) {
        xsaveAvailable(c);
        long la = c.eaWrite(i, AREA_SIZE);
        if ((la & 63) != 0) {
            throw c.gp(0);
        }
        long mask = mask(c);
        c.checkWrite(la, AREA_SIZE);
        long bv = c.read64(la + HEADER);
        if ((mask & 1) != 0) {
            saveX87(c, la, i.opSize == 8);
        }
        if ((mask & 2) != 0) {
            saveXmm(c, la);
        }
        if ((mask & 6) != 0) {
            saveMxcsr(c, la);
        }
        c.write64(la + HEADER, bv & ~mask | mask);
    }

    /** XRSTOR, standard format. */
    public static void xrstor(Cpu c, Insn i) {
        xsaveAvailable(c);
        long la = c.eaRead(i, AREA_SIZE);
        if ((la & 63) != 0) {
            throw c.gp(0);
        }
        long mask = mask(c);
        probe(c, la, AREA_SIZE);
        long bv = c.read64(la + HEADER);
        if ((bv & ~c.xcr0) != 0) {
            throw c.gp(0);
        }
        // XCOMP_BV (no compacted format here) and eight reserved bytes; the CPU does not look at the rest of the
        // header.
        for (int k = 8; k < 24; k += 8) {
            if (c.read64(la + HEADER + k) != 0) {
                throw c.gp(0);
            }
        }
        int mxcsr = c.read32(la + 24);
        if ((mask & 6) != 0 && (mxcsr & ~MXCSR_MASK) != 0) {
            throw c.gp(0);
        }
        if ((mask & 1) != 0) {
            if ((bv & 1) != 0) {
                restoreX87(c, la, i.opSize == 8);
            } else {
                c.fpu.reset();
                c.fpu.init();
            }
        }
        if ((mask & 6) != 0) {
            c.mxcsr = mxcsr;
        }
        if ((mask & 2) != 0) {
            if ((bv & 2) != 0) {
                restoreXmm(c, la);
            } else {
                int n = c.mode64 ? 16 : 8;
                for (int k = 0; k < n; k++) {
                    Shuffles.set(c, k, 0, 0);
                }
            }
        }
    }
}
