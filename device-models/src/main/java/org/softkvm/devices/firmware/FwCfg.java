package org.softkvm.devices.firmware;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.DmaMemory;
import org.softkvm.devices.StatefulDevice;

/**
 * QEMU's firmware configuration device (fw_cfg, docs/specs/fw_cfg in QEMU): items of bytes, chosen by a key, read byte by
 * byte at a port or copied to guest memory by a small bus master. Items are read-only.
 *
 * <p>A board gives it two port ranges: {@link #ports()} at 510h and {@link #dmaPorts()} at 514h.
 */
public final class FwCfg implements StatefulDevice<FwCfg.State> {
    /** The first port: the selector. */
    public static final int PORT = 0x510;

    /** The selector (a 16-bit write) and behind it the data port. */
    public static final int PORTS = 2;

    /** The first port of the DMA address register. */
    public static final int DMA_PORT = 0x514;

    /** The size of the DMA address register. */
    public static final int DMA_PORTS = 8;

    static final int CTL_ERROR = 1;
    static final int CTL_READ = 1 << 1;
    static final int CTL_SKIP = 1 << 2;
    static final int CTL_SELECT = 1 << 3;
    static final int CTL_WRITE = 1 << 4;

    /** What the DMA address register reads as: "QEMU CFG" in memory order. */
    private static final long DMA_SIGNATURE = 0x4746_4320_554D_4551L;

    private static final int ACCESS_SIZE = 16;
    private static final int CHUNK = 4096;

    private final FwCfgItems items;
    private final DmaMemory memory;
    private final BusDevice ports = new Ports();
    private final BusDevice dmaPorts = new DmaPorts();
    private final byte[] chunk = new byte[CHUNK];
    private final byte[] access = new byte[ACCESS_SIZE];
    private final ByteBuffer accessFields = ByteBuffer.wrap(access).order(ByteOrder.BIG_ENDIAN);
    private byte[] item = new byte[0];
    private int key;
    private int offset;
    private long dmaAddress;

    /**
     * The state of the device; the items belong to the machine and not to its state.
     *
     * @param key the selected key
     * @param offset the next byte of the item, 0 to its size
     * @param dmaAddress the DMA address register as bytes in memory order, port 514h lowest
     */
    public record State(int key, int offset, long dmaAddress) {}

    /**
     * Creates the device; key 0 is selected.
     *
     * @param items what it offers
     * @param memory where DMA goes
     */
    public FwCfg(FwCfgItems items, DmaMemory memory) {
        this.items = items;
        this.memory = memory;
        select(0);
    }

    /**
     * The selector and the data port.
     *
     * @return their registers
     */
    public BusDevice ports() {
        return ports;
    }

    /**
     * The DMA address register: two big-endian words, the high one first; a write of the low one starts.
     *
     * @return its registers
     */
    public BusDevice dmaPorts() {
        return dmaPorts;
    }

    @Override
    public State save() {
        return new State(key, offset, dmaAddress);
    }

    @Override
    public void restore(State state) {
        select(state.key);
        if (state.offset < 0 || state.offset > item.length) {
            throw new IllegalArgumentException("offset " + state.offset + " in an item of " + item.length + " bytes");
        }
        offset = state.offset;
        dmaAddress = state.dmaAddress;
    }

    private void select(int newKey) {
        key = newKey & 0xFFFF;
        item = items.get(key);
        offset = 0;
    }

    /** One transfer as the structure of 16 big-endian bytes at {@code address} describes it. */
    private void transfer(long address) {
        if (!memory.read(address, access, 0, ACCESS_SIZE)) {
            // There is no place to report the error to.
            return;
        }
        int control = accessFields.getInt(0);
        long length = accessFields.getInt(4) & 0xFFFF_FFFFL;
        long target = accessFields.getLong(8);
        if ((control & CTL_SELECT) != 0) {
            select(control >>> 16);
        }
        boolean done;
        if ((control & CTL_READ) != 0) {
            done = copy(target, length);
        } else if ((control & CTL_WRITE) != 0) {
            done = false;
        } else {
            // Without SKIP a length means nothing.
            if ((control & CTL_SKIP) != 0) {
                offset = (int) Math.min(item.length, offset + length);
            }
            done = true;
        }
        accessFields.putInt(0, done ? 0 : CTL_ERROR);
        memory.write(address, access, 0, 4);
    }

    /** Copies the item from where it stands, and zeros behind its end. */
    private boolean copy(long target, long length) {
        long left = length;
        long to = target;
        while (left > 0) {
            int part = (int) Math.min(left, CHUNK);
            int valid = Math.min(part, item.length - offset);
            System.arraycopy(item, offset, chunk, 0, valid);
            Arrays.fill(chunk, valid, part, (byte) 0);
            offset += valid;
            if (!memory.write(to, chunk, 0, part)) {
                return false;
            }
            left -= part;
            to += part;
        }
        return true;
    }

    private final class Ports implements BusDevice {
        @Override
        public String name() {
            return "fw-cfg";
        }

        @Override
        public int maxAccessSize() {
            return 2;
        }

        /** Any read takes the next byte: the selector cannot be read. */
        @Override
        public long read(int at, int size) {
            return offset < item.length ? item[offset++] & 0xFF : 0;
        }

        /** Writes to the data port are ignored, as since QEMU 2.4. */
        @Override
        public void write(int at, int size, long value) {
            if (size == 2) {
                select((int) value);
            }
        }
    }

    private final class DmaPorts implements BusDevice {
        @Override
        public String name() {
            return "fw-cfg-dma";
        }

        @Override
        public int maxAccessSize() {
            return 8;
        }

        @Override
        public long read(int at, int size) {
            return DMA_SIGNATURE >>> 8 * at;
        }

        @Override
        public void write(int at, int size, long value) {
            long mask = -1L >>> 64 - 8 * size << 8 * at;
            dmaAddress = dmaAddress & ~mask | value << 8 * at & mask;
            if (at + size == DMA_PORTS) {
                long address = Long.reverseBytes(dmaAddress);
                dmaAddress = 0;
                transfer(address);
            }
        }
    }
}
