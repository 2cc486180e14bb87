package org.softkvm.vmm.pc;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.DeviceBus;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StateHash;
import org.softkvm.devices.StatefulDevice;
import org.softkvm.devices.acpi.AcpiPm;
import org.softkvm.devices.acpi.ResetControl;
import org.softkvm.devices.apic.IoApic;
import org.softkvm.devices.debug.DebugConsole;
import org.softkvm.devices.debug.DebugExit;
import org.softkvm.devices.debug.PcTestDevice;
import org.softkvm.devices.firmware.FwCfg;
import org.softkvm.devices.isa.CoprocessorError;
import org.softkvm.devices.isa.I8042;
import org.softkvm.devices.isa.Pit8254;
import org.softkvm.devices.isa.RtcCmos;
import org.softkvm.devices.isa.SystemControlPortA;
import org.softkvm.devices.isa.Uart16550A;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.HostClock;
import org.softkvm.devices.time.VirtualClock;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.Vm;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.acpi.AcpiBoard;
import org.softkvm.vmm.loader.RamLayout;

/** The chips of the PC and the wires between them. One lock serialises bus accesses, lines and timers. */
final class Board {
    /** What the wall clock shows when a run under the virtual clock starts: 2026-01-01 00:00 UTC, in seconds. */
    static final long VIRTUAL_EPOCH = 1_767_225_600L;

    private static final int COM1 = 0x3F8;
    private static final int DLL = 0;
    private static final int DLM = 1;
    private static final int LCR = 3;
    private static final int LCR_8N1 = 3;
    private static final int LCR_DLAB = 0x80;
    private static final int A20_OPEN = 1 << 1;
    private static final int PM_BASE = 0x600;
    private static final int SCI = 9;
    private static final int SMI_COMMAND = 0xB2;
    private static final int ACPI_ENABLE = 0xF1;
    private static final int ACPI_DISABLE = 0xF0;

    private static final long CLOSE_SECONDS = 2;

    /** Value of the option: the backend has the interrupt controllers and the PIT. */
    private static final String FULL = "full";

    private final ReentrantLock lock = new ReentrantLock();
    private final DeviceBus bus = new DeviceBus();

    /** Null under the virtual clock. */
    private final HostClock hostClock;

    /** Null on the host's clock. */
    private final VirtualClock virtualClock;

    private final DeviceClock clock;
    private CoprocessorError coprocessor;
    private final List<StatefulDevice<?>> stateful = new ArrayList<>();
    private final ExtIntLine extInt = new ExtIntLine();
    private final RunEnd end;
    private final PcConfig config;
    private final List<ConsoleOutput> outputs = new ArrayList<>();
    private final Interrupts interrupts;
    private final MemoryMap memory;
    private final List<Runnable> powerOn = new ArrayList<>();
    private RtcCmos rtc;
    private final Uart16550A uart;
    private final Optional<SerialInput> input;
    private final Optional<VirtualSerialInput> virtualInput;
    private Runnable smi = () -> {};

    /** Input of a snapshot, in case nobody reads it here. */
    private byte[] restoredInput = {};

    private boolean a20Open = true;
    private boolean closed;

