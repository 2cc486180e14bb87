package org.softkvm.kvm.dispatch;

import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putByte;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.DebugRegs;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Fpu;
import org.softkvm.kvm.GuestDebug;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.LapicState;
import org.softkvm.kvm.MpState;
import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Sregs2;
import org.softkvm.kvm.Vcpu;
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
import org.softkvm.kvm.abi.VmStructs;

/** What a descriptor of a vcpu stands for. One call at a time: another one waits, as in the kernel. */
final class VcpuEndpoint extends Endpoint {
    private static final int SIGSET_SIZE = 8;
    private static final int CPUID_ENTRY = (int) RegisterStructs.CPUID_ENTRY.byteSize();
    private static final long SREGS2_FLAGS = offset(RegisterStructs.SREGS2, "flags");
    private static final long SREGS2_PDPTRS = offset(RegisterStructs.SREGS2, "pdptrs");
    private static final long DB = offset(RegisterStructs.DEBUGREGS, "db");
    private static final long DR6 = offset(RegisterStructs.DEBUGREGS, "dr6");
    private static final long DR7 = offset(RegisterStructs.DEBUGREGS, "dr7");
    private static final long DR_FLAGS = offset(RegisterStructs.DEBUGREGS, "flags");
    private static final long XCR_LIST = offset(RegisterStructs.XCRS, "xcrs");
    private static final long XCR = RegisterStructs.XCR.byteSize();
    private static final long XCR_VALUE = offset(RegisterStructs.XCR, "value");
    private static final long DEBUG_REGISTERS = offset(RegisterStructs.GUEST_DEBUG, "arch.debugreg");
    private static final long PHYSICAL_ADDRESS = offset(RegisterStructs.TRANSLATION, "physical_address");
    private static final long VALID = offset(RegisterStructs.TRANSLATION, "valid");
    private static final long WRITEABLE = offset(RegisterStructs.TRANSLATION, "writeable");
    private static final long ATTR_GROUP = offset(VmStructs.DEVICE_ATTR, "group");
    private static final long ATTR_ATTR = offset(VmStructs.DEVICE_ATTR, "attr");
    private static final long ATTR_ADDR = offset(VmStructs.DEVICE_ATTR, "addr");
    private static final long ONE_REG_ADDR = offset(RegisterStructs.ONE_REG, "addr");

    private final Kvm kvm;
    private final Vcpu vcpu;
    private final VmEndpoint vm;
    private final RunPage page;
    private final Object oneCall = new Object();

    private final Regs regs = new Regs();
    private final Sregs sregs = new Sregs();
    private final Sregs2 sregs2 = new Sregs2();
    private final Fpu fpu = new Fpu();
    private final VcpuEvents events = new VcpuEvents();
    private final DebugRegs debugRegs = new DebugRegs();
    private final Xcrs xcrs = new Xcrs();
    private final LapicState lapic = new LapicState();
    private final Xsave xsave;

    /** The signals that KVM_RUN lets through, or -1 where it was not asked; for the client's library. */
    private volatile long signalMask = -1;

    /** The thread in KVM_RUN. */
    private volatile Thread runner;

    private volatile boolean signalled;

    VcpuEndpoint(Kvm kvm, Vcpu vcpu, VmEndpoint vm, ClientMemory memory, Descriptors descriptors) {
        super(memory, descriptors);
        this.kvm = kvm;
        this.vcpu = vcpu;
        this.vm = vm;
        this.page = new RunPage(vcpu);
        this.xsave = new Xsave(Math.max(Xsave.MIN_SIZE, kvm.checkExtension(Capability.XSAVE2)));
    }

    @Override
    public MemorySegment mapping() {
        return page.memory();
    }

    @Override
    public MemorySegment coalescedRing() {
        return vm.ring();
    }

    /** What KVM_SET_SIGNAL_MASK said: bit n - 1 is set where signal n stays blocked; -1 where nothing was said. */
    long signalMask() {
        return signalMask;
    }

