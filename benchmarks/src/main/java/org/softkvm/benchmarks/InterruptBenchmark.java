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

/**
 * From the request of an interrupt, on the vcpu's own thread, to the first instruction of its handler, an OUT that leaves
 * the guest; then back to the interrupted code, which leaves by an OUT too. So a figure holds two port exits and an IRET;
 * {@link PortExitBenchmark} has the exit alone.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class InterruptBenchmark {
    private static final int IDLE = 0x10;
    private static final int VECTOR = 0x41;

    private static final String PROGRAM = """
            BB 00 00 E0 FE                 mov ebx, 0FEE00000h
            C7 83 F0 00 00 00 FF 01 00 00  mov dword [rbx+0F0h], 1FFh
            FB                             sti
            E6 10                          out 10h, al
            EB FC                          jmp $-2
            """;

    private static final String PROGRAM_WITHOUT_APIC = """
            FB     sti
            E6 10  out 10h, al
            EB FC  jmp $-2
            """;

    private static final String HANDLER = """
            E6 F4                          out 0F4h, al
            C7 83 B0 00 00 00 00 00 00 00  mov dword [rbx+0B0h], 0
            48 CF                          iretq
            """;

    private static final String HANDLER_WITHOUT_APIC = """
            E6 F4  out 0F4h, al
            48 CF  iretq
            """;

    /** The backend. */
    @Param({"emulator", "abi", "kvm"})
    public String backend;

    private BenchmarkGuest queued;
    private BenchmarkGuest messaged;

    /** Makes the guests. */
    @Setup
    public void setUp() {
        queued = BenchmarkGuest.longMode(backend, Irqchip.NONE, PROGRAM_WITHOUT_APIC);
        queued.load(BenchmarkGuest.HANDLER, HANDLER_WITHOUT_APIC);
        messaged = BenchmarkGuest.longMode(backend, Irqchip.SPLIT, PROGRAM);
        messaged.load(BenchmarkGuest.HANDLER, HANDLER);
        queued.runToPort(IDLE);
        messaged.runToPort(IDLE);
    }

    /** Closes them. */
    @TearDown
    public void tearDown() {
        queued.close();
        messaged.close();
    }

    /** KVM_INTERRUPT, without a local APIC. */
    @Benchmark
    public void queued() {
        queued.vcpu.interrupt(VECTOR);
        queued.runToPort(BenchmarkGuest.DONE);
        queued.runToPort(IDLE);
    }

    /** KVM_SIGNAL_MSI to the local APIC in the backend, with the end of the interrupt. */
    @Benchmark
    public void messaged() {
        messaged.vm.signalMsi(0xFEE0_0000L, VECTOR);
        messaged.runToPort(BenchmarkGuest.DONE);
        messaged.runToPort(IDLE);
    }
}
