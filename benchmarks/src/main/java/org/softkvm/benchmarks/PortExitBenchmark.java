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
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.VcpuRun;

/**
 * A port access that leaves the guest, from one exit to the next: the vcpu is entered, executes the access and the jump
 * back to it, and leaves; a handler takes or gives the data. String instructions move {@link #ITEMS} bytes, in as many
 * exits as the backend makes of them.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class PortExitBenchmark {
    private static final int ITEMS = 256;

    private static final String WRITE = """
            BA 10 00  mov dx, 10h
            EE        out dx, al
            EB FD     jmp $-1
            """;

    private static final String READ = """
            BA 10 00  mov dx, 10h
            EC        in al, dx
            EB FD     jmp $-1
            """;

    private static final String WRITE_STRING = """
            BA 10 00  mov dx, 10h
            BE 00 30  mov si, 3000h
            B9 00 01  mov cx, 256
            F3 6E     rep outsb
            EB F6     jmp $-8
            """;

    private static final String READ_STRING = """
            BA 10 00  mov dx, 10h
            BF 00 30  mov di, 3000h
            B9 00 01  mov cx, 256
            F3 6C     rep insb
            EB F6     jmp $-8
            """;

    /** The backend. */
    @Param({"emulator", "abi", "kvm"})
    public String backend;

    private BenchmarkGuest writing;
    private BenchmarkGuest reading;
    private BenchmarkGuest writingStrings;
    private BenchmarkGuest readingStrings;
    private final PortHandler handler = new Latch();

    /** What a device model is to an exit. */
    private interface PortHandler {
        int read(int port, int size);

        void write(int port, int size, int value);
    }

    private static final class Latch implements PortHandler {
        private int value;

        @Override
        public int read(int port, int size) {
            return value + port;
        }

        @Override
        public void write(int port, int size, int newValue) {
            value = newValue;
        }
    }

    /** Makes the guests. */
    @Setup
    public void setUp() {
        writing = BenchmarkGuest.real(backend, Irqchip.NONE, WRITE);
        reading = BenchmarkGuest.real(backend, Irqchip.NONE, READ);
        writingStrings = BenchmarkGuest.real(backend, Irqchip.NONE, WRITE_STRING);
        readingStrings = BenchmarkGuest.real(backend, Irqchip.NONE, READ_STRING);
    }

    /** Closes them. */
    @TearDown
    public void tearDown() {
        writing.close();
        reading.close();
        writingStrings.close();
        readingStrings.close();
    }

    /** OUT of a byte. */
    @Benchmark
    public void write() {
        serve(writing);
    }

    /** IN of a byte. */
    @Benchmark
    public void read() {
        serve(reading);
    }

    /** REP OUTSB, a byte. */
    @Benchmark
    @OperationsPerInvocation(ITEMS)
    public void writeString() {
        for (int served = 0; served < ITEMS; ) {
            served += serve(writingStrings);
        }
    }

    /** REP INSB, a byte. */
    @Benchmark
    @OperationsPerInvocation(ITEMS)
    public void readString() {
        for (int served = 0; served < ITEMS; ) {
            served += serve(readingStrings);
        }
    }

    private int serve(BenchmarkGuest guest) {
        guest.runTo(ExitReason.IO);
        VcpuRun run = guest.run;
        int count = run.ioCount();
        for (int i = 0; i < count; i++) {
            if (run.ioDirection() == VcpuRun.IO_OUT) {
                handler.write(run.ioPort(), run.ioSize(), run.ioValue(i));
            } else {
                run.setIoValue(i, handler.read(run.ioPort(), run.ioSize()));
            }
        }
        return count;
    }
}