    Board(Vm vm, PcConfig config, MemoryMap memory, RamLayout layout, RunEnd end) throws VmmException {
        this.config = config;
        this.end = end;
        this.hostClock = config.virtualClock() ? null : new HostClock(lock);
        this.virtualClock = config.virtualClock() ? new VirtualClock(vm::virtualTime) : null;
        this.clock = config.virtualClock() ? virtualClock : hostClock;
        this.interrupts = config.irqchip().equals(FULL)
                ? new BackendInterrupts(vm, hasPit(config))
                : new BoardInterrupts(vm, clock, extInt);
        this.memory = memory;
        interrupts.addTo(bus, stateful);
        timers(layout);
        control();
        testDevice();
        FwCfg fwCfg = new FwCfg(FirmwareItems.of(config, layout), new VmDma(vm));
        stateful.add(fwCfg);
        bus.addPorts(FwCfg.PORT, FwCfg.PORTS, fwCfg.ports());
        bus.addPorts(FwCfg.DMA_PORT, FwCfg.DMA_PORTS, fwCfg.dmaPorts());
        this.uart = new Uart16550A("com1", clock, irq(4), console(config.serialOutput()));
        stateful.add(uart);
        bus.addPorts(COM1, Uart16550A.PORTS, uart);
        setUpSerialPort();
        if (config.virtualClock()) {
            this.input = Optional.empty();
            this.virtualInput = config.serialInput().map(stream -> new VirtualSerialInput(stream, uart, clock));
        } else {
            this.input = config.serialInput().map(stream -> new SerialInput(stream, uart, lock));
            this.virtualInput = Optional.empty();
        }
        for (DebugPort console : config.debugConsoles()) {
            BusDevice taken = bus.portDevice(console.port());
            if (taken != null) {
                closeClock();
                throw new VmmException("--debugcon: port 0x" + Integer.toHexString(console.port())
                        + " belongs to another device: " + taken.name());
            }
            bus.addPorts(console.port(), 1, new DebugConsole(console(console.output())));
        }
        powerOn.add(interrupts.restoring());
        for (StatefulDevice<?> device : stateful) {
            powerOn.add(device == rtc ? rtc::reset : restoring(device));
        }
    }

    /** What takes a chip back to its present state. */
    private static <S extends Record> Runnable restoring(StatefulDevice<S> device) {
        S state = device.save();
        return () -> device.restore(state);
    }

    /** Takes the chips back to power-on; the calendar, the CMOS RAM and the consoles go on. */
    void powerOn() {
        lock.lock();
        try {
            powerOn.forEach(Runnable::run);
            setA20(true);
        } finally {
            lock.unlock();
        }
    }

    /** What the ACPI tables have to say of this board. */
    static AcpiBoard acpi(PcConfig config) {
        return new AcpiBoard(
                config.cpus(),
                PM_BASE + AcpiPm.PM1A_EVT,
                PM_BASE + AcpiPm.PM1A_CNT,
                PM_BASE + AcpiPm.PM_TMR,
                true,
                SCI,
                SMI_COMMAND,
                ACPI_ENABLE,
                ACPI_DISABLE,
                ResetControl.PORT,
                ResetControl.RESET_VALUE,
                true,
                hasPit(config));
    }

    static boolean hasPit(PcConfig config) {
        return !config.without().contains("pit");
    }

    /** Creates the chips that the backend is to have; before the first vcpu. */
    static void createChips(Vm vm, PcConfig config) {
        if (config.irqchip().equals(FULL)) {
            BackendInterrupts.create(vm, hasPit(config));
        } else {
            vm.enableCap(Capability.SPLIT_IRQCHIP, IoApic.PINS);
        }
    }

    private void timers(RamLayout layout) {
        if (hasPit(config) && !config.irqchip().equals(FULL)) {
            Pit8254 pit = new Pit8254(clock, irq(0));
            stateful.add(pit);
            bus.addPorts(0x40, 4, pit.counters());
            bus.addPorts(0x61, 1, pit.portB());
        }
        long date = config.virtualClock() ? VIRTUAL_EPOCH * 1000 : System.currentTimeMillis();
        rtc = new RtcCmos(clock, irq(8), date * 1_000_000);
        stateful.add(rtc);
        rtc.setMemorySize(layout.lowSize(), layout.highSize());
        bus.addPorts(0x70, RtcCmos.PORTS, rtc);
    }

