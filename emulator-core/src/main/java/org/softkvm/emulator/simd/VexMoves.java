package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/** Moves of whole vectors, of their halves, masked moves and broadcasts of AVX and AVX2 (Intel SDM volume 2). */
public final class VexMoves {
    private static final long LOW = 0xFFFFFFFFL;

    private VexMoves() {}

    private static void alignment(Cpu c, Insn i) {
        if (i.mem && (c.eaRead(i, i.vectorLength) & i.vectorLength - 1) != 0) {
            throw c.gp(0);
        }
    }

    /** VMOVUPS, VMOVUPD, VMOVDQU, VLDDQU: load. */
    public static void load(Cpu c, Insn i) {
        Vex.source(c, i);
        Vex.set256(c, i.reg, c.t0, c.t1, c.t2, c.t3);
    }

    /** VMOVAPS, VMOVAPD, VMOVDQA, VMOVNTDQA: load. */
    public static void loadAligned(Cpu c, Insn i) {
        Vex.check(c);
        alignment(c, i);
        load(c, i);
    }

    /** VMOVUPS, VMOVUPD, VMOVDQU: store. */
    public static void store(Cpu c, Insn i) {
        Vex.check(c);
        int from = 4 * i.reg;
        long[] v = c.v;
        if (!i.mem) {
            boolean wide = i.vectorLength == 32;
            Vex.set256(c, i.rm, v[from], v[from + 1], wide ? v[from + 2] : 0, wide ? v[from + 3] : 0);
            return;
        }
        long la = c.eaWrite(i, i.vectorLength);
        c.checkWrite(la, i.vectorLength);
        for (int k = 0; k < i.vectorLength / 8; k++) {
            c.write64(la + 8L * k, v[from + k]);
        }
    }

    /** VMOVAPS, VMOVAPD, VMOVDQA, VMOVNTPS, VMOVNTPD, VMOVNTDQ: store. */
    public static void storeAligned(Cpu c, Insn i) {
        Vex.check(c);
        if (i.mem && (c.eaWrite(i, i.vectorLength) & i.vectorLength - 1) != 0) {
            throw c.gp(0);
        }
        store(c, i);
    }

    /** VMOVSS between registers with the opcode of a store. */
    public static void mergeSs(Cpu c, Insn i) {
        Vex.check(c);
        long low = c.v[4 * i.vvvv] & ~LOW | c.v[4 * i.reg] & LOW;
        Vex.set128(c, i.rm, low, c.v[4 * i.vvvv + 1]);
    }

    /** VMOVSD between registers with the opcode of a store. */
    public static void mergeSd(Cpu c, Insn i) {
        Vex.check(c);
        Vex.set128(c, i.rm, c.v[4 * i.reg], c.v[4 * i.vvvv + 1]);
    }

    /** VMOVDDUP of 256 bits. */
    public static void movddup(Cpu c, Insn i) {
        Vex.source(c, i);
        Vex.set256(c, i.reg, c.t0, c.t0, c.t2, c.t2);
    }

    // ---------------------------------------------------------------- halves

    /** VEXTRACTF128, VEXTRACTI128. */
    public static void extract(Cpu c, Insn i) {
        Vex.check(c);
        int from = 4 * i.reg + 2 * ((int) i.imm & 1);
        long a = c.v[from];
        long b = c.v[from + 1];
        if (i.mem) {
            Simd.store128(c, c.eaWrite(i, 16), a, b);
        } else {
            Vex.set128(c, i.rm, a, b);
        }
    }

    /** VINSERTF128, VINSERTI128. */
    public static void insert(Cpu c, Insn i) {
        Vex.source128(c, i);
        int first = 4 * i.vvvv;
        if ((i.imm & 1) == 0) {
            Vex.set256(c, i.reg, c.t0, c.t1, c.v[first + 2], c.v[first + 3]);
        } else {
            Vex.set256(c, i.reg, c.v[first], c.v[first + 1], c.t0, c.t1);
        }
    }

    // ---------------------------------------------------------------- broadcasts

    private static void fill(Cpu c, Insn i, long a) {
        boolean wide = i.vectorLength == 32;
        Vex.set256(c, i.reg, a, a, wide ? a : 0, wide ? a : 0);
    }

