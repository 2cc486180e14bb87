package org.softkvm.emulator.cpu;

/**
 * A guest exception on its way from the semantics to the delivery. One object per vcpu, without a stack trace; vector,
 * error code and fault address are in the fields of {@link Cpu}, because throwing must not allocate.
 */
public final class GuestFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GuestFault() {
        super(null, null, false, false);
    }
}
