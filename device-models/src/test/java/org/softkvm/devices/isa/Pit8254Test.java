package org.softkvm.devices.isa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.RecordingLine;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.DeviceTimer;
import org.softkvm.devices.time.ManualClock;

class Pit8254Test {
    private final ManualClock clock = new ManualClock(123_456_789);
    private final RecordingLine irq = new RecordingLine();
    private final Pit8254 pit = new Pit8254(clock, irq);
    private final BusDevice ports = pit.counters();
    private final BusDevice portB = pit.portB();
    private final long origin = clock.nanoTime();

    /** Goes to the first nanosecond of the tick that is so many ticks away. */
    private void ticks(long count) {
        long now = Pit8254.CLK.ticks(clock.nanoTime() - origin);
        clock.advanceTo(origin + Pit8254.CLK.nanos(now + count));
    }

    private void control(int value) {
        ports.write(3, 1, value);
    }

    private void write(int channel, int value) {
        ports.write(channel, 1, value & 0xFF);
        ports.write(channel, 1, value >>> 8);
    }

    private int read(int channel) {
        int low = (int) ports.read(channel, 1);
        return low | (int) ports.read(channel, 1) << 8;
    }

    private int status(int channel) {
        control(0xE0 | 2 << channel);
        return (int) ports.read(channel, 1);
    }

    private boolean out(int channel) {
        return (status(channel) & 0x80) != 0;
    }

    private void gate2(boolean level) {
        portB.write(0, 1, level ? 1 : 0);
    }

    @Nested
    class Mode0 {
        @Test
        void outRisesNPlusOneTicksAfterTheCount() {
            control(0x30);
            assertThat(irq.isHigh()).isFalse();
            write(0, 100);
            ticks(1);
            assertThat(read(0)).isEqualTo(100);
            ticks(99);
            assertThat(read(0)).isEqualTo(1);
            assertThat(out(0)).isFalse();
            assertThat(irq.isHigh()).isFalse();
            ticks(1);
            assertThat(read(0)).isZero();
            assertThat(out(0)).isTrue();
            assertThat(irq.isHigh()).isTrue();
            ticks(1);
            assertThat(read(0)).as("counts on").isEqualTo(0xFFFF);
            ticks(200_000);
            assertThat(out(0)).isTrue();
            assertThat(irq.rises()).isEqualTo(1);
            assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
        }

        @Test
        void aNewCountStartsAgain() {
            control(0x30);
            write(0, 100);
            ticks(50);
            write(0, 20);
            ticks(21);
            assertThat(irq.isHigh()).isTrue();
            write(0, 20);
            assertThat(irq.isHigh()).isFalse();
            ticks(21);
            assertThat(irq.rises()).isEqualTo(2);
        }

        @Test
        void theFirstByteStopsAndSetsOutLow() {
            control(0x30);
            write(0, 10);
            ticks(20);
            assertThat(out(0)).isTrue();
            ports.write(0, 1, 50);
            assertThat(irq.isHigh()).isFalse();
            int held = read(0);
            ticks(10);
            assertThat(read(0)).isEqualTo(held);
            ports.write(0, 1, 0);
            ticks(51);
            assertThat(irq.isHigh()).isTrue();
        }

        @Test
        void oneByteCounts() {
            control(0x10);
            ports.write(0, 1, 30);
            ticks(31);
            assertThat(irq.isHigh()).isTrue();
            control(0x20);
            ports.write(0, 1, 1);
            ticks(1);
            assertThat(ports.read(0, 1)).isEqualTo(1);
            ticks(256);
            assertThat(irq.isHigh()).isTrue();
        }

        @Test
        void gateHoldsTheCount() {
            control(0xB0);
            write(2, 100);
            assertThat(portB.read(0, 1) & 0x20).isZero();
            ticks(50);
            assertThat(read(2)).as("loaded although the gate is low").isEqualTo(100);
            gate2(true);
            ticks(60);
            assertThat(read(2)).isEqualTo(40);
            gate2(false);
            ticks(1000);
            assertThat(read(2)).isEqualTo(40);
            assertThat(out(2)).isFalse();
            gate2(true);
            ticks(40);
            assertThat(portB.read(0, 1) & 0x21).isEqualTo(0x21);
            gate2(false);
            assertThat(out(2)).isTrue();
        }

