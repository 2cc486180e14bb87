package org.softkvm.benchmarks;

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
import org.softkvm.kvm.CoalescedRing;
import org.softkvm.kvm.EventFd;
import org.softkvm.kvm.IoEventFd;

/**
 * An access that something in the backend takes, so that the vcpu never leaves to the caller: a chip of the full irqchip,
 * the vcpu's own local APIC, an ioeventfd, the ring of coalesced writes. An access with the loop around it; the exit at the
 * end of each {@link #ACCESSES} is shared by all.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class InBackendBenchmark {
    /** How many accesses share an exit; the ring of coalesced writes has room for them. */
    private static final int ACCESSES = 128;

    private static final int PORT = 0x60;

    /** The backend. */
    @Param({"emulator", "abi", "kvm"})
    public String backend;

    private BenchmarkGuest pit;
    private BenchmarkGuest ioapic;
    private BenchmarkGuest localApic;
    private BenchmarkGuest portEvent;
    private BenchmarkGuest memoryEvent;
    private BenchmarkGuest coalesced;
    private CoalescedRing ring;

    /** Makes the guests. */
    @Setup
    public void setUp() {
        pit = guest(Irqchip.FULL, "", "E4 40  in al, 40h");
        ioapic = guest(Irqchip.FULL, "BB 00 00 C0 FE  mov ebx, 0FEC00000h", "8B 43 10  mov eax, [rbx+10h]");
        localApic = guest(Irqchip.SPLIT, "BB 00 00 E0 FE  mov ebx, 0FEE00000h", "8B 43 30  mov eax, [rbx+30h]");
        portEvent = guest(Irqchip.NONE, "", "E6 60  out 60h, al");
        portEvent.vm.assignIoEventFd(IoEventFd.pio(new EventFd(), PORT, 1));
        String hole = "BB 00 00 00 D0  mov ebx, 0D0000000h";
        memoryEvent = guest(Irqchip.NONE, hole, "89 03  mov [rbx], eax");
        memoryEvent.vm.assignIoEventFd(IoEventFd.mmio(new EventFd(), BenchmarkGuest.HOLE, 4));
        coalesced = guest(Irqchip.NONE, hole, "89 03  mov [rbx], eax");
        coalesced.vm.registerCoalesced(BenchmarkGuest.HOLE, 4096, false);
        ring = coalesced.vm.coalescedRing();
    }

    private BenchmarkGuest guest(Irqchip irqchip, String first, String body) {
        byte[] program = BenchmarkGuest.loop(first, "", ACCESSES, body);
        return BenchmarkGuest.longMode(backend, null, irqchip, BenchmarkGuest.SMALL, false, program);
    }

    /** Closes them. */
    @TearDown
    public void tearDown() {
        pit.close();
        ioapic.close();
        localApic.close();
        portEvent.close();
        memoryEvent.close();
        coalesced.close();
    }

    /** IN from a counter of the PIT. */
    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public void pit() {
        pit.runToPort(BenchmarkGuest.DONE);
    }

    /** A load from the IOAPIC's window. */
    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public void ioapic() {
        ioapic.runToPort(BenchmarkGuest.DONE);
    }

    /** A load from the local APIC's version register. */
    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public void localApic() {
        localApic.runToPort(BenchmarkGuest.DONE);
    }

    /** OUT to a port that signals an eventfd. */
    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public void portEvent() {
        portEvent.runToPort(BenchmarkGuest.DONE);
    }

    /** A store that signals an eventfd. */
    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public void memoryEvent() {
        memoryEvent.runToPort(BenchmarkGuest.DONE);
    }

    /** A store that is put on the ring, and taken from there later. */
    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public long coalesced() {
        coalesced.runToPort(BenchmarkGuest.DONE);
        long sum = 0;
        int count = 0;
        for (; ring.next(); count++) {
            sum += ring.data();
            ring.done();
        }
        if (count != ACCESSES) {
            throw new IllegalStateException(count + " writes on the ring");
        }
        return sum;
    }
}
