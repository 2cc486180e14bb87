package org.softkvm.kvm.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.softkvm.devices.apic.LocalApic;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.kvm.DebugRegs;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.LapicState;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Sregs2;
import org.softkvm.kvm.VcpuEvents;

/** The register sets of a vcpu that KVM reads and writes as structures. */
final class RegisterSets {
    /** General registers in the order of their numbers: 0 RAX, 1 RCX, 2 RDX, 3 RBX, 4 RSP, 5 RBP, 6 RSI, 7 RDI. */
    private static final int RAX = 0;

    private static final int RCX = 1;
    private static final int RDX = 2;
    private static final int RBX = 3;
    private static final int RSP = 4;
    private static final int RBP = 5;
    private static final int RSI = 6;
    private static final int RDI = 7;

    private static final int DB_VECTOR = 1;
    private static final int PF_VECTOR = 14;
    private static final long DR6_CAUSES = 0xE00F;
    private static final long DR6_ONES = 0xFFFF0FF0L;
    private static final int DR6 = 6;
    private static final int DR7 = 7;
    private static final long RFLAGS_FIXED = 2;
    private static final int NMI_VECTOR = 2;
    private static final int LAST_EXCEPTION = 31;
    private static final int KNOWN_EVENTS = VcpuEvents.VALID_NMI_PENDING
            | VcpuEvents.VALID_SIPI_VECTOR
            | VcpuEvents.VALID_SHADOW
            | VcpuEvents.VALID_SMM
            | VcpuEvents.VALID_PAYLOAD
            | VcpuEvents.VALID_TRIPLE_FAULT;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private final VirtualCpu cpu;
    private final LapicPort port;
    private final LocalApic apic;
    private final GuestMemory memory;
    private final int physicalAddressBits;
    private final byte[] apicPage = new byte[LocalApic.REGISTERS_SIZE];
    private final byte[] pdptes = new byte[4 * Long.BYTES];

    RegisterSets(VirtualCpu cpu, LapicPort port, LocalApic apic, GuestMemory memory, int physicalAddressBits) {
        this.cpu = cpu;
        this.port = port;
        this.apic = apic;
        this.memory = memory;
        this.physicalAddressBits = physicalAddressBits;
    }

    // ---- General registers

    void getRegs(Regs regs) {
        regs.rax = cpu.register(RAX);
        regs.rbx = cpu.register(RBX);
        regs.rcx = cpu.register(RCX);
        regs.rdx = cpu.register(RDX);
        regs.rsi = cpu.register(RSI);
        regs.rdi = cpu.register(RDI);
        regs.rsp = cpu.register(RSP);
        regs.rbp = cpu.register(RBP);
        regs.r8 = cpu.register(8);
        regs.r9 = cpu.register(9);
        regs.r10 = cpu.register(10);
        regs.r11 = cpu.register(11);
        regs.r12 = cpu.register(12);
        regs.r13 = cpu.register(13);
        regs.r14 = cpu.register(14);
        regs.r15 = cpu.register(15);
        regs.rip = cpu.rip();
        regs.rflags = cpu.rflags();
    }

    void setRegs(Regs regs) {
        cpu.setRegister(RAX, regs.rax);
        cpu.setRegister(RBX, regs.rbx);
        cpu.setRegister(RCX, regs.rcx);
        cpu.setRegister(RDX, regs.rdx);
        cpu.setRegister(RSI, regs.rsi);
        cpu.setRegister(RDI, regs.rdi);
        cpu.setRegister(RSP, regs.rsp);
        cpu.setRegister(RBP, regs.rbp);
        cpu.setRegister(8, regs.r8);
        cpu.setRegister(9, regs.r9);
        cpu.setRegister(10, regs.r10);
        cpu.setRegister(11, regs.r11);
        cpu.setRegister(12, regs.r12);
        cpu.setRegister(13, regs.r13);
        cpu.setRegister(14, regs.r14);
        cpu.setRegister(15, regs.r15);
        cpu.setRip(regs.rip);
        setRflags(regs.rflags);
        cpu.clearInjectedException();
    }

    void setRflags(long value) {
        cpu.setRflags(value | RFLAGS_FIXED);
        // RFLAGS.VM decides the privilege level, which the core derives when SS is set.
        cpu.setSegment(
                SegmentCodec.SS,
                cpu.segmentSelector(SegmentCodec.SS),
                cpu.segmentBase(SegmentCodec.SS),
                cpu.segmentLimit(SegmentCodec.SS),
                cpu.segmentAttributes(SegmentCodec.SS));
    }

