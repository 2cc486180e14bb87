package org.softkvm.kvm.linux;

import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.abi.Request;
import org.softkvm.kvm.abi.VmStructs;
import org.softkvm.kvm.emulator.SlotMap;
import org.softkvm.kvm.emulator.SlotTable;

/** The memory slots of a VM in the kernel, and what the kernel cannot know of: writes by devices. */
final class LinuxMemory {
    private static final int PHYSICAL_ADDRESS_BITS = 52;
    private static final long PAGE = 4096;
    private static final int ADDRESS_SPACE_SHIFT = 16;

    private static final long SLOT = offset(VmStructs.MEMORY_REGION, "slot");
    private static final long FLAGS = offset(VmStructs.MEMORY_REGION, "flags");
    private static final long GUEST_PHYS_ADDR = offset(VmStructs.MEMORY_REGION, "guest_phys_addr");
    private static final long MEMORY_SIZE = offset(VmStructs.MEMORY_REGION, "memory_size");
    private static final long USERSPACE_ADDR = offset(VmStructs.MEMORY_REGION, "userspace_addr");
    private static final long REGION = VmStructs.MEMORY_REGION.byteSize();

    private static final long LOG_SLOT = offset(VmStructs.DIRTY_LOG, "slot");
    private static final long LOG_BITMAP = offset(VmStructs.DIRTY_LOG, "dirty_bitmap");
    private static final long CLEAR_SLOT = offset(VmStructs.CLEAR_DIRTY_LOG, "slot");
    private static final long CLEAR_NUM_PAGES = offset(VmStructs.CLEAR_DIRTY_LOG, "num_pages");
    private static final long CLEAR_FIRST_PAGE = offset(VmStructs.CLEAR_DIRTY_LOG, "first_page");
    private static final long CLEAR_BITMAP = offset(VmStructs.CLEAR_DIRTY_LOG, "dirty_bitmap");

    private final SystemCalls calls;
    private final int descriptor;
    private List<MemorySlot> slots = List.of();
    private volatile SlotMap map = new SlotMap(List.of());

    /** Pages that devices wrote, by slot number with address space; only of slots with a log. */
    private final Map<Integer, long[]> writtenByDevices = new HashMap<>();

    private volatile boolean anyLog;
    private boolean manualClear;

    LinuxMemory(SystemCalls calls, int descriptor) {
        this.calls = calls;
        this.descriptor = descriptor;
    }

    private static int number(int addressSpace, int slot) {
        return addressSpace << ADDRESS_SPACE_SHIFT | slot;
    }

    private static int number(MemorySlot slot) {
        return number(slot.addressSpace(), slot.slot());
    }

    synchronized List<MemorySlot> slots() {
        return slots;
    }

    synchronized void set(MemorySlot slot) {
        MemorySegment memory = slot.memory();
        if (slot.slot() >>> ADDRESS_SPACE_SHIFT != 0 || slot.addressSpace() >>> 1 != 0) {
            throw new KvmException(
                    "KVM_SET_USER_MEMORY_REGION",
                    Errno.EINVAL,
                    "slot=" + slot.slot() + " addressSpace=" + slot.addressSpace());
        }
        if (slot.size() != 0) {
            if (!memory.isNative()) {
                throw new KvmException(
                        "KVM_SET_USER_MEMORY_REGION", Errno.EINVAL, "memory=" + memory + " (not native)");
            }
            if (!memory.scope().isAlive()) {
                throw new KvmException(
                        "KVM_SET_USER_MEMORY_REGION", Errno.EFAULT, "memory=" + memory + " (freed already)");
            }
            if (memory.isReadOnly() && (slot.flags() & MemorySlot.READONLY) == 0) {
                throw new KvmException(
                        "KVM_SET_USER_MEMORY_REGION",
                        Errno.EINVAL,
                        "memory=" + memory + " (read-only, for a writable slot)");
            }
        }
        call(slot);
        List<MemorySlot> changed = new ArrayList<>(slots);
        changed.removeIf(old -> number(old) == number(slot));
        if (slot.size() != 0) {
            changed.add(slot);
        }
        install(changed);
    }

