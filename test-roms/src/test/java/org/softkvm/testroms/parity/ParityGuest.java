package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.opentest4j.TestAbortedException;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Segment;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.VcpuRun;
import org.softkvm.kvm.Vm;

/**
 * A VM with 1 MiB of memory and a program of some bytes, on one of the backends. Programs are hexadecimal, an
 * instruction a line, with what it means behind two spaces. They end by writing port {@link #DONE}.
 */
final class ParityGuest implements AutoCloseable {
    static final int CODE = 0x1000;
    static final int DATA = 0x3000;
    static final int HANDLER = 0x4000;
    static final int GDT = 0x8000;
    static final int STACK = 0x9000;
    static final int IDT = 0xA000;
    static final int TABLES = 0x10000;
    static final int SIZE = 0x100000;
    static final int HOLE = 0xD000_0000;

    /** The port that ends a test. */
    static final int DONE = 0xF4;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    final Backend backend;
    final Kvm kvm;
    final Vm vm;
    final Vcpu vcpu;
    final VcpuRun run;
    final MemorySegment memory;

    /** How the interrupts of a guest reach it. */
    enum Irqchip {
        NONE,
        SPLIT,
        FULL
    }

    private ParityGuest(Backend backend, Irqchip irqchip) {
        this.backend = backend;
        kvm = backend.open();
        vm = kvm.createVm();
        if (backend.engine != null) {
            vm.setEngine(backend.engine);
        }
        if (vm.checkExtension(Capability.SET_TSS_ADDR) != 0) {
            vm.setIdentityMapAddr(0xFEFF_C000L);
            vm.setTssAddr(0xFEFF_D000L);
        }
        switch (irqchip) {
            case SPLIT -> vm.enableCap(Capability.SPLIT_IRQCHIP, 24);
            case FULL -> vm.createIrqchip();
            default -> {
                // Interrupts come by KVM_INTERRUPT.
            }
        }
        memory = vm.allocateMemory(SIZE);
        vm.setMemorySlot(MemorySlot.of(0, 0, memory));
        vcpu = vm.createVcpu(0);
        vcpu.setCpuid(kvm.supportedCpuid());
        run = vcpu.runState();
    }

    static ParityGuest real(Backend backend, String program) {
        return real(backend, Irqchip.NONE, program);
    }

    /** Real mode, all segments at 0. */
    static ParityGuest real(Backend backend, Irqchip irqchip, String program) {
        ParityGuest guest = new ParityGuest(backend, irqchip);
        guest.load(CODE, program);
        Sregs sregs = guest.sregs();
        for (Segment segment : List.of(sregs.cs, sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss)) {
            segment.base = 0;
            segment.selector = 0;
        }
        guest.vcpu.setSregs(sregs);
        guest.start();
        return guest;
    }

    /** Flat 32-bit protected mode, no paging; every vector leads to {@link #HANDLER}. */
    static ParityGuest protectedMode(Backend backend, Irqchip irqchip, String program) {
        ParityGuest guest = new ParityGuest(backend, irqchip);
        guest.load(CODE, program);
        Sregs sregs = guest.sregs();
        sregs.cr0 |= 1;
        guest.flat(sregs, false);
        for (int vector = 0; vector < 256; vector++) {
            guest.put32(IDT + vector * 8, 0x08 << 16 | HANDLER);
            guest.put32(IDT + vector * 8 + 4, 0x8E00);
        }
        sregs.idt.base = IDT;
        sregs.idt.limit = 0x7FF;
        guest.vcpu.setSregs(sregs);
        guest.start();
        return guest;
    }

    /** 64-bit mode, the first 4 GiB mapped one to one; every vector leads to {@link #HANDLER}. */
    static ParityGuest longMode(Backend backend, Irqchip irqchip, String program) {
        ParityGuest guest = new ParityGuest(backend, irqchip);
        guest.load(CODE, program);
        guest.pageTables();
        Sregs sregs = guest.sregs();
        sregs.cr3 = TABLES;
        sregs.cr4 |= 0x20;
        sregs.efer |= 0x500;
        sregs.cr0 |= 0x8000_0001L;
        guest.flat(sregs, true);
        for (int vector = 0; vector < 256; vector++) {
            guest.put32(IDT + vector * 16, 0x08 << 16 | HANDLER);
            guest.put32(IDT + vector * 16 + 4, 0x8E00);
            guest.put64(IDT + vector * 16 + 8, 0);
        }
        sregs.idt.base = IDT;
        sregs.idt.limit = 0xFFF;
        guest.vcpu.setSregs(sregs);
        guest.start();
        return guest;
    }

    /** 64-bit mode, ring 3; SYSCALL leads to {@link #HANDLER}, in ring 0 and with interrupts off. */
    static ParityGuest userMode(Backend backend, String program) {
        ParityGuest guest = longMode(backend, Irqchip.NONE, program);
        for (long at = TABLES; at < TABLES + 0x6000; at += 8) {
            if (guest.get32(at) != 0) {
                guest.put32(at, guest.get32(at) | 4);
            }
        }
        Sregs sregs = guest.sregs();
        sregs.efer |= 1;
        sregs.cs.selector = 0x33;
        sregs.cs.dpl = 3;
        sregs.ss.selector = 0x2B;
        sregs.ss.dpl = 3;
        guest.vcpu.setSregs(sregs);
        guest.vcpu.setMsr(0xC000_0081, 0x0020_0008L << 32);
        guest.vcpu.setMsr(0xC000_0082, HANDLER);
        guest.vcpu.setMsr(0xC000_0084, 0x200);
        return guest;
    }

