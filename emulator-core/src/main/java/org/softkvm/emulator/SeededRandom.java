package org.softkvm.emulator;

/** SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
final class SeededRandom implements RandomSource {
    private long state;

    SeededRandom(long seed) {
        state = seed;
    }

    @Override
    public long state() {
        return state;
    }

    @Override
    public void setState(long value) {
        state = value;
    }

    @Override
    public long next() {
        state += 0x9E3779B97F4A7C15L;
        long z = state;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
