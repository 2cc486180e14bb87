package org.softkvm.emulator.cpu;

/** Says whether the other vcpus have been made to notice their stores to a page that was marked as code. */
public interface CodeFence {
    /** Nobody else is there. */
    CodeFence PASSED = () -> true;

    /**
     * Whether every store that another vcpu makes to the page from now on is reported. Stores that were not are visible
     * to reads that come after.
     *
     * @return true for good once it has been true
     */
    boolean passed();
}
