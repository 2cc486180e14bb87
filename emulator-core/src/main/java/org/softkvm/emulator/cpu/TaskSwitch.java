package org.softkvm.emulator.cpu;

import org.softkvm.emulator.decode.Feature;

/** Hardware task switches (Intel SDM volume 3, chapter 9): JMP, CALL and IRET to a TSS, and task gates. */
public final class TaskSwitch {
    private static final int JMP = 0;
    private static final int CALL = 1;
    private static final int IRET = 2;
    private static final int EVENT = 3;

    /** Where the 32-bit TSS keeps what a switch saves and loads. */
    private static final int CR3_32 = 0x1C;

    private static final int EIP_32 = 0x20;
    private static final int SEGMENTS_32 = 0x48;
    private static final int LDT_32 = 0x60;
    private static final int TRAP_32 = 0x64;
    private static final int LIMIT_32 = 0x67;
    /** The same for the 16-bit TSS. */
    private static final int IP_16 = 0x0E;

    private static final int SEGMENTS_16 = 0x22;
    private static final int LDT_16 = 0x2A;
    private static final int LIMIT_16 = 0x2B;

    /** Slots of the scratch array: EIP, EFLAGS, 8 registers, then these. */
    private static final int SELECTORS = 10;

    private static final int LDT = 16;
    private static final int CR3 = 17;
    private static final int TRAP = 18;

    /** DR6: the debug trap of a task switch. */
    private static final int DR6_BT = 0x8000;
    /** DR7: local enables, cleared by a switch. */
    private static final long DR7_LOCAL = 0x155;

    private TaskSwitch() {}

    /**
     * JMP or CALL to a TSS or through a task gate; the privileges were checked.
     *
     * @param c the vcpu; RIP is what the old task resumes at
     * @param selector the TSS
     * @param call CALL: the new task is nested
     */
    public static void jumpOrCall(Cpu c, int selector, boolean call) {
        long d = available(c, selector, 0);
        switchTo(c, selector, d, call ? CALL : JMP, c.flags(), 0);
    }

    /**
     * IRET with NT set: back to the task that the link of the present TSS names.
     *
     * @param c the vcpu; RIP is what the old task resumes at
     */
    public static void iret(Cpu c) {
        int selector = (int) c.sysRead(Descriptors.linear(c, c.segBase[Cpu.TR]), 2);
        int error = Descriptors.error(selector, 0);
        if ((selector & 4) != 0 || Descriptors.isNull(selector)) {
            throw c.fault(Vector.TS, error);
        }
        long d = Descriptors.fetch(c, selector, Vector.TS, 0);
        int type = Descriptors.systemType(d);
        if (type != (Descriptors.TSS32 | Descriptors.TSS_BUSY) && type != (Descriptors.TSS16 | Descriptors.TSS_BUSY)) {
            throw c.fault(Vector.TS, error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, error);
        }
        switchTo(c, selector, d, IRET, c.flags() & ~Flags.NT, 0);
    }

    /**
     * An event through a task gate: the new task is nested.
     *
     * @param c the vcpu
     * @param selector the TSS
     * @param flags EFLAGS to save
     * @param ext EXT bit of error codes
     * @param error error code for the new task's stack
     * @param hasError whether there is one
     */
    static void interrupt(Cpu c, int selector, int flags, int ext, int error, boolean hasError) {
        long d = available(c, selector, ext);
        switchTo(c, selector, d, EVENT, flags, ext);
        if (hasError) {
            int size = (c.segAttr[Cpu.TR] & 8) != 0 ? 4 : 2;
            StackFrame frame = c.frame;
            frame.current();
            frame.check(1, size, ext);
            frame.push(size, error);
            frame.commit();
        }
    }

    /** The descriptor of an available TSS. */
    private static long available(Cpu c, int selector, int ext) {
        int error = Descriptors.error(selector, ext);
        if ((selector & 4) != 0 || Descriptors.isNull(selector)) {
            throw c.gp(error);
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, ext);
        int type = Descriptors.systemType(d);
        if (type != Descriptors.TSS16 && (type != Descriptors.TSS32 || !c.model.has(Feature.I386))) {
            throw c.gp(error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, error);
        }
        return d;
    }

