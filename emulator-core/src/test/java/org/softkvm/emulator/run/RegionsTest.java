package org.softkvm.emulator.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.TimeSource;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.ExitCode;

/** When blocks become regions, and how control goes from region to region. */
class RegionsTest {
    private static final int CODE = 0x1000;
    private static final int FUNCTION = 0x1020;
    private static final int THRESHOLD = 10;

    private final MemorySegment ram = HostMemory.allocate(0x10000);
    private final GuestMemory memory = new GuestMemory();
    private final VirtualCpu vcpu;

    RegionsTest() {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        vcpu = new VirtualCpu(0, memory, CpuModel.MAX, LocalInterruptController.NONE, new TimeSource() {
            @Override
            public long tsc() {
                return 0;
            }

            @Override
            public long tscKhz() {
                return 1_000_000;
            }
        });
        vcpu.setControl(Cpu.CR0_PE, 0, 0, 0, 0);
        vcpu.setSegment(Cpu.CS, 8, 0, 0xFFFFFFFFL, 0xC09B);
        for (int seg : new int[] {Cpu.DS, Cpu.ES, Cpu.SS, Cpu.FS, Cpu.GS}) {
            vcpu.setSegment(seg, 16, 0, 0xFFFFFFFFL, 0xC093);
        }
        vcpu.setTranslation(THRESHOLD, true);
    }

    @AfterEach
    void free() {
        vcpu.close();
        HostMemory.free(ram);
    }

    private void write(int address, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        memory.write(address, bytes, 0, bytes.length);
    }

    private void run() {
        vcpu.setHalted(false);
        vcpu.setRip(CODE);
        vcpu.setRegister(Cpu.RAX, 0);
        vcpu.setRegister(Cpu.RSP, 0x8000);
        assertThat(vcpu.run()).isEqualTo(ExitCode.HLT);
    }

    /** A hundred calls of a function of three blocks, whose last two add a constant to EAX. */
    private void writeCalls() {
        // mov ecx, 100; L: call F; dec ecx; jnz L; hlt
        write(CODE, "b9 64 00 00 00 e8 16 00 00 00 49 75 f8 f4");
        // F: test cl, 1; jz M; inc ebx; M: add eax, 5; ret
        write(FUNCTION, "f6 c1 01 74 01 43 83 c0 05 c3");
    }

    @Test
    void whatHasLostItsRegionBecomesHotAgain() {
        writeCalls();
        run();
        assertThat(vcpu.register(Cpu.RAX)).isEqualTo(500);
        long before = vcpu.interpreted();
        run();
        long translated = vcpu.interpreted() - before;
        // The constant: in blocks that the function's first one leads to.
        write(FUNCTION + 8, "07");
        run();
        assertThat(vcpu.register(Cpu.RAX)).isEqualTo(700);
        before = vcpu.interpreted();
        run();
        assertThat(vcpu.register(Cpu.RAX)).isEqualTo(700);
        assertThat(vcpu.interpreted() - before).isLessThanOrEqualTo(translated);
    }
}
