package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;

/** Integer arithmetic and logic: value methods (Intel SDM volume 2). Sizes below 64 bits use int. */
public final class Alu {
    private Alu() {}

    /** ADD. */
    public static int add(int a, int b) {
        return a + b;
    }

    /** ADD. */
    public static long add(long a, long b) {
        return a + b;
    }

    /** SUB. */
    public static int sub(int a, int b) {
        return a - b;
    }

    /** SUB. */
    public static long sub(long a, long b) {
        return a - b;
    }

    /** AND, TEST. */
    public static int and(int a, int b) {
        return a & b;
    }

    /** AND, TEST. */
    public static long and(long a, long b) {
        return a & b;
    }

    /** OR. */
    public static int or(int a, int b) {
        return a | b;
    }

    /** OR. */
    public static long or(long a, long b) {
        return a | b;
    }

    /** XOR. */
    public static int xor(int a, int b) {
        return a ^ b;
    }

    /** XOR. */
    public static long xor(long a, long b) {
        return a ^ b;
    }

    /** NOT. */
    public static int not(int a) {
        return ~a;
    }

    /** NOT. */
    public static long not(long a) {
        return ~a;
    }

    private static int adc(Cpu c, int a, int b, int size) {
        int cf = c.carry();
        c.setLazy((cf != 0 ? Flags.ADC : Flags.ADD) | size, a, b);
        return a + b + cf;
    }

    /** ADC. */
    public static int adc8(Cpu c, int a, int b) {
        return adc(c, a, b, 0);
    }

    /** ADC. */
    public static int adc16(Cpu c, int a, int b) {
        return adc(c, a, b, 1);
    }

    /** ADC. */
    public static int adc32(Cpu c, int a, int b) {
        return adc(c, a, b, 2);
    }

    /** ADC. */
    public static long adc64(Cpu c, long a, long b) {
        int cf = c.carry();
        c.setLazy((cf != 0 ? Flags.ADC : Flags.ADD) | 3, a, b);
        return a + b + cf;
    }

    private static int sbb(Cpu c, int a, int b, int size) {
        int cf = c.carry();
        c.setLazy((cf != 0 ? Flags.SBB : Flags.SUB) | size, a, b);
        return a - b - cf;
    }

    /** SBB. */
    public static int sbb8(Cpu c, int a, int b) {
        return sbb(c, a, b, 0);
    }

    /** SBB. */
    public static int sbb16(Cpu c, int a, int b) {
        return sbb(c, a, b, 1);
    }

    /** SBB. */
    public static int sbb32(Cpu c, int a, int b) {
        return sbb(c, a, b, 2);
    }

    /** SBB. */
    public static long sbb64(Cpu c, long a, long b) {
        int cf = c.carry();
        c.setLazy((cf != 0 ? Flags.SBB : Flags.SUB) | 3, a, b);
        return a - b - cf;
    }

    private static int inc(Cpu c, int a, int size) {
        c.setLazy(Flags.INC | size, a + 1, c.carry());
        return a + 1;
    }

    /** INC. */
    public static int inc8(Cpu c, int a) {
        return inc(c, a, 0);
    }

    /** INC. */
    public static int inc16(Cpu c, int a) {
        return inc(c, a, 1);
    }

    /** INC. */
    public static int inc32(Cpu c, int a) {
        return inc(c, a, 2);
    }

    /** INC. */
    public static long inc64(Cpu c, long a) {
        c.setLazy(Flags.INC | 3, a + 1, c.carry());
        return a + 1;
    }

    private static int dec(Cpu c, int a, int size) {
        c.setLazy(Flags.DEC | size, a - 1, c.carry());
        return a - 1;
    }

    /** DEC. */
    public static int dec8(Cpu c, int a) {
        return dec(c, a, 0);
    }

    /** DEC. */
    public static int dec16(Cpu c, int a) {
        return dec(c, a, 1);
    }

    /** DEC. */
    public static int dec32(Cpu c, int a) {
        return dec(c, a, 2);
    }

