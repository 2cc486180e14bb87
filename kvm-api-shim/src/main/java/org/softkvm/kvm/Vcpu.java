package org.softkvm.kvm;

import java.util.List;

/**
 * A virtual CPU.
 *
 * <p>It runs on the thread that calls {@link #run()}. Its methods are for one thread at a time, except for
 * {@link #kick()}, {@link #nmi()}, {@link #smi()}, {@link #stats()} and {@link VcpuRun#setImmediateExit(boolean)}, which any
 * thread may call at any time.
 * Errors are {@link KvmException}s. {@link #run()} and the register calls allocate nothing.
 */
public interface Vcpu extends AutoCloseable {
    /**
     * The number of the vcpu, which is its APIC id too.
     *
     * @return the number given to {@link Vm#createVcpu(int)}
     */
    int id();

    /**
     * The VM that it belongs to.
     *
     * @return the VM
     */
    Vm vm();

    /**
     * Runs the guest until something needs the caller (KVM_RUN). An access that the last exit left open is finished
     * first: what an IN or an MMIO read gets is taken from {@link #runState()}.
     *
     * <p>Where KVM_RUN returns EINTR this returns {@link ExitReason#INTR}.
     *
     * @return the exit reason, a number of {@link ExitReason}; the details are in {@link #runState()}
     * @throws KvmException EBUSY where another thread is in here, EBADF where the vcpu is closed
     */
    int run();

    /**
     * What {@link #run()} and its caller tell each other.
     *
     * @return the same object at each call
     */
    VcpuRun runState();

    /**
     * Ends the run under way, or the next one, with {@link ExitReason#INTR}; wakes a vcpu that waits in HLT. Any
     * thread.
     */
    void kick();

    /**
     * Reads the general registers (KVM_GET_REGS).
     *
     * @param regs where they go
     */
    void getRegs(Regs regs);

    /**
     * Writes the general registers (KVM_SET_REGS); a pending exception is dropped.
     *
     * @param regs the values
     */
    void setRegs(Regs regs);

    /**
     * Reads the segment and control registers (KVM_GET_SREGS).
     *
     * @param sregs where they go
     */
    void getSregs(Sregs sregs);

    /**
     * Writes the segment and control registers (KVM_SET_SREGS).
     *
     * @param sregs the values
     * @throws KvmException EINVAL where CR0, CR3, CR4, EFER, CS and the APIC base do not go together or have bits that
     *     the CPUID of the vcpu does not offer
     */
    void setSregs(Sregs sregs);

    /**
     * Reads x87 and SSE registers (KVM_GET_FPU).
     *
     * @param fpu where they go
     */
    void getFpu(Fpu fpu);

    /**
     * Writes x87 and SSE registers (KVM_SET_FPU).
     *
     * @param fpu the values
     */
    void setFpu(Fpu fpu);

    /**
     * Reads MSRs (KVM_GET_MSRS) up to the first that is unknown.
     *
     * @param indices the numbers of the MSRs
     * @param values where the values go
     * @return how many were read
     */
    int getMsrs(int[] indices, long[] values);

    /**
     * Writes MSRs (KVM_SET_MSRS) up to the first that is unknown or does not take its value.
     *
     * @param indices the numbers of the MSRs
     * @param values the values
     * @return how many were written
     */
    int setMsrs(int[] indices, long[] values);

    /**
     * Reads one MSR.
     *
     * @param index the number of the MSR
     * @return its value
     * @throws KvmException EINVAL where it is unknown
     */
    long getMsr(int index);

    /**
     * Writes one MSR.
     *
     * @param index the number of the MSR
     * @param value the value
     * @throws KvmException EINVAL where it is unknown or does not take the value
     */
    void setMsr(int index, long value);

    /**
     * Decides what CPUID returns, and with it which instructions and bits the vcpu has (KVM_SET_CPUID2).
     *
     * @param entries the leaves
     * @throws KvmException E2BIG for too many entries, EINVAL where it contradicts itself or where the vcpu ran already
     *     and it differs
     */
    void setCpuid(List<CpuidEntry> entries);

    /**
     * What CPUID returns (KVM_GET_CPUID2).
     *
     * @return the leaves
     */
    List<CpuidEntry> cpuid();

    /**
     * Reads the events on their way (KVM_GET_VCPU_EVENTS).
     *
     * @param events where they go
     */
    void getVcpuEvents(VcpuEvents events);

    /**
     * Writes the events on their way (KVM_SET_VCPU_EVENTS).
     *
     * @param events the events
     * @throws KvmException EINVAL for flags or combinations that KVM refuses
     */
    void setVcpuEvents(VcpuEvents events);

    /**
     * Where the vcpu stands (KVM_GET_MP_STATE).
     *
     * @return the state
     */
    MpState mpState();

