package org.softkvm.kvm.emulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.softkvm.devices.DeviceBus;
import org.softkvm.kvm.CoalescedRing;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.IoEventFd;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.VcpuRun;

/**
 * What answers port and memory accesses inside the backend, without an exit to the caller of the API: the chips of the
 * irqchip, ioeventfds, and ranges whose writes are coalesced; in this order.
 *
 * <p>Vcpus look into a snapshot that is replaced as a whole. Serving allocates nothing.
 */
final class IoBus {
    /** KVM's limit of devices on a bus. */
    static final int MAX_DEVICES = 1000;

    private static final int MAX_LENGTH = 8;

    private final ChipLock chipLock;
    private final ReentrantLock ringLock = new ReentrantLock();
    private CoalescedRing ring;
    private volatile Snapshot snapshot = new Snapshot(null, List.of(), List.of());

    /** A range of ports or addresses whose writes are coalesced. */
    private record Zone(long address, long size, boolean pio) {
        boolean contains(long from, long length, boolean port) {
            return pio == port && from >= address && length <= size && from - address <= size - length;
        }
    }

    /** Ioeventfds of one kind, by address. */
    private static final class Events {
        private final long[] addresses;
        private final IoEventFd[] events;

        Events(List<IoEventFd> all, boolean pio) {
            events = all.stream()
                    .filter(event -> event.isPio() == pio)
                    .sorted(Comparator.comparingLong(IoEventFd::address))
                    .toArray(IoEventFd[]::new);
            addresses = Arrays.stream(events).mapToLong(IoEventFd::address).toArray();
        }

        /** The one that a write signals, or null. */
        IoEventFd find(long address, int length, long data) {
            int at = Arrays.binarySearch(addresses, address);
            if (at < 0) {
                return null;
            }
            while (at > 0 && addresses[at - 1] == address) {
                at--;
            }
            for (; at < events.length && addresses[at] == address; at++) {
                if (answers(events[at], length, data)) {
                    return events[at];
                }
            }
            return null;
        }

        private static boolean answers(IoEventFd event, int length, long data) {
            if (event.length() == 0) {
                return true;
            }
            if (event.length() != length) {
                return false;
            }
            return !event.isMatching() || ((event.dataMatch() ^ data) & mask(length)) == 0;
        }
    }

    private static final class Snapshot {
        final DeviceBus chips;
        final List<IoEventFd> all;
        final Events pio;
        final Events mmio;
        final List<Zone> zoneList;
        final Zone[] zones;
        final boolean empty;

        Snapshot(DeviceBus chips, List<IoEventFd> all, List<Zone> zoneList) {
            this.chips = chips;
            this.all = List.copyOf(all);
            this.zoneList = List.copyOf(zoneList);
            pio = new Events(all, true);
            mmio = new Events(all, false);
            zones = zoneList.toArray(new Zone[0]);
            empty = chips == null && all.isEmpty() && zones.length == 0;
        }
    }

    IoBus(ChipLock chipLock) {
        this.chipLock = chipLock;
    }

    // ---- What is on the bus

    synchronized void setChips(DeviceBus chips) {
        snapshot = new Snapshot(chips, snapshot.all, snapshot.zoneList);
    }

    synchronized void assign(IoEventFd event) {
        String call = "KVM_IOEVENTFD";
        boolean lengthThere = event.length() == 0
                || event.length() > 0 && event.length() <= MAX_LENGTH && Integer.bitCount(event.length()) == 1;
        if (!lengthThere) {
            throw new KvmException(call, Errno.EINVAL, "len=" + event.length() + " (0, 1, 2, 4 or 8)");
        }
        if ((event.flags() & ~(IoEventFd.DATAMATCH | IoEventFd.PIO)) != 0) {
            throw new KvmException(call, Errno.EINVAL, "flags=" + event.flags());
        }
        if (Long.compareUnsigned(event.address() + event.length(), event.address()) < 0) {
            throw new KvmException(call, Errno.EINVAL, "addr=0x" + Long.toHexString(event.address()));
        }
        if (event.length() == 0 && event.isMatching()) {
            throw new KvmException(call, Errno.EINVAL, "flags=" + event.flags() + " (DATAMATCH with len=0)");
        }
        for (IoEventFd other : snapshot.all) {
            if (collide(other, event)) {
                throw new KvmException(
                        call, Errno.EEXIST, "addr=0x" + Long.toHexString(event.address()) + " len=" + event.length());
            }
        }
        checkRoom(call);
        List<IoEventFd> more = new ArrayList<>(snapshot.all);
        more.add(event);
        snapshot = new Snapshot(snapshot.chips, more, snapshot.zoneList);
    }

    private static boolean collide(IoEventFd a, IoEventFd b) {
        if (a.isPio() != b.isPio() || a.address() != b.address()) {
            return false;
        }
        if (a.length() == 0 || b.length() == 0) {
            return true;
        }
        return a.length() == b.length() && (!a.isMatching() || !b.isMatching() || a.dataMatch() == b.dataMatch());
    }

