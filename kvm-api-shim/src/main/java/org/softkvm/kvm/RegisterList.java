package org.softkvm.kvm;

import java.util.Objects;

/**
 * Registers by id for {@link Vcpu#getManyRegs} and {@link Vcpu#setManyRegs}: ids and values side by side. Made once and
 * reused; a list of all of {@link Vcpu#registerList()} holds the whole state of a vcpu.
 */
public final class RegisterList {
    /** The ids; see {@link RegisterId}. */
    public final long[] ids;
    /** The values, zero-extended. */
    public final long[] values;

    /**
     * Makes a list of registers whose values are 0.
     *
     * @param ids the ids; the array is not copied
     */
    public RegisterList(long... ids) {
        this.ids = Objects.requireNonNull(ids);
        this.values = new long[ids.length];
    }

    /**
     * The length of the list.
     *
     * @return how many registers
     */
    public int size() {
        return ids.length;
    }
}
