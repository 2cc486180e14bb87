package org.softkvm.emulator.fpu;

/**
 * What {@link Float80} computes for nearly all operands, without its detours: normal numbers, to nearest, 64 bits of
 * precision, and a result that is normal too. Each method does the whole operation or says that it has done nothing.
 */
final class FpuFast {
    private static final int EXPONENT = 0x7FFF;
    private static final int SIGN = 0x8000;

    private FpuFast() {}

    private static boolean normal(int se, long sig) {
        return sig < 0 && ((se & EXPONENT) + 1 & EXPONENT) > 1;
    }

    /** Rounds, and writes the result where its exponent is that of a normal number. */
    private static boolean deliver(FpuState s, int dst, int sign, int exponent, long sig, long below) {
        // Which way it rounds is hardly predictable: no branch.
        long half = below << 1;
        long up = below >>> 63 & ((half | -half) >>> 63 | sig & 1);
        int inexact = (int) ((below | -below) >>> 63);
        long r = sig + up;
        int e = exponent;
        if (r == 0) {
            r = Long.MIN_VALUE;
            e++;
        }
        if (e <= 0 || e >= EXPONENT) {
            return false;
        }
        s.sw = s.sw & ~FpuState.C1 | inexact << 5 | (int) up << 9;
        s.signExp[dst] = sign | e;
        s.sig[dst] = r;
        s.valid |= 1 << dst;
        return true;
    }

    /**
     * A sum.
     *
     * @param s the unit
     * @param dst physical number of the destination
     */
    static boolean add(FpuState s, int dst, int seA, long sigA, int seB, long sigB) {
        if (!s.f.plain || !normal(seA, sigA) || !normal(seB, sigB)) {
            return false;
        }
        // The greater one first, without a branch: both significands have bit 63, so their difference has a sign.
        int distance = (seA & EXPONENT) - (seB & EXPONENT);
        int equal = (distance | -distance) >>> 31 ^ 1;
        int swap = distance >>> 31 | equal & (int) (sigA - sigB >>> 63);
        long x = (sigA ^ sigB) & -swap;
        int y = (seA ^ seB) & -swap;
        return addOrdered(s, dst, seA ^ y, sigA ^ x, seB ^ y, sigB ^ x, Math.abs(distance));
    }

    /** The first one is not the lesser. */
    private static boolean addOrdered(FpuState s, int dst, int seA, long sigA, int seB, long sigB, int distance) {
        if (distance >= 64) {
            return false;
        }
        int sign = seA & SIGN;
        int e = seA & EXPONENT;
        long high = sigB >>> distance;
        long below = sigB << 1 << 63 - distance;
        if (((seA ^ seB) & SIGN) == 0) {
            long sum = sigA + high;
            // Bit 63 of the first one is set, so there is a carry where it is lost, or both have it.
            long carry = (high | ~sum) >>> 63;
            int c = (int) carry;
            return deliver(
                    s, dst, sign, e + c, sum >>> c | carry << 63, sum << 63 & -carry | below >>> c | below & carry);
        }
        long difference = sigA - high - ((below | -below) >>> 63);
        below = -below;
        if (difference == 0) {
            return false;
        }
        int n = Long.numberOfLeadingZeros(difference);
        return deliver(s, dst, sign, e - n, difference << n | below >>> 1 >>> 63 - n, below << n);
    }

    /** A product. */
    static boolean multiply(FpuState s, int dst, int seA, long sigA, int seB, long sigB) {
        if (!s.f.plain || !normal(seA, sigA) || !normal(seB, sigB)) {
            return false;
        }
        long high = Math.unsignedMultiplyHigh(sigA, sigB);
        long low = sigA * sigB;
        int n = (int) (~high >>> 63);
        int e = (seA & EXPONENT) + (seB & EXPONENT) - Float80.BIAS + 1 - n;
        return deliver(s, dst, (seA ^ seB) & SIGN, e, high << n | low >>> 63 & n, low << n);
    }

    /** An operation by the reg field of D8. */
    static boolean compute(FpuState s, int dst, int op, int seA, long sigA, int seB, long sigB) {
        return switch (op) {
            case FpuOps.ADD -> add(s, dst, seA, sigA, seB, sigB);
            case FpuOps.MUL -> multiply(s, dst, seA, sigA, seB, sigB);
            case FpuOps.SUB -> add(s, dst, seA, sigA, seB ^ SIGN, sigB);
            case FpuOps.SUBR -> add(s, dst, seA ^ SIGN, sigA, seB, sigB);
            default -> false;
        };
    }

    /**
     * Compares two normal numbers.
     *
     * @return -1, 0, 1, or 2 where an operand is not normal
     */
    static int compare(int seA, long sigA, int seB, long sigB) {
        if (!normal(seA, sigA) || !normal(seB, sigB)) {
            return 2;
        }
        int signA = seA >> 15 & 1;
        if (((seA ^ seB) & SIGN) != 0) {
            return signA != 0 ? -1 : 1;
        }
        int c = seA != seB ? Integer.compare(seA & EXPONENT, seB & EXPONENT) : Long.compareUnsigned(sigA, sigB);
        return signA != 0 ? -c : c;
    }
}
