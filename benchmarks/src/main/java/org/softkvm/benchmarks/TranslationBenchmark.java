package org.softkvm.benchmarks;

import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
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
import org.softkvm.kvm.VcpuStatistics;

/**
 * What cold code costs, an instruction: its bytes have just been written, so it is decoded, executed once by the interpreter
 * and, with the engine {@code translator}, planned, translated to bytecode, loaded, installed and executed again at once.
 * The difference of the engines is the translator; HotSpot's work comes on top, later. Each function becomes a region of
 * {@link #BODY} + 2 instructions.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TranslationBenchmark {
    private static final int FUNCTIONS = 64;
    private static final int BODY = 20;
    private static final int SPACING = 0x40;

    /** Instructions of a pass that are new: an INC, the body and the jump back. */
    private static final int INSTRUCTIONS = FUNCTIONS * (BODY + 2);

    private static final int FUNCTION_CODE = 0x20000;
    private static final int TABLE = 0x30000;

    /** The engine. */
    @Param({"interpreter", "translator"})
    public String engine;

    private final VcpuStatistics statistics = new VcpuStatistics();
    private BenchmarkGuest guest;
    private byte[] functions;

    /**
     * Makes the guest: between two exits it jumps to each function once, through a table, and each jumps back through a
     * register. So no function becomes part of another one's region.
     */
    @Setup
    public void setUp() {
        byte[] loop = BenchmarkGuest.loop("""
                BB 00 00 03 00  mov ebx, 30000h
                BD 14 10 00 00  mov ebp, 1014h
                """, "31 F6  xor esi, esi", FUNCTIONS, """
                FF 24 F3  jmp [rbx+rsi*8]
                """);
        ByteBuffer code = ByteBuffer.allocate(FUNCTIONS * SPACING);
        guest = BenchmarkGuest.longMode("emulator", engine, Irqchip.NONE, BenchmarkGuest.SMALL, false, loop);
        for (int i = 0; i < FUNCTIONS; i++) {
            code.position(i * SPACING);
            code.put(BenchmarkGuest.assemble("FF C6  inc esi"));
            for (int k = 0; k < BODY; k++) {
                // add, xor, sub, imul of registers, in turn
                code.put(BenchmarkGuest.assemble(
                        switch (k % 4) {
                            case 0 -> "01 D0";
                            case 1 -> "31 C2";
                            case 2 -> "29 D7";
                            default -> "0F AF C2";
                        }));
            }
            code.put(BenchmarkGuest.assemble("FF E5  jmp rbp"));
            guest.put64(TABLE + i * 8L, FUNCTION_CODE + i * SPACING);
        }
        functions = code.array();
        write();
        run();
        write();
        guest.vcpu.statistics(statistics);
        long before = statistics.regions;
        run();
        guest.vcpu.statistics(statistics);
        long regions = statistics.regions - before;
        // The loop may become regions, too.
        long expected = engine.equals("translator") ? FUNCTIONS : 0;
        if (regions < expected || regions > expected + 4) {
            throw new IllegalStateException(regions + " regions");
        }
    }

    /** Closes it. */
    @TearDown
    public void tearDown() {
        guest.close();
    }

    /** Makes all functions new code. */
    @Setup(Level.Invocation)
    public void write() {
        guest.load(FUNCTION_CODE, functions);
    }

    /** A guest instruction of cold code. */
    @Benchmark
    @OperationsPerInvocation(INSTRUCTIONS)
    public void run() {
        guest.runToPort(BenchmarkGuest.DONE);
    }
}
