package org.softkvm.devices.isa;

import org.softkvm.devices.BusDevice;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.DeviceTimer;
import org.softkvm.devices.time.TickRate;

/**
 * The MC146818 real-time clock of a PC/AT with 128 bytes of CMOS RAM, at ports 70h (index, NMI mask) and 71h (data).
 *
 * <p>The calendar goes on by itself from the clock and the epoch base; nothing runs unless an interrupt is enabled.
 * The century is at index 32h, as the ACPI tables of PCs say. A date that does not exist is corrected when the clock
 * goes on from it.
 */
public final class RtcCmos implements BusDevice, StatefulDevice<RtcCmos.State> {
    /** The number of ports. */
    public static final int PORTS = 2;

    /** The number of bytes of CMOS RAM, the clock's registers included. */
    public static final int SIZE = 128;

    private static final int SECONDS = 0x00;
    private static final int SECONDS_ALARM = 0x01;
    private static final int MINUTES = 0x02;
    private static final int MINUTES_ALARM = 0x03;
    private static final int HOURS = 0x04;
    private static final int HOURS_ALARM = 0x05;
    private static final int DAY_OF_WEEK = 0x06;
    private static final int DAY_OF_MONTH = 0x07;
    private static final int MONTH = 0x08;
    private static final int YEAR = 0x09;
    private static final int REGISTER_A = 0x0A;
    private static final int REGISTER_B = 0x0B;
    private static final int REGISTER_C = 0x0C;
    private static final int REGISTER_D = 0x0D;
    private static final int CENTURY = 0x32;

    private static final int A_UIP = 1 << 7;
    private static final int A_DV = 7 << 4;
    private static final int A_DV_RESET = 6 << 4;
    private static final int A_RS = 0xF;

    private static final int B_SET = 1 << 7;
    private static final int B_PIE = 1 << 6;
    private static final int B_AIE = 1 << 5;
    private static final int B_UIE = 1 << 4;
    private static final int B_DM = 1 << 2;
    private static final int B_24_HOURS = 1 << 1;

    private static final int C_IRQF = 1 << 7;
    private static final int C_PF = 1 << 6;
    private static final int C_AF = 1 << 5;
    private static final int C_UF = 1 << 4;

    private static final int D_VRT = 1 << 7;

    private static final int[] CALENDAR = {SECONDS, MINUTES, HOURS, DAY_OF_WEEK, DAY_OF_MONTH, MONTH, YEAR, CENTURY};

    private static final int ANY = -1;
    private static final int NEVER = -2;

    private static final int NMI_DISABLE = 1 << 7;
    private static final int PM = 0x80;

    private static final long NANOS = 1_000_000_000L;
    private static final int DAY_SECONDS = 86_400;

    /** UIP rises 244 us before the update cycle, which takes 1984 us with a crystal of 32.768 kHz. */
    private static final long UIP_NANOS = 244_000 + 1_984_000;

    /** Leaving divider reset, the first update comes half a second later. */
    private static final long FIRST_UPDATE_NANOS = NANOS / 2;

    private static final TickRate CRYSTAL = new TickRate(32_768);

    private final DeviceClock clock;
    private final InterruptLine irq;
    private final DeviceTimer timer;
    private final byte[] ram = new byte[SIZE];
    private int index;
    private boolean nmiDisabled;
    private int registerC;
    private boolean asserted;

    /** A time of the clock, now or past, at which a second of the calendar began. */
    private long phaseNanos;

    /** The calendar at that time while it goes on, in seconds since 1970; otherwise it is in its registers. */
    private long phaseSeconds;

    /** What the day of the week is ahead of the date, 0..6. */
    private int weekdayShift;

    /** The time up to which the flags of register C are known. */
    private long flagsNanos;

    /** The time at which the divider chain stood at 0: the phase of the periodic interrupt. */
    private long dividerNanos;

