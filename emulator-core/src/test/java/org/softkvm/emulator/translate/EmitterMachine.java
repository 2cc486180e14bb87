package org.softkvm.emulator.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;

/** A vcpu in 64-bit mode with one page of 1 GiB, which runs a few instructions from random registers. */
final class EmitterMachine implements AutoCloseable {
    private static final int CODE = 0x10000;
    private static final int DATA = 0x18000;
    private static final int VECTORS = 4;
    private static final long[] EDGES = {
        0, 1, -1, 0x7FFFFFFF, 0x80000000L, 0xFFFFFFFFL, Long.MIN_VALUE, Long.MAX_VALUE, 0x8000, 3
    };

    final MemorySegment ram = HostMemory.allocate(0x20000);
    final GuestMemory memory = new GuestMemory();
    final VirtualCpu vcpu;

    EmitterMachine() {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        vcpu = new VirtualCpu(0, memory, CpuModel.MAX, LocalInterruptController.NONE, StoppedClock.INSTANCE);
        write(0x1000, 0x2003);
        write(0x2000, 0x83);
        vcpu.setControl(
                0x80000011L, 0, 0x1000, Cpu.CR4_PAE | Cpu.CR4_OSFXSR | Cpu.CR4_OSXSAVE, Cpu.EFER_LME | Cpu.EFER_LMA);
        for (int seg : new int[] {Cpu.ES, Cpu.SS, Cpu.DS, Cpu.FS, Cpu.GS}) {
            vcpu.setSegment(seg, 16, 0, 0xFFFFFFFFL, 0xC093);
        }
    }

    void write(long address, long value) {
        byte[] bytes = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
        memory.write(address, bytes, 0, 8);
    }

    /** Runs the code to its HLT from random registers and flags; what then is there. */
    long[] run(byte[] code, SplittableRandom random) {
        memory.write(CODE, code, 0, code.length);
        memory.notifyHostWrite(CODE, code.length);
        vcpu.setHalted(false);
        vcpu.setSegment(Cpu.CS, 8, 0, 0xFFFFFFFFL, 0xA09B);
        for (int n = 0; n < 16; n++) {
            vcpu.setRegister(n, value(random));
        }
        vcpu.setRegister(Cpu.RBP, DATA);
        // Mostly a quotient that fits.
        vcpu.setRegister(Cpu.RDX, vcpu.register(Cpu.RDX) & 0xFFFF);
        vcpu.setRegister(Cpu.RBX, vcpu.register(Cpu.RBX) | 0x80100000L);
        write(DATA, vcpu.register(Cpu.RBX));
        for (int k = 1; k < 8; k++) {
            write(DATA + 8 * k, value(random));
        }
        Cpu cpu = vcpu.cpu();
        cpu.xcr0 = 7;
        for (int k = 0; k < 4 * VECTORS; k++) {
            // Some bytes that are equal.
            cpu.v[k] = random.nextBoolean() ? 0x4100FF4100FF4100L : value(random);
        }
        vcpu.setRflags(2 | random.nextInt() & 0x8D5);
        vcpu.setRip(CODE);
        assertThat(vcpu.run()).isEqualTo(VirtualCpu.EXIT_HLT);
        long[] state = new long[26 + 4 * VECTORS];
        for (int n = 0; n < 16; n++) {
            state[n] = vcpu.register(n);
        }
        state[16] = vcpu.rflags();
        state[17] = vcpu.rip();
        byte[] bytes = new byte[64];
        memory.read(DATA, bytes, 0, 64);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(state, 18, 8);
        System.arraycopy(cpu.v, 0, state, 26, 4 * VECTORS);
        return state;
    }

    @Override
    public void close() {
        vcpu.close();
        HostMemory.free(ram);
    }

    private static long value(SplittableRandom random) {
        return random.nextBoolean() ? random.nextLong() : EDGES[random.nextInt(EDGES.length)];
    }
}
