package org.softkvm.vmm.loader;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.softkvm.vmm.VmmException;

/** Keeps account of which usable RAM a boot has filled, and finds room for what has no fixed address. */
final class Placement {
    private final RamLayout layout;
    private final List<MemoryRange> taken = new ArrayList<>();

    Placement(RamLayout layout) {
        this.layout = layout;
    }

    /**
     * Claims a range that the image asks for by address.
     *
     * @throws VmmException if part of it is not usable RAM
     */
    void claim(long start, long size, String what) throws VmmException {
        if (size == 0) {
            return;
        }
        for (MemoryRange range : layout.usable()) {
            if (start >= range.start() && start < range.end() && size <= range.end() - start) {
                taken.add(new MemoryRange(start, size, MemoryRange.RAM));
                return;
            }
        }
        throw new VmmException(what + " does not fit: it wants " + size(size) + " at 0x" + Long.toHexString(start)
                + " and the guest has " + size(layout.total()) + " of RAM");
    }

    /** The end of the highest claimed range below 4 GiB, or the start of extended memory if there is none above. */
    long claimedEnd() {
        long end = RamLayout.EXTENDED_START;
        for (MemoryRange range : taken) {
            if (range.end() <= layout.lowSize()) {
                end = Math.max(end, range.end());
            }
        }
        return end;
    }

    /** Finds the lowest room within limits and claims it. */
    long lowest(long size, long align, long from, long to, String what) throws VmmException {
        for (MemoryRange free : free(from, to)) {
            long start = alignUp(free.start(), align);
            if (start < free.end() && size <= free.end() - start) {
                claim(start, size, what);
                return start;
            }
        }
        throw noRoom(size, what);
    }

    /** Finds the highest room within limits and claims it. */
    long highest(long size, long align, long from, long to, String what) throws VmmException {
        for (MemoryRange free : free(from, to).reversed()) {
            long start = (free.end() - size) & -align;
            if (size <= free.size() && start >= free.start()) {
                claim(start, size, what);
                return start;
            }
        }
        throw noRoom(size, what);
    }

    private VmmException noRoom(long size, String what) {
        return new VmmException(what + " does not fit: " + size(size) + " do not find room in the guest's "
                + size(layout.total()) + " of RAM");
    }

    private List<MemoryRange> free(long from, long to) {
        List<MemoryRange> sorted = new ArrayList<>(taken);
        sorted.sort(Comparator.comparingLong(MemoryRange::start));
        List<MemoryRange> free = new ArrayList<>();
        for (MemoryRange range : layout.usable()) {
            long at = Math.max(range.start(), from);
            long end = Math.min(range.end(), to);
            for (MemoryRange used : sorted) {
                if (used.end() > at && used.start() < end) {
                    add(free, at, used.start());
                    at = Math.max(at, used.end());
                }
            }
            add(free, at, end);
        }
        return free;
    }

    private static void add(List<MemoryRange> free, long start, long end) {
        if (end > start) {
            free.add(new MemoryRange(start, end - start, MemoryRange.RAM));
        }
    }

    static long alignUp(long value, long align) {
        return (value + align - 1) & -align;
    }

    private static String size(long bytes) {
        if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) {
            return (bytes >> 20) + " MiB";
        }
        return bytes >= 10 << 10 ? (bytes >> 10) + " KiB" : bytes + " bytes";
    }
}
