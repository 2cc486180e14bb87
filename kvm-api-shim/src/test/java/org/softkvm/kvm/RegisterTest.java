package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(BinaryAbi.class)
class RegisterTest {
    private static final String SET_SREGS = "KVM_SET_SREGS";

    @Test
    void thePowerOnStateIsThatOfAnX86() {
        try (Kvm kvm = Guest.open();
                Vm vm = kvm.createVm()) {
            Vcpu vcpu = vm.createVcpu(0);
            Regs regs = new Regs();
            Sregs sregs = new Sregs();
            vcpu.getRegs(regs);
            vcpu.getSregs(sregs);
            assertThat(regs.rip).isEqualTo(0xFFF0);
            assertThat(regs.rflags).isEqualTo(2);
            assertThat(regs.rax).isZero();
            assertThat(sregs.cs.selector).isEqualTo(0xF000);
            assertThat(sregs.cs.base).isEqualTo(0xFFFF_0000L);
            assertThat(sregs.cs.limit).isEqualTo(0xFFFF);
            assertThat(sregs.ds.base).isZero();
            assertThat(sregs.cr0).isEqualTo(0x6000_0010L);
            assertThat(sregs.cr4).isZero();
            assertThat(sregs.efer).isZero();
            assertThat(sregs.idt.limit).isEqualTo(0xFFFF);
            assertThat(vcpu.mpState()).isEqualTo(MpState.RUNNABLE);
        }
    }

    @Test
    void generalRegistersKeepWhatIsWritten() {
        try (Guest guest = Guest.longMode(false, "f4")) {
            Regs regs = new Regs();
            regs.rax = 0x0101010101010101L;
            regs.rbx = 2;
            regs.rcx = 3;
            regs.rdx = 4;
            regs.rsi = 5;
            regs.rdi = 6;
            regs.rsp = 7;
            regs.rbp = 8;
            regs.r8 = 9;
            regs.r9 = 10;
            regs.r10 = 11;
            regs.r11 = 12;
            regs.r12 = 13;
            regs.r13 = 14;
            regs.r14 = 15;
            regs.r15 = -1;
            regs.rip = 0x1234;
            regs.rflags = 0xCD7;
            guest.vcpu.setRegs(regs);
            assertThat(guest.regs()).usingRecursiveComparison().isEqualTo(regs);
            regs.rflags = 0;
            guest.vcpu.setRegs(regs);
            assertThat(guest.regs().rflags).as("bit 1 is always set").isEqualTo(2);
        }
    }

    @Test
    void segmentAndControlRegistersKeepWhatIsWritten() {
        try (Guest guest = Guest.longMode(true, "f4")) {
            Sregs sregs = guest.sregs();
            sregs.fs.base = 0x7FFF_1234_5678L;
            sregs.fs.selector = 0x2B;
            sregs.gs.base = 0xFFFF_8000_0000_0000L;
            sregs.tr.selector = 0x40;
            sregs.tr.base = 0x5000;
            sregs.tr.limit = 0x67;
            sregs.tr.type = 11;
            sregs.tr.present = 1;
            sregs.tr.s = 0;
            sregs.tr.unusable = 0;
            sregs.ldt.unusable = 1;
            sregs.ldt.present = 0;
            sregs.gdt.base = 0xFFFF_F000_0000_1000L;
            sregs.gdt.limit = 0x7F;
            sregs.idt.base = 0x6000;
            sregs.idt.limit = 0xFFF;
            sregs.cr2 = 0xDEAD_BEEFL;
            sregs.cr8 = 6;
            guest.vcpu.setSregs(sregs);
            assertThat(guest.sregs()).usingRecursiveComparison().isEqualTo(sregs);
        }
    }

    @Test
    void wrongCombinationsOfControlRegistersAreRefused() {
        try (Guest guest = Guest.longMode(true, "f4")) {
            refused(guest, "cr0", sregs -> sregs.cr0 |= 1L << 32);
            refused(guest, "cr0", sregs -> sregs.cr0 = sregs.cr0 & ~(1L << 30) | 1L << 29);
            refused(guest, "cr0", sregs -> sregs.cr0 &= ~1L);
            refused(guest, "cr4", sregs -> sregs.cr4 &= ~0x20L);
            refused(guest, "cr4", sregs -> sregs.cr4 |= 1L << 31);
            refused(guest, "efer", sregs -> sregs.efer &= ~0x400L);
            refused(guest, "efer", sregs -> sregs.efer |= 1L << 63);
            refused(guest, "efer", sregs -> sregs.cr0 &= ~(1L << 31));
            refused(guest, "cr3", sregs -> sregs.cr3 = 1L << 60);
            refused(guest, "cr8", sregs -> sregs.cr8 = 16);
            refused(guest, "apic_base", sregs -> sregs.apicBase |= 1L << 62);
            refused(guest, "interrupt_bitmap", sregs -> sregs.interruptBitmap[1] = 3);
        }
        try (Guest guest = Guest.protectedMode(false, "f4")) {
            refused(guest, "cs.l", sregs -> sregs.cs.l = 1);
            refused(guest, "efer", sregs -> sregs.efer |= 0x400);
        }
    }

