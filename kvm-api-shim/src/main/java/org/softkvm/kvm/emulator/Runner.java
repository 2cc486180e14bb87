package org.softkvm.kvm.emulator;

import org.softkvm.devices.apic.LocalApic;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.MpState;
import org.softkvm.kvm.StatDescriptor;
import org.softkvm.kvm.Stats;
import org.softkvm.kvm.VcpuRun;
import org.softkvm.kvm.VcpuStatistics;

/** KVM_RUN: executes guest code, waits in HLT, serves requests, and turns the core's exits into KVM's. */
final class Runner {
    private static final int RFLAGS_IF = 0x200;

    private final VirtualCpu cpu;
    private final Requests requests;
    private final LapicPort port;
    private final LocalApic apic;
    private final PvMsrs pv;
    private final RunState state;
    private final boolean bootstrap;
    private final CodeReader code;
    private final IoBus io;
    private final VmTime time;
    private final Runnable timerArmed = this::boundByTimers;

    /** Where the vcpu stands; HALTED is kept in the core. */
    private MpState mpState;

    /** The last exit left an access open, which the next run finishes. */
    private boolean accessOpen;

    /** The last exit of the access was an MMIO read: its answer has to be handed over. */
    private boolean mmioReadOpen;

    /** The last exit was an access to an MSR: its answer has to be handed over. */
    private boolean msrOpen;

    /** Executing guest code now; for statistics. */
    private boolean inGuest;

    /** The caller set a triple fault, which the next run reports. */
    private boolean tripleFaultPending;

    /** How many instructions had been executed when the vcpu last began to wait in HLT. */
    private long haltedAt = -1;

    /** INIT arrived in system-management mode. */
    private boolean initLatched;

    private boolean cr8Lowered;

    /** Another vcpu called KVM_HC_KICK_CPU: the present HLT, or the next one, is over. */
    private boolean unhalted;

    private long instructionLimit = Long.MAX_VALUE;

    private long exits;
    /** By reason; those of KVM are below the length. */
    private final long[] exitsByReason = new long[64];

    private long halts;
    private long haltNanos;
    private final GuestTime guestTime = new GuestTime();

    Runner(
            VirtualCpu cpu,
            Requests requests,
            LapicPort port,
            LocalApic apic,
            PvMsrs pv,
            RunState state,
            boolean bootstrap,
            CodeReader code,
            IoBus io,
            VmTime time) {
        this.cpu = cpu;
        this.requests = requests;
        this.port = port;
        this.apic = apic;
        this.pv = pv;
        this.state = state;
        this.bootstrap = bootstrap;
        this.code = code;
        this.io = io;
        this.time = time;
        mpState = apic == null || bootstrap ? MpState.RUNNABLE : MpState.UNINITIALIZED;
        cpu.onRsm(this::leftSmm);
        refreshInputs();
    }

    boolean isTripleFaultPending() {
        return tripleFaultPending;
    }

    void setTripleFaultPending(boolean pending) {
        tripleFaultPending = pending;
    }

    private void leftSmm() {
        if (initLatched) {
            initLatched = false;
            requests.post(Requests.INIT);
        }
    }

    boolean isInitLatched() {
        return initLatched;
    }

    /** Sets whether INIT waits for the end of system-management mode; outside it arrives at once. */
    void setInitLatched(boolean latched) {
        initLatched = latched && cpu.inSmm();
        if (latched && !cpu.inSmm()) {
            requests.post(Requests.INIT);
        }
    }

    /** The caller set CR8 or the APIC base by another call: the run state follows. */
    void refreshInputs() {
        state.cr8 = port.cr8();
        state.apicBase = port.apicBase();
    }

    /** Reads guest code at a linear address, for messages. */
    interface CodeReader {
        /**
         * Reads.
         *
         * @return 8 bytes, little-endian; bytes that cannot be read are 0
         */
        long read(long linearAddress);

        /**
         * Says what is there.
         *
         * @return a phrase
         */
        String describe(long linearAddress);
    }

    // ---- KVM_RUN

    int run() {
        if (apic == null) {
            takeInputs();
        }
        pv.steal().resume();
        pv.eoi().resume();
        int reason = time.isVirtual() ? executeVirtual() : execute();
        pv.steal().stop();
        port.storeVapic();
        count(reason);
        state.exitReason = reason;
        state.flags = cpu.inSmm() ? VcpuRun.X86_SMM : 0;
        state.ifFlag = (cpu.rflags() & RFLAGS_IF) != 0;
        state.readyForInterruptInjection = readyForInjection();
        refreshInputs();
        return reason;
    }

