package org.softkvm.kvm;

/**
 * Why {@link Vcpu#run()} returned: the numbers of {@code kvm_run.exit_reason}, and those of SoftKVM's extensions.
 *
 * <p>Integers and not an enum, because a run loop switches over them on every exit and later kernels add more.
 */
public final class ExitReason {
    /** The hardware reported something unknown. */
    public static final int UNKNOWN = 0;
    /** The hardware reported an unexpected exception. */
    public static final int EXCEPTION = 1;
    /** Port input or output; see {@link VcpuRun#ioPort()}. */
    public static final int IO = 2;
    /** A hypercall that is left to the caller. */
    public static final int HYPERCALL = 3;
    /** A breakpoint or single step that guest debugging asked for. */
    public static final int DEBUG = 4;
    /**
     * The guest executed HLT and no local APIC is there to wait with; under the virtual clock also where the vcpu waits
     * for an interrupt or to be started.
     */
    public static final int HLT = 5;
    /** Access to a guest-physical address without memory; see {@link VcpuRun#mmioAddress()}. */
    public static final int MMIO = 6;
    /** The interrupt window that was asked for is open. */
    public static final int IRQ_WINDOW_OPEN = 7;
    /** Triple fault. */
    public static final int SHUTDOWN = 8;
    /** The state of the vcpu is such that it cannot be entered. */
    public static final int FAIL_ENTRY = 9;
    /** {@link Vcpu#kick()}, or immediate exit, ended the run. */
    public static final int INTR = 10;
    /** The guest lowered CR8 below {@link VcpuRun#cr8()} while no local APIC is in the backend. */
    public static final int SET_TPR = 11;
    /** The guest accessed the TPR of its local APIC, and reporting of that is on. */
    public static final int TPR_ACCESS = 12;
    /** The run failed inside; see {@link VcpuRun#internalErrorSuberror()}. */
    public static final int INTERNAL_ERROR = 17;
    /** The guest asked to be shut down, reset, or crashed, through an interface that KVM has for it. */
    public static final int SYSTEM_EVENT = 24;
    /** End of interrupt for a vector of an IOAPIC that lives outside; see {@link VcpuRun#eoiVector()}. */
    public static final int IOAPIC_EOI = 26;
    /** RDMSR that a filter, or the lack of the register, sends to the caller. */
    public static final int X86_RDMSR = 29;
    /** WRMSR that a filter, or the lack of the register, sends to the caller. */
    public static final int X86_WRMSR = 30;
    /** The ring of dirty pages is full. */
    public static final int DIRTY_RING_FULL = 31;
    /** A bus lock was seen, and exits on it are on. */
    public static final int X86_BUS_LOCK = 33;
    /** The guest did not let events in for too long. */
    public static final int NOTIFY = 37;
    /** An access to memory failed in a way that the caller may mend. */
    public static final int MEMORY_FAULT = 39;

    /** Extension {@link Capability#SOFTKVM_INSTRUCTION_LIMIT}: the number of instructions asked for were executed. */
    public static final int SOFTKVM_INSTRUCTION_LIMIT = 0x534B_0001;

    /** Suberror of {@link #INTERNAL_ERROR}: an instruction could not be executed. */
    public static final int INTERNAL_ERROR_EMULATION = 1;
    /** Suberror of {@link #INTERNAL_ERROR}: unexpected simultaneous exceptions. */
    public static final int INTERNAL_ERROR_SIMUL_EX = 2;
    /** Suberror of {@link #INTERNAL_ERROR}: an event could not be delivered. */
    public static final int INTERNAL_ERROR_DELIVERY_EV = 3;
    /** Suberror of {@link #INTERNAL_ERROR}: an exit reason nobody expected. */
    public static final int INTERNAL_ERROR_UNEXPECTED_EXIT_REASON = 4;

    private ExitReason() {}

    /**
     * The name of an exit reason, for messages and statistics.
     *
     * @param exitReason a number of this class, or any other
     * @return the name without KVM_EXIT_, or the number in decimal where it is unknown
     */
    public static String name(int exitReason) {
        return switch (exitReason) {
            case UNKNOWN -> "UNKNOWN";
            case EXCEPTION -> "EXCEPTION";
            case IO -> "IO";
            case HYPERCALL -> "HYPERCALL";
            case DEBUG -> "DEBUG";
            case HLT -> "HLT";
            case MMIO -> "MMIO";
            case IRQ_WINDOW_OPEN -> "IRQ_WINDOW_OPEN";
            case SHUTDOWN -> "SHUTDOWN";
            case FAIL_ENTRY -> "FAIL_ENTRY";
            case INTR -> "INTR";
            case SET_TPR -> "SET_TPR";
            case TPR_ACCESS -> "TPR_ACCESS";
            case INTERNAL_ERROR -> "INTERNAL_ERROR";
            case SYSTEM_EVENT -> "SYSTEM_EVENT";
            case IOAPIC_EOI -> "IOAPIC_EOI";
            case X86_RDMSR -> "X86_RDMSR";
            case X86_WRMSR -> "X86_WRMSR";
            case DIRTY_RING_FULL -> "DIRTY_RING_FULL";
            case X86_BUS_LOCK -> "X86_BUS_LOCK";
            case NOTIFY -> "NOTIFY";
            case MEMORY_FAULT -> "MEMORY_FAULT";
            case SOFTKVM_INSTRUCTION_LIMIT -> "SOFTKVM_INSTRUCTION_LIMIT";
            default -> Integer.toString(exitReason);
        };
    }
}
