package org.softkvm.vmm.zstd;

/** The Huffman code of literals (RFC 8878, section 4.2). */
final class HuffmanTable {
    private static final int MAX_BITS = 11;
    private static final int MAX_SYMBOLS = 256;

    private final int maxBits;
    private final byte[] symbols;
    private final byte[] lengths;

    /** A table and where its description ends in the data. */
    record Described(HuffmanTable table, int end) {}

    private HuffmanTable(int maxBits) {
        this.maxBits = maxBits;
        this.symbols = new byte[1 << maxBits];
        this.lengths = new byte[1 << maxBits];
    }

    /** Reads a tree description (section 4.2.1). */
    static Described read(byte[] data, int start, int limit) throws ZstdException {
        if (start >= limit) {
            throw new ZstdException("Huffman tree is cut short");
        }
        int header = data[start] & 0xFF;
        int[] weights = new int[MAX_SYMBOLS];
        int count;
        int end;
        if (header < 128) {
            end = start + 1 + header;
            checkEnd(end, limit);
            count = readCompressed(data, start + 1, end, weights);
        } else {
            count = header - 127;
            end = start + 1 + (count + 1) / 2;
            checkEnd(end, limit);
            for (int i = 0; i < count; i++) {
                int pair = data[start + 1 + i / 2];
                weights[i] = (i & 1) == 0 ? pair >> 4 & 15 : pair & 15;
            }
        }
        return new Described(build(weights, count), end);
    }

    private static void checkEnd(int end, int limit) throws ZstdException {
        if (end > limit) {
            throw new ZstdException("Huffman tree is cut short");
        }
    }

    private static int readCompressed(byte[] data, int start, int end, int[] weights) throws ZstdException {
        FseTable.Described described = FseTable.read(data, start, end, 6, 15);
        FseTable table = described.table();
        BackwardBits in = new BackwardBits(data, described.end(), end - described.end());
        int[] states = {table.start(in), 0};
        states[1] = table.start(in);
        int count = 0;
        int turn = 0;
        // Two states take turns; when an update runs out of bits, the other one gives the last weight.
        while (true) {
            if (count >= MAX_SYMBOLS - 2) {
                throw new ZstdException("Huffman tree with too many weights");
            }
            weights[count++] = table.symbol(states[turn]);
            states[turn] = table.next(states[turn], in);
            turn ^= 1;
            if (in.remaining() < 0) {
                weights[count++] = table.symbol(states[turn]);
                return count;
            }
        }
    }

    private static HuffmanTable build(int[] weights, int count) throws ZstdException {
        int sum = 0;
        for (int i = 0; i < count; i++) {
            if (weights[i] > MAX_BITS + 1) {
                throw new ZstdException("Huffman code longer than " + MAX_BITS + " bits");
            }
            sum += 1 << weights[i] >> 1;
        }
        if (sum == 0) {
            throw new ZstdException("empty Huffman tree");
        }
        int maxBits = 32 - Integer.numberOfLeadingZeros(sum);
        int left = (1 << maxBits) - sum;
        if (maxBits > MAX_BITS || Integer.bitCount(left) != 1) {
            throw new ZstdException("damaged Huffman tree");
        }
        // The last weight is not written: it is what makes the code complete.
        weights[count] = Integer.numberOfTrailingZeros(left) + 1;
        HuffmanTable table = new HuffmanTable(maxBits);
        int position = 0;
        for (int weight = 1; weight <= maxBits; weight++) {
            for (int symbol = 0; symbol <= count; symbol++) {
                if (weights[symbol] == weight) {
                    int end = position + (1 << weight - 1);
                    for (; position < end; position++) {
                        table.symbols[position] = (byte) symbol;
                        table.lengths[position] = (byte) (maxBits + 1 - weight);
                    }
                }
            }
        }
        return table;
    }

    /** Decodes one stream of literals; it must give exactly so many. */
    void decode(byte[] data, int start, int length, byte[] output, int from, int count) throws ZstdException {
        BackwardBits in = new BackwardBits(data, start, length);
        for (int i = from; i < from + count; i++) {
            int index = in.peek(maxBits);
            output[i] = symbols[index];
            in.skip(lengths[index]);
        }
        if (in.remaining() != 0) {
            throw new ZstdException("damaged literals");
        }
    }
}
