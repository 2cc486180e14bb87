package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.decode.Insn;

/** FXSAVE, FXRSTOR, the XSAVE family, LDMXCSR, STMXCSR (Intel SDM volume 1, chapters 10.5 and 13; volume 2). */
public final class StateSave {
    private static final long COMPACTED = 1L << 63;

    private StateSave() {}

    private static void available(Cpu c) {
        if ((c.cr0 & (Cpu.CR0_EM | Cpu.CR0_TS)) != 0) {
            throw c.fault(Vector.NM, 0);
        }
    }

    /** LDMXCSR. */
    public static void ldmxcsr(Cpu c, Insn i) {
        Simd.check(c, i);
        int value = c.read32(c.eaRead(i, 4));
        if ((value & ~XsaveArea.mxcsrMask(c.model)) != 0) {
            throw c.gp(0);
        }
        c.mxcsr = value;
    }

    /** STMXCSR. */
    public static void stmxcsr(Cpu c, Insn i) {
        Simd.check(c, i);
        c.write32(c.eaWrite(i, 4), c.mxcsr);
    }

    private static int registers(Cpu c) {
        return c.mode64 ? 16 : 8;
    }

    /** Takes components into the image. */
    private static void take(Cpu c, Insn i, int mask) {
        XsaveArea area = c.xsaveArea;
        if ((mask & XsaveArea.X87) != 0) {
            area.takeX87(c, i.opSize == 8);
        }
        area.takeMxcsr(c);
        if ((mask & XsaveArea.SSE) != 0) {
            area.takeXmm(c);
        }
        if ((mask & XsaveArea.AVX) != 0) {
            area.takeYmm(c);
        }
    }

    /** Reads memory into the image before anything is changed, so that no fault comes later. */
    private static void load(Cpu c, long la, int from, int to) {
        long[] w = c.xsaveArea.w;
        for (int k = from / 8; k < to / 8; k++) {
            w[k] = c.read64(la + 8L * k);
        }
    }

    /** FXSAVE. */
    public static void fxsave(Cpu c, Insn i) {
        available(c);
        long la = c.eaWrite(i, XsaveArea.LEGACY_SIZE);
        if ((la & 15) != 0) {
            throw c.gp(0);
        }
        c.checkWrite(la, XsaveArea.LEGACY_SIZE);
        int mask = (c.cr4 & Cpu.CR4_OSFXSR) != 0 ? XsaveArea.X87 | XsaveArea.SSE : XsaveArea.X87;
        take(c, i, mask);
        c.xsaveArea.store(c, la, mask, true, registers(c));
    }

