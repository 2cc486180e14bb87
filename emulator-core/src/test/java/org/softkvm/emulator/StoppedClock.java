package org.softkvm.emulator;

/** A time-stamp counter of 1 GHz that stands at 0, for tests in which time plays no part. */
public final class StoppedClock implements TimeSource {
    /** The only one. */
    public static final StoppedClock INSTANCE = new StoppedClock();

    private StoppedClock() {}

    @Override
    public long tsc() {
        return 0;
    }

    @Override
    public long tscKhz() {
        return 1_000_000;
    }
}
