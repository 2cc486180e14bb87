package org.softkvm.kvm;

/** The 8254 of the backend ({@code struct kvm_pit_state2}); made once and reused. Names are KVM's. */
public final class PitState {
    /** Flag: the HPET took the place of counter 0. */
    public static final int HPET_LEGACY = 1;
    /** Flag: bit 1 of port 61h, the data enable of the speaker. */
    public static final int SPEAKER_DATA_ON = 2;

    /** The three counters. */
    public final Channel[] channels = {new Channel(), new Channel(), new Channel()};
    /** {@link #HPET_LEGACY} and {@link #SPEAKER_DATA_ON}. */
    public int flags;

    /** Makes a state of which everything is 0. */
    public PitState() {}

    /** A counter ({@code struct kvm_pit_channel_state}). */
    public static final class Channel {
        /** The count that was written, 1 to 65536; 0 where none was. */
        public int count;
        /** The latched count. */
        public int latchedCount;
        /** What is left to read of a latched count: 1 the LSB, 2 the MSB, 3 both; 0 where none is latched. */
        public int countLatched;
        /** Whether a status is latched. */
        public boolean statusLatched;
        /** The latched status. */
        public int status;
        /** What the next read gives: 1 LSB, 2 MSB, 3 the LSB of both, 4 the MSB of both. */
        public int readState;
        /** What the next write is, as {@link #readState}. */
        public int writeState;
        /** The first byte of two. */
        public int writeLatch;
        /** Access mode of the control word: 1 LSB, 2 MSB, 3 both. */
        public int rwMode;
        /** 0 to 5; FFh for a counter that was not programmed yet. */
        public int mode;
        /** Whether it counts in BCD. */
        public boolean bcd;
        /** The GATE input. */
        public boolean gate;
        /** When counting began, in nanoseconds of the host's monotonic clock ({@link System#nanoTime()}); only read. */
        public long countLoadTime;

        /** Makes a counter of which everything is 0. */
        public Channel() {}
    }
}
