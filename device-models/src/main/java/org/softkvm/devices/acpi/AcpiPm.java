package org.softkvm.devices.acpi;

import java.util.function.IntConsumer;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.DeviceTimer;
import org.softkvm.devices.time.TickRate;

/**
 * The fixed hardware of ACPI (ACPI specification, chapter "ACPI Hardware Specification"): power management events and
 * control, the power management timer, one general purpose event block, and the SMI command port.
 *
 * <p>{@link #registers()} has 16 ports: PM1a_EVT at 0-3 (status, enable), PM1a_CNT at 4-5, PM_TMR at 8-11, GPE0 at
 * 12-15 (16 status bits, 16 enable bits). {@link #smiCommand()} is at B2h-B3h.
 */
public final class AcpiPm implements StatefulDevice<AcpiPm.State> {
    /** The number of ports of {@link #registers()}. */
    public static final int PORTS = 16;

    /** Offset of the PM1a event block, 4 ports. */
    public static final int PM1A_EVT = 0;

    /** Offset of the PM1a control block, 2 ports. */
    public static final int PM1A_CNT = 4;

    /** Offset of the power management timer, 4 ports. */
    public static final int PM_TMR = 8;

    /** Offset of the general purpose event block 0, 4 ports. */
    public static final int GPE0 = 12;

    /** The frequency of the power management timer. */
    public static final TickRate TIMER_CLOCK = new TickRate(3_579_545);

    private static final int TMR = 1 << 0;
    private static final int GBL = 1 << 5;
    private static final int PWRBTN = 1 << 8;
    private static final int SLPBTN = 1 << 9;
    private static final int RTC = 1 << 10;
    private static final int WAK_STS = 1 << 15;
    private static final int ENABLES = TMR | GBL | PWRBTN | SLPBTN | RTC;
    private static final int STATUSES = ENABLES | 1 << 4 | WAK_STS;

    private static final int SCI_EN = 1 << 0;
    private static final int BM_RLD = 1 << 1;
    private static final int SLP_TYP = 7 << 10;
    private static final int SLP_EN = 1 << 13;

    private final DeviceClock clock;
    private final InterruptLine sci;
    private final Config config;
    private final IntConsumer sleep;
    private final DeviceTimer timer;
    private final BusDevice registers = new Registers();
    private final BusDevice smiCommand = new SmiCommand();

    private int pm1Status;
    private int pm1Enable;
    private int pm1Control;
    private int gpeStatus;
    private int gpeEnable;
    private int apmControl;
    private int apmStatus;
    private boolean asserted;
    private Runnable smi = () -> {};

    /** The time at which the timer stood at 0. */
    private long origin;

    /** How often the top bit of the timer had changed when its status was last looked at. */
    private long carriesSeen;

    /**
     * What the firmware tables say of the hardware.
     *
     * @param timer32 whether the timer has 32 bits and not 24 (FADT flag TMR_VAL_EXT)
     * @param enableCommand the byte that turns ACPI mode on at the SMI command port (FADT ACPI_ENABLE), 0..255
     * @param disableCommand the byte that turns it off (FADT ACPI_DISABLE), 0..255
     * @param alwaysEnabled whether ACPI mode is on from reset, for tables without an SMI command port
     */
    public record Config(boolean timer32, int enableCommand, int disableCommand, boolean alwaysEnabled) {}

    /**
     * The state of the registers.
     *
     * @param pm1Status PM1 status
     * @param pm1Enable PM1 enable
     * @param pm1Control PM1 control
     * @param gpeStatus GPE0 status
     * @param gpeEnable GPE0 enable
     * @param apmControl the SMI command port as last written
     * @param apmStatus the port after it
     * @param elapsedNanos nanoseconds since the timer stood at 0
     * @param carriesSeen how often the timer's top bit had changed when its status was last looked at
     */
    public record State(
            int pm1Status,
            int pm1Enable,
            int pm1Control,
            int gpeStatus,
            int gpeEnable,
            int apmControl,
            int apmStatus,
            long elapsedNanos,
            long carriesSeen) {}