    private static void refused(Guest guest, String argument, Consumer<Sregs> change) {
        Sregs before = guest.sregs();
        Sregs changed = guest.sregs();
        change.accept(changed);
        assertFails(SET_SREGS, Errno.EINVAL, argument, () -> guest.vcpu.setSregs(changed));
        assertThat(guest.sregs()).usingRecursiveComparison().isEqualTo(before);
    }

    @Test
    void floatingPointRegistersKeepWhatIsWritten() {
        try (Guest guest = Guest.longMode(false, "f4")) {
            Fpu fpu = new Fpu();
            guest.vcpu.getFpu(fpu);
            assertThat(fpu.mxcsr).isEqualTo(0x1F80);
            for (int i = 0; i < 8; i++) {
                for (int b = 0; b < 10; b++) {
                    fpu.fpr[i][b] = (byte) (i * 16 + b + 1);
                }
                fpu.fpr[i][7] |= (byte) 0x80;
            }
            for (int i = 0; i < 16; i++) {
                for (int b = 0; b < 16; b++) {
                    fpu.xmm[i][b] = (byte) (i * 16 + b);
                }
            }
            fpu.fcw = 0x27F;
            fpu.fsw = 0x2800;
            fpu.ftwx = 0x5A;
            fpu.lastOpcode = 0x123;
            fpu.lastIp = 0x1234_5678_9ABCL;
            fpu.lastDp = 0xCBA9_8765_4321L;
            fpu.mxcsr = 0x9FC0;
            guest.vcpu.setFpu(fpu);
            Fpu back = new Fpu();
            guest.vcpu.getFpu(back);
            assertThat(back).usingRecursiveComparison().isEqualTo(fpu);
        }
    }

