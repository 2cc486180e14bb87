package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/** Executes one decoded instruction; one subclass a row and operand shape, made by {@link HandlerFactory}. */
public abstract class Handler {
    /** For the subclasses. */
    protected Handler() {}

    /**
     * Executes.
     *
     * @param c the vcpu
     * @param i the instruction
     */
    public abstract void exec(Cpu c, Insn i);
}