    private final class Registers implements BusDevice {
        @Override
        public String name() {
            return "acpi-pm";
        }

        @Override
        public int maxAccessSize() {
            return 4;
        }

        @Override
        public long read(int offset, int size) {
            int first = offset & 0xC;
            long value = Integer.toUnsignedLong(readWord(first));
            if ((offset & 3) + size > 4) {
                value |= (long) readWord(first + 4 & 0xC) << 32;
            }
            return value >>> 8 * (offset & 3);
        }

        @Override
        public void write(int offset, int size, long value) {
            sync();
            for (int i = 0; i < size; i++) {
                writeByte(offset + i & 0xF, (int) (value >>> 8 * i) & 0xFF);
            }
            boolean sleeps = (pm1Control & SLP_EN) != 0;
            pm1Control &= ~SLP_EN;
            update();
            if (sleeps) {
                sleep.accept((pm1Control & SLP_TYP) >>> 10);
            }
        }
    }

    private final class SmiCommand implements BusDevice {
        @Override
        public String name() {
            return "acpi-smi-command";
        }

        @Override
        public long read(int offset, int size) {
            return (offset & 1) == 0 ? apmControl : apmStatus;
        }

        @Override
        public void write(int offset, int size, long value) {
            int data = (int) value & 0xFF;
            if ((offset & 1) != 0) {
                apmStatus = data;
                return;
            }
            apmControl = data;
            if (!config.alwaysEnabled && data == config.enableCommand) {
                pm1Control |= SCI_EN;
            } else if (!config.alwaysEnabled && data == config.disableCommand) {
                pm1Control &= ~SCI_EN;
            } else {
                smi.run();
                return;
            }
            update();
        }
    }

    /**
     * Creates the hardware in its state after reset.
     *
     * @param config what the firmware tables say of it
     * @param clock the time
     * @param sci the system control interrupt, level-triggered
     * @param sleep gets SLP_TYP, 0..7, when software sets SLP_EN, from within its access; the board knows which type
     *     means power off, as its tables say
     */
    public AcpiPm(Config config, DeviceClock clock, InterruptLine sci, IntConsumer sleep) {
        this.config = config;
        this.clock = clock;
        this.sci = sci;
        this.sleep = sleep;
        timer = clock.newTimer(this::update);
        origin = clock.nanoTime();
        reset();
    }

    /** The state after reset; the timer goes on. */
    public void reset() {
        pm1Status = 0;
        pm1Enable = 0;
        pm1Control = config.alwaysEnabled ? SCI_EN : 0;
        gpeStatus = 0;
        gpeEnable = 0;
        apmControl = 0;
        apmStatus = 0;
        carriesSeen = carries();
        update();
    }

    /**
     * The event, control, timer and general purpose event registers.
     *
     * @return a device of {@link #PORTS} ports
     */
    public BusDevice registers() {
        return registers;
    }

    /**
     * The SMI command port at B2h and the byte next to it. The two commands of ACPI act at once, as if firmware had done
     * it; all others raise an SMI (see {@link #onSmi}).
     *
     * @return a device of 2 ports
     */
    public BusDevice smiCommand() {
        return smiCommand;
    }

    /**
     * Decides where SMIs go; before that they are lost.
     *
     * @param action called from within the access to the SMI command port
     */
    public void onSmi(Runnable action) {
        smi = action;
    }

    /**
     * Whether the system is in ACPI mode.
     *
     * @return bit SCI_EN
     */
    public boolean isAcpiEnabled() {
        return (pm1Control & SCI_EN) != 0;
    }

    /** The user presses the power button. */
    public void pressPowerButton() {
        pm1Status |= PWRBTN;
        update();
    }

    /** The system wakes from a sleeping state. */
    public void wake() {
        pm1Status |= WAK_STS;
        update();
    }

