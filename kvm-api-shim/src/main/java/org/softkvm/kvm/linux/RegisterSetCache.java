package org.softkvm.kvm.linux;

import org.softkvm.kvm.Capability;
import org.softkvm.kvm.DebugRegs;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.LapicState;
import org.softkvm.kvm.MpState;
import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Segment;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Sregs2;
import org.softkvm.kvm.VcpuEvents;
import org.softkvm.kvm.Xcrs;

/** The register sets of the kernel, read when first asked for and written where changed. */
final class RegisterSetCache {
    private static final int REGS = 0;
    private static final int SREGS = 1;
    private static final int DEBUG = 2;
    private static final int XSAVE = 3;
    private static final int XCRS = 4;
    private static final int EVENTS = 5;
    private static final int MP_STATE = 6;
    private static final int LAPIC = 7;
    private static final int EXTINT = 8;
    private static final int SETS = 9;

    private static final int RIP = 16;
    private static final int RFLAGS = 17;
    private static final int XCR0 = 0x100;
    private static final int PDPTE = 0x110;
    private static final long CR0_PG = 1L << 31;
    private static final long CR4_PAE = 1 << 5;
    private static final long EFER_LMA = 1 << 10;
    private static final int LAPIC_REGISTERS = 64;
    private static final int NOTHING_FAILED = Integer.MAX_VALUE;

    private final VcpuCalls vcpu;
    private final boolean hasSregs2;
    private final boolean hasXsave;
    private final boolean hasXcrs;
    private final boolean hasDebugRegs;
    private final boolean hasEvents;
    private final boolean hasLapic;

    private final Regs regs = new Regs();
    private final Sregs2 sregs = new Sregs2();
    private final DebugRegs debug = new DebugRegs();
    private final XsaveArea xsave;
    private final Xcrs xcrs = new Xcrs();
    private final VcpuEvents events = new VcpuEvents();
    private final LapicState lapic = new LapicState();
    private int mpState;
    private int sipiVector;
    private long extInt;

    /** Bits: sets that were read, and sets that were changed since. */
    private int loaded;

    private int changed;

    /** The place of the first change of a set in the list that is written. */
    private final int[] firstPlace = new int[SETS];

    private boolean pdptesChanged;

    RegisterSetCache(VcpuCalls vcpu, LinuxVm vm) {
        this.vcpu = vcpu;
        hasSregs2 = vm.checkExtension(Capability.SREGS2) != 0;
        hasXsave = vm.checkExtension(Capability.XSAVE) != 0;
        hasXcrs = vm.checkExtension(Capability.XCRS) != 0;
        hasDebugRegs = vm.checkExtension(Capability.DEBUGREGS) != 0;
        hasEvents = vm.checkExtension(Capability.VCPU_EVENTS) != 0;
        xsave = new XsaveArea(vcpu, hasXsave, vm.kvm().hasAvx());
        hasLapic = canReadLapic();
    }

    private boolean canReadLapic() {
        try {
            vcpu.getLapic(lapic);
            return true;
        } catch (KvmException e) {
            // EINVAL: the local APIC is not in the kernel.
            return false;
        }
    }

    /** The vcpu may have changed since. */
    void forget() {
        loaded = 0;
        changed = 0;
        pdptesChanged = false;
    }

