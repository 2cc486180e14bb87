package org.softkvm.emulator;

import java.lang.foreign.MemorySegment;

/**
 * A guest-physical range on host memory, as KVM's memory slot (KVM API, KVM_SET_USER_MEMORY_REGION).
 *
 * @param id the caller's slot number
 * @param addressSpace 0 = normal, 1 = SMRAM
 * @param guestAddress first guest-physical byte, page aligned
 * @param memory native host memory, page aligned in length; the slot is as long as this segment
 * @param readOnly guest writes are MMIO exits
 * @param dirtyLog writes are recorded by page
 */
public record MemorySlot(
        int id, int addressSpace, long guestAddress, MemorySegment memory, boolean readOnly, boolean dirtyLog) {
    /**
     * The slot's length.
     *
     * @return bytes
     */
    public long size() {
        return memory.byteSize();
    }
}
