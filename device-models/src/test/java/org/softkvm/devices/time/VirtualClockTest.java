package org.softkvm.devices.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class VirtualClockTest {
    private long now;
    private final VirtualClock clock = new VirtualClock(() -> now);
    private final List<String> log = new ArrayList<>();

    private DeviceTimer timer(String name) {
        return clock.newTimer(() -> log.add(name + "@" + clock.nanoTime()));
    }

    @Test
    void timeIsTheOwnersCountAndTimersWaitForTheOwner() {
        timer("late").arm(30);
        timer("early").arm(10);
        timer("b").arm(20);
        timer("c").arm(20);
        assertThat(clock.nextDeadline()).isEqualTo(10);
        now = 9;
        clock.runDue();
        assertThat(log).isEmpty();
        now = 20;
        assertThat(log).isEmpty();
        clock.runDue();
        assertThat(log).containsExactly("early@20", "b@20", "c@20");
        assertThat(clock.nextDeadline()).isEqualTo(30);
    }

    @Test
    void aCallbackThatArmsForThePastRunsAtTheNextCall() {
        DeviceTimer[] self = new DeviceTimer[1];
        self[0] = clock.newTimer(() -> {
            log.add("x");
            self[0].arm(1);
        });
        self[0].arm(5);
        now = 5;
        clock.runDue();
        assertThat(log).hasSize(1);
        clock.runDue();
        assertThat(log).hasSize(2);
        assertThat(self[0].isArmed()).isTrue();
        self[0].cancel();
        assertThat(self[0].isArmed()).isFalse();
        assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void tellsOfDeadlinesThatComeFirst() {
        clock.onEarlierDeadline(() -> log.add("earlier " + clock.nextDeadline()));
        DeviceTimer a = timer("a");
        a.arm(100);
        timer("b").arm(200);
        timer("c").arm(50);
        a.arm(Long.MAX_VALUE);
        assertThat(log).containsExactly("earlier 100", "earlier 50");
        assertThat(a.isArmed()).isFalse();
    }
}
