package org.softkvm.devices.isa;

/**
 * One counter of an 8254. Nothing runs: the state is a function of the CLK pulses that have passed, and is brought up
 * to date by {@link #sync} before it is looked at or changed. Ticks are numbered from the chip's origin.
 *
 * <p>Names are the data sheet's: CR is the count register that software writes, CE the counting element, OL the output
 * latch. CE is represented by what it held ({@code startCount}) at a tick ({@code startTick}).
 */
final class PitChannel {
    static final long NEVER = Long.MAX_VALUE;

    /** Interrupt on terminal count. */
    static final int MODE_0 = 0;

    /** Hardware retriggerable one-shot. */
    static final int MODE_1 = 1;

    /** Rate generator. */
    static final int MODE_2 = 2;

    /** Square wave. */
    static final int MODE_3 = 3;

    /** Software triggered strobe. */
    static final int MODE_4 = 4;

    /** Hardware triggered strobe. */
    static final int MODE_5 = 5;

    private static final int LSB = 1;
    private static final int MSB = 2;
    private static final int LSB_THEN_MSB = 3;

    private int mode = MODE_0;
    private boolean bcd;
    private int access = LSB_THEN_MSB;
    private boolean gate;

    /** The count register as written, 16 bits. */
    private int cr;

    /** The first byte of two was written and waits in writtenLsb. */
    private boolean writeMsbNext;

    private int writtenLsb;
    private boolean readMsbNext;

    /** Set from a control word or new count until CR has gone to CE. */
    private boolean nullCount = true;

    private boolean countLatched;
    private int outputLatch;
    private boolean statusLatched;
    private int statusLatch;

    /** When CR goes to CE, or NEVER. */
    private long loadTick = NEVER;

    /** Whether CE has been loaded since the control word. */
    private boolean loaded;

    /** Whether CE counts: loaded, and not held by the gate or by half a count. */
    private boolean counting;

    private long startTick;

    /** What CE held at startTick, 1..65536: where it was loaded, the count; where it was held, what was left. */
    private int startCount;

    /** Modes 2 and 3: the count of a whole period. */
    private int period = 0x10000;

    /** Mode 3: the level of OUT from startTick on. */
    private boolean startHigh = true;

    /** Modes 0, 1, 4 and 5: terminal count has not been reached since CE was loaded. */
    private boolean active;

    PitChannel(boolean gate) {
        this.gate = gate;
    }

    // ---- Programming

    void writeControl(int control, long tick) {
        sync(tick);
        startCount = ceAt(tick);
        startTick = tick;
        mode = control >>> 1 & 7;
        if (mode > MODE_5) {
            mode -= 4;
        }
        bcd = (control & 1) != 0;
        access = control >>> 4 & 3;
        startHigh = true;
        cr = 0;
        writeMsbNext = false;
        readMsbNext = false;
        countLatched = false;
        statusLatched = false;
        nullCount = true;
        loadTick = NEVER;
        loaded = false;
        counting = false;
        active = false;
    }

    void writeCount(int value, long tick) {
        sync(tick);
        switch (access) {
            case LSB -> countWritten(value, tick);
            case MSB -> countWritten(value << 8, tick);
            default -> {
                if (writeMsbNext) {
                    writeMsbNext = false;
                    countWritten(writtenLsb | value << 8, tick);
                } else {
                    writeMsbNext = true;
                    writtenLsb = value;
                    if (mode == MODE_0) {
                        // The first byte stops the counter and sets OUT low at once.
                        hold(tick);
                        loadTick = NEVER;
                        active = true;
                    }
                }
            }
        }
    }

    private void countWritten(int value, long tick) {
        cr = value;
        nullCount = true;
        switch (mode) {
            case MODE_0 -> {
                loadTick = tick + 1;
                active = true;
            }
            case MODE_4 -> loadTick = tick + 1;
            case MODE_2, MODE_3 -> {
                if (!loaded) {
                    loadTick = tick + 1;
                } else if (counting && loadTick != tick + 1) {
                    loadTick = nextReload(tick);
                }
            }
            default -> {
                // Modes 1 and 5 wait for a trigger.
            }
        }
    }

    boolean gate() {
        return gate;
    }

