package org.softkvm.emulator.cpu;

import java.util.Arrays;

/** The state after power-up, RESET and INIT (Intel SDM volume 3, table 11-1). */
public final class Reset {
    private Reset() {}

    /**
     * Power-up reset.
     *
     * @param c the vcpu
     */
    public static void reset(Cpu c) {
        Arrays.fill(c.v, 0);
        c.mxcsr = 0x1F80;
        c.fpu.reset();
        c.xcr0 = 1;
        c.msrs.debugCtl = 0;
        c.smbase = Smm.DEFAULT_SMBASE;
        init(c);
        c.cr0 = 0x60000010;
        c.deriveSegments();
        c.flushTlb();
    }

    /**
     * INIT: as reset, but FPU, SSE, MSRs and caches keep their state.
     *
     * @param c the vcpu
     */
    public static void init(Cpu c) {
        Arrays.fill(c.r, 0);
        c.r[Cpu.RDX] = c.model.signature();
        c.rip = 0xFFF0;
        c.setArith(0);
        c.eflags = 2 | c.model.eflagsFixed();
        c.cr0 = 0x60000010;
        c.cr2 = 0;
        c.cr3 = 0;
        c.cr4 = 0;
        c.cr8 = 0;
        c.efer = 0;
        c.cpl = 0;
        for (int s = 0; s < 8; s++) {
            int attr = s == Cpu.LDTR ? 0x82 : s == Cpu.TR ? 0x8B : 0x93;
            c.segSel[s] = 0;
            c.segBase[s] = 0;
            c.segLimit[s] = 0xFFFF;
            c.segAttr[s] = attr;
        }
        c.segSel[Cpu.CS] = 0xF000;
        c.segBase[Cpu.CS] = 0xFFFF0000L & c.physicalMask;
        c.segAttr[Cpu.CS] = 0x9B;
        c.gdtBase = 0;
        c.gdtLimit = 0xFFFF;
        c.idtBase = 0;
        c.idtLimit = 0xFFFF;
        c.dr[6] = 0xFFFF0FF0L;
        c.dr[7] = 0x400;
        Breakpoints.update(c);
        c.debugHits = 0;
        c.shadow = 0;
        c.nmiBlocked = false;
        c.nmiPending = false;
        c.nmiSecond = false;
        c.halted = false;
        c.smm = false;
        c.memory = c.memory.normal();
        c.smiPending = false;
        c.smmInsideNmi = false;
        c.smiCount = 0;
        c.pendingDebug = 0;
        // An instruction that waits for user space does not go on.
        c.exitInfo.forget();
        c.stepArmed = false;
        c.outsideStep = false;
        c.tprReported = false;
        c.inexact = false;
        c.injectedVector = -1;
        c.injectedException = -1;
        c.deriveSegments();
        c.flushTlb();
    }
}
