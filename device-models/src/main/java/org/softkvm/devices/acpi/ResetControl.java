package org.softkvm.devices.acpi;

import org.softkvm.devices.BusDevice;
import org.softkvm.devices.StatefulDevice;

/**
 * The reset control register of Intel chipsets at CF9h, which ACPI tables name as the reset register (value 6): bit 2
 * resets when it goes from 0 to 1, bit 1 makes that a hard reset, bit 3 a full one.
 */
public final class ResetControl implements BusDevice, StatefulDevice<ResetControl.State> {
    /** The port. */
    public static final int PORT = 0xCF9;

    /** What ACPI's RESET_VALUE is for this register: a hard reset. */
    public static final int RESET_VALUE = 0x06;

    private static final int SYS_RST = 1 << 1;
    private static final int RST_CPU = 1 << 2;
    private static final int FULL_RST = 1 << 3;

    private final Listener listener;
    private int value;

    /** What a reset does. */
    @FunctionalInterface
    public interface Listener {
        /**
         * Software asks for a reset, from within its access.
         *
         * @param hard true for the whole board, false for the processor alone
         */
        void reset(boolean hard);
    }

    /**
     * The state of the register.
     *
     * @param value the register
     */
    public record State(int value) {}

    /**
     * Creates the register with all bits clear.
     *
     * @param listener what a reset does
     */
    public ResetControl(Listener listener) {
        this.listener = listener;
    }

    /** Clears the register. */
    public void reset() {
        value = 0;
    }

    @Override
    public String name() {
        return "reset-control";
    }

    @Override
    public long read(int offset, int size) {
        return value;
    }

    @Override
    public void write(int offset, int size, long data) {
        boolean rises = (data & RST_CPU) != 0 && (value & RST_CPU) == 0;
        value = (int) data & (SYS_RST | RST_CPU | FULL_RST);
        if (rises) {
            listener.reset((value & SYS_RST) != 0);
        }
    }

    @Override
    public State save() {
        return new State(value);
    }

    @Override
    public void restore(State state) {
        value = state.value & (SYS_RST | RST_CPU | FULL_RST);
    }
}
