package org.softkvm.kvm.linux;

import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.VcpuEvents;

/** The events of a vcpu by register id; see {@link RegisterId#EVENT_EXCEPTION} and those behind it. */
final class EventIds {
    private EventIds() {}

    private static long bit(boolean value, int position) {
        return value ? 1L << position : 0;
    }

    private static boolean isSet(long value, int position) {
        return (value >>> position & 1) != 0;
    }

    static long get(VcpuEvents events, long id) {
        if (id == RegisterId.EVENT_EXCEPTION) {
            return events.exceptionNr
                    | bit(events.exceptionInjected, 8)
                    | bit(events.exceptionHasErrorCode, 9)
                    | bit(events.exceptionPending, 10)
                    | (long) events.exceptionErrorCode << 32;
        } else if (id == RegisterId.EVENT_EXCEPTION_PAYLOAD) {
            return events.exceptionPayload;
        } else if (id == RegisterId.EVENT_EXCEPTION_HAS_PAYLOAD) {
            return bit(events.exceptionHasPayload, 0);
        } else if (id == RegisterId.EVENT_INTERRUPT) {
            return events.interruptNr
                    | bit(events.interruptInjected, 8)
                    | bit(events.interruptSoft, 9)
                    | (long) events.interruptShadow << 16;
        } else if (id == RegisterId.EVENT_NMI) {
            return bit(events.nmiInjected, 0) | bit(events.nmiPending, 1) | bit(events.nmiMasked, 2);
        } else if (id == RegisterId.EVENT_SMM) {
            return bit(events.smm, 0)
                    | bit(events.smiPending, 1)
                    | bit(events.smmInsideNmi, 2)
                    | bit(events.smiLatchedInit, 3);
        } else if (id == RegisterId.EVENT_TRIPLE_FAULT) {
            return bit(events.tripleFaultPending, 0);
        }
        // The kernel never tells the start-up vector.
        return 0;
    }

    /** False for bits that there are not. */
    static boolean put(VcpuEvents events, long id, long value) {
        if (id == RegisterId.EVENT_EXCEPTION) {
            if ((value & 0xFFFF_F800L) != 0) {
                return false;
            }
            events.exceptionNr = (int) value & 0xFF;
            events.exceptionInjected = isSet(value, 8);
            events.exceptionHasErrorCode = isSet(value, 9);
            events.exceptionPending = isSet(value, 10);
            events.exceptionErrorCode = (int) (value >>> 32);
        } else if (id == RegisterId.EVENT_EXCEPTION_PAYLOAD) {
            events.exceptionPayload = value;
        } else if (id == RegisterId.EVENT_EXCEPTION_HAS_PAYLOAD) {
            events.exceptionHasPayload = isSet(value, 0);
            return value >>> 1 == 0;
        } else if (id == RegisterId.EVENT_INTERRUPT) {
            events.interruptNr = (int) value & 0xFF;
            events.interruptInjected = isSet(value, 8);
            events.interruptSoft = isSet(value, 9);
            events.interruptShadow = (int) (value >>> 16) & 3;
            return (value & ~0x303FFL) == 0;
        } else if (id == RegisterId.EVENT_NMI) {
            events.nmiInjected = isSet(value, 0);
            events.nmiPending = isSet(value, 1);
            events.nmiMasked = isSet(value, 2);
            return value >>> 3 == 0;
        } else if (id == RegisterId.EVENT_SMM) {
            events.smm = isSet(value, 0);
            events.smiPending = isSet(value, 1);
            events.smmInsideNmi = isSet(value, 2);
            events.smiLatchedInit = isSet(value, 3);
            return value >>> 4 == 0;
        } else if (id == RegisterId.EVENT_TRIPLE_FAULT) {
            events.tripleFaultPending = isSet(value, 0);
            return value >>> 1 == 0;
        }
        return true;
    }
}