    /**
     * The state of the clock.
     *
     * @param ram the 128 bytes; time and register C apart, as they read
     * @param index the index register
     * @param nmiDisabled bit 7 of port 70h
     * @param registerC the flags up to the moment of saving
     * @param phaseNanos nanoseconds since a second of the calendar began
     * @param phaseSeconds the calendar at that moment while it goes on, in seconds since 1970
     * @param weekdayShift what the day of the week is ahead of the date
     * @param dividerNanos nanoseconds since the divider chain stood at 0
     */
    public record State(
            byte[] ram,
            int index,
            boolean nmiDisabled,
            int registerC,
            long phaseNanos,
            long phaseSeconds,
            int weekdayShift,
            long dividerNanos) {}

    /**
     * Creates a clock that goes on from a given time, with battery-backed RAM of zeroes.
     *
     * @param clock the time that passes
     * @param irq the interrupt line, IRQ8
     * @param epochNanos the calendar's time now, in nanoseconds since 1970-01-01 00:00 of the calendar; 0 or more
     */
    public RtcCmos(DeviceClock clock, InterruptLine irq, long epochNanos) {
        if (epochNanos < 0) {
            throw new IllegalArgumentException("the calendar cannot start before 1970");
        }
        this.clock = clock;
        this.irq = irq;
        timer = clock.newTimer(this::update);
        phaseSeconds = epochNanos / NANOS;
        phaseNanos = clock.nanoTime() - epochNanos % NANOS;
        dividerNanos = phaseNanos;
        flagsNanos = clock.nanoTime();
        ram[REGISTER_A] = 0x26;
        ram[REGISTER_B] = B_24_HOURS;
    }

    /** RESET: interrupts off; the calendar and the RAM keep what they have. */
    public void reset() {
        sync();
        ram[REGISTER_B] &= ~(B_PIE | B_AIE | B_UIE);
        registerC = 0;
        index = 0;
        nmiDisabled = false;
        update();
    }

    @Override
    public String name() {
        return "rtc-cmos";
    }

    /**
     * Whether bit 7 of port 70h keeps non-maskable interrupts from the processor.
     *
     * @return true when they are masked
     */
    public boolean isNmiDisabled() {
        return nmiDisabled;
    }

    /**
     * A byte of CMOS RAM, for the board and its tests.
     *
     * @param at 0Eh..7Fh
     * @return 0..255
     */
    public int ram(int at) {
        return ram[checkRam(at)] & 0xFF;
    }

    /**
     * Sets a byte of CMOS RAM.
     *
     * @param at 0Eh..7Fh
     * @param value the byte
     */
    public void setRam(int at, int value) {
        ram[checkRam(at)] = (byte) value;
    }

    private static int checkRam(int at) {
        if (at <= REGISTER_D || at >= SIZE || at == CENTURY) {
            throw new IllegalArgumentException("CMOS RAM has no byte 0x%x".formatted(at));
        }
        return at;
    }

    /**
     * Sets the bytes that tell the BIOS the memory size: 15h-16h base memory in KiB, 17h-18h and 30h-31h memory from 1
     * MiB on in KiB (at most 65535), 34h-35h memory from 16 MiB on in units of 64 KiB, and 5Bh-5Dh memory from 4 GiB on
     * in units of 64 KiB, as the BIOSes of virtual machines read them.
     *
     * @param below4g bytes of memory that start at address 0
     * @param above4g bytes of memory that start at 4 GiB
     */
    public void setMemorySize(long below4g, long above4g) {
        setRam16(0x15, Math.min(below4g >>> 10, 640));
        long extended = Math.clamp((below4g >>> 10) - 1024, 0, 0xFFFF);
        setRam16(0x17, extended);
        setRam16(0x30, extended);
        setRam16(0x34, Math.clamp((below4g >>> 16) - 256, 0, 0xFFFF));
        long high = Math.clamp(above4g >>> 16, 0, 0xFFFFFF);
        setRam16(0x5B, high & 0xFFFF);
        setRam(0x5D, (int) (high >>> 16));
    }

    private void setRam16(int at, long value) {
        setRam(at, (int) value);
        setRam(at + 1, (int) value >>> 8);
    }

    /**
     * The calendar's time.
     *
     * @return seconds since 1970-01-01 00:00 of the calendar
     */
    public long calendarSeconds() {
        return isRunning() ? secondsAt(clock.nanoTime()) : secondsFromRegisters();
    }

