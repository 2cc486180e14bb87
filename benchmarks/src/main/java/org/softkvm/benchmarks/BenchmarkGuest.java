package org.softkvm.benchmarks;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
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
 * A VM with a program of some bytes: what most benchmarks drive.
 *
 * <p>Programs are hexadecimal, an instruction a line, with what it means behind two spaces. They lie at {@link #CODE};
 * every interrupt vector leads to {@link #HANDLER}. The local APIC's page, where there is one, is at FEE00000h.
 */
public final class BenchmarkGuest implements AutoCloseable {
    static final int CODE = 0x1000;
    static final int DATA = 0x3000;
    static final int HANDLER = 0x4000;
    static final int GDT = 0x8000;
    static final int STACK = 0x9000;
    static final int IDT = 0xA000;
    static final int TABLES = 0x10000;

    /** Guest-physical memory from here on is free for benchmarks, where there is so much. */
    static final int FREE = 0x100000;

    /** The memory of a guest that needs little. */
    static final long SMALL = 0x100000;

    /** An address without memory. */
    static final long HOLE = 0xD000_0000L;

    /** The port that ends a pass of {@link #loop}. */
    static final int DONE = 0xF4;

    private static final int GSI_PINS = 24;
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
    private final boolean longMode;

    private BenchmarkGuest(
            String backend, String engine, Irqchip irqchip, long size, boolean logged, boolean longMode) {
        this.longMode = longMode;
        kvm = Kvm.open(backend);
        vm = kvm.createVm();
        if (engine != null) {
            vm.setEngine(engine);
        }
        if (vm.checkExtension(Capability.SET_TSS_ADDR) != 0) {
            vm.setIdentityMapAddr(0xFEFF_C000L);
            vm.setTssAddr(0xFEFF_D000L);
        }
        switch (irqchip) {
            case SPLIT -> vm.enableCap(Capability.SPLIT_IRQCHIP, GSI_PINS);
            case FULL -> {
                vm.createIrqchip();
                vm.createPit(0);
            }
            default -> {
                // Nothing to create.
            }
        }
        memory = vm.allocateMemory(size);
        vm.setMemorySlot(slot(logged));
        vcpu = createVcpu(0);
        run = vcpu.runState();
    }

    /** A guest in 16-bit real mode with all segments at 0. */
    static BenchmarkGuest real(String backend, Irqchip irqchip, String program) {
        BenchmarkGuest guest = new BenchmarkGuest(backend, null, irqchip, SMALL, false, false);
        for (int vector = 0; vector < 256; vector++) {
            guest.memory.set(INT, vector * 4L, HANDLER);
        }
        guest.load(CODE, program);
        guest.start(guest.vcpu, CODE, STACK);
        return guest;
    }

    /** A guest in 64-bit mode, the first 4 GiB mapped one to one by large pages. */
    static BenchmarkGuest longMode(String backend, Irqchip irqchip, String program) {
        return longMode(backend, null, irqchip, SMALL, false, assemble(program));
    }

    /**
     * A guest in 64-bit mode.
     *
     * @param engine how guest code is executed, or null for the default
     * @param size bytes of memory
     * @param logged whether the slot has a dirty log
     */
    static BenchmarkGuest longMode(
            String backend, String engine, Irqchip irqchip, long size, boolean logged, byte[] program) {
        BenchmarkGuest guest = new BenchmarkGuest(backend, engine, irqchip, size, logged, true);
        guest.tables();
        guest.load(CODE, program);
        guest.start(guest.vcpu, CODE, STACK);
        return guest;
    }

    /** The slot of the guest's memory. */
    MemorySlot slot(boolean logged) {
        MemorySlot slot = MemorySlot.of(0, 0, memory);
        return logged ? new MemorySlot(0, 0, 0, memory, MemorySlot.LOG_DIRTY_PAGES) : slot;
    }

    Vcpu createVcpu(int id) {
        Vcpu created = vm.createVcpu(id);
        created.setCpuid(kvm.supportedCpuid());
        return created;
    }

    private void tables() {
        put64(TABLES, TABLES + 0x1000 | 3);
        for (int i = 0; i < 4; i++) {
            put64(TABLES + 0x1000 + i * 8, TABLES + 0x2000 + i * 0x1000 | 3);
        }
        for (int i = 0; i < 2048; i++) {
            put64(TABLES + 0x2000 + i * 8, (long) i << 21 | 0x83);
        }
        put64(GDT + 0x08, 0x00AF_9B00_0000_FFFFL);
        put64(GDT + 0x10, 0x00CF_9300_0000_FFFFL);
        for (int vector = 0; vector < 256; vector++) {
            put32(IDT + vector * 16, 0x08 << 16 | HANDLER);
            put32(IDT + vector * 16 + 4, 0x8E00);
            put64(IDT + vector * 16 + 8, 0);
        }
    }

    /** Lets a vcpu begin at an address, in the guest's mode. */
    void start(Vcpu target, long rip, long stack) {
        Sregs sregs = new Sregs();
        target.getSregs(sregs);
        List<Segment> data = List.of(sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss);
        if (longMode) {
            sregs.cr3 = TABLES;
            sregs.cr4 |= CR4_PAE;
            sregs.efer |= EFER_LME_LMA;
            sregs.cr0 |= CR0_PE | CR0_PG;
            sregs.gdt.base = GDT;
            sregs.gdt.limit = 0x17;
            sregs.idt.base = IDT;
            sregs.idt.limit = 0xFFF;
            flat(sregs.cs, 0x08, 0xB, true);
            data.forEach(segment -> flat(segment, 0x10, 0x3, false));
        } else {
            sregs.cs.base = 0;
            sregs.cs.selector = 0;
            data.forEach(segment -> {
                segment.base = 0;
                segment.selector = 0;
            });
        }
        target.setSregs(sregs);
        Regs regs = new Regs();
        regs.rip = rip;
        regs.rsp = stack;
        regs.rflags = 2;
        target.setRegs(regs);
    }

    private static void flat(Segment segment, int selector, int type, boolean code) {
        segment.selector = selector;
        segment.base = 0;
        segment.limit = -1;
        segment.type = type;
        segment.present = 1;
        segment.dpl = 0;
        segment.s = 1;
        segment.g = 1;
        segment.l = code ? 1 : 0;
        segment.db = code ? 0 : 1;
        segment.avl = 0;
        segment.unusable = 0;
    }

    /** The bytes of a program. */
    static byte[] assemble(String program) {
        StringBuilder digits = new StringBuilder();
        for (String line : program.lines().toList()) {
            digits.append(line.strip().split("  ", 2)[0].replace(" ", ""));
        }
        return HexFormat.of().parseHex(digits);
    }

    /**
     * A program that runs a body so many times, writes port {@link #DONE}, and begins again.
     *
     * @param first what is done once
     * @param pass what is done before each pass
     * @param count how often the body runs in a pass; ECX counts down
     * @param body what is repeated; it leaves ECX alone
     */
    static byte[] loop(String first, String pass, int count, String body) {
        byte[] begin = assemble(first);
        byte[] before = assemble(pass);
        byte[] repeated = assemble(body);
        ByteBuffer code = ByteBuffer.allocate(begin.length + before.length + repeated.length + 20)
                .order(ByteOrder.LITTLE_ENDIAN);
        code.put(begin).put(before);
        code.put((byte) 0xB9).putInt(count); // mov ecx,count
        int again = code.position();
        code.put(repeated);
        code.put(assemble("FF C9 0F 85")).putInt(again - code.position() - 4); // dec ecx; jnz
        code.put((byte) 0xE6).put((byte) DONE); // out DONE,al
        code.put((byte) 0xE9).putInt(begin.length - code.position() - 4); // jmp
        return code.array();
    }

    /** Writes a program into memory, as a device would. */
    void load(long address, String program) {
        load(address, assemble(program));
    }

    void load(long address, byte[] program) {
        vm.dmaWrite(address, MemorySegment.ofArray(program));
    }

    void put16(long address, int value) {
        memory.set(SHORT, address, (short) value);
    }

    void put32(long address, int value) {
        memory.set(INT, address, value);
    }

    void put64(long address, long value) {
        memory.set(LONG, address, value);
    }

    long get64(long address) {
        return memory.get(LONG, address);
    }

    /** Runs to the next exit, which has to be for that reason. */
    void runTo(int reason) {
        int actual = vcpu.run();
        if (actual != reason) {
            throw unexpected(actual, reason);
        }
    }

    /** Runs to the next access of a port, which has to be this one; the first item of its data. */
    int runToPort(int port) {
        runTo(ExitReason.IO);
        if (run.ioPort() != port) {
            throw new IllegalStateException("the guest accessed port " + run.ioPort() + " instead of " + port);
        }
        return run.ioValue(0);
    }

    private IllegalStateException unexpected(int actual, int wanted) {
        Regs regs = new Regs();
        vcpu.getRegs(regs);
        return new IllegalStateException("exit " + ExitReason.name(actual) + " instead of " + ExitReason.name(wanted)
                + " at rip " + Long.toHexString(regs.rip) + " " + Objects.toString(run.errorText(), ""));
    }

    @Override
    public void close() {
        vm.close();
        kvm.close();
    }
}
