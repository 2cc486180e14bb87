package org.softkvm.vmm.snapshot;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.zstd.ZstdDecoder;
import org.softkvm.vmm.zstd.ZstdEncoder;
import org.softkvm.vmm.zstd.ZstdException;

/**
 * Reads the content of a snapshot, field after field. The file is not trusted: whatever it holds, a field is returned or a
 * {@link VmmException} of one line thrown, and no more memory is taken than what was unpacked and the limit of a field.
 */
public final class SnapshotReader implements AutoCloseable {
    private static final int DESCRIPTOR_AT = 4;

    private final String name;
    private final InputStream in;
    private ByteBuffer piece = ByteBuffer.allocate(0);
    private long at;
    private long length;
    private long digest;
    private boolean ended;

    /**
     * Opens a file.
     *
     * @param file the file
     * @throws VmmException if it cannot be read, or is no snapshot of this version
     */
    public SnapshotReader(Path file) throws VmmException {
        this.name = file.toString();
        if (Files.isDirectory(file)) {
            throw new VmmException(name + ": is a directory");
        }
        try {
            in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        } catch (NoSuchFileException e) {
            throw new VmmException(name + ": no such file", e);
        } catch (AccessDeniedException e) {
            throw new VmmException(name + ": permission denied", e);
        } catch (IOException e) {
            throw unreadable(e);
        }
        try {
            readHead();
        } catch (VmmException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private void readHead() throws VmmException {
        ByteBuffer head =
                ByteBuffer.wrap(readUpTo(8 + SnapshotFormat.HEAD_SIZE)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] title = new byte[SnapshotFormat.name().length];
        if (head.remaining() < 8 + title.length
                || head.getInt() != SnapshotFormat.HEAD
                || head.getInt() != SnapshotFormat.HEAD_SIZE) {
            throw foreign();
        }
        head.get(title);
        if (!Arrays.equals(title, SnapshotFormat.name())) {
            throw foreign();
        }
        if (head.remaining() < 8) {
            throw cut();
        }
        int version = head.getInt();
        if (version != SnapshotFormat.VERSION) {
            throw new VmmException(name + ": a snapshot of format " + Integer.toUnsignedString(version)
                    + ", this SoftKVM reads format " + SnapshotFormat.VERSION);
        }
        if (head.getInt() != 0) {
            throw damaged("head");
        }
    }

    /**
     * The error of a file whose content makes no sense.
     *
     * @param what what is wrong
     * @return the error, to be thrown
     */
    public VmmException damaged(String what) {
        return new VmmException(name + ": the snapshot is damaged: " + what + " (before byte " + at + ")");
    }

    private VmmException foreign() {
        return new VmmException(name + ": not a snapshot of SoftKVM");
    }

    private VmmException cut() {
        return new VmmException(name + ": the snapshot is cut short at byte " + at);
    }

    private VmmException unreadable(IOException e) {
        return new VmmException(name + ": cannot be read: " + e.getMessage(), e);
    }

    private byte[] readUpTo(int size) throws VmmException {
        try {
            byte[] bytes = in.readNBytes(size);
            at += bytes.length;
            return bytes;
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private byte[] read(int size) throws VmmException {
        byte[] bytes = readUpTo(size);
        if (bytes.length < size) {
            throw cut();
        }
        return bytes;
    }

    private ByteBuffer readFrame(int magic, int size) throws VmmException {
        ByteBuffer frame = ByteBuffer.wrap(read(8)).order(ByteOrder.LITTLE_ENDIAN);
        int found = frame.getInt();
        if (found == SnapshotFormat.END && magic == SnapshotFormat.SIZES) {
            throw damaged("it ends too early");
        }
        if (found != magic || frame.getInt() != size) {
            throw damaged("no frame where one should begin");
        }
        return ByteBuffer.wrap(read(size)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void readPiece() throws VmmException {
        if (ended) {
            throw damaged("it ends too early");
        }
        ByteBuffer sizes = readFrame(SnapshotFormat.SIZES, SnapshotFormat.SIZES_SIZE);
        int compressed = sizes.getInt();
        int plain = sizes.getInt();
        if (plain <= 0 || plain > SnapshotFormat.PIECE || compressed <= 9 || compressed > ZstdEncoder.bound(plain)) {
            throw damaged("a piece of an impossible size");
        }
        byte[] frame = read(compressed);
        if (frame[DESCRIPTOR_AT] != (byte) ZstdEncoder.DESCRIPTOR) {
            throw damaged("a frame of another kind");
        }
        byte[] bytes;
        try {
            bytes = ZstdDecoder.decode(frame, 0, compressed, plain);
        } catch (ZstdException e) {
            throw damaged(e.getMessage());
        }
        if (bytes.length != plain) {
            throw damaged("a piece of another size");
        }
        piece = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        length += plain;
        digest = SnapshotFormat.digest(digest, frame, compressed);
    }

    private void need(int bytes) throws VmmException {
        // A number never lies in two pieces: the writer begins a new one instead.
        if (piece.remaining() < bytes) {
            if (piece.hasRemaining()) {
                throw damaged("a number that is cut in two");
            }
            readPiece();
        }
        if (piece.remaining() < bytes) {
            throw damaged("a number that is cut in two");
        }
    }

    /**
     * Reads a byte.
     *
     * @return 0 to 255
     * @throws VmmException if the file is damaged
     */
    public int getByte() throws VmmException {
        need(1);
        return piece.get() & 0xFF;
    }

    /**
     * Reads a byte that is 0 or 1.
     *
     * @return whether it is 1
     * @throws VmmException if the file is damaged
     */
    public boolean getFlag() throws VmmException {
        int value = getByte();
        if (value > 1) {
            throw damaged("a flag of " + value);
        }
        return value == 1;
    }

    /**
     * Reads 4 bytes.
     *
     * @return the number
     * @throws VmmException if the file is damaged
     */
    public int getInt() throws VmmException {
        need(Integer.BYTES);
        return piece.getInt();
    }

    /**
     * Reads 8 bytes.
     *
     * @return the number
     * @throws VmmException if the file is damaged
     */
    public long getLong() throws VmmException {
        need(Long.BYTES);
        return piece.getLong();
    }

    /**
     * Reads a number that counts something.
     *
     * @param what what it counts, for the message
     * @param most the most there can be
     * @return 0 to {@code most}
     * @throws VmmException if the file is damaged
     */
    public int getCount(String what, int most) throws VmmException {
        int count = getInt();
        if (count < 0 || count > most) {
            throw damaged(Integer.toUnsignedString(count) + " " + what);
        }
        return count;
    }

    /**
     * Reads a text.
     *
     * @param what what it is, for the message
     * @return the text, 64 KiB at most
     * @throws VmmException if the file is damaged
     */
    public String getText(String what) throws VmmException {
        return new String(getBytes(what, 1 << 16), StandardCharsets.UTF_8);
    }

    /**
     * Reads bytes with their number.
     *
     * @param what what they are, for the message
     * @param most the most there can be
     * @return the bytes
     * @throws VmmException if the file is damaged
     */
    public byte[] getBytes(String what, int most) throws VmmException {
        long size = getLong();
        if (size < 0 || size > most || size > Runtime.getRuntime().maxMemory() / 2) {
            throw damaged(what + " of " + Long.toUnsignedString(size) + " bytes");
        }
        // Grows with what is really there.
        byte[] bytes = new byte[(int) Math.min(size, SnapshotFormat.PIECE)];
        int filled = 0;
        while (filled < size) {
            if (filled == bytes.length) {
                bytes = Arrays.copyOf(bytes, (int) Math.min(size, 2L * filled));
            }
            int part = Math.min(bytes.length - filled, SnapshotFormat.PIECE);
            getRaw(bytes, filled, part);
            filled += part;
        }
        return bytes;
    }

    /**
     * Reads bytes whose number is known.
     *
     * @param bytes where they go
     * @param offset the first of them
     * @param size how many
     * @throws VmmException if the file is damaged
     */
    public void getRaw(byte[] bytes, int offset, int size) throws VmmException {
        int to = offset;
        int end = offset + size;
        while (to < end) {
            need(1);
            int part = Math.min(end - to, piece.remaining());
            piece.get(bytes, to, part);
            to += part;
        }
    }

    /**
     * Checks that the content ends here and is complete, and closes the file.
     *
     * @throws VmmException if it is not
     */
    public void end() throws VmmException {
        if (piece.hasRemaining()) {
            throw damaged("more than a machine");
        }
        ByteBuffer frame = readFrame(SnapshotFormat.END, SnapshotFormat.END_SIZE);
        if (frame.getLong() != length || frame.getLong() != digest) {
            throw damaged("the checksum does not match");
        }
        if (readUpTo(1).length > 0) {
            throw damaged("something follows its end");
        }
        ended = true;
        close();
    }

    /** Closes the file. */
    @Override
    public void close() {
        try {
            in.close();
        } catch (IOException e) {
            // It was only read.
        }
    }
}
