package org.softkvm.kvm;

/** The VM's paravirtual clock ({@code struct kvm_clock_data}). */
public final class ClockData {
    /** Flag: the clock is the same on all vcpus. */
    public static final int TSC_STABLE = 2;
    /** Flag: {@link #realtime} is valid. */
    public static final int REALTIME = 4;
    /** Flag: {@link #hostTsc} is valid. */
    public static final int HOST_TSC = 8;

    /** The clock in nanoseconds; 0 when the VM was made. */
    public long clock;
    /** {@link #TSC_STABLE}, {@link #REALTIME} and {@link #HOST_TSC}. */
    public int flags;
    /** The host's wall clock at the same moment, in nanoseconds since 1970-01-01 UTC. */
    public long realtime;
    /** The host's time-stamp counter at the same moment. */
    public long hostTsc;

    /** Makes a clock that stands at 0. */
    public ClockData() {}
}
