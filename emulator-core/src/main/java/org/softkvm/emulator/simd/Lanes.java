package org.softkvm.emulator.simd;

/**
 * Pure functions of 64-bit lanes for packed integer and logical instructions: the same serve MMX and SSE. Names are the
 * mnemonics. Sums, compares, minimums and averages are done on all elements at once with the top bits kept apart; the
 * rest element by element, in loops of constant length that the JIT compiler unrolls.
 */
public final class Lanes {
    private static final long TOP8 = 0x8080808080808080L;
    private static final long TOP16 = 0x8000800080008000L;
    private static final long TOP32 = 0x8000000080000000L;

    private Lanes() {}

    // Each element becomes all ones or zeros, as its top bit says.

    private static long fillB(long a) {
        return ((a & TOP8) >>> 7) * 0xFF;
    }

    private static long fillW(long a) {
        return ((a & TOP16) >>> 15) * 0xFFFF;
    }

    private static long fillD(long a) {
        return ((a & TOP32) >>> 31) * 0xFFFFFFFFL;
    }

    /** Ones where an unsigned byte of a is less than that of b: where their difference borrows. */
    private static long belowB(long a, long b) {
        return fillB(~a & b | (~a | b) & psubb(a, b));
    }

    /** PAND, ANDPS, ANDPD. */
    public static long pand(long a, long b) {
        return a & b;
    }

    /** PANDN, ANDNPS, ANDNPD. */
    public static long pandn(long a, long b) {
        return ~a & b;
    }

    /** POR, ORPS, ORPD. */
    public static long por(long a, long b) {
        return a | b;
    }

    /** PXOR, XORPS, XORPD. */
    public static long pxor(long a, long b) {
        return a ^ b;
    }

    /** PADDB. */
    public static long paddb(long a, long b) {
        return (a & ~TOP8) + (b & ~TOP8) ^ (a ^ b) & TOP8;
    }

    /** PSUBB. */
    public static long psubb(long a, long b) {
        return (a | TOP8) - (b & ~TOP8) ^ (a ^ ~b) & TOP8;
    }

    /** PADDW. */
    public static long paddw(long a, long b) {
        return (a & ~TOP16) + (b & ~TOP16) ^ (a ^ b) & TOP16;
    }

    /** PSUBW. */
    public static long psubw(long a, long b) {
        return (a | TOP16) - (b & ~TOP16) ^ (a ^ ~b) & TOP16;
    }

    /** PADDD. */
    public static long paddd(long a, long b) {
        return (a & ~TOP32) + (b & ~TOP32) ^ (a ^ b) & TOP32;
    }

    /** PSUBD. */
    public static long psubd(long a, long b) {
        return (a | TOP32) - (b & ~TOP32) ^ (a ^ ~b) & TOP32;
    }

    /** PADDQ. */
    public static long paddq(long a, long b) {
        return a + b;
    }

    /** PSUBQ. */
    public static long psubq(long a, long b) {
        return a - b;
    }

    /** PCMPEQB. */
    public static long pcmpeqb(long a, long b) {
        long x = a ^ b;
        return fillB(~((x & ~TOP8) + ~TOP8 | x));
    }

    /** PCMPGTB. */
    public static long pcmpgtb(long a, long b) {
        return fillB(b & ~a | ~(a ^ b) & psubb(b, a));
    }

    /** PCMPEQW. */
    public static long pcmpeqw(long a, long b) {
        long x = a ^ b;
        return fillW(~((x & ~TOP16) + ~TOP16 | x));
    }

    /** PCMPGTW. */
    public static long pcmpgtw(long a, long b) {
        return fillW(b & ~a | ~(a ^ b) & psubw(b, a));
    }

    /** PCMPEQD. */
    public static long pcmpeqd(long a, long b) {
        long x = a ^ b;
        return fillD(~((x & ~TOP32) + ~TOP32 | x));
    }