    /** A signal arrived on a thread: KVM_RUN ends there, where it is under way. */
    void interrupt(long threadId) {
        Thread thread = runner;
        if (thread != null && thread.threadId() == threadId) {
            signalled = true;
            vcpu.kick();
        }
    }

    @Override
    int serve(int request, long argument) {
        switch (request) {
            case Request.KVM_NMI -> vcpu.nmi();
            case Request.KVM_SMI -> vcpu.smi();
            default -> {
                synchronized (oneCall) {
                    return serveOne(request, argument);
                }
            }
        }
        return 0;
    }

    private int serveOne(int request, long argument) {
        return switch (request) {
            case Request.KVM_RUN -> run(argument);
            case Request.KVM_GET_ONE_REG, Request.KVM_SET_ONE_REG ->
                oneReg(request, struct(argument, RegisterStructs.ONE_REG));
            case Request.KVM_GET_REG_LIST -> {
                // Upstream lists the shadow-stack pointer at most, and there is none.
                putLong(memory.at(argument, 8), 0, 0);
                yield 0;
            }
            case Request.KVM_GET_MSRS -> getMsrs(request, argument);
            case Request.KVM_SET_MSRS -> setMsrs(request, argument);
            case Request.KVM_SET_CPUID -> setOldCpuid(argument);
            case Request.KVM_SET_CPUID2 -> {
                vcpu.setCpuid(Lists.takeCpuid(memory, request, argument));
                yield 0;
            }
            case Request.KVM_GET_CPUID2 -> Lists.giveCpuid(memory, request, argument, vcpu.cpuid());
            case Request.KVM_GET_TSC_KHZ -> vcpu.tscKhz();
            case Request.KVM_SET_TSC_KHZ -> {
                vcpu.setTscKhz((int) argument);
                yield 0;
            }
            case Request.KVM_GET_STATS_FD -> descriptors.add(new StatsEndpoint(vcpu.stats(), memory, descriptors));
            case Request.KVM_ENABLE_CAP ->
                throw invalid(request, "cap=" + getInt(struct(argument, RegisterStructs.INTERRUPT), 0));
            case Request.KVM_GET_DEVICE_ATTR, Request.KVM_SET_DEVICE_ATTR, Request.KVM_HAS_DEVICE_ATTR ->
                attribute(request, struct(argument, VmStructs.DEVICE_ATTR));
            default -> {
                registers(request, argument);
                yield 0;
            }
        };
    }

    // ---- KVM_RUN

    private int run(long argument) {
        if (argument != 0) {
            throw invalid(Request.KVM_RUN, "argument=" + argument);
        }
        if (!page.checkMasks()) {
            throw invalid(Request.KVM_RUN, "kvm_valid_regs, kvm_dirty_regs");
        }
        Thread current = Thread.currentThread();
        signalled = false;
        runner = current;
        try {
            page.take();
            int reason;
            do {
                vcpu.runState().setImmediateExit(page.immediateExit());
                reason = vcpu.run();
                // A kick that was on its way when the run before this one ended is for nobody.
            } while (reason == ExitReason.INTR && !signalled && !page.immediateExit() && !current.isInterrupted());
            page.give(reason);
            return reason == ExitReason.INTR ? -Errno.EINTR.number() : 0;
        } finally {
            runner = null;
        }
    }

    // ---- Registers

