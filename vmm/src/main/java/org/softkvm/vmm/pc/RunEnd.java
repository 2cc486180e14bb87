package org.softkvm.vmm.pc;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.softkvm.vmm.VmmException;

/** Why and when a run ends: the first reason given counts. Thread-safe. */
final class RunEnd {
    /**
     * A reason.
     *
     * @param reason why; null for an error
     * @param value what was written to the debug-exit port
     * @param detail one line for a person
     * @param error what went wrong; null otherwise
     */
    record Cause(PcResult.Reason reason, int value, String detail, VmmException error) {}

    private final AtomicReference<Cause> cause = new AtomicReference<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile Runnable wakeUp = () -> {};

    /** What makes the CPUs look: called once, by the thread that ends the run. */
    void onEnd(Runnable action) {
        wakeUp = action;
    }

    void end(PcResult.Reason reason, String detail) {
        end(new Cause(reason, 0, detail, null));
    }

    /** The guest wrote to the debug-exit port; the status is (value << 1) | 1. */
    void debugExit(int status) {
        end(new Cause(PcResult.Reason.DEBUG_EXIT, status >>> 1, "", null));
    }

    void fail(VmmException error) {
        end(new Cause(null, 0, "", error));
    }

    private void end(Cause why) {
        if (cause.compareAndSet(null, why)) {
            ended.countDown();
            wakeUp.run();
        }
    }

    boolean hasEnded() {
        return cause.get() != null;
    }

    /** Why the run ended, or null. */
    Cause cause() {
        return cause.get();
    }

    /** Waits for the end; false where the time was up first. */
    boolean await(long nanos) throws InterruptedException {
        return ended.await(nanos, TimeUnit.NANOSECONDS);
    }
}