    /** Without a local APIC the caller keeps CR8 and the APIC base. */
    private void takeInputs() {
        if (state.cr8 != port.cr8()) {
            port.setCr8FromOutside((int) state.cr8 & 0xF);
        }
        if (state.apicBase != port.apicBase()) {
            port.setApicBase(state.apicBase);
        }
    }

    /** The vcpu's instructions are the time while it runs. */
    private int executeVirtual() {
        if (!time.enter(cpu, timerArmed)) {
            throw new KvmException("KVM_RUN", Errno.EBUSY, "vcpu (another one runs, under the virtual clock)");
        }
        try {
            return execute();
        } finally {
            time.leave();
        }
    }

    /** Under the virtual clock the core runs up to the next timer and no further. */
    private void boundByTimers() {
        long left = Math.max(1, time.untilDeadline());
        long now = cpu.instructions();
        cpu.setInstructionLimit(left > instructionLimit - now ? instructionLimit : now + left);
    }

    private int execute() {
        boolean virtual = time.isVirtual();
        boolean leave = false;
        while (true) {
            if (virtual) {
                time.runDue();
            }
            leave |= state.immediateExit();
            if (requests.any()) {
                leave |= takeRequests();
            }
            if (!accessOpen) {
                // Before a kick is answered: who kicked may be about to save the state, and no list of registers has
                // it.
                int ended = requests.takeEnded();
                if (ended >= 0) {
                    state.eoiVector = ended;
                    return ExitReason.IOAPIC_EOI;
                }
                if (leave) {
                    return ExitReason.INTR;
                }
                if (tripleFaultPending) {
                    tripleFaultPending = false;
                    return ExitReason.SHUTDOWN;
                }
                if (cr8Lowered) {
                    cr8Lowered = false;
                    return ExitReason.SET_TPR;
                }
                if (mpState != MpState.RUNNABLE) {
                    // Only another processor, or the caller, gets it out of here.
                    if (virtual) {
                        return ExitReason.HLT;
                    }
                    if (!await()) {
                        return ExitReason.INTR;
                    }
                    continue;
                }
            } else if (leave) {
                // The core finishes the access and then sees this before it executes anything.
                cpu.kick();
            }
            int reason = enterGuest();
            if (reason == ExitReason.IO && io.servePort(state) || reason == ExitReason.MMIO && io.serveMmio(state)) {
                // As if it had never left the guest: a kick that comes now finds an access with its answer.
                continue;
            }
            if (reason == ExitReason.INTR) {
                if (leave) {
                    return reason;
                }
                if (cpu.instructions() >= instructionLimit) {
                    return ExitReason.SOFTKVM_INSTRUCTION_LIMIT;
                }
            } else if (reason == ExitReason.HLT) {
                if (apic == null) {
                    cpu.setHalted(false);
                    return reason;
                }
                if (unhalted) {
                    unhalted = false;
                    cpu.setHalted(false);
                    continue;
                }
                if (virtual) {
                    if (!requests.any()) {
                        return reason;
                    }
                } else if (!halt()) {
                    return ExitReason.INTR;
                }
            } else {
                return reason;
            }
        }
    }

    /** Serves what other threads asked for; true where KVM_RUN is to return. */
    private boolean takeRequests() {
        // The bits are set before the core is kicked: one that comes after this line is still among those taken.
        cpu.clearKick();
        int taken = requests.take();
        if (accessOpen && (taken & (Requests.INIT | Requests.STARTUP)) != 0) {
            requests.putBack(taken & (Requests.INIT | Requests.STARTUP));
            cpu.kick();
            taken &= ~(Requests.INIT | Requests.STARTUP);
        }
        postNmis(taken);
        if ((taken & Requests.SMI) != 0) {
            cpu.postSmi();
        }
        if ((taken & Requests.CLOCK) != 0) {
            pv.clock().update();
        }
        unhalted |= (taken & Requests.UNHALT) != 0;
        if ((taken & Requests.CR8) != 0) {
            cr8Lowered = true;
        }
        serveStart(taken);
        return (taken & Requests.KICK) != 0;
    }

    private void serveStart(int taken) {
        if (cpu.inSmm()) {
            // INIT waits for RSM; start-up messages are lost.
            initLatched |= (taken & Requests.INIT) != 0;
            return;
        }
        if ((taken & Requests.INIT) != 0) {
            init();
        }
        if ((taken & Requests.STARTUP) != 0 && mpState == MpState.INIT_RECEIVED) {
            startUp(requests.startupVector());
        }
    }

