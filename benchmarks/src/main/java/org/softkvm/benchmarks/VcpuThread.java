package org.softkvm.benchmarks;

import java.util.concurrent.locks.LockSupport;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Vcpu;

/** Runs a vcpu again and again on a thread of its own, and counts the runs that ended. */
final class VcpuThread implements AutoCloseable {
    private static final long PATIENCE_NANOS = 10_000_000_000L;
    private static final int SPINS_A_LOOK = 1_000;

    private final Vcpu vcpu;
    private final Thread thread;
    private volatile long ended;
    private volatile int lastReason = ExitReason.INTR;
    private volatile boolean stopped;
    private volatile Throwable failure;

    VcpuThread(Vcpu vcpu) {
        this.vcpu = vcpu;
        thread = new Thread(this::loop, "vcpu");
        thread.setDaemon(true);
        thread.start();
    }

    private void loop() {
        try {
            while (!stopped) {
                lastReason = vcpu.run();
                ended++; // only this thread writes
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    /** How many runs have ended. */
    long ended() {
        return ended;
    }

    /** Waits, without giving up the processor, until another run has ended. */
    void awaitEnd(long before) {
        long deadline = 0;
        for (int spins = 1; ended == before; spins++) {
            Thread.onSpinWait();
            if (spins % SPINS_A_LOOK == 0) {
                long now = System.nanoTime();
                deadline = deadline == 0 ? now + PATIENCE_NANOS : deadline;
                if (failure != null || now > deadline) {
                    throw new IllegalStateException("the vcpu did not react within 10 s", failure);
                }
            }
        }
    }

    /** As {@link #awaitEnd(long)}, and checks why it ended. */
    void awaitExit(long before, int reason) {
        awaitEnd(before);
        if (lastReason != reason) {
            throw new IllegalStateException("exit " + ExitReason.name(lastReason));
        }
    }

    /** Waits until the vcpu waits in HLT, or has had the time for it where that cannot be seen. */
    void awaitIdle() {
        for (int i = 0; i < 20 && thread.getState() != Thread.State.WAITING; i++) {
            LockSupport.parkNanos(20_000);
        }
    }

    @Override
    public void close() {
        stopped = true;
        for (int i = 0; i < 100 && thread.isAlive(); i++) {
            vcpu.kick();
            try {
                thread.join(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
