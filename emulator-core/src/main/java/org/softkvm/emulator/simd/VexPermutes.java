package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;

/** Permutations, blends, byte shifts, tests, masks and widening moves of AVX and AVX2 (Intel SDM volume 2). */
public final class VexPermutes {
    private static final long LOW = 0xFFFFFFFFL;

    private VexPermutes() {}

    /** A quarter of the source in the scratch. */
    private static long quarter(Cpu c, int n) {
        return switch (n & 3) {
            case 0 -> c.t0;
            case 1 -> c.t1;
            case 2 -> c.t2;
            default -> c.t3;
        };
    }

    private static long dword(Cpu c, int n) {
        return quarter(c, n >> 1) >>> 32 * (n & 1) & LOW;
    }

    // ---------------------------------------------------------------- within 128 bits

    /** VPERMILPS by a vector: each doubleword is one of its half. */
    public static void permilps(Cpu c, Insn i) {
        Vex.source(c, i);
        int first = 4 * i.vvvv;
        long r0 = pick(c, first, 0, c.t0);
        long r1 = pick(c, first, 0, c.t1);
        long r2 = pick(c, first, 2, c.t2);
        long r3 = pick(c, first, 2, c.t3);
        finish(c, i, r0, r1, r2, r3);
    }

    private static long pick(Cpu c, int first, int half, long control) {
        int a = (int) control & 3;
        int b = (int) (control >>> 32) & 3;
        return c.v[first + half + (a >> 1)] >>> 32 * (a & 1) & LOW
                | c.v[first + half + (b >> 1)] >>> 32 * (b & 1) << 32;
    }

    /** Stores a result of the instruction's length. */
    private static void finish(Cpu c, Insn i, long r0, long r1, long r2, long r3) {
        boolean wide = i.vectorLength == 32;
        Vex.set256(c, i.reg, r0, r1, wide ? r2 : 0, wide ? r3 : 0);
    }

    /** VPERMILPD by a vector: bit 1 of each quadword selects. */
    public static void permilpd(Cpu c, Insn i) {
        Vex.source(c, i);
        int first = 4 * i.vvvv;
        long r0 = c.v[first + (int) (c.t0 >> 1 & 1)];
        long r1 = c.v[first + (int) (c.t1 >> 1 & 1)];
        long r2 = c.v[first + 2 + (int) (c.t2 >> 1 & 1)];
        long r3 = c.v[first + 2 + (int) (c.t3 >> 1 & 1)];
        finish(c, i, r0, r1, r2, r3);
    }

    /** VPERMILPD by an immediate. */
    public static void permilpdImmediate(Cpu c, Insn i) {
        Vex.source(c, i);
        int o = (int) i.imm;
        finish(
                c,
                i,
                quarter(c, o & 1),
                quarter(c, o >> 1 & 1),
                quarter(c, 2 + (o >> 2 & 1)),
                quarter(c, 2 + (o >> 3 & 1)));
    }

    // ---------------------------------------------------------------- across 256 bits

    /** VPERMD, VPERMPS: indexes in the first source. */
    public static void permd(Cpu c, Insn i) {
        Vex.source(c, i);
        int index = 4 * i.vvvv;
        long r0 = permuted(c, c.v[index]);
        long r1 = permuted(c, c.v[index + 1]);
        long r2 = permuted(c, c.v[index + 2]);
        long r3 = permuted(c, c.v[index + 3]);
        Vex.set256(c, i.reg, r0, r1, r2, r3);
    }

    private static long permuted(Cpu c, long indexes) {
        return dword(c, (int) indexes & 7) | dword(c, (int) (indexes >>> 32) & 7) << 32;
    }

    /** VPERMQ, VPERMPD. */
    public static void permq(Cpu c, Insn i) {
        Vex.source(c, i);
        int o = (int) i.imm;
        Vex.set256(c, i.reg, quarter(c, o), quarter(c, o >> 2), quarter(c, o >> 4), quarter(c, o >> 6));
    }

    private static long half(Cpu c, Insn i, int control, int quarter) {
        if ((control & 8) != 0) {
            return 0;
        }
        int n = 2 * (control & 1) + quarter;
        return (control & 2) == 0 ? c.v[4 * i.vvvv + n] : quarter(c, n);
    }

