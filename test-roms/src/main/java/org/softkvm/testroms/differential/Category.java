package org.softkvm.testroms.differential;

/** Why something cannot be compared. There are no others: what is in none of them is a failure. */
enum Category {
    /** KVM_EXIT_INTERNAL_ERROR, suberror 1, for the instruction by itself. */
    INSTRUCTION_MISSING("instruction missing in the host's own emulator"),
    /**
     * The host emulates the mode, and contradicts itself: its CPU does in ring 3 of long mode with the same instruction
     * what we do, or another instruction on the same host says what the manual demands.
     */
    OTHERWISE("the host's own emulator contradicts the host"),
    /** The backend does not do what a probe guest wants. */
    CAPABILITY_ABSENT("capability absent"),
    /** Single steps are not reported. */
    BREAKPOINT_UNSUPPORTED("breakpoint unsupported"),
    /** There was no time left for it. */
    TIME("time");

    final String text;

    Category(String text) {
        this.text = text;
    }
}
