package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.testroms.parity.ParityGuest.DATA;
import static org.softkvm.testroms.parity.ParityGuest.DONE;

import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.Fpu;
import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.Xsave;
import org.softkvm.testroms.parity.ParityGuest.Irqchip;

/** x87, MMX and SSE state, kept over exits and reached from outside. See {@link EveryBackend}. */
@Timeout(60)
class FloatParityTest {
    @EveryBackend
    void x87KeepsItsStackAcrossExits(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                db e3  fninit
                d9 e8  fld1
                d9 eb  fldpi
                e6 60  out 0x60,al
                de c1  faddp
                db 1d 00 30 00 00  fistp dword [0x3000]
                e6 f4  out 0xF4,al
                """)) {
            guest.out(0x60);
            guest.out(DONE);
            assertThat(guest.get32(DATA)).isEqualTo(4);
        }
    }

    @EveryBackend
    void sseKeepsItsRegistersAcrossExits(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                0f 20 e0  mov rax,cr4
                48 0d 00 06 00 00  or rax,0x600
                0f 22 e0  mov cr4,rax
                0f 10 3c 25 00 30 00 00  movups xmm7,[0x3000]
                e6 60  out 0x60,al
                0f 11 3c 25 10 30 00 00  movups [0x3010],xmm7
                e6 f4  out 0xF4,al
                """)) {
            guest.put64(DATA, 0x1111_2222_3333_4444L);
            guest.put64(DATA + 8, 0x5555_6666_7777_8888L);
            guest.out(0x60);
            guest.out(DONE);
            assertThat(guest.get32(DATA + 16)).isEqualTo(0x3333_4444);
            assertThat(guest.get32(DATA + 28)).isEqualTo(0x5555_6666);
        }
    }

    @EveryBackend
    void mmxKeepsItsRegistersAcrossExits(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                0f 6f 1d 00 30 00 00  movq mm3,[0x3000]
                e6 60  out 0x60,al
                0f 7f 1d 08 30 00 00  movq [0x3008],mm3
                0f 77  emms
                e6 f4  out 0xF4,al
                """)) {
            guest.put64(DATA, 0x0102_0304_0506_0708L);
            guest.out(0x60);
            guest.out(DONE);
            assertThat(guest.get32(DATA + 8)).isEqualTo(0x0506_0708);
            assertThat(guest.get32(DATA + 12)).isEqualTo(0x0102_0304);
        }
    }

    @EveryBackend
    void vectorRegistersAreWrittenFromOutside(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                0f 20 e0  mov rax,cr4
                48 0d 00 06 00 00  or rax,0x600
                0f 22 e0  mov cr4,rax
                0f 11 2c 25 00 30 00 00  movups [0x3000],xmm5
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.SOFTKVM_WHOLE_STATE_REGS);
            guest.vcpu.setOneReg(RegisterId.xmm(5, 0), 0x1234_5678_9ABC_DEF0L);
            guest.vcpu.setOneReg(RegisterId.xmm(5, 1), 0x0FED_CBA9_8765_4321L);
            assertThat(guest.vcpu.getOneReg(RegisterId.xmm(5, 1))).isEqualTo(0x0FED_CBA9_8765_4321L);
            guest.out(DONE);
            assertThat(guest.get32(DATA)).isEqualTo(0x9ABC_DEF0);
            assertThat(guest.get32(DATA + 12)).isEqualTo(0x0FED_CBA9);
        }
    }

    @EveryBackend
    void theXsaveAreaIsWrittenFromOutside(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                0f 20 e0  mov rax,cr4
                48 0d 00 06 00 00  or rax,0x600
                0f 22 e0  mov cr4,rax
                e6 60  out 0x60,al
                0f 11 1c 25 00 30 00 00  movups [0x3000],xmm3
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.XSAVE);
            guest.out(0x60);
            Xsave xsave = new Xsave(Math.max(Xsave.MIN_SIZE, guest.vm.checkExtension(Capability.XSAVE2)));
            guest.vcpu.getXsave(xsave);
            // XSTATE_BV: x87 and SSE; XMM3 lies at 160 + 3 * 16.
            xsave.region[512] |= 3;
            for (int i = 0; i < 16; i++) {
                xsave.region[208 + i] = (byte) (0xA0 + i);
            }
            guest.vcpu.setXsave(xsave);
            Xsave again = new Xsave(xsave.region.length);
            guest.vcpu.getXsave(again);
            assertThat(again.region[208]).isEqualTo((byte) 0xA0);
            guest.out(DONE);
            assertThat(guest.get32(DATA)).isEqualTo(0xA3A2_A1A0);
            assertThat(guest.get32(DATA + 12)).isEqualTo(0xAFAE_ADAC);
        }
    }

    @EveryBackend
    void theControlWordOfX87IsWrittenFromOutside(Backend backend) {
        Probe.X87_STATE.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                d9 3d 00 30 00 00  fnstcw [0x3000]
                e6 f4  out 0xF4,al
                """)) {
            Fpu fpu = new Fpu();
            guest.vcpu.getFpu(fpu);
            fpu.fcw = 0x27F;
            guest.vcpu.setFpu(fpu);
            guest.out(DONE);
            assertThat(guest.get32(DATA) & 0xFFFF).isEqualTo(0x27F);
            guest.vcpu.getFpu(fpu);
            assertThat(fpu.fcw).isEqualTo(0x27F);
        }
    }
}
