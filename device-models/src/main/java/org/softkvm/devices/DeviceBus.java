package org.softkvm.devices;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The board's address decoder: sends port and MMIO accesses to the devices that claimed them.
 *
 * <p>Accesses that nobody claims read as all ones, and writes to them are dropped, as on a PC bus with pull-ups. An
 * access wider than its device decodes, or that runs over the end of a device's range, is split into pieces at
 * ascending addresses, each as wide as its device allows. Dispatch allocates nothing.
 *
 * <p>Not thread-safe: registration and dispatch are serialised by the board's lock.
 */
public final class DeviceBus {
    /** Number of I/O ports of the x86 architecture. */
    public static final int PORTS = 0x10000;

    private final Range[] ports = new Range[PORTS];

    /** MMIO ranges by ascending base; none overlap. */
    private Range[] mmio = new Range[0];

    private Range lastMmio;

    private record Range(long base, long length, BusDevice device, int maxAccessSize) {
        boolean contains(long address) {
            return address - base >= 0 && address - base < length;
        }

        @Override
        public String toString() {
            return "%s [0x%x..0x%x]".formatted(device.name(), base, base + length - 1);
        }
    }

    /** Creates a bus without devices. */
    public DeviceBus() {}

    /**
     * Gives a range of I/O ports to a device.
     *
     * @param base the first port, 0..0xFFFF
     * @param length the number of ports, at least 1
     * @param device the device; it sees offsets from {@code base}
     * @throws IllegalArgumentException when the range is empty, leaves the port space or overlaps another device's
     */
    public void addPorts(int base, int length, BusDevice device) {
        if (base < 0 || length < 1 || length > PORTS || base > PORTS - length) {
            throw new IllegalArgumentException("%s: port range 0x%x, length 0x%x is not within 0x0..0xffff"
                    .formatted(device.name(), base, length));
        }
        Range range = newRange(base, length, device);
        for (int port = base; port < base + length; port++) {
            if (ports[port] != null) {
                throw overlap("ports", range, ports[port]);
            }
        }
        Arrays.fill(ports, base, base + length, range);
    }

    /**
     * Takes a range of I/O ports back.
     *
     * @param base the first port of a range that was registered
     * @throws IllegalArgumentException when no range starts there
     */
    public void removePorts(int base) {
        Range range = base >= 0 && base < PORTS ? ports[base] : null;
        if (range == null || range.base != base) {
            throw new IllegalArgumentException("no device has ports from 0x%x on".formatted(base));
        }
        Arrays.fill(ports, base, base + (int) range.length, null);
    }

    /**
     * Gives a range of guest-physical addresses to a device.
     *
     * @param base the first address, 0 or more
     * @param length the number of bytes, 1..2^31-1
     * @param device the device; it sees offsets from {@code base}
     * @throws IllegalArgumentException when the range is empty, too long, wraps or overlaps another device's
     */
    public void addMmio(long base, long length, BusDevice device) {
        if (base < 0 || length < 1 || length > Integer.MAX_VALUE || base > Long.MAX_VALUE - length) {
            throw new IllegalArgumentException(
                    "%s: MMIO range 0x%x, length 0x%x is not possible".formatted(device.name(), base, length));
        }
        Range range = newRange(base, length, device);
        int at = 0;
        for (Range other : mmio) {
            if (other.base < base + length && base < other.base + other.length) {
                throw overlap("MMIO", range, other);
            }
            if (other.base < base) {
                at++;
            }
        }
        Range[] more = Arrays.copyOf(mmio, mmio.length + 1);
        System.arraycopy(mmio, at, more, at + 1, mmio.length - at);
        more[at] = range;
        mmio = more;
        lastMmio = null;
    }

    /**
     * Takes a range of guest-physical addresses back.
     *
     * @param base the first address of a range that was registered
     * @throws IllegalArgumentException when no range starts there
     */
    public void removeMmio(long base) {
        List<Range> left = new ArrayList<>(Arrays.asList(mmio));
        if (!left.removeIf(range -> range.base == base)) {
            throw new IllegalArgumentException("no device has MMIO from 0x%x on".formatted(base));
        }
        mmio = left.toArray(new Range[0]);
        lastMmio = null;
    }

    /**
     * Reads from I/O ports.
     *
     * @param port the first port; only the low 16 bits count
     * @param size 1, 2, 4 or 8 bytes
     * @return the value, zero-extended
     */
    public long readPort(int port, int size) {
        int first = port & 0xFFFF;
        Range range = ports[first];
        if (range != null && fits(range, first, size)) {
            return range.device.read((int) (first - range.base), size) & mask(size);
        }
        return readSplit(true, first, size);
    }

