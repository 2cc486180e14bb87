package org.softkvm.benchmarks;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
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
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.MemorySlot;

/**
 * Where a guest-physical address leads, with one slot up to as many as KVM has: the look-up of a TLB miss by itself, for an
 * address with memory and for one without, and the dispatch of a device's access to memory.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SlotLookUpBenchmark {
    private static final int ADDRESSES = 1 << 12;
    private static final long PAGE = 4096;

    /** How many slots there are, of one page each, with a page between any two. */
    @Param({"1", "32", "1024", "32764"})
    public int slots;

    private MemorySegment pages;
    private GuestMemory memory;
    private final long[] there = new long[ADDRESSES];
    private final long[] absent = new long[ADDRESSES];
    private int next;

    /** Makes the slots and the addresses to look up, in random order. */
    @Setup
    public void setUp() {
        pages = HostMemory.allocate(slots * PAGE);
        memory = new GuestMemory();
        List<MemorySlot> list = new ArrayList<>();
        for (int i = 0; i < slots; i++) {
            list.add(new MemorySlot(i, 0, 2 * i * PAGE, pages.asSlice(i * PAGE, PAGE), false, false));
        }
        memory.setSlots(list);
        Random random = new Random(1);
        for (int i = 0; i < ADDRESSES; i++) {
            long at = 2 * random.nextInt(slots) * PAGE + random.nextInt((int) PAGE - 8);
            there[i] = at;
            absent[i] = at + PAGE;
        }
        if (memory.hostOffset(there[0]) < 0 || memory.hostOffset(absent[0]) != GuestMemory.NONE) {
            throw new IllegalStateException("the slots are not where they should be");
        }
    }

    /** Frees them. */
    @TearDown
    public void tearDown() {
        memory.setSlots(List.of());
        HostMemory.free(pages);
    }

    /** An address with memory. */
    @Benchmark
    public long memory() {
        next = next + 1 & ADDRESSES - 1;
        return memory.hostOffset(there[next]);
    }

    /** An address without: an MMIO exit comes next. */
    @Benchmark
    public long hole() {
        next = next + 1 & ADDRESSES - 1;
        return memory.hostOffset(absent[next]);
    }
}
