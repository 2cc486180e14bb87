package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.fpu.FpEnv;
import org.softkvm.emulator.fpu.SoftDouble;
import org.softkvm.emulator.fpu.SoftFloat;
import org.softkvm.emulator.fpu.X87;

/** MMX instructions that are no plain lane functions, and SSE's conversions from and to MMX registers. */
public final class Mmx {
    private static final long LOW = 0xFFFFFFFFL;

    private Mmx() {}

    private static void set(Cpu c, int n, long value) {
        c.fpu.enterMmx();
        c.fpu.setMmx(n, value);
    }

    /** EMMS. */
    public static void emms(Cpu c, Insn i) {
        X87.checkMmx(c);
        c.fpu.emms();
    }

    /** MOVD, MOVQ from a general register or memory. */
    public static void fromGeneral(Cpu c, Insn i) {
        X87.checkMmx(c);
        set(c, i.reg, c.getRm(i, i.opSize == 8 ? 8 : 4));
    }

    /** MOVD, MOVQ to a general register or memory. */
    public static void toGeneral(Cpu c, Insn i) {
        X87.checkMmx(c);
        c.setRm(i, i.opSize == 8 ? 8 : 4, c.fpu.mmx(i.reg));
        c.fpu.enterMmx();
    }

    /** MOVQ load. */
    public static void load(Cpu c, Insn i) {
        Simd.mmxSource(c, i);
        set(c, i.reg, c.t0);
    }

    /** MOVQ and MOVNTQ store. */
    public static void store(Cpu c, Insn i) {
        X87.checkMmx(c);
        long value = c.fpu.mmx(i.reg);
        if (i.mem) {
            c.write64(c.eaWrite(i, 8), value);
            c.fpu.enterMmx();
        } else {
            set(c, i.rm, value);
        }
    }

    private static int low(Cpu c, Insn i) {
        // The low-half unpacks read 32 bits of memory only.
        X87.checkMmx(c);
        return i.mem ? c.read32(c.eaRead(i, 4)) : (int) c.fpu.mmx(i.rm);
    }

    /** PUNPCKLBW. */
    public static void punpcklbw(Cpu c, Insn i) {
        int b = low(c, i);
        set(c, i.reg, Shuffles.interleave((int) c.fpu.mmx(i.reg), b, 8));
    }

    /** PUNPCKLWD. */
    public static void punpcklwd(Cpu c, Insn i) {
        int b = low(c, i);
        set(c, i.reg, Shuffles.interleave((int) c.fpu.mmx(i.reg), b, 16));
    }

    /** PUNPCKLDQ. */
    public static void punpckldq(Cpu c, Insn i) {
        int b = low(c, i);
        set(c, i.reg, c.fpu.mmx(i.reg) & LOW | (long) b << 32);
    }

    /** PUNPCKHBW. */
    public static void punpckhbw(Cpu c, Insn i) {
        Simd.mmxSource(c, i);
        set(c, i.reg, Shuffles.interleave((int) (c.fpu.mmx(i.reg) >>> 32), (int) (c.t0 >>> 32), 8));
    }

    /** PUNPCKHWD. */
    public static void punpckhwd(Cpu c, Insn i) {
        Simd.mmxSource(c, i);
        set(c, i.reg, Shuffles.interleave((int) (c.fpu.mmx(i.reg) >>> 32), (int) (c.t0 >>> 32), 16));
    }

    /** PUNPCKHDQ. */
    public static void punpckhdq(Cpu c, Insn i) {
        Simd.mmxSource(c, i);
        set(c, i.reg, c.fpu.mmx(i.reg) >>> 32 | c.t0 & ~LOW);
    }

    /** PACKSSWB. */
    public static void packsswb(Cpu c, Insn i) {
        Simd.mmxSource(c, i);
        set(c, i.reg, Shuffles.packsswb(c.fpu.mmx(i.reg), c.t0));
    }

    /** PACKUSWB. */
    public static void packuswb(Cpu c, Insn i) {
        Simd.mmxSource(c, i);
        set(c, i.reg, Shuffles.packuswb(c.fpu.mmx(i.reg), c.t0));
    }

    /** PACKSSDW. */
    public static void packssdw(Cpu c, Insn i) {
        Simd.mmxSource(c, i);
        set(c, i.reg, Shuffles.packssdw(c.fpu.mmx(i.reg), c.t0));
    }

    /** Shifts by an immediate. */
    public static void shiftImmediate(Cpu c, Insn i) {
        X87.checkMmx(c);
        set(c, i.rm, Shuffles.shift(Shuffles.shiftKind(i), c.fpu.mmx(i.rm), i.imm & 0xFF));
    }

    /** Shifts by a register or memory. */
    public static void shiftVariable(Cpu c, Insn i) {
        Simd.mmxSource(c, i);
        set(c, i.reg, Shuffles.shift(Shuffles.shiftKind(i), c.fpu.mmx(i.reg), c.t0));
    }

    /** PSHUFW. */
    public static void pshufw(Cpu c, Insn i) {
        Simd.mmxSource(c, i);
        set(c, i.reg, Shuffles.words(c.t0, (int) i.imm));
    }

    /** PMOVMSKB. */
    public static void pmovmskb(Cpu c, Insn i) {
        X87.checkMmx(c);
        c.fpu.enterMmx();
        c.r[i.reg] = Shuffles.byteMask(c.fpu.mmx(i.rm));
    }

