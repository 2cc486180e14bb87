package org.softkvm.emulator.sst;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.TimeSource;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.CodePages;
import org.softkvm.emulator.cpu.Cpu;

/** A CPU of an old model with all of its address space as RAM; ports answer with all ones, as the captured boards did. */
final class SstMachine implements AutoCloseable {
    /** A REP instruction makes at most 65,535 iterations, and each may count as an instruction. */
    private static final int INSTRUCTION_LIMIT = 70_000;

    private static final int HLT = 0xf4;
    /** No byte. */
    private static final int NONE = 0x100;

    private static final int DATA_SEGMENT = 0x93;
    private static final int CODE_SEGMENT = 0x9b;

    private static final int[] GENERAL = {
        Cpu.RAX, Cpu.RBX, Cpu.RCX, Cpu.RDX, -1, -1, -1, -1, Cpu.RSP, Cpu.RBP, Cpu.RSI, Cpu.RDI
    };
    private static final int[] SEGMENT = {-1, -1, -1, -1, Cpu.CS, Cpu.SS, Cpu.DS, Cpu.ES};

    private static final TimeSource STOPPED_CLOCK = new TimeSource() {
        @Override
        public long tsc() {
            return 0;
        }

        @Override
        public long tscKhz() {
            return 1_000;
        }
    };

    private final boolean untilHalt;
    private final boolean translated;
    private final int addressMask;
    private final MemorySegment ram;
    private final long host;
    private final GuestMemory memory = new GuestMemory();
    private final VirtualCpu vcpu;

    private SstMachine(CpuModel model, int addressBits, boolean untilHalt, boolean translated) {
        this.untilHalt = untilHalt;
        this.translated = translated;
        addressMask = (1 << addressBits) - 1;
        ram = HostMemory.allocate(1L << addressBits);
        host = HostMemory.offsetOf(ram);
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        vcpu = new VirtualCpu(0, memory, model, LocalInterruptController.NONE, STOPPED_CLOCK);
        vcpu.setTranslation(translated ? 0 : Integer.MAX_VALUE, translated);
    }

    /** An 8086, which runs one instruction a case; translated, it runs until a HLT that stands behind it. */
    static SstMachine of8086(boolean translated) {
        return new SstMachine(CpuModel.I8086, 20, false, translated);
    }

    /** An 80286, which runs until it executes HLT. */
    static SstMachine of80286(boolean translated) {
        return new SstMachine(CpuModel.I286, 24, true, translated);
    }

    /** Whether all code is translated before it is executed. */
    boolean translated() {
        return translated;
    }

    /** The CPU. */
    VirtualCpu vcpu() {
        return vcpu;
    }

    /** Sets a register, in the order of {@link MooState}. */
    void set(int register, int value) {
        if (register == MooState.IP) {
            vcpu.setRip(value);
        } else if (register == MooState.FLAGS) {
            vcpu.setRflags(value);
        } else if (SEGMENT.length > register && SEGMENT[register] >= 0) {
            vcpu.setSegment(
                    SEGMENT[register],
                    value,
                    (long) value << 4,
                    0xffff,
                    register == MooState.CS ? CODE_SEGMENT : DATA_SEGMENT);
        } else {
            vcpu.setRegister(GENERAL[register], value);
        }
    }

    /** Returns a register, in the order of {@link MooState}; all bits that it holds. */
    int get(int register) {
        if (register == MooState.IP) {
            return (int) vcpu.rip();
        } else if (register == MooState.FLAGS) {
            return (int) vcpu.rflags();
        } else if (SEGMENT.length > register && SEGMENT[register] >= 0) {
            return vcpu.segmentSelector(SEGMENT[register]);
        }
        return (int) vcpu.register(GENERAL[register]);
    }

    /** Writes a byte of memory. */
    void poke(int address, int value) {
        HostMemory.putByte(host + address, value);
        if (CodePages.isCode(host + address)) {
            memory.notifyHostWrite(address, 1);
        }
    }

    /** Reads a byte of memory. */
    int peek(int address) {
        return HostMemory.getByte(host + address);
    }

    /** Returns the physical address of a stack offset after the case. */
    int stackAddress(MooCase test, int offset) {
        return (test.finalRegister(MooState.SS) << 4) + offset & addressMask;
    }

    /** Returns the address of the first byte of memory that is not 0, or -1. */
    long findNonZero() {
        long[] zeros = ZEROS;
        MemorySegment block = MemorySegment.ofArray(zeros);
        long length = block.byteSize();
        for (long at = 0; at <= addressMask; at += length) {
            long difference = ram.asSlice(at, length).mismatch(block);
            if (difference >= 0) {
                return at + difference;
            }
        }
        return -1;
    }

    private static final long[] ZEROS = new long[1 << 16];

