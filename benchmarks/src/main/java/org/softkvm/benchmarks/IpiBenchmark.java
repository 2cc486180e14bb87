package org.softkvm.benchmarks;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
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
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.MpState;
import org.softkvm.kvm.Vcpu;

/**
 * An inter-processor interrupt from one vcpu to another, each on its own thread, through the local APICs in the backend:
 * the sender writes its interrupt command register and spins until the receiver's handler has changed a word in memory.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class IpiBenchmark {
    private static final int MESSAGES = 64;
    private static final int SECOND_CODE = 0x5000;
    private static final int SECOND_STACK = 0x7000;
    private static final long PATIENCE_NANOS = 10_000_000_000L;

    private static final String SENDER = """
            BB 00 00 E0 FE                 mov ebx, 0FEE00000h
            BE 00 30 00 00                 mov esi, 3000h
            C7 83 F0 00 00 00 FF 01 00 00  mov dword [rbx+0F0h], 1FFh
            C7 83 10 03 00 00 00 00 00 01  mov dword [rbx+310h], 1000000h
            """;

    private static final String SEND = """
            8B 06                          mov eax, [rsi]
            C7 83 00 03 00 00 41 40 00 00  mov dword [rbx+300h], 4041h
            F3 90                          pause
            3B 06                          cmp eax, [rsi]
            74 FA                          je $-4
            """;

    private static final String RECEIVER = """
            BB 00 00 E0 FE                 mov ebx, 0FEE00000h
            BE 00 30 00 00                 mov esi, 3000h
            C7 83 F0 00 00 00 FF 01 00 00  mov dword [rbx+0F0h], 1FFh
            FB                             sti
            E6 10                          out 10h, al
            """;

    private static final String RUNNING = """
            F3 90  pause
            EB FC  jmp $-2
            """;

    private static final String HALTED = """
            F4     hlt
            EB FD  jmp $-1
            """;

    private static final String HANDLER = """
            FF 06                          inc dword [rsi]
            C7 83 B0 00 00 00 00 00 00 00  mov dword [rbx+0B0h], 0
            48 CF                          iretq
            """;

    /** The backend. */
    @Param({"emulator", "abi", "kvm"})
    public String backend;

    /** What the receiver does: it runs code, or waits in HLT. */
    @Param({"running", "halted"})
    public String receiver;

    private BenchmarkGuest guest;
    private VcpuThread thread;

    /** Makes the guest, and tries whether an interrupt arrives. */
    @Setup
    public void setUp() {
        byte[] sender = BenchmarkGuest.loop(SENDER, "", MESSAGES, SEND);
        guest = BenchmarkGuest.longMode(backend, null, Irqchip.SPLIT, BenchmarkGuest.SMALL, false, sender);
        guest.load(SECOND_CODE, RECEIVER + (receiver.equals("halted") ? HALTED : RUNNING));
        guest.load(BenchmarkGuest.HANDLER, HANDLER);
        Vcpu second = guest.createVcpu(1);
        second.setMpState(MpState.RUNNABLE);
        guest.start(second, SECOND_CODE, SECOND_STACK);
        // From there on interrupts get through.
        int reason = second.run();
        if (reason != ExitReason.IO) {
            throw new IllegalStateException("the receiver does not start: " + ExitReason.name(reason));
        }
        thread = new VcpuThread(second);
        Thread watchdog = Thread.ofPlatform().daemon().start(() -> {
            LockSupport.parkNanos(PATIENCE_NANOS);
            if (!Thread.currentThread().isInterrupted()) {
                guest.vcpu.kick();
            }
        });
        try {
            send();
        } finally {
            watchdog.interrupt();
        }
    }

    /** Ends it. */
    @TearDown
    public void tearDown() {
        thread.close();
        guest.close();
    }

    /** An interrupt and the answer in memory. */
    @Benchmark
    @OperationsPerInvocation(MESSAGES)
    public void send() {
        guest.runToPort(BenchmarkGuest.DONE);
    }
}