        @Test
        void countZeroIs65536() {
            control(0x30);
            write(0, 0);
            ticks(65_536);
            assertThat(irq.isHigh()).isFalse();
            ticks(1);
            assertThat(irq.isHigh()).isTrue();
        }
    }

    @Test
    void mode1IsRetriggerable() {
        control(0xB2);
        assertThat(out(2)).isTrue();
        write(2, 50);
        ticks(100);
        assertThat(out(2)).isTrue();
        gate2(true);
        assertThat(out(2)).isTrue();
        ticks(1);
        assertThat(out(2)).isFalse();
        ticks(49);
        assertThat(out(2)).isFalse();
        ticks(1);
        assertThat(out(2)).isTrue();
        gate2(false);
        gate2(true);
        ticks(30);
        write(2, 10);
        gate2(false);
        ticks(20);
        assertThat(out(2)).as("the count in progress is not affected").isFalse();
        ticks(1);
        assertThat(out(2)).isTrue();
        gate2(true);
        ticks(5);
        gate2(false);
        gate2(true);
        ticks(10);
        assertThat(out(2)).as("extended by the second trigger").isFalse();
        ticks(1);
        assertThat(out(2)).isTrue();
    }

    @Nested
    class Mode2 {
        @Test
        void dividesByN() {
            control(0x34);
            write(0, 1000);
            irq.takeRises();
            ticks(1);
            for (int period = 0; period < 5; period++) {
                assertThat(read(0)).isEqualTo(1000);
                ticks(998);
                assertThat(read(0)).isEqualTo(2);
                assertThat(out(0)).isTrue();
                ticks(1);
                assertThat(read(0)).isEqualTo(1);
                assertThat(out(0)).isFalse();
                ticks(1);
                assertThat(out(0)).isTrue();
                assertThat(irq.takeRises()).isEqualTo(1);
            }
        }

        @Test
        void interruptsComeAtTheRate() {
            control(0x34);
            write(0, 11_932);
            irq.takeRises();
            clock.advance(10_000_000_000L);
            assertThat(irq.takeRises()).isEqualTo(999);
        }

        @Test
        void aNewCountWaitsForTheEndOfThePeriod() {
            control(0x34);
            write(0, 1000);
            ticks(501);
            write(0, 200);
            assertThat(status(0) & 0x40).as("null count").isEqualTo(0x40);
            assertThat(read(0)).isEqualTo(500);
            ticks(499);
            assertThat(read(0)).isEqualTo(1);
            irq.takeRises();
            ticks(1);
            assertThat(read(0)).isEqualTo(200);
            assertThat(status(0) & 0x40).isZero();
            assertThat(irq.takeRises()).isEqualTo(1);
            ticks(200);
            assertThat(irq.takeRises()).isEqualTo(1);
        }

        @Test
        void halfACountDoesNotCount() {
            control(0x34);
            write(0, 1000);
            ticks(1);
            ports.write(0, 1, 0x11);
            ticks(1000);
            assertThat(read(0)).isEqualTo(1000);
            ports.write(0, 1, 0x01);
            ticks(1000);
            assertThat(read(0)).isEqualTo(0x0111);
        }

        @Test
        void gateStopsAndReloads() {
            control(0xB4);
            gate2(true);
            write(2, 100);
            ticks(100);
            assertThat(out(2)).isFalse();
            gate2(false);
            assertThat(out(2)).as("high at once").isTrue();
            ticks(50);
            assertThat(read(2)).isEqualTo(1);
            gate2(true);
            ticks(1);
            assertThat(read(2)).isEqualTo(100);
        }

