package org.softkvm.emulator.simd;

/**
 * Pure functions of 64-bit lanes for packed integer and logical instructions: the same serve MMX and SSE. Names are the
 * mnemonics.
 */
public final class Lanes {
    private Lanes() {}

    /** PAND, ANDPS, ANDPD. */
    public static long pand(long a, long b) {
        return a & b;
    }

    /** PANDN, ANDNPS, ANDNPD. */
    public static long pandn(long a, long b) {
        return ~a & b;
    }

    /** POR, ORPS, ORPD. */
    public static long por(long a, long b) {
        return a | b;
    }

    /** PXOR, XORPS, XORPD. */
    public static long pxor(long a, long b) {
        return a ^ b;
    }
}
