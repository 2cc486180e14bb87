package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.testroms.parity.ParityGuest.DATA;
import static org.softkvm.testroms.parity.ParityGuest.DONE;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.VcpuRun;

/** Port accesses that exit. See {@link EveryBackend}. */
@Timeout(60)
class PortParityTest {
    @EveryBackend
    void portWritesOfEachWidth(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                66 b8 ef cd ab 89  mov eax,0x89ABCDEF
                e6 60  out 0x60,al
                e7 60  out 0x60,ax
                66 e7 60  out 0x60,eax
                ba 34 12  mov dx,0x1234
                ee  out dx,al
                e6 f4  out 0xF4,al
                """)) {
            assertThat(guest.out(0x60)).isEqualTo(0xEF);
            assertThat(guest.run.ioSize()).isEqualTo(1);
            assertThat(guest.out(0x60)).isEqualTo(0xCDEF);
            assertThat(guest.run.ioSize()).isEqualTo(2);
            assertThat(guest.out(0x60)).isEqualTo(0x89ABCDEF);
            assertThat(guest.run.ioSize()).isEqualTo(4);
            assertThat(guest.out(0x1234)).isEqualTo(0xEF);
            assertThat(guest.run.ioCount()).isEqualTo(1);
            guest.out(DONE);
        }
    }

    @EveryBackend
    void portReadsKeepTheRestOfTheRegister(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                66 b8 ff ff ff ff  mov eax,-1
                e4 60  in al,0x60
                66 89 c3  mov ebx,eax
                e5 60  in ax,0x60
                66 89 c1  mov ecx,eax
                66 e5 60  in eax,0x60
                66 e7 f4  out 0xF4,eax
                """)) {
            for (int value : new int[] {0x12, 0x3456, 0x789ABCDE}) {
                guest.to(ExitReason.IO);
                assertThat(guest.run.ioDirection()).isEqualTo(VcpuRun.IO_IN);
                guest.run.setIoValue(0, value);
            }
            assertThat(guest.out(DONE)).isEqualTo(0x789ABCDE);
            assertThat(guest.regs().rbx).isEqualTo(0xFFFF_FF12L);
            assertThat(guest.regs().rcx).isEqualTo(0xFFFF_3456L);
        }
    }

    @EveryBackend
    void stringsOfPortWritesArriveInOrder(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                fc  cld
                be 00 30  mov si,0x3000
                b9 28 00  mov cx,40
                ba 60 00  mov dx,0x60
                f3 6e  rep outsb
                e6 f4  out 0xF4,al
                """)) {
            for (int i = 0; i < 40; i++) {
                guest.memory.set(ValueLayout.JAVA_BYTE, DATA + i, (byte) (i * 3));
            }
            List<Integer> written = new ArrayList<>();
            while (written.size() < 40) {
                guest.to(ExitReason.IO);
                assertThat(guest.run.ioPort()).isEqualTo(0x60);
                for (int i = 0; i < guest.run.ioCount(); i++) {
                    written.add(guest.run.ioValue(i));
                }
            }
            for (int i = 0; i < 40; i++) {
                assertThat(written.get(i)).isEqualTo(i * 3);
            }
            guest.out(DONE);
            assertThat(guest.regs().rcx & 0xFFFF).isZero();
            assertThat(guest.regs().rsi & 0xFFFF).isEqualTo(DATA + 40);
        }
    }

    @EveryBackend
    void stringsOfPortReadsReachMemory(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                fc  cld
                bf 00 30  mov di,0x3000
                b9 09 00  mov cx,9
                ba 60 00  mov dx,0x60
                f3 6d  rep insw
                e6 f4  out 0xF4,al
                """)) {
            int next = 0;
            while (next < 9) {
                guest.to(ExitReason.IO);
                assertThat(guest.run.ioDirection()).isEqualTo(VcpuRun.IO_IN);
                assertThat(guest.run.ioSize()).isEqualTo(2);
                for (int i = 0; i < guest.run.ioCount(); i++) {
                    guest.run.setIoValue(i, 0x100 + next++);
                }
            }
            guest.out(DONE);
            for (int i = 0; i < 9; i++) {
                assertThat(guest.get32(DATA + i * 2) & 0xFFFF).isEqualTo(0x100 + i);
            }
            assertThat(guest.regs().rdi & 0xFFFF).isEqualTo(DATA + 18);
        }
    }

    @EveryBackend
    void aStringOfPortWritesCrossesAPage(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                fc  cld
                be fa 3f  mov si,0x3FFA
                b9 06 00  mov cx,6
                ba 60 00  mov dx,0x60
                f3 6f  rep outsw
                e6 f4  out 0xF4,al
                """)) {
            for (int i = 0; i < 12; i++) {
                guest.memory.set(ValueLayout.JAVA_BYTE, 0x3FFA + i, (byte) (i + 1));
            }
            List<Integer> written = new ArrayList<>();
            while (written.size() < 6) {
                guest.to(ExitReason.IO);
                assertThat(guest.run.ioSize()).isEqualTo(2);
                for (int i = 0; i < guest.run.ioCount(); i++) {
                    written.add(guest.run.ioValue(i));
                }
            }
            assertThat(written).containsExactly(0x201, 0x403, 0x605, 0x807, 0xA09, 0xC0B);
            guest.out(DONE);
            assertThat(guest.regs().rsi & 0xFFFF).isEqualTo(0x4006);
        }
    }

    @EveryBackend
    void aStringOfNoPortAccessesDoesNotExit(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                31 c9  xor cx,cx
                be 00 30  mov si,0x3000
                bf 00 30  mov di,0x3000
                ba 60 00  mov dx,0x60
                f3 6e  rep outsb
                f3 6c  rep insb
                e6 f4  out 0xF4,al
                """)) {
            guest.out(DONE);
            assertThat(guest.regs().rsi & 0xFFFF).isEqualTo(DATA);
            assertThat(guest.regs().rdi & 0xFFFF).isEqualTo(DATA);
        }
    }

    @EveryBackend
    void stringsOfPortAccessesGoDownwardsToo(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                fd  std
                be 02 30  mov si,0x3002
                b9 03 00  mov cx,3
                ba 60 00  mov dx,0x60
                f3 6e  rep outsb
                e6 f4  out 0xF4,al
                """)) {
            guest.put32(DATA, 0x332211);
            List<Integer> written = new ArrayList<>();
            while (written.size() < 3) {
                guest.to(ExitReason.IO);
                for (int i = 0; i < guest.run.ioCount(); i++) {
                    written.add(guest.run.ioValue(i));
                }
            }
            assertThat(written).containsExactly(0x33, 0x22, 0x11);
            guest.out(DONE);
        }
    }
}
