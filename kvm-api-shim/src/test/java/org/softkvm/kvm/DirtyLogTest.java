package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@Timeout(60)
@ExtendWith(BinaryAbi.class)
class DirtyLogTest {
    private static final int PAGES = Guest.MEMORY_SIZE / 4096;
    private static final String GET = "KVM_GET_DIRTY_LOG";
    private static final String CLEAR = "KVM_CLEAR_DIRTY_LOG";

    /** Writes AL to the page in DI, 64 KiB up by ES, again and again; tells port 10h after each. */
    private static final String WRITER = """
            b8 00 20  mov ax, 2000h
            8e c0     mov es, ax
            e6 10     out 10h, al
            26 88 05  mov es:[di], al
            eb f9     jmp to the out
            """;

    private static void log(Guest guest, boolean on) {
        int flags = on ? MemorySlot.LOG_DIRTY_PAGES : 0;
        guest.vm.setMemorySlot(new MemorySlot(0, 0, 0, guest.memory, flags));
    }

    private static long[] words(Guest guest) {
        MemorySegment bitmap = MemorySegment.ofArray(new long[PAGES / 64]);
        guest.vm.getDirtyLog(0, 0, bitmap);
        return bitmap.toArray(ValueLayout.JAVA_LONG);
    }

    private static List<Integer> dirty(Guest guest) {
        return BitSet.valueOf(words(guest)).stream().boxed().toList();
    }

    private static void setDi(Guest guest, int di) {
        Regs regs = guest.regs();
        regs.rdi = di;
        guest.vcpu.setRegs(regs);
    }

    @Test
    void pagesAreDirtyOnceWritten() {
        try (Guest guest = Guest.realMode(WRITER)) {
            guest.runToOut(0x10);
            guest.runToOut(0x10);
            log(guest, true);
            assertThat(dirty(guest)).as("written before the log was on").isEmpty();
            setDi(guest, 0x3000);
            guest.runToOut(0x10);
            guest.runToOut(0x10);
            setDi(guest, 0x4FFF);
            guest.runToOut(0x10);
            assertThat(dirty(guest)).containsExactly(0x23, 0x24);
            assertThat(dirty(guest)).as("it was cleared").isEmpty();
            guest.runToOut(0x10);
            assertThat(dirty(guest)).as("the same page again").containsExactly(0x24);
            guest.runToOut(0x10);
            log(guest, false);
            assertFails(GET, Errno.ENOENT, "slot=0", () -> words(guest));
            log(guest, true);
            assertThat(dirty(guest)).as("a new log").isEmpty();
        }
    }

    @Test
    void oneStoreCanTouchTwoPages() {
        try (Guest guest = Guest.realMode("""
                e6 10        out 10h, al
                89 26 ff 5f  mov [5fffh], sp
                60           pusha
                e6 11        out 11h, al
                """)) {
            log(guest, true);
            guest.runToOut(0x10);
            guest.runToOut(0x11);
            assertThat(dirty(guest)).containsExactly(5, 6, 8);
        }
    }

    @Test
    void stringsLockedAccessesAndInputAreSeen() {
        try (Guest guest = Guest.realMode("""
                bf 00 50        mov di, 5000h
                b9 00 18        mov cx, 1800h
                f3 aa           rep stosb
                f0 ff 06 00 70  lock inc word [7000h]
                bf 00 a0        mov di, 0a000h
                e6 10           out 10h, al
                ba 33 00        mov dx, 33h
                6c              insb
                e6 11           out 11h, al
                """)) {
            log(guest, true);
            guest.runToOut(0x10);
            assertThat(dirty(guest)).containsExactly(5, 6, 7);
            guest.runTo(ExitReason.IO);
            guest.run.setIoValue(0, 0x99);
            // The input is stored when the vcpu goes on: after the log is taken.
            words(guest);
            guest.runToOut(0x11);
            assertThat(guest.peek8(0xA000)).isEqualTo(0x99);
            assertThat(dirty(guest)).containsExactly(0xA);
        }
    }

