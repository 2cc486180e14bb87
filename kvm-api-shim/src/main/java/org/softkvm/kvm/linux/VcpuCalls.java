package org.softkvm.kvm.linux;

import static org.softkvm.kvm.abi.Fields.getByte;
import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;
import static org.softkvm.kvm.abi.Fields.zero;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.DebugRegs;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.Fpu;
import org.softkvm.kvm.GuestDebug;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.LapicState;
import org.softkvm.kvm.MpState;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Sregs2;
import org.softkvm.kvm.VcpuEvents;
import org.softkvm.kvm.Xcrs;
import org.softkvm.kvm.Xsave;
import org.softkvm.kvm.abi.EventsCodec;
import org.softkvm.kvm.abi.FpuCodec;
import org.softkvm.kvm.abi.Ioctl;
import org.softkvm.kvm.abi.ListCodec;
import org.softkvm.kvm.abi.RegisterStructs;
import org.softkvm.kvm.abi.RegsCodec;
import org.softkvm.kvm.abi.Request;

/** The calls on a vcpu's descriptor, one thread at a time: structure, ioctl, structure. Most allocate nothing. */
final class VcpuCalls {
    /** More MSRs in one call are E2BIG. */
    static final int MAX_MSRS = 256;

    private static final int MAX_CPUID = 256;
    private static final int ARGUMENTS = 16384;

    private static final long SREGS2_FLAGS = offset(RegisterStructs.SREGS2, "flags");
    private static final long SREGS2_PDPTRS = offset(RegisterStructs.SREGS2, "pdptrs");
    private static final long DB = offset(RegisterStructs.DEBUGREGS, "db");
    private static final long DR6 = offset(RegisterStructs.DEBUGREGS, "dr6");
    private static final long DR7 = offset(RegisterStructs.DEBUGREGS, "dr7");
    private static final long DR_FLAGS = offset(RegisterStructs.DEBUGREGS, "flags");
    private static final long XCR_LIST = offset(RegisterStructs.XCRS, "xcrs");
    private static final long XCR = RegisterStructs.XCR.byteSize();
    private static final long XCR_VALUE = offset(RegisterStructs.XCR, "value");
    private static final long DEBUG_CONTROL = offset(RegisterStructs.GUEST_DEBUG, "control");
    private static final long DEBUG_REGISTERS = offset(RegisterStructs.GUEST_DEBUG, "arch.debugreg");
    private static final long PHYSICAL_ADDRESS = offset(RegisterStructs.TRANSLATION, "physical_address");
    private static final long VALID = offset(RegisterStructs.TRANSLATION, "valid");
    private static final long ONE_REG_ADDR = offset(RegisterStructs.ONE_REG, "addr");
    private static final long ONE_REG_VALUE = RegisterStructs.ONE_REG.byteSize();

    private final SystemCalls calls;
    private final int descriptor;
    private final String name;
    private final MemorySegment arguments;
    private final int xsaveSize;
    private final boolean hasXsave2;

    VcpuCalls(SystemCalls calls, int descriptor, int id, int xsave2) {
        this.calls = calls;
        this.descriptor = descriptor;
        this.name = "vcpu " + id;
        hasXsave2 = xsave2 > 0;
        xsaveSize = Math.max(xsave2, Xsave.MIN_SIZE);
        arguments = Arena.ofAuto().allocate(Math.max(ARGUMENTS, xsaveSize), 16);
    }

    int descriptor() {
        return descriptor;
    }

    /** Size of the XSAVE area. */
    int xsaveSize() {
        return xsaveSize;
    }

    private MemorySegment zeroed(long size) {
        zero(arguments, 0, size);
        return arguments;
    }

    /** A call on the structure at the beginning of the arguments. */
    private int call(int request) {
        int result = calls.ioctl(descriptor, request, arguments);
        if (result < 0) {
            throw Errnos.failure(request, result, name);
        }
        return result;
    }

    /** A call with a number. */
    int call(int request, long argument) {
        int result = calls.ioctl(descriptor, request, argument);
        if (result < 0) {
            throw Errnos.failure(request, result, name + " argument=" + argument);
        }
        return result;
    }

    /** Refuses arrays that do not go together or are too long. */
    static void checkLengths(int request, int[] indices, long[] values) {
        if (indices.length != values.length) {
            throw new KvmException(
                    Ioctl.name(request),
                    Errno.EINVAL,
                    "values.length=" + values.length + " for " + indices.length + " indices");
        }
        if (indices.length >= MAX_MSRS) {
            throw new KvmException(
                    Ioctl.name(request), Errno.E2BIG, "nmsrs=" + indices.length + " (below " + MAX_MSRS + ")");
        }
    }

    void getRegs(Regs regs) {
        call(Request.KVM_GET_REGS);
        RegsCodec.get(arguments, 0, regs);
    }

    void setRegs(Regs regs) {
        RegsCodec.put(regs, arguments, 0);
        call(Request.KVM_SET_REGS);
    }

    void getSregs(Sregs sregs) {
        call(Request.KVM_GET_SREGS);
        RegsCodec.get(arguments, 0, sregs);
    }

