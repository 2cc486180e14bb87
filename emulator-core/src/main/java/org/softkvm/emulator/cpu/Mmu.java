package org.softkvm.emulator.cpu;

import java.lang.invoke.VarHandle;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.decode.Feature;

/**
 * What the TLB fast paths in {@link Cpu} do not cover: page walks (Intel SDM volume 3, chapter 5), accesses that cross
 * pages, alignment checks, memory-mapped I/O, read-only and watched pages, and segment faults.
 */
public final class Mmu {
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int EXEC = 2;

    /** Page-fault error code bits. */
    private static final int PF_P = 1;

    private static final int PF_W = 2;
    private static final int PF_U = 4;
    private static final int PF_RSVD = 8;
    private static final int PF_I = 16;

    /** Offset of the task priority register in the local APIC's page. */
    private static final int TPR = 0x80;

    private static final long PTE_P = 1;
    private static final long PTE_W = 2;
    private static final long PTE_U = 4;
    private static final long PTE_A = 0x20;
    private static final long PTE_D = 0x40;
    private static final long PTE_PS = 0x80;
    private static final long PTE_G = 0x100;
    private static final long PTE_NX = 1L << 63;
    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

    /** Answer of a walk: another CPU changed an entry meanwhile. */
    private static final long CHANGED = Long.MIN_VALUE;

    /** How often a walk is begun anew. */
    private static final int WALKS = 100;

    private Mmu() {}

    // ---------------------------------------------------------------- slow paths

    static long readSlow(Cpu c, long la, int size) {
        if (c.breakData != 0) {
            Breakpoints.data(c, la, size, false);
        }
        if (c.tagAlign() && (la & size - 1) != 0) {
            throw c.fault(Vector.AC, 0);
        }
        if (la >>> 40 == 1 && !c.model.has(Feature.I286)) {
            long value = 0;
            for (int k = 0; k < size; k++) {
                value |= readPhysical(c, 0, wrapped(c, la, k), 1, null) << 8 * k;
            }
            return value;
        }
        if ((la & 4095) + size > 4096) {
            return readSplit(c, la, size);
        }
        long phys = translate(c, la, READ);
        return readPhysical(c, la, phys, size, c.tlbRead);
    }

    private static long readSplit(Cpu c, long la, int size) {
        long second = next(c, la | 4095);
        long p1 = translate(c, la, READ);
        long p2 = translate(c, second, READ);
        int n1 = (int) (4096 - (la & 4095));
        return readPart(c, p1, n1) | readPart(c, p2, size - n1) << 8 * n1;
    }

    /** A part of an access across pages: a device sees it whole, as KVM's exits have it. */
    private static long readPart(Cpu c, long phys, int size) {
        if (isDevice(c, phys, c.memory.hostOffset(phys))) {
            return readMmio(c, phys, size);
        }
        long value = 0;
        for (int k = 0; k < size; k++) {
            value |= readPhysical(c, 0, phys + k, 1, null) << 8 * k;
        }
        return value;
    }

    private static void writePart(Cpu c, long phys, int size, long value) {
        if (isDevice(c, phys, c.memory.hostOffsetForWrite(phys))) {
            c.exitInfo.queueWrite(phys, size, value);
            c.stopAfterInsn();
            return;
        }
        for (int k = 0; k < size; k++) {
            writePhysical(c, 0, phys + k, 1, value >>> 8 * k, null);
        }
    }

    private static boolean isDevice(Cpu c, long phys, long host) {
        return host < 0 && host != GuestMemory.FOREIGN && (phys & -4096L) != c.lapic.mmioPage();
    }

    /** The address after the last byte of a page, wrapped as the mode does. */
    private static long next(Cpu c, long last) {
        // Descriptor tables and the TSS may be above 4 GiB in compatibility mode too.
        if (!c.mode64 && last >>> 32 == 0) {
            return last + 1 & 0xFFFFFFFFL;
        }
        // The canonical check covers the whole operand and comes before paging.
        long next = last + 1;
        if (next << 16 >> 16 != next && last << 16 >> 16 == last) {
            throw c.nonCanonical();
        }
        return next;
    }

