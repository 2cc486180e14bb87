package org.softkvm.kvm.emulator;

import org.softkvm.emulator.VirtualCpu;

/** Model-specific registers as KVM_GET_MSRS and KVM_SET_MSRS see them. */
final class MsrAccess {
    private final VirtualCpu cpu;
    private final LapicPort port;

    MsrAccess(VirtualCpu cpu, LapicPort port) {
        this.cpu = cpu;
        this.port = port;
    }

    /** Reads up to the first that cannot be read; returns how many. */
    int get(int[] indices, long[] values) {
        for (int i = 0; i < indices.length; i++) {
            if (!canRead(indices[i])) {
                return i;
            }
            values[i] = read(indices[i]);
        }
        return indices.length;
    }

    /** Writes up to the first that does not take its value; returns how many. */
    int set(int[] indices, long[] values) {
        for (int i = 0; i < indices.length; i++) {
            if (!write(indices[i], values[i])) {
                return i;
            }
        }
        return indices.length;
    }

    boolean canRead(int index) {
        return port.ownsMsr(index) ? port.canReadMsr(index) : cpu.hasMsr(index);
    }

    long read(int index) {
        return port.ownsMsr(index) ? port.readMsr(index) : cpu.readMsr(index);
    }

    boolean write(int index, long value) {
        if (index == MsrList.APIC_BASE) {
            // From outside the modes change in any order.
            return port.setApicBase(value);
        }
        if (port.ownsMsr(index)) {
            return port.writeMsr(index, value);
        }
        boolean taken = cpu.writeMsr(index, value);
        if (taken && (index == MsrList.TSC || index == MsrList.TSC_ADJUST)) {
            port.tscChanged();
        }
        return taken;
    }
}
