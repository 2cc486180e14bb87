package org.softkvm.emulator;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/**
 * The host memory that backs guest RAM: one sparse mapping for the whole process, from which memory is handed out.
 *
 * <p>The mapping is a {@code static final} segment, hence a true constant for the JIT compiler: an access by offset
 * compiles to a bounds check against a constant and one load or store. Memory that a caller brings along works too, by
 * a slower path, unless it lies inside this mapping.
 *
 * <p>The mapping is an unlinked sparse file, so that guest RAM costs memory only where it is touched; its size is
 * {@code softkvm.pool} bytes (system property, default 64 GiB of address space).
 */
public final class HostMemory {
    /** Bytes in a page of guest and host memory. */
    public static final int PAGE_SIZE = 4096;

    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final VarHandle ATOMIC_INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle ATOMIC_LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    /**
     * Whether the host may reorder what x86 does not. On an x86 host nothing is to be done, as the JIT compiler moves no
     * access across the call of the next instruction's handler.
     */
    private static final boolean WEAK = Boolean.getBoolean("softkvm.fences")
            || !List.of("amd64", "x86_64", "x86", "i386").contains(System.getProperty("os.arch", ""));

    /** Whether some VM has several vcpus; a process that never has pays for no fence. */
    private static boolean shared;

    /** The file behind the pool, or null: holes in it read as zeros without becoming pages. */
    private static FileChannel file;

    private static final MemorySegment POOL = mapPool();
    private static final long POOL_ADDRESS = POOL.address();

    /** Free ranges by offset, coalesced; ranges that were used before are zeroed when they are handed out again. */
    private static final TreeMap<Long, Range> FREE = new TreeMap<>();

    private record Range(long size, boolean used) {}

    static {
        // Page 0 of the pool stays unused, so that offset 0 never names guest memory.
        FREE.put((long) PAGE_SIZE, new Range(POOL.byteSize() - PAGE_SIZE, false));
    }

    private HostMemory() {}

    /** From now on memory is shared by several vcpus, to which stores have to appear in the order of x86. */
    static void shareAmongCpus() {
        shared = true;
    }

    private static MemorySegment mapPool() {
        long size = Long.getLong("softkvm.pool", 64L << 30);
        for (String directory : new String[] {"/dev/shm", System.getProperty("java.io.tmpdir")}) {
            Path dir = Path.of(directory);
            // A tmpfs keeps the pages off the disk, but a container's is often too small to hold a guest.
            if (directory.equals("/dev/shm")
                    && (!Files.isDirectory(dir) || dir.toFile().getUsableSpace() < (1L << 30))) {
                continue;
            }
            try {
                // Not createTempFile: the random number in its name takes the JDK 15 ms. The name lasts for an instant.
                Path name = dir.resolve("softkvm" + ProcessHandle.current().pid() + "-" + System.nanoTime() + ".ram");
                FileChannel channel = FileChannel.open(
                        name,
                        Set.of(
                                StandardOpenOption.CREATE_NEW,
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE,
                                StandardOpenOption.SPARSE,
                                StandardOpenOption.DELETE_ON_CLOSE),
                        ownerOnly(dir));
                try {
                    MemorySegment pool = channel.map(FileChannel.MapMode.READ_WRITE, 0, size, Arena.global());
                    Files.deleteIfExists(name);
                    file = channel;
                    return pool;
                } finally {
                    if (file == null) {
                        channel.close();
                    }
                }
            } catch (IOException | UnsupportedOperationException e) {
                // Try the next place; without any, the plain allocation below says what is wrong.
            }
        }
        return Arena.global().allocate(Math.min(size, 1L << 30), PAGE_SIZE);
    }