    void setSregs(Sregs sregs) {
        zeroed(RegisterStructs.SREGS.byteSize());
        RegsCodec.put(sregs, arguments, 0);
        int result = calls.ioctl(descriptor, Request.KVM_SET_SREGS, arguments);
        if (result < 0) {
            throw Errnos.failure(Request.KVM_SET_SREGS, result, describe(sregs));
        }
    }

    private String describe(Sregs sregs) {
        return name + " cr0=0x" + Long.toHexString(sregs.cr0) + " cr3=0x" + Long.toHexString(sregs.cr3) + " cr4=0x"
                + Long.toHexString(sregs.cr4) + " efer=0x" + Long.toHexString(sregs.efer) + " cs.l=" + sregs.cs.l
                + " apic_base=0x" + Long.toHexString(sregs.apicBase);
    }

    void getSregs2(Sregs2 sregs) {
        call(Request.KVM_GET_SREGS2);
        RegsCodec.getCommon(arguments, 0, sregs.sregs);
        sregs.flags = getLong(arguments, SREGS2_FLAGS);
        for (int i = 0; i < 4; i++) {
            sregs.pdptrs[i] = getLong(arguments, SREGS2_PDPTRS + i * 8L);
            sregs.sregs.interruptBitmap[i] = 0;
        }
    }

    void setSregs2(Sregs2 sregs) {
        zeroed(RegisterStructs.SREGS2.byteSize());
        RegsCodec.putCommon(sregs.sregs, arguments, 0);
        putLong(arguments, SREGS2_FLAGS, sregs.flags);
        for (int i = 0; i < 4; i++) {
            putLong(arguments, SREGS2_PDPTRS + i * 8L, sregs.pdptrs[i]);
        }
        int result = calls.ioctl(descriptor, Request.KVM_SET_SREGS2, arguments);
        if (result < 0) {
            throw Errnos.failure(
                    Request.KVM_SET_SREGS2,
                    result,
                    describe(sregs.sregs) + " flags=0x" + Long.toHexString(sregs.flags));
        }
    }

    void getFpu(Fpu fpu) {
        call(Request.KVM_GET_FPU);
        FpuCodec.get(arguments, fpu);
    }

    void setFpu(Fpu fpu) {
        zeroed(RegisterStructs.FPU.byteSize());
        FpuCodec.put(fpu, arguments);
        call(Request.KVM_SET_FPU);
    }

    void getXsave(Xsave xsave) {
        call(hasXsave2 ? Request.KVM_GET_XSAVE2 : Request.KVM_GET_XSAVE);
        int size = Math.min(xsave.region.length, xsaveSize);
        MemorySegment.copy(arguments, ValueLayout.JAVA_BYTE, 0, xsave.region, 0, size);
    }

    void setXsave(Xsave xsave) {
        zeroed(xsaveSize);
        int size = Math.min(xsave.region.length, xsaveSize);
        MemorySegment.copy(xsave.region, 0, arguments, ValueLayout.JAVA_BYTE, 0, size);
        call(Request.KVM_SET_XSAVE);
    }

    void getXcrs(Xcrs xcrs) {
        call(Request.KVM_GET_XCRS);
        xcrs.count = Math.clamp(getInt(arguments, 0), 0, Xcrs.MAX);
        xcrs.flags = getInt(arguments, 4);
        for (int i = 0; i < xcrs.count; i++) {
            xcrs.xcr[i] = getInt(arguments, XCR_LIST + i * XCR);
            xcrs.value[i] = getLong(arguments, XCR_LIST + i * XCR + XCR_VALUE);
        }
    }

    void setXcrs(Xcrs xcrs) {
        zeroed(RegisterStructs.XCRS.byteSize());
        putInt(arguments, 0, xcrs.count);
        putInt(arguments, 4, xcrs.flags);
        for (int i = 0; i < Math.min(xcrs.count, Xcrs.MAX); i++) {
            putInt(arguments, XCR_LIST + i * XCR, xcrs.xcr[i]);
            putLong(arguments, XCR_LIST + i * XCR + XCR_VALUE, xcrs.value[i]);
        }
        call(Request.KVM_SET_XCRS);
    }

    void getDebugRegs(DebugRegs debug) {
        call(Request.KVM_GET_DEBUGREGS);
        for (int i = 0; i < 4; i++) {
            debug.db[i] = getLong(arguments, DB + i * 8L);
        }
        debug.dr6 = getLong(arguments, DR6);
        debug.dr7 = getLong(arguments, DR7);
        debug.flags = getLong(arguments, DR_FLAGS);
    }

    void setDebugRegs(DebugRegs debug) {
        zeroed(RegisterStructs.DEBUGREGS.byteSize());
        for (int i = 0; i < 4; i++) {
            putLong(arguments, DB + i * 8L, debug.db[i]);
        }
        putLong(arguments, DR6, debug.dr6);
        putLong(arguments, DR7, debug.dr7);
        putLong(arguments, DR_FLAGS, debug.flags);
        call(Request.KVM_SET_DEBUGREGS);
    }

