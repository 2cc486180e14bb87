package org.softkvm.kvm.linux;

import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Keeps the vcpus of a VM out of the guest for a moment, so that several calls are one for them. A vcpu that is thrown
 * out comes back by itself; its caller notices nothing.
 */
final class RunGate {
    private static final long POLL_NANOS = 20_000;

    private volatile boolean closed;
    private final Object opened = new Object();

    /** Whether a vcpu must not enter the guest. */
    boolean isClosed() {
        return closed;
    }

    /** Waits until the gate is open. */
    void await() {
        boolean interrupted = false;
        synchronized (opened) {
            while (closed) {
                try {
                    opened.wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Runs an action while no vcpu is in the guest; one at a time. */
    synchronized void runAlone(List<LinuxVcpu> vcpus, Runnable action) {
        closed = true;
        try {
            for (LinuxVcpu vcpu : vcpus) {
                while (vcpu.throwOut()) {
                    LockSupport.parkNanos(POLL_NANOS);
                }
            }
            action.run();
        } finally {
            synchronized (opened) {
                closed = false;
                opened.notifyAll();
            }
        }
    }
}
