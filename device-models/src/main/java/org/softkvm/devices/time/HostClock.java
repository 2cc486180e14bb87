package org.softkvm.devices.time;

import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The host's monotonic clock. One daemon thread runs the callbacks, each with a given lock held, so devices under
 * that lock see accesses and timers one at a time.
 *
 * <p>Timers are thread-safe and may be armed with or without the lock. The clock takes the lock only when it holds
 * none of its own, so any order of locks by callers is safe.
 */
public final class HostClock implements DeviceClock, AutoCloseable {
    /**
     * Nanoseconds after which the thread looks again when a timer has fired. Guests set their next timer in the interrupt
     * of this one, and would have to wake the thread, which costs the vcpu more than a look costs the thread.
     */
    private static final long GRACE = 500_000;

    private final Lock lock;

    /**
     * Guards the queue and {@code closed}; never held while {@code lock} is taken or a callback runs. Not private: a test
     * holds it, so that the thread cannot look into the queue meanwhile.
     */
    final ReentrantLock queueLock = new ReentrantLock();

    private final TimerQueue queue = new TimerQueue();
    private final long start = System.nanoTime();
    private final Thread thread;
    private boolean closed;

    /**
     * When the thread looks into the queue at the latest, without being woken. Not moved when a deadline is put off or
     * cancelled: guests put their next timer off at each change of tasks, and to wake a thread costs more than all else
     * of it. The thread then wakes once in vain.
     */
    private long looksAt = Long.MIN_VALUE;

    /** Times that the thread was woken to look earlier (for tests). */
    private long wakes;

    private final class HostTimer extends TimerQueue.Entry implements DeviceTimer {
        HostTimer(Runnable callback) {
            super(callback);
        }

        @Override
        public void arm(long deadlineNanos) {
            queueLock.lock();
            try {
                if (closed || deadlineNanos == Long.MAX_VALUE) {
                    queue.remove(this);
                    return;
                }
                queue.put(this, deadlineNanos);
                if (deadlineNanos >= looksAt) {
                    return;
                }
                looksAt = deadlineNanos;
                wakes++;
            } finally {
                queueLock.unlock();
            }
            LockSupport.unpark(thread);
        }

        @Override
        public void cancel() {
            queueLock.lock();
            try {
                queue.remove(this);
            } finally {
                queueLock.unlock();
            }
        }

        @Override
        public boolean isArmed() {
            queueLock.lock();
            try {
                return isQueued();
            } finally {
                queueLock.unlock();
            }
        }
    }

    /**
     * Starts the clock at 0.
     *
     * @param lock held while callbacks run: the board's lock, which must be re-entrant
     */
    public HostClock(Lock lock) {
        this.lock = lock;
        thread = Thread.ofPlatform().name("softkvm-timers").daemon().unstarted(this::run);
        thread.start();
    }

    @Override
    public long nanoTime() {
        return System.nanoTime() - start;
    }

    /** Times that the timer thread was woken because a timer was armed for a time before all others. */
    long wakes() {
        queueLock.lock();
        try {
            return wakes;
        } finally {
            queueLock.unlock();
        }
    }

    @Override
    public DeviceTimer newTimer(Runnable callback) {
        return new HostTimer(callback);
    }

    /**
     * Stops the timer thread. Armed timers do not fire any more and timers cannot be armed again; the time still
     * reads. Returns without waiting for a callback that is running.
     */
    @Override
    public void close() {
        queueLock.lock();
        try {
            closed = true;
        } finally {
            queueLock.unlock();
        }
        LockSupport.unpark(thread);
    }

    private void run() {
        boolean fired = false;
        while (true) {
            long deadline;
            long until;
            queueLock.lock();
            try {
                if (closed) {
                    return;
                }
                deadline = queue.firstDeadline();
                until = fired ? Math.min(deadline, nanoTime() + GRACE) : deadline;
                looksAt = until;
            } finally {
                queueLock.unlock();
            }
            fired = deadline <= nanoTime();
            if (fired) {
                fire();
            } else if (until == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, until - nanoTime());
            }
        }
    }

    /** Runs the first timer if it is still due once the lock is held: a cancel under the lock is then final. */
    private void fire() {
        lock.lock();
        try {
            TimerQueue.Entry timer = takeDue();
            if (timer != null) {
                timer.run();
            }
        } catch (RuntimeException | Error e) {
            // A device's own fault must not stop the other devices' timers.
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        } finally {
            lock.unlock();
        }
    }

    private TimerQueue.Entry takeDue() {
        queueLock.lock();
        try {
            if (closed || queue.firstDeadline() > nanoTime()) {
                return null;
            }
            TimerQueue.Entry timer = queue.first();
            queue.remove(timer);
            return timer;
        } finally {
            queueLock.unlock();
        }
    }
}
