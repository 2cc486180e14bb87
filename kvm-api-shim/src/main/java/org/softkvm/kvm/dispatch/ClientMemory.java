package org.softkvm.kvm.dispatch;

import java.lang.foreign.MemorySegment;
import org.softkvm.kvm.KvmException;

/** The memory of the client that makes the calls. */
public interface ClientMemory {
    /**
     * Memory behind a pointer.
     *
     * @param address the pointer
     * @param size bytes
     * @return exactly that memory
     * @throws KvmException EFAULT where the client has no such memory
     */
    MemorySegment at(long address, long size);
}
