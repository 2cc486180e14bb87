package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.testroms.parity.ParityGuest.CODE;
import static org.softkvm.testroms.parity.ParityGuest.DONE;

import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.ExitReason;
import org.softkvm.testroms.parity.ParityGuest.Irqchip;

/** HLT, and what ends a run from outside. See {@link EveryBackend}. */
@Timeout(60)
class RunParityTest {
    @EveryBackend
    void haltExitsWithoutALocalApic(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                f4  hlt
                90  nop
                f4  hlt
                """)) {
            guest.to(ExitReason.HLT);
            assertThat(guest.regs().rip).isEqualTo(CODE + 1);
            guest.to(ExitReason.HLT);
            assertThat(guest.regs().rip).isEqualTo(CODE + 3);
        }
    }

    @EveryBackend
    void haltWaitsWithALocalApicUntilItIsKicked(Backend backend) throws InterruptedException {
        try (ParityGuest guest = ParityGuest.real(backend, Irqchip.SPLIT, """
                fa  cli
                f4  hlt
                e6 f4  out 0xF4,al
                """)) {
            int[] reason = new int[1];
            Thread thread = Thread.ofPlatform().start(() -> reason[0] = guest.vcpu.run());
            Thread.sleep(50);
            guest.vcpu.kick();
            thread.join();
            assertThat(ExitReason.name(reason[0])).isEqualTo("INTR");
        }
    }

    @EveryBackend
    void aKickEndsALoop(Backend backend) throws InterruptedException {
        try (ParityGuest guest = ParityGuest.real(backend, """
                43  inc bx
                eb fd  jmp again
                """)) {
            int[] reason = new int[1];
            Thread thread = Thread.ofPlatform().start(() -> reason[0] = guest.vcpu.run());
            Thread.sleep(20);
            guest.vcpu.kick();
            thread.join();
            assertThat(ExitReason.name(reason[0])).isEqualTo("INTR");
            assertThat(guest.regs().rip).isBetween((long) CODE, CODE + 2L);
        }
    }

    @EveryBackend
    void immediateExitFinishesTheOpenAccessOnly(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                e4 60  in al,0x60
                b3 01  mov bl,1
                e6 f4  out 0xF4,al
                """)) {
            guest.to(ExitReason.IO);
            guest.run.setIoValue(0, 0x5A);
            guest.run.setImmediateExit(true);
            guest.to(ExitReason.INTR);
            assertThat(guest.regs().rax & 0xFF).isEqualTo(0x5A);
            assertThat(guest.regs().rip).isEqualTo(CODE + 2);
            assertThat(guest.regs().rbx).isZero();
            guest.run.setImmediateExit(false);
            assertThat(guest.out(DONE)).isEqualTo(0x5A);
        }
    }
}
