package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** KVM_X86_SET_MSR_FILTER and the exits of MSRs. */
@ExtendWith(BinaryAbi.class)
class MsrExitTest {
    private static final int READ = MsrFilter.Range.READ;
    private static final int WRITE = MsrFilter.Range.WRITE;

    /** rdmsr; out 80,al; wrmsr; out 81,al; hlt, with #GP at 2000h: out 0d. */
    private static Guest guest(int msr, long value) {
        Guest guest = Guest.realMode("0f 32 e6 80 0f 30 e6 81 f4");
        guest.realModeVector(13, 0x2000);
        guest.load(0x2000, "b0 0d e6 0d f4");
        Regs regs = guest.regs();
        regs.rcx = Integer.toUnsignedLong(msr);
        regs.rax = value & 0xFFFF_FFFFL;
        regs.rdx = value >>> 32;
        guest.vcpu.setRegs(regs);
        return guest;
    }

    private static void exitsFor(Guest guest, long reasons) {
        guest.vm.enableCap(Capability.X86_USER_SPACE_MSR, reasons);
    }

    @Test
    void anUnknownMsrIsAGeneralProtectionFaultUntilExitsAreOn() {
        try (Guest guest = guest(0x12345678, 0)) {
            guest.runToOut(0x0D);
        }
        try (Guest guest = guest(0x12345678, 0)) {
            exitsFor(guest, VcpuRun.MSR_UNKNOWN);
            guest.runTo(ExitReason.X86_RDMSR);
            assertThat(guest.run.msrReason()).isEqualTo(VcpuRun.MSR_UNKNOWN);
            assertThat(guest.run.msrIndex()).isEqualTo(0x12345678);
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE);
            guest.run.setMsrData(0x1122334455667799L);
            assertThat(guest.runToOut(0x80)).isEqualTo(0x99);
            assertThat(guest.regs().rax).isEqualTo(0x55667799L);
            assertThat(guest.regs().rdx).isEqualTo(0x11223344L);
            guest.runTo(ExitReason.X86_WRMSR);
            assertThat(guest.run.msrData()).isEqualTo(0x1122334455667799L);
            assertThat(guest.run.msrReason()).isEqualTo(VcpuRun.MSR_UNKNOWN);
            guest.runToOut(0x81);
        }
    }

    @Test
    void theCallerCanRaiseTheFaultItself() {
        try (Guest guest = guest(0x12345678, 0)) {
            exitsFor(guest, VcpuRun.MSR_UNKNOWN);
            guest.runTo(ExitReason.X86_RDMSR);
            guest.run.setMsrError(true);
            guest.runToOut(0x0D);
            // The frame's IP is the instruction's.
            assertThat(guest.peek32(Guest.STACK - 6) & 0xFFFF).isEqualTo(Guest.CODE);
        }
    }

    @Test
    void aWrongValueOfAKnownMsrIsInvalid() {
        // IA32_PAT with memory type 2 in entry 0.
        try (Guest guest = guest(0x277, 2)) {
            exitsFor(guest, VcpuRun.MSR_INVALID);
            Regs regs = guest.regs();
            regs.rip = Guest.CODE + 4;
            guest.vcpu.setRegs(regs);
            guest.runTo(ExitReason.X86_WRMSR);
            assertThat(guest.run.msrReason()).isEqualTo(VcpuRun.MSR_INVALID);
            guest.runToOut(0x81);
            assertThat(guest.vcpu.getMsr(0x277)).isEqualTo(0x0007040600070406L);
        }
        // Exits of other reasons do not take it.
        try (Guest guest = guest(0x277, 2)) {
            exitsFor(guest, VcpuRun.MSR_UNKNOWN | VcpuRun.MSR_FILTER);
            Regs regs = guest.regs();
            regs.rip = Guest.CODE + 4;
            guest.vcpu.setRegs(regs);
            guest.runToOut(0x0D);
        }
    }

    @Test
    void aFilterDeniesByRangeAndDirection() {
        // SYSENTER_CS to EIP are 174 to 176: 175 may be read only.
        MsrFilter filter = new MsrFilter(
                0,
                List.of(
                        new MsrFilter.Range(READ, 0x174, 3, new byte[] {7}),
                        new MsrFilter.Range(WRITE, 0x174, 3, new byte[] {5})));
        try (Guest guest = guest(0x175, 0x42)) {
            guest.vm.setMsrFilter(filter);
            exitsFor(guest, VcpuRun.MSR_FILTER);
            guest.runToOut(0x80);
            guest.runTo(ExitReason.X86_WRMSR);
            assertThat(guest.run.msrReason()).isEqualTo(VcpuRun.MSR_FILTER);
            assertThat(guest.run.msrIndex()).isEqualTo(0x175);
            guest.runToOut(0x81);
        }
        try (Guest guest = guest(0x175, 0x42)) {
            guest.vm.setMsrFilter(filter);
            guest.runToOut(0x80);
            // Without the exit it is a fault; calls of the API are not filtered.
            guest.runToOut(0x0D);
            guest.vcpu.setMsr(0x175, 0x77);
        }
        try (Guest guest = guest(0x176, 0x42)) {
            guest.vm.setMsrFilter(filter);
            guest.runToOut(0x80);
            guest.runToOut(0x81);
        }
    }

    @Test
    void denyingByDefaultLeavesTheRangesAndX2apic() {
        MsrFilter filter = new MsrFilter(
                MsrFilter.DEFAULT_DENY, List.of(new MsrFilter.Range(READ | WRITE, 0x174, 1, new byte[] {1})));
        try (Guest guest = guest(0x174, 1)) {
            guest.vm.setMsrFilter(filter);
            guest.runToOut(0x80);
            guest.runToOut(0x81);
        }
        try (Guest guest = guest(0x10, 1)) {
            guest.vm.setMsrFilter(filter);
            guest.runToOut(0x0D);
        }
        // It is replaced, while the vcpu exists.
        try (Guest guest = guest(0x10, 1)) {
            guest.vm.setMsrFilter(filter);
            guest.vm.setMsrFilter(MsrFilter.NONE);
            guest.runToOut(0x80);
        }
        // x2APIC registers are not filtered: with APIC_BASE in x2APIC mode TPR can be read.
        try (Guest guest = Guest.realModeSplit("0f 32 e6 80 f4")) {
            guest.vm.setMsrFilter(filter);
            guest.vcpu.setMsr(0x1B, 0xFEE00000L | 0xD00);
            Regs regs = guest.regs();
            regs.rcx = 0x808;
            guest.vcpu.setRegs(regs);
            guest.runToOut(0x80);
        }
    }

    @Test
    void wrongFiltersAndReasonsAreRefused() {
        String call = "KVM_X86_SET_MSR_FILTER";
        try (Guest guest = guest(0x10, 1)) {
            Vm vm = guest.vm;
            byte[] one = {1};
            assertFails(call, Errno.EINVAL, "flags=0x2", () -> vm.setMsrFilter(new MsrFilter(2, List.of())));
            assertFails(call, Errno.EINVAL, "DEFAULT_DENY", () -> vm.setMsrFilter(new MsrFilter(1, List.of())));
            assertFails(
                    call,
                    Errno.EINVAL,
                    "range flags=0x4",
                    () -> vm.setMsrFilter(new MsrFilter(0, List.of(new MsrFilter.Range(4, 0, 1, one)))));
            assertFails(
                    call,
                    Errno.EINVAL,
                    "range flags=0x0",
                    () -> vm.setMsrFilter(new MsrFilter(0, List.of(new MsrFilter.Range(0, 0, 1, one)))));
            assertFails(
                    call,
                    Errno.EINVAL,
                    "nmsrs=12289",
                    () -> vm.setMsrFilter(
                            new MsrFilter(0, List.of(new MsrFilter.Range(1, 0, 12289, new byte[0x601])))));
            assertFails(
                    call,
                    Errno.EINVAL,
                    "bitmap of 1 bytes",
                    () -> vm.setMsrFilter(new MsrFilter(0, List.of(new MsrFilter.Range(1, 0, 9, one)))));
            assertFails(
                    call,
                    Errno.EINVAL,
                    "ranges=17",
                    () -> vm.setMsrFilter(
                            new MsrFilter(0, Collections.nCopies(17, new MsrFilter.Range(1, 0, 1, one)))));
            assertFails("KVM_ENABLE_CAP", Errno.EINVAL, "X86_USER_SPACE_MSR", () -> exitsFor(guest, 8));
        }
    }

    @Test
    void aStepOverAnExitOfAnMsrIsOneStep() {
        try (Guest guest = guest(0x12345678, 0)) {
            exitsFor(guest, VcpuRun.MSR_UNKNOWN);
            GuestDebug debug = new GuestDebug();
            debug.control = GuestDebug.ENABLE | GuestDebug.SINGLESTEP;
            guest.vcpu.setGuestDebug(debug);
            guest.runTo(ExitReason.X86_RDMSR);
            guest.runTo(ExitReason.DEBUG);
            assertThat(guest.run.debugPc()).isEqualTo(Guest.CODE + 2);
        }
    }
}
