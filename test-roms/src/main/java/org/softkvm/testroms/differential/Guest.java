package org.softkvm.testroms.differential;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Fpu;
import org.softkvm.kvm.GuestDebug;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Segment;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.VcpuRun;
import org.softkvm.kvm.Vm;
import org.softkvm.kvm.Xsave;

/**
 * A VM in which programs of one mode run. Exceptions end in handlers that write the port of their vector and so leave the
 * guest; the program then goes on behind the item that faulted, with the registers as they are.
 */
final class Guest implements AutoCloseable {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    /** What is given new contents before a run, and compared: address and length. */
    private static final int[][] COMPARED = {
        {Layout.DATA, 0x5000},
        {Layout.STACK_PAGE, 0x1000},
        {Layout.KERNEL_STACK_PAGE, 0x1000},
        {Layout.LAST_PAGE, 0x1000}
    };

    private static final int COMPARED_BYTES = 0x8000;
    private static final int MOST_EXITS = 400;

    final Mode mode;
    private final Vm vm;
    final Vcpu vcpu;
    private final VcpuRun run;
    private final MemorySegment memory;
    private final Sregs initial = new Sregs();
    private final Regs regs = new Regs();
    private final Sregs sregs = new Sregs();
    private final Fpu fpu = new Fpu();
    private final Watchdog watchdog;
    /** For the kernel's KVM, whose KVM_GET_FPU and KVM_SET_FPU leave MXCSR and XSTATE_BV alone; else null. */
    private final Xsave xsave;

    private Program program;
    private Image image;
    private int inputs;

    Guest(Kvm kvm, String engine, Mode mode, Watchdog watchdog) {
        this.mode = mode;
        this.watchdog = watchdog;
        vm = kvm.createVm();
        if (engine != null) {
            vm.setEngine(engine);
        }
        if (vm.checkExtension(Capability.SET_TSS_ADDR) != 0) {
            vm.setIdentityMapAddr(0xFEFF_C000L);
            vm.setTssAddr(0xFEFF_D000L);
        }
        memory = vm.allocateMemory(Layout.SIZE);
        vm.setMemorySlot(MemorySlot.of(0, 0, memory.asSlice(0, Layout.MMIO)));
        vm.setMemorySlot(MemorySlot.of(1, Layout.LAST_PAGE, memory.asSlice(Layout.LAST_PAGE)));
        vcpu = vm.createVcpu(0);
        vcpu.setCpuid(kvm.supportedCpuid());
        run = vcpu.runState();
        xsave = kvm.backend().equals("kvm") && vm.checkExtension(Capability.XSAVE) != 0
                ? new Xsave(Math.max(Xsave.MIN_SIZE, vm.checkExtension(Capability.XSAVE2)))
                : null;
        handlers();
        vcpu.getSregs(initial);
        registers();
    }

    /** The address of a byte of {@link Trace#memory}. */
    static int address(int index) {
        int n = index;
        for (int[] part : COMPARED) {
            if (n < part[1]) {
                return part[0] + n;
            }
            n -= part[1];
        }
        throw new IllegalArgumentException("index " + index);
    }

    // ---- What a guest is made of

