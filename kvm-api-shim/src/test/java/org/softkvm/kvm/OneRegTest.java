package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(BinaryAbi.class)
class OneRegTest {
    private static final long TSC = RegisterId.msr(0x10);

    @Test
    void idsAreThoseOfUpstreamWhereUpstreamHasThem() {
        assertThat(RegisterId.msr(0xC0000080)).isEqualTo(0x2030_0002_C000_0080L);
        assertThat(RegisterId.id(RegisterId.TYPE_KVM, 0)).isEqualTo(0x2030_0003_0000_0000L);
        assertThat(RegisterId.type(RegisterId.RIP)).isEqualTo(RegisterId.TYPE_GPR);
        assertThat(RegisterId.index(RegisterId.RIP)).isEqualTo(16);
    }

    @Test
    void registersAreTheOnesOfTheStructures() {
        try (Guest guest = Guest.longMode(true, "f4")) {
            Vcpu vcpu = guest.vcpu;
            for (int i = 0; i < 16; i++) {
                vcpu.setOneReg(RegisterId.gpr(i), 0x1000_0000_0000L + i);
            }
            Regs regs = guest.regs();
            assertThat(new long[] {
                        regs.rax, regs.rcx, regs.rdx, regs.rbx, regs.rsp, regs.rbp, regs.rsi, regs.rdi, regs.r8,
                        regs.r15
                    })
                    .containsExactly(
                            0x1000_0000_0000L,
                            0x1000_0000_0001L,
                            0x1000_0000_0002L,
                            0x1000_0000_0003L,
                            0x1000_0000_0004L,
                            0x1000_0000_0005L,
                            0x1000_0000_0006L,
                            0x1000_0000_0007L,
                            0x1000_0000_0008L,
                            0x1000_0000_000FL);
            vcpu.setOneReg(RegisterId.RIP, 0x4242);
            vcpu.setOneReg(RegisterId.RFLAGS, 0x246);
            assertThat(guest.regs().rip).isEqualTo(0x4242);
            assertThat(guest.regs().rflags).isEqualTo(0x246);
            vcpu.setOneReg(RegisterId.segment(RegisterId.SEGMENT_FS, RegisterId.PART_BASE), 0x7000_0000_0000L);
            assertThat(guest.sregs().fs.base).isEqualTo(0x7000_0000_0000L);
            assertThat(vcpu.getOneReg(RegisterId.segment(RegisterId.SEGMENT_CS, RegisterId.PART_ACCESS_RIGHTS)))
                    .isEqualTo(0xA09B);
            assertThat(vcpu.getOneReg(RegisterId.segment(RegisterId.SEGMENT_DS, RegisterId.PART_LIMIT)))
                    .isEqualTo(0xFFFF_FFFFL);
            vcpu.setOneReg(RegisterId.CR2, 0x1234_5678_9ABCL);
            assertThat(guest.sregs().cr2).isEqualTo(0x1234_5678_9ABCL);
            assertThat(vcpu.getOneReg(RegisterId.CR0)).isEqualTo(guest.sregs().cr0);
            vcpu.setOneReg(RegisterId.CR8, 9);
            assertThat(vcpu.getOneReg(RegisterId.lapic(0x80))).isEqualTo(0x90);
            vcpu.setOneReg(RegisterId.xmm(3, 1), 0x1122334455667788L);
            Fpu fpu = new Fpu();
            vcpu.getFpu(fpu);
            assertThat(fpu.xmm[3][8]).isEqualTo((byte) 0x88);
            assertThat(vcpu.getOneReg(RegisterId.msr(0xC0000080))).isEqualTo(guest.sregs().efer);
            assertThat(vcpu.getOneReg(RegisterId.MP_STATE)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theWholeStateGoesFromOneVcpuToAnother(boolean split) {
        try (Guest from = Guest.longMode(split, "f4");
                Guest to = split ? Guest.realModeSplit("f4") : Guest.realMode("f4")) {
            disturb(from.vcpu, split);
            long[] ids = from.vcpu.registerList();
            assertThat(Arrays.stream(ids).boxed()).doesNotHaveDuplicates();
            long[] values = new long[ids.length];
            for (int i = 0; i < ids.length; i++) {
                values[i] = from.vcpu.getOneReg(ids[i]);
            }
            for (int i = 0; i < ids.length; i++) {
                to.vcpu.setOneReg(ids[i], values[i]);
            }
            for (int i = 0; i < ids.length; i++) {
                if (ids[i] == TSC) {
                    assertThat(to.vcpu.getOneReg(TSC)).isBetween(values[i], values[i] + 60_000_000_000L);
                } else {
                    assertThat(to.vcpu.getOneReg(ids[i]))
                            .as("register 0x" + Long.toHexString(ids[i]))
                            .isEqualTo(values[i]);
                }
            }
            assertThat(to.regs()).usingRecursiveComparison().isEqualTo(from.regs());
            assertThat(to.sregs()).usingRecursiveComparison().isEqualTo(from.sregs());
        }
    }

    /** Gives every register that can have one a value of its own. */
    private static void disturb(Vcpu vcpu, boolean split) {
        for (int i = 0; i < 16; i++) {
            vcpu.setOneReg(RegisterId.gpr(i), 0x0101_0101_0101_0101L * (i + 1));
            vcpu.setOneReg(RegisterId.xmm(i, 0), 0x1111_1111_1111_1111L * i);
            vcpu.setOneReg(RegisterId.xmm(i, 1), ~0x1111_1111_1111_1111L * i);
            vcpu.setOneReg(RegisterId.xmm(i, 2), 0x2222_2222_2222_2222L * i);
            vcpu.setOneReg(RegisterId.xmm(i, 3), ~0x2222_2222_2222_2222L * i);
        }
        vcpu.setOneReg(RegisterId.RIP, 0x7777);
        vcpu.setOneReg(RegisterId.RFLAGS, 0xA97);
        vcpu.setOneReg(RegisterId.FCW, 0x27F);
        vcpu.setOneReg(RegisterId.FSW, 0x1800);
        for (int i = 0; i < 8; i++) {
            vcpu.setOneReg(RegisterId.stLow(i), 0x8000_0000_0000_0000L + i);
            vcpu.setOneReg(RegisterId.stHigh(i), 0x3FFF + i);
        }
        vcpu.setOneReg(RegisterId.FTW, 0xF0);
        vcpu.setOneReg(RegisterId.FOP, 0x5D9);
        vcpu.setOneReg(RegisterId.FIP, 0x1_0000_1000L);
        vcpu.setOneReg(RegisterId.FDP, 0x1_0000_2000L);
        vcpu.setOneReg(RegisterId.MXCSR, 0x1FA0);
        for (int i = 0; i < 4; i++) {
            vcpu.setOneReg(RegisterId.dr(i), 0x1000L * (i + 1));
            vcpu.setOneReg(RegisterId.PDPTE0 + i, 0x2001L + i * 0x1000L);
        }
        vcpu.setOneReg(RegisterId.dr(7), 0x455);
        vcpu.setOneReg(RegisterId.XCR0, 3);
        vcpu.setOneReg(RegisterId.GDTR_BASE, 0x3000);
        vcpu.setOneReg(RegisterId.GDTR_LIMIT, 0x3F);
        vcpu.setOneReg(RegisterId.IDTR_BASE, 0xFFFF_8000_0000_4000L);
        vcpu.setOneReg(RegisterId.msr(0xC0000082), 0xFFFF_8000_1234_5678L);
        vcpu.setOneReg(RegisterId.msr(0xC0000102), 0x5555);
        vcpu.setOneReg(RegisterId.msr(0x3B), 4711);
        vcpu.setOneReg(TSC, 1L << 44);
        vcpu.setOneReg(RegisterId.EVENT_NMI, 6);
        vcpu.setOneReg(RegisterId.EVENT_INTERRUPT, 1 << 16);
        if (split) {
            vcpu.setOneReg(RegisterId.lapic(0xF0), 0x1F0);
            vcpu.setOneReg(RegisterId.lapic(0x320), 0x10000 | 0x40);
            vcpu.setOneReg(RegisterId.lapic(0x220), 1 << 5);
            vcpu.setOneReg(RegisterId.EVENT_PENDING_EXTINT, 0x33);
            vcpu.setOneReg(RegisterId.MP_STATE, MpState.HALTED.number());
        } else {
            vcpu.setOneReg(RegisterId.EVENT_INTERRUPT, 0x131);
        }
    }

    @Test
    void whatIsNotARegisterIsRefused() {
        try (Guest guest = Guest.longMode(true, "f4")) {
            for (long id : new long[] {
                0,
                -1,
                0x2020_0002_0000_0010L,
                0x6030_0002_0000_0010L,
                RegisterId.id(0, 0),
                RegisterId.id(RegisterId.TYPE_KVM, 0),
                RegisterId.gpr(18),
                RegisterId.gpr(-1),
                RegisterId.dr(4),
                RegisterId.id(RegisterId.TYPE_CONTROL, 1),
                RegisterId.id(RegisterId.TYPE_SEGMENT, 32),
                RegisterId.id(RegisterId.TYPE_DESCRIPTOR_TABLE, 4),
                RegisterId.id(RegisterId.TYPE_X87, 0x18),
                RegisterId.xmm(16, 0),
                RegisterId.xmm(0, 7),
                RegisterId.id(RegisterId.TYPE_EVENT, 99),
                RegisterId.id(RegisterId.TYPE_LAPIC, 64),
                RegisterId.msr(0x12345678),
            }) {
                String text = "id=0x" + Long.toHexString(id);
                assertFails("KVM_GET_ONE_REG", Errno.EINVAL, text, () -> guest.vcpu.getOneReg(id));
                assertFails("KVM_SET_ONE_REG", Errno.EINVAL, text, () -> guest.vcpu.setOneReg(id, 0));
            }
        }
    }

    @Test
    void valuesThatARegisterDoesNotTakeAreRefused() {
        try (Guest guest = Guest.longMode(false, "f4")) {
            refused(guest, RegisterId.CR0, 1L << 32);
            refused(guest, RegisterId.CR4, 1L << 63);
            refused(guest, RegisterId.CR8, 16);
            refused(guest, RegisterId.XCR0, 2);
            refused(guest, RegisterId.dr(6), 1L << 32);
            refused(guest, RegisterId.GDTR_LIMIT, 0x10000);
            refused(guest, RegisterId.FCW, 0x10000);
            refused(guest, RegisterId.stHigh(0), 0x10000);
            refused(guest, RegisterId.MXCSR, 0x10000);
            refused(guest, RegisterId.segment(RegisterId.SEGMENT_CS, RegisterId.PART_SELECTOR), 0x10000);
            refused(guest, RegisterId.segment(RegisterId.SEGMENT_CS, RegisterId.PART_ACCESS_RIGHTS), 0x100);
            refused(guest, RegisterId.MP_STATE, MpState.HALTED.number());
            refused(guest, RegisterId.MP_STATE, 5);
            refused(guest, RegisterId.EVENT_SMM, 16);
            refused(guest, RegisterId.EVENT_SIPI_VECTOR, 256);
            refused(guest, RegisterId.EVENT_PENDING_EXTINT, 3);
        }
    }

    private static void refused(Guest guest, long id, long value) {
        assertFails(
                "KVM_SET_ONE_REG", Errno.EINVAL, "id=0x" + Long.toHexString(id), () -> guest.vcpu.setOneReg(id, value));
    }
}
