package org.softkvm.emulator.simd;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/**
 * AES-NI (Intel SDM volume 2; FIPS 197). The state's column n is doubleword n of the register, row r its byte r. A round
 * is looked up: a table gives what a byte of row 0 becomes in a whole column after SubBytes and MixColumns, and for row r
 * that is rotated by r bytes.
 */
public final class Aes {
    private static final int[] SBOX = new int[256];
    private static final int[] INVERSE_SBOX = new int[256];
    /** MixColumns of SubBytes. */
    private static final int[] ENCRYPT = new int[256];
    /** InvMixColumns of InvSubBytes. */
    private static final int[] DECRYPT = new int[256];

    static {
        // Powers of 3 and of its inverse run through all of the field but 0.
        int p = 1;
        int q = 1;
        do {
            p = p ^ p << 1 & 0xFF ^ (p & 0x80) / 0x80 * 0x1B;
            q ^= q << 1;
            q ^= q << 2;
            q ^= q << 4;
            q &= 0xFF;
            if ((q & 0x80) != 0) {
                q ^= 9;
            }
            int s = q ^ rotate(q, 1) ^ rotate(q, 2) ^ rotate(q, 3) ^ rotate(q, 4) ^ 0x63;
            SBOX[p] = s;
        } while (p != 1);
        SBOX[0] = 0x63;
        for (int k = 0; k < 256; k++) {
            INVERSE_SBOX[SBOX[k]] = k;
        }
        for (int k = 0; k < 256; k++) {
            int s = SBOX[k];
            ENCRYPT[k] = multiply(s, 2) | s << 8 | s << 16 | multiply(s, 3) << 24;
            DECRYPT[k] = inverseColumn(INVERSE_SBOX[k]);
        }
    }

    private Aes() {}

    private static int rotate(int a, int n) {
        return (a << n | a >>> 8 - n) & 0xFF;
    }

    /** A product in the field of 256 elements. */
    private static int multiply(int a, int b) {
        int r = 0;
        int x = a;
        for (int k = b; k != 0; k >>= 1) {
            if ((k & 1) != 0) {
                r ^= x;
            }
            x = x << 1 ^ ((x & 0x80) != 0 ? 0x11B : 0);
        }
        return r;
    }

    /** What InvMixColumns makes of a byte of row 0. */
    private static int inverseColumn(int s) {
        return multiply(s, 14) | multiply(s, 9) << 8 | multiply(s, 13) << 16 | multiply(s, 11) << 24;
    }

    private static int column(long low, long high, int n) {
        long half = (n & 2) != 0 ? high : low;
        return (int) ((n & 1) != 0 ? half >>> 32 : half);
    }

    private static int part(int[] table, int column, int row) {
        return Integer.rotateLeft(table[column >>> 8 * row & 0xFF], 8 * row);
    }

    /** A round of the table's kind; row r of column n comes from column n + r (step 1) or n - r (step 3). */
    private static int round(int[] table, long low, long high, int n, int step) {
        return part(table, column(low, high, n), 0)
                ^ part(table, column(low, high, n + step), 1)
                ^ part(table, column(low, high, n + 2), 2)
                ^ part(table, column(low, high, n + 3 * step), 3);
    }

    private static long pair(int low, int high) {
        return low & 0xFFFFFFFFL | (long) high << 32;
    }

    private static void rounds(Cpu c, Insn i, int[] table, int step) {
        Simd.source(c, i);
        long low = c.v[4 * i.reg];
        long high = c.v[4 * i.reg + 1];
        long a = pair(round(table, low, high, 0, step), round(table, low, high, 1, step));
        long b = pair(round(table, low, high, 2, step), round(table, low, high, 3, step));
        Shuffles.set(c, i.reg, a ^ c.t0, b ^ c.t1);
    }

    /** AESENC. */
    public static void aesenc(Cpu c, Insn i) {
        rounds(c, i, ENCRYPT, 1);
    }

    /** AESENCLAST: the table without MixColumns. */
    public static void aesenclast(Cpu c, Insn i) {
        rounds(c, i, SBOX, 1);
    }

    /** AESDEC. */
    public static void aesdec(Cpu c, Insn i) {
        rounds(c, i, DECRYPT, 3);
    }

    /** AESDECLAST. */
    public static void aesdeclast(Cpu c, Insn i) {
        rounds(c, i, INVERSE_SBOX, 3);
    }

    private static int inverseMix(int column) {
        // DECRYPT undoes SubBytes first.
        return part(DECRYPT, subWord(column), 0)
                ^ part(DECRYPT, subWord(column), 1)
                ^ part(DECRYPT, subWord(column), 2)
                ^ part(DECRYPT, subWord(column), 3);
    }

    /** AESIMC. */
    public static void aesimc(Cpu c, Insn i) {
        Simd.source(c, i);
        long low = pair(inverseMix(column(c.t0, c.t1, 0)), inverseMix(column(c.t0, c.t1, 1)));
        long high = pair(inverseMix(column(c.t0, c.t1, 2)), inverseMix(column(c.t0, c.t1, 3)));
        Shuffles.set(c, i.reg, low, high);
    }

    private static int subWord(int w) {
        return SBOX[w & 0xFF] | SBOX[w >>> 8 & 0xFF] << 8 | SBOX[w >>> 16 & 0xFF] << 16 | SBOX[w >>> 24] << 24;
    }

    private static long assist(int w, int rcon) {
        int s = subWord(w);
        return pair(s, Integer.rotateRight(s, 8) ^ rcon);
    }

    /** AESKEYGENASSIST. */
    public static void aeskeygenassist(Cpu c, Insn i) {
        Simd.source(c, i);
        int rcon = (int) i.imm & 0xFF;
        long low = assist((int) (c.t0 >>> 32), rcon);
        long high = assist((int) (c.t1 >>> 32), rcon);
        Shuffles.set(c, i.reg, low, high);
    }
}
