package org.softkvm.vmm.zstd;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Makes Zstandard frames (RFC 8878) of up to 2 MiB each, with their size and a checksum. It looks for matches as the
 * fast levels of the reference implementation do: one candidate by a hash of five bytes and the last offset, taken
 * greedily. Literals get a Huffman code for each block, sequences the format's default tables.
 *
 * <p>Made once and reused, by one thread at a time.
 */
public final class ZstdEncoder {
    /** The most bytes that one frame may hold. */
    public static final int MAX_SIZE = 2 << 20;

    /** The frame header descriptor of all frames: content size of 4 bytes, single segment, checksum. */
    public static final int DESCRIPTOR = 0xA4;

    private static final int MAGIC = 0xFD2F_B528;
    private static final int MAX_BLOCK = 128 << 10;
    private static final int HASH_BITS = 15;
    private static final int MIN_MATCH = 5;

    /** Bytes behind the present position that a look at 8 bytes needs. */
    private static final int LOOK = 8;

    /** After so many bytes without a match the steps become longer. */
    private static final int PATIENCE = 8;

    /** Huffman coding of less does not pay for its table. */
    private static final int MIN_CODED = 64;

    /** Literals of more are four streams. */
    private static final int MAX_ONE_STREAM = 1023;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    /** Positions by hash, plus 1. */
    private final int[] positions = new int[1 << HASH_BITS];

    private final byte[] literals = new byte[MAX_BLOCK];
    private int literalsSize;
    private final int[] counts = new int[256];

    private static final int MAX_SEQUENCES = MAX_BLOCK / MIN_MATCH + 1;
    private final int[] lengths = new int[MAX_SEQUENCES];
    private final int[] offsets = new int[MAX_SEQUENCES];
    private final int[] matches = new int[MAX_SEQUENCES];
    private int sequences;

    private final int[] repeats = new int[3];

    /** A block as it is made: what outgrows the block itself is given up. */
    private final byte[] block = new byte[3 * MAX_BLOCK];

    /** Makes an encoder. */
    public ZstdEncoder() {}

    /**
     * The size of an array that any frame of so many bytes fits in.
     *
     * @param length how many bytes are compressed
     * @return the size in bytes
     */
    public static int bound(int length) {
        return length + 3 * (length / MAX_BLOCK + 1) + 13;
    }

    /**
     * Makes one frame.
     *
     * @param in what is compressed
     * @param length how many bytes from the start of {@code in}; {@link #MAX_SIZE} at most
     * @param out where the frame goes; {@link #bound} bytes at least
     * @return the size of the frame in bytes
     */
    public int encode(byte[] in, int length, byte[] out) {
        if (length < 0 || length > MAX_SIZE || out.length < bound(length)) {
            throw new IllegalArgumentException(length + " bytes into " + out.length);
        }
        INT.set(out, 0, MAGIC);
        out[4] = (byte) DESCRIPTOR;
        INT.set(out, 5, length);
        Arrays.fill(positions, 0);
        repeats[0] = 1;
        repeats[1] = 4;
        repeats[2] = 8;
        int at = 9;
        int from = 0;
        do {
            int size = Math.min(MAX_BLOCK, length - from);
            at = block(in, from, from + size, from + size == length, out, at);
            from += size;
        } while (from < length);
        INT.set(out, at, (int) Xxh64.hash(in, length));
        return at + 4;
    }

    private int block(byte[] in, int from, int to, boolean last, byte[] out, int at) {
        int size = to - from;
        int end = last ? 1 : 0;
        if (size > 1 && isRepeated(in, from, to)) {
            header(end | 1 << 1 | size << 3, out, at);
            out[at + 3] = in[from];
            return at + 4;
        }
        int before0 = repeats[0];
        int before1 = repeats[1];
        int before2 = repeats[2];
        findMatches(in, from, to);
        int coded = size < 16 ? size : writeSequences(writeLiterals());
        if (coded < size) {
            header(end | 2 << 1 | coded << 3, out, at);
            System.arraycopy(block, 0, out, at + 3, coded);
            return at + 3 + coded;
        }
        // A raw block has no sequences, so it leaves the offsets as they were.
        repeats[0] = before0;
        repeats[1] = before1;
        repeats[2] = before2;
        header(end | size << 3, out, at);
        System.arraycopy(in, from, out, at + 3, size);
        return at + 3 + size;
    }

