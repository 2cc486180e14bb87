package org.softkvm.emulator.translate;

import java.lang.invoke.VarHandle;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Mmu;

/**
 * The stack accesses of narrow regions in 64-bit code: a run of PUSHes, a run of POPs with or without the RET behind it, and
 * CALL are one call and one look into the TLB each. Like {@link GuestAccess} these methods are compiled once, by HotSpot's
 * best compiler.
 *
 * <p>Either all of a run is done or nothing, and then the interpreter executes its instructions one by one. Where the TLB
 * does not know the first access, its entry is made here; that may throw, in the state before the run, which is where the
 * first access faults. No other instruction of a run faults here.
 *
 * <p>A run is one number: the top four bits say how many registers, the others name one in four bits each, that of the
 * quadword with the lowest address first. RSP is never among them, and nothing is popped twice.
 */
public final class GuestStack {
    /** Registers that a run may have. */
    static final int MOST = 7;

    private static final int COUNT = 28;
    private static final int INDEX = (Cpu.TLB_SIZE - 1) << 1;

    private GuestStack() {}

    /**
     * Makes a run.
     *
     * @param run one with fewer than {@link #MOST} registers, or 0
     * @param register register of the quadword behind the others
     * @return the run with one more
     */
    static int above(int run, int register) {
        return run + (1 << COUNT) | register << 4 * (run >>> COUNT);
    }

    /** As {@link #above} with the new quadword in front of the others. */
    static int below(int run, int register) {
        int names = run & (1 << COUNT) - 1;
        return (run >>> COUNT) + 1 << COUNT | names << 4 | register;
    }

    /** The registers of a run as a set of bits. */
    static int set(int run) {
        int set = 0;
        for (int k = 0; k < run >>> COUNT; k++) {
            set |= 1 << (run >>> 4 * k & 15);
        }
        return set;
    }

    private static boolean misses(long[] tlb, long la, int size, long tag) {
        return tlb[(int) (la >>> 11) & INDEX] != (la + size - 1 & -4096L | tag);
    }

    /** Whether the slow ways must leave an access to the interpreter: breakpoints on data, #SS, two pages. */
    private static boolean special(Cpu c, long la) {
        return c.breakData != 0 || la << 16 >> 16 != la || (la & 4095) > 4088;
    }

    // ---------------------------------------------------------------- PUSH

