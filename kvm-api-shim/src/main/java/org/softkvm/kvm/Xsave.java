package org.softkvm.kvm;

/**
 * The XSAVE area ({@code struct kvm_xsave}) in the standard format (Intel SDM volume 1, 13.4): legacy region, header
 * with XSTATE_BV at 512, components behind it at the offsets that CPUID leaf 0Dh names. Made once and reused.
 */
public final class Xsave {
    /** The size of the structure before KVM_CAP_XSAVE2. */
    public static final int MIN_SIZE = 4096;

    /** The bytes of the area. */
    public final byte[] region;

    /** Makes an area of {@link #MIN_SIZE} bytes that are all 0. */
    public Xsave() {
        this(MIN_SIZE);
    }

    /**
     * Makes an area of another size.
     *
     * @param size bytes, at least the value of {@link Capability#XSAVE2}, which is {@link #MIN_SIZE} or more
     * @throws IllegalArgumentException for a size below {@link #MIN_SIZE}
     */
    public Xsave(int size) {
        if (size < MIN_SIZE) {
            throw new IllegalArgumentException("size=" + size + " (at least " + MIN_SIZE + ")");
        }
        region = new byte[size];
    }
}