    /** Which set holds a register; -1 where there is no such register. */
    private int setOf(long id) {
        if ((id & ~0xFF_FFFF_FFFFL) != RegisterId.X86_U64) {
            return -1;
        }
        int index = RegisterId.index(id);
        if (index < 0 && RegisterId.type(id) != RegisterId.TYPE_MSR) {
            return -1;
        }
        return switch (RegisterId.type(id)) {
            case RegisterId.TYPE_MSR ->
                switch (index) {
                    case LinuxRegisters.MSR_EFER,
                            LinuxRegisters.MSR_FS_BASE,
                            LinuxRegisters.MSR_GS_BASE,
                            LinuxRegisters.MSR_APIC_BASE -> SREGS;
                    default -> -1;
                };
            case RegisterId.TYPE_GPR -> index <= RFLAGS ? REGS : -1;
            case RegisterId.TYPE_SEGMENT -> index < 4 * (RegisterId.SEGMENT_TR + 1) ? SREGS : -1;
            case RegisterId.TYPE_DESCRIPTOR_TABLE -> index < 4 ? SREGS : -1;
            case RegisterId.TYPE_CONTROL ->
                switch (index) {
                    case 0, 2, 3, 4, 8 -> SREGS;
                    case XCR0 -> hasXcrs ? XCRS : -1;
                    case PDPTE, PDPTE + 1, PDPTE + 2, PDPTE + 3 -> hasSregs2 ? SREGS : -1;
                    default -> -1;
                };
            case RegisterId.TYPE_DEBUG -> hasDebugRegs && index <= 7 && index != 4 && index != 5 ? DEBUG : -1;
            case RegisterId.TYPE_X87, RegisterId.TYPE_VECTOR -> xsave.has(id) ? XSAVE : -1;
            case RegisterId.TYPE_EVENT -> eventSet(id);
            case RegisterId.TYPE_LAPIC -> hasLapic && index < LAPIC_REGISTERS ? LAPIC : -1;
            default -> -1;
        };
    }

    private int eventSet(long id) {
        if (id == RegisterId.MP_STATE) {
            return MP_STATE;
        }
        if (id == RegisterId.EVENT_PENDING_EXTINT) {
            return EXTINT;
        }
        return hasEvents && RegisterId.index(id) <= RegisterId.index(RegisterId.EVENT_SIPI_VECTOR) ? EVENTS : -1;
    }

    boolean has(long id) {
        return setOf(id) >= 0;
    }

    private void load(int set) {
        if ((loaded & 1 << set) != 0) {
            return;
        }
        switch (set) {
            case REGS -> vcpu.getRegs(regs);
            case SREGS -> loadSregs();
            case DEBUG -> vcpu.getDebugRegs(debug);
            case XSAVE -> xsave.load();
            case XCRS -> vcpu.getXcrs(xcrs);
            case EVENTS -> {
                vcpu.getEvents(events);
                sipiVector = 0;
            }
            case MP_STATE -> mpState = vcpu.mpState();
            case LAPIC -> vcpu.getLapic(lapic);
            default -> extInt = -1;
        }
        loaded |= 1 << set;
    }

    private void loadSregs() {
        // Only kvm_sregs has the bitmap of interrupts; the events have it too, so that it may be left out.
        if (hasSregs2) {
            vcpu.getSregs2(sregs);
        } else {
            vcpu.getSregs(sregs.sregs);
        }
    }

    // ---- Reading

    /** A register that there is. */
    long get(long id) {
        int set = setOf(id);
        load(set);
        int index = RegisterId.index(id);
        return switch (set) {
            case REGS -> general(index);
            case SREGS -> special(id, index);
            case DEBUG -> index < 4 ? debug.db[index] : index == 6 ? debug.dr6 : debug.dr7;
            case XSAVE -> xsave.get(id);
            case XCRS -> xcr0();
            case EVENTS -> EventIds.get(events, id);
            case MP_STATE -> mpState;
            case LAPIC -> Integer.toUnsignedLong(lapic.get(index * 16));
            default -> extInt;
        };
    }

    private long general(int index) {
        return switch (index) {
            case 0 -> regs.rax;
            case 1 -> regs.rcx;
            case 2 -> regs.rdx;
            case 3 -> regs.rbx;
            case 4 -> regs.rsp;
            case 5 -> regs.rbp;
            case 6 -> regs.rsi;
            case 7 -> regs.rdi;
            case 8 -> regs.r8;
            case 9 -> regs.r9;
            case 10 -> regs.r10;
            case 11 -> regs.r11;
            case 12 -> regs.r12;
            case 13 -> regs.r13;
            case 14 -> regs.r14;
            case 15 -> regs.r15;
            case RIP -> regs.rip;
            default -> regs.rflags;
        };
    }

    private Segment segment(int number) {
        Sregs s = sregs.sregs;
        return switch (number) {
            case RegisterId.SEGMENT_ES -> s.es;
            case RegisterId.SEGMENT_CS -> s.cs;
            case RegisterId.SEGMENT_SS -> s.ss;
            case RegisterId.SEGMENT_DS -> s.ds;
            case RegisterId.SEGMENT_FS -> s.fs;
            case RegisterId.SEGMENT_GS -> s.gs;
            case RegisterId.SEGMENT_LDTR -> s.ldt;
            default -> s.tr;
        };
    }

