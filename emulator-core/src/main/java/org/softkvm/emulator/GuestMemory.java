package org.softkvm.emulator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.softkvm.emulator.cpu.CodeFence;
import org.softkvm.emulator.cpu.CodeListener;
import org.softkvm.emulator.cpu.CodePages;
import org.softkvm.emulator.cpu.Cpu;

/**
 * A VM's guest-physical memory: a list of slots, replaced whole. A replacement is atomic: when {@link #setSlots} returns,
 * no vcpu uses the old list any more.
 */
public final class GuestMemory {
    /** Answer of {@link #hostOffset}: no slot covers the address. */
    public static final long NONE = -1;
    /** Answer of {@link #hostOffset}: a slot does, on memory outside the pool. */
    public static final long FOREIGN = -2;

    /** How often a thread looks again before it gives way. */
    private static final int SPINS = 200;

    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private volatile Map map;
    private final List<VirtualCpu> cpus;
    private volatile boolean several;
    private boolean newLogsDirty;

    /** Address space 0. */
    private final GuestMemory normal;
    /** Address space 1, which a vcpu sees in system-management mode. */
    private final GuestMemory smram;

    /** An immutable snapshot, sorted by guest address. */
    private static final class Map {
        final List<MemorySlot> slots;
        final MemorySlot[] sorted;
        final long[] start;
        final long[] end;
        final long[] host;
        final DirtyLog[] dirty;

        Map(List<MemorySlot> list, int addressSpace) {
            slots = List.copyOf(list);
            List<MemorySlot> own = new ArrayList<>(list);
            own.removeIf(s -> s.addressSpace() != addressSpace);
            own.sort(Comparator.comparingLong(MemorySlot::guestAddress));
            sorted = own.toArray(new MemorySlot[0]);
            start = new long[sorted.length];
            end = new long[sorted.length];
            host = new long[sorted.length];
            dirty = new DirtyLog[sorted.length];
            for (int k = 0; k < sorted.length; k++) {
                MemorySlot s = sorted[k];
                start[k] = s.guestAddress();
                end[k] = s.guestAddress() + s.size();
                long offset = HostMemory.offsetOf(s.memory());
                host[k] = offset >= 0 ? offset : FOREIGN;
                if (k > 0 && start[k] < end[k - 1]) {
                    throw new IllegalArgumentException("slots " + sorted[k - 1].id() + " and " + s.id() + " overlap");
                }
                if (s.dirtyLog()) {
                    dirty[k] = new DirtyLog((int) (s.size() >>> 12));
                }
            }
        }

        int find(long address) {
            int low = 0;
            int high = start.length - 1;
            while (low <= high) {
                int middle = low + high >>> 1;
                if (address < start[middle]) {
                    high = middle - 1;
                } else if (address >= end[middle]) {
                    low = middle + 1;
                } else {
                    return middle;
                }
            }
            return -1;
        }
    }

    /** Memory without any slot: every access is an MMIO exit. */
    public GuestMemory() {
        cpus = new CopyOnWriteArrayList<>();
        exclusive = new AtomicReference<>();
        map = new Map(List.of(), 0);
        normal = this;
        smram = new GuestMemory(this);
    }

    private GuestMemory(GuestMemory normal) {
        cpus = normal.cpus;
        exclusive = normal.exclusive;
        map = new Map(List.of(), 1);
        this.normal = normal;
        smram = this;
    }

    /**
     * The memory as a vcpu sees it outside system-management mode: slots of address space 0.
     *
     * @return a view on the same slots, vcpus and host memory
     */
    public GuestMemory normal() {
        return normal;
    }

    /**
     * The memory as a vcpu sees it in system-management mode: slots of address space 1.
     *
     * @return a view on the same slots, vcpus and host memory
     */
    public GuestMemory smram() {
        return smram;
    }

    void attach(VirtualCpu cpu) {
        cpus.add(cpu);
        if (cpus.size() > 1) {
            several = true;
            HostMemory.shareAmongCpus();
        }
    }

    /**
     * Whether this memory has, or had, more than one vcpu.
     *
     * @return true once there were two
     */
    public boolean isShared() {
        return normal.several;
    }

    void detach(VirtualCpu cpu) {
        cpus.remove(cpu);
    }

    /**
     * The present slots.
     *
     * @return an immutable list in the order given
     */
    public List<MemorySlot> slots() {
        return map.slots;
    }

