package org.softkvm.devices.time;

import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * A clock whose time is somebody else's count, such as the number of instructions that a guest has executed. It does
 * not fire timers by itself: its owner bounds what it does by {@link #nextDeadline()}, and calls {@link #runDue()} when
 * that time has come. Nothing depends on the host's time, so a run can be repeated exactly.
 *
 * <p>Callbacks run in the order of their deadlines, equal ones in the order of arming. Not thread-safe: one thread, or
 * the board's lock, serialises its use.
 */
public final class VirtualClock implements DeviceClock {
    private final LongSupplier time;
    private final TimerQueue queue = new TimerQueue();
    private Runnable earlier = () -> {};

    private final class VirtualTimer extends TimerQueue.Entry implements DeviceTimer {
        VirtualTimer(Runnable callback) {
            super(callback);
        }

        @Override
        public void arm(long deadlineNanos) {
            if (deadlineNanos == Long.MAX_VALUE) {
                queue.remove(this);
                return;
            }
            queue.put(this, deadlineNanos);
            if (queue.first() == this) {
                earlier.run();
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

    /**
     * Creates a clock without timers.
     *
     * @param time the time in nanoseconds, 0 or more; never goes back
     */
    public VirtualClock(LongSupplier time) {
        this.time = Objects.requireNonNull(time, "time");
    }

    /**
     * Wants to know when a timer is armed that becomes the first: who runs until the next deadline has less time now.
     *
     * @param listener called by whoever arms the timer
     */
    public void onEarlierDeadline(Runnable listener) {
        earlier = Objects.requireNonNull(listener, "listener");
    }

    @Override
    public long nanoTime() {
        return time.getAsLong();
    }

    @Override
    public DeviceTimer newTimer(Runnable callback) {
        return new VirtualTimer(callback);
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
     * Runs the timers whose deadlines have come; those that callbacks arm for a time that is over run at the next call.
     */
    public void runDue() {
        long now = nanoTime();
        if (queue.firstDeadline() > now) {
            return;
        }
        long last = queue.lastSequence();
        for (TimerQueue.Entry timer = queue.first();
                timer != null && timer.deadline() <= now && timer.sequence() - last <= 0;
                timer = queue.first()) {
            queue.remove(timer);
            timer.run();
        }
    }
}