    private int enterGuest() {
        cpu.setInterruptWindowRequested(state.requestInterruptWindow && port.queuedVector() < 0 && port.acceptsPic());
        if (port.hasVapic()) {
            // The guest may have lowered its priority in memory.
            cpu.requestInterruptCheck();
        }
        if (mmioReadOpen) {
            cpu.setMmioData(state.mmioData);
            mmioReadOpen = false;
        }
        if (msrOpen) {
            cpu.setMsrAnswer(state.msrData, state.msrError);
            msrOpen = false;
        }
        accessOpen = false;
        if (time.isVirtual()) {
            boundByTimers();
        }
        guestTime.enter();
        inGuest = true;
        int exit = cpu.run();
        inGuest = false;
        guestTime.leave(exit == VirtualCpu.EXIT_IO || exit == VirtualCpu.EXIT_MMIO);
        switch (exit) {
            case VirtualCpu.EXIT_IO -> {
                state.ioDirection = cpu.ioOut() ? VcpuRun.IO_OUT : VcpuRun.IO_IN;
                state.ioSize = cpu.ioSize();
                state.ioPort = cpu.ioPort();
                state.ioCount = cpu.ioCount();
                accessOpen = true;
            }
            case VirtualCpu.EXIT_MMIO -> {
                state.mmioAddress = cpu.mmioAddress();
                state.mmioLength = cpu.mmioSize();
                state.mmioIsWrite = cpu.mmioWrite();
                state.mmioData = state.mmioIsWrite ? zeroExtended(cpu.mmioData(), state.mmioLength) : 0;
                mmioReadOpen = !state.mmioIsWrite;
                accessOpen = true;
            }
            case VirtualCpu.EXIT_INTERNAL_ERROR -> internalError();
            case VirtualCpu.EXIT_X86_RDMSR, VirtualCpu.EXIT_X86_WRMSR -> {
                state.msrReason = cpu.msrReason();
                state.msrIndex = cpu.msrIndex();
                state.msrData = cpu.msrData();
                state.msrError = false;
                msrOpen = true;
                accessOpen = true;
            }
            case VirtualCpu.EXIT_TPR_ACCESS -> {
                state.tprAccessRip = cpu.rip();
                state.tprAccessIsWrite = cpu.tprWrite();
                accessOpen = true;
            }
            case VirtualCpu.EXIT_DEBUG -> {
                state.debugException = cpu.debugVector();
                state.debugPc = cpu.debugPc();
                state.debugDr6 = cpu.debugDr6();
                state.debugDr7 = cpu.debugDr7();
            }
            default -> {
                // The others carry nothing, and have KVM's numbers.
            }
        }
        return exit;
    }

    private static long zeroExtended(long data, int length) {
        return length == Long.BYTES ? data : data & (1L << length * Byte.SIZE) - 1;
    }

    private void internalError() {
        long linear = cpu.segmentBase(SegmentCodec.CS) + cpu.rip();
        state.internalErrorSuberror = cpu.suberror();
        state.internalErrorDataCount = 0;
        state.addInternalErrorData(linear);
        state.addInternalErrorData(code.read(linear));
        state.errorText = state.internalErrorSuberror == ExitReason.INTERNAL_ERROR_DELIVERY_EV
                ? "cannot deliver an event at linear address 0x" + Long.toHexString(linear)
                        + ": a descriptor table or the stack lies outside memory"
                : "cannot execute the instruction at linear address 0x" + Long.toHexString(linear) + ": "
                        + code.describe(linear);
    }

    /** The guest executed HLT and nothing is there to deliver: waits; false where the thread was interrupted. */
    private boolean halt() {
        if (cpu.instructions() != haltedAt) {
            haltedAt = cpu.instructions();
            halts++;
        }
        return await();
    }

    private boolean await() {
        long start = System.nanoTime();
        pv.steal().stop();
        boolean goOn = requests.await();
        pv.steal().resume();
        haltNanos += System.nanoTime() - start;
        return goOn;
    }

    // ---- INIT and start-up

    private void init() {
        cpu.init();
        if (apic != null) {
            apic.init();
        }
        pv.eoi().reset();
        accessOpen = false;
        mmioReadOpen = false;
        msrOpen = false;
        port.setQueuedVector(-1);
        mpState = bootstrap ? MpState.RUNNABLE : MpState.INIT_RECEIVED;
    }

    private void startUp(int vector) {
        cpu.setSegment(
                SegmentCodec.CS,
                vector << 8,
                (long) vector << 12,
                cpu.segmentLimit(SegmentCodec.CS),
                cpu.segmentAttributes(SegmentCodec.CS));
        cpu.setRip(0);
        mpState = MpState.RUNNABLE;
    }

    /** Where the vcpu stands, after INIT and start-up messages that came while it did not run. */
    MpState mpState() {
        if (!accessOpen) {
            serveStart(requests.take(Requests.INIT | Requests.STARTUP));
        }
        unhalted |= requests.take(Requests.UNHALT) != 0;
        boolean halted = mpState == MpState.RUNNABLE && apic != null && cpu.halted() && !unhalted;
        return halted ? MpState.HALTED : mpState;
    }