    private static long readPhysical(Cpu c, long la, long phys, int size, long[] tlb) {
        long lapic = c.lapic.mmioPage();
        if ((phys & -4096L) == lapic) {
            c.exactly();
            if (c.tprReporting && (phys & 0xFF0) == TPR) {
                reportTpr(c, false);
            }
            return c.lapic.readMmio((int) phys & 4095, size);
        }
        long host = c.memory.hostOffset(phys);
        if (host >= 0) {
            if (tlb != null) {
                c.fillTlb(tlb, la, host & -4096L, c.tlbTag);
            }
            return switch (size) {
                case 1 -> HostMemory.getByte(host);
                case 2 -> HostMemory.getShort(host);
                case 4 -> HostMemory.getInt(host) & 0xFFFFFFFFL;
                default -> HostMemory.getLong(host);
            };
        }
        if (host == GuestMemory.FOREIGN) {
            return c.memory.readForeign(phys, size);
        }
        return readMmio(c, phys, size);
    }

    /** Leaves before the first access of an instruction to the TPR; run again, it goes through. */
    private static void reportTpr(Cpu c, boolean write) {
        if (!c.tprReported) {
            c.tprReported = true;
            c.exitInfo.tprWrite = write;
            throw c.leave(ExitCode.TPR_ACCESS);
        }
    }

    private static long readMmio(Cpu c, long phys, int size) {
        ExitInfo info = c.exitInfo;
        if (info.hasAnswer()) {
            long v = info.nextAnswer();
            return size == 8 ? v : v & (1L << 8 * size) - 1;
        }
        if (!info.startRead(phys, size)) {
            info.suberror = 1;
            throw c.leave(ExitCode.INTERNAL_ERROR);
        }
        throw c.leave(ExitCode.MMIO);
    }

    static void writeSlow(Cpu c, long la, int size, long value) {
        if (c.breakData != 0) {
            Breakpoints.data(c, la, size, true);
        }
        if (c.tagAlign() && (la & size - 1) != 0) {
            throw c.fault(Vector.AC, 0);
        }
        if (la >>> 40 == 1 && !c.model.has(Feature.I286)) {
            for (int k = 0; k < size; k++) {
                writePhysical(c, 0, wrapped(c, la, k), 1, value >>> 8 * k, null);
            }
            return;
        }
        if ((la & 4095) + size > 4096) {
            long second = next(c, la | 4095);
            long p1 = translate(c, la, WRITE);
            long p2 = translate(c, second, WRITE);
            int n1 = (int) (4096 - (la & 4095));
            writePart(c, p1, n1, value);
            writePart(c, p2, size - n1, value >>> 8 * n1);
            return;
        }
        long phys = translate(c, la, WRITE);
        writePhysical(c, la, phys, size, value, c.tlbWrite);
    }

    static void checkWriteSlow(Cpu c, long la, int size) {
        if (c.tagAlign() && size <= 8 && (la & size - 1) != 0) {
            throw c.fault(Vector.AC, 0);
        }
        if ((la & 4095) + size > 4096) {
            long second = next(c, la | 4095);
            translate(c, la, WRITE);
            translate(c, second, WRITE);
        } else {
            long phys = translate(c, la, WRITE);
            // The entry makes sure of the later write: another CPU may take the page away meanwhile.
            if ((phys & -4096L) != c.lapic.mmioPage()) {
                long host = c.memory.hostOffsetForWrite(phys);
                if (host >= 0 && !CodePages.isCode(host)) {
                    c.fillTlb(c.tlbWrite, la, host & -4096L, c.tlbTag);
                }
            }
        }
    }

    private static void writePhysical(Cpu c, long la, long phys, int size, long value, long[] tlb) {
        long lapic = c.lapic.mmioPage();
        if ((phys & -4096L) == lapic) {
            c.exactly();
            if (c.tprReporting && (phys & 0xFF0) == TPR) {
                reportTpr(c, true);
            }
            c.lapic.writeMmio((int) phys & 4095, size, value);
            // An EOI or a lower task priority may make an interrupt deliverable.
            c.request(Cpu.REQ_INTERRUPT);
            c.stopAfterInsn();
            return;
        }
        long host = c.memory.hostOffsetForWrite(phys);
        if (host < 0) {
            if (host == GuestMemory.FOREIGN) {
                c.memory.writeForeign(phys, size, value);
            } else {
                c.exitInfo.queueWrite(phys, size, value);
                c.stopAfterInsn();
            }
            return;
        }
        switch (size) {
            case 1 -> HostMemory.putByte(host, (int) value);
            case 2 -> HostMemory.putShort(host, (int) value);
            case 4 -> HostMemory.putInt(host, (int) value);
            default -> HostMemory.putLong(host, value);
        }
        if (c.memory.isShared()) {
            // Another vcpu marks a page before it reads code from it; one of the two sees what the other did.
            VarHandle.fullFence();
        }
        if (CodePages.isCode(host)) {
            c.memory.notifyCodeWrite(c.codeListener, host, size);
        } else if (tlb != null) {
            c.fillTlb(tlb, la, host & -4096L, c.tlbTag);
        }
    }

