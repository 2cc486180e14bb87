package org.softkvm.devices.isa;

import java.util.function.LongConsumer;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.DeviceTimer;
import org.softkvm.devices.time.TickRate;

/**
 * The Intel 8254 programmable interval timer of a PC: three counters at 1.193182 MHz, all six modes, binary and BCD.
 *
 * <p>Ports: {@link #counters()} at 40h-43h, {@link #portB()} at 61h (gate and output of counter 2, speaker, refresh
 * toggle). The OUT pin of counter 0 drives the interrupt line; the gates of counters 0 and 1 are tied high.
 *
 * <p>Counters read as the clock says. Interrupts come with the clock's timer; when it is late by more than a period,
 * the edges that were missed are merged into one, and edges closer than {@value #MIN_EVENT_NANOS} ns are merged too, so
 * that a guest cannot keep the host busy with them.
 */
public final class Pit8254 implements StatefulDevice<Pit8254.State> {
    /** The frequency of the CLK inputs. */
    public static final TickRate CLK = new TickRate(1_193_182);

    /** The shortest time from an interrupt to the next timer event in nanoseconds. */
    public static final long MIN_EVENT_NANOS = 10_000;

    /** The refresh toggle changes with each pulse of counter 1 as a PC programs it. */
    private static final int REFRESH_TICKS = 18;

    // Port 61h.
    private static final int TIM_CNT2_EN = 1 << 0;
    private static final int SPKR_DAT_EN = 1 << 1;
    private static final int REF_TOGGLE = 1 << 4;
    private static final int TMR2_OUT_STS = 1 << 5;
    private static final int PORT_B_WRITABLE = 0xF;

    private static final int READ_BACK = 3;
    private static final int READ_BACK_NO_COUNT = 1 << 5;
    private static final int READ_BACK_NO_STATUS = 1 << 4;

    private final DeviceClock clock;
    private final InterruptLine irq;
    private final LongConsumer missed;
    private final DeviceTimer timer;
    private final PitChannel[] channels = new PitChannel[3];
    private final BusDevice counters = new Counters();
    private final BusDevice portB = new PortB();

    /** The time of tick 0. */
    private long origin;

    /** The tick of the next event of counter 0, or NEVER. */
    private long eventTick = PitChannel.NEVER;

    private long lastRiseNanos;
    private boolean out;
    private int portBBits;

    /**
     * The state of a counter. Ticks are numbered from the chip's origin, {@link State#elapsedNanos} before the moment
     * of saving.
     *
     * @param mode 0..5
     * @param bcd whether it counts in BCD
     * @param access RW bits of the control word: 1 LSB, 2 MSB, 3 both
     * @param gate the GATE input
     * @param cr the count register as written
     * @param writeMsbNext the next write is the second byte
     * @param writtenLsb the first byte, when {@code writeMsbNext}
     * @param readMsbNext the next read is the second byte
     * @param nullCount the count register has not gone to the counting element yet
     * @param countLatched a count is latched
     * @param outputLatch the latched count
     * @param statusLatched a status is latched
     * @param statusLatch the latched status
     * @param loadTick when the count register goes to the counting element, or {@link Long#MAX_VALUE}
     * @param loaded the counting element was loaded since the control word
     * @param counting the counting element counts
     * @param startTick a tick
     * @param startCount what the counting element held at that tick
     * @param period modes 2 and 3: ticks of a period
     * @param startHigh mode 3: OUT from startTick on
     * @param active terminal count has not been reached since loading
     */
    public record ChannelState(
            int mode,
            boolean bcd,
            int access,
            boolean gate,
            int cr,
            boolean writeMsbNext,
            int writtenLsb,
            boolean readMsbNext,
            boolean nullCount,
            boolean countLatched,
            int outputLatch,
            boolean statusLatched,
            int statusLatch,
            long loadTick,
            boolean loaded,
            boolean counting,
            long startTick,
            int startCount,
            int period,
            boolean startHigh,
            boolean active) {}

    /**
     * The state of the chip.
     *
     * @param elapsedNanos nanoseconds since tick 0
     * @param counter0 counter 0
     * @param counter1 counter 1
     * @param counter2 counter 2
     * @param portB the writable bits of port 61h
     */
    public record State(
            long elapsedNanos, ChannelState counter0, ChannelState counter1, ChannelState counter2, int portB) {}

    private final class Counters implements BusDevice {
        @Override
        public String name() {
            return "pit";
        }

        @Override
        public long read(int offset, int size) {
            int index = offset & 3;
            // The control register cannot be read.
            return index == 3 ? 0xFF : channels[index].read(now());
        }

        @Override
        public void write(int offset, int size, long value) {
            int index = offset & 3;
            long tick = now();
            if (index == 3) {
                writeControl((int) value & 0xFF, tick);
            } else {
                channels[index].writeCount((int) value & 0xFF, tick);
            }
            if (index == 0 || index == 3) {
                drive(tick);
            }
        }
    }

    private final class PortB implements BusDevice {
        @Override
        public String name() {
            return "port-61h";
        }

        @Override
        public long read(int offset, int size) {
            long tick = now();
            return portBBits
                    | ((tick / REFRESH_TICKS & 1) != 0 ? REF_TOGGLE : 0)
                    | (isCounter2High(tick) ? TMR2_OUT_STS : 0);
        }

