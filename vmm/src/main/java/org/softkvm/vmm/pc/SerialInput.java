package org.softkvm.vmm.pc;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import org.softkvm.devices.isa.Uart16550A;

/**
 * Feeds a serial port from a host stream, no faster than the guest reads. The thread is a daemon: one that waits in the
 * stream cannot be woken, and dies with the process.
 */
final class SerialInput {
    private final InputStream input;
    private final Uart16550A uart;
    private final Lock lock;
    private final Condition space;
    private boolean stopped;

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

    private void pump() {
        byte[] buffer = new byte[256];
        try {
            int length = input.read(buffer);
            while (length >= 0 && feed(buffer, length)) {
                length = input.read(buffer);
            }
        } catch (IOException e) {
            // A terminal that went away is the end of the input; the guest runs on.
        }
    }

    private boolean feed(byte[] buffer, int length) {
        lock.lock();
        try {
            for (int i = 0; i < length && !stopped; i++) {
                while (!stopped && !uart.offer(buffer[i])) {
                    space.awaitUninterruptibly();
                }
            }
            return !stopped;
        } finally {
            lock.unlock();
        }
    }
}
