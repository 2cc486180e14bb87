package org.softkvm.devices.isa;

import java.util.function.IntConsumer;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.DeviceTimer;

/**
 * A 16550A serial port with its FIFOs, on 8 ports (3F8h and IRQ4 for COM1, 2F8h and IRQ3 for COM2).
 *
 * <p>A transmitted byte leaves at once, whatever the divisor, so the transmitter is always empty; its interrupt comes
 * after each byte as the data sheet says. Received bytes come by {@link #offer}. The divisor only times the character
 * timeout of the receive FIFO. As on a PC, OUT2 of the modem control register gates the interrupt line.
 */
public final class Uart16550A implements BusDevice, StatefulDevice<Uart16550A.State> {
    /** The number of ports. */
    public static final int PORTS = 8;

    /** The number of bytes the receive FIFO holds. */
    public static final int FIFO_SIZE = 16;

    /** Input clocks a second. */
    private static final long CLOCK_HERTZ = 1_843_200;

    // Registers. The first two are the divisor latch while LCR_DLAB is set.
    private static final int RBR_THR = 0;
    private static final int IER = 1;
    private static final int IIR_FCR = 2;
    private static final int LCR = 3;
    private static final int MCR = 4;
    private static final int LSR = 5;
    private static final int MSR = 6;

    private static final int IER_ERBFI = 1 << 0;
    private static final int IER_ETBEI = 1 << 1;
    private static final int IER_ELSI = 1 << 2;
    private static final int IER_EDSSI = 1 << 3;

    private static final int IIR_NONE = 0x01;
    private static final int IIR_LINE_STATUS = 0x06;
    private static final int IIR_DATA = 0x04;
    private static final int IIR_TIMEOUT = 0x0C;
    private static final int IIR_THRE = 0x02;
    private static final int IIR_MODEM = 0x00;
    private static final int IIR_FIFOS = 0xC0;

    private static final int FCR_ENABLE = 1 << 0;
    private static final int FCR_RESET_RECEIVER = 1 << 1;
    private static final int FCR_DMA = 1 << 3;
    private static final int FCR_TRIGGER = 3 << 6;

    private static final int LCR_STB = 1 << 2;
    private static final int LCR_PEN = 1 << 3;
    private static final int LCR_DLAB = 1 << 7;

    private static final int MCR_DTR = 1 << 0;
    private static final int MCR_RTS = 1 << 1;
    private static final int MCR_OUT1 = 1 << 2;
    private static final int MCR_OUT2 = 1 << 3;
    private static final int MCR_LOOP = 1 << 4;

    private static final int LSR_DR = 1 << 0;
    private static final int LSR_OE = 1 << 1;
    private static final int LSR_BI = 1 << 4;
    private static final int LSR_THRE = 1 << 5;
    private static final int LSR_TEMT = 1 << 6;
    private static final int LSR_FIFO_ERROR = 1 << 7;
    private static final int LSR_ERRORS = 0x1E;

    private static final int MSR_TERI = 1 << 2;

    /** Modem status: clear to send. */
    public static final int MSR_CTS = 1 << 4;

    /** Modem status: data set ready. */
    public static final int MSR_DSR = 1 << 5;

    /** Modem status: ring indicator. */
    public static final int MSR_RI = 1 << 6;

    /** Modem status: data carrier detect. */
    public static final int MSR_DCD = 1 << 7;

    private static final int[] TRIGGER_LEVELS = {1, 4, 8, 14};

    private final String name;
    private final DeviceClock clock;
    private final InterruptLine irq;
    private final IntConsumer output;
    private final DeviceTimer timeout;
    private Runnable spaceListener = () -> {};

    private int ier;
    private int fcr;
    private int lcr;
    private int mcr;
    private int scr;
    private int divisor;

    /** The receive FIFO: a byte and its error bits of the LSR above it. */
    private final int[] fifo = new int[FIFO_SIZE];

    private int fifoStart;
    private int fifoCount;

    /** Errors of the LSR that software has not read yet. */
    private int lineErrors;

    private boolean threPending;
    private boolean timeoutPending;
    private long timeoutAt = Long.MAX_VALUE;

    /** The modem's lines, bits 7-4, and their changes since the last read, bits 3-0. */
    private int modemLines = MSR_CTS | MSR_DSR | MSR_DCD;

    private int modemSeen = MSR_CTS | MSR_DSR | MSR_DCD;
    private int modemChanges;
    private boolean asserted;

