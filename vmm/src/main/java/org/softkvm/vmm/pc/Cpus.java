package org.softkvm.vmm.pc;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.LapicState;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.VcpuStatistics;
import org.softkvm.kvm.Vm;
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

    private final Vm vm;
    private final Board board;
    private final RunEnd end;
    private final List<Vcpu> vcpus = new ArrayList<>();
    /** Translated code counts its instructions. */
    private boolean exact;

    /** Under the virtual clock where the CPUs take their turns, and where they begin to. */
    private Turns turns;

    private Turns.Place place = Turns.Place.START;

    private final List<VcpuLoop> loops = new ArrayList<>();
    private final List<PowerOnState> powerOn = new ArrayList<>();
    private final List<Runnable> works = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    /**
     * Prepares the loops.
     *
     * @param created the vcpus in the order of their ids; the first is the bootstrap processor
     */
    Cpus(Vm vm, List<Vcpu> created, Board board, RunEnd end) {
        this.vm = vm;
        this.board = board;
        this.end = end;
        vcpus.addAll(created);
        for (Vcpu vcpu : vcpus) {
            loops.add(new VcpuLoop(vcpu, board, end));
            powerOn.add(new PowerOnState(vcpu));
        }
        // The PIC's output leads to the CPU that booted: firmware opens LINT0 there only.
        board.extInt().onAssert(loops.getFirst()::wakeUp);
        // SMI# leads there too, as on QEMU's PC: the others get theirs by messages.
        board.onSmi(vcpus.getFirst()::smi);
        if (vm.checkExtension(Capability.SOFTKVM_FPU_ERROR) != 0) {
            Vcpu first = vcpus.getFirst();
            first.onFpuError(() -> {
                board.coprocessorError();
                // IRQ 13 may come through the PIC: then it is injected between two runs.
                first.kick();
            });
        }
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

    /** Takes all CPUs back to power-on; none runs. */
    void reset() {
        powerOn.forEach(PowerOnState::restore);
    }

    /** Takes the states of the CPUs, whose threads have ended. */
    List<SavedCpu> save() throws VmmException {
        List<SavedCpu> states = new ArrayList<>();
        for (Vcpu vcpu : vcpus) {
            states.add(SavedCpu.of(vcpu));
        }
        return states;
    }

    /** Finishes accesses that are open; the threads have ended. */
    void settle() {
        if (turns == null) {
            loops.forEach(VcpuLoop::settle);
        }
    }

    /** Where the round of turns stands. */
    Turns.Place place() {
        return turns == null ? Turns.Place.START : turns.place();
    }

    /** Puts CPUs that have not run yet into saved states. */
    void restore(List<SavedCpu> states, Turns.Place where, Consumer<String> notes) throws VmmException {
        for (int n = 0; n < vcpus.size(); n++) {
            states.get(n).restore(vcpus.get(n), notes);
        }
        SavedCpu.alignCounters(states, vcpus);
        place = where;
    }

    private void wakeUp() {
        loops.forEach(VcpuLoop::wakeUp);
    }

    /**
     * Starts a thread for each CPU, or one for all where time is virtual.
     *
     * @param virtual whether it is
     * @param instructions what the CPUs may execute together; negative for no limit
     */
    void start(boolean virtual, long instructions) {
        exact = virtual || instructions >= 0;
        if (virtual) {
            long limit = instructions < 0 ? Long.MAX_VALUE : instructions;
            turns = new Turns(vm, board, end, loops, limit, place);
            works.add(turns);
        } else {
            if (instructions >= 0) {
                InstructionBudget budget = new InstructionBudget(instructions, loops.size());
                loops.forEach(loop -> loop.setBudget(budget));
            }
            works.addAll(loops);
        }
        goOn();
    }

    /** Starts the threads again, after a reset. */
    void goOn() {
        threads.clear();
        for (int n = 0; n < works.size(); n++) {
            threads.add(thread("softkvm-vcpu-" + n, works.get(n)));
        }
        threads.forEach(Thread::start);
    }

    private static Thread thread(String name, Runnable work) {
        return Thread.ofPlatform().name(name).daemon().stackSize(VCPU_STACK).unstarted(work);
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
     * @param virtual whether time is virtual
     */
    PcStatistics statistics(double seconds, boolean counted, boolean virtual) {
        if (!counted) {
            return PcStatistics.uncounted(vcpus.size(), seconds, exits());
        }
        VcpuStatistics sum = new VcpuStatistics();
        sum.haltNanos = Long.MAX_VALUE;
        VcpuStatistics counters = new VcpuStatistics();
        for (Vcpu vcpu : vcpus) {
            vcpu.statistics(counters);
            sum.instructions += counters.instructions;
            sum.interrupts += counters.interrupts;
            sum.haltNanos = Math.min(sum.haltNanos, counters.haltNanos);
            sum.guestNanos += counters.guestNanos;
            sum.tlbMisses += counters.tlbMisses;
            sum.tlbFlushes += counters.tlbFlushes;
            sum.blocksDecoded += counters.blocksDecoded;
            sum.faults += counters.faults;
            sum.interpreted += counters.interpreted;
            sum.fallbacks += counters.fallbacks;
            sum.regions += counters.regions;
            sum.regionBytes += counters.regionBytes;
            sum.translationNanos += counters.translationNanos;
            sum.regionsCompiled += counters.regionsCompiled;
            sum.regionsFailed += counters.regionsFailed;
            sum.regionsDropped += counters.regionsDropped;
            sum.sideExits += counters.sideExits;
        }
        return new PcStatistics(
                vcpus.size(),
                exact || sum.regions == 0 ? sum.instructions : -1,
                seconds,
                sum.haltNanos / 1e9,
                virtual ? vm.virtualTime() / 1e9 : -1,
                sum.guestNanos / 1e9,
                sum.interrupts,
                sum.faults,
                sum.tlbMisses,
                sum.tlbFlushes,
                sum.blocksDecoded,
                new TranslationStatistics(
                        sum.interpreted,
                        sum.fallbacks,
                        sum.regions,
                        sum.regionBytes,
                        sum.translationNanos / 1e9,
                        sum.regionsCompiled,
                        sum.regionsFailed,
                        sum.regionsDropped,
                        sum.sideExits),
                exits());
    }
}
