package org.softkvm.devices.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No test here depends on how fast the host is: they wait for what must come, and never for a time. */
@Timeout(60)
class HostClockTest {
    private final ReentrantLock lock = new ReentrantLock();

    @Test
    void runsCallbacksUnderTheLockAndNotEarly() throws InterruptedException {
        try (HostClock clock = new HostClock(lock)) {
            CountDownLatch ran = new CountDownLatch(1);
            AtomicReference<String> seen = new AtomicReference<>();
            long deadline = clock.nanoTime() + 1_000_000;
            clock.newTimer(() -> {
                        seen.set(lock.isHeldByCurrentThread() + " " + (clock.nanoTime() >= deadline));
                        ran.countDown();
                    })
                    .arm(deadline);
            ran.await();
            assertThat(seen.get()).isEqualTo("true true");
        }
    }

    @Test
    void anEarlierTimerOvertakes() throws InterruptedException {
        try (HostClock clock = new HostClock(lock)) {
            CountDownLatch ran = new CountDownLatch(1);
            DeviceTimer late = clock.newTimer(() -> {});
            late.arm(clock.nanoTime() + TimeUnit.HOURS.toNanos(1));
            clock.newTimer(ran::countDown).arm(0);
            ran.await();
            assertThat(late.isArmed()).isTrue();
        }
    }

    @Test
    void aTimerThatIsPutOffWakesNobody() throws InterruptedException {
        try (HostClock clock = new HostClock(lock)) {
            CountDownLatch ran = new CountDownLatch(1);
            long hour = TimeUnit.HOURS.toNanos(1);
            DeviceTimer timer = clock.newTimer(ran::countDown);
            // The thread may look into the queue while no timer is armed, and a later one then wakes it rightly.
            clock.queueLock.lock();
            try {
                timer.arm(hour);
                long wakes = clock.wakes();
                for (int k = 1; k <= 100; k++) {
                    timer.arm(hour + k);
                    timer.cancel();
                    timer.arm(hour);
                }
                assertThat(clock.wakes()).isEqualTo(wakes);
            } finally {
                clock.queueLock.unlock();
            }
            timer.arm(0);
            ran.await();
        }
    }

    @Test
    void cancelUnderTheLockIsFinal() throws InterruptedException {
        try (HostClock clock = new HostClock(lock)) {
            AtomicInteger runs = new AtomicInteger();
            DeviceTimer timer = clock.newTimer(runs::incrementAndGet);
            lock.lock();
            try {
                // Due, but the callback cannot run while the lock is held here.
                timer.arm(0);
                timer.cancel();
            } finally {
                lock.unlock();
            }
            CountDownLatch later = new CountDownLatch(1);
            clock.newTimer(later::countDown).arm(0);
            later.await();
            assertThat(runs).hasValue(0);
        }
    }

    @Test
    void callbacksMayArmAgain() throws InterruptedException {
        try (HostClock clock = new HostClock(lock)) {
            CountDownLatch ran = new CountDownLatch(3);
            AtomicReference<DeviceTimer> timer = new AtomicReference<>();
            timer.set(clock.newTimer(() -> {
                ran.countDown();
                if (ran.getCount() > 0) {
                    timer.get().arm(clock.nanoTime());
                }
            }));
            timer.get().arm(0);
            ran.await();
        }
    }

    @Test
    void aFaultInOneCallbackDoesNotStopTheOthers() throws InterruptedException {
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        CountDownLatch reported = new CountDownLatch(1);
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> reported.countDown());
        try (HostClock clock = new HostClock(lock)) {
            clock.newTimer(() -> {
                        throw new IllegalStateException("a device's fault");
                    })
                    .arm(0);
            reported.await();
            CountDownLatch ran = new CountDownLatch(1);
            clock.newTimer(ran::countDown).arm(0);
            ran.await();
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    @Test
    void closedClocksDoNotFire() {
        HostClock clock = new HostClock(lock);
        clock.close();
        DeviceTimer timer = clock.newTimer(() -> {});
        timer.arm(0);
        assertThat(timer.isArmed()).isFalse();
        long time = clock.nanoTime();
        assertThat(clock.nanoTime()).isGreaterThanOrEqualTo(time);
    }
}
