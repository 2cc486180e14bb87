package org.softkvm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.softkvm.emulator.cpu.Cpu;

/** Regions that take the guest's time are found while they run, and become wide ones. */
@Timeout(120)
class RegionSamplerTest {
    private final MemorySegment ram = HostMemory.allocate(0x10000);
    private final GuestMemory memory = new GuestMemory();
    private VirtualCpu vcpu;

    @AfterEach
    void free() {
        vcpu.close();
        HostMemory.free(ram);
    }

    private void start(String code) {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        vcpu = new VirtualCpu(0, memory, CpuModel.MAX, LocalInterruptController.NONE, StoppedClock.INSTANCE);
        vcpu.setControl(Cpu.CR0_PE, 0, 0, 0, 0);
        vcpu.setSegment(Cpu.CS, 8, 0, 0xFFFFFFFFL, 0xC09B);
        for (int seg : new int[] {Cpu.DS, Cpu.ES, Cpu.SS, Cpu.FS, Cpu.GS}) {
            vcpu.setSegment(seg, 16, 0, 0xFFFFFFFFL, 0xC093);
        }
        vcpu.setRip(0x1000);
        vcpu.setRegister(Cpu.RSP, 0x8000);
        byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
        MemorySegment.copy(bytes, 0, ram, ValueLayout.JAVA_BYTE, 0x1000, bytes.length);
        vcpu.setTranslation(2_000, false);
    }

    private void runsUntilWidened(int regions) throws Exception {
        FutureTask<Integer> run = new FutureTask<>(vcpu::run);
        Thread.ofPlatform().daemon().start(run);
        while (vcpu.regionsWidened() < regions && !run.isDone()) {
            Thread.sleep(1);
        }
        vcpu.kick();
        assertThat(run.get(60, TimeUnit.SECONDS)).isEqualTo(org.softkvm.emulator.cpu.ExitCode.INTR);
        assertThat(vcpu.regionsWidened()).isGreaterThanOrEqualTo(regions);
    }

    /** The loop calls a function, which a narrow region leaves out: entries are many. */
    @Test
    void aRegionThatIsEnteredOften() throws Exception {
        // L: call F; jmp L; F: inc eax; ret
        start("e8 02 00 00 00 eb f9 40 c3");
        runsUntilWidened(1);
    }

    /** Two loops that are never left, once they are entered: the place where the guest stands is the entry of the wide region. */
    @Test
    void aRegionThatIsEnteredOnce() throws Exception {
        // mov ecx, 8000h; L: inc eax; dec ecx; jnz L; M: inc edx; add ecx, edx; jmp M
        start("b9 00 80 00 00 40 49 75 fc 42 01 d1 eb fb");
        runsUntilWidened(1);
        long before = vcpu.interpreted();
        FutureTask<Integer> run = new FutureTask<>(vcpu::run);
        Thread.ofPlatform().daemon().start(run);
        Thread.sleep(50);
        vcpu.kick();
        run.get(60, TimeUnit.SECONDS);
        // Whatever 50 milliseconds were, they went to translated code.
        assertThat(vcpu.interpreted() - before).isLessThan(1_000);
    }
}