    /** VPERM2F128, VPERM2I128. */
    public static void perm2(Cpu c, Insn i) {
        Vex.source(c, i);
        int o = (int) i.imm;
        long r0 = half(c, i, o, 0);
        long r1 = half(c, i, o, 1);
        long r2 = half(c, i, o >> 4, 0);
        long r3 = half(c, i, o >> 4, 1);
        Vex.set256(c, i.reg, r0, r1, r2, r3);
    }

    // ---------------------------------------------------------------- blends

    private static void blend(Cpu c, Insn i, long m0, long m1, long m2, long m3) {
        int a = 4 * i.vvvv;
        long[] v = c.v;
        finish(
                c,
                i,
                v[a] & ~m0 | c.t0 & m0,
                v[a + 1] & ~m1 | c.t1 & m1,
                v[a + 2] & ~m2 | c.t2 & m2,
                v[a + 3] & ~m3 | c.t3 & m3);
    }

    /** VPBLENDVB. */
    public static void pblendvb(Cpu c, Insn i) {
        Vex.source(c, i);
        int m = 4 * i.imm2;
        long[] v = c.v;
        blend(c, i, Sse41.byteMask(v[m]), Sse41.byteMask(v[m + 1]), Sse41.byteMask(v[m + 2]), Sse41.byteMask(v[m + 3]));
    }

    /** VBLENDVPS. */
    public static void blendvps(Cpu c, Insn i) {
        Vex.source(c, i);
        int m = 4 * i.imm2;
        long[] v = c.v;
        blend(
                c,
                i,
                Sse41.dwordMask(v[m]),
                Sse41.dwordMask(v[m + 1]),
                Sse41.dwordMask(v[m + 2]),
                Sse41.dwordMask(v[m + 3]));
    }

    /** VBLENDVPD. */
    public static void blendvpd(Cpu c, Insn i) {
        Vex.source(c, i);
        int m = 4 * i.imm2;
        long[] v = c.v;
        blend(c, i, v[m] >> 63, v[m + 1] >> 63, v[m + 2] >> 63, v[m + 3] >> 63);
    }

    /** VPBLENDD. */
    public static void pblendd(Cpu c, Insn i) {
        Vex.source(c, i);
        int o = (int) i.imm;
        blend(c, i, Sse41.dwordBits(o), Sse41.dwordBits(o >> 2), Sse41.dwordBits(o >> 4), Sse41.dwordBits(o >> 6));
    }

    // ---------------------------------------------------------------- byte shifts

    /** VPSLLDQ: the destination is in VEX.vvvv. */
    public static void pslldq(Cpu c, Insn i) {
        Vex.check(c);
        int n = Math.min((int) i.imm & 0xFF, 16) * 8;
        long[] v = c.v;
        int s = 4 * i.rm;
        boolean wide = i.vectorLength == 32;
        Vex.set256(
                c,
                i.vvvv,
                left(v[s], n),
                leftHigh(v[s], v[s + 1], n),
                wide ? left(v[s + 2], n) : 0,
                wide ? leftHigh(v[s + 2], v[s + 3], n) : 0);
    }

    /** VPSRLDQ: the destination is in VEX.vvvv. */
    public static void psrldq(Cpu c, Insn i) {
        Vex.check(c);
        int n = Math.min((int) i.imm & 0xFF, 16) * 8;
        long[] v = c.v;
        int s = 4 * i.rm;
        boolean wide = i.vectorLength == 32;
        Vex.set256(
                c,
                i.vvvv,
                rightLow(v[s], v[s + 1], n),
                n < 64 ? v[s + 1] >>> n : 0,
                wide ? rightLow(v[s + 2], v[s + 3], n) : 0,
                wide && n < 64 ? v[s + 3] >>> n : 0);
    }

    private static long left(long low, int n) {
        return n < 64 ? low << n : 0;
    }

    private static long leftHigh(long low, long high, int n) {
        return n == 0 ? high : n < 64 ? high << n | low >>> 64 - n : n < 128 ? low << n - 64 : 0;
    }

    private static long rightLow(long low, long high, int n) {
        return n == 0 ? low : n < 64 ? low >>> n | high << 64 - n : n < 128 ? high >>> n - 64 : 0;
    }

