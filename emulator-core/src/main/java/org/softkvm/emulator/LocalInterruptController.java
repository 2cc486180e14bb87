package org.softkvm.emulator;

/**
 * The port between a vcpu and its local APIC (Intel SDM volume 3, chapter 12). All methods are called on the thread
 * that runs the vcpu. The other direction, 'something changed', is {@link VirtualCpu#requestInterruptCheck()}.
 */
public interface LocalInterruptController {
    /** The controller of a vcpu that has none: nothing is ever pending and the APIC MSRs do not exist. */
    LocalInterruptController NONE = new NoLocalInterruptController();

    /**
     * The vector that would be delivered now.
     *
     * @return 0 to 255, or -1 where none is above the processor priority
     */
    int pendingVector();

    /**
     * Acknowledges the pending vector: it moves from request to service.
     *
     * @return the acknowledged vector, 0 to 255, or -1 where it is gone
     */
    int acknowledge();

    /**
     * The task priority as CR8 shows it.
     *
     * @return 0 to 15
     */
    int cr8();

    /**
     * Sets the task priority through CR8.
     *
     * @param value 0 to 15
     */
    void setCr8(int value);

    /**
     * Whether this controller owns a model-specific register (1Bh, 6E0h, 800h to 8FFh).
     *
     * @param index MSR number
     * @return true where readMsr and writeMsr serve it
     */
    boolean ownsMsr(int index);

    /**
     * Reads an MSR that this controller owns.
     *
     * @param index MSR number
     * @return the value
     * @throws IllegalArgumentException where the read is a #GP in the controller's present mode
     */
    long readMsr(int index);

    /**
     * Writes an MSR that this controller owns.
     *
     * @param index MSR number
     * @param value the new value
     * @return false where the write is a #GP
     */
    boolean writeMsr(int index, long value);

    /**
     * Whether reading an MSR would be a #GP.
     *
     * @param index MSR number that this controller owns
     * @return true where readMsr is allowed now
     */
    boolean canReadMsr(int index);

    /**
     * The guest-physical page of the register window.
     *
     * @return page-aligned address, or -1 where there is none now (disabled, or x2APIC mode)
     */
    long mmioPage();

    /**
     * Reads a register through the window.
     *
     * @param offset 0 to FFFh
     * @param size 1, 2, 4 or 8 bytes
     * @return the value
     */
    long readMmio(int offset, int size);

    /**
     * Writes a register through the window.
     *
     * @param offset 0 to FFFh
     * @param size 1, 2, 4 or 8 bytes
     * @param value the value
     */
    void writeMmio(int offset, int size, long value);

    /** The guest wrote its time-stamp counter or IA32_TSC_ADJUST: deadlines of the counter are due at another time. */
    default void tscChanged() {}
}