    /** VPBROADCASTB. */
    public static void broadcast8(Cpu c, Insn i) {
        Vex.check(c);
        long a = i.mem ? c.read8(c.eaRead(i, 1)) : c.v[4 * i.rm];
        fill(c, i, (a & 0xFF) * 0x0101010101010101L);
    }

    /** VPBROADCASTW. */
    public static void broadcast16(Cpu c, Insn i) {
        Vex.check(c);
        long a = i.mem ? c.read16(c.eaRead(i, 2)) : c.v[4 * i.rm];
        fill(c, i, (a & 0xFFFF) * 0x0001000100010001L);
    }

    /** VBROADCASTSS, VPBROADCASTD. */
    public static void broadcast32(Cpu c, Insn i) {
        Vex.check(c);
        long a = i.mem ? c.read32(c.eaRead(i, 4)) : c.v[4 * i.rm];
        fill(c, i, a & LOW | a << 32);
    }

    /** VBROADCASTSD, VPBROADCASTQ. */
    public static void broadcast64(Cpu c, Insn i) {
        Vex.check(c);
        fill(c, i, i.mem ? c.read64(c.eaRead(i, 8)) : c.v[4 * i.rm]);
    }

    /** VBROADCASTF128, VBROADCASTI128. */
    public static void broadcast128(Cpu c, Insn i) {
        Vex.source128(c, i);
        Vex.set256(c, i.reg, c.t0, c.t1, c.t0, c.t1);
    }

    // ---------------------------------------------------------------- masked moves

    private static boolean masked(Cpu c, Insn i, int size, int n) {
        int bit = 8 * size * n + 8 * size - 1;
        return (c.v[4 * i.vvvv + (bit >> 6)] >>> (bit & 63) & 1) != 0;
    }

    /** Elements without a mask bit are 0 and are not accessed. */
    private static void maskedLoad(Cpu c, Insn i, int size) {
        Vex.check(c);
        long offset = c.ea(i);
        c.t0 = 0;
        c.t1 = 0;
        c.t2 = 0;
        c.t3 = 0;
        for (int n = 0; n < i.vectorLength / size; n++) {
            if (masked(c, i, size, n)) {
                int at = n * size;
                long a = c.read(c.segRead(i.seg, offset + at & i.addrMask, size), size) << 8 * (at & 7);
                switch (at >> 3) {
                    case 0 -> c.t0 |= a;
                    case 1 -> c.t1 |= a;
                    case 2 -> c.t2 |= a;
                    default -> c.t3 |= a;
                }
            }
        }
        Vex.set256(c, i.reg, c.t0, c.t1, c.t2, c.t3);
    }

    /** Elements without a mask bit are not accessed. */
    private static void maskedStore(Cpu c, Insn i, int size) {
        Vex.check(c);
        long offset = c.ea(i);
        for (int pass = 0; pass < 2; pass++) {
            for (int n = 0; n < i.vectorLength / size; n++) {
                if (masked(c, i, size, n)) {
                    int at = n * size;
                    long la = c.segWrite(i.seg, offset + at & i.addrMask, size);
                    if (pass == 0) {
                        c.checkWrite(la, size);
                    } else {
                        c.write(la, size, c.v[4 * i.reg + (at >> 3)] >>> 8 * (at & 7));
                    }
                }
            }
        }
    }

    /** VMASKMOVPS, VPMASKMOVD: load. */
    public static void maskedLoad32(Cpu c, Insn i) {
        maskedLoad(c, i, 4);
    }

    /** VMASKMOVPD, VPMASKMOVQ: load. */
    public static void maskedLoad64(Cpu c, Insn i) {
        maskedLoad(c, i, 8);
    }

    /** VMASKMOVPS, VPMASKMOVD: store. */
    public static void maskedStore32(Cpu c, Insn i) {
        maskedStore(c, i, 4);
    }

    /** VMASKMOVPD, VPMASKMOVQ: store. */
    public static void maskedStore64(Cpu c, Insn i) {
        maskedStore(c, i, 8);
    }
}
