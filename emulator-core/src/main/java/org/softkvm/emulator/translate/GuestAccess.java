package org.softkvm.emulator.translate;

import java.lang.invoke.VarHandle;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Mmu;

/**
 * The memory accesses of narrow regions, one call each. HotSpot's best compiler compiles these methods once; in the regions,
 * which are left to the fast compiler and are many, an access is then some forty bytes of machine code instead of two
 * hundred. The launcher forbids that compiler to inline them; without it, their size does.
 *
 * <p>An access that misses the TLB is done by the slow way and may throw, with the site stored, as a state method may. A
 * write that is more than one to memory is not done: the interpreter executes the instruction.
 */
public final class GuestAccess {
    private static final int INDEX = (Cpu.TLB_SIZE - 1) << 1;

    private GuestAccess() {}

    /** The request bits of a vcpu. */
    public static int requests(Cpu c) {
        return c.requests();
    }

    /**
     * Makes sure that a write cannot fault.
     *
     * @param c the vcpu
     * @param la linear address
     * @param size bytes
     * @param site where the region is
     */
    public static void checkWrite(Cpu c, long la, int size, int site) {
        long[] tlb = c.tlbWrite;
        if (tlb[(int) (la >>> 11) & INDEX] != (la + size - 1 & -4096L | c.tlbTag)) {
            prepare(c, la, site);
            c.checkWrite(la, size);
            c.inexact = false;
        }
    }

    /**
     * Whether a write misses the TLB, and so would not be done.
     *
     * @param c the vcpu
     * @param la linear address
     * @param size bytes
     * @return true where it does
     */
    public static boolean missesWrite(Cpu c, long la, int size) {
        return c.tlbWrite[(int) (la >>> 11) & INDEX] != (la + size - 1 & -4096L | c.tlbTag);
    }

    /**
     * Before an access that may throw: where the region is. Breakpoints on data are the interpreter's, and so are addresses
     * that are not canonical, whose fault depends on the segment. Under the virtual clock a device that is read must not ask
     * for the time, because the instructions before this one are not counted yet.
     */
    private static void prepare(Cpu c, long la, int site) {
        c.site = site;
        if (c.breakData != 0 || la << 16 >> 16 != la) {
            throw SideExit.INSTANCE;
        }
        c.inexact = c.virtualTime;
    }

    private static long slow(Cpu c, long la, int size, int site) {
        prepare(c, la, site);
        long value = c.read(la, size);
        c.inexact = false;
        return value;
    }

    private static long slowToWrite(Cpu c, long la, int size, int site) {
        prepare(c, la, site);
        long value = switch (size) {
            case 1 -> c.rmw8(la);
            case 2 -> c.rmw16(la);
            case 4 -> c.rmw32(la) & 0xFFFFFFFFL;
            default -> c.rmw64(la);
        };
        c.inexact = false;
        return value;
    }

    /**
     * Makes the TLB's entry for a write, which may throw; false where there is none: a device, a page that holds code, two
     * pages, a watched one.
     */
    private static boolean makeEntry(Cpu c, long la, int size, int site) {
        if (c.breakData != 0 || (la & 4095) + size > 4096 || (c.mode64 ? la << 16 >> 16 != la : la >>> 32 != 0)) {
            return false;
        }
        c.site = site;
        return Mmu.hostForWrite(c, la) >= 0 && !missesWrite(c, la, size);
    }

