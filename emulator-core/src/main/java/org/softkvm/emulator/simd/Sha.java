package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/** The SHA extensions (Intel SDM volume 2; FIPS 180-4). Words are numbered as doublewords of the register, lowest first. */
public final class Sha {
    private static final int[] SHA1_K = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};

    private Sha() {}

    private static int low(long a) {
        return (int) a;
    }

    private static int high(long a) {
        return (int) (a >>> 32);
    }

    private static long pair(int low, int high) {
        return low & 0xFFFFFFFFL | (long) high << 32;
    }

    // ---------------------------------------------------------------- SHA-1

    /** SHA1NEXTE. */
    public static void sha1nexte(Cpu c, Insn i) {
        Simd.source(c, i);
        int e = Integer.rotateLeft(high(c.v[4 * i.reg + 1]), 30);
        Shuffles.set(c, i.reg, c.t0, pair(low(c.t1), high(c.t1) + e));
    }

    /** SHA1MSG1. */
    public static void sha1msg1(Cpu c, Insn i) {
        Simd.source(c, i);
        long a0 = c.v[4 * i.reg];
        long a1 = c.v[4 * i.reg + 1];
        Shuffles.set(c, i.reg, a0 ^ c.t1, a1 ^ a0);
    }

    /** SHA1MSG2. */
    public static void sha1msg2(Cpu c, Insn i) {
        Simd.source(c, i);
        long a0 = c.v[4 * i.reg];
        long a1 = c.v[4 * i.reg + 1];
        int w16 = Integer.rotateLeft(high(a1) ^ low(c.t1), 1);
        int w17 = Integer.rotateLeft(low(a1) ^ high(c.t0), 1);
        int w18 = Integer.rotateLeft(high(a0) ^ low(c.t0), 1);
        int w19 = Integer.rotateLeft(low(a0) ^ w16, 1);
        Shuffles.set(c, i.reg, pair(w19, w18), pair(w17, w16));
    }

    private static int choose(int x, int y, int z) {
        return x & y | ~x & z;
    }

    private static int majority(int x, int y, int z) {
        return x & y | x & z | y & z;
    }

    private static int sha1(int function, int b, int x, int d) {
        return switch (function) {
            case 0 -> choose(b, x, d);
            case 2 -> majority(b, x, d);
            default -> b ^ x ^ d;
        };
    }

    /** SHA1RNDS4: the first of the four words has E added to it already. */
    public static void sha1rnds4(Cpu c, Insn i) {
        Simd.source(c, i);
        int function = (int) i.imm & 3;
        int k = SHA1_K[function];
        int a = high(c.v[4 * i.reg + 1]);
        int b = low(c.v[4 * i.reg + 1]);
        int x = high(c.v[4 * i.reg]);
        int d = low(c.v[4 * i.reg]);
        int e = 0;
        for (int n = 0; n < 4; n++) {
            long half = n < 2 ? c.t1 : c.t0;
            int w = (n & 1) == 0 ? high(half) : low(half);
            int next = sha1(function, b, x, d) + Integer.rotateLeft(a, 5) + w + e + k;
            e = d;
            d = x;
            x = Integer.rotateLeft(b, 30);
            b = a;
            a = next;
        }
        Shuffles.set(c, i.reg, pair(d, x), pair(b, a));
    }

    // ---------------------------------------------------------------- SHA-256

    private static int sigma0(int w) {
        return Integer.rotateRight(w, 7) ^ Integer.rotateRight(w, 18) ^ w >>> 3;
    }

    private static int sigma1(int w) {
        return Integer.rotateRight(w, 17) ^ Integer.rotateRight(w, 19) ^ w >>> 10;
    }

    /** SHA256MSG1. */
    public static void sha256msg1(Cpu c, Insn i) {
        Simd.source(c, i);
        long a0 = c.v[4 * i.reg];
        long a1 = c.v[4 * i.reg + 1];
        int w4 = low(c.t0);
        Shuffles.set(
                c,
                i.reg,
                pair(low(a0) + sigma0(high(a0)), high(a0) + sigma0(low(a1))),
                pair(low(a1) + sigma0(high(a1)), high(a1) + sigma0(w4)));
    }

    /** SHA256MSG2. */
    public static void sha256msg2(Cpu c, Insn i) {
        Simd.source(c, i);
        long a0 = c.v[4 * i.reg];
        long a1 = c.v[4 * i.reg + 1];
        int w16 = low(a0) + sigma1(low(c.t1));
        int w17 = high(a0) + sigma1(high(c.t1));
        int w18 = low(a1) + sigma1(w16);
        int w19 = high(a1) + sigma1(w17);
        Shuffles.set(c, i.reg, pair(w16, w17), pair(w18, w19));
    }

    /** SHA256RNDS2: the two words with their constants are in XMM0. */
    public static void sha256rnds2(Cpu c, Insn i) {
        Simd.source(c, i);
        int a = high(c.t1);
        int b = low(c.t1);
        int x = high(c.v[4 * i.reg + 1]);
        int d = low(c.v[4 * i.reg + 1]);
        int e = high(c.t0);
        int f = low(c.t0);
        int g = high(c.v[4 * i.reg]);
        int h = low(c.v[4 * i.reg]);
        for (int n = 0; n < 2; n++) {
            int wk = n == 0 ? low(c.v[0]) : high(c.v[0]);
            int t1 = h
                    + choose(e, f, g)
                    + (Integer.rotateRight(e, 6) ^ Integer.rotateRight(e, 11) ^ Integer.rotateRight(e, 25))
                    + wk;
            int t2 = majority(a, b, x)
                    + (Integer.rotateRight(a, 2) ^ Integer.rotateRight(a, 13) ^ Integer.rotateRight(a, 22));
            h = g;
            g = f;
            f = e;
            e = d + t1;
            d = x;
            x = b;
            b = a;
            a = t1 + t2;
        }
        Shuffles.set(c, i.reg, pair(f, e), pair(b, a));
    }
}
