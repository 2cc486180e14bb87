package org.softkvm.devices.isa;

import org.softkvm.devices.BusDevice;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;

/**
 * System control port A at 92h: bit 0 resets the processor when it goes from 0 to 1, bit 1 opens the A20 gate; the
 * others are kept and have no effect.
 *
 * <p>What a board makes of the two sources of A20, this port and the keyboard controller, is its own business: it may
 * join the lines with {@link org.softkvm.devices.LineOr}, as chipsets do.
 */
public final class SystemControlPortA implements BusDevice, StatefulDevice<SystemControlPortA.State> {
    private static final int FAST_INIT = 1 << 0;
    private static final int ALT_A20_GATE = 1 << 1;

    private final InterruptLine a20;
    private final Runnable reset;
    private int value;

    /**
     * The state of the port.
     *
     * @param value the register
     */
    public record State(int value) {}

    /**
     * Creates the port with all bits clear; the A20 line is not driven until a write.
     *
     * @param a20 asserted while bit 1 is set
     * @param reset what a fast reset calls, from within the guest's access
     */
    public SystemControlPortA(InterruptLine a20, Runnable reset) {
        this.a20 = a20;
        this.reset = reset;
    }

    /** Clears all bits and closes the gate. */
    public void reset() {
        value = 0;
        a20.set(false);
    }

    @Override
    public String name() {
        return "port-92h";
    }

    @Override
    public long read(int offset, int size) {
        return value;
    }

    @Override
    public void write(int offset, int size, long data) {
        boolean rises = (data & FAST_INIT) != 0 && (value & FAST_INIT) == 0;
        value = (int) data & 0xFF;
        a20.set((value & ALT_A20_GATE) != 0);
        if (rises) {
            reset.run();
        }
    }

    @Override
    public State save() {
        return new State(value);
    }

    @Override
    public void restore(State state) {
        value = state.value & 0xFF;
        a20.set((value & ALT_A20_GATE) != 0);
    }
}
