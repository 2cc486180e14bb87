package org.softkvm.vmm.loader;

/**
 * One entry of the memory map that a guest is given.
 *
 * @param start first guest-physical address
 * @param size length in bytes
 * @param type {@link #RAM}, {@link #RESERVED}, as in the ACPI system address map (ACPI 6.5, table 15.7)
 */
public record MemoryRange(long start, long size, int type) {
    /** Memory that the guest may use freely (AddressRangeMemory). */
    public static final int RAM = 1;

    /** Memory that the guest must leave alone (AddressRangeReserved). */
    public static final int RESERVED = 2;

    /**
     * The address behind the range.
     *
     * @return first address that is not part of it
     */
    public long end() {
        return start + size;
    }
}
