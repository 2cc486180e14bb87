package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;

/** Integer instructions of SSE4.1 that are no plain lane functions (Intel SDM volume 2). */
public final class Sse41 {
    private static final long LOW = 0xFFFFFFFFL;
    private static final long TOP8 = 0x8080808080808080L;

    private Sse41() {}

    /** PTEST. */
    public static void ptest(Cpu c, Insn i) {
        Simd.source(c, i);
        long a0 = c.v[4 * i.reg];
        long a1 = c.v[4 * i.reg + 1];
        c.setArith(((a0 & c.t0 | a1 & c.t1) == 0 ? Flags.ZF : 0) | ((~a0 & c.t0 | ~a1 & c.t1) == 0 ? Flags.CF : 0));
    }

    /** MOVNTDQA. */
    public static void movntdqa(Cpu c, Insn i) {
        Simd.source(c, i);
        Shuffles.set(c, i.reg, c.t0, c.t1);
    }

    // ---------------------------------------------------------------- blends

    private static void blend(Cpu c, Insn i, long mask0, long mask1) {
        long a0 = c.v[4 * i.reg];
        long a1 = c.v[4 * i.reg + 1];
        Shuffles.set(c, i.reg, a0 & ~mask0 | c.t0 & mask0, a1 & ~mask1 | c.t1 & mask1);
    }

    /** All ones in each byte whose top bit is set. */
    static long byteMask(long a) {
        return ((a & TOP8) >>> 7) * 0xFF;
    }

    static long dwordMask(long a) {
        return a >> 63 << 32 | (int) a >> 31 & LOW;
    }

    /** PBLENDVB, by XMM0. */
    public static void pblendvb(Cpu c, Insn i) {
        Simd.source(c, i);
        blend(c, i, byteMask(c.v[0]), byteMask(c.v[1]));
    }

    /** BLENDVPS, by XMM0. */
    public static void blendvps(Cpu c, Insn i) {
        Simd.source(c, i);
        blend(c, i, dwordMask(c.v[0]), dwordMask(c.v[1]));
    }

    /** BLENDVPD, by XMM0. */
    public static void blendvpd(Cpu c, Insn i) {
        Simd.source(c, i);
        blend(c, i, c.v[0] >> 63, c.v[1] >> 63);
    }

    private static long wordBits(int select) {
        long r = 0;
        for (int k = 0; k < 4; k++) {
            r |= (-(select >> k & 1) & 0xFFFFL) << 16 * k;
        }
        return r;
    }

    /** PBLENDW. */
    public static void pblendw(Cpu c, Insn i) {
        Simd.source(c, i);
        blend(c, i, wordBits((int) i.imm), wordBits((int) i.imm >> 4));
    }

    static long dwordBits(int select) {
        return -(select & 1) & LOW | (long) -(select >> 1 & 1) << 32;
    }

    /** BLENDPS. */
    public static void blendps(Cpu c, Insn i) {
        Simd.source(c, i);
        blend(c, i, dwordBits((int) i.imm), dwordBits((int) i.imm >> 2));
    }

    /** BLENDPD. */
    public static void blendpd(Cpu c, Insn i) {
        Simd.source(c, i);
        blend(c, i, -(i.imm & 1), -(i.imm >> 1 & 1));
    }

    // ---------------------------------------------------------------- widening moves

    /** Four bytes to four words. */
    private static long bytesToWords(int a, boolean signed) {
        long r = 0;
        for (int k = 0; k < 4; k++) {
            int x = a >> 8 * k;
            r |= (signed ? (byte) x & 0xFFFFL : x & 0xFFL) << 16 * k;
        }
        return r;
    }

    /** Two bytes to two doublewords. */
    private static long bytesToDwords(int a, boolean signed) {
        int x = a & 0xFF;
        int y = a >> 8 & 0xFF;
        return signed ? (byte) x & LOW | (long) (byte) y << 32 : x | (long) y << 32;
    }

    private static long wordsToDwords(int a, boolean signed) {
        int x = a & 0xFFFF;
        int y = a >>> 16;
        return signed ? (short) x & LOW | (long) (short) y << 32 : x | (long) y << 32;
    }

    private static void bw(Cpu c, Insn i, boolean signed) {
        long a = Simd.source64(c, i);
        Shuffles.set(c, i.reg, bytesToWords((int) a, signed), bytesToWords((int) (a >>> 32), signed));
    }

