package org.softkvm.devices.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ManualClockTest {
    private final ManualClock clock = new ManualClock();
    private final List<String> log = new ArrayList<>();

    private DeviceTimer timer(String name) {
        return clock.newTimer(() -> log.add(name + "@" + clock.nanoTime()));
    }

    @Test
    void runsTimersInOrderAtTheirOwnTimes() {
        timer("late").arm(30);
        timer("early").arm(10);
        timer("b").arm(20);
        timer("c").arm(20);
        assertThat(clock.nextDeadline()).isEqualTo(10);
        clock.advance(25);
        assertThat(log).containsExactly("early@10", "b@20", "c@20");
        assertThat(clock.nanoTime()).isEqualTo(25);
        clock.advanceTo(30);
        assertThat(log).endsWith("late@30");
        assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void reArmingReplacesAndCancelDisarms() {
        DeviceTimer a = timer("a");
        a.arm(10);
        a.arm(50);
        assertThat(a.isArmed()).isTrue();
        clock.advance(20);
        assertThat(log).isEmpty();
        a.cancel();
        a.cancel();
        assertThat(a.isArmed()).isFalse();
        clock.advance(100);
        assertThat(log).isEmpty();
        a.arm(Long.MAX_VALUE);
        assertThat(a.isArmed()).isFalse();
    }

    @Test
    void pastDeadlinesRunAtTheNextAdvanceAndNow() {
        clock.advance(100);
        timer("past").arm(10);
        assertThat(log).isEmpty();
        clock.advance(0);
        assertThat(log).containsExactly("past@100");
    }

    @Test
    void callbacksMayArmAgain() {
        DeviceTimer[] self = new DeviceTimer[1];
        self[0] = clock.newTimer(() -> {
            log.add("t" + clock.nanoTime());
            self[0].arm(clock.nanoTime() + 10);
        });
        self[0].arm(10);
        clock.advance(35);
        assertThat(log).containsExactly("t10", "t20", "t30");
        assertThat(clock.nextDeadline()).isEqualTo(40);
    }

    @Test
    void advancingForEverRunsWhatIsArmed() {
        timer("only").arm(10);
        clock.advanceTo(Long.MAX_VALUE);
        assertThat(log).containsExactly("only@10");
        assertThat(clock.nanoTime()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void timeNeverGoesBack() {
        clock.advanceTo(50);
        clock.advanceTo(20);
        assertThat(clock.nanoTime()).isEqualTo(50);
        assertThatThrownBy(() -> clock.advance(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new ManualClock(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThat(new ManualClock(7).nanoTime()).isEqualTo(7);
    }

    /** The queue against java.util's, over random arming and cancelling. */
    @Test
    void queueKeepsOrder() {
        Random random = new Random(42);
        TimerQueue queue = new TimerQueue();
        TimerQueue.Entry[] entries = new TimerQueue.Entry[100];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = new TimerQueue.Entry(() -> {});
        }
        for (int round = 0; round < 20_000; round++) {
            TimerQueue.Entry entry = entries[random.nextInt(entries.length)];
            if (random.nextInt(3) == 0) {
                queue.remove(entry);
                assertThat(entry.isQueued()).isFalse();
            } else {
                queue.put(entry, random.nextInt(1000));
            }
        }
        PriorityQueue<Long> expected = new PriorityQueue<>();
        for (TimerQueue.Entry entry : entries) {
            if (entry.isQueued()) {
                expected.add(entry.deadline());
            }
        }
        assertThat(expected).isNotEmpty();
        while (!expected.isEmpty()) {
            assertThat(queue.firstDeadline()).isEqualTo(expected.remove());
            queue.remove(queue.first());
        }
        assertThat(queue.first()).isNull();
    }
}
