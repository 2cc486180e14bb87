package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Feature;

/**
 * Shifts and rotates: value methods (Intel SDM volume 2). Since the 186 the count is taken modulo 32 (64 with 64-bit
 * operands); the 8086 takes all eight bits.
 */
public final class Shift {
    private Shift() {}

    private static int count(Cpu c, int n) {
        return c.model.has(Feature.I186) ? n & 31 : n & 0xFF;
    }

    private static int mask(int bits) {
        return bits == 32 ? -1 : (1 << bits) - 1;
    }

    private static int shl(Cpu c, int a, int n, int size) {
        int count = count(c, n);
        if (count == 0) {
            return a;
        }
        int bits = 8 << size;
        if (count > 31) {
            // Only the 8086 comes here: everything has been shifted out, and the last bit was a 0.
            c.setLazy(Flags.LOGIC | size, 0, 0);
            return 0;
        }
        c.setLazy(Flags.SHL | size, a, count);
        return count >= bits ? 0 : a << count;
    }

    /** SHL. */
    public static int shl8(Cpu c, int a, int n) {
        return shl(c, a, n, 0);
    }

    /** SHL. */
    public static int shl16(Cpu c, int a, int n) {
        return shl(c, a, n, 1);
    }

    /** SHL. */
    public static int shl32(Cpu c, int a, int n) {
        return shl(c, a, n, 2);
    }

    /** SHL. */
    public static long shl64(Cpu c, long a, int n) {
        int count = n & 63;
        if (count == 0) {
            return a;
        }
        c.setLazy(Flags.SHL | 3, a, count);
        return a << count;
    }

    private static int shr(Cpu c, int a, int n, int size) {
        int count = count(c, n);
        if (count == 0) {
            return a;
        }
        if (count > 31) {
            c.setLazy(Flags.LOGIC | size, 0, 0);
            return 0;
        }
        int v = a & mask(8 << size);
        c.setLazy(Flags.SHR | size, v, count);
        return v >>> count;
    }

    /** SHR. */
    public static int shr8(Cpu c, int a, int n) {
        return shr(c, a, n, 0);
    }

    /** SHR. */
    public static int shr16(Cpu c, int a, int n) {
        return shr(c, a, n, 1);
    }

    /** SHR. */
    public static int shr32(Cpu c, int a, int n) {
        return shr(c, a, n, 2);
    }

    /** SHR. */
    public static long shr64(Cpu c, long a, int n) {
        int count = n & 63;
        if (count == 0) {
            return a;
        }
        c.setLazy(Flags.SHR | 3, a, count);
        return a >>> count;
    }

    private static int sar(Cpu c, int a, int n, int size) {
        int count = Math.min(count(c, n), 31);
        if (count == 0) {
            return a;
        }
        int shift = 32 - (8 << size);
        int v = a << shift >> shift;
        c.setLazy(Flags.SAR | size, v, count);
        return v >> count;
    }

    /** SAR. */
    public static int sar8(Cpu c, int a, int n) {
        return sar(c, a, n, 0);
    }

    /** SAR. */
    public static int sar16(Cpu c, int a, int n) {
        return sar(c, a, n, 1);
    }

    /** SAR. */
    public static int sar32(Cpu c, int a, int n) {
        return sar(c, a, n, 2);
    }

    /** SAR. */
    public static long sar64(Cpu c, long a, int n) {
        int count = n & 63;
        if (count == 0) {
            return a;
        }
        c.setLazy(Flags.SAR | 3, a, count);
        return a >> count;
    }

    // Rotates change CF and OF only. OF is defined for a count of 1; for others CPUs apply the same rule.

    private static void rotateFlags(Cpu c, boolean cf, boolean of) {
        c.setArith(c.arith() & ~(Flags.CF | Flags.OF) | (cf ? Flags.CF : 0) | (of ? Flags.OF : 0));
    }

