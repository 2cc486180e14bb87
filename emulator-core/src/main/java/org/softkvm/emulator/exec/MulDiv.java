package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.decode.Insn;

/** MUL, IMUL, DIV and IDIV with implied registers (Intel SDM volume 2). */
public final class MulDiv {
    private MulDiv() {}

    private static void flags(Cpu c, boolean overflow, long high, int size) {
        // SF, ZF, PF are undefined; CPUs leave them of the high half.
        int shift = 64 - 8 * size;
        long h = high << shift >> shift;
        c.setArith((overflow ? Flags.CF | Flags.OF : 0)
                | (h < 0 ? Flags.SF : 0)
                | (h == 0 ? Flags.ZF : 0)
                | (Flags.parity((int) h) ? Flags.PF : 0));
    }

    private static void pair(Cpu c, int size, long low, long high) {
        c.set(Cpu.RAX, size, low);
        c.set(Cpu.RDX, size, high);
    }

    /** MUL r/m8. */
    public static void mulb(Cpu c, Insn i) {
        int r = c.get8(Cpu.RAX) * c.getRm8(i);
        c.set16(Cpu.RAX, r);
        flags(c, r >>> 8 != 0, r >>> 8, 1);
    }

    /** IMUL r/m8. */
    public static void imulb(Cpu c, Insn i) {
        int r = (byte) c.get8(Cpu.RAX) * (byte) c.getRm8(i);
        c.set16(Cpu.RAX, r);
        flags(c, r != (byte) r, r >> 8, 1);
    }

    /** MUL r/m16, r/m32, r/m64. */
    public static void mulv(Cpu c, Insn i) {
        int size = i.opSize;
        long a = c.get(Cpu.RAX, size);
        long b = c.getRm(i, size);
        if (size == 8) {
            long high = Math.unsignedMultiplyHigh(a, b);
            pair(c, 8, a * b, high);
            flags(c, high != 0, high, 8);
        } else {
            long r = a * b;
            long high = r >>> 8 * size;
            pair(c, size, r, high);
            flags(c, high != 0, high, size);
        }
    }

    /** IMUL r/m16, r/m32, r/m64. */
    public static void imulv(Cpu c, Insn i) {
        int size = i.opSize;
        int shift = 64 - 8 * size;
        long a = c.get(Cpu.RAX, size) << shift >> shift;
        long b = c.getRm(i, size) << shift >> shift;
        if (size == 8) {
            long low = a * b;
            long high = Math.multiplyHigh(a, b);
            pair(c, 8, low, high);
            flags(c, high != low >> 63, high, 8);
        } else {
            long r = a * b;
            pair(c, size, r, r >> 8 * size);
            flags(c, r != r << shift >> shift, r >> 8 * size, size);
        }
    }

    private static RuntimeException divideError(Cpu c) {
        return c.fault(Vector.DE, 0);
    }

    /** DIV r/m8. */
    public static void divb(Cpu c, Insn i) {
        int a = (int) c.r[Cpu.RAX] & 0xFFFF;
        int b = c.getRm8(i);
        if (b == 0 || a / b > 0xFF) {
            throw divideError(c);
        }
        c.set16(Cpu.RAX, a / b | a % b << 8);
    }

    /** IDIV r/m8. On the 8086 a REP prefix negates the quotient, and the most negative one is an error. */
    public static void idivb(Cpu c, Insn i) {
        int a = (short) c.r[Cpu.RAX];
        int b = (byte) c.getRm8(i);
        if (b == 0) {
            throw divideError(c);
        }
        int q = a / b;
        boolean old = !c.model.has(Feature.I186);
        if (old ? Math.abs(q) > 0x7F : q != (byte) q) {
            throw divideError(c);
        }
        if (old && i.rep != 0) {
            q = -q;
        }
        c.set16(Cpu.RAX, q & 0xFF | a % b << 8);
    }