    private void registers(int request, long argument) {
        switch (request) {
            case Request.KVM_GET_REGS -> {
                vcpu.getRegs(regs);
                RegsCodec.put(regs, struct(argument, RegisterStructs.REGS), 0);
            }
            case Request.KVM_SET_REGS -> {
                RegsCodec.get(struct(argument, RegisterStructs.REGS), 0, regs);
                vcpu.setRegs(regs);
            }
            case Request.KVM_GET_SREGS -> {
                vcpu.getSregs(sregs);
                RegsCodec.put(sregs, struct(argument, RegisterStructs.SREGS), 0);
            }
            case Request.KVM_SET_SREGS -> {
                RegsCodec.get(struct(argument, RegisterStructs.SREGS), 0, sregs);
                vcpu.setSregs(sregs);
                page.refresh();
            }
            case Request.KVM_GET_SREGS2 -> getSregs2(struct(argument, RegisterStructs.SREGS2));
            case Request.KVM_SET_SREGS2 -> setSregs2(struct(argument, RegisterStructs.SREGS2));
            case Request.KVM_GET_FPU -> {
                vcpu.getFpu(fpu);
                FpuCodec.put(fpu, struct(argument, RegisterStructs.FPU));
            }
            case Request.KVM_SET_FPU -> {
                FpuCodec.get(struct(argument, RegisterStructs.FPU), fpu);
                vcpu.setFpu(fpu);
            }
            case Request.KVM_GET_XSAVE -> {
                vcpu.getXsave(xsave);
                giveXsave(argument, Xsave.MIN_SIZE);
            }
            case Request.KVM_GET_XSAVE2 -> {
                vcpu.getXsave(xsave);
                giveXsave(argument, xsave.region.length);
            }
            case Request.KVM_SET_XSAVE -> {
                MemorySegment from = memory.at(argument, xsave.region.length);
                MemorySegment.copy(from, ValueLayout.JAVA_BYTE, 0, xsave.region, 0, xsave.region.length);
                vcpu.setXsave(xsave);
            }
            case Request.KVM_GET_XCRS -> getXcrs(struct(argument, RegisterStructs.XCRS));
            case Request.KVM_SET_XCRS -> setXcrs(struct(argument, RegisterStructs.XCRS));
            case Request.KVM_GET_DEBUGREGS -> getDebugRegs(struct(argument, RegisterStructs.DEBUGREGS));
            case Request.KVM_SET_DEBUGREGS -> setDebugRegs(struct(argument, RegisterStructs.DEBUGREGS));
            case Request.KVM_GET_VCPU_EVENTS -> {
                vcpu.getVcpuEvents(events);
                EventsCodec.put(events, struct(argument, RegisterStructs.VCPU_EVENTS), 0);
            }
            case Request.KVM_SET_VCPU_EVENTS -> {
                EventsCodec.get(struct(argument, RegisterStructs.VCPU_EVENTS), 0, events);
                vcpu.setVcpuEvents(events);
            }
            case Request.KVM_GET_MP_STATE ->
                putInt(
                        struct(argument, RegisterStructs.MP_STATE),
                        0,
                        vcpu.mpState().number());
            case Request.KVM_SET_MP_STATE ->
                vcpu.setMpState(MpState.of(getInt(struct(argument, RegisterStructs.MP_STATE), 0)));
            case Request.KVM_GET_LAPIC -> {
                vcpu.getLapic(lapic);
                MemorySegment to = struct(argument, RegisterStructs.LAPIC_STATE);
                to.fill((byte) 0);
                FpuCodec.put(lapic, to);
            }
            case Request.KVM_SET_LAPIC -> {
                FpuCodec.get(struct(argument, RegisterStructs.LAPIC_STATE), lapic);
                vcpu.setLapic(lapic);
            }
            default -> others(request, argument);
        }
    }

    private void others(int request, long argument) {
        switch (request) {
            case Request.KVM_INTERRUPT -> vcpu.interrupt(getInt(struct(argument, RegisterStructs.INTERRUPT), 0));
            case Request.KVM_TRANSLATE -> translate(struct(argument, RegisterStructs.TRANSLATION));
            case Request.KVM_SET_GUEST_DEBUG -> setGuestDebug(struct(argument, RegisterStructs.GUEST_DEBUG));
            case Request.KVM_SET_SIGNAL_MASK -> setSignalMask(argument);
            case Request.KVM_TPR_ACCESS_REPORTING -> {
                MemorySegment control = struct(argument, RegisterStructs.TPR_ACCESS_CTL);
                if (getInt(control, 4) != 0) {
                    throw invalid(request, "flags=" + getInt(control, 4));
                }
                vcpu.setTprAccessReporting(getInt(control, 0) != 0);
            }
            case Request.KVM_SET_VAPIC_ADDR ->
                vcpu.setVapicAddr(getLong(struct(argument, RegisterStructs.VAPIC_ADDR), 0));
            case Request.KVM_KVMCLOCK_CTRL -> vcpu.kvmclockCtrl();
            case Request.KVM_X86_SETUP_MCE -> MachineCheck.setUp(vcpu, getLong(memory.at(argument, 8), 0));
            case Request.KVM_X86_SET_MCE -> MachineCheck.inject(vcpu, struct(argument, RegisterStructs.X86_MCE));
            default -> throw unknown(request);
        }
    }

