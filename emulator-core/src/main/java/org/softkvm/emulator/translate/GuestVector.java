package org.softkvm.emulator.translate;

import java.lang.invoke.VarHandle;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.simd.Lanes;
import org.softkvm.emulator.simd.Shuffles;
import org.softkvm.emulator.simd.Vex;

/**
 * AVX instructions of narrow regions, those that the string functions of C libraries are made of: one call each. Like
 * {@link GuestAccess} these methods are compiled once, by HotSpot's best compiler. That AVX may be used has been checked.
 *
 * <p>Operands are one number: destination, first source and second source in five bits each, and {@link #WIDE}.
 */
public final class GuestVector {
    /** The operands have 256 bits. */
    static final int WIDE = 1 << 15;

    private static final int INDEX = (Cpu.TLB_SIZE - 1) << 1;

    private GuestVector() {}

    /** The operands of an instruction as a number. */
    static int operands(int destination, int first, int second, int length) {
        return destination | first << 5 | second << 10 | (length == 32 ? WIDE : 0);
    }

    /** Whether AVX must not be used, and the interpreter raises the fault. */
    public static boolean refused(Cpu c) {
        return (c.cr0 & Cpu.CR0_TS | ~(int) c.cr4 & Cpu.CR4_OSXSAVE | ~(int) c.xcr0 & 6) != 0;
    }

    private static int destination(int operands) {
        return (operands & 31) << 2;
    }

    private static int first(int operands) {
        return (operands >> 5 & 31) << 2;
    }

    private static int second(int operands) {
        return (operands >> 10 & 31) << 2;
    }

    private static void set(long[] v, int operands, long q0, long q1, long q2, long q3) {
        long upper = -(operands >> 15 & 1);
        int d = destination(operands);
        v[d] = q0;
        v[d + 1] = q1;
        v[d + 2] = q2 & upper;
        v[d + 3] = q3 & upper;
    }

    /** Loads a vector; a fault finds the state before the instruction. */
    public static void load(Cpu c, long la, int operands, int site) {
        long q0 = GuestAccess.read8(c, la, site);
        long q1 = GuestAccess.read8(c, la + 8, site);
        boolean wide = (operands & WIDE) != 0;
        long q2 = wide ? GuestAccess.read8(c, la + 16, site) : 0;
        long q3 = wide ? GuestAccess.read8(c, la + 24, site) : 0;
        VarHandle.acquireFence();
        set(c.v, operands, q0, q1, q2, q3);
    }

    /** Loads the second source of the instruction that follows; see {@link Vex#SOURCE}. */
    static int scratch(int length) {
        return operands(Vex.SOURCE, 0, 0, length);
    }

    /** Stores a vector, named as the destination; true where that misses the TLB, and nothing was written. */
    public static boolean store(Cpu c, long la, int operands) {
        boolean wide = (operands & WIDE) != 0;
        if (GuestAccess.missesWrite(c, la, wide ? 32 : 16)) {
            return true;
        }
        VarHandle.releaseFence();
        long host = la + c.tlbWrite[((int) (la >>> 11) & INDEX) + 1];
        long[] v = c.v;
        int from = destination(operands);
        HostMemory.putLong(host, v[from]);
        HostMemory.putLong(host + 8, v[from + 1]);
        if (wide) {
            HostMemory.putLong(host + 16, v[from + 2]);
            HostMemory.putLong(host + 24, v[from + 3]);
        }
        return false;
    }

    /** VMOVDQU and its like between registers: from the second source. */
    public static void move(Cpu c, int operands) {
        long[] v = c.v;
        int b = second(operands);
        set(v, operands, v[b], v[b + 1], v[b + 2], v[b + 3]);
    }

    /** VPXOR. */
    public static void pxor(Cpu c, int operands) {
        long[] v = c.v;
        int a = first(operands);
        int b = second(operands);
        set(v, operands, v[a] ^ v[b], v[a + 1] ^ v[b + 1], v[a + 2] ^ v[b + 2], v[a + 3] ^ v[b + 3]);
    }

    /** VPAND. */
    public static void pand(Cpu c, int operands) {
        long[] v = c.v;
        int a = first(operands);
        int b = second(operands);
        set(v, operands, v[a] & v[b], v[a + 1] & v[b + 1], v[a + 2] & v[b + 2], v[a + 3] & v[b + 3]);
    }

    /** VPOR. */
    public static void por(Cpu c, int operands) {
        long[] v = c.v;
        int a = first(operands);
        int b = second(operands);
        set(v, operands, v[a] | v[b], v[a + 1] | v[b + 1], v[a + 2] | v[b + 2], v[a + 3] | v[b + 3]);
    }

    /** VPCMPEQB. */
    public static void pcmpeqb(Cpu c, int operands) {
        long[] v = c.v;
        int a = first(operands);
        int b = second(operands);
        set(
                v,
                operands,
                Lanes.pcmpeqb(v[a], v[b]),
                Lanes.pcmpeqb(v[a + 1], v[b + 1]),
                Lanes.pcmpeqb(v[a + 2], v[b + 2]),
                Lanes.pcmpeqb(v[a + 3], v[b + 3]));
    }

    /** VPMINUB. */
    public static void pminub(Cpu c, int operands) {
        long[] v = c.v;
        int a = first(operands);
        int b = second(operands);
        set(
                v,
                operands,
                Lanes.pminub(v[a], v[b]),
                Lanes.pminub(v[a + 1], v[b + 1]),
                Lanes.pminub(v[a + 2], v[b + 2]),
                Lanes.pminub(v[a + 3], v[b + 3]));
    }

    /** VPBROADCASTB from a register. */
    public static void broadcast8(Cpu c, int operands) {
        long a = (c.v[second(operands)] & 0xFF) * 0x0101010101010101L;
        set(c.v, operands, a, a, a, a);
    }

    /** VPMOVMSKB of 256 bits. */
    public static long pmovmskb(Cpu c, int operands) {
        long[] v = c.v;
        int b = second(operands);
        return Shuffles.byteMask(v[b])
                | Shuffles.byteMask(v[b + 1]) << 8
                | Shuffles.byteMask(v[b + 2]) << 16
                | (long) Shuffles.byteMask(v[b + 3]) << 24;
    }

    /** VZEROUPPER. */
    public static void vzeroupper(Cpu c, int operands) {
        long[] v = c.v;
        int n = c.mode64 ? 64 : 32;
        for (int k = 0; k < n; k += 4) {
            v[k + 2] = 0;
            v[k + 3] = 0;
        }
    }
}