    // ---- Ports

    /** Reads the data port; the index port reads as all ones. */
    @Override
    public long read(int offset, int size) {
        return (offset & 1) == 0 ? 0xFF : readRegister(index);
    }

    @Override
    public void write(int offset, int size, long value) {
        int data = (int) value & 0xFF;
        if ((offset & 1) == 0) {
            nmiDisabled = (data & NMI_DISABLE) != 0;
            index = data & SIZE - 1;
        } else {
            writeRegister(index, data);
        }
    }

    private int readRegister(int at) {
        switch (at) {
            case SECONDS, MINUTES, HOURS, DAY_OF_WEEK, DAY_OF_MONTH, MONTH, YEAR, CENTURY:
                return isRunning() ? calendarField(at, secondsAt(clock.nanoTime())) : ram[at] & 0xFF;
            case REGISTER_A:
                return ram[REGISTER_A] & 0x7F | (isUpdating() ? A_UIP : 0);
            case REGISTER_C:
                sync();
                int flags = registerC;
                registerC = 0;
                update();
                return flags | ((flags & enabledFlags()) != 0 ? C_IRQF : 0);
            case REGISTER_D:
                return D_VRT;
            default:
                return ram[at] & 0xFF;
        }
    }

    private void writeRegister(int at, int data) {
        switch (at) {
            case SECONDS, MINUTES, HOURS, DAY_OF_WEEK, DAY_OF_MONTH, MONTH, YEAR, CENTURY -> {
                sync();
                boolean running = isRunning();
                if (running) {
                    stop();
                }
                ram[at] = (byte) data;
                if (running) {
                    goOn();
                }
                update();
            }
            case REGISTER_A, REGISTER_B -> {
                sync();
                writeControl(at, data);
                update();
            }
            case REGISTER_C, REGISTER_D -> {
                // Read-only.
            }
            case SECONDS_ALARM, MINUTES_ALARM, HOURS_ALARM -> {
                sync();
                ram[at] = (byte) data;
                update();
            }
            default -> ram[at] = (byte) data;
        }
    }

    private void writeControl(int at, int data) {
        boolean wasRunning = isRunning();
        boolean wasReset = isDividerReset();
        if (wasRunning) {
            stop();
        }
        if (at == REGISTER_A) {
            ram[REGISTER_A] = (byte) (data & 0x7F);
        } else {
            // Setting SET clears UIE.
            ram[REGISTER_B] = (byte) ((data & B_SET) != 0 ? data & ~B_UIE : data);
        }
        if (wasReset && !isDividerReset()) {
            dividerNanos = clock.nanoTime();
            phaseNanos = dividerNanos - (NANOS - FIRST_UPDATE_NANOS);
        }
        // A calendar that was running all the time is shown in a new data format, not misread.
        if (isRunning() && !wasRunning) {
            goOn();
        }
    }

    // ---- Calendar

    private int registerB() {
        return ram[REGISTER_B];
    }

    private boolean isDividerReset() {
        return (ram[REGISTER_A] & A_DV_RESET) == A_DV_RESET;
    }

    private boolean isRunning() {
        return (registerB() & B_SET) == 0 && !isDividerReset();
    }

    private boolean isUpdating() {
        return isRunning() && (clock.nanoTime() - phaseNanos) % NANOS >= NANOS - UIP_NANOS;
    }

    private long secondsAt(long nanos) {
        return phaseSeconds + Math.floorDiv(nanos - phaseNanos, NANOS);
    }

    private int calendarField(int at, long seconds) {
        int ofDay = (int) Math.floorMod(seconds, (long) DAY_SECONDS);
        long day = Math.floorDiv(seconds, (long) DAY_SECONDS);
        return switch (at) {
            case SECONDS -> encode(ofDay % 60);
            case MINUTES -> encode(ofDay / 60 % 60);
            case HOURS -> encodeHour(ofDay / 3600);
            // 1970-01-01 was a Thursday, 5 when Sunday is 1.
            case DAY_OF_WEEK -> encode((int) Math.floorMod(day + 4 + weekdayShift, 7L) + 1);
            case DAY_OF_MONTH -> encode(CivilDate.day(day));
            case MONTH -> encode(CivilDate.month(day));
            case YEAR -> encode(Math.floorMod(CivilDate.year(day), 100));
            default -> encode(Math.floorMod(Math.floorDiv(CivilDate.year(day), 100), 100));
        };
    }