    /** FXRSTOR. */
    public static void fxrstor(Cpu c, Insn i) {
        available(c);
        long la = c.eaRead(i, XsaveArea.LEGACY_SIZE);
        if ((la & 15) != 0) {
            throw c.gp(0);
        }
        load(c, la, 0, XsaveArea.LEGACY_SIZE);
        XsaveArea area = c.xsaveArea;
        boolean sse = (c.cr4 & Cpu.CR4_OSFXSR) != 0;
        if (sse && (area.mxcsr() & ~XsaveArea.mxcsrMask(c.model)) != 0) {
            throw c.gp(0);
        }
        area.giveX87(c, i.opSize == 8);
        if (sse) {
            c.mxcsr = area.mxcsr();
            area.giveXmm(c, registers(c), true);
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

    /** RFBM: the components that the instruction is asked for. */
    private static int mask(Cpu c) {
        return (int) (c.r[Cpu.RAX] & c.xcr0);
    }

    private static long target(Cpu c, Insn i, int mask) {
        long la = c.eaWrite(i, XsaveArea.size(mask));
        if ((la & 63) != 0) {
            throw c.gp(0);
        }
        c.checkWrite(la, XsaveArea.size(mask));
        return la;
    }

    private static void save(Cpu c, Insn i, boolean optimized) {
        xsaveAvailable(c);
        int mask = mask(c);
        long la = target(c, i, mask);
        long bv = c.read64(la + 8 * XsaveArea.STATE_BV);
        int used = XsaveArea.inUse(c);
        int what = optimized ? mask & used : mask;
        take(c, i, what);
        c.xsaveArea.store(c, la, what, (mask & (XsaveArea.SSE | XsaveArea.AVX)) != 0, registers(c));
        c.write64(la + 8 * XsaveArea.STATE_BV, bv & ~mask | mask & used);
    }

    /** XSAVE: standard format. */
    public static void xsave(Cpu c, Insn i) {
        save(c, i, false);
    }

    /** XSAVEOPT: leaves out components in their initial state. Nothing is kept from the last XRSTOR to leave out more. */
    public static void xsaveopt(Cpu c, Insn i) {
        save(c, i, true);
    }

    /** XSAVEC: compacted format, without components in their initial state; MXCSR belongs to SSE alone. */
    public static void xsavec(Cpu c, Insn i) {
        xsaveAvailable(c);
        int mask = mask(c);
        long la = target(c, i, mask);
        int what = mask & XsaveArea.inUse(c);
        take(c, i, what);
        c.xsaveArea.store(c, la, what, (what & XsaveArea.SSE) != 0, registers(c));
        c.write64(la + 8 * XsaveArea.STATE_BV, what);
        c.write64(la + 8 * XsaveArea.COMP_BV, mask | COMPACTED);
    }

    /** XRSTOR: either format. */
    public static void xrstor(Cpu c, Insn i) {
        xsaveAvailable(c);
        int mask = mask(c);
        long la = c.eaRead(i, XsaveArea.size(mask));
        if ((la & 63) != 0) {
            throw c.gp(0);
        }
        XsaveArea area = c.xsaveArea;
        load(c, la, 0, XsaveArea.size(mask));
        long bv = area.w[XsaveArea.STATE_BV];
        long format = area.w[XsaveArea.COMP_BV];
        boolean compacted = (format & COMPACTED) != 0;
        if (compacted) {
            if (!c.model.has(Feature.XSAVEC) || (format & ~COMPACTED & ~c.xcr0) != 0 || (bv & ~format) != 0) {
                throw c.gp(0);
            }
        } else if ((bv & ~c.xcr0) != 0 || format != 0) {
            throw c.gp(0);
        }
        // Of the rest of the header the CPU looks at eight bytes in the standard format, at all in the compacted one.
        for (int k = XsaveArea.COMP_BV + 1; k < (compacted ? XsaveArea.HEADER_END / 8 : XsaveArea.COMP_BV + 2); k++) {
            if (area.w[k] != 0) {
                throw c.gp(0);
            }
        }
        boolean mxcsrLoaded =
                compacted ? (mask & bv & XsaveArea.SSE) != 0 : (mask & (XsaveArea.SSE | XsaveArea.AVX)) != 0;
        if (mxcsrLoaded && (area.mxcsr() & ~XsaveArea.mxcsrMask(c.model)) != 0) {
            throw c.gp(0);
        }
        if ((mask & XsaveArea.X87) != 0) {
            if ((bv & XsaveArea.X87) != 0) {
                area.giveX87(c, i.opSize == 8);
            } else {
                c.fpu.reset();
                c.fpu.init();
            }
        }
        if (mxcsrLoaded) {
            c.mxcsr = area.mxcsr();
        } else if ((mask & XsaveArea.SSE) != 0) {
            c.mxcsr = 0x1F80;
        }
        if ((mask & XsaveArea.SSE) != 0) {
            area.giveXmm(c, registers(c), (bv & XsaveArea.SSE) != 0);
        }
        if ((mask & XsaveArea.AVX) != 0) {
            area.giveYmm(c, registers(c), (bv & XsaveArea.AVX) != 0);
        }
    }
}
