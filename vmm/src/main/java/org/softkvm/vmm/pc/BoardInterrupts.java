package org.softkvm.vmm.pc;

import java.util.List;
import org.softkvm.devices.DeviceBus;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;
import org.softkvm.devices.apic.IoApic;
import org.softkvm.devices.isa.Pic8259Pair;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.kvm.Vm;

/** The split irqchip: PICs and IOAPIC on the board, local APICs in the backend. */
final class BoardInterrupts implements Interrupts {
    private static final int ISA_LINES = 16;

    private final Pic8259Pair pic;
    private final IoApic ioApic;

    BoardInterrupts(Vm vm, DeviceClock clock, ExtIntLine extInt) {
        pic = new Pic8259Pair(extInt);
        ioApic = new IoApic(IoApic.VERSION_EOI_REGISTER, clock, new MsiApicBus(vm), new GsiRoutes(vm));
    }

    @Override
    public void addTo(DeviceBus bus, List<StatefulDevice<?>> stateful) {
        bus.addPorts(0x20, 2, pic.master());
        bus.addPorts(0xA0, 2, pic.slave());
        bus.addPorts(0x4D0, 2, pic.elcr());
        bus.addMmio(IoApic.DEFAULT_BASE, IoApic.PAGE_SIZE, ioApic);
        stateful.add(pic);
        stateful.add(ioApic);
    }

    @Override
    public Runnable restoring() {
        return () -> {};
    }

    @Override
    public InterruptLine line(int number) {
        if (number >= ISA_LINES) {
            return ioApic.pin(number);
        }
        return InterruptLine.fanOut(pic.irq(number), ioApic.pin(number == 0 ? 2 : number));
    }

    @Override
    public void endOfInterrupt(int vector) {
        ioApic.endOfInterrupt(vector);
    }

    @Override
    public int acknowledge() {
        return pic.acknowledge();
    }
}
