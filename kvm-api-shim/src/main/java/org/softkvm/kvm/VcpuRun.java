package org.softkvm.kvm;

import java.lang.foreign.MemorySegment;

/**
 * What {@link Vcpu#run()} and its caller tell each other ({@code struct kvm_run}).
 *
 * <p>One object a vcpu, valid as long as the vcpu. The details of an exit hold until the next run; those of another
 * exit reason have no meaning then. Only the thread that runs the vcpu touches it, except for
 * {@link #setImmediateExit(boolean)}.
 */
public interface VcpuRun {
    /** Value of {@link #ioDirection()}: the guest reads the port. */
    int IO_IN = 0;
    /** Value of {@link #ioDirection()}: the guest writes the port. */
    int IO_OUT = 1;

    /** Bit of {@link #flags()}: the vcpu is in system-management mode. */
    int X86_SMM = 1;

    /** Value of {@link #msrReason()}, and argument of {@link Capability#X86_USER_SPACE_MSR}: the access is invalid. */
    int MSR_INVALID = 1;
    /** Value of {@link #msrReason()}, and argument of {@link Capability#X86_USER_SPACE_MSR}: there is no such MSR. */
    int MSR_UNKNOWN = 2;
    /** Value of {@link #msrReason()}, and argument of {@link Capability#X86_USER_SPACE_MSR}: the filter denies it. */
    int MSR_FILTER = 4;

    /** Bit of {@link #validRegs()} and {@link #dirtyRegs()}: {@link #syncRegs()}. */
    int SYNC_REGS = 1;
    /** Bit of {@link #validRegs()} and {@link #dirtyRegs()}: {@link #syncSregs()}. */
    int SYNC_SREGS = 2;
    /** Bit of {@link #validRegs()} and {@link #dirtyRegs()}: {@link #syncEvents()}. */
    int SYNC_EVENTS = 4;

    /**
     * Why the last run ended.
     *
     * @return a number of {@link ExitReason}
     */
    int exitReason();

    /**
     * Direction of a port access.
     *
     * @return {@link #IO_IN} or {@link #IO_OUT}
     */
    int ioDirection();

    /**
     * Width of a port access.
     *
     * @return bytes: 1, 2 or 4
     */
    int ioSize();

    /**
     * The port.
     *
     * @return 0 to FFFFh
     */
    int ioPort();

    /**
     * How often the port is accessed: more than 1 for parts of string instructions.
     *
     * @return 1 or more
     */
    int ioCount();

    /**
     * The data of a port access: what the guest writes, or where the caller puts what the guest reads before the next
     * run. {@link #ioCount()} items of {@link #ioSize()} bytes, little-endian, without gaps, from offset 0 on.
     *
     * @return the segment, the same one at each exit; longer than what is used, and not aligned for wide layouts
     */
    MemorySegment ioData();

    /**
     * One item of {@link #ioData()}.
     *
     * @param item 0 up to {@link #ioCount()} less 1
     * @return its value, zero-extended
     * @throws IndexOutOfBoundsException where there is no such item
     */
    int ioValue(int item);

    /**
     * Sets one item of {@link #ioData()}.
     *
     * @param item 0 up to {@link #ioCount()} less 1
     * @param value the value; bits above {@link #ioSize()} are ignored
     * @throws IndexOutOfBoundsException where there is no such item
     */
    void setIoValue(int item, int value);

    /**
     * The guest-physical address of a memory access without memory.
     *
     * @return the address of the first byte
     */
    long mmioAddress();

    /**
     * Width of that access. A wider one comes as several exits, and so does one that crosses a page.
     *
     * @return bytes, 1 to 8 (not always a power of two: parts of an access that crosses pages)
     */
    int mmioLength();

    /**
     * Direction of that access.
     *
     * @return true where the guest writes
     */
    boolean mmioIsWrite();

    /**
     * The data of that access.
     *
     * @return what the guest writes, little-endian in the lower {@link #mmioLength()} bytes, zero-extended
     */
    long mmioData();

