package org.softkvm.kvm.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.function.LongSupplier;
import org.softkvm.emulator.GuestMemory;

/**
 * The paravirtual clock of a vcpu (kvmclock): MSRs 4B564D00h and 4B564D01h, and 11h and 12h, which are their older
 * numbers; and what it writes to guest memory ({@code struct pvclock_wall_clock}, {@code struct
 * pvclock_vcpu_time_info}).
 */
final class PvClock {
    static final int MSR_WALL_CLOCK_OLD = 0x11;
    static final int MSR_SYSTEM_TIME_OLD = 0x12;
    static final int MSR_WALL_CLOCK = 0x4b564d00;
    static final int MSR_SYSTEM_TIME = 0x4b564d01;

    private static final long ENABLE = 1;
    private static final long NANOS = 1_000_000_000L;
    private static final int TSC_STABLE = 1;
    private static final int GUEST_STOPPED = 2;
    private static final int INFO_SIZE = 32;
    private static final int FLAGS = 29;
    private static final int WALL_CLOCK_SIZE = 12;
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final GuestMemory memory;
    private final VmTime time;
    private final Tsc tsc;
    private final LongSupplier guestTsc;
    private final byte[] buffer = new byte[INFO_SIZE];
    private final byte[] flags = new byte[1];
    private long wallClock;
    private long systemTime;
    private int nextFlags;

    /**
     * Makes a clock that is off.
     *
     * @param memory where it writes
     * @param time the VM's time
     * @param tsc the vcpu's counter
     * @param guestTsc what the guest would read from that counter now
     */
    PvClock(GuestMemory memory, VmTime time, Tsc tsc, LongSupplier guestTsc) {
        this.memory = memory;
        this.time = time;
        this.tsc = tsc;
        this.guestTsc = guestTsc;
    }

    static boolean owns(int msr) {
        return msr == MSR_SYSTEM_TIME
                || msr == MSR_WALL_CLOCK
                || msr == MSR_SYSTEM_TIME_OLD
                || msr == MSR_WALL_CLOCK_OLD;
    }

    long read(int msr) {
        return msr == MSR_SYSTEM_TIME || msr == MSR_SYSTEM_TIME_OLD ? systemTime : wallClock;
    }

    void write(int msr, long value) {
        if (msr == MSR_SYSTEM_TIME || msr == MSR_SYSTEM_TIME_OLD) {
            systemTime = value;
            update();
        } else {
            wallClock = value;
            writeWallClock();
        }
    }

    /** The time-stamp counter as the guest would read it. */
    long guestTsc() {
        return guestTsc.getAsLong();
    }

    /** Whether the guest has switched it on. */
    boolean isOn() {
        return (systemTime & ENABLE) != 0;
    }

    /** Tells the guest, which clears the flag itself, that it was stopped. */
    void guestStopped() {
        nextFlags = GUEST_STOPPED;
        update();
    }

    /** Off, as after reset. */
    void reset() {
        wallClock = 0;
        systemTime = 0;
    }

    /** Writes the time of the vcpu anew: its clock, its counter or the counter's frequency was set. */
    void update() {
        if ((systemTime & ENABLE) == 0) {
            return;
        }
        long address = systemTime & ~ENABLE;
        long now = time.nanoTime();
        tsc.hold(now);
        long timestamp;
        try {
            timestamp = guestTsc.getAsLong();
        } finally {
            tsc.release();
        }
        // A reader takes the record only where the version is even and the same before and after.
        memory.read(address, buffer, 0, 4);
        int version = (int) INT.get(buffer, 0) | 1;
        writeVersion(address, version);
        int shift = shift(tsc.tscKhz());
        LONG.set(buffer, 8, timestamp);
        LONG.set(buffer, 16, time.kvmClockAt(now));
        INT.set(buffer, 24, multiplier(tsc.tscKhz(), shift));
        buffer[28] = (byte) shift;
        // What the guest has not cleared yet stays.
        memory.read(address + FLAGS, flags, 0, 1);
        buffer[FLAGS] = (byte) (TSC_STABLE | nextFlags | flags[0] & GUEST_STOPPED);
        nextFlags = 0;
        buffer[30] = 0;
        buffer[31] = 0;
        memory.write(address + 8, buffer, 8, INFO_SIZE - 8);
        VarHandle.releaseFence();
        writeVersion(address, version + 1);
    }

    private void writeVersion(long address, int version) {
        INT.set(buffer, 0, version);
        INT.set(buffer, 4, 0);
        memory.write(address, buffer, 0, 8);
        VarHandle.releaseFence();
    }

    /** The wall clock at the moment at which the paravirtual clock was 0. */
    private void writeWallClock() {
        long boot = time.realtime() - time.kvmClockAt(time.nanoTime());
        // The record's version becomes odd while it is written and even after it, as for the system time.
        memory.read(wallClock, buffer, 0, 4);
        int next = ((int) INT.get(buffer, 0) | 1) + 1;
        INT.set(buffer, 0, next - 1);
        memory.write(wallClock, buffer, 0, 4);
        VarHandle.releaseFence();
        INT.set(buffer, 4, (int) Math.floorDiv(boot, NANOS));
        INT.set(buffer, 8, (int) Math.floorMod(boot, NANOS));
        memory.write(wallClock + 4, buffer, 4, WALL_CLOCK_SIZE - 4);
        VarHandle.releaseFence();
        INT.set(buffer, 0, next);
        memory.write(wallClock, buffer, 0, 4);
    }

    /**
     * The shift that brings a tick's length, as a fraction of 2 to the power of 32, into 31 to 32 bits:
     * nanoseconds = (ticks shifted left by it) * multiplier / 2^32.
     */
    static int shift(long khz) {
        int shift = 0;
        long hertz = khz * 1000;
        while (hertz > NANOS * 2) {
            hertz >>= 1;
            shift--;
        }
        while (hertz <= NANOS) {
            hertz <<= 1;
            shift++;
        }
        return shift;
    }

    static int multiplier(long khz, int shift) {
        long hertz = shift >= 0 ? khz * 1000 << shift : khz * 1000 >> -shift;
        return (int) ((NANOS << 32) / hertz);
    }
}
