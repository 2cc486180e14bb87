package org.softkvm.emulator.cpu;

import java.util.Arrays;

/**
 * What makes TLB entries and decoded blocks of a vcpu valid: generations in the entries' tags, stamps in the blocks' keys.
 * Both exist twice. MOV to CR3 leaves alone what was reached through global pages (Intel SDM volume 3, 4.10.2.4), so the
 * kernel's blocks and, where SMAP keeps them apart from the user's, its data stay valid when the address space changes.
 *
 * <p>What is not global has a generation and a stamp for each of the PCIDs that were loaded last, so that a guest that goes
 * back to one of them, and says that its translations may be kept, finds them valid (4.10.4.1).
 */
final class TlbKeys {
    private static final int GENERATIONS = 1 << 9;
    /** PCIDs whose translations are kept; Linux takes turns with 6. */
    private static final int SPACES = 8;
    /** A PCID that there is not. */
    private static final int NONE = -1;
    /** Pages of {@link #localPages}. */
    private static final int MAX_LOCAL = 8;
    /** Bits of a filter. */
    private static final int FILTER_BITS = 4096;

    private final Cpu c;
    /** An address space by its PCID. */
    private static final class Space {
        int pcid = NONE;
        /** Generation of entries without {@link Cpu#TAG_SMAP}. */
        int generation;
        /** Changes whenever a linear address of user code may map or decode differently; 0 for a change to come. */
        long stamp;
        /**
         * The pages that user code may have been fetched from since the generation began, by the low bits of their number:
         * INVLPG of any other page, as of most, leaves the decoded blocks alone.
         */
        final long[] filter = new long[FILTER_BITS / 64];
    }

    /** By the low bits of the PCID. */
    private final Space[] spaces = new Space[SPACES];

    private Space space;
    /** The generation that was given out last. */
    private int lastGeneration;
    /** The stamp of user code that was given out last. */
    private long lastStamp;

    /** Generation of entries with {@link Cpu#TAG_SMAP}: a supervisor's, which cannot be of user pages. */
    private int supervisorGeneration = 1;
    /** Changes whenever a linear address of supervisor code may map or decode differently. */
    private long supervisorStamp = 1;

    /** Something of what MOV to CR3 is to leave alone was not reached through a global page, and is not listed below. */
    private boolean supervisorLocal;
    /**
     * Linear addresses of data that a supervisor reached through pages that are not global, since the last MOV to CR3. Where
     * these are few, their entries are dropped one by one: Linux patches its code through such a page, thousands of times in
     * a boot, and changes CR3 before and after it.
     */
    private final long[] localPages = new long[MAX_LOCAL];

    private int locals;
    /** Whether large pages have been cut into TLB entries since the last full flush, and the region that covers them. */
    private boolean largePages;

    private long largePageMask;
    private long largePageBase;
    /** As {@link Space#filter}, for supervisor code. */
    private final long[] supervisorFilter = new long[FILTER_BITS / 64];

    TlbKeys(Cpu c) {
        this.c = c;
        for (int k = 0; k < SPACES; k++) {
            spaces[k] = new Space();
        }
        space = spaces[0];
        renew(space);
    }

    /** The generation of entries with or without {@link Cpu#TAG_SMAP}. */
    int generation(boolean smap) {
        return smap ? supervisorGeneration : space.generation;
    }

    /** The stamp of code that runs as user or supervisor. */
    long stamp(boolean user) {
        return user ? space.stamp : supervisorStamp;
    }

    /** Everything becomes invalid. */
    void flush() {
        largePages = false;
        supervisorLocal = false;
        locals = 0;
        Arrays.fill(supervisorFilter, 0);
        supervisorStamp++;
        if (++supervisorGeneration >= GENERATIONS) {
            clear();
        }
        forgetSpaces();
        renew(space);
    }

