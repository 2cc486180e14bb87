package org.softkvm.vmm.pc;

import java.lang.foreign.MemorySegment;
import org.softkvm.devices.apic.IoApic;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.Vm;
import org.softkvm.vmm.loader.CpuStart;

/**
 * Runs a guest of its own while the real one is being unpacked, on a processor that has nothing else to do then: the
 * emulator's handlers are made, and HotSpot has seen and compiled the most of it when it is needed. The real guest is
 * another VM and notices nothing.
 */
final class WarmUp implements AutoCloseable {
    /** The first pass makes the handlers. Many more would take HotSpot's compilers from what unpacks the kernel. */
    private static final int PASSES = 100;

    private final String backend;
    private final int passes;
    private volatile boolean closed;
    private volatile Vcpu running;

    private WarmUp(String backend, int passes) {
        this.backend = backend;
        this.passes = passes;
    }

    /**
     * Starts it on a thread of its own.
     *
     * @param backend the backend's name, or "auto"
     * @return what ends it
     */
    static WarmUp start(String backend) {
        WarmUp warmUp = new WarmUp(backend, PASSES);
        Thread.ofPlatform().daemon().name("softkvm-warm-up").start(warmUp::work);
        return warmUp;
    }

    /**
     * Runs the guest on this thread.
     *
     * @param passes how often
     * @return how often it came to its end
     */
    static int run(String backend, int passes) {
        return new WarmUp(backend, passes).work();
    }

    private int work() {
        try (Kvm kvm = Kvm.open(backend)) {
            // Only an emulator begins cold.
            if (kvm.checkExtension(Capability.SOFTKVM_STATISTICS) != 0 && !closed) {
                try (Vm vm = kvm.createVm()) {
                    return run(vm);
                }
            }
        } catch (KvmException e) {
            // No memory, or no such backend: the real machine will say so, if it is still true then.
        }
        return 0;
    }

    private int run(Vm vm) {
        vm.enableCap(Capability.SPLIT_IRQCHIP, IoApic.PINS);
        MemorySegment memory = vm.allocateMemory(WarmUpProgram.MEMORY);
        byte[] program = WarmUpProgram.memory();
        MemorySegment.copy(MemorySegment.ofArray(program), 0, memory, 0, program.length);
        vm.setMemorySlot(MemorySlot.of(0, 0, memory));
        try (Vcpu vcpu = vm.createVcpu(0)) {
            StartState.apply(new CpuStart.Long64(WarmUpProgram.ENTRY, 0, 0, WarmUpProgram.TABLES), vcpu);
            running = vcpu;
            int done = 0;
            while (done < passes && !closed && vcpu.run() == ExitReason.IO) {
                done++;
            }
            return done;
        }
    }

    /** Ends it, without waiting for that. */
    @Override
    public void close() {
        closed = true;
        Vcpu vcpu = running;
        if (vcpu != null) {
            vcpu.kick();
        }
    }
}
