package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@Timeout(60)
@ExtendWith(BinaryAbi.class)
class RunControlTest {
    private static final String SPIN = "eb fe  jmp $";

    @Test
    void haltExitsWithoutALocalApic() {
        try (Guest guest = Guest.realMode("f4 90 f4")) {
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE + 1);
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE + 3);
        }
    }

    @Test
    void aTripleFaultShutsDown() {
        try (Guest guest = Guest.protectedMode(false, "0f 0b  ud2")) {
            Sregs sregs = guest.sregs();
            sregs.idt.limit = 0;
            guest.vcpu.setSregs(sregs);
            guest.runTo(ExitReason.SHUTDOWN);
        }
    }

    @Test
    void codeWithoutMemoryIsAnInternalError() {
        try (Guest guest = Guest.protectedMode(false, "ea 00 00 00 d0 08 00  jmp 8:d0000000h")) {
            guest.runTo(ExitReason.INTERNAL_ERROR);
            assertThat(guest.run.internalErrorSuberror()).isEqualTo(ExitReason.INTERNAL_ERROR_EMULATION);
            assertThat(guest.run.internalErrorDataCount()).isEqualTo(2);
            assertThat(guest.run.internalErrorData(0)).isEqualTo(0xD000_0000L);
            assertThat(guest.run.errorText()).contains("0xd0000000");
            assertThat(guest.regs().rip).isEqualTo(0xD000_0000L);
        }
    }

    @Test
    void codeInMemoryOfTheCallersOwnIsRefusedByName() {
        try (Arena arena = Arena.ofShared();
                Guest guest = Guest.protectedMode(false, "ea 00 00 20 00 08 00  jmp 8:200000h")) {
            MemorySegment memory = arena.allocate(0x1000, 0x1000);
            byte[] code = Guest.assemble("b0 05 e6 10 ff c0 eb fa");
            MemorySegment.copy(MemorySegment.ofArray(code), 0, memory, 0, code.length);
            guest.vm.setMemorySlot(MemorySlot.of(7, 0x200000, memory));
            guest.runTo(ExitReason.INTERNAL_ERROR);
            assertThat(guest.run.internalErrorData(1)).isEqualTo(0xFAEB_C0FF_10E6_05B0L);
            assertThat(guest.run.errorText()).contains("slot 7", "allocateMemory");
            guest.vm.deleteMemorySlot(0, 7);
        }
    }

    @Test
    void immediateExitReturnsBeforeTheGuestDoesAnything() {
        try (Guest guest = Guest.realMode("40 f4")) {
            guest.run.setImmediateExit(true);
            guest.runTo(ExitReason.INTR);
            guest.runTo(ExitReason.INTR);
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE);
            guest.run.setImmediateExit(false);
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rax & 0xFFFF).isEqualTo(1);
        }
    }

    @Test
    void immediateExitFinishesAPortReadFirst() {
        try (Guest guest = Guest.realMode("""
                e4 60  in al, 60h
                40     inc ax
                f4     hlt
                """)) {
            guest.runTo(ExitReason.IO);
            guest.run.setIoValue(0, 0x41);
            guest.run.setImmediateExit(true);
            guest.runTo(ExitReason.INTR);
            Regs regs = guest.regs();
            assertThat(regs.rax & 0xFF).isEqualTo(0x41);
            assertThat(regs.rip).isEqualTo(Guest.CODE + 2);
            guest.run.setImmediateExit(false);
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rax & 0xFF).isEqualTo(0x42);
        }
    }

    @Test
    void immediateExitFinishesAMemoryReadFirst() {
        try (Guest guest = Guest.longMode(false, """
                8b 03  mov eax, [rbx]
                ff c0  inc eax
                f4     hlt
                """)) {
            Regs regs = guest.regs();
            regs.rbx = 0xD0000000L;
            guest.vcpu.setRegs(regs);
            guest.runTo(ExitReason.MMIO);
            guest.run.setMmioData(41);
            guest.run.setImmediateExit(true);
            guest.runTo(ExitReason.INTR);
            assertThat(guest.regs().rax).isEqualTo(41);
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE + 2);
            guest.run.setImmediateExit(false);
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rax).isEqualTo(42);
        }
    }

    @Test
    void aKickEndsALoopFromAnotherThread() throws InterruptedException {
        try (Guest guest = Guest.realMode(SPIN)) {
            Thread kicker = Thread.ofPlatform().start(() -> {
                sleep(20);
                guest.vcpu.kick();
            });
            guest.runTo(ExitReason.INTR);
            kicker.join();
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE);
        }
    }

    @Test
    void aKickBeforeTheRunEndsThatRunOnly() {
        try (Guest guest = Guest.realMode("40 f4")) {
            guest.vcpu.kick();
            guest.vcpu.kick();
            guest.runTo(ExitReason.INTR);
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void aKickEndsTheWaitInHalt() throws InterruptedException {
        try (Guest guest = Guest.realModeSplit("fa f4 eb fd")) {
            Thread kicker = Thread.ofPlatform().start(() -> {
                sleep(20);
                guest.vcpu.kick();
            });
            guest.runTo(ExitReason.INTR);
            kicker.join();
            assertThat(guest.vcpu.mpState()).isEqualTo(MpState.HALTED);
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE + 2);
        }
    }

    @Test
    void manyKicksFromManyThreadsLoseNothing() throws InterruptedException {
        try (Guest guest = Guest.realMode(SPIN)) {
            AtomicInteger wanted = new AtomicInteger();
            Thread[] kickers = new Thread[3];
            for (int i = 0; i < kickers.length; i++) {
                kickers[i] = Thread.ofPlatform().start(() -> {
                    for (int k = 0; k < 1000; k++) {
                        wanted.incrementAndGet();
                        guest.vcpu.kick();
                    }
                });
            }
            while (wanted.get() < 3000) {
                guest.runTo(ExitReason.INTR);
            }
            for (Thread kicker : kickers) {
                kicker.join();
            }
            guest.vcpu.kick();
            guest.runTo(ExitReason.INTR);
        }
    }

    @Test
    void anInterruptedThreadLeavesTheWaitInHalt() throws InterruptedException {
        try (Guest guest = Guest.realModeSplit("fa f4")) {
            AtomicInteger reason = new AtomicInteger(-1);
            Thread thread = Thread.ofPlatform().start(() -> reason.set(guest.vcpu.run()));
            sleep(20);
            thread.interrupt();
            thread.join();
            assertThat(reason.get()).isEqualTo(ExitReason.INTR);
        }
    }

    @Test
    void twoThreadsCannotRunOneVcpu() throws InterruptedException {
        try (Guest guest = Guest.realMode("e6 10 eb fe")) {
            guest.runToOut(0x10);
            CountDownLatch started = new CountDownLatch(1);
            Thread thread = Thread.ofPlatform().start(() -> {
                started.countDown();
                guest.vcpu.run();
            });
            started.await();
            sleep(50);
            assertFails("KVM_RUN", Errno.EBUSY, "vcpu 0", guest.vcpu::run);
            guest.vcpu.kick();
            thread.join();
        }
    }

    @Test
    void instructionsAreCounted() {
        try (Guest guest = Guest.realMode("""
                b9 64 00  mov cx, 100
                40        inc ax
                e2 fd     loop -3
                f4        hlt
                """)) {
            guest.runTo(ExitReason.HLT);
            VcpuStatistics statistics = new VcpuStatistics();
            guest.vcpu.statistics(statistics);
            assertThat(statistics.instructions).isEqualTo(1 + 2 * 100 + 1);
            assertThat(statistics.exits).isEqualTo(1);
        }
    }

    @Test
    void exitsAreCountedByKind() {
        try (Guest guest = Guest.longMode(false, """
                e6 10  out 10h, al
                88 03  mov [rbx], al
                e6 11  out 11h, al
                f4     hlt
                """)) {
            Regs regs = guest.regs();
            regs.rbx = 0xD0000000L;
            guest.vcpu.setRegs(regs);
            guest.runToOut(0x10);
            guest.runTo(ExitReason.MMIO);
            guest.runToOut(0x11);
            guest.runTo(ExitReason.HLT);
            guest.vcpu.kick();
            guest.runTo(ExitReason.INTR);
            VcpuStatistics statistics = new VcpuStatistics();
            guest.vcpu.statistics(statistics);
            assertThat(statistics.exits).isEqualTo(5);
            assertThat(statistics.ioExits).isEqualTo(2);
            assertThat(statistics.mmioExits).isEqualTo(1);
            assertThat(statistics.intrExits).isEqualTo(1);
        }
    }

    @Test
    void anExitAllocatesNothing() {
        try (Guest guest = Guest.longMode(false, """
                e6 10  out 10h, al
                e4 11  in al, 11h
                88 03  mov [rbx], al
                8a 03  mov al, [rbx]
                eb f6  jmp -10
                """)) {
            Regs regs = guest.regs();
            regs.rbx = 0xD0000000L;
            guest.vcpu.setRegs(regs);
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            exits(guest, regs, 20_000);
            long before = threads.getCurrentThreadAllocatedBytes();
            exits(guest, regs, 20_000);
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            // A little for the measurement itself and for whatever the JVM does to this thread meanwhile.
            assertThat(allocated).as("bytes in 20,000 exits").isLessThan(20_000);
        }
    }

    private static void exits(Guest guest, Regs regs, int count) {
        for (int i = 0; i < count; i++) {
            int reason = guest.vcpu.run();
            if (reason == ExitReason.IO) {
                if (guest.run.ioDirection() == VcpuRun.IO_IN) {
                    guest.run.setIoValue(0, i);
                }
            } else if (reason == ExitReason.MMIO) {
                if (!guest.run.mmioIsWrite()) {
                    guest.run.setMmioData(i);
                }
            } else {
                throw new AssertionError(ExitReason.name(reason));
            }
            guest.vcpu.getRegs(regs);
        }
    }

    private static void sleep(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