    private void handlers() {
        for (int vector = 0; vector < Layout.VECTORS; vector++) {
            memory.set(INT, Layout.HANDLERS + 4L * vector, 0x90F4_00E6 | vector << 8);
            int handler = Layout.HANDLERS + 4 * vector;
            boolean open = vector == 3 || vector == 4 || vector == 0x21;
            int attributes = open ? 0xEE00 : 0x8E00;
            if (mode == Mode.REAL) {
                memory.set(INT, 4L * vector, handler);
            } else if (mode.longMode()) {
                memory.set(INT, Layout.IDT + 16L * vector, Layout.KERNEL_CODE_SELECTOR << 16 | handler);
                memory.set(INT, Layout.IDT + 16L * vector + 4, attributes);
            } else {
                memory.set(INT, Layout.IDT + 8L * vector, Layout.KERNEL_CODE_SELECTOR << 16 | handler);
                memory.set(INT, Layout.IDT + 8L * vector + 4, attributes);
            }
        }
        memory.set(LONG, Layout.GDT + 0x08, mode.longMode() ? 0x00AF_9B00_0000_FFFFL : 0x00CF_9B00_0000_FFFFL);
        memory.set(LONG, Layout.GDT + 0x10, 0x00CF_9300_0000_FFFFL);
        memory.set(LONG, Layout.GDT + 0x18, mode.bits == 64 ? 0x00AF_FB00_0000_FFFFL : 0x00CF_FB00_0000_FFFFL);
        memory.set(LONG, Layout.GDT + 0x20, 0x00CF_F300_0000_FFFFL);
        memory.set(LONG, Layout.GDT + 0x28, 0x0000_8B00_0000_0067L | (long) Layout.TSS << 16);
        if (mode.longMode()) {
            memory.set(LONG, Layout.TSS + 4L, Layout.KERNEL_STACK);
        } else {
            memory.set(INT, Layout.TSS + 4L, Layout.KERNEL_STACK);
            memory.set(INT, Layout.TSS + 8L, Layout.KERNEL_DATA_SELECTOR);
        }
        // No bitmap of ports.
        memory.set(SHORT, Layout.TSS + 0x66L, (short) 0x68);
        if (mode.longMode()) {
            memory.set(LONG, Layout.TABLES, Layout.TABLES + 0x1000 | 7);
            memory.set(LONG, Layout.TABLES + 0x1000L, Layout.TABLES + 0x2000 | 7);
            memory.set(LONG, Layout.TABLES + 0x2000L, Layout.TABLES + 0x3000 | 7);
            for (int page = 0; page < 256; page++) {
                memory.set(LONG, Layout.TABLES + 0x3000L + 8L * page, page << 12 | rights(page));
            }
        } else if (mode.paging) {
            memory.set(INT, Layout.TABLES, Layout.TABLES + 0x1000 | 7);
            for (int page = 0; page < 256; page++) {
                memory.set(INT, Layout.TABLES + 0x1000L + 4L * page, page << 12 | rights(page));
            }
        }
    }

    /** Present, writable, user, accessed, dirty. */
    private int rights(int page) {
        return switch (page << 12) {
            case Layout.NOT_PRESENT -> 0;
            case Layout.READ_ONLY -> mode.user ? 0x65 : 0x61;
            case Layout.SUPERVISOR -> 0x63;
            case Layout.CODE,
                    Layout.CODE + 0x1000,
                    Layout.DATA,
                    Layout.DATA + 0x1000,
                    Layout.STACK_PAGE,
                    Layout.MMIO,
                    Layout.LAST_PAGE -> 0x67;
            default -> 0x63;
        };
    }

    private void registers() {
        Sregs s = initial;
        // NE, and OSFXSR and OSXMMEXCPT.
        s.cr0 = s.cr0 & ~0x6000_0000L | 0x20;
        s.cr4 = 0x600;
        if (mode == Mode.REAL) {
            for (Segment segment : List.of(s.cs, s.ds, s.es, s.fs, s.gs, s.ss)) {
                segment.selector = 0;
                segment.base = 0;
            }
            s.idt.base = 0;
            s.idt.limit = 0x3FF;
            return;
        }
        s.cr0 |= 1 | (mode.paging ? 0x8001_0000L : 0);
        if (mode.paging) {
            s.cr3 = Layout.TABLES;
        }
        if (mode.longMode()) {
            s.cr4 |= 0x20;
            s.efer |= 0x500;
        }
        s.gdt.base = Layout.GDT;
        s.gdt.limit = 0x37;
        s.idt.base = Layout.IDT;
        s.idt.limit = mode.longMode() ? 0xFFF : 0x7FF;
        segment(s.cs, mode.user ? Layout.USER_CODE_SELECTOR : Layout.KERNEL_CODE_SELECTOR, 0xB);
        s.cs.l = mode.bits == 64 ? 1 : 0;
        s.cs.db = mode.bits == 64 ? 0 : 1;
        for (Segment data : List.of(s.ds, s.es, s.fs, s.gs, s.ss)) {
            segment(data, mode.user ? Layout.USER_DATA_SELECTOR : Layout.KERNEL_DATA_SELECTOR, 3);
        }
        segment(s.tr, Layout.TSS_SELECTOR, 0xB);
        s.tr.base = Layout.TSS;
        s.tr.limit = 0x67;
        s.tr.s = 0;
        s.tr.g = 0;
        s.tr.db = 0;
        s.tr.dpl = 0;
    }

