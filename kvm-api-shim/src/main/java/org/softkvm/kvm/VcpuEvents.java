package org.softkvm.kvm;

/** Exceptions, interrupts and NMIs on their way ({@code struct kvm_vcpu_events}); made once and reused. */
public final class VcpuEvents {
    /** Flag: {@link #nmiPending} is meant. */
    public static final int VALID_NMI_PENDING = 0x1;
    /** Flag: {@link #sipiVector} is meant. */
    public static final int VALID_SIPI_VECTOR = 0x2;
    /** Flag: {@link #interruptShadow} is meant. */
    public static final int VALID_SHADOW = 0x4;
    /** Flag: the fields of SMM are meant. */
    public static final int VALID_SMM = 0x8;
    /** Flag: {@link #exceptionHasPayload} and {@link #exceptionPending} are meant. */
    public static final int VALID_PAYLOAD = 0x10;
    /** Flag: {@link #tripleFaultPending} is meant. */
    public static final int VALID_TRIPLE_FAULT = 0x20;

    /** Bit of {@link #interruptShadow}: the shadow of MOV SS or POP SS. */
    public static final int SHADOW_INT_MOV_SS = 0x1;
    /** Bit of {@link #interruptShadow}: the shadow of STI. */
    public static final int SHADOW_INT_STI = 0x2;

    /** An exception is being delivered. */
    public boolean exceptionInjected;
    /** Its vector. */
    public int exceptionNr;
    /** It has an error code. */
    public boolean exceptionHasErrorCode;
    /** An exception is raised and not yet being delivered. */
    public boolean exceptionPending;
    /** The error code. */
    public int exceptionErrorCode;
    /** {@link #exceptionPayload} is valid. */
    public boolean exceptionHasPayload;
    /** CR2 of a page fault or DR6 of a debug exception, not yet in the register. */
    public long exceptionPayload;

    /** An interrupt is being delivered. */
    public boolean interruptInjected;
    /** Its vector. */
    public int interruptNr;
    /** It comes from an INT instruction. */
    public boolean interruptSoft;
    /** {@link #SHADOW_INT_MOV_SS} and {@link #SHADOW_INT_STI}, or 0. */
    public int interruptShadow;

    /** An NMI is being delivered. */
    public boolean nmiInjected;
    /** An NMI waits. */
    public boolean nmiPending;
    /** NMIs are blocked until IRET. */
    public boolean nmiMasked;

    /** Vector of the start-up message, 8 bits; only written with {@link #VALID_SIPI_VECTOR}. */
    public int sipiVector;
    /** Which of the optional fields are meant: the VALID_ bits. */
    public int flags;

    /** The vcpu is in system-management mode. */
    public boolean smm;
    /** An SMI waits. */
    public boolean smiPending;
    /** The SMI came inside an NMI handler. */
    public boolean smmInsideNmi;
    /** An INIT waits for the end of system-management mode. */
    public boolean smiLatchedInit;

    /** A triple fault is raised and not yet reported. */
    public boolean tripleFaultPending;

    /** Makes a set of events of which none is on its way. */
    public VcpuEvents() {}
}
