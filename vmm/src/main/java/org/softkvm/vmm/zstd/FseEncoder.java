package org.softkvm.vmm.zstd;

/** A finite-state-entropy encoding table, the counterpart of {@link FseTable}; symbols are encoded from the last to the first. */
final class FseEncoder {
    private final int accuracyLog;
    private final short[] states;

    /** For each symbol: what added to a state has the number of bits to write in its upper half. */
    private final int[] bits;

    /** For each symbol: the start of its states, less the first index into them. */
    private final int[] firsts;

    /** Builds a table from probabilities, where -1 stands for 'less than one'. */
    FseEncoder(int accuracyLog, int[] probabilities, int count) {
        this.accuracyLog = accuracyLog;
        int size = 1 << accuracyLog;
        this.states = new short[size];
        this.bits = new int[count];
        this.firsts = new int[count];
        int[] next = new int[count];
        int total = 0;
        for (int symbol = 0; symbol < count; symbol++) {
            int probability = Math.abs(probabilities[symbol]);
            next[symbol] = total;
            if (probability == 1) {
                bits[symbol] = (accuracyLog << 16) - size;
                firsts[symbol] = total - 1;
            } else if (probability > 1) {
                int most = accuracyLog - (31 - Integer.numberOfLeadingZeros(probability - 1));
                bits[symbol] = (most << 16) - (probability << most);
                firsts[symbol] = total - probability;
            }
            total += probability;
        }
        byte[] spread = spread(size, probabilities, count);
        for (int state = 0; state < size; state++) {
            states[next[spread[state]]++] = (short) (size + state);
        }
    }

    /** The symbols of a table of so many states, in the order that the format prescribes (RFC 8878, section 4.1.1). */
    private static byte[] spread(int size, int[] probabilities, int count) {
        byte[] symbols = new byte[size];
        int high = size;
        for (int symbol = 0; symbol < count; symbol++) {
            if (probabilities[symbol] == -1) {
                symbols[--high] = (byte) symbol;
            }
        }
        int step = (size >> 1) + (size >> 3) + 3;
        int position = 0;
        for (int symbol = 0; symbol < count; symbol++) {
            for (int i = 0; i < probabilities[symbol]; i++) {
                symbols[position] = (byte) symbol;
                do {
                    position = position + step & size - 1;
                } while (position >= high);
            }
        }
        return symbols;
    }

    /** The state from which a symbol, the last one, is decoded. */
    int last(int symbol) {
        int width = bits[symbol] + (1 << 15) >>> 16;
        int value = (width << 16) - bits[symbol];
        return states[(value >>> width) + firsts[symbol]];
    }

    /** Writes what leads from the state of the symbol before to a state; returns the former. */
    int previous(int symbol, int state, BitWriter out) {
        int width = state + bits[symbol] >>> 16;
        out.add(state, width);
        return states[(state >>> width) + firsts[symbol]];
    }

    /** Writes the state from which the first symbol is decoded. */
    void first(int state, BitWriter out) {
        out.add(state, accuracyLog);
    }
}
