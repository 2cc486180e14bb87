package org.softkvm.emulator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A 64-bit digest of guest memory. Pages of zeros add nothing to it, so memory that was never touched and memory that
 * was cleared give the same; and memory that was never touched is not made to exist by looking at it.
 */
public final class MemoryDigest {
    private static final int PAGE = HostMemory.PAGE_SIZE;
    private static final int CHUNK = 1 << 20;
    private static final long MULTIPLIER = 0x9E37_79B9_7F4A_7C15L;
    private static final long MULTIPLIER_2 = 0xC2B2_AE3D_27D4_EB4FL;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private MemoryDigest() {}

    /**
     * Digests memory.
     *
     * @param memory any segment; bytes behind its last multiple of 8 do not count
     * @return the digest; where two segments differ it differs but by chance
     */
    public static long of(MemorySegment memory) {
        long pool = HostMemory.offsetOf(memory);
        MemorySegment zeros = MemorySegment.ofArray(new long[PAGE / Long.BYTES]);
        ByteBuffer buffer = pool >= 0 ? ByteBuffer.allocateDirect(CHUNK) : null;
        long digest = 0;
        for (long start = 0; start < memory.byteSize(); start += CHUNK) {
            long length = Math.min(CHUNK, memory.byteSize() - start);
            MemorySegment chunk = memory.asSlice(start, length);
            if (pool >= 0 && HostMemory.readSparse(pool + start, buffer.clear().limit((int) length))) {
                chunk = MemorySegment.ofBuffer(buffer.flip());
            }
            for (long at = 0; at < length; at += PAGE) {
                long size = Math.min(PAGE, length - at);
                if (MemorySegment.mismatch(chunk, at, at + size, zeros, 0, size) >= 0) {
                    digest += page(chunk, at, size, start + at);
                }
            }
        }
        return digest;
    }

    /** Four independent chains, for the sake of speed. */
    private static long page(MemorySegment memory, long start, long size, long address) {
        long a = address * MULTIPLIER + 1;
        long b = a ^ MULTIPLIER;
        long c = a ^ MULTIPLIER_2;
        long d = ~a;
        long at = start;
        for (; at + 32 <= start + size; at += 32) {
            a = (a ^ memory.get(LONG, at)) * MULTIPLIER;
            b = (b ^ memory.get(LONG, at + 8)) * MULTIPLIER;
            c = (c ^ memory.get(LONG, at + 16)) * MULTIPLIER;
            d = (d ^ memory.get(LONG, at + 24)) * MULTIPLIER;
            a ^= a >>> 32;
            b ^= b >>> 32;
            c ^= c >>> 32;
            d ^= d >>> 32;
        }
        for (; at + 8 <= start + size; at += 8) {
            a = (a ^ memory.get(LONG, at)) * MULTIPLIER;
            a ^= a >>> 32;
        }
        long mixed = ((a * 3 ^ b) * MULTIPLIER_2 + (c * 5 ^ d)) * MULTIPLIER;
        return mixed ^ mixed >>> 31;
    }
}