    // ---------------------------------------------------------------- masks and tests

    /** VPMOVMSKB of 256 bits. */
    public static void pmovmskb(Cpu c, Insn i) {
        Vex.check(c);
        long[] v = c.v;
        int s = 4 * i.rm;
        c.r[i.reg] = Shuffles.byteMask(v[s])
                | Shuffles.byteMask(v[s + 1]) << 8
                | Shuffles.byteMask(v[s + 2]) << 16
                | (long) Shuffles.byteMask(v[s + 3]) << 24;
    }

    /** VMOVMSKPS of 256 bits. */
    public static void movmskps(Cpu c, Insn i) {
        Vex.check(c);
        long r = 0;
        for (int k = 0; k < 4; k++) {
            long a = c.v[4 * i.rm + k];
            r |= (a >>> 31 & 1 | a >>> 63 << 1) << 2 * k;
        }
        c.r[i.reg] = r;
    }

    /** VMOVMSKPD of 256 bits. */
    public static void movmskpd(Cpu c, Insn i) {
        Vex.check(c);
        long r = 0;
        for (int k = 0; k < 4; k++) {
            r |= c.v[4 * i.rm + k] >>> 63 << k;
        }
        c.r[i.reg] = r;
    }

    private static void test(Cpu c, Insn i, long signs) {
        Vex.source(c, i);
        int a = 4 * i.reg;
        long both = c.v[a] & c.t0 | c.v[a + 1] & c.t1 | c.v[a + 2] & c.t2 | c.v[a + 3] & c.t3;
        long other = ~c.v[a] & c.t0 | ~c.v[a + 1] & c.t1 | ~c.v[a + 2] & c.t2 | ~c.v[a + 3] & c.t3;
        c.setArith(((both & signs) == 0 ? Flags.ZF : 0) | ((other & signs) == 0 ? Flags.CF : 0));
    }

    /** VPTEST of 256 bits. */
    public static void ptest(Cpu c, Insn i) {
        test(c, i, -1);
    }

    /** VTESTPS: sign bits. */
    public static void testps(Cpu c, Insn i) {
        test(c, i, 0x8000000080000000L);
    }

    /** VTESTPD. */
    public static void testpd(Cpu c, Insn i) {
        test(c, i, Long.MIN_VALUE);
    }

    // ---------------------------------------------------------------- widening moves

    /** Widens elements of the scratch's low half into 256 bits. */
    private static void widen(Cpu c, Insn i, int from, int to, boolean signed) {
        Vex.check(c);
        int size = 32 * from / to;
        if (!i.mem) {
            c.t0 = c.v[4 * i.rm];
            c.t1 = c.v[4 * i.rm + 1];
        } else if (size == 16) {
            Vex.source128(c, i);
        } else {
            c.t0 = c.read(c.eaRead(i, size), size);
            c.t1 = 0;
        }
        long mask = to == 64 ? -1L : (1L << to) - 1;
        int perQuarter = 64 / to;
        for (int q = 0; q < 4; q++) {
            long r = 0;
            for (int k = 0; k < perQuarter; k++) {
                int bit = (q * perQuarter + k) * from;
                long a = (bit < 64 ? c.t0 : c.t1) << 64 - from - (bit & 63);
                r |= ((signed ? a >> 64 - from : a >>> 64 - from) & mask) << to * k;
            }
            c.v[4 * Vex.DESTINATION + q] = r;
        }
        int d = 4 * Vex.DESTINATION;
        Vex.set256(c, i.reg, c.v[d], c.v[d + 1], c.v[d + 2], c.v[d + 3]);
    }

    /** VPMOVSXBW to VPMOVSXDQ and VPMOVZXBW to VPMOVZXDQ of 256 bits: the opcode's low digits tell which. */
    public static void widen(Cpu c, Insn i) {
        boolean signed = (i.opcode & 0xF0) == 0x20;
        switch (i.opcode & 7) {
            case 0 -> widen(c, i, 8, 16, signed);
            case 1 -> widen(c, i, 8, 32, signed);
            case 2 -> widen(c, i, 8, 64, signed);
            case 3 -> widen(c, i, 16, 32, signed);
            case 4 -> widen(c, i, 16, 64, signed);
            default -> widen(c, i, 32, 64, signed);
        }
    }
}
