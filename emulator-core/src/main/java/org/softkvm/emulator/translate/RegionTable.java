package org.softkvm.emulator.translate;

import org.softkvm.emulator.cpu.Cpu;

/** The regions of one vcpu as code finds them: by the place where they are entered. Only the vcpu's thread uses it. */
public final class RegionTable {
    private static final int SIZE = 1 << 16;

    /** The region that was entered last at a place whose hash this is. */
    private final Region[] places = new Region[SIZE];

    /** What runs now, or null; other threads may look. */
    public Region running;

    /** Calls by {@link GuestCall} that have not returned. */
    int depth;

    /** An empty table. */
    public RegionTable() {}

    private static int slot(long rip) {
        return (int) (rip ^ rip >>> 16) & SIZE - 1;
    }

    /** Nothing has been called: to be said before a region is run from outside. */
    public void unwind() {
        depth = 0;
    }

    /**
     * Takes a region in.
     *
     * @param region one that may run now
     */
    public void put(Region region) {
        places[slot(region.rip)] = region;
    }

    /**
     * Takes a region out.
     *
     * @param region one that may be in it
     */
    public void remove(Region region) {
        int slot = slot(region.rip);
        if (places[slot] == region) {
            places[slot] = null;
        }
    }

    /**
     * Finds what is entered at a place.
     *
     * @param c the vcpu
     * @param rip offset in CS
     * @return a region that may run now, or null
     */
    public Region find(Cpu c, long rip) {
        Region r = places[slot(rip)];
        return r != null && r.rip == rip && (r.context == c.context || r.owner.validate(c)) ? r : null;
    }
}
