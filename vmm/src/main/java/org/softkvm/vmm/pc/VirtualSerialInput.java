package org.softkvm.vmm.pc;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.softkvm.devices.isa.Uart16550A;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.DeviceTimer;
import org.softkvm.vmm.VmmException;

/**
 * Feeds a serial port under the virtual clock: all input is read before the guest starts, and its bytes come one after
 * the other at the line's pace, so that they meet the guest at the same instructions in every run.
 */
final class VirtualSerialInput {
    /** A character of ten bits at 115,200 baud. */
    private static final long CHARACTER_NANOS = 86_806;

    private final InputStream input;
    private final Uart16550A uart;
    private final DeviceClock clock;
    private final DeviceTimer timer;
    private byte[] bytes = new byte[0];
    private int next;

    /** When the port gets the next byte; while the timer is armed. */
    private long due;

    VirtualSerialInput(InputStream input, Uart16550A uart, DeviceClock clock) {
        this.input = input;
        this.uart = uart;
        this.clock = clock;
        this.timer = clock.newTimer(this::feed);
        uart.setSpaceListener(this::space);
    }

    /** Reads the input to its end and begins to feed. */
    void start() throws VmmException {
        try {
            byte[] more = input.readAllBytes();
            int before = bytes.length;
            bytes = Arrays.copyOf(bytes, before + more.length);
            System.arraycopy(more, 0, bytes, before, more.length);
        } catch (IOException e) {
            throw new VmmException("the serial port's input cannot be read: " + e.getMessage(), e);
        }
        space();
    }

    /** What the port has not got yet. */
    byte[] waiting() {
        return Arrays.copyOfRange(bytes, next, bytes.length);
    }

    /** The time until it gets the next byte, or -1. */
    long untilNext() {
        return timer.isArmed() ? Math.max(0, due - clock.nanoTime()) : -1;
    }

    /** Begins with what another machine had; before {@link #start()}. */
    void begin(byte[] waiting, long untilNext) {
        bytes = waiting.clone();
        if (untilNext >= 0) {
            arm(untilNext);
        }
    }

    private void arm(long nanos) {
        due = clock.nanoTime() + nanos;
        timer.arm(due);
    }

    private void space() {
        if (next < bytes.length && !timer.isArmed()) {
            arm(CHARACTER_NANOS);
        }
    }

    private void feed() {
        if (next < bytes.length && uart.offer(bytes[next])) {
            next++;
            space();
        }
    }
}