    /**
     * Replaces all slots. Dirty logs of slots that stay (same id, address and memory) are kept.
     *
     * @param slots the new list; slots of one address space must not overlap
     * @throws IllegalArgumentException where two overlap
     */
    public synchronized void setSlots(List<MemorySlot> slots) {
        Map next = keepLogs(map, new Map(slots, 0));
        Map nextSmram = keepLogs(smram.map, new Map(slots, 1));
        map = next;
        smram.map = nextSmram;
        flushAll();
    }

    /** Logs of slots that stay are kept; new ones begin as {@link #setNewLogsDirty} said. */
    private Map keepLogs(Map old, Map next) {
        java.util.Map<Integer, Integer> logged = new HashMap<>();
        for (int j = 0; j < old.dirty.length; j++) {
            if (old.dirty[j] != null) {
                logged.put(old.sorted[j].id(), j);
            }
        }
        for (int k = 0; k < next.dirty.length; k++) {
            if (next.dirty[k] == null) {
                continue;
            }
            Integer j = logged.get(next.sorted[k].id());
            if (j != null
                    && next.start[k] == old.start[j]
                    && next.sorted[k].memory().address()
                            == old.sorted[j].memory().address()
                    && next.dirty[k].pages() == old.dirty[j].pages()) {
                next.dirty[k] = old.dirty[j];
            } else if (newLogsDirty) {
                next.dirty[k].markAll();
            }
        }
        return next;
    }

    /**
     * Chooses how dirty logs begin that later calls of {@link #setSlots} make.
     *
     * @param dirty true where all pages count as written, false (the default) where none does
     */
    public synchronized void setNewLogsDirty(boolean dirty) {
        newLogsDirty = dirty;
    }

    // ---------------------------------------------------------------- accesses that must be alone

    private final AtomicReference<Cpu> exclusive;

    /**
     * Stops all other vcpus before their next block, for an access that no compare-and-set can make.
     *
     * @param self the vcpu that makes it
     * @return whether others had to be stopped; to be given to endExclusive
     */
    @SuppressWarnings("exports")
    public boolean beginExclusive(Cpu self) {
        if (cpus.size() < 2) {
            return false;
        }
        while (!exclusive.compareAndSet(null, self)) {
            // Another one is at it, and waits for this vcpu to stand still: here it does.
            pauseWhileExclusive(self);
        }
        for (VirtualCpu cpu : cpus) {
            cpu.requestPause(self);
        }
        for (VirtualCpu cpu : cpus) {
            for (int spins = 0; cpu.runsBeside(self); spins++) {
                waitShortly(spins);
            }
        }
        return true;
    }

    /**
     * Lets the others go on.
     *
     * @param self the vcpu that was alone
     * @param held what beginExclusive returned
     */
    @SuppressWarnings("exports")
    public void endExclusive(Cpu self, boolean held) {
        if (held) {
            exclusive.set(null);
        }
    }

    /** Stands still while another vcpu is alone. */
    void pauseWhileExclusive(Cpu self) {
        VirtualCpu own = null;
        for (VirtualCpu cpu : cpus) {
            if (cpu.cpu() == self) {
                own = cpu;
            }
        }
        if (own == null) {
            return;
        }
        do {
            own.setPaused(true);
            for (int spins = 0; heldByOther(self); spins++) {
                waitShortly(spins);
            }
            own.setPaused(false);
            // The next one may have seen this vcpu stand still just before that.
        } while (heldByOther(self));
    }

    private boolean heldByOther(Cpu self) {
        Cpu holder = exclusive.get();
        return holder != null && holder != self;
    }

    /** Spins while the other thread probably runs, and then gives way to it. */
    private static void waitShortly(int spins) {
        if (spins < SPINS) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
    }

    /** Whether some vcpu is alone now. */
    boolean exclusiveHeld() {
        return exclusive.get() != null;
    }

    private void flushAll() {
        for (VirtualCpu cpu : cpus) {
            cpu.requestFlush();
        }
        for (VirtualCpu cpu : cpus) {
            for (int spins = 0; cpu.flushOutstanding(); spins++) {
                waitShortly(spins);
            }
        }
    }

    private static DirtyLog log(Map m, int id) {
        for (int k = 0; k < m.sorted.length; k++) {
            if (m.dirty[k] != null && m.sorted[k].id() == id) {
                return m.dirty[k];
            }
        }
        return null;
    }

