package org.softkvm.vmm.zstd;

import java.util.Arrays;

/** Decodes one Zstandard frame (RFC 8878). */
public final class ZstdDecoder {
    private static final int MAGIC = 0xFD2F_B528;
    private static final int MAX_BLOCK = 128 << 10;

    private static final int LITERALS_RAW = 0;
    private static final int LITERALS_RLE = 1;
    private static final int LITERALS_TREELESS = 3;

    private final byte[] in;
    private final int maxOutput;
    private int at;
    private int end;

    private byte[] out;
    private int outSize;

    private final byte[] literals = new byte[MAX_BLOCK];
    private int literalsSize;
    private HuffmanTable huffman;
    private final FseTable[] tables = new FseTable[3];
    private final int[] repeats = {1, 4, 8};

    private ZstdDecoder(byte[] in, int offset, int length, int maxOutput) {
        this.in = in;
        this.at = offset;
        this.end = offset + length;
        this.maxOutput = maxOutput;
    }

    /**
     * Decodes the first frame of some data; what follows it is ignored.
     *
     * @param data the compressed data
     * @param offset where the frame begins
     * @param length how many bytes there are from there on
     * @param maxOutput the most bytes that the result may have
     * @return the result
     * @throws ZstdException if the data are damaged, need a dictionary, or give more than {@code maxOutput}
     */
    public static byte[] decode(byte[] data, int offset, int length, int maxOutput) throws ZstdException {
        return new ZstdDecoder(data, offset, length, maxOutput).frame();
    }

    private byte[] frame() throws ZstdException {
        if ((int) number(4) != MAGIC) {
            throw new ZstdException("not a Zstandard frame");
        }
        int descriptor = (int) number(1);
        boolean single = (descriptor & 0x20) != 0;
        if ((descriptor & 0x08) != 0) {
            throw new ZstdException("reserved bit in the frame header");
        }
        if (!single) {
            number(1); // the window: all output is kept, so its size does not matter
        }
        if (number((1 << (descriptor & 3)) >> 1) != 0) {
            throw new ZstdException("frame that needs a dictionary");
        }
        int sizeFlag = descriptor >> 6;
        int sizeBytes = sizeFlag == 0 ? (single ? 1 : 0) : 1 << sizeFlag;
        long contentSize = sizeBytes == 0 ? -1 : number(sizeBytes) + (sizeBytes == 2 ? 256 : 0);
        if (sizeBytes != 0 && (contentSize < 0 || contentSize > maxOutput)) {
            throw tooLarge();
        }
        out = new byte[contentSize >= 0 ? (int) contentSize : 1 << 16];
        boolean last;
        do {
            int header = (int) number(3);
            last = (header & 1) != 0;
            block(header >> 1 & 3, header >> 3);
        } while (!last);
        if (contentSize >= 0 && outSize != contentSize) {
            throw new ZstdException("frame of " + outSize + " bytes that announced " + contentSize);
        }
        if ((descriptor & 4) != 0 && (int) number(4) != (int) Xxh64.hash(out, outSize)) {
            throw new ZstdException("checksum mismatch");
        }
        return outSize == out.length ? out : Arrays.copyOf(out, outSize);
    }

    private void block(int type, int size) throws ZstdException {
        if (size > MAX_BLOCK) {
            throw new ZstdException("block of " + size + " bytes");
        }
        switch (type) {
            case 0 -> {
                need(size);
                room(size);
                System.arraycopy(in, at, out, outSize, size);
                outSize += size;
                at += size;
            }
            case 1 -> {
                byte value = (byte) number(1);
                room(size);
                Arrays.fill(out, outSize, outSize + size, value);
                outSize += size;
            }
            case 2 -> {
                need(size);
                int frameEnd = end;
                end = at + size;
                readLiterals();
                sequences();
                at = end;
                end = frameEnd;
            }
            default -> throw new ZstdException("block of a reserved type");
        }
    }

    private void readLiterals() throws ZstdException {
        int first = (int) number(1);
        int type = first & 3;
        int format = first >> 2 & 3;
        if (type == LITERALS_RAW || type == LITERALS_RLE) {
            literalsSize = switch (format) {
                case 1 -> first >> 4 | (int) number(1) << 4;
                case 3 -> first >> 4 | (int) number(2) << 4;
                default -> first >> 3;
            };
            checkLiterals();
            if (type == LITERALS_RAW) {
                need(literalsSize);
                System.arraycopy(in, at, literals, 0, literalsSize);
                at += literalsSize;
            } else {
                Arrays.fill(literals, 0, literalsSize, (byte) number(1));
            }
            return;
        }
        int width = format < 2 ? 10 : format == 2 ? 14 : 18;
        long header = first | number(format < 2 ? 2 : format + 1) << 8;
        literalsSize = (int) (header >> 4) & (1 << width) - 1;
        int compressed = (int) (header >> 4 + width) & (1 << width) - 1;
        checkLiterals();
        need(compressed);
        int streams = at;
        int streamsEnd = at + compressed;
        if (type != LITERALS_TREELESS) {
            HuffmanTable.Described described = HuffmanTable.read(in, at, streamsEnd);
            huffman = described.table();
            streams = described.end();
        } else if (huffman == null) {
            throw new ZstdException("literals without a Huffman tree");
        }
        if (format == 0) {
            huffman.decode(in, streams, streamsEnd - streams, literals, 0, literalsSize);
        } else {
            fourStreams(streams, streamsEnd);
        }
        at = streamsEnd;
    }

