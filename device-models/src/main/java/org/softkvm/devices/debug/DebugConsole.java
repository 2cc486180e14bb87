package org.softkvm.devices.debug;

import java.util.function.IntConsumer;
import org.softkvm.devices.BusDevice;

/**
 * A port that prints what is written to it, one byte at a time: 402h for firmware, E9h for programs. It reads as E9h,
 * by which software finds it. It has no state.
 */
public final class DebugConsole implements BusDevice {
    /** The port of firmware such as SeaBIOS and OVMF. */
    public static final int FIRMWARE_PORT = 0x402;

    /** The port of Bochs, which many programs write to. */
    public static final int BOCHS_PORT = 0xE9;

    private static final int SIGNATURE = 0xE9;

    private final IntConsumer output;

    /**
     * Creates the port.
     *
     * @param output gets each byte written, 0..255
     */
    public DebugConsole(IntConsumer output) {
        this.output = output;
    }

    @Override
    public String name() {
        return "debug-console";
    }

    @Override
    public long read(int offset, int size) {
        return SIGNATURE;
    }

    @Override
    public void write(int offset, int size, long value) {
        output.accept((int) value & 0xFF);
    }
}
