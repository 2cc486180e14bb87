package org.softkvm.vmm.pc;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.softkvm.devices.isa.Uart16550A;

/**
 * Feeds a serial port from a host stream, no faster than the guest reads. The thread is a daemon: one that waits in the
 * stream cannot be woken, and dies with the process.
 */
final class SerialInput {
    /** So long a look at a thread that reads may wait. */
    private static final long READ_MILLIS = 20;

    private final InputStream input;
    private final Uart16550A uart;
    private final Lock lock;
    private final Condition space;
    private boolean stopped;

    /** Held while the host is asked for more. */
    private final ReentrantLock reading = new ReentrantLock();

    /** What was read; changed by the thread that reads, with one of the locks held. */
    private volatile byte[] buffer = new byte[256];

    private volatile int next;
    private volatile int length;

    SerialInput(InputStream input, Uart16550A uart, Lock lock) {
        this.input = input;
        this.uart = uart;
        this.lock = lock;
        this.space = lock.newCondition();
        uart.setSpaceListener(space::signal);
    }

    void start() {
        Thread.ofPlatform().name("softkvm-serial-input").daemon().start(this::pump);
    }

    /** Stops feeding. The caller holds the lock. */
    void stop() {
        stopped = true;
        space.signalAll();
    }

    /**
     * What was read and has not arrived at the port. A thread that reads at this moment has nothing in its hands but what
     * comes now. The caller holds the lock.
     */
    byte[] waiting() {
        boolean idle = false;
        try {
            idle = reading.tryLock(READ_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        byte[] rest = Arrays.copyOfRange(buffer, next, length);
        if (idle) {
            reading.unlock();
        }
        return rest;
    }

    /** Begins with what another machine had; before {@link #start()}. */
    void begin(byte[] waiting) {
        buffer = waiting.length > 0 ? waiting.clone() : buffer;
        length = waiting.length;
    }

    private void pump() {
        try {
            do {
                if (!feed()) {
                    return;
                }
            } while (read());
        } catch (IOException e) {
            // A terminal that went away is the end of the input; the guest runs on.
        }
    }

    private boolean read() throws IOException {
        reading.lock();
        try {
            int count = input.read(buffer);
            next = 0;
            length = Math.max(0, count);
            return count >= 0;
        } finally {
            reading.unlock();
        }
    }

    private boolean feed() {
        lock.lock();
        try {
            while (next < length && !stopped) {
                while (!stopped && !uart.offer(buffer[next])) {
                    space.awaitUninterruptibly();
                }
                next += stopped ? 0 : 1;
            }
            return !stopped;
        } finally {
            lock.unlock();
        }
    }
}
