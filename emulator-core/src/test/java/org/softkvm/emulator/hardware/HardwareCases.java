package org.softkvm.emulator.hardware;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** The random values of {@code src/test/native/user64.h}, and the files that its generators make. */
final class HardwareCases {
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
}