    /**
     * The state of the port.
     *
     * @param ier interrupt enable register
     * @param fcr FIFO control register
     * @param lcr line control register
     * @param mcr modem control register
     * @param scr scratch register
     * @param divisor divisor latch
     * @param received the receive FIFO, oldest first: a byte, and its error bits of the LSR shifted left by 8
     * @param lineErrors errors that software has not read
     * @param threPending the interrupt "transmitter holding register empty" waits
     * @param timeoutPending the interrupt "character timeout" waits
     * @param timeoutInNanos nanoseconds until the character timeout, or {@link Long#MAX_VALUE}
     * @param modemLines CTS, DSR, RI and DCD of the modem
     * @param modemChanges bits 3-0 of the modem status register
     */
    public record State(
            int ier,
            int fcr,
            int lcr,
            int mcr,
            int scr,
            int divisor,
            int[] received,
            int lineErrors,
            boolean threPending,
            boolean timeoutPending,
            long timeoutInNanos,
            int modemLines,
            int modemChanges) {}

    /**
     * Creates a port in its state after reset, with a modem that is ready (CTS, DSR and DCD).
     *
     * @param name its name, such as {@code "com1"}
     * @param clock the time, for the character timeout
     * @param irq its interrupt line
     * @param output gets each byte transmitted, 0..255
     */
    public Uart16550A(String name, DeviceClock clock, InterruptLine irq, IntConsumer output) {
        this.name = name;
        this.clock = clock;
        this.irq = irq;
        this.output = output;
        timeout = clock.newTimer(this::timedOut);
        reset();
    }

    /** The state after a master reset. */
    public void reset() {
        ier = 0;
        fcr = 0;
        lcr = 0;
        mcr = 0;
        scr = 0;
        divisor = 12;
        lineErrors = 0;
        threPending = false;
        modemSeen = modemLines;
        modemChanges = 0;
        clearFifo();
        update();
    }

    @Override
    public String name() {
        return name;
    }

    // ---- The other end of the line

    /**
     * A byte arrives. While the port is in loopback mode the line is cut, and the byte waits.
     *
     * @param value the byte
     * @return false when there is no room for it: try again when {@link #setSpaceListener} tells
     */
    public boolean offer(byte value) {
        return (mcr & MCR_LOOP) == 0 && receive(value & 0xFF);
    }

    /**
     * A break arrives: it is received as a zero with the break indicator.
     *
     * @return false when there is no room for it
     */
    public boolean offerBreak() {
        return (mcr & MCR_LOOP) == 0 && receive(LSR_BI << 8);
    }

    /**
     * How many bytes {@link #offer} takes now.
     *
     * @return 0..16
     */
    public int receiveSpace() {
        return (mcr & MCR_LOOP) != 0 ? 0 : capacity() - fifoCount;
    }

    /**
     * Sets what is told when a byte has been read or room made otherwise.
     *
     * @param listener called with the board's lock held, from within the guest's access; it may call {@link #offer}
     */
    public void setSpaceListener(Runnable listener) {
        spaceListener = listener;
    }

    /**
     * Sets the lines from the modem.
     *
     * @param lines a set of {@link #MSR_CTS}, {@link #MSR_DSR}, {@link #MSR_RI} and {@link #MSR_DCD}
     */
    public void setModemLines(int lines) {
        modemLines = lines & 0xF0;
        modemChanged();
    }

    /**
     * The lines to the modem.
     *
     * @return bit 0 DTR, bit 1 RTS, as in the modem control register; none in loopback mode
     */
    public int modemControl() {
        return (mcr & MCR_LOOP) != 0 ? 0 : mcr & (MCR_DTR | MCR_RTS);
    }

    /**
     * The divisor of the baud rate: 115,200 divided by it.
     *
     * @return 0..65535
     */
    public int divisor() {
        return divisor;
    }

    // ---- Registers

    @Override
    public long read(int offset, int size) {
        switch (offset & 7) {
            case RBR_THR:
                return (lcr & LCR_DLAB) != 0 ? divisor & 0xFF : readReceiver();
            case IER:
                return (lcr & LCR_DLAB) != 0 ? divisor >>> 8 : ier;
            case IIR_FCR:
                return readIir();
            case LCR:
                return lcr;
            case MCR:
                return mcr;
            case LSR:
                return readLsr();
            case MSR:
                return readMsr();
            default:
                return scr;
        }
    }

