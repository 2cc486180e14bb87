package org.softkvm.kvm.emulator;

import org.softkvm.emulator.TimeSource;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;

/** The time-stamp counter of a vcpu, before what the guest adds to it: the VM's time at a chosen frequency. */
final class Tsc implements TimeSource {
    /** The default: one tick a nanosecond. */
    static final int DEFAULT_KHZ = 1_000_000;

    static final int MIN_KHZ = 1_000;
    static final int MAX_KHZ = 10_000_000;

    private static final long KHZ_PER_TICK_A_NANOSECOND = 1_000_000;

    private final VmTime time;
    private int khz = DEFAULT_KHZ;

    /** The moment at which the counter stands while it is read several times for one purpose, or -1. */
    private long held = -1;

    Tsc(VmTime time) {
        this.time = time;
    }

    @Override
    public long tsc() {
        long nanos = held >= 0 ? held : time.nanoTime();
        return khz == DEFAULT_KHZ ? nanos : ticks(nanos);
    }

    @Override
    public long tscKhz() {
        return khz;
    }

    /** The frequency that a call asks for: 0 for the default. */
    static int checkedKhz(String call, int khz) {
        int chosen = khz == 0 ? DEFAULT_KHZ : khz;
        if (chosen < MIN_KHZ || chosen > MAX_KHZ) {
            throw new KvmException(call, Errno.EINVAL, "tsc_khz=" + khz + " (" + MIN_KHZ + " to " + MAX_KHZ + ")");
        }
        return chosen;
    }

    void setKhz(int khz) {
        this.khz = khz;
    }

    /** Lets the counter stand at a moment of the VM's time. */
    void hold(long nanoTime) {
        held = nanoTime;
    }

    /** Lets the counter go on. */
    void release() {
        held = -1;
    }

    /** The time from now, in nanoseconds, until so many more ticks have passed, rounded up. */
    long nanosOfTicks(long ticks) {
        if (khz == DEFAULT_KHZ) {
            return ticks;
        }
        long high = Math.multiplyHigh(ticks, KHZ_PER_TICK_A_NANOSECOND);
        long low = ticks * KHZ_PER_TICK_A_NANOSECOND;
        if (high != low >> 63) {
            return Long.MAX_VALUE;
        }
        return low / khz + (low % khz > 0 ? 1 : 0);
    }

    private long ticks(long nanos) {
        return nanos / KHZ_PER_TICK_A_NANOSECOND * khz
                + nanos % KHZ_PER_TICK_A_NANOSECOND * khz / KHZ_PER_TICK_A_NANOSECOND;
    }
}