    /**
     * How long a slot's dirty log is.
     *
     * @param addressSpace the slot's address space, 0 or 1
     * @param id slot number
     * @return pages, or -1 where there is no such slot or it has no log
     */
    public int dirtyLogPages(int addressSpace, int id) {
        DirtyLog log = log(space(addressSpace).map, id);
        return log == null ? -1 : log.pages();
    }

    private GuestMemory space(int addressSpace) {
        return addressSpace == 0 ? normal : normal.smram;
    }

    /**
     * Copies a slot's dirty log, and clears it where asked to. What was written before a page was cleared can be read
     * when this returns; what is written after that marks the page again.
     *
     * @param addressSpace the slot's address space, 0 or 1
     * @param id slot number
     * @param bitmap one bit a page, little-endian, in whole words of 64 bits
     * @param clear whether the pages count as clean from then on
     * @return false where the slot has no log
     */
    public synchronized boolean readDirtyLog(int addressSpace, int id, MemorySegment bitmap, boolean clear) {
        DirtyLog log = log(space(addressSpace).map, id);
        if (log == null) {
            return false;
        }
        if (!clear) {
            log.copyTo(bitmap);
        } else if (log.moveTo(bitmap)) {
            flushAll();
        }
        return true;
    }

    /**
     * Makes pages of a slot's dirty log clean.
     *
     * @param addressSpace the slot's address space, 0 or 1
     * @param id slot number
     * @param firstPage the page that bit 0 stands for, a multiple of 64
     * @param count how many pages; the range lies within the slot
     * @param bitmap a set bit makes its page clean; as long as the range, in whole words of 64 bits
     * @return false where the slot has no log
     */
    public synchronized boolean clearDirtyLog(
            int addressSpace, int id, int firstPage, int count, MemorySegment bitmap) {
        DirtyLog log = log(space(addressSpace).map, id);
        if (log == null) {
            return false;
        }
        if (log.clear(firstPage, count, bitmap)) {
            flushAll();
        }
        return true;
    }

    /**
     * Where a guest-physical byte lies for reading.
     *
     * @param address guest-physical address
     * @return pool offset, {@link #NONE} or {@link #FOREIGN}
     */
    public long hostOffset(long address) {
        Map m = map;
        int k = m.find(address);
        if (k < 0) {
            return NONE;
        }
        return m.host[k] >= 0 ? m.host[k] + (address - m.start[k]) : FOREIGN;
    }

    /**
     * Where a guest-physical byte lies for writing; records it as dirty.
     *
     * @param address guest-physical address
     * @return pool offset, {@link #NONE} (also for read-only slots) or {@link #FOREIGN}
     */
    public long hostOffsetForWrite(long address) {
        Map m = map;
        int k = m.find(address);
        if (k < 0 || m.sorted[k].readOnly()) {
            return NONE;
        }
        if (m.dirty[k] != null) {
            m.dirty[k].mark((int) (address - m.start[k] >>> 12));
        }
        return m.host[k] >= 0 ? m.host[k] + (address - m.start[k]) : FOREIGN;
    }

    /**
     * Reads from a slot outside the pool.
     *
     * @param address guest-physical address
     * @param size bytes, 1 to 8
     * @return zero-extended value; all ones where no slot is
     */
    public long readForeign(long address, int size) {
        Map m = map;
        long value = 0;
        for (int n = 0; n < size; n++) {
            int k = m.find(address + n);
            long b = k < 0 ? 0xFF : m.sorted[k].memory().get(BYTE, address + n - m.start[k]) & 0xFF;
            value |= b << 8 * n;
        }
        return value;
    }

    /**
     * Writes to a slot outside the pool.
     *
     * @param address guest-physical address
     * @param size bytes, 1 to 8
     * @param value low bytes are stored
     */
    public void writeForeign(long address, int size, long value) {
        Map m = map;
        for (int n = 0; n < size; n++) {
            int k = m.find(address + n);
            if (k >= 0 && !m.sorted[k].readOnly()) {
                m.sorted[k].memory().set(BYTE, address + n - m.start[k], (byte) (value >>> 8 * n));
            }
        }
    }

