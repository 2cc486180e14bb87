package org.softkvm.devices.apic;

import java.util.Arrays;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.DeviceTimer;

/**
 * An I/O APIC with 24 pins: the 82093AA (version 11h), or the later one of Intel's chipsets with an EOI register
 * (version 20h).
 *
 * <p>The pins carry the asserted state; the polarity bit of a redirection entry is kept and has no effect. An
 * edge-triggered interrupt that comes while its pin is masked is lost, as the data sheet says. NMI, SMI, INIT and
 * ExtINT entries are edge-triggered whatever they say.
 *
 * <p>A level-triggered interrupt that is still asserted at its end is sent again at once, but a guest that ends one
 * {@value #STORM_EOIS} times without making its device let go gets a pause of {@value #STORM_PAUSE_NANOS} ns each time,
 * in which it can execute something else than the handler. (Real hardware takes its time with every one.)
 *
 * <p>Not thread-safe: the board's lock serialises its pins, registers and {@link #endOfInterrupt}.
 */
public final class IoApic implements BusDevice, ApicBus.EoiListener, StatefulDevice<IoApic.State> {
    /** The address of the register page on a PC. */
    public static final long DEFAULT_BASE = 0xFEC00000L;

    /** The length in bytes of the range the registers answer in. */
    public static final int PAGE_SIZE = 0x1000;

    /** The number of pins. */
    public static final int PINS = 24;

    /** The version without an EOI register. */
    public static final int VERSION_82093AA = 0x11;

    /** The version with an EOI register. */
    public static final int VERSION_EOI_REGISTER = 0x20;

    /** How often in a row an interrupt is ended with its pin asserted before there is a pause. */
    public static final int STORM_EOIS = 10_000;

    /** The length of that pause in nanoseconds. */
    public static final long STORM_PAUSE_NANOS = 10_000_000;

    /** Redirection entry: a message of this pin waits to be accepted (read-only). */
    public static final long DELIVERY_STATUS = 1 << 12;

    /** Redirection entry: active low. */
    public static final long POLARITY_LOW = 1 << 13;

    /** Redirection entry: a level-triggered interrupt of this pin has not been ended yet (read-only). */
    public static final long REMOTE_IRR = 1 << 14;

    /** Redirection entry: level-triggered. */
    public static final long TRIGGER_LEVEL = 1 << 15;

    /** Redirection entry: masked. */
    public static final long MASKED = 1 << 16;

    // Register page.
    private static final int IOREGSEL = 0x00;
    private static final int IOWIN = 0x10;
    private static final int EOIR = 0x40;

    // Behind IOREGSEL and IOWIN.
    private static final int IOAPICID = 0x00;
    private static final int IOAPICVER = 0x01;
    private static final int IOAPICARB = 0x02;
    private static final int IOREDTBL = 0x10;

    private static final int ID_BITS = 0x0F000000;
    private static final long ENTRY_WRITABLE = 0xFF000000_0001AFFFL;

    private final int version;
    private final DeviceClock clock;
    private final ApicBus bus;
    private final RedirectionListener listener;
    private final InterruptLine[] pins = new InterruptLine[PINS];
    private final long[] redirection = new long[PINS];

    /** The asserted pins, one a bit. */
    private int asserted;

    private int ioregsel;
    private int id;
    private int arbitrationId;

    /** For each pin, how often in a row its interrupt was ended while it was asserted. */
    private final int[] successiveEois = new int[PINS];

    /** The pins that pause, one a bit, and the time until when. */
    private int paused;

    private long pauseEnd;
    private final DeviceTimer pauseTimer;

    /** Hears of changed redirection entries, for boards that mirror them as KVM's GSI routes. */
    @FunctionalInterface
    public interface RedirectionListener {
        /**
         * The guest changed what a redirection entry means (not its status bits).
         *
         * @param pin 0..23
         * @param entry the entry, 64 bits; see {@link IoApic#toApicMessage}
         */
        void redirectionChanged(int pin, long entry);
    }

    /**
     * The state of an IOAPIC.
     *
     * @param ioregsel the register select register
     * @param id the ID register
     * @param arbitrationId the arbitration register
     * @param asserted the asserted pins, one a bit
     * @param redirection the 24 redirection entries with their status bits
     * @param successiveEois for each pin, how often in a row its interrupt was ended while it was asserted
     * @param paused the pins that wait for the end of a pause, one a bit
     * @param pauseNanos nanoseconds until the end of the pause
     */
    public record State(
            int ioregsel,
            int id,
            int arbitrationId,
            int asserted,
            long[] redirection,
            int[] successiveEois,
            int paused,
            long pauseNanos) {}

