package org.softkvm.kvm;

/** The IOAPIC of the backend ({@code struct kvm_ioapic_state}); made once and reused. */
public final class IoapicState {
    /** The number of its pins. */
    public static final int PINS = 24;

    /** Where its page lies: FEC00000h; only read. */
    public long baseAddress;
    /** The register that IOREGSEL selects, 0 to 255. */
    public int ioregsel;
    /** Its id, 0 to 15. */
    public int id;
    /** The pins that are asserted, one a bit. */
    public int irr;
    /** The redirection entries with their status bits. */
    public final long[] redirtbl = new long[PINS];

    /** Makes a state of which everything is 0. */
    public IoapicState() {}
}
