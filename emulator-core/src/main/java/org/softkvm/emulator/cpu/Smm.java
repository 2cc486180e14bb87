package org.softkvm.emulator.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.softkvm.emulator.CpuidEntry;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.decode.Feature;

/**
 * System-management mode: what an SMI does and what RSM undoes (Intel SDM volume 3, chapter 33; AMD64 APM volume 2,
 * chapter 10). The state goes to the last 512 bytes of the 64 KiB at SMBASE, on CPUs with long mode in the layout of
 * AMD64, which KVM and QEMU use for all of them, else in that of the Pentium. Revisions 20064h and 20000h: SMBASE can be
 * relocated, and there is no I/O instruction restart, so its field is written as 0 and RSM does not look at it.
 *
 * <p>While in it, the vcpu sees memory of address space 1. The A20 gate is a matter of the slots of address space 0, and
 * so has no effect here.
 */
public final class Smm {
    /** SMBASE after reset. */
    static final int DEFAULT_SMBASE = 0x30000;

    private static final int ENTRY = 0x8000;
    private static final int AREA = 0xFE00;
    private static final int AREA_SIZE = 0x200;
    private static final int REVISION_32 = 0x20000;
    private static final int REVISION_64 = 0x20064;
    private static final int SUBERROR_DELIVERY = 3;
    private static final int LONG_MODE_LEAF = 0x80000001;
    private static final int LONG_MODE_BIT = 1 << 29;
    private static final int ATTRIBUTES = 0xF0FF;

    // Offsets in the area. Both layouts.
    private static final int REVISION = 0xFC;

    // The layout with long mode.
    private static final int SEGMENTS_64 = 0x00;
    private static final int GDTR_64 = 0x60;
    private static final int LDTR_64 = 0x70;
    private static final int IDTR_64 = 0x80;
    private static final int TR_64 = 0x90;
    private static final int HALT_64 = 0xC9;
    private static final int SHADOW_64 = 0xCB;
    private static final int EFER_64 = 0xD0;
    private static final int SMBASE_64 = 0x100;
    private static final int CR4_64 = 0x148;
    private static final int CR3_64 = 0x150;
    private static final int CR0_64 = 0x158;
    private static final int DR7_64 = 0x160;
    private static final int DR6_64 = 0x168;
    private static final int RFLAGS_64 = 0x170;
    private static final int RIP_64 = 0x178;
    private static final int RAX_64 = 0x1F8;

    // The layout without.
    private static final int SMBASE_32 = 0xF8;
    private static final int HALT_32 = 0x102;
    private static final int CR4_32 = 0x114;
    private static final int SHADOW_32 = 0x11A;
    private static final int DS_32 = 0x12C;
    private static final int IDTR_32 = 0x154;
    private static final int TR_32 = 0x15C;
    private static final int GDTR_32 = 0x170;
    private static final int LDTR_32 = 0x178;
    private static final int ES_32 = 0x184;
    private static final int SELECTORS_32 = 0x1A8;
    private static final int LDTR_SELECTOR_32 = 0x1C0;
    private static final int TR_SELECTOR_32 = 0x1C4;
    private static final int DR7_32 = 0x1C8;
    private static final int DR6_32 = 0x1CC;
    private static final int EAX_32 = 0x1D0;
    private static final int EIP_32 = 0x1F0;
    private static final int EFLAGS_32 = 0x1F4;
    private static final int CR3_32 = 0x1F8;
    private static final int CR0_32 = 0x1FC;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    private Smm() {}

    /**
     * Whether a CPU has the mode: those that have CPUID, from the late 80486 on.
     *
     * @param c the vcpu
     * @return true where SMIs are not dropped
     */
    public static boolean exists(Cpu c) {
        return c.model.has(Feature.CPUID);
    }

    /** Whether the state has the layout with long mode: by what CPUID offers, as software finds out. */
    private static boolean wide(Cpu c) {
        if (!c.model.has(Feature.LM)) {
            return false;
        }
        for (CpuidEntry e : c.cpuid) {
            if (e.leaf() == LONG_MODE_LEAF) {
                return (e.edx() & LONG_MODE_BIT) != 0;
            }
        }
        return false;
    }

    private static long area(Cpu c) {
        return Integer.toUnsignedLong(c.smbase) + AREA;
    }

    /**
     * Enters or leaves the mode, as far as memory is concerned; nothing else changes.
     *
     * @param c the vcpu
     * @param in whether the vcpu is in it from now on
     */
    public static void change(Cpu c, boolean in) {
        if (c.smm != in) {
            c.smm = in;
            c.memory = in ? c.memory.smram() : c.memory.normal();
            c.flushTlb();
        }
    }

    // ---------------------------------------------------------------- SMI

