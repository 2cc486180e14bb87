package org.softkvm.emulator.fuzz;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.TimeSource;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.simd.Vex;

/** A vcpu that is put into a mode with random state, case after case. */
final class FuzzMachine implements AutoCloseable {
    /** A second slot, read-only, at 2 MiB; between the two lies MMIO. */
    private static final long READ_ONLY = 2 << 20;

    private static final int UNUSABLE = 0x10000;

    private static final int CR0_BASE = Cpu.CR0_ET | Cpu.CR0_NE | Cpu.CR0_MP;
    private static final int CR4_SSE = Cpu.CR4_OSFXSR | Cpu.CR4_OSXMMEXCPT;

    private final FuzzMode mode;
    private final FuzzImage image = new FuzzImage();
    private final MemorySegment ram = HostMemory.allocate(FuzzImage.SIZE);
    private final MemorySegment rom = HostMemory.allocate(HostMemory.PAGE_SIZE);
    private final GuestMemory memory = new GuestMemory();
    private final long[] exits = new long[32];
    private long cases;

    /** The instruction limit that a test has set last. */
    long limit;

    private long startInstructions;
    private long startFaults;

    /** Writes to memory, as a device would. */
    void write(int at, byte[] bytes) {
        memory.write(at, bytes, 0, bytes.length);
        memory.notifyHostWrite(at, bytes.length);
    }

    /** Reads memory. */
    byte[] read(int at, int length) {
        byte[] bytes = new byte[length];
        memory.read(at, bytes, 0, length);
        return bytes;
    }

    /** Bounds the next run. */
    void bound(long instructions) {
        startInstructions = vcpu.instructions();
        startFaults = vcpu.faults();
        limit = startInstructions + instructions;
        vcpu.setInstructionLimit(limit);
    }

    /** The CPU under test. */
    final VirtualCpu vcpu;

    FuzzMachine(FuzzMode mode) {
        this.mode = mode;
        memory.setSlots(
                List.of(new MemorySlot(0, 0, 0, ram, false, true), new MemorySlot(1, 0, READ_ONLY, rom, true, false)));
        vcpu = new VirtualCpu(0, memory, mode.model, LocalInterruptController.NONE, new TimeSource() {
            private long ticks;

            @Override
            public long tsc() {
                return ticks += 100;
            }

            @Override
            public long tscKhz() {
                return 1_000_000;
            }
        });
    }

