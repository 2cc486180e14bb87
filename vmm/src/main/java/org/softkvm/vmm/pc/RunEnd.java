package org.softkvm.vmm.pc;

import java.util.concurrent.TimeUnit;
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

    private volatile Cause cause;

    /** What came after a reset, in case the machine would go on. */
    private Cause next;

    private volatile Runnable wakeUp = () -> {};

    /** What makes the CPUs look: called by the thread that ends the run. */
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
        synchronized (this) {
            if (cause != null) {
                if (cause.reason() == PcResult.Reason.RESET && why.reason() != PcResult.Reason.RESET && next == null) {
                    next = why;
                }
                return;
            }
            cause = why;
            notifyAll();
        }
        wakeUp.run();
    }

    /** After a reset: the run goes on. False where it has ended for another reason by now, which is then the cause. */
    synchronized boolean goOn() {
        if (cause == null || cause.reason() != PcResult.Reason.RESET) {
            return false;
        }
        cause = next;
        next = null;
        return cause == null;
    }

    boolean hasEnded() {
        return cause != null;
    }

    /** Why the run ended, or null. */
    Cause cause() {
        return cause;
    }

    /** Waits for the end; false where the time was up first. */
    synchronized boolean await(long nanos) throws InterruptedException {
        long begin = System.nanoTime();
        while (cause == null) {
            long left = nanos == Long.MAX_VALUE ? nanos : nanos - (System.nanoTime() - begin);
            if (left <= 0) {
                return false;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return true;
    }
}