    @Test
    void thePageWalkIsSeen() {
        try (Guest guest = Guest.longMode(false, """
                e6 10                 out 10h, al
                a1 00 00 60 00 00 00 00 00  mov eax, [600000h]
                e6 11                 out 11h, al
                """)) {
            guest.runToOut(0x10);
            log(guest, true);
            guest.runTo(ExitReason.MMIO);
            guest.runToOut(0x11);
            assertThat(dirty(guest)).as("accessed bits").contains(0x12);
        }
    }

    @Test
    void devicesAreSeen() {
        try (Guest guest = Guest.realMode("f4")) {
            log(guest, true);
            guest.vm.dmaWrite(0x7FFF, MemorySegment.ofArray(new byte[4098]));
            assertThat(dirty(guest)).containsExactly(7, 8, 9);
            guest.vm.memoryWritten(0x40000, 1);
            assertThat(dirty(guest)).containsExactly(0x40);
            guest.vm.dmaRead(0x7FFF, MemorySegment.ofArray(new byte[4098]));
            assertThat(dirty(guest)).isEmpty();
        }
    }

    @Test
    void aLogIsClearedByRange() {
        try (Guest guest = Guest.realMode("f4")) {
            assertThat(guest.vm.checkExtension(Capability.MANUAL_DIRTY_LOG_PROTECT2))
                    .isEqualTo(3);
            guest.vm.enableCap(Capability.MANUAL_DIRTY_LOG_PROTECT2, 1);
            log(guest, true);
            for (int page : new int[] {0, 1, 70, 130, 255}) {
                guest.vm.dmaWrite(page * 4096L, MemorySegment.ofArray(new byte[1]));
            }
            assertThat(dirty(guest)).containsExactly(0, 1, 70, 130, 255);
            assertThat(dirty(guest)).as("reading does not clear").hasSize(5);
            guest.vm.clearDirtyLog(0, 0, 64, 64, bitmap(1L << 6));
            assertThat(dirty(guest)).containsExactly(0, 1, 130, 255);
            guest.vm.clearDirtyLog(0, 0, 0, 64, bitmap(1L << 1 | 1L << 9));
            assertThat(dirty(guest)).containsExactly(0, 130, 255);
            guest.vm.clearDirtyLog(0, 0, 128, 128, bitmap(-1L, -1L));
            assertThat(dirty(guest)).containsExactly(0);
        }
    }

    private static MemorySegment bitmap(long... words) {
        return MemorySegment.ofArray(words);
    }

