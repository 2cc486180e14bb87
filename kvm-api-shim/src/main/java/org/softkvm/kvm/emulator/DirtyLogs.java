package org.softkvm.kvm.emulator;

import java.lang.foreign.MemorySegment;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;

/** KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG: KVM's rules around the logs that guest memory keeps. */
final class DirtyLogs {
    /** Argument of KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: reading a log does not clear it. */
    static final int MANUAL = 1;
    /** And a new log has all pages dirty. */
    static final int INITIALLY_SET = 2;

    private static final int WORD_BITS = 64;

    private final GuestMemory memory;
    private boolean manual;

    DirtyLogs(GuestMemory memory) {
        this.memory = memory;
    }

    void setManual(String call, long argument) {
        long allowed = (argument & MANUAL) != 0 ? MANUAL | INITIALLY_SET : 0;
        if ((argument & ~allowed) != 0) {
            throw new KvmException(
                    call, Errno.EINVAL, Capability.MANUAL_DIRTY_LOG_PROTECT2 + " args[0]=" + argument + " (0, 1 or 3)");
        }
        manual = (argument & MANUAL) != 0;
        memory.setNewLogsDirty((argument & INITIALLY_SET) != 0);
    }

    void get(int addressSpace, int slot, MemorySegment bitmap) {
        String call = "KVM_GET_DIRTY_LOG";
        int pages = pages(call, addressSpace, slot);
        checkSize(call, bitmap, pages);
        memory.readDirtyLog(addressSpace, slot, bitmap, !manual);
    }

    void clear(int addressSpace, int slot, long firstPage, long numPages, MemorySegment bitmap) {
        String call = "KVM_CLEAR_DIRTY_LOG";
        int pages = pages(call, addressSpace, slot);
        if (firstPage < 0 || firstPage > pages || firstPage % WORD_BITS != 0) {
            throw new KvmException(
                    call, Errno.EINVAL, "first_page=" + firstPage + " (a multiple of 64 up to " + pages + ")");
        }
        long most = pages - firstPage;
        if (numPages < 0 || numPages > most || numPages < most && numPages % WORD_BITS != 0) {
            throw new KvmException(
                    call,
                    Errno.EINVAL,
                    "num_pages=" + numPages + " (a multiple of 64 below " + most + ", or " + most + ")");
        }
        checkSize(call, bitmap, numPages);
        memory.clearDirtyLog(addressSpace, slot, (int) firstPage, (int) numPages, bitmap);
    }

    private int pages(String call, int addressSpace, int slot) {
        if (addressSpace < 0 || addressSpace >= SlotTable.ADDRESS_SPACES || slot < 0 || slot >= SlotTable.MAX_SLOTS) {
            throw new KvmException(call, Errno.EINVAL, "slot=" + slot + " of address space " + addressSpace);
        }
        int pages = memory.dirtyLogPages(addressSpace, slot);
        if (pages < 0) {
            throw new KvmException(call, Errno.ENOENT, "slot=" + slot + " (it is not there or keeps no log)");
        }
        return pages;
    }

    private static void checkSize(String call, MemorySegment bitmap, long pages) {
        long bytes = (pages + WORD_BITS - 1) / WORD_BITS * Long.BYTES;
        if (bitmap.byteSize() < bytes) {
            throw new KvmException(
                    call, Errno.EFAULT, "dirty_bitmap of " + bitmap.byteSize() + " bytes (it needs " + bytes + ")");
        }
    }
}