    /** DEC. */
    public static long dec64(Cpu c, long a) {
        c.setLazy(Flags.DEC | 3, a - 1, c.carry());
        return a - 1;
    }

    /** NEG. */
    public static int neg8(Cpu c, int a) {
        c.setLazy(Flags.SUB, 0, a);
        return -a;
    }

    /** NEG. */
    public static int neg16(Cpu c, int a) {
        c.setLazy(Flags.SUB | 1, 0, a);
        return -a;
    }

    /** NEG. */
    public static int neg32(Cpu c, int a) {
        c.setLazy(Flags.SUB | 2, 0, a);
        return -a;
    }

    /** NEG. */
    public static long neg64(Cpu c, long a) {
        c.setLazy(Flags.SUB | 3, 0, a);
        return -a;
    }

    /** MOVZX from a byte or word (already zero-extended). */
    public static int zeroExtend(int a) {
        return a;
    }

    /** MOVZX to 64 bits. */
    public static long zeroExtend64(int a) {
        return a & 0xFFFFFFFFL;
    }

    /** MOVSX from a byte. */
    public static int signByte(int a) {
        return (byte) a;
    }

    /** MOVSX from a byte to 64 bits. */
    public static long signByte64(int a) {
        return (byte) a;
    }

    /** MOVSX from a word. */
    public static int signWord(int a) {
        return (short) a;
    }

    /** MOVSX from a word to 64 bits. */
    public static long signWord64(int a) {
        return (short) a;
    }

    /** MOVSXD without REX.W. */
    public static int signDword(int a) {
        return a;
    }

    /** MOVSXD. */
    public static long signDword64(int a) {
        return a;
    }

    /** BSWAP. The result of a 16-bit one is undefined; CPUs give 0. */
    public static int bswap16(int a) {
        return 0;
    }

    /** BSWAP. */
    public static int bswap32(int a) {
        return Integer.reverseBytes(a);
    }

    /** BSWAP. */
    public static long bswap64(long a) {
        return Long.reverseBytes(a);
    }

    // ---------------------------------------------------------------- two- and three-operand IMUL

    private static void mulFlags(Cpu c, boolean overflow, long result, int size) {
        // SF, ZF, AF and PF are undefined; real CPUs leave SF, ZF and PF of the result.
        int shift = 64 - (8 << size);
        long r = result << shift >> shift;
        c.setArith(
                (overflow ? Flags.CF | Flags.OF : 0) | (r < 0 ? Flags.SF : 0) | (Flags.parity((int) r) ? Flags.PF : 0));
    }

    /** IMUL r16. */
    public static int imul16(Cpu c, int a, int b) {
        int r = (short) a * (short) b;
        mulFlags(c, r != (short) r, r, 1);
        return r;
    }

    /** IMUL r32. */
    public static int imul32(Cpu c, int a, int b) {
        long r = (long) a * b;
        mulFlags(c, r != (int) r, r, 2);
        return (int) r;
    }

    /** IMUL r64. */
    public static long imul64(Cpu c, long a, long b) {
        long low = a * b;
        mulFlags(c, Math.multiplyHigh(a, b) != low >> 63, low, 3);
        return low;
    }

    // ---------------------------------------------------------------- bit tests and scans

    private static void bit(Cpu c, boolean set) {
        c.setArith(c.arith() & ~Flags.CF | (set ? Flags.CF : 0));
    }

    /** BT with a register destination or an immediate offset. */
    public static void bt16(Cpu c, int a, int n) {
        bit(c, (a >>> (n & 15) & 1) != 0);
    }

    /** BT. */
    public static void bt32(Cpu c, int a, int n) {
        bit(c, (a >>> n & 1) != 0);
    }

    /** BT. */
    public static void bt64(Cpu c, long a, long n) {
        bit(c, (a >>> n & 1) != 0);
    }

    /** BT by immediate. */
    public static void bt64(Cpu c, long a, int n) {
        bit(c, (a >>> n & 1) != 0);
    }

    /** BTS. */
    public static int bts16(Cpu c, int a, int n) {
        bt16(c, a, n);
        return a | 1 << (n & 15);
    }

