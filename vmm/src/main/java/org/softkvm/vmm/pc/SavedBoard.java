package org.softkvm.vmm.pc;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.softkvm.devices.StatefulDevice;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.snapshot.RecordCodec;
import org.softkvm.vmm.snapshot.SnapshotReader;
import org.softkvm.vmm.snapshot.SnapshotWriter;

/**
 * The state of the board in a snapshot.
 *
 * @param a20Open whether the A20 gate is open
 * @param devices the states of the chips
 * @param input what the host sent to the serial port and the port has not taken yet
 * @param inputNanos under the virtual clock the time until it gets the next byte, or -1
 */
record SavedBoard(boolean a20Open, List<Device> devices, byte[] input, long inputNanos) {
    private static final int MAX_DEVICES = 64;
    private static final int MAX_INPUT = 1 << 30;

    /**
     * The state of a chip.
     *
     * @param name the name of its class
     * @param state what it gave
     */
    record Device(String name, Record state) {
        static Device of(StatefulDevice<?> device) {
            return new Device(device.getClass().getSimpleName(), device.save());
        }
    }

    void write(SnapshotWriter out) throws IOException {
        out.putByte(a20Open ? 1 : 0);
        out.putInt(devices.size());
        for (Device device : devices) {
            out.putText(device.name());
            RecordCodec.write(device.state(), out);
        }
        out.putBytes(input);
        out.putLong(inputNanos);
    }

    /**
     * Reads it.
     *
     * @param in where it comes from
     * @param types the chips that the board has, with the kinds of their states
     */
    static SavedBoard read(SnapshotReader in, List<Device> types) throws VmmException {
        boolean a20Open = in.getFlag();
        List<Device> devices = new ArrayList<>();
        int count = in.getCount("devices", MAX_DEVICES);
        if (count != types.size()) {
            throw in.damaged("a board of another version, with " + count + " devices");
        }
        for (Device type : types) {
            if (!in.getText("a name").equals(type.name())) {
                throw in.damaged("a board of another version: no " + type.name());
            }
            devices.add(new Device(type.name(), RecordCodec.read(type.state().getClass(), in)));
        }
        return new SavedBoard(a20Open, devices, in.getBytes("input", MAX_INPUT), in.getLong());
    }
}