    private static void bd(Cpu c, Insn i, boolean signed) {
        int a = Simd.source32(c, i);
        Shuffles.set(c, i.reg, bytesToDwords(a, signed), bytesToDwords(a >>> 16, signed));
    }

    private static void bq(Cpu c, Insn i, boolean signed) {
        Simd.check(c, i);
        int a = i.mem ? c.read16(c.eaRead(i, 2)) : (int) c.v[4 * i.rm];
        long x = signed ? (byte) a : a & 0xFF;
        long y = signed ? (byte) (a >> 8) : a >> 8 & 0xFF;
        Shuffles.set(c, i.reg, x, y);
    }

    private static void wd(Cpu c, Insn i, boolean signed) {
        long a = Simd.source64(c, i);
        Shuffles.set(c, i.reg, wordsToDwords((int) a, signed), wordsToDwords((int) (a >>> 32), signed));
    }

    private static void wq(Cpu c, Insn i, boolean signed) {
        int a = Simd.source32(c, i);
        Shuffles.set(c, i.reg, signed ? (short) a : a & 0xFFFF, signed ? a >> 16 : a >>> 16);
    }

    private static void dq(Cpu c, Insn i, boolean signed) {
        long a = Simd.source64(c, i);
        Shuffles.set(c, i.reg, signed ? (int) a : a & LOW, signed ? a >> 32 : a >>> 32);
    }

    /** PMOVSXBW. */
    public static void pmovsxbw(Cpu c, Insn i) {
        bw(c, i, true);
    }

    /** PMOVSXBD. */
    public static void pmovsxbd(Cpu c, Insn i) {
        bd(c, i, true);
    }

    /** PMOVSXBQ. */
    public static void pmovsxbq(Cpu c, Insn i) {
        bq(c, i, true);
    }

    /** PMOVSXWD. */
    public static void pmovsxwd(Cpu c, Insn i) {
        wd(c, i, true);
    }

    /** PMOVSXWQ. */
    public static void pmovsxwq(Cpu c, Insn i) {
        wq(c, i, true);
    }

    /** PMOVSXDQ. */
    public static void pmovsxdq(Cpu c, Insn i) {
        dq(c, i, true);
    }

    /** PMOVZXBW. */
    public static void pmovzxbw(Cpu c, Insn i) {
        bw(c, i, false);
    }

    /** PMOVZXBD. */
    public static void pmovzxbd(Cpu c, Insn i) {
        bd(c, i, false);
    }

    /** PMOVZXBQ. */
    public static void pmovzxbq(Cpu c, Insn i) {
        bq(c, i, false);
    }

    /** PMOVZXWD. */
    public static void pmovzxwd(Cpu c, Insn i) {
        wd(c, i, false);
    }

    /** PMOVZXWQ. */
    public static void pmovzxwq(Cpu c, Insn i) {
        wq(c, i, false);
    }

    /** PMOVZXDQ. */
    public static void pmovzxdq(Cpu c, Insn i) {
        dq(c, i, false);
    }

    // ---------------------------------------------------------------- insert and extract

    private static void put(Cpu c, int register, int bit, int bits, long value) {
        int at = 4 * register + (bit >> 6);
        int shift = bit & 63;
        long mask = (bits == 64 ? -1L : (1L << bits) - 1) << shift;
        c.v[at] = c.v[at] & ~mask | value << shift & mask;
    }

    /** PINSRB. */
    public static void pinsrb(Cpu c, Insn i) {
        Simd.check(c, i);
        int value = i.mem ? c.read8(c.eaRead(i, 1)) : (int) c.r[i.rm];
        put(c, i.reg, ((int) i.imm & 15) * 8, 8, value);
    }

    /** PINSRD, PINSRQ. */
    public static void pinsr(Cpu c, Insn i) {
        Simd.check(c, i);
        if ((i.rex & 8) != 0) {
            put(c, i.reg, ((int) i.imm & 1) * 64, 64, c.getRm(i, 8));
        } else {
            put(c, i.reg, ((int) i.imm & 3) * 32, 32, c.getRm(i, 4));
        }
    }

    private static long extract(Cpu c, Insn i, int bit) {
        return c.v[4 * i.reg + (bit >> 6)] >>> (bit & 63);
    }

