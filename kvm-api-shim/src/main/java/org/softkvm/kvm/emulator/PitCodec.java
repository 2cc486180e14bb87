package org.softkvm.kvm.emulator;

import org.softkvm.devices.isa.Pit8254;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.PitState;

/** The state of the PIT between device-models and KVM's structure. */
final class PitCodec {
    private static final int MAX_COUNT = 0x10000;
    private static final int LSB = 1;
    private static final int MSB = 2;
    private static final int BOTH = 3;
    private static final int MSB_OF_BOTH = 4;
    private static final int LAST_MODE = 5;

    /** KVM's mode of a counter that was not programmed yet. */
    private static final int NOT_PROGRAMMED = 0xFF;

    private PitCodec() {}

    /** Whether a counter is as after power-on: set with a mode it would begin to count. */
    private static boolean isFresh(Pit8254.ChannelState chip) {
        return chip.mode() == 0
                && chip.access() == BOTH
                && chip.cr() == 0
                && !chip.bcd()
                && !chip.writeMsbNext()
                && !chip.loaded()
                && chip.loadTick() == Long.MAX_VALUE;
    }

    static void get(Pit8254.State chip, long nanoTime, PitState state) {
        get(chip.counter0(), chip.elapsedNanos(), nanoTime, state.channels[0]);
        get(chip.counter1(), chip.elapsedNanos(), nanoTime, state.channels[1]);
        get(chip.counter2(), chip.elapsedNanos(), nanoTime, state.channels[2]);
        state.flags = (chip.portB() & 2) != 0 ? PitState.SPEAKER_DATA_ON : 0;
    }

    private static void get(Pit8254.ChannelState chip, long elapsed, long nanoTime, PitState.Channel state) {
        boolean both = chip.access() == BOTH;
        state.count = chip.cr() == 0 ? MAX_COUNT : chip.cr();
        state.latchedCount = chip.outputLatch();
        state.countLatched = !chip.countLatched() ? 0 : both && chip.readMsbNext() ? MSB : chip.access();
        state.statusLatched = chip.statusLatched();
        state.status = chip.statusLatch();
        state.readState = both && chip.readMsbNext() ? MSB_OF_BOTH : chip.access();
        state.writeState = both && chip.writeMsbNext() ? MSB_OF_BOTH : chip.access();
        state.writeLatch = chip.writtenLsb();
        state.rwMode = chip.access();
        state.mode = isFresh(chip) ? NOT_PROGRAMMED : chip.mode();
        state.bcd = chip.bcd();
        state.gate = chip.gate();
        state.countLoadTime = nanoTime - elapsed + Pit8254.CLK.nanos(chip.startTick());
    }

    /** The state of a chip whose counters begin with their counts now. */
    static Pit8254.State set(PitState state) {
        PitState.Channel[] c = state.channels;
        int portB = (c[2].gate ? 1 : 0) | ((state.flags & PitState.SPEAKER_DATA_ON) != 0 ? 2 : 0);
        return new Pit8254.State(0, set(0, c[0]), set(1, c[1]), set(2, c[2]), portB);
    }

    private static Pit8254.ChannelState set(int number, PitState.Channel state) {
        check(number, "count", state.count, MAX_COUNT);
        check(number, "rw_mode", state.rwMode, BOTH);
        check(number, "read_state", state.readState, MSB_OF_BOTH);
        check(number, "write_state", state.writeState, MSB_OF_BOTH);
        boolean programmed = state.mode >= 0 && state.mode <= LAST_MODE && state.rwMode != 0;
        int mode = programmed ? state.mode : 0;
        int cr = state.count & 0xFFFF;
        int count = count(cr, state.bcd);
        boolean both = state.rwMode == BOTH || state.rwMode == 0;
        boolean halfRead = both && (state.readState == MSB_OF_BOTH || state.countLatched == MSB);
        boolean halfWritten = both && state.writeState == MSB_OF_BOTH;
        boolean triggered = mode == 1 || mode == LAST_MODE;
        return new Pit8254.ChannelState(
                mode,
                state.bcd,
                both ? BOTH : state.rwMode == LSB ? LSB : MSB,
                state.gate,
                cr,
                halfWritten,
                state.writeLatch & 0xFF,
                halfRead,
                !programmed,
                state.countLatched != 0,
                state.latchedCount & 0xFFFF,
                state.statusLatched,
                state.status & 0xFF,
                Long.MAX_VALUE,
                programmed,
                programmed && (state.gate || triggered),
                0,
                mode == 3 ? count & ~1 : count,
                count,
                true,
                programmed);
    }

    private static int count(int register, boolean bcd) {
        int count = register;
        if (bcd) {
            count = (register >>> 12) * 1000
                    + (register >>> 8 & 0xF) * 100
                    + (register >>> 4 & 0xF) * 10
                    + (register & 0xF);
        }
        return count != 0 ? count : bcd ? 10_000 : MAX_COUNT;
    }

    private static void check(int number, String what, int value, int most) {
        if (value < 0 || value > most) {
            throw new KvmException(
                    "KVM_SET_PIT2",
                    Errno.EINVAL,
                    "channels[" + number + "]." + what + "=" + value + " (0 to " + most + ")");
        }
    }
}