    void pageTables() {
        put64(TABLES, TABLES + 0x1000 | 3);
        for (int i = 0; i < 4; i++) {
            put64(TABLES + 0x1000 + i * 8, TABLES + 0x2000 + i * 0x1000 | 3);
        }
        for (int i = 0; i < 2048; i++) {
            put64(TABLES + 0x2000 + i * 8, (long) i << 21 | 0x83);
        }
    }

    private void flat(Sregs sregs, boolean longMode) {
        descriptors();
        sregs.gdt.base = GDT;
        sregs.gdt.limit = 0x2F;
        segment(sregs.cs, longMode ? 0x18 : 0x08, 0xB, longMode);
        if (longMode) {
            // The gates name selector 8: 64-bit code there, too.
            put64(GDT + 0x08, 0x00AF_9B00_0000_FFFFL);
        }
        for (Segment data : List.of(sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss)) {
            segment(data, 0x10, 0x3, false);
        }
        segment(sregs.tr, 0x20, 0xB, false);
        sregs.tr.base = 0x7000;
        sregs.tr.limit = 0x67;
        sregs.tr.s = 0;
        sregs.tr.g = 0;
        sregs.tr.db = 0;
    }

    /** 08h 32-bit code, 10h data, 18h 64-bit code. */
    void descriptors() {
        put64(GDT + 0x08, 0x00CF_9B00_0000_FFFFL);
        put64(GDT + 0x10, 0x00CF_9300_0000_FFFFL);
        put64(GDT + 0x18, 0x00AF_9B00_0000_FFFFL);
    }

    private static void segment(Segment segment, int selector, int type, boolean l) {
        segment.selector = selector;
        segment.base = 0;
        segment.limit = -1;
        segment.type = type;
        segment.present = 1;
        segment.dpl = 0;
        segment.s = 1;
        segment.g = 1;
        segment.l = l ? 1 : 0;
        segment.db = l ? 0 : 1;
        segment.avl = 0;
        segment.unusable = 0;
    }

    private void start() {
        Regs regs = new Regs();
        regs.rip = CODE;
        regs.rsp = STACK;
        regs.rflags = 2;
        vcpu.setRegs(regs);
    }

    void load(int address, String program) {
        int at = address;
        for (String line : program.lines().toList()) {
            for (String item : line.strip().split("  ", 2)[0].split(" ")) {
                if (!item.isEmpty()) {
                    memory.set(ValueLayout.JAVA_BYTE, at++, (byte) Integer.parseInt(item, 16));
                }
            }
        }
        vm.memoryWritten(address, at - address);
    }

    /** A real-mode interrupt vector. */
    void vector(int vector, int handler) {
        memory.set(SHORT, vector * 4L, (short) handler);
        memory.set(SHORT, vector * 4L + 2, (short) 0);
    }

    int get8(long address) {
        return memory.get(ValueLayout.JAVA_BYTE, address) & 0xFF;
    }

    int get32(long address) {
        return memory.get(INT, address);
    }

    void put32(long address, int value) {
        memory.set(INT, address, value);
    }

    void put64(long address, long value) {
        memory.set(LONG, address, value);
    }

    Regs regs() {
        Regs regs = new Regs();
        vcpu.getRegs(regs);
        return regs;
    }

    Sregs sregs() {
        Sregs sregs = new Sregs();
        vcpu.getSregs(sregs);
        return sregs;
    }

    boolean has(Capability capability) {
        return vm.checkExtension(capability) != 0;
    }

    /** Skips the test on a backend that does not say that it can do this. */
    void needs(Capability capability) {
        if (!has(capability)) {
            throw new TestAbortedException(exclusion("capability absent", capability.name()));
        }
    }

    /** Why a test cannot be compared here; the category and its proof. */
    String exclusion(String category, String proof) {
        return (backend == Backend.DEV_KVM ? "/dev/kvm" : backend.name()) + ": " + category + ": " + proof;
    }

    /** Runs once and checks the exit. */
    void to(int reason) {
        int actual = vcpu.run();
        if (actual == ExitReason.INTERNAL_ERROR && reason != ExitReason.INTERNAL_ERROR) {
            if (backend == Backend.DEV_KVM && run.internalErrorSuberror() == ExitReason.INTERNAL_ERROR_EMULATION) {
                throw new TestAbortedException(
                        exclusion("instruction missing in the host's own emulator", run.errorText()));
            }
        }
        assertThat(ExitReason.name(actual)).as(this::describe).isEqualTo(ExitReason.name(reason));
    }

    /** Runs to a write of a port and returns what is written. */
    int out(int port) {
        to(ExitReason.IO);
        assertThat(run.ioDirection()).as(this::describe).isEqualTo(VcpuRun.IO_OUT);
        assertThat(run.ioPort()).as(this::describe).isEqualTo(port);
        return run.ioValue(0);
    }

    /** Runs on over writes of a port; the port of the exit that is another one, -1 where it is no port access. */
    int skip(int port) {
        int reason = vcpu.run();
        while (reason == ExitReason.IO && run.ioPort() == port) {
            reason = vcpu.run();
        }
        return reason == ExitReason.IO ? run.ioPort() : -1;
    }

    private String describe() {
        Regs regs = regs();
        return backend + ": rip " + Long.toHexString(regs.rip) + " rax " + Long.toHexString(regs.rax)
                + (run.exitReason() == ExitReason.IO ? " port " + Integer.toHexString(run.ioPort()) : "")
                + (run.exitReason() == ExitReason.MMIO ? " mmio " + Long.toHexString(run.mmioAddress()) : "")
                + " " + run.errorText();
    }

    @Override
    public void close() {
        vm.close();
        kvm.close();
    }
}
