package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** KVM's paravirtual interfaces: hypercalls, end of interrupt, IPIs, wake-up of halted vcpus. */
@Timeout(60)
class ParavirtTest {
    private static final int STEAL_TIME = 0x4b564d03;
    private static final int PV_EOI = 0x4b564d04;
    private static final int POLL_CONTROL = 0x4b564d05;
    private static final int APIC_ISR = 0x100;
    private static final int FLAG = 0x5000;

    /** Calls with whatever the registers hold, tells port 10h, and again. */
    private static final String CALLS = """
            0f 01 c1  vmcall
            e7 10     out 10h, eax
            eb f9     jmp to the vmcall
            """;

    private static long call(Guest guest, long number, long a0, long a1, long a2, long a3) {
        Regs regs = guest.regs();
        regs.rax = number;
        regs.rbx = a0;
        regs.rcx = a1;
        regs.rdx = a2;
        regs.rsi = a3;
        guest.vcpu.setRegs(regs);
        guest.runToOut(0x10);
        return guest.regs().rax;
    }

    @Test
    void hypercallsAnswerAsKvms() {
        try (Guest guest = Guest.longMode(true, CALLS)) {
            assertThat(call(guest, 1, 0, 0, 0, 0)).as("VAPIC_POLL_IRQ").isZero();
            assertThat(call(guest, 2, 0, 0, 0, 0)).as("unknown").isEqualTo(-1000);
            assertThat(call(guest, 1L << 32 | 1, 0, 0, 0, 0))
                    .as("64 bits count")
                    .isEqualTo(-1000);
            assertThat(call(guest, 5, 0, 77, 0, 0)).as("KICK_CPU, nobody there").isZero();
            assertThat(call(guest, 11, 0, 0, 0, 0)).as("SCHED_YIELD").isZero();
            assertThat(call(guest, 10, 0, 0, 0, 0x841)).as("SEND_IPI, logical").isEqualTo(-22);
            assertThat(call(guest, 10, 1, 0, 300, 0x41)).as("nobody there").isZero();
            assertThat(call(guest, 9, FLAG, 1, 0, 0))
                    .as("CLOCK_PAIRING, another clock")
                    .isEqualTo(-95);
            assertThat(call(guest, 9, 0x10_0000, 0, 0, 0)).as("no memory").isEqualTo(-14);
            long before = System.currentTimeMillis() / 1000;
            assertThat(call(guest, 9, FLAG, 0, 0, 0)).isZero();
            assertThat(guest.peek64(FLAG)).isBetween(before, before + 60);
            assertThat(guest.peek64(FLAG + 8)).isBetween(0L, 999_999_999L);
            assertThat(guest.peek64(FLAG + 16)).isBetween(1L, guest.vcpu.getMsr(0x10));
        }
    }

    @Test
    void outside64BitModeTheLowerHalvesCount() {
        try (Guest guest = Guest.protectedMode(true, CALLS)) {
            assertThat(call(guest, 2, 0, 0, 0, 0)).isEqualTo(0xFFFF_FC18L);
            assertThat(call(guest, 0x1_0000_0001L, 0, 0, 0, 0)).isZero();
        }
        try (Guest guest = Guest.protectedMode(false, CALLS)) {
            assertThat(call(guest, 10, 1, 0, 0, 0x41)).as("no local APICs").isEqualTo(-95 & 0xFFFF_FFFFL);
        }
    }

    @Test
    void anIpiGoesToEachBit() {
        try (Guest guest = Guest.longMode(true, CALLS)) {
            Vcpu second = guest.vm.createVcpu(1);
            Vcpu far = guest.vm.createVcpu(70);
            for (Vcpu vcpu : new Vcpu[] {second, far}) {
                LapicState lapic = new LapicState();
                vcpu.getLapic(lapic);
                lapic.set(0xF0, 0x1FF);
                vcpu.setLapic(lapic);
            }
            assertThat(call(guest, 10, 2, 1L << 6, 0, 0x41)).as("1 and 64 + 6").isEqualTo(2);
            assertThat(irr(second, 0x41)).isTrue();
            assertThat(irr(far, 0x41)).isTrue();
            assertThat(irr(guest.vcpu, 0x41)).isFalse();
            assertThat(call(guest, 10, 1, 0, 70, 0x52)).isEqualTo(1);
            assertThat(irr(far, 0x52)).isTrue();
            assertThat(call(guest, 10, 1, 0, 0, 0x41)).as("software-disabled").isZero();
            assertThat(call(guest, 10, 2, 0, 0, 0x400)).as("an NMI").isEqualTo(1);
            VcpuEvents events = new VcpuEvents();
            second.getVcpuEvents(events);
            assertThat(events.nmiPending).isTrue();
        }
    }

    private static boolean irr(Vcpu vcpu, int vector) {
        LapicState lapic = new LapicState();
        vcpu.getLapic(lapic);
        return (lapic.get(0x200 + (vector >> 5) * 16) & 1 << vector) != 0;
    }

