package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;

/** MOVBE, ADX, LZCNT, BMI1 and BMI2 (Intel SDM volume 2). Flags that the manual leaves undefined are cleared. */
public final class Bits {
    private Bits() {}

    // ---------------------------------------------------------------- MOVBE

    /** MOVBE of 16 bits. */
    public static int movbe16(int a) {
        return Short.reverseBytes((short) a) & 0xFFFF;
    }

    /** MOVBE of 32 bits. */
    public static int movbe(int a) {
        return Integer.reverseBytes(a);
    }

    /** MOVBE of 64 bits. */
    public static long movbe(long a) {
        return Long.reverseBytes(a);
    }

    // ---------------------------------------------------------------- ADX

    private static int add(Cpu c, int flag, int a, int b) {
        int flags = c.arith();
        long sum = (a & 0xFFFFFFFFL) + (b & 0xFFFFFFFFL) + ((flags & flag) != 0 ? 1 : 0);
        c.setArith(sum >>> 32 != 0 ? flags | flag : flags & ~flag);
        return (int) sum;
    }

    private static long add(Cpu c, int flag, long a, long b) {
        int flags = c.arith();
        long sum = a + b + ((flags & flag) != 0 ? 1 : 0);
        boolean carry = ((a & b) | (a | b) & ~sum) < 0;
        c.setArith(carry ? flags | flag : flags & ~flag);
        return sum;
    }

    /** ADCX: no flag but CF. */
    public static int adcx(Cpu c, int a, int b) {
        return add(c, Flags.CF, a, b);
    }

    /** ADCX. */
    public static long adcx(Cpu c, long a, long b) {
        return add(c, Flags.CF, a, b);
    }

    /** ADOX: the carry is OF, no other flag. */
    public static int adox(Cpu c, int a, int b) {
        return add(c, Flags.OF, a, b);
    }

    /** ADOX. */
    public static long adox(Cpu c, long a, long b) {
        return add(c, Flags.OF, a, b);
    }

    // ---------------------------------------------------------------- counts

    /** CF: the source is 0; ZF: the count is 0. */
    private static int count(Cpu c, int n, int size) {
        c.setArith(n == size ? Flags.CF : n == 0 ? Flags.ZF : 0);
        return n;
    }

    /** TZCNT of 16 bits. */
    public static int tzcnt16(Cpu c, int a) {
        return count(c, Integer.numberOfTrailingZeros(a | 0x10000), 16);
    }

    /** TZCNT of 32 bits. */
    public static int tzcnt(Cpu c, int a) {
        return count(c, Integer.numberOfTrailingZeros(a), 32);
    }

    /** TZCNT of 64 bits. */
    public static long tzcnt(Cpu c, long a) {
        return count(c, Long.numberOfTrailingZeros(a), 64);
    }

    /** LZCNT of 16 bits. */
    public static int lzcnt16(Cpu c, int a) {
        return count(c, Integer.numberOfLeadingZeros(a & 0xFFFF) - 16, 16);
    }

    /** LZCNT of 32 bits. */
    public static int lzcnt(Cpu c, int a) {
        return count(c, Integer.numberOfLeadingZeros(a), 32);
    }

    /** LZCNT of 64 bits. */
    public static long lzcnt(Cpu c, long a) {
        return count(c, Long.numberOfLeadingZeros(a), 64);
    }

    // ---------------------------------------------------------------- BMI1

    private static void result(Cpu c, long signed, boolean carry) {
        c.setArith((signed == 0 ? Flags.ZF : signed < 0 ? Flags.SF : 0) | (carry ? Flags.CF : 0));
    }

    /** ANDN. */
    public static int andn(int a, int b) {
        return ~a & b;
    }

    /** ANDN. */
    public static long andn(long a, long b) {
        return ~a & b;
    }

    /** BEXTR: start in bits 7 to 0, length in bits 15 to 8 of the control. */
    public static int bextr(Cpu c, int a, int control) {
        return (int) bextr(c, a & 0xFFFFFFFFL, (long) control);
    }