    // ---- Segments and control registers

    void getSregs(Sregs sregs) {
        SegmentCodec.get(cpu, SegmentCodec.CS, sregs.cs);
        SegmentCodec.get(cpu, SegmentCodec.DS, sregs.ds);
        SegmentCodec.get(cpu, SegmentCodec.ES, sregs.es);
        SegmentCodec.get(cpu, SegmentCodec.FS, sregs.fs);
        SegmentCodec.get(cpu, SegmentCodec.GS, sregs.gs);
        SegmentCodec.get(cpu, SegmentCodec.SS, sregs.ss);
        SegmentCodec.get(cpu, SegmentCodec.TR, sregs.tr);
        SegmentCodec.get(cpu, SegmentCodec.LDTR, sregs.ldt);
        sregs.gdt.base = cpu.gdtBase();
        sregs.gdt.limit = cpu.gdtLimit();
        sregs.idt.base = cpu.idtBase();
        sregs.idt.limit = cpu.idtLimit();
        sregs.cr0 = cpu.cr0();
        sregs.cr2 = cpu.cr2();
        sregs.cr3 = cpu.cr3();
        sregs.cr4 = cpu.cr4();
        sregs.cr8 = port.cr8();
        sregs.efer = cpu.efer();
        sregs.apicBase = port.apicBase();
        Arrays.fill(sregs.interruptBitmap, 0);
        int vector = injectedInterrupt();
        if (vector >= 0) {
            sregs.interruptBitmap[vector >> 6] |= 1L << vector;
        }
    }

    void setSregs(Sregs sregs) {
        setWithoutPdptes(sregs);
        loadPdptes();
        for (int word = 0; word < sregs.interruptBitmap.length; word++) {
            if (sregs.interruptBitmap[word] != 0) {
                injectInterrupt(word * Long.SIZE + Long.numberOfTrailingZeros(sregs.interruptBitmap[word]));
            }
        }
    }

    private void setWithoutPdptes(Sregs sregs) {
        SregsRules.check(sregs, CpuBits.cr4Reserved(cpu), CpuBits.eferReserved(cpu), physicalAddressBits);
        if (!port.setApicBase(sregs.apicBase)) {
            throw new KvmException("KVM_SET_SREGS", Errno.EINVAL, "apic_base=0x" + Long.toHexString(sregs.apicBase));
        }
        cpu.setControl(sregs.cr0, sregs.cr2, sregs.cr3, sregs.cr4, sregs.efer);
        SegmentCodec.set(cpu, SegmentCodec.CS, sregs.cs);
        SegmentCodec.set(cpu, SegmentCodec.DS, sregs.ds);
        SegmentCodec.set(cpu, SegmentCodec.ES, sregs.es);
        SegmentCodec.set(cpu, SegmentCodec.FS, sregs.fs);
        SegmentCodec.set(cpu, SegmentCodec.GS, sregs.gs);
        SegmentCodec.set(cpu, SegmentCodec.SS, sregs.ss);
        SegmentCodec.set(cpu, SegmentCodec.TR, sregs.tr);
        SegmentCodec.set(cpu, SegmentCodec.LDTR, sregs.ldt);
        cpu.setGdt(sregs.gdt.base, sregs.gdt.limit);
        cpu.setIdt(sregs.idt.base, sregs.idt.limit);
        port.setCr8FromOutside((int) sregs.cr8);
    }

    private static boolean isPae(long cr0, long cr4, long efer) {
        return (cr0 & SregsRules.CR0_PG) != 0 && (cr4 & SregsRules.CR4_PAE) != 0 && (efer & SregsRules.EFER_LMA) == 0;
    }

    void getSregs2(Sregs2 sregs2) {
        getSregs(sregs2.sregs);
        Arrays.fill(sregs2.sregs.interruptBitmap, 0);
        boolean pae = isPae(cpu.cr0(), cpu.cr4(), cpu.efer());
        sregs2.flags = pae ? Sregs2.PDPTRS_VALID : 0;
        for (int i = 0; i < sregs2.pdptrs.length; i++) {
            sregs2.pdptrs[i] = pae ? cpu.pdptr(i) : 0;
        }
    }

