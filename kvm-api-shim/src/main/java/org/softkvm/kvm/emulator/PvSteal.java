package org.softkvm.kvm.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.function.LongSupplier;
import org.softkvm.emulator.GuestMemory;

/**
 * Steal time: MSR 4B564D03h, and what it writes to guest memory ({@code struct kvm_steal_time}): how long the vcpu could
 * have run while the host ran something else. That is the time of its runs, but for waiting in HLT, less what the host
 * charged to its thread.
 *
 * <p>Belongs to the vcpu's thread. While the guest has it off, it costs nothing.
 */
final class PvSteal {
    static final int MSR = 0x4b564d03;

    private static final long ENABLE = 1;
    private static final long RESERVED = 0x3E;
    private static final int RECORD_SIZE = 64;
    private static final int VERSION = 8;

    /** The record is not written more often. */
    private static final long INTERVAL_NANOS = 1_000_000;

    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final GuestMemory memory;
    private final LongSupplier nanoTime;
    private final LongSupplier threadTime;
    private final byte[] buffer = new byte[RECORD_SIZE];
    private long value;

    /** When the time was last accounted for, by the clock and by what the thread was charged with. */
    private long sampledAt;

    private long chargedAt;

    /** What of the time since then the vcpu did not want to run. */
    private long idle;

    private boolean running;

    /** When it stopped wanting to run, or -1. */
    private long idleSince = -1;

    /**
     * Makes a meter that is off.
     *
     * @param memory where it writes
     * @param nanoTime the clock
     * @param threadTime the nanoseconds that the present thread was charged with, negative where nobody knows
     */
    PvSteal(GuestMemory memory, LongSupplier nanoTime, LongSupplier threadTime) {
        this.memory = memory;
        this.nanoTime = nanoTime;
        this.threadTime = threadTime;
    }

    long read() {
        return value;
    }

    /** Sets the MSR; false where that is a #GP. */
    boolean write(long newValue) {
        if ((newValue & RESERVED) != 0) {
            return false;
        }
        value = newValue;
        if (isOn()) {
            idleSince = running ? -1 : nanoTime.getAsLong();
            sample();
            writeRecord(0);
        }
        return true;
    }

    private boolean isOn() {
        return (value & ENABLE) != 0;
    }

    /** The vcpu stops wanting to run: it waits in HLT, or leaves to the caller. */
    void stop() {
        running = false;
        if (isOn()) {
            idleSince = nanoTime.getAsLong();
        }
    }

    /** The vcpu wants to run again. */
    void resume() {
        running = true;
        if (idleSince >= 0) {
            idle += nanoTime.getAsLong() - idleSince;
            idleSince = -1;
        }
        refresh();
    }

    /** Writes the record anew unless that was done a moment ago. */
    void refresh() {
        if (isOn() && nanoTime.getAsLong() - sampledAt >= INTERVAL_NANOS) {
            long stolen = sample();
            // Nothing new is nothing to write; and when it would be written depends on what no register tells.
            if (stolen != 0) {
                writeRecord(stolen);
            }
        }
    }

    /** The time stolen since the last sample. */
    private long sample() {
        long now = nanoTime.getAsLong();
        long charged = threadTime.getAsLong();
        long stolen = charged < 0 ? 0 : Math.max(0, now - sampledAt - idle - (charged - chargedAt));
        sampledAt = now;
        chargedAt = charged;
        idle = 0;
        if (idleSince >= 0) {
            idleSince = now;
        }
        return stolen;
    }

    private void writeRecord(long stolen) {
        long address = value & ~(ENABLE | RESERVED);
        memory.read(address, buffer, 0, RECORD_SIZE);
        // A reader takes the record only where the version is even and the same before and after.
        int version = ((int) INT.get(buffer, VERSION) & -2) + 1;
        INT.set(buffer, VERSION, version);
        memory.write(address + VERSION, buffer, VERSION, 4);
        VarHandle.releaseFence();
        LONG.set(buffer, 0, (long) LONG.get(buffer, 0) + stolen);
        memory.write(address, buffer, 0, 8);
        VarHandle.releaseFence();
        INT.set(buffer, VERSION, version + 1);
        memory.write(address + VERSION, buffer, VERSION, 4);
    }
}
