package org.softkvm.vmm.pc;

import java.io.IOException;
import java.io.OutputStream;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.DeviceTimer;

/**
 * Gathers the bytes that a guest sends to a host stream, one an exit, into writes of lines: a line end, a full buffer or
 * a short pause sends them on. Used with the board's lock held.
 */
final class ConsoleOutput {
    private static final int SIZE = 4096;
    private static final long PAUSE_NANOS = 20_000_000;

    private final OutputStream output;
    private final DeviceClock clock;
    private final DeviceTimer timer;
    private final byte[] buffer = new byte[SIZE];
    private int filled;
    private IOException failure;

    ConsoleOutput(OutputStream output, DeviceClock clock) {
        this.output = output;
        this.clock = clock;
        this.timer = clock.newTimer(this::flush);
    }

    boolean writesTo(OutputStream other) {
        return output == other;
    }

    void accept(byte value) {
        buffer[filled++] = value;
        if (value == '\n' || filled == SIZE) {
            flush();
        } else if (filled == 1) {
            timer.arm(clock.nanoTime() + PAUSE_NANOS);
        }
    }

    void flush() {
        int length = filled;
        filled = 0;
        if (length > 0 && failure == null) {
            try {
                output.write(buffer, 0, length);
                output.flush();
            } catch (IOException e) {
                failure = e;
            }
        }
    }

    /** What went wrong with the stream, or null. */
    IOException failure() {
        return failure;
    }
}
