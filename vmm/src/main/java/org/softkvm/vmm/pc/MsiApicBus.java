package org.softkvm.vmm.pc;

import org.softkvm.devices.apic.ApicBus;
import org.softkvm.devices.apic.MsiMessage;
import org.softkvm.kvm.Vm;

/** The APIC bus of a board whose local APICs are in the KVM implementation: messages become KVM_SIGNAL_MSI. */
final class MsiApicBus implements ApicBus {
    private final Vm vm;

    MsiApicBus(Vm vm) {
        this.vm = vm;
    }

    @Override
    public int send(long message) {
        return vm.signalMsi(MsiMessage.address(message), MsiMessage.data(message));
    }

    /** Only local APICs leave a sender out, and they are not on this bus: the message goes to all. */
    @Override
    public int sendToOthers(long message, Receiver sender) {
        return send(message);
    }

    /** Ends of interrupt come from the local APICs as exits, not over this bus. */
    @Override
    public void endOfInterrupt(int vector) {
        throw new IllegalStateException("end of interrupt " + vector + " on a bus without local APICs");
    }
}
