package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.VirtualCpu;

/**
 * An alignment check whose delivery raises an alignment check, for ever: on hardware such a guest hangs its host unless
 * the hypervisor takes #AC over (CVE-2015-5307). Here it must stop by a kick, with the state as it was.
 */
class EndlessFaultTest {
    private static final int RAM = 0x10000;
    private static final int IDT = 0x1000;
    private static final int GDT = 0x2000;
    private static final int CODE = 0x3000;
    private static final int STACK = 0x8002;
    private static final int USER_CODE = 0x1b;
    private static final int USER_DATA = 0x23;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private final MemorySegment ram = HostMemory.allocate(RAM);
    private final GuestMemory memory = new GuestMemory();
    private VirtualCpu vcpu;

    @AfterEach
    void close() {
        vcpu.close();
        HostMemory.free(ram);
    }

    private void start() {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        vcpu = new VirtualCpu(0, memory, CpuModel.MAX, LocalInterruptController.NONE, StoppedClock.INSTANCE);
        vcpu.setControl(Cpu.CR0_PE | Cpu.CR0_AM, 0, 0, 0, 0);
        ram.set(LONG, GDT + (USER_CODE & ~7), 0x00CFFB000000FFFFL);
        ram.set(LONG, GDT + (USER_DATA & ~7), 0x00CFF3000000FFFFL);
        for (int vector = 0; vector < 256; vector++) {
            // The handlers run in user mode, on the user's stack, which is misaligned.
            ram.set(LONG, IDT + 8 * vector, (long) USER_CODE << 16 | CODE | 0xEE0000000000L);
        }
        vcpu.setGdt(GDT, 0xff);
        vcpu.setIdt(IDT, 0x7ff);
        vcpu.setSegment(Cpu.SS, USER_DATA, 0, 0xffffffffL, 0xc0f3);
        vcpu.setSegment(Cpu.DS, USER_DATA, 0, 0xffffffffL, 0xc0f3);
        vcpu.setSegment(Cpu.CS, USER_CODE, 0, 0xffffffffL, 0xc0fb);
        vcpu.setRip(CODE);
        vcpu.setRegister(Cpu.RSP, STACK);
        vcpu.setRflags(0x40202);
    }

    private void stopsByAKick() throws Exception {
        FutureTask<Integer> run = new FutureTask<>(vcpu::run);
        Thread thread = new Thread(run);
        thread.setDaemon(true);
        thread.start();
        Thread.sleep(20);
        vcpu.kick();
        assertThat(run.get(10, TimeUnit.SECONDS)).isEqualTo(VirtualCpu.EXIT_INTR);
        assertThat(vcpu.rip()).isEqualTo(CODE);
        assertThat(vcpu.register(Cpu.RSP)).isEqualTo(STACK);
    }

    @Test
    void aFaultOfAnInstruction() throws Exception {
        start();
        // PUSH EAX
        ram.set(BYTE, CODE, (byte) 0x50);
        stopsByAKick();
    }

    @Test
    void anInterruptStaysPending() throws Exception {
        start();
        ram.set(BYTE, CODE, (byte) 0x90);
        vcpu.injectInterrupt(0x40);
        stopsByAKick();
        assertThat(vcpu.injectedInterrupt()).isEqualTo(0x40);
        assertThat(vcpu.instructions()).isZero();
    }

    @Test
    void anNmiStaysPending() throws Exception {
        start();
        ram.set(BYTE, CODE, (byte) 0x90);
        vcpu.postNmi();
        stopsByAKick();
        assertThat(vcpu.nmiPending()).isTrue();
        assertThat(vcpu.nmiBlocked()).isFalse();
        assertThat(vcpu.instructions()).isZero();
    }
}