    /**
     * Takes the pending SMI.
     *
     * @param c the vcpu, between two instructions and outside the mode
     */
    public static void enter(Cpu c) {
        c.smiPending = false;
        GuestMemory memory = c.memory.smram();
        long area = area(c);
        if (memory.hostOffsetForWrite(area) == GuestMemory.NONE
                || memory.hostOffsetForWrite(area + AREA_SIZE - 1) == GuestMemory.NONE) {
            // Nowhere to put the state: no user space can answer in the middle of a delivery.
            c.exit = ExitCode.INTERNAL_ERROR;
            c.exitInfo.suberror = SUBERROR_DELIVERY;
            return;
        }
        byte[] a = c.smmArea;
        Arrays.fill(a, (byte) 0);
        if (wide(c)) {
            save64(c, a);
        } else {
            save32(c, a);
        }
        memory.write(area, a, 0, AREA_SIZE);
        c.smiCount++;
        c.halted = false;
        c.shadow = 0;
        c.smmInsideNmi = c.nmiBlocked;
        c.nmiBlocked = true;
        c.rip = ENTRY;
        c.cpl = 0;
        c.cr0 &= ~(Cpu.CR0_PE | Cpu.CR0_EM | Cpu.CR0_TS | Cpu.CR0_PG);
        c.cr4 = 0;
        c.efer = 0;
        c.setFlags(2);
        c.dr[7] = 0x400;
        Breakpoints.update(c);
        // Not in the manuals, but so it is.
        c.idtBase = 0;
        c.idtLimit = 0;
        int data = 0x93 | Cpu.ATTR_G;
        for (int seg = Cpu.ES; seg <= Cpu.GS; seg++) {
            boolean code = seg == Cpu.CS;
            c.segSel[seg] = code ? c.smbase >>> 4 & 0xFFFF : 0;
            c.segBase[seg] = code ? Integer.toUnsignedLong(c.smbase) : 0;
            c.segLimit[seg] = 0xFFFFFFFFL;
            c.segAttr[seg] = data;
        }
        c.deriveSegments();
        change(c, true);
    }

    private static void save64(Cpu c, byte[] a) {
        for (int n = 0; n < 16; n++) {
            LONG.set(a, RAX_64 - 8 * n, c.r[n]);
        }
        LONG.set(a, RIP_64, c.rip);
        LONG.set(a, RFLAGS_64, (long) c.flags());
        LONG.set(a, DR6_64, c.dr[6]);
        LONG.set(a, DR7_64, c.dr[7]);
        LONG.set(a, CR0_64, c.cr0 & 0xFFFFFFFFL);
        LONG.set(a, CR3_64, c.cr3);
        LONG.set(a, CR4_64, c.cr4);
        LONG.set(a, EFER_64, c.efer);
        INT.set(a, SMBASE_64, c.smbase);
        INT.set(a, REVISION, REVISION_64);
        for (int seg = Cpu.ES; seg <= Cpu.GS; seg++) {
            saveSegment64(c, a, SEGMENTS_64 + 16 * seg, seg);
        }
        saveSegment64(c, a, LDTR_64, Cpu.LDTR);
        saveSegment64(c, a, TR_64, Cpu.TR);
        INT.set(a, GDTR_64 + 4, c.gdtLimit);
        LONG.set(a, GDTR_64 + 8, c.gdtBase);
        INT.set(a, IDTR_64 + 4, c.idtLimit);
        LONG.set(a, IDTR_64 + 8, c.idtBase);
        a[HALT_64] = (byte) (c.halted ? 1 : 0);
        a[SHADOW_64] = (byte) c.shadow;
    }

    private static void saveSegment64(Cpu c, byte[] a, int at, int seg) {
        SHORT.set(a, at, (short) c.segSel[seg]);
        SHORT.set(a, at + 2, (short) savedAttributes(c, seg));
        INT.set(a, at + 4, (int) c.segLimit[seg]);
        LONG.set(a, at + 8, c.segBase[seg]);
    }

    /** Attributes as bits 8 to 23 of a descriptor's upper half; a segment that cannot be used is not present. */
    private static int savedAttributes(Cpu c, int seg) {
        int attr = c.segAttr[seg];
        return (attr & Cpu.ATTR_UNUSABLE) != 0 ? attr & ATTRIBUTES & ~Cpu.ATTR_P : attr & ATTRIBUTES;
    }

    private static int loadedAttributes(int saved) {
        int attr = saved & ATTRIBUTES;
        return (attr & Cpu.ATTR_P) != 0 ? attr : attr | Cpu.ATTR_UNUSABLE;
    }

