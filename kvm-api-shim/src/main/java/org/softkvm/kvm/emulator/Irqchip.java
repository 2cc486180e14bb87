package org.softkvm.kvm.emulator;

import java.util.List;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.DeviceBus;
import org.softkvm.devices.StateHash;
import org.softkvm.devices.apic.ApicBus;
import org.softkvm.devices.apic.InProcessApicBus;
import org.softkvm.devices.apic.IoApic;
import org.softkvm.devices.isa.Pic8259Pair;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.kvm.IoapicState;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.PicState;
import org.softkvm.kvm.PitState;

/**
 * The chips that KVM_CREATE_IRQCHIP and KVM_CREATE_PIT2 put into the backend: the PICs, an IOAPIC and a PIT, wired to the
 * local APICs. One lock serialises them.
 */
final class Irqchip implements ApicBus.EoiListener {
    /** KVM's IOAPIC answers in 256 bytes. */
    private static final int IOAPIC_LENGTH = 0x100;

    /** The PIT's interrupt. */
    private static final int PIT_GSI = 0;

    private final ChipLock lock;
    private final DeviceClock clock;
    private final InterruptRouting routing;
    private final IrqFds irqFds;
    private final List<EmulatorVcpu> vcpus;
    private final Pic8259Pair pic = new Pic8259Pair(this::setIntr, this::picEnded);
    private final IoApic ioApic;
    private final int[] picSources = new int[Pic8259Pair.INPUTS];
    private final int[] ioApicSources = new int[IoApic.PINS];

    private volatile PitTimer pit;

    Irqchip(
            ChipLock lock,
            DeviceClock clock,
            InProcessApicBus bus,
            InterruptRouting routing,
            IrqFds irqFds,
            List<EmulatorVcpu> vcpus) {
        this.lock = lock;
        this.clock = clock;
        this.routing = routing;
        this.irqFds = irqFds;
        this.vcpus = vcpus;
        ioApic = new IoApic(IoApic.VERSION_82093AA, clock, bus, (pin, entry) -> redirectionChanged(pin));
        bus.attach(this);
    }

    /** Puts the registers of the chips on a bus. */
    void addTo(DeviceBus bus) {
        bus.addPorts(0x20, 2, new MaskedPic(pic.master()));
        bus.addPorts(0xA0, 2, pic.slave());
        bus.addPorts(0x4D0, 2, pic.elcr());
        bus.addMmio(IoApic.DEFAULT_BASE, IOAPIC_LENGTH, ioApic);
        if (pit != null) {
            pit.addTo(bus);
        }
    }

    /** Adds the state of all chips. */
    void hashState(StateHash hash) {
        lock.lock();
        try {
            hash.add(pic.save());
            hash.add(ioApic.save());
            if (pit != null) {
                pit.hashState(hash);
            }
        } finally {
            lock.unlock();
        }
    }

    // ---- Interrupts

    /** Drives a pin; returns as KVM_IRQ_LINE_STATUS. Any thread. */
    int drive(int source, int chip, int pin, boolean level) {
        lock.lock();
        try {
            if (chip == IrqRoute.IRQCHIP_IOAPIC) {
                ioApicSources[pin] = level ? ioApicSources[pin] | source : ioApicSources[pin] & ~source;
                return ioApic.drive(pin, ioApicSources[pin] != 0);
            }
            int irq = chip == IrqRoute.IRQCHIP_PIC_SLAVE ? GsiRoutes.PIC_PINS + pin : pin;
            picSources[irq] = level ? picSources[irq] | source : picSources[irq] & ~source;
            return pic.drive(irq, picSources[irq] != 0);
        } finally {
            lock.unlock();
        }
    }

    /** INTR of the PICs is wired to LINT0 of all local APICs. */
    private void setIntr(boolean level) {
        for (EmulatorVcpu vcpu : vcpus) {
            vcpu.setLint0(level);
        }
    }

    /** A new vcpu's local APIC. */
    void attach(EmulatorVcpu vcpu) {
        lock.lock();
        try {
            vcpu.setLint0(pic.interruptPending());
            vcpu.setReportedVector(reportedVector());
        } finally {
            lock.unlock();
        }
    }

    /** An INTA cycle; -1 where the request has gone. A vcpu's thread. */
    int acknowledge() {
        lock.lock();
        try {
            return pic.interruptPending() ? pic.acknowledge() : -1;
        } finally {
            lock.unlock();
        }
    }

    private void picEnded(int irq) {
        int chip = irq < GsiRoutes.PIC_PINS ? IrqRoute.IRQCHIP_PIC_MASTER : IrqRoute.IRQCHIP_PIC_SLAVE;
        ended(chip, irq % GsiRoutes.PIC_PINS);
    }

    /** A local APIC ended a level-triggered interrupt. The bus holds the lock. */
    @Override
    public void endOfInterrupt(int vector) {
        // Before the IOAPIC looks whether the pin is still asserted.
        for (int pin = 0; pin < IoApic.PINS; pin++) {
            long entry = ioApic.redirection(pin);
            if ((entry & IoApic.REMOTE_IRR) != 0 && (entry & 0xFF) == vector) {
                ended(IrqRoute.IRQCHIP_IOAPIC, pin);
            }
        }
        ioApic.endOfInterrupt(vector);
    }

