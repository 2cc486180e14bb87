package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@Timeout(60)
@ExtendWith(BinaryAbi.class)
class EventsTest {
    private static final String SET = "KVM_SET_VCPU_EVENTS";
    private static final int HANDLER = 0x3000;

    @Test
    void nothingIsUnderWayAfterPowerOn() {
        try (Guest guest = Guest.realModeSplit("f4")) {
            VcpuEvents events = new VcpuEvents();
            events.nmiPending = true;
            events.exceptionInjected = true;
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.exceptionInjected).isFalse();
            assertThat(events.exceptionPending).isFalse();
            assertThat(events.interruptInjected).isFalse();
            assertThat(events.nmiPending).isFalse();
            assertThat(events.nmiMasked).isFalse();
            assertThat(events.smm).isFalse();
            assertThat(events.flags & VcpuEvents.VALID_NMI_PENDING).isNotZero();
            assertThat(events.flags & VcpuEvents.VALID_SHADOW).isNotZero();
            guest.vcpu.setVcpuEvents(events);
        }
    }

    @Test
    void theInterruptShadowCanBeReadAndWritten() {
        try (Guest guest = Guest.realMode("""
                fb     sti
                e6 10  out 10h, al
                e6 11  out 11h, al
                """)) {
            guest.realModeVector(0x21, HANDLER);
            guest.load(HANDLER, "e6 20 cf");
            Regs regs = guest.regs();
            regs.rflags |= 0x200;
            guest.vcpu.setRegs(regs);
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            events.flags = VcpuEvents.VALID_SHADOW;
            events.interruptShadow = VcpuEvents.SHADOW_INT_STI;
            guest.vcpu.setVcpuEvents(events);
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.interruptShadow).isEqualTo(VcpuEvents.SHADOW_INT_STI);
            guest.vcpu.interrupt(0x21);
            guest.runToOut(0x20);
            assertThat(guest.peek32(Guest.STACK - 6) & 0xFFFF)
                    .as("one instruction ran in the shadow")
                    .isEqualTo(Guest.CODE + 1);
        }
    }

    @Test
    void anExceptionCanBeInjected() {
        try (Guest guest = Guest.longMode(false, "e6 10")) {
            guest.longModeGate(0x4000, 14, HANDLER);
            guest.load(HANDLER, "e6 20 f4");
            Sregs sregs = guest.sregs();
            sregs.idt.base = 0x4000;
            sregs.idt.limit = 0xFFF;
            sregs.cr2 = 0x1234;
            guest.vcpu.setSregs(sregs);
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            events.exceptionInjected = true;
            events.exceptionNr = 14;
            events.exceptionHasErrorCode = true;
            events.exceptionErrorCode = 5;
            events.flags = 0;
            guest.vcpu.setVcpuEvents(events);
            guest.runToOut(0x20);
            long rsp = guest.regs().rsp;
            assertThat(guest.peek64(rsp)).as("error code").isEqualTo(5);
            assertThat(guest.peek64(rsp + 8)).as("return address").isEqualTo(Guest.CODE);
        }
    }

    @Test
    void anNmiCanBeSetPendingAndMasked() {
        try (Guest guest = Guest.realMode("e6 10 e6 11")) {
            guest.realModeVector(2, HANDLER);
            guest.load(HANDLER, "e6 20 cf");
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            events.flags = VcpuEvents.VALID_NMI_PENDING;
            events.nmiPending = true;
            events.nmiMasked = true;
            guest.vcpu.setVcpuEvents(events);
            guest.runToOut(0x10);
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.nmiPending).isTrue();
            events.nmiMasked = false;
            guest.vcpu.setVcpuEvents(events);
            guest.runToOut(0x20);
        }
    }

    @Test
    void wrongEventsAreRefused() {
        try (Guest guest = Guest.realModeSplit("f4")) {
            refused(guest, "flags=0x40", events -> events.flags = 0x40);
            refused(guest, "EXCEPTION_PAYLOAD", events -> events.flags = VcpuEvents.VALID_PAYLOAD);
            refused(guest, "TRIPLE_FAULT", events -> events.flags = VcpuEvents.VALID_TRIPLE_FAULT);
            refused(guest, "exception.nr=2", events -> {
                events.exceptionInjected = true;
                events.exceptionNr = 2;
            });
            refused(guest, "exception.nr=32", events -> {
                events.exceptionInjected = true;
                events.exceptionNr = 32;
            });
        }
    }

    private static void refused(Guest guest, String argument, Consumer<VcpuEvents> change) {
        VcpuEvents events = new VcpuEvents();
        guest.vcpu.getVcpuEvents(events);
        change.accept(events);
        assertFails(SET, Errno.EINVAL, argument, () -> guest.vcpu.setVcpuEvents(events));
    }
}
