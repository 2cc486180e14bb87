package org.softkvm.devices;

/** A line's end that remembers its level and counts its rising edges. */
public final class RecordingLine implements InterruptLine {
    private boolean level;
    private int rises;
    private int falls;

    @Override
    public void set(boolean newLevel) {
        if (newLevel && !level) {
            rises++;
        } else if (!newLevel && level) {
            falls++;
        }
        level = newLevel;
    }

    public boolean isHigh() {
        return level;
    }

    public int rises() {
        return rises;
    }

    public int falls() {
        return falls;
    }

    /** The rising edges since the last call. */
    public int takeRises() {
        int taken = rises;
        rises = 0;
        return taken;
    }
}
