package org.softkvm.vmm.loader;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * The guest's RAM as loaders write it: guest-physical addresses over one piece of host memory, low RAM first, high RAM
 * behind it.
 */
public final class GuestRam {
    private final RamLayout layout;
    private final MemorySegment memory;

    /**
     * Puts a layout over host memory.
     *
     * @param layout where RAM stands
     * @param memory the host memory, exactly as large as the layout's total
     */
    public GuestRam(RamLayout layout, MemorySegment memory) {
        this.layout = Objects.requireNonNull(layout, "layout");
        this.memory = Objects.requireNonNull(memory, "memory");
        if (memory.byteSize() != layout.total()) {
            throw new IllegalArgumentException(memory.byteSize() + " bytes for a layout of " + layout.total());
        }
    }

    /**
     * Where RAM stands.
     *
     * @return the layout
     */
    public RamLayout layout() {
        return layout;
    }

    /**
     * The host memory of low RAM.
     *
     * @param start first guest-physical address
     * @param size bytes
     * @return a view of it
     */
    public MemorySegment low(long start, long size) {
        if (start < 0 || size < 0 || size > layout.lowSize() - start) {
            throw new IndexOutOfBoundsException("low RAM " + Long.toHexString(start) + "+" + Long.toHexString(size));
        }
        return memory.asSlice(start, size);
    }

    /**
     * The host memory of high RAM.
     *
     * @return a view of all RAM from 4 GiB up; empty if there is none
     */
    public MemorySegment high() {
        return memory.asSlice(layout.lowSize());
    }

    /**
     * The host memory of all RAM, low RAM first.
     *
     * @return the memory
     */
    public MemorySegment all() {
        return memory;
    }

    /** Fills all RAM with zeros. */
    public void clear() {
        memory.fill((byte) 0);
    }

    /**
     * Copies bytes into the guest.
     *
     * @param address guest-physical address; the whole range must be RAM
     * @param source where the bytes come from
     * @param offset first byte of the source
     * @param length how many bytes
     */
    public void write(long address, byte[] source, int offset, int length) {
        MemorySegment.copy(source, offset, memory, ValueLayout.JAVA_BYTE, offsetOf(address, length), length);
    }

    /**
     * Copies bytes into the guest.
     *
     * @param address guest-physical address; the whole range must be RAM
     * @param source the bytes
     */
    public void write(long address, byte[] source) {
        write(address, source, 0, source.length);
    }

    /**
     * Reads bytes of the guest.
     *
     * @param address guest-physical address; the whole range must be RAM
     * @param length how many bytes
     * @return a copy of them
     */
    public byte[] read(long address, int length) {
        byte[] bytes = new byte[length];
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, offsetOf(address, length), bytes, 0, length);
        return bytes;
    }

    private long offsetOf(long address, long length) {
        long low = layout.lowSize();
        if (address >= 0 && length >= 0 && address <= low && length <= low - address) {
            return address;
        }
        long above = address - RamLayout.HIGH_START;
        if (above >= 0 && length >= 0 && above <= layout.highSize() && length <= layout.highSize() - above) {
            return low + above;
        }
        throw new IndexOutOfBoundsException("no RAM at " + Long.toHexString(address) + "+" + Long.toHexString(length));
    }
}