    private void giveXsave(long argument, int size) {
        MemorySegment to = memory.at(argument, size);
        MemorySegment.copy(xsave.region, 0, to, ValueLayout.JAVA_BYTE, 0, size);
    }

    private void getSregs2(MemorySegment struct) {
        vcpu.getSregs2(sregs2);
        RegsCodec.putCommon(sregs2.sregs, struct, 0);
        putLong(struct, SREGS2_FLAGS, sregs2.flags);
        for (int i = 0; i < 4; i++) {
            putLong(struct, SREGS2_PDPTRS + i * 8L, sregs2.pdptrs[i]);
        }
    }

    private void setSregs2(MemorySegment struct) {
        RegsCodec.getCommon(struct, 0, sregs2.sregs);
        sregs2.flags = getLong(struct, SREGS2_FLAGS);
        for (int i = 0; i < 4; i++) {
            sregs2.pdptrs[i] = getLong(struct, SREGS2_PDPTRS + i * 8L);
            sregs2.sregs.interruptBitmap[i] = 0;
        }
        vcpu.setSregs2(sregs2);
        page.refresh();
    }

    private void getXcrs(MemorySegment struct) {
        vcpu.getXcrs(xcrs);
        struct.fill((byte) 0);
        putInt(struct, 0, xcrs.count);
        putInt(struct, 4, xcrs.flags);
        for (int i = 0; i < xcrs.count; i++) {
            putInt(struct, XCR_LIST + i * XCR, xcrs.xcr[i]);
            putLong(struct, XCR_LIST + i * XCR + XCR_VALUE, xcrs.value[i]);
        }
    }

    private void setXcrs(MemorySegment struct) {
        xcrs.count = getInt(struct, 0);
        xcrs.flags = getInt(struct, 4);
        for (int i = 0; i < Math.clamp(xcrs.count, 0, Xcrs.MAX); i++) {
            xcrs.xcr[i] = getInt(struct, XCR_LIST + i * XCR);
            xcrs.value[i] = getLong(struct, XCR_LIST + i * XCR + XCR_VALUE);
        }
        vcpu.setXcrs(xcrs);
    }

    private void getDebugRegs(MemorySegment struct) {
        vcpu.getDebugRegs(debugRegs);
        struct.fill((byte) 0);
        for (int i = 0; i < 4; i++) {
            putLong(struct, DB + i * 8L, debugRegs.db[i]);
        }
        putLong(struct, DR6, debugRegs.dr6);
        putLong(struct, DR7, debugRegs.dr7);
        putLong(struct, DR_FLAGS, debugRegs.flags);
    }

    private void setDebugRegs(MemorySegment struct) {
        for (int i = 0; i < 4; i++) {
            debugRegs.db[i] = getLong(struct, DB + i * 8L);
        }
        debugRegs.dr6 = getLong(struct, DR6);
        debugRegs.dr7 = getLong(struct, DR7);
        debugRegs.flags = getLong(struct, DR_FLAGS);
        vcpu.setDebugRegs(debugRegs);
    }

    private void setGuestDebug(MemorySegment struct) {
        GuestDebug debug = new GuestDebug();
        debug.control = getInt(struct, 0);
        for (int i = 0; i < debug.debugreg.length; i++) {
            debug.debugreg[i] = getLong(struct, DEBUG_REGISTERS + i * 8L);
        }
        vcpu.setGuestDebug(debug);
    }