    void setGate(boolean level, long tick) {
        sync(tick);
        if (level == gate) {
            return;
        }
        gate = level;
        switch (mode) {
            case MODE_0, MODE_4 -> {
                if (level) {
                    resume(tick);
                } else {
                    hold(tick);
                }
            }
            case MODE_2, MODE_3 -> {
                if (!level) {
                    hold(tick);
                    if (loaded) {
                        loadTick = NEVER;
                    }
                } else if (loaded) {
                    loadTick = tick + 1;
                }
            }
            default -> {
                // A trigger: the count goes to CE with the next CLK pulse.
                if (level) {
                    loadTick = tick + 1;
                }
            }
        }
    }

    private void hold(long tick) {
        if (counting) {
            // Modes 0 and 4, the others are not held with a count to reach. A strobe lasts to the end of its tick.
            active &= tick - startTick < startCount + (mode == MODE_4 ? 1 : 0);
            startCount = ceAt(tick);
            startTick = tick;
            counting = false;
        }
    }

    private void resume(long tick) {
        if (loaded && !counting && !writeMsbNextHolds()) {
            active &= mode != MODE_4 || startCount != 0 || startTick == tick;
            startTick = tick;
            counting = true;
        }
    }

    /** Mode 0: half a count has been written, which stops counting. */
    private boolean writeMsbNextHolds() {
        return mode == MODE_0 && writeMsbNext;
    }

    // ---- Passing of time

    /** Brings the state up to a tick, which is not before the last one. */
    void sync(long tick) {
        if (loadTick <= tick) {
            long at = loadTick;
            boolean halfCycle = mode == MODE_3 && counting && loaded;
            boolean highBefore = !halfCycle || outAt(at);
            loadTick = NEVER;
            nullCount = false;
            loaded = true;
            active = true;
            startTick = at;
            period = countOf(cr);
            startCount = mode == MODE_3 ? period & ~1 : period;
            startHigh = highBefore;
            counting = gate || mode == MODE_1 || mode == MODE_5;
        }
        if (active && counting && mode != MODE_2 && mode != MODE_3 && tick - startTick > startCount) {
            // Past terminal count (and past the strobe): CE goes on round and round.
            active = false;
            startCount = ceAt(tick);
            startTick = tick;
        }
    }

    /** The tick at which modes 2 and 3 take a new count: the end of the period or half period. */
    private long nextReload(long tick) {
        long elapsed = tick - startTick;
        if (mode == MODE_2) {
            return startTick + (elapsed / period + 1) * period;
        }
        long cycle = elapsed / period * period;
        int first = firstHalf();
        return startTick + cycle + (elapsed - cycle < first ? first : period);
    }

    /** Mode 3: the ticks from startTick to the first change of OUT. An odd count is high one tick longer. */
    private int firstHalf() {
        return startHigh ? (period + 1) / 2 : Math.max(period / 2, 1);
    }

    private int modulus() {
        return bcd ? 10_000 : 0x10000;
    }

    /** The count that a register value stands for, 1..65536; 0 is the largest. Digits above 9 count what they hold. */
    private int countOf(int register) {
        int count = register;
        if (bcd) {
            count = (register >>> 12) * 1000
                    + (register >>> 8 & 0xF) * 100
                    + (register >>> 4 & 0xF) * 10
                    + (register & 0xF);
        }
        return count == 0 ? modulus() : count;
    }

    /** What CE holds at a tick, 0..65536. */
    private int ceAt(long tick) {
        if (!counting) {
            return startCount;
        }
        long elapsed = tick - startTick;
        switch (mode) {
            case MODE_2:
                return (int) (period - elapsed % period);
            case MODE_3:
                long position = elapsed % period;
                int first = firstHalf();
                return (period & ~1) - 2 * (int) (position < first ? position : position - first);
            default:
                return (int) Math.floorMod(startCount - elapsed, (long) modulus());
        }
    }

    /** The level of OUT at a tick, which has been synchronised to. */
    boolean outAt(long tick) {
        long elapsed = tick - startTick;
        return switch (mode) {
            case MODE_0 ->
                loaded && loadTick == NEVER && !writeMsbNext && (!active || counting && elapsed >= startCount);
            case MODE_1 -> !(loaded && active) || elapsed >= startCount;
            case MODE_2 -> !counting || elapsed % period != period - 1;
            case MODE_3 -> !counting || elapsed % period < firstHalf() == startHigh;
            default -> !(loaded && active) || elapsed != startCount || !counting && startCount != 0;
        };
    }