    private static void header(int value, byte[] out, int at) {
        out[at] = (byte) value;
        out[at + 1] = (byte) (value >>> 8);
        out[at + 2] = (byte) (value >>> 16);
    }

    private static boolean isRepeated(byte[] in, int from, int to) {
        return Arrays.mismatch(in, from, to - 1, in, from + 1, to) < 0;
    }

    // ---- Matches

    private static int hash(long bytes) {
        return (int) ((bytes << 24) * 0xCF1B_BCDC_B700_0000L >>> 64 - HASH_BITS);
    }

    private void findMatches(byte[] in, int from, int to) {
        sequences = 0;
        literalsSize = 0;
        int anchor = from;
        int at = from;
        int stop = to - LOOK;
        while (at < stop) {
            long bytes = (long) LONG.get(in, at);
            int hash = hash(bytes);
            int candidate = positions[hash] - 1;
            positions[hash] = at + 1;
            int repeat = at + 1 - repeats[0];
            int start;
            int source;
            if (repeat >= 0 && (int) INT.get(in, repeat) == (int) (bytes >>> 8)) {
                start = at + 1;
                source = repeat;
            } else if (candidate >= 0 && ((long) LONG.get(in, candidate) ^ bytes) << 24 == 0) {
                start = at;
                source = candidate;
                while (start > anchor && source > 0 && in[start - 1] == in[source - 1]) {
                    start--;
                    source--;
                }
            } else {
                at += 1 + (at - anchor >> PATIENCE);
                continue;
            }
            int length = Arrays.mismatch(in, source, to - (start - source), in, start, to);
            length = length < 0 ? to - start : length;
            add(in, anchor, start - anchor, start - source, length);
            at = start + length;
            anchor = at;
            if (at < stop) {
                positions[hash((long) LONG.get(in, at - 2))] = at - 1;
            }
        }
        copyLiterals(in, anchor, to - anchor);
    }

    private void copyLiterals(byte[] in, int from, int length) {
        System.arraycopy(in, from, literals, literalsSize, length);
        literalsSize += length;
    }

    /** Adds a sequence: some literals, then a match. */
    private void add(byte[] in, int from, int length, int offset, int match) {
        copyLiterals(in, from, length);
        lengths[sequences] = length;
        matches[sequences] = match;
        if (offset == repeats[0] && length > 0) {
            offsets[sequences] = 1;
        } else {
            offsets[sequences] = offset + 3;
            repeats[2] = repeats[1];
            repeats[1] = repeats[0];
            repeats[0] = offset;
        }
        sequences++;
    }

    // ---- The parts of a block

    /** Writes the literals section; returns where it ends. */
    private int writeLiterals() {
        if (literalsSize >= MIN_CODED) {
            Arrays.fill(counts, 0);
            int most = 0;
            for (int i = 0; i < literalsSize; i++) {
                most = Math.max(most, ++counts[literals[i] & 0xFF]);
            }
            // Nearly even counts give nothing.
            if (most < literalsSize && most > literalsSize >> 7) {
                int end = writeCoded();
                if (end > 0 && end < literalsSize) {
                    return end;
                }
            }
        }
        return writeRaw();
    }

    private int writeRaw() {
        int start;
        if (literalsSize < 32) {
            block[0] = (byte) (literalsSize << 3);
            start = 1;
        } else if (literalsSize < 4096) {
            block[0] = (byte) (1 << 2 | literalsSize << 4);
            block[1] = (byte) (literalsSize >>> 4);
            start = 2;
        } else {
            header(3 << 2 | literalsSize << 4, block, 0);
            start = 3;
        }
        System.arraycopy(literals, 0, block, start, literalsSize);
        return start + literalsSize;
    }

