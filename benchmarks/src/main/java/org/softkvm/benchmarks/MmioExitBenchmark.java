package org.softkvm.benchmarks;

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
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.VcpuRun;

/**
 * An access to an address without memory, from one exit to the next, in 64-bit mode with paging on: a handler takes or
 * gives the data.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class MmioExitBenchmark {
    private static final String WRITE = """
            BB 00 00 00 D0  mov ebx, 0D0000000h
            89 03           mov [rbx], eax
            EB FC           jmp $-2
            """;

    private static final String READ = """
            BB 00 00 00 D0  mov ebx, 0D0000000h
            8B 03           mov eax, [rbx]
            EB FC           jmp $-2
            """;

    /** The backend. */
    @Param({"emulator", "abi", "kvm"})
    public String backend;

    private BenchmarkGuest writing;
    private BenchmarkGuest reading;
    private final MmioHandler handler = new Latch();

    /** What a device model is to an exit. */
    private interface MmioHandler {
        long read(long address, int length);

        void write(long address, int length, long value);
    }

    private static final class Latch implements MmioHandler {
        private long value;

        @Override
        public long read(long address, int length) {
            return value + address;
        }

        @Override
        public void write(long address, int length, long newValue) {
            value = newValue;
        }
    }

    /** Makes the guests. */
    @Setup
    public void setUp() {
        writing = BenchmarkGuest.longMode(backend, Irqchip.NONE, WRITE);
        reading = BenchmarkGuest.longMode(backend, Irqchip.NONE, READ);
    }

    /** Closes them. */
    @TearDown
    public void tearDown() {
        writing.close();
        reading.close();
    }

    /** A store of 4 bytes. */
    @Benchmark
    public void write() {
        serve(writing);
    }

    /** A load of 4 bytes. */
    @Benchmark
    public void read() {
        serve(reading);
    }

    private void serve(BenchmarkGuest guest) {
        guest.runTo(ExitReason.MMIO);
        VcpuRun run = guest.run;
        if (run.mmioIsWrite()) {
            handler.write(run.mmioAddress(), run.mmioLength(), run.mmioData());
        } else {
            run.setMmioData(handler.read(run.mmioAddress(), run.mmioLength()));
        }
    }
}
