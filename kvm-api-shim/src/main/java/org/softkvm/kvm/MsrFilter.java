package org.softkvm.kvm;

import java.util.List;

/**
 * Which MSRs a guest may access ({@code struct kvm_msr_filter}). An access that is not allowed raises #GP, or ends the
 * run where {@link Capability#X86_USER_SPACE_MSR} was enabled with {@link VcpuRun#MSR_FILTER}. Calls of the API are not
 * filtered, and neither are the MSRs of x2APIC mode (800h to 8FFh).
 *
 * @param flags {@link #DEFAULT_DENY} or 0
 * @param ranges the ranges; the first one that holds the MSR and the direction decides, where there is none the flags do
 */
public record MsrFilter(int flags, List<Range> ranges) {
    /** Flag: what no range says anything about is not allowed. */
    public static final int DEFAULT_DENY = 1;
    /** The most ranges. */
    public static final int MAX_RANGES = 16;
    /** The most bytes of a bitmap. */
    public static final int MAX_BITMAP_SIZE = 0x600;

    /** The filter of a new VM: everything is allowed. */
    public static final MsrFilter NONE = new MsrFilter(0, List.of());

    /** Copies the list. */
    public MsrFilter {
        ranges = List.copyOf(ranges);
    }

    /**
     * Decisions about MSRs in a row.
     *
     * @param flags {@link #READ}, {@link #WRITE} or both: the accesses that the range decides
     * @param base the number of the first MSR
     * @param count how many; 0 for a range that is not used
     * @param bitmap a bit for each, the first one in bit 0 of byte 0: 1 where the access is allowed; not copied
     */
    public record Range(int flags, int base, int count, byte[] bitmap) {
        /** Flag: the range decides reads. */
        public static final int READ = 1;
        /** Flag: the range decides writes. */
        public static final int WRITE = 2;
    }
}