    /**
     * Answers a read before the next run.
     *
     * @param data what the guest reads; bytes above {@link #mmioLength()} are ignored
     */
    void setMmioData(long data);

    /**
     * The vector of {@link ExitReason#IOAPIC_EOI}.
     *
     * @return 0 to 255
     */
    int eoiVector();

    /**
     * The suberror of {@link ExitReason#INTERNAL_ERROR}.
     *
     * @return a number of {@link ExitReason}, INTERNAL_ERROR_...
     */
    int internalErrorSuberror();

    /**
     * How much {@link #internalErrorData(int)} there is.
     *
     * @return 0 to 16
     */
    int internalErrorDataCount();

    /**
     * Data of {@link ExitReason#INTERNAL_ERROR}. For suberror 1 of the emulator backend: item 0 is the linear address
     * of the instruction, item 1 its first 8 bytes, little-endian.
     *
     * @param item 0 up to {@link #internalErrorDataCount()} less 1
     * @return the item
     * @throws IndexOutOfBoundsException where there is no such item
     */
    long internalErrorData(int item);

    /**
     * A line of text about {@link ExitReason#INTERNAL_ERROR} or {@link ExitReason#FAIL_ENTRY}, for a person.
     *
     * @return the text; empty where there is nothing to add
     */
    String errorText();

    /**
     * The hardware's reason of {@link ExitReason#FAIL_ENTRY}.
     *
     * @return the number
     */
    long failEntryReason();

    /**
     * The type of {@link ExitReason#SYSTEM_EVENT}: 1 shutdown, 2 reset, 3 crash.
     *
     * @return the number
     */
    int systemEventType();

    /**
     * Whether the caller wants {@link ExitReason#IRQ_WINDOW_OPEN}.
     *
     * @return what was set last
     */
    boolean requestInterruptWindow();

    /**
     * Asks for an exit {@link ExitReason#IRQ_WINDOW_OPEN} as soon as {@link Vcpu#interrupt(int)} can inject. It stays
     * asked for until it is set to false.
     *
     * @param request true to ask
     */
    void setRequestInterruptWindow(boolean request);

    /**
     * Whether {@link Vcpu#interrupt(int)} would be delivered at once, as of the last exit.
     *
     * @return true where the guest takes an interrupt now
     */
    boolean readyForInterruptInjection();

    /**
     * RFLAGS.IF as of the last exit.
     *
     * @return true where it is set
     */
    boolean ifFlag();

    /**
     * Whether the next run ends at once.
     *
     * @return what was set last
     */
    boolean immediateExit();

    /**
     * While true, {@link Vcpu#run()} finishes an access that the last exit left open and then returns
     * {@link ExitReason#INTR} before the guest executes anything. May be called from any thread; it does not end a run
     * under way, {@link Vcpu#kick()} does.
     *
     * @param immediateExit true to end
     */
    void setImmediateExit(boolean immediateExit);

    /**
     * CR8 as of the last exit.
     *
     * @return 0 to 15
     */
    long cr8();

    /**
     * Sets CR8 for the next run; used where no local APIC is in the backend.
     *
     * @param cr8 0 to 15
     */
    void setCr8(long cr8);

    /**
     * IA32_APIC_BASE as of the last exit.
     *
     * @return its value
     */
    long apicBase();

    /**
     * Sets IA32_APIC_BASE for the next run; used where no local APIC is in the backend.
     *
     * @param apicBase the value
     */
    void setApicBase(long apicBase);

    /**
     * Flags about the vcpu as of the last exit.
     *
     * @return {@link #X86_SMM} or 0
     */
    default int flags() {
        return 0;
    }

    /**
     * The vector of {@link ExitReason#DEBUG}.
     *
     * @return 1 for a debug exception, 3 for INT3
     */
    default int debugException() {
        throw Absent.call("kvm_run.debug");
    }

