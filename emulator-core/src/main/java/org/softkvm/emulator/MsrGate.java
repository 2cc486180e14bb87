package org.softkvm.emulator;

/**
 * What the VM says about a guest's accesses to MSRs: a filter, and which failures the caller of
 * {@link VirtualCpu#run()} wants to see instead of a #GP. Asked on the threads of the vcpus.
 */
public interface MsrGate {
    /** Reason bit: the access is invalid (reserved bits, wrong mode). */
    int INVALID = 1;
    /** Reason bit: there is no such MSR. */
    int UNKNOWN = 2;
    /** Reason bit: the filter does not allow it. */
    int FILTER = 4;

    /** Everything is allowed, every failure is a #GP. */
    MsrGate OPEN = new MsrGate() {
        @Override
        public boolean allows(int index, boolean write) {
            return true;
        }

        @Override
        public int exits() {
            return 0;
        }
    };

    /**
     * Whether the guest may access an MSR.
     *
     * @param index MSR number
     * @param write direction
     * @return false where it may not
     */
    boolean allows(int index, boolean write);

    /**
     * The failures that are exits.
     *
     * @return bits of the reasons above
     */
    int exits();
}