    private void segment(Segment segment, int selector, int type) {
        segment.selector = selector;
        segment.base = 0;
        segment.limit = -1;
        segment.type = type;
        segment.present = 1;
        segment.dpl = selector & 3;
        segment.s = 1;
        segment.g = 1;
        segment.l = 0;
        segment.db = 1;
        segment.avl = 0;
        segment.unusable = 0;
    }

    // ---- Runs

    /** Puts a program into memory. */
    void load(Program next, Image code) {
        program = next;
        image = code;
        MemorySegment.copy(code.bytes(), 0, memory, ValueLayout.JAVA_BYTE, Layout.CODE, code.size());
        vm.memoryWritten(Layout.CODE, code.size());
    }

    /** Runs the program from its beginning. Code is left as it is, so what was translated before is used. */
    Trace run(boolean stepping) {
        prepare(stepping);
        watchdog.begin(vcpu);
        try {
            return follow(stepping);
        } finally {
            watchdog.end();
        }
    }

    private void prepare(boolean stepping) {
        inputs = 0;
        byte[] bytes = new byte[COMPARED_BYTES];
        if (program.memory() != 0) {
            new SplittableRandom(program.memory()).nextBytes(bytes);
        }
        int from = 0;
        for (int[] part : COMPARED) {
            MemorySegment.copy(bytes, from, memory, ValueLayout.JAVA_BYTE, part[0], part[1]);
            vm.memoryWritten(part[0], part[1]);
            from += part[1];
        }
        vcpu.setSregs(initial);
        long[] r = program.registers();
        regs.rax = wide(r[0]);
        regs.rcx = wide(r[1]);
        regs.rdx = wide(r[2]);
        regs.rbx = Layout.BASE;
        regs.rsp = Layout.STACK;
        regs.rbp = Layout.BASE;
        regs.rsi = wide(r[6]);
        regs.rdi = wide(r[7]);
        regs.r8 = wide64(r[8]);
        regs.r9 = wide64(r[9]);
        regs.r10 = wide64(r[10]);
        regs.r11 = wide64(r[11]);
        regs.r12 = wide64(r[12]);
        regs.r13 = wide64(r[13]);
        regs.r14 = wide64(r[14]);
        regs.r15 = wide64(r[15]);
        regs.rip = Layout.CODE;
        regs.rflags = program.flags();
        vcpu.setRegs(regs);
        Fpu f = new Fpu();
        f.fcw = 0x37F;
        f.mxcsr = 0x1F80;
        for (int n = 0; n < (mode.bits == 64 ? 16 : 8); n++) {
            ByteBuffer.wrap(f.xmm[n])
                    .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                    .putLong(program.xmm()[2 * n])
                    .putLong(program.xmm()[2 * n + 1]);
        }
        if (xsave == null) {
            vcpu.setFpu(f);
        } else {
            vcpu.getXsave(xsave);
            FxArea.store(f, xsave.region);
            vcpu.setXsave(xsave);
        }
        if (stepping) {
            debug(GuestDebug.ENABLE | GuestDebug.SINGLESTEP);
        }
    }

    void debug(int control) {
        GuestDebug debug = new GuestDebug();
        debug.control = control;
        vcpu.setGuestDebug(debug);
    }

    private long wide(long value) {
        return mode.bits == 64 ? value : value & 0xFFFFFFFFL;
    }

    private long wide64(long value) {
        return mode.bits == 64 ? value : 0;
    }

