package org.softkvm.vmm.pc;

/** Wants to know how far the writing of a snapshot is. */
@FunctionalInterface
public interface SaveProgress {
    /**
     * So much is done; called when the writing begins, and for each MiB of the guest's memory.
     *
     * @param done bytes of the guest's memory that were looked at
     * @param total all of them
     */
    void at(long done, long total);
}
