package org.softkvm.kvm;

/** What a vcpu has done so far (extension {@link Capability#SOFTKVM_STATISTICS}); made once and reused. */
public final class VcpuStatistics {
    /** Guest instructions executed; each iteration of REP counts as one. */
    public long instructions;
    /** Returns from {@link Vcpu#run()}. */
    public long exits;
    /** Exits of reason {@link ExitReason#IO}. */
    public long ioExits;
    /** Exits of reason {@link ExitReason#MMIO}. */
    public long mmioExits;
    /** Exits of reason {@link ExitReason#IRQ_WINDOW_OPEN}. */
    public long irqWindowExits;
    /** Exits of reason {@link ExitReason#IOAPIC_EOI}. */
    public long ioapicEoiExits;
    /** Exits of reason {@link ExitReason#INTR}. */
    public long intrExits;
    /** Times that the vcpu waited in HLT inside {@link Vcpu#run()}. */
    public long halts;
    /** Nanoseconds that it waited there, or to be started by another vcpu. */
    public long haltNanos;
    /**
     * Nanoseconds of host time in which guest code was executed. Exits within microseconds of one another are measured
     * several at a time.
     */
    public long guestNanos;
    /** Look-ups of a linear address that the TLB could not answer. */
    public long tlbMisses;
    /** Times that the TLB was flushed. */
    public long tlbFlushes;
    /** Blocks of guest code that were decoded. */
    public long blocksDecoded;
    /** Faults delivered to the guest. */
    public long faults;
    /** Instructions that the interpreter executed, an iteration of REP not being one. */
    public long interpreted;
    /** Those of them that translated code should have executed: it left them, or they cannot be translated. */
    public long fallbacks;
    /** Regions of guest code translated. */
    public long regions;
    /** Bytes of bytecode in them. */
    public long regionBytes;
    /** Nanoseconds of host time spent on translation, on whatever thread. */
    public long translationNanos;
    /** Regions that the JVM had compiled to machine code before they ran for the first time. */
    public long regionsCompiled;
    /** Regions that could not be translated. */
    public long regionsFailed;
    /** Regions given up because there were too many. */
    public long regionsDropped;
    /** Times that translated code left an instruction to the interpreter. */
    public long sideExits;
    /** External interrupts delivered to the guest. */
    public long interrupts;

    /** Makes a set of counters that are all 0. */
    public VcpuStatistics() {}
}
