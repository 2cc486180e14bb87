package org.softkvm.devices.time;

/** The time-stamp counter of one CPU, as far as its local APIC's TSC-deadline timer needs it. */
public interface TscSource {
    /**
     * The counter's value now, as RDTSC on that CPU would give it.
     *
     * @return the value, unsigned
     */
    long tsc();

    /**
     * The time at which the counter reaches a value.
     *
     * @param tsc the value, unsigned
     * @return a time of the local APIC's {@link DeviceClock}, in nanoseconds: the first at which {@link #tsc()} is
     *     {@code tsc} or more, or {@link Long#MAX_VALUE} when that is beyond its range
     */
    long nanoTimeAt(long tsc);
}