    private static void save32(Cpu c, byte[] a) {
        INT.set(a, CR0_32, c.cr0);
        INT.set(a, CR3_32, (int) c.cr3);
        INT.set(a, CR4_32, (int) c.cr4);
        INT.set(a, EFLAGS_32, c.flags());
        INT.set(a, EIP_32, (int) c.rip);
        for (int n = 0; n < 8; n++) {
            INT.set(a, EAX_32 + 4 * n, (int) c.r[n]);
        }
        INT.set(a, DR6_32, (int) c.dr[6]);
        INT.set(a, DR7_32, (int) c.dr[7]);
        INT.set(a, SMBASE_32, c.smbase);
        INT.set(a, REVISION, REVISION_32);
        for (int seg = Cpu.ES; seg <= Cpu.GS; seg++) {
            INT.set(a, SELECTORS_32 + 4 * seg, c.segSel[seg]);
            saveSegment32(c, a, hidden32(seg), seg);
        }
        INT.set(a, LDTR_SELECTOR_32, c.segSel[Cpu.LDTR]);
        saveSegment32(c, a, LDTR_32, Cpu.LDTR);
        INT.set(a, TR_SELECTOR_32, c.segSel[Cpu.TR]);
        saveSegment32(c, a, TR_32, Cpu.TR);
        INT.set(a, GDTR_32, c.gdtLimit);
        INT.set(a, GDTR_32 + 4, (int) c.gdtBase);
        INT.set(a, IDTR_32, c.idtLimit);
        INT.set(a, IDTR_32 + 4, (int) c.idtBase);
        SHORT.set(a, HALT_32, (short) (c.halted ? 1 : 0));
        a[SHADOW_32] = (byte) c.shadow;
    }

    private static int hidden32(int seg) {
        return seg < Cpu.DS ? ES_32 + 12 * seg : DS_32 + 12 * (seg - Cpu.DS);
    }

    private static void saveSegment32(Cpu c, byte[] a, int at, int seg) {
        INT.set(a, at, savedAttributes(c, seg) << 8);
        INT.set(a, at + 4, (int) c.segLimit[seg]);
        INT.set(a, at + 8, (int) c.segBase[seg]);
    }

    // ---------------------------------------------------------------- RSM

    /**
     * RSM. A state that cannot be entered shuts the CPU down.
     *
     * @param c the vcpu, in the mode
     */
    public static void resume(Cpu c) {
        byte[] a = c.smmArea;
        c.memory.read(area(c), a, 0, AREA_SIZE);
        boolean wide = wide(c);
        long cr0 = wide ? (long) LONG.get(a, CR0_64) : unsigned(a, CR0_32);
        long cr3 = wide ? (long) LONG.get(a, CR3_64) : unsigned(a, CR3_32);
        long cr4 = wide ? (long) LONG.get(a, CR4_64) : unsigned(a, CR4_32);
        long efer = wide ? (long) LONG.get(a, EFER_64) & ~(long) Cpu.EFER_LMA : 0;
        long dr6 = wide ? (long) LONG.get(a, DR6_64) : unsigned(a, DR6_32);
        long dr7 = wide ? (long) LONG.get(a, DR7_64) : unsigned(a, DR7_32);
        int flags = (int) (wide ? (long) LONG.get(a, RFLAGS_64) : unsigned(a, EFLAGS_32));
        boolean paging = (cr0 & Cpu.CR0_PG & 0xFFFFFFFFL) != 0;
        boolean longMode = paging && (efer & Cpu.EFER_LME) != 0;
        if (!isValid(c, cr0, cr3, cr4, efer, longMode)
                || (dr6 | dr7) >>> 32 != 0
                || (flags & Flags.VM) != 0 && (longMode || (cr0 & Cpu.CR0_PE) == 0)
                || longMode && is64And32(a)
                || paging && !longMode && (cr4 & Cpu.CR4_PAE) != 0 && !loadPdptrs(c, cr3)) {
            c.exit = ExitCode.SHUTDOWN;
            c.stopAfterInsn();
            return;
        }
        if (!c.smmInsideNmi) {
            c.nmiBlocked = false;
        }
        c.smmInsideNmi = false;
        c.cr0 = (int) cr0 | Cpu.CR0_ET;
        c.cr3 = cr3;
        c.cr4 = cr4;
        c.efer = longMode ? efer | Cpu.EFER_LMA : efer;
        if (wide) {
            load64(c, a);
        } else {
            load32(c, a);
        }
        c.setFlags(flags);
        c.cpl = !c.protectedMode() ? 0 : c.v86() ? 3 : c.segAttr[Cpu.SS] >> Cpu.ATTR_DPL_SHIFT & 3;
        c.deriveSegments();
        c.dr[6] = dr6;
        c.dr[7] = dr7;
        Breakpoints.update(c);
        change(c, false);
        c.request(Cpu.REQ_INTERRUPT);
        c.stopAfterInsn();
        c.rsmAction.run();
    }

    private static long unsigned(byte[] a, int at) {
        return (int) INT.get(a, at) & 0xFFFFFFFFL;
    }

