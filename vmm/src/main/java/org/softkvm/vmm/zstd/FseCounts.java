package org.softkvm.vmm.zstd;

/** Probabilities of an FSE table from counts, and their description in the data (RFC 8878, section 4.1.1). */
final class FseCounts {
    private FseCounts() {}

    /**
     * Scales counts to a sum of 2 to the power of {@code log}; what occurs keeps one at least.
     *
     * @param counts how often each symbol occurs
     * @param used how many symbols there are; 2 or more of them occur, and no more than the sum has places
     * @param total the sum of the counts
     * @param log the size of the table
     */
    static int[] normalize(int[] counts, int used, int total, int log) {
        int[] scaled = new int[used];
        int left = 1 << log;
        int largest = 0;
        for (int symbol = 0; symbol < used; symbol++) {
            if (counts[symbol] > 0) {
                scaled[symbol] = Math.max(1, (int) (((long) counts[symbol] << log) / total));
                left -= scaled[symbol];
                largest = scaled[symbol] > scaled[largest] ? symbol : largest;
            }
        }
        while (left < 0) {
            // Rare symbols were rounded up: frequent ones give.
            int most = 0;
            for (int symbol = 1; symbol < used; symbol++) {
                most = scaled[symbol] > scaled[most] ? symbol : most;
            }
            scaled[most]--;
            left++;
        }
        scaled[largest] += left;
        return scaled;
    }

    /** Writes the description of a table; returns where it ends. */
    static int write(int[] probabilities, int used, int log, byte[] out, int start) {
        int at = start;
        long bits = log - 5;
        int filled = 4;
        int remaining = (1 << log) + 1;
        int symbol = 0;
        while (symbol < used && remaining > 1) {
            int value = probabilities[symbol++] + 1;
            // Values below the threshold 'cut' take a bit less.
            int width = 32 - Integer.numberOfLeadingZeros(remaining);
            int cut = (1 << width) - 1 - remaining;
            int coded;
            int length;
            if (value < cut) {
                coded = value;
                length = width - 1;
            } else {
                coded = value < 1 << width - 1 ? value : value + cut;
                length = width;
            }
            bits |= (long) coded << filled;
            filled += length;
            remaining -= value - 1;
            if (value == 1) {
                int zeros = 0;
                while (symbol < used && probabilities[symbol] == 0) {
                    zeros++;
                    symbol++;
                }
                while (zeros >= 3) {
                    bits |= 3L << filled;
                    filled += 2;
                    zeros -= 3;
                }
                bits |= (long) zeros << filled;
                filled += 2;
            }
            while (filled >= 8) {
                out[at++] = (byte) bits;
                bits >>>= 8;
                filled -= 8;
            }
        }
        if (filled > 0) {
            out[at++] = (byte) bits;
        }
        return at;
    }
}
