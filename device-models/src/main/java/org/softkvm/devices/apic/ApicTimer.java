package org.softkvm.devices.apic;

import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.DeviceTimer;
import org.softkvm.devices.time.TscSource;

/**
 * The timer of a local APIC: one-shot, periodic and TSC-deadline (Intel SDM volume 3, "APIC Timer").
 *
 * <p>The registers are the vcpu thread's, the expiry is the clock's; the monitor of this object keeps them apart. It
 * is never held while the expiry is reported.
 */
final class ApicTimer {
    static final int ONE_SHOT = 0;
    static final int PERIODIC = 1;
    static final int TSC_DEADLINE = 2;

    /**
     * The shortest time between two interrupts of a periodic timer. A guest that asks for less gets them merged, so
     * that it cannot keep the host busy with expiries alone; the count still reads exactly.
     */
    static final long MIN_PERIOD_NANOS = 20_000;

    private static final long RETRY_NANOS = 1_000;

    private final DeviceClock clock;
    private final TscSource tsc;
    private final long busNanos;
    private final Runnable onExpiry;
    private final DeviceTimer timer;

    private int mode = ONE_SHOT;
    private int divideConfiguration;

    /** Nanoseconds of one decrement. */
    private long tickNanos;

    /** The register, 32 bits unsigned. */
    private long initialCount;

    /** Whether the count is above 0; it stood at startCount at startNanos. */
    private boolean running;

    private long startNanos;
    private long startCount;
    private long deadlineTsc;

    record State(
            int mode,
            int divideConfiguration,
            long initialCount,
            boolean running,
            long elapsedNanos,
            long startCount,
            long deadlineTsc) {}

    ApicTimer(DeviceClock clock, TscSource tsc, long busNanos, Runnable onExpiry) {
        this.clock = clock;
        this.tsc = tsc;
        this.busNanos = busNanos;
        this.onExpiry = onExpiry;
        timer = clock.newTimer(this::expire);
        tickNanos = tickNanos(0);
    }

    synchronized void reset() {
        timer.cancel();
        mode = ONE_SHOT;
        divideConfiguration = 0;
        tickNanos = tickNanos(0);
        initialCount = 0;
        running = false;
        deadlineTsc = 0;
    }

    /** Sets the mode; going to or from TSC-deadline mode disarms the timer. */
    synchronized void setMode(int newMode) {
        if (newMode == mode) {
            return;
        }
        if (newMode == TSC_DEADLINE || mode == TSC_DEADLINE) {
            timer.cancel();
            initialCount = 0;
            running = false;
            deadlineTsc = 0;
        }
        mode = newMode;
    }

    synchronized int divideConfiguration() {
        return divideConfiguration;
    }

    /** Sets the divide configuration register; a running count goes on from where it is at the new rate. */
    synchronized void setDivideConfiguration(int value) {
        long count = countNow();
        divideConfiguration = value & 0xB;
        tickNanos = tickNanos(divideConfiguration);
        if (running) {
            start(count);
        }
    }

    synchronized int initialCount() {
        return (int) initialCount;
    }

    synchronized void setInitialCount(int value) {
        if (mode == TSC_DEADLINE) {
            return;
        }
        initialCount = Integer.toUnsignedLong(value);
        start(initialCount);
    }

    synchronized int currentCount() {
        return (int) countNow();
    }

    synchronized long deadline() {
        return mode == TSC_DEADLINE ? deadlineTsc : 0;
    }

    /** Sets IA32_TSC_DEADLINE; 0 disarms, and outside TSC-deadline mode the write does nothing. */
    void setDeadline(long value) {
        boolean due;
        synchronized (this) {
            if (mode != TSC_DEADLINE) {
                return;
            }
            deadlineTsc = value;
            timer.cancel();
            due = value != 0 && takeDeadline();
        }
        if (due) {
            onExpiry.run();
        }
    }

