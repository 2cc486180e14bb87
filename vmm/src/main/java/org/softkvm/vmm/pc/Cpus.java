package org.softkvm.vmm.pc;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.LapicState;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.VcpuStatistics;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.loader.CpuStart;

/**
 * The PC's CPUs, each with its loop and its thread. The first one boots; the others wait for INIT and start-up messages,
 * inside the KVM API. What ends the run on one ends it on all.
 */
final class Cpus {
    private static final int LVT_LINT0 = 0x350;
    private static final int LVT_LINT1 = 0x360;
    private static final int DELIVERY_EXTINT = 0x700;
    private static final int DELIVERY_NMI = 0x400;

    private static final long VCPU_STACK = 4 << 20;

    private final List<Vcpu> vcpus = new ArrayList<>();
    private final List<VcpuLoop> loops = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    /**
     * Prepares the loops.
     *
     * @param created the vcpus in the order of their ids; the first is the bootstrap processor
     */
    Cpus(List<Vcpu> created, Board board, RunEnd end) {
        vcpus.addAll(created);
        for (Vcpu vcpu : vcpus) {
            loops.add(new VcpuLoop(vcpu, board, end));
        }
        // The PIC's output leads to the CPU that booted: firmware opens LINT0 there only.
        board.extInt().onAssert(loops.getFirst()::wakeUp);
        end.onEnd(this::wakeUp);
    }

    /** Sets the first CPU's state: the local APIC in virtual-wire mode, as a BIOS leaves it, and where it starts. */
    void prepare(CpuStart start) {
        Vcpu first = vcpus.getFirst();
        LapicState lapic = new LapicState();
        first.getLapic(lapic);
        lapic.set(LVT_LINT0, DELIVERY_EXTINT);
        lapic.set(LVT_LINT1, DELIVERY_NMI);
        first.setLapic(lapic);
        StartState.apply(start, first);
        if (!(start instanceof CpuStart.Reset)) {
            vcpus.forEach(StartState::memoryTypes);
        }
    }

    /** Bounds what each CPU may execute. */
    void setInstructionLimit(long instructions) {
        vcpus.forEach(vcpu -> vcpu.setInstructionLimit(instructions));
    }

    private void wakeUp() {
        loops.forEach(VcpuLoop::wakeUp);
    }

    /** Starts a thread for each CPU. */
    void start() {
        for (int n = 0; n < loops.size(); n++) {
            threads.add(Thread.ofPlatform()
                    .name("softkvm-vcpu-" + n)
                    .daemon()
                    .stackSize(VCPU_STACK)
                    .unstarted(loops.get(n)));
        }
        threads.forEach(Thread::start);
    }

    /** Waits until all threads have ended. */
    void join(long millis) throws VmmException {
        boolean interrupted = Thread.interrupted();
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (Thread thread : threads) {
            try {
                thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())));
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        for (int n = 0; n < threads.size(); n++) {
            if (threads.get(n).isAlive()) {
                throw new VmmException("CPU " + n + " did not stop within " + millis / 1000 + " s");
            }
        }
    }

    /** Whether a thread still runs; then nothing may be freed. */
    boolean alive() {
        return threads.stream().anyMatch(Thread::isAlive);
    }

    void close() {
        vcpus.forEach(Vcpu::close);
    }

    /** Exits of all CPUs by kind, most frequent first. */
    private Map<String, Long> exits() {
        long[] counts = new long[VcpuLoop.COUNTED];
        for (VcpuLoop loop : loops) {
            for (int reason = 0; reason < counts.length; reason++) {
                counts[reason] += loop.exits()[reason];
            }
        }
        Map<String, Long> exits = new LinkedHashMap<>();
        IntStream.range(0, counts.length)
                .boxed()
                .filter(reason -> counts[reason] > 0)
                .sorted(Comparator.comparing((Integer reason) -> -counts[reason]))
                .forEach(reason -> exits.put(ExitReason.name(reason), counts[reason]));
        return exits;
    }

    /**
     * What all CPUs did together. The threads have ended.
     *
     * @param seconds host time of the run
     * @param counted whether the backend counts
     */
    PcStatistics statistics(double seconds, boolean counted) {
        if (!counted) {
            return new PcStatistics(-1, seconds, -1, -1, exits());
        }
        long instructions = 0;
        long interrupts = 0;
        long haltNanos = Long.MAX_VALUE;
        VcpuStatistics counters = new VcpuStatistics();
        for (Vcpu vcpu : vcpus) {
            vcpu.statistics(counters);
            instructions += counters.instructions;
            interrupts += counters.interrupts;
            haltNanos = Math.min(haltNanos, counters.haltNanos);
        }
        return new PcStatistics(instructions, seconds, haltNanos / 1e9, interrupts, exits());
    }
}
