package org.softkvm.emulator.translate;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/**
 * A translated region of one vcpu. Its subclass is generated; {@link #run} executes until control leaves it for good. What the run
 * loop looks at each time it enters a region lies here, beside the class that it calls, so that it is on few cache lines.
 */
public abstract class Region {
    /** Result of {@link #run}: left between two instructions; RIP says where. */
    public static final int LEFT = -1;
    /** Result of {@link #run}: left after an instruction that asks the run loop to look at events. */
    public static final int STOPPED = -2;

    /** Offset in CS of its entry. */
    public long rip;
    /** Key under which it may run without a check: {@code Cpu.context} when it was last validated; 0 when dead. */
    public long context;
    /** Times it was entered. */
    public int enters;
    /** A region that followed and may be entered at once; this one itself where there is none. */
    public Region linkA = this;
    /** Another one. */
    public Region linkB = this;
    /** What the run loop knows beside. */
    public Owner owner;
    /** The regions of the same vcpu. */
    public RegionTable around;

    /** Instructions by site: a site is a place where the region may be left in front of an instruction. */
    public Insn[] siteInsns;
    /** By site: index of the block in the plan. */
    public int[] siteBlock;
    /** By site: index of the instruction in its block. */
    public int[] siteIndex;
    /** By site: instructions completed and not yet counted. */
    public int[] sitePending;
    /** Size of the emitted method in bytes. */
    public int codeSize;
    /** Guest instructions in it. */
    public int size;
    /** Blocks of the plan in it: its first ones. */
    public int blocks;
    /** Blocks behind a CALL, by index in the plan: each has a {@link RegionEntry}. */
    public int[] entryBlocks;

    /** What a region belongs to. */
    public interface Owner {
        /**
         * Whether the region may run now; remembers the answer until the mapping changes.
         *
         * @param c the vcpu
         * @return true where it may
         */
        boolean validate(Cpu c);
    }

    /** For the subclasses. */
    protected Region() {}

    /**
     * Executes.
     *
     * @param entry 0 to begin at the region's entry, or the number of a {@link RegionEntry}
     * @return {@link #LEFT}, {@link #STOPPED}, or the site in front of whose instruction it was left, for the
     *     interpreter to execute
     */
    public abstract int run(int entry);
}