    @Override
    public void write(int offset, int size, long value) {
        int data = (int) value & 0xFF;
        switch (offset & 7) {
            case RBR_THR -> {
                if ((lcr & LCR_DLAB) != 0) {
                    divisor = divisor & 0xFF00 | data;
                } else {
                    transmit(data);
                }
            }
            case IER -> {
                if ((lcr & LCR_DLAB) != 0) {
                    divisor = divisor & 0xFF | data << 8;
                } else {
                    writeIer(data);
                }
            }
            case IIR_FCR -> writeFcr(data);
            case LCR -> lcr = data;
            case MCR -> {
                boolean wasLoop = (mcr & MCR_LOOP) != 0;
                mcr = data & 0x1F;
                modemChanged();
                if (wasLoop && (mcr & MCR_LOOP) == 0) {
                    spaceListener.run();
                }
            }
            case LSR, MSR -> {
                // Read-only; writes are for factory tests.
            }
            default -> scr = data;
        }
    }

    private void transmit(int data) {
        threPending = false;
        update();
        int mask = (1 << 5 + (lcr & 3)) - 1;
        if ((mcr & MCR_LOOP) == 0) {
            output.accept(data & mask);
        } else if (!receive(data & mask)) {
            lineErrors |= LSR_OE;
            if ((fcr & FCR_ENABLE) == 0) {
                fifo[fifoStart] = data & mask;
            }
        }
        threPending = true;
        update();
    }

    private void writeIer(int data) {
        int before = ier;
        ier = data & 0xF;
        if ((ier & ~before & IER_ETBEI) != 0) {
            // The holding register is empty, and enabling its interrupt tells.
            threPending = true;
        }
        update();
    }

    private void writeFcr(int data) {
        boolean changed = ((fcr ^ data) & FCR_ENABLE) != 0;
        // Without the enable bit the others are not programmed.
        fcr = (data & FCR_ENABLE) != 0 ? data & (FCR_ENABLE | FCR_DMA | FCR_TRIGGER) : 0;
        if (changed || (data & (FCR_ENABLE | FCR_RESET_RECEIVER)) == (FCR_ENABLE | FCR_RESET_RECEIVER)) {
            clearFifo();
            update();
            spaceListener.run();
        } else {
            update();
        }
    }

    private int readIir() {
        int id = interruptId();
        if (id == IIR_THRE) {
            threPending = false;
            update();
        }
        return id | ((fcr & FCR_ENABLE) != 0 ? IIR_FIFOS : 0);
    }

    private int readLsr() {
        int value = LSR_THRE | LSR_TEMT | lineErrors | (fifoCount > 0 ? LSR_DR : 0);
        if ((fcr & FCR_ENABLE) != 0 && hasErrorInFifo()) {
            value |= LSR_FIFO_ERROR;
        }
        lineErrors = 0;
        if (fifoCount > 0) {
            // The indicators of the byte at the front are read with it, not twice.
            fifo[fifoStart] &= 0xFF;
        }
        update();
        return value;
    }

    private boolean hasErrorInFifo() {
        for (int i = 0; i < fifoCount; i++) {
            if (fifo[fifoStart + i & FIFO_SIZE - 1] > 0xFF) {
                return true;
            }
        }
        return false;
    }

    private int readMsr() {
        int value = modemSeen | modemChanges;
        modemChanges = 0;
        update();
        return value;
    }

    // ---- Receiver

    private int capacity() {
        return (fcr & FCR_ENABLE) != 0 ? FIFO_SIZE : 1;
    }

    private boolean receive(int entry) {
        if (fifoCount == capacity()) {
            return false;
        }
        fifo[fifoStart + fifoCount++ & FIFO_SIZE - 1] = entry;
        if (fifoCount == 1) {
            showFront();
        }
        restartTimeout();
        update();
        return true;
    }

    private int readReceiver() {
        if (fifoCount == 0) {
            return 0;
        }
        int value = fifo[fifoStart] & 0xFF;
        fifoStart = fifoStart + 1 & FIFO_SIZE - 1;
        fifoCount--;
        showFront();
        timeoutPending = false;
        restartTimeout();
        update();
        spaceListener.run();
        return value;
    }

    /** The error bits of a byte show when it comes to the front. */
    private void showFront() {
        if (fifoCount > 0) {
            lineErrors |= fifo[fifoStart] >>> 8 & LSR_ERRORS;
        }
    }

    private void clearFifo() {
        fifoStart = 0;
        fifoCount = 0;
        timeoutPending = false;
        timeoutAt = Long.MAX_VALUE;
        timeout.cancel();
    }