    /**
     * Puts the vcpu in a state (KVM_SET_MP_STATE).
     *
     * @param state the state
     * @throws KvmException EINVAL for any state but {@link MpState#RUNNABLE} where no local APIC is in the backend
     */
    void setMpState(MpState state);

    /**
     * Reads the local APIC (KVM_GET_LAPIC).
     *
     * @param state where it goes
     * @throws KvmException EINVAL where no local APIC is in the backend
     */
    void getLapic(LapicState state);

    /**
     * Writes the local APIC (KVM_SET_LAPIC).
     *
     * @param state its registers
     * @throws KvmException EINVAL where no local APIC is in the backend, or the state holds another APIC id in x2APIC mode
     */
    void setLapic(LapicState state);

    /**
     * Reads one register (KVM_GET_ONE_REG).
     *
     * @param id its id; see {@link RegisterId}
     * @return its value, zero-extended
     * @throws KvmException EINVAL or ENOENT where there is no such register
     */
    long getOneReg(long id);

    /**
     * Writes one register (KVM_SET_ONE_REG).
     *
     * @param id its id; see {@link RegisterId}
     * @param value its value
     * @throws KvmException EINVAL or ENOENT where there is no such register, EINVAL where it does not take the value
     */
    void setOneReg(long id, long value);

    /**
     * The ids of the whole state, in an order in which writing them all restores it. Upstream's KVM_GET_REG_LIST lists
     * the shadow-stack pointer at most.
     *
     * @return the ids, a new array
     */
    long[] registerList();

    /**
     * Queues an external interrupt (KVM_INTERRUPT): where no local APIC is in the backend any, with a split irqchip one
     * that the PIC outside gives (ExtINT).
     *
     * @param vector 0 to 255
     * @throws KvmException EINVAL where the vector is not of that range, ENXIO where the PIC is in the backend, EEXIST
     *     where one is queued already (split irqchip)
     */
    void interrupt(int vector);

    /** Queues an NMI (KVM_NMI); wakes a vcpu that waits in HLT. Any thread. */
    void nmi();

    /**
     * Reads the segment and control registers with the loaded PDPTEs (KVM_GET_SREGS2, {@link Capability#SREGS2}).
     *
     * @param sregs where they go
     */
    default void getSregs2(Sregs2 sregs) {
        throw Absent.call("KVM_GET_SREGS2");
    }

    /**
     * Writes the segment and control registers, and the loaded PDPTEs where the flags say so (KVM_SET_SREGS2).
     *
     * @param sregs the values
     * @throws KvmException EINVAL as {@link #setSregs}, for other flags, and for PDPTEs where PAE paging does not use them
     */
    default void setSregs2(Sregs2 sregs) {
        throw Absent.call("KVM_SET_SREGS2");
    }

    /**
     * Reads the XSAVE area (KVM_GET_XSAVE, {@link Capability#XSAVE}; KVM_GET_XSAVE2, {@link Capability#XSAVE2}).
     *
     * @param xsave where it goes; as long as its array
     */
    default void getXsave(Xsave xsave) {
        throw Absent.call("KVM_GET_XSAVE");
    }

    /**
     * Writes the XSAVE area (KVM_SET_XSAVE). What XSTATE_BV does not name gets its initial state.
     *
     * @param xsave the area
     * @throws KvmException EINVAL for state components that the vcpu does not have, reserved bits of the header or of
     *     MXCSR
     */
    default void setXsave(Xsave xsave) {
        throw Absent.call("KVM_SET_XSAVE");
    }

    /**
     * Reads the extended control registers (KVM_GET_XCRS, {@link Capability#XCRS}).
     *
     * @param xcrs where they go
     */
    default void getXcrs(Xcrs xcrs) {
        throw Absent.call("KVM_GET_XCRS");
    }

    /**
     * Writes the extended control registers (KVM_SET_XCRS); of those in the list the first XCR0 counts.
     *
     * @param xcrs the registers
     * @throws KvmException EINVAL for flags, for more than {@link Xcrs#MAX} registers, for a value that the vcpu does
     *     not take
     */
    default void setXcrs(Xcrs xcrs) {
        throw Absent.call("KVM_SET_XCRS");
    }

    /**
     * Reads the debug registers (KVM_GET_DEBUGREGS, {@link Capability#DEBUGREGS}).
     *
     * @param registers where they go
     */
    default void getDebugRegs(DebugRegs registers) {
        throw Absent.call("KVM_GET_DEBUGREGS");
    }

    /**
     * Writes the debug registers (KVM_SET_DEBUGREGS).
     *
     * @param registers the values
     * @throws KvmException EINVAL for flags, and where the upper half of DR6 or DR7 is not 0
     */
    default void setDebugRegs(DebugRegs registers) {
        throw Absent.call("KVM_SET_DEBUGREGS");
    }

