package org.softkvm.kvm.linux;

import java.lang.foreign.MemorySegment;

/** The system calls that the backend makes. Results are those of the kernel: negative errno where a call fails. */
public interface SystemCalls {
    /** open(path, O_RDWR | O_CLOEXEC). */
    int open(String path);

    /** close(descriptor). */
    int close(int descriptor);

    /** ioctl whose argument is a number. */
    int ioctl(int descriptor, int request, long argument);

    /** ioctl whose argument is a structure. */
    int ioctl(int descriptor, int request, MemorySegment argument);

    /** mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0); a KvmException where it fails. */
    Mapping map(int descriptor, long size);

    /** Memory for the guest: zero, aligned to a page, and only there where it is touched; a KvmException else. */
    Mapping allocate(long size);

    /** pread(descriptor, into, size, offset); how many bytes. */
    long read(int descriptor, MemorySegment into, long offset);

    /** eventfd(0, EFD_CLOEXEC). */
    int eventFd();

    /** Reads an eventfd, waiting until its counter is not 0; the counter. */
    long awaitEvent(int descriptor);

    /** Adds to an eventfd. */
    int signalEvent(int descriptor, long amount);

    /** Structures of later calls may point to this memory. A kernel reaches all memory of its client anyway. */
    default void expose(MemorySegment memory) {}

    /**
     * The client wrote guest memory by itself. The processor of a kernel notices that; an emulator on the other side of
     * the calls does not.
     */
    default void written(int vm, long guestPhysicalAddress, long length) {}

    /** What {@link #interrupt} calls the current thread. */
    long threadId();

    /** Makes a call that another thread is in return EINTR; nothing happens where it is in none. */
    void interrupt(long threadId);

    /** Memory that is mapped. */
    interface Mapping extends AutoCloseable {
        /** The memory; an access after {@link #close()} is an IllegalStateException. */
        MemorySegment memory();

        /** Unmaps it; a second call does nothing. */
        @Override
        void close();
    }
}
