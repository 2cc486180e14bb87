package org.softkvm.devices.isa;

import org.softkvm.devices.BusDevice;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;

/**
 * The latch between the processor's FERR# pin and IRQ 13 (PIIX4 data sheet, COPROCESSOR ERROR; ports F0h and F1h): an
 * x87 exception sets it, and any write to either port clears it. That the processor then ignores the exception until
 * software has cleared it (IGNNE#) is the processor's part.
 */
public final class CoprocessorError implements BusDevice, StatefulDevice<CoprocessorError.State> {
    /** Number of ports, from F0h. */
    public static final int PORTS = 2;

    private final InterruptLine irq13;
    private boolean latched;

    /**
     * The state of the latch.
     *
     * @param latched whether the interrupt is asserted
     */
    public record State(boolean latched) {}

    /**
     * Creates the latch, clear.
     *
     * @param irq13 asserted while the latch is set
     */
    public CoprocessorError(InterruptLine irq13) {
        this.irq13 = irq13;
    }

    /** FERR# was asserted. */
    public void raise() {
        latched = true;
        irq13.set(true);
    }

    @Override
    public String name() {
        return "coprocessor-error";
    }

    @Override
    public long read(int offset, int size) {
        return -1L >>> 64 - 8 * size;
    }

    @Override
    public void write(int offset, int size, long data) {
        latched = false;
        irq13.set(false);
    }

    @Override
    public State save() {
        return new State(latched);
    }

    @Override
    public void restore(State state) {
        latched = state.latched;
        irq13.set(latched);
    }
}
