package org.softkvm.kvm.emulator;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.MemorySlot;

/** The memory slots of a VM with KVM's rules about them; each change makes a new list. */
public final class SlotTable {
    /** Slots of an address space (KVM_USER_MEM_SLOTS on x86). */
    static final int MAX_SLOTS = 32764;

    /** Address spaces: normal memory, and what vcpus see in system-management mode. */
    static final int ADDRESS_SPACES = 2;

    private static final String SET = "KVM_SET_USER_MEMORY_REGION";
    private static final String REPLACE = "replaceMemorySlots";
    private static final long PAGE = 4096;
    private static final int ALL_FLAGS = MemorySlot.LOG_DIRTY_PAGES | MemorySlot.READONLY;

    private final long addressLimit;
    private List<MemorySlot> slots = List.of();

    /**
     * Makes an empty table.
     *
     * @param physicalAddressBits how many bits guest-physical addresses have
     */
    SlotTable(int physicalAddressBits) {
        addressLimit = 1L << physicalAddressBits;
    }

    List<MemorySlot> slots() {
        return slots;
    }

    /** The list after a slot is made, changed or deleted; the table itself is not changed. */
    List<MemorySlot> with(MemorySlot slot) {
        checkNumbers(SET, slot);
        int index = indexOf(slot.addressSpace(), slot.slot());
        List<MemorySlot> changed = new ArrayList<>(slots);
        if (slot.size() == 0) {
            if (index < 0) {
                throw new KvmException(SET, Errno.EINVAL, "slot=" + slot.slot() + " (there is none to delete)");
            }
            changed.remove(index);
            return List.copyOf(changed);
        }
        checkRange(SET, slot);
        if (index >= 0) {
            checkChange(slots.get(index), slot);
        }
        for (int i = 0; i < slots.size(); i++) {
            if (i != index && overlap(slots.get(i), slot)) {
                throw overlapping(SET, slots.get(i), slot);
            }
        }
        if (index >= 0) {
            changed.set(index, slot);
        } else {
            changed.add(slot);
        }
        return List.copyOf(changed);
    }

    /** The list without a slot; the table itself is not changed. */
    List<MemorySlot> without(int addressSpace, int number) {
        return with(new MemorySlot(number, addressSpace, 0, MemorySegment.NULL, 0));
    }

    /** Checks a whole new list; the table itself is not changed. */
    public static List<MemorySlot> checked(List<MemorySlot> replacement, int physicalAddressBits) {
        SlotTable table = new SlotTable(physicalAddressBits);
        List<MemorySlot> sorted = new ArrayList<>(replacement);
        for (MemorySlot slot : sorted) {
            table.checkNumbers(REPLACE, slot);
            table.checkRange(REPLACE, slot);
        }
        sorted.sort((a, b) -> a.addressSpace() != b.addressSpace()
                ? Integer.compare(a.addressSpace(), b.addressSpace())
                : Long.compareUnsigned(a.guestPhysicalAddress(), b.guestPhysicalAddress()));
        for (int i = 1; i < sorted.size(); i++) {
            if (overlap(sorted.get(i - 1), sorted.get(i))) {
                throw overlapping(REPLACE, sorted.get(i - 1), sorted.get(i));
            }
        }
        BitSet numbers = new BitSet();
        for (MemorySlot slot : sorted) {
            int number = slot.addressSpace() * MAX_SLOTS + slot.slot();
            if (numbers.get(number)) {
                throw new KvmException(REPLACE, Errno.EEXIST, "slot=" + slot.slot() + " (twice in the list)");
            }
            numbers.set(number);
        }
        return List.copyOf(replacement);
    }

    /** Makes a list that was checked the current one. */
    void set(List<MemorySlot> checked) {
        slots = checked;
    }

    private int indexOf(int addressSpace, int number) {
        for (int i = 0; i < slots.size(); i++) {
            if (slots.get(i).slot() == number && slots.get(i).addressSpace() == addressSpace) {
                return i;
            }
        }
        return -1;
    }

    private void checkNumbers(String call, MemorySlot slot) {
        if ((slot.flags() & ~ALL_FLAGS) != 0) {
            throw new KvmException(call, Errno.EINVAL, "flags=0x" + Integer.toHexString(slot.flags()));
        }
        if (slot.addressSpace() < 0 || slot.addressSpace() >= ADDRESS_SPACES) {
            throw new KvmException(call, Errno.EINVAL, "addressSpace=" + slot.addressSpace());
        }
        if (slot.slot() < 0 || slot.slot() >= MAX_SLOTS) {
            throw new KvmException(call, Errno.EINVAL, "slot=" + slot.slot() + " (0 to " + (MAX_SLOTS - 1) + ")");
        }
    }

    private void checkRange(String call, MemorySlot slot) {
        MemorySegment memory = slot.memory();
        long gpa = slot.guestPhysicalAddress();
        long size = slot.size();
        if ((size & (PAGE - 1)) != 0 || size == 0) {
            throw new KvmException(call, Errno.EINVAL, "memory_size=0x" + Long.toHexString(size));
        }
        if ((gpa & (PAGE - 1)) != 0 || gpa < 0 || gpa > addressLimit - size) {
            throw new KvmException(call, Errno.EINVAL, "guest_phys_addr=0x" + Long.toHexString(gpa));
        }
        if (!memory.isNative() || (memory.address() & (PAGE - 1)) != 0) {
            throw new KvmException(call, Errno.EINVAL, "memory=" + memory + " (not native, or not aligned to a page)");
        }
        if (memory.isReadOnly() && (slot.flags() & MemorySlot.READONLY) == 0) {
            throw new KvmException(call, Errno.EINVAL, "memory=" + memory + " (read-only, for a writable slot)");
        }
        if (!memory.scope().isAlive()) {
            throw new KvmException(call, Errno.EFAULT, "memory=" + memory + " (freed already)");
        }
    }

    private static void checkChange(MemorySlot old, MemorySlot slot) {
        if (old.size() != slot.size()) {
            throw new KvmException(
                    SET,
                    Errno.EINVAL,
                    "memory_size=0x" + Long.toHexString(slot.size()) + " (slot " + slot.slot()
                            + " exists with another size; delete it first)");
        }
        if (old.memory().address() != slot.memory().address()) {
            throw new KvmException(
                    SET, Errno.EINVAL, "memory (slot " + slot.slot() + " lies on other memory; delete it first)");
        }
        if (((old.flags() ^ slot.flags()) & MemorySlot.READONLY) != 0) {
            throw new KvmException(
                    SET,
                    Errno.EINVAL,
                    "flags=" + slot.flags() + " (READONLY of slot " + slot.slot()
                            + " cannot change; delete the slot first)");
        }
    }

    private static boolean overlap(MemorySlot a, MemorySlot b) {
        return a.addressSpace() == b.addressSpace()
                && a.guestPhysicalAddress() < b.guestPhysicalAddress() + b.size()
                && b.guestPhysicalAddress() < a.guestPhysicalAddress() + a.size();
    }

    private static KvmException overlapping(String call, MemorySlot old, MemorySlot slot) {
        return new KvmException(
                call,
                Errno.EEXIST,
                "guest_phys_addr=0x" + Long.toHexString(slot.guestPhysicalAddress()) + " (slot " + slot.slot()
                        + " overlaps slot " + old.slot() + ")");
    }
}