    @Test
    void aKickEndsHaltWithoutAnInterrupt() throws InterruptedException {
        try (Guest guest = Guest.longMode(true, """
                fa        cli
                f4        hlt
                e7 11     out 11h, eax
                f4        hlt
                e7 12     out 12h, eax
                """)) {
            Vcpu second = guest.vm.createVcpu(1);
            second.setCpuid(guest.kvm.supportedCpuid());
            Sregs sregs = guest.sregs();
            sregs.apicBase = 0xFEE0_0800L;
            second.setSregs(sregs);
            guest.load(0x2000, "0f 01 c1 e7 10 eb f9");
            Regs regs = new Regs();
            regs.rip = 0x2000;
            regs.rflags = 2;
            regs.rax = 5;
            regs.rcx = 0;
            second.setRegs(regs);
            second.setMpState(MpState.RUNNABLE);
            // Once before the HLT, which then passes; then while it waits.
            assertThat(second.run()).isEqualTo(ExitReason.IO);
            guest.runToOut(0x11);
            Thread other = Thread.ofPlatform().start(() -> {
                Regs again = new Regs();
                second.getRegs(again);
                again.rax = 5;
                second.setRegs(again);
                try {
                    Thread.sleep(20);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                second.run();
            });
            guest.runToOut(0x12);
            other.join();
            assertThat(guest.vcpu.mpState()).isEqualTo(MpState.RUNNABLE);
        }
    }

    /** x2APIC on, one interrupt taken; its handler tells port 13h and returns without an EOI. */
    private static Guest interrupted() {
        Guest guest = Guest.realModeSplit("""
                e6 10  out 10h, al
                fb     sti
                90     nop
                90     nop
                e6 11  out 11h, al
                90     nop
                e6 12  out 12h, al
                """);
        guest.load(0x3000, "e6 13 cf  out 13h, al; iret");
        guest.realModeVector(0x41, 0x3000);
        guest.realModeVector(0x35, 0x3000);
        guest.vcpu.setMsr(0x1B, 0xFEE0_0D00L);
        guest.vcpu.setMsr(0x80F, 0x1FF);
        guest.runToOut(0x10);
        guest.vcpu.setMsr(PV_EOI, FLAG | 1);
        guest.vm.signalMsi(0xFEE0_0000L, 0x41);
        guest.runToOut(0x13);
        return guest;
    }

    private static boolean inService(Guest guest, int vector) {
        LapicState lapic = new LapicState();
        guest.vcpu.getLapic(lapic);
        return (lapic.get(APIC_ISR + (vector >> 5) * 16) & 1 << vector) != 0;
    }

    @Test
    void theGuestEndsAnInterruptInItsMemory() {
        try (Guest guest = interrupted()) {
            assertThat(guest.peek8(FLAG)).isEqualTo(1);
            guest.poke8(FLAG, 0);
            assertThat(inService(guest, 0x41)).isFalse();
            guest.vm.signalMsi(0xFEE0_0000L, 0x35);
            guest.runToOut(0x13);
            assertThat(guest.peek8(FLAG)).as("the next one").isEqualTo(1);
        }
    }

    @Test
    void anEndThatWasNotMadeIsAskedFor() {
        try (Guest guest = interrupted()) {
            assertThat(inService(guest, 0x41)).isTrue();
            assertThat(guest.peek8(FLAG))
                    .as("whoever looked took the offer back")
                    .isZero();
            guest.vm.signalMsi(0xFEE0_0000L, 0x35);
            guest.runToOut(0x11);
            guest.vcpu.setMsr(0x80B, 0);
            guest.runToOut(0x13);
        }
    }

    @Test
    void aSecondInterruptTakesTheOfferBack() {
        try (Guest guest = interrupted()) {
            guest.vm.signalMsi(0xFEE0_0000L, 0x35);
            guest.runToOut(0x11);
            assertThat(guest.peek8(FLAG)).as("it has to wait for a real end").isZero();
            assertThat(inService(guest, 0x41)).isTrue();
        }
    }

    @Test
    void msrsTakeWhatKvmsTake() {
        try (Guest guest = Guest.realModeSplit("f4")) {
            assertThat(guest.vcpu.setMsrs(new int[] {STEAL_TIME, PV_EOI, POLL_CONTROL}, new long[] {0x1003, 0, 0}))
                    .as("reserved bits of steal time")
                    .isZero();
            assertThat(guest.vcpu.setMsrs(new int[] {PV_EOI}, new long[] {0x1003}))
                    .isZero();
            assertThat(guest.vcpu.getMsr(POLL_CONTROL)).isEqualTo(1);
            assertThat(guest.vcpu.setMsrs(new int[] {POLL_CONTROL}, new long[] {2}))
                    .isZero();
            assertThat(guest.vcpu.setMsrs(new int[] {POLL_CONTROL}, new long[] {0}))
                    .isEqualTo(1);
            assertThat(guest.vcpu.getMsr(POLL_CONTROL)).isZero();
            guest.vcpu.setMsr(PV_EOI, 0x5001);
            assertThat(guest.vcpu.getMsr(PV_EOI)).isEqualTo(0x5001);
            assertThat(guest.kvm.msrIndexList()).contains(STEAL_TIME, PV_EOI, POLL_CONTROL);
        }
    }
}
