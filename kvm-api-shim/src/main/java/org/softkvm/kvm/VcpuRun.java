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
}