        @Test
        void tooShortPeriodsAreMerged() {
            control(0x34);
            write(0, 2);
            irq.takeRises();
            clock.advance(10_000_000);
            assertThat(irq.takeRises()).isBetween(900, 1000);
        }

        @Test
        void countOneIsHarmless() {
            for (int mode = 0; mode < 6; mode++) {
                control(0x30 | mode << 1);
                write(0, 1);
                clock.advance(1_000_000);
                read(0);
                status(0);
            }
            assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
        }
    }

    @Nested
    class Mode3 {
        @Test
        void evenCount() {
            control(0xB6);
            gate2(true);
            write(2, 6);
            ticks(1);
            int[] counts = {6, 4, 2, 6, 4, 2};
            boolean[] outs = {true, true, true, false, false, false};
            for (int i = 0; i < 18; i++) {
                assertThat(read(2)).as("tick %d", i).isEqualTo(counts[i % 6]);
                assertThat(out(2)).as("tick %d", i).isEqualTo(outs[i % 6]);
                ticks(1);
            }
        }

        @Test
        void oddCount() {
            control(0xB6);
            gate2(true);
            write(2, 5);
            ticks(1);
            int[] counts = {4, 2, 0, 4, 2};
            boolean[] outs = {true, true, true, false, false};
            for (int i = 0; i < 15; i++) {
                assertThat(read(2)).as("tick %d", i).isEqualTo(counts[i % 5]);
                assertThat(out(2)).as("tick %d", i).isEqualTo(outs[i % 5]);
                ticks(1);
            }
        }

        @Test
        void aNewCountWaitsForTheEndOfTheHalf() {
            control(0xB6);
            gate2(true);
            write(2, 100);
            ticks(11);
            write(2, 20);
            ticks(39);
            assertThat(out(2)).isTrue();
            ticks(1);
            assertThat(out(2)).as("the low half begins with the new count").isFalse();
            assertThat(read(2)).isEqualTo(20);
            ticks(10);
            assertThat(out(2)).isTrue();
            ticks(10);
            assertThat(out(2)).isFalse();
        }

        @Test
        void gateLowIsHighOut() {
            control(0xB6);
            gate2(true);
            write(2, 100);
            ticks(61);
            assertThat(out(2)).isFalse();
            gate2(false);
            assertThat(out(2)).isTrue();
            gate2(true);
            ticks(1);
            assertThat(read(2)).isEqualTo(100);
            assertThat(out(2)).isTrue();
        }

        @Test
        void bothEdgesReachTheLine() {
            control(0x36);
            write(0, 1000);
            ticks(500);
            assertThat(irq.isHigh()).isTrue();
            ticks(1);
            assertThat(irq.isHigh()).isFalse();
            irq.takeRises();
            ticks(500);
            assertThat(irq.isHigh()).isTrue();
            ticks(10_000);
            assertThat(irq.takeRises()).isEqualTo(11);
        }

        @Test
        void dosTick() {
            control(0x36);
            write(0, 0);
            irq.takeRises();
            clock.advance(60_000_000_000L);
            assertThat(irq.takeRises()).isEqualTo(1092);
        }
    }

    @Test
    void mode4StrobesOnce() {
        control(0x38);
        irq.takeRises();
        write(0, 20);
        ticks(20);
        assertThat(out(0)).isTrue();
        ticks(1);
        assertThat(out(0)).isFalse();
        ticks(1);
        assertThat(out(0)).isTrue();
        assertThat(irq.takeRises()).isEqualTo(1);
        ticks(200_000);
        assertThat(irq.takeRises()).isZero();
        write(0, 20);
        ticks(10);
        write(0, 20);
        ticks(20);
        assertThat(irq.takeRises()).isZero();
        ticks(2);
        assertThat(irq.takeRises()).isEqualTo(1);
    }

    @Test
    void mode5IsTriggeredByTheGate() {
        control(0xBA);
        write(2, 20);
        ticks(50);
        assertThat(out(2)).isTrue();
        gate2(true);
        ticks(21);
        assertThat(out(2)).isFalse();
        ticks(1);
        assertThat(out(2)).isTrue();
        gate2(false);
        gate2(true);
        ticks(15);
        gate2(false);
        gate2(true);
        ticks(20);
        assertThat(out(2)).isTrue();
        ticks(1);
        assertThat(out(2)).isFalse();
    }