    /**
     * Creates an IOAPIC in its state after reset. The caller attaches it to the bus.
     *
     * @param version {@link #VERSION_82093AA} or {@link #VERSION_EOI_REGISTER}
     * @param clock the time, for the pauses
     * @param bus where its messages go
     * @param listener hears of changed redirection entries
     */
    public IoApic(int version, DeviceClock clock, ApicBus bus, RedirectionListener listener) {
        if (version != VERSION_82093AA && version != VERSION_EOI_REGISTER) {
            throw new IllegalArgumentException("there is no IOAPIC of version 0x%x".formatted(version));
        }
        this.version = version;
        this.clock = clock;
        this.bus = bus;
        this.listener = listener;
        for (int pin = 0; pin < PINS; pin++) {
            int number = pin;
            pins[pin] = level -> drive(number, level);
            redirection[pin] = MASKED;
        }
        pauseTimer = clock.newTimer(this::endPause);
    }

    /**
     * Creates an IOAPIC in its state after reset without a listener.
     *
     * @param version {@link #VERSION_82093AA} or {@link #VERSION_EOI_REGISTER}
     * @param clock the time, for the pauses
     * @param bus where its messages go
     */
    public IoApic(int version, DeviceClock clock, ApicBus bus) {
        this(version, clock, bus, (pin, entry) -> {});
    }

    /** The state after reset: all entries masked, id 0. The pins keep their levels. */
    public void reset() {
        ioregsel = 0;
        id = 0;
        arbitrationId = 0;
        Arrays.fill(successiveEois, 0);
        paused = 0;
        pauseTimer.cancel();
        for (int pin = 0; pin < PINS; pin++) {
            setEntry(pin, MASKED);
        }
    }

    @Override
    public String name() {
        return "ioapic";
    }

    /**
     * An input pin.
     *
     * @param pin 0..23; on a PC, ISA interrupts are at the pin of their number but IRQ0, which is at pin 2
     * @return the input
     */
    public InterruptLine pin(int pin) {
        return pins[pin];
    }

    /**
     * A redirection entry.
     *
     * @param pin 0..23
     * @return the entry, 64 bits
     */
    public long redirection(int pin) {
        return redirection[pin];
    }

    /**
     * The message that a redirection entry sends.
     *
     * @param entry the entry
     * @return the message for {@link ApicBus#send}, see also {@link MsiMessage#address}
     */
    public static long toApicMessage(long entry) {
        int low = (int) entry | ApicMessage.LEVEL_ASSERT;
        if (!isLevelTriggered(entry)) {
            low &= ~ApicMessage.TRIGGER_LEVEL;
        }
        return ApicMessage.ofRegister(low, ApicMessage.widenDestination((int) (entry >>> 56)));
    }

    /**
     * Whether an entry's interrupts wait for an end-of-interrupt message.
     *
     * @param entry the entry
     * @return true for level-triggered entries of fixed or lowest-priority delivery
     */
    public static boolean isLevelTriggered(long entry) {
        return (entry & TRIGGER_LEVEL) != 0 && (entry >>> 8 & 7) <= ApicMessage.LOWEST_PRIORITY;
    }

    /** {@inheritDoc} The registers are 32 bits wide. */
    @Override
    public int maxAccessSize() {
        return 4;
    }

    /** Reads a register; IOREGSEL also byte by byte. What does not exist reads as zero. */
    @Override
    public long read(int offset, int size) {
        int shift = 8 * (offset & 3);
        return switch (offset & 0xFC) {
            case IOREGSEL -> ioregsel >>> shift;
            case IOWIN -> Integer.toUnsignedLong(readWindow()) >>> shift;
            default -> 0;
        };
    }

    /** Writes a register; IOREGSEL also by its low byte. Writes of parts of the others have no effect. */
    @Override
    public void write(int offset, int size, long value) {
        switch (offset & 0xFF) {
            case IOREGSEL -> ioregsel = (int) value & 0xFF;
            case IOWIN -> {
                if (size >= 4) {
                    writeWindow((int) value);
                }
            }
            case EOIR -> {
                if (size >= 4 && version >= VERSION_EOI_REGISTER) {
                    endOfInterrupt((int) value & 0xFF);
                }
            }
            default -> {
                // Reserved.
            }
        }
    }

    private int readWindow() {
        switch (ioregsel) {
            case IOAPICID:
                return id;
            case IOAPICVER:
                return version | PINS - 1 << 16;
            case IOAPICARB:
                return arbitrationId;
            default:
                int index = ioregsel - IOREDTBL;
                if (index < 0 || index >= 2 * PINS) {
                    return 0;
                }
                long entry = redirection[index >>> 1];
                return (int) ((index & 1) == 0 ? entry : entry >>> 32);
        }
    }

    private void writeWindow(int value) {
        if (ioregsel == IOAPICID) {
            id = value & ID_BITS;
            arbitrationId = id;
            return;
        }
        int index = ioregsel - IOREDTBL;
        if (index < 0 || index >= 2 * PINS) {
            return;
        }
        int pin = index >>> 1;
        long entry = redirection[pin];
        if ((index & 1) == 0) {
            entry = entry & 0xFFFFFFFFL << 32 | Integer.toUnsignedLong(value);
        } else {
            entry = entry & 0xFFFFFFFFL | (long) value << 32;
        }
        writeEntry(pin, entry & ENTRY_WRITABLE);
    }

