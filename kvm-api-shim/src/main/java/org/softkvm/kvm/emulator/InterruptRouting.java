package org.softkvm.kvm.emulator;

import java.util.List;
import org.softkvm.devices.apic.ApicBus;
import org.softkvm.devices.apic.InProcessApicBus;
import org.softkvm.devices.apic.MsiMessage;
import org.softkvm.kvm.IrqRoute;

/**
 * Where the interrupts of a VM go: by the table of routes to the pins of its own chips, where the irqchip is in the
 * backend, and as messages to the local APICs.
 */
final class InterruptRouting {
    /** Who drives an interrupt; it is asserted while any of them asserts it. The caller of the API: */
    static final int SOURCE_USER = 1;
    /** The PIT of the backend. */
    static final int SOURCE_PIT = 2;
    /** Eventfds of level-triggered interrupts. */
    static final int SOURCE_RESAMPLE = 4;

    private final InProcessApicBus bus;
    private volatile GsiRoutes routes = GsiRoutes.EMPTY;
    private volatile Irqchip irqchip;

    InterruptRouting(InProcessApicBus bus) {
        this.bus = bus;
    }

    GsiRoutes routes() {
        return routes;
    }

    /** The chips of the backend, or null. */
    Irqchip irqchip() {
        return irqchip;
    }

    void setIrqchip(Irqchip chip) {
        irqchip = chip;
        routes = GsiRoutes.defaults();
    }

    /** Replaces the table; returns the old one. */
    GsiRoutes replace(List<? extends IrqRoute> list, int reservedPins) {
        GsiRoutes before = routes;
        routes = GsiRoutes.of(list, reservedPins, irqchip != null);
        return before;
    }

    /**
     * Drives an interrupt.
     *
     * @return as KVM_IRQ_LINE_STATUS: how many took it, 0 where it merged with one that waits, -1 where it was ignored
     */
    int drive(int source, int gsi, boolean level) {
        int result = -1;
        for (IrqRoute route : routes.get(gsi)) {
            int status = switch (route) {
                case IrqRoute.Msi msi -> level ? send(msi.address(), msi.data()) : -1;
                case IrqRoute.Irqchip pin -> irqchip.drive(source, pin.irqchip(), pin.pin(), level);
            };
            if (status >= 0) {
                result = Math.max(result, 0) + status;
            }
        }
        return result;
    }

    /** Sends a message-signalled interrupt. */
    int send(long address, int data) {
        return MsiMessage.isMsiAddress(address)
                ? bus.send(MsiMessage.toApicMessage(address, data))
                : ApicBus.NO_DESTINATION;
    }
}
