package org.softkvm.emulator.translate;

import java.lang.invoke.VarHandle;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;

/**
 * What emitted bytecode calls: small static methods that HotSpot inlines. The TLB arrays are constants of the emitted
 * class, so that after inlining no bounds check of them is left.
 */
public final class RegionSupport {
    private static final int INDEX = (Cpu.TLB_SIZE - 1) << 1;

    private RegionSupport() {}

    /** Whether an access of one byte misses a TLB. */
    public static boolean miss1(long la, long[] tlb, long tag) {
        return tlb[(int) (la >>> 11) & INDEX] != (la & -4096L | tag);
    }

    /** Whether an access of two bytes misses a TLB; an access that crosses pages does. */
    public static boolean miss2(long la, long[] tlb, long tag) {
        return tlb[(int) (la >>> 11) & INDEX] != (la + 1 & -4096L | tag);
    }

    /** As {@link #miss2} for four bytes. */
    public static boolean miss4(long la, long[] tlb, long tag) {
        return tlb[(int) (la >>> 11) & INDEX] != (la + 3 & -4096L | tag);
    }

    /** As {@link #miss2} for eight bytes. */
    public static boolean miss8(long la, long[] tlb, long tag) {
        return tlb[(int) (la >>> 11) & INDEX] != (la + 7 & -4096L | tag);
    }

    /** As {@link #miss2} for sixteen bytes. */
    public static boolean miss16(long la, long[] tlb, long tag) {
        return tlb[(int) (la >>> 11) & INDEX] != (la + 15 & -4096L | tag);
    }

    /** Loads a byte that does not miss, zero-extended. */
    public static long load1(long la, long[] tlb) {
        return HostMemory.getByte(la + tlb[((int) (la >>> 11) & INDEX) + 1]);
    }

    /** Loads two bytes, zero-extended. */
    public static long load2(long la, long[] tlb) {
        return HostMemory.getShort(la + tlb[((int) (la >>> 11) & INDEX) + 1]);
    }

    /** Loads four bytes, zero-extended. */
    public static long load4(long la, long[] tlb) {
        return HostMemory.getInt(la + tlb[((int) (la >>> 11) & INDEX) + 1]) & 0xFFFFFFFFL;
    }

    /** Loads eight bytes. */
    public static long load8(long la, long[] tlb) {
        return HostMemory.getLong(la + tlb[((int) (la >>> 11) & INDEX) + 1]);
    }

    /** Stores a byte that does not miss. */
    public static void store1(long value, long la, long[] tlb) {
        HostMemory.putByte(la + tlb[((int) (la >>> 11) & INDEX) + 1], (int) value);
    }

    /** Stores two bytes. */
    public static void store2(long value, long la, long[] tlb) {
        HostMemory.putShort(la + tlb[((int) (la >>> 11) & INDEX) + 1], (int) value);
    }

    /** Stores four bytes. */
    public static void store4(long value, long la, long[] tlb) {
        HostMemory.putInt(la + tlb[((int) (la >>> 11) & INDEX) + 1], (int) value);
    }

    /** Stores eight bytes. */
    public static void store8(long value, long la, long[] tlb) {
        HostMemory.putLong(la + tlb[((int) (la >>> 11) & INDEX) + 1], value);
    }