    /**
     * The next tick after this one at which OUT rises, changes for longer than a tick, or CE is loaded; or NEVER. The
     * falling edge of a strobe one tick before its rising edge is no event of its own.
     */
    long nextEvent(long tick) {
        return Math.min(loadTick, counting ? nextOutChange(tick) : NEVER);
    }

    private long nextOutChange(long tick) {
        long elapsed = tick - startTick;
        switch (mode) {
            case MODE_2, MODE_3:
                // A count of 1 is illegal; OUT then does not change.
                return period == 1 ? NEVER : nextReload(tick);
            case MODE_0, MODE_1:
                return active && elapsed < startCount ? startTick + startCount : NEVER;
            default:
                return active && elapsed <= startCount ? startTick + startCount + 1 : NEVER;
        }
    }

    /** Modes 2 and 3: how often OUT rises after one tick at which it rose, up to another. */
    long risesBetween(long rise, long tick) {
        if (!counting || period == 1 || mode != MODE_2 && mode != MODE_3) {
            return 0;
        }
        return (tick - rise) / period;
    }

    // ---- Reading

    void latchCount(long tick) {
        sync(tick);
        if (!countLatched) {
            countLatched = true;
            outputLatch = countRegister(tick);
        }
    }

    void latchStatus(long tick) {
        sync(tick);
        if (!statusLatched) {
            statusLatched = true;
            statusLatch = (outAt(tick) ? 0x80 : 0) | (nullCount ? 0x40 : 0) | access << 4 | mode << 1 | (bcd ? 1 : 0);
        }
    }

    int read(long tick) {
        sync(tick);
        if (statusLatched) {
            statusLatched = false;
            return statusLatch;
        }
        int count = countLatched ? outputLatch : countRegister(tick);
        boolean msb = access == MSB || access == LSB_THEN_MSB && readMsbNext;
        if (access == LSB_THEN_MSB) {
            readMsbNext = !readMsbNext;
        }
        // Two reads empty the latch of a two-byte channel, one that of the others.
        if (!readMsbNext) {
            countLatched = false;
        }
        return msb ? count >>> 8 : count & 0xFF;
    }

    private int countRegister(long tick) {
        int count = ceAt(tick);
        if (!bcd) {
            return count & 0xFFFF;
        }
        int left = count % 10_000;
        return left / 1000 << 12 | left / 100 % 10 << 8 | left / 10 % 10 << 4 | left % 10;
    }

    // ---- State

    Pit8254.ChannelState save() {
        return new Pit8254.ChannelState(
                mode,
                bcd,
                access,
                gate,
                cr,
                writeMsbNext,
                writtenLsb,
                readMsbNext,
                nullCount,
                countLatched,
                outputLatch,
                statusLatched,
                statusLatch,
                loadTick,
                loaded,
                counting,
                startTick,
                startCount,
                period,
                startHigh,
                active);
    }

    /** Takes a saved state; ticks must not be after the given one, but that of the next load by one period. */
    void restore(Pit8254.ChannelState state, long tick) {
        boolean possible = state.mode() >= MODE_0
                && state.mode() <= MODE_5
                && state.access() >= LSB
                && state.access() <= LSB_THEN_MSB
                && state.startTick() <= tick
                && state.startTick() >= 0
                && state.loadTick() >= 0
                && (state.loadTick() == NEVER || state.loadTick() <= tick + 0x10000)
                && state.startCount() >= 0
                && state.startCount() <= 0x10000
                && state.period() >= 1
                && state.period() <= 0x10000;
        if (!possible) {
            throw new IllegalArgumentException("not a state of an 8254 channel: " + state);
        }
        mode = state.mode();
        bcd = state.bcd();
        access = state.access();
        gate = state.gate();
        cr = state.cr() & 0xFFFF;
        writeMsbNext = state.writeMsbNext();
        writtenLsb = state.writtenLsb() & 0xFF;
        readMsbNext = state.readMsbNext();
        nullCount = state.nullCount();
        countLatched = state.countLatched();
        outputLatch = state.outputLatch() & 0xFFFF;
        statusLatched = state.statusLatched();
        statusLatch = state.statusLatch() & 0xFF;
        loadTick = state.loadTick();
        loaded = state.loaded();
        counting = state.counting();
        startTick = state.startTick();
        startCount = state.startCount();
        period = state.period();
        startHigh = state.startHigh();
        active = state.active();
    }
}
