package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Vector;

/** What VEX instructions on vector registers share (Intel SDM volume 2, 2.4; volume 1, 14.3). */
public final class Vex {
    private Vex() {}

    /**
     * The check of every VEX instruction on vector registers: #UD without CR4.OSXSAVE or without SSE and AVX state in
     * XCR0, #NM with CR0.TS. CR0.EM and CR4.OSFXSR do not matter.
     *
     * @param c the vcpu
     */
    public static void check(Cpu c) {
        if ((c.cr0 & Cpu.CR0_TS | ~(int) c.cr4 & Cpu.CR4_OSXSAVE | ~(int) c.xcr0 & 6) != 0) {
            refuse(c);
        }
    }

    private static void refuse(Cpu c) {
        if ((c.cr4 & Cpu.CR4_OSXSAVE) == 0 || (c.xcr0 & 6) != 6) {
            throw c.ud();
        }
        throw c.fault(Vector.NM, 0);
    }
}