    /** Reset, power, the A20 gate. */
    private void control() {
        SystemControlPortA port92 = new SystemControlPortA(this::setA20, this::reset);
        stateful.add(port92);
        bus.addPorts(0x92, 1, port92);
        bus.writePort(0x92, 1, A20_OPEN);
        coprocessor = new CoprocessorError(irq(13));
        stateful.add(coprocessor);
        bus.addPorts(0xF0, CoprocessorError.PORTS, coprocessor);
        I8042 keyboard = new I8042(irq(1), this::setA20, this::reset);
        stateful.add(keyboard);
        bus.addPorts(0x60, 1, keyboard.dataPort());
        bus.addPorts(0x64, 1, keyboard.commandPort());
        ResetControl reset = new ResetControl(hard -> reset());
        stateful.add(reset);
        bus.addPorts(ResetControl.PORT, 1, reset);
        AcpiPm.Config acpi = new AcpiPm.Config(true, ACPI_ENABLE, ACPI_DISABLE, false);
        AcpiPm power = new AcpiPm(acpi, clock, irq(SCI), this::sleep);
        stateful.add(power);
        bus.addPorts(PM_BASE, AcpiPm.PORTS, power.registers());
        power.onSmi(() -> smi.run());
        bus.addPorts(SMI_COMMAND, 2, power.smiCommand());
        bus.addPorts(DebugExit.PORT, DebugExit.PORTS, new DebugExit(end::debugExit));
    }

    /** What KVM's unit tests need. Its lines are those of the chips that they belong to, whoever drove one last counts. */
    private void testDevice() {
        InterruptLine[] lines = new InterruptLine[PcTestDevice.IRQ_LINES];
        for (int i = 0; i < lines.length; i++) {
            lines[i] = irq(i);
        }
        // Taking all memory away and giving it back makes any backend forget how it mapped a page.
        PcTestDevice device = new PcTestDevice(lines, page -> memory.install(a20Open));
        stateful.add(device);
        bus.addPorts(PcTestDevice.IO_PORT, PcTestDevice.PORTS, device.ioPorts());
        bus.addPorts(PcTestDevice.FLUSH_PORT, PcTestDevice.PORTS, device.flushPage());
        bus.addPorts(PcTestDevice.IRQ_PORT, PcTestDevice.IRQ_LINES, device.interruptLines());
        bus.addMmio(PcTestDevice.MEMORY_BASE, PcTestDevice.MEMORY_SIZE, device.memory());
    }

    /** The DSDT names one sleeping state, S5, of type 0. */
    private void sleep(int type) {
        if (type == 0) {
            end.end(PcResult.Reason.POWER_OFF, "");
        }
    }

    /** 115,200 baud, 8 bits, no parity, as firmware leaves it: after reset a 16550A sends characters of 5 bits. */
    private void setUpSerialPort() {
        bus.writePort(COM1 + LCR, 1, LCR_DLAB | LCR_8N1);
        bus.writePort(COM1 + DLL, 1, 1);
        bus.writePort(COM1 + DLM, 1, 0);
        bus.writePort(COM1 + LCR, 1, LCR_8N1);
    }

    /** The gate has two sources; as both are driven by the guest alone, the one that changed last counts. */
    private void setA20(boolean open) {
        if (open != a20Open) {
            a20Open = open;
            memory.install(open);
        }
    }

    private void reset() {
        end.end(PcResult.Reason.RESET, "the guest reset the machine");
    }

    /** An interrupt: up to 15 to the PIC, and to the IOAPIC's pin of its number, but 0 to pin 2. */
    private InterruptLine irq(int number) {
        return interrupts.line(number);
    }

    /** The processor asserts FERR#. */
    void coprocessorError() {
        lock.lock();
        try {
            coprocessor.raise();
        } finally {
            lock.unlock();
        }
    }

    /** Decides where SMIs go. */
    void onSmi(Runnable action) {
        smi = action;
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
        interrupts.endOfInterrupt(vector);
    }

    /** Runs an INTA cycle on the PIC. The caller holds the lock. */
    int acknowledgeExtInt() {
        return interrupts.acknowledge();
    }