    /**
     * Where the guest stands at {@link ExitReason#DEBUG}.
     *
     * @return the linear address of the next instruction; that of the INT3
     */
    default long debugPc() {
        throw Absent.call("kvm_run.debug");
    }

    /**
     * Why a debug exception was raised.
     *
     * @return DR6 as the exception would have left it: the bits of its causes and the bits that are always 1
     */
    default long debugDr6() {
        throw Absent.call("kvm_run.debug");
    }

    /**
     * DR7 as it was in effect at {@link ExitReason#DEBUG}.
     *
     * @return the value
     */
    default long debugDr7() {
        throw Absent.call("kvm_run.debug");
    }

    /**
     * Why an access to an MSR ended the run ({@link ExitReason#X86_RDMSR}, {@link ExitReason#X86_WRMSR}).
     *
     * @return {@link #MSR_INVALID}, {@link #MSR_UNKNOWN} or {@link #MSR_FILTER}
     */
    default int msrReason() {
        throw Absent.call("kvm_run.msr");
    }

    /**
     * The MSR.
     *
     * @return its number
     */
    default int msrIndex() {
        throw Absent.call("kvm_run.msr");
    }

    /**
     * What the guest writes to the MSR.
     *
     * @return the value
     */
    default long msrData() {
        throw Absent.call("kvm_run.msr");
    }

    /**
     * Answers a read of an MSR before the next run.
     *
     * @param data what the guest reads
     */
    default void setMsrData(long data) {
        throw Absent.call("kvm_run.msr");
    }

    /**
     * Makes the access to the MSR raise #GP at the next run. An exit sets it to false.
     *
     * @param error true for #GP
     */
    default void setMsrError(boolean error) {
        throw Absent.call("kvm_run.msr");
    }

    /**
     * The instruction of {@link ExitReason#TPR_ACCESS}.
     *
     * @return its offset in CS
     */
    default long tprAccessRip() {
        throw Absent.call("kvm_run.tpr_access");
    }

    /**
     * Direction of {@link ExitReason#TPR_ACCESS}.
     *
     * @return true where the guest writes the TPR
     */
    default boolean tprAccessIsWrite() {
        throw Absent.call("kvm_run.tpr_access");
    }

    /**
     * Which registers each exit leaves here ({@code kvm_valid_regs}, {@link Capability#SYNC_REGS}).
     *
     * @return {@link #SYNC_REGS}, {@link #SYNC_SREGS}, {@link #SYNC_EVENTS}
     */
    default int validRegs() {
        return 0;
    }

    /**
     * Chooses which registers each exit leaves here; other bits make the next run fail with EINVAL.
     *
     * @param mask {@link #SYNC_REGS}, {@link #SYNC_SREGS}, {@link #SYNC_EVENTS}
     */
    default void setValidRegs(int mask) {
        throw Absent.call("kvm_run.kvm_valid_regs");
    }

    /**
     * Which registers the next run takes from here ({@code kvm_dirty_regs}).
     *
     * @return {@link #SYNC_REGS}, {@link #SYNC_SREGS}, {@link #SYNC_EVENTS}; the run sets it to 0
     */
    default int dirtyRegs() {
        return 0;
    }

    /**
     * Chooses which registers the next run takes from here; other bits make it fail with EINVAL.
     *
     * @param mask {@link #SYNC_REGS}, {@link #SYNC_SREGS}, {@link #SYNC_EVENTS}
     */
    default void setDirtyRegs(int mask) {
        throw Absent.call("kvm_run.kvm_dirty_regs");
    }

    /**
     * The general registers here.
     *
     * @return the same object at each call
     */
    default Regs syncRegs() {
        throw Absent.call("kvm_run.s.regs");
    }

    /**
     * The segment and control registers here.
     *
     * @return the same object at each call
     */
    default Sregs syncSregs() {
        throw Absent.call("kvm_run.s.regs");
    }

    /**
     * The events here.
     *
     * @return the same object at each call
     */
    default VcpuEvents syncEvents() {
        throw Absent.call("kvm_run.s.regs");
    }
}
