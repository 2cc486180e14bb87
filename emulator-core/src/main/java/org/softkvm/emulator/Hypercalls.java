package org.softkvm.emulator;

/**
 * The port through which a guest calls its hypervisor: VMCALL and VMMCALL at privilege level 0, with KVM's convention
 * (Documentation/virt/kvm/x86/hypercalls.rst). Called on the thread that runs the vcpu, in the middle of the instruction.
 */
@FunctionalInterface
public interface Hypercalls {
    /** The answer to an unknown number. */
    long ENOSYS = -1000;

    /** Knows the poll that does nothing (number 1). */
    Hypercalls NONE = (number, a0, a1, a2, a3, wide) -> number == 1 ? 0 : ENOSYS;

    /**
     * Serves a call. Outside 64-bit mode number and arguments are zero-extended from 32 bits, and the lower 32 bits of
     * the answer count.
     *
     * @param number RAX
     * @param a0 RBX
     * @param a1 RCX
     * @param a2 RDX
     * @param a3 RSI
     * @param wide whether it was made in 64-bit mode
     * @return what the guest finds in RAX: 0 or more, or a negative error number
     */
    long call(long number, long a0, long a1, long a2, long a3, boolean wide);
}
