package org.softkvm.vmm.zstd;

/**
 * A bit stream that is read from its end (RFC 8878, section 4.1.1 and 4.2.2): the highest set bit of the last byte marks
 * where it begins. Reading beyond the other end gives zeros and leaves {@link #remaining()} negative.
 */
final class BackwardBits {
    private final byte[] data;
    private final int start;
    private final int end;
    private long position;

    BackwardBits(byte[] data, int start, int length) throws ZstdException {
        if (length <= 0 || data[start + length - 1] == 0) {
            throw new ZstdException("bit stream without its end mark");
        }
        this.data = data;
        this.start = start;
        this.end = start + length;
        int last = data[end - 1] & 0xFF;
        this.position = (length - 1) * 8L + (31 - Integer.numberOfLeadingZeros(last));
    }

    /** Bits not read yet; negative after reading too many. */
    long remaining() {
        return position;
    }

    /** Reads up to 32 bits. */
    int read(int count) {
        position -= count;
        return peekAt(position, count);
    }

    /** The next bits without taking them. */
    int peek(int count) {
        return peekAt(position - count, count);
    }

    void skip(int count) {
        position -= count;
    }

    private int peekAt(long bit, int count) {
        if (bit < 0) {
            int missing = (int) Math.min(-bit, count);
            return missing >= count ? 0 : peekAt(0, count - missing) << missing;
        }
        int at = start + (int) (bit >>> 3);
        long window = 0;
        int bytes = Math.min(5, end - at);
        for (int i = 0; i < bytes; i++) {
            window |= (data[at + i] & 0xFFL) << (8 * i);
        }
        return (int) (window >>> (bit & 7) & (1L << count) - 1);
    }
}
