package org.softkvm.kvm.emulator;

import org.softkvm.devices.apic.LocalApic;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.LocalInterruptController;

/**
 * What a vcpu's core sees as its interrupt controller: the local APIC of device-models where the VM has one, the
 * vector that KVM_INTERRUPT queued, and KVM's own MSRs.
 *
 * <p>Belongs to the vcpu's thread.
 */
final class LapicPort implements LocalInterruptController {
    private static final int NOTHING = -1;
    private static final int VAPIC_SIZE = 4;
    private static final int ISR = 0x100;
    private static final int IRR = 0x200;
    private static final int LVT_LINT0 = 0x350;
    private static final int X2APIC_LVT_LINT0 = 0x835;
    private static final int LVT_MASKED = 1 << 16;
    private static final int DELIVERY_MODE = 7 << 8;
    private static final int EXTINT = 7 << 8;

    private final LocalApic apic;
    private final Listener listener;
    private final Irqchip irqchip;
    private PvMsrs pv;
    private int queuedVector = NOTHING;
    private long interrupts;

    /** Where the guest's patched code keeps the task priority, or 0. */
    private long vapic;

    private GuestMemory vapicMemory;
    private final byte[] vapicWord = new byte[VAPIC_SIZE];

    /** CR8 and IA32_APIC_BASE where there is no local APIC. */
    private int cr8;

    private long apicBase = LocalApic.DEFAULT_BASE | LocalApic.BASE_ENABLE;

    /** Who wants to know of what the guest does here. */
    interface Listener {
        /** The guest lowered CR8 while there is no local APIC. */
        void cr8Lowered();
    }

    /**
     * Makes the port.
     *
     * @param apic the local APIC, or null where it is the caller's of the API
     * @param irqchip the PIC and IOAPIC, or null where they are the caller's
     * @param bootstrap whether this is the boot processor
     * @param listener who wants to know
     */
    LapicPort(LocalApic apic, Irqchip irqchip, boolean bootstrap, Listener listener) {
        this.apic = apic;
        this.irqchip = irqchip;
        this.listener = listener;
        if (bootstrap) {
            apicBase |= LocalApic.BASE_BSP;
        }
    }

    void setPv(PvMsrs msrs) {
        pv = msrs;
    }

    /** An end of interrupt that the guest put off is made up for, before the local APIC is looked at. */
    void settle() {
        pv.eoi().settle();
    }

    // ---- KVM_SET_VAPIC_ADDR

    void setVapic(GuestMemory memory, long address) {
        vapicMemory = memory;
        vapic = address;
    }

    boolean hasVapic() {
        return vapic != 0;
    }

    /** Takes the task priority from where the guest's patched code keeps it. */
    private void loadVapic() {
        vapicMemory.read(vapic, vapicWord, 0, 1);
        apic.setTpr(vapicWord[0] & 0xFF);
    }

    /** Tells that code the task priority, the class in service and the highest request. */
    void storeVapic() {
        if (vapic == 0) {
            return;
        }
        vapicWord[0] = (byte) apic.tpr();
        vapicWord[1] = (byte) (highest(ISR) & 0xF0);
        vapicWord[2] = 0;
        vapicWord[3] = (byte) highest(IRR);
        vapicMemory.write(vapic, vapicWord, 0, VAPIC_SIZE);
    }

    /** The highest vector of a register of 256 bits, or 0. */
    private int highest(int register) {
        for (int word = 7; word >= 0; word--) {
            int bits = (int) apic.read(register + word * 16, 4);
            if (bits != 0) {
                return word * 32 + 31 - Integer.numberOfLeadingZeros(bits);
            }
        }
        return 0;
    }

    /** The vector of KVM_INTERRUPT that waits, or -1. */
    int queuedVector() {
        return queuedVector;
    }

    void setQueuedVector(int vector) {
        queuedVector = vector;
    }

    /** Whether the interrupt output of a PIC outside gets through to the processor. */
    boolean acceptsPic() {
        if (apic == null || !apic.isEnabled()) {
            return true;
        }
        long lint0 = apic.isX2apicMode() ? apic.readMsr(X2APIC_LVT_LINT0) : apic.read(LVT_LINT0, 4);
        return (lint0 & (LVT_MASKED | DELIVERY_MODE)) == EXTINT;
    }