    /** A local APIC ended an edge-triggered interrupt of {@link #reportedVector}. A vcpu's thread. */
    void edgeEnded(int vector) {
        lock.lock();
        try {
            for (int pin = 0; pin < IoApic.PINS; pin++) {
                long entry = ioApic.redirection(pin);
                if (!IoApic.isLevelTriggered(entry) && (entry & 0xFF) == vector) {
                    ended(IrqRoute.IRQCHIP_IOAPIC, pin);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void ended(int chip, int pin) {
        int gsi = routing.routes().gsiOf(chip, pin);
        if (gsi < 0) {
            return;
        }
        if (gsi == PIT_GSI && pit != null) {
            pit.interruptEnded();
        }
        irqFds.ended(gsi, lock);
    }

    /** A redirection entry changed: what is on its way to the PIT's pin may never be ended. */
    private void redirectionChanged(int pin) {
        if (pit != null && routing.routes().gsiOf(IrqRoute.IRQCHIP_IOAPIC, pin) == PIT_GSI) {
            pit.forgetTicks();
            reportEnds();
        }
    }

    /** The local APICs tell of the end of an edge-triggered interrupt only where they are asked to: the PIT's. */
    void reportEnds() {
        lock.lock();
        try {
            int vector = reportedVector();
            for (EmulatorVcpu vcpu : vcpus) {
                vcpu.setReportedVector(vector);
            }
        } finally {
            lock.unlock();
        }
    }

    /** The vector of the PIT's interrupt through the IOAPIC, or -1. */
    int reportedVector() {
        lock.lock();
        try {
            if (pit == null) {
                return -1;
            }
            for (int pin = 0; pin < IoApic.PINS; pin++) {
                long entry = ioApic.redirection(pin);
                if (routing.routes().gsiOf(IrqRoute.IRQCHIP_IOAPIC, pin) == PIT_GSI
                        && !IoApic.isLevelTriggered(entry)
                        && (entry & IoApic.MASKED) == 0) {
                    return (int) entry & 0xFF;
                }
            }
            return -1;
        } finally {
            lock.unlock();
        }
    }

    /** The ports of the first PIC. Unmasking input 0 forgets the ticks that the guest did not want. */
    private final class MaskedPic implements BusDevice {
        private final BusDevice ports;

        MaskedPic(BusDevice ports) {
            this.ports = ports;
        }

        @Override
        public String name() {
            return ports.name();
        }

        @Override
        public long read(int offset, int size) {
            return ports.read(offset, size);
        }

        @Override
        public void write(int offset, int size, long value) {
            int before = pic.masks();
            ports.write(offset, size, value);
            if (pit != null && (before & ~pic.masks() & 1) != 0) {
                pit.forgetTicks();
            }
        }
    }

    // ---- State

    void getPic(boolean slave, PicState state) {
        lock.lock();
        try {
            Pic8259Pair.State both = pic.save();
            IrqchipCodec.get(slave ? both.slave() : both.master(), state);
            state.elcrMask = slave ? Pic8259Pair.ELCR_WRITABLE >>> 8 : Pic8259Pair.ELCR_WRITABLE & 0xFF;
        } finally {
            lock.unlock();
        }
    }

    void setPic(boolean slave, PicState state) {
        lock.lock();
        try {
            Pic8259Pair.State both = pic.save();
            Pic8259Pair.ChipState chip = IrqchipCodec.set(state);
            pic.restore(slave ? new Pic8259Pair.State(both.master(), chip) : new Pic8259Pair.State(chip, both.slave()));
            if (pit != null) {
                pit.forgetTicks();
            }
        } finally {
            lock.unlock();
        }
    }

    void getIoapic(IoapicState state) {
        lock.lock();
        try {
            IrqchipCodec.get(ioApic.save(), state);
        } finally {
            lock.unlock();
        }
    }

    void setIoapic(IoapicState state) {
        lock.lock();
        try {
            ioApic.restore(IrqchipCodec.set(state));
            for (int pin = 0; pin < IoApic.PINS; pin++) {
                if ((state.irr & 1 << pin) != 0) {
                    ioApic.drive(pin, true);
                }
            }
            if (pit != null) {
                pit.forgetTicks();
            }
            reportEnds();
        } finally {
            lock.unlock();
        }
    }

    // ---- PIT

    /** Makes the PIT; false where there is one. */
    boolean createPit(boolean speaker) {
        lock.lock();
        try {
            if (pit != null) {
                return false;
            }
            pit = new PitTimer(clock, level -> routing.drive(InterruptRouting.SOURCE_PIT, PIT_GSI, level), speaker);
            reportEnds();
            return true;
        } finally {
            lock.unlock();
        }
    }

    boolean hasPit() {
        return pit != null;
    }

    void getPit(PitState state) {
        lock.lock();
        try {
            pit.get(state);
        } finally {
            lock.unlock();
        }
    }

    void setPit(PitState state) {
        lock.lock();
        try {
            pit.set(state);
        } finally {
            lock.unlock();
        }
    }

    void setReinject(boolean reinject) {
        lock.lock();
        try {
            pit.setReinject(reinject);
        } finally {
            lock.unlock();
        }
    }
}
