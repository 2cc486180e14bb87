package org.softkvm.kvm;

/**
 * What a debugger outside the guest wants ({@code struct kvm_guest_debug}); made once and reused. While
 * {@link #SINGLESTEP} or {@link #USE_HW_BP} is on, every debug exception of the guest ends the run with
 * {@link ExitReason#DEBUG}, its own ones too: who does not want one gives it back with {@link #INJECT_DB}.
 */
public final class GuestDebug {
    /** Control: debugging is on; without it the other bits that last have no effect. */
    public static final int ENABLE = 0x1;
    /** Control: each instruction, and each delivery of an event, ends the run. */
    public static final int SINGLESTEP = 0x2;
    /** Control: INT3 (opcode CCh) ends the run instead of raising an exception. */
    public static final int USE_SW_BP = 0x10000;
    /** Control: {@link #debugreg} takes the place of the guest's debug registers. */
    public static final int USE_HW_BP = 0x20000;
    /** Control, once: raises a debug exception in the guest. */
    public static final int INJECT_DB = 0x40000;
    /** Control, once: raises a breakpoint exception in the guest, for the INT3 at RIP. */
    public static final int INJECT_BP = 0x80000;
    /** Control: no interrupts, NMIs and SMIs are delivered. */
    public static final int BLOCKIRQ = 0x100000;
    /** All bits of {@link #control}: the value of {@link Capability#SET_GUEST_DEBUG2}. */
    public static final int ALL = ENABLE | SINGLESTEP | USE_SW_BP | USE_HW_BP | INJECT_DB | INJECT_BP | BLOCKIRQ;

    /** What is wanted: the bits above. */
    public int control;
    /** With {@link #USE_HW_BP}: DR0 to DR3 in items 0 to 3, DR7 in item 7. */
    public final long[] debugreg = new long[8];

    /** Makes a request that switches debugging off. */
    public GuestDebug() {}
}