    private void call(MemorySlot slot) {
        calls.expose(slot.memory());
        MemorySegment region = Scratch.zeroed(REGION);
        putInt(region, SLOT, number(slot));
        putInt(region, FLAGS, slot.flags());
        putLong(region, GUEST_PHYS_ADDR, slot.guestPhysicalAddress());
        putLong(region, MEMORY_SIZE, slot.size());
        putLong(region, USERSPACE_ADDR, slot.memory().address());
        int result = calls.ioctl(descriptor, Request.KVM_SET_USER_MEMORY_REGION, region);
        if (result < 0) {
            throw Errnos.failure(
                    Request.KVM_SET_USER_MEMORY_REGION,
                    result,
                    "slot=" + slot.slot() + " flags=0x" + Integer.toHexString(slot.flags()) + " guest_phys_addr=0x"
                            + Long.toHexString(slot.guestPhysicalAddress()) + " memory_size=0x"
                            + Long.toHexString(slot.size()));
        }
    }

    private void delete(MemorySlot slot) {
        call(new MemorySlot(slot.slot(), slot.addressSpace(), 0, MemorySegment.NULL, 0));
    }

    private void install(List<MemorySlot> list) {
        slots = List.copyOf(list);
        map = new SlotMap(slots);
        Map<Integer, long[]> logs = new HashMap<>();
        for (MemorySlot slot : slots) {
            if ((slot.flags() & MemorySlot.LOG_DIRTY_PAGES) != 0) {
                long[] old = writtenByDevices.get(number(slot));
                logs.put(number(slot), old == null ? new long[words(slot)] : old);
            }
        }
        writtenByDevices.clear();
        writtenByDevices.putAll(logs);
        anyLog = !logs.isEmpty();
    }

    private static int words(MemorySlot slot) {
        return (int) ((slot.size() / PAGE + 63) >>> 6);
    }

    /** Replaces the list; the caller sees to it that no vcpu runs meanwhile. */
    synchronized void replace(List<MemorySlot> replacement) {
        List<MemorySlot> wanted = SlotTable.checked(replacement, PHYSICAL_ADDRESS_BITS);
        List<MemorySlot> before = slots;
        try {
            move(before, wanted);
        } catch (KvmException e) {
            restore(before, wanted);
            throw e;
        }
        install(wanted);
    }

    private void move(List<MemorySlot> before, List<MemorySlot> wanted) {
        Map<Integer, MemorySlot> next = new HashMap<>();
        for (MemorySlot slot : wanted) {
            next.put(number(slot), slot);
        }
        Map<Integer, MemorySlot> kept = new HashMap<>();
        for (MemorySlot slot : before) {
            MemorySlot same = next.get(number(slot));
            if (same != null && canStay(slot, same)) {
                kept.put(number(slot), slot);
            } else {
                delete(slot);
            }
        }
        for (MemorySlot slot : wanted) {
            MemorySlot old = kept.get(number(slot));
            if (old == null || old.flags() != slot.flags()) {
                call(slot);
            }
        }
    }

    private static boolean canStay(MemorySlot old, MemorySlot now) {
        return old.guestPhysicalAddress() == now.guestPhysicalAddress()
                && old.size() == now.size()
                && old.memory().address() == now.memory().address()
                && (old.flags() & MemorySlot.READONLY) == (now.flags() & MemorySlot.READONLY);
    }

    /** After a failure on the way: everything away, and the old list again. */
    private void restore(List<MemorySlot> before, List<MemorySlot> wanted) {
        List<MemorySlot> all = new ArrayList<>(before);
        all.addAll(wanted);
        for (MemorySlot slot : all) {
            try {
                delete(slot);
            } catch (KvmException e) {
                // It is not there.
            }
        }
        for (MemorySlot slot : before) {
            call(slot);
        }
    }

    // ---- Devices

    long read(long address, MemorySegment destination) {
        return map.read(address, destination);
    }

    long write(long address, MemorySegment source) {
        long written = map.write(address, source);
        if (written > 0) {
            wrote(address, written);
        }
        return written;
    }