        @Override
        public void write(int offset, int size, long value) {
            portBBits = (int) value & PORT_B_WRITABLE;
            channels[2].setGate((portBBits & TIM_CNT2_EN) != 0, now());
        }
    }

    /**
     * Creates a timer whose counters wait to be programmed.
     *
     * @param clock the time
     * @param irq what the OUT pin of counter 0 drives: IRQ0
     */
    public Pit8254(DeviceClock clock, InterruptLine irq) {
        this(clock, irq, edges -> {});
    }

    /**
     * Creates a timer whose counters wait to be programmed, and somebody who wants to know of merged interrupts.
     *
     * @param clock the time
     * @param irq what the OUT pin of counter 0 drives: IRQ0
     * @param missed called with the number of rising edges of a periodic counter 0 that were merged into the one before
     */
    public Pit8254(DeviceClock clock, InterruptLine irq, LongConsumer missed) {
        this.clock = clock;
        this.irq = irq;
        this.missed = missed;
        timer = clock.newTimer(this::now);
        origin = clock.nanoTime();
        clear();
    }

    /** Stops the counters until they are programmed again; OUT of counter 0 goes low. */
    public void reset() {
        timer.cancel();
        origin = clock.nanoTime();
        clear();
        if (out) {
            out = false;
            irq.set(false);
        }
    }

    private void clear() {
        eventTick = PitChannel.NEVER;
        portBBits = 0;
        for (int i = 0; i < 3; i++) {
            channels[i] = new PitChannel(i != 2);
        }
    }

    /**
     * The counters and the control word register at 40h-43h.
     *
     * @return a device of 4 ports
     */
    public BusDevice counters() {
        return counters;
    }

    /**
     * The system control port B at 61h. Bits 0-3 read as written; bit 4 toggles every 15 us; bit 5 is OUT of counter
     * 2; the error bits 6 and 7 are zero.
     *
     * @return a device of 1 port
     */
    public BusDevice portB() {
        return portB;
    }

    /**
     * Whether the speaker gets the square wave of counter 2.
     *
     * @return true when both its gate and its data enable bit are set
     */
    public boolean isSpeakerOn() {
        return (portBBits & (TIM_CNT2_EN | SPKR_DAT_EN)) == (TIM_CNT2_EN | SPKR_DAT_EN);
    }

    private boolean isCounter2High(long tick) {
        channels[2].sync(tick);
        return channels[2].outAt(tick);
    }

    private void writeControl(int control, long tick) {
        int select = control >>> 6;
        if (select != READ_BACK) {
            if ((control >>> 4 & 3) == 0) {
                channels[select].latchCount(tick);
            } else {
                channels[select].writeControl(control, tick);
            }
            return;
        }
        for (int i = 0; i < 3; i++) {
            if ((control & 2 << i) == 0) {
                continue;
            }
            if ((control & READ_BACK_NO_COUNT) == 0) {
                channels[i].latchCount(tick);
            }
            if ((control & READ_BACK_NO_STATUS) == 0) {
                channels[i].latchStatus(tick);
            }
        }
    }

    /** The tick now, after the events of counter 0 that have come. Also the timer's callback. */
    private long now() {
        long tick = CLK.ticks(clock.nanoTime() - origin);
        if (eventTick <= tick) {
            PitChannel channel = channels[0];
            boolean rose = false;
            while (!rose && eventTick <= tick) {
                channel.sync(eventTick - 1);
                setOut(channel.outAt(eventTick - 1));
                channel.sync(eventTick);
                rose = setOut(channel.outAt(eventTick));
                if (rose) {
                    lastRiseNanos = clock.nanoTime();
                    long merged = channel.risesBetween(eventTick, tick);
                    if (merged > 0) {
                        missed.accept(merged);
                    }
                }
                eventTick = channel.nextEvent(eventTick);
            }
            drive(tick);
        }
        return tick;
    }

    /** Sets the line to OUT of counter 0 and waits for its next change. */
    private void drive(long tick) {
        channels[0].sync(tick);
        setOut(channels[0].outAt(tick));
        eventTick = channels[0].nextEvent(tick);
        if (eventTick == PitChannel.NEVER) {
            timer.cancel();
        } else {
            timer.arm(Math.max(origin + CLK.nanos(eventTick), lastRiseNanos + MIN_EVENT_NANOS));
        }
    }

    /** Drives the line and says whether it rose. */
    private boolean setOut(boolean level) {
        boolean rises = level && !out;
        if (level != out) {
            out = level;
            irq.set(level);
        }
        return rises;
    }

    @Override
    public State save() {
        long nanos = clock.nanoTime() - origin;
        return new State(nanos, channels[0].save(), channels[1].save(), channels[2].save(), portBBits);
    }

    @Override
    public void restore(State state) {
        long elapsed = state.elapsedNanos;
        if (elapsed < 0) {
            throw new IllegalArgumentException("an 8254 cannot have run for " + elapsed + " ns");
        }
        long tick = CLK.ticks(elapsed);
        PitChannel[] restored = {new PitChannel(true), new PitChannel(true), new PitChannel(true)};
        restored[0].restore(state.counter0, tick);
        restored[1].restore(state.counter1, tick);
        restored[2].restore(state.counter2, tick);
        System.arraycopy(restored, 0, channels, 0, 3);
        origin = clock.nanoTime() - elapsed;
        portBBits = state.portB & PORT_B_WRITABLE;
        channels[0].sync(tick);
        out = channels[0].outAt(tick);
        irq.set(out);
        drive(tick);
    }
}