    /** Writes the literals by a Huffman code; -1 where that does not pay. */
    private int writeCoded() {
        HuffmanEncoder huffman = new HuffmanEncoder(counts);
        if (huffman.estimate(counts) >= literalsSize) {
            return -1;
        }
        boolean one = literalsSize <= MAX_ONE_STREAM;
        int format = one ? 0 : literalsSize < 1 << 14 ? 2 : 3;
        int width = format < 2 ? 10 : format == 2 ? 14 : 18;
        int start = format < 2 ? 3 : format + 2;
        int at = huffman.describe(block, start);
        if (at < 0) {
            return -1;
        }
        if (one) {
            at += huffman.encode(literals, 0, literalsSize, block, at);
        } else {
            int jumps = at;
            at += 6;
            int part = (literalsSize + 3) / 4;
            for (int i = 0; i < 4; i++) {
                int size = huffman.encode(literals, i * part, i < 3 ? part : literalsSize - 3 * part, block, at);
                if (i < 3) {
                    block[jumps + 2 * i] = (byte) size;
                    block[jumps + 2 * i + 1] = (byte) (size >>> 8);
                }
                at += size;
            }
        }
        int coded = at - start;
        if (coded >= literalsSize) {
            return -1;
        }
        long header = 2 | format << 2 | (long) literalsSize << 4 | (long) coded << 4 + width;
        for (int i = 0; i < start; i++) {
            block[i] = (byte) (header >>> 8 * i);
        }
        return at;
    }

    /** Writes the sequences section behind the literals; returns where it ends. */
    private int writeSequences(int start) {
        int at = start;
        if (sequences < 128) {
            block[at++] = (byte) sequences;
        } else if (sequences < 0x7F00) {
            block[at++] = (byte) (128 + (sequences >>> 8));
            block[at++] = (byte) sequences;
        } else {
            block[at++] = (byte) 255;
            block[at++] = (byte) (sequences - 0x7F00);
            block[at++] = (byte) (sequences - 0x7F00 >>> 8);
        }
        if (sequences == 0) {
            return at;
        }
        // All three tables are the default ones.
        block[at++] = 0;
        BitWriter out = new BitWriter(block, at);
        FseEncoder lengthTable = SequenceCodes.LITERALS_LENGTH.defaultEncoder;
        FseEncoder offsetTable = SequenceCodes.OFFSET.defaultEncoder;
        FseEncoder matchTable = SequenceCodes.MATCH_LENGTH.defaultEncoder;
        int lengthState = 0;
        int offsetState = 0;
        int matchState = 0;
        for (int i = sequences - 1; i >= 0; i--) {
            int length = SequenceCodes.LITERALS_LENGTH.code(lengths[i]);
            int offset = SequenceCodes.OFFSET.code(offsets[i]);
            int match = SequenceCodes.MATCH_LENGTH.code(matches[i]);
            if (i == sequences - 1) {
                lengthState = lengthTable.last(length);
                offsetState = offsetTable.last(offset);
                matchState = matchTable.last(match);
            } else {
                offsetState = offsetTable.previous(offset, offsetState, out);
                matchState = matchTable.previous(match, matchState, out);
                lengthState = lengthTable.previous(length, lengthState, out);
            }
            SequenceCodes.LITERALS_LENGTH.rest(lengths[i], length, out);
            SequenceCodes.MATCH_LENGTH.rest(matches[i], match, out);
            SequenceCodes.OFFSET.rest(offsets[i], offset, out);
        }
        matchTable.first(matchState, out);
        offsetTable.first(offsetState, out);
        lengthTable.first(lengthState, out);
        return at + out.finish();
    }
}
