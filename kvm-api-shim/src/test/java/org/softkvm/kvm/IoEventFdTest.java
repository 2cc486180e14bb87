package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.softkvm.kvm.Errors.assertFails;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Writes that are answered in the backend: ioeventfds and coalesced ranges. */
@Timeout(60)
class IoEventFdTest {
    private static final String CALL = "KVM_IOEVENTFD";
    private final EventFd event = new EventFd();

    @Test
    void aPortWriteSignalsAndDoesNotExit() {
        try (Guest guest = Guest.realMode("""
                b0 07  mov al, 7
                e6 50  out 50h, al
                e7 50  out 50h, ax
                e6 51  out 51h, al
                e4 50  in al, 50h
                f4     hlt
                """)) {
            guest.vm.assignIoEventFd(IoEventFd.pio(event, 0x50, 1));
            guest.runTo(ExitReason.IO);
            assertThat(guest.run.ioSize()).as("another width").isEqualTo(2);
            assertThat(event.take()).isEqualTo(1);
            assertThat(guest.runToOut(0x51)).isEqualTo(7);
            guest.runTo(ExitReason.IO);
            assertThat(guest.run.ioDirection()).as("a read").isEqualTo(VcpuRun.IO_IN);
            guest.runTo(ExitReason.HLT);
            assertThat(event.count()).isZero();
        }
    }

    @Test
    void aValueCanBeDemanded() {
        try (Guest guest = Guest.realMode("""
                b8 34 12  mov ax, 1234h
                e7 50     out 50h, ax
                40        inc ax
                e7 50     out 50h, ax
                40        inc ax
                e7 50     out 50h, ax
                f4        hlt
                """)) {
            EventFd other = new EventFd();
            guest.vm.assignIoEventFd(IoEventFd.pio(event, 0x50, 2).matching(0x1234));
            guest.vm.assignIoEventFd(IoEventFd.pio(other, 0x50, 2).matching(0xABCD_0000_0000_1235L));
            assertThat(guest.runToOut(0x50)).isEqualTo(0x1236);
            assertThat(event.count()).isEqualTo(1);
            assertThat(other.count()).as("the value's lower bytes count").isEqualTo(1);
        }
    }

