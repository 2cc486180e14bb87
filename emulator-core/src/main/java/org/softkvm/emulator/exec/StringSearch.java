package org.softkvm.emulator.exec;

import org.softkvm.emulator.HostMemory;

/**
 * What repeated SCAS and CMPS look for, in plain memory: how many elements in a row do not end the loop. Places are pool
 * offsets; words of eight bytes are compared where that says enough.
 */
final class StringSearch {
    private static final long LOW_BITS = 0x0101010101010101L;
    private static final long HIGH_BITS = 0x8080808080808080L;

    private StringSearch() {}

    /** An element of 1, 2, 4 or 8 bytes, zero-extended. */
    static long element(long at, int size) {
        return switch (size) {
            case 1 -> HostMemory.getByte(at);
            case 2 -> HostMemory.getShort(at);
            case 4 -> HostMemory.getInt(at) & 0xFFFFFFFFL;
            default -> HostMemory.getLong(at);
        };
    }

    /** Elements before the first pair that differs, at most {@code n} (REPE CMPS). */
    static long equalPairs(long a, long b, long n, int size) {
        long bytes = n * size;
        long k = 0;
        for (; k + 8 <= bytes; k += 8) {
            long difference = HostMemory.getLong(a + k) ^ HostMemory.getLong(b + k);
            if (difference != 0) {
                return (k + (Long.numberOfTrailingZeros(difference) >> 3)) / size;
            }
        }
        for (; k < bytes; k++) {
            if (HostMemory.getByte(a + k) != HostMemory.getByte(b + k)) {
                return k / size;
            }
        }
        return n;
    }

    /** Elements before the first pair that is equal, at most {@code n} (REPNE CMPS). */
    static long unequalPairs(long a, long b, long n, int size) {
        for (long k = 0; k < n; k++) {
            if (element(a + k * size, size) == element(b + k * size, size)) {
                return k;
            }
        }
        return n;
    }

    /** Elements before the first that is not {@code value}, at most {@code n} (REPE SCAS). */
    static long equalTo(long value, long at, long n, int size) {
        long pattern = switch (size) {
            case 1 -> (value & 0xFF) * LOW_BITS;
            case 2 -> (value & 0xFFFF) * 0x0001000100010001L;
            case 4 -> (value & 0xFFFFFFFFL) * 0x0000000100000001L;
            default -> value;
        };
        long bytes = n * size;
        long k = 0;
        for (; k + 8 <= bytes; k += 8) {
            long difference = HostMemory.getLong(at + k) ^ pattern;
            if (difference != 0) {
                return (k + (Long.numberOfTrailingZeros(difference) >> 3)) / size;
            }
        }
        for (; k < bytes; k++) {
            if (HostMemory.getByte(at + k) != (pattern >>> 8 * (k & 7) & 0xFF)) {
                return k / size;
            }
        }
        return n;
    }

    /** Elements before the first that is {@code value}, at most {@code n} (REPNE SCAS). */
    static long unequalTo(long value, long at, long n, int size) {
        long k = 0;
        if (size == 1) {
            long pattern = (value & 0xFF) * LOW_BITS;
            for (; k + 8 <= n; k += 8) {
                long difference = HostMemory.getLong(at + k) ^ pattern;
                // The lowest bit set belongs to the first byte that is 0; above it there may be bits too many.
                long zeros = difference - LOW_BITS & ~difference & HIGH_BITS;
                if (zeros != 0) {
                    return k + (Long.numberOfTrailingZeros(zeros) >> 3);
                }
            }
        }
        long wanted = size == 8 ? value : value & (1L << 8 * size) - 1;
        for (; k < n; k++) {
            if (element(at + k * size, size) == wanted) {
                return k;
            }
        }
        return n;
    }
}