    /** Puts the calendar into its registers, where it stands until {@link #goOn}. */
    private void stop() {
        long seconds = secondsAt(clock.nanoTime());
        for (int register : CALENDAR) {
            ram[register] = (byte) calendarField(register, seconds);
        }
    }

    /** Lets the calendar go on from its registers. The divider chain has gone on all the time. */
    private void goOn() {
        long now = clock.nanoTime();
        phaseNanos = now - (now - phaseNanos) % NANOS;
        phaseSeconds = secondsFromRegisters();
        long day = Math.floorDiv(phaseSeconds, (long) DAY_SECONDS);
        weekdayShift = (int) Math.floorMod(decode(ram[DAY_OF_WEEK]) - 1 - 4 - day, 7L);
    }

    private long secondsFromRegisters() {
        int year = Math.min(decode(ram[CENTURY]), 99) * 100 + Math.min(decode(ram[YEAR]), 99);
        int month = Math.clamp(decode(ram[MONTH]), 1, 12);
        int day = Math.clamp(decode(ram[DAY_OF_MONTH]), 1, 31);
        return CivilDate.daysSince1970(year, month, day) * DAY_SECONDS
                + Math.min(decodeHour(ram[HOURS]), 23) * 3600L
                + Math.min(decode(ram[MINUTES]), 59) * 60L
                + Math.min(decode(ram[SECONDS]), 59);
    }

    private int encode(int value) {
        return (registerB() & B_DM) != 0 ? value : value / 10 << 4 | value % 10;
    }

    private int decode(int value) {
        int bits = value & 0xFF;
        return (registerB() & B_DM) != 0 ? bits : (bits >>> 4) * 10 + (bits & 0xF);
    }

    private int encodeHour(int hour) {
        if ((registerB() & B_24_HOURS) != 0) {
            return encode(hour);
        }
        return encode((hour + 11) % 12 + 1) | (hour >= 12 ? PM : 0);
    }

    private int decodeHour(int value) {
        if ((registerB() & B_24_HOURS) != 0) {
            return decode(value);
        }
        return decode(value & ~PM) % 12 + ((value & PM) != 0 ? 12 : 0);
    }

    // ---- Interrupts

    private int enabledFlags() {
        return registerB() & (B_PIE | B_AIE | B_UIE);
    }

    /** Ticks of the crystal between two periodic interrupts, or 0. */
    private int periodTicks() {
        int rate = ram[REGISTER_A] & A_RS;
        if (rate == 0 || isDividerReset() || (ram[REGISTER_A] & A_DV) != 0x20) {
            return 0;
        }
        // Rates 1 and 2 are those of 8 and 9 with the crystal of a PC.
        return 1 << (rate <= 2 ? rate + 6 : rate - 1);
    }

    /** Brings the flags of register C up to now. */
    private void sync() {
        long now = clock.nanoTime();
        int ticks = periodTicks();
        if (ticks != 0 && periodsAt(now, ticks) != periodsAt(flagsNanos, ticks)) {
            registerC |= C_PF;
        }
        if (isRunning()) {
            long from = secondsAt(flagsNanos);
            if (secondsAt(now) != from) {
                registerC |= C_UF;
                if (secondsToAlarm(from) <= secondsAt(now) - from) {
                    registerC |= C_AF;
                }
            }
        }
        flagsNanos = now;
    }

    private long periodsAt(long nanos, int ticks) {
        return CRYSTAL.ticks(Math.max(0, nanos - dividerNanos)) / ticks;
    }

