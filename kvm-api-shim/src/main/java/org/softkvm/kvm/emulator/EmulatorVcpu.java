package org.softkvm.kvm.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.softkvm.devices.StateHash;
import org.softkvm.devices.apic.LocalApic;
import org.softkvm.devices.time.TscSource;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.RandomSource;
import org.softkvm.emulator.VirtualCpu;
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

/** A vcpu of the emulator backend: checks what the caller wants and leads it to the parts that do it. */
final class EmulatorVcpu implements Vcpu {
    /** KVM's bus clock of the local APIC's timer is 1 GHz. */
    private static final int APIC_BUS_NANOS = 1;

    private static final int MIN_APIC_ADDRESS_BITS = 32;
    private static final int DEBUG_EXCEPTION = 1;
    private static final int SYNC_ALL = VcpuRun.SYNC_REGS | VcpuRun.SYNC_SREGS | VcpuRun.SYNC_EVENTS;

    private static final long CLOSE_POLL_NANOS = 50_000;

    private static final VarHandle IN_USE;

    static {
        try {
            IN_USE = MethodHandles.lookup().findVarHandle(EmulatorVcpu.class, "inUse", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final EmulatorVm vm;
    private final int id;
    private final Tsc tsc;
    private final Requests requests = new Requests();
    private final LocalApic apic;
    private final LapicPort port;
    private final VirtualCpu cpu;
    private final PvClock clock;
    private final MsrAccess msrs;
    private final RegisterSets registers;
    private final OneRegisters oneRegisters;
    private final EmulatorRegisters extras;
    private final Runner runner;
    private final RunState state;
    private final Stats stats;

    private List<CpuidEntry> cpuid;

    /** The state components that XSAVE can have by that. */
    private long xstate;

    private boolean ran;

    @SuppressWarnings("unused") // by IN_USE
    private boolean inUse;

    private volatile boolean closed;

    /** Makes a vcpu in its state after power-on. */
    EmulatorVcpu(EmulatorVm vm, int id) {
        this.vm = vm;
        this.id = id;
        boolean bootstrap = id == vm.bootCpuId();
        tsc = new Tsc(vm.time());
        tsc.setKhz(vm.tscKhz());
        apic = vm.hasLapics() ? newApic(bootstrap) : null;
        requests.setIrqchip(vm.irqchip());
        port = new LapicPort(apic, vm.irqchip(), bootstrap, () -> requests.post(Requests.CR8));
        cpu = new VirtualCpu(id, vm.memory(), vm.model(), port, tsc);
        switch (vm.engine()) {
            case "interpreter" -> cpu.setTranslation(Integer.MAX_VALUE, false);
            case "translator" -> cpu.setTranslation(0, true);
            default -> cpu.setTranslation(VirtualCpu.DEFAULT_TRANSLATION_THRESHOLD, false);
        }
        requests.setCpu(cpu);
        clock = new PvClock(vm.memory(), vm.time(), tsc, cpu::tsc);
        // Under the virtual clock nothing is ever stolen.
        PvSteal steal = vm.time().isVirtual()
                ? new PvSteal(vm.memory(), vm.time()::nanoTime, () -> -1)
                : new PvSteal(vm.memory(), System::nanoTime, ThreadTime::nanos);
        PvEoi eoi = new PvEoi(vm.memory(), apic);
        PvMsrs pv = new PvMsrs(clock, steal, eoi);
        port.setPv(pv);
        cpu.setHypercalls(new PvHypercalls(vm, clock));
        state = new RunState(cpu.ioBuffer());
        runner = new Runner(cpu, requests, port, apic, pv, state, bootstrap, new Code(), vm.io(), vm.time());
        msrs = new MsrAccess(cpu, port);
        stats = runner.stats("softkvm-" + vm.number() + "/vcpu-" + id);
        cpu.setMsrGate(vm.msrPolicy());
        registers = new RegisterSets(cpu, port, apic, vm.memory(), vm.model().physicalAddressBits());
        cpuid = Cpuid.of(vm.model());
        xstate = XsaveCodec.supported(cpuid);
        Cpuid.apply(cpu, cpuid);
        RandomSource random = null;
        if (vm.time().isVirtual()) {
            cpu.setVirtualTime(true);
            random = RandomSource.seeded(id);
            cpu.setRandomSource(random);
        }
        extras = new EmulatorRegisters(cpu, apic, eoi, tsc, vm.time(), msrs, random);
        boolean hasYmm = (xstate & XsaveCodec.AVX) != 0;
        oneRegisters = new OneRegisters(cpu, port, apic != null, runner, registers, msrs, extras, hasYmm);
        if (apic != null) {
            if (bootstrap) {
                apic.useVirtualWire();
            }
            vm.bus().attach(apic);
            routesChanged(GsiRoutes.EMPTY, vm.routes());
        }
    }

    private LocalApic newApic(boolean bootstrap) {
        int addressBits = Math.max(MIN_APIC_ADDRESS_BITS, vm.model().physicalAddressBits());
        LocalApic.Config config = new LocalApic.Config(id, bootstrap, true, false, APIC_BUS_NANOS, addressBits);
        return new LocalApic(config, vm.time().clock(), new ApicTsc(), vm.bus(), requests);
    }

    /** The counter as the local APIC's timer sees it. */
    private final class ApicTsc implements TscSource {
        @Override
        public long tsc() {
            // From the timer's thread too.
            return cpu.tsc();
        }

        @Override
        public long nanoTimeAt(long value) {
            long now = vm.time().nanoTime();
            long ticks = value - tsc();
            if (ticks <= 0) {
                return now;
            }
            long nanos = tsc.nanosOfTicks(ticks);
            return nanos > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + nanos;
        }
    }

    /** Guest code, for the messages of internal errors. */
    private final class Code implements Runner.CodeReader {
        @Override
        public long read(long linearAddress) {
            byte[] bytes = new byte[Long.BYTES];
            long value = 0;
            for (int i = bytes.length - 1; i >= 0; i--) {
                long physical = cpu.translate(linearAddress + i);
                if (physical != -1) {
                    vm.memory().read(physical, bytes, i, 1);
                }
                value = value << Byte.SIZE | bytes[i] & 0xFF;
            }
            return value;
        }

        @Override
        public String describe(long linearAddress) {
            long physical = cpu.translate(linearAddress);
            return physical == -1 ? "it is not mapped" : vm.whyNoCode(physical);
        }
    }

    // ---- Calls by one thread at a time

    private void enter(String call) {
        if (closed) {
            throw new KvmException(call, Errno.EBADF, "vcpu " + id + " (closed)");
        }
        if (!(boolean) IN_USE.compareAndSet(this, false, true)) {
            if (closed) {
                throw new KvmException(call, Errno.EBADF, "vcpu " + id + " (closed)");
            }
            throw new KvmException(call, Errno.EBUSY, "vcpu " + id + " (another thread is using it)");
        }
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
        return state;
    }

    @Override
    public int run() {
        enter("KVM_RUN");
        try {
            ran = true;
            takeDirtyRegs();
            int reason = runner.run();
            if (state.validRegs != 0) {
                storeValidRegs();
            }
            return reason;
        } finally {
            leave();
        }
    }

    /** Registers that the caller changed on the run page. */
    private void takeDirtyRegs() {
        if (((state.validRegs | state.dirtyRegs) & ~SYNC_ALL) != 0) {
            throw new KvmException(
                    "KVM_RUN",
                    Errno.EINVAL,
                    "kvm_valid_regs=0x" + Integer.toHexString(state.validRegs) + " kvm_dirty_regs=0x"
                            + Integer.toHexString(state.dirtyRegs));
        }
        if ((state.dirtyRegs & VcpuRun.SYNC_REGS) != 0) {
            registers.setRegs(state.syncRegs);
            state.dirtyRegs &= ~VcpuRun.SYNC_REGS;
        }
        if ((state.dirtyRegs & VcpuRun.SYNC_SREGS) != 0) {
            registers.setSregs(state.syncSregs);
            runner.refreshInputs();
            state.dirtyRegs &= ~VcpuRun.SYNC_SREGS;
        }
        if ((state.dirtyRegs & VcpuRun.SYNC_EVENTS) != 0) {
            applyEvents(state.syncEvents);
            state.dirtyRegs &= ~VcpuRun.SYNC_EVENTS;
        }
    }

    /** Registers that the caller wants on the run page. */
    private void storeValidRegs() {
        if ((state.validRegs & VcpuRun.SYNC_REGS) != 0) {
            registers.getRegs(state.syncRegs);
        }
        if ((state.validRegs & VcpuRun.SYNC_SREGS) != 0) {
            registers.getSregs(state.syncSregs);
        }
        if ((state.validRegs & VcpuRun.SYNC_EVENTS) != 0) {
            fillEvents(state.syncEvents);
        }
    }

    @Override
    public void kick() {
        requests.post(Requests.KICK);
    }

    @Override
    public void nmi() {
        if (closed) {
            throw new KvmException("KVM_NMI", Errno.EBADF, "vcpu " + id + " (closed)");
        }
        requests.nmi();
    }

    @Override
    public void smi() {
        if (closed) {
            throw new KvmException("KVM_SMI", Errno.EBADF, "vcpu " + id + " (closed)");
        }
        requests.post(Requests.SMI);
    }

    @Override
    public void getRegs(Regs regs) {
        enter("KVM_GET_REGS");
        try {
            registers.getRegs(regs);
        } finally {
            leave();
        }
    }

    @Override
    public void setRegs(Regs regs) {
        enter("KVM_SET_REGS");
        try {
            registers.setRegs(regs);
        } finally {
            leave();
        }
    }

    @Override
    public void getSregs(Sregs sregs) {
        enter("KVM_GET_SREGS");
        try {
            registers.getSregs(sregs);
        } finally {
            leave();
        }
    }

    @Override
    public void setSregs(Sregs sregs) {
        enter("KVM_SET_SREGS");
        try {
            registers.setSregs(sregs);
            runner.refreshInputs();
        } finally {
            leave();
        }
    }

    @Override
    public void getSregs2(Sregs2 sregs) {
        enter("KVM_GET_SREGS2");
        try {
            registers.getSregs2(sregs);
        } finally {
            leave();
        }
    }

    @Override
    public void setSregs2(Sregs2 sregs) {
        enter("KVM_SET_SREGS2");
        try {
            registers.setSregs2(sregs);
            runner.refreshInputs();
        } finally {
            leave();
        }
    }

    @Override
    public void getXsave(Xsave xsave) {
        enter("KVM_GET_XSAVE");
        try {
            XsaveCodec.get(cpu, xstate, xsave.region);
        } finally {
            leave();
        }
    }

    @Override
    public void setXsave(Xsave xsave) {
        enter("KVM_SET_XSAVE");
        try {
            XsaveCodec.set(cpu, xstate, xsave.region);
        } finally {
            leave();
        }
    }

    @Override
    public void getXcrs(Xcrs xcrs) {
        enter("KVM_GET_XCRS");
        try {
            XsaveCodec.getXcrs(cpu, xcrs);
        } finally {
            leave();
        }
    }

    @Override
    public void setXcrs(Xcrs xcrs) {
        enter("KVM_SET_XCRS");
        try {
            XsaveCodec.setXcrs(cpu, xstate, xcrs);
        } finally {
            leave();
        }
    }

    @Override
    public void getDebugRegs(DebugRegs debugRegs) {
        enter("KVM_GET_DEBUGREGS");
        try {
            registers.getDebugRegs(debugRegs);
        } finally {
            leave();
        }
    }

    @Override
    public void setDebugRegs(DebugRegs debugRegs) {
        enter("KVM_SET_DEBUGREGS");
        try {
            registers.setDebugRegs(debugRegs);
        } finally {
            leave();
        }
    }

    @Override
    public void getFpu(Fpu fpu) {
        enter("KVM_GET_FPU");
        try {
            FpuCodec.get(cpu, fpu);
        } finally {
            leave();
        }
    }

    @Override
    public void setFpu(Fpu fpu) {
        enter("KVM_SET_FPU");
        try {
            FpuCodec.set(cpu, fpu);
        } finally {
            leave();
        }
    }

    @Override
    public int getMsrs(int[] indices, long[] values) {
        String call = "KVM_GET_MSRS";
        enter(call);
        try {
            checkLengths(call, indices, values);
            return msrs.get(indices, values);
        } finally {
            leave();
        }
    }

    @Override
    public int setMsrs(int[] indices, long[] values) {
        String call = "KVM_SET_MSRS";
        enter(call);
        try {
            checkLengths(call, indices, values);
            int written = msrs.set(indices, values);
            runner.refreshInputs();
            return written;
        } finally {
            leave();
        }
    }

    private static void checkLengths(String call, int[] indices, long[] values) {
        if (indices.length != values.length) {
            throw new KvmException(
                    call, Errno.EINVAL, "values.length=" + values.length + " for " + indices.length + " indices");
        }
        if (indices.length >= MsrList.MAX_ENTRIES) {
            throw new KvmException(
                    call, Errno.E2BIG, "nmsrs=" + indices.length + " (below " + MsrList.MAX_ENTRIES + ")");
        }
    }

    @Override
    public long getMsr(int index) {
        String call = "KVM_GET_MSRS";
        enter(call);
        try {
            if (!msrs.canRead(index)) {
                throw unknownMsr(call, index);
            }
            return msrs.read(index);
        } finally {
            leave();
        }
    }

    @Override
    public void setMsr(int index, long value) {
        String call = "KVM_SET_MSRS";
        enter(call);
        try {
            if (!msrs.write(index, value)) {
                throw new KvmException(
                        call,
                        Errno.EINVAL,
                        "index=0x" + Integer.toHexString(index) + " data=0x" + Long.toHexString(value));
            }
            runner.refreshInputs();
        } finally {
            leave();
        }
    }

    private static KvmException unknownMsr(String call, int index) {
        return new KvmException(call, Errno.EINVAL, "index=0x" + Integer.toHexString(index) + " (unknown)");
    }

    @Override
    public void setCpuid(List<CpuidEntry> entries) {
        String call = "KVM_SET_CPUID2";
        enter(call);
        try {
            if (entries.size() > Cpuid.MAX_ENTRIES) {
                throw new KvmException(
                        call, Errno.E2BIG, "nent=" + entries.size() + " (at most " + Cpuid.MAX_ENTRIES + ")");
            }
            List<CpuidEntry> own = List.copyOf(entries);
            if (ran && !own.equals(cpuid)) {
                throw new KvmException(call, Errno.EINVAL, "vcpu " + id + " (ran already, and the leaves differ)");
            }
            cpuid = own;
            xstate = XsaveCodec.supported(own) & XsaveCodec.supported(Cpuid.of(vm.model()));
            Cpuid.apply(cpu, own);
        } finally {
            leave();
        }
    }

    @Override
    public List<CpuidEntry> cpuid() {
        enter("KVM_GET_CPUID2");
        try {
            return cpuid;
        } finally {
            leave();
        }
    }

    @Override
    public void getVcpuEvents(VcpuEvents events) {
        enter("KVM_GET_VCPU_EVENTS");
        try {
            fillEvents(events);
        } finally {
            leave();
        }
    }

    private void fillEvents(VcpuEvents events) {
        runner.takeNmis();
        registers.getEvents(events);
        events.smiLatchedInit = runner.isInitLatched();
        if (vm.exceptionPayload()) {
            events.flags |= VcpuEvents.VALID_PAYLOAD;
        }
        if (vm.tripleFaultEvent()) {
            events.flags |= VcpuEvents.VALID_TRIPLE_FAULT;
            events.tripleFaultPending = runner.isTripleFaultPending();
        }
    }

    @Override
    public void setVcpuEvents(VcpuEvents events) {
        enter("KVM_SET_VCPU_EVENTS");
        try {
            applyEvents(events);
        } finally {
            leave();
        }
    }

    private void applyEvents(VcpuEvents events) {
        registers.setEvents(events, vm.exceptionPayload(), vm.tripleFaultEvent());
        if (apic != null && (events.flags & VcpuEvents.VALID_SMM) != 0) {
            runner.setInitLatched(events.smiLatchedInit);
        }
        if (apic != null && (events.flags & VcpuEvents.VALID_SIPI_VECTOR) != 0) {
            runner.setStartupVector(events.sipiVector & 0xFF);
        }
        if ((events.flags & VcpuEvents.VALID_TRIPLE_FAULT) != 0) {
            runner.setTripleFaultPending(events.tripleFaultPending);
        }
    }

    @Override
    public MpState mpState() {
        enter("KVM_GET_MP_STATE");
        try {
            return runner.mpState();
        } finally {
            leave();
        }
    }

    @Override
    public void setMpState(MpState mpState) {
        String call = "KVM_SET_MP_STATE";
        enter(call);
        try {
            if (apic == null && mpState != MpState.RUNNABLE) {
                throw new KvmException(call, Errno.EINVAL, "mp_state=" + mpState + " (no local APIC)");
            }
            runner.setMpState(mpState);
        } finally {
            leave();
        }
    }

    @Override
    public void getLapic(LapicState lapic) {
        String call = "KVM_GET_LAPIC";
        enter(call);
        try {
            checkLapic(call);
            port.settle();
            registers.getLapic(lapic);
        } finally {
            leave();
        }
    }

    @Override
    public void setLapic(LapicState lapic) {
        String call = "KVM_SET_LAPIC";
        enter(call);
        try {
            checkLapic(call);
            port.settle();
            registers.setLapic(lapic);
        } finally {
            leave();
        }
    }

    private void checkLapic(String call) {
        if (apic == null) {
            throw new KvmException(call, Errno.EINVAL, "vcpu " + id + " (no local APIC)");
        }
    }

    @Override
    public long getOneReg(long register) {
        enter("KVM_GET_ONE_REG");
        try {
            return oneRegisters.get(register);
        } finally {
            leave();
        }
    }

    @Override
    public void setOneReg(long register, long value) {
        enter("KVM_SET_ONE_REG");
        try {
            oneRegisters.set(register, value);
            runner.refreshInputs();
        } finally {
            leave();
        }
    }

    @Override
    public int getManyRegs(RegisterList list) {
        enter("KVM_GET_MANY_REG");
        try {
            for (int i = 0; i < list.ids.length; i++) {
                try {
                    list.values[i] = oneRegisters.get(list.ids[i]);
                } catch (KvmException e) {
                    return i;
                }
            }
            return list.ids.length;
        } finally {
            leave();
        }
    }

    @Override
    public int setManyRegs(RegisterList list) {
        enter("KVM_SET_MANY_REG");
        try {
            for (int i = 0; i < list.ids.length; i++) {
                try {
                    oneRegisters.set(list.ids[i], list.values[i]);
                } catch (KvmException e) {
                    return i;
                }
            }
            return list.ids.length;
        } finally {
            runner.refreshInputs();
            leave();
        }
    }

    @Override
    public long[] registerList() {
        enter("KVM_GET_REG_LIST");
        try {
            return oneRegisters.list();
        } finally {
            leave();
        }
    }

    @Override
    public void interrupt(int vector) {
        String call = "KVM_INTERRUPT";
        enter(call);
        try {
            if (vector < 0 || vector > 255) {
                throw new KvmException(call, Errno.EINVAL, "irq=" + vector + " (0 to 255)");
            }
            if (vm.irqchip() != null) {
                throw new KvmException(call, Errno.ENXIO, "irq=" + vector + " (the PIC is in the backend)");
            }
            if (apic != null && port.queuedVector() >= 0) {
                throw new KvmException(
                        call, Errno.EEXIST, "irq=" + vector + " (" + port.queuedVector() + " is queued already)");
            }
            port.setQueuedVector(vector);
            cpu.requestInterruptCheck();
        } finally {
            leave();
        }
    }

    @Override
    public long translate(long linearAddress) {
        enter("KVM_TRANSLATE");
        try {
            return cpu.translate(linearAddress);
        } finally {
            leave();
        }
    }

    @Override
    public int tscKhz() {
        enter("KVM_GET_TSC_KHZ");
        try {
            return (int) tsc.tscKhz();
        } finally {
            leave();
        }
    }

    @Override
    public void setTscKhz(int khz) {
        String call = "KVM_SET_TSC_KHZ";
        enter(call);
        try {
            tsc.setKhz(Tsc.checkedKhz(call, khz));
            port.tscChanged();
        } finally {
            leave();
        }
    }

    @Override
    public void setTprAccessReporting(boolean enabled) {
        enter("KVM_TPR_ACCESS_REPORTING");
        try {
            cpu.setTprReporting(enabled);
        } finally {
            leave();
        }
    }

    @Override
    public void setVapicAddr(long guestPhysicalAddress) {
        String call = "KVM_SET_VAPIC_ADDR";
        enter(call);
        try {
            checkLapic(call);
            if (guestPhysicalAddress != 0 && vm.memory().hostOffset(guestPhysicalAddress) == GuestMemory.NONE) {
                throw new KvmException(
                        call, Errno.EINVAL, "vapic_addr=0x" + Long.toHexString(guestPhysicalAddress) + " (no memory)");
            }
            port.setVapic(vm.memory(), guestPhysicalAddress);
        } finally {
            leave();
        }
    }

    @Override
    public Stats stats() {
        return stats;
    }

    @Override
    public void setGuestDebug(GuestDebug debug) {
        String call = "KVM_SET_GUEST_DEBUG";
        enter(call);
        try {
            boolean injects = (debug.control & (GuestDebug.INJECT_DB | GuestDebug.INJECT_BP)) != 0;
            if (injects && cpu.injectedException() >= 0) {
                throw new KvmException(
                        call, Errno.EBUSY, "exception " + cpu.injectedException() + " (is on its way already)");
            }
            cpu.setOutsideDebug(debug.control, debug.debugreg);
            if ((debug.control & GuestDebug.INJECT_DB) != 0) {
                cpu.injectException(DEBUG_EXCEPTION, false, 0);
            } else if (injects) {
                cpu.injectBreakpoint();
            }
        } finally {
            leave();
        }
    }

    @Override
    public void kvmclockCtrl() {
        String call = "KVM_KVMCLOCK_CTRL";
        enter(call);
        try {
            if (!clock.isOn()) {
                throw new KvmException(call, Errno.EINVAL, "vcpu " + id + " (its paravirtual clock is off)");
            }
            clock.guestStopped();
        } finally {
            leave();
        }
    }

    @Override
    public void statistics(VcpuStatistics statistics) {
        enter("statistics");
        try {
            runner.statistics(statistics);
        } finally {
            leave();
        }
    }

    @Override
    public void onFpuError(Runnable action) {
        enter("onFpuError");
        try {
            cpu.setFpuErrorLine(action);
        } finally {
            leave();
        }
    }

    @Override
    public void setInstructionLimit(long instructions) {
        enter("setInstructionLimit");
        try {
            runner.setInstructionLimit(instructions);
        } finally {
            leave();
        }
    }

    /** Adds the whole state: registers, the local APIC, what is on its way. */
    void hashState(StateHash hash) {
        enter("stateHash");
        try {
            hash.add(id);
            for (long register : oneRegisters.list()) {
                hash.add(register);
                hash.add(oneRegisters.get(register));
            }
            hash.add(extras.instructions());
            if (apic != null) {
                hash.add(apic.save());
            }
        } finally {
            leave();
        }
    }

    // ---- Calls by the VM, from any thread

    /** The paravirtual clock was set. */
    void clockChanged() {
        requests.post(Requests.CLOCK);
    }

    /** Another vcpu wants this one to leave HLT. */
    void unhalt() {
        requests.post(Requests.UNHALT);
    }

    /** A message of the APIC bus for this vcpu; false where its local APIC does not take it. */
    boolean accept(long message) {
        return apic.accept(message);
    }

    /** INTR of the PICs of the backend. */
    void setLint0(boolean level) {
        apic.lint(0).set(level);
    }

    /** With a full irqchip: which edge-triggered vector's end is to be reported to it, or -1. */
    void setReportedVector(int vector) {
        long bit = vector < 0 ? 0 : 1L << vector;
        int word = vector >> 6;
        apic.setEoiExitVectors(word == 0 ? bit : 0, word == 1 ? bit : 0, word == 2 ? bit : 0, word == 3 ? bit : 0);
    }

    /**
     * With a split irqchip, the table of routes was replaced: tells the local APIC whose ends of interrupts to report. Vectors of the old
     * table stay while an interrupt of theirs is on its way.
     */
    void routesChanged(GsiRoutes before, GsiRoutes now) {
        if (apic == null || vm.irqchip() != null) {
            return;
        }
        LocalApic.State pending = apic.save();
        long[] words = new long[4];
        for (int vector = 0; vector < 256; vector++) {
            int bit = 1 << vector;
            boolean underWay = ((pending.irr()[vector >> 5] | pending.isr()[vector >> 5]) & bit) != 0;
            boolean stale = underWay && (pending.eoiExitVectors()[vector >> 6] & 1L << vector) != 0;
            if (now.isLevelVector(vector) || stale || underWay && before.isLevelVector(vector)) {
                words[vector >> 6] |= 1L << vector;
            }
        }
        apic.setEoiExitVectors(words[0], words[1], words[2], words[3]);
    }

    /** A call of another thread that is under way ends first: it may be using the VM's memory. */
    @Override
    public void close() {
        synchronized (requests) {
            if (closed) {
                return;
            }
            closed = true;
        }
        requests.post(Requests.KICK);
        while (!(boolean) IN_USE.compareAndSet(this, false, true)) {
            LockSupport.parkNanos(CLOSE_POLL_NANOS);
        }
        if (apic != null) {
            vm.bus().detach(apic);
            apic.reset();
        }
        cpu.close();
    }
}
