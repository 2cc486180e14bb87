package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.testroms.parity.ParityGuest.DATA;
import static org.softkvm.testroms.parity.ParityGuest.DONE;
import static org.softkvm.testroms.parity.ParityGuest.HOLE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.testroms.parity.ParityGuest.Irqchip;

/** Memory slots and accesses that exit. See {@link EveryBackend}. */
@Timeout(60)
class MemoryParityTest {
    @EveryBackend
    void accessesWithoutMemoryExit(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c7 05 10 00 00 d0 44 33 22 11  mov dword [0xD0000010],0x11223344
                66 c7 05 20 00 00 d0 66 55  mov word [0xD0000020],0x5566
                8b 1d 30 00 00 d0  mov ebx,[0xD0000030]
                0f b6 0d 40 00 00 d0  movzx ecx,byte [0xD0000040]
                e6 f4  out 0xF4,al
                """)) {
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isTrue();
            assertThat(guest.run.mmioAddress()).isEqualTo(Integer.toUnsignedLong(HOLE) + 0x10);
            assertThat(guest.run.mmioLength()).isEqualTo(4);
            assertThat(guest.run.mmioData()).isEqualTo(0x11223344);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioLength()).isEqualTo(2);
            assertThat(guest.run.mmioData()).isEqualTo(0x5566);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isFalse();
            guest.run.setMmioData(0xCAFEBABEL);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioLength()).isEqualTo(1);
            guest.run.setMmioData(0x99);
            guest.out(DONE);
            assertThat(guest.regs().rbx).isEqualTo(0xCAFEBABEL);
            assertThat(guest.regs().rcx).isEqualTo(0x99);
        }
    }

    @EveryBackend
    void anAccessAcrossTheEndOfMemoryIsMadeOfItsParts(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c7 05 fe ff 0f 00 11 22 33 44  mov dword [0xFFFFE],0x44332211
                8b 1d fe ff 0f 00  mov ebx,[0xFFFFE]
                e6 f4  out 0xF4,al
                """)) {
            // In how many parts is left to the backend.
            int written = 0;
            for (int done = 0; done < 2; done += guest.run.mmioLength()) {
                guest.to(ExitReason.MMIO);
                assertThat(guest.run.mmioIsWrite()).isTrue();
                assertThat(guest.run.mmioAddress()).isEqualTo(0x100000 + done);
                written |= (int) guest.run.mmioData() << 8 * done;
            }
            assertThat(written).isEqualTo(0x4433);
            for (int done = 0; done < 2; done += guest.run.mmioLength()) {
                guest.to(ExitReason.MMIO);
                assertThat(guest.run.mmioIsWrite()).isFalse();
                assertThat(guest.run.mmioAddress()).isEqualTo(0x100000 + done);
                guest.run.setMmioData(0x8877 >> 8 * done);
            }
            guest.out(DONE);
            assertThat(guest.get32(0xFFFFC) >>> 16).isEqualTo(0x2211);
            assertThat(guest.regs().rbx).isEqualTo(0x88772211L);
        }
    }

    @EveryBackend
    void readOnlyMemoryIsReadAndItsWritesExit(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                8b 1d 00 00 20 00  mov ebx,[0x200000]
                c7 05 04 00 20 00 07 00 00 00  mov dword [0x200004],7
                8b 0d 04 00 20 00  mov ecx,[0x200004]
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.READONLY_MEM);
            MemorySegment rom = guest.vm.allocateMemory(0x1000);
            rom.set(ValueLayout.JAVA_INT, 0, 0x12345678);
            rom.set(ValueLayout.JAVA_INT, 4, 0x5A5A5A5A);
            guest.vm.setMemorySlot(new MemorySlot(1, 0, 0x200000, rom, MemorySlot.READONLY));
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isTrue();
            assertThat(guest.run.mmioAddress()).isEqualTo(0x200004);
            assertThat(guest.run.mmioData()).isEqualTo(7);
            guest.out(DONE);
            assertThat(guest.regs().rbx).isEqualTo(0x12345678);
            assertThat(guest.regs().rcx).isEqualTo(0x5A5A5A5A);
        }
    }

    @EveryBackend
    void codeWithoutMemoryCannotBeExecuted(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b8 00 00 00 d0  mov eax,0xD0000000
                ff e0  jmp eax
                """)) {
            int reason = guest.vcpu.run();
            // The kernel may try to fetch by MMIO first.
            while (reason == ExitReason.MMIO && !guest.run.mmioIsWrite()) {
                reason = guest.vcpu.run();
            }
            assertThat(ExitReason.name(reason)).isEqualTo("INTERNAL_ERROR");
            assertThat(guest.run.internalErrorSuberror()).isEqualTo(ExitReason.INTERNAL_ERROR_EMULATION);
            assertThat(guest.regs().rip).isEqualTo(0xD000_0000L);
        }
    }

    @EveryBackend
    void aSlotThatIsDeletedBecomesMmio(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                8b 1d 00 00 20 00  mov ebx,[0x200000]
                e6 60  out 0x60,al
                8b 0d 00 00 20 00  mov ecx,[0x200000]
                e6 f4  out 0xF4,al
                """)) {
            MemorySegment more = guest.vm.allocateMemory(0x1000);
            more.set(ValueLayout.JAVA_INT, 0, 0x1111);
            guest.vm.setMemorySlot(MemorySlot.of(1, 0x200000, more));
            guest.out(0x60);
            assertThat(guest.regs().rbx).isEqualTo(0x1111);
            guest.vm.deleteMemorySlot(0, 1);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioAddress()).isEqualTo(0x200000);
            guest.run.setMmioData(0x2222);
            guest.out(DONE);
            assertThat(guest.regs().rcx).isEqualTo(0x2222);
        }
    }

    @EveryBackend
    void aSlotCanMove(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                8b 1d 00 00 20 00  mov ebx,[0x200000]
                e6 60  out 0x60,al
                8b 0d 00 00 30 00  mov ecx,[0x300000]
                e6 f4  out 0xF4,al
                """)) {
            MemorySegment more = guest.vm.allocateMemory(0x1000);
            more.set(ValueLayout.JAVA_INT, 0, 0x3333);
            guest.vm.setMemorySlot(MemorySlot.of(1, 0x200000, more));
            guest.out(0x60);
            guest.vm.setMemorySlot(MemorySlot.of(1, 0x300000, more));
            guest.out(DONE);
            assertThat(guest.regs().rbx).isEqualTo(0x3333);
            assertThat(guest.regs().rcx).isEqualTo(0x3333);
        }
    }

    @EveryBackend
    void slotsAreReplacedUnderARunningGuest(Backend backend) throws InterruptedException {
        // The word read is 1 or 2, whatever slot lies there; 0 or an exit would be neither list.
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                a1 00 00 20 00  mov eax,[0x200000]
                80 3d 00 30 00 00 00  cmp byte [0x3000],0
                75 06  jne end
                48  dec eax
                83 f8 01  cmp eax,1
                76 ec  jbe again
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.needs(Capability.SOFTKVM_REPLACE_MEMORY_SLOTS);
            List<MemorySlot> first = guest.vm.memorySlots();
            List<List<MemorySlot>> lists = new ArrayList<>();
            for (int i = 1; i <= 2; i++) {
                MemorySegment page = guest.vm.allocateMemory(0x1000);
                page.set(ValueLayout.JAVA_INT, 0, i);
                lists.add(List.of(first.getFirst(), MemorySlot.of(1, 0x200000, page)));
            }
            guest.vm.replaceMemorySlots(lists.get(0));
            int[] reason = new int[1];
            Thread thread = Thread.ofPlatform().start(() -> reason[0] = guest.vcpu.run());
            for (int i = 0; i < 30; i++) {
                guest.vm.replaceMemorySlots(lists.get(i & 1));
                Thread.sleep(1);
            }
            assertThat(thread.isAlive())
                    .as("the guest saw a list that there never was")
                    .isTrue();
            guest.memory.set(ValueLayout.JAVA_BYTE, DATA, (byte) 1);
            guest.vm.memoryWritten(DATA, 1);
            thread.join();
            assertThat(ExitReason.name(reason[0])).isEqualTo("IO");
        }
    }

    @EveryBackend
    void writtenPagesAreInTheDirtyLog(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c6 05 00 10 20 00 01  mov byte [0x201000],1
                c7 05 fe 2f 20 00 02 00 00 00  mov dword [0x202FFE],2
                a1 00 50 20 00  mov eax,[0x205000]
                e6 f4  out 0xF4,al
                """)) {
            MemorySegment more = guest.vm.allocateMemory(0x8000);
            guest.vm.setMemorySlot(new MemorySlot(1, 0, 0x200000, more, MemorySlot.LOG_DIRTY_PAGES));
            guest.out(DONE);
            byte[] bitmap = new byte[8];
            guest.vm.getDirtyLog(0, 1, MemorySegment.ofArray(bitmap));
            assertThat(bitmap[0]).isEqualTo((byte) 0b1110);
            guest.vm.getDirtyLog(0, 1, MemorySegment.ofArray(bitmap));
            assertThat(bitmap[0]).as("reading it cleared it").isZero();
            guest.vm.dmaWrite(0x207000, MemorySegment.ofArray(new byte[] {1}));
            guest.vm.getDirtyLog(0, 1, MemorySegment.ofArray(bitmap));
            assertThat(bitmap[0]).as("a device's write").isEqualTo((byte) 0x80);
        }
    }

    @EveryBackend
    void anAccessAcrossPagesOfADeviceIsOneExitForEachPage(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c7 05 fd 0f 00 d0 11 22 33 44  mov dword [0xD0000FFD],0x44332211
                8b 1d ff 0f 00 d0  mov ebx,[0xD0000FFF]
                e6 f4  out 0xF4,al
                """)) {
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioAddress()).isEqualTo(0xD000_0FFDL);
            assertThat(guest.run.mmioLength()).isEqualTo(3);
            assertThat(guest.run.mmioData()).isEqualTo(0x332211);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioAddress()).isEqualTo(0xD000_1000L);
            assertThat(guest.run.mmioLength()).isEqualTo(1);
            assertThat(guest.run.mmioData()).isEqualTo(0x44);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isFalse();
            assertThat(guest.run.mmioLength()).isEqualTo(1);
            guest.run.setMmioData(0x88);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioAddress()).isEqualTo(0xD000_1000L);
            assertThat(guest.run.mmioLength()).isEqualTo(3);
            guest.run.setMmioData(0x778899AABBL);
            guest.out(DONE);
            assertThat(guest.regs().rbx).isEqualTo(0x99AABB88L);
        }
    }

    @EveryBackend
    void eightBytesAcrossPagesAreFiveAndThree(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                bb fb 0f 00 d0  mov ebx,0xD0000FFB
                48 b8 11 22 33 44 55 66 77 88  mov rax,0x8877665544332211
                48 89 03  mov [rbx],rax
                48 8b 0b  mov rcx,[rbx]
                e6 f4  out 0xF4,al
                """)) {
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioLength()).isEqualTo(5);
            assertThat(guest.run.mmioData()).isEqualTo(0x55_4433_2211L);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioLength()).isEqualTo(3);
            assertThat(guest.run.mmioData()).isEqualTo(0x88_7766L);
            guest.to(ExitReason.MMIO);
            guest.run.setMmioData(0x55_4433_2211L);
            guest.to(ExitReason.MMIO);
            guest.run.setMmioData(0x88_7766L);
            guest.out(DONE);
            assertThat(guest.regs().rcx).isEqualTo(0x8877_6655_4433_2211L);
        }
    }

    @EveryBackend
    void aReadModifyWriteOfADeviceIsAReadAndAWrite(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                83 05 00 00 00 d0 05  add dword [0xD0000000],5
                e6 f4  out 0xF4,al
                """)) {
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isFalse();
            guest.run.setMmioData(37);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isTrue();
            assertThat(guest.run.mmioData()).isEqualTo(42);
            guest.out(DONE);
        }
    }

    @EveryBackend
    void stringMovesReadADevice(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                fc  cld
                be 00 00 00 d0  mov esi,0xD0000000
                bf 00 30 00 00  mov edi,0x3000
                b9 03 00 00 00  mov ecx,3
                f3 a5  rep movsd
                e6 f4  out 0xF4,al
                """)) {
            for (int i = 0; i < 3; i++) {
                guest.to(ExitReason.MMIO);
                assertThat(guest.run.mmioAddress()).isEqualTo(0xD000_0000L + 4 * i);
                assertThat(guest.run.mmioLength()).isEqualTo(4);
                guest.run.setMmioData(0x1111 * (i + 1));
            }
            guest.out(DONE);
            assertThat(guest.get32(DATA)).isEqualTo(0x1111);
            assertThat(guest.get32(DATA + 8)).isEqualTo(0x3333);
        }
    }

    @EveryBackend
    void readOnlyMemoryIsModifiedByTheMonitorOnly(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                83 05 00 00 20 00 03  add dword [0x200000],3
                8b 1d 00 00 20 00  mov ebx,[0x200000]
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.READONLY_MEM);
            MemorySegment rom = guest.vm.allocateMemory(0x1000);
            rom.set(ValueLayout.JAVA_INT, 0, 7);
            guest.vm.setMemorySlot(new MemorySlot(1, 0, 0x200000, rom, MemorySlot.READONLY));
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).as("the read comes from memory").isTrue();
            assertThat(guest.run.mmioData()).isEqualTo(10);
            guest.out(DONE);
            assertThat(guest.regs().rbx).isEqualTo(7);
        }
    }

    @EveryBackend
    void theDirtyLogIsClearedByRange(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c6 05 00 00 20 00 01  mov byte [0x200000],1
                c6 05 00 30 20 00 01  mov byte [0x203000],1
                e6 60  out 0x60,al
                c6 05 00 30 20 00 02  mov byte [0x203000],2
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.MANUAL_DIRTY_LOG_PROTECT2);
            guest.vm.enableCap(Capability.MANUAL_DIRTY_LOG_PROTECT2, 1);
            MemorySegment more = guest.vm.allocateMemory(64 * 4096);
            guest.vm.setMemorySlot(new MemorySlot(1, 0, 0x200000, more, MemorySlot.LOG_DIRTY_PAGES));
            guest.out(0x60);
            long[] bitmap = new long[1];
            guest.vm.getDirtyLog(0, 1, MemorySegment.ofArray(bitmap));
            assertThat(bitmap[0]).isEqualTo(0b1001);
            guest.vm.getDirtyLog(0, 1, MemorySegment.ofArray(bitmap));
            assertThat(bitmap[0]).as("reading leaves it").isEqualTo(0b1001);
            guest.vm.clearDirtyLog(0, 1, 0, 64, MemorySegment.ofArray(new long[] {0b1000}));
            guest.vm.getDirtyLog(0, 1, MemorySegment.ofArray(bitmap));
            assertThat(bitmap[0]).isEqualTo(0b0001);
            guest.out(DONE);
            guest.vm.getDirtyLog(0, 1, MemorySegment.ofArray(bitmap));
            assertThat(bitmap[0]).as("written again").isEqualTo(0b1001);
        }
    }
}
