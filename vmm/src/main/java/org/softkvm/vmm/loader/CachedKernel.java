package org.softkvm.vmm.loader;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * A file of the {@link KernelCache}: a packed kernel and what it unpacks to.
 *
 * <p>Big-endian: {@link #MAGIC}, the lengths of the two, CRC32C of the unpacked one, the packed one, the unpacked one. The
 * packed kernel is compared byte by byte, so nobody can make another kernel with the same key.
 */
final class CachedKernel {
    /** "SKVMKRN" and the version of the format, which is also to change where a kernel would be unpacked in another way. */
    static final long MAGIC = 0x534B_564D_4B52_4E01L;

    /** Bytes in front of the packed kernel. */
    static final int HEADER = 20;

    /** Stays in the processor's second-level cache from one use to the next; larger pieces are no faster. */
    private static final int PIECE = 128 << 10;

    private CachedKernel() {}

    /**
     * Reads what a packed kernel unpacks to.
     *
     * @return the unpacked kernel; empty if the file is not of this version, is damaged or belongs to another kernel
     * @throws IOException if there is no such file, or it cannot be read
     */
    static Optional<byte[]> read(Path file, ByteBuffer packed) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        if (!attributes.isRegularFile()) {
            return Optional.empty();
        }
        try (InputStream in = new FileInputStream(file.toFile())) {
            ByteBuffer header = ByteBuffer.wrap(in.readNBytes(HEADER));
            if (header.remaining() < HEADER || header.getLong() != MAGIC || header.getInt() != packed.remaining()) {
                return Optional.empty();
            }
            int length = header.getInt();
            if (length < 0 || attributes.size() != (long) HEADER + packed.remaining() + length) {
                return Optional.empty();
            }
            return holds(in, packed) ? unpacked(in, length, header.getInt()) : Optional.empty();
        }
    }

    private static boolean holds(InputStream in, ByteBuffer packed) throws IOException {
        byte[] piece = new byte[PIECE];
        for (int at = packed.position(); at < packed.limit(); at += PIECE) {
            int length = in.readNBytes(piece, 0, Math.min(PIECE, packed.limit() - at));
            ByteBuffer wanted = packed.duplicate().position(at).limit(Math.min(at + PIECE, packed.limit()));
            if (!ByteBuffer.wrap(piece, 0, length).equals(wanted)) {
                return false;
            }
        }
        return true;
    }

    private static Optional<byte[]> unpacked(InputStream in, int length, int crc) throws IOException {
        byte[] kernel = new byte[length];
        CRC32C sum = new CRC32C();
        int at = 0;
        while (at < length) {
            int read = in.read(kernel, at, Math.min(PIECE, length - at));
            if (read < 0) {
                return Optional.empty();
            }
            sum.update(kernel, at, read);
            at += read;
        }
        return (int) sum.getValue() == crc ? Optional.of(kernel) : Optional.empty();
    }

    /** Writes a file's content. */
    static void write(WritableByteChannel out, ByteBuffer packed, byte[] kernel) throws IOException {
        CRC32C sum = new CRC32C();
        sum.update(kernel, 0, kernel.length);
        ByteBuffer header = ByteBuffer.allocate(HEADER)
                .putLong(MAGIC)
                .putInt(packed.remaining())
                .putInt(kernel.length)
                .putInt((int) sum.getValue());
        write(out, header.flip());
        write(out, packed.duplicate());
        write(out, ByteBuffer.wrap(kernel));
    }

    /** In pieces, for which the JDK needs no large buffer of its own, and between which the thread can be stopped. */
    private static void write(WritableByteChannel out, ByteBuffer bytes) throws IOException {
        int end = bytes.limit();
        while (bytes.position() < end) {
            bytes.limit(Math.min(bytes.position() + PIECE, end));
            out.write(bytes);
        }
    }
}