    private Trace follow(boolean stepping) {
        Trace trace = new Trace();
        for (int exits = 0; exits < (stepping ? 20 : 1) * MOST_EXITS; exits++) {
            int reason = vcpu.run();
            switch (reason) {
                case ExitReason.IO -> {
                    if (run.ioDirection() == VcpuRun.IO_OUT && run.ioPort() < Layout.VECTORS && inHandler()) {
                        if (!exception(trace, run.ioPort(), stepping)) {
                            return finish(trace, stepping);
                        }
                        continue;
                    }
                    io(trace);
                    complete(trace);
                }
                case ExitReason.MMIO -> {
                    mmio(trace);
                    complete(trace);
                }
                case ExitReason.DEBUG -> step(trace);
                case ExitReason.HLT -> trace.entries.add(new Trace.Entry("hlt", null));
                case ExitReason.SHUTDOWN -> {
                    trace.end = Trace.End.SHUTDOWN;
                    return finish(trace, stepping);
                }
                case ExitReason.INTERNAL_ERROR -> {
                    trace.end = run.internalErrorSuberror() == ExitReason.INTERNAL_ERROR_EMULATION
                            ? Trace.End.NOT_EMULATED
                            : Trace.End.OTHER;
                    vcpu.getRegs(regs);
                    trace.endRip = regs.rip;
                    trace.detail = run.errorText();
                    return finish(trace, stepping);
                }
                case ExitReason.INTR -> {
                    if (watchdog.fired()) {
                        trace.end = Trace.End.STUCK;
                        vcpu.getRegs(regs);
                        trace.endRip = regs.rip;
                        return finish(trace, stepping);
                    }
                }
                default -> {
                    trace.end = Trace.End.OTHER;
                    trace.detail = ExitReason.name(reason);
                    return finish(trace, stepping);
                }
            }
        }
        trace.end = Trace.End.LONG;
        return finish(trace, stepping);
    }

    private boolean inHandler() {
        vcpu.getRegs(regs);
        long offset = regs.rip - Layout.HANDLERS;
        return offset >= 0 && offset < 4 * Layout.VECTORS;
    }

