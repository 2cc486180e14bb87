package org.softkvm.vmm.pc;

import java.util.ArrayList;
import java.util.List;
import org.softkvm.devices.apic.IoApic;
import org.softkvm.devices.apic.MsiMessage;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.Vm;

/**
 * Keeps KVM's routing table equal to the IOAPIC's redirection entries. With a split irqchip this is how KVM knows which
 * vectors are level-triggered, so that their end of interrupt has to leave the guest (KVM_EXIT_IOAPIC_EOI).
 *
 * <p>Masked entries stay in the table: an interrupt that was masked while in service still has to be ended.
 */
final class GsiRoutes implements IoApic.RedirectionListener {
    private final Vm vm;
    private final long[] entries = new long[IoApic.PINS];

    GsiRoutes(Vm vm) {
        this.vm = vm;
    }

    @Override
    public void redirectionChanged(int pin, long entry) {
        entries[pin] = entry & ~IoApic.MASKED;
        List<IrqRoute> routes = new ArrayList<>();
        for (int gsi = 0; gsi < entries.length; gsi++) {
            if (entries[gsi] != 0) {
                long message = IoApic.toApicMessage(entries[gsi]);
                routes.add(new IrqRoute.Msi(gsi, MsiMessage.address(message), MsiMessage.data(message)));
            }
        }
        vm.setGsiRouting(routes);
    }
}