    /** BEXTR. */
    public static long bextr(Cpu c, long a, long control) {
        int start = (int) control & 0xFF;
        int length = (int) control >>> 8 & 0xFF;
        long r = start > 63 ? 0 : a >>> start;
        if (length < 64) {
            r &= (1L << length) - 1;
        }
        c.setArith(r == 0 ? Flags.ZF : 0);
        return r;
    }

    /** BLSI: the lowest set bit. */
    public static int blsi(Cpu c, int a) {
        int r = a & -a;
        result(c, r, a != 0);
        return r;
    }

    /** BLSI. */
    public static long blsi(Cpu c, long a) {
        long r = a & -a;
        result(c, r, a != 0);
        return r;
    }

    /** BLSMSK: the bits up to the lowest set one. */
    public static int blsmsk(Cpu c, int a) {
        int r = a ^ a - 1;
        result(c, r, a == 0);
        return r;
    }

    /** BLSMSK. */
    public static long blsmsk(Cpu c, long a) {
        long r = a ^ a - 1;
        result(c, r, a == 0);
        return r;
    }

    /** BLSR: without the lowest set bit. */
    public static int blsr(Cpu c, int a) {
        int r = a & a - 1;
        result(c, r, a == 0);
        return r;
    }

    /** BLSR. */
    public static long blsr(Cpu c, long a) {
        long r = a & a - 1;
        result(c, r, a == 0);
        return r;
    }

    // ---------------------------------------------------------------- BMI2

    /** BZHI: CF where the index is not within the operand. */
    public static int bzhi(Cpu c, int a, int index) {
        int n = index & 0xFF;
        int r = n < 32 ? a & (1 << n) - 1 : a;
        result(c, r, n > 31);
        return r;
    }

    /** BZHI. */
    public static long bzhi(Cpu c, long a, long index) {
        int n = (int) index & 0xFF;
        long r = n < 64 ? a & (1L << n) - 1 : a;
        result(c, r, n > 63);
        return r;
    }

    /** MULX: the low half first, so that the high half stays where both have one register. */
    public static void mulx(Cpu c, Insn i) {
        boolean wide = i.opSize == 8;
        long a = c.get(Cpu.RDX, wide ? 8 : 4);
        long b = c.getRm(i, wide ? 8 : 4);
        if (wide) {
            c.r[i.vvvv] = a * b;
            c.r[i.reg] = Math.unsignedMultiplyHigh(a, b);
        } else {
            long product = a * b;
            c.r[i.vvvv] = product & 0xFFFFFFFFL;
            c.r[i.reg] = product >>> 32;
        }
    }

    /** PDEP. */
    public static int pdep(int a, int mask) {
        return Integer.expand(a, mask);
    }

    /** PDEP. */
    public static long pdep(long a, long mask) {
        return Long.expand(a, mask);
    }

    /** PEXT. */
    public static int pext(int a, int mask) {
        return Integer.compress(a, mask);
    }

    /** PEXT. */
    public static long pext(long a, long mask) {
        return Long.compress(a, mask);
    }

    /** RORX. */
    public static int rorx(int a, int n) {
        return Integer.rotateRight(a, n);
    }

    /** RORX. */
    public static long rorx(long a, int n) {
        return Long.rotateRight(a, n);
    }

    /** SARX. */
    public static int sarx(int a, int n) {
        return a >> n;
    }

    /** SARX. */
    public static long sarx(long a, long n) {
        return a >> n;
    }

    /** SHLX. */
    public static int shlx(int a, int n) {
        return a << n;
    }

    /** SHLX. */
    public static long shlx(long a, long n) {
        return a << n;
    }

    /** SHRX. */
    public static int shrx(int a, int n) {
        return a >>> n;
    }

    /** SHRX. */
    public static long shrx(long a, long n) {
        return a >>> n;
    }
}
