package org.softkvm.devices.apic;

/**
 * The bus between the interrupt controllers: interrupt messages go to local APICs, end-of-interrupt messages to
 * IOAPICs. {@link InProcessApicBus} joins the chips of one process; another implementation may pass the messages on,
 * for instance as {@code KVM_SIGNAL_MSI} or over a socket.
 *
 * <p>All methods are thread-safe, and {@link #send} and {@link #sendToOthers} never block and take no lock, so they
 * may be called with any lock held.
 */
public interface ApicBus {
    /** The result of {@link #send} when no local APIC matched the destination. */
    int NO_DESTINATION = -1;

    /**
     * Sends an interrupt message.
     *
     * @param message see {@link ApicMessage}
     * @return how many local APICs accepted the message, 0 when they all refused it (disabled by software), or
     *     {@link #NO_DESTINATION} when none matched
     */
    int send(long message);

    /**
     * Sends an interrupt message to every local APIC but one: the shorthand "all excluding self". The destination of
     * the message does not matter.
     *
     * @param message see {@link ApicMessage}
     * @param sender the local APIC that is left out
     * @return as {@link #send}
     */
    int sendToOthers(long message, Receiver sender);

    /**
     * Tells the IOAPICs that a processor has ended a level-triggered interrupt. May take the board's lock: the caller
     * holds no lock but, possibly, that one.
     *
     * @param vector the vector, 0..255
     */
    void endOfInterrupt(int vector);

    /** A local APIC as the bus sees it. All methods are thread-safe, never block and take no lock. */
    interface Receiver {
        /**
         * Whether a message is addressed to this local APIC.
         *
         * @param message the message
         * @return true when the destination includes it and it is not disabled by IA32_APIC_BASE
         */
        boolean matches(long message);

        /**
         * Whether the local APIC takes part in lowest-priority arbitration.
         *
         * @return true when it is enabled by IA32_APIC_BASE and by its spurious-interrupt register
         */
        boolean isSoftwareEnabled();

        /**
         * What lowest-priority arbitration compares.
         *
         * @return the processor priority, 0..255; it may be out of date by a moment
         */
        int processorPriority();

        /**
         * Takes a message.
         *
         * @param message the message; its destination has been looked at already
         * @return true when accepted
         */
        boolean accept(long message);
    }

    /** An IOAPIC as the bus sees it. */
    @FunctionalInterface
    interface EoiListener {
        /**
         * A processor ended a level-triggered interrupt.
         *
         * @param vector the vector, 0..255
         */
        void endOfInterrupt(int vector);
    }
}