    /** Prepares a case: memory, mode and registers. */
    void prepare(SplittableRandom random) {
        cases++;
        byte[] bytes = image.fill(mode, random);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, ram, 0, FuzzImage.SIZE);
        memory.notifyHostWrite(0, FuzzImage.SIZE);
        vcpu.reset();
        vcpu.clearKick();
        vcpu.setHalted(false);
        vcpu.setInterruptShadow(0);
        for (int r = 0; r < 16; r++) {
            vcpu.setRegister(r, value(random));
        }
        int privilege = mode.privilege;
        int flags = 2 | random.nextInt() & 0x240cd5 | (random.nextInt(20) == 0 ? 0x100 : 0);
        if (mode.kind != FuzzMode.Kind.REAL) {
            flags |= random.nextInt(4) << 12;
        }
        switch (mode.kind) {
            case REAL -> {
                vcpu.setControl(CR0_BASE, 0, 0, extended(random), 0);
                vcpu.setIdt(0, 0x3ff);
                realSegments(random);
            }
            case V86 -> {
                protectedTables(random);
                vcpu.setSegment(Cpu.SS, 0, 0, 0xffff, 0xf3);
                vcpu.setRflags(flags | 0x20000);
                realSegments(random);
            }
            default -> {
                protectedTables(random);
                protectedSegments(random, privilege);
            }
        }
        vcpu.setRflags(mode.kind == FuzzMode.Kind.V86 ? flags | 0x20000 : flags & mask());
        int offset = random.nextInt(FuzzImage.CODE_SIZE / 2);
        boolean byParagraph = mode.kind == FuzzMode.Kind.REAL || mode.kind == FuzzMode.Kind.V86;
        vcpu.setRip(byParagraph || mode.codeBits == 16 ? offset : FuzzImage.CODE + offset);
        vcpu.setRegister(Cpu.RSP, byParagraph || mode.codeBits == 16 ? 0x8000 : FuzzImage.STACKS + 0x4000);
        for (int n = 0; n < 16; n++) {
            vcpu.setVector(n, 0, random.nextLong());
            vcpu.setVector(n, 1, random.nextLong());
        }
        vcpu.setMxcsr(0x1f80 & ~(random.nextInt(8) == 0 ? random.nextInt(0x2000) : 0));
    }

    /** The flags that exist in the mode's CPU. */
    private int mask() {
        return mode.model.physicalAddressBits() < 32 ? 0x7fd7 : -1;
    }

    private boolean old() {
        return mode.model.physicalAddressBits() < 32;
    }

    private long extended(SplittableRandom random) {
        if (old()) {
            return 0;
        }
        long cr4 = random.nextInt(4) == 0 ? 0 : CR4_SSE;
        if (random.nextInt(4) == 0) {
            cr4 |= Cpu.CR4_VME | Cpu.CR4_PVI;
        }
        if (random.nextInt(4) == 0) {
            cr4 |= Cpu.CR4_FSGSBASE;
        }
        if (random.nextInt(4) != 0) {
            cr4 |= Cpu.CR4_OSXSAVE;
            vcpu.setXcr0(random.nextInt(4) == 0 ? 3 : 7);
        }
        if (random.nextInt(8) == 0) {
            cr4 |= Cpu.CR4_SMEP | Cpu.CR4_UMIP;
        }
        if (random.nextInt(8) == 0) {
            cr4 |= Cpu.CR4_SMAP;
        }
        return cr4;
    }

    private void protectedTables(SplittableRandom random) {
        long cr0 = CR0_BASE | Cpu.CR0_PE;
        if (random.nextInt(4) == 0) {
            cr0 |= Cpu.CR0_WP;
        }
        if (random.nextInt(8) == 0) {
            cr0 |= Cpu.CR0_AM;
        }
        if (random.nextInt(16) == 0) {
            cr0 |= random.nextBoolean() ? Cpu.CR0_TS : Cpu.CR0_EM;
        }
        long cr4 = extended(random);
        long efer = 0;
        if (mode.paging != FuzzMode.Paging.NONE) {
            cr0 |= Cpu.CR0_PG & 0xffffffffL;
            cr4 |= Cpu.CR4_PSE;
        }
        if (mode.paging == FuzzMode.Paging.PAE || mode.paging == FuzzMode.Paging.LEVELS4) {
            cr4 |= Cpu.CR4_PAE;
            efer |= Cpu.EFER_NXE;
        }
        if (mode.kind == FuzzMode.Kind.LONG) {
            efer |= Cpu.EFER_LME | Cpu.EFER_LMA | Cpu.EFER_SCE;
        }
        vcpu.setControl(cr0, 0, FuzzImage.TABLES, cr4, efer);
        for (int n = 0; n < 4; n++) {
            vcpu.setPdptr(n, n == 0 || n == 3 ? FuzzImage.TABLES + 0x1001 : 0);
        }
        vcpu.setGdt(0L + FuzzImage.GDT, 8 * FuzzImage.GDT_ENTRIES - 1);
        vcpu.setIdt(FuzzImage.IDT, mode.kind == FuzzMode.Kind.LONG ? 0xfff : 0x7ff);
        vcpu.setSegment(Cpu.TR, FuzzImage.TSS_INDEX << 3, FuzzImage.TSS, 0x1fff, old() ? 0x83 : 0x8b);
        vcpu.setSegment(Cpu.LDTR, FuzzImage.LDT_INDEX << 3, FuzzImage.LDT, 0xfff, 0x82);
        Cpu cpu = vcpu.cpu();
        cpu.msrs.sysenterCs = random.nextInt(8) == 0 ? random.nextInt(0x10000) : FuzzImage.CODE32 << 3;
        cpu.msrs.sysenterEip = FuzzImage.HANDLERS;
        cpu.msrs.sysenterEsp = FuzzImage.STACKS + 0x6000;
        cpu.msrs.star =
                (long) (FuzzImage.CODE32 << 3) << 32 | (long) (FuzzImage.CODE32 + FuzzImage.USER << 3 | 3) << 48;
        cpu.msrs.lstar = FuzzImage.HANDLERS;
        cpu.msrs.cstar = FuzzImage.HANDLERS + 16;
        cpu.msrs.sfmask = random.nextInt();
    }

    private void realSegments(SplittableRandom random) {
        int attributes = mode.kind == FuzzMode.Kind.V86 ? 0xf3 : 0x93;
        for (int seg = 0; seg < 6; seg++) {
            int selector = random.nextInt(0x10000);
            if (seg == Cpu.CS) {
                selector = FuzzImage.CODE >> 4;
            } else if (seg == Cpu.SS || random.nextInt(3) != 0) {
                selector = (FuzzImage.STACKS >> 4) + random.nextInt(0x2000);
            }
            long limit = mode.kind == FuzzMode.Kind.REAL && !old() && seg != Cpu.CS && random.nextInt(8) == 0
                    ? 0xffffffffL
                    : 0xffff;
            vcpu.setSegment(
                    seg,
                    selector,
                    (long) selector << 4,
                    limit,
                    seg == Cpu.CS && attributes == 0x93 ? 0x9b : attributes);
        }
    }

    private void protectedSegments(SplittableRandom random, int privilege) {
        int half = privilege == 0 ? 0 : FuzzImage.USER;
        int dpl = privilege << 5;
        int codeIndex =
                mode.codeBits == 16 ? FuzzImage.CODE16 : mode.codeBits == 32 ? FuzzImage.CODE32 : FuzzImage.CODE64;
        int codeAttributes = 0x9b | dpl | (mode.codeBits == 32 ? 0xc000 : mode.codeBits == 64 ? 0xa000 : 0);
        // A 16-bit segment has its base at the code; the others are flat.
        boolean small = mode.codeBits == 16;
        vcpu.setSegment(
                Cpu.CS,
                codeIndex + half << 3 | privilege,
                small ? FuzzImage.CODE : 0,
                small ? 0xffff : 0xffffffffL,
                codeAttributes);
        vcpu.setSegment(
                Cpu.SS,
                (small ? FuzzImage.DATA16 : FuzzImage.DATA32) + half << 3 | privilege,
                small ? FuzzImage.STACKS : 0,
                small ? 0xffff : 0xffffffffL,
                0x93 | dpl | (small ? 0 : 0xc000));
        for (int seg : new int[] {Cpu.DS, Cpu.ES, Cpu.FS, Cpu.GS}) {
            switch (random.nextInt(8)) {
                case 0 -> vcpu.setSegment(seg, 0, 0, 0, UNUSABLE);
                case 1 ->
                    vcpu.setSegment(
                            seg,
                            random.nextInt(0x10000),
                            random.nextInt(FuzzImage.SIZE),
                            random.nextInt(FuzzImage.SIZE),
                            0x90 | dpl | random.nextInt(16) | (random.nextBoolean() ? 0x4000 : 0));
                case 2 ->
                    vcpu.setSegment(seg, FuzzImage.DATA16 + half << 3 | privilege, FuzzImage.DATA, 0xffff, 0x93 | dpl);
                default -> vcpu.setSegment(seg, FuzzImage.DATA32 + half << 3 | privilege, 0, 0xffffffffL, 0xc093 | dpl);
            }
        }
    }

    /** A value that an operand may have: near memory that exists, at an edge, small, or anything. */
    private static long value(SplittableRandom random) {
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> random.nextInt(FuzzImage.SIZE);
            case 3 -> random.nextInt(0x400000);
            case 4 -> random.nextInt(64);
            case 5 -> (1L << random.nextInt(64)) - random.nextInt(3);
            case 6 -> random.nextInt();
            default -> random.nextLong();
        };
    }

    /**
     * Runs until the instruction limit, a kick, or an exit behind which there is nothing to run.
     *
     * @return the last exit
     */
    int run(SplittableRandom random) {
        while (true) {
            int exit = vcpu.run();
            exits[exit]++;
            switch (exit) {
                case VirtualCpu.EXIT_IO -> {
                    if (vcpu.ioCount() * vcpu.ioSize() > vcpu.ioBuffer().length) {
                        throw new IllegalStateException("I/O of " + vcpu.ioCount() + " items");
                    }
                    if (!vcpu.ioOut()) {
                        for (int n = 0; n < vcpu.ioCount() * vcpu.ioSize(); n++) {
                            vcpu.ioBuffer()[n] = (byte) random.nextInt();
                        }
                    }
                }
                case VirtualCpu.EXIT_MMIO -> {
                    checkMmio();
                    if (!vcpu.mmioWrite()) {
                        vcpu.setMmioData(random.nextLong());
                    }
                }
                case VirtualCpu.EXIT_IRQ_WINDOW_OPEN, VirtualCpu.EXIT_DEBUG -> {}
                case VirtualCpu.EXIT_HLT -> {
                    // Half of the time something wakes it.
                    if (random.nextBoolean()) {
                        return exit;
                    }
                    if (random.nextBoolean()) {
                        vcpu.postNmi();
                    } else if ((vcpu.rflags() & 0x200) != 0) {
                        vcpu.injectInterrupt(random.nextInt(256));
                    } else {
                        return exit;
                    }
                }
                case VirtualCpu.EXIT_INTR, VirtualCpu.EXIT_SHUTDOWN, VirtualCpu.EXIT_INTERNAL_ERROR -> {
                    return exit;
                }
                default -> throw new IllegalStateException("unknown exit " + exit);
            }
        }
    }

    /** An MMIO exit must be for an address without writable memory, and of a plausible size. */
    private void checkMmio() {
        long address = vcpu.mmioAddress();
        int size = vcpu.mmioSize();
        boolean inRam = address >= 0 && address < FuzzImage.SIZE;
        boolean readOfRom = !vcpu.mmioWrite() && address >= READ_ONLY && address < READ_ONLY + HostMemory.PAGE_SIZE;
        boolean beyond = address < 0 || address >>> mode.model.physicalAddressBits() != 0;
        if (size < 1 || size > 8 || inRam || readOfRom || beyond) {
            throw new IllegalStateException(String.format("MMIO of %d bytes at %x", size, address));
        }
    }

    /** The state, for a report. */
    String describe() {
        StringBuilder out = new StringBuilder();
        long linear = vcpu.segmentBase(Cpu.CS) + vcpu.rip();
        out.append(String.format(
                "cs:rip %04x:%x flags %x cr0 %x cr4 %x efer %x cpl %d%n",
                vcpu.segmentSelector(Cpu.CS),
                vcpu.rip(),
                vcpu.rflags(),
                vcpu.cr0(),
                vcpu.cr4(),
                vcpu.efer(),
                vcpu.cpu().cpl));
        for (int r = 0; r < 16; r++) {
            out.append(String.format("r%d=%x ", r, vcpu.register(r)));
        }
        long physical = vcpu.translate(linear);
        if (physical >= 0 && physical + 16 <= FuzzImage.SIZE) {
            byte[] code = new byte[16];
            memory.read(physical, code, 0, code.length);
            out.append(String.format("%ncode %s", HexFormat.ofDelimiter(" ").formatHex(code)));
        }
        return out.toString();
    }

    /** The whole state but memory, for a comparison. */
    String state() {
        Cpu c = vcpu.cpu();
        StringBuilder out = new StringBuilder(describe());
        // Counters since the last limit was set: what a watchdog cut short does not count.
        out.append(String.format(
                "%ninstructions %d faults %d shadow %d%n",
                c.instructions - startInstructions, vcpu.faults() - startFaults, c.shadow));
        for (int seg = 0; seg < 8; seg++) {
            out.append(String.format(
                    "%d:%x %x %x %x%n", seg, c.segSel[seg], c.segBase[seg], c.segLimit[seg], c.segAttr[seg]));
        }
        out.append(String.format("cr2 %x cr3 %x mxcsr %x dr6 %x dr7 %x%n", c.cr2, c.cr3, c.mxcsr, c.dr[6], c.dr[7]));
        // Behind the guest's own registers is what VEX instructions use between their halves.
        for (int k = 0; k < 4 * Vex.DESTINATION; k++) {
            out.append(String.format("%x ", c.v[k]));
        }
        out.append(String.format("%nfpu %x %x", vcpu.fpuControlWord(), vcpu.fpuStatusWord()));
        for (int n = 0; n < 8; n++) {
            out.append(String.format(" %x:%x", vcpu.fpuSignExponent(n), vcpu.fpuSignificand(n)));
        }
        return out.toString();
    }

    /** Whether another machine's memory is equal. */
    boolean sameMemory(FuzzMachine other) {
        return ram.mismatch(other.ram) < 0;
    }

    /** What happened, in one line. */
    String statistics() {
        return String.format(
                "%d instructions, %d cases, %d faults; exits: %d I/O, %d MMIO, %d HLT, %d SHUTDOWN, %d limit or kick, %d internal",
                vcpu.instructions(),
                cases,
                vcpu.faults(),
                exits[VirtualCpu.EXIT_IO],
                exits[VirtualCpu.EXIT_MMIO],
                exits[VirtualCpu.EXIT_HLT],
                exits[VirtualCpu.EXIT_SHUTDOWN],
                exits[VirtualCpu.EXIT_INTR],
                exits[VirtualCpu.EXIT_INTERNAL_ERROR]);
    }

    /** How often an exit was taken. */
    long exits(int exit) {
        return exits[exit];
    }

    @Override
    public void close() {
        vcpu.close();
        HostMemory.free(ram);
        HostMemory.free(rom);
    }
}