    /**
     * Copies guest memory out, as a device's DMA does. Addresses without a slot read as FFh.
     *
     * @param address guest-physical address
     * @param to destination
     * @param at first index
     * @param length bytes
     */
    public void read(long address, byte[] to, int at, int length) {
        Map m = map;
        for (int done = 0; done < length; ) {
            int k = m.find(address + done);
            if (k < 0) {
                to[at + done++] = (byte) 0xFF;
                continue;
            }
            int n = (int) Math.min(length - done, m.end[k] - (address + done));
            MemorySegment.copy(m.sorted[k].memory(), BYTE, address + done - m.start[k], to, at + done, n);
            done += n;
        }
    }

    /**
     * Copies into guest memory, as a device's DMA does: decoded code is invalidated, pages are logged as dirty. What has
     * no slot is dropped; read-only slots are written, since the host owns them.
     *
     * @param address guest-physical address
     * @param from source
     * @param at first index
     * @param length bytes
     */
    public void write(long address, byte[] from, int at, int length) {
        Map m = map;
        for (int done = 0; done < length; ) {
            int k = m.find(address + done);
            if (k < 0) {
                done++;
                continue;
            }
            int n = (int) Math.min(length - done, m.end[k] - (address + done));
            MemorySegment.copy(from, at + done, m.sorted[k].memory(), BYTE, address + done - m.start[k], n);
            written(m, k, address + done, n);
            done += n;
        }
    }

    /**
     * Says that the host wrote guest memory behind this object's back, so that decoded code is invalidated.
     *
     * @param address guest-physical address
     * @param length bytes
     */
    public void notifyHostWrite(long address, long length) {
        Map m = map;
        for (long done = 0; done < length; ) {
            int k = m.find(address + done);
            if (k < 0) {
                done += HostMemory.PAGE_SIZE;
                continue;
            }
            long n = Math.min(length - done, m.end[k] - (address + done));
            written(m, k, address + done, n);
            done += n;
        }
    }

    private void written(Map m, int k, long address, long n) {
        // A vcpu marks a page before it reads code from it; one of the two sees what the other did.
        VarHandle.fullFence();
        for (long page = address & -4096L; page < address + n; page += HostMemory.PAGE_SIZE) {
            if (m.dirty[k] != null) {
                long index = Math.max(page, m.start[k]) - m.start[k] >>> 12;
                m.dirty[k].mark((int) index);
            }
            if (m.host[k] >= 0) {
                long first = Math.max(page, address);
                long host = m.host[k] + (first - m.start[k]);
                if (CodePages.isCode(host)) {
                    notifyCodeWrite(null, host, Math.min(page + 4096, address + n) - first);
                }
            }
        }
    }

    /**
     * Code is about to be decoded from a page: other vcpus drop their TLB entries for stores to it, so that these are
     * noticed.
     *
     * @param self the listener of the vcpu that decodes
     * @param hostPage pool offset of the page
     * @param first whether no vcpu had code from it
     * @return says when that has happened on all of them; until then stores may go unnoticed
     */
    @SuppressWarnings("exports")
    public CodeFence codePageMarked(CodeListener self, long hostPage, boolean first) {
        if (!normal.several) {
            return CodeFence.PASSED;
        }
        List<VirtualCpu> others = new ArrayList<>(cpus);
        others.removeIf(cpu -> cpu.listensWith(self));
        long[] notes = new long[others.size()];
        for (int k = 0; k < notes.length; k++) {
            if (first) {
                others.get(k).codePageMarked(hostPage);
            }
            // Where another vcpu marked it, its notes are among those that are there now.
            notes[k] = others.get(k).codeNotesPosted();
        }
        return () -> {
            for (int k = 0; k < notes.length; k++) {
                if (!others.get(k).hasTaken(notes[k])) {
                    return false;
                }
            }
            return true;
        };
    }

    /**
     * A page with decoded code was written: the writer's own listener is called at once, all others at their next
     * block.
     *
     * @param self the writing vcpu's listener, or null where the host wrote
     * @param host pool offset
     * @param length bytes
     */
    @SuppressWarnings("exports")
    public void notifyCodeWrite(CodeListener self, long host, long length) {
        if (self != null) {
            boolean alone = CodePages.users(host) == 1 && self.hasCode(host);
            self.codeWritten(host, length);
            if (alone) {
                return;
            }
        }
        for (VirtualCpu cpu : cpus) {
            cpu.codeWrittenByOther(self, host, length);
        }
    }
}
