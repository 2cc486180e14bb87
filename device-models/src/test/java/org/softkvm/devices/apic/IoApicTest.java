package org.softkvm.devices.apic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.time.ManualClock;

class IoApicTest {
    private static final int EDGE = 0;
    private static final int LEVEL = 0x8000;
    private static final int MASKED = 0x10000;
    private static final int REMOTE_IRR = 0x4000;
    private static final int DELIVERY_STATUS = 0x1000;

    private final ManualClock clock = new ManualClock();
    private final RecordingBus bus = new RecordingBus();
    private final List<String> changes = new ArrayList<>();
    private final IoApic ioApic =
            new IoApic(IoApic.VERSION_82093AA, clock, bus, (pin, entry) -> changes.add("%d=%x".formatted(pin, entry)));

    private int register(int index) {
        return register(ioApic, index);
    }

    private static int register(IoApic chip, int index) {
        chip.write(0x00, 1, index);
        return (int) chip.read(0x10, 4);
    }

    private void set(int index, int value) {
        set(ioApic, index, value);
    }

    private static void set(IoApic chip, int index, int value) {
        chip.write(0x00, 4, index);
        chip.write(0x10, 4, Integer.toUnsignedLong(value));
    }

    private void entry(int pin, int low, int destination) {
        set(0x11 + 2 * pin, destination << 24);
        set(0x10 + 2 * pin, low);
    }

    private int status(int pin) {
        return register(0x10 + 2 * pin) & (REMOTE_IRR | DELIVERY_STATUS);
    }

    private static long message(int vector, int destination, boolean level) {
        return ApicMessage.of(ApicMessage.FIXED, vector, destination, false, level);
    }

