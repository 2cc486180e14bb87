package org.softkvm.kvm.emulator;

/** KVM's own model-specific registers of a vcpu (Documentation/virt/kvm/x86/msr.rst). */
final class PvMsrs {
    /** Whether the host may poll before it lets a halted vcpu's thread sleep; it never does here. */
    static final int MSR_POLL_CONTROL = 0x4b564d05;

    private static final long POLL = 1;

    private final PvClock clock;
    private final PvSteal steal;
    private final PvEoi eoi;
    private long pollControl = POLL;

    PvMsrs(PvClock clock, PvSteal steal, PvEoi eoi) {
        this.clock = clock;
        this.steal = steal;
        this.eoi = eoi;
    }

    static boolean owns(int msr) {
        return PvClock.owns(msr) || msr == PvSteal.MSR || msr == PvEoi.MSR || msr == MSR_POLL_CONTROL;
    }

    PvClock clock() {
        return clock;
    }

    PvSteal steal() {
        return steal;
    }

    PvEoi eoi() {
        return eoi;
    }

    long read(int msr) {
        return switch (msr) {
            case PvSteal.MSR -> steal.read();
            case PvEoi.MSR -> eoi.read();
            case MSR_POLL_CONTROL -> pollControl;
            default -> clock.read(msr);
        };
    }

    /** Writes one; false where that is a #GP. */
    boolean write(int msr, long value) {
        switch (msr) {
            case PvSteal.MSR -> {
                return steal.write(value);
            }
            case PvEoi.MSR -> {
                return eoi.write(value);
            }
            case MSR_POLL_CONTROL -> {
                if ((value & ~POLL) != 0) {
                    return false;
                }
                pollControl = value;
            }
            default -> clock.write(msr, value);
        }
        return true;
    }
}
