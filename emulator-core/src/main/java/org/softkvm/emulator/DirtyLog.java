package org.softkvm.emulator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Which pages of a slot were written: one bit a page, set by any thread.
 *
 * <p>A vcpu marks a page before it stores into it and before it gets a TLB entry for stores, so a page whose bit is clear
 * has no such entry, and a store through one costs nothing. Who clears bits has the vcpus drop their entries before it
 * looks at the pages. Everyone else marks after the store, behind a full fence.
 */
final class DirtyLog {
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
    private static final ValueLayout.OfLong BITS = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int pages;
    private final long[] words;

    /** A log in which all pages are clean. */
    DirtyLog(int pages) {
        this.pages = pages;
        words = new long[pages + 63 >>> 6];
    }

    int pages() {
        return pages;
    }

    void mark(int page) {
        long bit = 1L << page;
        if (((long) WORD.getOpaque(words, page >>> 6) & bit) == 0) {
            WORD.getAndBitwiseOr(words, page >>> 6, bit);
        }
    }

    /** Before anyone else knows the log. */
    void markAll() {
        Arrays.fill(words, -1);
        if ((pages & 63) != 0) {
            words[words.length - 1] = (1L << pages) - 1;
        }
    }

    void copyTo(MemorySegment bitmap) {
        for (int w = 0; w < words.length; w++) {
            bitmap.set(BITS, 8L * w, (long) WORD.getVolatile(words, w));
        }
    }

    /** Copies and clears; false where all pages were clean. */
    boolean moveTo(MemorySegment bitmap) {
        boolean any = false;
        for (int w = 0; w < words.length; w++) {
            long taken = (long) WORD.getVolatile(words, w) == 0 ? 0 : (long) WORD.getAndSet(words, w, 0L);
            bitmap.set(BITS, 8L * w, taken);
            any |= taken != 0;
        }
        return any;
    }

    /** Clears the pages whose bit is set, the first of which is a multiple of 64; false where they all were clean. */
    boolean clear(int firstPage, int count, MemorySegment bitmap) {
        boolean any = false;
        for (int n = 0; n < count; n += 64) {
            long mask = bitmap.get(BITS, n >>> 3);
            if (mask != 0) {
                any |= ((long) WORD.getAndBitwiseAnd(words, firstPage + n >>> 6, ~mask) & mask) != 0;
            }
        }
        return any;
    }
}