    /**
     * Pushes registers.
     *
     * @param c the vcpu
     * @param run the registers, the last one in front
     * @param site the first PUSH
     * @return true where nothing was done
     */
    public static boolean push(Cpu c, int run, int site) {
        long[] r = c.r;
        int size = run >>> COUNT << 3;
        long la = r[Cpu.RSP] - size;
        long[] tlb = c.tlbWrite;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + size - 1 & -4096L | c.tlbTag)) {
            return slowPush(c, run, site);
        }
        long host = la + tlb[i + 1];
        switch (run >>> COUNT) {
            case 7:
                HostMemory.putLong(host + 48, r[run >>> 24 & 15]);
            // fall through
            case 6:
                HostMemory.putLong(host + 40, r[run >>> 20 & 15]);
            // fall through
            case 5:
                HostMemory.putLong(host + 32, r[run >>> 16 & 15]);
            // fall through
            case 4:
                HostMemory.putLong(host + 24, r[run >>> 12 & 15]);
            // fall through
            case 3:
                HostMemory.putLong(host + 16, r[run >>> 8 & 15]);
            // fall through
            case 2:
                HostMemory.putLong(host + 8, r[run >>> 4 & 15]);
            // fall through
            default:
                HostMemory.putLong(host, r[run & 15]);
        }
        r[Cpu.RSP] = la;
        return false;
    }

    /** As {@link #push}, each store behind all earlier accesses. */
    public static boolean sharedPush(Cpu c, int run, int site) {
        return slowPush(c, run, site);
    }

    /** One by one, with the TLB's entries made where the first one has none. */
    private static boolean slowPush(Cpu c, int run, int site) {
        int count = run >>> COUNT;
        long top = c.r[Cpu.RSP];
        if (!writable(c, top - 8, site)) {
            return true;
        }
        for (int k = 2; k <= count; k++) {
            if (misses(c.tlbWrite, top - 8 * k, 8, c.tlbTag)) {
                return true;
            }
        }
        for (int k = 1; k <= count; k++) {
            GuestAccess.sharedWrite8(c.r[run >>> 4 * (count - k) & 15], top - 8 * k, c, site);
        }
        c.r[Cpu.RSP] = top - 8 * count;
        return false;
    }

    /** Makes sure that the TLB knows a quadword to be written; false where it cannot. */
    private static boolean writable(Cpu c, long la, int site) {
        if (!misses(c.tlbWrite, la, 8, c.tlbTag)) {
            return true;
        }
        if (special(c, la)) {
            return false;
        }
        c.site = site;
        return Mmu.hostForWrite(c, la) >= 0 && !misses(c.tlbWrite, la, 8, c.tlbTag);
    }

    /**
     * Pushes a value.
     *
     * @param value the value
     * @param c the vcpu
     * @param site the instruction
     * @return true where nothing was done
     */
    public static boolean push(long value, Cpu c, int site) {
        long[] r = c.r;
        long la = r[Cpu.RSP] - 8;
        long[] tlb = c.tlbWrite;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + 7 & -4096L | c.tlbTag)) {
            if (!writable(c, la, site)) {
                return true;
            }
        }
        HostMemory.putLong(la + tlb[i + 1], value);
        r[Cpu.RSP] = la;
        return false;
    }

    /** As {@link #push(long, Cpu, int)}, behind all earlier accesses. */
    public static boolean sharedPush(long value, Cpu c, int site) {
        VarHandle.releaseFence();
        return push(value, c, site);
    }

    /**
     * A near CALL that leaves the region.
     *
     * @param target where it goes
     * @param next what it pushes
     * @param c the vcpu
     * @param site the instruction
     * @return what the region returns: {@link Region#LEFT}, or the site where nothing was done
     */
    public static int call(long target, long next, Cpu c, int site) {
        if (push(next, c, site)) {
            return site;
        }
        c.rip = target;
        return Region.LEFT;
    }

    /** As {@link #call}, behind all earlier accesses. */
    public static int sharedCall(long target, long next, Cpu c, int site) {
        VarHandle.releaseFence();
        return call(target, next, c, site);
    }

    // ---------------------------------------------------------------- POP

    /**
     * Pops registers.
     *
     * @param c the vcpu
     * @param run the registers, the first one in front
     * @param site the first POP
     * @return true where nothing was done
     */
    public static boolean pop(Cpu c, int run, int site) {
        long[] r = c.r;
        int size = run >>> COUNT << 3;
        long la = r[Cpu.RSP];
        long[] tlb = c.tlbRead;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + size - 1 & -4096L | c.tlbTag)) {
            return slowPop(c, run, site);
        }
        load(r, run, la + tlb[i + 1]);
        r[Cpu.RSP] = la + size;
        return false;
    }

    private static void load(long[] r, int run, long host) {
        switch (run >>> COUNT) {
            case 7:
                r[run >>> 24 & 15] = HostMemory.getLong(host + 48);
            // fall through
            case 6:
                r[run >>> 20 & 15] = HostMemory.getLong(host + 40);
            // fall through
            case 5:
                r[run >>> 16 & 15] = HostMemory.getLong(host + 32);
            // fall through
            case 4:
                r[run >>> 12 & 15] = HostMemory.getLong(host + 24);
            // fall through
            case 3:
                r[run >>> 8 & 15] = HostMemory.getLong(host + 16);
            // fall through
            case 2:
                r[run >>> 4 & 15] = HostMemory.getLong(host + 8);
            // fall through
            case 1:
                r[run & 15] = HostMemory.getLong(host);
            // fall through
            default:
        }
    }

    /** As {@link #pop}, loads in order. */
    public static boolean sharedPop(Cpu c, int run, int site) {
        return slowPop(c, run, site);
    }

    private static boolean slowPop(Cpu c, int run, int site) {
        int count = run >>> COUNT;
        if (!readable(c, c.r[Cpu.RSP], count, site)) {
            return true;
        }
        popEach(c, run, count);
        return false;
    }

    private static void popEach(Cpu c, int run, int count) {
        long la = c.r[Cpu.RSP];
        for (int k = 0; k < count; k++) {
            c.r[run >>> 4 * k & 15] = load(c, la + 8 * k);
        }
        c.r[Cpu.RSP] = la + 8 * count;
    }

    /** A quadword that the TLB knows. */
    private static long load(Cpu c, long la) {
        long value = HostMemory.getLong(la + c.tlbRead[((int) (la >>> 11) & INDEX) + 1]);
        VarHandle.acquireFence();
        return value;
    }

    /** Makes sure that the TLB knows some quadwords to be read; false where it does not. */
    private static boolean readable(Cpu c, long la, int count, int site) {
        if (misses(c.tlbRead, la, 8, c.tlbTag)) {
            if (special(c, la)) {
                return false;
            }
            c.site = site;
            if (Mmu.hostForRead(c, la) < 0) {
                return false;
            }
        }
        for (int k = 0; k < count; k++) {
            if (misses(c.tlbRead, la + 8 * k, 8, c.tlbTag)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Pops registers and returns.
     *
     * @param c the vcpu
     * @param run the registers, the first one in front; 0 for none
     * @param site the first instruction
     * @return what the region returns: {@link Region#LEFT}, or the site where nothing was done
     */
    public static int ret(Cpu c, int run, int site) {
        long[] r = c.r;
        int size = run >>> COUNT << 3;
        long la = r[Cpu.RSP];
        long[] tlb = c.tlbRead;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + size + 7 & -4096L | c.tlbTag)) {
            return slowRet(c, run, site);
        }
        long host = la + tlb[i + 1];
        long target = HostMemory.getLong(host + size);
        if (target << 16 >> 16 != target) {
            return site;
        }
        load(r, run, host);
        r[Cpu.RSP] = la + size + 8;
        c.rip = target;
        return Region.LEFT;
    }

    /** As {@link #ret} without registers, in front of all later accesses. */
    public static int sharedRet(Cpu c, int run, int site) {
        return slowRet(c, run, site);
    }

    private static int slowRet(Cpu c, int run, int site) {
        int count = run >>> COUNT;
        long la = c.r[Cpu.RSP];
        if (!readable(c, la, count + 1, site)) {
            return site;
        }
        long target = load(c, la + 8 * count);
        if (target << 16 >> 16 != target) {
            return site;
        }
        popEach(c, run, count);
        c.r[Cpu.RSP] += 8;
        c.rip = target;
        return Region.LEFT;
    }
}