    private static void switchTo(Cpu c, int selector, long d, int how, int flags, int ext) {
        boolean new32 = (Descriptors.type(d) & 8) != 0;
        if (Descriptors.limit(d) < (new32 ? LIMIT_32 : LIMIT_16)) {
            throw c.fault(Vector.TS, Descriptors.error(selector, ext));
        }
        boolean old32 = (c.segAttr[Cpu.TR] & 8) != 0;
        if (c.segLimit[Cpu.TR] < (old32 ? LIMIT_32 : LIMIT_16)) {
            throw c.fault(Vector.TS, Descriptors.error(c.segSel[Cpu.TR], ext));
        }
        long base = Descriptors.base(d);
        long[] state = c.frame.parameters;
        read(c, base, new32, state);

        // Everything that is written from here on has to be writable: then nothing can fault until the new task runs.
        boolean nested = how == CALL || how == EVENT;
        int oldSelector = c.segSel[Cpu.TR];
        long oldAddress = Descriptors.address(c, oldSelector, 8);
        long oldDescriptor = oldAddress == -1 ? 0 : Descriptors.raw(c, oldAddress);
        checkSystemWrite(c, c.segBase[Cpu.TR] + (old32 ? EIP_32 : IP_16), old32 ? 64 : 28);
        checkSystemWrite(c, Descriptors.address(c, selector, 8), 8);
        if (oldAddress != -1) {
            checkSystemWrite(c, oldAddress, 8);
        }
        if (new32 && (c.cr0 & Cpu.CR0_PG) != 0 && (c.cr4 & Cpu.CR4_PAE) != 0) {
            checkPdptrs(c, state[CR3]);
        }
        if (nested) {
            checkSystemWrite(c, base, 2);
        } else if (oldAddress != -1) {
            Segmentation.setBusy(c, oldSelector, oldDescriptor, false);
        }
        save(c, old32, flags);
        if (nested) {
            c.sysWrite(Descriptors.linear(c, base), 2, oldSelector);
        }
        if (how != IRET) {
            Segmentation.setBusy(c, selector, d, true);
        }
        c.setSegment(Cpu.TR, selector, base, Descriptors.limit(d), Descriptors.attributes(d) | Descriptors.TSS_BUSY);
        load(c, new32, state, nested);
        try {
            qualify(c, state, ext);
        } catch (GuestFault f) {
            if (how == EVENT && ext != 0) {
                throw f;
            }
            // The fault belongs to the new task, not to the instruction that switched.
            Events.exception(c, null);
            return;
        }
        if ((state[TRAP] & 1) != 0) {
            c.pendingDebug |= DR6_BT;
            c.stopAfterInsn();
        }
    }

    /** Faults where the page-directory pointers of a new CR3 are bad; the present ones stay. */
    private static void checkPdptrs(Cpu c, long cr3) {
        long p0 = c.pdptr[0];
        long p1 = c.pdptr[1];
        long p2 = c.pdptr[2];
        long p3 = c.pdptr[3];
        Control.loadPdptrs(c, cr3);
        c.pdptr[0] = p0;
        c.pdptr[1] = p1;
        c.pdptr[2] = p2;
        c.pdptr[3] = p3;
    }

    private static void checkSystemWrite(Cpu c, long address, int length) {
        long saved = c.tlbTag;
        c.tlbTag = c.supervisorTag();
        try {
            c.checkWrite(Descriptors.linear(c, address), length);
        } finally {
            c.tlbTag = saved;
        }
    }

    private static long field(Cpu c, long base, int offset, int size) {
        return c.sysRead(Descriptors.linear(c, base + offset), size);
    }

    private static void read(Cpu c, long base, boolean tss32, long[] state) {
        int size = tss32 ? 4 : 2;
        int start = tss32 ? EIP_32 : IP_16;
        for (int k = 0; k < SELECTORS; k++) {
            state[k] = field(c, base, start + k * size, size);
        }
        int segments = tss32 ? SEGMENTS_32 : SEGMENTS_16;
        for (int seg = 0; seg <= Cpu.GS; seg++) {
            state[SELECTORS + seg] = seg < Cpu.FS || tss32 ? field(c, base, segments + seg * size, 2) : 0;
        }
        state[LDT] = field(c, base, tss32 ? LDT_32 : LDT_16, 2);
        state[CR3] = tss32 ? field(c, base, CR3_32, 4) : 0;
        state[TRAP] = tss32 ? field(c, base, TRAP_32, 2) : 0;
    }

    private static void save(Cpu c, boolean tss32, int flags) {
        long base = c.segBase[Cpu.TR];
        int size = tss32 ? 4 : 2;
        long at = base + (tss32 ? EIP_32 : IP_16);
        c.sysWrite(Descriptors.linear(c, at), size, c.rip);
        c.sysWrite(Descriptors.linear(c, at + size), size, flags);
        for (int k = 0; k < 8; k++) {
            c.sysWrite(Descriptors.linear(c, at + (2 + k) * size), size, c.r[k]);
        }
        long segments = base + (tss32 ? SEGMENTS_32 : SEGMENTS_16);
        for (int seg = 0; seg <= (tss32 ? Cpu.GS : Cpu.DS); seg++) {
            c.sysWrite(Descriptors.linear(c, segments + seg * size), 2, c.segSel[seg]);
        }
    }