    /** The FIFO's timeout: four characters' time without a byte in or out while there are some. */
    private void restartTimeout() {
        if (fifoCount == 0 || (fcr & FCR_ENABLE) == 0) {
            timeoutAt = Long.MAX_VALUE;
            timeout.cancel();
        } else {
            int bits = 1 + 5 + (lcr & 3) + ((lcr & LCR_PEN) != 0 ? 1 : 0) + ((lcr & LCR_STB) != 0 ? 2 : 1);
            timeoutAt = clock.nanoTime() + 4L * bits * 16 * Math.max(divisor, 1) * 1_000_000_000L / CLOCK_HERTZ;
            timeout.arm(timeoutAt);
        }
    }

    private void timedOut() {
        if (timeoutAt <= clock.nanoTime()) {
            timeoutAt = Long.MAX_VALUE;
            timeoutPending = fifoCount > 0;
            update();
        }
    }

    // ---- Modem

    private void modemChanged() {
        int now = modemLines;
        if ((mcr & MCR_LOOP) != 0) {
            now = ((mcr & MCR_RTS) != 0 ? MSR_CTS : 0)
                    | ((mcr & MCR_DTR) != 0 ? MSR_DSR : 0)
                    | ((mcr & MCR_OUT1) != 0 ? MSR_RI : 0)
                    | ((mcr & MCR_OUT2) != 0 ? MSR_DCD : 0);
        }
        int changed = (now ^ modemSeen) >>> 4;
        // The ring indicator counts when it ends.
        if ((now & MSR_RI) != 0) {
            changed &= ~MSR_TERI;
        }
        modemChanges |= changed;
        modemSeen = now;
        update();
    }

    // ---- Interrupts

    private int interruptId() {
        if ((ier & IER_ELSI) != 0 && lineErrors != 0) {
            return IIR_LINE_STATUS;
        }
        if ((ier & IER_ERBFI) != 0) {
            if (fifoCount >= ((fcr & FCR_ENABLE) != 0 ? TRIGGER_LEVELS[fcr >>> 6] : 1)) {
                return IIR_DATA;
            }
            if (timeoutPending) {
                return IIR_TIMEOUT;
            }
        }
        if ((ier & IER_ETBEI) != 0 && threPending) {
            return IIR_THRE;
        }
        if ((ier & IER_EDSSI) != 0 && modemChanges != 0) {
            return IIR_MODEM;
        }
        return IIR_NONE;
    }

    private void update() {
        // In loopback mode the OUT2 pin is inactive too, but PC software expects interrupts then.
        boolean now = interruptId() != IIR_NONE && (mcr & MCR_OUT2) != 0;
        if (now != asserted) {
            asserted = now;
            irq.set(now);
        }
    }

    // ---- State

    @Override
    public State save() {
        int[] received = new int[fifoCount];
        for (int i = 0; i < fifoCount; i++) {
            received[i] = fifo[fifoStart + i & FIFO_SIZE - 1];
        }
        long left = timeoutAt == Long.MAX_VALUE ? timeoutAt : Math.max(0, timeoutAt - clock.nanoTime());
        return new State(
                ier,
                fcr,
                lcr,
                mcr,
                scr,
                divisor,
                received,
                lineErrors,
                threPending,
                timeoutPending,
                left,
                modemLines,
                modemChanges);
    }

    @Override
    public void restore(State state) {
        if (state.received.length > FIFO_SIZE) {
            throw new IllegalArgumentException("a 16550A cannot hold " + state.received.length + " bytes");
        }
        ier = state.ier & 0xF;
        fcr = state.fcr & (FCR_ENABLE | FCR_DMA | FCR_TRIGGER);
        lcr = state.lcr & 0xFF;
        mcr = state.mcr & 0x1F;
        scr = state.scr & 0xFF;
        divisor = state.divisor & 0xFFFF;
        clearFifo();
        fifoCount = Math.min(state.received.length, capacity());
        for (int i = 0; i < fifoCount; i++) {
            fifo[i] = state.received[i] & (LSR_ERRORS << 8 | 0xFF);
        }
        lineErrors = state.lineErrors & LSR_ERRORS;
        threPending = state.threPending;
        timeoutPending = state.timeoutPending && fifoCount > 0;
        if (state.timeoutInNanos != Long.MAX_VALUE && state.timeoutInNanos >= 0 && fifoCount > 0) {
            long now = clock.nanoTime();
            timeoutAt = now + Math.min(state.timeoutInNanos, Long.MAX_VALUE - now);
            timeout.arm(timeoutAt);
        }
        modemLines = state.modemLines & 0xF0;
        modemChanged();
        modemChanges = state.modemChanges & 0xF;
        asserted = interruptId() != IIR_NONE && (mcr & MCR_OUT2) != 0;
        irq.set(asserted);
    }
}
