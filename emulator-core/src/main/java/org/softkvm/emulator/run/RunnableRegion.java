package org.softkvm.emulator.run;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Mmu;
import org.softkvm.emulator.translate.Region;

/** A region in the cache of its vcpu: the code, the blocks it was made of, and where it is valid. */
final class RunnableRegion {
    final Region code;
    /** The blocks it was made of, the entry first. */
    final Block[] blocks;
    /** Key under which it may run without a check: {@code Cpu.context} when it was last validated; 0 when dead. */
    long context;
    /** Offset in CS of its entry. */
    final long rip;
    /** Regions that followed: the last one and the one before. */
    private RunnableRegion linkA;

    private RunnableRegion linkB;
    /** Times it was entered. */
    int enters;
    /** Times that the sampler saw it running; the sampler's. */
    int samples;
    /** Whether it follows calls and was made for HotSpot's best compiler. */
    final boolean wide;
    /** Whether it counts instructions. */
    final boolean counted;

    /** Offsets in CS, one in each page that it was translated from, and the pool offsets found there. */
    private final long[] pages;

    private final long[] hosts;

    RunnableRegion(Region code, Block[] blocks, boolean counted, boolean wide) {
        this.code = code;
        this.blocks = blocks;
        rip = blocks[0].rip;
        this.counted = counted;
        this.wide = wide;
        long[] rips = new long[2 * blocks.length];
        long[] at = new long[2 * blocks.length];
        int n = 0;
        for (Block b : blocks) {
            n = add(rips, at, n, b.rip, b.host);
            if (b.secondPage >= 0) {
                long last = b.endRip - 1;
                n = add(rips, at, n, last, b.secondPage + b.length - 1 - (4096 - (b.host & 4095)));
            }
        }
        pages = java.util.Arrays.copyOf(rips, n);
        hosts = java.util.Arrays.copyOf(at, n);
    }

    private static int add(long[] rips, long[] at, int n, long rip, long host) {
        for (int k = 0; k < n; k++) {
            // One page seen from one base: the same distance between offset and host address, and the same page.
            if (at[k] - rips[k] == host - rip && (at[k] & -4096L) == (host & -4096L)) {
                return n;
            }
        }
        rips[n] = rip;
        at[n] = host;
        return n + 1;
    }

    /** The region that followed before and may run now, or null. */
    RunnableRegion next(long at, long now) {
        RunnableRegion n = linkA;
        if (n != null && n.rip == at && n.context == now) {
            return n;
        }
        n = linkB;
        return n != null && n.rip == at && n.context == now ? n : null;
    }

    /** Remembers what follows. */
    void link(RunnableRegion next) {
        if (linkA != next) {
            linkB = linkA;
            linkA = next;
        }
    }

    /** Whether it may run now; remembers the answer until the mapping changes. */
    boolean validate(Cpu c) {
        if (context == 0) {
            return false;
        }
        for (int k = 0; k < pages.length; k++) {
            if (Mmu.fetchProbe(c, pages[k]) != hosts[k]) {
                return false;
            }
        }
        if (!c.mode64) {
            for (Block b : blocks) {
                if (b.rip + b.length - 1 > c.segLimit[Cpu.CS]) {
                    return false;
                }
            }
        }
        context = c.context;
        return true;
    }
}
