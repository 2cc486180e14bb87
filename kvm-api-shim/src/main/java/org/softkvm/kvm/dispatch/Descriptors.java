package org.softkvm.kvm.dispatch;

import org.softkvm.kvm.EventFd;
import org.softkvm.kvm.KvmException;

/** The descriptors of the client that makes the calls. */
public interface Descriptors {
    /**
     * Makes a descriptor.
     *
     * @param endpoint what it stands for
     * @return the descriptor
     */
    int add(Endpoint endpoint);

    /**
     * Looks up an eventfd.
     *
     * @param descriptor the descriptor
     * @return the eventfd, the same object at each call
     * @throws KvmException EBADF where there is no such descriptor, EINVAL where it is no eventfd
     */
    EventFd eventFd(int descriptor);
}
