package org.softkvm.emulator.cpu;

/**
 * Debugging of the guest from outside (KVM_SET_GUEST_DEBUG). While single steps or breakpoints of the outside are on,
 * every #DB of the guest is an exit instead of an exception, as under KVM: who runs the vcpu decides whose it is.
 */
public final class OutsideDebug {
    /** KVM_GUESTDBG_ENABLE. */
    public static final int ENABLE = 1;
    /** KVM_GUESTDBG_SINGLESTEP: an exit after each instruction, and after each delivery of an event. */
    public static final int SINGLESTEP = 2;
    /** KVM_GUESTDBG_USE_SW_BP: INT3 is an exit. */
    public static final int USE_SW_BP = 0x10000;
    /** KVM_GUESTDBG_USE_HW_BP: other debug registers than the guest's are in effect. */
    public static final int USE_HW_BP = 0x20000;
    /** KVM_GUESTDBG_BLOCKIRQ: no SMI, NMI or interrupt is taken. */
    public static final int BLOCKIRQ = 0x100000;

    /** DR6: single step. */
    public static final int DR6_BS = 0x4000;
    /** The bits of DR6 that are always 1. */
    private static final long DR6_ONES = 0xFFFF0FF0L;

    private OutsideDebug() {}

    /**
     * Changes what the outside wants.
     *
     * @param c the vcpu
     * @param control the bits above; without ENABLE none counts
     * @param registers DR0 to DR3 and, at 7, DR7
     */
    public static void set(Cpu c, int control, long[] registers) {
        c.outsideDebug = (control & ENABLE) != 0 ? control : 0;
        c.outsideHits = 0;
        c.outsideStep = false;
        if ((c.outsideDebug & USE_HW_BP) != 0) {
            System.arraycopy(registers, 0, c.outsideDr, 0, c.outsideDr.length);
            c.activeDr = c.outsideDr;
        } else {
            c.activeDr = c.dr;
        }
        Breakpoints.update(c);
        c.request(Cpu.REQ_INTERRUPT);
    }

    /**
     * Whether debug exceptions are exits.
     *
     * @param c the vcpu
     * @return true where no #DB reaches the guest
     */
    public static boolean takesDebugExceptions(Cpu c) {
        return (c.outsideDebug & (SINGLESTEP | USE_HW_BP)) != 0;
    }

    /**
     * Whether the vcpu is single-stepped from outside.
     *
     * @param c the vcpu
     * @return true where each instruction ends in an exit
     */
    public static boolean steps(Cpu c) {
        return (c.outsideDebug & SINGLESTEP) != 0;
    }

    /**
     * After an instruction or the delivery of an event under single step: an exit is due.
     *
     * @param c the vcpu
     */
    public static void stepped(Cpu c) {
        c.outsideHits |= DR6_BS;
        c.request(Cpu.REQ_INTERRUPT);
    }

    /**
     * Makes the exit.
     *
     * @param c the vcpu; RIP is where it stands
     * @param vector #DB or #BP
     * @param bits the causes as DR6 has them
     */
    public static void exit(Cpu c, int vector, int bits) {
        ExitInfo info = c.exitInfo;
        info.debugVector = vector;
        info.debugPc = c.mode64 ? c.rip : c.segBase[Cpu.CS] + c.rip & 0xFFFFFFFFL;
        info.debugDr6 = DR6_ONES | bits;
        info.debugDr7 = c.activeDr[7];
        c.exit = ExitCode.DEBUG;
        c.stepArmed = false;
        c.outsideStep = false;
    }

    /**
     * Makes the exit before an instruction has done anything.
     *
     * @param c the vcpu
     * @param rip the instruction
     * @param vector #DB or #BP
     * @return the exception to throw
     */
    public static GuestExit leave(Cpu c, long rip, int vector) {
        c.rip = rip;
        exit(c, vector, 0);
        return c.leave(ExitCode.DEBUG);
    }
}
