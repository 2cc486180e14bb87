package org.softkvm.kvm;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A range of guest-physical addresses that lies on host memory ({@code struct kvm_userspace_memory_region}).
 *
 * <p>The same host memory may lie under several slots (an alias). The size of the slot is the size of the segment; a
 * slot of size 0 deletes the slot of that number.
 *
 * <p>The emulator backend executes code only in memory from {@link Vm#allocateMemory}; in other memory it reads and
 * writes data, more slowly, and a jump there is {@link ExitReason#INTERNAL_ERROR} with a text that says so.
 *
 * @param slot the number of the slot, from 0 up to {@link Capability#NR_MEMSLOTS} less 1
 * @param addressSpace the address space: 0, or 1 for SMRAM where {@link Capability#MULTI_ADDRESS_SPACE} is 2
 * @param guestPhysicalAddress the first guest-physical address, a multiple of 4096
 * @param memory the host memory: a native segment, its address and size multiples of 4096
 * @param flags {@link #LOG_DIRTY_PAGES} and {@link #READONLY}, or 0
 */
public record MemorySlot(int slot, int addressSpace, long guestPhysicalAddress, MemorySegment memory, int flags) {
    /** Flag: writes are recorded in the dirty log. */
    public static final int LOG_DIRTY_PAGES = 1;
    /** Flag: the guest reads the memory; its writes become {@link ExitReason#MMIO} exits. */
    public static final int READONLY = 2;

    /** Checks that no component is null; everything else is checked by the call that takes the slot. */
    public MemorySlot {
        Objects.requireNonNull(memory, "memory");
    }

    /**
     * A slot of address space 0 with plain read-write memory.
     *
     * @param slot the number of the slot
     * @param guestPhysicalAddress the first guest-physical address, a multiple of 4096
     * @param memory the host memory
     * @return the slot
     */
    public static MemorySlot of(int slot, long guestPhysicalAddress, MemorySegment memory) {
        return new MemorySlot(slot, 0, guestPhysicalAddress, memory, 0);
    }

    /**
     * The size of the slot.
     *
     * @return bytes
     */
    public long size() {
        return memory.byteSize();
    }
}
