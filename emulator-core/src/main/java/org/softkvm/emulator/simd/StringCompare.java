package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;

/** The string compares of SSE4.2 (Intel SDM volume 2, section 4.1 "Imm8 control byte operation"). */
public final class StringCompare {
    private static final int WORDS = 1;
    private static final int SIGNED = 2;
    private static final int EQUAL_ANY = 0;
    private static final int RANGES = 1;
    private static final int EQUAL_EACH = 2;
    private static final int NEGATIVE = 1;
    private static final int MASKED_NEGATIVE = 3;

    private StringCompare() {}

    private static int element(long low, long high, int n, int control) {
        if ((control & WORDS) != 0) {
            int x = (int) ((n < 4 ? low : high) >>> 16 * (n & 3));
            return (control & SIGNED) != 0 ? (short) x : x & 0xFFFF;
        }
        int x = (int) ((n < 8 ? low : high) >>> 8 * (n & 7));
        return (control & SIGNED) != 0 ? (byte) x : x & 0xFF;
    }

    /** Elements before the first zero. */
    private static int implicitLength(long low, long high, int control) {
        int count = (control & WORDS) != 0 ? 8 : 16;
        int n = 0;
        while (n < count && element(low, high, n, control) != 0) {
            n++;
        }
        return n;
    }

    /** The magnitude of a length register, saturated to the number of elements. */
    private static int explicitLength(Cpu c, Insn i, int register, int count) {
        long v = (i.rex & 8) != 0 ? c.r[register] : (int) c.r[register];
        return v >= count || v <= -count ? count : (int) Math.abs(v);
    }

    /**
     * Compares xmm1 (a) with xmm2/m128 (in the scratch); sets the flags.
     *
     * @return IntRes2: one bit for each element of the second operand
     */
    private static int compare(Cpu c, Insn i, boolean explicit) {
        int control = (int) i.imm & 0x7F;
        int count = (control & WORDS) != 0 ? 8 : 16;
        Simd.sourceUnaligned(c, i);
        long a0 = c.v[4 * i.reg];
        long a1 = c.v[4 * i.reg + 1];
        long b0 = c.t0;
        long b1 = c.t1;
        int lengthA = explicit ? explicitLength(c, i, Cpu.RAX, count) : implicitLength(a0, a1, control);
        int lengthB = explicit ? explicitLength(c, i, Cpu.RDX, count) : implicitLength(b0, b1, control);
        int all = (1 << count) - 1;
        int result = switch (control >> 2 & 3) {
            case EQUAL_ANY -> equalAny(a0, a1, lengthA, b0, b1, lengthB, control);
            case RANGES -> ranges(a0, a1, lengthA, b0, b1, lengthB, control);
            case EQUAL_EACH -> equalEach(a0, a1, lengthA, b0, b1, lengthB, control);
            default -> equalOrdered(a0, a1, lengthA, b0, b1, lengthB, control);
        };
        int polarity = control >> 4 & 3;
        if (polarity == NEGATIVE) {
            result ^= all;
        } else if (polarity == MASKED_NEGATIVE) {
            result ^= (1 << lengthB) - 1;
        }
        c.setArith((result != 0 ? Flags.CF : 0)
                | (lengthB < count ? Flags.ZF : 0)
                | (lengthA < count ? Flags.SF : 0)
                | ((result & 1) != 0 ? Flags.OF : 0));
        return result;
    }

    private static int equalAny(long a0, long a1, int lengthA, long b0, long b1, int lengthB, int control) {
        int r = 0;
        for (int j = 0; j < lengthB; j++) {
            int x = element(b0, b1, j, control);
            for (int k = 0; k < lengthA; k++) {
                if (element(a0, a1, k, control) == x) {
                    r |= 1 << j;
                    break;
                }
            }
        }
        return r;
    }

    private static int ranges(long a0, long a1, int lengthA, long b0, long b1, int lengthB, int control) {
        int r = 0;
        for (int j = 0; j < lengthB; j++) {
            int x = element(b0, b1, j, control);
            for (int k = 0; k + 1 < lengthA; k += 2) {
                if (x >= element(a0, a1, k, control) && x <= element(a0, a1, k + 1, control)) {
                    r |= 1 << j;
                    break;
                }
            }
        }
        return r;
    }

    /** Elements behind both ends count as equal. */
    private static int equalEach(long a0, long a1, int lengthA, long b0, long b1, int lengthB, int control) {
        int count = (control & WORDS) != 0 ? 8 : 16;
        int r = 0;
        for (int j = 0; j < count; j++) {
            boolean inA = j < lengthA;
            boolean inB = j < lengthB;
            if (inA == inB && (!inA || element(a0, a1, j, control) == element(b0, b1, j, control))) {
                r |= 1 << j;
            }
        }
        return r;
    }

    /** A substring search: what is behind the end of the vector is not compared. */
    private static int equalOrdered(long a0, long a1, int lengthA, long b0, long b1, int lengthB, int control) {
        int count = (control & WORDS) != 0 ? 8 : 16;
        int r = 0;
        for (int j = 0; j < count; j++) {
            boolean found = true;
            for (int k = 0; k < lengthA && j + k < count && found; k++) {
                found = j + k < lengthB && element(a0, a1, k, control) == element(b0, b1, j + k, control);
            }
            if (found) {
                r |= 1 << j;
            }
        }
        return r;
    }

    private static void index(Cpu c, Insn i, boolean explicit) {
        int result = compare(c, i, explicit);
        int n;
        if (result == 0) {
            n = (i.imm & WORDS) != 0 ? 8 : 16;
        } else if ((i.imm & 0x40) != 0) {
            n = 31 - Integer.numberOfLeadingZeros(result);
        } else {
            n = Integer.numberOfTrailingZeros(result);
        }
        c.set32(Cpu.RCX, n);
    }

    private static void mask(Cpu c, Insn i, boolean explicit) {
        int result = compare(c, i, explicit);
        if (i.vectorLength != 0) {
            c.v[2] = 0;
            c.v[3] = 0;
        }
        if ((i.imm & 0x40) == 0) {
            Shuffles.set(c, 0, result, 0);
        } else if ((i.imm & WORDS) != 0) {
            Shuffles.set(c, 0, spread(result, 4, 16), spread(result >> 4, 4, 16));
        } else {
            Shuffles.set(c, 0, spread(result, 8, 8), spread(result >> 8, 8, 8));
        }
    }

    private static long spread(int result, int count, int bits) {
        long r = 0;
        for (int k = 0; k < count; k++) {
            if ((result >> k & 1) != 0) {
                r |= (1L << bits) - 1 << bits * k;
            }
        }
        return r;
    }

    /** PCMPESTRM. */
    public static void pcmpestrm(Cpu c, Insn i) {
        mask(c, i, true);
    }

    /** PCMPESTRI. */
    public static void pcmpestri(Cpu c, Insn i) {
        index(c, i, true);
    }

    /** PCMPISTRM. */
    public static void pcmpistrm(Cpu c, Insn i) {
        mask(c, i, false);
    }

    /** PCMPISTRI. */
    public static void pcmpistri(Cpu c, Insn i) {
        index(c, i, false);
    }
}
