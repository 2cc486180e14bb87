package org.softkvm.emulator.cpu;

/**
 * The arithmetic flags, evaluated lazily. A setter records an operation and its operands in {@link Cpu#fop},
 * {@link Cpu#fa} and {@link Cpu#fb}; what reads a flag computes it from there. The operation is a kind plus the operand
 * size (0 = 8, 1 = 16, 2 = 32, 3 = 64 bits).
 */
public final class Flags {
    /** Carry. */
    public static final int CF = 1;
    /** Parity. */
    public static final int PF = 4;
    /** Auxiliary carry. */
    public static final int AF = 0x10;
    /** Zero. */
    public static final int ZF = 0x40;
    /** Sign. */
    public static final int SF = 0x80;
    /** Trap (single step). */
    public static final int TF = 0x100;
    /** Interrupt enable. */
    public static final int IF = 0x200;
    /** Direction. */
    public static final int DF = 0x400;
    /** Overflow. */
    public static final int OF = 0x800;
    /** I/O privilege level, two bits. */
    public static final int IOPL = 0x3000;
    /** Nested task. */
    public static final int NT = 0x4000;
    /** Resume. */
    public static final int RF = 0x10000;
    /** Virtual-8086 mode. */
    public static final int VM = 0x20000;
    /** Alignment check, and SMAP override. */
    public static final int AC = 0x40000;
    /** Virtual interrupt flag. */
    public static final int VIF = 0x80000;
    /** Virtual interrupt pending. */
    public static final int VIP = 0x100000;
    /** CPUID is there. */
    public static final int ID = 0x200000;
    /** The six arithmetic flags. */
    public static final int ARITH = CF | PF | AF | ZF | SF | OF;

    /** fa holds the arithmetic flags themselves. */
    public static final int RAW = 0;
    /** fa + fb. */
    public static final int ADD = 4;
    /** fa + fb + 1 (ADC with carry in). */
    public static final int ADC = 8;
    /** fa - fb (SUB, CMP; NEG is 0 - fb). */
    public static final int SUB = 12;
    /** fa - fb - 1 (SBB with borrow in). */
    public static final int SBB = 16;
    /** fa is the result; CF = OF = AF = 0. */
    public static final int LOGIC = 20;
    /** fa is the result of INC, fb the carry that was there. */
    public static final int INC = 24;
    /** fa is the result of DEC, fb the carry that was there. */
    public static final int DEC = 28;
    /** fa shifted left by fb (1 to 31 or 63). */
    public static final int SHL = 32;
    /** fa (zero-extended) shifted right by fb. */
    public static final int SHR = 36;
    /** fa (sign-extended) shifted right arithmetically by fb. */
    public static final int SAR = 40;

    private Flags() {}

    private static long sx(long v, int sizeIndex) {
        int shift = 64 - (8 << sizeIndex);
        return v << shift >> shift;
    }

    private static long zx(long v, int sizeIndex) {
        int shift = 64 - (8 << sizeIndex);
        return v << shift >>> shift;
    }

    /** The result that ZF, SF and PF describe, sign-extended; not for RAW. */
    private static long result(int op, long a, long b) {
        int size = op & 3;
        long r = switch (op & ~3) {
            case ADD -> a + b;
            case ADC -> a + b + 1;
            case SUB -> a - b;
            case SBB -> a - b - 1;
            case SHL -> a << b;
            case SHR -> zx(a, size) >>> b;
            case SAR -> sx(a, size) >> b;
            default -> a;
        };
        return sx(r, size);
    }

    /**
     * The carry flag.
     *
     * @param op flag operation
     * @param a first operand
     * @param b second operand
     * @return whether CF is set
     */
    public static boolean cf(int op, long a, long b) {
        int s = op & 3;
        return switch (op & ~3) {
            case RAW -> (a & CF) != 0;
            case ADD -> Long.compareUnsigned(zx(a + b, s), zx(a, s)) < 0;
            case ADC -> Long.compareUnsigned(zx(a + b + 1, s), zx(a, s)) <= 0;
            case SUB -> Long.compareUnsigned(zx(a, s), zx(b, s)) < 0;
            case SBB -> Long.compareUnsigned(zx(a, s), zx(b, s)) <= 0;
            case INC, DEC -> b != 0;
            case SHL, SHR, SAR -> shiftedOut(op, a, b);
            default -> false;
        };
    }

    /** The last bit shifted out; apart, so that {@link #cf} is small enough (325 bytes) for HotSpot to inline. */
    private static boolean shiftedOut(int op, long a, long b) {
        int s = op & 3;
        return switch (op & ~3) {
            case SHL -> b <= 8 << s && (a >>> ((8 << s) - b) & 1) != 0;
            case SHR -> (zx(a, s) >>> (b - 1) & 1) != 0;
            default -> (sx(a, s) >> (b - 1) & 1) != 0;
        };
    }

    /**
     * The overflow flag.
     *
     * @param op flag operation
     * @param a first operand
     * @param b second operand
     * @return whether OF is set
     */
    public static boolean of(int op, long a, long b) {
        int s = op & 3;
        int top = (8 << s) - 1;
        return switch (op & ~3) {
            case RAW -> (a & OF) != 0;
            case ADD -> overflow(a, b, a + b, top);
            case ADC -> overflow(a, b, a + b + 1, top);
            case SUB -> overflow(a, ~b, a - b, top);
            case SBB -> overflow(a, ~b, a - b - 1, top);
            case INC -> sx(a, s) == Long.MIN_VALUE >> (63 - top);
            case DEC -> zx(a, s) == ~(-1L << top);
            // Defined for a count of 1; real CPUs apply the same rule to the last shift (CF xor the result's sign).
            case SHL -> cf(op, a, b) ^ (result(op, a, b) < 0);
            case SHR -> b == 1 && sx(a, s) < 0;
            default -> false;
        };
    }