    /** As {@link #load1}, in the order that x86 promises other processors: loads stay in order. */
    public static long sharedLoad1(long la, long[] tlb) {
        long value = load1(la, tlb);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #store1}, behind all earlier accesses. */
    public static void sharedStore1(long value, long la, long[] tlb) {
        VarHandle.releaseFence();
        store1(value, la, tlb);
    }

    /** As {@link #load2}, in the order that x86 promises other processors: loads stay in order. */
    public static long sharedLoad2(long la, long[] tlb) {
        long value = load2(la, tlb);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #store2}, behind all earlier accesses. */
    public static void sharedStore2(long value, long la, long[] tlb) {
        VarHandle.releaseFence();
        store2(value, la, tlb);
    }

    /** As {@link #load4}, in the order that x86 promises other processors: loads stay in order. */
    public static long sharedLoad4(long la, long[] tlb) {
        long value = load4(la, tlb);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #store4}, behind all earlier accesses. */
    public static void sharedStore4(long value, long la, long[] tlb) {
        VarHandle.releaseFence();
        store4(value, la, tlb);
    }

    /** As {@link #load8}, in the order that x86 promises other processors: loads stay in order. */
    public static long sharedLoad8(long la, long[] tlb) {
        long value = load8(la, tlb);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #store8}, behind all earlier accesses. */
    public static void sharedStore8(long value, long la, long[] tlb) {
        VarHandle.releaseFence();
        store8(value, la, tlb);
    }

    /** What a TLB entry that was hit adds to a linear address. */
    public static long offset(long la, long[] tlb) {
        return tlb[((int) (la >>> 11) & INDEX) + 1];
    }

    /** Loads a byte by pool offset, zero-extended. */
    public static long loadHost1(long host) {
        return HostMemory.getByte(host);
    }

    /** Stores a byte by pool offset. */
    public static void storeHost1(long value, long host) {
        HostMemory.putByte(host, (int) value);
    }

    /** As {@link #loadHost1}, in the order that x86 promises other processors. */
    public static long sharedLoadHost1(long host) {
        long value = loadHost1(host);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #storeHost1}, behind all earlier accesses. */
    public static void sharedStoreHost1(long value, long host) {
        VarHandle.releaseFence();
        storeHost1(value, host);
    }

    /** Loads two bytes by pool offset, zero-extended. */
    public static long loadHost2(long host) {
        return HostMemory.getShort(host);
    }

    /** Stores two bytes by pool offset. */
    public static void storeHost2(long value, long host) {
        HostMemory.putShort(host, (int) value);
    }

    /** As {@link #loadHost2}, in the order that x86 promises other processors. */
    public static long sharedLoadHost2(long host) {
        long value = loadHost2(host);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #storeHost2}, behind all earlier accesses. */
    public static void sharedStoreHost2(long value, long host) {
        VarHandle.releaseFence();
        storeHost2(value, host);
    }

    /** Loads four bytes by pool offset, zero-extended. */
    public static long loadHost4(long host) {
        return HostMemory.getInt(host) & 0xFFFFFFFFL;
    }

    /** Stores four bytes by pool offset. */
    public static void storeHost4(long value, long host) {
        HostMemory.putInt(host, (int) value);
    }

    /** As {@link #loadHost4}, in the order that x86 promises other processors. */
    public static long sharedLoadHost4(long host) {
        long value = loadHost4(host);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #storeHost4}, behind all earlier accesses. */
    public static void sharedStoreHost4(long value, long host) {
        VarHandle.releaseFence();
        storeHost4(value, host);
    }

    /** Loads eight bytes by pool offset, zero-extended. */
    public static long loadHost8(long host) {
        return HostMemory.getLong(host);
    }

    /** Stores eight bytes by pool offset. */
    public static void storeHost8(long value, long host) {
        HostMemory.putLong(host, value);
    }

    /** As {@link #loadHost8}, in the order that x86 promises other processors. */
    public static long sharedLoadHost8(long host) {
        long value = loadHost8(host);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #storeHost8}, behind all earlier accesses. */
    public static void sharedStoreHost8(long value, long host) {
        VarHandle.releaseFence();
        storeHost8(value, host);
    }

    /**
     * The linear address of an access outside 64-bit code.
     *
     * @return the address, or -1 where the segment does not allow the access
     */
    public static long linear(long offset, int seg, int size, long[] low, long[] high, long[] base) {
        return offset < low[seg] || offset + size - 1 > high[seg] ? -1 : base[seg] + offset & 0xFFFFFFFFL;
    }

    /** Whether a target of a near branch in 64-bit code is not canonical. */
    public static boolean notCanonical(long target) {
        return target << 16 >> 16 != target;
    }

    /** A register with its low byte replaced. */
    public static long mergeLow(long value, long old) {
        return old & ~0xFFL | value & 0xFF;
    }

    /** A register with its second byte replaced. */
    public static long mergeHigh(long value, long old) {
        return old & ~0xFF00L | (value & 0xFF) << 8;
    }

    /** A register with its low word replaced. */
    public static long merge16(long value, long old) {
        return old & ~0xFFFFL | value & 0xFFFF;
    }

    /** The first value where a condition holds, else the second. */
    public static long select(boolean condition, long a, long b) {
        return condition ? a : b;
    }

    /** Whether a number equals another. */
    public static boolean eq(int a, int b) {
        return a == b;
    }

    /** Whether a number equals another. */
    public static boolean eq(long a, long b) {
        return a == b;
    }

    /** Whether a number differs from another. */
    public static boolean ne(int a, int b) {
        return a != b;
    }

    /** Whether a number differs from another. */
    public static boolean ne(long a, long b) {
        return a != b;
    }

    /** Whether a number is below another. */
    public static boolean lt(int a, int b) {
        return a < b;
    }

    /** Whether a number is below another. */
    public static boolean lt(long a, long b) {
        return a < b;
    }

    /** Whether a number is not below another. */
    public static boolean ge(int a, int b) {
        return a >= b;
    }

    /** Whether a number is not below another. */
    public static boolean ge(long a, long b) {
        return a >= b;
    }

    /** Whether a number is above another. */
    public static boolean gt(int a, int b) {
        return a > b;
    }

    /** Whether a number is above another. */
    public static boolean gt(long a, long b) {
        return a > b;
    }

    /** Whether a number is not above another. */
    public static boolean le(int a, int b) {
        return a <= b;
    }

    /** Whether a number is not above another. */
    public static boolean le(long a, long b) {
        return a <= b;
    }

    /**
     * The carry as a number. Without branches where that is easy: HotSpot removes a computation that nobody looks at, but
     * not a branch that it has seen going one way only.
     */
    public static int carry(int fop, long fa, long fb) {
        int top = (8 << (fop & 3)) - 1;
        return switch (fop & ~3) {
            case Flags.RAW -> (int) fa & Flags.CF;
            case Flags.ADD -> carryOut(fa, fb, fa + fb, top);
            case Flags.ADC -> carryOut(fa, fb, fa + fb + 1, top);
            case Flags.SUB -> carryOut(~fa, fb, ~(fa - fb), top);
            case Flags.SBB -> carryOut(~fa, fb, ~(fa - fb - 1), top);
            case Flags.LOGIC -> 0;
            case Flags.INC, Flags.DEC -> (int) fb;
            default -> Flags.cf(fop, fa, fb) ? 1 : 0;
        };
    }

    /** The carry out of the top bit of a sum; a difference is the sum with complements on both sides. */
    private static int carryOut(long a, long b, long sum, int top) {
        return (int) ((a & b | (a | b) & ~sum) >>> top) & 1;
    }

    /** One of two flag operations: the first where a shift count is not 0. */
    public static int pick(int count, int shifted, int old) {
        return count != 0 ? shifted : old;
    }

    /** One of two flag operands: the first where a shift count is not 0. */
    public static long pick(int count, long shifted, long old) {
        return count != 0 ? shifted : old;
    }

    /** The flags that IMUL leaves, as a RAW value: CF and OF where bits of the high part say so, SF and PF. No branch. */
    private static long mulFlags(long result, long sign, long high) {
        int low = (int) (result ^ result >>> 4) & 0xF;
        return -((high | -high) >>> 63) & (Flags.CF | Flags.OF) | (sign & Flags.SF) | (0x9669 >> low & 1) << 2;
    }

    /** Flags after IMUL of 32 bits; operands sign-extended. */
    public static long mulFlags4(long a, long b) {
        long r = a * b;
        return mulFlags(r, r << 32 >> 63, r ^ (int) r);
    }

    /** Flags after IMUL of 64 bits. */
    public static long mulFlags8(long a, long b) {
        long r = a * b;
        return mulFlags(r, r >> 63, Math.multiplyHigh(a, b) ^ r >> 63);
    }

    private static long zero(long a) {
        return ((a | -a) >>> 63 ^ 1) << 6;
    }

    private static long parity(long a) {
        return (0x9669 >> ((int) (a ^ a >>> 4) & 0xF) & 1) << 2;
    }

    /** The high half of an unsigned product. */
    public static long unsignedHigh(long a, long b) {
        return Math.unsignedMultiplyHigh(a, b);
    }

    /** The high half of a signed product. */
    public static long signedHigh(long a, long b) {
        return Math.multiplyHigh(a, b);
    }

    /**
     * The flags that one-operand MUL and IMUL leave, as a RAW value.
     *
     * @param high the high half, sign-extended
     * @param excess 0 where the high half says nothing more than the low one
     * @return CF and OF, and SF, ZF, PF of the high half
     */
    public static long productFlags(long high, long excess) {
        return -((excess | -excess) >>> 63) & (Flags.CF | Flags.OF) | high >>> 63 << 7 | zero(high) | parity(high);
    }

    /** Whether a divisor is not above the high half of the dividend: a divide error. */
    public static boolean notBelow(long high, long divisor) {
        return Long.compareUnsigned(high, divisor) >= 0;
    }

    /** The flags after ROL by a count that is not 0, of a result whose highest bit is {@code top}. */
    public static long leftFlags(long r, int top, int fop, long fa, long fb) {
        long carry = r & 1;
        return Flags.bits(fop, fa, fb) & ~(Flags.CF | Flags.OF) | carry | (r >>> top & 1 ^ carry) << 11;
    }

    /** The flags after ROR by a count that is not 0. */
    public static long rightFlags(long r, int top, int fop, long fa, long fb) {
        long carry = r >>> top & 1;
        return Flags.bits(fop, fa, fb) & ~(Flags.CF | Flags.OF) | carry | (r >>> top - 1 & 1 ^ carry) << 11;
    }

    /**
     * The flags after SHLD and SHRD by a count that is not 0.
     *
     * @param r the result
     * @param old what was shifted
     * @param out the number of its bit that was shifted out last
     * @param cut 64 less the operand's bits
     * @return a RAW value
     */
    public static long doubleFlags(long r, long old, int out, int cut) {
        long a = r << cut >> cut;
        return old >>> out & 1 | (a ^ old << cut) >>> 63 << 11 | a >>> 63 << 7 | zero(a) | parity(a);
    }

    /** The flags after BSF and BSR of a source. */
    public static long scanFlags(long a) {
        return zero(a) | zero(a) >>> 4;
    }

    /** The number of the lowest set bit; the old destination where there is none. */
    public static long bsf(long a, long old) {
        return a == 0 ? old : Long.numberOfTrailingZeros(a);
    }

    /** The number of the highest set bit. */
    public static long bsr(long a, long old) {
        return a == 0 ? old : 63 - Long.numberOfLeadingZeros(a);
    }

    /** TZCNT of 32 bits. */
    public static long tzcnt4(long a) {
        return Integer.numberOfTrailingZeros((int) a);
    }

    /** TZCNT of 64 bits. */
    public static long tzcnt8(long a) {
        return Long.numberOfTrailingZeros(a);
    }

    /** LZCNT of 32 bits. */
    public static long lzcnt4(long a) {
        return Integer.numberOfLeadingZeros((int) a);
    }

    /** LZCNT of 64 bits. */
    public static long lzcnt8(long a) {
        return Long.numberOfLeadingZeros(a);
    }

    /** The flags after TZCNT and LZCNT, whose result is at most 2 to the power of {@code log}. */
    public static long countFlags(long n, int log) {
        return n >>> log | zero(n);
    }

    /** The arithmetic flags with CF replaced by a bit. */
    public static long withCarry(long bit, int fop, long fa, long fb) {
        return Flags.bits(fop, fa, fb) & ~Flags.CF | bit & 1;
    }

    /**
     * Whether a region has to be left at a back edge: somebody asks for attention, or the instruction limit is near.
     *
     * @param c the vcpu
     * @param room instructions that may run before the next such look
     * @return true to leave
     */
    public static boolean stop(Cpu c, int room) {
        return c.requests() != 0 || c.instructionLimit - c.instructions <= room;
    }

    /** Adds to the number of executed instructions. */
    public static void count(Cpu c, int n) {
        c.instructions += n;
    }
}
