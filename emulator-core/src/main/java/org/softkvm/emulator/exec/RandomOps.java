package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;

/** RDRAND and RDSEED (Intel SDM volume 2); a number is always there, so that CF is always set. */
public final class RandomOps {
    private RandomOps() {}

    /** RDRAND. */
    public static void rdrand(Cpu c, Insn i) {
        c.set(i.rm, i.opSize, c.random.next());
        c.setArith(Flags.CF);
    }

    /** RDSEED. */
    public static void rdseed(Cpu c, Insn i) {
        rdrand(c, i);
    }
}
