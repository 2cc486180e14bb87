package org.softkvm.vmm.pc;

import org.softkvm.devices.InterruptLine;

/**
 * The PIC's INTR output. With the PIC outside of KVM the vcpu's own thread has to inject its interrupts, so a rising edge
 * wakes it.
 */
final class ExtIntLine implements InterruptLine {
    private volatile boolean asserted;
    private volatile Runnable wakeUp = () -> {};

    /** What a rising edge does. */
    void onAssert(Runnable action) {
        wakeUp = action;
    }

    @Override
    public void set(boolean level) {
        boolean rising = level && !asserted;
        asserted = level;
        if (rising) {
            wakeUp.run();
        }
    }

    boolean isAsserted() {
        return asserted;
    }
}
