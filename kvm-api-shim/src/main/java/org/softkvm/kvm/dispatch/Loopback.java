package org.softkvm.kvm.dispatch;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.softkvm.emulator.HostMemory;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.EventFd;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.linux.SystemCalls;

/**
 * System calls that never leave the JVM: ioctls go to the dispatcher, with structures and pointers as the kernel would
 * see them. So both halves of the binary ABI run against each other where there is no kernel for it.
 */
public final class Loopback implements SystemCalls {
    private static final long PAGE = 4096;

    private final Supplier<Kvm> backend;
    private final AtomicInteger next = new AtomicInteger(3);
    private final Map<Integer, Object> open = new ConcurrentHashMap<>();

    /** Memory of the client by address: what it mapped. */
    private final ConcurrentSkipListMap<Long, MemorySegment> mapped = new ConcurrentSkipListMap<>();

    /** Structures of calls under way, by thread. */
    private final ThreadLocal<Argument> argument = ThreadLocal.withInitial(Argument::new);

    private final ClientMemory memory = this::resolve;
    private final Descriptors descriptors = new Table();

    /**
     * Serves from a backend.
     *
     * @param backend opens it, once for each open of /dev/kvm
     */
    public Loopback(Supplier<Kvm> backend) {
        this.backend = backend;
    }

    private final class Table implements Descriptors {
        @Override
        public int add(Endpoint endpoint) {
            return Loopback.this.add(endpoint);
        }

        @Override
        public EventFd eventFd(int descriptor) {
            Object object = open.get(descriptor);
            if (object == null) {
                throw new KvmException("eventfd", Errno.EBADF, "fd=" + descriptor);
            }
            if (object instanceof EventFd event) {
                return event;
            }
            throw new KvmException("eventfd", Errno.EINVAL, "fd=" + descriptor + " (not an eventfd)");
        }
    }

    /** The structure of the call that a thread is in, and parts of it that calls before asked for. */
    private static final class Argument {
        private static final int PARTS = 32;

        private MemorySegment struct;
        private MemorySegment partsOf;
        private final MemorySegment[] parts = new MemorySegment[PARTS];

        /** That part, or null where it is not in the structure. Mostly it allocates nothing. */
        MemorySegment part(long address, long size) {
            if (struct == null || !inside(struct, address, size)) {
                return null;
            }
            if (partsOf != struct) {
                Arrays.fill(parts, null);
                partsOf = struct;
            }
            long offset = address - struct.address();
            int index = (int) ((offset + size) / Long.BYTES) & PARTS - 1;
            MemorySegment part = parts[index];
            if (part == null || part.address() != address || part.byteSize() != size) {
                part = struct.asSlice(offset, size);
                parts[index] = part;
            }
            return part;
        }
    }

    private int add(Object object) {
        int descriptor = next.getAndIncrement();
        open.put(descriptor, object);
        return descriptor;
    }

    private MemorySegment resolve(long address, long size) {
        MemorySegment own = argument.get().part(address, size);
        if (own != null) {
            return own;
        }
        MemorySegment found = find(address, size);
        if (found != null) {
            return found;
        }
        throw new KvmException("pointer", Errno.EFAULT, "0x" + Long.toHexString(address) + " size=" + size);
    }

    private MemorySegment find(long address, long size) {
        // Segments may lie in each other: the next lower one need not be the one that is long enough.
        for (MemorySegment segment :
                mapped.headMap(address, true).descendingMap().values()) {
            if (inside(segment, address, size)) {
                return segment.asSlice(address - segment.address(), size);
            }
        }
        return null;
    }

    private static boolean inside(MemorySegment segment, long address, long size) {
        long offset = address - segment.address();
        return offset >= 0 && size >= 0 && offset <= segment.byteSize() - size;
    }

    @Override
    public void expose(MemorySegment segment) {
        mapped.values().removeIf(old -> !old.scope().isAlive());
        if (segment.isNative() && find(segment.address(), segment.byteSize()) == null) {
            mapped.put(segment.address(), segment);
        }
    }

