package org.softkvm.emulator.cpu;

import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.decode.Feature;

/** Loads of control registers with their checks (Intel SDM volume 3, 2.5 and 5.1; volume 2, MOV CR). */
public final class Control {
    /** CR3 as an operand with CR4.PCIDE: keep the translations of the new PCID. */
    private static final long CR3_KEEP = 1L << 63;

    private Control() {}

    /**
     * The CR4 bits that a model has.
     *
     * @param c the vcpu
     * @return allowed bits
     */
    public static long cr4Allowed(Cpu c) {
        CpuModel m = c.model;
        long bits = bit(m, Feature.TSC, Cpu.CR4_TSD)
                | bit(m, Feature.DE, Cpu.CR4_DE)
                | bit(m, Feature.PSE, Cpu.CR4_PSE)
                | bit(m, Feature.PAE, Cpu.CR4_PAE)
                | bit(m, Feature.MCE, Cpu.CR4_MCE)
                | bit(m, Feature.PGE, Cpu.CR4_PGE)
                // RDPMC came with the MMX Pentium and the P6.
                | bit(m, Feature.MMX, Cpu.CR4_PCE)
                | bit(m, Feature.FXSR, Cpu.CR4_OSFXSR)
                | bit(m, Feature.SSE, Cpu.CR4_OSXMMEXCPT)
                | bit(m, Feature.UMIP, Cpu.CR4_UMIP)
                | bit(m, Feature.FSGSBASE, Cpu.CR4_FSGSBASE)
                | bit(m, Feature.PCID, Cpu.CR4_PCIDE)
                | bit(m, Feature.XSAVE, Cpu.CR4_OSXSAVE)
                | bit(m, Feature.SMEP, Cpu.CR4_SMEP)
                | bit(m, Feature.SMAP, Cpu.CR4_SMAP);
        return bits;
    }

    private static long bit(CpuModel m, Feature f, long bit) {
        return m.has(f) ? bit : 0;
    }

    /**
     * MOV to CR0, or LMSW.
     *
     * @param c the vcpu
     * @param value new value
     */
    public static void writeCr0(Cpu c, long value) {
        if (value >>> 32 != 0) {
            throw c.gp(0);
        }
        int known = Cpu.CR0_PE
                | Cpu.CR0_MP
                | Cpu.CR0_EM
                | Cpu.CR0_TS
                | Cpu.CR0_NE
                | Cpu.CR0_WP
                | Cpu.CR0_AM
                | Cpu.CR0_NW
                | Cpu.CR0_CD
                | Cpu.CR0_PG;
        int v = (int) value & known | Cpu.CR0_ET;
        if ((v & Cpu.CR0_PG) != 0 && (v & Cpu.CR0_PE) == 0 || (v & Cpu.CR0_NW) != 0 && (v & Cpu.CR0_CD) == 0) {
            throw c.gp(0);
        }
        int changed = v ^ c.cr0;
        long efer = c.efer;
        if ((changed & Cpu.CR0_PG) != 0) {
            if ((v & Cpu.CR0_PG) != 0) {
                if ((efer & Cpu.EFER_LME) != 0) {
                    if ((c.cr4 & Cpu.CR4_PAE) == 0 || (c.segAttr[Cpu.CS] & Cpu.ATTR_L) != 0) {
                        throw c.gp(0);
                    }
                    efer |= Cpu.EFER_LMA;
                } else if ((c.cr4 & Cpu.CR4_PAE) != 0) {
                    loadPdptrs(c, c.cr3);
                }
            } else {
                if (c.mode64 || (c.cr4 & Cpu.CR4_PCIDE) != 0) {
                    throw c.gp(0);
                }
                efer &= ~Cpu.EFER_LMA;
            }
        }
        c.cr0 = v;
        c.efer = efer;
        if ((changed & Cpu.CR0_PE) != 0) {
            c.deriveSegments();
        }
        if ((changed & (Cpu.CR0_PG | Cpu.CR0_WP | Cpu.CR0_PE)) != 0) {
            c.flushTlb();
        } else {
            c.updateMode();
        }
    }

    /**
     * MOV to CR3.
     *
     * @param c the vcpu
     * @param value new value
     */
    public static void writeCr3(Cpu c, long value) {
        boolean keep = false;
        if (c.longMode()) {
            if ((c.cr4 & Cpu.CR4_PCIDE) != 0) {
                keep = (value & CR3_KEEP) != 0;
                value &= ~CR3_KEEP;
            }
            if ((value & ~c.physicalMask) != 0) {
                throw c.gp(0);
            }
        } else if ((c.cr4 & Cpu.CR4_PAE) != 0 && (c.cr0 & Cpu.CR0_PG) != 0) {
            loadPdptrs(c, value);
        }
        c.cr3 = value;
        c.addressSpaceChanged(keep);
    }

    /**
     * MOV to CR4.
     *
     * @param c the vcpu
     * @param value new value
     */
    public static void writeCr4(Cpu c, long value) {
        if ((value & ~cr4Allowed(c)) != 0 || c.longMode() && (value & Cpu.CR4_PAE) == 0) {
            throw c.gp(0);
        }
        long changed = value ^ c.cr4;
        if ((value & changed & Cpu.CR4_PCIDE) != 0 && (!c.longMode() || (c.cr3 & 0xFFF) != 0)) {
            throw c.gp(0);
        }
        if ((changed & (Cpu.CR4_PAE | Cpu.CR4_PGE | Cpu.CR4_PSE | Cpu.CR4_SMEP)) != 0
                && (value & Cpu.CR4_PAE) != 0
                && (c.cr0 & Cpu.CR0_PG) != 0
                && !c.longMode()) {
            loadPdptrs(c, c.cr3);
        }
        c.cr4 = value;
        if ((changed & (Cpu.CR4_PAE | Cpu.CR4_PGE | Cpu.CR4_PSE | Cpu.CR4_PCIDE | Cpu.CR4_SMEP | Cpu.CR4_SMAP)) != 0) {
            c.flushTlb();
        } else {
            c.updateMode();
        }
    }

    /** Loads the four PAE page-directory pointers; reserved bits are #GP(0) and nothing changes. */
    static void loadPdptrs(Cpu c, long cr3) {
        long table = cr3 & 0xFFFFFFE0L;
        long reserved = ~c.physicalMask | 0x1E6L;
        for (int pass = 0; pass < 2; pass++) {
            for (int k = 0; k < 4; k++) {
                long host = c.memory.hostOffset(table + 8L * k);
                long entry = host >= 0
                        ? HostMemory.getLong(host)
                        : host == GuestMemory.FOREIGN ? c.memory.readForeign(table + 8L * k, 8) : -1L;
                if (pass == 1) {
                    c.pdptr[k] = entry;
                } else if ((entry & 1) != 0 && (entry & reserved) != 0) {
                    throw c.gp(0);
                }
            }
        }
    }
}
