package org.softkvm.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.DeviceBus;

/**
 * What the address decoder adds to a port or MMIO exit: the way from the bus to a device's register and back.
 *
 * <p>Several device classes sit on the bus, so that the call to the device is not one that the JIT can resolve.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class DeviceBusBenchmark {
    private static final int UART = 0x3F8;
    private static final int UNCLAIMED = 0x2F8;
    private static final long IOAPIC = 0xFEC0_0000L;
    private static final long HPET = 0xFED0_0000L;

    private final DeviceBus bus = new DeviceBus();
    private int next;

    /** Fills the bus as a board does. */
    public DeviceBusBenchmark() {
        bus.addPorts(0x20, 2, new Latch());
        bus.addPorts(0x40, 4, new Counter());
        bus.addPorts(UART, 8, new Latch());
        bus.addPorts(0xCF8, 8, new Wide());
        bus.addMmio(IOAPIC, 0x1000, new Wide());
        bus.addMmio(HPET, 0x400, new Wide());
    }

    /** A byte read from ports of devices of different classes in turn. */
    @Benchmark
    public long readPort() {
        next ^= 1;
        return bus.readPort(next == 0 ? UART + 5 : 0x42, 1);
    }

    /** A byte write to one device. */
    @Benchmark
    public void writePort() {
        bus.writePort(UART, 1, 'x');
    }

    /** A 4-byte read of a device that decodes bytes: the bus splits it. */
    @Benchmark
    public long readPortSplit() {
        return bus.readPort(UART, 4);
    }

    /** A read of a port that nobody claims. */
    @Benchmark
    public long readPortUnclaimed() {
        return bus.readPort(UNCLAIMED, 1);
    }

    /** A 4-byte read of two MMIO ranges in turn, so that the range found last is never the right one. */
    @Benchmark
    public long readMmio() {
        next ^= 1;
        return bus.readMmio(next == 0 ? IOAPIC + 0x10 : HPET + 0xF0, 4);
    }

    private static final class Latch implements BusDevice {
        private long value;

        @Override
        public String name() {
            return "latch";
        }

        @Override
        public long read(int offset, int size) {
            return value + offset;
        }

        @Override
        public void write(int offset, int size, long newValue) {
            value = newValue;
        }
    }

    private static final class Counter implements BusDevice {
        private long count;

        @Override
        public String name() {
            return "counter";
        }

        @Override
        public long read(int offset, int size) {
            return count++;
        }

        @Override
        public void write(int offset, int size, long value) {
            count = value;
        }
    }

    private static final class Wide implements BusDevice {
        private final long[] registers = new long[512];

        @Override
        public String name() {
            return "wide";
        }

        @Override
        public int maxAccessSize() {
            return 8;
        }

        @Override
        public long read(int offset, int size) {
            return registers[offset >> 3];
        }

        @Override
        public void write(int offset, int size, long value) {
            registers[offset >> 3] = value;
        }
    }
}
