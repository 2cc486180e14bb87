package org.softkvm.kvm;

/**
 * What a backend, or a VM, can do: the capabilities of KVM that concern x86, by KVM's names and numbers, and those of
 * SoftKVM's extensions, numbered from {@link #FIRST_EXTENSION} on.
 *
 * <p>Ask with {@link Kvm#checkExtension(Capability)}: 0 means absent, anything else present, and for some the value is
 * a number that their description names.
 */
public enum Capability {
    /** A whole irqchip can be created in the backend ({@link Vm#createIrqchip()}). */
    IRQCHIP(0),
    /** HLT is reported, or waited for where a local APIC is in the backend. */
    HLT(1),
    /** Memory slots on the caller's memory. */
    USER_MEMORY(3),
    /** {@link Vm#setTssAddr(long)}. */
    SET_TSS_ADDR(4),
    /** Reporting of accesses to the TPR. */
    VAPIC(6),
    /** CPUID by leaf and sub-leaf. */
    EXT_CPUID(7),
    /** The paravirtual clock by the old MSRs 11h and 12h. */
    CLOCKSOURCE(8),
    /** The recommended maximum of vcpus. */
    NR_VCPUS(9),
    /** The number of memory slots of an address space. */
    NR_MEMSLOTS(10),
    /** {@link Vcpu#mpState()}. */
    MP_STATE(14),
    /** Coalesced MMIO. */
    COALESCED_MMIO(15),
    /** Guest memory need not be pinned. */
    SYNC_MMU(16),
    /** Slots can be deleted. */
    DESTROY_MEMORY_REGION_WORKS(21),
    /** {@link Vcpu#nmi()}. */
    USER_NMI(22),
    /** Guest debugging. */
    SET_GUEST_DEBUG(23),
    /** Control of the ticks that the PIT of the backend lost. */
    REINJECT_CONTROL(24),
    /** The number of global system interrupts that {@link Vm#setGsiRouting} takes. */
    IRQ_ROUTING(25),
    /** {@link Vm#irqLine} tells whether the interrupt was delivered. */
    IRQ_INJECT_STATUS(26),
    /** Slots can be made again where others were. */
    JOIN_MEMORY_REGIONS_WORKS(30),
    /** The number of machine-check banks. */
    MCE(31),
    /** Event descriptors that raise interrupts. */
    IRQFD(32),
    /** A PIT can be created in the backend. */
    PIT2(33),
    /** {@link Vm#setBootCpuId(int)}. */
    SET_BOOT_CPU_ID(34),
    /** The state of that PIT can be read and written. */
    PIT_STATE2(35),
    /** Event descriptors that port and memory writes trigger. */
    IOEVENTFD(36),
    /** {@link Vm#setIdentityMapAddr(long)}. */
    SET_IDENTITY_MAP_ADDR(37),
    /** {@link Vm#getClock} and {@link Vm#setClock}: the flags that they know. */
    ADJUST_CLOCK(39),
    /** Internal errors carry data. */
    INTERNAL_ERROR_DATA(40),
    /** {@link Vcpu#getVcpuEvents}. */
    VCPU_EVENTS(41),
    /** The debug registers can be read and written. */
    DEBUGREGS(50),
    /** Single-stepping does not disturb the guest's own use of TF. */
    X86_ROBUST_SINGLESTEP(51),
    /** {@link Vcpu}: capabilities can be enabled. */
    ENABLE_CAP(54),
    /** The XSAVE area can be read and written. */
    XSAVE(55),
    /** XCR0 can be read and written. */
    XCRS(56),
    /** The frequency of the TSC can be chosen. */
    TSC_CONTROL(60),
    /** {@link Vcpu#tscKhz()}. */
    GET_TSC_KHZ(61),
    /** The maximum of vcpus. */
    MAX_VCPUS(66),
    /** {@link Vcpu#getOneReg(long)}. */
    ONE_REG(70),
    /** The local APIC's timer has the TSC-deadline mode. */
    TSC_DEADLINE_TIMER(72),
    /** Registers on the run page. */
    SYNC_REGS(74),
    /** The guest can be told that it was stopped. */
    KVMCLOCK_CTRL(76),
    /** {@link Vm#signalMsi(long, int)}. */
    SIGNAL_MSI(77),
    /** {@link MemorySlot#READONLY}. */
    READONLY_MEM(81),
    /** The event descriptor of a level-triggered interrupt can be told of its end. */
    IRQFD_RESAMPLE(82),
    /** CPUID bits that are emulated beyond the CPU's own can be asked for ({@link Kvm#emulatedCpuid()}). */
    EXT_EMUL_CPUID(95),
    /** {@link Vm#enableCap}. */
    ENABLE_CAP_VM(98),
    /** {@link IoEventFd#length} can be 0. */
    IOEVENTFD_NO_LENGTH(100),
    /** {@link Vm#checkExtension(Capability)}. */
    CHECK_EXTENSION_VM(105),
    /** System-management mode. */
    X86_SMM(117),
    /** The number of address spaces of memory slots. */
    MULTI_ADDRESS_SPACE(118),
    /** The local APICs are in the backend, PIC, IOAPIC and PIT outside. */
    SPLIT_IRQCHIP(121),
    /** {@link IoEventFd#length} can be 0, and such writes of the guest are fast. */
    IOEVENTFD_ANY_LENGTH(122),
    /** Attributes of a vcpu. */
    VCPU_ATTRIBUTES(127),
    /** The first number that is too large for a vcpu. */
    MAX_VCPU_ID(128),
    /** MSI with 32-bit APIC ids. */
    X2APIC_API(129),
    /** {@link VcpuRun#setImmediateExit(boolean)}. */
    IMMEDIATE_EXIT(136),
    /** Feature MSRs. */
    GET_MSR_FEATURES(153),
    /** The state of a nested hypervisor (KVM_GET_NESTED_STATE); no backend here has VMX or SVM. */
    NESTED_STATE(157),
    /** Coalesced ports. */
    COALESCED_PIO(162),
    /** {@link VcpuEvents#exceptionPayload}. */
    EXCEPTION_PAYLOAD(164),
    /** The dirty log can be cleared by range. */
    MANUAL_DIRTY_LOG_PROTECT2(168),
    /** Exits for unknown or filtered MSRs. */
    X86_USER_SPACE_MSR(188),
    /** The filter of MSRs. */
    X86_MSR_FILTER(189),
    /** The ring of dirty pages. */
    DIRTY_LOG_RING(192),
    /** The bits of {@link GuestDebug#control} that there are. */
    SET_GUEST_DEBUG2(195),
    /** The PDPTEs with the other special registers. */
    SREGS2(200),
    /** {@link Vm#stats()} and {@link Vcpu#stats()}. */
    BINARY_STATS_FD(203),
    /** The size of the XSAVE area. */
    XSAVE2(208),
    /** The frequency of the TSC can be chosen for the VM. */
    VM_TSC_CONTROL(214),
    /** {@link VcpuEvents#tripleFaultPending}. */
    X86_TRIPLE_FAULT_EVENT(218),
    /** Extension: {@link Vm#setEngine(String)}; the value is the number of engines. */
    SOFTKVM_ENGINE(Capability.FIRST_EXTENSION + 0),
    /**
     * Extension: guest time that advances with executed instructions, one nanosecond each, not with the host's clock.
     * It is enabled before the first vcpu; argument 0 is what the wall clock shows at its start, in seconds since 1970.
     * Vcpus then run one at a time, and {@link Vcpu#run()} does not wait: where it would, it returns
     * {@link ExitReason#HLT}. See {@link Vm#virtualTime()}.
     */
    SOFTKVM_VIRTUAL_CLOCK(Capability.FIRST_EXTENSION + 1),
    /** Extension: {@link Vcpu#setInstructionLimit(long)}. */
    SOFTKVM_INSTRUCTION_LIMIT(Capability.FIRST_EXTENSION + 2),
    /** Extension: {@link Vcpu#statistics(VcpuStatistics)}. */
    SOFTKVM_STATISTICS(Capability.FIRST_EXTENSION + 3),
    /** Extension: {@link Vm#stateHash()}. */
    SOFTKVM_STATE_HASH(Capability.FIRST_EXTENSION + 4),
    /** Extension: {@link Vm#setCpuModel(String)}; the value is the number of models. */
    SOFTKVM_CPU_MODEL(Capability.FIRST_EXTENSION + 5),
    /** Extension: {@link Vcpu#getOneReg(long)} reaches the whole state of the vcpu. */
    SOFTKVM_WHOLE_STATE_REGS(Capability.FIRST_EXTENSION + 6),
    /** Extension: {@link Vm#replaceMemorySlots} is atomic for vcpus that run. */
    SOFTKVM_REPLACE_MEMORY_SLOTS(Capability.FIRST_EXTENSION + 7),
    /** Extension: {@link Vcpu#getManyRegs} and {@link Vcpu#setManyRegs}. */
    SOFTKVM_MANY_REG(Capability.FIRST_EXTENSION + 8),
    /** Extension: {@link Vcpu#onFpuError(Runnable)}. */
    SOFTKVM_FPU_ERROR(Capability.FIRST_EXTENSION + 9);

    /** The number of the first capability that only SoftKVM has. */
    public static final int FIRST_EXTENSION = 0x534B_0000;

    private final int number;

    Capability(int number) {
        this.number = number;
    }

    /**
     * The number of the capability.
     *
     * @return KVM's number (KVM_CAP_...), or one from {@link #FIRST_EXTENSION} on
     */
    public int number() {
        return number;
    }

    /**
     * Whether only SoftKVM has it.
     *
     * @return true where KVM has no such capability
     */
    public boolean isExtension() {
        return number >= FIRST_EXTENSION;
    }
}