    @Test
    void theGuestSeesTheRegistersOfTheApiAndTheOtherWayRound() {
        try (Guest guest = Guest.longMode(false, """
                48 01 d8           add rax, rbx
                66 0f fe c1        paddd xmm0, xmm1
                f4                 hlt
                """)) {
            Sregs sregs = guest.sregs();
            sregs.cr4 |= 0x600;
            guest.vcpu.setSregs(sregs);
            Regs regs = guest.regs();
            regs.rax = 40;
            regs.rbx = 2;
            guest.vcpu.setRegs(regs);
            Fpu fpu = new Fpu();
            guest.vcpu.getFpu(fpu);
            fpu.xmm[0][0] = 1;
            fpu.xmm[1][0] = 2;
            fpu.xmm[1][12] = 7;
            guest.vcpu.setFpu(fpu);
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rax).isEqualTo(42);
            guest.vcpu.getFpu(fpu);
            assertThat(fpu.xmm[0][0]).isEqualTo((byte) 3);
            assertThat(fpu.xmm[0][12]).isEqualTo((byte) 7);
        }
    }

    @Test
    void msrsAreReadAndWrittenUpToTheFirstUnknown() {
        try (Guest guest = Guest.longMode(true, "f4")) {
            int[] indices = {0xC0000082, 0x174, 0x12345678, 0x175};
            assertThat(guest.vcpu.setMsrs(indices, new long[] {0xFFFF_8000_0000_1000L, 0x10, 1, 2}))
                    .isEqualTo(2);
            long[] values = new long[4];
            assertThat(guest.vcpu.getMsrs(indices, values)).isEqualTo(2);
            assertThat(values).containsExactly(0xFFFF_8000_0000_1000L, 0x10, 0, 0);
            assertFails("KVM_GET_MSRS", Errno.EINVAL, "0x12345678", () -> guest.vcpu.getMsr(0x12345678));
            assertFails("KVM_SET_MSRS", Errno.EINVAL, "0x12345678", () -> guest.vcpu.setMsr(0x12345678, 0));
            assertFails(
                    "KVM_SET_MSRS",
                    Errno.EINVAL,
                    "data=0x8000000000000000",
                    () -> guest.vcpu.setMsr(0xC0000082, Long.MIN_VALUE));
            assertFails("KVM_GET_MSRS", Errno.EINVAL, "values.length", () -> guest.vcpu.getMsrs(indices, new long[1]));
            assertFails("KVM_GET_MSRS", Errno.E2BIG, "nmsrs", () -> guest.vcpu.getMsrs(new int[256], new long[256]));
        }
    }

    @Test
    void theTimeStampCounterGoesOnFromWhatIsWritten() {
        try (Guest guest = Guest.longMode(true, "f4")) {
            guest.vcpu.setMsr(0x10, 1L << 40);
            assertThat(guest.vcpu.getMsr(0x10)).isBetween(1L << 40, (1L << 40) + 60_000_000_000L);
            long adjust = guest.vcpu.getMsr(0x3B);
            guest.vcpu.setMsr(0x3B, 12345);
            assertThat(guest.vcpu.getMsr(0x10)).isBetween(1L << 40, (1L << 40) + 60_000_000_000L);
            assertThat(guest.vcpu.getMsr(0x3B)).isEqualTo(12345);
            assertThat(adjust)
                    .as("a write from outside is no adjustment by the guest")
                    .isZero();
        }
    }

    @Test
    void theFrequencyOfTheTimeStampCounterCanBeChosen() {
        try (Guest guest = Guest.longMode(true, "f4")) {
            assertThat(guest.vcpu.tscKhz()).isEqualTo(1_000_000);
            guest.vcpu.setTscKhz(2_500_000);
            assertThat(guest.vcpu.tscKhz()).isEqualTo(2_500_000);
            guest.vcpu.setTscKhz(0);
            assertThat(guest.vcpu.tscKhz()).isEqualTo(1_000_000);
            assertFails("KVM_SET_TSC_KHZ", Errno.EINVAL, "5", () -> guest.vcpu.setTscKhz(5));
            assertFails("KVM_SET_TSC_KHZ", Errno.EINVAL, "-1", () -> guest.vcpu.setTscKhz(-1));
        }
    }

    @Test
    void cpuidReturnsWhatIsSet() {
        try (Guest guest = Guest.longMode(true, """
                b8 00 00 00 40     mov eax, 40000000h
                0f a2              cpuid
                e6 10              out 10h, al
                """)) {
            List<CpuidEntry> entries = new ArrayList<>(guest.kvm.supportedCpuid());
            entries.removeIf(entry -> entry.function() == 0x40000000);
            entries.add(new CpuidEntry(0x40000000, 0, 0, 0x40000001, 0x11111111, 0x22222222, 0x33333333));
            guest.vcpu.setCpuid(entries);
            assertThat(guest.vcpu.cpuid()).isEqualTo(entries);
            guest.runToOut(0x10);
            Regs regs = guest.regs();
            assertThat(regs.rax).isEqualTo(0x40000001);
            assertThat(regs.rbx).isEqualTo(0x11111111);
            assertThat(regs.rcx).isEqualTo(0x22222222);
            assertThat(regs.rdx).isEqualTo(0x33333333);
        }
    }

    @Test
    void cpuidCannotChangeOnceTheVcpuRan() {
        try (Guest guest = Guest.realMode("f4")) {
            guest.runTo(ExitReason.HLT);
            List<CpuidEntry> same = guest.vcpu.cpuid();
            guest.vcpu.setCpuid(same);
            assertFails("KVM_SET_CPUID2", Errno.EINVAL, "ran already", () -> guest.vcpu.setCpuid(same.subList(0, 2)));
            List<CpuidEntry> many = new ArrayList<>();
            for (int i = 0; i < 257; i++) {
                many.add(new CpuidEntry(i, 0, 0, 0, 0, 0, 0));
            }
            assertFails("KVM_SET_CPUID2", Errno.E2BIG, "257", () -> guest.vcpu.setCpuid(many));
        }
    }

    @Test
    void linearAddressesAreTranslated() {
        try (Guest guest = Guest.longMode(false, "f4")) {
            assertThat(guest.vcpu.translate(0x1234)).isEqualTo(0x1234);
            assertThat(guest.vcpu.translate(0xC000_0000L)).isEqualTo(0xC000_0000L);
            assertThat(guest.vcpu.translate(1L << 40)).isEqualTo(-1);
        }
        try (Guest guest = Guest.realMode("f4")) {
            assertThat(guest.vcpu.translate(0x5678)).isEqualTo(0x5678);
        }
    }

    @Test
    void theMpStateNeedsALocalApic() {
        try (Guest guest = Guest.realMode("f4")) {
            guest.vcpu.setMpState(MpState.RUNNABLE);
            assertFails("KVM_SET_MP_STATE", Errno.EINVAL, "HALTED", () -> guest.vcpu.setMpState(MpState.HALTED));
        }
        assertFails("KVM_SET_MP_STATE", Errno.EINVAL, "mp_state=9", () -> MpState.of(9));
    }
}
