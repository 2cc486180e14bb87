package org.softkvm.kvm.linux;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.DebugRegs;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.Fpu;
import org.softkvm.kvm.GuestDebug;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.LapicState;
import org.softkvm.kvm.MpState;
import org.softkvm.kvm.RegisterList;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Sregs2;
import org.softkvm.kvm.Stats;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.VcpuEvents;
import org.softkvm.kvm.VcpuRun;
import org.softkvm.kvm.VcpuStatistics;
import org.softkvm.kvm.Vm;
import org.softkvm.kvm.Xcrs;
import org.softkvm.kvm.Xsave;
import org.softkvm.kvm.abi.Ioctl;
import org.softkvm.kvm.abi.Request;

/** A vcpu through the binary ABI. */
final class LinuxVcpu implements Vcpu {
    private static final long CLOSE_POLL_NANOS = 50_000;

    private static final VarHandle IN_USE;

    static {
        try {
            IN_USE = MethodHandles.lookup().findVarHandle(LinuxVcpu.class, "inUse", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final LinuxVm vm;
    private final int id;
    private final SystemCalls calls;
    private final VcpuCalls vcpu;
    private final SystemCalls.Mapping mapping;
    private final LinuxRun run;
    private final RunControl control;
    private final LinuxRegisters registers;

    @SuppressWarnings("unused") // by IN_USE
    private boolean inUse;

    private Stats stats;
    private volatile boolean closed;

    LinuxVcpu(LinuxVm vm, int id, int descriptor) {
        this.vm = vm;
        this.id = id;
        calls = vm.kvm().calls();
        vcpu = new VcpuCalls(calls, descriptor, id, vm.checkExtension(Capability.XSAVE2));
        mapping = calls.map(descriptor, vm.kvm().runSize());
        run = new LinuxRun(mapping.memory());
        control = new RunControl(calls, descriptor, run, vm.gate());
        registers = new LinuxRegisters(vcpu, vm);
    }

    int descriptor() {
        return vcpu.descriptor();
    }

    private void enter(int request) {
        if (closed) {
            throw closed(Ioctl.name(request));
        }
        if (!(boolean) IN_USE.compareAndSet(this, false, true)) {
            if (closed) {
                throw closed(Ioctl.name(request));
            }
            throw new KvmException(Ioctl.name(request), Errno.EBUSY, "vcpu " + id + " (another thread is using it)");
        }
    }

    private KvmException closed(String call) {
        return new KvmException(call, Errno.EBADF, "vcpu " + id + " (closed)");
    }

    private void leave() {
        IN_USE.setRelease(this, false);
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public Vm vm() {
        return vm;
    }

    @Override
    public VcpuRun runState() {
        return run;
    }

    // ---- Any thread. The run page must not go away meanwhile.

    @Override
    public void kick() {
        synchronized (control) {
            if (!closed) {
                control.kick();
            }
        }
    }

    /** Throws the vcpu out of the guest; false where it is outside. */
    boolean throwOut() {
        synchronized (control) {
            return !closed && control.throwOut();
        }
    }

    @Override
    public void nmi() {
        signal(Request.KVM_NMI);
    }

    @Override
    public void smi() {
        signal(Request.KVM_SMI);
    }

    /** The kernel lets these wait for the end of a run under way, so the run is interrupted for a moment. */
    private void signal(int request) {
        if (closed) {
            throw closed(Ioctl.name(request));
        }
        vm.gate().runAlone(List.of(this), () -> {
            synchronized (control) {
                if (closed) {
                    throw closed(Ioctl.name(request));
                }
                vcpu.call(request, 0);
            }
        });
    }

    // ---- One thread at a time

    @Override
    public int run() {
        enter(Request.KVM_RUN);
        try {
            return control.run();
        } finally {
            leave();
        }
    }

    @Override
    public void getRegs(Regs regs) {
        enter(Request.KVM_GET_REGS);
        try {
            vcpu.getRegs(regs);
        } finally {
            leave();
        }
    }

    @Override
    public void setRegs(Regs regs) {
        enter(Request.KVM_SET_REGS);
        try {
            vcpu.setRegs(regs);
        } finally {
            leave();
        }
    }

    @Override
    public void getSregs(Sregs sregs) {
        enter(Request.KVM_GET_SREGS);
        try {
            vcpu.getSregs(sregs);
        } finally {
            leave();
        }
    }

    @Override
    public void setSregs(Sregs sregs) {
        enter(Request.KVM_SET_SREGS);
        try {
            vcpu.setSregs(sregs);
        } finally {
            leave();
        }
    }

    @Override
    public void getSregs2(Sregs2 sregs) {
        enter(Request.KVM_GET_SREGS2);
        try {
            vcpu.getSregs2(sregs);
        } finally {
            leave();
        }
    }

    @Override
    public void setSregs2(Sregs2 sregs) {
        enter(Request.KVM_SET_SREGS2);
        try {
            vcpu.setSregs2(sregs);
        } finally {
            leave();
        }
    }

    @Override
    public void getFpu(Fpu fpu) {
        enter(Request.KVM_GET_FPU);
        try {
            vcpu.getFpu(fpu);
        } finally {
            leave();
        }
    }

    @Override
    public void setFpu(Fpu fpu) {
        enter(Request.KVM_SET_FPU);
        try {
            vcpu.setFpu(fpu);
        } finally {
            leave();
        }
    }

    @Override
    public void getXsave(Xsave xsave) {
        enter(Request.KVM_GET_XSAVE);
        try {
            vcpu.getXsave(xsave);
        } finally {
            leave();
        }
    }

    @Override
    public void setXsave(Xsave xsave) {
        enter(Request.KVM_SET_XSAVE);
        try {
            vcpu.setXsave(xsave);
        } finally {
            leave();
        }
    }

    @Override
    public void getXcrs(Xcrs xcrs) {
        enter(Request.KVM_GET_XCRS);
        try {
            vcpu.getXcrs(xcrs);
        } finally {
            leave();
        }
    }

    @Override
    public void setXcrs(Xcrs xcrs) {
        enter(Request.KVM_SET_XCRS);
        try {
            vcpu.setXcrs(xcrs);
        } finally {
            leave();
        }
    }

    @Override
    public void getLapic(LapicState state) {
        enter(Request.KVM_GET_LAPIC);
        try {
            vcpu.getLapic(state);
        } finally {
            leave();
        }
    }

    @Override
    public void setLapic(LapicState state) {
        enter(Request.KVM_SET_LAPIC);
        try {
            vcpu.setLapic(state);
        } finally {
            leave();
        }
    }

    @Override
    public void getDebugRegs(DebugRegs registers) {
        enter(Request.KVM_GET_DEBUGREGS);
        try {
            vcpu.getDebugRegs(registers);
        } finally {
            leave();
        }
    }

    @Override
    public void setDebugRegs(DebugRegs registers) {
        enter(Request.KVM_SET_DEBUGREGS);
        try {
            vcpu.setDebugRegs(registers);
        } finally {
            leave();
        }
    }

    @Override
    public void setGuestDebug(GuestDebug debug) {
        enter(Request.KVM_SET_GUEST_DEBUG);
        try {
            vcpu.setGuestDebug(debug);
        } finally {
            leave();
        }
    }

    @Override
    public void getVcpuEvents(VcpuEvents events) {
        enter(Request.KVM_GET_VCPU_EVENTS);
        try {
            vcpu.getEvents(events);
        } finally {
            leave();
        }
    }

    @Override
    public void setVcpuEvents(VcpuEvents events) {
        enter(Request.KVM_SET_VCPU_EVENTS);
        try {
            vcpu.setEvents(events);
        } finally {
            leave();
        }
    }

    @Override
    public int getMsrs(int[] indices, long[] values) {
        enter(Request.KVM_GET_MSRS);
        try {
            VcpuCalls.checkLengths(Request.KVM_GET_MSRS, indices, values);
            return vcpu.getMsrs(indices, values, indices.length);
        } finally {
            leave();
        }
    }

    @Override
    public int setMsrs(int[] indices, long[] values) {
        enter(Request.KVM_SET_MSRS);
        try {
            VcpuCalls.checkLengths(Request.KVM_SET_MSRS, indices, values);
            return vcpu.setMsrs(indices, values, indices.length);
        } finally {
            leave();
        }
    }

    @Override
    public long getMsr(int index) {
        enter(Request.KVM_GET_MSRS);
        try {
            return registers.readMsr(index);
        } finally {
            leave();
        }
    }

    @Override
    public void setMsr(int index, long value) {
        enter(Request.KVM_SET_MSRS);
        try {
            if (!vcpu.writeMsr(index, value)) {
                throw new KvmException(
                        "KVM_SET_MSRS",
                        Errno.EINVAL,
                        "index=0x" + Integer.toHexString(index) + " data=0x" + Long.toHexString(value));
            }
        } finally {
            leave();
        }
    }

    @Override
    public void setCpuid(List<CpuidEntry> entries) {
        enter(Request.KVM_SET_CPUID2);
        try {
            vcpu.setCpuid(entries);
        } finally {
            leave();
        }
    }

    @Override
    public List<CpuidEntry> cpuid() {
        enter(Request.KVM_GET_CPUID2);
        try {
            return vcpu.cpuid();
        } finally {
            leave();
        }
    }

    @Override
    public MpState mpState() {
        enter(Request.KVM_GET_MP_STATE);
        try {
            return MpState.of(vcpu.mpState());
        } finally {
            leave();
        }
    }

    @Override
    public void setMpState(MpState state) {
        enter(Request.KVM_SET_MP_STATE);
        try {
            vcpu.setMpState(state);
        } finally {
            leave();
        }
    }

    @Override
    public long getOneReg(long register) {
        enter(Request.KVM_GET_ONE_REG);
        try {
            return registers.get(register);
        } finally {
            leave();
        }
    }

    @Override
    public void setOneReg(long register, long value) {
        enter(Request.KVM_SET_ONE_REG);
        try {
            registers.set(register, value);
        } finally {
            leave();
        }
    }

    @Override
    public int getManyRegs(RegisterList list) {
        enter(Request.KVM_GET_ONE_REG);
        try {
            return registers.get(list);
        } finally {
            leave();
        }
    }

    @Override
    public int setManyRegs(RegisterList list) {
        enter(Request.KVM_SET_ONE_REG);
        try {
            return registers.set(list);
        } finally {
            leave();
        }
    }

    @Override
    public long[] registerList() {
        enter(Request.KVM_GET_REG_LIST);
        try {
            return registers.list();
        } finally {
            leave();
        }
    }

    @Override
    public void interrupt(int vector) {
        enter(Request.KVM_INTERRUPT);
        try {
            vcpu.interrupt(vector);
        } finally {
            leave();
        }
    }

    @Override
    public long translate(long linearAddress) {
        enter(Request.KVM_TRANSLATE);
        try {
            return vcpu.translate(linearAddress);
        } finally {
            leave();
        }
    }

    @Override
    public int tscKhz() {
        enter(Request.KVM_GET_TSC_KHZ);
        try {
            return vcpu.call(Request.KVM_GET_TSC_KHZ, 0);
        } finally {
            leave();
        }
    }

    @Override
    public void setTscKhz(int khz) {
        enter(Request.KVM_SET_TSC_KHZ);
        try {
            vcpu.call(Request.KVM_SET_TSC_KHZ, khz);
        } finally {
            leave();
        }
    }

    @Override
    public void setTprAccessReporting(boolean enabled) {
        enter(Request.KVM_TPR_ACCESS_REPORTING);
        try {
            vcpu.setTprAccessReporting(enabled);
        } finally {
            leave();
        }
    }

    @Override
    public void setVapicAddr(long guestPhysicalAddress) {
        enter(Request.KVM_SET_VAPIC_ADDR);
        try {
            vcpu.setVapicAddr(guestPhysicalAddress);
        } finally {
            leave();
        }
    }

    @Override
    public void kvmclockCtrl() {
        enter(Request.KVM_KVMCLOCK_CTRL);
        try {
            vcpu.call(Request.KVM_KVMCLOCK_CTRL, 0);
        } finally {
            leave();
        }
    }

    @Override
    public Stats stats() {
        enter(Request.KVM_GET_STATS_FD);
        try {
            if (stats == null) {
                stats = LinuxStats.open(calls, vcpu.call(Request.KVM_GET_STATS_FD, 0));
            }
            return stats;
        } finally {
            leave();
        }
    }

    @Override
    public void statistics(VcpuStatistics statistics) {
        throw vm.kvm().absent("statistics", Capability.SOFTKVM_STATISTICS);
    }

    @Override
    public void setInstructionLimit(long instructions) {
        throw vm.kvm().absent("setInstructionLimit", Capability.SOFTKVM_INSTRUCTION_LIMIT);
    }

    /** A run, or another call, that is under way on another thread ends first. */
    @Override
    public void close() {
        synchronized (control) {
            if (closed) {
                return;
            }
            control.kick();
            closed = true;
        }
        while (!(boolean) IN_USE.compareAndSet(this, false, true)) {
            LockSupport.parkNanos(CLOSE_POLL_NANOS);
        }
        vm.forget(this);
        try {
            mapping.close();
        } finally {
            calls.close(vcpu.descriptor());
        }
    }
}
