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
 * How long it takes to wake a vcpu that waits in HLT on its own thread: from the call that sends the interrupt until its
 * handler's first instruction, an OUT, has left the guest and the waiting thread has seen it.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class HaltBenchmark {
    private static final String PROGRAM = """
            BB 00 00 E0 FE                 mov ebx, 0FEE00000h
            C7 83 F0 00 00 00 FF 01 00 00  mov dword [rbx+0F0h], 1FFh
            FB                             sti
            E6 10                          out 10h, al
            F4                             hlt
            EB FD                          jmp $-1
            """;

    private static final String HANDLER = """
            E6 F4                          out 0F4h, al
            C7 83 B0 00 00 00 00 00 00 00  mov dword [rbx+0B0h], 0
            48 CF                          iretq
            """;

    private static final int READY = 0x10;
    private static final int VECTOR = 0x41;

    /** The backend. */
    @Param({"emulator", "abi", "kvm"})
    public String backend;

    private BenchmarkGuest guest;
    private VcpuThread thread;

    /** Makes the guest and lets it run into HLT. */
    @Setup
    public void setUp() {
        guest = BenchmarkGuest.longMode(backend, Irqchip.SPLIT, PROGRAM);
        guest.load(BenchmarkGuest.HANDLER, HANDLER);
        // From here on interrupts get through.
        guest.runToPort(READY);
        thread = new VcpuThread(guest.vcpu);
    }

    /** Ends it. */
    @TearDown
    public void tearDown() {
        thread.close();
        guest.close();
    }

    /** Waits until the vcpu waits in HLT. */
    @Setup(Level.Invocation)
    public void settle() {
        thread.awaitIdle();
    }

    /** By a message-signalled interrupt. */
    @Benchmark
    public void msi() {
        long before = thread.ended();
        guest.vm.signalMsi(0xFEE0_0000L, VECTOR);
        thread.awaitExit(before, ExitReason.IO);
    }

    /** By an NMI. */
    @Benchmark
    public void nmi() {
        long before = thread.ended();
        guest.vcpu.nmi();
        thread.awaitExit(before, ExitReason.IO);
    }
}
