package org.softkvm.kvm.emulator;

import org.softkvm.devices.apic.LocalApic;
import org.softkvm.emulator.GuestMemory;

/**
 * The paravirtual end of interrupt: MSR 4B564D04h. When an interrupt is delivered whose end concerns nobody else, a bit in
 * guest memory says so; the guest may clear it instead of writing the EOI register. Before anything of the local APIC is
 * looked at or changed, {@link #settle} finds out which of the two it is.
 *
 * <p>Belongs to the vcpu's thread.
 */
final class PvEoi {
    static final int MSR = 0x4b564d04;

    private static final long ENABLE = 1;
    private static final long RESERVED = 2;
    private static final int PENDING = 1;

    private final GuestMemory memory;
    private final LocalApic apic;
    private final byte[] flag = new byte[1];
    private long value;

    /** The bit in guest memory was set, and nobody has looked at it since. */
    private boolean offered;

    /** It is to be set when the vcpu runs next. */
    private boolean again;

    /**
     * Makes it off.
     *
     * @param memory where the bit lies
     * @param apic the local APIC, or null where it is outside: then the bit is never set
     */
    PvEoi(GuestMemory memory, LocalApic apic) {
        this.memory = memory;
        this.apic = apic;
    }

    long read() {
        return value;
    }

    /** Sets the MSR; false where that is a #GP. */
    boolean write(long newValue) {
        if ((newValue & RESERVED) != 0) {
            return false;
        }
        settle();
        value = newValue;
        return true;
    }

    /** INIT switches it off. */
    void reset() {
        value = 0;
        offered = false;
        again = false;
    }

    private long address() {
        return value & ~(ENABLE | RESERVED);
    }

    /** An interrupt was delivered: its end may be put off where only the local APIC is concerned. */
    void offer() {
        if ((value & ENABLE) == 0 || !apic.canDeferEnd() || memory.hostOffset(address()) == GuestMemory.NONE) {
            return;
        }
        memory.read(address(), flag, 0, 1);
        flag[0] |= PENDING;
        memory.write(address(), flag, 0, 1);
        offered = true;
    }

    /** Whether the guest was offered to end the interrupt in service by the bit, and has not done so yet. */
    boolean isOpen() {
        if (offered) {
            memory.read(address(), flag, 0, 1);
        }
        return offered && (flag[0] & PENDING) != 0;
    }

    /** Makes the offer again, or not, when the vcpu runs next. */
    void offerAgain(boolean value) {
        again = value;
    }

    /** The vcpu runs: makes an offer that was put off. */
    void resume() {
        if (again) {
            again = false;
            offer();
        }
    }

    /** Whether the interrupt in service may be ended already, and nothing waits for its end. */
    boolean isIdle() {
        return offered && apic.canDeferEnd();
    }

    /** Ends the interrupt if the guest did, else has it write the EOI register. */
    void settle() {
        if (offered) {
            offered = false;
            memory.read(address(), flag, 0, 1);
            if ((flag[0] & PENDING) == 0) {
                apic.endOfInterrupt();
            } else {
                flag[0] &= ~PENDING;
                memory.write(address(), flag, 0, 1);
            }
        }
    }
}
