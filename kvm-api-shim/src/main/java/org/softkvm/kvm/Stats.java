package org.softkvm.kvm;

import java.util.List;

/**
 * The statistics of a VM or vcpu (what KVM_GET_STATS_FD gives a file of). Any thread may read them at any time; values of
 * a vcpu that runs are those of a moment shortly before.
 */
public interface Stats {
    /**
     * Whose they are.
     *
     * @return a name such as {@code softkvm-1} or {@code softkvm-1/vcpu-0}
     */
    String id();

    /**
     * What there is.
     *
     * @return the descriptors, always the same
     */
    List<StatDescriptor> descriptors();

    /**
     * Reads the values; allocates nothing.
     *
     * @param values where they go, each statistic from its {@link StatDescriptor#offset} on
     * @throws IndexOutOfBoundsException where the array is shorter than {@link #size()}
     */
    void read(long[] values);

    /**
     * How many values there are.
     *
     * @return the sum of all {@link StatDescriptor#size}
     */
    default int size() {
        int size = 0;
        for (StatDescriptor descriptor : descriptors()) {
            size += descriptor.size();
        }
        return size;
    }
}