    /** The TSC was written: the deadline comes at another time. */
    void tscChanged() {
        setDeadline(deadline());
    }

    synchronized State save() {
        // When a count that is over had begun is no state: a restored timer would not know.
        return new State(
                mode,
                divideConfiguration,
                initialCount,
                running,
                running ? clock.nanoTime() - startNanos : 0,
                running ? startCount : 0,
                deadlineTsc);
    }

    void restore(State state) {
        synchronized (this) {
            reset();
            mode = state.mode & 3;
            divideConfiguration = state.divideConfiguration & 0xB;
            tickNanos = tickNanos(divideConfiguration);
            initialCount = state.initialCount & 0xFFFFFFFFL;
            long count = state.startCount & 0xFFFFFFFFL;
            running = state.running && mode != TSC_DEADLINE && count != 0 && (mode != PERIODIC || initialCount != 0);
            startCount = count;
            startNanos = clock.nanoTime() - Math.max(0, state.elapsedNanos);
            if (running) {
                timer.arm(startNanos + startCount * tickNanos);
            }
        }
        setDeadline(state.deadlineTsc);
    }

    /**
     * Does what the clock has not come to yet: an expiry whose time is over is reported before a register changes, so
     * that a host that runs timers late cannot make it meet the new value.
     */
    void catchUp() {
        boolean due;
        synchronized (this) {
            due = mode == TSC_DEADLINE
                    ? deadlineTsc != 0 && Long.compareUnsigned(tsc.tsc(), deadlineTsc) >= 0 && takeDeadline()
                    : running && clock.nanoTime() >= startNanos + startCount * tickNanos && takeCount();
        }
        if (due) {
            onExpiry.run();
        }
    }

    private void start(long count) {
        running = count != 0 && mode != TSC_DEADLINE;
        startCount = count;
        startNanos = clock.nanoTime();
        if (running) {
            timer.arm(startNanos + count * tickNanos);
        } else {
            timer.cancel();
        }
    }

    private long countNow() {
        if (!running) {
            return 0;
        }
        long elapsed = clock.nanoTime() - startNanos;
        long first = startCount * tickNanos;
        if (elapsed < first) {
            return startCount - elapsed / tickNanos;
        }
        if (mode != PERIODIC || initialCount == 0) {
            return 0;
        }
        return initialCount - (elapsed - first) % (initialCount * tickNanos) / tickNanos;
    }

    private void expire() {
        boolean due;
        synchronized (this) {
            due = mode == TSC_DEADLINE ? deadlineTsc != 0 && takeDeadline() : takeCount();
        }
        if (due) {
            onExpiry.run();
        }
    }

    /** Whether the deadline has come; arms the timer for it otherwise. */
    private boolean takeDeadline() {
        if (Long.compareUnsigned(tsc.tsc(), deadlineTsc) >= 0) {
            deadlineTsc = 0;
            return true;
        }
        // The conversion may round: never come back at once for a counter that is not there yet.
        timer.arm(Math.max(tsc.nanoTimeAt(deadlineTsc), clock.nanoTime() + RETRY_NANOS));
        return false;
    }

    private boolean takeCount() {
        if (!running) {
            return false;
        }
        long now = clock.nanoTime();
        long end = startNanos + startCount * tickNanos;
        if (now < end) {
            timer.arm(end);
            return false;
        }
        if (mode == PERIODIC && initialCount != 0) {
            long period = initialCount * tickNanos;
            startNanos = end + (now - end) / period * period;
            startCount = initialCount;
            timer.arm(Math.max(startNanos + period, now + MIN_PERIOD_NANOS));
        } else {
            running = false;
        }
        return true;
    }

    /** Bits 3, 1 and 0 select a division by 2, 4, 8, 16, 32, 64, 128 and 1. */
    private long tickNanos(int divide) {
        int code = divide & 3 | divide >>> 1 & 4;
        return busNanos << (code + 1 & 7);
    }
}
