package org.softkvm.benchmarks;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Translated code by itself: from one region into the next, and an indirect jump whose targets are in the same region or
 * are not. The guest goes round a ring of jumps, each on a page of its own, or through a table of jump targets.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class RegionBenchmark {
    private static final int LAPS = 256;

    /** Jumps in the ring. A region spans four pages at most, so this is a multiple of that. */
    private static final int RING = 64;

    private static final int PAGES_A_REGION = 4;

    private static final int TARGETS = 0x200000;
    private static final int TABLE = 0x180000;
    private static final long SIZE = 0x400000;

    private BenchmarkGuest ring;
    private BenchmarkGuest shortLoop;
    private BenchmarkGuest oneTarget;
    private BenchmarkGuest fewTargets;
    private BenchmarkGuest manyTargets;

    /** Makes the guests. */
    @Setup
    public void setUp() {
        ring = ring();
        shortLoop = guest(BenchmarkGuest.loop("", "", LAPS, "FF C0  inc eax"));
        oneTarget = table(1);
        fewTargets = table(8);
        manyTargets = table(64);
    }

    private static BenchmarkGuest guest(byte[] program) {
        return BenchmarkGuest.longMode("emulator", "auto", Irqchip.NONE, SIZE, false, program);
    }

    /** The loop jumps to the first page, each page to the next, and the last one returns. */
    private static BenchmarkGuest ring() {
        BenchmarkGuest guest =
                guest(BenchmarkGuest.loop("BB 00 00 20 00  mov ebx, 200000h", "", LAPS, "FF D3  call rbx"));
        for (int i = 0; i < RING - 1; i++) {
            // inc eax; jmp to the next page
            ByteBuffer code = ByteBuffer.allocate(7).order(ByteOrder.LITTLE_ENDIAN);
            code.put((byte) 0xFF).put((byte) 0xC0).put((byte) 0xE9).putInt(0x1000 - 7);
            guest.load(TARGETS + i * 0x1000L, code.array());
        }
        guest.load(TARGETS + (RING - 1) * 0x1000L, "C3  ret");
        return guest;
    }

    /** The loop takes the targets in turn by one jump; each of them jumps back. */
    private static BenchmarkGuest table(int targets) {
        String first = """
                BB 00 00 18 00  mov ebx, 180000h
                31 F6           xor esi, esi
                """;
        String body = """
                FF C6           inc esi
                83 E6 MM        and esi, mask
                FF 24 F3        jmp [rbx+rsi*8]
                """.replace("MM", "%02x".formatted(targets - 1));
        byte[] program = BenchmarkGuest.loop(first, "", LAPS, body);
        BenchmarkGuest guest = guest(program);
        // The body is followed by what the loop ends with: 2 + 6 bytes, out 2, jmp 5.
        int back = BenchmarkGuest.CODE + program.length - 15;
        for (int i = 0; i < targets; i++) {
            int at = TARGETS + i * 0x20;
            ByteBuffer code = ByteBuffer.allocate(7).order(ByteOrder.LITTLE_ENDIAN);
            code.put((byte) 0xFF).put((byte) 0xC0).put((byte) 0xE9).putInt(back - at - 7);
            guest.load(at, code.array());
            guest.put64(TABLE + i * 8L, at);
        }
        return guest;
    }

    /** Closes them. */
    @TearDown
    public void tearDown() {
        ring.close();
        shortLoop.close();
        oneTarget.close();
        fewTargets.close();
        manyTargets.close();
    }

    /** Leaving a region and entering the next one; four direct jumps within a region are in it. */
    @Benchmark
    @OperationsPerInvocation(LAPS * RING / PAGES_A_REGION)
    public void entry() {
        ring.runToPort(BenchmarkGuest.DONE);
    }

    /** Three instructions of a loop that stays in its region: what the other figures contain as well. */
    @Benchmark
    @OperationsPerInvocation(LAPS)
    public void loop() {
        shortLoop.runToPort(BenchmarkGuest.DONE);
    }

    /** An indirect jump that always goes to the same place, and the loop around it. */
    @Benchmark
    @OperationsPerInvocation(LAPS)
    public void jumpToOne() {
        oneTarget.runToPort(BenchmarkGuest.DONE);
    }

    /** The same with 8 targets in turn: the region has them all. */
    @Benchmark
    @OperationsPerInvocation(LAPS)
    public void jumpToFew() {
        fewTargets.runToPort(BenchmarkGuest.DONE);
    }

    /** The same with 64 targets: more than a region has. */
    @Benchmark
    @OperationsPerInvocation(LAPS)
    public void jumpToMany() {
        manyTargets.runToPort(BenchmarkGuest.DONE);
    }
}