    private static boolean isValid(Cpu c, long cr0, long cr3, long cr4, long efer, boolean longMode) {
        if (cr0 >>> 32 != 0
                || (cr0 & Cpu.CR0_PG) != 0 && (cr0 & Cpu.CR0_PE) == 0
                || (cr0 & Cpu.CR0_NW) != 0 && (cr0 & Cpu.CR0_CD) == 0) {
            return false;
        }
        if ((cr4 & ~Control.cr4Allowed(c)) != 0 || (efer & ~Msrs.eferAllowed(c)) != 0) {
            return false;
        }
        if (longMode) {
            return (cr4 & Cpu.CR4_PAE) != 0 && (cr3 & ~c.physicalMask) == 0;
        }
        return (cr4 & Cpu.CR4_PCIDE) == 0;
    }

    private static boolean is64And32(byte[] a) {
        int attr = (short) SHORT.get(a, SEGMENTS_64 + 16 * Cpu.CS + 2);
        return (attr & Cpu.ATTR_L) != 0 && (attr & Cpu.ATTR_DB) != 0;
    }

    /** The pointers are in normal memory; where they are bad nothing changes. */
    private static boolean loadPdptrs(Cpu c, long cr3) {
        GuestMemory smram = c.memory;
        c.memory = smram.normal();
        try {
            Control.loadPdptrs(c, cr3);
            return true;
        } catch (GuestFault f) {
            return false;
        } finally {
            c.memory = smram;
        }
    }

    private static void load64(Cpu c, byte[] a) {
        for (int n = 0; n < 16; n++) {
            c.r[n] = (long) LONG.get(a, RAX_64 - 8 * n);
        }
        c.rip = (long) LONG.get(a, RIP_64);
        c.smbase = (int) INT.get(a, SMBASE_64);
        for (int seg = Cpu.ES; seg <= Cpu.GS; seg++) {
            loadSegment64(c, a, SEGMENTS_64 + 16 * seg, seg);
        }
        loadSegment64(c, a, LDTR_64, Cpu.LDTR);
        loadSegment64(c, a, TR_64, Cpu.TR);
        c.gdtLimit = (int) INT.get(a, GDTR_64 + 4) & 0xFFFF;
        c.gdtBase = (long) LONG.get(a, GDTR_64 + 8);
        c.idtLimit = (int) INT.get(a, IDTR_64 + 4) & 0xFFFF;
        c.idtBase = (long) LONG.get(a, IDTR_64 + 8);
        halt(c, a[HALT_64]);
        c.shadow = a[SHADOW_64] & 3;
    }

    private static void loadSegment64(Cpu c, byte[] a, int at, int seg) {
        c.segSel[seg] = (short) SHORT.get(a, at) & 0xFFFF;
        c.segAttr[seg] = loadedAttributes((short) SHORT.get(a, at + 2));
        c.segLimit[seg] = unsigned(a, at + 4);
        c.segBase[seg] = (long) LONG.get(a, at + 8);
    }

    private static void load32(Cpu c, byte[] a) {
        for (int n = 0; n < 8; n++) {
            c.r[n] = unsigned(a, EAX_32 + 4 * n);
        }
        c.rip = unsigned(a, EIP_32);
        c.smbase = (int) INT.get(a, SMBASE_32);
        for (int seg = Cpu.ES; seg <= Cpu.GS; seg++) {
            loadSegment32(c, a, hidden32(seg), seg, (int) INT.get(a, SELECTORS_32 + 4 * seg));
        }
        loadSegment32(c, a, LDTR_32, Cpu.LDTR, (int) INT.get(a, LDTR_SELECTOR_32));
        loadSegment32(c, a, TR_32, Cpu.TR, (int) INT.get(a, TR_SELECTOR_32));
        c.gdtLimit = (int) INT.get(a, GDTR_32) & 0xFFFF;
        c.gdtBase = unsigned(a, GDTR_32 + 4);
        c.idtLimit = (int) INT.get(a, IDTR_32) & 0xFFFF;
        c.idtBase = unsigned(a, IDTR_32 + 4);
        halt(c, a[HALT_32]);
        c.shadow = a[SHADOW_32] & 3;
    }

    private static void loadSegment32(Cpu c, byte[] a, int at, int seg, int selector) {
        c.segSel[seg] = selector & 0xFFFF;
        c.segAttr[seg] = loadedAttributes((int) INT.get(a, at) >>> 8);
        c.segLimit[seg] = unsigned(a, at + 4);
        c.segBase[seg] = unsigned(a, at + 8);
    }

    /** Auto HALT restart: back into the state that the SMI woke the CPU from, unless the handler cleared the bit. */
    private static void halt(Cpu c, int restart) {
        if ((restart & 1) != 0) {
            c.halted = true;
        }
    }
}