    @Test
    void powerUpState() {
        assertThat(register(0)).isZero();
        assertThat(register(1)).isEqualTo(0x170011);
        assertThat(register(2)).isZero();
        for (int pin = 0; pin < 24; pin++) {
            assertThat(register(0x10 + 2 * pin)).isEqualTo(MASKED);
            assertThat(register(0x11 + 2 * pin)).isZero();
        }
        assertThat(register(0x40)).isZero();
        assertThat(register(0x03)).isZero();
        assertThat(register(0xFF)).isZero();
        assertThat(register(new IoApic(IoApic.VERSION_EOI_REGISTER, clock, bus), 1))
                .isEqualTo(0x170020);
        assertThatThrownBy(() -> new IoApic(0x12, clock, bus)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void registersAndTheirWritableBits() {
        set(0, -1);
        assertThat(register(0)).isEqualTo(0x0F000000);
        assertThat(register(2)).isEqualTo(0x0F000000);
        set(1, -1);
        set(2, 0);
        assertThat(register(1)).isEqualTo(0x170011);
        assertThat(register(2)).isEqualTo(0x0F000000);
        set(0x10, -1);
        set(0x11, -1);
        assertThat(register(0x10)).isEqualTo(0x1AFFF);
        assertThat(register(0x11)).isEqualTo(0xFF000000);
        set(0x40, -1);
        set(0xFF, -1);
        assertThat(ioApic.read(0x00, 4)).isEqualTo(0xFF);
        assertThat(ioApic.read(0x20, 4)).isZero();
    }

    @Test
    void partialAccesses() {
        set(0x10, 0x1A5C3);
        assertThat(ioApic.read(0x11, 1)).isEqualTo(0x1A5);
        assertThat(ioApic.read(0x12, 2)).isEqualTo(1);
        ioApic.write(0x10, 1, 0);
        ioApic.write(0x12, 2, 0);
        assertThat(register(0x10)).isEqualTo(0x1A5C3);
    }

    @Test
    void edgeSendsOnceARise() {
        entry(5, 0x41, 3);
        ioApic.pin(5).set(true);
        ioApic.pin(5).set(true);
        assertThat(bus.sent).containsExactly(message(0x41, 3, false));
        ioApic.pin(5).set(false);
        ioApic.pin(5).pulse();
        assertThat(bus.sent).hasSize(2);
        assertThat(status(5)).isZero();
    }

    @Test
    void maskedEdgesAreLost() {
        entry(5, 0x41 | MASKED, 3);
        ioApic.pin(5).set(true);
        entry(5, 0x41, 3);
        assertThat(bus.sent).isEmpty();
        ioApic.pin(5).set(false);
        ioApic.pin(5).set(true);
        assertThat(bus.sent).hasSize(1);
    }

    @Test
    void levelWaitsForItsEnd() {
        entry(10, 0x51 | LEVEL, 1);
        ioApic.pin(10).set(true);
        assertThat(bus.sent).containsExactly(message(0x51, 1, true));
        assertThat(status(10)).isEqualTo(REMOTE_IRR);
        ioApic.pin(10).set(false);
        ioApic.pin(10).set(true);
        assertThat(bus.sent).hasSize(1);
        ioApic.endOfInterrupt(0x52);
        assertThat(bus.sent).hasSize(1);
        ioApic.endOfInterrupt(0x51);
        assertThat(bus.sent).as("still asserted").hasSize(2);
        ioApic.pin(10).set(false);
        ioApic.endOfInterrupt(0x51);
        assertThat(bus.sent).hasSize(2);
        assertThat(status(10)).isZero();
    }

    @Test
    void unmaskingALevelThatIsAssertedSends() {
        entry(10, 0x51 | LEVEL | MASKED, 1);
        ioApic.pin(10).set(true);
        assertThat(bus.sent).isEmpty();
        entry(10, 0x51 | LEVEL, 1);
        assertThat(bus.sent).hasSize(1);
        entry(10, 0x51 | LEVEL | MASKED, 1);
        ioApic.endOfInterrupt(0x51);
        assertThat(status(10)).isZero();
        assertThat(bus.sent).hasSize(1);
        entry(10, 0x51 | LEVEL, 1);
        assertThat(bus.sent).hasSize(2);
    }

    @Test
    void endOfInterruptServesAllPinsOfTheVector() {
        entry(10, 0x51 | LEVEL, 1);
        entry(11, 0x51 | LEVEL, 2);
        ioApic.pin(10).set(true);
        ioApic.pin(11).set(true);
        bus.sent.clear();
        ioApic.endOfInterrupt(0x51);
        assertThat(bus.sent).containsExactly(message(0x51, 1, true), message(0x51, 2, true));
    }

    @Test
    void switchingToEdgeClearsTheRemoteIrr() {
        entry(10, 0x51 | LEVEL, 1);
        ioApic.pin(10).set(true);
        ioApic.pin(10).set(false);
        entry(10, 0x51 | MASKED | EDGE, 1);
        assertThat(status(10)).isZero();
        entry(10, 0x51 | LEVEL, 1);
        ioApic.pin(10).set(true);
        assertThat(bus.sent).hasSize(2);
    }

    @Test
    void statusBitsAreReadOnly() {
        entry(10, 0x51 | LEVEL | REMOTE_IRR | DELIVERY_STATUS, 1);
        assertThat(status(10)).isZero();
        ioApic.pin(10).set(true);
        entry(10, 0x51 | LEVEL, 1);
        assertThat(status(10)).isEqualTo(REMOTE_IRR);
        assertThat(bus.sent).hasSize(1);
    }

    @Test
    void aLevelThatNobodyAcceptsStaysPending() {
        bus.result = 0;
        entry(10, 0x51 | LEVEL, 1);
        ioApic.pin(10).set(true);
        assertThat(status(10)).isEqualTo(DELIVERY_STATUS);
        bus.result = 1;
        entry(10, 0x51 | LEVEL, 2);
        assertThat(status(10)).isEqualTo(REMOTE_IRR);
        assertThat(bus.sent).endsWith(message(0x51, 2, true));
        ioApic.endOfInterrupt(0x51);
        bus.result = ApicBus.NO_DESTINATION;
        ioApic.endOfInterrupt(0x51);
        assertThat(status(10)).isEqualTo(DELIVERY_STATUS);
        ioApic.pin(10).set(false);
        assertThat(status(10)).isZero();
    }

    @Test
    void eoiRegister() {
        entry(10, 0x51 | LEVEL, 1);
        ioApic.pin(10).set(true);
        ioApic.write(0x40, 4, 0x51);
        assertThat(bus.sent).as("version 11h has none").hasSize(1);
        IoApic newer = new IoApic(IoApic.VERSION_EOI_REGISTER, clock, bus);
        set(newer, 0x24, 0x52 | LEVEL);
        newer.pin(10).set(true);
        newer.write(0x40, 4, 0x52);
        assertThat(bus.sent).hasSize(3);
    }

    @Test
    void otherDeliveryModesAreEdges() {
        int[] modes = {ApicMessage.SMI, ApicMessage.NMI, ApicMessage.INIT, ApicMessage.EXTINT};
        for (int mode : modes) {
            bus.sent.clear();
            entry(1, mode << 8 | LEVEL, 2);
            ioApic.pin(1).set(true);
            assertThat(bus.sent).containsExactly(ApicMessage.of(mode, 0, 2, false, false));
            assertThat(status(1)).isZero();
            ioApic.pin(1).set(false);
        }
        entry(1, ApicMessage.LOWEST_PRIORITY << 8 | 0x61 | LEVEL | 0x800, 0xFF);
        ioApic.pin(1).set(true);
        assertThat(bus.sent)
                .endsWith(ApicMessage.of(ApicMessage.LOWEST_PRIORITY, 0x61, ApicMessage.BROADCAST, true, true));
        assertThat(status(1)).isEqualTo(REMOTE_IRR);
    }

    @Test
    void listenerHearsOfMeaningsOnly() {
        entry(4, 0x44 | LEVEL, 2);
        assertThat(changes).containsExactly("4=200000000010000", "4=200000000008044");
        entry(4, 0x44 | LEVEL, 2);
        ioApic.pin(4).set(true);
        ioApic.endOfInterrupt(0x44);
        assertThat(changes).hasSize(2);
        ioApic.reset();
        assertThat(changes).hasSize(3).last().isEqualTo("4=10000");
    }

    @Test
    void aStormIsInterrupted() {
        entry(10, 0x51 | LEVEL, 1);
        ioApic.pin(10).set(true);
        for (int i = 1; i < IoApic.STORM_EOIS; i++) {
            ioApic.endOfInterrupt(0x51);
        }
        assertThat(bus.sent).hasSize(IoApic.STORM_EOIS);
        ioApic.endOfInterrupt(0x51);
        assertThat(bus.sent).as("a pause").hasSize(IoApic.STORM_EOIS);
        clock.advance(IoApic.STORM_PAUSE_NANOS / 2);
        IoApic.State state = ioApic.save();
        IoApic other = new IoApic(IoApic.VERSION_82093AA, clock, new RecordingBus());
        other.restore(state);
        assertThat(other.save()).usingRecursiveComparison().isEqualTo(state);
        clock.advance(IoApic.STORM_PAUSE_NANOS / 2 - 1);
        assertThat(bus.sent).hasSize(IoApic.STORM_EOIS);
        clock.advance(1);
        assertThat(bus.sent).hasSize(IoApic.STORM_EOIS + 1);
        assertThat(other.redirection(10) & REMOTE_IRR).isEqualTo(REMOTE_IRR);
        ioApic.endOfInterrupt(0x51);
        assertThat(bus.sent).as("a new count").hasSize(IoApic.STORM_EOIS + 2);
    }

    @Test
    void interruptsThatAreServedAreNoStorm() {
        entry(10, 0x51 | LEVEL, 1);
        for (int i = 0; i < 2 * IoApic.STORM_EOIS; i++) {
            ioApic.pin(10).set(true);
            if (i % 2 == 0) {
                ioApic.endOfInterrupt(0x51);
            }
            ioApic.pin(10).set(false);
            ioApic.endOfInterrupt(0x51);
        }
        assertThat(bus.sent).hasSize(3 * IoApic.STORM_EOIS);
        assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void savedStateComesBack() {
        entry(10, 0x51 | LEVEL, 1);
        entry(4, 0x41, 2);
        ioApic.pin(10).set(true);
        ioApic.pin(4).set(true);
        set(0, 0x05000000);
        IoApic.State state = ioApic.save();
        bus.sent.clear();
        IoApic other = new IoApic(IoApic.VERSION_82093AA, clock, bus);
        other.restore(state);
        assertThat(other.save()).usingRecursiveComparison().isEqualTo(state);
        other.pin(10).set(true);
        other.pin(4).set(true);
        assertThat(bus.sent).as("they were asserted already").isEmpty();
        other.endOfInterrupt(0x51);
        assertThat(bus.sent).containsExactly(message(0x51, 1, true));
        assertThatThrownBy(() -> other.restore(new IoApic.State(0, 0, 0, 0, new long[3], new int[24], 0, 0)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void survivesAnything() {
        Random random = new Random(3);
        for (int i = 0; i < 100_000; i++) {
            switch (random.nextInt(4)) {
                case 0 -> ioApic.write(random.nextInt(0x1000), 1 << random.nextInt(3), random.nextInt());
                case 1 -> ioApic.read(random.nextInt(0x1000), 1 << random.nextInt(3));
                case 2 -> set(random.nextInt(0x50), random.nextInt());
                default -> ioApic.pin(random.nextInt(24)).set(random.nextBoolean());
            }
        }
        ioApic.reset();
        assertThat(register(0x10)).isEqualTo(MASKED);
    }

    @Test
    void driveSaysWhatCameOfIt() {
        assertThat(ioApic.drive(5, true)).as("masked").isEqualTo(-1);
        assertThat(ioApic.drive(5, false)).isEqualTo(1);
        entry(5, EDGE | 0x41, 0);
        assertThat(ioApic.drive(5, true)).isEqualTo(1);
        assertThat(ioApic.drive(5, true)).as("no edge").isZero();
        assertThat(ioApic.drive(5, false)).isEqualTo(1);
        entry(6, LEVEL | 0x42, 0);
        assertThat(ioApic.drive(6, true)).isEqualTo(1);
        assertThat(ioApic.drive(6, false)).isEqualTo(1);
        assertThat(ioApic.drive(6, true)).as("not ended yet").isZero();
        assertThat(status(6)).isEqualTo(REMOTE_IRR);
    }
}