    private static int rol(Cpu c, int a, int n, int size) {
        int count = count(c, n);
        if (count == 0) {
            return a;
        }
        int bits = 8 << size;
        int v = a & mask(bits);
        int k = count & bits - 1;
        int r = k == 0 ? v : (v << k | v >>> bits - k) & mask(bits);
        boolean cf = (r & 1) != 0;
        rotateFlags(c, cf, cf != (r >>> bits - 1 != 0));
        return r;
    }

    /** ROL. */
    public static int rol8(Cpu c, int a, int n) {
        return rol(c, a, n, 0);
    }

    /** ROL. */
    public static int rol16(Cpu c, int a, int n) {
        return rol(c, a, n, 1);
    }

    /** ROL. */
    public static int rol32(Cpu c, int a, int n) {
        return rol(c, a, n, 2);
    }

    /** ROL. */
    public static long rol64(Cpu c, long a, int n) {
        int count = n & 63;
        if (count == 0) {
            return a;
        }
        long r = Long.rotateLeft(a, count);
        boolean cf = (r & 1) != 0;
        rotateFlags(c, cf, cf != r < 0);
        return r;
    }

    private static int ror(Cpu c, int a, int n, int size) {
        int count = count(c, n);
        if (count == 0) {
            return a;
        }
        int bits = 8 << size;
        int v = a & mask(bits);
        int k = count & bits - 1;
        int r = k == 0 ? v : (v >>> k | v << bits - k) & mask(bits);
        rotateFlags(c, (r >>> bits - 1 & 1) != 0, ((r >>> bits - 1 ^ r >>> bits - 2) & 1) != 0);
        return r;
    }

    /** ROR. */
    public static int ror8(Cpu c, int a, int n) {
        return ror(c, a, n, 0);
    }

    /** ROR. */
    public static int ror16(Cpu c, int a, int n) {
        return ror(c, a, n, 1);
    }

    /** ROR. */
    public static int ror32(Cpu c, int a, int n) {
        return ror(c, a, n, 2);
    }

    /** ROR. */
    public static long ror64(Cpu c, long a, int n) {
        int count = n & 63;
        if (count == 0) {
            return a;
        }
        long r = Long.rotateRight(a, count);
        rotateFlags(c, r < 0, ((r >>> 63 ^ r >>> 62) & 1) != 0);
        return r;
    }

    private static int rcl(Cpu c, int a, int n, int size) {
        int count = count(c, n);
        int bits = 8 << size;
        if (count == 0) {
            return a;
        }
        long ring = (long) c.carry() << bits | a & mask(bits) & 0xFFFFFFFFL;
        int k = count % (bits + 1);
        long all = (1L << bits + 1) - 1;
        long r = k == 0 ? ring : (ring << k | ring >>> bits + 1 - k) & all;
        boolean cf = (r >>> bits & 1) != 0;
        rotateFlags(c, cf, cf != ((r >>> bits - 1 & 1) != 0));
        return (int) r;
    }

    /** RCL. */
    public static int rcl8(Cpu c, int a, int n) {
        return rcl(c, a, n, 0);
    }

    /** RCL. */
    public static int rcl16(Cpu c, int a, int n) {
        return rcl(c, a, n, 1);
    }

    /** RCL. */
    public static int rcl32(Cpu c, int a, int n) {
        return rcl(c, a, n, 2);
    }

    /** RCL. */
    public static long rcl64(Cpu c, long a, int n) {
        int count = n & 63;
        if (count == 0) {
            return a;
        }
        long cf = c.carry();
        long r = count == 1 ? a << 1 | cf : a << count | cf << count - 1 | a >>> 65 - count;
        boolean out = (a >>> 64 - count & 1) != 0;
        rotateFlags(c, out, out != r < 0);
        return r;
    }

