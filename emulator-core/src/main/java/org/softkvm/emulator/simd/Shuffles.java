package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/** Shuffles, unpacks, packs, byte shifts and masks of SSE and SSE2 (Intel SDM volume 2). */
public final class Shuffles {
    private static final long LOW = 0xFFFFFFFFL;

    private Shuffles() {}

    static void set(Cpu c, int n, long low, long high) {
        c.v[4 * n] = low;
        c.v[4 * n + 1] = high;
    }

    /** Interleaves the low halves of two lanes, element by element. */
    static long interleave(int a, int b, int bits) {
        long r = 0;
        long mask = (1L << bits) - 1;
        for (int k = 0, to = 0; k < 32; k += bits, to += 2 * bits) {
            r |= (a >>> k & mask) << to | (b >>> k & mask) << to + bits;
        }
        return r;
    }

    private static void unpackLow(Cpu c, Insn i, int bits) {
        Simd.source(c, i);
        long a = c.v[4 * i.reg];
        set(c, i.reg, interleave((int) a, (int) c.t0, bits), interleave((int) (a >>> 32), (int) (c.t0 >>> 32), bits));
    }

    private static void unpackHigh(Cpu c, Insn i, int bits) {
        Simd.source(c, i);
        long a = c.v[4 * i.reg + 1];
        set(c, i.reg, interleave((int) a, (int) c.t1, bits), interleave((int) (a >>> 32), (int) (c.t1 >>> 32), bits));
    }

    /** PUNPCKLBW. */
    public static void punpcklbw(Cpu c, Insn i) {
        unpackLow(c, i, 8);
    }

    /** PUNPCKLWD. */
    public static void punpcklwd(Cpu c, Insn i) {
        unpackLow(c, i, 16);
    }

    /** PUNPCKLDQ, UNPCKLPS. */
    public static void punpckldq(Cpu c, Insn i) {
        Simd.source(c, i);
        long a = c.v[4 * i.reg];
        set(c, i.reg, a & LOW | c.t0 << 32, a >>> 32 | c.t0 & ~LOW);
    }

    /** PUNPCKLQDQ, UNPCKLPD. */
    public static void punpcklqdq(Cpu c, Insn i) {
        Simd.source(c, i);
        c.v[4 * i.reg + 1] = c.t0;
    }

    /** PUNPCKHBW. */
    public static void punpckhbw(Cpu c, Insn i) {
        unpackHigh(c, i, 8);
    }

    /** PUNPCKHWD. */
    public static void punpckhwd(Cpu c, Insn i) {
        unpackHigh(c, i, 16);
    }

    /** PUNPCKHDQ, UNPCKHPS. */
    public static void punpckhdq(Cpu c, Insn i) {
        Simd.source(c, i);
        long a = c.v[4 * i.reg + 1];
        set(c, i.reg, a & LOW | c.t1 << 32, a >>> 32 | c.t1 & ~LOW);
    }

    /** PUNPCKHQDQ, UNPCKHPD. */
    public static void punpckhqdq(Cpu c, Insn i) {
        Simd.source(c, i);
        set(c, i.reg, c.v[4 * i.reg + 1], c.t1);
    }

    private static long dword(long low, long high, int n) {
        return (n < 2 ? low >>> 32 * n : high >>> 32 * (n - 2)) & LOW;
    }

    /** PSHUFD. */
    public static void pshufd(Cpu c, Insn i) {
        Simd.source(c, i);
        int o = (int) i.imm;
        long low = dword(c.t0, c.t1, o & 3) | dword(c.t0, c.t1, o >> 2 & 3) << 32;
        long high = dword(c.t0, c.t1, o >> 4 & 3) | dword(c.t0, c.t1, o >> 6 & 3) << 32;
        set(c, i.reg, low, high);
    }

    static long words(long a, int order) {
        long r = 0;
        for (int k = 0; k < 4; k++) {
            r |= (a >>> 16 * (order >> 2 * k & 3) & 0xFFFF) << 16 * k;
        }
        return r;
    }

