package org.softkvm.kvm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The time in guest code, by a clock that the test sets. */
class GuestTimeTest {
    private final GuestTime time = new GuestTime();
    private long now = 1_000_000;

    private void stay(long nanos, long servedIn, boolean soon) {
        time.enter(now);
        now += nanos;
        time.leave(soon, now);
        now += servedIn;
    }

    @Test
    void longStaysAreMeasuredOneByOne() {
        for (int i = 0; i < 100; i++) {
            stay(10_000, 70_000, true);
        }
        assertThat(time.nanos()).isEqualTo(100 * 10_000);
    }

    @Test
    void quickExitsAreMeasuredTogether() {
        int exits = 10 * (GuestTime.WINDOW + 1);
        for (int i = 0; i < exits; i++) {
            stay(100, 300, true);
        }
        stay(100, 0, false);
        assertThat(time.nanos()).isBetween(exits * 95L, exits * 105L);
    }

    @Test
    void aLongStayAmongQuickExitsCountsInFull() {
        for (int at = 0; at < 3 * GuestTime.WINDOW; at++) {
            GuestTime fresh = new GuestTime();
            for (int i = 0; i < 3 * GuestTime.WINDOW; i++) {
                fresh.enter(now);
                now += i == at ? 1_000_000_000 : 100;
                fresh.leave(true, now);
                now += 300;
            }
            fresh.enter(now);
            fresh.leave(false, now);
            assertThat(fresh.nanos()).as("stay %d", at).isBetween(1_000_000_000L, 1_000_020_000L);
        }
    }

    @Test
    void whatOtherExitsTakeToServeIsNoGuestTime() {
        for (int i = 0; i < 10; i++) {
            stay(100, 300, true);
        }
        stay(100, 60_000_000_000L, false);
        stay(100, 0, false);
        assertThat(time.nanos()).isLessThan(10_000);
    }
}