    /**
     * Everything becomes invalid that MOV to CR3 has to drop.
     *
     * @param pcid the PCID in its operand, 0 without CR4.PCIDE
     * @param keep whether translations of the PCID may be kept
     * @return whether translations of the PCID were dropped
     */
    boolean load(int pcid, boolean keep) {
        if (supervisorLocal || (c.cr4 & Cpu.CR4_PGE) == 0) {
            flush();
            return true;
        }
        for (int k = 0; k < locals; k++) {
            c.dropTlbPage(localPages[k]);
        }
        locals = 0;
        space = spaces[pcid & SPACES - 1];
        if (!keep || space.pcid != pcid) {
            renew(space);
            space.pcid = pcid;
            return true;
        }
        if (space.stamp == 0) {
            space.stamp = ++lastStamp;
        }
        return false;
    }

    /** Translations of a PCID that is not the present one become invalid. */
    void forget(int pcid) {
        Space other = spaces[pcid & SPACES - 1];
        if (other.pcid == pcid) {
            other.pcid = NONE;
        }
    }

    private void forgetSpaces() {
        for (Space s : spaces) {
            s.pcid = NONE;
        }
    }

    private void renew(Space s) {
        if (lastGeneration + 1 >= GENERATIONS) {
            clear();
        }
        s.generation = ++lastGeneration;
        s.stamp = ++lastStamp;
        Arrays.fill(s.filter, 0);
    }

    /** Generations begin anew. The present space needs one. */
    private void clear() {
        forgetSpaces();
        lastGeneration = 0;
        supervisorGeneration = 1;
        Arrays.fill(c.tlbRead, 0);
        Arrays.fill(c.tlbWrite, 0);
        Arrays.fill(c.tlbExec, 0);
    }

    /** All blocks have to be validated again. */
    void codeChanged() {
        for (Space s : spaces) {
            s.stamp = 0;
        }
        space.stamp = ++lastStamp;
        supervisorStamp++;
    }

    /** An entry is made. */
    void filled(long linear, boolean code, boolean user, boolean smap, boolean global) {
        if (!global && (smap || code && !user)) {
            if (code || !listed(linear & -4096L)) {
                supervisorLocal = true;
            }
        }
        if (code) {
            int page = (int) (linear >>> 12) & FILTER_BITS - 1;
            (user ? space.filter : supervisorFilter)[page >>> 6] |= 1L << page;
        }
    }

    /** Lists a page of local data; false where the list is full. */
    private boolean listed(long page) {
        for (int k = 0; k < locals; k++) {
            if (localPages[k] == page) {
                return true;
            }
        }
        if (locals == MAX_LOCAL) {
            return false;
        }
        localPages[locals++] = page;
        return true;
    }

    /** Whether INVLPG of an address has to drop everything: the TLB holds 4 KiB pieces, and all of a large page's have to go. */
    boolean mayBeLarge(long linear) {
        return largePages && (linear & largePageMask) == largePageBase;
    }

    /** INVLPG of a small page; true where code may have come from it, which then has to be validated again. */
    boolean pageChanged(long linear) {
        int page = (int) (linear >>> 12) & FILTER_BITS - 1;
        boolean user = false;
        // A global page is one of all spaces.
        for (Space s : spaces) {
            if (contains(s.filter, page)) {
                s.stamp = 0;
                user = true;
            }
        }
        if (space.stamp == 0) {
            space.stamp = ++lastStamp;
        }
        boolean supervisor = contains(supervisorFilter, page);
        if (supervisor) {
            supervisorStamp++;
        }
        return user || supervisor;
    }

    private static boolean contains(long[] filter, int page) {
        return (filter[page >>> 6] & 1L << page) != 0;
    }

    /** Remembers the smallest aligned region that covers all large pages in the TLB. */
    void noteLargePage(long linear, long offsetMask) {
        if (!largePages) {
            largePages = true;
            largePageMask = ~offsetMask;
            largePageBase = linear & ~offsetMask;
            return;
        }
        long mask = largePageMask & ~offsetMask;
        while (((largePageBase ^ linear) & mask) != 0) {
            mask <<= 1;
        }
        largePageMask = mask;
        largePageBase = linear & mask;
    }
}
