package org.softkvm.kvm.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A caller's bitmap where the kernel can reach it: the caller's own memory, or a copy of an array. */
final class NativeBitmap implements AutoCloseable {
    private final MemorySegment callers;
    private final Arena arena;
    private final MemorySegment segment;

    NativeBitmap(MemorySegment callers, boolean read) {
        this.callers = callers;
        if (callers.isNative()) {
            arena = null;
            segment = callers;
        } else {
            arena = Arena.ofConfined();
            segment = arena.allocate(Math.max(callers.byteSize(), 8), 8);
            if (read) {
                segment.copyFrom(callers);
            }
        }
    }

    MemorySegment segment() {
        return segment;
    }

    /** Hands the contents to the caller. */
    void giveBack() {
        if (arena != null) {
            MemorySegment.copy(segment, 0, callers, 0, callers.byteSize());
        }
    }

    @Override
    public void close() {
        if (arena != null) {
            arena.close();
        }
    }
}