    /** Zeroes memory. */
    void clear() {
        ram.fill((byte) 0);
        memory.notifyHostWrite(0, ram.byteSize());
    }

    /**
     * Runs the instruction of a case.
     *
     * @return null, or a line that says how it ended otherwise
     */
    String run(MooCase test) {
        vcpu.setHalted(false);
        vcpu.setInterruptShadow(0);
        long start = vcpu.instructions();
        if (untilHalt) {
            vcpu.setInstructionLimit(start + INSTRUCTION_LIMIT);
            int exit = runToExit();
            return exit == VirtualCpu.EXIT_HLT ? null : String.format("  no HLT: exit %d at %s%n", exit, where());
        }
        if (translated) {
            return runToHalt(test, start + INSTRUCTION_LIMIT);
        }
        // A fault is not an instruction: the run would go on into its handler, so a HLT stands there. The 8086 has one
        // fault, the divide error, by vector 0.
        int handler = (peek(2) | peek(3) << 8) * 16 + (peek(0) | peek(1) << 8) & addressMask;
        int old = peek(handler);
        if (divides(test)) {
            poke(handler, 0xf4);
        }
        long faults = vcpu.faults();
        boolean repeated = repeats(test);
        String problem = null;
        do {
            vcpu.setInstructionLimit(vcpu.instructions() + 1);
            int exit = runToExit();
            if (vcpu.halted() && vcpu.faults() != faults) {
                vcpu.setRip(vcpu.rip() - 1 & 0xffff);
            } else if (exit != VirtualCpu.EXIT_INTR) {
                problem = String.format("  exit %d at %s%n", exit, where());
            }
        } while (problem == null
                && repeated
                && vcpu.rip() == test.initial().registers()[MooState.IP]
                && vcpu.instructions() < start + INSTRUCTION_LIMIT);
        if (divides(test)) {
            poke(handler, old);
        }
        return problem;
    }

    /** A limit of one instruction would keep translated code from running: a HLT stands where the case is to end. */
    private String runToHalt(MooCase test, long limit) {
        int end = endOf(test);
        int old = peek(end);
        poke(end, HLT);
        vcpu.setInstructionLimit(limit);
        int exit = runToExit();
        String problem = exit == VirtualCpu.EXIT_HLT ? null : String.format("  no HLT: exit %d at %s%n", exit, where());
        vcpu.setRip(vcpu.rip() - 1 & 0xffff);
        if (peek(end) == HLT) {
            poke(end, old);
        }
        return problem;
    }

    /** The physical address where a case of one instruction ends. */
    private int endOf(MooCase test) {
        return (test.finalRegister(MooState.CS) << 4) + test.finalRegister(MooState.IP) & addressMask;
    }

    /** Whether the HLT behind an instruction would stand in it or in what it is to write. */
    boolean endsInItself(MooCase test) {
        if (untilHalt) {
            return false;
        }
        int end = endOf(test);
        MooState initial = test.initial();
        int begin = (initial.registers()[MooState.CS] << 4) + initial.registers()[MooState.IP];
        int after = byteAt(test.after(), end);
        return (end - begin & addressMask) < test.bytes().length || after != NONE && after != byteAt(initial, end);
    }

    /** A byte of memory as a state tells it; {@link #NONE} where it does not. */
    private static int byteAt(MooState state, int address) {
        for (int k = 0; k < state.addresses().length; k++) {
            if (state.addresses()[k] == address) {
                return state.values()[k];
            }
        }
        return NONE;
    }

    /** Runs and answers port reads with all ones, until another exit. */
    private int runToExit() {
        while (true) {
            int exit = vcpu.run();
            if (exit != VirtualCpu.EXIT_IO) {
                return exit;
            }
            if (!vcpu.ioOut()) {
                Arrays.fill(vcpu.ioBuffer(), 0, vcpu.ioSize() * vcpu.ioCount(), (byte) 0xff);
            }
        }
    }

    private String where() {
        return String.format("%04x:%04x", vcpu.segmentSelector(Cpu.CS), vcpu.rip());
    }

    private static boolean divides(MooCase test) {
        int opcode = test.bytes()[test.opcodeIndex()] & 0xff;
        return opcode == 0xf6 || opcode == 0xf7 || opcode == 0xd4;
    }

    /** Whether the case is a string instruction with a REP prefix. */
    private static boolean repeats(MooCase test) {
        int opcode = test.bytes()[test.opcodeIndex()] & 0xff;
        boolean string = opcode >= 0xa4 && opcode <= 0xa7 || opcode >= 0xaa && opcode <= 0xaf;
        return string && test.opcodeIndex() > 0;
    }

    @Override
    public void close() {
        vcpu.close();
        HostMemory.free(ram);
    }
}
