package org.softkvm.devices.debug;

import java.util.function.LongConsumer;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;

/**
 * What KVM's unit tests ask of a board, at the places of QEMU's pc-testdev: a port that keeps what is written to it,
 * one that makes the host drop what it knows of a page, the interrupt lines as ports, and MMIO that reads back what was
 * written.
 *
 * <p>QEMU's second view of the first port, at E8h to EBh, is left out: E9h is where programs expect a debug console.
 */
public final class PcTestDevice implements StatefulDevice<PcTestDevice.State> {
    /** The first port of {@link #ioPorts()}. */
    public static final int IO_PORT = 0xE0;

    /** The first port of {@link #flushPage()}. */
    public static final int FLUSH_PORT = 0xE4;

    /** The number of ports of {@link #ioPorts()} and of {@link #flushPage()}. */
    public static final int PORTS = 4;

    /** The port of interrupt line 0. */
    public static final int IRQ_PORT = 0x2000;

    /** The number of interrupt lines. */
    public static final int IRQ_LINES = 24;

    /** The guest-physical address of {@link #memory()}. */
    public static final long MEMORY_BASE = 0xFF00_0000L;

    /** The number of bytes of {@link #memory()}. */
    public static final int MEMORY_SIZE = 0x1_0000;

    private static final int PAGE_MASK = 0xFFF;

    private final InterruptLine[] lines;
    private final LongConsumer pageFlush;
    private final BusDevice ioPorts = new IoPorts();
    private final BusDevice flushPage = new FlushPage();
    private final BusDevice interruptLines = new InterruptLines();
    private final BusDevice memory = new Memory();
    private final byte[] bytes = new byte[MEMORY_SIZE];
    private int data;

    /**
     * The state of the device.
     *
     * @param data what the four ports at E0h hold, port E0h in the low byte
     * @param memory what the MMIO range holds
     */
    public record State(int data, byte[] memory) {}

    /**
     * Creates the device, all zeros; it drives no line until a guest writes.
     *
     * @param lines the interrupt lines, by GSI: {@link #IRQ_LINES} of them
     * @param pageFlush gets the guest-physical address of the page that the guest names, from within its access; what the
     *     host derived from the page's mapping is to be dropped and made anew
     * @throws IllegalArgumentException if there are more or fewer lines
     */
    public PcTestDevice(InterruptLine[] lines, LongConsumer pageFlush) {
        if (lines.length != IRQ_LINES) {
            throw new IllegalArgumentException(lines.length + " interrupt lines");
        }
        this.lines = lines.clone();
        this.pageFlush = pageFlush;
    }

    /**
     * The ports at E0h: four bytes that read back as written, in any width.
     *
     * @return their registers
     */
    public BusDevice ioPorts() {
        return ioPorts;
    }

    /**
     * The port at E4h: a guest-physical address written to it names the page to flush; it reads as zero.
     *
     * @return its registers
     */
    public BusDevice flushPage() {
        return flushPage;
    }

    /**
     * The ports from 2000h on: a byte written to one asserts the interrupt line of its number, or deasserts it if zero.
     * They read as zero.
     *
     * @return their registers
     */
    public BusDevice interruptLines() {
        return interruptLines;
    }

    /**
     * The MMIO range, which keeps what is written to it.
     *
     * @return its bytes
     */
    public BusDevice memory() {
        return memory;
    }

    @Override
    public State save() {
        return new State(data, bytes.clone());
    }

    @Override
    public void restore(State state) {
        if (state.memory.length != MEMORY_SIZE) {
            throw new IllegalArgumentException(state.memory.length + " bytes of memory");
        }
        data = state.data;
        System.arraycopy(state.memory, 0, bytes, 0, MEMORY_SIZE);
    }

    private final class IoPorts implements BusDevice {
        @Override
        public String name() {
            return "testdev-ioport";
        }

        @Override
        public int maxAccessSize() {
            return 4;
        }

        @Override
        public long read(int offset, int size) {
            return (data & 0xFFFF_FFFFL) >>> 8 * offset;
        }

        @Override
        public void write(int offset, int size, long value) {
            int mask = (int) (0xFFFF_FFFFL >>> 32 - 8 * size << 8 * offset);
            data = data & ~mask | (int) (value << 8 * offset) & mask;
        }
    }

    private final class FlushPage implements BusDevice {
        @Override
        public String name() {
            return "testdev-flush-page";
        }

        @Override
        public int maxAccessSize() {
            return 4;
        }

        @Override
        public long read(int offset, int size) {
            return 0;
        }

        @Override
        public void write(int offset, int size, long value) {
            pageFlush.accept(value & ~PAGE_MASK);
        }
    }

    private final class InterruptLines implements BusDevice {
        @Override
        public String name() {
            return "testdev-irq-line";
        }

        @Override
        public long read(int offset, int size) {
            return 0;
        }

        @Override
        public void write(int offset, int size, long value) {
            lines[offset].set(value != 0);
        }
    }

    private final class Memory implements BusDevice {
        @Override
        public String name() {
            return "testdev-iomem";
        }

        @Override
        public int maxAccessSize() {
            return 8;
        }

        @Override
        public long read(int offset, int size) {
            long value = 0;
            for (int i = size - 1; i >= 0; i--) {
                value = value << 8 | bytes[offset + i] & 0xFF;
            }
            return value;
        }

        @Override
        public void write(int offset, int size, long value) {
            for (int i = 0; i < size; i++) {
                bytes[offset + i] = (byte) (value >>> 8 * i);
            }
        }
    }
}
