package org.softkvm.devices.acpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.RecordingLine;
import org.softkvm.devices.time.ManualClock;

class AcpiPmTest {
    private static final int STATUS = 0;
    private static final int ENABLE = 2;
    private static final int CONTROL = 4;
    private static final int TIMER = 8;
    private static final int GPE_STATUS = 12;
    private static final int GPE_ENABLE = 14;

    private static final AcpiPm.Config CONFIG = new AcpiPm.Config(false, 0xF1, 0xF0, false);

    private final ManualClock clock = new ManualClock(42);
    private final RecordingLine sci = new RecordingLine();
    private final List<Integer> sleeps = new ArrayList<>();
    private final AcpiPm pm = new AcpiPm(CONFIG, clock, sci, sleeps::add);
    private final BusDevice registers = pm.registers();

    private int read(int offset) {
        return (int) registers.read(offset, 2) & 0xFFFF;
    }

    private void write(int offset, int value) {
        registers.write(offset, 2, value);
    }

    private void enableAcpi() {
        pm.smiCommand().write(0, 1, 0xF1);
    }

    private void ticks(long count) {
        long now = AcpiPm.TIMER_CLOCK.ticks(clock.nanoTime() - 42);
        clock.advanceTo(42 + AcpiPm.TIMER_CLOCK.nanos(now + count));
    }

    @Test
    void acpiModeByTheSmiCommandPort() {
        assertThat(pm.isAcpiEnabled()).isFalse();
        enableAcpi();
        assertThat(pm.isAcpiEnabled()).isTrue();
        assertThat(read(CONTROL)).isEqualTo(1);
        assertThat(pm.smiCommand().read(0, 1)).isEqualTo(0xF1);
        pm.smiCommand().write(0, 1, 0x55);
        assertThat(pm.isAcpiEnabled()).isTrue();
        pm.smiCommand().write(0, 1, 0xF0);
        assertThat(read(CONTROL)).isZero();
        pm.smiCommand().write(1, 1, 0x77);
        assertThat(pm.smiCommand().read(1, 1)).isEqualTo(0x77);
    }

    @Test
    void otherCommandsRaiseAnSmi() {
        int[] smis = new int[1];
        pm.onSmi(() -> smis[0]++);
        pm.smiCommand().write(0, 1, 0xF1);
        pm.smiCommand().write(0, 1, 0xF0);
        pm.smiCommand().write(1, 1, 0x12);
        assertThat(smis[0]).isZero();
        pm.smiCommand().write(0, 1, 0x12);
        pm.smiCommand().write(0, 1, 0);
        assertThat(smis[0]).isEqualTo(2);
        assertThat(pm.smiCommand().read(1, 1)).isEqualTo(0x12);
        assertThat(pm.isAcpiEnabled()).isFalse();
    }

    @Test
    void alwaysInAcpiMode() {
        AcpiPm fixed = new AcpiPm(new AcpiPm.Config(true, 0, 0, true), clock, sci, sleeps::add);
        assertThat(fixed.isAcpiEnabled()).isTrue();
        fixed.registers().write(CONTROL, 2, 0);
        assertThat(fixed.isAcpiEnabled()).isTrue();
        fixed.smiCommand().write(0, 1, 0);
        fixed.reset();
        assertThat(fixed.isAcpiEnabled()).isTrue();
    }

    @Test
    void sleepsWithItsType() {
        write(CONTROL, 5 << 10 | 1);
        assertThat(sleeps).isEmpty();
        assertThat(read(CONTROL)).isEqualTo(5 << 10 | 1);
        write(CONTROL, 5 << 10 | 1 << 13 | 1);
        assertThat(sleeps).containsExactly(5);
        assertThat(read(CONTROL)).as("SLP_EN reads as zero").isEqualTo(5 << 10 | 1);
        registers.write(CONTROL + 1, 1, 0x20);
        assertThat(sleeps).containsExactly(5, 0);
        registers.write(CONTROL, 4, 0x3C01);
        assertThat(sleeps).containsExactly(5, 0, 7);
        write(CONTROL, 0xFFFF & ~(1 << 13));
        assertThat(read(CONTROL)).isEqualTo(0x1C03);
    }

    @Test
    void timerRunsAtItsRate() {
        clock.advance(1_000_000_000L);
        assertThat(registers.read(TIMER, 4)).isEqualTo(3_579_545);
        clock.advance(4_000_000_000L);
        assertThat(registers.read(TIMER, 4)).isEqualTo(5 * 3_579_545 & 0xFFFFFF);
        registers.write(TIMER, 4, 0);
        assertThat(pm.timerValue()).isEqualTo(5 * 3_579_545 & 0xFFFFFF);
        assertThat(registers.read(TIMER + 1, 1) & 0xFF).isEqualTo(5 * 3_579_545 >>> 8 & 0xFF);
        AcpiPm wide = new AcpiPm(new AcpiPm.Config(true, 0xF1, 0xF0, false), clock, sci, sleeps::add);
        clock.advance(1_000_000_000_000L);
        assertThat(wide.timerValue()).isEqualTo((int) 3_579_545_000L);
    }

