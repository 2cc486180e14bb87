package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/** SSE moves (Intel SDM volume 2). */
public final class Moves {
    private Moves() {}

    private static void set(Cpu c, int n, long low, long high) {
        c.v[4 * n] = low;
        c.v[4 * n + 1] = high;
    }

    /** MOVAPS, MOVAPD, MOVDQA: load. */
    public static void loadAligned(Cpu c, Insn i) {
        Simd.source(c, i);
        set(c, i.reg, c.t0, c.t1);
    }

    /** MOVUPS, MOVUPD, MOVDQU, LDDQU: load. */
    public static void loadUnaligned(Cpu c, Insn i) {
        Simd.sourceUnaligned(c, i);
        set(c, i.reg, c.t0, c.t1);
    }

    private static void store(Cpu c, Insn i, boolean aligned) {
        Simd.check(c, i);
        long low = c.v[4 * i.reg];
        long high = c.v[4 * i.reg + 1];
        if (i.mem) {
            long la = c.eaWrite(i, 16);
            if (aligned && (la & 15) != 0) {
                throw c.gp(0);
            }
            Simd.store128(c, la, low, high);
        } else {
            set(c, i.rm, low, high);
        }
    }

    /** MOVAPS, MOVAPD, MOVDQA, MOVNTPS, MOVNTPD, MOVNTDQ: store. */
    public static void storeAligned(Cpu c, Insn i) {
        store(c, i, true);
    }

    /** MOVUPS, MOVUPD, MOVDQU: store. */
    public static void storeUnaligned(Cpu c, Insn i) {
        store(c, i, false);
    }

    /** MOVSS load: from memory the rest becomes 0, from a register it stays. */
    public static void loadSs(Cpu c, Insn i) {
        long value = Simd.source32(c, i) & 0xFFFFFFFFL;
        if (i.mem) {
            set(c, i.reg, value, 0);
        } else {
            c.v[4 * i.reg] = c.v[4 * i.reg] & ~0xFFFFFFFFL | value;
        }
    }

    /** MOVSS store. */
    public static void storeSs(Cpu c, Insn i) {
        Simd.check(c, i);
        int value = (int) c.v[4 * i.reg];
        if (i.mem) {
            c.write32(c.eaWrite(i, 4), value);
        } else {
            c.v[4 * i.rm] = c.v[4 * i.rm] & ~0xFFFFFFFFL | value & 0xFFFFFFFFL;
        }
    }

    /** MOVSD load. */
    public static void loadSd(Cpu c, Insn i) {
        long value = Simd.source64(c, i);
        c.v[4 * i.reg] = value;
        if (i.mem) {
            c.v[4 * i.reg + 1] = 0;
        }
    }

    /** MOVSD store. */
    public static void storeSd(Cpu c, Insn i) {
        Simd.check(c, i);
        long value = c.v[4 * i.reg];
        if (i.mem) {
            c.write64(c.eaWrite(i, 8), value);
        } else {
            c.v[4 * i.rm] = value;
        }
    }

    /** MOVLPS, MOVLPD load; MOVHLPS where the source is a register. */
    public static void loadLow(Cpu c, Insn i) {
        Simd.check(c, i);
        c.v[4 * i.reg] = i.mem ? c.read64(c.eaRead(i, 8)) : c.v[4 * i.rm + 1];
    }

    /** MOVLPS, MOVLPD store. */
    public static void storeLow(Cpu c, Insn i) {
        Simd.check(c, i);
        c.write64(c.eaWrite(i, 8), c.v[4 * i.reg]);
    }

    /** MOVHPS, MOVHPD load; MOVLHPS where the source is a register. */
    public static void loadHigh(Cpu c, Insn i) {
        c.v[4 * i.reg + 1] = Simd.source64(c, i);
    }

    /** MOVHPS, MOVHPD store. */
    public static void storeHigh(Cpu c, Insn i) {
        Simd.check(c, i);
        c.write64(c.eaWrite(i, 8), c.v[4 * i.reg + 1]);
    }

    /** MOVD, MOVQ from a general register or memory. */
    public static void fromGeneral(Cpu c, Insn i) {
        Simd.check(c, i);
        set(c, i.reg, c.getRm(i, i.opSize == 8 ? 8 : 4), 0);
    }

    /** MOVD, MOVQ to a general register or memory. */
    public static void toGeneral(Cpu c, Insn i) {
        Simd.check(c, i);
        c.setRm(i, i.opSize == 8 ? 8 : 4, c.v[4 * i.reg]);
    }

    /** MOVQ load. */
    public static void loadQ(Cpu c, Insn i) {
        set(c, i.reg, Simd.source64(c, i), 0);
    }

    /** MOVQ store. */
    public static void storeQ(Cpu c, Insn i) {
        Simd.check(c, i);
        long value = c.v[4 * i.reg];
        if (i.mem) {
            c.write64(c.eaWrite(i, 8), value);
        } else {
            set(c, i.rm, value, 0);
        }
    }

    /** MOVNTI. */
    public static void storeGeneral(Cpu c, Insn i) {
        int size = i.opSize == 8 ? 8 : 4;
        c.write(c.eaWrite(i, size), size, c.r[i.reg]);
    }
}
