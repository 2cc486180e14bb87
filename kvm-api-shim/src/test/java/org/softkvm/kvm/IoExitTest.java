package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(BinaryAbi.class)
class IoExitTest {
    @Test
    void writesOfEachWidthCarryPortAndData() {
        try (Guest guest = Guest.realMode("""
                b8 34 12           mov ax, 1234h
                e6 10              out 10h, al
                ba 00 03           mov dx, 300h
                ef                 out dx, ax
                66 b8 78 56 34 12  mov eax, 12345678h
                66 ef              out dx, eax
                f4                 hlt
                """)) {
            assertThat(guest.runToOut(0x10)).isEqualTo(0x34);
            assertThat(guest.run.ioSize()).isEqualTo(1);
            assertThat(guest.runToOut(0x300)).isEqualTo(0x1234);
            assertThat(guest.run.ioSize()).isEqualTo(2);
            assertThat(guest.runToOut(0x300)).isEqualTo(0x12345678);
            assertThat(guest.run.ioSize()).isEqualTo(4);
            assertThat(guest.run.ioData().get(ValueLayout.JAVA_INT_UNALIGNED, 0))
                    .isEqualTo(0x12345678);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void aReadGetsItsAnswerAtTheNextRun() {
        try (Guest guest = Guest.realMode("""
                66 31 c0  xor eax, eax
                66 48     dec eax
                e4 60     in al, 60h
                89 c3     mov bx, ax
                ba f8 03  mov dx, 3f8h
                ed        in ax, dx
                89 c1     mov cx, ax
                66 ed     in eax, dx
                f4        hlt
                """)) {
            guest.runTo(ExitReason.IO);
            assertThat(guest.run.ioDirection()).isEqualTo(VcpuRun.IO_IN);
            assertThat(guest.run.ioPort()).isEqualTo(0x60);
            guest.run.setIoValue(0, 0x5A);
            guest.runTo(ExitReason.IO);
            assertThat(guest.run.ioPort()).isEqualTo(0x3F8);
            assertThat(guest.run.ioSize()).isEqualTo(2);
            guest.run.setIoValue(0, 0xBEEF);
            guest.runTo(ExitReason.IO);
            assertThat(guest.run.ioSize()).isEqualTo(4);
            guest.run.setIoValue(0, 0x89ABCDEF);
            guest.runTo(ExitReason.HLT);
            Regs regs = guest.regs();
            assertThat(regs.rbx & 0xFFFF).isEqualTo(0xFF5A);
            assertThat(regs.rcx & 0xFFFF).isEqualTo(0xBEEF);
            assertThat(regs.rax).isEqualTo(0x89ABCDEFL);
        }
    }

    @Test
    void stringWritesArriveInOrderWhateverTheirNumberAnExit() {
        try (Guest guest = Guest.realMode("""
                fc        cld
                be 00 20  mov si, 2000h
                b9 05 00  mov cx, 5
                ba e9 00  mov dx, 0e9h
                f3 6e     rep outsb
                f4        hlt
                """)) {
            guest.load(0x2000, "48 65 6c 6c 6f");
            StringBuilder text = new StringBuilder();
            while (guest.vcpu.run() == ExitReason.IO) {
                assertThat(guest.run.ioPort()).isEqualTo(0xE9);
                assertThat(guest.run.ioSize()).isEqualTo(1);
                for (int i = 0; i < guest.run.ioCount(); i++) {
                    text.append((char) guest.run.ioValue(i));
                }
            }
            assertThat(guest.run.exitReason()).isEqualTo(ExitReason.HLT);
            assertThat(text).hasToString("Hello");
            assertThat(guest.regs().rsi).isEqualTo(0x2005);
            assertThat(guest.regs().rcx).isZero();
        }
    }

    @Test
    void stringReadsFillMemoryAcrossAPage() {
        try (Guest guest = Guest.realMode("""
                fc        cld
                bf fc 2f  mov di, 2ffch
                b9 06 00  mov cx, 6
                ba f0 01  mov dx, 1f0h
                f3 6d     rep insw
                f4        hlt
                """)) {
            int next = 0x1101;
            while (guest.vcpu.run() == ExitReason.IO) {
                assertThat(guest.run.ioDirection()).isEqualTo(VcpuRun.IO_IN);
                assertThat(guest.run.ioSize()).isEqualTo(2);
                for (int i = 0; i < guest.run.ioCount(); i++) {
                    guest.run.setIoValue(i, next);
                    next += 0x0101;
                }
            }
            assertThat(guest.run.exitReason()).isEqualTo(ExitReason.HLT);
            assertThat(guest.peek64(0x2FFC)).isEqualTo(0x1404_1303_1202_1101L);
            assertThat(guest.peek32(0x3004)).isEqualTo(0x1606_1505);
            assertThat(guest.peek8(0x3008)).isZero();
            assertThat(guest.regs().rdi).isEqualTo(0x3008);
        }
    }

    @Test
    void stringReadsGoBackwardsWithTheDirectionFlag() {
        try (Guest guest = Guest.realMode("""
                fd        std
                bf 0c 20  mov di, 200ch
                b9 03 00  mov cx, 3
                ba f0 01  mov dx, 1f0h
                66 f3 6d  rep insd
                f4        hlt
                """)) {
            int next = 1;
            while (guest.vcpu.run() == ExitReason.IO) {
                assertThat(guest.run.ioSize()).isEqualTo(4);
                for (int i = 0; i < guest.run.ioCount(); i++) {
                    guest.run.setIoValue(i, next++);
                }
            }
            assertThat(guest.run.exitReason()).isEqualTo(ExitReason.HLT);
            assertThat(guest.peek32(0x200C)).isEqualTo(1);
            assertThat(guest.peek32(0x2008)).isEqualTo(2);
            assertThat(guest.peek32(0x2004)).isEqualTo(3);
        }
    }
}
