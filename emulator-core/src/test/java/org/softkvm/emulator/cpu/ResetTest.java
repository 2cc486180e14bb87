package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.VirtualCpu;

/** A reset while an instruction waits for user space: nothing of that instruction is left. */
class ResetTest {
    private static final int RAM = 0x10000;
    private static final int CODE = 0x1000;
    private static final int AGAIN = 0x2000;
    private static final int TRAP_FLAG = 0x100;

    private final MemorySegment ram = HostMemory.allocate(RAM);
    private final GuestMemory memory = new GuestMemory();
    private VirtualCpu vcpu;

    @BeforeEach
    void start() {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        vcpu = new VirtualCpu(0, memory, CpuModel.MAX, LocalInterruptController.NONE, StoppedClock.INSTANCE);
        // mov al, [bx]; hlt, with BX at memory that is not there
        at(CODE);
        vcpu.setSegment(Cpu.DS, 0xA000, 0xA0000, 0xFFFF, 0x93);
    }

    @AfterEach
    void close() {
        vcpu.close();
        HostMemory.free(ram);
    }

    private void at(int address) {
        vcpu.setSegment(Cpu.CS, 0, 0, 0xFFFF, 0x9B);
        vcpu.setSegment(Cpu.SS, 0, 0, 0xFFFF, 0x93);
        vcpu.setRegister(Cpu.RSP, 0x8000);
        vcpu.setRip(address);
    }

    private void code(int address, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        MemorySegment.copy(bytes, 0, ram, ValueLayout.JAVA_BYTE, address, bytes.length);
        memory.notifyHostWrite(address, bytes.length);
    }

    private void resetAndHalt() {
        vcpu.reset();
        // inc cx; hlt
        code(AGAIN, "41 F4");
        at(AGAIN);
        assertThat(vcpu.run()).isEqualTo(VirtualCpu.EXIT_HLT);
        assertThat(vcpu.register(Cpu.RCX)).isEqualTo(1);
        assertThat(vcpu.rip()).isEqualTo(AGAIN + 2);
        // A trap would be taken here.
        assertThat(vcpu.cpu().pendingDebug).isZero();
        assertThat(vcpu.faults()).isZero();
    }

    @Test
    void theStepOfAnInstructionThatReadsMmio() {
        code(CODE, "8A 07 F4");
        vcpu.setRflags(2 | TRAP_FLAG);
        assertThat(vcpu.run()).isEqualTo(VirtualCpu.EXIT_MMIO);
        resetAndHalt();
    }

    @Test
    void theAnswerToARead() {
        code(CODE, "8A 07 F4");
        assertThat(vcpu.run()).isEqualTo(VirtualCpu.EXIT_MMIO);
        vcpu.reset();
        // The same instruction, which asks again.
        at(CODE);
        vcpu.setSegment(Cpu.DS, 0xA000, 0xA0000, 0xFFFF, 0x93);
        assertThat(vcpu.run()).isEqualTo(VirtualCpu.EXIT_MMIO);
    }

    @Test
    void theAnswerToAPortRead() {
        // in al, 40h
        code(CODE, "E4 40 F4");
        assertThat(vcpu.run()).isEqualTo(VirtualCpu.EXIT_IO);
        vcpu.ioBuffer()[0] = 0x55;
        resetAndHalt();
        assertThat(vcpu.register(Cpu.RAX)).isZero();
    }
}