    private static int rcr(Cpu c, int a, int n, int size) {
        int count = count(c, n);
        int bits = 8 << size;
        if (count == 0) {
            return a;
        }
        long ring = (long) c.carry() << bits | a & mask(bits) & 0xFFFFFFFFL;
        int k = count % (bits + 1);
        long all = (1L << bits + 1) - 1;
        long r = k == 0 ? ring : (ring >>> k | ring << bits + 1 - k) & all;
        rotateFlags(c, (r >>> bits & 1) != 0, ((r >>> bits - 1 ^ r >>> bits - 2) & 1) != 0);
        return (int) r;
    }

    /** RCR. */
    public static int rcr8(Cpu c, int a, int n) {
        return rcr(c, a, n, 0);
    }

    /** RCR. */
    public static int rcr16(Cpu c, int a, int n) {
        return rcr(c, a, n, 1);
    }

    /** RCR. */
    public static int rcr32(Cpu c, int a, int n) {
        return rcr(c, a, n, 2);
    }

    /** RCR. */
    public static long rcr64(Cpu c, long a, int n) {
        int count = n & 63;
        if (count == 0) {
            return a;
        }
        long cf = c.carry();
        long r = count == 1 ? a >>> 1 | cf << 63 : a >>> count | cf << 64 - count | a << 65 - count;
        rotateFlags(c, (a >>> count - 1 & 1) != 0, ((r >>> 63 ^ r >>> 62) & 1) != 0);
        return r;
    }

    private static void doubleFlags(Cpu c, boolean cf, long old, long result, int size) {
        int shift = 64 - (8 << size);
        long r = result << shift >> shift;
        c.setArith((cf ? Flags.CF : 0)
                | (r < 0 != old << shift < 0 ? Flags.OF : 0)
                | (r == 0 ? Flags.ZF : 0)
                | (r < 0 ? Flags.SF : 0)
                | (Flags.parity((int) r) ? Flags.PF : 0));
    }

    /** SHLD. A count above 16 is undefined; CPUs go on with the destination's bits. */
    public static int shld16(Cpu c, int a, int b, int n) {
        int count = n & 31;
        if (count == 0) {
            return a;
        }
        long all = (a & 0xFFFFL) << 32 | (b & 0xFFFFL) << 16 | a & 0xFFFFL;
        int r = (int) (all << count >>> 32) & 0xFFFF;
        doubleFlags(c, (all >>> 48 - count & 1) != 0, a, r, 1);
        return r;
    }

    /** SHLD. */
    public static int shld32(Cpu c, int a, int b, int n) {
        int count = n & 31;
        if (count == 0) {
            return a;
        }
        int r = a << count | b >>> 32 - count;
        doubleFlags(c, (a >>> 32 - count & 1) != 0, a, r, 2);
        return r;
    }

    /** SHLD. */
    public static long shld64(Cpu c, long a, long b, int n) {
        int count = n & 63;
        if (count == 0) {
            return a;
        }
        long r = a << count | b >>> 64 - count;
        doubleFlags(c, (a >>> 64 - count & 1) != 0, a, r, 3);
        return r;
    }

    /** SHRD. */
    public static int shrd16(Cpu c, int a, int b, int n) {
        int count = n & 31;
        if (count == 0) {
            return a;
        }
        long all = (a & 0xFFFFL) << 32 | (b & 0xFFFFL) << 16 | a & 0xFFFFL;
        int r = (int) (all >>> count) & 0xFFFF;
        doubleFlags(c, (all >>> count - 1 & 1) != 0, a, r, 1);
        return r;
    }

    /** SHRD. */
    public static int shrd32(Cpu c, int a, int b, int n) {
        int count = n & 31;
        if (count == 0) {
            return a;
        }
        int r = a >>> count | b << 32 - count;
        doubleFlags(c, (a >>> count - 1 & 1) != 0, a, r, 2);
        return r;
    }

    /** SHRD. */
    public static long shrd64(Cpu c, long a, long b, int n) {
        int count = n & 63;
        if (count == 0) {
            return a;
        }
        long r = a >>> count | b << 64 - count;
        doubleFlags(c, (a >>> count - 1 & 1) != 0, a, r, 3);
        return r;
    }
}
