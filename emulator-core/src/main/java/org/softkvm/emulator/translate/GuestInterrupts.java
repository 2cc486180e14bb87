package org.softkvm.emulator.translate;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;

/** STI in regions: kernels execute it at each turn, and mostly no interrupt waits for it. */
public final class GuestInterrupts {
    private GuestInterrupts() {}

    /**
     * Lets interrupts in, if none is there. The shadow over the next instruction is the caller's business: it executes that
     * one before it looks for requests.
     *
     * @param c the vcpu
     * @return true where nothing was done: the interpreter has to execute the instruction
     */
    public static boolean sti(Cpu c) {
        if ((c.eflags & Flags.IF) != 0) {
            return c.protectedMode() && c.cpl != 0;
        }
        if (c.protectedMode() && c.cpl != 0
                || c.requests() != 0
                || c.interruptWindowRequested
                || c.injectedVector >= 0
                || c.lapic.pendingVector() >= 0) {
            return true;
        }
        c.eflags |= Flags.IF;
        return false;
    }
}
