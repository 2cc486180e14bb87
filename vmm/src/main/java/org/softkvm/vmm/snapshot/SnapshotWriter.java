package org.softkvm.vmm.snapshot;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.softkvm.vmm.zstd.ZstdEncoder;

/** Writes the content of a snapshot, field after field. */
public final class SnapshotWriter {
    private final OutputStream out;
    private final ZstdEncoder encoder = new ZstdEncoder();
    private final ByteBuffer piece = ByteBuffer.allocate(SnapshotFormat.PIECE).order(ByteOrder.LITTLE_ENDIAN);
    private final byte[] frame = new byte[ZstdEncoder.bound(SnapshotFormat.PIECE)];
    private long length;
    private long digest;

    /**
     * Begins a file.
     *
     * @param out where it goes; the caller closes it
     * @throws IOException if it cannot be written
     */
    public SnapshotWriter(OutputStream out) throws IOException {
        this.out = out;
        ByteBuffer head = skippable(SnapshotFormat.HEAD, SnapshotFormat.HEAD_SIZE);
        out.write(head.put(SnapshotFormat.name())
                .putInt(SnapshotFormat.VERSION)
                .putInt(0)
                .array());
    }

    private static ByteBuffer skippable(int magic, int size) {
        return ByteBuffer.allocate(8 + size)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(magic)
                .putInt(size);
    }

    /**
     * Writes a byte.
     *
     * @param value its low 8 bits
     * @throws IOException if that fails
     */
    public void putByte(int value) throws IOException {
        room(1);
        piece.put((byte) value);
    }

    /**
     * Writes 4 bytes.
     *
     * @param value the number
     * @throws IOException if that fails
     */
    public void putInt(int value) throws IOException {
        room(Integer.BYTES);
        piece.putInt(value);
    }

    /**
     * Writes 8 bytes.
     *
     * @param value the number
     * @throws IOException if that fails
     */
    public void putLong(long value) throws IOException {
        room(Long.BYTES);
        piece.putLong(value);
    }

    /**
     * Writes a text.
     *
     * @param text the text
     * @throws IOException if that fails
     */
    public void putText(String text) throws IOException {
        putBytes(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Writes bytes with their number.
     *
     * @param bytes the bytes
     * @throws IOException if that fails
     */
    public void putBytes(byte[] bytes) throws IOException {
        putLong(bytes.length);
        putRaw(bytes, 0, bytes.length);
    }

    /**
     * Writes bytes whose number the reader knows.
     *
     * @param bytes where they are
     * @param offset the first of them
     * @param size how many
     * @throws IOException if that fails
     */
    public void putRaw(byte[] bytes, int offset, int size) throws IOException {
        int at = offset;
        int end = offset + size;
        while (at < end) {
            room(1);
            int part = Math.min(end - at, piece.remaining());
            piece.put(bytes, at, part);
            at += part;
        }
    }

    private void room(int bytes) throws IOException {
        if (piece.remaining() < bytes) {
            writePiece();
        }
    }

    private void writePiece() throws IOException {
        int plain = piece.position();
        int compressed = encoder.encode(piece.array(), plain, frame);
        out.write(skippable(SnapshotFormat.SIZES, SnapshotFormat.SIZES_SIZE)
                .putInt(compressed)
                .putInt(plain)
                .array());
        out.write(frame, 0, compressed);
        length += plain;
        digest = SnapshotFormat.digest(digest, frame, compressed);
        piece.clear();
    }

    /**
     * Ends the file.
     *
     * @throws IOException if that fails
     */
    public void end() throws IOException {
        if (piece.position() > 0) {
            writePiece();
        }
        out.write(skippable(SnapshotFormat.END, SnapshotFormat.END_SIZE)
                .putLong(length)
                .putLong(digest)
                .array());
    }
}
