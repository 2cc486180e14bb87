package org.softkvm.vmm.zstd;

import java.util.Arrays;

/** A finite-state-entropy decoding table (RFC 8878, section 4.1). */
final class FseTable {
    private final int accuracyLog;
    private final byte[] symbols;
    private final byte[] bits;
    private final short[] baselines;

    private FseTable(int accuracyLog) {
        this.accuracyLog = accuracyLog;
        int size = 1 << accuracyLog;
        this.symbols = new byte[size];
        this.bits = new byte[size];
        this.baselines = new short[size];
    }

    /** A table with one symbol that costs no bits. */
    static FseTable single(int symbol) {
        FseTable table = new FseTable(0);
        table.symbols[0] = (byte) symbol;
        return table;
    }

    /** Builds a table from probabilities, where -1 stands for 'less than one'. */
    static FseTable build(int accuracyLog, int[] probabilities, int count) throws ZstdException {
        FseTable table = new FseTable(accuracyLog);
        int size = 1 << accuracyLog;
        int[] next = new int[count];
        int high = size;
        for (int symbol = 0; symbol < count; symbol++) {
            if (probabilities[symbol] == -1) {
                table.symbols[--high] = (byte) symbol;
                next[symbol] = 1;
            } else {
                next[symbol] = probabilities[symbol];
            }
        }
        int step = (size >> 1) + (size >> 3) + 3;
        int position = 0;
        for (int symbol = 0; symbol < count; symbol++) {
            for (int i = 0; i < probabilities[symbol]; i++) {
                table.symbols[position] = (byte) symbol;
                do {
                    position = position + step & size - 1;
                } while (position >= high);
            }
        }
        if (position != 0) {
            throw new ZstdException("damaged entropy table");
        }
        for (int state = 0; state < size; state++) {
            int value = next[table.symbols[state]]++;
            int width = accuracyLog - (31 - Integer.numberOfLeadingZeros(value));
            table.bits[state] = (byte) width;
            table.baselines[state] = (short) ((value << width) - size);
        }
        return table;
    }

    /** The description of a table in the data. */
    record Described(FseTable table, int end) {}

    /** Reads a table description (section 4.1.1). */
    static Described read(byte[] data, int start, int limit, int maxLog, int maxSymbol) throws ZstdException {
        ForwardBits in = new ForwardBits(data, start, limit);
        int accuracyLog = in.read(4) + 5;
        if (accuracyLog > maxLog) {
            throw new ZstdException("entropy table of 2^" + accuracyLog + " states");
        }
        int[] probabilities = new int[maxSymbol + 1];
        int remaining = 1 << accuracyLog;
        int symbol = 0;
        while (remaining > 0) {
            if (symbol > maxSymbol) {
                throw new ZstdException("entropy table with too many symbols");
            }
            int width = 32 - Integer.numberOfLeadingZeros(remaining + 1);
            int low = (1 << width) - 1 - (remaining + 1);
            int value = in.peek(width);
            int shorter = value & (1 << width - 1) - 1;
            if (shorter < low) {
                value = shorter;
                in.skip(width - 1);
            } else {
                value = value >= 1 << width - 1 ? value - low : value;
                in.skip(width);
            }
            int probability = value - 1;
            remaining -= Math.abs(probability);
            probabilities[symbol++] = probability;
            if (probability == 0) {
                int repeat;
                do {
                    repeat = in.read(2);
                    symbol += repeat;
                } while (repeat == 3);
            }
        }
        if (remaining < 0 || symbol > maxSymbol + 1) {
            throw new ZstdException("damaged entropy table");
        }
        return new Described(build(accuracyLog, Arrays.copyOf(probabilities, symbol), symbol), in.byteEnd());
    }

    int start(BackwardBits in) {
        return in.read(accuracyLog);
    }

    int symbol(int state) {
        return symbols[state] & 0xFF;
    }

    int next(int state, BackwardBits in) {
        return baselines[state] + in.read(bits[state]);
    }

    /** Bits from the low end up, as table descriptions are written. */
    private static final class ForwardBits {
        private final byte[] data;
        private final int start;
        private final int limit;
        private int position;

        ForwardBits(byte[] data, int start, int limit) {
            this.data = data;
            this.start = start;
            this.limit = limit;
        }

        int read(int count) throws ZstdException {
            int value = peek(count);
            skip(count);
            return value;
        }

        int peek(int count) {
            int at = start + (position >> 3);
            int window = 0;
            for (int i = 0; i < 4 && at + i < limit; i++) {
                window |= (data[at + i] & 0xFF) << (8 * i);
            }
            return window >>> (position & 7) & (1 << count) - 1;
        }

        void skip(int count) throws ZstdException {
            position += count;
            if (byteEnd() > limit) {
                throw new ZstdException("entropy table is cut short");
            }
        }

        int byteEnd() {
            return start + (position + 7 >> 3);
        }
    }
}