    private Trace finish(Trace trace, boolean stepping) {
        if (stepping) {
            debug(0);
        }
        if (stepping) {
            return trace;
        }
        trace.memory = new byte[COMPARED_BYTES];
        int to = 0;
        for (int[] part : COMPARED) {
            MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, part[0], trace.memory, to, part[1]);
            to += part[1];
        }
        return trace;
    }

    /** Ports: an entry an item, because backends may hand over several items at once or one by one. */
    private void io(Trace trace) {
        boolean in = run.ioDirection() == VcpuRun.IO_IN;
        for (int n = 0; n < run.ioCount(); n++) {
            int size = run.ioSize();
            if (in) {
                int value = (int) ((run.ioPort() * 0x9E3779B1L + ++inputs * 0x85EBCA6BL) >>> 3);
                run.setIoValue(n, value);
                trace.entries.add(new Trace.Entry(String.format("in %d %x", size, run.ioPort()), null));
            } else {
                trace.entries.add(
                        new Trace.Entry(String.format("out %d %x: %x", size, run.ioPort(), run.ioValue(n)), null));
            }
        }
    }

    /** Memory-mapped I/O: an entry a byte, because backends may split accesses. */
    private void mmio(Trace trace) {
        long address = run.mmioAddress();
        long data = run.mmioData();
        if (!run.mmioIsWrite()) {
            data = 0;
            for (int n = 0; n < run.mmioLength(); n++) {
                data |= ((address + n) * 0x3D & 0xFF) << 8 * n;
            }
            run.setMmioData(data);
        }
        for (int n = 0; n < run.mmioLength(); n++) {
            trace.entries.add(new Trace.Entry(
                    run.mmioIsWrite()
                            ? String.format("write %x: %x", address + n, data >>> 8 * n & 0xFF)
                            : String.format("read %x", address + n),
                    null));
        }
    }

    /** Ends the instruction that left the guest, as KVM asks for before a state is taken. */
    private void complete(Trace trace) {
        run.setImmediateExit(true);
        int reason = vcpu.run();
        run.setImmediateExit(false);
        while (reason == ExitReason.MMIO || reason == ExitReason.IO) {
            if (reason == ExitReason.MMIO) {
                mmio(trace);
            } else {
                io(trace);
            }
            run.setImmediateExit(true);
            reason = vcpu.run();
            run.setImmediateExit(false);
        }
        checkpoint(trace, "then");
    }

    /**
     * Takes the state where RIP is at an instruction that is not in its middle. KVM's emulator is left in front of a
     * repeated instruction once more when all is done, so there is none behind one either.
     */
    private void checkpoint(Trace trace, String what) {
        vcpu.getRegs(regs);
        Image.Line line = image.line(regs.rip);
        Image.Line before = image.before(regs.rip);
        if (line == null
                || line.insn().repeated()
                || before != null && before.insn().repeated()) {
            return;
        }
        vcpu.getSregs(sregs);
        fpu();
        trace.entries.add(new Trace.Entry(what, State.of(regs, sregs, fpu, digest(), line.undefined())));
    }

    /**
     * The state behind an instruction. Without memory and RF: a host that steps by the guest's own TF pushes it, and
     * exceptions push what the host had to set.
     */
    private void step(Trace trace) {
        vcpu.getRegs(regs);
        Image.Line line = image.line(regs.rip);
        if (line == null || line.insn().repeated()) {
            return;
        }
        vcpu.getSregs(sregs);
        fpu();
        trace.entries.add(new Trace.Entry("step", State.of(regs, sregs, fpu, 0, line.undefined() | 0x10000)));
    }

    private void fpu() {
        if (xsave == null) {
            vcpu.getFpu(fpu);
        } else {
            vcpu.getXsave(xsave);
            FxArea.load(xsave.region, fpu);
        }
    }

    private long digest() {
        CRC32C crc = new CRC32C();
        for (int[] part : COMPARED) {
            crc.update(memory.asSlice(part[0], part[1]).asByteBuffer());
        }
        return crc.getValue();
    }

    /** An exception arrived; false where the program ends with it. */
    private boolean exception(Trace trace, int vector, boolean stepping) {
        run.setImmediateExit(true);
        vcpu.run();
        run.setImmediateExit(false);
        vcpu.getRegs(regs);
        vcpu.getSregs(sregs);
        fpu();
        boolean error = vector == 8 || vector >= 10 && vector <= 14 || vector == 17;
        int word = mode.longMode() ? 8 : mode == Mode.REAL ? 2 : 4;
        long frame = (regs.rsp & (mode == Mode.REAL ? 0xFFFF : -1L)) + (error && word != 2 ? word : 0);
        long rip = stack(frame, word);
        long flags = stack(frame + 2L * word, word);
        boolean trap = vector == 3 || vector == 4 || vector == 0x21;
        Image.Line line = trap ? image.before(rip) : image.line(rip);
        if (!stepping) {
            trace.entries.add(new Trace.Entry(
                    String.format("exception %x at %x", vector, rip), State.of(regs, sregs, fpu, digest(), 0)));
        }
        if (rip == image.end && vector == 6) {
            trace.end = Trace.End.DONE;
            return false;
        }
        int next = image.behind(line);
        if (next < 0) {
            trace.end = Trace.End.OTHER;
            trace.detail = "an exception that is not an item's";
            trace.endRip = rip;
            return false;
        }
        regs.rip = next;
        regs.rflags = flags & ~0x10400;
        regs.rsp = Layout.STACK - (long) mode.words() * line.depth();
        // What an item may have changed for its own use.
        regs.rbx = Layout.BASE;
        sregs.cs.set(initial.cs);
        sregs.ss.set(initial.ss);
        vcpu.setSregs(sregs);
        vcpu.setRegs(regs);
        return true;
    }

    private long stack(long address, int size) {
        long at = address & 0xFFFF;
        return switch (size) {
            case 2 -> memory.get(SHORT, at) & 0xFFFF;
            case 4 -> memory.get(INT, at) & 0xFFFFFFFFL;
            default -> memory.get(LONG, at);
        };
    }

    @Override
    public void close() {
        vm.close();
    }
}
