package org.softkvm.kvm.linux;

import org.softkvm.kvm.EventFd;

/** Joins the API's eventfds with those of the kernel: signals of one side go to the other. */
final class EventBridge implements AutoCloseable {
    /** Added to the counter to end the thread that reads it. */
    private static final long END = 1L << 48;

    private final SystemCalls calls;
    private final int descriptor;
    private final Thread thread;
    private final EventFd listened;
    private final Runnable listener;
    private volatile boolean closed;

    private EventBridge(SystemCalls calls, EventFd toKernel, EventFd fromKernel) {
        this.calls = calls;
        descriptor = calls.eventFd();
        if (descriptor < 0) {
            throw Errnos.failure("eventfd", descriptor, "0");
        }
        listened = toKernel;
        listener = toKernel == null ? null : this::pass;
        thread = fromKernel == null
                ? null
                : Thread.ofPlatform()
                        .name("softkvm-eventfd-" + descriptor)
                        .daemon()
                        .start(() -> forward(fromKernel));
    }

    /** Signals of an eventfd of the API become signals of the kernel's, from {@link #start()} on. */
    static EventBridge toKernel(SystemCalls calls, EventFd from) {
        return new EventBridge(calls, from, null);
    }

    /** Signals of the kernel's eventfd become signals of one of the API. */
    static EventBridge fromKernel(SystemCalls calls, EventFd to) {
        return new EventBridge(calls, null, to);
    }

    /** Hands over what there is, also what came before the kernel listened. */
    EventBridge start() {
        listened.addListener(listener);
        pass();
        return this;
    }

    private void pass() {
        long count = listened.take();
        if (count > 0) {
            calls.signalEvent(descriptor, Math.min(count, END - 1));
        }
    }

    private void forward(EventFd to) {
        long count;
        do {
            count = calls.awaitEvent(descriptor);
            // What came before the end is still handed over.
            long signals = count & END - 1;
            if (count > 0 && signals > 0) {
                to.signal(signals);
            }
        } while (count < END);
    }

    /** The kernel's side. */
    int descriptor() {
        return descriptor;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (listened != null) {
            listened.removeListener(listener);
        }
        if (thread != null && thread != Thread.currentThread()) {
            calls.signalEvent(descriptor, END);
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        calls.close(descriptor);
    }
}
