package org.softkvm.kvm.emulator;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.softkvm.kvm.MemorySlot;

/** The memory slots by address, for the accesses of devices; never changed, replaced as a whole. */
public final class SlotMap {
    private final MemorySlot[] sorted;

    /** Sorts the slots of address space 0. */
    public SlotMap(List<MemorySlot> slots) {
        List<MemorySlot> list = new ArrayList<>(slots);
        list.removeIf(slot -> slot.addressSpace() != 0);
        list.sort(Comparator.comparingLong(MemorySlot::guestPhysicalAddress));
        sorted = list.toArray(new MemorySlot[0]);
    }

    /** Reads until memory ends; returns how many bytes. */
    public long read(long address, MemorySegment destination) {
        return copy(address, destination, false);
    }

    /** Writes until writable memory ends; returns how many bytes. */
    public long write(long address, MemorySegment source) {
        return copy(address, source, true);
    }

    private long copy(long address, MemorySegment host, boolean write) {
        long length = host.byteSize();
        long done = 0;
        while (done < length) {
            MemorySlot slot = find(address + done);
            if (slot == null || write && (slot.flags() & MemorySlot.READONLY) != 0) {
                break;
            }
            long offset = address + done - slot.guestPhysicalAddress();
            long part = Math.min(length - done, slot.size() - offset);
            if (write) {
                MemorySegment.copy(host, done, slot.memory(), offset, part);
            } else {
                MemorySegment.copy(slot.memory(), offset, host, done, part);
            }
            done += part;
        }
        return done;
    }

    /** The slot of an address, or null. */
    MemorySlot find(long address) {
        int low = 0;
        int high = sorted.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            MemorySlot slot = sorted[middle];
            long offset = address - slot.guestPhysicalAddress();
            if (offset < 0) {
                high = middle - 1;
            } else if (offset >= slot.size()) {
                low = middle + 1;
            } else {
                return slot;
            }
        }
        return null;
    }
}
