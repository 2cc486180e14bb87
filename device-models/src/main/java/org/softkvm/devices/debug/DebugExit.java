package org.softkvm.devices.debug;

import java.util.function.IntConsumer;
import org.softkvm.devices.BusDevice;

/**
 * A port that ends the run, as QEMU's isa-debug-exit: writing {@code value} ends it with status
 * {@code value << 1 | 1}. It reads as zero and has no state.
 */
public final class DebugExit implements BusDevice {
    /** The first port. */
    public static final int PORT = 0xF4;

    /** The number of ports. */
    public static final int PORTS = 4;

    private final IntConsumer exit;

    /**
     * Creates the port.
     *
     * @param exit gets the status, from within the guest's access
     */
    public DebugExit(IntConsumer exit) {
        this.exit = exit;
    }

    @Override
    public String name() {
        return "debug-exit";
    }

    @Override
    public int maxAccessSize() {
        return 4;
    }

    @Override
    public long read(int offset, int size) {
        return 0;
    }

    @Override
    public void write(int offset, int size, long value) {
        exit.accept((int) value << 1 | 1);
    }
}