    private static void load(Cpu c, boolean tss32, long[] state, boolean nested) {
        c.cr0 |= Cpu.CR0_TS;
        if (tss32 && (c.cr0 & Cpu.CR0_PG) != 0) {
            c.cr3 = state[CR3];
            if ((c.cr4 & Cpu.CR4_PAE) != 0) {
                Control.loadPdptrs(c, c.cr3);
            }
            c.flushTlb();
        }
        c.dr[7] &= ~DR7_LOCAL;
        Breakpoints.update(c);
        c.rip = state[0];
        int flags = (int) state[1];
        for (int k = 0; k < 8; k++) {
            c.r[k] = tss32 || !c.model.has(Feature.I386) ? state[2 + k] : state[2 + k] | 0xFFFF0000L;
        }
        // Level 3 until SS is good: a fault before that has to find the stack of its handler in the TSS.
        c.cpl = 3;
        c.setFlags(nested ? flags | Flags.NT : flags);
        // Until its descriptor is loaded a register holds only its selector.
        c.setSegment(Cpu.LDTR, (int) state[LDT], 0, 0, Cpu.ATTR_UNUSABLE);
        for (int seg = 0; seg <= Cpu.GS; seg++) {
            int selector = (int) state[SELECTORS + seg];
            if ((flags & Flags.VM) != 0) {
                Segmentation.loadReal(c, seg, selector);
            } else if (seg == Cpu.CS) {
                c.segSel[Cpu.CS] = selector;
            } else {
                Segmentation.loadNull(c, seg, selector, seg == Cpu.SS ? c.cpl : 0);
            }
        }
    }

    /** Loads the descriptors of the new task with the checks, in the order of SDM table 9-1; #TS rather than #GP. */
    private static void qualify(Cpu c, long[] state, int ext) {
        int ldt = (int) state[LDT];
        if (!Descriptors.isNull(ldt)) {
            int error = Descriptors.error(ldt, ext);
            if ((ldt & 4) != 0) {
                throw c.fault(Vector.TS, error);
            }
            long d = Descriptors.fetch(c, ldt, Vector.TS, ext);
            if (Descriptors.systemType(d) != Descriptors.LDT || !Descriptors.isPresent(d)) {
                throw c.fault(Vector.TS, error);
            }
            Segmentation.set(c, Cpu.LDTR, ldt, d);
        }
        if (!c.v86()) {
            int cs = (int) state[SELECTORS + Cpu.CS];
            qualifyStack(c, (int) state[SELECTORS + Cpu.SS], cs & 3, ext);
            long d = qualifyCode(c, cs, ext);
            qualifyData(c, Cpu.DS, (int) state[SELECTORS + Cpu.DS], ext);
            qualifyData(c, Cpu.ES, (int) state[SELECTORS + Cpu.ES], ext);
            qualifyData(c, Cpu.FS, (int) state[SELECTORS + Cpu.FS], ext);
            qualifyData(c, Cpu.GS, (int) state[SELECTORS + Cpu.GS], ext);
            Segmentation.setCode(c, cs, Descriptors.accessed(c, cs, d), cs & 3);
        }
        if (c.rip > c.segLimit[Cpu.CS]) {
            throw c.gp(ext);
        }
    }

    private static long qualifyCode(Cpu c, int selector, int ext) {
        int error = Descriptors.error(selector, ext);
        if (Descriptors.isNull(selector)) {
            throw c.fault(Vector.TS, error);
        }
        long d = Descriptors.fetch(c, selector, Vector.TS, ext);
        int dpl = Descriptors.dpl(d);
        int rpl = selector & 3;
        if (!Descriptors.isCode(d) || (Descriptors.isConforming(d) ? dpl > rpl : dpl != rpl)) {
            throw c.fault(Vector.TS, error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, error);
        }
        return d;
    }

    private static void qualifyStack(Cpu c, int selector, int cpl, int ext) {
        int error = Descriptors.error(selector, ext);
        if (Descriptors.isNull(selector)) {
            throw c.fault(Vector.TS, error);
        }
        long d = Descriptors.fetch(c, selector, Vector.TS, ext);
        if ((selector & 3) != cpl || Descriptors.dpl(d) != cpl || !Descriptors.isWritableData(d)) {
            throw c.fault(Vector.TS, error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.SS, error);
        }
        d = Descriptors.accessed(c, selector, d);
        c.cpl = cpl;
        Segmentation.set(c, Cpu.SS, selector, d);
    }

    private static void qualifyData(Cpu c, int seg, int selector, int ext) {
        if (Descriptors.isNull(selector)) {
            return;
        }
        int error = Descriptors.error(selector, ext);
        long d = Descriptors.fetch(c, selector, Vector.TS, ext);
        boolean conforming = Descriptors.isCode(d) && Descriptors.isConforming(d);
        if (!Descriptors.isReadable(d) || !conforming && Math.max(selector & 3, c.cpl) > Descriptors.dpl(d)) {
            throw c.fault(Vector.TS, error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, error);
        }
        Segmentation.set(c, seg, selector, Descriptors.accessed(c, selector, d));
    }
}
