package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Msrs;
import org.softkvm.emulator.decode.Insn;

/**
 * MONITOR and MWAIT (Intel SDM volume 2; volume 3, 9.10.3). MWAIT may end at any time for reasons of its own, and here it
 * always does so at once: a store by another vcpu or a device never has to be waited for, and an interrupt comes right
 * behind it.
 */
public final class Waiting {
    private Waiting() {}

    private static void check(Cpu c) {
        if (c.cpl != 0 || (c.msrs.miscEnable & Msrs.MISC_ENABLE_MONITOR) == 0) {
            throw c.ud();
        }
    }

    /** MONITOR: the line is checked as a byte read. */
    public static void monitor(Cpu c, Insn i) {
        check(c);
        if ((int) c.r[Cpu.RCX] != 0) {
            throw c.gp(0);
        }
        c.read8(c.segRead(i.seg, c.r[Cpu.RAX] & i.addrMask, 1));
    }

    /** MWAIT: extension 0 (interrupts count even where they are masked) is the only one. */
    public static void mwait(Cpu c, Insn i) {
        check(c);
        if (((int) c.r[Cpu.RCX] & ~1) != 0) {
            throw c.gp(0);
        }
        Thread.onSpinWait();
    }
}