    // ---------------------------------------------------------------- bulk access for string instructions

    /**
     * The pool offset behind a linear address for direct reads up to the end of its page.
     *
     * @param c the vcpu
     * @param la linear address
     * @return pool offset, or -1 where the bytes are not plain memory; faults are thrown
     */
    public static long hostForRead(Cpu c, long la) {
        if (c.tagAlign() || c.breakData != 0 && Breakpoints.watches(c, la)) {
            return -1;
        }
        int i = (int) (la >>> 11) & (Cpu.TLB_SIZE - 1) << 1;
        if (c.tlbRead[i] == (la & -4096L | c.tlbTag)) {
            return la + c.tlbRead[i + 1];
        }
        long phys = translate(c, la, READ);
        if ((phys & -4096L) == c.lapic.mmioPage()) {
            return -1;
        }
        long host = c.memory.hostOffset(phys);
        if (host >= 0) {
            c.fillTlb(c.tlbRead, la, host & -4096L, c.tlbTag);
            return host;
        }
        return -1;
    }

    /**
     * The pool offset behind a linear address for direct writes up to the end of its page; never a page with code.
     *
     * @param c the vcpu
     * @param la linear address
     * @return pool offset, or -1 where the bytes are not plain memory; faults are thrown
     */
    public static long hostForWrite(Cpu c, long la) {
        if (c.tagAlign() || c.breakData != 0 && Breakpoints.watches(c, la)) {
            return -1;
        }
        int i = (int) (la >>> 11) & (Cpu.TLB_SIZE - 1) << 1;
        if (c.tlbWrite[i] == (la & -4096L | c.tlbTag)) {
            return la + c.tlbWrite[i + 1];
        }
        long phys = translate(c, la, WRITE);
        if ((phys & -4096L) == c.lapic.mmioPage()) {
            return -1;
        }
        long host = c.memory.hostOffsetForWrite(phys);
        if (host >= 0 && !CodePages.isCode(host)) {
            c.fillTlb(c.tlbWrite, la, host & -4096L, c.tlbTag);
            return host;
        }
        return -1;
    }

    /** The pool offset behind a writable linear address, also in pages with code; -1 where it is no plain memory. */
    static long hostForLocked(Cpu c, long la) {
        int i = (int) (la >>> 11) & (Cpu.TLB_SIZE - 1) << 1;
        if (c.tlbWrite[i] == (la & -4096L | c.tlbTag)) {
            return la + c.tlbWrite[i + 1];
        }
        if (!c.model.has(Feature.I386)) {
            // Old CPUs wrap addresses in ways of their own; they have one vcpu.
            return -1;
        }
        long phys = translate(c, la, WRITE);
        if ((phys & -4096L) == c.lapic.mmioPage()) {
            return -1;
        }
        long host = c.memory.hostOffsetForWrite(phys);
        if (host >= 0 && !CodePages.isCode(host)) {
            c.fillTlb(c.tlbWrite, la, host & -4096L, c.tlbTag);
        }
        return host;
    }

    // ---------------------------------------------------------------- instruction fetch

    /**
     * Fetches one code byte.
     *
     * @param c the vcpu
     * @param ip offset in CS
     * @return the byte
     */
    public static int fetch8(Cpu c, long ip) {
        return HostMemory.getByte(fetchHost(c, ip));
    }

