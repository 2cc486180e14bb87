package org.softkvm.kvm;

import java.util.Objects;

/**
 * A KVM call that failed, with the errno that KVM gives for it.
 *
 * <p>Unchecked, because it reports wrong use of the API by its caller; nothing that a guest does raises one.
 */
public final class KvmException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The call that failed, by KVM's name. */
    private final String call;
    /** Why it failed. */
    private final Errno errno;
    /** The offending argument. */
    private final String argument;

    /**
     * Makes the exception of one failed call.
     *
     * @param call the call by its KVM name, such as {@code KVM_SET_SREGS}
     * @param errno the error
     * @param argument the offending argument and its value, and what is wrong with it, such as
     *     {@code cr0=0x80000000 (PG without PE)}
     */
    public KvmException(String call, Errno errno, String argument) {
        super(call + ": " + errno + ": " + argument);
        this.call = Objects.requireNonNull(call);
        this.errno = Objects.requireNonNull(errno);
        this.argument = Objects.requireNonNull(argument);
    }

    /**
     * The call that failed.
     *
     * @return its KVM name, such as {@code KVM_SET_SREGS}
     */
    public String call() {
        return call;
    }

    /**
     * The error.
     *
     * @return the errno that KVM gives
     */
    public Errno errno() {
        return errno;
    }

    /**
     * The offending argument.
     *
     * @return its name and value, and what is wrong with it
     */
    public String argument() {
        return argument;
    }
}
