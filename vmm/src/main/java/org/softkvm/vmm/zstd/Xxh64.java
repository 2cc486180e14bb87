package org.softkvm.vmm.zstd;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The XXH64 hash with seed 0, whose lower half is the checksum of a frame. */
public final class Xxh64 {
    private static final long PRIME1 = 0x9E37_79B1_85EB_CA87L;
    private static final long PRIME2 = 0xC2B2_AE3D_27D4_EB4FL;
    private static final long PRIME3 = 0x1656_67B1_9E37_79F9L;
    private static final long PRIME4 = 0x85EB_CA77_C2B2_AE63L;
    private static final long PRIME5 = 0x27D4_EB2F_1656_67C5L;

    private Xxh64() {}

    /**
     * Hashes bytes.
     *
     * @param data where they are
     * @param length how many, from the start
     * @return the hash
     */
    public static long hash(byte[] data, int length) {
        ByteBuffer in = ByteBuffer.wrap(data, 0, length).order(ByteOrder.LITTLE_ENDIAN);
        long hash;
        if (length >= 32) {
            long a = PRIME1 + PRIME2;
            long b = PRIME2;
            long c = 0;
            long d = -PRIME1;
            while (in.remaining() >= 32) {
                a = round(a, in.getLong());
                b = round(b, in.getLong());
                c = round(c, in.getLong());
                d = round(d, in.getLong());
            }
            hash = Long.rotateLeft(a, 1) + Long.rotateLeft(b, 7) + Long.rotateLeft(c, 12) + Long.rotateLeft(d, 18);
            hash = merge(merge(merge(merge(hash, a), b), c), d);
        } else {
            hash = PRIME5;
        }
        hash += length;
        while (in.remaining() >= 8) {
            hash = Long.rotateLeft(hash ^ round(0, in.getLong()), 27) * PRIME1 + PRIME4;
        }
        if (in.remaining() >= 4) {
            hash = Long.rotateLeft(hash ^ (in.getInt() & 0xFFFF_FFFFL) * PRIME1, 23) * PRIME2 + PRIME3;
        }
        while (in.hasRemaining()) {
            hash = Long.rotateLeft(hash ^ (in.get() & 0xFF) * PRIME5, 11) * PRIME1;
        }
        hash = (hash ^ hash >>> 33) * PRIME2;
        hash = (hash ^ hash >>> 29) * PRIME3;
        return hash ^ hash >>> 32;
    }

    private static long round(long lane, long input) {
        return Long.rotateLeft(lane + input * PRIME2, 31) * PRIME1;
    }

    private static long merge(long hash, long lane) {
        return (hash ^ round(0, lane)) * PRIME1 + PRIME4;
    }
}
