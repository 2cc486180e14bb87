package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** KVM_SET_GUEST_DEBUG and KVM_EXIT_DEBUG, as KVM's own test of debug registers has them and beyond. */
@ExtendWith(BinaryAbi.class)
class GuestDebugTest {
    private static final long DR6_ONES = 0xFFFF0FF0L;
    private static final int DB = 1;
    private static final int BP = 3;

    private static void debug(Guest guest, int control, long... breakpoints) {
        GuestDebug debug = new GuestDebug();
        debug.control = control;
        debug.debugreg[7] = 0x400;
        System.arraycopy(breakpoints, 0, debug.debugreg, 0, breakpoints.length);
        guest.vcpu.setGuestDebug(debug);
    }

    private static void debug7(Guest guest, int control, long address, long dr7) {
        GuestDebug debug = new GuestDebug();
        debug.control = control;
        debug.debugreg[0] = address;
        debug.debugreg[7] = dr7;
        guest.vcpu.setGuestDebug(debug);
    }

    private static void runToDebug(Guest guest, int exception, long pc, long causes) {
        guest.runTo(ExitReason.DEBUG);
        assertThat(guest.run.debugException()).isEqualTo(exception);
        assertThat(guest.run.debugPc()).isEqualTo(pc);
        assertThat(guest.run.debugDr6()).isEqualTo(DR6_ONES | causes);
    }

