package org.softkvm.vmm.zstd;

/**
 * Writes a bit stream that is read from its end ({@link BackwardBits}): what is added last is read first, and the highest
 * set bit of the last byte marks where it begins.
 */
final class BitWriter {
    private final byte[] out;
    private final int start;
    private int at;
    private long bits;
    private int filled;

    /**
     * Begins a stream.
     *
     * @param out where it goes; too short an array is an ArrayIndexOutOfBoundsException
     * @param start its first byte
     */
    BitWriter(byte[] out, int start) {
        this.out = out;
        this.start = start;
        this.at = start;
    }

    /** Adds the lowest bits of a value, up to 31. */
    void add(int value, int count) {
        bits |= (value & (1L << count) - 1) << filled;
        filled += count;
        if (filled >= 32) {
            out[at] = (byte) bits;
            out[at + 1] = (byte) (bits >>> 8);
            out[at + 2] = (byte) (bits >>> 16);
            out[at + 3] = (byte) (bits >>> 24);
            at += 4;
            bits >>>= 32;
            filled -= 32;
        }
    }

    /** Ends the stream with its mark; returns how many bytes it has. */
    int finish() {
        add(1, 1);
        while (filled > 0) {
            out[at++] = (byte) bits;
            bits >>>= 8;
            filled -= 8;
        }
        return at - start;
    }
}
