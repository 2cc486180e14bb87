package org.softkvm.emulator.cpu;

import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;

/**
 * Locked read-modify-writes that are no plain compare-and-set of an aligned word (Intel SDM volume 3, 10.1.2): 8 and 16
 * bits are a compare-and-set of the aligned word that holds them; an operand that straddles words, or that is 128 bits
 * wide, stops all other vcpus, because their plain stores would race with a lock of our own.
 */
public final class Locked {
    private Locked() {}

    static boolean compareAndSet(Cpu c, long la, int size, long expected, long value) {
        if (c.breakData != 0) {
            Breakpoints.data(c, la, size, true);
        }
        int within = (int) la & 7;
        if (within + size > 8) {
            return alone(c, la, size, expected, value);
        }
        // The right to write was checked when the operand was read; this finds the page again.
        long host = Mmu.hostForLocked(c, la);
        if (host < 0) {
            // MMIO and memory outside the pool: devices see one write.
            c.write(la, size, value);
            return true;
        }
        if (size == 8) {
            return report(c, host, 8, HostMemory.compareAndSetLong(host, expected, value));
        }
        long word = host & -8L;
        int shift = 8 * within;
        long mask = (1L << 8 * size) - 1 << shift;
        while (true) {
            long old = HostMemory.getLong(word);
            if ((old & mask) != expected << shift) {
                return false;
            }
            if (HostMemory.compareAndSetLong(word, old, old & ~mask | value << shift & mask)) {
                return report(c, host, size, true);
            }
        }
    }

    private static boolean report(Cpu c, long host, int size, boolean stored) {
        if (stored && CodePages.isCode(host)) {
            c.memory.notifyCodeWrite(c.codeListener, host, size);
        }
        return stored;
    }

    private static boolean alone(Cpu c, long la, int size, long expected, long value) {
        if (Mmu.hostForLocked(c, la) < 0 || Mmu.hostForLocked(c, la + size - 1) < 0) {
            // A device must not be read a second time to see whether it changed.
            c.write(la, size, value);
            return true;
        }
        GuestMemory memory = c.memory;
        boolean held = memory.beginExclusive(c);
        try {
            if (c.read(la, size) != (size == 8 ? expected : expected & (1L << 8 * size) - 1)) {
                return false;
            }
            c.write(la, size, value);
            return true;
        } finally {
            memory.endExclusive(c, held);
        }
    }

    /**
     * CMPXCHG8B and CMPXCHG16B: compares two halves and stores two others where they are equal.
     *
     * @param c the vcpu; the operand is writable
     * @param locked whether the instruction has a LOCK prefix; without it other vcpus may come in between
     * @param la linear address
     * @param half bytes of a half, 4 or 8
     * @param expectedLow low half to be found
     * @param expectedHigh high half to be found
     * @param low low half to store
     * @param high high half to store
     * @return whether they were equal; if not, the halves found are in {@link Cpu#t0} and {@link Cpu#t1}
     */
    public static boolean compareAndSetPair(
            Cpu c, boolean locked, long la, int half, long expectedLow, long expectedHigh, long low, long high) {
        if (c.breakData != 0) {
            // The destination is written in either case (SDM volume 2, CMPXCHG8B).
            Breakpoints.data(c, la, 2 * half, true);
        }
        boolean held = locked && half == 8 && c.memory.beginExclusive(c);
        try {
            while (true) {
                c.t0 = c.read(la, half);
                c.t1 = c.read(la + half, half);
                if (c.t0 != expectedLow || c.t1 != expectedHigh) {
                    return false;
                }
                if (half == 4) {
                    if (c.cas64(la, c.t0 | c.t1 << 32, low & 0xFFFFFFFFL | high << 32)) {
                        return true;
                    }
                } else {
                    c.write64(la, low);
                    c.write64(la + 8, high);
                    return true;
                }
            }
        } finally {
            c.memory.endExclusive(c, held);
        }
    }
}
