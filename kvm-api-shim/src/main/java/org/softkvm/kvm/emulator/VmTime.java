package org.softkvm.kvm.emulator;

import java.time.Instant;
import java.util.concurrent.locks.Lock;
import org.softkvm.devices.time.HostClock;

/** A VM's time: the clock of its chips and the paravirtual clock, both on the host's monotonic clock. */
final class VmTime implements AutoCloseable {
    private static final long NANOS = 1_000_000_000L;

    private final HostClock clock;

    /** The paravirtual clock less the clock of the chips. */
    private volatile long offset;

    /**
     * Makes a VM's time.
     *
     * @param lock what the clock's timers run under: the chips' lock; local APICs take none
     */
    VmTime(Lock lock) {
        clock = new HostClock(lock);
        offset = -clock.nanoTime();
    }

    HostClock clock() {
        return clock;
    }

    /** Nanoseconds since the VM was made, by the clock of its chips. */
    long nanoTime() {
        return clock.nanoTime();
    }

    /** The paravirtual clock at a moment of {@link #nanoTime()}. */
    long kvmClockAt(long nanoTime) {
        return nanoTime + offset;
    }

    /** Sets the paravirtual clock as of a moment of {@link #nanoTime()}. */
    void setKvmClock(long value, long nanoTime) {
        offset = value - nanoTime;
    }

    /** The host's wall clock in nanoseconds since 1970-01-01 UTC. */
    static long realtime() {
        Instant now = Instant.now();
        return now.getEpochSecond() * NANOS + now.getNano();
    }

    @Override
    public void close() {
        clock.close();
    }
}