    @Test
    void modes6And7Are2And3() {
        control(0x3C);
        assertThat(status(0) & 0xE).isEqualTo(4);
        control(0x3E);
        assertThat(status(0) & 0xE).isEqualTo(6);
    }

    @Nested
    class Bcd {
        @Test
        void countsInDecimal() {
            control(0x35);
            write(0, 0x1000);
            ticks(2);
            assertThat(read(0)).isEqualTo(0x0999);
            ticks(998);
            assertThat(read(0)).isEqualTo(0x0001);
            ticks(1);
            assertThat(read(0)).isEqualTo(0x1000);
        }

        @Test
        void zeroIsTenThousand() {
            control(0x31);
            write(0, 0);
            ticks(1);
            assertThat(read(0)).isZero();
            ticks(1);
            assertThat(read(0)).isEqualTo(0x9999);
            ticks(9998);
            assertThat(irq.isHigh()).isFalse();
            ticks(1);
            assertThat(irq.isHigh()).isTrue();
            ticks(1);
            assertThat(read(0)).isEqualTo(0x9999);
        }

        @Test
        void digitsThatAreNoneAreHarmless() {
            control(0x35);
            write(0, 0xFFFF);
            clock.advance(1_000_000_000);
            int value = read(0);
            for (int shift = 0; shift < 16; shift += 4) {
                assertThat(value >>> shift & 0xF).isLessThan(10);
            }
        }
    }

    @Nested
    class Reading {
        @Test
        void latchedCountWaitsToBeRead() {
            control(0x34);
            write(0, 1000);
            ticks(101);
            control(0x00);
            ticks(50);
            control(0x00);
            ticks(50);
            assertThat(read(0)).as("the first latch command counts").isEqualTo(900);
            assertThat(read(0)).isEqualTo(800);
        }

        @Test
        void latchInTheMiddleOfARead() {
            control(0x34);
            write(0, 0x1234);
            ticks(1);
            assertThat(ports.read(0, 1)).isEqualTo(0x34);
            control(0x00);
            assertThat(ports.read(0, 1)).isEqualTo(0x12);
            assertThat(ports.read(0, 1)).isEqualTo(0x34);
        }

        @Test
        void readBackOfSeveralCounters() {
            control(0x34);
            write(0, 1000);
            control(0x74);
            write(1, 18);
            control(0xB0);
            write(2, 500);
            ticks(11);
            control(0xC0 | 0x0E);
            ticks(5);
            assertThat(ports.read(0, 1)).isEqualTo(0xB4);
            assertThat(read(0)).isEqualTo(990);
            assertThat(ports.read(1, 1)).isEqualTo(0xB4);
            assertThat(read(1)).isEqualTo(8);
            assertThat(ports.read(2, 1)).isEqualTo(0x30);
            assertThat(read(2)).isEqualTo(500);
        }

        @Test
        void statusIsReadFirstAndLatchedOnce() {
            control(0x34);
            assertThat(status(0)).as("null count until loaded").isEqualTo(0xF4);
            write(0, 1000);
            assertThat(status(0)).isEqualTo(0xF4);
            ticks(1);
            assertThat(status(0)).isEqualTo(0xB4);
            control(0xE2);
            ticks(999);
            control(0xE2);
            assertThat(ports.read(0, 1)).as("the first").isEqualTo(0xB4);
            assertThat(status(0)).isEqualTo(0x34);
        }

        @Test
        void readBackOfNothing() {
            control(0x34);
            write(0, 1000);
            ticks(1);
            control(0xF2);
            assertThat(read(0)).isEqualTo(1000);
        }