    void setMpState(MpState wanted) {
        cpu.setHalted(wanted == MpState.HALTED);
        switch (wanted) {
            case RUNNABLE, HALTED -> mpState = MpState.RUNNABLE;
            case SIPI_RECEIVED -> {
                mpState = MpState.INIT_RECEIVED;
                requests.post(Requests.STARTUP);
            }
            default -> mpState = wanted;
        }
    }

    int startupVector() {
        return requests.startupVector();
    }

    void setStartupVector(int vector) {
        requests.setStartupVector(vector);
    }

    private void postNmis(int taken) {
        for (int i = Integer.bitCount(taken & (Requests.NMI | Requests.NMI_AGAIN)); i > 0; i--) {
            cpu.postNmi();
        }
    }

    /** Moves NMIs and SMIs that other threads sent into the core, where the events of the vcpu show them. */
    void takeNmis() {
        postNmis(requests.take(Requests.NMI | Requests.NMI_AGAIN));
        if (requests.take(Requests.SMI) != 0) {
            cpu.postSmi();
        }
    }

    // ---- Interrupts

    private boolean readyForInjection() {
        return cpu.interruptsEnabled() && port.queuedVector() < 0 && port.acceptsPic();
    }

    // ---- Extensions

    void setInstructionLimit(long instructions) {
        instructionLimit = instructions < 0 || instructions > Long.MAX_VALUE - cpu.instructions()
                ? Long.MAX_VALUE
                : cpu.instructions() + instructions;
        cpu.setInstructionLimit(instructionLimit);
    }

    private void count(int reason) {
        exits++;
        if (reason >= 0 && reason < exitsByReason.length) {
            exitsByReason[reason]++;
        }
    }

    /** Exits so far of one reason. */
    long exits(int reason) {
        return exitsByReason[reason];
    }

    /** All statistics by name, for any thread. */
    Stats stats(String id) {
        return new StatList(id)
                .count("exits", () -> exits)
                .count("io_exits", () -> exits(ExitReason.IO))
                .count("mmio_exits", () -> exits(ExitReason.MMIO))
                .count("irq_window_exits", () -> exits(ExitReason.IRQ_WINDOW_OPEN))
                .count("ioapic_eoi_exits", () -> exits(ExitReason.IOAPIC_EOI))
                .count("signal_exits", () -> exits(ExitReason.INTR))
                .count("halt_exits", () -> halts)
                .count("debug_exits", () -> exits(ExitReason.DEBUG))
                .count("msr_exits", () -> exits(ExitReason.X86_RDMSR) + exits(ExitReason.X86_WRMSR))
                .count("tpr_access_exits", () -> exits(ExitReason.TPR_ACCESS))
                .nanos("halt_wait_ns", () -> haltNanos)
                .count("irq_injections", port::interrupts)
                .count("smi_injections", cpu::smiCount)
                .count("exceptions", cpu::faults)
                .count("tlb_flush", cpu::tlbFlushes)
                .count("tlb_misses", cpu::tlbMisses)
                .count("instructions", cpu::instructions)
                .count("blocks_decoded", cpu::blocksDecoded)
                .instant("guest_mode", StatDescriptor.Unit.BOOLEAN, () -> inGuest ? 1 : 0);
    }

    void statistics(VcpuStatistics statistics) {
        statistics.instructions = cpu.instructions();
        statistics.exits = exits;
        statistics.ioExits = exits(ExitReason.IO);
        statistics.mmioExits = exits(ExitReason.MMIO);
        statistics.irqWindowExits = exits(ExitReason.IRQ_WINDOW_OPEN);
        statistics.ioapicEoiExits = exits(ExitReason.IOAPIC_EOI);
        statistics.intrExits = exits(ExitReason.INTR);
        statistics.halts = halts;
        statistics.haltNanos = haltNanos;
        statistics.guestNanos = guestTime.nanos();
        statistics.tlbMisses = cpu.tlbMisses();
        statistics.tlbFlushes = cpu.tlbFlushes();
        statistics.blocksDecoded = cpu.blocksDecoded();
        statistics.faults = cpu.faults();
        statistics.interpreted = cpu.interpreted();
        statistics.fallbacks = cpu.fallbacks();
        statistics.regions = cpu.regionsTranslated();
        statistics.regionBytes = cpu.regionBytes();
        statistics.translationNanos = cpu.translationNanos();
        statistics.regionsFailed = cpu.regionsFailed();
        statistics.regionsCompiled = cpu.regionsCompiled();
        statistics.regionsDropped = cpu.regionsDropped();
        statistics.sideExits = cpu.sideExits();
        statistics.interrupts = port.interrupts();
    }
}
