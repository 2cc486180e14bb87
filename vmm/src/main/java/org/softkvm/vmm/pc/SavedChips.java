package org.softkvm.vmm.pc;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.softkvm.kvm.ClockData;
import org.softkvm.kvm.IoapicState;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.PicState;
import org.softkvm.kvm.PitState;
import org.softkvm.kvm.Vm;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.snapshot.RecordCodec;
import org.softkvm.vmm.snapshot.SnapshotReader;
import org.softkvm.vmm.snapshot.SnapshotWriter;

/** What a snapshot has of the VM: its clocks, and with a full irqchip the PICs, the IOAPIC and the PIT of the backend. */
final class SavedChips {
    private final long virtualTime;
    private final ClockData clock = new ClockData();
    private final PicState master = new PicState();
    private final PicState slave = new PicState();
    private final IoapicState ioapic = new IoapicState();
    private final PitState timer = new PitState();
    private final boolean full;
    private final boolean pit;

    private SavedChips(PcConfig config, long virtualTime) {
        this.virtualTime = virtualTime;
        full = config.irqchip().equals("full");
        pit = full && Board.hasPit(config);
    }

    /** Takes the state; no vcpu runs. */
    static SavedChips of(Vm vm, PcConfig config) {
        SavedChips chips = new SavedChips(config, config.virtualClock() ? vm.virtualTime() : 0);
        vm.getClock(chips.clock);
        if (chips.pit) {
            vm.getPit(chips.timer);
        }
        if (chips.full) {
            vm.getPic(IrqRoute.IRQCHIP_PIC_MASTER, chips.master);
            vm.getPic(IrqRoute.IRQCHIP_PIC_SLAVE, chips.slave);
            vm.getIoapic(chips.ioapic);
        }
        return chips;
    }

    private List<Object> structures() {
        List<Object> structures = new ArrayList<>();
        structures.add(clock);
        if (full) {
            structures.addAll(List.of(master, slave, ioapic));
        }
        if (pit) {
            structures.add(timer);
        }
        return structures;
    }

    void write(SnapshotWriter out) throws IOException {
        out.putLong(virtualTime);
        for (Object structure : structures()) {
            RecordCodec.writeFields(structure, out);
        }
    }

    static SavedChips read(SnapshotReader in, PcConfig config) throws VmmException {
        SavedChips chips = new SavedChips(config, in.getLong());
        if (chips.virtualTime < 0) {
            throw in.damaged("a time of " + chips.virtualTime);
        }
        for (Object structure : chips.structures()) {
            RecordCodec.readFields(structure, in);
        }
        return chips;
    }

    /** The virtual time at which the machine was saved. */
    long virtualTime() {
        return virtualTime;
    }

    /** Lets the paravirtual clock go on from where it stood. */
    void restoreClock(Vm vm) {
        ClockData now = new ClockData();
        vm.getClock(now);
        // Where time stands still there is nothing to set, and the guest's records stay as they are.
        if (now.clock != clock.clock) {
            now = new ClockData();
            now.clock = clock.clock;
            vm.setClock(now);
        }
    }

    /** Restores the chips. */
    void restore(Vm vm) {
        if (pit) {
            vm.setPit(timer);
        }
        if (full) {
            vm.setPic(IrqRoute.IRQCHIP_PIC_MASTER, master);
            vm.setPic(IrqRoute.IRQCHIP_PIC_SLAVE, slave);
            vm.setIoapic(ioapic);
        }
    }
}
