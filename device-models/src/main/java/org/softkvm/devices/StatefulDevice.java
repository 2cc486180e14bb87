package org.softkvm.devices;

/**
 * A device whose state can be saved and restored.
 *
 * <p>A state is a record of primitives, arrays of primitives, and records and lists of the same, so that it can be
 * written to a file by reflection on its components. It shares nothing mutable with the device. It holds no reading of
 * the {@link org.softkvm.devices.time.DeviceClock}: times are kept relative to the moment of saving, so a state goes
 * on from there on any clock, at the next nanosecond of guest time.
 *
 * <p>Saving has no side effect that a guest can see. Restoring drives the device's output lines to the restored
 * levels and arms its timers; the inputs keep the levels that were saved.
 *
 * @param <S> the device's state record
 */
public interface StatefulDevice<S extends Record> {
    /**
     * Takes the device's whole state.
     *
     * @return the state at this moment
     */
    S save();

    /**
     * Puts the device into a saved state.
     *
     * @param state a state from {@link #save()}, of this or another device of the same kind
     * @throws IllegalArgumentException when the state does not fit this device, for instance an array of another length
     */
    void restore(S state);
}
