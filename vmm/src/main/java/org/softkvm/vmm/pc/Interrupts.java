package org.softkvm.vmm.pc;

import java.util.List;
import org.softkvm.devices.DeviceBus;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;

/** The interrupt controllers as the rest of the board sees them. All calls come with the board's lock held. */
interface Interrupts {
    /** Puts the registers of the board's own chips on its bus, and the chips where their states are looked for. */
    void addTo(DeviceBus bus, List<StatefulDevice<?>> stateful);

    /** What takes the chips that are not on the board back to their present state. */
    Runnable restoring();

    /** The interrupt of a number: those up to 15 lead to the PICs too, and 0 to pin 2 of the IOAPIC. */
    InterruptLine line(int number);

    /** A local APIC ended a level-triggered interrupt. */
    void endOfInterrupt(int vector);

    /** Runs an INTA cycle on the PICs. */
    int acknowledge();
}