    /** External interrupts that the guest took. */
    long interrupts() {
        return interrupts;
    }

    long apicBase() {
        return apic != null ? apic.apicBase() : apicBase;
    }

    /** Sets IA32_APIC_BASE from outside; false where it does not take the value. */
    boolean setApicBase(long value) {
        if (apic != null) {
            return apic.setApicBase(value);
        }
        apicBase = value;
        return true;
    }

    @Override
    public int pendingVector() {
        if (vapic != 0) {
            loadVapic();
        }
        if (queuedVector >= 0 && acceptsPic()) {
            return queuedVector;
        }
        if (apic == null) {
            return NOTHING;
        }
        if (irqchip != null && apic.isExtIntPending()) {
            // The PIC tells its vector with the INTA cycle only.
            return 0;
        }
        if (pv.eoi().isIdle()) {
            return NOTHING;
        }
        settle();
        return apic.pendingVector();
    }

    @Override
    public int acknowledge() {
        pv.steal().refresh();
        if (queuedVector >= 0 && acceptsPic()) {
            int vector = queuedVector;
            queuedVector = NOTHING;
            interrupts++;
            return vector;
        }
        if (apic == null) {
            return NOTHING;
        }
        if (irqchip != null && apic.isExtIntPending()) {
            apic.acknowledgeExtInt();
            int vector = irqchip.acknowledge();
            if (vector >= 0) {
                interrupts++;
                return vector;
            }
        }
        settle();
        int vector = apic.pendingVector();
        if (vector >= 0) {
            apic.acknowledge(vector);
            interrupts++;
            pv.eoi().offer();
            storeVapic();
        }
        return vector;
    }

    @Override
    public int cr8() {
        return apic != null ? apic.tpr() >>> 4 : cr8;
    }

    @Override
    public void setCr8(int value) {
        if (apic != null) {
            settle();
            apic.setTpr(value << 4);
            storeVapic();
            return;
        }
        boolean lowered = value < cr8;
        cr8 = value;
        if (lowered) {
            listener.cr8Lowered();
        }
    }

    /** Sets CR8 from outside. */
    void setCr8FromOutside(int value) {
        if (apic != null) {
            apic.setTpr(value << 4);
        } else {
            cr8 = value;
        }
    }

    @Override
    public boolean ownsMsr(int index) {
        return PvMsrs.owns(index)
                || index == LocalApic.IA32_APIC_BASE
                || index == LocalApic.IA32_TSC_DEADLINE
                || isX2apic(index);
    }

    @Override
    public boolean canReadMsr(int index) {
        if (PvMsrs.owns(index)) {
            return true;
        }
        if (apic != null) {
            return apic.canReadMsr(index);
        }
        return !isX2apic(index);
    }

    @Override
    public long readMsr(int index) {
        if (PvMsrs.owns(index)) {
            return pv.read(index);
        }
        if (apic != null) {
            settle();
            return apic.readMsr(index);
        }
        return index == LocalApic.IA32_APIC_BASE ? apicBase : 0;
    }

    @Override
    public boolean writeMsr(int index, long value) {
        if (PvMsrs.owns(index)) {
            return pv.write(index, value);
        }
        if (apic != null) {
            settle();
            return apic.writeMsr(index, value);
        }
        if (index == LocalApic.IA32_APIC_BASE) {
            apicBase = value;
        }
        // Without a local APIC a TSC deadline is dropped.
        return !isX2apic(index);
    }

    private static boolean isX2apic(int index) {
        return index >= LocalApic.X2APIC_FIRST_MSR && index <= LocalApic.X2APIC_LAST_MSR;
    }

    @Override
    public long mmioPage() {
        return apic != null && apic.isXapicMode() ? apic.pageAddress() : NOTHING;
    }

    @Override
    public long readMmio(int offset, int size) {
        settle();
        long low = apic.read(offset, Math.min(size, 4));
        return size == 8 ? low & 0xFFFFFFFFL | apic.read(offset + 4, 4) << 32 : low;
    }

    @Override
    public void writeMmio(int offset, int size, long value) {
        settle();
        apic.write(offset, size, value);
        storeVapic();
    }

    @Override
    public void tscChanged() {
        if (apic != null) {
            apic.tscChanged();
        }
        pv.clock().update();
    }
}
