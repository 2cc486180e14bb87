package org.softkvm.kvm.emulator;

import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.Sregs;

/** What KVM_SET_SREGS accepts (Intel SDM volume 3, sections 2.5 and 4.1). */
final class SregsRules {
    static final long CR0_PE = 1;
    static final long CR0_NW = 1L << 29;
    static final long CR0_CD = 1L << 30;
    static final long CR0_PG = 1L << 31;
    static final long CR4_PAE = 1 << 5;
    static final long CR4_PCIDE = 1 << 17;
    static final long EFER_LME = 1 << 8;
    static final long EFER_LMA = 1 << 10;

    private static final String CALL = "KVM_SET_SREGS";

    private SregsRules() {}

    /**
     * Checks that the control registers go together.
     *
     * @param cr4Reserved bits of CR4 that the CPU does not have
     * @param eferReserved bits of EFER that the CPU does not have
     * @param physicalAddressBits the width of guest-physical addresses
     */
    static void check(Sregs sregs, long cr4Reserved, long eferReserved, int physicalAddressBits) {
        if (sregs.cr0 >>> 32 != 0) {
            throw invalid("cr0", sregs.cr0, "bits 63:32");
        }
        if ((sregs.cr0 & CR0_NW) != 0 && (sregs.cr0 & CR0_CD) == 0) {
            throw invalid("cr0", sregs.cr0, "NW without CD");
        }
        boolean paging = (sregs.cr0 & CR0_PG) != 0;
        if (paging && (sregs.cr0 & CR0_PE) == 0) {
            throw invalid("cr0", sregs.cr0, "PG without PE");
        }
        if ((sregs.cr4 & cr4Reserved) != 0) {
            throw invalid("cr4", sregs.cr4, "bits that the CPU does not have");
        }
        if ((sregs.efer & eferReserved) != 0) {
            throw invalid("efer", sregs.efer, "bits that the CPU does not have");
        }
        boolean lma = (sregs.efer & EFER_LMA) != 0;
        if (paging && (sregs.efer & EFER_LME) != 0) {
            if ((sregs.cr4 & CR4_PAE) == 0) {
                throw invalid("cr4", sregs.cr4, "long mode without PAE");
            }
            if (!lma) {
                throw invalid("efer", sregs.efer, "LME and paging without LMA");
            }
            if (sregs.cr3 >>> physicalAddressBits != 0) {
                throw invalid("cr3", sregs.cr3, "above the physical address width");
            }
        } else {
            if (lma) {
                throw invalid("efer", sregs.efer, "LMA outside long mode");
            }
            if (sregs.cs.l != 0) {
                throw invalid("cs.l", 1, "64-bit code outside long mode");
            }
        }
        if ((sregs.cr4 & CR4_PCIDE) != 0 && !lma) {
            throw invalid("cr4", sregs.cr4, "PCIDE outside long mode");
        }
        if (sregs.cr8 >>> 4 != 0) {
            throw invalid("cr8", sregs.cr8, "0 to 15");
        }
        int bits = 0;
        for (long word : sregs.interruptBitmap) {
            bits += Long.bitCount(word);
        }
        if (bits > 1) {
            throw new KvmException(CALL, Errno.EINVAL, "interrupt_bitmap (more than one interrupt)");
        }
    }

    private static KvmException invalid(String register, long value, String reason) {
        return new KvmException(CALL, Errno.EINVAL, register + "=0x" + Long.toHexString(value) + " (" + reason + ")");
    }
}
