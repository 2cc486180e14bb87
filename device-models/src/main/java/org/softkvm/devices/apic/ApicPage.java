package org.softkvm.devices.apic;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The registers of a local APIC in the layout of KVM's {@code struct kvm_lapic_state}: each at its page offset, 32
 * bits, little-endian.
 */
final class ApicPage {
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private ApicPage() {}

    static void set(byte[] page, int register, int value) {
        INT.set(page, 16 * register, value);
    }

    static int get(byte[] page, int register) {
        return (int) INT.get(page, 16 * register);
    }

    /** The state that a page describes, with what is not in a page taken from another state. */
    static LocalApic.State toState(byte[] page, LocalApic.State other) {
        boolean x2apic = (other.apicBase() & LocalApic.BASE_EXTD) != 0;
        int[] lvt = new int[LocalVectorTable.ENTRIES];
        lvt[0] = get(page, ApicRegister.LVT_CMCI);
        for (int i = 1; i < lvt.length; i++) {
            lvt[i] = get(page, ApicRegister.LVT_TIMER + i - 1);
        }
        int lint0 = get(page, ApicRegister.LVT_LINT0) & LocalVectorTable.REMOTE_IRR;
        int lint1 = get(page, ApicRegister.LVT_LINT1) & LocalVectorTable.REMOTE_IRR;
        int timerMode = get(page, ApicRegister.LVT_TIMER) >>> 17 & 3;
        boolean counts = timerMode != ApicTimer.TSC_DEADLINE;
        int count = counts ? get(page, ApicRegister.TIMER_CURRENT) : 0;
        return new LocalApic.State(
                other.apicBase(),
                x2apic ? other.id() : get(page, ApicRegister.ID),
                get(page, ApicRegister.TPR),
                x2apic ? other.ldr() : get(page, ApicRegister.LDR),
                x2apic ? other.dfr() : get(page, ApicRegister.DFR),
                get(page, ApicRegister.SVR),
                (long) get(page, ApicRegister.ICR2) << 32 | Integer.toUnsignedLong(get(page, ApicRegister.ICR)),
                get(page, ApicRegister.ESR),
                other.errors(),
                other.errorArmed(),
                vectors(page, ApicRegister.ISR),
                vectors(page, ApicRegister.IRR),
                vectors(page, ApicRegister.TMR),
                lvt,
                timerMode,
                get(page, ApicRegister.TIMER_DIVIDE),
                counts ? Integer.toUnsignedLong(get(page, ApicRegister.TIMER_INITIAL)) : 0,
                count != 0,
                0,
                Integer.toUnsignedLong(count),
                counts ? 0 : other.tscDeadline(),
                other.pins(),
                (lint0 != 0 ? 1 : 0) | (lint1 != 0 ? 2 : 0),
                other.extIntLatched(),
                other.eoiExitVectors());
    }

    private static int[] vectors(byte[] page, int first) {
        int[] words = new int[VectorSet.WORDS];
        for (int i = 0; i < words.length; i++) {
            words[i] = get(page, first + i);
        }
        return words;
    }
}
