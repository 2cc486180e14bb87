package org.softkvm.emulator;

/** Where RDRAND and RDSEED get their numbers. Called on the vcpu's thread only. */
public interface RandomSource {
    /**
     * The next number.
     *
     * @return 64 random bits
     */
    long next();

    /**
     * What the next numbers follow from.
     *
     * @return the state, for {@link #setState}; 0 where there is none that could be told
     */
    default long state() {
        return 0;
    }

    /**
     * Goes on as another source of the same kind would.
     *
     * @param value what {@link #state()} of that one gave
     */
    default void setState(long value) {}

    /**
     * Numbers of the host's random generator, not predictable.
     *
     * @return a source of its own
     */
    static RandomSource host() {
        return new HostRandom();
    }

    /**
     * The same numbers for the same seed on every machine: for runs that have to repeat exactly, of no use to secrets.
     *
     * @param seed any number
     * @return a source of its own
     */
    static RandomSource seeded(long seed) {
        return new SeededRandom(seed);
    }
}
