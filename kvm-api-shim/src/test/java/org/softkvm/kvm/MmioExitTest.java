package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(BinaryAbi.class)
class MmioExitTest {
    private static final long DEVICE = 0xD000_0000L;

    @ParameterizedTest
    @CsvSource({
        "'88 03', 1, 0xF0", // mov [rbx], al
        "'66 89 03', 2, 0xDEF0", // mov [rbx], ax
        "'89 03', 4, 0x9ABCDEF0", // mov [rbx], eax
        "'48 89 03', 8, 0x123456789ABCDEF0", // mov [rbx], rax
    })
    void writesOfEachWidth(String instruction, int length, String data) {
        try (Guest guest = Guest.longMode(false, instruction + " f4")) {
            Regs regs = guest.regs();
            regs.rbx = DEVICE + 0x10;
            regs.rax = 0x123456789ABCDEF0L;
            guest.vcpu.setRegs(regs);
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isTrue();
            assertThat(guest.run.mmioAddress()).isEqualTo(DEVICE + 0x10);
            assertThat(guest.run.mmioLength()).isEqualTo(length);
            assertThat(guest.run.mmioData()).isEqualTo(Long.decode(data));
            guest.runTo(ExitReason.HLT);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'8a 03', 1, 0xAAAAAAAAAAAAAA88", // mov al, [rbx]
        "'66 8b 03', 2, 0xAAAAAAAAAAAA7788", // mov ax, [rbx]
        "'8b 03', 4, 0x55667788", // mov eax, [rbx]
        "'48 8b 03', 8, 0x1122334455667788", // mov rax, [rbx]
        "'0f b6 03', 1, 0x88", // movzx eax, byte [rbx]
        "'48 0f be 03', 1, 0xFFFFFFFFFFFFFF88", // movsx rax, byte [rbx]
    })
    void readsOfEachWidth(String instruction, int length, String expected) {
        try (Guest guest = Guest.longMode(false, instruction + " f4")) {
            Regs regs = guest.regs();
            regs.rbx = DEVICE;
            regs.rax = 0xAAAAAAAAAAAAAAAAL;
            guest.vcpu.setRegs(regs);
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isFalse();
            assertThat(guest.run.mmioAddress()).isEqualTo(DEVICE);
            assertThat(guest.run.mmioLength()).isEqualTo(length);
            guest.run.setMmioData(0x1122334455667788L);
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rax).isEqualTo(Long.parseUnsignedLong(expected.substring(2), 16));
        }
    }

    @ParameterizedTest
    @CsvSource({"0xFF9, 7", "0xFFB, 5", "0xFFC, 4", "0xFFD, 3", "0xFFF, 1"})
    void anAccessAcrossPagesIsOneExitForEachPage(String from, int first) {
        try (Guest guest = Guest.longMode(false, """
                48 89 03  mov [rbx], rax
                48 8b 0b  mov rcx, [rbx]
                f4        hlt
                """)) {
            Regs regs = guest.regs();
            regs.rbx = DEVICE + Long.decode(from);
            regs.rax = 0x8877665544332211L;
            guest.vcpu.setRegs(regs);
            int shift = 8 * first;
            for (boolean write : new boolean[] {true, false}) {
                guest.runTo(ExitReason.MMIO);
                assertThat(guest.run.mmioIsWrite()).isEqualTo(write);
                assertThat(guest.run.mmioAddress()).isEqualTo(regs.rbx);
                assertThat(guest.run.mmioLength()).isEqualTo(first);
                if (write) {
                    assertThat(guest.run.mmioData()).isEqualTo(regs.rax & (1L << shift) - 1);
                } else {
                    // Bytes above the length are ignored.
                    guest.run.setMmioData(0x0102030405060708L);
                }
                guest.runTo(ExitReason.MMIO);
                assertThat(guest.run.mmioIsWrite()).isEqualTo(write);
                assertThat(guest.run.mmioAddress()).isEqualTo(DEVICE + 0x1000);
                assertThat(guest.run.mmioLength()).isEqualTo(8 - first);
                if (write) {
                    assertThat(guest.run.mmioData()).isEqualTo(regs.rax >>> shift);
                } else {
                    guest.run.setMmioData(0x1112131415161718L);
                }
            }
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rcx)
                    .isEqualTo(0x0102030405060708L & (1L << shift) - 1 | 0x1112131415161718L << shift);
        }
    }

    @Test
    void anAccessThatBeginsInMemoryWritesThatPartThere() {
        try (Guest guest = Guest.longMode(false, """
                89 03  mov [rbx], eax
                8b 0b  mov ecx, [rbx]
                f4     hlt
                """)) {
            Regs regs = guest.regs();
            regs.rbx = Guest.MEMORY_SIZE - 1;
            regs.rax = 0x44332211L;
            guest.vcpu.setRegs(regs);
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isTrue();
            assertThat(guest.run.mmioAddress()).isEqualTo(Guest.MEMORY_SIZE);
            assertThat(guest.run.mmioLength()).isEqualTo(3);
            assertThat(guest.run.mmioData()).isEqualTo(0x443322L);
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isFalse();
            assertThat(guest.run.mmioLength()).isEqualTo(3);
            guest.run.setMmioData(0x998877L);
            guest.runTo(ExitReason.HLT);
            assertThat(guest.peek8(Guest.MEMORY_SIZE - 1)).isEqualTo(0x11);
            assertThat(guest.regs().rcx).isEqualTo(0x99887711L);
        }
    }

    @Test
    void readModifyWriteReadsOnceAndWritesOnce() {
        try (Guest guest = Guest.longMode(false, """
                83 03 05  add dword [rbx], 5
                f4        hlt
                """)) {
            Regs regs = guest.regs();
            regs.rbx = DEVICE;
            guest.vcpu.setRegs(regs);
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isFalse();
            guest.run.setMmioData(37);
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isTrue();
            assertThat(guest.run.mmioData()).isEqualTo(42);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void everyOneOfManyWritesArrives() {
        try (Guest guest = Guest.longMode(false, """
                ff c0  inc eax
                89 03  mov [rbx], eax
                eb fa  jmp -6
                """)) {
            Regs regs = guest.regs();
            regs.rbx = DEVICE;
            guest.vcpu.setRegs(regs);
            guest.vcpu.setInstructionLimit(100_000);
            for (int i = 1; i <= 5000; i++) {
                guest.runTo(ExitReason.MMIO);
                assertThat(guest.run.mmioData()).isEqualTo(i);
            }
        }
    }

    @Test
    void stringInstructionsWriteDevices() {
        try (Guest guest = Guest.longMode(false, """
                fc     cld
                f3 ab  rep stosd
                f4     hlt
                """)) {
            Regs regs = guest.regs();
            regs.rdi = DEVICE;
            regs.rax = 0x1234;
            regs.rcx = 3000;
            guest.vcpu.setRegs(regs);
            for (int i = 0; i < 3000; i++) {
                guest.runTo(ExitReason.MMIO);
                assertThat(guest.run.mmioIsWrite()).isTrue();
                assertThat(guest.run.mmioAddress()).isEqualTo(DEVICE + 4L * i);
                assertThat(guest.run.mmioData()).isEqualTo(0x1234);
            }
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void stringInstructionsReachDevices() {
        try (Guest guest = Guest.longMode(false, """
                fc     cld
                f3 a5  rep movsd
                f4     hlt
                """)) {
            Regs regs = guest.regs();
            regs.rsi = DEVICE;
            regs.rdi = 0x3000;
            regs.rcx = 3;
            guest.vcpu.setRegs(regs);
            List<Long> addresses = new ArrayList<>();
            while (guest.vcpu.run() == ExitReason.MMIO) {
                assertThat(guest.run.mmioIsWrite()).isFalse();
                assertThat(guest.run.mmioLength()).isEqualTo(4);
                addresses.add(guest.run.mmioAddress());
                guest.run.setMmioData(addresses.size());
            }
            assertThat(guest.run.exitReason()).isEqualTo(ExitReason.HLT);
            assertThat(addresses).containsExactly(DEVICE, DEVICE + 4, DEVICE + 8);
            assertThat(guest.peek32(0x3000)).isEqualTo(1);
            assertThat(guest.peek32(0x3004)).isEqualTo(2);
            assertThat(guest.peek32(0x3008)).isEqualTo(3);
        }
    }
}