        @Test
        void singleByteAccess() {
            control(0x14);
            ports.write(0, 1, 0x80);
            ticks(1);
            assertThat(ports.read(0, 1)).isEqualTo(0x80);
            assertThat(ports.read(0, 1)).isEqualTo(0x80);
            control(0x00);
            ticks(1);
            assertThat(ports.read(0, 1)).isEqualTo(0x80);
            assertThat(ports.read(0, 1)).isEqualTo(0x7F);
            control(0x24);
            ports.write(0, 1, 0x80);
            ticks(1);
            assertThat(ports.read(0, 1)).isEqualTo(0x80);
            ticks(1);
            assertThat(ports.read(0, 1)).isEqualTo(0x7F);
        }

        @Test
        void aControlWordDropsTheLatches() {
            control(0x34);
            write(0, 1000);
            ticks(1);
            control(0xC2);
            control(0x34);
            write(0, 500);
            ticks(1);
            assertThat(read(0)).isEqualTo(500);
        }

        @Test
        void controlRegisterIsWriteOnly() {
            assertThat(ports.read(3, 1)).isEqualTo(0xFF);
        }
    }

    @Test
    void portBBits() {
        portB.write(0, 1, 0xFF);
        assertThat(portB.read(0, 1) & 0xCF).isEqualTo(0x0F);
        assertThat(pit.isSpeakerOn()).isTrue();
        portB.write(0, 1, 0x02);
        assertThat(pit.isSpeakerOn()).isFalse();
        int toggles = 0;
        int last = (int) portB.read(0, 1) & 0x10;
        for (int i = 0; i < 1000; i++) {
            clock.advance(1_000);
            int now = (int) portB.read(0, 1) & 0x10;
            toggles += now != last ? 1 : 0;
            last = now;
        }
        assertThat(toggles).as("every 15 us in 1 ms").isBetween(65, 67);
    }

    @Test
    void lateTimersMergeWhatWasMissed() {
        control(0x34);
        write(0, 1193);
        irq.takeRises();
        // Nobody runs the timer for 10 ms: reading catches up with one edge, and the next ones come in time.
        ManualClock late = new ManualClock();
        RecordingLine line = new RecordingLine();
        Pit8254 other = new Pit8254(new LateClock(late), line);
        other.counters().write(3, 1, 0x34);
        other.counters().write(0, 1, 1193 & 0xFF);
        other.counters().write(0, 1, 1193 >>> 8);
        line.takeRises();
        late.advance(10_000_000);
        assertThat(line.takeRises()).isZero();
        other.counters().read(0, 1);
        assertThat(line.takeRises()).isEqualTo(1);
        other.counters().read(0, 1);
        assertThat(line.takeRises()).isZero();
    }

    /** A clock whose timers never run. */
    private record LateClock(ManualClock clock) implements DeviceClock {
        @Override
        public long nanoTime() {
            return clock.nanoTime();
        }

        @Override
        public DeviceTimer newTimer(Runnable callback) {
            return new ManualClock().newTimer(callback);
        }
    }

    @Test
    void savedStateComesBackOnAnotherClock() {
        control(0x36);
        write(0, 999);
        control(0xB5);
        gate2(true);
        write(2, 0x5000);
        ticks(1777);
        clock.advance(137);
        write(0, 555);
        control(0xC4);
        Pit8254.State state = pit.save();
        ManualClock otherClock = new ManualClock(987_654_321_987L);
        RecordingLine otherIrq = new RecordingLine();
        Pit8254 other = new Pit8254(otherClock, otherIrq);
        other.restore(state);
        assertThat(other.save()).isEqualTo(state);
        assertThat(otherIrq.isHigh()).isEqualTo(irq.isHigh());
        Random random = new Random(2);
        irq.takeRises();
        otherIrq.takeRises();
        for (int i = 0; i < 1000; i++) {
            int step = random.nextInt(500_000);
            clock.advance(step);
            otherClock.advance(step);
            assertThat(other.counters().read(i % 3, 1)).isEqualTo(ports.read(i % 3, 1));
            assertThat(otherIrq.isHigh()).isEqualTo(irq.isHigh());
            assertThat(otherIrq.takeRises()).isEqualTo(irq.takeRises());
        }
    }

