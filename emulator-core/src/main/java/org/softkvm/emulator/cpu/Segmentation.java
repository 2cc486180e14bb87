package org.softkvm.emulator.cpu;

import org.softkvm.emulator.decode.Feature;

/** Loading of segment registers, LDTR and TR (Intel SDM volume 3, sections 3.4 and 6.6 to 6.8; MOV, LLDT, LTR). */
public final class Segmentation {
    private Segmentation() {}

    /**
     * Loads ES, SS, DS, FS or GS as MOV, POP and LDS do. All checks come before the change.
     *
     * @param c the vcpu
     * @param seg segment number, not CS
     * @param selector selector, 16 bits
     */
    public static void load(Cpu c, int seg, int selector) {
        if (c.realOrV86()) {
            loadReal(c, seg, selector);
        } else if (seg == Cpu.SS) {
            loadStack(c, selector);
        } else {
            loadData(c, seg, selector);
        }
    }

    /**
     * Loads a segment register (CS too) in real or virtual-8086 mode. Real mode keeps limit and attributes of the hidden
     * part; virtual-8086 mode makes them 64 KiB at DPL 3.
     *
     * @param c the vcpu
     * @param seg segment number
     * @param selector paragraph number
     */
    public static void loadReal(Cpu c, int seg, int selector) {
        long base = (long) selector << 4;
        if (c.v86()) {
            c.setSegment(seg, selector, base, 0xFFFF, 0xF3);
        } else if ((c.segAttr[seg] & Cpu.ATTR_UNUSABLE) != 0) {
            c.setSegment(seg, selector, base, 0xFFFF, 0x93);
        } else {
            c.setSegment(seg, selector, base, c.segLimit[seg], c.segAttr[seg]);
        }
    }

    /**
     * Makes a segment register null: unusable outside 64-bit mode.
     *
     * @param c the vcpu
     * @param seg segment number
     * @param selector null selector with its RPL
     * @param dpl DPL that the hidden part keeps (of SS: the CPL)
     */
    public static void loadNull(Cpu c, int seg, int selector, int dpl) {
        c.setSegment(seg, selector, 0, 0, Cpu.ATTR_UNUSABLE | dpl << Cpu.ATTR_DPL_SHIFT);
    }

    private static void loadData(Cpu c, int seg, int selector) {
        if (Descriptors.isNull(selector)) {
            loadNull(c, seg, selector, 0);
            return;
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, 0);
        int error = Descriptors.error(selector, 0);
        if (!Descriptors.isReadable(d)) {
            throw c.gp(error);
        }
        boolean conforming = Descriptors.isCode(d) && Descriptors.isConforming(d);
        if (!conforming && Math.max(selector & 3, c.cpl) > Descriptors.dpl(d)) {
            throw c.gp(error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, error);
        }
        set(c, seg, selector, Descriptors.accessed(c, selector, d));
    }

    private static void loadStack(Cpu c, int selector) {
        if (Descriptors.isNull(selector)) {
            if (!c.mode64 || c.cpl == 3 || (selector & 3) != c.cpl) {
                throw c.gp(0);
            }
            loadNull(c, Cpu.SS, selector, c.cpl);
            return;
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, 0);
        int error = Descriptors.error(selector, 0);
        if ((selector & 3) != c.cpl || !Descriptors.isWritableData(d) || Descriptors.dpl(d) != c.cpl) {
            throw c.gp(error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.SS, error);
        }
        set(c, Cpu.SS, selector, Descriptors.accessed(c, selector, d));
    }

    /** Sets a segment register from a descriptor that was checked. */
    public static void set(Cpu c, int seg, int selector, long d) {
        c.setSegment(seg, selector, Descriptors.base(d), Descriptors.limit(d), Descriptors.attributes(d));
    }

    /**
     * Sets CS and the CPL from a code descriptor that was checked.
     *
     * @param c the vcpu
     * @param selector selector; its RPL becomes the CPL
     * @param d descriptor
     * @param cpl new CPL
     */
    public static void setCode(Cpu c, int selector, long d, int cpl) {
        c.cpl = cpl;
        set(c, Cpu.CS, selector & 0xFFFC | cpl, d);
    }

    /**
     * Reads the upper half of a 16-byte system descriptor and checks it.
     *
     * @param c the vcpu
     * @param selector its selector
     * @param ext EXT bit
     * @return the upper 8 bytes
     */
    public static long upperHalf(Cpu c, int selector, int ext) {
        long address = Descriptors.address(c, selector, 16);
        if (address == -1) {
            throw c.gp(Descriptors.error(selector, ext));
        }
        long upper = c.sysRead(address + 8, 8);
        if ((upper >>> 40 & 0x1F) != 0) {
            throw c.gp(Descriptors.error(selector, ext));
        }
        return upper;
    }

    /**
     * LLDT.
     *
     * @param c the vcpu, in protected mode at CPL 0
     * @param selector selector
     */
    public static void loadLdt(Cpu c, int selector) {
        if (Descriptors.isNull(selector)) {
            c.setSegment(Cpu.LDTR, selector, 0, 0, Cpu.ATTR_UNUSABLE);
            return;
        }
        int error = Descriptors.error(selector, 0);
        if ((selector & 4) != 0) {
            throw c.gp(error);
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, 0);
        if (Descriptors.systemType(d) != Descriptors.LDT) {
            throw c.gp(error);
        }
        long base = systemBase(c, selector, d);
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, error);
        }
        c.setSegment(Cpu.LDTR, selector, base, Descriptors.limit(d), Descriptors.attributes(d));
    }

    /**
     * LTR.
     *
     * @param c the vcpu, in protected mode at CPL 0
     * @param selector selector
     */
    public static void loadTr(Cpu c, int selector) {
        if (Descriptors.isNull(selector)) {
            throw c.gp(0);
        }
        int error = Descriptors.error(selector, 0);
        if ((selector & 4) != 0) {
            throw c.gp(error);
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, 0);
        int type = Descriptors.systemType(d);
        if (type != Descriptors.TSS32 && (type != Descriptors.TSS16 || c.longMode())
                || type == Descriptors.TSS32 && !c.model.has(Feature.I386)) {
            throw c.gp(error);
        }
        long base = systemBase(c, selector, d);
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, error);
        }
        setBusy(c, selector, d, true);
        c.setSegment(Cpu.TR, selector, base, Descriptors.limit(d), Descriptors.attributes(d) | Descriptors.TSS_BUSY);
    }

    /** Sets or clears the busy bit of a TSS descriptor in the GDT. */
    static void setBusy(Cpu c, int selector, long d, boolean busy) {
        long access = d >>> 40 & 0xFF;
        access = busy ? access | Descriptors.TSS_BUSY : access & ~Descriptors.TSS_BUSY;
        c.sysWrite(Descriptors.address(c, selector, 8) + 5, 1, access);
    }

    /** The base of an LDT or TSS: 64 bits in long mode, where it has to be canonical. */
    private static long systemBase(Cpu c, int selector, long d) {
        long base = Descriptors.base(d);
        if (c.longMode()) {
            base |= upperHalf(c, selector, 0) << 32;
            if (base << 16 >> 16 != base) {
                throw c.gp(Descriptors.error(selector, 0));
            }
        }
        return base;
    }
}