    @Test
    void anyWidthOfMemoryWriteCanSignal() {
        try (Guest guest = Guest.protectedMode(false, """
                bf 00 00 00 e0  mov edi, 0e0000000h
                c6 07 01        mov byte [edi], 1
                c7 07 02 00 00 00  mov dword [edi], 2
                c6 47 01 03     mov byte [edi + 1], 3
                f4              hlt
                """)) {
            guest.vm.assignIoEventFd(IoEventFd.mmio(event, 0xE000_0000L, 0));
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioAddress()).as("begins elsewhere").isEqualTo(0xE000_0001L);
            assertThat(event.count()).isEqualTo(2);
        }
    }

    @Test
    void partsOfStringWritesAreServed() {
        try (Guest guest = Guest.realMode("""
                be 00 20  mov si, 2000h
                b9 05 00  mov cx, 5
                ba 50 00  mov dx, 50h
                f3 6e     rep outsb
                f4        hlt
                """)) {
            guest.poke32(0x2000, 0x09_0A_09_09);
            guest.poke8(0x2004, 0x0B);
            guest.vm.assignIoEventFd(IoEventFd.pio(event, 0x50, 1).matching(9));
            guest.runTo(ExitReason.IO);
            assertThat(event.count()).isEqualTo(2);
            assertThat(guest.run.ioCount()).as("what is left").isEqualTo(3);
            assertThat(guest.run.ioValue(0)).isEqualTo(0x0A);
            assertThat(guest.run.ioValue(2)).isEqualTo(0x0B);
            guest.runTo(ExitReason.HLT);
            assertThat(guest.regs().rcx & 0xFFFF).isZero();
        }
    }

    @Test
    void oneWriteHasOneAnswer() {
        try (Guest guest = Guest.realMode("f4")) {
            Vm vm = guest.vm;
            IoEventFd plain = IoEventFd.pio(event, 0x50, 2);
            vm.assignIoEventFd(plain);
            assertFails(CALL, Errno.EEXIST, "len=2", () -> vm.assignIoEventFd(IoEventFd.pio(new EventFd(), 0x50, 2)));
            assertFails(CALL, Errno.EEXIST, "len=2", () -> vm.assignIoEventFd(plain.matching(1)));
            assertFails(CALL, Errno.EEXIST, "len=0", () -> vm.assignIoEventFd(IoEventFd.pio(event, 0x50, 0)));
            vm.assignIoEventFd(IoEventFd.pio(event, 0x50, 4));
            vm.assignIoEventFd(IoEventFd.mmio(event, 0x50, 2));
            assertFails(CALL, Errno.EINVAL, "len=3", () -> vm.assignIoEventFd(IoEventFd.pio(event, 0x60, 3)));
            assertFails(
                    CALL,
                    Errno.EINVAL,
                    "DATAMATCH",
                    () -> vm.assignIoEventFd(IoEventFd.pio(event, 0x60, 0).matching(1)));
            assertFails(CALL, Errno.EINVAL, "flags=8", () -> vm.assignIoEventFd(new IoEventFd(event, 1, 1, 8, 0)));
            assertFails(CALL, Errno.EINVAL, "addr=0xff", () -> vm.assignIoEventFd(IoEventFd.mmio(event, -1, 4)));
            assertFails(CALL, Errno.ENOENT, "len=1", () -> vm.deassignIoEventFd(IoEventFd.pio(event, 0x50, 1)));
            vm.deassignIoEventFd(plain);
            assertFails(CALL, Errno.ENOENT, "len=2", () -> vm.deassignIoEventFd(plain));
            vm.assignIoEventFd(plain.matching(1));
            vm.assignIoEventFd(plain.matching(2));
        }
    }

    @Test
    void coalescedWritesWaitInTheRing() {
        try (Guest guest = Guest.protectedMode(false, """
                bf 00 00 00 e0     mov edi, 0e0000000h
                c6 07 41           mov byte [edi], 41h
                c7 47 0c 44 33 22 11  mov dword [edi + 12], 11223344h
                b0 42              mov al, 42h
                e6 70              out 70h, al
                c7 47 0e 00 00 00 00  mov dword [edi + 14], 0
                f4                 hlt
                """)) {
            CoalescedRing ring = guest.vm.coalescedRing();
            assertThat(ring.next()).isFalse();
            guest.vm.registerCoalesced(0xE000_0000L, 0x10, false);
            guest.vm.registerCoalesced(0x70, 1, true);
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioAddress()).as("over the end of the range").isEqualTo(0xE000_000EL);
            expect(ring, 0xE000_0000L, 1, false, 0x41);
            expect(ring, 0xE000_000CL, 4, false, 0x11223344);
            expect(ring, 0x70, 1, true, 0x42);
            assertThat(ring.next()).isFalse();
        }
    }

    private static void expect(CoalescedRing ring, long address, int length, boolean pio, long data) {
        assertThat(ring.next()).isTrue();
        assertThat(ring.address()).isEqualTo(address);
        assertThat(ring.length()).isEqualTo(length);
        assertThat(ring.isPio()).isEqualTo(pio);
        assertThat(ring.data()).isEqualTo(data);
        ring.done();
    }

    @Test
    void aFullRingExits() {
        try (Guest guest = Guest.realMode("e6 70 40 eb fb  out 70h, al; inc ax; jmp")) {
            guest.vm.registerCoalesced(0x70, 1, true);
            CoalescedRing own = new CoalescedRing(Arena.ofAuto().allocate(4096, 8));
            guest.vm.setCoalescedRing(own);
            assertThat(guest.vm.coalescedRing()).isSameAs(own);
            assertThat(guest.runToOut(0x70)).isEqualTo(CoalescedRing.ENTRIES - 1);
            // The layout is struct kvm_coalesced_mmio_ring's.
            MemorySegment page = own.segment();
            assertThat(page.get(ValueLayout.JAVA_INT, 0)).isZero();
            assertThat(page.get(ValueLayout.JAVA_INT, 4)).isEqualTo(169);
            assertThat(page.get(ValueLayout.JAVA_LONG, 8)).isEqualTo(0x70);
            assertThat(page.get(ValueLayout.JAVA_INT, 16)).isEqualTo(1);
            assertThat(page.get(ValueLayout.JAVA_INT, 20)).isEqualTo(1);
            assertThat(page.get(ValueLayout.JAVA_LONG, 24 + 24)).isEqualTo(1);
            int taken = 0;
            while (own.next()) {
                assertThat(own.data()).isEqualTo(taken++);
                own.done();
            }
            assertThat(taken).isEqualTo(169);
            guest.vm.unregisterCoalesced(0x70, 1, true);
            guest.runToOut(0x70);
            assertThat(own.next()).isFalse();
        }
    }

    @Test
    void aRingThatItsOwnerSpoiltIsNeverLeft() {
        CoalescedRing ring = new CoalescedRing(Arena.ofAuto().allocate(4096, 8));
        ring.segment().set(ValueLayout.JAVA_INT, 4, 5000);
        assertThat(ring.add(1, 1, false, 1)).isFalse();
        ring.segment().set(ValueLayout.JAVA_INT, 0, -1);
        assertThat(ring.next()).isFalse();
        assertThatThrownBy(() -> new CoalescedRing(MemorySegment.ofArray(new byte[4096])))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
