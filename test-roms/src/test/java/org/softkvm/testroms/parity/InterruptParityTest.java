package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.softkvm.testroms.parity.ParityGuest.CODE;
import static org.softkvm.testroms.parity.ParityGuest.DONE;
import static org.softkvm.testroms.parity.ParityGuest.HANDLER;
import static org.softkvm.testroms.parity.ParityGuest.STACK;

import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.VcpuEvents;
import org.softkvm.testroms.parity.ParityGuest.Irqchip;

/** Interrupts and exceptions that the monitor injects, and the window for them. See {@link EveryBackend}. */
@Timeout(60)
class InterruptParityTest {
    @EveryBackend
    void aQueuedInterruptIsDelivered(Backend backend) {
        Probe.INTERRUPT.need(backend);
        try (ParityGuest guest = ParityGuest.real(backend, """
                fb  sti
                90  nop
                90  nop
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.vector(0x20, HANDLER);
            guest.load(HANDLER, """
                b0 77  mov al,0x77
                e6 61  out 0x61,al
                cf  iret
                """);
            Regs regs = guest.regs();
            regs.rflags |= 0x200;
            guest.vcpu.setRegs(regs);
            guest.vcpu.interrupt(0x20);
            assertThat(guest.out(0x61)).isEqualTo(0x77);
            assertThat(guest.get32(STACK - 6) & 0xFFFF).as("IP").isEqualTo(CODE);
            assertThat(guest.out(DONE)).isEqualTo(0x77);
        }
    }

    @EveryBackend
    void theWindowOpensWhenTheGuestAllowsInterrupts(Backend backend) {
        Probe.WINDOW.need(backend);
        try (ParityGuest guest = ParityGuest.real(backend, """
                e6 60  out 0x60,al
                90  nop
                fb  sti
                66 b9 40 42 0f 00  mov ecx,1000000
                66 49  dec ecx
                75 fc  jnz again
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.vector(0x21, HANDLER);
            guest.load(HANDLER, """
                b0 21  mov al,0x21
                e6 61  out 0x61,al
                cf  iret
                """);
            guest.out(0x60);
            assertThat(guest.run.readyForInterruptInjection()).isFalse();
            assertThat(guest.run.ifFlag()).isFalse();
            guest.run.setRequestInterruptWindow(true);
            guest.to(ExitReason.IRQ_WINDOW_OPEN);
            assertThat(guest.run.readyForInterruptInjection()).isTrue();
            assertThat(guest.run.ifFlag()).isTrue();
            guest.run.setRequestInterruptWindow(false);
            guest.vcpu.interrupt(0x21);
            assertThat(guest.out(0x61)).isEqualTo(0x21);
            guest.out(DONE);
        }
    }

    @EveryBackend
    void noWindowOpensWhileInterruptsAreOff(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                fa  cli
                90  nop
                90  nop
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.run.setRequestInterruptWindow(true);
            guest.out(DONE);
            assertThat(guest.run.readyForInterruptInjection()).isFalse();
        }
    }

