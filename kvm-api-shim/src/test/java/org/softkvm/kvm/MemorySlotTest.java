package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(BinaryAbi.class)
class MemorySlotTest {
    private static final String SET = "KVM_SET_USER_MEMORY_REGION";

    /** Reads the byte at FS:0, writes it to port 10h and begins again. */
    private static final String READ_LOOP = """
            64 a0 00 00  mov al, fs:[0]
            e6 10        out 10h, al
            eb f8        jmp -8
            """;

    private static Guest reader(int address) {
        Guest guest = Guest.realMode(READ_LOOP);
        Sregs sregs = guest.sregs();
        sregs.fs.selector = address >> 4;
        sregs.fs.base = address;
        guest.vcpu.setSregs(sregs);
        return guest;
    }

    @Test
    void aSlotCanBeMadeMovedAndDeleted() {
        try (Guest guest = reader(0x200000)) {
            guest.runTo(ExitReason.MMIO);
            guest.run.setMmioData(0x77);
            assertThat(guest.runToOut(0x10)).isEqualTo(0x77);

            MemorySegment memory = guest.vm.allocateMemory(0x2000);
            memory.fill((byte) 0x42);
            guest.vm.setMemorySlot(MemorySlot.of(5, 0x200000, memory));
            assertThat(guest.runToOut(0x10)).isEqualTo(0x42);

            guest.vm.setMemorySlot(MemorySlot.of(5, 0x300000, memory));
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioAddress()).isEqualTo(0x200000);
            assertThat(guest.runToOut(0x10)).isNotNegative();

            guest.vm.setMemorySlot(MemorySlot.of(5, 0x200000, memory));
            assertThat(guest.runToOut(0x10)).isEqualTo(0x42);
            guest.vm.deleteMemorySlot(0, 5);
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.vm.memorySlots()).extracting(MemorySlot::slot).containsExactly(0);
        }
    }

    @Test
    void twoSlotsMayLieOnTheSameMemory() {
        try (Guest guest = reader(0x200000)) {
            guest.vm.setMemorySlot(MemorySlot.of(1, 0x200000, guest.memory.asSlice(0x5000, 0x1000)));
            guest.poke8(0x5000, 0x5A);
            assertThat(guest.runToOut(0x10)).isEqualTo(0x5A);
            guest.poke8(0x5000, 0xA5);
            assertThat(guest.runToOut(0x10)).isEqualTo(0xA5);
        }
    }

    @Test
    void writesToReadOnlyMemoryExitAndChangeNothing() {
        try (Guest guest = Guest.longMode(false, """
                88 03  mov [rbx], al
                8a 0b  mov cl, [rbx]
                f4     hlt
                """)) {
            MemorySegment rom = guest.vm.allocateMemory(0x1000);
            rom.fill((byte) 0xEE);
            guest.vm.setMemorySlot(new MemorySlot(3, 0, 0x200000, rom, MemorySlot.READONLY));
            Regs regs = guest.regs();
            regs.rbx = 0x200123;
            regs.rax = 0x11;
            guest.vcpu.setRegs(regs);
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isTrue();
            assertThat(guest.run.mmioAddress()).isEqualTo(0x200123);
            assertThat(guest.run.mmioData()).isEqualTo(0x11);
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rcx & 0xFF).isEqualTo(0xEE);
            assertThat(rom.get(ValueLayout.JAVA_BYTE, 0x123)).isEqualTo((byte) 0xEE);
        }
    }

    @Test
    void codeRunsFromReadOnlyMemoryThatAnotherSlotReplaces() {
        try (Guest guest = Guest.realMode("ea 00 00 00 f0  jmp f000h:0")) {
            MemorySegment bios = guest.vm.allocateMemory(0x10000);
            guest.vm.replaceMemorySlots(List.of(
                    MemorySlot.of(0, 0, guest.memory.asSlice(0, 0xF0000)),
                    new MemorySlot(1, 0, 0xF0000, bios, MemorySlot.READONLY)));
            MemorySegment.copy(MemorySegment.ofArray(Guest.assemble("""
                    b0 01  mov al, 1
                    e6 10  out 10h, al
                    eb fa  jmp -6
                    """)), 0, bios, 0, 6);
            assertThat(guest.runToOut(0x10)).isEqualTo(1);
            MemorySegment shadow = guest.vm.allocateMemory(0x10000);
            shadow.copyFrom(bios);
            shadow.set(ValueLayout.JAVA_BYTE, 1, (byte) 2);
            guest.vm.replaceMemorySlots(
                    List.of(MemorySlot.of(0, 0, guest.memory.asSlice(0, 0xF0000)), MemorySlot.of(2, 0xF0000, shadow)));
            assertThat(guest.runToOut(0x10)).isEqualTo(2);
        }
    }

    @Test
    void memoryOfTheCallersOwnWorks() {
        try (Arena arena = Arena.ofShared();
                Guest guest = reader(0x200000)) {
            MemorySegment memory = arena.allocate(0x1000, 0x1000);
            memory.fill((byte) 0x21);
            guest.vm.setMemorySlot(MemorySlot.of(1, 0x200000, memory));
            assertThat(guest.runToOut(0x10)).isEqualTo(0x21);
            memory.fill((byte) 0x22);
            assertThat(guest.runToOut(0x10)).isEqualTo(0x22);
            guest.vm.deleteMemorySlot(0, 1);
        }
    }

    @Test
    void aListReplacedWhileTheGuestRunsIsNeverSeenHalf() throws InterruptedException {
        try (Guest guest = Guest.longMode(false, """
                48 ff c1           inc rcx
                8b 03              mov eax, [rbx]
                3d 11 11 11 11     cmp eax, 11111111h
                74 f4              je -12
                3d 22 22 22 22     cmp eax, 22222222h
                74 ed              je -19
                e7 10              out 10h, eax
                """)) {
            Regs regs = guest.regs();
            regs.rbx = 0x200000;
            guest.vcpu.setRegs(regs);
            MemorySegment ones = guest.vm.allocateMemory(0x1000);
            MemorySegment twos = guest.vm.allocateMemory(0x1000);
            ones.fill((byte) 0x11);
            twos.fill((byte) 0x22);
            List<MemorySlot> first = List.of(MemorySlot.of(0, 0, guest.memory), MemorySlot.of(1, 0x200000, ones));
            List<MemorySlot> second = List.of(MemorySlot.of(0, 0, guest.memory), MemorySlot.of(2, 0x200000, twos));
            guest.vm.replaceMemorySlots(first);
            Thread vmThread = Thread.ofPlatform().start(guest.vcpu::run);
            for (int i = 0; i < 1000; i++) {
                guest.vm.replaceMemorySlots((i & 1) == 0 ? second : first);
            }
            guest.vcpu.kick();
            vmThread.join();
            assertThat(ExitReason.name(guest.run.exitReason()))
                    .as("mmio 0x" + Long.toHexString(guest.run.mmioAddress()))
                    .isEqualTo("INTR");
        }
    }

    @Test
    void devicesReadAndWriteAcrossSlots() {
        try (Guest guest = Guest.realMode("f4")) {
            MemorySegment next = guest.vm.allocateMemory(0x1000);
            guest.vm.setMemorySlot(MemorySlot.of(1, Guest.MEMORY_SIZE, next));
            byte[] data = {1, 2, 3, 4, 5, 6, 7, 8};
            assertThat(guest.vm.dmaWrite(Guest.MEMORY_SIZE - 4, MemorySegment.ofArray(data)))
                    .isEqualTo(8);
            assertThat(guest.peek8(Guest.MEMORY_SIZE - 1)).isEqualTo(4);
            assertThat(next.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 5);
            byte[] back = new byte[8];
            assertThat(guest.vm.dmaRead(Guest.MEMORY_SIZE - 4, MemorySegment.ofArray(back)))
                    .isEqualTo(8);
            assertThat(back).containsExactly(data);
            assertThat(guest.vm.dmaRead(Guest.MEMORY_SIZE + 0x1000 - 3, MemorySegment.ofArray(back)))
                    .isEqualTo(3);
            assertThat(guest.vm.dmaWrite(0x5000_0000L, MemorySegment.ofArray(data)))
                    .isZero();
            assertThat(guest.vm.dmaRead(-4096, MemorySegment.ofArray(back))).isZero();
        }
    }

    @Test
    void devicesDoNotWriteReadOnlyMemory() {
        try (Guest guest = Guest.realMode("f4")) {
            MemorySegment rom = guest.vm.allocateMemory(0x1000);
            guest.vm.setMemorySlot(new MemorySlot(1, 0, 0x200000, rom, MemorySlot.READONLY));
            assertThat(guest.vm.dmaWrite(0x200000, MemorySegment.ofArray(new byte[] {1})))
                    .isZero();
            assertThat(rom.get(ValueLayout.JAVA_BYTE, 0)).isZero();
        }
    }

    @Test
    void codeThatADeviceWritesIsNoticed() {
        try (Guest guest = Guest.realMode("""
                b0 01  mov al, 1
                e6 10  out 10h, al
                eb fa  jmp -6
                """)) {
            assertThat(guest.runToOut(0x10)).isEqualTo(1);
            assertThat(guest.runToOut(0x10)).isEqualTo(1);
            guest.vm.dmaWrite(Guest.CODE + 1, MemorySegment.ofArray(new byte[] {7}));
            assertThat(guest.runToOut(0x10)).isEqualTo(7);
            guest.poke8(Guest.CODE + 1, 8);
            guest.vm.memoryWritten(Guest.CODE + 1, 1);
            assertThat(guest.runToOut(0x10)).isEqualTo(8);
        }
    }

    @Test
    void codeThatADeviceWritesWhileTheGuestRunsItIsNoticed() throws InterruptedException {
        try (Guest guest = Guest.realMode("""
                40     inc ax
                eb fd  jmp -3
                """)) {
            Thread thread = Thread.ofPlatform().start(guest.vcpu::run);
            Thread.sleep(20);
            guest.vm.dmaWrite(Guest.CODE, MemorySegment.ofArray(new byte[] {(byte) 0xF4}));
            thread.join();
            guest.runStateIs(ExitReason.HLT);
        }
    }

    @Test
    void allocatedMemoryIsZeroAlignedAndSparse() {
        try (Guest guest = Guest.realMode("f4")) {
            MemorySegment large = guest.vm.allocateMemory(8L << 30);
            assertThat(large.byteSize()).isEqualTo(8L << 30);
            assertThat(large.address() & 0xFFF).isZero();
            assertThat(large.get(ValueLayout.JAVA_LONG, (8L << 30) - 8)).isZero();
            assertFails("allocateMemory", Errno.EINVAL, "100", () -> guest.vm.allocateMemory(100));
            assertFails("allocateMemory", Errno.EINVAL, "0", () -> guest.vm.allocateMemory(0));
            assertFails("allocateMemory", Errno.EINVAL, "-4096", () -> guest.vm.allocateMemory(-4096));
            assertFails("allocateMemory", Errno.ENOMEM, "size", () -> guest.vm.allocateMemory(1L << 50));
        }
    }

    @Test
    void wrongSlotsAreRefused() {
        try (Guest guest = Guest.realMode("f4");
                Arena arena = Arena.ofShared()) {
            Vm vm = guest.vm;
            MemorySegment memory = vm.allocateMemory(0x2000);
            MemorySegment unaligned = arena.allocate(0x3000, 0x1000).asSlice(8, 0x1000);
            assertFails(SET, Errno.EINVAL, "slot=32764", () -> vm.setMemorySlot(MemorySlot.of(32764, 1 << 21, memory)));
            assertFails(SET, Errno.EINVAL, "slot=-1", () -> vm.setMemorySlot(MemorySlot.of(-1, 1 << 21, memory)));
            assertFails(
                    SET,
                    Errno.EINVAL,
                    "addressSpace=2",
                    () -> vm.setMemorySlot(new MemorySlot(1, 2, 1 << 21, memory, 0)));
            assertFails(
                    SET, Errno.EINVAL, "flags=0x4", () -> vm.setMemorySlot(new MemorySlot(1, 0, 1 << 21, memory, 4)));
            assertFails(
                    SET,
                    Errno.EINVAL,
                    "guest_phys_addr=0x200800",
                    () -> vm.setMemorySlot(MemorySlot.of(1, 0x200800, memory)));
            assertFails(
                    SET,
                    Errno.EINVAL,
                    "memory_size=0x800",
                    () -> vm.setMemorySlot(MemorySlot.of(1, 1 << 21, memory.asSlice(0, 0x800))));
            assertFails(SET, Errno.EINVAL, "memory=", () -> vm.setMemorySlot(MemorySlot.of(1, 1 << 21, unaligned)));
            assertFails(
                    SET,
                    Errno.EINVAL,
                    "memory=",
                    () -> vm.setMemorySlot(MemorySlot.of(1, 1 << 21, MemorySegment.ofArray(new byte[4096]))));
            assertFails(SET, Errno.EINVAL, "guest_phys_addr", () -> vm.setMemorySlot(MemorySlot.of(1, -4096, memory)));
            assertFails(
                    SET, Errno.EINVAL, "guest_phys_addr", () -> vm.setMemorySlot(MemorySlot.of(1, 1L << 60, memory)));
            assertFails(SET, Errno.EINVAL, "slot=9", () -> vm.deleteMemorySlot(0, 9));
            assertFails(
                    SET, Errno.EEXIST, "overlaps slot 0", () -> vm.setMemorySlot(MemorySlot.of(1, 0xFF000, memory)));
        }
    }

    @Test
    void wrongChangesOfASlotAreRefused() {
        try (Guest guest = Guest.realMode("f4")) {
            Vm vm = guest.vm;
            MemorySegment memory = vm.allocateMemory(0x3000);
            vm.setMemorySlot(MemorySlot.of(1, 0x200000, memory.asSlice(0, 0x2000)));
            assertFails(SET, Errno.EINVAL, "memory_size", () -> vm.setMemorySlot(MemorySlot.of(1, 0x200000, memory)));
            assertFails(
                    SET,
                    Errno.EINVAL,
                    "memory",
                    () -> vm.setMemorySlot(MemorySlot.of(1, 0x200000, memory.asSlice(0x1000, 0x2000))));
            assertFails(
                    SET,
                    Errno.EINVAL,
                    "READONLY",
                    () -> vm.setMemorySlot(
                            new MemorySlot(1, 0, 0x200000, memory.asSlice(0, 0x2000), MemorySlot.READONLY)));
            assertFails(
                    SET,
                    Errno.EEXIST,
                    "overlaps",
                    () -> vm.setMemorySlot(MemorySlot.of(1, 0xFF000, memory.asSlice(0, 0x2000))));
            vm.setMemorySlot(new MemorySlot(1, 0, 0x200000, memory.asSlice(0, 0x2000), MemorySlot.LOG_DIRTY_PAGES));
            assertThat(vm.memorySlots()).hasSize(2);
        }
    }

    @Test
    void aWrongListReplacesNothing() {
        try (Guest guest = Guest.realMode("f4")) {
            Vm vm = guest.vm;
            MemorySegment memory = vm.allocateMemory(0x2000);
            List<MemorySlot> before = vm.memorySlots();
            assertFails(
                    "replaceMemorySlots",
                    Errno.EEXIST,
                    "overlaps",
                    () -> vm.replaceMemorySlots(
                            List.of(MemorySlot.of(1, 0x1000, memory), MemorySlot.of(2, 0x2000, memory))));
            assertFails(
                    "replaceMemorySlots",
                    Errno.EEXIST,
                    "twice",
                    () -> vm.replaceMemorySlots(
                            List.of(MemorySlot.of(1, 0x1000, memory), MemorySlot.of(1, 0x8000, memory))));
            assertFails(
                    "replaceMemorySlots",
                    Errno.EINVAL,
                    "guest_phys_addr",
                    () -> vm.replaceMemorySlots(List.of(MemorySlot.of(1, 0x1001, memory))));
            assertThat(vm.memorySlots()).isEqualTo(before);
        }
    }
}