    /** BTS. */
    public static int bts32(Cpu c, int a, int n) {
        bt32(c, a, n);
        return a | 1 << n;
    }

    /** BTS. */
    public static long bts64(Cpu c, long a, long n) {
        bt64(c, a, n);
        return a | 1L << n;
    }

    /** BTS by immediate. */
    public static long bts64(Cpu c, long a, int n) {
        bt64(c, a, n);
        return a | 1L << n;
    }

    /** BTR. */
    public static int btr16(Cpu c, int a, int n) {
        bt16(c, a, n);
        return a & ~(1 << (n & 15));
    }

    /** BTR. */
    public static int btr32(Cpu c, int a, int n) {
        bt32(c, a, n);
        return a & ~(1 << n);
    }

    /** BTR. */
    public static long btr64(Cpu c, long a, long n) {
        bt64(c, a, n);
        return a & ~(1L << n);
    }

    /** BTR by immediate. */
    public static long btr64(Cpu c, long a, int n) {
        bt64(c, a, n);
        return a & ~(1L << n);
    }

    /** BTC. */
    public static int btc16(Cpu c, int a, int n) {
        bt16(c, a, n);
        return a ^ 1 << (n & 15);
    }

    /** BTC. */
    public static int btc32(Cpu c, int a, int n) {
        bt32(c, a, n);
        return a ^ 1 << n;
    }

    /** BTC. */
    public static long btc64(Cpu c, long a, long n) {
        bt64(c, a, n);
        return a ^ 1L << n;
    }

    /** BTC by immediate. */
    public static long btc64(Cpu c, long a, int n) {
        bt64(c, a, n);
        return a ^ 1L << n;
    }

    private static void scan(Cpu c, boolean zero) {
        // Only ZF is defined; recent CPUs clear the others.
        c.setArith(zero ? Flags.ZF | Flags.PF : 0);
    }

    /** BSF; the destination keeps its value where the source is 0. */
    public static int bsf(Cpu c, int old, int a) {
        scan(c, a == 0);
        return a == 0 ? old : Integer.numberOfTrailingZeros(a);
    }

    /** BSF. */
    public static long bsf(Cpu c, long old, long a) {
        scan(c, a == 0);
        return a == 0 ? old : Long.numberOfTrailingZeros(a);
    }

    /** BSR. */
    public static int bsr(Cpu c, int old, int a) {
        scan(c, a == 0);
        return a == 0 ? old : 31 - Integer.numberOfLeadingZeros(a);
    }

    /** BSR. */
    public static long bsr(Cpu c, long old, long a) {
        scan(c, a == 0);
        return a == 0 ? old : 63 - Long.numberOfLeadingZeros(a);
    }

    /** POPCNT. */
    public static int popcnt(Cpu c, int a) {
        c.setArith(a == 0 ? Flags.ZF : 0);
        return Integer.bitCount(a);
    }

    /** POPCNT. */
    public static long popcnt(Cpu c, long a) {
        c.setArith(a == 0 ? Flags.ZF : 0);
        return Long.bitCount(a);
    }

    // ---------------------------------------------------------------- CRC32

    private static final int[] CRC = new int[256];

    static {
        for (int k = 0; k < 256; k++) {
            int v = k;
            for (int bit = 0; bit < 8; bit++) {
                v = v >>> 1 ^ (v & 1) * 0x82F63B78;
            }
            CRC[k] = v;
        }
    }

    private static int crc(int crc, long data, int bytes) {
        int v = crc;
        for (int k = 0; k < bytes; k++) {
            v = v >>> 8 ^ CRC[(v ^ (int) (data >>> 8 * k)) & 0xFF];
        }
        return v;
    }

    /** CRC32 of a byte. */
    public static int crcByte(int crc, int data) {
        return crc(crc, data, 1);
    }

    /** CRC32 of a byte, 64-bit destination. */
    public static long crcByte64(long crc, int data) {
        return crc((int) crc, data, 1) & 0xFFFFFFFFL;
    }
}