    /** Reads a byte, zero-extended. */
    public static long read1(Cpu c, long la, int site) {
        long[] tlb = c.tlbRead;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la & -4096L | c.tlbTag)) {
            return slow(c, la, 1, site);
        }
        return HostMemory.getByte(la + tlb[i + 1]);
    }

    /** As {@link #read1} where the same bytes will be written: a fault of the write comes now. */
    public static long readToWrite1(Cpu c, long la, int site) {
        long[] tlb = c.tlbWrite;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la & -4096L | c.tlbTag)) {
            return slowToWrite(c, la, 1, site);
        }
        return HostMemory.getByte(la + tlb[i + 1]);
    }

    /** Writes a byte; true where only the interpreter can, and nothing was written. */
    public static boolean write1(long value, long la, Cpu c, int site) {
        long[] tlb = c.tlbWrite;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la & -4096L | c.tlbTag) && !makeEntry(c, la, 1, site)) {
            return true;
        }
        HostMemory.putByte(la + tlb[i + 1], (int) value);
        return false;
    }

    /** As {@link #read1}, in the order that x86 promises other processors: loads stay in order. */
    public static long sharedRead1(Cpu c, long la, int site) {
        long value = read1(c, la, site);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #write1}, behind all earlier accesses. */
    public static boolean sharedWrite1(long value, long la, Cpu c, int site) {
        VarHandle.releaseFence();
        return write1(value, la, c, site);
    }

    /** Reads two bytes, zero-extended. */
    public static long read2(Cpu c, long la, int site) {
        long[] tlb = c.tlbRead;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + 1 & -4096L | c.tlbTag)) {
            return slow(c, la, 2, site);
        }
        return HostMemory.getShort(la + tlb[i + 1]);
    }

    /** As {@link #read2} where the same bytes will be written: a fault of the write comes now. */
    public static long readToWrite2(Cpu c, long la, int site) {
        long[] tlb = c.tlbWrite;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + 1 & -4096L | c.tlbTag)) {
            return slowToWrite(c, la, 2, site);
        }
        return HostMemory.getShort(la + tlb[i + 1]);
    }

    /** Writes two bytes; true where only the interpreter can, and nothing was written. */
    public static boolean write2(long value, long la, Cpu c, int site) {
        long[] tlb = c.tlbWrite;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + 1 & -4096L | c.tlbTag) && !makeEntry(c, la, 2, site)) {
            return true;
        }
        HostMemory.putShort(la + tlb[i + 1], (int) value);
        return false;
    }

    /** As {@link #read2}, in the order that x86 promises other processors: loads stay in order. */
    public static long sharedRead2(Cpu c, long la, int site) {
        long value = read2(c, la, site);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #write2}, behind all earlier accesses. */
    public static boolean sharedWrite2(long value, long la, Cpu c, int site) {
        VarHandle.releaseFence();
        return write2(value, la, c, site);
    }

    /** Reads four bytes, zero-extended. */
    public static long read4(Cpu c, long la, int site) {
        long[] tlb = c.tlbRead;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + 3 & -4096L | c.tlbTag)) {
            return slow(c, la, 4, site);
        }
        return HostMemory.getInt(la + tlb[i + 1]) & 0xFFFFFFFFL;
    }

    /** As {@link #read4} where the same bytes will be written: a fault of the write comes now. */
    public static long readToWrite4(Cpu c, long la, int site) {
        long[] tlb = c.tlbWrite;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + 3 & -4096L | c.tlbTag)) {
            return slowToWrite(c, la, 4, site);
        }
        return HostMemory.getInt(la + tlb[i + 1]) & 0xFFFFFFFFL;
    }

    /** Writes four bytes; true where only the interpreter can, and nothing was written. */
    public static boolean write4(long value, long la, Cpu c, int site) {
        long[] tlb = c.tlbWrite;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + 3 & -4096L | c.tlbTag) && !makeEntry(c, la, 4, site)) {
            return true;
        }
        HostMemory.putInt(la + tlb[i + 1], (int) value);
        return false;
    }

    /** As {@link #read4}, in the order that x86 promises other processors: loads stay in order. */
    public static long sharedRead4(Cpu c, long la, int site) {
        long value = read4(c, la, site);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #write4}, behind all earlier accesses. */
    public static boolean sharedWrite4(long value, long la, Cpu c, int site) {
        VarHandle.releaseFence();
        return write4(value, la, c, site);
    }

    /** Reads eight bytes, zero-extended. */
    public static long read8(Cpu c, long la, int site) {
        long[] tlb = c.tlbRead;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + 7 & -4096L | c.tlbTag)) {
            return slow(c, la, 8, site);
        }
        return HostMemory.getLong(la + tlb[i + 1]);
    }

    /** As {@link #read8} where the same bytes will be written: a fault of the write comes now. */
    public static long readToWrite8(Cpu c, long la, int site) {
        long[] tlb = c.tlbWrite;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + 7 & -4096L | c.tlbTag)) {
            return slowToWrite(c, la, 8, site);
        }
        return HostMemory.getLong(la + tlb[i + 1]);
    }

    /** Writes eight bytes; true where only the interpreter can, and nothing was written. */
    public static boolean write8(long value, long la, Cpu c, int site) {
        long[] tlb = c.tlbWrite;
        int i = (int) (la >>> 11) & INDEX;
        if (tlb[i] != (la + 7 & -4096L | c.tlbTag) && !makeEntry(c, la, 8, site)) {
            return true;
        }
        HostMemory.putLong(la + tlb[i + 1], value);
        return false;
    }

    /** As {@link #read8}, in the order that x86 promises other processors: loads stay in order. */
    public static long sharedRead8(Cpu c, long la, int site) {
        long value = read8(c, la, site);
        VarHandle.acquireFence();
        return value;
    }

    /** As {@link #write8}, behind all earlier accesses. */
    public static boolean sharedWrite8(long value, long la, Cpu c, int site) {
        VarHandle.releaseFence();
        return write8(value, la, c, site);
    }
}
