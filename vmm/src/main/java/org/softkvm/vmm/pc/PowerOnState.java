package org.softkvm.vmm.pc;

import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.MpState;
import org.softkvm.kvm.Vcpu;

/** The state of a vcpu after power-on, to which a reset of the machine takes it back. KVM has no call for that. */
final class PowerOnState {
    private static final int IA32_APIC_BASE = 0x1B;
    private static final long APIC_MODES = 0xC00;

    /** An access is done in a few parts at most. */
    private static final int MOST_PARTS = 1000;

    private final Vcpu vcpu;
    private final long[] ids;
    private final long[] values;
    private final MpState mpState;

    /** Takes the present state, of a vcpu that has just been made. */
    PowerOnState(Vcpu vcpu) {
        this.vcpu = vcpu;
        ids = vcpu.registerList();
        values = new long[ids.length];
        for (int n = 0; n < ids.length; n++) {
            values[n] = vcpu.getOneReg(ids[n]);
        }
        mpState = vcpu.mpState();
    }

    /** Puts the vcpu back into it; nobody runs it. */
    void restore() {
        // What an exit left open would be finished by the next run, in the new state.
        for (int n = 0; n < MOST_PARTS; n++) {
            vcpu.kick();
            if (vcpu.run() == ExitReason.INTR) {
                break;
            }
        }
        // The mode of the local APIC changes by way of 'off' only.
        vcpu.setMsr(IA32_APIC_BASE, vcpu.getMsr(IA32_APIC_BASE) & ~APIC_MODES);
        for (int n = 0; n < ids.length; n++) {
            vcpu.setOneReg(ids[n], values[n]);
        }
        vcpu.setMpState(mpState);
    }
}