    /**
     * The pool offset of a code byte.
     *
     * @param c the vcpu
     * @param ip offset in CS
     * @return pool offset
     */
    public static long fetchHost(Cpu c, long ip) {
        long la;
        if (c.mode64) {
            la = ip;
        } else {
            if (ip > c.segLimit[Cpu.CS]) {
                throw c.gp(0);
            }
            la = c.segBase[Cpu.CS] + ip & 0xFFFFFFFFL;
        }
        int i = (int) (la >>> 11) & (Cpu.TLB_SIZE - 1) << 1;
        long tag = c.tlbTag & ~(1L << 11);
        if (c.tlbExec[i] == (la & -4096L | tag)) {
            return la + c.tlbExec[i + 1];
        }
        long phys = translate(c, la, EXEC);
        long host = c.memory.hostOffset(phys);
        if (host < 0) {
            c.exitInfo.suberror = 1;
            throw c.leave(ExitCode.INTERNAL_ERROR);
        }
        c.fillTlb(c.tlbExec, la, host & -4096L, tag);
        return host;
    }

    /**
     * The pool offset of a code byte, where a fetch would find it with no visible effect: no fault, no accessed bit to
     * set.
     *
     * @param c the vcpu
     * @param ip offset in CS
     * @return pool offset, or -1 where only a fetch can tell
     */
    public static long fetchProbe(Cpu c, long ip) {
        long la;
        if (c.mode64) {
            la = ip;
            if (la << 16 >> 16 != la) {
                return -1;
            }
        } else {
            if (ip > c.segLimit[Cpu.CS]) {
                return -1;
            }
            la = c.segBase[Cpu.CS] + ip & 0xFFFFFFFFL;
        }
        int i = (int) (la >>> 11) & (Cpu.TLB_SIZE - 1) << 1;
        long tag = c.tlbTag & ~(1L << 11);
        if (c.tlbExec[i] == (la & -4096L | tag)) {
            return la + c.tlbExec[i + 1];
        }
        c.walkedGlobal = false;
        long phys = (c.cr0 & Cpu.CR0_PG) == 0 ? la & c.physicalMask : walk(c, la, EXEC, true);
        if (phys == -1) {
            return -1;
        }
        long host = c.memory.hostOffset(phys & c.physicalMask);
        if (host >= 0) {
            c.fillTlb(c.tlbExec, la, host & -4096L, tag);
        }
        return host;
    }

    // ---------------------------------------------------------------- translation

    /**
     * Translates without access: for KVM_TRANSLATE and debuggers. No fault, no accessed bits.
     *
     * @param c the vcpu
     * @param la linear address
     * @return guest-physical address, or -1
     */
    public static long probe(Cpu c, long la) {
        if ((c.cr0 & Cpu.CR0_PG) == 0) {
            return la & c.physicalMask;
        }
        return walk(c, la, READ, true);
    }

    private static long translate(Cpu c, long la, int access) {
        c.tlbMisses++;
        c.walkedGlobal = false;
        if (c.mode64 && la << 16 >> 16 != la) {
            throw c.nonCanonical();
        }
        if ((c.cr0 & Cpu.CR0_PG) == 0) {
            return la & c.physicalMask;
        }
        return walk(c, la, access, false) & c.physicalMask;
    }

    private static long entry(Cpu c, long address, boolean wide) {
        long host = c.memory.hostOffset(address & c.physicalMask);
        if (host >= 0) {
            return wide ? HostMemory.getLong(host) : HostMemory.getInt(host) & 0xFFFFFFFFL;
        }
        if (host == GuestMemory.FOREIGN) {
            return c.memory.readForeign(address & c.physicalMask, wide ? 8 : 4);
        }
        // Page tables in MMIO space read as on an empty bus; entries of all ones have reserved bits set.
        return wide ? -1L : 0xFFFFFFFFL;
    }

    /**
     * Sets accessed and dirty bits in an entry as a locked access (SDM volume 3, 10.1.2.2): another CPU may be changing it.
     *
     * @return false where the entry is no longer what the walk has seen
     */
    private static boolean setBits(Cpu c, long address, boolean wide, long entry, long bits) {
        if ((entry & bits) == bits) {
            return true;
        }
        long phys = address & c.physicalMask;
        if (!c.memory.isShared()) {
            writePhysical(c, 0, phys, wide ? 8 : 4, entry | bits, null);
            return true;
        }
        long host = c.memory.hostOffsetForWrite(phys);
        if (host < 0) {
            writePhysical(c, 0, phys, wide ? 8 : 4, entry | bits, null);
            return true;
        }
        boolean set = wide
                ? HostMemory.compareAndSetLong(host, entry, entry | bits)
                : HostMemory.compareAndSetInt(host, (int) entry, (int) (entry | bits));
        if (set && CodePages.isCode(host)) {
            c.memory.notifyCodeWrite(c.codeListener, host, wide ? 8 : 4);
        }
        return set;
    }

