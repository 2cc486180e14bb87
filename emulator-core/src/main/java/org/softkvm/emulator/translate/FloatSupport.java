package org.softkvm.emulator.translate;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.fpu.FpEnv;
import org.softkvm.emulator.fpu.SoftDouble;
import org.softkvm.emulator.fpu.SoftFloat;

/**
 * What emitted SSE arithmetic calls. Where operands and result are <em>tame</em>, a zero or a normal number well inside
 * the range, and nothing is left to be recorded in MXCSR, Java's arithmetic is SSE's. Everything else is done by the
 * methods {@code slow...}, which are exact as long as all exceptions are masked.
 */
public final class FloatSupport {
    private static final long LOW = 0xFFFFFFFFL;

    private FloatSupport() {}

    /**
     * What SSE instructions may do now.
     *
     * @return 0: they fault; 1: arithmetic may fault, moves do not; 2: nothing faults; 3: and arithmetic is Java's where
     *     nothing special comes of it: to nearest, denormals kept, and the sticky inexact flag set already
     */
    public static int ready(Cpu c) {
        if ((c.cr0 & (Cpu.CR0_EM | Cpu.CR0_TS) | ~(int) c.cr4 & Cpu.CR4_OSFXSR) != 0) {
            return 0;
        }
        return (c.mxcsr & 0xFFE0) == 0x1FA0 ? 3 : (c.mxcsr & 0x1F80) == 0x1F80 ? 2 : 1;
    }

    /** As {@link #ready} after slow methods; -1 where one of them met or made something that is not tame. */
    public static int readyTame(Cpu c) {
        if (c.fpEnv.wild) {
            c.fpEnv.wild = false;
            return -1;
        }
        return ready(c);
    }

    private static boolean tame(long a) {
        int e = (int) (a >>> 52) & 0x7FF;
        return e > 1 && e < 0x7FF || a << 1 == 0;
    }

    private static boolean tame(int a) {
        int e = a >>> 23 & 0xFF;
        return e > 1 && e < 0xFF || a << 1 == 0;
    }

    private static FpEnv begin(Cpu c) {
        c.fpEnv.setMxcsr(c.mxcsr);
        return c.fpEnv;
    }

    private static void end(Cpu c, FpEnv env, boolean tame) {
        c.mxcsr = env.mxcsr() | c.mxcsr & 0xFFFF0000;
        env.wild |= !tame;
    }

    private static long flush(FpEnv env, long a) {
        return env.daz && (a & 0x7FF0000000000000L) == 0 ? a & Long.MIN_VALUE : a;
    }

    private static int flush(FpEnv env, int a) {
        return env.daz && (a & 0x7F800000) == 0 ? a & Integer.MIN_VALUE : a;
    }

    private static int compute(FpEnv env, int opcode, int a, int b) {
        int r = switch (opcode) {
            case 0x51 -> SoftFloat.squareRoot(env, b);
            case 0x58 -> SoftFloat.add(env, a, b);
            case 0x59 -> SoftFloat.multiply(env, a, b);
            case 0x5C -> SoftFloat.subtract(env, a, b);
            case 0x5D -> flush(env, SoftFloat.compare(env, a, b, false) == -1 ? a : b);
            case 0x5E -> SoftFloat.divide(env, a, b);
            default -> flush(env, SoftFloat.compare(env, a, b, false) == 1 ? a : b);
        };
        env.wild |= !(tame(b) && tame(r) && (tame(a) || opcode == 0x51));
        return r;
    }

    /**
     * Arithmetic on doubles.
     *
     * @param c the vcpu
     * @param opcode 51h, 58h, 59h or 5Ch to 5Fh
     * @param a the destination's bits
     * @param b the source's bits
     * @return the result's bits
     */
    public static long slowDouble(Cpu c, int opcode, long a, long b) {
        FpEnv env = begin(c);
        long r = switch (opcode) {
            case 0x51 -> SoftDouble.squareRoot(env, b);
            case 0x58 -> SoftDouble.add(env, a, b);
            case 0x59 -> SoftDouble.multiply(env, a, b);
            case 0x5C -> SoftDouble.subtract(env, a, b);
            case 0x5D -> flush(env, SoftDouble.compare(env, a, b, false) == -1 ? a : b);
            case 0x5E -> SoftDouble.divide(env, a, b);
            default -> flush(env, SoftDouble.compare(env, a, b, false) == 1 ? a : b);
        };
        end(c, env, tame(b) && tame(r) && (tame(a) || opcode == 0x51));
        return r;
    }

    /** As {@link #slowDouble} for the single in the low 32 bits; the others are those of {@code a}. */
    public static long slowSingle(Cpu c, int opcode, long a, long b) {
        FpEnv env = begin(c);
        int r = compute(env, opcode, (int) a, (int) b);
        end(c, env, true);
        return a & ~LOW | r & LOW;
    }

    /** As {@link #slowDouble} for two singles. */
    public static long slowPair(Cpu c, int opcode, long a, long b) {
        FpEnv env = begin(c);
        int low = compute(env, opcode, (int) a, (int) b);
        int high = compute(env, opcode, (int) (a >>> 32), (int) (b >>> 32));
        end(c, env, true);
        return low & LOW | (long) high << 32;
    }