    private void writeEntry(int pin, long wanted) {
        long status = redirection[pin] & (REMOTE_IRR | DELIVERY_STATUS);
        if ((wanted & TRIGGER_LEVEL) == 0) {
            // Switching to edge and back is how software without an EOI register clears the remote IRR.
            status = 0;
        }
        setEntry(pin, wanted | status);
        serviceLevel(pin);
    }

    private void setEntry(int pin, long entry) {
        long before = redirection[pin];
        redirection[pin] = entry;
        if (((before ^ entry) & ENTRY_WRITABLE) != 0) {
            listener.redirectionChanged(pin, entry & ENTRY_WRITABLE);
        }
    }

    /**
     * Drives an input pin and says what came of it, as {@code KVM_IRQ_LINE_STATUS} does for one chip.
     *
     * @param pin 0..23
     * @param level true to assert
     * @return how many local APICs took the interrupt; 0 where it waits already or none wanted it, -1 where the pin is
     *     masked or leads nowhere; 1 for deasserting
     */
    public int drive(int pin, boolean level) {
        int bit = 1 << pin;
        boolean changed = (asserted & bit) != 0 != level;
        if (changed) {
            asserted ^= bit;
        }
        if (!level) {
            if (changed) {
                redirection[pin] &= ~DELIVERY_STATUS;
            }
            return 1;
        }
        long entry = redirection[pin];
        if ((entry & MASKED) != 0) {
            return -1;
        }
        if (!changed) {
            return 0;
        }
        return isLevelTriggered(entry) ? serviceLevel(pin) : bus.send(toApicMessage(entry));
    }

    /**
     * Sends the interrupt of a level-triggered pin that is asserted, not masked and not in service; returns how many
     * took it.
     */
    private int serviceLevel(int pin) {
        long entry = redirection[pin];
        if ((asserted & 1 << pin) == 0 || !isLevelTriggered(entry) || (entry & (MASKED | REMOTE_IRR)) != 0) {
            return 0;
        }
        // Before sending: on this thread the message can lead to an EOI, which has to find the bit set.
        redirection[pin] = entry & ~DELIVERY_STATUS | REMOTE_IRR;
        int taken = bus.send(toApicMessage(entry));
        if (taken <= 0) {
            redirection[pin] = entry | DELIVERY_STATUS;
        }
        return taken;
    }

    /**
     * A processor ended a level-triggered interrupt: entries with this vector may send again, and do if their pin is
     * still asserted. Also for boards that learn of it by another way than the bus.
     */
    @Override
    public void endOfInterrupt(int vector) {
        for (int pin = 0; pin < PINS; pin++) {
            long entry = redirection[pin];
            if ((entry & REMOTE_IRR) != 0 && (entry & 0xFF) == vector) {
                redirection[pin] = entry & ~REMOTE_IRR;
                serviceAgain(pin);
            }
        }
    }

    private void serviceAgain(int pin) {
        if ((asserted & 1 << pin) == 0) {
            successiveEois[pin] = 0;
        } else if (++successiveEois[pin] < STORM_EOIS) {
            serviceLevel(pin);
        } else {
            successiveEois[pin] = 0;
            if (paused == 0) {
                pauseEnd = clock.nanoTime() + STORM_PAUSE_NANOS;
                pauseTimer.arm(pauseEnd);
            }
            paused |= 1 << pin;
        }
    }

    private void endPause() {
        int pins = paused;
        paused = 0;
        while (pins != 0) {
            serviceLevel(Integer.numberOfTrailingZeros(pins));
            pins &= pins - 1;
        }
    }

    @Override
    public State save() {
        return new State(
                ioregsel,
                id,
                arbitrationId,
                asserted,
                redirection.clone(),
                successiveEois.clone(),
                paused,
                paused == 0 ? 0 : Math.max(0, pauseEnd - clock.nanoTime()));
    }

    /** {@inheritDoc} The listener hears of the entries that differ; nothing is sent. */
    @Override
    public void restore(State state) {
        if (state.redirection.length != PINS || state.successiveEois.length != PINS) {
            throw new IllegalArgumentException("an IOAPIC has " + PINS + " redirection entries");
        }
        ioregsel = state.ioregsel & 0xFF;
        id = state.id & ID_BITS;
        arbitrationId = state.arbitrationId & ID_BITS;
        asserted = state.asserted & (1 << PINS) - 1;
        for (int pin = 0; pin < PINS; pin++) {
            setEntry(pin, state.redirection[pin] & (ENTRY_WRITABLE | REMOTE_IRR | DELIVERY_STATUS));
            successiveEois[pin] = Math.clamp(state.successiveEois[pin], 0, STORM_EOIS);
        }
        paused = state.paused & (1 << PINS) - 1;
        pauseTimer.cancel();
        if (paused != 0) {
            pauseEnd = clock.nanoTime() + Math.clamp(state.pauseNanos, 0, STORM_PAUSE_NANOS);
            pauseTimer.arm(pauseEnd);
        }
    }
}
