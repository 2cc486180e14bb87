package org.softkvm.emulator.hardware;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** The random values of {@code src/test/native/user64.h}, and the files that its generators make. */
final class HardwareCases {
    private static final long[] DOUBLES = {
        0,
        0x8000000000000000L,
        0x3ff0000000000000L,
        0xbff8000000000000L,
        0x7ff0000000000000L,
        0xfff0000000000000L,
        0x7ff8000000000001L,
        0x7ff0000000000123L,
        0xfff4000000000000L,
        1,
        0x000fffffffffffffL,
        0x7fefffffffffffffL,
        0x41dfffffffc00000L,
        0xc1e0000000000000L,
        0x43e0000000000000L,
        0x3fe0000000000000L
    };

    private static final int[] FLOATS = {
        0,
        0x80000000,
        0x3f800000,
        0xbfc00000,
        0x7f800000,
        0xff800000,
        0x7fc00001,
        0x7f800123,
        0xffa00000,
        1,
        0x007fffff,
        0x7f7fffff,
        0x4effffff,
        0xcf000000,
        0x5f000000,
        0x3f000000
    };

    private long seed;

    HardwareCases(long seed) {
        this.seed = seed;
    }

    static List<String> lines(String resource) throws IOException {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(HardwareCases.class.getResourceAsStream(resource)), StandardCharsets.US_ASCII))) {
            return lines.lines().toList();
        }
    }

    /** The next 64 random bits (SplitMix64). */
    long next() {
        long z = seed += 0x9e3779b97f4a7c15L;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    /** A value that an integer operand may have: small, at an edge, or anything. */
    long value() {
        long k = next();
        long v = next();
        return switch ((int) k & 7) {
            case 0 -> v & 0xff;
            case 1 -> (byte) v;
            case 2 -> (int) v;
            case 3 -> (1L << (v & 63)) - (v >> 6 & 1);
            case 4 -> -(v & 1);
            default -> v;
        };
    }

    /** A lane of a vector register: numbers that floating point treats in its own ways, bytes, or anything. */
    long lane() {
        long k = next();
        long v = next();
        long w = next();
        return switch ((int) k & 7) {
            case 0 -> DOUBLES[(int) v & 15];
            case 1 -> FLOATS[(int) v & 15] & 0xffffffffL | (long) FLOATS[(int) (v >>> 8) & 15] << 32;
            case 2 -> v & 0x800fffffffffffffL | 0x3ff + (w & 63) - 32 << 52;
            case 3 -> v & 0x807fffff807fffffL | 0x7f + (w & 31) - 16 << 23 | 0x7f + (w >>> 8 & 31) - 16 << 55;
            case 4 -> v & 0x0101010101010101L * (w & 0xff);
            default -> v;
        };
    }
}
