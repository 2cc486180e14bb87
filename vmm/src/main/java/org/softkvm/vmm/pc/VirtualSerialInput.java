package org.softkvm.vmm.pc;

import java.io.IOException;
import java.io.InputStream;
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
            bytes = input.readAllBytes();
        } catch (IOException e) {
            throw new VmmException("the serial port's input cannot be read: " + e.getMessage(), e);
        }
        space();
    }

    private void space() {
        if (next < bytes.length && !timer.isArmed()) {
            timer.arm(clock.nanoTime() + CHARACTER_NANOS);
        }
    }

    private void feed() {
        if (uart.offer(bytes[next])) {
            next++;
            space();
        }
    }
}