    /** PEXTRB. */
    public static void pextrb(Cpu c, Insn i) {
        Simd.check(c, i);
        int value = (int) extract(c, i, ((int) i.imm & 15) * 8) & 0xFF;
        if (i.mem) {
            c.write8(c.eaWrite(i, 1), value);
        } else {
            c.set32(i.rm, value);
        }
    }

    /** PEXTRW, the form that also stores to memory. */
    public static void pextrw(Cpu c, Insn i) {
        Simd.check(c, i);
        int value = (int) extract(c, i, ((int) i.imm & 7) * 16) & 0xFFFF;
        if (i.mem) {
            c.write16(c.eaWrite(i, 2), value);
        } else {
            c.set32(i.rm, value);
        }
    }

    /** PEXTRD, PEXTRQ. */
    public static void pextr(Cpu c, Insn i) {
        Simd.check(c, i);
        if ((i.rex & 8) != 0) {
            c.setRm(i, 8, extract(c, i, ((int) i.imm & 1) * 64));
        } else {
            c.setRm(i, 4, extract(c, i, ((int) i.imm & 3) * 32));
        }
    }

    /** EXTRACTPS. */
    public static void extractps(Cpu c, Insn i) {
        Simd.check(c, i);
        c.setRm(i, 4, extract(c, i, ((int) i.imm & 3) * 32) & LOW);
    }

    /** INSERTPS: from memory always the one element that is there. */
    public static void insertps(Cpu c, Insn i) {
        Simd.check(c, i);
        int control = (int) i.imm;
        long value;
        if (i.mem) {
            value = c.read32(c.eaRead(i, 4));
        } else {
            int from = control >> 6 & 3;
            value = c.v[4 * i.rm + (from >> 1)] >>> 32 * (from & 1);
        }
        put(c, i.reg, (control >> 4 & 3) * 32, 32, value);
        c.v[4 * i.reg] &= ~dwordBits(control);
        c.v[4 * i.reg + 1] &= ~dwordBits(control >> 2);
    }

    // ---------------------------------------------------------------- packs, minimum, sums

    private static long packDwords(long low, long high) {
        return Math.clamp((int) low, 0, 0xFFFF)
                | (long) Math.clamp((int) (low >> 32), 0, 0xFFFF) << 16
                | (long) Math.clamp((int) high, 0, 0xFFFF) << 32
                | (long) Math.clamp((int) (high >> 32), 0, 0xFFFF) << 48;
    }

    /** PACKUSDW. */
    public static void packusdw(Cpu c, Insn i) {
        Simd.source(c, i);
        long low = packDwords(c.v[4 * i.reg], c.v[4 * i.reg + 1]);
        Shuffles.set(c, i.reg, low, packDwords(c.t0, c.t1));
    }

    /** PHMINPOSUW. */
    public static void phminposuw(Cpu c, Insn i) {
        Simd.source(c, i);
        int least = 0x10000;
        int at = 0;
        for (int k = 0; k < 8; k++) {
            int x = (int) ((k < 4 ? c.t0 : c.t1) >>> 16 * (k & 3)) & 0xFFFF;
            if (x < least) {
                least = x;
                at = k;
            }
        }
        Shuffles.set(c, i.reg, least | at << 16, 0);
    }

    private static int byteAt(long low, long high, int n) {
        return (int) ((n < 8 ? low : high) >>> 8 * (n & 7)) & 0xFF;
    }

    /** MPSADBW. */
    public static void mpsadbw(Cpu c, Insn i) {
        Simd.source(c, i);
        long a0 = c.v[4 * i.reg];
        long a1 = c.v[4 * i.reg + 1];
        int firstA = ((int) i.imm >> 2 & 1) * 4;
        int firstB = ((int) i.imm & 3) * 4;
        long low = 0;
        long high = 0;
        for (int k = 0; k < 8; k++) {
            long sum = 0;
            for (int j = 0; j < 4; j++) {
                sum += Math.abs(byteAt(a0, a1, firstA + k + j) - byteAt(c.t0, c.t1, firstB + j));
            }
            if (k < 4) {
                low |= sum << 16 * k;
            } else {
                high |= sum << 16 * (k - 4);
            }
        }
        Shuffles.set(c, i.reg, low, high);
    }
}
