package org.softkvm.kvm;

/**
 * One statistic of a VM or vcpu ({@code struct kvm_stats_desc}).
 *
 * @param name its name
 * @param type how it changes
 * @param unit what it counts
 * @param exponent the unit's power of ten (seconds, cycles) or of two (bytes)
 * @param size how many values it has: 1 unless it is a histogram
 * @param offset the place of its first value among {@link Stats#read}'s
 * @param bucketSize what one value of a linear histogram spans; 0 otherwise
 */
public record StatDescriptor(String name, Type type, Unit unit, int exponent, int size, int offset, int bucketSize) {
    /** How a statistic changes, by KVM's numbers. */
    public enum Type {
        /** It only grows. */
        CUMULATIVE,
        /** A value of the moment. */
        INSTANT,
        /** The highest value so far. */
        PEAK,
        /** Counts by value in buckets of equal size. */
        LINEAR_HIST,
        /** Counts by value in buckets of powers of two. */
        LOG_HIST
    }

    /** What a statistic counts, by KVM's numbers. */
    public enum Unit {
        /** Occurrences. */
        NONE,
        /** Bytes. */
        BYTES,
        /** Seconds. */
        SECONDS,
        /** Clock cycles. */
        CYCLES,
        /** 0 or 1. */
        BOOLEAN
    }
}
