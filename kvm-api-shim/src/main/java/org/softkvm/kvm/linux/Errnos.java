package org.softkvm.kvm.linux;

import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.abi.Ioctl;

/** Error numbers of the kernel. */
final class Errnos {
    private static final Errno[] BY_NUMBER = new Errno[256];

    static {
        for (Errno errno : Errno.values()) {
            BY_NUMBER[errno.number()] = errno;
        }
    }

    private Errnos() {}

    /** The error of a number; EIO for one that KVM is not known to give. */
    static Errno of(int number) {
        Errno errno = number > 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
        return errno == null ? Errno.EIO : errno;
    }

    /** The exception for a result below 0. */
    static KvmException failure(int request, int result, String argument) {
        return failure(Ioctl.name(request), result, argument);
    }

    /** The exception for a result below 0. */
    static KvmException failure(String call, int result, String argument) {
        Errno errno = of(-result);
        String text = errno.number() == -result ? argument : argument + " (errno " + -result + ")";
        return new KvmException(call, errno, text);
    }
}
