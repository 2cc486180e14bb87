package org.softkvm.emulator.hardware;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;

/** A CPU in 64-bit user mode with a page of code, of data and of stack; exceptions end at a HLT of their own. */
final class UserMachine implements AutoCloseable {
    static final int PAGE = HostMemory.PAGE_SIZE;
    static final long DATA = 0x10000000;
    static final long CODE = 0x11000000;
    static final long STACK = 0x12000000;
    static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int CODE_OFFSET = 0x800;
    private static final int SYSTEM_SIZE = 0x10000;
    private static final int PML4 = 0x1000;
    private static final int PDPT = 0x2000;
    private static final int PD = 0x3000;
    private static final int IDT = 0x4000;
    private static final int GDT = 0x5000;
    private static final int TSS = 0x6000;
    private static final int HANDLERS = 0x7000;
    private static final int KERNEL_STACK = 0xf000;
    private static final int HLT = 0xf4;
    private static final int MOST_ITERATIONS = 100;

    private final MemorySegment ram = HostMemory.allocate(SYSTEM_SIZE + 3 * PAGE);
    private final GuestMemory memory = new GuestMemory();
    private final byte[] dataAfter = new byte[PAGE];
    private final byte[] stackAfter = new byte[PAGE];

    /** The CPU under test. */
    final VirtualCpu vcpu;

    UserMachine() {
        byte[] system = new byte[SYSTEM_SIZE];
        LONG.set(system, PML4, PDPT | 7L);
        LONG.set(system, PDPT, PD | 7L);
        for (int i = 0; i < 512; i++) {
            LONG.set(system, PD + 8 * i, (long) i << 21 | 0x87);
        }
        for (int vector = 0; vector < 32; vector++) {
            LONG.set(system, IDT + 16 * vector, 0x8E00_0008_0000L | HANDLERS + 16 * vector);
            system[HANDLERS + 16 * vector] = (byte) HLT;
        }
        LONG.set(system, GDT + 8, 0x00AF9B000000FFFFL);
        LONG.set(system, TSS + 4, (long) KERNEL_STACK);
        MemorySegment.copy(MemorySegment.ofArray(system), 0, ram, 0, SYSTEM_SIZE);
        memory.setSlots(List.of(
                new MemorySlot(0, 0, 0, ram.asSlice(0, SYSTEM_SIZE), false, false),
                new MemorySlot(1, 0, DATA, ram.asSlice(SYSTEM_SIZE, PAGE), false, false),
                new MemorySlot(2, 0, CODE, ram.asSlice(SYSTEM_SIZE + PAGE, PAGE), false, false),
                new MemorySlot(3, 0, STACK, ram.asSlice(SYSTEM_SIZE + 2 * PAGE, PAGE), false, false)));
        vcpu = new VirtualCpu(0, memory, CpuModel.MAX, LocalInterruptController.NONE, StoppedClock.INSTANCE);
        long cr0 = Cpu.CR0_PG & 0xffffffffL | Cpu.CR0_PE | Cpu.CR0_NE | Cpu.CR0_MP;
        vcpu.setControl(
                cr0,
                0,
                PML4,
                Cpu.CR4_PAE | Cpu.CR4_OSFXSR | Cpu.CR4_OSXMMEXCPT,
                Cpu.EFER_LME | Cpu.EFER_LMA | Cpu.EFER_NXE);
        vcpu.setGdt(GDT, 0xff);
        vcpu.setIdt(IDT, 0xfff);
        vcpu.setSegment(Cpu.TR, 0x40, TSS, 0x67, 0x8b);
    }

    /**
     * Runs an instruction.
     *
     * @return the vector of the exception that it raised, or -1
     */
    int run(byte[] code, long[] registers, int flags, byte[] data, byte[] stack) {
        memory.write(CODE + CODE_OFFSET, code, 0, code.length);
        memory.write(DATA, data, 0, PAGE);
        memory.write(STACK, stack, 0, PAGE);
        vcpu.setHalted(false);
        vcpu.setSegment(Cpu.CS, 0x33, 0, 0xffffffffL, 0xa0fb);
        for (int seg : new int[] {Cpu.SS, Cpu.DS, Cpu.ES, Cpu.FS, Cpu.GS}) {
            vcpu.setSegment(seg, 0x2b, 0, 0xffffffffL, 0xc0f3);
        }
        for (int r = 0; r < 16; r++) {
            vcpu.setRegister(r, registers[r]);
        }
        vcpu.setRflags(flags);
        long start = CODE + CODE_OFFSET;
        vcpu.setRip(start);
        long faults = vcpu.faults();
        int vector = -1;
        int iterations = 0;
        do {
            vcpu.setInstructionLimit(vcpu.instructions() + 1);
            int exit = vcpu.run();
            if (vcpu.faults() != faults) {
                vector = (int) (vcpu.rip() - HANDLERS) / 16;
            } else if (exit != VirtualCpu.EXIT_INTR) {
                throw new AssertionError("exit " + exit);
            }
        } while (vector < 0 && vcpu.rip() == start && ++iterations < MOST_ITERATIONS);
        if (vector < 0 && vcpu.rip() != start + code.length) {
            throw new AssertionError(String.format("RIP is %x", vcpu.rip()));
        }
        memory.read(DATA, dataAfter, 0, PAGE);
        memory.read(STACK, stackAfter, 0, PAGE);
        return vector;
    }

    /** The data page after the run. */
    byte[] data() {
        return dataAfter;
    }

    /** The stack page after the run. */
    byte[] stack() {
        return stackAfter;
    }

    @Override
    public void close() {
        vcpu.close();
        HostMemory.free(ram);
    }
}
