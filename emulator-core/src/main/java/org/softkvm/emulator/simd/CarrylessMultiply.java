package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/** PCLMULQDQ: products of polynomials over GF(2) (Intel SDM volume 2). */
public final class CarrylessMultiply {
    private CarrylessMultiply() {}

    /** The low half of a product. */
    static long low(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k++) {
            r ^= -(b >>> k & 1) & a << k;
        }
        return r;
    }

    /** The high half of a product. */
    static long high(long a, long b) {
        long r = 0;
        for (int k = 1; k < 64; k++) {
            r ^= -(b >>> k & 1) & a >>> 64 - k;
        }
        return r;
    }

    /** PCLMULQDQ: bits 0 and 4 of the immediate choose the halves. */
    public static void pclmulqdq(Cpu c, Insn i) {
        Simd.source(c, i);
        long a = c.v[4 * i.reg + (int) (i.imm & 1)];
        long b = (i.imm & 16) != 0 ? c.t1 : c.t0;
        Shuffles.set(c, i.reg, low(a, b), high(a, b));
    }
}
