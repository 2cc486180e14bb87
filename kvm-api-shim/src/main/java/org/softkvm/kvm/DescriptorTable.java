package org.softkvm.kvm;

/** GDTR or IDTR ({@code struct kvm_dtable}). */
public final class DescriptorTable {
    /** Linear address of the table. */
    public long base;
    /** Offset of the last byte, 16 bits. */
    public int limit;

    /** Makes a register of which everything is 0. */
    public DescriptorTable() {}
}