    private void fourStreams(int start, int streamsEnd) throws ZstdException {
        if (streamsEnd - start < 6) {
            throw cut();
        }
        int part = (literalsSize + 3) / 4;
        int stream = start + 6;
        int filled = 0;
        for (int i = 0; i < 4; i++) {
            int jump = start + 2 * i;
            int length = i < 3 ? in[jump] & 0xFF | (in[jump + 1] & 0xFF) << 8 : streamsEnd - stream;
            int count = i < 3 ? part : literalsSize - 3 * part;
            if (length < 0 || length > streamsEnd - stream || count < 0) {
                throw new ZstdException("damaged literals");
            }
            huffman.decode(in, stream, length, literals, filled, count);
            stream += length;
            filled += count;
        }
    }

    private void checkLiterals() throws ZstdException {
        if (literalsSize > MAX_BLOCK) {
            throw new ZstdException(literalsSize + " literals in a block");
        }
    }

    private void sequences() throws ZstdException {
        int count = (int) number(1);
        if (count >= 128) {
            count = count == 255 ? (int) number(2) + 0x7F00 : (count - 128 << 8) + (int) number(1);
        }
        int used = 0;
        if (count > 0) {
            int modes = (int) number(1);
            if ((modes & 3) != 0) {
                throw new ZstdException("reserved bits of a sequences section");
            }
            for (SequenceCodes codes : SequenceCodes.values()) {
                readTable(codes, modes >> 6 - 2 * codes.ordinal() & 3);
            }
            used = execute(count);
        }
        int rest = literalsSize - used;
        room(rest);
        System.arraycopy(literals, used, out, outSize, rest);
        outSize += rest;
    }

    private void readTable(SequenceCodes codes, int mode) throws ZstdException {
        int index = codes.ordinal();
        switch (mode) {
            case 0 -> tables[index] = codes.defaults;
            case 1 -> {
                int symbol = (int) number(1);
                if (symbol > codes.maxSymbol) {
                    throw new ZstdException("unknown sequence code " + symbol);
                }
                tables[index] = FseTable.single(symbol);
            }
            case 2 -> {
                FseTable.Described described = FseTable.read(in, at, end, codes.maxLog, codes.maxSymbol);
                tables[index] = described.table();
                at = described.end();
            }
            default -> {
                if (tables[index] == null) {
                    throw new ZstdException("repeated table before the first one");
                }
            }
        }
    }

    /** Executes the sequences; returns how many literals they used. */
    private int execute(int count) throws ZstdException {
        FseTable lengths = tables[SequenceCodes.LITERALS_LENGTH.ordinal()];
        FseTable offsets = tables[SequenceCodes.OFFSET.ordinal()];
        FseTable matches = tables[SequenceCodes.MATCH_LENGTH.ordinal()];
        BackwardBits bits = new BackwardBits(in, at, end - at);
        int lengthState = lengths.start(bits);
        int offsetState = offsets.start(bits);
        int matchState = matches.start(bits);
        int used = 0;
        for (int i = 0; i < count; i++) {
            int offsetValue = SequenceCodes.OFFSET.value(offsets.symbol(offsetState), bits);
            int match = SequenceCodes.MATCH_LENGTH.value(matches.symbol(matchState), bits);
            int length = SequenceCodes.LITERALS_LENGTH.value(lengths.symbol(lengthState), bits);
            if (bits.remaining() < 0 || length > literalsSize - used) {
                throw new ZstdException("damaged sequences");
            }
            room(length);
            System.arraycopy(literals, used, out, outSize, length);
            outSize += length;
            used += length;
            copyMatch(offset(offsetValue, length), match);
            if (i + 1 < count) {
                lengthState = lengths.next(lengthState, bits);
                matchState = matches.next(matchState, bits);
                offsetState = offsets.next(offsetState, bits);
            }
        }
        if (bits.remaining() != 0) {
            throw new ZstdException("damaged sequences");
        }
        return used;
    }

    /** Resolves repeated offsets (section 3.1.1.5). */
    private int offset(int value, int literalsLength) {
        // Code 31 with all bits set reaches beyond 31 bits: as an unsigned number it stays an offset too far.
        if (Integer.compareUnsigned(value, 3) > 0) {
            repeats[2] = repeats[1];
            repeats[1] = repeats[0];
            repeats[0] = value - 3;
            return repeats[0];
        }
        int index = literalsLength == 0 ? value : value - 1;
        if (index == 0) {
            return repeats[0];
        }
        int offset = index == 3 ? repeats[0] - 1 : repeats[index];
        if (index > 1) {
            repeats[2] = repeats[1];
        }
        repeats[1] = repeats[0];
        repeats[0] = offset;
        return offset;
    }

    private void copyMatch(int offset, int length) throws ZstdException {
        if (offset <= 0 || offset > outSize) {
            throw new ZstdException("match before the start of the data");
        }
        room(length);
        if (offset >= length) {
            System.arraycopy(out, outSize - offset, out, outSize, length);
        } else {
            for (int i = outSize; i < outSize + length; i++) {
                out[i] = out[i - offset];
            }
        }
        outSize += length;
    }

    private void room(int more) throws ZstdException {
        if (more > maxOutput - outSize) {
            throw tooLarge();
        }
        if (more > out.length - outSize) {
            int doubled = (int) Math.min(maxOutput, Math.max(2L * out.length, outSize + (long) more));
            out = Arrays.copyOf(out, doubled);
        }
    }

    private void need(int bytes) throws ZstdException {
        if (bytes > end - at) {
            throw cut();
        }
    }

    /** Reads a little-endian number. */
    private long number(int bytes) throws ZstdException {
        need(bytes);
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (in[at++] & 0xFFL) << 8 * i;
        }
        return value;
    }

    private ZstdException cut() {
        return new ZstdException("data end too early");
    }

    private ZstdException tooLarge() {
        return new ZstdException("result of more than " + maxOutput + " bytes");
    }
}
