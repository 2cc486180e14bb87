package org.softkvm.devices;

/**
 * One wire from an output of a chip to an input of another.
 *
 * <p>The line carries the asserted state, not a voltage: {@code set(true)} means that the source asserts it, whether
 * the wire of a real board would be active high or active low. Setting a line to the state it already has is allowed
 * and does nothing; receivers see edges where the state changes.
 *
 * <p>Calls come with the board's lock held, except where a device says that its inputs are thread-safe.
 */
@FunctionalInterface
public interface InterruptLine {
    /**
     * Drives the line.
     *
     * @param level true to assert, false to deassert
     */
    void set(boolean level);

    /** Asserts and deasserts the line: one interrupt of an edge-triggered input. */
    default void pulse() {
        set(true);
        set(false);
    }

    /**
     * A line that leads nowhere. No constant: the JVM's archives hold no lambda of an interface with an initialiser.
     *
     * @return the line
     */
    static InterruptLine none() {
        return level -> {};
    }

    /**
     * A line that drives several inputs, in the order given.
     *
     * @param targets the inputs
     * @return the line that drives them all
     */
    static InterruptLine fanOut(InterruptLine... targets) {
        InterruptLine[] all = targets.clone();
        return level -> {
            for (InterruptLine target : all) {
                target.set(level);
            }
        };
    }
}
