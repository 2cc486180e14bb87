package org.softkvm.benchmarks;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.softkvm.kvm.MemorySlot;

/**
 * Changing memory slots while a vcpu executes code on its own thread.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SlotBenchmark {
    private static final long WINDOW = 0x1000_0000L;

    /** The backend. */
    @Param({"emulator", "abi", "kvm"})
    public String backend;

    /** How many slots there are. */
    @Param({"2", "512"})
    public int slots;

    private BenchmarkGuest guest;
    private VcpuThread thread;
    private List<MemorySlot> first;
    private List<MemorySlot> second;
    private boolean flip;

    /** Makes the guest: it counts in a word of memory while slots come and go elsewhere. */
    @Setup
    public void setUp() {
        guest = BenchmarkGuest.longMode(backend, Irqchip.NONE, """
                BE 00 30 00 00  mov esi, 3000h
                FF 06           inc dword [rsi]
                EB FC           jmp $-2
                """);
        first = list(WINDOW);
        second = list(WINDOW + 0x1000);
        guest.vm.replaceMemorySlots(first);
        thread = new VcpuThread(guest.vcpu);
    }

    private List<MemorySlot> list(long from) {
        List<MemorySlot> list = new ArrayList<>();
        list.add(guest.slot(false));
        for (int i = 1; i < slots; i++) {
            MemorySegment page = guest.memory.asSlice(0x20000, 0x1000);
            list.add(MemorySlot.of(i, from + i * 0x2000L, page));
        }
        return list;
    }

    /** Ends it. */
    @TearDown
    public void tearDown() {
        thread.close();
        guest.close();
    }

    /** The whole list at once: all slots but one move. */
    @Benchmark
    public void replaceList() {
        flip = !flip;
        guest.vm.replaceMemorySlots(flip ? second : first);
    }

    /** One slot is deleted and made again: KVM_SET_USER_MEMORY_REGION, twice. */
    @Benchmark
    public void deleteAndSet() {
        MemorySlot slot = guest.vm.memorySlots().getLast();
        guest.vm.deleteMemorySlot(0, slot.slot());
        guest.vm.setMemorySlot(slot);
    }
}
