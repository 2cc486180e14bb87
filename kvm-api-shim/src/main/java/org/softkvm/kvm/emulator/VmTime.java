package org.softkvm.kvm.emulator;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Lock;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.HostClock;
import org.softkvm.devices.time.VirtualClock;
import org.softkvm.emulator.VirtualCpu;

/**
 * A VM's time: the clock of its chips and the paravirtual clock. Either both are on the host's monotonic clock, or time
 * is virtual and each instruction that a vcpu executes takes a nanosecond; vcpus run one after the other then.
 */
final class VmTime implements AutoCloseable {
    private static final long NANOS = 1_000_000_000L;

    private final Lock lock;

    private final HostClock host;

    /** Null on the host's clock. */
    private volatile VirtualClock virtual;

    /** Virtual time: the wall clock at 0, in nanoseconds since 1970. */
    private long epoch;

    /** Virtual time: the vcpu that executes now. */
    private final AtomicReference<VirtualCpu> running = new AtomicReference<>();

    /** Virtual time less the number of instructions of the vcpu that executes, or just the time. */
    private volatile long base;

    /** The paravirtual clock less the clock of the chips. */
    private volatile long offset;

    /**
     * Makes a VM's time.
     *
     * @param lock what the clock's timers run under: the chips' lock; local APICs take none
     */
    VmTime(Lock lock) {
        this.lock = lock;
        host = new HostClock(lock);
        offset = -host.nanoTime();
    }

    /** Switches to virtual time, which begins at 0; before any device exists. */
    void becomeVirtual(long epochSeconds) {
        host.close();
        epoch = epochSeconds * NANOS;
        offset = 0;
        virtual = new VirtualClock(this::virtualTime);
    }

    boolean isVirtual() {
        return virtual != null;
    }

    DeviceClock clock() {
        VirtualClock clock = virtual;
        return clock != null ? clock : host;
    }

    /** Nanoseconds since the VM was made, by the clock of its chips. */
    long nanoTime() {
        return clock().nanoTime();
    }

    /** The paravirtual clock at a moment of {@link #nanoTime()}. */
    long kvmClockAt(long nanoTime) {
        return nanoTime + offset;
    }

    /** Sets the paravirtual clock as of a moment of {@link #nanoTime()}. */
    void setKvmClock(long value, long nanoTime) {
        offset = value - nanoTime;
    }

    /** The wall clock in nanoseconds since 1970-01-01 UTC. */
    long realtime() {
        if (isVirtual()) {
            return epoch + virtualTime();
        }
        Instant now = Instant.now();
        return now.getEpochSecond() * NANOS + now.getNano();
    }

    // ---- Virtual time

    private long virtualTime() {
        VirtualCpu cpu = running.get();
        return cpu == null ? base : base + cpu.instructions();
    }

    /**
     * A vcpu begins to execute: its instructions are the time now.
     *
     * @param armed told when a timer is armed that comes before all others
     * @return false where another vcpu executes
     */
    boolean enter(VirtualCpu cpu, Runnable armed) {
        if (!running.compareAndSet(null, cpu)) {
            return false;
        }
        base -= cpu.instructions();
        virtual.onEarlierDeadline(armed);
        return true;
    }

    /** It stops. */
    void leave() {
        base += running.get().instructions();
        virtual.onEarlierDeadline(() -> {});
        running.set(null);
    }

    /** The time until the next timer is due: 0 where it is overdue, {@link Long#MAX_VALUE} where there is none. */
    long untilDeadline() {
        long deadline = virtual.nextDeadline();
        return deadline == Long.MAX_VALUE ? deadline : Math.max(0, deadline - virtualTime());
    }

    /** The earliest deadline, or {@link Long#MAX_VALUE}. */
    long nextDeadline() {
        return virtual.nextDeadline();
    }

    /** Runs the timers that are due. */
    void runDue() {
        if (virtual.nextDeadline() <= virtualTime()) {
            lock.lock();
            try {
                virtual.runDue();
            } finally {
                lock.unlock();
            }
        }
    }

    /** While no vcpu executes: lets time go on to a moment, and runs the timers up to it. */
    void advanceTo(long nanos) {
        while (virtual.nextDeadline() <= nanos) {
            base = Math.max(base, virtual.nextDeadline());
            runDue();
        }
        base = Math.max(base, nanos);
    }

    @Override
    public void close() {
        host.close();
    }
}