    /** Drives the interrupt line, and waits for the next event that could raise it. Also the timer's callback. */
    private void update() {
        sync();
        boolean now = (registerC & enabledFlags()) != 0;
        if (now != asserted) {
            asserted = now;
            irq.set(now);
        }
        if (now) {
            // Until register C is read nothing can change on the line.
            timer.cancel();
        } else {
            timer.arm(nextEvent());
        }
    }

    private long nextEvent() {
        long next = Long.MAX_VALUE;
        int ticks = periodTicks();
        if ((registerB() & B_PIE) != 0 && ticks != 0) {
            long period = periodsAt(flagsNanos, ticks) + 1;
            next = dividerNanos + CRYSTAL.nanos(period * ticks);
        }
        if (isRunning() && (registerB() & (B_UIE | B_AIE)) != 0) {
            long second = secondsAt(flagsNanos);
            long ahead = (registerB() & B_UIE) != 0 ? 1 : secondsToAlarm(second);
            if (ahead <= DAY_SECONDS) {
                next = Math.min(next, phaseNanos + (second + ahead - phaseSeconds) * NANOS);
            }
        }
        return next;
    }

    /** Seconds from a second to the next one at which the alarm is due, 1..86400, or more when it never is. */
    private long secondsToAlarm(long from) {
        int start = (int) Math.floorMod(from + 1, (long) DAY_SECONDS);
        int hour = start / 3600;
        int minute = start / 60 % 60;
        int second = start % 60;
        int wantedHour = alarmValue(HOURS_ALARM, 24);
        int wantedMinute = alarmValue(MINUTES_ALARM, 60);
        int wantedSecond = alarmValue(SECONDS_ALARM, 60);
        if (wantedHour == NEVER || wantedMinute == NEVER || wantedSecond == NEVER) {
            return Long.MAX_VALUE;
        }
        for (int hours = 0; hours <= 24; hours++) {
            if (wantedHour != ANY && wantedHour != (hour + hours) % 24) {
                continue;
            }
            for (int m = hours == 0 ? minute : 0; m < 60; m++) {
                int earliest = hours == 0 && m == minute ? second : 0;
                if ((wantedMinute == ANY || wantedMinute == m) && (wantedSecond == ANY || wantedSecond >= earliest)) {
                    int s = wantedSecond == ANY ? earliest : wantedSecond;
                    return (hour + hours) * 3600L + m * 60L + s - start + 1;
                }
            }
        }
        return Long.MAX_VALUE;
    }

    /** The value at which an alarm byte matches, ANY (bits 7 and 6 set), or NEVER. */
    private int alarmValue(int alarm, int limit) {
        int wanted = ram[alarm] & 0xFF;
        if (wanted >= 0xC0) {
            return ANY;
        }
        for (int value = 0; value < limit; value++) {
            if (wanted == (alarm == HOURS_ALARM ? encodeHour(value) : encode(value))) {
                return value;
            }
        }
        return NEVER;
    }

    // ---- State

    @Override
    public State save() {
        long now = clock.nanoTime();
        sync();
        return new State(
                ram.clone(),
                index,
                nmiDisabled,
                registerC,
                now - phaseNanos,
                phaseSeconds,
                weekdayShift,
                now - dividerNanos);
    }

    @Override
    public void restore(State state) {
        if (state.ram.length != SIZE) {
            throw new IllegalArgumentException("CMOS RAM has " + SIZE + " bytes, not " + state.ram.length);
        }
        if (state.phaseNanos < 0 || state.dividerNanos < 0) {
            throw new IllegalArgumentException("a clock cannot have started in the future");
        }
        long now = clock.nanoTime();
        System.arraycopy(state.ram, 0, ram, 0, SIZE);
        index = state.index & SIZE - 1;
        nmiDisabled = state.nmiDisabled;
        registerC = state.registerC & (C_PF | C_AF | C_UF);
        phaseNanos = now - state.phaseNanos;
        phaseSeconds = state.phaseSeconds;
        weekdayShift = Math.floorMod(state.weekdayShift, 7);
        dividerNanos = now - state.dividerNanos;
        flagsNanos = now;
        asserted = (registerC & enabledFlags()) != 0;
        irq.set(asserted);
        update();
    }
}