    /** PSHUFLW. */
    public static void pshuflw(Cpu c, Insn i) {
        Simd.source(c, i);
        set(c, i.reg, words(c.t0, (int) i.imm), c.t1);
    }

    /** PSHUFHW. */
    public static void pshufhw(Cpu c, Insn i) {
        Simd.source(c, i);
        set(c, i.reg, c.t0, words(c.t1, (int) i.imm));
    }

    /** SHUFPS. */
    public static void shufps(Cpu c, Insn i) {
        Simd.source(c, i);
        int o = (int) i.imm;
        long a0 = c.v[4 * i.reg];
        long a1 = c.v[4 * i.reg + 1];
        long low = dword(a0, a1, o & 3) | dword(a0, a1, o >> 2 & 3) << 32;
        long high = dword(c.t0, c.t1, o >> 4 & 3) | dword(c.t0, c.t1, o >> 6 & 3) << 32;
        set(c, i.reg, low, high);
    }

    /** SHUFPD. */
    public static void shufpd(Cpu c, Insn i) {
        Simd.source(c, i);
        int o = (int) i.imm;
        long low = c.v[4 * i.reg + (o & 1)];
        set(c, i.reg, low, (o & 2) == 0 ? c.t0 : c.t1);
    }

    /** PSLLDQ. */
    public static void pslldq(Cpu c, Insn i) {
        Simd.check(c, i);
        int n = Math.min((int) i.imm & 0xFF, 16) * 8;
        long low = c.v[4 * i.rm];
        long high = c.v[4 * i.rm + 1];
        if (n >= 64) {
            set(c, i.rm, 0, n == 128 ? 0 : low << n - 64);
        } else if (n > 0) {
            set(c, i.rm, low << n, high << n | low >>> 64 - n);
        }
    }

    /** PSRLDQ. */
    public static void psrldq(Cpu c, Insn i) {
        Simd.check(c, i);
        int n = Math.min((int) i.imm & 0xFF, 16) * 8;
        long low = c.v[4 * i.rm];
        long high = c.v[4 * i.rm + 1];
        if (n >= 64) {
            set(c, i.rm, n == 128 ? 0 : high >>> n - 64, 0);
        } else if (n > 0) {
            set(c, i.rm, low >>> n | high << 64 - n, high >>> n);
        }
    }

    /** The top bits of eight bytes. */
    public static int byteMask(long a) {
        // Gathers the top bit of each byte into eight bits.
        return (int) ((a & 0x8080808080808080L) * 0x0002040810204081L >>> 56);
    }

    /** PMOVMSKB. */
    public static void pmovmskb(Cpu c, Insn i) {
        Simd.check(c, i);
        c.r[i.reg] = byteMask(c.v[4 * i.rm]) | byteMask(c.v[4 * i.rm + 1]) << 8;
    }

    /** MOVMSKPS. */
    public static void movmskps(Cpu c, Insn i) {
        Simd.check(c, i);
        long a = c.v[4 * i.rm];
        long b = c.v[4 * i.rm + 1];
        c.r[i.reg] = a >>> 31 & 1 | a >>> 63 << 1 | (b >>> 31 & 1) << 2 | b >>> 63 << 3;
    }

    /** MOVMSKPD. */
    public static void movmskpd(Cpu c, Insn i) {
        Simd.check(c, i);
        c.r[i.reg] = c.v[4 * i.rm] >>> 63 | c.v[4 * i.rm + 1] >>> 63 << 1;
    }

    /** PEXTRW from an XMM register. */
    public static void pextrw(Cpu c, Insn i) {
        Simd.check(c, i);
        int n = (int) i.imm & 7;
        c.r[i.reg] = c.v[4 * i.rm + (n >> 2)] >>> 16 * (n & 3) & 0xFFFF;
    }

    /** PINSRW to an XMM register. */
    public static void pinsrw(Cpu c, Insn i) {
        Simd.check(c, i);
        long value = i.mem ? c.read16(c.eaRead(i, 2)) : c.r[i.rm] & 0xFFFF;
        int n = (int) i.imm & 7;
        int at = 4 * i.reg + (n >> 2);
        int shift = 16 * (n & 3);
        c.v[at] = c.v[at] & ~(0xFFFFL << shift) | value << shift;
    }

