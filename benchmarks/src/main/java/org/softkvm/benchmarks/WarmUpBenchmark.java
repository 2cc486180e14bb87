package org.softkvm.benchmarks;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
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
import org.softkvm.kvm.VcpuStatistics;

/**
 * A JVM that has just started, and a guest that does nothing but run one hot loop: when the first translated region is there,
 * and when HotSpot has made it fast. Each measurement is a JVM of its own.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
@Fork(5)
public class WarmUpBenchmark {
    private static final int LAPS = 20_000;
    private static final int STEADY = 50;

    /** How long the guest is watched, in milliseconds. */
    @Param("2500")
    public int watched;

    private BenchmarkGuest guest;
    private final VcpuStatistics statistics = new VcpuStatistics();

    /** What {@link #reachFullSpeed} finds. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Found {
        /** Microseconds from the first instruction until passes take at most 1.25 times what they take in the end. */
        public long microsToFullSpeed;

        /** Millions of guest instructions a second then. */
        public long finalMips;
    }

    /** Makes the guest: a loop of eight instructions with a load and a store. */
    @Setup
    public void setUp() {
        byte[] program = BenchmarkGuest.loop("BE 00 30 00 00  mov esi, 3000h", "", LAPS, """
                8B 06     mov eax, [rsi]
                01 C8     add eax, ecx
                D1 C0     rol eax, 1
                89 06     mov [rsi], eax
                31 C2     xor edx, eax
                8D 3C 10  lea edi, [rax+rdx]
                """);
        guest = BenchmarkGuest.longMode("emulator", "auto", Irqchip.NONE, BenchmarkGuest.SMALL, false, program);
    }

    /** Closes it. */
    @TearDown
    public void tearDown() {
        guest.close();
    }

    /** From the first instruction of the guest until a region is installed. */
    @Benchmark
    public long firstRegion() {
        do {
            guest.runToPort(BenchmarkGuest.DONE);
            guest.vcpu.statistics(statistics);
        } while (statistics.regions == 0);
        return statistics.regions;
    }

    /** Watches the guest for some seconds; the counters say what was found. */
    @Benchmark
    public void reachFullSpeed(Found found) {
        long[] ends = new long[1 << 20];
        int passes = 0;
        long begin = System.nanoTime();
        long now = begin;
        while (now - begin < watched * 1_000_000L && passes < ends.length || passes < 3 * STEADY) {
            guest.runToPort(BenchmarkGuest.DONE);
            now = System.nanoTime();
            ends[passes++] = now - begin;
        }
        long[] last = new long[passes / 3];
        for (int i = 0; i < last.length; i++) {
            int pass = passes - last.length + i;
            last[i] = ends[pass] - ends[pass - 1];
        }
        Arrays.sort(last);
        double usual = last[last.length / 2];
        int pass = STEADY;
        while (pass < passes - 1 && ends[pass] - ends[pass - STEADY] > 1.25 * STEADY * usual) {
            pass++;
        }
        found.microsToFullSpeed = ends[pass - STEADY] / 1000;
        found.finalMips = Math.round(LAPS * 8 * 1000 / usual);
    }
}