    @Test
    void aLogCanBeginWithAllPagesDirty() {
        try (Guest guest = Guest.realMode("f4")) {
            guest.vm.enableCap(Capability.MANUAL_DIRTY_LOG_PROTECT2, 3);
            log(guest, true);
            assertThat(dirty(guest)).hasSize(PAGES);
            guest.vm.clearDirtyLog(0, 0, 0, PAGES, bitmap(-1, -1, -1, -1));
            assertThat(dirty(guest)).isEmpty();
            log(guest, true);
            assertThat(dirty(guest)).as("the log stays with its slot").isEmpty();
            MemorySegment odd = guest.vm.allocateMemory(3 * 4096);
            guest.vm.setMemorySlot(new MemorySlot(1, 0, 0x200000, odd, MemorySlot.LOG_DIRTY_PAGES));
            MemorySegment one = bitmap(0);
            guest.vm.getDirtyLog(0, 1, one);
            assertThat(one.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(7);
            guest.vm.clearDirtyLog(0, 1, 0, 3, bitmap(2));
            guest.vm.getDirtyLog(0, 1, one);
            assertThat(one.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(5);
        }
    }

    @Test
    void wrongCallsAreRefused() {
        try (Guest guest = Guest.realMode("f4")) {
            Vm vm = guest.vm;
            log(guest, true);
            MemorySegment enough = MemorySegment.ofArray(new long[4]);
            assertFails(GET, Errno.ENOENT, "slot=5", () -> vm.getDirtyLog(0, 5, enough));
            assertFails(GET, Errno.ENOENT, "slot=0", () -> vm.getDirtyLog(1, 0, enough));
            assertFails(GET, Errno.EINVAL, "address space 2", () -> vm.getDirtyLog(2, 0, enough));
            assertFails(GET, Errno.EINVAL, "slot=-1", () -> vm.getDirtyLog(0, -1, enough));
            assertFails(GET, Errno.EFAULT, "24 bytes", () -> vm.getDirtyLog(0, 0, MemorySegment.ofArray(new long[3])));
            assertFails(CLEAR, Errno.EINVAL, "first_page=32", () -> vm.clearDirtyLog(0, 0, 32, 64, enough));
            assertFails(CLEAR, Errno.EINVAL, "first_page=320", () -> vm.clearDirtyLog(0, 0, 320, 0, enough));
            assertFails(CLEAR, Errno.EINVAL, "num_pages=65", () -> vm.clearDirtyLog(0, 0, 0, 65, enough));
            assertFails(CLEAR, Errno.EINVAL, "num_pages=257", () -> vm.clearDirtyLog(0, 0, 0, 257, enough));
            assertFails(CLEAR, Errno.EFAULT, "8 bytes", () -> vm.clearDirtyLog(0, 0, 0, 128, bitmap(0)));
            String call = "KVM_ENABLE_CAP";
            assertFails(call, Errno.EINVAL, "args[0]=2", () -> vm.enableCap(Capability.MANUAL_DIRTY_LOG_PROTECT2, 2));
            assertFails(call, Errno.EINVAL, "args[0]=5", () -> vm.enableCap(Capability.MANUAL_DIRTY_LOG_PROTECT2, 5));
        }
    }

    /**
     * What migration does: pages are copied while the guest writes, each only when its bit says that it changed. In the
     * end the copy equals the memory.
     */
    @Test
    void aCopyByTheLogEqualsTheMemory() throws InterruptedException {
        try (Guest guest = Guest.realMode("""
                b8 00 20     mov ax, 2000h
                8e c0        mov es, ax
                26 fe 05     inc byte es:[di]
                69 ff 6d 4e  imul di, di, 4e6dh
                81 c7 39 30  add di, 3039h
                eb f3        jmp to the inc
                """)) {
            log(guest, true);
            byte[] copy = new byte[Guest.MEMORY_SIZE];
            MemorySegment.copy(guest.memory, ValueLayout.JAVA_BYTE, 0, copy, 0, copy.length);
            AtomicBoolean stop = new AtomicBoolean();
            Thread vcpu = Thread.ofPlatform().start(() -> {
                while (!stop.get()) {
                    guest.vcpu.run();
                }
            });
            List<Integer> pages = new ArrayList<>();
            // At least 300 rounds, and until the guest has written: on a busy machine its thread may begin late.
            for (int round = 0; round < 300 || pages.isEmpty(); round++) {
                pages.addAll(copyDirty(guest, copy));
            }
            stop.set(true);
            guest.vcpu.kick();
            vcpu.join();
            pages.addAll(copyDirty(guest, copy));
            assertThat(pages).as("the guest has written something").isNotEmpty();
            byte[] memory = guest.memory.toArray(ValueLayout.JAVA_BYTE);
            assertThat(copy).isEqualTo(memory);
        }
    }

    private static List<Integer> copyDirty(Guest guest, byte[] copy) {
        List<Integer> pages = dirty(guest);
        for (int page : pages) {
            MemorySegment.copy(guest.memory, ValueLayout.JAVA_BYTE, page * 4096L, copy, page * 4096, 4096);
        }
        return pages;
    }
}
