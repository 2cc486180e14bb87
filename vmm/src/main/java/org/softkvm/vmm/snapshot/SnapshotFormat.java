package org.softkvm.vmm.snapshot;

import java.nio.charset.StandardCharsets;
import org.softkvm.vmm.zstd.Xxh64;

/** What writer and reader of a snapshot agree on. */
public final class SnapshotFormat {
    /** The version of the format; another one is refused. */
    public static final int VERSION = 1;

    /** Plain bytes of a piece, at most. */
    static final int PIECE = 1 << 20;

    /** The skippable frames of the head, before each piece and at the end. */
    static final int HEAD = 0x184D_2A53;

    static final int SIZES = 0x184D_2A54;
    static final int END = 0x184D_2A55;

    /** Bytes of these frames behind their magic and size. */
    static final int HEAD_SIZE = 24;

    static final int SIZES_SIZE = 8;
    static final int END_SIZE = 16;

    private static final long MULTIPLIER = 0x9E37_79B9_7F4A_7C15L;

    private SnapshotFormat() {}

    static byte[] name() {
        return "SoftKVM snapshot".getBytes(StandardCharsets.US_ASCII);
    }

    /** The digest of the frames with one more. */
    static long digest(long before, byte[] frame, int length) {
        return (Long.rotateLeft(before, 23) ^ Xxh64.hash(frame, length)) * MULTIPLIER;
    }
}
