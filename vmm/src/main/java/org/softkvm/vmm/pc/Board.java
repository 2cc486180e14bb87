package org.softkvm.vmm.pc;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.softkvm.devices.DeviceBus;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.apic.IoApic;
import org.softkvm.devices.isa.Pic8259Pair;
import org.softkvm.devices.isa.Pit8254;
import org.softkvm.devices.time.HostClock;
import org.softkvm.kvm.Vm;
import org.softkvm.vmm.acpi.AcpiBoard;
import org.softkvm.vmm.loader.RamLayout;

/** The chips of the PC and the wires between them. One lock serialises bus accesses, lines and timers. */
final class Board {
    private static final int PM1A_EVENT = 0x600;
    private static final int PM1A_CONTROL = 0x604;
    private static final int PM_TIMER = 0x608;
    private static final int SCI = 9;
    private static final int SMI_COMMAND = 0xB2;
    private static final int ACPI_ENABLE = 0xF1;
    private static final int ACPI_DISABLE = 0xF0;
    private static final int RESET_CONTROL = 0xCF9;
    private static final int RESET_VALUE = 0x06;

    private final ReentrantLock lock = new ReentrantLock();
    private final DeviceBus bus = new DeviceBus();
    private final HostClock clock = new HostClock(lock);
    private final ExtIntLine extInt = new ExtIntLine();
    private final RunEnd end;
    private final PcConfig config;
    private final Optional<byte[]> expected;
    private final List<ConsoleOutput> outputs = new ArrayList<>();
    private final IoApic ioApic;
    private final Pic8259Pair pic;
    private boolean closed;

    Board(Vm vm, PcConfig config, MemoryMap memory, RamLayout layout, RunEnd end) {
        this.config = config;
        this.end = end;
        this.expected = config.expect().map(text -> text.getBytes(StandardCharsets.UTF_8));
        this.pic = new Pic8259Pair(extInt);
        this.ioApic = new IoApic(IoApic.VERSION_EOI_REGISTER, new MsiApicBus(vm), new GsiRoutes(vm));
        interruptControllers();
        timers();
    }

    /** What the ACPI tables have to say of this board. */
    static AcpiBoard acpi(int cpus) {
        return new AcpiBoard(
                cpus,
                PM1A_EVENT,
                PM1A_CONTROL,
                PM_TIMER,
                true,
                SCI,
                SMI_COMMAND,
                ACPI_ENABLE,
                ACPI_DISABLE,
                RESET_CONTROL,
                RESET_VALUE,
                true);
    }

    private void interruptControllers() {
        bus.addPorts(0x20, 2, pic.master());
        bus.addPorts(0xA0, 2, pic.slave());
        bus.addPorts(0x4D0, 2, pic.elcr());
        bus.addMmio(IoApic.DEFAULT_BASE, IoApic.PAGE_SIZE, ioApic);
    }

    private void timers() {
        Pit8254 pit = new Pit8254(clock, irq(0));
        bus.addPorts(0x40, 4, pit.counters());
        bus.addPorts(0x61, 1, pit.portB());
    }

    /** An ISA interrupt: to the PIC, and to the IOAPIC's pin of its number, but IRQ 0 to pin 2. */
    private InterruptLine irq(int number) {
        return InterruptLine.fanOut(pic.irq(number), ioApic.pin(number == 0 ? 2 : number));
    }

    Lock lock() {
        return lock;
    }

    DeviceBus bus() {
        return bus;
    }

    ExtIntLine extInt() {
        return extInt;
    }

    /** A local APIC ended a level-triggered interrupt. The caller holds the lock. */
    void endOfInterrupt(int vector) {
        ioApic.endOfInterrupt(vector);
    }

    /** Runs an INTA cycle on the PIC. The caller holds the lock. */
    int acknowledgeExtInt() {
        return pic.acknowledge();
    }

    /** Begins to read what the guest is to receive. */
    void start() {}

    /** One byte from the guest to a host stream. */
    private void consoleByte(ConsoleOutput output, Optional<TextMatcher> matcher, byte value) {
        output.accept(value);
        if (matcher.isPresent() && matcher.get().accept(value)) {
            end.end(PcResult.Reason.EXPECTED_TEXT, "");
        }
    }

    private ConsoleOutput output(OutputStream stream) {
        for (ConsoleOutput output : outputs) {
            if (output.writesTo(stream)) {
                return output;
            }
        }
        ConsoleOutput output = new ConsoleOutput(stream, clock);
        outputs.add(output);
        return output;
    }

    /** Stops timers and flushes what the guest sent; returns what went wrong with that, or null. */
    IOException close() {
        if (closed) {
            return null;
        }
        closed = true;
        clock.close();
        IOException failure = null;
        lock.lock();
        try {
            for (ConsoleOutput output : outputs) {
                output.flush();
                failure = failure == null ? output.failure() : failure;
            }
        } finally {
            lock.unlock();
        }
        return failure;
    }
}
