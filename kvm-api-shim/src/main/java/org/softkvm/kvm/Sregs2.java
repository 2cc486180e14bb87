package org.softkvm.kvm;

/** Segment and control registers with the loaded PDPTEs ({@code struct kvm_sregs2}); made once and reused. */
public final class Sregs2 {
    /** Flag: {@link #pdptrs} are meant. */
    public static final long PDPTRS_VALID = 1;

    /** The registers; {@link Sregs#interruptBitmap} has no meaning here. */
    public final Sregs sregs = new Sregs();
    /** {@link #PDPTRS_VALID} or 0. */
    public long flags;
    /** The four entries that PAE paging outside long mode keeps in registers. */
    public final long[] pdptrs = new long[4];

    /** Makes a set of registers that are all 0. */
    public Sregs2() {}
}
