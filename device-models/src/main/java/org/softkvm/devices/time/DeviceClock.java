package org.softkvm.devices.time;

/**
 * The time that chips live in, in nanoseconds since the board was made.
 *
 * <p>A clock is either the host's ({@link HostClock}) or driven by hand or by executed instructions
 * ({@link ManualClock}); a device cannot tell. Time never goes back.
 */
public interface DeviceClock {
    /**
     * The time now.
     *
     * @return nanoseconds since the clock's start, 0 or more
     */
    long nanoTime();

    /**
     * Makes a timer that is not armed.
     *
     * @param callback what to do when the deadline has come; runs with the clock's lock held, must not block, and may
     *     arm timers again
     * @return the timer
     */
    DeviceTimer newTimer(Runnable callback);
}