    @Test
    void timerCarrySetsItsStatus() {
        ticks((1 << 23) - 1);
        assertThat(read(STATUS) & 1).isZero();
        ticks(1);
        assertThat(read(STATUS) & 1).isEqualTo(1);
        write(STATUS, 1);
        assertThat(read(STATUS) & 1).isZero();
        ticks((1 << 23) - 1);
        assertThat(read(STATUS) & 1).isZero();
        ticks(1);
        assertThat(read(STATUS) & 1).as("the top bit falls").isEqualTo(1);
    }

    @Test
    void wideTimerCarriesAtBit31() {
        AcpiPm wide = new AcpiPm(new AcpiPm.Config(true, 0xF1, 0xF0, false), clock, sci, sleeps::add);
        clock.advance(AcpiPm.TIMER_CLOCK.nanos(1L << 31) - 1);
        assertThat(wide.registers().read(STATUS, 2) & 1).isZero();
        clock.advance(1);
        assertThat(wide.registers().read(STATUS, 2) & 1).isEqualTo(1);
    }

    @Test
    void timerInterrupts() {
        enableAcpi();
        write(ENABLE, 1);
        ticks((1 << 23) - 1);
        assertThat(sci.isHigh()).isFalse();
        ticks(1);
        assertThat(sci.isHigh()).isTrue();
        write(STATUS, 1);
        assertThat(sci.isHigh()).isFalse();
        ticks(1 << 23);
        assertThat(sci.rises()).isEqualTo(2);
        write(ENABLE, 0);
        assertThat(sci.isHigh()).isFalse();
        assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void powerButton() {
        write(ENABLE, 0x100);
        pm.pressPowerButton();
        assertThat(sci.isHigh()).as("not in ACPI mode").isFalse();
        assertThat(read(STATUS)).isEqualTo(0x100);
        enableAcpi();
        assertThat(sci.isHigh()).isTrue();
        write(STATUS, 0xFE);
        assertThat(sci.isHigh()).isTrue();
        registers.write(STATUS + 1, 1, 1);
        assertThat(sci.isHigh()).isFalse();
        assertThat(read(STATUS)).isZero();
    }

    @Test
    void wakeStatusIsNoInterrupt() {
        enableAcpi();
        write(ENABLE, 0xFFFF);
        assertThat(read(ENABLE)).isEqualTo(0x0721);
        pm.wake();
        assertThat(read(STATUS)).isEqualTo(0x8000);
        assertThat(sci.isHigh()).isFalse();
    }

    @Test
    void generalPurposeEvents() {
        enableAcpi();
        pm.raiseGpe(9);
        assertThat(read(GPE_STATUS)).isEqualTo(0x200);
        assertThat(sci.isHigh()).isFalse();
        registers.write(GPE_ENABLE + 1, 1, 0x02);
        assertThat(read(GPE_ENABLE)).isEqualTo(0x200);
        assertThat(sci.isHigh()).isTrue();
        write(GPE_STATUS, 0x200);
        assertThat(sci.isHigh()).isFalse();
    }

    @Test
    void wideAndUnalignedAccesses() {
        registers.write(STATUS, 4, 0x01000000L);
        assertThat(registers.read(STATUS, 4)).isEqualTo(0x01000000L);
        assertThat(registers.read(STATUS + 3, 2) & 0xFFFF).isEqualTo(0x0001);
        assertThat(registers.read(GPE_ENABLE, 4) & 0xFFFFFFFFL).isZero();
    }

    @Test
    void savedStateComesBackOnAnotherClock() {
        enableAcpi();
        write(ENABLE, 0x101);
        registers.write(GPE_ENABLE, 2, 0x55);
        pm.raiseGpe(5);
        write(CONTROL, 3 << 10 | 1);
        ticks(5_000_000);
        AcpiPm.State state = pm.save();
        ManualClock otherClock = new ManualClock(555_555);
        RecordingLine otherSci = new RecordingLine();
        AcpiPm other = new AcpiPm(CONFIG, otherClock, otherSci, sleeps::add);
        other.restore(state);
        assertThat(other.save()).isEqualTo(state);
        assertThat(other.timerValue()).isEqualTo(5_000_000);
        long left = AcpiPm.TIMER_CLOCK.nanos(1 << 23) - AcpiPm.TIMER_CLOCK.nanos(5_000_000);
        otherClock.advance(left - 1);
        assertThat(otherSci.isHigh()).isFalse();
        otherClock.advance(1);
        assertThat(otherSci.isHigh()).isTrue();
        assertThat(sleeps).isEmpty();
        assertThatThrownBy(() -> other.restore(new AcpiPm.State(0, 0, 0, 0, 0, 0, 0, -1, 0)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void survivesAnything() {
        Random random = new Random(10);
        for (int i = 0; i < 100_000; i++) {
            int size = 1 << random.nextInt(3);
            switch (random.nextInt(4)) {
                case 0 -> registers.write(random.nextInt(17 - size), size, random.nextInt());
                case 1 -> registers.read(random.nextInt(17 - size), size);
                case 2 -> pm.smiCommand().write(random.nextInt(2), 1, random.nextInt(256));
                default -> clock.advance(random.nextInt(500_000_000));
            }
            if (i % 1000 == 0) {
                pm.restore(pm.save());
            }
        }
    }
}
