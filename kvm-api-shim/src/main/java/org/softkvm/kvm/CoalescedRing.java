package org.softkvm.kvm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Objects;

/**
 * Where the writes of the guest to coalesced zones wait for the monitor ({@code struct kvm_coalesced_mmio_ring}): one
 * page with a ring of {@value #ENTRIES} entries. The vcpus add at its end, the monitor takes from its front, at its next
 * exit or whenever it likes; one thread at a time takes.
 *
 * <pre>{@code
 * while (ring.next()) {
 *     device.write(ring.address(), ring.length(), ring.data());
 *     ring.done();
 * }
 * }</pre>
 */
public final class CoalescedRing {
    /** The size of the ring in bytes. */
    public static final int SIZE = 4096;
    /** How many entries it has, of which one stays empty. */
    public static final int ENTRIES = 170;

    private static final int FIRST = 0;
    private static final int LAST = 4;
    private static final int HEADER = 8;
    private static final int ENTRY = 24;
    private static final int LENGTH = 8;
    private static final int PIO = 12;
    private static final int DATA = 16;

    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    private final MemorySegment page;
    private long entry;

    /**
     * A view of a ring.
     *
     * @param page its memory: {@value #SIZE} bytes, aligned to 8
     * @throws IllegalArgumentException where the memory has another size or alignment
     */
    public CoalescedRing(MemorySegment page) {
        Objects.requireNonNull(page, "page");
        if (page.byteSize() != SIZE || (page.address() & 7) != 0 || page.maxByteAlignment() < Long.BYTES) {
            throw new IllegalArgumentException("a ring of coalesced writes has one aligned page, not " + page);
        }
        this.page = page;
    }

    /**
     * The memory of the ring.
     *
     * @return the page, laid out as KVM's
     */
    public MemorySegment segment() {
        return page;
    }

    /**
     * Looks at the first entry that was not taken yet.
     *
     * @return false where the ring is empty
     */
    public boolean next() {
        int first = (int) INT.get(page, (long) FIRST);
        if (first == (int) INT.getAcquire(page, (long) LAST) || first < 0 || first >= ENTRIES) {
            return false;
        }
        entry = HEADER + (long) first * ENTRY;
        return true;
    }

    /**
     * The address of the entry.
     *
     * @return a guest-physical address, or a port
     */
    public long address() {
        return (long) LONG.get(page, entry);
    }

    /**
     * The width of the write.
     *
     * @return bytes, 1 to 8
     */
    public int length() {
        return (int) INT.get(page, entry + LENGTH);
    }

    /**
     * Whether {@link #address()} is a port.
     *
     * @return true for a port
     */
    public boolean isPio() {
        return (int) INT.get(page, entry + PIO) != 0;
    }

    /**
     * What was written.
     *
     * @return little-endian in the lower {@link #length()} bytes, zero-extended
     */
    public long data() {
        return (long) LONG.get(page, entry + DATA);
    }

    /** Takes the entry that {@link #next()} found; its place is free then. */
    public void done() {
        INT.setRelease(page, (long) FIRST, ((int) INT.get(page, (long) FIRST) + 1) % ENTRIES);
    }

    /**
     * Adds a write; what a backend calls, one thread at a time.
     *
     * @param address guest-physical address or port
     * @param length bytes, 1 to 8
     * @param pio whether the address is a port
     * @param data what was written, zero-extended
     * @return false where the ring is full: the write has to be reported otherwise
     */
    public boolean add(long address, int length, boolean pio, long data) {
        int last = (int) INT.get(page, (long) LAST);
        int first = (int) INT.getAcquire(page, (long) FIRST);
        int after = (last + 1) % ENTRIES;
        if (after == first || last < 0 || last >= ENTRIES) {
            // Its owner may write anything into the page; that is no place outside it.
            return false;
        }
        long at = HEADER + (long) last * ENTRY;
        LONG.set(page, at, address);
        INT.set(page, at + LENGTH, length);
        INT.set(page, at + PIO, pio ? 1 : 0);
        LONG.set(page, at + DATA, data);
        INT.setRelease(page, (long) LAST, after);
        return true;
    }
}