    private long special(long id, int index) {
        Sregs s = sregs.sregs;
        return switch (RegisterId.type(id)) {
            case RegisterId.TYPE_MSR ->
                switch (index) {
                    case LinuxRegisters.MSR_EFER -> s.efer;
                    case LinuxRegisters.MSR_FS_BASE -> s.fs.base;
                    case LinuxRegisters.MSR_GS_BASE -> s.gs.base;
                    default -> s.apicBase;
                };
            case RegisterId.TYPE_SEGMENT -> {
                Segment segment = segment(index >> 2);
                yield switch (index & 3) {
                    case RegisterId.PART_SELECTOR -> segment.selector;
                    case RegisterId.PART_BASE -> segment.base;
                    case RegisterId.PART_LIMIT -> Integer.toUnsignedLong(segment.limit);
                    default -> AccessRights.of(segment);
                };
            }
            case RegisterId.TYPE_DESCRIPTOR_TABLE ->
                switch (index) {
                    case 0 -> s.gdt.base;
                    case 1 -> s.gdt.limit;
                    case 2 -> s.idt.base;
                    default -> s.idt.limit;
                };
            default ->
                switch (index) {
                    case 0 -> s.cr0;
                    case 2 -> s.cr2;
                    case 3 -> s.cr3;
                    case 4 -> s.cr4;
                    case 8 -> s.cr8;
                    default -> usesPdptes() ? sregs.pdptrs[index - PDPTE] : 0;
                };
        };
    }

    private boolean usesPdptes() {
        Sregs s = sregs.sregs;
        return (s.cr0 & CR0_PG) != 0 && (s.cr4 & CR4_PAE) != 0 && (s.efer & EFER_LMA) == 0;
    }

    private long xcr0() {
        for (int i = 0; i < xcrs.count; i++) {
            if (xcrs.xcr[i] == 0) {
                return xcrs.value[i];
            }
        }
        return 1;
    }

    // ---- Writing

    /**
     * Changes a register that there is, in its set.
     *
     * @param place its place in the list that is written
     * @return false where no such register holds the value
     */
    boolean put(long id, long value, int place) {
        int set = setOf(id);
        load(set);
        int index = RegisterId.index(id);
        boolean taken = switch (set) {
            case REGS -> putGeneral(index, value);
            case SREGS -> putSpecial(id, index, value);
            case DEBUG -> putDebug(index, value);
            case XSAVE -> xsave.put(id, value);
            case XCRS -> putXcr0(value);
            case EVENTS -> putEvent(id, value);
            case MP_STATE -> putMpState(value);
            case LAPIC -> putLapic(index, value);
            default -> putExtInt(value);
        };
        if (taken) {
            if ((changed & 1 << set) == 0) {
                firstPlace[set] = place;
            }
            changed |= 1 << set;
        }
        return taken;
    }

    private boolean putGeneral(int index, long value) {
        switch (index) {
            case 0 -> regs.rax = value;
            case 1 -> regs.rcx = value;
            case 2 -> regs.rdx = value;
            case 3 -> regs.rbx = value;
            case 4 -> regs.rsp = value;
            case 5 -> regs.rbp = value;
            case 6 -> regs.rsi = value;
            case 7 -> regs.rdi = value;
            case 8 -> regs.r8 = value;
            case 9 -> regs.r9 = value;
            case 10 -> regs.r10 = value;
            case 11 -> regs.r11 = value;
            case 12 -> regs.r12 = value;
            case 13 -> regs.r13 = value;
            case 14 -> regs.r14 = value;
            case 15 -> regs.r15 = value;
            case RIP -> regs.rip = value;
            default -> regs.rflags = value;
        }
        return true;
    }

    private boolean putSpecial(long id, int index, long value) {
        return switch (RegisterId.type(id)) {
            case RegisterId.TYPE_MSR -> {
                switch (index) {
                    case LinuxRegisters.MSR_EFER -> sregs.sregs.efer = value;
                    case LinuxRegisters.MSR_FS_BASE -> sregs.sregs.fs.base = value;
                    case LinuxRegisters.MSR_GS_BASE -> sregs.sregs.gs.base = value;
                    default -> sregs.sregs.apicBase = value;
                }
                yield true;
            }
            case RegisterId.TYPE_SEGMENT -> putSegment(segment(index >> 2), index & 3, value);
            case RegisterId.TYPE_DESCRIPTOR_TABLE -> putTable(index, value);
            default -> putControl(index, value);
        };
    }