    static long packsswb(long low, long high) {
        long r = 0;
        for (int k = 0; k < 4; k++) {
            r |= (Math.clamp((short) (low >>> 16 * k), -128, 127) & 0xFFL) << 8 * k
                    | (Math.clamp((short) (high >>> 16 * k), -128, 127) & 0xFFL) << 8 * k + 32;
        }
        return r;
    }

    static long packuswb(long low, long high) {
        long r = 0;
        for (int k = 0; k < 4; k++) {
            r |= (long) Math.clamp((short) (low >>> 16 * k), 0, 255) << 8 * k
                    | (long) Math.clamp((short) (high >>> 16 * k), 0, 255) << 8 * k + 32;
        }
        return r;
    }

    static long packssdw(long low, long high) {
        long r = 0;
        for (int k = 0; k < 2; k++) {
            r |= (Math.clamp((int) (low >>> 32 * k), -32768, 32767) & 0xFFFFL) << 16 * k
                    | (Math.clamp((int) (high >>> 32 * k), -32768, 32767) & 0xFFFFL) << 16 * k + 32;
        }
        return r;
    }

    /** PACKSSWB. */
    public static void packsswb(Cpu c, Insn i) {
        Simd.source(c, i);
        set(c, i.reg, packsswb(c.v[4 * i.reg], c.v[4 * i.reg + 1]), packsswb(c.t0, c.t1));
    }

    /** PACKUSWB. */
    public static void packuswb(Cpu c, Insn i) {
        Simd.source(c, i);
        set(c, i.reg, packuswb(c.v[4 * i.reg], c.v[4 * i.reg + 1]), packuswb(c.t0, c.t1));
    }

    /** PACKSSDW. */
    public static void packssdw(Cpu c, Insn i) {
        Simd.source(c, i);
        set(c, i.reg, packssdw(c.v[4 * i.reg], c.v[4 * i.reg + 1]), packssdw(c.t0, c.t1));
    }

    static long shift(int kind, long a, long n) {
        return switch (kind) {
            case 0 -> Lanes.psllw(a, n);
            case 1 -> Lanes.psrlw(a, n);
            case 2 -> Lanes.psraw(a, n);
            case 3 -> Lanes.pslld(a, n);
            case 4 -> Lanes.psrld(a, n);
            case 5 -> Lanes.psrad(a, n);
            case 6 -> Lanes.psllq(a, n);
            default -> Lanes.psrlq(a, n);
        };
    }

    /** The shift that an opcode names: 71h to 73h with ModRM.reg, or D1h to F3h. */
    static int shiftKind(Insn i) {
        return switch (i.opcode) {
            case 0x71 -> (i.modrm >> 3 & 7) == 6 ? 0 : (i.modrm >> 3 & 7) == 2 ? 1 : 2;
            case 0x72 -> (i.modrm >> 3 & 7) == 6 ? 3 : (i.modrm >> 3 & 7) == 2 ? 4 : 5;
            case 0x73 -> (i.modrm >> 3 & 7) == 6 ? 6 : 7;
            case 0xF1 -> 0;
            case 0xD1 -> 1;
            case 0xE1 -> 2;
            case 0xF2 -> 3;
            case 0xD2 -> 4;
            case 0xE2 -> 5;
            case 0xF3 -> 6;
            default -> 7;
        };
    }

    /** PSLLx, PSRLx, PSRAx by an immediate. */
    public static void shiftImmediate(Cpu c, Insn i) {
        Simd.check(c, i);
        int kind = shiftKind(i);
        long n = i.imm & 0xFF;
        set(c, i.rm, shift(kind, c.v[4 * i.rm], n), shift(kind, c.v[4 * i.rm + 1], n));
    }

    /** PSLLx, PSRLx, PSRAx by the source's low half. */
    public static void shiftVariable(Cpu c, Insn i) {
        Simd.source(c, i);
        int kind = shiftKind(i);
        long n = c.t0;
        set(c, i.reg, shift(kind, c.v[4 * i.reg], n), shift(kind, c.v[4 * i.reg + 1], n));
    }
}
