package org.softkvm.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A load in translated code, by where its translation is: the guest follows pointers through one word on each of so many
 * pages in random order, so that each load waits for the one before.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TlbBenchmark {
    private static final int LOADS = 1 << 14;
    private static final int STEPS = 4;

    /**
     * How many pages are visited: 1 is the page that the region keeps in a local, 512 are in the TLB of 4,096 entries, and
     * 16,384 mostly are not.
     */
    @Param({"1", "512", "16384"})
    public int pages;

    private BenchmarkGuest guest;

    /** Makes the guest and the chain of pointers. */
    @Setup
    public void setUp() {
        long size = BenchmarkGuest.FREE + pages * 4096L;
        byte[] program = BenchmarkGuest.loop("B8 00 00 10 00  mov eax, 100000h", "", LOADS / STEPS, """
                48 8B 00  mov rax, [rax]
                48 8B 00  mov rax, [rax]
                48 8B 00  mov rax, [rax]
                48 8B 00  mov rax, [rax]
                """);
        guest = BenchmarkGuest.longMode("emulator", "auto", Irqchip.NONE, size, false, program);
        List<Integer> order = new ArrayList<>();
        for (int i = 1; i < pages; i++) {
            order.add(i);
        }
        Collections.shuffle(order, new Random(1));
        order.add(0);
        long at = address(0);
        for (int page : order) {
            guest.put64(at, address(page));
            at = address(page);
        }
    }

    /** The word of a page: not always the same cache line. */
    private static long address(int page) {
        return BenchmarkGuest.FREE + page * 4096L + page % 64 * 64;
    }

    /** Closes it. */
    @TearDown
    public void tearDown() {
        guest.close();
    }

    /** A load. */
    @Benchmark
    @OperationsPerInvocation(LOADS)
    public void load() {
        guest.runToPort(BenchmarkGuest.DONE);
    }
}