    private static boolean putSegment(Segment segment, int part, long value) {
        switch (part) {
            case RegisterId.PART_SELECTOR -> {
                if (value >>> 16 != 0) {
                    return false;
                }
                segment.selector = (int) value;
            }
            case RegisterId.PART_BASE -> segment.base = value;
            case RegisterId.PART_LIMIT -> {
                if (value >>> 32 != 0) {
                    return false;
                }
                segment.limit = (int) value;
            }
            default -> {
                if ((value & ~AccessRights.ALL) != 0) {
                    return false;
                }
                AccessRights.set(segment, (int) value);
            }
        }
        return true;
    }

    private boolean putTable(int index, long value) {
        Sregs s = sregs.sregs;
        if ((index & 1) != 0 && value >>> 16 != 0) {
            return false;
        }
        switch (index) {
            case 0 -> s.gdt.base = value;
            case 1 -> s.gdt.limit = (int) value;
            case 2 -> s.idt.base = value;
            default -> s.idt.limit = (int) value;
        }
        return true;
    }

    private boolean putControl(int index, long value) {
        Sregs s = sregs.sregs;
        switch (index) {
            case 0 -> s.cr0 = value;
            case 2 -> s.cr2 = value;
            case 3 -> s.cr3 = value;
            case 4 -> s.cr4 = value;
            case 8 -> s.cr8 = value;
            default -> {
                sregs.pdptrs[index - PDPTE] = value;
                pdptesChanged = true;
            }
        }
        return true;
    }

    private boolean putDebug(int index, long value) {
        if (index < 4) {
            debug.db[index] = value;
        } else if (value >>> 32 != 0) {
            return false;
        } else if (index == 6) {
            debug.dr6 = value;
        } else {
            debug.dr7 = value;
        }
        return true;
    }

    private boolean putXcr0(long value) {
        xcrs.count = 1;
        xcrs.flags = 0;
        xcrs.xcr[0] = 0;
        xcrs.value[0] = value;
        return true;
    }

    private boolean putEvent(long id, long value) {
        if (id == RegisterId.EVENT_SIPI_VECTOR) {
            if (value >>> 8 != 0) {
                return false;
            }
            // Without one there is nothing to say: the kernel would only forget another.
            sipiVector = (int) value;
            return true;
        }
        return EventIds.put(events, id, value);
    }

    private boolean putMpState(long value) {
        if (value < 0 || value > MpState.SIPI_RECEIVED.number()) {
            return false;
        }
        mpState = (int) value;
        return true;
    }

    private boolean putLapic(int index, long value) {
        if (value >>> 32 != 0) {
            return false;
        }
        lapic.set(index * 16, (int) value);
        return true;
    }

    /** The kernel does not tell what KVM_INTERRUPT queued; it takes one to queue. */
    private boolean putExtInt(long value) {
        if (value < -1 || value > 255 || value >= 0 && !hasLapic) {
            return false;
        }
        extInt = value;
        return true;
    }

    private boolean isChanged(int set) {
        return (changed & 1 << set) != 0;
    }

    /** Writes what MSRs depend on. */
    void writeBeforeMsrs() {
        if (isChanged(SREGS)) {
            write(SREGS);
        }
    }

    /** Writes everything else, events last. */
    void writeAfterMsrs() {
        for (int set : AFTER_MSRS) {
            if (isChanged(set)) {
                write(set);
            }
        }
    }

    private static final int[] AFTER_MSRS = {XCRS, XSAVE, DEBUG, REGS, LAPIC, EVENTS, EXTINT, MP_STATE};

    /** As {@link #writeBeforeMsrs}; the place of the first register that was not taken. */
    int tryBeforeMsrs() {
        return isChanged(SREGS) ? tryWrite(SREGS) : NOTHING_FAILED;
    }