    @EveryBackend
    void anInjectedExceptionIsDelivered(Backend backend) {
        Probe.EXCEPTION.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                90  nop
                e6 60  out 0x60,al
                f4  hlt
                """)) {
            guest.needs(Capability.VCPU_EVENTS);
            guest.load(HANDLER, """
                58  pop eax
                e7 f4  out 0xF4,eax
                f4  hlt
                """);
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            events.exceptionInjected = true;
            events.exceptionNr = 13;
            events.exceptionHasErrorCode = true;
            events.exceptionErrorCode = 0x48;
            guest.vcpu.setVcpuEvents(events);
            assertThat(guest.out(DONE)).isEqualTo(0x48);
            assertThat(guest.get32(STACK - 12)).as("EIP").isEqualTo(CODE);
        }
    }

    @EveryBackend
    void anUndefinedInstructionIsHandledByTheGuest(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                0f 0b  ud2
                """)) {
            guest.load(HANDLER, """
                58  pop eax
                e7 f4  out 0xF4,eax
                f4  hlt
                """);
            assertThat(guest.out(DONE)).as("EIP of the instruction").isEqualTo(CODE);
        }
    }

    @EveryBackend
    void aSoftwareInterruptComesBack(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                cd 30  int 0x30
                b4 01  mov ah,1
                e7 f4  out 0xF4,ax
                f4  hlt
                """)) {
            guest.vector(0x30, HANDLER);
            guest.load(HANDLER, """
                b0 30  mov al,0x30
                cf  iret
                """);
            assertThat(guest.out(DONE)).isEqualTo(0x130);
            assertThat(guest.regs().rsp).isEqualTo(STACK);
        }
    }

    @EveryBackend
    void anInterruptEndsAHalt(Backend backend) {
        Probe.INTERRUPT.need(backend);
        try (ParityGuest guest = ParityGuest.real(backend, """
                fb  sti
                f4  hlt
                e6 f4  out 0xF4,al
                """)) {
            guest.vector(0x22, HANDLER);
            guest.load(HANDLER, """
                b0 22  mov al,0x22
                e6 61  out 0x61,al
                cf  iret
                """);
            guest.to(ExitReason.HLT);
            assertThat(guest.run.readyForInterruptInjection()).isTrue();
            guest.vcpu.interrupt(0x22);
            guest.out(0x61);
            assertThat(guest.get32(STACK - 6) & 0xFFFF).as("IP: behind the HLT").isEqualTo(CODE + 2);
            assertThat(guest.out(DONE)).isEqualTo(0x22);
        }
    }

    @EveryBackend
    void anInterruptComesBackInLongMode(Backend backend) {
        Probe.INTERRUPT.need(backend);
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                fb  sti
                90  nop
                e6 60  out 0x60,al
                90  nop
                e6 f4  out 0xF4,al
                """)) {
            guest.load(HANDLER, """
                48 8b 1c 24  mov rbx,[rsp]
                48 8b 4c 24 10  mov rcx,[rsp+16]
                48 8b 54 24 18  mov rdx,[rsp+24]
                b0 33  mov al,0x33
                e6 61  out 0x61,al
                48 cf  iretq
                """);
            guest.out(0x60);
            guest.vcpu.interrupt(0x33);
            guest.out(0x61);
            assertThat(guest.regs().rbx).as("RIP").isEqualTo(CODE + 4);
            assertThat(guest.regs().rcx & 0x200).as("RFLAGS.IF").isEqualTo(0x200);
            assertThat(guest.regs().rdx).as("RSP").isEqualTo(STACK);
            assertThat(guest.regs().rsp).isEqualTo(STACK - 40);
            assertThat(guest.out(DONE)).isEqualTo(0x33);
            assertThat(guest.regs().rsp).isEqualTo(STACK);
        }
    }

    @EveryBackend
    void anInterruptThatCannotBeTakenYetWaitsForTheWindow(Backend backend) {
        Probe.WINDOW.need(backend);
        Probe.INTERRUPT.need(backend);
        try (ParityGuest guest = ParityGuest.real(backend, Irqchip.NONE, """
                fa  cli
                e6 60  out 0x60,al
                fb  sti
                66 b9 40 42 0f 00  mov ecx,1000000
                66 49  dec ecx
                75 fc  jnz again
                e6 62  out 0x62,al
                e6 f4  out 0xF4,al
                """)) {
            guest.vector(0x24, HANDLER);
            guest.load(HANDLER, """
                e6 61  out 0x61,al
                cf  iret
                """);
            guest.out(0x60);
            // Not ready: a monitor asks for the window, and until then the guest sees nothing.
            assertThat(guest.run.readyForInterruptInjection()).isFalse();
            guest.run.setRequestInterruptWindow(true);
            guest.to(ExitReason.IRQ_WINDOW_OPEN);
            guest.run.setRequestInterruptWindow(false);
            guest.vcpu.interrupt(0x24);
            guest.out(0x61);
            guest.out(0x62);
            guest.out(DONE);
        }
    }

    @EveryBackend
    void interruptsThatCannotBeQueuedAreRefused(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, Irqchip.SPLIT, "f4  hlt")) {
            guest.vcpu.interrupt(0x20);
            assertThatThrownBy(() -> guest.vcpu.interrupt(0x21)).hasMessageContaining("EEXIST");
        }
        try (ParityGuest guest = ParityGuest.real(backend, Irqchip.FULL, "f4  hlt")) {
            assertThatThrownBy(() -> guest.vcpu.interrupt(0x20)).hasMessageContaining("ENXIO");
        }
    }

    @EveryBackend
    void anNmiComesWithInterruptsOff(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                fa  cli
                e6 60  out 0x60,al
                90  nop
                e6 f4  out 0xF4,al
                """)) {
            guest.vector(2, HANDLER);
            guest.load(HANDLER, """
                b0 02  mov al,2
                e6 61  out 0x61,al
                cf  iret
                """);
            guest.out(0x60);
            guest.vcpu.nmi();
            assertThat(guest.out(0x61)).isEqualTo(2);
            assertThat(guest.out(DONE)).isEqualTo(2);
        }
    }
}