    private static long walk(Cpu c, long la, int access, boolean probe) {
        for (int tries = 0; tries < WALKS; tries++) {
            long physical = walkOnce(c, la, access, probe);
            if (physical != CHANGED) {
                return physical;
            }
        }
        // Others do nothing else than change entries: they stand still for a moment.
        boolean held = c.memory.beginExclusive(c);
        try {
            return walkOnce(c, la, access, probe);
        } finally {
            c.memory.endExclusive(c, held);
        }
    }

    private static long walkOnce(Cpu c, long la, int access, boolean probe) {
        boolean user = c.tagUser();
        boolean nxe = (c.efer & Cpu.EFER_NXE) != 0;
        boolean smep = (c.cr4 & Cpu.CR4_SMEP) != 0;
        int code = (access == WRITE ? PF_W : 0) | (user ? PF_U : 0) | (access == EXEC && (nxe || smep) ? PF_I : 0);
        boolean pae = (c.cr4 & Cpu.CR4_PAE) != 0;
        if (!pae) {
            return walk32(c, la, access, user, code, probe);
        }
        boolean longMode = (c.efer & Cpu.EFER_LMA) != 0;
        long reserved = ~c.physicalMask & ADDRESS | (nxe ? 0 : PTE_NX);
        long rights = PTE_W | PTE_U;
        long nx = 0;
        long table;
        int level;
        if (longMode) {
            table = c.cr3 & ADDRESS;
            level = 4;
        } else {
            long pdpte = c.pdptr[(int) (la >>> 30) & 3];
            if ((pdpte & PTE_P) == 0) {
                return fail(c, la, code, probe);
            }
            table = pdpte & ADDRESS;
            level = 2;
        }
        long address = 0;
        long entry = 0;
        while (true) {
            int shift = 3 + 9 * level;
            address = table + ((la >>> shift & 0x1FF) << 3);
            entry = entry(c, address, true);
            if ((entry & PTE_P) == 0) {
                return fail(c, la, code, probe);
            }
            long bad = reserved;
            boolean large = level > 1 && (entry & PTE_PS) != 0;
            if (level == 4) {
                bad |= PTE_PS;
            } else if (level == 3) {
                if (large && !c.model.hasGigabytePages()) {
                    bad |= PTE_PS;
                } else if (large) {
                    bad |= 0x3FFFE000L;
                }
            } else if (large) {
                bad |= 0x1FE000L;
            }
            if (!longMode) {
                // Bits 62 to 52 are reserved in PAE entries outside long mode.
                bad |= 0x7FF0_0000_0000_0000L;
            }
            if ((entry & bad) != 0) {
                return fail(c, la, code | PF_P | PF_RSVD, probe);
            }
            rights &= entry;
            nx |= entry & PTE_NX;
            if (probe && access == EXEC && (entry & PTE_A) == 0) {
                return -1;
            }
            if (level == 1 || large) {
                break;
            }
            if (!probe && !setBits(c, address, true, entry, PTE_A)) {
                return CHANGED;
            }
            table = entry & ADDRESS;
            level--;
        }
        if (!allowed(c, access, user, (rights & PTE_W) != 0, (rights & PTE_U) != 0, nx != 0)) {
            return fail(c, la, code | PF_P, probe);
        }
        if (!probe && !setBits(c, address, true, entry, access == WRITE ? PTE_A | PTE_D : PTE_A)) {
            return CHANGED;
        }
        c.walkedGlobal = (entry & PTE_G) != 0 && (c.cr4 & Cpu.CR4_PGE) != 0;
        long offsetMask = (1L << 3 + 9 * level) - 1;
        if (level > 1) {
            c.noteLargePage(la, offsetMask);
        }
        return entry & ADDRESS & ~offsetMask | la & offsetMask;
    }

