package org.softkvm.emulator.cpu;

/**
 * Leaves an instruction in its middle because user space has to answer first (an MMIO read). Nothing of the
 * instruction has been committed; it is executed anew with the answer at hand. One object per vcpu.
 */
public final class GuestExit extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GuestExit() {
        super(null, null, false, false);
    }
}