    void setGuestDebug(GuestDebug debug) {
        zeroed(RegisterStructs.GUEST_DEBUG.byteSize());
        putInt(arguments, DEBUG_CONTROL, debug.control);
        for (int i = 0; i < debug.debugreg.length; i++) {
            putLong(arguments, DEBUG_REGISTERS + i * 8L, debug.debugreg[i]);
        }
        call(Request.KVM_SET_GUEST_DEBUG);
    }

    int getMsrs(int[] indices, long[] values, int count) {
        ListCodec.putMsrCount(arguments, count);
        for (int i = 0; i < count; i++) {
            ListCodec.putMsr(arguments, i, indices[i], 0);
        }
        int read = call(Request.KVM_GET_MSRS);
        for (int i = 0; i < read; i++) {
            values[i] = ListCodec.msrData(arguments, i);
        }
        return read;
    }

    int setMsrs(int[] indices, long[] values, int count) {
        ListCodec.putMsrCount(arguments, count);
        for (int i = 0; i < count; i++) {
            ListCodec.putMsr(arguments, i, indices[i], values[i]);
        }
        return call(Request.KVM_SET_MSRS);
    }

    /** One MSR into the first of the values; false where it is unknown. */
    boolean readMsr(int index, long[] value) {
        ListCodec.putMsrCount(arguments, 1);
        ListCodec.putMsr(arguments, 0, index, 0);
        if (call(Request.KVM_GET_MSRS) != 1) {
            return false;
        }
        value[0] = ListCodec.msrData(arguments, 0);
        return true;
    }

    /** One MSR; false where it is unknown or does not take the value. */
    boolean writeMsr(int index, long value) {
        ListCodec.putMsrCount(arguments, 1);
        ListCodec.putMsr(arguments, 0, index, value);
        return call(Request.KVM_SET_MSRS) == 1;
    }

    void setCpuid(List<CpuidEntry> entries) {
        if (entries.size() > MAX_CPUID) {
            throw new KvmException(
                    "KVM_SET_CPUID2", Errno.E2BIG, "nent=" + entries.size() + " (at most " + MAX_CPUID + ")");
        }
        ListCodec.putCpuid(entries, arguments);
        call(Request.KVM_SET_CPUID2);
    }

    List<CpuidEntry> cpuid() {
        putInt(arguments, 0, MAX_CPUID);
        putInt(arguments, 4, 0);
        call(Request.KVM_GET_CPUID2);
        return List.copyOf(ListCodec.getCpuid(arguments));
    }

    void getEvents(VcpuEvents events) {
        call(Request.KVM_GET_VCPU_EVENTS);
        EventsCodec.get(arguments, 0, events);
    }

    void setEvents(VcpuEvents events) {
        EventsCodec.put(events, arguments, 0);
        call(Request.KVM_SET_VCPU_EVENTS);
    }

    int mpState() {
        call(Request.KVM_GET_MP_STATE);
        return getInt(arguments, 0);
    }

    void setMpState(MpState state) {
        putInt(arguments, 0, state.number());
        call(Request.KVM_SET_MP_STATE);
    }

    void getLapic(LapicState state) {
        call(Request.KVM_GET_LAPIC);
        FpuCodec.get(arguments, state);
    }

    void setLapic(LapicState state) {
        zeroed(RegisterStructs.LAPIC_STATE.byteSize());
        FpuCodec.put(state, arguments);
        call(Request.KVM_SET_LAPIC);
    }

    /** The kernel's own KVM_GET_ONE_REG. */
    long getOneReg(long id) {
        oneReg(id, 0);
        call(Request.KVM_GET_ONE_REG);
        return getLong(arguments, ONE_REG_VALUE);
    }

    /** The kernel's own KVM_SET_ONE_REG. */
    void setOneReg(long id, long value) {
        oneReg(id, value);
        call(Request.KVM_SET_ONE_REG);
    }

    private void oneReg(long id, long value) {
        putLong(arguments, 0, id);
        putLong(arguments, ONE_REG_ADDR, arguments.address() + ONE_REG_VALUE);
        putLong(arguments, ONE_REG_VALUE, value);
    }

    void interrupt(int vector) {
        putInt(arguments, 0, vector);
        int result = calls.ioctl(descriptor, Request.KVM_INTERRUPT, arguments);
        if (result < 0) {
            throw Errnos.failure(Request.KVM_INTERRUPT, result, name + " irq=" + vector);
        }
    }

    long translate(long linearAddress) {
        zeroed(RegisterStructs.TRANSLATION.byteSize());
        putLong(arguments, 0, linearAddress);
        call(Request.KVM_TRANSLATE);
        return getByte(arguments, VALID) == 0 ? -1 : getLong(arguments, PHYSICAL_ADDRESS);
    }

    void setTprAccessReporting(boolean enabled) {
        zeroed(RegisterStructs.TPR_ACCESS_CTL.byteSize());
        putInt(arguments, 0, enabled ? 1 : 0);
        call(Request.KVM_TPR_ACCESS_REPORTING);
    }

    void setVapicAddr(long address) {
        putLong(arguments, 0, address);
        call(Request.KVM_SET_VAPIC_ADDR);
    }
}