    /** The rights of a file that nobody else may open while it has a name. */
    private static FileAttribute<?>[] ownerOnly(Path dir) {
        return dir.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(
                            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE))
                }
                : new FileAttribute<?>[0];
    }

    /**
     * Allocates zeroed, page-aligned memory that is touched only where the guest touches it.
     *
     * @param size bytes, at least 1; rounded up to whole pages
     * @return a segment inside the process-wide mapping
     * @throws OutOfMemoryError where the mapping has no room left
     */
    public static synchronized MemorySegment allocate(long size) {
        if (size <= 0) {
            throw new IllegalArgumentException("size " + size);
        }
        long rounded = Math.addExact(size, PAGE_SIZE - 1) & -PAGE_SIZE;
        Long found = null;
        for (var entry : FREE.entrySet()) {
            Range range = entry.getValue();
            // Re-zeroing touches every page, so a large block comes from untouched space where there is some.
            if (range.size() >= rounded && (!range.used() || rounded <= 64L << 20)) {
                found = entry.getKey();
                break;
            }
        }
        if (found == null) {
            for (var entry : FREE.entrySet()) {
                if (entry.getValue().size() >= rounded) {
                    found = entry.getKey();
                    break;
                }
            }
        }
        if (found == null) {
            throw new OutOfMemoryError("no " + rounded + " contiguous bytes left in the guest memory pool of "
                    + POOL.byteSize() + " bytes (softkvm.pool)");
        }
        Range range = FREE.remove(found);
        if (range.size() > rounded) {
            FREE.put(found + rounded, new Range(range.size() - rounded, range.used()));
        }
        MemorySegment segment = POOL.asSlice(found, rounded);
        if (range.used()) {
            segment.fill((byte) 0);
        }
        return segment.asSlice(0, size);
    }

    /**
     * Gives memory from {@link #allocate} back. No vcpu may still use it.
     *
     * @param segment a segment that allocate returned
     */
    public static synchronized void free(MemorySegment segment) {
        long offset = offsetOf(segment);
        if (offset < 0) {
            throw new IllegalArgumentException("not from this pool: " + segment);
        }
        long size = (segment.byteSize() + PAGE_SIZE - 1) & -PAGE_SIZE;
        var before = FREE.lowerEntry(offset);
        if (before != null
                && before.getKey() + before.getValue().size() == offset
                && before.getValue().used()) {
            offset = before.getKey();
            size += before.getValue().size();
        }
        var after = FREE.get(offset + size);
        if (after != null && after.used()) {
            FREE.remove(offset + size);
            size += after.size();
        }
        FREE.put(offset, new Range(size, true));
    }

    /**
     * The pool offset of a segment.
     *
     * @param segment native memory
     * @return its offset in the pool, or -1 where it lies outside
     */
    public static long offsetOf(MemorySegment segment) {
        if (!segment.isNative()) {
            return -1;
        }
        long offset = segment.address() - POOL_ADDRESS;
        return offset >= 0 && offset + segment.byteSize() <= POOL.byteSize() ? offset : -1;
    }

    /**
     * Bytes of address space in the pool.
     *
     * @return the pool's size
     */
    public static long poolSize() {
        return POOL.byteSize();
    }

    /**
     * A byte of the pool.
     *
     * @param offset pool offset
     * @return the byte, zero-extended
     */
    public static int getByte(long offset) {
        int value = POOL.get(BYTE, offset) & 0xFF;
        if (WEAK && shared) {
            VarHandle.acquireFence();
        }
        return value;
    }

    /**
     * A little-endian 16-bit word of the pool.
     *
     * @param offset pool offset
     * @return the word, zero-extended
     */
    public static int getShort(long offset) {
        int value = POOL.get(SHORT, offset) & 0xFFFF;
        if (WEAK && shared) {
            VarHandle.acquireFence();
        }
        return value;
    }

    /**
     * A little-endian 32-bit word of the pool.
     *
     * @param offset pool offset
     * @return the word
     */
    public static int getInt(long offset) {
        int value = POOL.get(INT, offset);
        if (WEAK && shared) {
            VarHandle.acquireFence();
        }
        return value;
    }

    /**
     * A little-endian 64-bit word of the pool.
     *
     * @param offset pool offset
     * @return the word
     */
    public static long getLong(long offset) {
        long value = POOL.get(LONG, offset);
        if (WEAK && shared) {
            VarHandle.acquireFence();
        }
        return value;
    }

    /**
     * Stores a byte.
     *
     * @param offset pool offset
     * @param value low 8 bits are stored
     */
    public static void putByte(long offset, int value) {
        if (WEAK && shared) {
            VarHandle.releaseFence();
        }
        POOL.set(BYTE, offset, (byte) value);
    }

    /**
     * Stores a little-endian 16-bit word.
     *
     * @param offset pool offset
     * @param value low 16 bits are stored
     */
    public static void putShort(long offset, int value) {
        if (WEAK && shared) {
            VarHandle.releaseFence();
        }
        POOL.set(SHORT, offset, (short) value);
    }

    /**
     * Stores a little-endian 32-bit word.
     *
     * @param offset pool offset
     * @param value the word
     */
    public static void putInt(long offset, int value) {
        if (WEAK && shared) {
            VarHandle.releaseFence();
        }
        POOL.set(INT, offset, value);
    }

    /**
     * Stores a little-endian 64-bit word.
     *
     * @param offset pool offset
     * @param value the word
     */
    public static void putLong(long offset, long value) {
        if (WEAK && shared) {
            VarHandle.releaseFence();
        }
        POOL.set(LONG, offset, value);
    }

    /**
     * Replaces an aligned 32-bit word where it has an expected value, atomically and with full ordering.
     *
     * @param offset pool offset, a multiple of 4
     * @param expected the value that has to be there
     * @param value the new value
     * @return whether it was replaced
     */
    public static boolean compareAndSetInt(long offset, int expected, int value) {
        boolean set = ATOMIC_INT.compareAndSet(POOL, offset, expected, value);
        if (WEAK && shared) {
            VarHandle.fullFence();
        }
        return set;
    }

    /**
     * Replaces an aligned 64-bit word where it has an expected value, atomically and with full ordering.
     *
     * @param offset pool offset, a multiple of 8
     * @param expected the value that has to be there
     * @param value the new value
     * @return whether it was replaced
     */
    public static boolean compareAndSetLong(long offset, long expected, long value) {
        boolean set = ATOMIC_LONG.compareAndSet(POOL, offset, expected, value);
        if (WEAK && shared) {
            VarHandle.fullFence();
        }
        return set;
    }

    /**
     * Reads a range of the pool without touching the pages of it that do not exist yet.
     *
     * @param offset pool offset
     * @param target filled up to its limit
     * @return false where the host offers no such way; the target then holds anything
     */
    public static boolean readSparse(long offset, ByteBuffer target) {
        if (file == null) {
            return false;
        }
        try {
            long at = offset;
            while (target.hasRemaining()) {
                int read = file.read(target, at);
                if (read <= 0) {
                    return false;
                }
                at += read;
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Copies inside the pool; the ranges may overlap.
     *
     * @param from pool offset of the source
     * @param to pool offset of the destination
     * @param length bytes
     */
    public static void copy(long from, long to, long length) {
        MemorySegment.copy(POOL, from, POOL, to, length);
        if (WEAK && shared) {
            VarHandle.fullFence();
        }
    }

    /**
     * A view of a range of the pool.
     *
     * @param offset pool offset
     * @param length bytes
     * @return a slice
     */
    public static MemorySegment slice(long offset, long length) {
        return POOL.asSlice(offset, length);
    }
}
