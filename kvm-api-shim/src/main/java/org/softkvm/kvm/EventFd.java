package org.softkvm.kvm;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What Linux calls an eventfd: a counter that one side adds to and the other side takes, waits for, or listens to. It
 * joins virtual machine monitor and VM in both directions: {@link Vm#assignIoEventFd} signals it when the guest writes
 * somewhere, {@link Vm#assignIrqFd} listens to it and raises an interrupt.
 *
 * <p>Thread-safe; a signal allocates nothing.
 */
public final class EventFd {
    private static final Runnable[] NONE = {};

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition signalled = lock.newCondition();
    private long count;
    private volatile Runnable[] listeners = NONE;

    /** Makes one whose counter is 0. */
    public EventFd() {}

    /** Adds 1 to the counter, wakes who waits, and calls the listeners on this thread. */
    public void signal() {
        signal(1);
    }

    /**
     * Adds to the counter, wakes who waits, and calls the listeners on this thread.
     *
     * @param amount what to add, 1 or more; the counter stops at {@link Long#MAX_VALUE}
     * @throws IllegalArgumentException where the amount is below 1
     */
    public void signal(long amount) {
        if (amount < 1) {
            throw new IllegalArgumentException("an eventfd cannot be signalled by " + amount);
        }
        lock.lock();
        try {
            count = count > Long.MAX_VALUE - amount ? Long.MAX_VALUE : count + amount;
            signalled.signalAll();
        } finally {
            lock.unlock();
        }
        for (Runnable listener : listeners) {
            listener.run();
        }
    }

    /**
     * The counter.
     *
     * @return how often it was signalled since it was last taken
     */
    public long count() {
        lock.lock();
        try {
            return count;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Reads the counter and sets it to 0; does not wait.
     *
     * @return how often it was signalled since it was last taken, 0 where it was not
     */
    public long take() {
        lock.lock();
        try {
            long taken = count;
            count = 0;
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until the counter is not 0, reads it and sets it to 0.
     *
     * @param timeout how long to wait at most; 0 or less does not wait
     * @param unit what the timeout counts
     * @return how often it was signalled since it was last taken; 0 after the timeout
     * @throws InterruptedException where the thread is interrupted while it waits
     */
    public long await(long timeout, TimeUnit unit) throws InterruptedException {
        long left = unit.toNanos(timeout);
        lock.lockInterruptibly();
        try {
            while (count == 0 && left > 0) {
                left = signalled.awaitNanos(left);
            }
            long taken = count;
            count = 0;
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Calls someone at each signal, on the thread that signals: a vcpu's thread, or one that holds locks of a backend.
     * So a listener is short and does not wait. It does not take the counter, unless it wants to.
     *
     * @param listener whom to call
     */
    public void addListener(Runnable listener) {
        lock.lock();
        try {
            Runnable[] more = Arrays.copyOf(listeners, listeners.length + 1);
            more[listeners.length] = listener;
            listeners = more;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Does not call someone any more; a call that is under way on another thread may still come.
     *
     * @param listener who was added; nothing happens where it was not
     */
    public void removeListener(Runnable listener) {
        lock.lock();
        try {
            Runnable[] old = listeners;
            for (int i = 0; i < old.length; i++) {
                if (old[i] == listener) {
                    Runnable[] less = new Runnable[old.length - 1];
                    System.arraycopy(old, 0, less, 0, i);
                    System.arraycopy(old, i + 1, less, i, less.length - i);
                    listeners = less;
                    return;
                }
            }
        } finally {
            lock.unlock();
        }
    }
}