    private static long walk32(Cpu c, long la, int access, boolean user, int code, boolean probe) {
        long pdeAddress = (c.cr3 & 0xFFFFF000L) + (la >>> 20 & 0xFFC);
        long pde = entry(c, pdeAddress, false);
        if ((pde & PTE_P) == 0) {
            return fail(c, la, code, probe);
        }
        if ((pde & PTE_PS) != 0 && (c.cr4 & Cpu.CR4_PSE) != 0) {
            // PSE-36: bits 20 to 13 are address bits 39 to 32; bit 21 is reserved.
            if ((pde & (c.model.has(Feature.PSE36) ? 0x200000 : 0x3FE000)) != 0) {
                return fail(c, la, code | PF_P | PF_RSVD, probe);
            }
            if (!allowed(c, access, user, (pde & PTE_W) != 0, (pde & PTE_U) != 0, false)) {
                return fail(c, la, code | PF_P, probe);
            }
            if (!probe && !setBits(c, pdeAddress, false, pde, access == WRITE ? PTE_A | PTE_D : PTE_A)) {
                return CHANGED;
            }
            if (probe && access == EXEC && (pde & PTE_A) == 0) {
                return -1;
            }
            c.walkedGlobal = (pde & PTE_G) != 0 && (c.cr4 & Cpu.CR4_PGE) != 0;
            c.noteLargePage(la, 0x3FFFFF);
            return pde & 0xFFC00000L | (pde >>> 13 & 0xFF) << 32 | la & 0x3FFFFF;
        }
        long pteAddress = (pde & 0xFFFFF000L) + (la >>> 10 & 0xFFC);
        long pte = entry(c, pteAddress, false);
        if ((pte & PTE_P) == 0) {
            if (!probe && !setBits(c, pdeAddress, false, pde, PTE_A)) {
                return CHANGED;
            }
            return fail(c, la, code, probe);
        }
        long rights = pde & pte;
        if (!probe && !setBits(c, pdeAddress, false, pde, PTE_A)) {
            return CHANGED;
        }
        if (!allowed(c, access, user, (rights & PTE_W) != 0, (rights & PTE_U) != 0, false)) {
            return fail(c, la, code | PF_P, probe);
        }
        if (!probe && !setBits(c, pteAddress, false, pte, access == WRITE ? PTE_A | PTE_D : PTE_A)) {
            return CHANGED;
        }
        if (probe && access == EXEC && (pde & pte & PTE_A) == 0) {
            return -1;
        }
        c.walkedGlobal = (pte & PTE_G) != 0 && (c.cr4 & Cpu.CR4_PGE) != 0;
        return pte & 0xFFFFF000L | la & 0xFFF;
    }

    private static boolean allowed(Cpu c, int access, boolean user, boolean writable, boolean userPage, boolean nx) {
        if (access == EXEC) {
            if (nx) {
                return false;
            }
            return user ? userPage : !(userPage && (c.cr4 & Cpu.CR4_SMEP) != 0);
        }
        if (user) {
            return userPage && (access == READ || writable);
        }
        if (userPage && c.tagSmap()) {
            return false;
        }
        return access == READ || writable || (c.cr0 & Cpu.CR0_WP) == 0;
    }

    private static long fail(Cpu c, long la, int code, boolean probe) {
        if (probe) {
            return -1;
        }
        // CR2 is written at delivery in real CPUs too, but nothing can see the difference.
        c.cr2 = la;
        throw c.fault(Vector.PF, code);
    }

    // ---------------------------------------------------------------- segments

    /** Marks a linear address that stands for a wrapping access of the 8086: offset in bits 0 to 15, base above. */
    private static final long WRAP = 1L << 40;

    /**
     * The segment check failed: raises what it raises. The 8086 has no limits; there an operand that starts at the end
     * of a segment goes on at its start, and a marked address says so to the slow paths.
     */
    static long segmentFault(Cpu c, int seg, long offset, int size) {
        if (!c.model.has(Feature.I286) && offset <= 0xFFFF) {
            return WRAP | c.segBase[seg] << 16 | offset;
        }
        throw c.fault(seg == Cpu.SS ? Vector.SS : Vector.GP, 0);
    }

    private static long wrapped(Cpu c, long la, int k) {
        return (la >>> 16 & 0xFFFFF) + (la + k & 0xFFFF) & c.physicalMask;
    }
}
