package org.softkvm.kvm.dispatch;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.abi.Ioctl;

/** What a descriptor stands for. */
public abstract class Endpoint {
    /** The client's memory. */
    final ClientMemory memory;

    /** The client's descriptors. */
    final Descriptors descriptors;

    Endpoint(ClientMemory memory, Descriptors descriptors) {
        this.memory = memory;
        this.descriptors = descriptors;
    }

    /**
     * Serves an ioctl. Any thread; never throws for what a client did.
     *
     * @param request the request number; only the low 32 bits of what the client passed
     * @param argument the argument: a number or a pointer
     * @return the result, or a negative errno
     */
    public final int ioctl(int request, long argument) {
        try {
            return serve(request, argument);
        } catch (KvmException e) {
            return -e.errno().number();
        } catch (IndexOutOfBoundsException | IllegalStateException e) {
            // A structure that the client unmapped or made smaller meanwhile.
            return -Errno.EFAULT.number();
        }
    }

    abstract int serve(int request, long argument);

    /** The memory that mmap of the descriptor gives. */
    public MemorySegment mapping() {
        throw new KvmException("mmap", Errno.ENODEV, "descriptor (nothing to map)");
    }

    /**
     * The page of coalesced writes, one for all vcpus of a VM. It is the third page of the first vcpu's mapping; Java
     * cannot map it into the others', so a native library does that.
     */
    public MemorySegment coalescedRing() {
        throw new KvmException("mmap", Errno.ENODEV, "descriptor (no ring of coalesced writes)");
    }

    /** pread of the descriptor: how many bytes, or a negative errno. */
    public long read(MemorySegment into, long offset) {
        return -Errno.EINVAL.number();
    }

    /** The last descriptor was closed. */
    public abstract void close();

    /** What a pointer points to. */
    final MemorySegment struct(long address, MemoryLayout layout) {
        return memory.at(address, layout.byteSize());
    }

    static KvmException unknown(int request) {
        return new KvmException(Ioctl.name(request), Errno.ENOTTY, "request=0x" + Integer.toHexString(request));
    }

    static KvmException invalid(int request, String argument) {
        return new KvmException(Ioctl.name(request), Errno.EINVAL, argument);
    }
}
