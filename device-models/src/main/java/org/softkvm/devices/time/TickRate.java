package org.softkvm.devices.time;

/**
 * Converts between nanoseconds and the ticks of a crystal, exactly and without overflow for some 250 years.
 *
 * @param hertz ticks a second, 1..1,000,000,000
 */
public record TickRate(long hertz) {
    private static final long NANOS = 1_000_000_000L;

    /**
     * Checks the rate.
     *
     * @throws IllegalArgumentException when it is out of range
     */
    public TickRate {
        if (hertz < 1 || hertz > NANOS) {
            throw new IllegalArgumentException("a rate of " + hertz + " Hz is not within 1 Hz..1 GHz");
        }
    }

    /**
     * The number of whole ticks in a time.
     *
     * @param nanos the time in nanoseconds, 0 or more
     * @return the ticks
     */
    public long ticks(long nanos) {
        return nanos / NANOS * hertz + nanos % NANOS * hertz / NANOS;
    }

    /**
     * The first nanosecond of a tick, so that {@code ticks(nanos(t)) == t} and {@code ticks(nanos(t) - 1) == t - 1}.
     *
     * @param ticks the tick, 0 or more
     * @return the time in nanoseconds, or {@link Long#MAX_VALUE} when it is beyond the range of a long
     */
    public long nanos(long ticks) {
        long seconds = ticks / hertz;
        if (seconds >= Long.MAX_VALUE / NANOS) {
            return Long.MAX_VALUE;
        }
        return seconds * NANOS + (ticks % hertz * NANOS + hertz - 1) / hertz;
    }
}
