package org.softkvm.emulator.cpu;

import org.softkvm.emulator.decode.Insn;

/** Delivery of exceptions and interrupts. */
public final class Events {
    private Events() {}

    /**
     * Delivers the fault in flight.
     *
     * @param c the vcpu; RIP is at the faulting instruction
     * @param i the faulting instruction, or null where its fetch faulted
     */
    public static void exception(Cpu c, Insn i) {
        c.exit = ExitCode.SHUTDOWN;
    }

    /**
     * Delivers the pending debug trap.
     *
     * @param c the vcpu
     */
    public static void debugTrap(Cpu c) {
        c.exit = ExitCode.SHUTDOWN;
    }

    /**
     * Delivers an NMI.
     *
     * @param c the vcpu
     */
    public static void nmi(Cpu c) {
        c.exit = ExitCode.SHUTDOWN;
    }

    /**
     * Delivers an external interrupt.
     *
     * @param c the vcpu
     * @param vector 0 to 255
     */
    public static void interrupt(Cpu c, int vector) {
        c.exit = ExitCode.SHUTDOWN;
    }
}