    /** As {@link #writeAfterMsrs}; the place of the first register that was not taken. */
    int tryAfterMsrs() {
        int failed = NOTHING_FAILED;
        for (int set : AFTER_MSRS) {
            if (isChanged(set)) {
                failed = Math.min(failed, tryWrite(set));
            }
        }
        return failed;
    }

    private int tryWrite(int set) {
        try {
            write(set);
            return NOTHING_FAILED;
        } catch (KvmException e) {
            return firstPlace[set];
        }
    }

    private void write(int set) {
        switch (set) {
            case REGS -> vcpu.setRegs(regs);
            case SREGS -> writeSregs();
            case DEBUG -> vcpu.setDebugRegs(debug);
            case XSAVE -> xsave.write();
            case XCRS -> vcpu.setXcrs(xcrs);
            case EVENTS -> writeEvents();
            case MP_STATE -> vcpu.setMpState(MpState.of(mpState));
            case LAPIC -> vcpu.setLapic(lapic);
            default -> {
                if (extInt >= 0) {
                    vcpu.interrupt((int) extInt);
                }
            }
        }
    }

    private void writeSregs() {
        if (hasSregs2) {
            sregs.flags = usesPdptes() && pdptesChanged ? Sregs2.PDPTRS_VALID : 0;
            vcpu.setSregs2(sregs);
        } else {
            vcpu.setSregs(sregs.sregs);
        }
    }

    private void writeEvents() {
        events.flags |= VcpuEvents.VALID_NMI_PENDING | VcpuEvents.VALID_SHADOW;
        events.sipiVector = sipiVector;
        if (sipiVector != 0) {
            events.flags |= VcpuEvents.VALID_SIPI_VECTOR;
        } else {
            events.flags &= ~VcpuEvents.VALID_SIPI_VECTOR;
        }
        vcpu.setEvents(events);
    }

    // ---- The whole state

    private static final long[] SPECIAL = {
        RegisterId.CR0,
        RegisterId.CR2,
        RegisterId.CR3,
        RegisterId.CR4,
        RegisterId.msr(LinuxRegisters.MSR_EFER),
        RegisterId.msr(LinuxRegisters.MSR_APIC_BASE),
        RegisterId.XCR0,
        RegisterId.PDPTE0,
        RegisterId.PDPTE0 + 1,
        RegisterId.PDPTE0 + 2,
        RegisterId.PDPTE0 + 3,
        RegisterId.GDTR_BASE,
        RegisterId.GDTR_LIMIT,
        RegisterId.IDTR_BASE,
        RegisterId.IDTR_LIMIT
    };

    private static final long[] EVENT_IDS = {
        RegisterId.CR8,
        RegisterId.EVENT_EXCEPTION,
        RegisterId.EVENT_EXCEPTION_PAYLOAD,
        RegisterId.EVENT_EXCEPTION_HAS_PAYLOAD,
        RegisterId.EVENT_INTERRUPT,
        RegisterId.EVENT_NMI,
        RegisterId.EVENT_SMM,
        RegisterId.EVENT_TRIPLE_FAULT,
        RegisterId.EVENT_SIPI_VECTOR,
        RegisterId.EVENT_PENDING_EXTINT,
        RegisterId.MP_STATE
    };

    /** Adds the ids of everything but MSRs to a list; returns how many it has then. */
    int addIds(long[] list, int count) {
        int n = count;
        for (long id : SPECIAL) {
            n = add(list, n, id);
        }
        for (int segment = 0; segment <= RegisterId.SEGMENT_TR; segment++) {
            for (int part = 0; part < 4; part++) {
                n = add(list, n, RegisterId.segment(segment, part));
            }
        }
        for (int i = 0; i <= RFLAGS; i++) {
            n = add(list, n, RegisterId.gpr(i));
        }
        for (int i = 0; i < 8; i++) {
            n = add(list, n, RegisterId.dr(i));
        }
        n = xsave.addIds(list, n);
        for (int i = 0; i < LAPIC_REGISTERS; i++) {
            n = add(list, n, RegisterId.lapic(i * 16));
        }
        for (long id : EVENT_IDS) {
            n = add(list, n, id);
        }
        return n;
    }

    private int add(long[] list, int count, long id) {
        if (!has(id)) {
            return count;
        }
        list[count] = id;
        return count + 1;
    }
}
