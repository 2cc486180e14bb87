package org.softkvm.devices.apic;

import static org.softkvm.devices.apic.ApicRegister.LVT_CMCI;
import static org.softkvm.devices.apic.ApicRegister.LVT_LINT0;
import static org.softkvm.devices.apic.ApicRegister.LVT_TIMER;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * The local vector table of a local APIC and its LINT pins. Thread-safe: entries are written by the processor's
 * thread, pins and local interrupts come from any.
 */
final class LocalVectorTable {
    static final int ENTRIES = 7;
    static final int MASKED = 1 << 16;
    static final int REMOTE_IRR = 1 << 14;

    private static final int LEVEL = 1 << 15;

    private final Owner owner;
    private final CpuSignals signals;

    /** The entries without their status bits: CMCI, then 320h to 370h. */
    private final AtomicIntegerArray entries = new AtomicIntegerArray(ENTRIES);

    /** Bit 0 and 1: LINT0 and LINT1 are asserted. */
    private final AtomicInteger pins = new AtomicInteger();

    /** Bit 0 and 1: a level-triggered interrupt of that pin has not been ended yet. */
    private final AtomicInteger remoteIrr = new AtomicInteger();

    /** The local APIC around the table. */
    interface Owner {
        boolean isEnabled();

        /** Requests a vector. */
        void request(int vector, boolean level);
    }

    LocalVectorTable(Owner owner, CpuSignals signals) {
        this.owner = owner;
        this.signals = signals;
    }

    /** Masks and clears all entries; the pins keep their levels. */
    void reset() {
        for (int i = 0; i < ENTRIES; i++) {
            entries.set(i, MASKED);
        }
        remoteIrr.set(0);
    }

    void maskAll() {
        for (int i = 0; i < ENTRIES; i++) {
            entries.set(i, entries.get(i) | MASKED);
        }
    }

    /** An entry as it reads. */
    int read(int register) {
        int value = entry(register);
        int pin = register - LVT_LINT0;
        return pin >> 1 == 0 && (remoteIrr.get() & 1 << pin) != 0 ? value | REMOTE_IRR : value;
    }

    /** Writes an entry with all that follows from it, but for the timer. */
    void write(int register, int value) {
        set(register, value);
        int pin = register - LVT_LINT0;
        if (pin >> 1 == 0) {
            if ((value & LEVEL) == 0) {
                remoteIrr.getAndAccumulate(1 << pin, (bits, bit) -> bits & ~bit);
            } else if ((pins.get() & 1 << pin) != 0) {
                deliverPin(pin);
            }
            signals.extIntChanged();
        }
    }

    /** Sets an entry and nothing else. */
    void set(int register, int value) {
        entries.set(index(register), value & ApicRegister.lvtWritable(register));
    }

    private int entry(int register) {
        return entries.get(index(register));
    }

    private static int index(int register) {
        return register == LVT_CMCI ? 0 : register - LVT_TIMER + 1;
    }

    private static int deliveryMode(int entry) {
        return entry >>> 8 & 7;
    }

    /** Delivers the interrupt of an entry unless it is masked. */
    void deliver(int register) {
        int entry = entry(register);
        if ((entry & MASKED) != 0 || !owner.isEnabled()) {
            return;
        }
        switch (deliveryMode(entry)) {
            case ApicMessage.FIXED -> owner.request(entry & 0xFF, false);
            case ApicMessage.SMI -> signals.smi();
            case ApicMessage.NMI -> signals.nmi();
            case ApicMessage.INIT -> signals.init();
            default -> {
                // ExtINT is a level that the processor polls; the rest is reserved.
            }
        }
    }

    /** Whether an 8259A asks at a pin that leads it to the processor. */
    boolean isExtIntAsserted() {
        int asserted = pins.get();
        if (!owner.isEnabled()) {
            return (asserted & 1) != 0;
        }
        return (asserted & 1) != 0 && isExtInt(LVT_LINT0) || (asserted & 2) != 0 && isExtInt(LVT_LINT0 + 1);
    }

    private boolean isExtInt(int register) {
        int entry = entry(register);
        return (entry & MASKED) == 0 && deliveryMode(entry) == ApicMessage.EXTINT;
    }

    void setPin(int pin, boolean level) {
        int bit = 1 << pin;
        int before;
        do {
            before = pins.get();
            if ((before & bit) != 0 == level) {
                return;
            }
        } while (!pins.compareAndSet(before, before ^ bit));
        if (level) {
            deliverPin(pin);
        }
        signals.extIntChanged();
    }

    private void deliverPin(int pin) {
        int entry = entry(LVT_LINT0 + pin);
        if (!owner.isEnabled()) {
            // Without a local APIC the pins are INTR and NMI.
            if (pin == 1) {
                signals.nmi();
            }
        } else if ((entry & LEVEL) != 0 && deliveryMode(entry) == ApicMessage.FIXED) {
            if ((entry & MASKED) == 0 && takeRemoteIrr(pin)) {
                owner.request(entry & 0xFF, true);
            }
        } else {
            deliver(LVT_LINT0 + pin);
        }
    }

    private boolean takeRemoteIrr(int pin) {
        int bit = 1 << pin;
        return (remoteIrr.getAndAccumulate(bit, (bits, more) -> bits | more) & bit) == 0;
    }

    /** A vector was ended: a level-triggered pin with that vector may interrupt again, and does while asserted. */
    void endOfInterrupt(int vector) {
        for (int pin = 0; pin < 2; pin++) {
            int bit = 1 << pin;
            if ((remoteIrr.get() & bit) != 0 && (entry(LVT_LINT0 + pin) & 0xFF) == vector) {
                remoteIrr.getAndAccumulate(bit, (bits, less) -> bits & ~less);
                if ((pins.get() & bit) != 0) {
                    deliverPin(pin);
                }
            }
        }
    }

    // ---- State

    int[] entries() {
        int[] copy = new int[ENTRIES];
        for (int i = 0; i < ENTRIES; i++) {
            copy[i] = entries.get(i);
        }
        return copy;
    }

    int pins() {
        return pins.get();
    }

    int remoteIrr() {
        return remoteIrr.get();
    }

    void restore(int[] newEntries, int newPins, int newRemoteIrr) {
        set(LVT_CMCI, newEntries[0]);
        for (int i = 1; i < ENTRIES; i++) {
            set(LVT_TIMER + i - 1, newEntries[i]);
        }
        pins.set(newPins & 3);
        remoteIrr.set(newRemoteIrr & 3);
    }
}