    /** DIV r/m16, r/m32, r/m64. */
    public static void divv(Cpu c, Insn i) {
        int size = i.opSize;
        long b = c.getRm(i, size);
        if (size == 8) {
            long high = c.r[Cpu.RDX];
            if (Long.compareUnsigned(high, b) >= 0) {
                throw divideError(c);
            }
            divide128(c, high, c.r[Cpu.RAX], b);
            return;
        }
        long a = c.get(Cpu.RDX, size) << 8 * size | c.get(Cpu.RAX, size);
        if (b == 0) {
            throw divideError(c);
        }
        long q = Long.divideUnsigned(a, b);
        if (q >>> 8 * size != 0) {
            throw divideError(c);
        }
        pair(c, size, q, Long.remainderUnsigned(a, b));
    }

    /** Divides high:low by b where high is below b: quotient to RAX, remainder to RDX. */
    private static void divide128(Cpu c, long high, long low, long b) {
        long q = quotient(high, low, b);
        c.r[Cpu.RAX] = q;
        c.r[Cpu.RDX] = low - q * b;
    }

    /**
     * Divides an unsigned number of 128 bits (Knuth's algorithm D).
     *
     * @param high its high half, below b
     * @param low its low half
     * @param b the divisor
     * @return the quotient
     */
    public static long quotient(long high, long low, long b) {
        if (high == 0) {
            return Long.divideUnsigned(low, b);
        }
        int s = Long.numberOfLeadingZeros(b);
        long v = b << s;
        long v1 = v >>> 32;
        long v0 = v & 0xFFFFFFFFL;
        long u32 = s == 0 ? high : high << s | low >>> 64 - s;
        long u10 = low << s;
        long q1 = digit(u32, u10 >>> 32, v1, v0);
        long u21 = (u32 << 32 | u10 >>> 32) - q1 * v;
        return (q1 << 32) + digit(u21, u10 & 0xFFFFFFFFL, v1, v0);
    }

    private static long digit(long u, long next, long v1, long v0) {
        long q = Long.divideUnsigned(u, v1);
        long r = u - q * v1;
        while (q >>> 32 != 0 || Long.compareUnsigned(q * v0, r << 32 | next) > 0) {
            q--;
            r += v1;
            if (r >>> 32 != 0) {
                break;
            }
        }
        return q;
    }

    /** IDIV r/m16, r/m32, r/m64. */
    public static void idivv(Cpu c, Insn i) {
        int size = i.opSize;
        int shift = 64 - 8 * size;
        long b = c.getRm(i, size) << shift >> shift;
        if (b == 0) {
            throw divideError(c);
        }
        if (size == 8) {
            idiv64(c, b);
            return;
        }
        long a = size == 4
                ? c.r[Cpu.RDX] << 32 | c.r[Cpu.RAX] & 0xFFFFFFFFL
                : (int) ((c.r[Cpu.RDX] & 0xFFFF) << 16 | c.r[Cpu.RAX] & 0xFFFF);
        long q = a / b;
        if (a == Long.MIN_VALUE && b == -1) {
            throw divideError(c);
        }
        boolean old = !c.model.has(Feature.I186);
        if (old ? Math.abs(q) > 0x7FFF : q != q << shift >> shift) {
            throw divideError(c);
        }
        if (old && i.rep != 0) {
            pair(c, size, -q, a % b);
            return;
        }
        pair(c, size, q, a % b);
    }

    private static void idiv64(Cpu c, long b) {
        long high = c.r[Cpu.RDX];
        long low = c.r[Cpu.RAX];
        boolean negative = high < 0;
        long absHigh = high;
        long absLow = low;
        if (negative) {
            absLow = -low;
            absHigh = ~high + (absLow == 0 ? 1 : 0);
        }
        long absB = Math.abs(b);
        if (Long.compareUnsigned(absHigh, absB) >= 0) {
            throw divideError(c);
        }
        divide128(c, absHigh, absLow, absB);
        long q = c.r[Cpu.RAX];
        long r = c.r[Cpu.RDX];
        boolean minus = negative != b < 0;
        if (minus ? Long.compareUnsigned(q, Long.MIN_VALUE) > 0 : q < 0) {
            c.r[Cpu.RAX] = low;
            c.r[Cpu.RDX] = high;
            throw divideError(c);
        }
        c.r[Cpu.RAX] = minus ? -q : q;
        c.r[Cpu.RDX] = negative ? -r : r;
    }
}
