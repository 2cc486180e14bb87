package org.softkvm.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
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

/**
 * How long it takes to throw a vcpu out of guest code that it executes on its own thread: from the kick until the waiting
 * thread has seen that the run ended.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class KickBenchmark {
    /** The backend. */
    @Param({"emulator", "abi", "kvm"})
    public String backend;

    private BenchmarkGuest guest;
    private VcpuThread thread;

    /** Makes the guest and lets it run. */
    @Setup
    public void setUp() {
        guest = BenchmarkGuest.longMode(backend, Irqchip.NONE, "EB FE  jmp $");
        thread = new VcpuThread(guest.vcpu);
    }

    /** Ends it. */
    @TearDown
    public void tearDown() {
        thread.close();
        guest.close();
    }

    /** Gives the vcpu the time to be in guest code again. */
    @Setup(Level.Invocation)
    public void settle() {
        long until = System.nanoTime() + SETTLE_NANOS;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
    }

    /** A kick. */
    @Benchmark
    public void kick() {
        long before = thread.ended();
        guest.vcpu.kick();
        thread.awaitExit(before, ExitReason.INTR);
    }

    private static final long SETTLE_NANOS = 20_000;
}
