package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.testroms.parity.ParityGuest.CODE;
import static org.softkvm.testroms.parity.ParityGuest.DATA;
import static org.softkvm.testroms.parity.ParityGuest.DONE;

import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.GuestDebug;
import org.softkvm.testroms.parity.ParityGuest.Irqchip;

/** Breakpoints and steps of the monitor. See {@link EveryBackend}. */
@Timeout(60)
class DebugParityTest {
    @EveryBackend
    void singleStepsExit(Backend backend) {
        Probe.SINGLE_STEP.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                90  nop
                43  inc ebx
                90  nop
                e6 f4  out 0xF4,al
                """)) {
            GuestDebug debug = new GuestDebug();
            debug.control = GuestDebug.ENABLE | GuestDebug.SINGLESTEP;
            guest.vcpu.setGuestDebug(debug);
            for (int i = 1; i <= 2; i++) {
                guest.to(ExitReason.DEBUG);
                assertThat(guest.run.debugPc()).isEqualTo(CODE + i);
            }
            guest.vcpu.setGuestDebug(new GuestDebug());
            guest.out(DONE);
        }
    }

    @EveryBackend
    void aHardwareBreakpointExits(Backend backend) {
        Probe.HARDWARE_BREAKPOINT.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                90  nop
                90  nop
                43  inc ebx
                e6 f4  out 0xF4,al
                """)) {
            GuestDebug debug = new GuestDebug();
            debug.control = GuestDebug.ENABLE | GuestDebug.USE_HW_BP;
            debug.debugreg[0] = CODE + 2;
            debug.debugreg[7] = 0x402;
            guest.vcpu.setGuestDebug(debug);
            guest.to(ExitReason.DEBUG);
            assertThat(guest.run.debugPc()).isEqualTo(CODE + 2);
            assertThat(guest.regs().rbx).isZero();
        }
    }

    @EveryBackend
    void aBreakpointInstructionExits(Backend backend) {
        Probe.SOFTWARE_BREAKPOINT.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                90  nop
                cc  int3
                e6 f4  out 0xF4,al
                """)) {
            GuestDebug debug = new GuestDebug();
            debug.control = GuestDebug.ENABLE | GuestDebug.USE_SW_BP;
            guest.vcpu.setGuestDebug(debug);
            guest.to(ExitReason.DEBUG);
            assertThat(guest.run.debugException()).isEqualTo(3);
            assertThat(guest.run.debugPc()).isEqualTo(CODE + 1);
            assertThat(guest.regs().rip).isEqualTo(CODE + 1);
        }
    }

    @EveryBackend
    void aWatchpointExitsBehindTheWrite(Backend backend) {
        Probe.WATCHPOINT.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c7 05 00 30 00 00 07 00 00 00  mov dword [0x3000],7
                e6 f4  out 0xF4,al
                """)) {
            GuestDebug debug = new GuestDebug();
            debug.control = GuestDebug.ENABLE | GuestDebug.USE_HW_BP;
            debug.debugreg[0] = DATA;
            debug.debugreg[7] = 0xD_0402;
            guest.vcpu.setGuestDebug(debug);
            guest.to(ExitReason.DEBUG);
            assertThat(guest.run.debugException()).isEqualTo(1);
            assertThat(guest.run.debugPc()).isEqualTo(CODE + 10);
            assertThat(guest.get32(DATA)).isEqualTo(7);
            assertThat(guest.run.debugDr6() & 1).isEqualTo(1);
        }
    }
}
