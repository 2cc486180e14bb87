package org.softkvm.vmm.pc;

import java.util.ArrayList;
import java.util.List;
import org.softkvm.devices.DeviceBus;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;
import org.softkvm.devices.apic.IoApic;
import org.softkvm.kvm.IoapicState;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.PicState;
import org.softkvm.kvm.PitState;
import org.softkvm.kvm.Vm;

/** The full irqchip: PICs, IOAPIC and PIT are in the backend, and the board drives their inputs. */
final class BackendInterrupts implements Interrupts {
    private static final int ISA_LINES = 16;
    private static final int PIC_LINES = 8;
    private static final int CASCADE = 2;

    /** Interrupt 0, the timer's, is at this pin of the IOAPIC. */
    private static final int TIMER_PIN = 2;

    private final Vm vm;

    private final boolean pit;

    BackendInterrupts(Vm vm, boolean pit) {
        this.vm = vm;
        this.pit = pit;
    }

    /** Makes the chips, wired as on the board. */
    static void create(Vm vm, boolean pit) {
        vm.createIrqchip();
        List<IrqRoute> routes = new ArrayList<>();
        for (int gsi = 0; gsi < IoApic.PINS; gsi++) {
            if (gsi == CASCADE) {
                continue;
            }
            if (gsi < ISA_LINES) {
                int chip = gsi < PIC_LINES ? IrqRoute.IRQCHIP_PIC_MASTER : IrqRoute.IRQCHIP_PIC_SLAVE;
                routes.add(new IrqRoute.Irqchip(gsi, chip, gsi % PIC_LINES));
            }
            routes.add(new IrqRoute.Irqchip(gsi, IrqRoute.IRQCHIP_IOAPIC, gsi == 0 ? TIMER_PIN : gsi));
        }
        vm.setGsiRouting(routes);
        if (pit) {
            vm.createPit(Vm.PIT_SPEAKER_DUMMY);
        }
    }

    @Override
    public void addTo(DeviceBus bus, List<StatefulDevice<?>> stateful) {
        // Accesses to the chips do not leave the backend, and their states are part of the VM's.
    }

    @Override
    public Runnable restoring() {
        PicState master = new PicState();
        PicState slave = new PicState();
        IoapicState ioapic = new IoapicState();
        PitState timer = new PitState();
        vm.getPic(IrqRoute.IRQCHIP_PIC_MASTER, master);
        vm.getPic(IrqRoute.IRQCHIP_PIC_SLAVE, slave);
        vm.getIoapic(ioapic);
        if (pit) {
            vm.getPit(timer);
        }
        return () -> {
            if (pit) {
                vm.setPit(timer);
            }
            vm.setPic(IrqRoute.IRQCHIP_PIC_MASTER, master);
            vm.setPic(IrqRoute.IRQCHIP_PIC_SLAVE, slave);
            vm.setIoapic(ioapic);
        };
    }

    @Override
    public InterruptLine line(int number) {
        return level -> vm.irqLine(number, level);
    }

    @Override
    public void endOfInterrupt(int vector) {
        throw new IllegalStateException("end of interrupt " + vector + " without an IOAPIC on the board");
    }

    @Override
    public int acknowledge() {
        throw new IllegalStateException("an INTA cycle without a PIC on the board");
    }
}
