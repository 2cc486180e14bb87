package org.softkvm.kvm.abi;

import static org.softkvm.kvm.abi.Fields.getByte;
import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putByte;
import static org.softkvm.kvm.abi.Fields.putFlag;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;

import java.lang.foreign.MemorySegment;
import org.softkvm.kvm.VcpuEvents;

/** struct kvm_vcpu_events: between the API's object and the structure. Allocates nothing. */
public final class EventsCodec {
    private static final long EXCEPTION_INJECTED = offset(RegisterStructs.VCPU_EVENTS, "exception.injected");
    private static final long EXCEPTION_NR = offset(RegisterStructs.VCPU_EVENTS, "exception.nr");
    private static final long EXCEPTION_HAS_ERROR_CODE =
            offset(RegisterStructs.VCPU_EVENTS, "exception.has_error_code");
    private static final long EXCEPTION_PENDING = offset(RegisterStructs.VCPU_EVENTS, "exception.pending");
    private static final long EXCEPTION_ERROR_CODE = offset(RegisterStructs.VCPU_EVENTS, "exception.error_code");
    private static final long INTERRUPT_INJECTED = offset(RegisterStructs.VCPU_EVENTS, "interrupt.injected");
    private static final long INTERRUPT_NR = offset(RegisterStructs.VCPU_EVENTS, "interrupt.nr");
    private static final long INTERRUPT_SOFT = offset(RegisterStructs.VCPU_EVENTS, "interrupt.soft");
    private static final long INTERRUPT_SHADOW = offset(RegisterStructs.VCPU_EVENTS, "interrupt.shadow");
    private static final long NMI_INJECTED = offset(RegisterStructs.VCPU_EVENTS, "nmi.injected");
    private static final long NMI_PENDING = offset(RegisterStructs.VCPU_EVENTS, "nmi.pending");
    private static final long NMI_MASKED = offset(RegisterStructs.VCPU_EVENTS, "nmi.masked");
    private static final long SIPI_VECTOR = offset(RegisterStructs.VCPU_EVENTS, "sipi_vector");
    private static final long FLAGS = offset(RegisterStructs.VCPU_EVENTS, "flags");
    private static final long SMI_SMM = offset(RegisterStructs.VCPU_EVENTS, "smi.smm");
    private static final long SMI_PENDING = offset(RegisterStructs.VCPU_EVENTS, "smi.pending");
    private static final long SMI_SMM_INSIDE_NMI = offset(RegisterStructs.VCPU_EVENTS, "smi.smm_inside_nmi");
    private static final long SMI_LATCHED_INIT = offset(RegisterStructs.VCPU_EVENTS, "smi.latched_init");
    private static final long TRIPLE_FAULT_PENDING = offset(RegisterStructs.VCPU_EVENTS, "triple_fault.pending");
    private static final long EXCEPTION_HAS_PAYLOAD = offset(RegisterStructs.VCPU_EVENTS, "exception_has_payload");
    private static final long EXCEPTION_PAYLOAD = offset(RegisterStructs.VCPU_EVENTS, "exception_payload");

    private EventsCodec() {}

    /** Writes the structure. */
    public static void put(VcpuEvents from, MemorySegment to, long base) {
        to.asSlice(base, RegisterStructs.VCPU_EVENTS.byteSize()).fill((byte) 0);
        putFlag(to, base + EXCEPTION_INJECTED, from.exceptionInjected);
        putByte(to, base + EXCEPTION_NR, from.exceptionNr);
        putFlag(to, base + EXCEPTION_HAS_ERROR_CODE, from.exceptionHasErrorCode);
        putFlag(to, base + EXCEPTION_PENDING, from.exceptionPending);
        putInt(to, base + EXCEPTION_ERROR_CODE, from.exceptionErrorCode);
        putFlag(to, base + INTERRUPT_INJECTED, from.interruptInjected);
        putByte(to, base + INTERRUPT_NR, from.interruptNr);
        putFlag(to, base + INTERRUPT_SOFT, from.interruptSoft);
        putByte(to, base + INTERRUPT_SHADOW, from.interruptShadow);
        putFlag(to, base + NMI_INJECTED, from.nmiInjected);
        putFlag(to, base + NMI_PENDING, from.nmiPending);
        putFlag(to, base + NMI_MASKED, from.nmiMasked);
        putInt(to, base + SIPI_VECTOR, from.sipiVector);
        putInt(to, base + FLAGS, from.flags);
        putFlag(to, base + SMI_SMM, from.smm);
        putFlag(to, base + SMI_PENDING, from.smiPending);
        putFlag(to, base + SMI_SMM_INSIDE_NMI, from.smmInsideNmi);
        putFlag(to, base + SMI_LATCHED_INIT, from.smiLatchedInit);
        putFlag(to, base + TRIPLE_FAULT_PENDING, from.tripleFaultPending);
        putFlag(to, base + EXCEPTION_HAS_PAYLOAD, from.exceptionHasPayload);
        putLong(to, base + EXCEPTION_PAYLOAD, from.exceptionPayload);
    }

    /** Reads the structure. */
    public static void get(MemorySegment from, long base, VcpuEvents to) {
        to.exceptionInjected = getByte(from, base + EXCEPTION_INJECTED) != 0;
        to.exceptionNr = getByte(from, base + EXCEPTION_NR);
        to.exceptionHasErrorCode = getByte(from, base + EXCEPTION_HAS_ERROR_CODE) != 0;
        to.exceptionPending = getByte(from, base + EXCEPTION_PENDING) != 0;
        to.exceptionErrorCode = getInt(from, base + EXCEPTION_ERROR_CODE);
        to.interruptInjected = getByte(from, base + INTERRUPT_INJECTED) != 0;
        to.interruptNr = getByte(from, base + INTERRUPT_NR);
        to.interruptSoft = getByte(from, base + INTERRUPT_SOFT) != 0;
        to.interruptShadow = getByte(from, base + INTERRUPT_SHADOW);
        to.nmiInjected = getByte(from, base + NMI_INJECTED) != 0;
        to.nmiPending = getByte(from, base + NMI_PENDING) != 0;
        to.nmiMasked = getByte(from, base + NMI_MASKED) != 0;
        to.sipiVector = getInt(from, base + SIPI_VECTOR);
        to.flags = getInt(from, base + FLAGS);
        to.smm = getByte(from, base + SMI_SMM) != 0;
        to.smiPending = getByte(from, base + SMI_PENDING) != 0;
        to.smmInsideNmi = getByte(from, base + SMI_SMM_INSIDE_NMI) != 0;
        to.smiLatchedInit = getByte(from, base + SMI_LATCHED_INIT) != 0;
        to.tripleFaultPending = getByte(from, base + TRIPLE_FAULT_PENDING) != 0;
        to.exceptionHasPayload = getByte(from, base + EXCEPTION_HAS_PAYLOAD) != 0;
        to.exceptionPayload = getLong(from, base + EXCEPTION_PAYLOAD);
    }
}
