package org.softkvm.vmm.loader;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.zstd.ZstdDecoder;
import org.tukaani.xz.SingleXZInputStream;

/** Unpacks compressed kernels. */
final class Decompressor {
    /** Largest result in bytes; guards the host against decompression bombs. */
    private static final int MAX_OUTPUT = 512 << 20;

    /** A result that is announced to be larger than this times its compressed form gets no memory before it is there. */
    private static final int LIKELY_RATIO = 16;

    /** Memory that the xz decoder may take, in KiB: the largest dictionary a preset uses, and some. */
    private static final int XZ_MEMORY_KIB = 160 << 10;

    private Decompressor() {}

    /** A stream over compressed bytes. */
    private interface Opener {
        InputStream open(InputStream in) throws IOException;
    }

    static boolean isGzip(byte[] data) {
        return data.length > 18 && data[0] == 0x1F && data[1] == (byte) 0x8B;
    }

    /**
     * Unpacks one compressed stream; bytes behind its end are ignored (a kernel's payload ends in a 4-byte size).
     *
     * @throws VmmException if the format is not supported or the data are damaged
     */
    static byte[] decompress(GuestFile file, int offset, int length) throws VmmException {
        byte[] data = file.data();
        if (starts(data, offset, 0xFD, '7', 'z', 'X', 'Z', 0)) {
            return read(file, offset, length, "xz", in -> new SingleXZInputStream(in, XZ_MEMORY_KIB));
        }
        if (starts(data, offset, 0x1F, 0x8B)) {
            return read(file, offset, length, "gzip", in -> new GZIPInputStream(in, 1 << 16));
        }
        if (starts(data, offset, 0x28, 0xB5, 0x2F, 0xFD)) {
            return zstd(file, offset, length);
        }
        throw new VmmException(file.name() + ": kernel compressed with " + formatName(data, offset)
                + ", which is not supported (xz, gzip and zstd are)");
    }

    private static byte[] read(GuestFile file, int offset, int length, String format, Opener opener)
            throws VmmException {
        try (InputStream in = opener.open(new ByteArrayInputStream(file.data(), offset, length))) {
            // In one piece where the last four bytes say how long it is, as in a gzip file and behind a kernel's
            // payload.
            long announced = length < 4 ? 0 : size(file.data(), offset + length - 4);
            byte[] result = new byte
                    [(int) (announced <= MAX_OUTPUT && announced <= (long) length * LIKELY_RATIO ? announced : 0)];
            int read = in.readNBytes(result, 0, result.length);
            byte[] rest = in.readNBytes(MAX_OUTPUT + 1 - read);
            if (rest.length > MAX_OUTPUT - read) {
                throw tooLarge(file);
            }
            if (rest.length > 0 || read < result.length) {
                result = Arrays.copyOf(result, read + rest.length);
                System.arraycopy(rest, 0, result, read, rest.length);
            }
            return result;
        } catch (IOException e) {
            throw damaged(file, format, e);
        }
    }

    private static long size(byte[] data, int at) {
        return ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).getInt(at) & 0xFFFF_FFFFL;
    }

    private static byte[] zstd(GuestFile file, int offset, int length) throws VmmException {
        try {
            return ZstdDecoder.decode(file.data(), offset, length, MAX_OUTPUT);
        } catch (IOException e) {
            throw damaged(file, "zstd", e);
        }
    }

    private static VmmException tooLarge(GuestFile file) {
        return new VmmException(file.name() + ": unpacks to more than " + (MAX_OUTPUT >> 20) + " MiB");
    }

    private static VmmException damaged(GuestFile file, String format, IOException cause) {
        String why = cause.getMessage() == null ? "unexpected end" : cause.getMessage();
        return new VmmException(file.name() + ": damaged " + format + " data: " + why, cause);
    }

    private static boolean starts(byte[] data, int offset, int... magic) {
        if (offset + magic.length > data.length) {
            return false;
        }
        for (int i = 0; i < magic.length; i++) {
            if (data[offset + i] != (byte) magic[i]) {
                return false;
            }
        }
        return true;
    }

    private static String formatName(byte[] data, int offset) {
        if (starts(data, offset, 'B', 'Z', 'h')) {
            return "bzip2";
        }
        if (starts(data, offset, 0x5D, 0, 0)) {
            return "lzma";
        }
        if (starts(data, offset, 0x89, 'L', 'Z', 'O')) {
            return "lzo";
        }
        if (starts(data, offset, 0x02, 0x21, 0x4C, 0x18)) {
            return "lz4";
        }
        return String.format(
                "an unknown method (it starts with %02x %02x %02x %02x)",
                data[offset], data[offset + 1], data[offset + 2], data[offset + 3]);
    }
}