    /**
     * Reads many registers in one call (extension {@link Capability#SOFTKVM_MANY_REG}), up to the first that there is
     * not.
     *
     * @param registers the ids, and where the values go
     * @return how many were read
     */
    default int getManyRegs(RegisterList registers) {
        throw Absent.call("KVM_GET_MANY_REG");
    }

    /**
     * Writes many registers in one call, in their order (extension {@link Capability#SOFTKVM_MANY_REG}), up to the first
     * that there is not or that does not take its value.
     *
     * @param registers the ids and values
     * @return how many were written
     */
    default int setManyRegs(RegisterList registers) {
        throw Absent.call("KVM_SET_MANY_REG");
    }

    /**
     * Debugs the guest from outside (KVM_SET_GUEST_DEBUG, {@link Capability#SET_GUEST_DEBUG}); it holds until the next
     * call.
     *
     * @param debug what is wanted
     * @throws KvmException EBUSY where an exception is to be injected and another one is on its way
     */
    default void setGuestDebug(GuestDebug debug) {
        throw Absent.call("KVM_SET_GUEST_DEBUG");
    }

    /** Raises a system-management interrupt (KVM_SMI, {@link Capability#X86_SMM}). Any thread. */
    default void smi() {
        throw Absent.call("KVM_SMI");
    }

    /**
     * Switches exits {@link ExitReason#TPR_ACCESS} on or off (KVM_TPR_ACCESS_REPORTING, {@link Capability#VAPIC}).
     *
     * @param enabled true for on
     */
    default void setTprAccessReporting(boolean enabled) {
        throw Absent.call("KVM_TPR_ACCESS_REPORTING");
    }

    /**
     * Where the guest's patched code keeps the task priority (KVM_SET_VAPIC_ADDR, {@link Capability#VAPIC}).
     *
     * @param guestPhysicalAddress the address of 4 bytes; 0 for none
     * @throws KvmException EINVAL where no local APIC is in the backend
     */
    default void setVapicAddr(long guestPhysicalAddress) {
        throw Absent.call("KVM_SET_VAPIC_ADDR");
    }

    /**
     * Tells the guest that it was stopped for a while (KVM_KVMCLOCK_CTRL, {@link Capability#KVMCLOCK_CTRL}): its
     * watchdogs forgive that.
     *
     * @throws KvmException EINVAL where the guest has no paravirtual clock on
     */
    default void kvmclockCtrl() {
        throw Absent.call("KVM_KVMCLOCK_CTRL");
    }

    /**
     * The statistics of the vcpu (KVM_GET_STATS_FD, {@link Capability#BINARY_STATS_FD}). Any thread.
     *
     * @return the same object at each call
     */
    default Stats stats() {
        throw Absent.call("KVM_GET_STATS_FD");
    }

    /**
     * Translates a linear address with the vcpu's paging (KVM_TRANSLATE); changes nothing.
     *
     * @param linearAddress the linear address
     * @return the guest-physical address, or -1 where nothing is mapped there
     */
    long translate(long linearAddress);

    /**
     * The frequency of the TSC (KVM_GET_TSC_KHZ).
     *
     * @return kHz
     */
    int tscKhz();

    /**
     * Chooses the frequency of the TSC (KVM_SET_TSC_KHZ).
     *
     * @param khz kHz; 0 for the default
     * @throws KvmException EINVAL where the backend cannot do that one
     */
    void setTscKhz(int khz);

    /**
     * Reads counters (extension {@link Capability#SOFTKVM_STATISTICS}).
     *
     * @param statistics where they go
     * @throws KvmException ENOTTY where the backend has no such extension
     */
    void statistics(VcpuStatistics statistics);

    /**
     * Lets the vcpu execute so many more instructions; {@link #run()} then returns
     * {@link ExitReason#SOFTKVM_INSTRUCTION_LIMIT}, exactly (extension {@link Capability#SOFTKVM_INSTRUCTION_LIMIT}).
     *
     * @param instructions how many; negative for no limit
     * @throws KvmException ENOTTY where the backend has no such extension
     */
    void setInstructionLimit(long instructions);

    /**
     * Chooses what the FERR# pin does (extension {@link Capability#SOFTKVM_FPU_ERROR}): x87 exceptions while CR0.NE is 0,
     * which a PC takes to IRQ 13. The action is called on the thread of {@link #run()}, within it, when an instruction
     * meets the exception; the instruction waits until the interrupts that are there then have been delivered. KVM has no
     * such pin: there the exception is ignored.
     *
     * @param action what to do; it may {@link #kick()} the vcpu
     * @throws KvmException ENOTTY where the backend has no such extension
     */
    default void onFpuError(Runnable action) {
        throw Absent.call("onFpuError");
    }

    /** Destroys the vcpu; it must not be in {@link #run()}. A second call does nothing. */
    @Override
    void close();
}