    @Override
    public int open(String path) {
        return path.equals("/dev/kvm")
                ? add(new SystemEndpoint(backend.get(), memory, descriptors))
                : -Errno.ENOENT.number();
    }

    @Override
    public int close(int descriptor) {
        Object object = open.remove(descriptor);
        if (object == null) {
            return -Errno.EBADF.number();
        }
        if (object instanceof Endpoint endpoint) {
            endpoint.close();
        }
        return 0;
    }

    @Override
    public int ioctl(int descriptor, int request, long value) {
        return open.get(descriptor) instanceof Endpoint endpoint
                ? endpoint.ioctl(request, value)
                : -Errno.EBADF.number();
    }

    @Override
    public int ioctl(int descriptor, int request, MemorySegment struct) {
        Argument own = argument.get();
        MemorySegment before = own.struct;
        own.struct = struct;
        try {
            return ioctl(descriptor, request, struct.address());
        } finally {
            own.struct = before;
        }
    }

    @Override
    public Mapping map(int descriptor, long size) {
        if (!(open.get(descriptor) instanceof Endpoint endpoint)) {
            throw new KvmException("mmap", Errno.EBADF, "fd=" + descriptor);
        }
        MemorySegment memory = endpoint.mapping();
        if (size > memory.byteSize()) {
            throw new KvmException("mmap", Errno.EINVAL, "size=" + size);
        }
        return mapping(memory.asSlice(0, size), () -> {});
    }

    /** The ring of coalesced writes of a vcpu's descriptor. */
    MemorySegment ring(int descriptor) {
        if (open.get(descriptor) instanceof Endpoint endpoint) {
            return endpoint.coalescedRing();
        }
        throw new KvmException("mmap", Errno.EBADF, "fd=" + descriptor);
    }

    @Override
    public Mapping allocate(long size) {
        MemorySegment segment;
        try {
            segment = HostMemory.allocate((size + PAGE - 1) & -PAGE);
        } catch (OutOfMemoryError e) {
            throw new KvmException("mmap", Errno.ENOMEM, "size=" + size + " (" + e.getMessage() + ")");
        }
        mapped.put(segment.address(), segment);
        return mapping(segment, () -> {
            mapped.remove(segment.address());
            HostMemory.free(segment);
        });
    }

    private static Mapping mapping(MemorySegment memory, Runnable unmap) {
        return new Mapping() {
            private boolean closed;

            @Override
            public MemorySegment memory() {
                return memory;
            }

            @Override
            public synchronized void close() {
                if (!closed) {
                    closed = true;
                    unmap.run();
                }
            }
        };
    }

    @Override
    public long read(int descriptor, MemorySegment into, long offset) {
        return open.get(descriptor) instanceof Endpoint endpoint ? endpoint.read(into, offset) : -Errno.EBADF.number();
    }

    @Override
    public int eventFd() {
        return add(new EventFd());
    }

    @Override
    public long awaitEvent(int descriptor) {
        if (!(open.get(descriptor) instanceof EventFd event)) {
            return -Errno.EBADF.number();
        }
        try {
            long count;
            do {
                count = event.await(1, TimeUnit.HOURS);
            } while (count == 0);
            return count;
        } catch (InterruptedException e) {
            return -Errno.EINTR.number();
        }
    }

    @Override
    public int signalEvent(int descriptor, long amount) {
        if (!(open.get(descriptor) instanceof EventFd event)) {
            return -Errno.EBADF.number();
        }
        event.signal(amount);
        return 0;
    }

    @Override
    public void written(int vm, long guestPhysicalAddress, long length) {
        if (open.get(vm) instanceof VmEndpoint endpoint) {
            endpoint.written(guestPhysicalAddress, length);
        }
    }

    @Override
    public long threadId() {
        return Thread.currentThread().threadId();
    }

    @Override
    public void interrupt(long threadId) {
        List<VcpuEndpoint> vcpus = new ArrayList<>();
        for (Object object : open.values()) {
            if (object instanceof VcpuEndpoint vcpu) {
                vcpus.add(vcpu);
            }
        }
        for (VcpuEndpoint vcpu : vcpus) {
            vcpu.interrupt(threadId);
        }
    }
}
