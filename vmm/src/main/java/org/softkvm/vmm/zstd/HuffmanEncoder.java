package org.softkvm.vmm.zstd;

import java.util.Arrays;
import java.util.PriorityQueue;

/** A Huffman code made for some literals, the counterpart of {@link HuffmanTable} (RFC 8878, section 4.2). */
final class HuffmanEncoder {
    private static final int MAX_BITS = 11;
    private static final int SYMBOLS = 256;

    /** Weights are 0 to 11; their table has 64 states. */
    private static final int WEIGHTS = MAX_BITS + 1;

    private static final int WEIGHTS_LOG = 6;

    private final int[] codes = new int[SYMBOLS];
    private final byte[] lengths = new byte[SYMBOLS];
    private final int[] weights = new int[SYMBOLS];
    private int lastSymbol;

    /**
     * Makes a code.
     *
     * @param counts how often each byte occurs; two at least do
     */
    HuffmanEncoder(int[] counts) {
        int shift = 0;
        while (!codeLengths(counts, shift)) {
            shift++;
        }
        int maxBits = 0;
        for (int symbol = 0; symbol < SYMBOLS; symbol++) {
            maxBits = Math.max(maxBits, lengths[symbol]);
        }
        int position = 0;
        for (int weight = 1; weight <= maxBits; weight++) {
            for (int symbol = 0; symbol < SYMBOLS; symbol++) {
                if (lengths[symbol] == maxBits + 1 - weight) {
                    weights[symbol] = weight;
                    codes[symbol] = position >>> weight - 1;
                    position += 1 << weight - 1;
                    lastSymbol = Math.max(lastSymbol, symbol);
                }
            }
        }
    }

    /** Huffman's algorithm; false where a code is too long: then with flatter counts. */
    private boolean codeLengths(int[] counts, int shift) {
        record Node(long count, int symbol, Node left, Node right) {}
        PriorityQueue<Node> queue = new PriorityQueue<>((a, b) -> {
            int order = Long.compare(a.count, b.count);
            return order != 0 ? order : Integer.compare(a.symbol, b.symbol);
        });
        for (int symbol = 0; symbol < SYMBOLS; symbol++) {
            if (counts[symbol] > 0) {
                queue.add(new Node((counts[symbol] >> shift) + 1L, symbol, null, null));
            }
        }
        int inner = SYMBOLS;
        while (queue.size() > 1) {
            Node left = queue.remove();
            Node right = queue.remove();
            queue.add(new Node(left.count + right.count, inner++, left, right));
        }
        Arrays.fill(lengths, (byte) 0);
        // No path is longer than the number of symbols.
        Node[] nodes = new Node[2 * SYMBOLS];
        int[] depths = new int[2 * SYMBOLS];
        int size = 0;
        nodes[size++] = queue.remove();
        while (size > 0) {
            Node node = nodes[--size];
            int depth = depths[size];
            if (node.left == null) {
                if (depth > MAX_BITS) {
                    return false;
                }
                lengths[node.symbol] = (byte) depth;
            } else {
                nodes[size] = node.left;
                depths[size++] = depth + 1;
                nodes[size] = node.right;
                depths[size++] = depth + 1;
            }
        }
        return true;
    }

    /** How many bytes the literals take, about; the description of the code not among them. */
    int estimate(int[] counts) {
        long bits = 0;
        for (int symbol = 0; symbol < SYMBOLS; symbol++) {
            bits += (long) counts[symbol] * lengths[symbol];
        }
        return (int) (bits >> 3) + 8;
    }

    /**
     * Writes the description of the code.
     *
     * @return where it ends, or -1 where it cannot be described
     */
    int describe(byte[] out, int at) {
        // The weight of the last symbol follows from the others.
        int packed = describePacked(out, at);
        if (packed > 0 || lastSymbol > 128) {
            return packed;
        }
        out[at] = (byte) (127 + lastSymbol);
        for (int i = 0; i < lastSymbol; i += 2) {
            out[at + 1 + i / 2] = (byte) (weights[i] << 4 | (i + 1 < lastSymbol ? weights[i + 1] : 0));
        }
        return at + 1 + (lastSymbol + 1) / 2;
    }

    /** The weights by an FSE table, with two states that take turns; -1 where that is not possible. */
    private int describePacked(byte[] out, int at) {
        int[] counts = new int[WEIGHTS];
        for (int i = 0; i < lastSymbol; i++) {
            counts[weights[i]]++;
        }
        int most = Arrays.stream(counts).max().orElse(0);
        if (lastSymbol < 4 || most == lastSymbol) {
            return -1;
        }
        int used = WEIGHTS;
        while (counts[used - 1] == 0) {
            used--;
        }
        int[] probabilities = FseCounts.normalize(counts, used, lastSymbol, WEIGHTS_LOG);
        int start = FseCounts.write(probabilities, used, WEIGHTS_LOG, out, at + 1);
        FseEncoder encoder = new FseEncoder(WEIGHTS_LOG, probabilities, used);
        BitWriter writer = new BitWriter(out, start);
        int[] states = new int[2];
        states[lastSymbol - 1 & 1] = encoder.last(weights[lastSymbol - 1]);
        states[lastSymbol & 1] = encoder.last(weights[lastSymbol - 2]);
        for (int i = lastSymbol - 3; i >= 0; i--) {
            states[i & 1] = encoder.previous(weights[i], states[i & 1], writer);
        }
        encoder.first(states[1], writer);
        encoder.first(states[0], writer);
        int end = start + writer.finish();
        int size = end - at - 1;
        if (size > 127) {
            return -1;
        }
        out[at] = (byte) size;
        return end;
    }

    /** Writes one stream of literals; returns how many bytes it has. */
    int encode(byte[] literals, int from, int count, byte[] out, int at) {
        BitWriter writer = new BitWriter(out, at);
        for (int i = from + count - 1; i >= from; i--) {
            int symbol = literals[i] & 0xFF;
            writer.add(codes[symbol], lengths[symbol]);
        }
        return writer.finish();
    }
}