    synchronized void deassign(IoEventFd event) {
        List<IoEventFd> less = new ArrayList<>(snapshot.all);
        boolean found = less.removeIf(other -> other.eventFd() == event.eventFd()
                && other.isPio() == event.isPio()
                && other.address() == event.address()
                && other.length() == event.length()
                && other.isMatching() == event.isMatching()
                && (!event.isMatching() || other.dataMatch() == event.dataMatch()));
        if (!found) {
            throw new KvmException(
                    "KVM_IOEVENTFD",
                    Errno.ENOENT,
                    "addr=0x" + Long.toHexString(event.address()) + " len=" + event.length());
        }
        snapshot = new Snapshot(snapshot.chips, less, snapshot.zoneList);
    }

    synchronized void registerCoalesced(long address, int size, boolean pio) {
        String call = "KVM_REGISTER_COALESCED_MMIO";
        checkRoom(call);
        List<Zone> more = new ArrayList<>(snapshot.zoneList);
        more.add(new Zone(address, Integer.toUnsignedLong(size), pio));
        snapshot = new Snapshot(snapshot.chips, snapshot.all, more);
    }

    synchronized void unregisterCoalesced(long address, int size, boolean pio) {
        List<Zone> less = new ArrayList<>(snapshot.zoneList);
        less.removeIf(zone -> zone.contains(address, Integer.toUnsignedLong(size), pio));
        snapshot = new Snapshot(snapshot.chips, snapshot.all, less);
    }

    private void checkRoom(String call) {
        if (snapshot.all.size() + snapshot.zoneList.size() >= MAX_DEVICES) {
            throw new KvmException(call, Errno.ENOSPC, "vm (" + MAX_DEVICES + " already)");
        }
    }

    void setRing(CoalescedRing other) {
        ringLock.lock();
        try {
            ring = other;
        } finally {
            ringLock.unlock();
        }
    }

    CoalescedRing ring() {
        ringLock.lock();
        try {
            return ring;
        } finally {
            ringLock.unlock();
        }
    }

    // ---- What vcpus do

    /** Serves a port access; false where the caller of the API has to, for what is then left in the run state. */
    boolean servePort(RunState access) {
        Snapshot now = snapshot;
        if (now.empty) {
            return false;
        }
        if (now.chips != null && now.chips.portDevice(access.ioPort) != null) {
            portOfChip(now.chips, access);
            return true;
        }
        if (access.ioDirection == VcpuRun.IO_IN) {
            return false;
        }
        int served = 0;
        while (served < access.ioCount) {
            long data = access.ioValue(served) & mask(access.ioSize);
            if (!write(now, now.pio, access.ioPort, access.ioSize, data, true)) {
                access.dropIoItems(served);
                return false;
            }
            served++;
        }
        return true;
    }

    private void portOfChip(DeviceBus chips, RunState access) {
        chipLock.lock();
        try {
            for (int i = 0; i < access.ioCount; i++) {
                if (access.ioDirection == VcpuRun.IO_OUT) {
                    chips.writePort(access.ioPort, access.ioSize, access.ioValue(i));
                } else {
                    access.setIoValue(i, (int) chips.readPort(access.ioPort, access.ioSize));
                }
            }
        } finally {
            chipLock.unlock();
        }
    }

    /** Serves a memory access; false where the caller of the API has to. */
    boolean serveMmio(RunState access) {
        Snapshot now = snapshot;
        if (now.empty) {
            return false;
        }
        if (now.chips != null && now.chips.mmioDevice(access.mmioAddress) != null) {
            mmioOfChip(now.chips, access);
            return true;
        }
        return access.mmioIsWrite
                && write(now, now.mmio, access.mmioAddress, access.mmioLength, access.mmioData, false);
    }

    private void mmioOfChip(DeviceBus chips, RunState access) {
        chipLock.lock();
        try {
            long data = 0;
            int done = 0;
            while (done < access.mmioLength) {
                // Parts of an access that crosses a page can have any length; the bus wants powers of two.
                int piece = Integer.highestOneBit(access.mmioLength - done);
                if (access.mmioIsWrite) {
                    chips.writeMmio(access.mmioAddress + done, piece, access.mmioData >>> 8 * done);
                } else {
                    data |= chips.readMmio(access.mmioAddress + done, piece) << 8 * done;
                }
                done += piece;
            }
            if (!access.mmioIsWrite) {
                access.mmioData = data;
            }
        } finally {
            chipLock.unlock();
        }
    }

    private boolean write(Snapshot now, Events events, long address, int length, long data, boolean pio) {
        IoEventFd event = events.find(address, length, data);
        if (event != null) {
            event.eventFd().signal();
            return true;
        }
        for (Zone zone : now.zones) {
            if (zone.contains(address, length, pio)) {
                ringLock.lock();
                try {
                    return ring.add(address, length, pio, data);
                } finally {
                    ringLock.unlock();
                }
            }
        }
        return false;
    }

    private static long mask(int length) {
        return -1L >>> Long.SIZE - Byte.SIZE * length;
    }
}
