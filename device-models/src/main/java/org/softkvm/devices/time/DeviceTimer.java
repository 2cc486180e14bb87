package org.softkvm.devices.time;

/**
 * A one-shot timer of a {@link DeviceClock}. Its methods are thread-safe and do not allocate.
 *
 * <p>A callback never runs before its deadline. It may run later, and then sees a {@link DeviceClock#nanoTime()} past
 * the deadline; devices derive what happened from the time, not from the number of callbacks.
 */
public interface DeviceTimer {
    /**
     * Arms the timer, in place of an earlier deadline if there was one. A deadline that has passed already makes the
     * callback run soon (on a {@link ManualClock}: at the next advance), never from within this call.
     *
     * @param deadlineNanos time of the clock at which the callback runs; {@link Long#MAX_VALUE} is never
     */
    void arm(long deadlineNanos);

    /**
     * Disarms the timer; does nothing when it is not armed. When the caller holds the clock's lock, the callback does
     * not run any more; otherwise one that is just starting may still run.
     */
    void cancel();

    /**
     * Says whether a deadline is set.
     *
     * @return true from {@link #arm} to the start of the callback or {@link #cancel}
     */
    boolean isArmed();
}