    void setSregs2(Sregs2 sregs2) {
        Sregs sregs = sregs2.sregs;
        boolean pdptes = (sregs2.flags & Sregs2.PDPTRS_VALID) != 0;
        if ((sregs2.flags & ~Sregs2.PDPTRS_VALID) != 0 || pdptes && !isPae(sregs.cr0, sregs.cr4, sregs.efer)) {
            throw new KvmException(
                    "KVM_SET_SREGS2",
                    Errno.EINVAL,
                    "flags=0x" + Long.toHexString(sregs2.flags) + " (PAE paging is off)");
        }
        Arrays.fill(sregs.interruptBitmap, 0);
        setWithoutPdptes(sregs);
        if (pdptes) {
            for (int i = 0; i < sregs2.pdptrs.length; i++) {
                cpu.setPdptr(i, sregs2.pdptrs[i]);
            }
        } else {
            loadPdptes();
        }
    }

    /** PAE paging holds its four top entries in registers, which setting CR3 loads. */
    private void loadPdptes() {
        if (!isPae(cpu.cr0(), cpu.cr4(), cpu.efer())) {
            return;
        }
        memory.read(cpu.cr3() & 0xFFFF_FFE0L, pdptes, 0, pdptes.length);
        for (int i = 0; i < 4; i++) {
            cpu.setPdptr(i, (long) LONG.get(pdptes, i * Long.BYTES));
        }
    }

    // ---- Debug registers

    void getDebugRegs(DebugRegs registers) {
        for (int i = 0; i < registers.db.length; i++) {
            registers.db[i] = cpu.debugRegister(i);
        }
        registers.dr6 = cpu.debugRegister(DR6);
        registers.dr7 = cpu.debugRegister(DR7);
        registers.flags = 0;
    }

    void setDebugRegs(DebugRegs registers) {
        if (registers.flags != 0 || registers.dr6 >>> 32 != 0 || registers.dr7 >>> 32 != 0) {
            throw new KvmException(
                    "KVM_SET_DEBUGREGS",
                    Errno.EINVAL,
                    "dr6=0x" + Long.toHexString(registers.dr6) + " dr7=0x" + Long.toHexString(registers.dr7)
                            + " flags=0x" + Long.toHexString(registers.flags));
        }
        for (int i = 0; i < registers.db.length; i++) {
            cpu.setDebugRegister(i, registers.db[i]);
        }
        cpu.setDebugRegister(DR6, registers.dr6);
        cpu.setDebugRegister(DR7, registers.dr7);
    }

    /** The interrupt that is injected and not delivered: with a split irqchip not what waits at LINT0. */
    private int injectedInterrupt() {
        return apic == null ? port.queuedVector() : cpu.injectedInterrupt();
    }

    private void injectInterrupt(int vector) {
        if (apic == null) {
            port.setQueuedVector(vector);
            cpu.requestInterruptCheck();
        } else {
            cpu.injectInterrupt(vector);
        }
    }

    // ---- Events

    void getEvents(VcpuEvents events) {
        int exception = cpu.injectedException();
        events.exceptionInjected = exception >= 0;
        events.exceptionNr = Math.max(exception, 0);
        events.exceptionHasErrorCode = cpu.injectedExceptionHasError();
        events.exceptionErrorCode = events.exceptionHasErrorCode ? cpu.injectedExceptionError() : 0;
        events.exceptionPending = false;
        events.exceptionHasPayload = false;
        events.exceptionPayload = 0;
        int vector = injectedInterrupt();
        events.interruptInjected = vector >= 0;
        events.interruptNr = Math.max(vector, 0);
        events.interruptSoft = false;
        events.interruptShadow = CpuBits.shadowToKvm(cpu.interruptShadow());
        events.nmiInjected = false;
        events.nmiPending = cpu.nmiPending();
        events.nmiMasked = cpu.nmiBlocked();
        events.sipiVector = 0;
        events.smm = cpu.inSmm();
        events.smiPending = cpu.smiPending();
        events.smmInsideNmi = cpu.smmInsideNmi();
        events.smiLatchedInit = false;
        events.tripleFaultPending = false;
        events.flags = VcpuEvents.VALID_NMI_PENDING | VcpuEvents.VALID_SHADOW | VcpuEvents.VALID_SMM;
    }

    void setEvents(VcpuEvents events) {
        setEvents(events, false, false);
    }

