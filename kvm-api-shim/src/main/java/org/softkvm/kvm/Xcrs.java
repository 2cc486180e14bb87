package org.softkvm.kvm;

/** Extended control registers ({@code struct kvm_xcrs}); made once and reused. */
public final class Xcrs {
    /** The most registers that one call takes (KVM_MAX_XCRS). */
    public static final int MAX = 16;

    /** How many registers there are in the arrays. */
    public int count;
    /** Must be 0. */
    public int flags;
    /** The number of each register; KVM knows 0 (XCR0) only, and skips others. */
    public final int[] xcr = new int[MAX];
    /** The value of each register. */
    public final long[] value = new long[MAX];

    /** Makes an empty set. */
    public Xcrs() {}
}
