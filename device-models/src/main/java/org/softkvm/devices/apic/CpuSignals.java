package org.softkvm.devices.apic;

/**
 * What a local APIC tells its processor. Calls come from any thread (bus, timer, the processor's own) and possibly
 * with the board's lock held, so an implementation only sets flags and wakes the processor's thread: it must not
 * block, take the board's lock or call the local APIC back.
 */
public interface CpuSignals {
    /**
     * {@link LocalApic#pendingVector()} may have a new answer. The processor asks again at its next instruction
     * boundary, and wakes from HLT where there is one.
     */
    void interruptChanged();

    /** {@link LocalApic#isExtIntPending()} may have a new answer. */
    void extIntChanged();

    /** A non-maskable interrupt arrived; it is the processor's to hold until it can be taken. */
    void nmi();

    /** A system management interrupt arrived. */
    void smi();

    /**
     * An INIT arrived. When the processor takes it, it calls {@link LocalApic#init()} and waits for a start-up
     * message unless it is the bootstrap processor.
     */
    void init();

    /**
     * A start-up message arrived. Only a processor that waits for one takes it.
     *
     * @param vector the page number: execution starts at CS base {@code vector << 12}, IP 0
     */
    void startup(int vector);

    /**
     * An interrupt was ended whose vector is in the set of {@link LocalApic#setEoiExitVectors}.
     *
     * @param vector the vector, 0..255
     */
    void eoiExit(int vector);
}