    /** PCMPGTD. */
    public static long pcmpgtd(long a, long b) {
        return fillD(b & ~a | ~(a ^ b) & psubd(b, a));
    }

    /** PADDSB. */
    public static long paddsb(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 8) {
            int x = (byte) (a >>> k);
            int y = (byte) (b >>> k);
            r |= ((long) Math.clamp(x + y, -128, 127) & 0xFFL) << k;
        }
        return r;
    }

    /** PADDSW. */
    public static long paddsw(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            int x = (short) (a >>> k);
            int y = (short) (b >>> k);
            r |= ((long) Math.clamp(x + y, -32768, 32767) & 0xFFFFL) << k;
        }
        return r;
    }

    /** PADDUSB. */
    public static long paddusb(long a, long b) {
        long sum = paddb(a, b);
        return sum | fillB(a & b | (a | b) & ~sum);
    }

    /** PADDUSW. */
    public static long paddusw(long a, long b) {
        long sum = paddw(a, b);
        return sum | fillW(a & b | (a | b) & ~sum);
    }

    /** PSUBSB. */
    public static long psubsb(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 8) {
            int x = (byte) (a >>> k);
            int y = (byte) (b >>> k);
            r |= ((long) Math.clamp(x - y, -128, 127) & 0xFFL) << k;
        }
        return r;
    }

    /** PSUBSW. */
    public static long psubsw(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            int x = (short) (a >>> k);
            int y = (short) (b >>> k);
            r |= ((long) Math.clamp(x - y, -32768, 32767) & 0xFFFFL) << k;
        }
        return r;
    }

    /** PSUBUSB. */
    public static long psubusb(long a, long b) {
        return psubb(a, b) & ~belowB(a, b);
    }

    /** PSUBUSW. */
    public static long psubusw(long a, long b) {
        return psubw(a, b) & ~fillW(~a & b | (~a | b) & psubw(a, b));
    }

    /** PMINUB. */
    public static long pminub(long a, long b) {
        long m = belowB(b, a);
        return b & m | a & ~m;
    }

    /** PMAXUB. */
    public static long pmaxub(long a, long b) {
        long m = belowB(a, b);
        return b & m | a & ~m;
    }

    /** PMINSW. */
    public static long pminsw(long a, long b) {
        long m = pcmpgtw(a, b);
        return b & m | a & ~m;
    }

    /** PMAXSW. */
    public static long pmaxsw(long a, long b) {
        long m = pcmpgtw(b, a);
        return b & m | a & ~m;
    }

    /** PMINSB. */
    public static long pminsb(long a, long b) {
        long m = pcmpgtb(a, b);
        return b & m | a & ~m;
    }

    /** PMAXSB. */
    public static long pmaxsb(long a, long b) {
        long m = pcmpgtb(b, a);
        return b & m | a & ~m;
    }

    /** PMINUW. */
    public static long pminuw(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            int x = (int) (a >>> k) & 0xFFFF;
            int y = (int) (b >>> k) & 0xFFFF;
            r |= ((long) Math.min(x, y) & 0xFFFFL) << k;
        }
        return r;
    }

    /** PMAXUW. */
    public static long pmaxuw(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            int x = (int) (a >>> k) & 0xFFFF;
            int y = (int) (b >>> k) & 0xFFFF;
            r |= ((long) Math.max(x, y) & 0xFFFFL) << k;
        }
        return r;
    }

    /** PMINSD. */
    public static long pminsd(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 32) {
            long x = (int) (a >>> k);
            long y = (int) (b >>> k);
            r |= (Math.min(x, y) & 0xFFFFFFFFL) << k;
        }
        return r;
    }

    /** PMAXSD. */
    public static long pmaxsd(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 32) {
            long x = (int) (a >>> k);
            long y = (int) (b >>> k);
            r |= (Math.max(x, y) & 0xFFFFFFFFL) << k;
        }
        return r;
    }

    /** PMINUD. */
    public static long pminud(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 32) {
            long x = (a >>> k & 0xFFFFFFFFL);
            long y = (b >>> k & 0xFFFFFFFFL);
            r |= (Math.min(x, y) & 0xFFFFFFFFL) << k;
        }
        return r;
    }

    /** PMAXUD. */
    public static long pmaxud(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 32) {
            long x = (a >>> k & 0xFFFFFFFFL);
            long y = (b >>> k & 0xFFFFFFFFL);
            r |= (Math.max(x, y) & 0xFFFFFFFFL) << k;
        }
        return r;
    }

    /** PAVGB. */
    public static long pavgb(long a, long b) {
        return (a | b) - ((a ^ b) >>> 1 & ~TOP8);
    }

    /** PAVGW. */
    public static long pavgw(long a, long b) {
        return (a | b) - ((a ^ b) >>> 1 & ~TOP16);
    }

    /** PMULLW. */
    public static long pmullw(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            int x = (short) (a >>> k);
            int y = (short) (b >>> k);
            r |= ((long) (x * y) & 0xFFFFL) << k;
        }
        return r;
    }

    /** PMULHW. */
    public static long pmulhw(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            int x = (short) (a >>> k);
            int y = (short) (b >>> k);
            r |= ((long) (x * y >> 16) & 0xFFFFL) << k;
        }
        return r;
    }

    /** PMULHUW. */
    public static long pmulhuw(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            int x = (int) (a >>> k) & 0xFFFF;
            int y = (int) (b >>> k) & 0xFFFF;
            r |= ((long) (x * y >>> 16) & 0xFFFFL) << k;
        }
        return r;
    }

    /** PMULHRSW. */
    public static long pmulhrsw(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            int x = (short) (a >>> k);
            int y = (short) (b >>> k);
            r |= ((long) ((x * y >> 14) + 1 >> 1) & 0xFFFFL) << k;
        }
        return r;
    }

    /** PMULLD. */
    public static long pmulld(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 32) {
            long x = (int) (a >>> k);
            long y = (int) (b >>> k);
            r |= (x * y & 0xFFFFFFFFL) << k;
        }
        return r;
    }

    /** PSIGNB. */
    public static long psignb(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 8) {
            int x = (byte) (a >>> k);
            int y = (byte) (b >>> k);
            r |= ((y == 0 ? 0L : y < 0 ? -(long) x : x) & 0xFFL) << k;
        }
        return r;
    }

    /** PABSB, of the source. */
    public static long pabsb(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 8) {
            int y = (byte) (b >>> k);
            r |= (Math.abs((long) y) & 0xFFL) << k;
        }
        return r;
    }

    /** PSIGNW. */
    public static long psignw(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            int x = (short) (a >>> k);
            int y = (short) (b >>> k);
            r |= ((y == 0 ? 0L : y < 0 ? -(long) x : x) & 0xFFFFL) << k;
        }
        return r;
    }

    /** PABSW, of the source. */
    public static long pabsw(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            int y = (short) (b >>> k);
            r |= (Math.abs((long) y) & 0xFFFFL) << k;
        }
        return r;
    }

    /** PSIGND. */
    public static long psignd(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 32) {
            long x = (int) (a >>> k);
            long y = (int) (b >>> k);
            r |= ((y == 0 ? 0L : y < 0 ? -x : x) & 0xFFFFFFFFL) << k;
        }
        return r;
    }

    /** PABSD, of the source. */
    public static long pabsd(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 32) {
            long y = (int) (b >>> k);
            r |= (Math.abs(y) & 0xFFFFFFFFL) << k;
        }
        return r;
    }

    /** PMULUDQ. */
    public static long pmuludq(long a, long b) {
        return (a & 0xFFFFFFFFL) * (b & 0xFFFFFFFFL);
    }

    /** PMULDQ. */
    public static long pmuldq(long a, long b) {
        return (long) (int) a * (int) b;
    }

    /** PMADDWD. */
    public static long pmaddwd(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 32) {
            int sum = (short) (a >>> k) * (short) (b >>> k) + (short) (a >>> k + 16) * (short) (b >>> k + 16);
            r |= (sum & 0xFFFFFFFFL) << k;
        }
        return r;
    }

    /** PMADDUBSW. */
    public static long pmaddubsw(long a, long b) {
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            int sum = ((int) (a >>> k) & 0xFF) * (byte) (b >>> k) + ((int) (a >>> k + 8) & 0xFF) * (byte) (b >>> k + 8);
            r |= (Math.clamp(sum, -32768, 32767) & 0xFFFFL) << k;
        }
        return r;
    }

    /** PSADBW. */
    public static long psadbw(long a, long b) {
        int sum = 0;
        for (int k = 0; k < 64; k += 8) {
            sum += Math.abs(((int) (a >>> k) & 0xFF) - ((int) (b >>> k) & 0xFF));
        }
        return sum;
    }

    /** PCMPEQQ. */
    public static long pcmpeqq(long a, long b) {
        return a == b ? -1 : 0;
    }

    /** PCMPGTQ. */
    public static long pcmpgtq(long a, long b) {
        return a > b ? -1 : 0;
    }

    // Shifts of each element by a count of its own.

    /** VPSLLVD. */
    public static long psllvd(long a, long n) {
        return pslld(a & 0xFFFFFFFFL, n & 0xFFFFFFFFL) | pslld(a & ~0xFFFFFFFFL, n >>> 32);
    }

    /** VPSRLVD. */
    public static long psrlvd(long a, long n) {
        return psrld(a & 0xFFFFFFFFL, n & 0xFFFFFFFFL) | psrld(a & ~0xFFFFFFFFL, n >>> 32);
    }

    /** VPSRAVD. */
    public static long psravd(long a, long n) {
        return psrad(a & 0xFFFFFFFFL, n & 0xFFFFFFFFL) | psrad(a & ~0xFFFFFFFFL, n >>> 32);
    }

    // Shifts of a lane by a count that is the same for all.

    /** PSLLW. */
    public static long psllw(long a, long n) {
        return n < 0 || n > 15 ? 0 : a << n & 0x0001000100010001L * (0xFFFFL << n & 0xFFFF);
    }

    /** PSRLW. */
    public static long psrlw(long a, long n) {
        return n < 0 || n > 15 ? 0 : a >>> n & 0x0001000100010001L * (0xFFFFL >> n);
    }

    /** PSRAW. */
    public static long psraw(long a, long n) {
        int s = n < 0 || n > 15 ? 15 : (int) n;
        long r = 0;
        for (int k = 0; k < 64; k += 16) {
            r |= ((short) (a >>> k) >> s & 0xFFFFL) << k;
        }
        return r;
    }

    /** PSLLD. */
    public static long pslld(long a, long n) {
        return n < 0 || n > 31 ? 0 : a << n & 0x0000000100000001L * (0xFFFFFFFFL << n & 0xFFFFFFFFL);
    }

    /** PSRLD. */
    public static long psrld(long a, long n) {
        return n < 0 || n > 31 ? 0 : a >>> n & 0x0000000100000001L * (0xFFFFFFFFL >> n);
    }

    /** PSRAD. */
    public static long psrad(long a, long n) {
        int s = n < 0 || n > 31 ? 31 : (int) n;
        return ((int) (a >>> 32) >> s) * (1L << 32) | (int) a >> s & 0xFFFFFFFFL;
    }

    /** PSLLQ. */
    public static long psllq(long a, long n) {
        return n < 0 || n > 63 ? 0 : a << n;
    }

    /** PSRLQ. */
    public static long psrlq(long a, long n) {
        return n < 0 || n > 63 ? 0 : a >>> n;
    }
}