    /** Whether two numbers of the same sign have a sum of the other one; the sign is the bit {@code top}. */
    private static boolean overflow(long a, long b, long sum, int top) {
        return ((a ^ sum) & (b ^ sum)) >>> top << 63 != 0;
    }

    /**
     * The auxiliary carry flag.
     *
     * @param op flag operation
     * @param a first operand
     * @param b second operand
     * @return whether AF is set
     */
    public static boolean af(int op, long a, long b) {
        return switch (op & ~3) {
            case RAW -> (a & AF) != 0;
            case ADD, ADC, SUB, SBB -> ((a ^ b ^ result(op, a, b)) & 0x10) != 0;
            case INC -> (a & 0xF) == 0;
            case DEC -> (a & 0xF) == 0xF;
            default -> false;
        };
    }

    /**
     * The zero flag.
     *
     * @param op flag operation
     * @param a first operand
     * @param b second operand
     * @return whether ZF is set
     */
    public static boolean zf(int op, long a, long b) {
        return switch (op & ~3) {
            case RAW -> (a & ZF) != 0;
            case SUB -> sx(a, op & 3) == sx(b, op & 3);
            case LOGIC -> sx(a, op & 3) == 0;
            default -> result(op, a, b) == 0;
        };
    }

    /**
     * The sign flag.
     *
     * @param op flag operation
     * @param a first operand
     * @param b second operand
     * @return whether SF is set
     */
    public static boolean sf(int op, long a, long b) {
        return (op & ~3) == RAW ? (a & SF) != 0 : result(op, a, b) < 0;
    }

    /**
     * The parity flag.
     *
     * @param op flag operation
     * @param a first operand
     * @param b second operand
     * @return whether PF is set
     */
    public static boolean pf(int op, long a, long b) {
        return (op & ~3) == RAW ? (a & PF) != 0 : parity((int) result(op, a, b));
    }

    /**
     * Even parity of the low byte.
     *
     * @param v a value
     * @return true where the low 8 bits have an even number of ones
     */
    public static boolean parity(int v) {
        int x = (v ^ v >> 4) & 0xF;
        return (0x9669 >> x & 1) != 0;
    }

    /**
     * All six arithmetic flags as bits of EFLAGS.
     *
     * @param op flag operation
     * @param a first operand
     * @param b second operand
     * @return the bits
     */
    public static int bits(int op, long a, long b) {
        if ((op & ~3) == RAW) {
            return (int) a & ARITH;
        }
        return (cf(op, a, b) ? CF : 0)
                | (pf(op, a, b) ? PF : 0)
                | (af(op, a, b) ? AF : 0)
                | (zf(op, a, b) ? ZF : 0)
                | (sf(op, a, b) ? SF : 0)
                | (of(op, a, b) ? OF : 0);
    }

    /**
     * Condition 'below or equal'.
     *
     * @param op flag operation
     * @param a first operand
     * @param b second operand
     * @return CF or ZF
     */
    public static boolean be(int op, long a, long b) {
        if ((op & ~3) == SUB) {
            return Long.compareUnsigned(zx(a, op & 3), zx(b, op & 3)) <= 0;
        }
        return cf(op, a, b) || zf(op, a, b);
    }

    /**
     * Condition 'less' (signed).
     *
     * @param op flag operation
     * @param a first operand
     * @param b second operand
     * @return SF differs from OF
     */
    public static boolean lt(int op, long a, long b) {
        return switch (op & ~3) {
            case SUB -> sx(a, op & 3) < sx(b, op & 3);
            case LOGIC -> sx(a, op & 3) < 0;
            default -> sf(op, a, b) != of(op, a, b);
        };
    }

    /**
     * Condition 'less or equal' (signed).
     *
     * @param op flag operation
     * @param a first operand
     * @param b second operand
     * @return ZF, or SF differs from OF
     */
    public static boolean le(int op, long a, long b) {
        return switch (op & ~3) {
            case SUB -> sx(a, op & 3) <= sx(b, op & 3);
            case LOGIC -> sx(a, op & 3) <= 0;
            default -> zf(op, a, b) || sf(op, a, b) != of(op, a, b);
        };
    }

    /**
     * A condition by its number in Jcc, SETcc and CMOVcc (Intel SDM volume 1, appendix B).
     *
     * @param condition 0 to 15
     * @param op flag operation
     * @param a first operand
     * @param b second operand
     * @return whether the condition holds
     */
    public static boolean condition(int condition, int op, long a, long b) {
        boolean v = switch (condition >> 1) {
            case 0 -> of(op, a, b);
            case 1 -> cf(op, a, b);
            case 2 -> zf(op, a, b);
            case 3 -> be(op, a, b);
            case 4 -> sf(op, a, b);
            case 5 -> pf(op, a, b);
            case 6 -> lt(op, a, b);
            default -> le(op, a, b);
        };
        return v == ((condition & 1) == 0);
    }
}
