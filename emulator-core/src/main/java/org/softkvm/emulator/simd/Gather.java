package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.GuestFault;
import org.softkvm.emulator.decode.Insn;

/**
 * The gathers of AVX2 (Intel SDM volume 2, VGATHERDPS and its kin); destination, mask and indexes are three registers, or
 * the encoding is undefined. Elements are read from the lowest on. A fault commits those before it: they are in the
 * destination and their mask bits are clear, so that the instruction goes on where it was when it runs again.
 */
public final class Gather {
    private Gather() {}

    private static long element(long[] v, int at, int size, int n) {
        int bit = 8 * size * n;
        return size == 8 ? v[at + n] : v[at + (bit >> 6)] >>> (bit & 63);
    }

    private static void setElement(long[] v, int at, int size, int n, long value) {
        if (size == 8) {
            v[at + n] = value;
        } else {
            int bit = 32 * (n & 1);
            long mask = 0xFFFFFFFFL << bit;
            v[at + (n >> 1)] = v[at + (n >> 1)] & ~mask | value << bit & mask;
        }
    }

    private static void gather(Cpu c, Insn i, int indexSize, int size) {
        Vex.check(c);
        int to = i.reg;
        int mask = i.vvvv;
        int count = i.vectorLength / Math.max(indexSize, size);
        long[] v = c.v;
        int d = 4 * Vex.DESTINATION;
        int m = 4 * Vex.SOURCE;
        for (int k = 0; k < 4; k++) {
            v[d + k] = v[4 * to + k];
            v[m + k] = v[4 * mask + k];
        }
        // Parts of the registers that hold no element become 0.
        for (int n = count; n < 32 / size; n++) {
            setElement(v, d, size, n, 0);
            setElement(v, m, size, n, 0);
        }
        for (int n = 0; n < count; n++) {
            setElement(v, m, size, n, element(v, m, size, n) << 64 - 8 * size >> 63);
        }
        long base = c.r[i.base] + i.disp;
        try {
            for (int n = 0; n < count; n++) {
                if ((element(v, m, size, n) & 1) != 0) {
                    long index = element(v, 4 * i.rm, indexSize, n);
                    long offset = base + ((indexSize == 4 ? (int) index : index) << i.scale) & i.addrMask;
                    setElement(v, d, size, n, c.read(c.segRead(i.seg, offset, size), size));
                    setElement(v, m, size, n, 0);
                }
            }
        } catch (GuestFault f) {
            commit(v, to, mask);
            throw f;
        }
        commit(v, to, mask);
    }

    private static void commit(long[] v, int to, int mask) {
        for (int k = 0; k < 4; k++) {
            v[4 * to + k] = v[4 * Vex.DESTINATION + k];
            v[4 * mask + k] = v[4 * Vex.SOURCE + k];
        }
    }

    /** VGATHERDPS, VPGATHERDD. */
    public static void gatherdd(Cpu c, Insn i) {
        gather(c, i, 4, 4);
    }

    /** VGATHERDPD, VPGATHERDQ. */
    public static void gatherdq(Cpu c, Insn i) {
        gather(c, i, 4, 8);
    }

    /** VGATHERQPS, VPGATHERQD. */
    public static void gatherqd(Cpu c, Insn i) {
        gather(c, i, 8, 4);
    }

    /** VGATHERQPD, VPGATHERQQ. */
    public static void gatherqq(Cpu c, Insn i) {
        gather(c, i, 8, 8);
    }
}
