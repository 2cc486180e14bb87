package org.softkvm.devices.time;

/**
 * A clock that goes on only when told to: for tests, and for virtual time, where it advances with executed
 * instructions.
 *
 * <p>Callbacks run inside {@link #advanceTo}, in the order of their deadlines (equal ones in the order of arming),
 * and each sees the time of its own deadline. Not thread-safe: one thread, or the board's lock, serialises its use.
 */
public final class ManualClock implements DeviceClock {
    private final TimerQueue queue = new TimerQueue();
    private long now;

    private final class ManualTimer extends TimerQueue.Entry implements DeviceTimer {
        ManualTimer(Runnable callback) {
            super(callback);
        }

        @Override
        public void arm(long deadlineNanos) {
            if (deadlineNanos == Long.MAX_VALUE) {
                queue.remove(this);
            } else {
                queue.put(this, deadlineNanos);
            }
        }

        @Override
        public void cancel() {
            queue.remove(this);
        }

        @Override
        public boolean isArmed() {
            return isQueued();
        }
    }

    /** Creates a clock that stands at 0. */
    public ManualClock() {}

    /**
     * Creates a clock that stands at a given time.
     *
     * @param startNanos the time, 0 or more
     */
    public ManualClock(long startNanos) {
        if (startNanos < 0) {
            throw new IllegalArgumentException("a clock cannot start at " + startNanos + " ns");
        }
        now = startNanos;
    }

    @Override
    public long nanoTime() {
        return now;
    }

    @Override
    public DeviceTimer newTimer(Runnable callback) {
        return new ManualTimer(callback);
    }

    /**
     * The earliest deadline of an armed timer, which may be in the past.
     *
     * @return the time in nanoseconds, or {@link Long#MAX_VALUE} when no timer is armed
     */
    public long nextDeadline() {
        return queue.firstDeadline();
    }

    /**
     * Advances the clock and runs the timers that fall due, the end of the interval included. Timers that were armed
     * for a time already past run at the time that is now.
     *
     * @param nanos by how much, 0 or more
     */
    public void advance(long nanos) {
        if (nanos < 0) {
            throw new IllegalArgumentException("time does not go back by " + nanos + " ns");
        }
        advanceTo(Math.addExact(now, nanos));
    }

    /**
     * Advances the clock to a given time and runs the timers that fall due. A time already past runs the timers that
     * are due now and leaves the clock where it stands.
     *
     * @param nanos the time to advance to
     */
    public void advanceTo(long nanos) {
        long end = Math.max(now, nanos);
        for (TimerQueue.Entry timer = queue.first(); timer != null && timer.deadline() <= end; timer = queue.first()) {
            now = Math.max(now, timer.deadline());
            queue.remove(timer);
            timer.run();
        }
        now = Math.max(now, end);
    }
}
