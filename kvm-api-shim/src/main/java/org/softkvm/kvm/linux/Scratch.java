package org.softkvm.kvm.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.softkvm.kvm.abi.Fields;

/** Memory for the structures of one call, a piece for each thread, so that a call allocates nothing. */
final class Scratch {
    /** The largest structure that goes in here: struct kvm_irqchip. */
    static final int SIZE = 1024;

    private static final ThreadLocal<MemorySegment> SEGMENT =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(SIZE, 16));

    private Scratch() {}

    /** The thread's memory, with the first bytes 0. */
    static MemorySegment zeroed(long bytes) {
        MemorySegment segment = SEGMENT.get();
        Fields.zero(segment, 0, bytes);
        return segment;
    }
}