    @Test
    void statesThatAreNone() {
        Pit8254.State good = pit.save();
        assertThatThrownBy(
                        () -> pit.restore(new Pit8254.State(-1, good.counter0(), good.counter1(), good.counter2(), 0)))
                .isInstanceOf(IllegalArgumentException.class);
        ticks(10);
        control(0x34);
        write(0, 10);
        ticks(100);
        Pit8254.State later = pit.save();
        assertThatThrownBy(
                        () -> pit.restore(new Pit8254.State(0, later.counter0(), good.counter1(), good.counter2(), 0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not a state of an 8254 channel");
    }

    @Test
    void resetStopsTheCounters() {
        control(0x34);
        write(0, 1000);
        assertThat(irq.isHigh()).isTrue();
        pit.reset();
        assertThat(irq.isHigh()).isFalse();
        assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    /** Counter 2 against a model that steps each CLK pulse as the data sheet describes it. */
    @Test
    void agreesWithASteppedModel() {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            SteppedCounter model = new SteppedCounter();
            int mode = random.nextInt(6);
            boolean bcd = random.nextInt(4) == 0;
            gate2(false);
            model.gate = false;
            control(0xB0 | mode << 1 | (bcd ? 1 : 0));
            model.program(mode, bcd);
            for (int step = 0; step < 400; step++) {
                switch (random.nextInt(12)) {
                    case 0 -> {
                        int count = 2 + random.nextInt(9) + (random.nextInt(4) == 0 ? 0x20 : 0);
                        int digits = bcd && (count & 0xF) > 9 ? count - 6 : count;
                        write(2, digits);
                        model.writeCount(bcd ? (digits >>> 4) * 10 + (digits & 0xF) : digits);
                    }
                    case 1, 2 -> {
                        boolean level = random.nextBoolean();
                        gate2(level);
                        model.setGate(level);
                    }
                    default -> {
                        ticks(1);
                        model.clk();
                    }
                }
                assertThat(out(2))
                        .as("OUT, seed %d step %d mode %d", seed, step, mode)
                        .isEqualTo(model.out);
                if (model.everLoaded) {
                    int value = read(2);
                    int plain = bcd
                            ? (value >>> 12) * 1000
                                    + (value >>> 8 & 0xF) * 100
                                    + (value >>> 4 & 0xF) * 10
                                    + (value & 0xF)
                            : value;
                    assertThat(plain)
                            .as("count, seed %d step %d mode %d", seed, step, mode)
                            .isEqualTo(model.ce);
                }
            }
        }
    }

    /** The data sheet's counter, one CLK pulse at a time; two-byte counts arrive whole. */
    private static final class SteppedCounter {
        int mode;
        boolean bcd;
        boolean gate;
        int cr;
        boolean crNew;
        boolean trigger;
        int ce;
        boolean everLoaded;
        boolean loaded;
        boolean armed;
        boolean out;

        void program(int newMode, boolean newBcd) {
            mode = newMode;
            bcd = newBcd;
            loaded = false;
            crNew = false;
            trigger = false;
            armed = false;
            out = mode != 0;
            everLoaded = false;
        }

        void writeCount(int count) {
            cr = count;
            crNew = true;
            if (mode == 0) {
                out = false;
            }
        }

        void setGate(boolean level) {
            if (level && !gate && mode != 0 && mode != 4) {
                trigger = true;
            }
            if (!level && (mode == 2 || mode == 3)) {
                out = true;
                if (loaded) {
                    trigger = false;
                }
            }
            gate = level;
        }

        private void load() {
            ce = mode == 3 ? cr & ~1 : cr;
            crNew = false;
            trigger = false;
            loaded = true;
            everLoaded = true;
            armed = true;
        }

        private void decrement(int by) {
            int modulus = bcd ? 10_000 : 0x10000;
            ce = Math.floorMod(ce - by, modulus);
        }

        /** Mode 3: an odd count has one more pulse in the high half. */
        private boolean extra;

        void clk() {
            switch (mode) {
                case 0 -> {
                    if (crNew) {
                        load();
                        out = false;
                    } else if (loaded && gate) {
                        decrement(1);
                        if (ce == 0 && armed) {
                            out = true;
                            armed = false;
                        }
                    }
                }
                case 1 -> {
                    if (trigger) {
                        load();
                        out = false;
                    } else if (loaded) {
                        decrement(1);
                        if (ce == 0 && armed) {
                            out = true;
                            armed = false;
                        }
                    }
                }
                case 2 -> {
                    if (!loaded && crNew || loaded && trigger) {
                        load();
                        out = true;
                    } else if (loaded && gate) {
                        if (ce == 1) {
                            load();
                            out = true;
                        } else {
                            decrement(1);
                            out = ce != 1;
                        }
                    }
                }
                case 3 -> {
                    if (!loaded && crNew || loaded && trigger) {
                        load();
                        extra = (cr & 1) != 0;
                        out = true;
                    } else if (loaded && gate) {
                        int end = out && extra ? 0 : 2;
                        if (ce == end) {
                            out = !out;
                            boolean keep = out;
                            load();
                            out = keep;
                            extra = (cr & 1) != 0;
                        } else {
                            decrement(2);
                        }
                    }
                }
                case 4 -> {
                    if (crNew) {
                        load();
                        out = true;
                    } else if (loaded && gate) {
                        decrement(1);
                        out = !(ce == 0 && armed);
                        armed &= ce != 0;
                    } else {
                        out = true;
                    }
                }
                default -> {
                    if (trigger) {
                        load();
                        out = true;
                    } else if (loaded) {
                        decrement(1);
                        out = !(ce == 0 && armed);
                        armed &= ce != 0;
                    }
                }
            }
        }
    }

    @Test
    void survivesAnything() {
        Random random = new Random(11);
        for (int i = 0; i < 300_000; i++) {
            switch (random.nextInt(5)) {
                case 0 -> ports.write(random.nextInt(4), 1, random.nextInt(256));
                case 1 -> assertThat(ports.read(random.nextInt(4), 1)).isBetween(0L, 255L);
                case 2 -> portB.write(0, 1, random.nextInt(256));
                case 3 -> assertThat(portB.read(0, 1)).isBetween(0L, 255L);
                default -> clock.advance(random.nextInt(200_000));
            }
            if (i % 1000 == 0) {
                pit.restore(pit.save());
            }
        }
    }

    @Test
    void mergedTicksAreCounted() {
        HandClock late = new HandClock();
        long[] missed = new long[1];
        int[] rises = new int[1];
        boolean[] level = new boolean[1];
        Pit8254 slow = new Pit8254(
                late,
                up -> {
                    rises[0] += up && !level[0] ? 1 : 0;
                    level[0] = up;
                },
                edges -> missed[0] += edges);
        slow.counters().write(3, 1, 0x34);
        slow.counters().write(0, 1, 1000 & 0xFF);
        slow.counters().write(0, 1, 1000 >>> 8);
        rises[0] = 0;
        late.nanos += Pit8254.CLK.nanos(10_500);
        late.callback.run();
        assertThat(rises[0] + missed[0]).as("ten periods have passed").isEqualTo(10);
        assertThat(rises[0]).isEqualTo(1);
        late.nanos += Pit8254.CLK.nanos(1000);
        late.callback.run();
        assertThat(rises[0] + missed[0]).isEqualTo(11);
    }

    /** A clock whose timers run when the test says so. */
    private static final class HandClock implements DeviceClock {
        private long nanos;
        private Runnable callback;

        @Override
        public long nanoTime() {
            return nanos;
        }

        @Override
        public DeviceTimer newTimer(Runnable run) {
            callback = run;
            return new DeviceTimer() {
                @Override
                public void arm(long deadlineNanos) {}

                @Override
                public void cancel() {}

                @Override
                public boolean isArmed() {
                    return true;
                }
            };
        }
    }
}
