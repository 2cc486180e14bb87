package org.softkvm.kvm.emulator;

import org.softkvm.devices.apic.IoApic;
import org.softkvm.devices.isa.Pic8259Pair;
import org.softkvm.kvm.IoapicState;
import org.softkvm.kvm.PicState;

/** The states of PIC and IOAPIC between device-models and KVM's structures. */
final class IrqchipCodec {
    private static final int ID_SHIFT = 24;
    private static final int LAST_ICW = 4;

    private IrqchipCodec() {}

    static void get(Pic8259Pair.ChipState chip, PicState state) {
        state.lastIrr = chip.inputs();
        state.irr = chip.irr();
        state.imr = chip.imr();
        state.isr = chip.isr();
        state.priorityAdd = chip.lowest() + 1 & 7;
        state.irqBase = chip.vectorBase();
        state.readRegSelect = chip.readIsr();
        state.poll = chip.poll();
        state.specialMask = chip.specialMask();
        state.initState = chip.expectedIcw() == 0 ? 0 : chip.expectedIcw() - 1;
        state.autoEoi = chip.autoEoi();
        state.rotateOnAutoEoi = chip.rotateOnAutoEoi();
        state.specialFullyNestedMode = chip.specialFullyNested();
        state.init4 = chip.icw4Needed();
        state.elcr = chip.elcr();
    }

    /** The chip checks the values itself. KVM has no bit for a chip without a slave: a PC has two. */
    static Pic8259Pair.ChipState set(PicState state) {
        return new Pic8259Pair.ChipState(
                state.irr,
                state.isr,
                state.imr,
                state.lastIrr,
                state.elcr,
                state.irqBase,
                state.priorityAdd + 7 & 7,
                state.initState >= 1 && state.initState < LAST_ICW ? state.initState + 1 : 0,
                false,
                state.init4,
                state.autoEoi,
                state.rotateOnAutoEoi,
                state.specialFullyNestedMode,
                state.specialMask,
                state.readRegSelect,
                state.poll);
    }

    static void get(IoApic.State chip, IoapicState state) {
        state.baseAddress = IoApic.DEFAULT_BASE;
        state.ioregsel = chip.ioregsel();
        state.id = chip.id() >>> ID_SHIFT & 0xF;
        state.irr = chip.asserted();
        System.arraycopy(chip.redirection(), 0, state.redirtbl, 0, IoapicState.PINS);
    }

    /** All pins are deasserted: the caller asserts those that are to be. */
    static IoApic.State set(IoapicState state) {
        return new IoApic.State(
                state.ioregsel,
                (state.id & 0xF) << ID_SHIFT,
                (state.id & 0xF) << ID_SHIFT,
                0,
                state.redirtbl.clone(),
                new int[IoApic.PINS],
                0,
                0);
    }
}