    /** PEXTRW. */
    public static void pextrw(Cpu c, Insn i) {
        X87.checkMmx(c);
        c.fpu.enterMmx();
        c.r[i.reg] = c.fpu.mmx(i.rm) >>> 16 * ((int) i.imm & 3) & 0xFFFF;
    }

    /** PINSRW. */
    public static void pinsrw(Cpu c, Insn i) {
        X87.checkMmx(c);
        long value = i.mem ? c.read16(c.eaRead(i, 2)) : c.r[i.rm] & 0xFFFF;
        int shift = 16 * ((int) i.imm & 3);
        set(c, i.reg, c.fpu.mmx(i.reg) & ~(0xFFFFL << shift) | value << shift);
    }

    /** The bytes of a mask store, at DS:rDI (or the overriding segment). */
    private static void maskStore(Cpu c, Insn i, long value, long mask, int at) {
        for (int k = 0; k < 8; k++) {
            if ((mask >>> 8 * k + 7 & 1) != 0) {
                long offset = c.r[Cpu.RDI] + at + k & i.addrMask;
                c.write8(c.segWrite(i.seg, offset, 1), (int) (value >>> 8 * k));
            }
        }
    }

    private static void maskCheck(Cpu c, Insn i, long mask, int at) {
        for (int k = 0; k < 8; k++) {
            if ((mask >>> 8 * k + 7 & 1) != 0) {
                c.checkWrite(c.segWrite(i.seg, c.r[Cpu.RDI] + at + k & i.addrMask, 1), 1);
            }
        }
    }

    /** MASKMOVQ. */
    public static void maskmovq(Cpu c, Insn i) {
        X87.checkMmx(c);
        long mask = c.fpu.mmx(i.rm);
        maskCheck(c, i, mask, 0);
        c.fpu.enterMmx();
        maskStore(c, i, c.fpu.mmx(i.reg), mask, 0);
    }

    /** MASKMOVDQU. */
    public static void maskmovdqu(Cpu c, Insn i) {
        Simd.check(c, i);
        long low = c.v[4 * i.rm];
        long high = c.v[4 * i.rm + 1];
        maskCheck(c, i, low, 0);
        maskCheck(c, i, high, 8);
        maskStore(c, i, c.v[4 * i.reg], low, 0);
        maskStore(c, i, c.v[4 * i.reg + 1], high, 8);
    }

    /** MOVQ2DQ. */
    public static void movq2dq(Cpu c, Insn i) {
        Simd.check(c, i);
        X87.checkMmx(c);
        c.fpu.enterMmx();
        Shuffles.set(c, i.reg, c.fpu.mmx(i.rm & 7), 0);
    }

    /** MOVDQ2Q. */
    public static void movdq2q(Cpu c, Insn i) {
        Simd.check(c, i);
        X87.checkMmx(c);
        set(c, i.reg & 7, c.v[4 * i.rm]);
    }

    /** CVTPI2PS. */
    public static void cvtpi2ps(Cpu c, Insn i) {
        Simd.check(c, i);
        Simd.mmxSource(c, i);
        FpEnv env = Arithmetic.begin(c);
        long r = SoftFloat.fromInt32(env, (int) c.t0) & LOW;
        r |= (long) SoftFloat.fromInt32(env, (int) (c.t0 >>> 32)) << 32;
        Arithmetic.end(c, env);
        c.fpu.enterMmx();
        c.v[4 * i.reg] = r;
    }

    /** CVTPI2PD: MMX state is entered only where the source is a register. */
    public static void cvtpi2pd(Cpu c, Insn i) {
        Simd.check(c, i);
        if (i.mem) {
            c.t0 = c.read64(c.eaRead(i, 8));
        } else {
            Simd.mmxSource(c, i);
            c.fpu.enterMmx();
        }
        Shuffles.set(c, i.reg, SoftDouble.fromInt32((int) c.t0), SoftDouble.fromInt32((int) (c.t0 >>> 32)));
    }

    private static void fromSingles(Cpu c, Insn i, boolean truncate) {
        long a = Simd.source64(c, i);
        X87.checkMmx(c);
        FpEnv env = Arithmetic.begin(c);
        long r = SoftFloat.toInt32(env, (int) a, truncate) & LOW;
        r |= (long) SoftFloat.toInt32(env, (int) (a >>> 32), truncate) << 32;
        Arithmetic.end(c, env);
        set(c, i.reg, r);
    }

    /** CVTPS2PI. */
    public static void cvtps2pi(Cpu c, Insn i) {
        fromSingles(c, i, false);
    }

    /** CVTTPS2PI. */
    public static void cvttps2pi(Cpu c, Insn i) {
        fromSingles(c, i, true);
    }

    private static void fromDoubles(Cpu c, Insn i, boolean truncate) {
        Simd.source(c, i);
        X87.checkMmx(c);
        FpEnv env = Arithmetic.begin(c);
        long r = SoftDouble.toInt32(env, c.t0, truncate) & LOW;
        r |= (long) SoftDouble.toInt32(env, c.t1, truncate) << 32;
        Arithmetic.end(c, env);
        set(c, i.reg, r);
    }

    /** CVTPD2PI. */
    public static void cvtpd2pi(Cpu c, Insn i) {
        fromDoubles(c, i, false);
    }

    /** CVTTPD2PI. */
    public static void cvttpd2pi(Cpu c, Insn i) {
        fromDoubles(c, i, true);
    }
}