    /**
     * Takes events.
     *
     * @param payloads whether EXCEPTION_PAYLOAD is on
     * @param tripleFaults whether X86_TRIPLE_FAULT_EVENT is on
     */
    void setEvents(VcpuEvents events, boolean payloads, boolean tripleFaults) {
        if ((events.flags & ~KNOWN_EVENTS) != 0) {
            throw invalidEvents("flags=0x" + Integer.toHexString(events.flags));
        }
        if ((events.flags & VcpuEvents.VALID_PAYLOAD) != 0 && !payloads) {
            throw invalidEvents("flags=0x" + Integer.toHexString(events.flags) + " (EXCEPTION_PAYLOAD is off)");
        }
        if ((events.flags & VcpuEvents.VALID_TRIPLE_FAULT) != 0 && !tripleFaults) {
            throw invalidEvents("flags=0x" + Integer.toHexString(events.flags) + " (X86_TRIPLE_FAULT_EVENT is off)");
        }
        boolean pending = (events.flags & VcpuEvents.VALID_PAYLOAD) != 0 && events.exceptionPending;
        if (pending && events.exceptionInjected) {
            throw invalidEvents("exception (pending and injected)");
        }
        if ((events.exceptionInjected || pending)
                && (events.exceptionNr < 0
                        || events.exceptionNr > LAST_EXCEPTION
                        || events.exceptionNr == NMI_VECTOR)) {
            throw invalidEvents("exception.nr=" + events.exceptionNr);
        }
        boolean smm = (events.flags & VcpuEvents.VALID_SMM) != 0;
        if (smm && !cpu.hasSmm() && (events.smm || events.smiPending || events.smiLatchedInit)) {
            throw invalidEvents("smi (the CPU model has no system-management mode)");
        }
        if (events.interruptInjected && (events.interruptNr < 0 || events.interruptNr > 255)) {
            throw invalidEvents("interrupt.nr=" + events.interruptNr);
        }
        if (events.exceptionInjected || pending) {
            if (pending && events.exceptionHasPayload) {
                applyPayload(events.exceptionNr, events.exceptionPayload);
            }
            cpu.injectException(events.exceptionNr, events.exceptionHasErrorCode, events.exceptionErrorCode);
        } else {
            cpu.clearInjectedException();
        }
        if (events.interruptInjected) {
            injectInterrupt(events.interruptNr);
        } else {
            clearInjectedInterrupt();
        }
        if ((events.flags & VcpuEvents.VALID_SHADOW) != 0) {
            cpu.setInterruptShadow(CpuBits.shadowFromKvm(events.interruptShadow));
        }
        if (smm) {
            cpu.setSmmState(events.smm, events.smiPending, events.smmInsideNmi);
        }
        boolean nmiPending = (events.flags & VcpuEvents.VALID_NMI_PENDING) != 0 ? events.nmiPending : cpu.nmiPending();
        cpu.setNmiState(nmiPending || events.nmiInjected, events.nmiMasked);
    }

    /** What the exception leaves in a register: here it gets there at once, since nothing executes before it. */
    private void applyPayload(int vector, long payload) {
        if (vector == DB_VECTOR) {
            cpu.setDebugRegister(DR6, cpu.debugRegister(DR6) & ~0xFL | payload & DR6_CAUSES | DR6_ONES);
        } else if (vector == PF_VECTOR) {
            cpu.setControl(cpu.cr0(), payload, cpu.cr3(), cpu.cr4(), cpu.efer());
        }
    }

    private void clearInjectedInterrupt() {
        if (apic == null) {
            port.setQueuedVector(-1);
        } else {
            cpu.clearInjectedInterrupt();
        }
    }

    private static KvmException invalidEvents(String argument) {
        return new KvmException("KVM_SET_VCPU_EVENTS", Errno.EINVAL, argument);
    }

    // ---- The local APIC

    void getLapic(LapicState state) {
        apic.exportPage(apicPage, false);
        for (int offset = 0; offset < LapicState.SIZE; offset += 16) {
            state.set(offset, (int) INT.get(apicPage, offset));
        }
    }

    void setLapic(LapicState state) {
        Arrays.fill(apicPage, (byte) 0);
        for (int offset = 0; offset < LapicState.SIZE; offset += 16) {
            INT.set(apicPage, offset, state.get(offset));
        }
        if (!apic.importPage(apicPage, false)) {
            throw new KvmException(
                    "KVM_SET_LAPIC", Errno.EINVAL, "id=0x" + Integer.toHexString(state.get(0x20)) + " (x2APIC mode)");
        }
    }

    int getLapicRegister(int offset) {
        apic.exportPage(apicPage, false);
        return (int) INT.get(apicPage, offset);
    }

    boolean setLapicRegister(int offset, int value) {
        apic.exportPage(apicPage, false);
        INT.set(apicPage, offset, value);
        return apic.importPage(apicPage, false);
    }
}