    private void translate(MemorySegment struct) {
        long physical = vcpu.translate(getLong(struct, 0));
        putLong(struct, PHYSICAL_ADDRESS, physical);
        // As in KVM: a translation is valid and writeable or is not there.
        putByte(struct, VALID, physical == -1 ? 0 : 1);
        putByte(struct, WRITEABLE, 1);
        putByte(struct, WRITEABLE + 1, 0);
    }

    private void setSignalMask(long argument) {
        if (argument == 0) {
            signalMask = -1;
            return;
        }
        int length = getInt(memory.at(argument, 4), 0);
        if (length != SIGSET_SIZE) {
            throw invalid(Request.KVM_SET_SIGNAL_MASK, "len=" + length);
        }
        signalMask = getLong(memory.at(argument, 4 + SIGSET_SIZE), 4);
    }

    private int oneReg(int request, MemorySegment struct) {
        long id = getLong(struct, 0);
        MemorySegment value = memory.at(getLong(struct, ONE_REG_ADDR), 8);
        if (request == Request.KVM_GET_ONE_REG) {
            putLong(value, 0, vcpu.getOneReg(id));
        } else {
            vcpu.setOneReg(id, getLong(value, 0));
        }
        return 0;
    }

    /** The only attribute: KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, what the guest's counter is ahead of the host's. */
    private int attribute(int request, MemorySegment attribute) {
        if (getInt(attribute, ATTR_GROUP) != 0 || getLong(attribute, ATTR_ATTR) != 0) {
            throw new KvmException(
                    Ioctl.name(request),
                    Errno.ENXIO,
                    "group=" + getInt(attribute, ATTR_GROUP) + " attr=" + getLong(attribute, ATTR_ATTR));
        }
        if (request != Request.KVM_HAS_DEVICE_ATTR) {
            MemorySegment value = memory.at(getLong(attribute, ATTR_ADDR), 8);
            if (request == Request.KVM_GET_DEVICE_ATTR) {
                putLong(value, 0, vcpu.getOneReg(RegisterId.EMULATOR_TSC_OFFSET));
            } else {
                vcpu.setOneReg(RegisterId.EMULATOR_TSC_OFFSET, getLong(value, 0));
            }
        }
        return 0;
    }

    private int getMsrs(int request, long argument) {
        MemorySegment list = Lists.msrs(memory, request, argument);
        int count = getInt(list, 0);
        int[] indices = new int[count];
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            indices[i] = ListCodec.msrIndex(list, i);
        }
        int read = vcpu.getMsrs(indices, values);
        for (int i = 0; i < read; i++) {
            ListCodec.putMsr(list, i, indices[i], values[i]);
        }
        return read;
    }

    private int setMsrs(int request, long argument) {
        MemorySegment list = Lists.msrs(memory, request, argument);
        int count = getInt(list, 0);
        int[] indices = new int[count];
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            indices[i] = ListCodec.msrIndex(list, i);
            values[i] = ListCodec.msrData(list, i);
        }
        int written = vcpu.setMsrs(indices, values);
        page.refresh();
        return written;
    }

    /** struct kvm_cpuid, the form without sub-leaves. */
    private int setOldCpuid(long argument) {
        int count = getInt(memory.at(argument, ListCodec.HEAD), 0);
        if (count < 0 || count > 256) {
            throw new KvmException("KVM_SET_CPUID", Errno.E2BIG, "nent=" + count);
        }
        MemorySegment list = memory.at(argument, ListCodec.HEAD + (long) count * CPUID_ENTRY);
        List<CpuidEntry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            long at = ListCodec.HEAD + (long) i * CPUID_ENTRY;
            entries.add(new CpuidEntry(
                    getInt(list, at),
                    0,
                    0,
                    getInt(list, at + 4),
                    getInt(list, at + 8),
                    getInt(list, at + 12),
                    getInt(list, at + 16)));
        }
        vcpu.setCpuid(entries);
        return 0;
    }

    @Override
    public void close() {
        vcpu.close();
        vm.release();
    }
}
