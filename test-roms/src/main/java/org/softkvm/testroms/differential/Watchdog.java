package org.softkvm.testroms.differential;

import org.softkvm.kvm.Vcpu;

/** Stops a vcpu whose program does not end. One thread for all; a run costs it two stores. */
final class Watchdog implements AutoCloseable {
    private static final long LIMIT = 5_000_000_000L;

    private volatile Vcpu watched;
    private volatile long begin;
    private volatile boolean fired;
    private volatile boolean closed;

    Watchdog() {
        Thread thread = new Thread(this::watch, "differential-watchdog");
        thread.setDaemon(true);
        thread.start();
    }

    void begin(Vcpu vcpu) {
        fired = false;
        begin = System.nanoTime();
        watched = vcpu;
    }

    void end() {
        watched = null;
    }

    /** Whether the run had to be stopped. */
    boolean fired() {
        return fired;
    }

    private void watch() {
        while (!closed) {
            Vcpu vcpu = watched;
            if (vcpu != null && System.nanoTime() - begin > LIMIT) {
                fired = true;
                vcpu.kick();
            }
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