    @Test
    void int3EndsTheRunOnlyWhereItWasAskedFor() {
        // nop; int3; nop; hlt
        try (Guest guest = Guest.longMode(false, "90 cc 90 f4")) {
            debug(guest, GuestDebug.ENABLE | GuestDebug.USE_SW_BP);
            runToDebug(guest, BP, Guest.CODE + 1, 0);
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE + 1);
            // Nothing has happened: it is hit again.
            runToDebug(guest, BP, Guest.CODE + 1, 0);
            Regs regs = guest.regs();
            regs.rip++;
            guest.vcpu.setRegs(regs);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void withoutEnableNothingIsOn() {
        try (Guest guest = Guest.realMode("cc f4")) {
            guest.realModeVector(3, 0x2000);
            guest.load(0x2000, "b0 33 e6 80 f4");
            debug(guest, GuestDebug.USE_SW_BP | GuestDebug.SINGLESTEP);
            assertThat(guest.runToOut(0x80)).isEqualTo(0x33);
        }
    }

    @Test
    void injectBpRaisesTheExceptionOfTheInt3AtRip() {
        // int3; (returns here) mov al,44; out 80,al; hlt
        try (Guest guest = Guest.realMode("cc b0 44 e6 80 f4")) {
            guest.realModeVector(3, 0x2000);
            guest.load(0x2000, "fe 06 00 60 cf");
            debug(guest, GuestDebug.ENABLE | GuestDebug.USE_SW_BP);
            runToDebug(guest, BP, Guest.CODE, 0);
            debug(guest, GuestDebug.ENABLE | GuestDebug.USE_SW_BP | GuestDebug.INJECT_BP);
            assertFails(
                    "KVM_SET_GUEST_DEBUG",
                    Errno.EBUSY,
                    "exception 3",
                    () -> debug(guest, GuestDebug.ENABLE | GuestDebug.INJECT_DB));
            assertThat(guest.runToOut(0x80)).isEqualTo(0x44);
            assertThat(guest.peek8(0x6000)).isEqualTo(1);
        }
    }

    @Test
    void injectDbRaisesADebugExceptionAndLeavesDr6Alone() {
        try (Guest guest = Guest.realMode("b0 44 e6 80 f4")) {
            guest.realModeVector(1, 0x2000);
            guest.load(0x2000, "fe 06 00 60 cf");
            debug(guest, GuestDebug.ENABLE | GuestDebug.INJECT_DB);
            assertThat(guest.runToOut(0x80)).isEqualTo(0x44);
            assertThat(guest.peek8(0x6000)).isEqualTo(1);
            assertThat(guest.vcpu.getOneReg(RegisterId.dr(6))).isEqualTo(DR6_ONES);
        }
    }

    @Test
    void eachInstructionIsAStepAndTheGuestSeesNothingOfIt() {
        // xor eax,eax; cpuid; mov ecx,5; pushfq; pop rbx; hlt
        try (Guest guest = Guest.longMode(false, "31 c0 0f a2 b9 05 00 00 00 9c 5b f4")) {
            debug(guest, GuestDebug.ENABLE | GuestDebug.SINGLESTEP);
            long pc = Guest.CODE;
            for (int length : new int[] {2, 2, 5, 1, 1}) {
                pc += length;
                runToDebug(guest, DB, pc, 0x4000);
            }
            assertThat(guest.regs().rbx & 0x100).as("TF on the guest's stack").isZero();
            assertThat(guest.regs().rflags & 0x100).isZero();
            assertThat(guest.vcpu.getOneReg(RegisterId.dr(6))).isEqualTo(DR6_ONES);
            debug(guest, 0);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void aStepOverAnAccessOutsideComesAfterIt() {
        // out 80,al; in al,81; mov [0x200000],al; mov al,[0x200000]; nop; hlt
        try (Guest guest = Guest.protectedMode(false, "e6 80 e4 81 a2 00 00 20 00 a0 00 00 20 00 90 f4")) {
            debug(guest, GuestDebug.ENABLE | GuestDebug.SINGLESTEP);
            guest.runTo(ExitReason.IO);
            runToDebug(guest, DB, Guest.CODE + 2, 0x4000);
            guest.runTo(ExitReason.IO);
            guest.run.setIoValue(0, 0x5A);
            runToDebug(guest, DB, Guest.CODE + 4, 0x4000);
            assertThat(guest.regs().rax & 0xFF).isEqualTo(0x5A);
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioData()).isEqualTo(0x5A);
            runToDebug(guest, DB, Guest.CODE + 9, 0x4000);
            guest.runTo(ExitReason.MMIO);
            guest.run.setMmioData(0x77);
            runToDebug(guest, DB, Guest.CODE + 14, 0x4000);
            assertThat(guest.regs().rax & 0xFF).isEqualTo(0x77);
            runToDebug(guest, DB, Guest.CODE + 15, 0x4000);
        }
    }

    @Test
    void repStepsIterationByIterationAndMovSsIsAStepToo() {
        // mov cx,3; cld; rep stosb; mov ss,ax; nop; hlt
        try (Guest guest = Guest.realMode("b9 03 00 fc f3 aa 8e d0 90 f4")) {
            Regs regs = guest.regs();
            regs.rdi = 0x5000;
            regs.rax = 0;
            guest.vcpu.setRegs(regs);
            debug(guest, GuestDebug.ENABLE | GuestDebug.SINGLESTEP);
            runToDebug(guest, DB, Guest.CODE + 3, 0x4000);
            runToDebug(guest, DB, Guest.CODE + 4, 0x4000);
            runToDebug(guest, DB, Guest.CODE + 4, 0x4000);
            assertThat(guest.regs().rcx).isEqualTo(2);
            runToDebug(guest, DB, Guest.CODE + 4, 0x4000);
            runToDebug(guest, DB, Guest.CODE + 6, 0x4000);
            runToDebug(guest, DB, Guest.CODE + 8, 0x4000);
            runToDebug(guest, DB, Guest.CODE + 9, 0x4000);
        }
    }

    @Test
    void theDeliveryOfAnEventIsAStep() {
        // ud2; then handler: nop; iret
        try (Guest guest = Guest.realMode("0f 0b f4")) {
            guest.realModeVector(6, 0x2000);
            guest.load(0x2000, "90 cf");
            debug(guest, GuestDebug.ENABLE | GuestDebug.SINGLESTEP);
            runToDebug(guest, DB, 0x2000, 0x4000);
            runToDebug(guest, DB, 0x2001, 0x4000);
            runToDebug(guest, DB, Guest.CODE, 0x4000);
        }
    }

    @Test
    void interruptsWaitWhileTheyAreBlocked() {
        // sti; nop; nop; hlt
        try (Guest guest = Guest.realMode("fb 90 90 f4")) {
            guest.realModeVector(0x20, 0x2000);
            guest.realModeVector(2, 0x3000);
            guest.load(0x2000, "b0 20 e6 80 cf");
            guest.load(0x3000, "b0 02 e6 80 cf");
            debug(guest, GuestDebug.ENABLE | GuestDebug.SINGLESTEP | GuestDebug.BLOCKIRQ);
            guest.vcpu.interrupt(0x20);
            guest.vcpu.nmi();
            runToDebug(guest, DB, Guest.CODE + 1, 0x4000);
            runToDebug(guest, DB, Guest.CODE + 2, 0x4000);
            runToDebug(guest, DB, Guest.CODE + 3, 0x4000);
            debug(guest, 0);
            assertThat(guest.runToOut(0x80)).isEqualTo(2);
            assertThat(guest.runToOut(0x80)).isEqualTo(0x20);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void anInterruptThatIsTakenUnderStepsLeadsToItsHandler() {
        try (Guest guest = Guest.realMode("fb 90 90 f4")) {
            guest.realModeVector(0x20, 0x2000);
            guest.load(0x2000, "90 cf");
            debug(guest, GuestDebug.ENABLE | GuestDebug.SINGLESTEP);
            guest.vcpu.interrupt(0x20);
            runToDebug(guest, DB, Guest.CODE + 1, 0x4000);
            runToDebug(guest, DB, Guest.CODE + 2, 0x4000);
            runToDebug(guest, DB, 0x2000, 0x4000);
        }
    }

    @Test
    void hardwareBreakpointsStopBeforeTheInstruction() {
        try (Guest guest = Guest.longMode(false, "90 90 90 f4")) {
            for (int i = 0; i < 4; i++) {
                GuestDebug debug = new GuestDebug();
                debug.control = GuestDebug.ENABLE | GuestDebug.USE_HW_BP;
                debug.debugreg[i] = Guest.CODE + 2;
                debug.debugreg[7] = 0x400 | 2L << 2 * i;
                guest.vcpu.setGuestDebug(debug);
                runToDebug(guest, DB, Guest.CODE + 2, 1L << i);
                assertThat(guest.run.debugDr7()).isEqualTo(0x400 | 2L << 2 * i);
            }
            assertThat(guest.vcpu.getOneReg(RegisterId.dr(0)))
                    .as("the guest's own")
                    .isZero();
            debug(guest, 0);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void watchpointsStopAfterTheAccess() {
        // mov [0x5000],al; nop; mov al,[0x5001]; hlt
        try (Guest guest = Guest.realMode("a2 00 50 90 a0 01 50 f4")) {
            debug7(guest, GuestDebug.ENABLE | GuestDebug.USE_HW_BP, 0x5000, 0x400 | 1 | 1 << 16);
            runToDebug(guest, DB, Guest.CODE + 3, 1);
            debug7(guest, GuestDebug.ENABLE | GuestDebug.USE_HW_BP, 0x5000, 0x400 | 1 | 7 << 16);
            runToDebug(guest, DB, Guest.CODE + 7, 1);
        }
    }

    @Test
    void theGuestsOwnBreakpointsAreOutOfEffectMeanwhile() {
        // nop; nop; hlt with an instruction breakpoint of the guest at the second nop
        try (Guest guest = Guest.realMode("90 90 f4")) {
            DebugRegs own = new DebugRegs();
            own.db[0] = Guest.CODE + 1;
            own.dr7 = 0x402;
            own.dr6 = DR6_ONES;
            guest.vcpu.setDebugRegs(own);
            debug7(guest, GuestDebug.ENABLE | GuestDebug.USE_HW_BP, 0x9999, 0x402);
            guest.runTo(ExitReason.HLT);
            guest.realModeVector(1, 0x2000);
            guest.load(0x2000, "b0 11 e6 80 f4");
            debug(guest, 0);
            Regs regs = guest.regs();
            regs.rip = Guest.CODE;
            guest.vcpu.setRegs(regs);
            assertThat(guest.runToOut(0x80)).isEqualTo(0x11);
            assertThat(guest.vcpu.getOneReg(RegisterId.dr(6)) & 0xF).isEqualTo(1);
        }
    }

    @Test
    void generalDetectOfTheOutsideStopsBeforeTheMov() {
        // mov rax, dr0; hlt
        try (Guest guest = Guest.longMode(false, "0f 21 c0 f4")) {
            debug7(guest, GuestDebug.ENABLE | GuestDebug.USE_HW_BP, 0, 0x400 | 1 << 13);
            runToDebug(guest, DB, Guest.CODE, 0x2000);
            debug(guest, 0);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void aStepOfTheGuestItselfEndsTheRunTooWhileDebugExceptionsAreTaken() {
        // pushf; or word [esp], 0x100; popf; nop; hlt
        try (Guest guest = Guest.longMode(false, "9c 81 0c 24 00 01 00 00 9d 90 90 f4")) {
            debug7(guest, GuestDebug.ENABLE | GuestDebug.USE_HW_BP, 0x9999, 0x402);
            runToDebug(guest, DB, Guest.CODE + 10, 0x4000);
            runToDebug(guest, DB, Guest.CODE + 11, 0x4000);
        }
    }

    @Test
    void icebpEndsTheRunWhileDebugExceptionsAreTaken() {
        try (Guest guest = Guest.longMode(false, "90 f1 f4")) {
            debug7(guest, GuestDebug.ENABLE | GuestDebug.USE_HW_BP, 0x9999, 0x402);
            runToDebug(guest, DB, Guest.CODE + 1, 0);
        }
    }

    @Test
    void theControlBitsThatThereAreAreACapability() {
        try (Kvm kvm = Guest.open()) {
            assertThat(kvm.checkExtension(Capability.SET_GUEST_DEBUG)).isEqualTo(1);
            assertThat(kvm.checkExtension(Capability.SET_GUEST_DEBUG2)).isEqualTo(0x1F0003);
            assertThat(kvm.checkExtension(Capability.X86_ROBUST_SINGLESTEP)).isEqualTo(1);
        }
    }
}
