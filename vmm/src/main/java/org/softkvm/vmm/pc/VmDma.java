package org.softkvm.vmm.pc;

import java.lang.foreign.MemorySegment;
import org.softkvm.devices.DmaMemory;
import org.softkvm.kvm.Vm;

/** Guest memory for devices that master the bus. */
final class VmDma implements DmaMemory {
    private final Vm vm;

    VmDma(Vm vm) {
        this.vm = vm;
    }

    @Override
    public boolean read(long address, byte[] to, int offset, int length) {
        return vm.dmaRead(address, MemorySegment.ofArray(to).asSlice(offset, length)) == length;
    }

    @Override
    public boolean write(long address, byte[] from, int offset, int length) {
        return vm.dmaWrite(address, MemorySegment.ofArray(from).asSlice(offset, length)) == length;
    }
}