    /**
     * A general purpose event happens.
     *
     * @param event 0..15
     */
    public void raiseGpe(int event) {
        gpeStatus |= 1 << event & 0xFFFF;
        update();
    }

    /**
     * The power management timer.
     *
     * @return its value, 24 or 32 bits
     */
    public int timerValue() {
        int value = (int) TIMER_CLOCK.ticks(clock.nanoTime() - origin);
        return config.timer32 ? value : value & 0xFFFFFF;
    }

    private int readWord(int offset) {
        switch (offset) {
            case PM1A_EVT:
                sync();
                return pm1Status | pm1Enable << 16;
            case PM1A_CNT:
                return pm1Control;
            case PM_TMR:
                return timerValue();
            default:
                return gpeStatus | gpeEnable << 16;
        }
    }

    private void writeByte(int offset, int data) {
        int shift = 8 * (offset & 1);
        int keep = 0xFF00 >>> shift;
        int bits = data << shift;
        switch (offset & 0xE) {
            case PM1A_EVT -> pm1Status &= ~bits;
            case PM1A_EVT + 2 -> pm1Enable = (pm1Enable & keep | bits) & ENABLES;
            case PM1A_CNT -> pm1Control = (pm1Control & keep | bits) & (SCI_EN | BM_RLD | SLP_TYP | SLP_EN);
            case GPE0 -> gpeStatus &= ~bits;
            case GPE0 + 2 -> gpeEnable = gpeEnable & keep | bits;
            default -> {
                // The timer is read-only; the rest is reserved.
            }
        }
        if (config.alwaysEnabled) {
            pm1Control |= SCI_EN;
        }
    }

    /** How often the timer's top bit has changed since it stood at 0. */
    private long carries() {
        return TIMER_CLOCK.ticks(clock.nanoTime() - origin) >>> carryBits();
    }

    private int carryBits() {
        return config.timer32 ? 31 : 23;
    }

    /** Brings the timer's status bit up to now: it is set each time the top bit changes. */
    private void sync() {
        long now = carries();
        if (now != carriesSeen) {
            carriesSeen = now;
            pm1Status |= TMR;
        }
    }

    /** Drives the interrupt line and waits for the timer's next carry. Also the timer's callback. */
    private void update() {
        sync();
        boolean pending = (pm1Status & pm1Enable & ENABLES) != 0 || (gpeStatus & gpeEnable) != 0;
        boolean now = pending && isAcpiEnabled();
        if (now != asserted) {
            asserted = now;
            sci.set(now);
        }
        if ((pm1Enable & TMR) != 0 && (pm1Status & TMR) == 0) {
            timer.arm(origin + TIMER_CLOCK.nanos(carriesSeen + 1 << carryBits()));
        } else {
            timer.cancel();
        }
    }

    @Override
    public State save() {
        return new State(
                pm1Status,
                pm1Enable,
                pm1Control,
                gpeStatus,
                gpeEnable,
                apmControl,
                apmStatus,
                clock.nanoTime() - origin,
                carriesSeen);
    }

    @Override
    public void restore(State state) {
        if (state.elapsedNanos < 0) {
            throw new IllegalArgumentException("a timer cannot have run for " + state.elapsedNanos + " ns");
        }
        pm1Status = state.pm1Status & STATUSES;
        pm1Enable = state.pm1Enable & ENABLES;
        pm1Control = state.pm1Control & (SCI_EN | BM_RLD | SLP_TYP) | (config.alwaysEnabled ? SCI_EN : 0);
        gpeStatus = state.gpeStatus & 0xFFFF;
        gpeEnable = state.gpeEnable & 0xFFFF;
        apmControl = state.apmControl & 0xFF;
        apmStatus = state.apmStatus & 0xFF;
        origin = clock.nanoTime() - state.elapsedNanos;
        carriesSeen = state.carriesSeen;
        asserted = false;
        sci.set(false);
        update();
    }
}
