package org.softkvm.emulator.cpu;

/** Why run() returned; the numbers are KVM's exit reasons (linux/kvm.h). */
public final class ExitCode {
    /** No exit in progress. */
    public static final int NONE = 0;
    /** Port I/O. */
    public static final int IO = 2;
    /** Debug event for user space. */
    public static final int DEBUG = 4;
    /** HLT with nothing pending. */
    public static final int HLT = 5;
    /** Access to guest-physical memory without a slot. */
    public static final int MMIO = 6;
    /** Interrupts can be injected now. */
    public static final int IRQ_WINDOW_OPEN = 7;
    /** Triple fault. */
    public static final int SHUTDOWN = 8;
    /** Kicked. */
    public static final int INTR = 10;
    /** Access to the TPR of the local APIC, to be reported before it happens. */
    public static final int TPR_ACCESS = 12;
    /** The emulator cannot go on. */
    public static final int INTERNAL_ERROR = 17;
    /** RDMSR for user space. */
    public static final int X86_RDMSR = 29;
    /** WRMSR for user space. */
    public static final int X86_WRMSR = 30;

    private ExitCode() {}
}
