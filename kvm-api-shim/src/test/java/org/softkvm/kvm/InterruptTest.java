package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@Timeout(60)
@ExtendWith(BinaryAbi.class)
class InterruptTest {
    private static final int HANDLER = 0x3000;

    /** Writes AL to port 20h and returns; AL is left alone. */
    private static final String REPORT = """
            e6 20  out 20h, al
            cf     iret
            """;

    private static Guest guest(boolean split, String program) {
        Guest guest = split ? Guest.realModeSplit(program) : Guest.realMode(program);
        guest.load(HANDLER, REPORT);
        guest.realModeVector(0x21, HANDLER);
        guest.realModeVector(2, HANDLER);
        return guest;
    }

    /** Without an irqchip: the window opens after STI and the instruction behind it, and the interrupt is taken. */
    @Test
    void theWindowOpensWhenTheGuestAllowsInterrupts() {
        try (Guest guest = guest(false, """
                b0 01  mov al, 1
                e6 10  out 10h, al
                fb     sti
                b0 02  mov al, 2
                b0 03  mov al, 3
                f4     hlt
                """)) {
            guest.runToOut(0x10);
            assertThat(guest.run.readyForInterruptInjection()).isFalse();
            assertThat(guest.run.ifFlag()).isFalse();
            guest.run.setRequestInterruptWindow(true);
            guest.runTo(ExitReason.IRQ_WINDOW_OPEN);
            assertThat(guest.run.readyForInterruptInjection()).isTrue();
            assertThat(guest.run.ifFlag()).isTrue();
            assertThat(guest.regs().rip).as("one instruction behind STI").isEqualTo(Guest.CODE + 7);
            guest.run.setRequestInterruptWindow(false);
            guest.vcpu.interrupt(0x21);
            assertThat(guest.runToOut(0x20)).isEqualTo(2);
            assertThat(guest.run.ifFlag()).as("inside the handler").isFalse();
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rax & 0xFF).isEqualTo(3);
        }
    }

    @Test
    void aWindowThatIsOpenAlreadyExitsAtOnce() {
        try (Guest guest = guest(false, "fb 90 e6 10 f4")) {
            guest.runToOut(0x10);
            assertThat(guest.run.readyForInterruptInjection()).isTrue();
            guest.run.setRequestInterruptWindow(true);
            guest.runTo(ExitReason.IRQ_WINDOW_OPEN);
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE + 4);
            guest.runTo(ExitReason.IRQ_WINDOW_OPEN);
            guest.run.setRequestInterruptWindow(false);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void anInterruptWaitsUntilTheGuestAllowsIt() {
        try (Guest guest = guest(false, """
                b0 01  mov al, 1
                e6 10  out 10h, al
                b0 02  mov al, 2
                fb     sti
                b0 03  mov al, 3
                b0 04  mov al, 4
                f4     hlt
                """)) {
            guest.runToOut(0x10);
            guest.vcpu.interrupt(0x21);
            assertThat(guest.runToOut(0x20)).isEqualTo(3);
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rax & 0xFF).isEqualTo(4);
        }
    }

    @Test
    void anInterruptEndsHalt() {
        try (Guest guest = guest(false, "fb f4 b0 05 e6 10 f4")) {
            guest.runTo(ExitReason.HLT);
            assertThat(guest.run.readyForInterruptInjection()).isTrue();
            guest.vcpu.interrupt(0x21);
            guest.runToOut(0x20);
            assertThat(guest.runToOut(0x10)).isEqualTo(5);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void anNmiIsTakenWhateverTheInterruptFlag() {
        try (Guest guest = guest(false, """
                b0 07  mov al, 7
                e6 10  out 10h, al
                90     nop
                f4     hlt
                """)) {
            guest.runToOut(0x10);
            guest.vcpu.nmi();
            assertThat(guest.runToOut(0x20)).isEqualTo(7);
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.nmiMasked).isTrue();
            guest.vcpu.nmi();
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.nmiPending).isTrue();
            assertThat(guest.runToOut(0x20)).as("the second NMI, after IRET").isEqualTo(7);
            guest.runTo(ExitReason.HLT);
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.nmiMasked).isFalse();
            assertThat(events.nmiPending).isFalse();
        }
    }

    @Test
    void twoNmisAtOnceAreTwoAndThreeAreTwo() {
        try (Guest guest = guest(false, """
                b0 07  mov al, 7
                e6 10  out 10h, al
                90     nop
                f4     hlt
                """)) {
            guest.runToOut(0x10);
            guest.vcpu.nmi();
            guest.vcpu.nmi();
            guest.vcpu.nmi();
            guest.runToOut(0x20);
            guest.runToOut(0x20);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void anNmiWhileAnotherIsBlockedWaitsAlone() {
        try (Guest guest = guest(false, """
                b0 07  mov al, 7
                e6 10  out 10h, al
                90     nop
                f4     hlt
                """)) {
            guest.runToOut(0x10);
            guest.vcpu.nmi();
            guest.runToOut(0x20);
            guest.vcpu.nmi();
            guest.vcpu.nmi();
            guest.runToOut(0x20);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void anNmiWaitsForTheEndOfAShadow() {
        for (int shadow : new int[] {VcpuEvents.SHADOW_INT_STI, VcpuEvents.SHADOW_INT_MOV_SS}) {
            try (Guest guest = guest(false, """
                    b0 07  mov al, 7
                    e6 10  out 10h, al
                    fe c0  inc al
                    fe c0  inc al
                    f4     hlt
                    """)) {
                guest.runToOut(0x10);
                VcpuEvents events = new VcpuEvents();
                guest.vcpu.getVcpuEvents(events);
                events.flags = VcpuEvents.VALID_SHADOW;
                events.interruptShadow = shadow;
                guest.vcpu.setVcpuEvents(events);
                guest.vcpu.nmi();
                assertThat(guest.runToOut(0x20)).isEqualTo(8);
            }
        }
    }

    @Test
    void anNmiFromAnotherThreadWakesAHaltedVcpu() throws InterruptedException {
        try (Guest guest = guest(true, "fa b0 09 f4 f4")) {
            Thread other = Thread.ofPlatform().start(() -> {
                try {
                    Thread.sleep(20);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                guest.vcpu.nmi();
            });
            assertThat(guest.runToOut(0x20)).isEqualTo(9);
            other.join();
        }
    }

    /** With a split irqchip, KVM_INTERRUPT is the PIC outside (ExtINT), which LINT0 lets through after reset. */
    @Test
    void thePicOutsideInterruptsThroughLint0() {
        try (Guest guest = guest(true, """
                fa     cli
                b0 01  mov al, 1
                e6 10  out 10h, al
                fb     sti
                90     nop
                b0 02  mov al, 2
                e6 11  out 11h, al
                """)) {
            guest.runToOut(0x10);
            assertThat(guest.run.readyForInterruptInjection()).isFalse();
            guest.run.setRequestInterruptWindow(true);
            guest.runTo(ExitReason.IRQ_WINDOW_OPEN);
            assertThat(guest.run.readyForInterruptInjection()).isTrue();
            guest.vcpu.interrupt(0x21);
            assertFails("KVM_INTERRUPT", Errno.EEXIST, "33", () -> guest.vcpu.interrupt(0x21));
            guest.run.setRequestInterruptWindow(false);
            assertThat(guest.runToOut(0x20)).isEqualTo(1);
            guest.vcpu.interrupt(0x21);
            assertThat(guest.runToOut(0x20)).isEqualTo(1);
            assertThat(guest.runToOut(0x11)).isEqualTo(2);
        }
    }

    @Test
    void thePicOutsideWakesAHaltedVcpu() throws InterruptedException {
        try (Guest guest = guest(true, "fb b0 04 f4 e6 10")) {
            Thread kicker = Thread.ofPlatform().start(() -> {
                while (guest.run.exitReason() != ExitReason.INTR) {
                    try {
                        Thread.sleep(20);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    guest.vcpu.kick();
                }
            });
            do {
                guest.runTo(ExitReason.INTR);
            } while (guest.vcpu.mpState() != MpState.HALTED);
            kicker.join();
            guest.vcpu.interrupt(0x21);
            int reason = guest.vcpu.run();
            while (reason == ExitReason.INTR) {
                reason = guest.vcpu.run();
            }
            assertThat(guest.run.ioPort()).isEqualTo(0x20);
            assertThat(guest.runToOut(0x10)).isEqualTo(4);
        }
    }

    @Test
    void aWindowOpensInHalt() {
        try (Guest guest = guest(true, "fb f4 e6 10")) {
            guest.run.setRequestInterruptWindow(true);
            int exits = 0;
            while (guest.regs().rip < Guest.CODE + 2) {
                guest.runTo(ExitReason.IRQ_WINDOW_OPEN);
                exits++;
                assertThat(exits).isLessThan(4);
                guest.run.setRequestInterruptWindow(exits < 2);
                if (exits >= 2) {
                    guest.vcpu.interrupt(0x21);
                    guest.runToOut(0x20);
                    break;
                }
            }
        }
    }

    /** Masks LINT0, writes to ports 10h and 11h, unmasks it and writes to port 12h. */
    private static Guest maskingLint0() {
        Guest guest = Guest.protectedMode(true, """
                c7 05 f0 00 e0 fe ff 01 00 00  mov dword [fee000f0h], 1ffh
                c7 05 50 03 e0 fe 00 07 01 00  mov dword [fee00350h], 10700h
                fb                             sti
                90                             nop
                e6 10                          out 10h, al
                90                             nop
                e6 11                          out 11h, al
                c7 05 50 03 e0 fe 00 07 00 00  mov dword [fee00350h], 700h
                90                             nop
                e6 12                          out 12h, al
                """);
        guest.load(HANDLER, REPORT);
        guest.poke32(0x4000 + 0x21 * 8, 0x0008_0000 | HANDLER);
        guest.poke32(0x4000 + 0x21 * 8 + 4, 0x8E00);
        Sregs sregs = guest.sregs();
        sregs.idt.base = 0x4000;
        sregs.idt.limit = 0x7FF;
        guest.vcpu.setSregs(sregs);
        return guest;
    }

    @Test
    void theWindowIsShutWhileLint0IsMasked() {
        try (Guest guest = maskingLint0()) {
            guest.runToOut(0x10);
            assertThat(guest.run.ifFlag()).isTrue();
            assertThat(guest.run.readyForInterruptInjection()).isFalse();
            guest.run.setRequestInterruptWindow(true);
            guest.runToOut(0x11);
            guest.runTo(ExitReason.IRQ_WINDOW_OPEN);
            assertThat(guest.run.readyForInterruptInjection()).isTrue();
            guest.run.setRequestInterruptWindow(false);
            guest.runToOut(0x12);
        }
    }

    @Test
    void anInterruptOfThePicWaitsWhileLint0IsMasked() {
        try (Guest guest = maskingLint0()) {
            guest.runToOut(0x10);
            guest.vcpu.interrupt(0x21);
            guest.runToOut(0x11);
            assertThat(guest.vcpu.getOneReg(RegisterId.EVENT_PENDING_EXTINT)).isEqualTo(0x21);
            guest.runToOut(0x20);
            assertThat(guest.vcpu.getOneReg(RegisterId.EVENT_PENDING_EXTINT)).isEqualTo(-1);
            guest.runToOut(0x12);
        }
    }

    @Test
    void wrongVectorsAreRefused() {
        try (Guest guest = guest(false, "f4")) {
            assertFails("KVM_INTERRUPT", Errno.EINVAL, "256", () -> guest.vcpu.interrupt(256));
            assertFails("KVM_INTERRUPT", Errno.EINVAL, "-1", () -> guest.vcpu.interrupt(-1));
        }
    }

    @Test
    void cr8IsSharedWithTheCallerWithoutALocalApic() {
        try (Guest guest = Guest.longMode(false, """
                44 0f 20 c0  mov rax, cr8
                e6 10        out 10h, al
                b8 09 00 00 00  mov eax, 9
                44 0f 22 c0  mov cr8, rax
                e6 11        out 11h, al
                """)) {
            guest.run.setCr8(5);
            assertThat(guest.runToOut(0x10)).isEqualTo(5);
            int reason = guest.vcpu.run();
            if (reason == ExitReason.SET_TPR) {
                reason = guest.vcpu.run();
            }
            assertThat(reason).isEqualTo(ExitReason.IO);
            assertThat(guest.run.cr8()).isEqualTo(9);
            assertThat(guest.sregs().cr8).isEqualTo(9);
        }
    }
}