    /**
     * Writes to I/O ports.
     *
     * @param port the first port; only the low 16 bits count
     * @param size 1, 2, 4 or 8 bytes
     * @param value the value; what is above {@code size} bytes is ignored
     */
    public void writePort(int port, int size, long value) {
        int first = port & 0xFFFF;
        Range range = ports[first];
        if (range != null && fits(range, first, size)) {
            range.device.write((int) (first - range.base), size, value & mask(size));
        } else {
            writeSplit(true, first, size, value);
        }
    }

    /**
     * Reads from memory-mapped registers.
     *
     * @param address the guest-physical address
     * @param size 1, 2, 4 or 8 bytes
     * @return the value, zero-extended
     */
    public long readMmio(long address, int size) {
        Range range = findMmio(address);
        if (range != null && fits(range, address, size)) {
            return range.device.read((int) (address - range.base), size) & mask(size);
        }
        return readSplit(false, address, size);
    }

    /**
     * Writes to memory-mapped registers.
     *
     * @param address the guest-physical address
     * @param size 1, 2, 4 or 8 bytes
     * @param value the value; what is above {@code size} bytes is ignored
     */
    public void writeMmio(long address, int size, long value) {
        Range range = findMmio(address);
        if (range != null && fits(range, address, size)) {
            range.device.write((int) (address - range.base), size, value & mask(size));
        } else {
            writeSplit(false, address, size, value);
        }
    }

    /**
     * The device at a port.
     *
     * @param port the port; only the low 16 bits count
     * @return the device, or null where the port is unclaimed
     */
    public BusDevice portDevice(int port) {
        Range range = ports[port & 0xFFFF];
        return range == null ? null : range.device;
    }

    /**
     * The device at a guest-physical address.
     *
     * @param address the address
     * @return the device, or null where the address is unclaimed
     */
    public BusDevice mmioDevice(long address) {
        Range range = findMmio(address);
        return range == null ? null : range.device;
    }

    private long readSplit(boolean port, long address, int size) {
        long value = 0;
        int done = 0;
        while (done < size) {
            long at = address + done;
            Range range = find(port, at);
            int piece = pieceSize(range, at, size - done);
            long part = range == null ? -1 : range.device.read((int) (at - range.base), piece);
            value |= (part & mask(piece)) << (8 * done);
            done += piece;
        }
        return value;
    }

    private void writeSplit(boolean port, long address, int size, long value) {
        int done = 0;
        while (done < size) {
            long at = address + done;
            Range range = find(port, at);
            int piece = pieceSize(range, at, size - done);
            if (range != null) {
                range.device.write((int) (at - range.base), piece, value >>> (8 * done) & mask(piece));
            }
            done += piece;
        }
    }

    private Range find(boolean port, long address) {
        if (port) {
            return address < PORTS ? ports[(int) address] : null;
        }
        return findMmio(address);
    }

    private Range findMmio(long address) {
        Range last = lastMmio;
        if (last != null && last.contains(address)) {
            return last;
        }
        Range[] all = mmio;
        int low = 0;
        int high = all.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Range range = all[middle];
            if (range.contains(address)) {
                lastMmio = range;
                return range;
            }
            if (range.base < address) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return null;
    }

    private static boolean fits(Range range, long address, int size) {
        return size <= range.maxAccessSize && address + size <= range.base + range.length;
    }

    /** The widest piece that starts here, is no wider than asked, and stays with the device; 1 where unclaimed. */
    private static int pieceSize(Range range, long address, int wanted) {
        if (range == null) {
            return 1;
        }
        long most = Math.min(Math.min(wanted, range.maxAccessSize), range.base + range.length - address);
        return (int) Long.highestOneBit(most);
    }

    private static long mask(int size) {
        return -1L >>> (64 - 8 * size);
    }

    private static Range newRange(long base, long length, BusDevice device) {
        int most = device.maxAccessSize();
        if (most < 1 || most > 8 || Integer.bitCount(most) != 1) {
            throw new IllegalArgumentException(
                    "%s: an access size of %d is not possible".formatted(device.name(), most));
        }
        return new Range(base, length, device, most);
    }

    private static IllegalArgumentException overlap(String space, Range wanted, Range other) {
        return new IllegalArgumentException("%s: %s overlaps %s".formatted(space, wanted, other));
    }
}
