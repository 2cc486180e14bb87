package org.softkvm.benchmarks;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
 * The dirty log: what a guest's first store to a page costs, with and without a log, and what it costs to ask for the log.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class DirtyLogBenchmark {
    private static final int PAGES = 4096;
    private static final long SIZE = BenchmarkGuest.FREE + PAGES * 4096L;

    /** The backend. */
    @Param({"emulator", "abi", "kvm"})
    public String backend;

    private BenchmarkGuest plain;
    private BenchmarkGuest logged;
    private BenchmarkGuest idle;
    private MemorySegment bitmap;

    /** Makes the guests: they store one byte to each of 4,096 pages between two exits. */
    @Setup
    public void setUp() {
        byte[] program = BenchmarkGuest.loop("", "BF 00 00 10 00  mov edi, 100000h", PAGES, """
                88 0F                 mov [rdi], cl
                48 81 C7 00 10 00 00  add rdi, 1000h
                """);
        plain = BenchmarkGuest.longMode(backend, null, Irqchip.NONE, SIZE, false, program);
        logged = BenchmarkGuest.longMode(backend, null, Irqchip.NONE, SIZE, true, program);
        idle = BenchmarkGuest.longMode(backend, null, Irqchip.NONE, SIZE, true, program);
        bitmap = Arena.ofAuto().allocate((SIZE / 4096 + 63) / 64 * 8, 8);
        idle.vm.getDirtyLog(0, 0, bitmap);
    }

    /** Closes them. */
    @TearDown
    public void tearDown() {
        plain.close();
        logged.close();
        idle.close();
    }

    /** A store, the loop around it included, to a slot without a log. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void storeWithoutLog() {
        plain.runToPort(BenchmarkGuest.DONE);
    }

    /** A store to a page that is not marked yet, and its share of KVM_GET_DIRTY_LOG afterwards. */
    @Benchmark
    @OperationsPerInvocation(PAGES)
    public void storeAndGetLog() {
        logged.runToPort(BenchmarkGuest.DONE);
        logged.vm.getDirtyLog(0, 0, bitmap);
        if ((bitmap.get(ValueLayout.JAVA_LONG, bitmap.byteSize() - 16) & 1) == 0) {
            throw new IllegalStateException("a store is not in the log");
        }
    }

    /** KVM_GET_DIRTY_LOG of 17 MiB in which nothing was stored. */
    @Benchmark
    public MemorySegment getCleanLog() {
        idle.vm.getDirtyLog(0, 0, bitmap);
        return bitmap;
    }
}