    /** Begins to read what the guest is to receive; under the virtual clock before the guest starts. */
    void start() throws VmmException {
        input.ifPresent(SerialInput::start);
        if (virtualInput.isPresent()) {
            virtualInput.get().start();
        }
    }

    // ---- Under the virtual clock

    /** The earliest deadline of the chips. */
    long nextDeadline() {
        return virtualClock.nextDeadline();
    }

    /** The time until then, {@link Long#MAX_VALUE} where there is none. */
    long untilDeadline() {
        long deadline = virtualClock.nextDeadline();
        return deadline == Long.MAX_VALUE ? deadline : deadline - virtualClock.nanoTime();
    }

    /** Runs the timers of the chips that are due. */
    void runTimers() {
        if (virtualClock.nextDeadline() <= virtualClock.nanoTime()) {
            lock.lock();
            try {
                virtualClock.runDue();
            } finally {
                lock.unlock();
            }
        }
    }

    // ---- Snapshots; the caller holds the lock

    /** Takes the states of all chips, and the input that was read and has not arrived yet. */
    SavedBoard save() {
        byte[] waiting = virtualInput
                .map(VirtualSerialInput::waiting)
                .orElseGet(() -> input.map(SerialInput::waiting).orElse(restoredInput));
        long nanos = virtualInput.map(VirtualSerialInput::untilNext).orElse(-1L);
        return new SavedBoard(a20Open, types(), waiting, nanos);
    }

    /** The chips, with states of their kinds. */
    List<SavedBoard.Device> types() {
        List<SavedBoard.Device> devices = new ArrayList<>();
        for (StatefulDevice<?> device : stateful) {
            devices.add(SavedBoard.Device.of(device));
        }
        return devices;
    }

    /** Puts the board into a saved state; before {@link #start()}. */
    void restore(SavedBoard state) {
        // The interrupt controllers come first: they know the levels that the others then drive again.
        for (int n = 0; n < stateful.size(); n++) {
            restore(stateful.get(n), state.devices().get(n).state());
        }
        setA20(state.a20Open());
        restoredInput = state.input();
        input.ifPresent(serial -> serial.begin(state.input()));
        virtualInput.ifPresent(serial -> serial.begin(state.input(), state.inputNanos()));
    }

    @SuppressWarnings("unchecked") // the types were compared when the state was read
    private static <S extends Record> void restore(StatefulDevice<S> device, Record state) {
        device.restore((S) state);
    }

    /** Adds the states of all chips, in the order in which they were made. */
    void hashState(StateHash hash) {
        lock.lock();
        try {
            hash.add(a20Open ? 1 : 0);
            for (StatefulDevice<?> device : stateful) {
                hash.add(device.save());
            }
        } finally {
            lock.unlock();
        }
    }

    /** Where the bytes of one console go: to a host stream, past the search for the expected text. */
    private IntConsumer console(OutputStream stream) {
        ConsoleOutput output = output(stream);
        if (config.expect().isEmpty()) {
            return value -> output.accept((byte) value);
        }
        TextMatcher matcher = new TextMatcher(config.expect().get().getBytes(StandardCharsets.UTF_8));
        return value -> {
            output.accept((byte) value);
            if (matcher.accept((byte) value)) {
                end.end(PcResult.Reason.EXPECTED_TEXT, "");
            }
        };
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

    /** Takes the lock unless a thread sits on it, stuck in a write to the host. */
    private boolean lockSoon() {
        try {
            return lock.tryLock(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return lock.tryLock();
        }
    }

    private void closeClock() {
        if (hostClock != null) {
            hostClock.close();
        }
    }

    /** Stops timers and flushes what the guest sent; returns what went wrong with that, or null. */
    IOException close() {
        if (closed) {
            return null;
        }
        closed = true;
        closeClock();
        if (!lockSoon()) {
            return new IOException("a device hangs, or nobody takes what the guest writes");
        }
        IOException failure = null;
        try {
            input.ifPresent(SerialInput::stop);
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
