package org.softkvm.kvm;

/** The error numbers that the KVM API returns, with the values of Linux on x86. */
public enum Errno {
    /** Operation not permitted. */
    EPERM(1),
    /** No such object: an unknown register, slot or device. */
    ENOENT(2),
    /** Interrupted before it finished. */
    EINTR(4),
    /** Input or output error. */
    EIO(5),
    /** No such device or address: the part of the machine that the call is about is absent. */
    ENXIO(6),
    /** The argument list is too long for what the caller made room for. */
    E2BIG(7),
    /** Closed, or never open. */
    EBADF(9),
    /** Not now; try again. */
    EAGAIN(11),
    /** Out of memory. */
    ENOMEM(12),
    /** Permission denied. */
    EACCES(13),
    /** Bad address. */
    EFAULT(14),
    /** In use. */
    EBUSY(16),
    /** Exists already. */
    EEXIST(17),
    /** No such device. */
    ENODEV(19),
    /** Invalid argument. */
    EINVAL(22),
    /** The call does not exist here (the kernel's answer to an unknown request). */
    ENOTTY(25),
    /** No space left. */
    ENOSPC(28),
    /** Not implemented. */
    ENOSYS(38),
    /** Not supported. */
    EOPNOTSUPP(95);

    private final int number;

    Errno(int number) {
        this.number = number;
    }

    /**
     * The number of the error.
     *
     * @return the positive value that {@code errno} has on Linux for x86
     */
    public int number() {
        return number;
    }
}