    private static long order(int order) {
        return switch (order) {
            case -1 -> Flags.CF;
            case 0 -> Flags.ZF;
            case 1 -> 0;
            default -> Flags.ZF | Flags.PF | Flags.CF;
        };
    }

    /** The arithmetic flags that UCOMISD (quiet) or COMISD leaves. */
    public static long slowCompareDouble(Cpu c, int quiet, long a, long b) {
        FpEnv env = begin(c);
        long flags = order(SoftDouble.compare(env, a, b, quiet != 0));
        end(c, env, tame(a) && tame(b));
        return flags;
    }

    /** The arithmetic flags that UCOMISS (quiet) or COMISS leaves. */
    public static long slowCompareSingle(Cpu c, int quiet, long a, long b) {
        FpEnv env = begin(c);
        long flags = order(SoftFloat.compare(env, (int) a, (int) b, quiet != 0));
        end(c, env, tame((int) a) && tame((int) b));
        return flags;
    }

    /** CVTSI2SD of 64 bits. */
    public static long slowLongToDouble(Cpu c, long a) {
        FpEnv env = begin(c);
        long r = SoftDouble.fromInt64(env, a);
        end(c, env, tame(r));
        return r;
    }

    /** CVTSI2SS of 64 bits; the result's upper half is 0. */
    public static long slowLongToSingle(Cpu c, long a) {
        FpEnv env = begin(c);
        int r = SoftFloat.fromInt64(env, a);
        end(c, env, tame(r));
        return r & LOW;
    }

    /** CVTTSD2SI and CVTSD2SI. */
    public static long slowDoubleToInteger(Cpu c, int size, int truncate, long a) {
        FpEnv env = begin(c);
        long r =
                size == 8 ? SoftDouble.toInt64(env, a, truncate != 0) : SoftDouble.toInt32(env, a, truncate != 0) & LOW;
        end(c, env, true);
        return r;
    }

    /** CVTTSS2SI and CVTSS2SI. */
    public static long slowSingleToInteger(Cpu c, int size, int truncate, long a) {
        FpEnv env = begin(c);
        long r = size == 8
                ? SoftFloat.toInt64(env, (int) a, truncate != 0)
                : SoftFloat.toInt32(env, (int) a, truncate != 0) & LOW;
        end(c, env, true);
        return r;
    }

    /** CVTSS2SD. */
    public static long slowWiden(Cpu c, long a) {
        FpEnv env = begin(c);
        long r = SoftFloat.toDouble(env, (int) a);
        end(c, env, tame((int) a) && tame(r));
        return r;
    }

    /** CVTSD2SS; the result's upper half is 0. */
    public static long slowNarrow(Cpu c, long a) {
        FpEnv env = begin(c);
        int r = SoftDouble.toFloat(env, a);
        end(c, env, tame(a) && tame(r));
        return r & LOW;
    }

    // ---------------------------------------------------------------- two singles at once

    private static float low(long a) {
        return Float.intBitsToFloat((int) a);
    }

    private static float high(long a) {
        return Float.intBitsToFloat((int) (a >>> 32));
    }

    private static long pair(float low, float high) {
        return Float.floatToRawIntBits(low) & LOW | (long) Float.floatToRawIntBits(high) << 32;
    }

    /** ADDPS of half a register. */
    public static long addPair(long a, long b) {
        return pair(low(a) + low(b), high(a) + high(b));
    }

    /** SUBPS of half a register. */
    public static long subPair(long a, long b) {
        return pair(low(a) - low(b), high(a) - high(b));
    }

    /** MULPS of half a register. */
    public static long mulPair(long a, long b) {
        return pair(low(a) * low(b), high(a) * high(b));
    }

    /** DIVPS of half a register. */
    public static long divPair(long a, long b) {
        return pair(low(a) / low(b), high(a) / high(b));
    }

    /** Whether a sum or difference is all there is: tame operands gave a tame result. */
    public static boolean sumTame(long a, long b, long r) {
        return tame((int) a)
                && tame((int) b)
                && tame((int) r)
                && tame((int) (a >>> 32))
                && tame((int) (b >>> 32))
                && tame((int) (r >>> 32));
    }

    private static boolean productTame(int a, int b, int r) {
        return tame(a) && tame(b) && tame(r) && (r << 1 != 0 || a << 1 == 0 || b << 1 == 0);
    }

    /** As {@link #sumTame} for a product: a zero that comes from no zero is an underflow. */
    public static boolean productTame(long a, long b, long r) {
        return productTame((int) a, (int) b, (int) r)
                && productTame((int) (a >>> 32), (int) (b >>> 32), (int) (r >>> 32));
    }

    private static boolean quotientTame(int a, int b, int r) {
        return tame(a) && tame(b) && tame(r) && b << 1 != 0 && (r << 1 != 0 || a << 1 == 0);
    }

    /** As {@link #sumTame} for a quotient. */
    public static boolean quotientTame(long a, long b, long r) {
        return quotientTame((int) a, (int) b, (int) r)
                && quotientTame((int) (a >>> 32), (int) (b >>> 32), (int) (r >>> 32));
    }
}