    /** Memory was written from outside: the dirty log has to know, the vcpus see it by themselves. */
    void wrote(long address, long length) {
        calls.written(descriptor, address, length);
        if (!anyLog || length <= 0) {
            return;
        }
        synchronized (this) {
            for (MemorySlot slot : slots) {
                long[] log = slot.addressSpace() == 0 ? writtenByDevices.get(number(slot)) : null;
                if (log == null) {
                    continue;
                }
                long from = Math.max(address, slot.guestPhysicalAddress());
                long left = length - (from - address);
                long part = Math.min(left, slot.guestPhysicalAddress() + slot.size() - from);
                if (part > 0) {
                    long first = (from - slot.guestPhysicalAddress()) / PAGE;
                    long last = (from - slot.guestPhysicalAddress() + part - 1) / PAGE;
                    for (long page = first; page <= last; page++) {
                        log[(int) (page >>> 6)] |= 1L << page;
                    }
                }
            }
        }
    }

    // ---- The dirty log

    synchronized void setManualClear(boolean manual) {
        manualClear = manual;
    }

    private MemorySlot find(int addressSpace, int number) {
        for (MemorySlot slot : slots) {
            if (slot.addressSpace() == addressSpace && slot.slot() == number) {
                return slot;
            }
        }
        return null;
    }

    synchronized void getDirtyLog(int addressSpace, int number, MemorySegment bitmap) {
        String argument = "slot=" + number + " addressSpace=" + addressSpace;
        MemorySlot slot = find(addressSpace, number);
        if (slot != null && bitmap.byteSize() < words(slot) * 8L) {
            throw new KvmException(
                    "KVM_GET_DIRTY_LOG", Errno.EFAULT, argument + " bitmap of " + bitmap.byteSize() + " bytes");
        }
        try (NativeBitmap copy = new NativeBitmap(bitmap, false)) {
            calls.expose(copy.segment());
            MemorySegment log = Scratch.zeroed(VmStructs.DIRTY_LOG.byteSize());
            putInt(log, LOG_SLOT, number(addressSpace, number));
            putLong(log, LOG_BITMAP, copy.segment().address());
            int result = calls.ioctl(descriptor, Request.KVM_GET_DIRTY_LOG, log);
            if (result < 0) {
                throw Errnos.failure(Request.KVM_GET_DIRTY_LOG, result, argument);
            }
            long[] own = writtenByDevices.get(number(addressSpace, number));
            for (int i = 0; own != null && i < own.length; i++) {
                putLong(copy.segment(), i * 8L, getLong(copy.segment(), i * 8L) | own[i]);
                own[i] = manualClear ? own[i] : 0;
            }
            copy.giveBack();
        }
    }

    synchronized void clearDirtyLog(int addressSpace, int number, long firstPage, long numPages, MemorySegment bitmap) {
        String argument = "slot=" + number + " first_page=" + firstPage + " num_pages=" + numPages;
        MemorySlot slot = find(addressSpace, number);
        if (numPages >>> 32 != 0 || slot != null && (firstPage < 0 || numPages > slot.size() / PAGE - firstPage)) {
            throw new KvmException("KVM_CLEAR_DIRTY_LOG", Errno.EINVAL, argument);
        }
        if (bitmap.byteSize() < (numPages + 63) / 64 * 8) {
            throw new KvmException(
                    "KVM_CLEAR_DIRTY_LOG", Errno.EFAULT, argument + " bitmap of " + bitmap.byteSize() + " bytes");
        }
        try (NativeBitmap copy = new NativeBitmap(bitmap, true)) {
            calls.expose(copy.segment());
            MemorySegment log = Scratch.zeroed(VmStructs.CLEAR_DIRTY_LOG.byteSize());
            putInt(log, CLEAR_SLOT, number(addressSpace, number));
            putInt(log, CLEAR_NUM_PAGES, (int) numPages);
            putLong(log, CLEAR_FIRST_PAGE, firstPage);
            putLong(log, CLEAR_BITMAP, copy.segment().address());
            int result = calls.ioctl(descriptor, Request.KVM_CLEAR_DIRTY_LOG, log);
            if (result < 0) {
                throw Errnos.failure(Request.KVM_CLEAR_DIRTY_LOG, result, argument);
            }
            long[] own = writtenByDevices.get(number(addressSpace, number));
            for (int i = 0; own != null && i < (numPages + 63) / 64; i++) {
                int word = (int) (firstPage >>> 6) + i;
                if (word < own.length) {
                    own[word] &= ~getLong(copy.segment(), i * 8L);
                }
            }
        }
    }
}
