package org.softkvm.emulator.cpu;

import java.util.Arrays;

/**
 * What makes TLB entries and decoded blocks of a vcpu valid: generations in the entries' tags, stamps in the blocks' keys.
 * Both exist twice. MOV to CR3 leaves alone what was reached through global pages (Intel SDM volume 3, 4.10.2.4), so the
 * kernel's blocks and, where SMAP keeps them apart from the user's, its data stay valid when the address space changes.
 */
final class TlbKeys {
    private static final int GENERATIONS = 1 << 9;
    /** Pages of {@link #localPages}. */
    private static final int MAX_LOCAL = 8;
    /** Bits of a filter. */
    private static final int FILTER_BITS = 4096;

    private final Cpu c;
    /** Generation of entries without {@link Cpu#TAG_SMAP}. */
    private int generation = 1;
    /** Generation of entries with it: a supervisor's, which cannot be of user pages. */
    private int supervisorGeneration = 1;
    /** Changes whenever a linear address of user code may map or decode differently. */
    private long userStamp = 1;
    /** The same for supervisor code. */
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
    /**
     * The pages that user code may have been fetched from since the last flush, by the low bits of their number: INVLPG of
     * any other page, as of most, leaves the decoded blocks alone.
     */
    private final long[] userFilter = new long[FILTER_BITS / 64];

    private final long[] supervisorFilter = new long[FILTER_BITS / 64];

    TlbKeys(Cpu c) {
        this.c = c;
    }

    /** The generation of entries with or without {@link Cpu#TAG_SMAP}. */
    int generation(boolean smap) {
        return smap ? supervisorGeneration : generation;
    }

    /** The stamp of code that runs as user or supervisor. */
    long stamp(boolean user) {
        return user ? userStamp : supervisorStamp;
    }

    /** Everything becomes invalid. */
    void flush() {
        largePages = false;
        supervisorLocal = false;
        locals = 0;
        Arrays.fill(userFilter, 0);
        Arrays.fill(supervisorFilter, 0);
        if (++generation >= GENERATIONS | ++supervisorGeneration >= GENERATIONS) {
            clear();
        }
        codeChanged();
    }

    /** Everything becomes invalid that MOV to CR3 has to drop. */
    void flushLocal() {
        if (supervisorLocal || (c.cr4 & Cpu.CR4_PGE) == 0) {
            flush();
            return;
        }
        for (int k = 0; k < locals; k++) {
            c.dropTlbPage(localPages[k]);
        }
        locals = 0;
        Arrays.fill(userFilter, 0);
        if (++generation >= GENERATIONS) {
            clear();
        }
        userStamp++;
    }

    private void clear() {
        generation = 1;
        supervisorGeneration = 1;
        Arrays.fill(c.tlbRead, 0);
        Arrays.fill(c.tlbWrite, 0);
        Arrays.fill(c.tlbExec, 0);
    }

    /** All blocks have to be validated again. */
    void codeChanged() {
        userStamp++;
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
            (user ? userFilter : supervisorFilter)[page >>> 6] |= 1L << page;
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
        boolean user = (userFilter[page >>> 6] & 1L << page) != 0;
        boolean supervisor = (supervisorFilter[page >>> 6] & 1L << page) != 0;
        if (user) {
            userStamp++;
        }
        if (supervisor) {
            supervisorStamp++;
        }
        return user || supervisor;
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
