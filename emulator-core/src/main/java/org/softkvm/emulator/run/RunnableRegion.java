package org.softkvm.emulator.run;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Mmu;
import org.softkvm.emulator.translate.Region;
import org.softkvm.emulator.translate.RegionEntry;
import org.softkvm.emulator.translate.RegionTable;

/** A region in the cache of its vcpu: the code, the blocks it was made of, and which pages it is valid for. */
final class RunnableRegion implements Region.Owner {
    final Region code;
    /** Where it is entered: the code itself, and its further entries. */
    final Region[] entries;
    /** The blocks it was made of, the entry first. */
    final Block[] blocks;
    /** Times that the sampler saw it running; the sampler's. */
    int samples;
    /** Whether it follows calls and was made for HotSpot's best compiler. */
    final boolean wide;
    /** The mode bits that its blocks were decoded for. */
    private final int mode;
    /** Offset in CS of the last byte of its blocks, whichever is highest. */
    private final long lastByte;
    /** Pool offset of the entry. */
    private final long host;
    /** Offsets in CS, one in each further page that it was translated from, and the pool offsets there; null for none. */
    private final long[] pages;

    private final long[] hosts;

    RunnableRegion(Region code, Block[] blocks, boolean wide, RegionTable table) {
        this.code = code;
        this.blocks = blocks;
        this.wide = wide;
        mode = blocks[0].mode;
        host = blocks[0].host;
        long[] rips = new long[2 * blocks.length];
        long[] at = new long[2 * blocks.length];
        int n = 0;
        long last = 0;
        for (Block b : blocks) {
            last = Math.max(last, b.rip + b.length - 1);
            n = add(rips, at, n, b.rip, b.host);
            if (b.secondPage >= 0) {
                n = add(rips, at, n, b.endRip - 1, b.secondPage + b.length - 1 - (4096 - (b.host & 4095)));
            }
        }
        lastByte = last;
        // The first one is the entry's, which most regions do not leave.
        pages = n == 1 ? null : java.util.Arrays.copyOfRange(rips, 1, n);
        hosts = n == 1 ? null : java.util.Arrays.copyOfRange(at, 1, n);
        entries = new Region[1 + code.entryBlocks.length];
        for (int k = 0; k < entries.length; k++) {
            Region entry = k == 0 ? code : new RegionEntry(code, k);
            entry.rip = entered(k).rip;
            // Not yet valid anywhere, and not dead.
            entry.context = 1;
            entry.owner = this;
            entry.around = table;
            entries[k] = entry;
        }
    }

    /** The block that an entry leads to. */
    Block entered(int entry) {
        return blocks[entry == 0 ? 0 : code.entryBlocks[entry - 1]];
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

    /** The region whose code this is. */
    static RunnableRegion of(Region code) {
        return (RunnableRegion) code.owner;
    }

    /** Whether it was given up. */
    boolean dead() {
        return code.context == 0;
    }

    /** Gives it up: it leads nowhere, and whoever leads to it finds that it is dead. */
    void kill() {
        for (Region entry : entries) {
            entry.context = 0;
            entry.linkA = entry;
            entry.linkB = entry;
        }
    }

    @Override
    public boolean validate(Cpu c) {
        if (code.context == 0 || mode != (int) (c.context & 0xFF)) {
            return false;
        }
        if (Mmu.fetchProbe(c, code.rip) != host) {
            return false;
        }
        if (pages != null) {
            for (int k = 0; k < pages.length; k++) {
                if (Mmu.fetchProbe(c, pages[k]) != hosts[k]) {
                    return false;
                }
            }
        }
        if (!c.mode64 && lastByte > c.segLimit[Cpu.CS]) {
            return false;
        }
        for (Region entry : entries) {
            entry.context = c.context;
        }
        return true;
    }
}
