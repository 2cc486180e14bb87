package org.softkvm.vmm.pc;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The instructions that CPUs on threads of their own may still execute together: each takes some at a time. The run ends
 * when one finds nothing left; what the others have taken and not used is then less than {@link #CHUNK} each.
 */
final class InstructionBudget {
    /** What a CPU takes at a time. */
    static final long CHUNK = 100_000;

    private final AtomicLong left;
    private final int cpus;

    /** A budget for so many CPUs. */
    InstructionBudget(long instructions, int cpus) {
        this.left = new AtomicLong(instructions);
        this.cpus = cpus;
    }

    /** Takes some: 0 where nothing is left. One CPU alone takes all at once. */
    long take() {
        while (true) {
            long now = left.get();
            long part = cpus == 1 ? now : Math.min(now, CHUNK);
            if (left.compareAndSet(now, now - part)) {
                return part;
            }
        }
    }
}
