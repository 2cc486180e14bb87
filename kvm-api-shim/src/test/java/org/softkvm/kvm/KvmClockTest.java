package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(BinaryAbi.class)
class KvmClockTest {
    private static final int WALL_CLOCK = 0x4b564d00;
    private static final int SYSTEM_TIME = 0x4b564d01;
    private static final long RECORD = 0x5000;
    private static final long MINUTE = 60_000_000_000L;

    /** What a guest computes from the record at a value of its counter. */
    private static long nanoseconds(Guest guest, long tsc) {
        long delta = tsc - guest.peek64(RECORD + 8);
        int shift = (byte) guest.peek8(RECORD + 28);
        long scaled = shift >= 0 ? delta << shift : delta >> -shift;
        long multiplier = Integer.toUnsignedLong(guest.peek32(RECORD + 24));
        return guest.peek64(RECORD + 16) + (Math.multiplyHigh(scaled, multiplier) << 32 | scaled * multiplier >>> 32);
    }

    private static long clock(Guest guest) {
        ClockData data = new ClockData();
        guest.vm.getClock(data);
        return data.clock;
    }

    @Test
    void theRecordLeadsFromTheCounterToTheClock() {
        try (Guest guest = Guest.longMode(true, "f4")) {
            for (int khz : new int[] {1_000_000, 2_500_000, 100_000, 3_333_333}) {
                guest.vcpu.setTscKhz(khz);
                guest.vcpu.setMsr(SYSTEM_TIME, RECORD | 1);
                assertThat(guest.peek32(RECORD) & 1).as("version is even").isZero();
                assertThat(guest.peek32(RECORD)).isPositive();
                assertThat(guest.peek8(RECORD + 29)).as("flags: stable").isEqualTo(1);
                long before = clock(guest);
                long seen = nanoseconds(guest, guest.vcpu.getMsr(0x10));
                long after = clock(guest);
                // The multiplier has 32 bits, and the counter counts in whole ticks.
                assertThat(seen).as(khz + " kHz").isBetween(before - 1000, after + 1000);
            }
            assertThat(guest.vcpu.getMsr(SYSTEM_TIME)).isEqualTo(RECORD | 1);
        }
    }

    @Test
    void theRecordFollowsTheClockAndTheCounter() {
        try (Guest guest = Guest.realMode("f4")) {
            guest.vcpu.setMsr(SYSTEM_TIME, RECORD | 1);
            ClockData data = new ClockData();
            data.clock = 1000 * MINUTE;
            guest.vm.setClock(data);
            guest.runTo(ExitReason.HLT);
            assertThat(nanoseconds(guest, guest.vcpu.getMsr(0x10))).isBetween(1000 * MINUTE, 1001 * MINUTE);
            guest.vcpu.setMsr(0x10, 5);
            assertThat(nanoseconds(guest, guest.vcpu.getMsr(0x10))).isBetween(1000 * MINUTE, 1001 * MINUTE);
            assertThat(guest.peek64(RECORD + 8)).isBetween(5L, MINUTE);
        }
    }

    @Test
    void aClockThatIsOffWritesNothing() {
        try (Guest guest = Guest.realMode("f4")) {
            guest.vcpu.setMsr(SYSTEM_TIME, RECORD);
            assertThat(guest.peek64(RECORD)).isZero();
            assertThat(guest.peek64(RECORD + 16)).isZero();
        }
    }

    @Test
    void theOldNumbersOfTheMsrsWorkToo() {
        try (Guest guest = Guest.realMode("f4")) {
            guest.vcpu.setMsr(0x12, RECORD | 1);
            assertThat(guest.peek8(RECORD + 29)).isEqualTo(1);
            guest.vcpu.setMsr(0x11, RECORD + 0x100);
            assertThat(guest.peek32(RECORD + 0x104)).isNotZero();
        }
    }

    @Test
    void theWallClockIsThatOfTheMomentAtWhichTheClockWasZero() {
        try (Guest guest = Guest.realMode("f4")) {
            guest.vcpu.setMsr(WALL_CLOCK, RECORD);
            assertThat(guest.peek32(RECORD) & 1).isZero();
            long boot = Integer.toUnsignedLong(guest.peek32(RECORD + 4)) * 1_000_000_000L + guest.peek32(RECORD + 8);
            long now = System.currentTimeMillis() * 1_000_000L;
            assertThat(boot + clock(guest)).isBetween(now - MINUTE, now + MINUTE);
            assertThat(guest.peek32(RECORD + 8)).isBetween(0, 999_999_999);
        }
    }

    @Test
    void theGuestTurnsTheClockOnByWrmsr() {
        try (Guest guest = Guest.longMode(true, """
                b9 01 4d 56 4b     mov ecx, 4b564d01h
                b8 01 50 00 00     mov eax, 5001h
                31 d2              xor edx, edx
                0f 30              wrmsr
                0f 32              rdmsr
                e6 10              out 10h, al
                """)) {
            assertThat(guest.runToOut(0x10)).isEqualTo(1);
            assertThat(guest.peek32(RECORD + 24)).isNotZero();
        }
    }

    @Test
    void theRecordFollowsWhatTheGuestWritesToItsCounter() {
        try (Guest guest = Guest.longMode(true, """
                b9 01 4d 56 4b     mov ecx, 4b564d01h
                b8 01 50 00 00     mov eax, 5001h
                31 d2              xor edx, edx
                0f 30              wrmsr
                b9 10 00 00 00     mov ecx, 10h
                31 c0              xor eax, eax
                ba 00 00 01 00     mov edx, 10000h
                0f 30              wrmsr
                e6 10              out 10h, al
                """)) {
            guest.runToOut(0x10);
            assertThat(guest.peek64(RECORD + 8)).isGreaterThanOrEqualTo(1L << 48);
            assertThat(nanoseconds(guest, guest.vcpu.getMsr(0x10))).isBetween(0L, MINUTE);
        }
    }

    @Test
    void theClockBeginsAtZeroAndTakesTheTimeThatPassed() {
        try (Guest guest = Guest.realMode("f4")) {
            ClockData data = new ClockData();
            guest.vm.getClock(data);
            assertThat(data.clock).isBetween(0L, MINUTE);
            assertThat(data.flags & ClockData.TSC_STABLE).isNotZero();
            data.flags = ClockData.REALTIME;
            data.clock = 5 * MINUTE;
            data.realtime -= 10 * MINUTE;
            guest.vm.setClock(data);
            assertThat(clock(guest)).isBetween(15 * MINUTE, 16 * MINUTE);
            data.flags = 0x40;
            assertFails("KVM_SET_CLOCK", Errno.EINVAL, "flags=0x40", () -> guest.vm.setClock(data));
        }
    }
}
