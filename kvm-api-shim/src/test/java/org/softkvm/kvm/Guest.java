package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A VM with one vcpu, some memory and a tiny program: what the tests of the API drive.
 *
 * <p>Memory: 1 MiB at 0 (slot 0). The program lies at {@link #CODE}, the stack ends at {@link #STACK}. Programs are
 * written as bytes in hexadecimal, each line optionally followed by two spaces and what it means.
 */
final class Guest implements AutoCloseable {
    static final String BACKEND = System.getProperty("softkvm.test.backend", "emulator");

    static final int CODE = 0x1000;
    static final int STACK = 0x9000;
    static final int MEMORY_SIZE = 0x100000;

    private static final int PAGE_TABLES = 0x10000;
    private static final int GDT = 0x8000;
    private static final long CR0_PE = 1;
    private static final long CR0_PG = 0x8000_0000L;
    private static final long CR4_PAE = 0x20;
    private static final long EFER_LME_LMA = 0x500;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    final Kvm kvm;
    final Vm vm;
    final Vcpu vcpu;
    final VcpuRun run;
    final MemorySegment memory;

    /** What the wall clock of guests under the virtual clock shows at their start. */
    static final long VIRTUAL_EPOCH = 1_000_000_000;

    /** The backend that the tests of the API run on; the build runs most of them on the binary ABI, too. */
    static Kvm open() {
        return Kvm.open(BACKEND);
    }

    private Guest(boolean splitIrqchip) {
        this(vm -> {
            if (splitIrqchip) {
                vm.enableCap(Capability.SPLIT_IRQCHIP, 24);
            }
        });
    }

    private Guest(Consumer<Vm> setUp) {
        kvm = open();
        vm = kvm.createVm();
        setUp.accept(vm);
        memory = vm.allocateMemory(MEMORY_SIZE);
        vm.setMemorySlot(MemorySlot.of(0, 0, memory));
        vcpu = vm.createVcpu(0);
        vcpu.setCpuid(kvm.supportedCpuid());
        run = vcpu.runState();
    }

    /** A real-mode guest without an irqchip. */
    static Guest realMode(String program) {
        return realMode(false, program);
    }

    /** A real-mode guest with a split irqchip. */
    static Guest realModeSplit(String program) {
        return realMode(true, program);
    }

    /** A real-mode guest with PIC, IOAPIC and PIT in the backend. */
    static Guest realModeFull(String program) {
        return realMode(new Guest(Guest::fullIrqchip), program);
    }

    private static void fullIrqchip(Vm vm) {
        vm.createIrqchip();
        vm.createPit(Vm.PIT_SPEAKER_DUMMY);
    }

    /** A real-mode guest without an irqchip, under the virtual clock. */
    static Guest realModeVirtualClock(String program) {
        return realMode(new Guest(vm -> virtual(vm, false)), program);
    }

    private static Guest realMode(boolean splitIrqchip, String program) {
        return realMode(new Guest(splitIrqchip), program);
    }

    private static Guest realMode(Guest guest, String program) {
        guest.load(CODE, program);
        Sregs sregs = guest.sregs();
        sregs.cs.base = 0;
        sregs.cs.selector = 0;
        guest.vcpu.setSregs(sregs);
        guest.start(CODE);
        return guest;
    }

    /** A 32-bit guest: flat segments, no paging. */
    static Guest protectedMode(boolean splitIrqchip, String program) {
        return protectedMode(new Guest(splitIrqchip), program);
    }

    /** A 32-bit guest with PIC, IOAPIC and PIT in the backend. */
    static Guest protectedModeFull(String program) {
        return protectedMode(new Guest(Guest::fullIrqchip), program);
    }

    /** A 32-bit guest under the virtual clock. */
    static Guest virtualClock(boolean splitIrqchip, String program) {
        return protectedMode(new Guest(vm -> virtual(vm, splitIrqchip)), program);
    }

    private static void virtual(Vm vm, boolean splitIrqchip) {
        vm.enableCap(Capability.SOFTKVM_VIRTUAL_CLOCK, VIRTUAL_EPOCH);
        if (splitIrqchip) {
            vm.enableCap(Capability.SPLIT_IRQCHIP, 24);
        }
    }

    private static Guest protectedMode(Guest guest, String program) {
        guest.load(CODE, program);
        Sregs sregs = guest.sregs();
        sregs.cr0 |= CR0_PE;
        guest.flat(sregs, false);
        guest.vcpu.setSregs(sregs);
        guest.start(CODE);
        return guest;
    }

    /** A 64-bit guest: flat segments, the first 4 GiB mapped by 2 MiB pages one to one. */
    static Guest longMode(boolean splitIrqchip, String program) {
        Guest guest = new Guest(splitIrqchip);
        guest.load(CODE, program);
        guest.poke64(PAGE_TABLES, PAGE_TABLES + 0x1000 | 3);
        for (int i = 0; i < 4; i++) {
            guest.poke64(PAGE_TABLES + 0x1000 + i * 8, PAGE_TABLES + 0x2000 + i * 0x1000 | 3);
        }
        for (int i = 0; i < 2048; i++) {
            guest.poke64(PAGE_TABLES + 0x2000 + i * 8, (long) i << 21 | 0x83);
        }
        Sregs sregs = guest.sregs();
        sregs.cr3 = PAGE_TABLES;
        sregs.cr4 |= CR4_PAE;
        sregs.efer |= EFER_LME_LMA;
        sregs.cr0 |= CR0_PE | CR0_PG;
        guest.flat(sregs, true);
        guest.vcpu.setSregs(sregs);
        guest.start(CODE);
        return guest;
    }

    private void flat(Sregs sregs, boolean longMode) {
        poke64(GDT + 0x08, longMode ? 0x00AF_9B00_0000_FFFFL : 0x00CF_9B00_0000_FFFFL);
        poke64(GDT + 0x10, 0x00CF_9300_0000_FFFFL);
        sregs.gdt.base = GDT;
        sregs.gdt.limit = 0x17;
        segment(sregs.cs, 0x08, 0xB, longMode);
        for (Segment data : List.of(sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss)) {
            segment(data, 0x10, 0x3, false);
        }
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

    private void start(int rip) {
        Regs regs = regs();
        regs.rip = rip;
        regs.rsp = STACK;
        regs.rflags = 2;
        vcpu.setRegs(regs);
    }

    /** The bytes of a program. */
    static byte[] assemble(String program) {
        List<Byte> bytes = new ArrayList<>();
        for (String line : program.lines().toList()) {
            for (String token : line.strip().split("  ", 2)[0].split(" ")) {
                if (!token.isEmpty()) {
                    bytes.add((byte) Integer.parseInt(token, 16));
                }
            }
        }
        byte[] array = new byte[bytes.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = bytes.get(i);
        }
        return array;
    }

    /** Writes a program into memory. */
    void load(long address, String program) {
        vm.dmaWrite(address, MemorySegment.ofArray(assemble(program)));
    }

    /** Points the real-mode interrupt vector to a handler. */
    void realModeVector(int vector, int handler) {
        memory.set(SHORT, vector * 4L, (short) handler);
        memory.set(SHORT, vector * 4L + 2, (short) 0);
    }

    /** Makes an interrupt gate of 64-bit mode in a table at an address. */
    void longModeGate(long idt, int vector, int handler) {
        poke32(idt + vector * 16L, 0x08 << 16 | handler & 0xFFFF);
        poke32(idt + vector * 16L + 4, handler & 0xFFFF0000 | 0x8E00);
        poke64(idt + vector * 16L + 8, 0);
    }

    int peek8(long address) {
        return memory.get(ValueLayout.JAVA_BYTE, address) & 0xFF;
    }

    int peek32(long address) {
        return memory.get(INT, address);
    }

    long peek64(long address) {
        return memory.get(LONG, address);
    }

    void poke8(long address, int value) {
        memory.set(ValueLayout.JAVA_BYTE, address, (byte) value);
    }

    void poke32(long address, int value) {
        memory.set(INT, address, value);
    }

    void poke64(long address, long value) {
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

    /** Runs once and checks the exit reason. */
    void runTo(int exitReason) {
        int actual = vcpu.run();
        runStateIs(exitReason);
        assertThat(actual).isEqualTo(exitReason);
    }

    /** Checks why the last run, perhaps on another thread, ended. */
    void runStateIs(int exitReason) {
        assertThat(ExitReason.name(run.exitReason())).as(this::describe).isEqualTo(ExitReason.name(exitReason));
    }

    /** Runs to a one-item write of a port and returns the value. */
    int runToOut(int port) {
        runTo(ExitReason.IO);
        assertThat(run.ioDirection()).isEqualTo(VcpuRun.IO_OUT);
        assertThat(run.ioPort()).as(this::describe).isEqualTo(port);
        assertThat(run.ioCount()).isEqualTo(1);
        return run.ioValue(0);
    }

    private String describe() {
        Regs regs = regs();
        return "exit " + ExitReason.name(run.exitReason()) + " at rip 0x" + Long.toHexString(regs.rip) + ", rax 0x"
                + Long.toHexString(regs.rax) + (run.exitReason() == ExitReason.IO ? ", port " + run.ioPort() : "")
                + (run.exitReason() == ExitReason.MMIO ? ", mmio 0x" + Long.toHexString(run.mmioAddress()) : "")
                + (run.exitReason() == ExitReason.INTERNAL_ERROR ? ", " + run.errorText() : "");
    }

    @Override
    public void close() {
        vm.close();
        kvm.close();
    }
}
