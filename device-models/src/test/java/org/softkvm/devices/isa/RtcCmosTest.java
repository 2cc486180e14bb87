package org.softkvm.devices.isa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.RecordingLine;
import org.softkvm.devices.time.ManualClock;

class RtcCmosTest {
    private static final int A = 0x0A;
    private static final int B = 0x0B;
    private static final int C = 0x0C;
    private static final int D = 0x0D;
    private static final long SECOND = 1_000_000_000L;

    private final ManualClock clock = new ManualClock(77);
    private final RecordingLine irq = new RecordingLine();

    /** Tuesday. */
    private final LocalDateTime start = LocalDateTime.of(2024, 2, 27, 23, 59, 50);

    private final RtcCmos rtc = at(start);

    private RtcCmos at(LocalDateTime time) {
        return new RtcCmos(clock, irq, time.toEpochSecond(ZoneOffset.UTC) * SECOND);
    }

    private int read(int index) {
        return read(rtc, index);
    }

    private static int read(RtcCmos rtc, int index) {
        rtc.write(0, 1, index);
        return (int) rtc.read(1, 1);
    }

    private void write(int index, int value) {
        rtc.write(0, 1, index);
        rtc.write(1, 1, value);
    }

    private void assertTime(LocalDateTime expected) {
        assertThat(rtc.calendarSeconds()).isEqualTo(expected.toEpochSecond(ZoneOffset.UTC));
    }

    @Test
    void stateAfterPowerUp() {
        assertThat(read(A)).isEqualTo(0x26);
        assertThat(read(B)).isEqualTo(0x02);
        assertThat(read(C)).isZero();
        assertThat(read(D)).isEqualTo(0x80);
        assertThat(rtc.read(0, 1)).isEqualTo(0xFF);
    }

    @Test
    void calendarInBcd() {
        int[] fields = {0x00, 0x02, 0x04, 0x06, 0x07, 0x08, 0x09, 0x32};
        int[] values = {0x50, 0x59, 0x23, 0x03, 0x27, 0x02, 0x24, 0x20};
        for (int i = 0; i < fields.length; i++) {
            assertThat(read(fields[i])).as("register %x", fields[i]).isEqualTo(values[i]);
        }
    }

    @Test
    void calendarInBinary() {
        write(B, 0x06);
        int[] fields = {0x00, 0x02, 0x04, 0x06, 0x07, 0x08, 0x09, 0x32};
        int[] values = {50, 59, 23, 3, 27, 2, 24, 20};
        for (int i = 0; i < fields.length; i++) {
            assertThat(read(fields[i])).as("register %x", fields[i]).isEqualTo(values[i]);
        }
    }

    @Test
    void goesOnOverDaysAndLeapDays() {
        LocalDateTime time = start;
        Random random = new Random(8);
        for (int i = 0; i < 500; i++) {
            int step = random.nextInt(400_000);
            clock.advance(step * SECOND);
            time = time.plusSeconds(step);
            write(B, 0x06);
            assertThat(read(0x00)).isEqualTo(time.getSecond());
            assertThat(read(0x02)).isEqualTo(time.getMinute());
            assertThat(read(0x04)).isEqualTo(time.getHour());
            assertThat(read(0x06)).isEqualTo(time.getDayOfWeek().getValue() % 7 + 1);
            assertThat(read(0x07)).isEqualTo(time.getDayOfMonth());
            assertThat(read(0x08)).isEqualTo(time.getMonthValue());
            assertThat(read(0x32) * 100 + read(0x09)).isEqualTo(time.getYear());
        }
    }

    @Test
    void twelveHours() {
        write(B, 0x00);
        int[][] rows = {{0, 0x12}, {1, 0x01}, {11, 0x11}, {12, 0x92}, {13, 0x81}, {23, 0x91}};
        for (int[] row : rows) {
            write(B, 0x02);
            write(0x04, row[0] / 10 << 4 | row[0] % 10);
            write(B, 0x00);
            assertThat(read(0x04)).as("hour %d", row[0]).isEqualTo(row[1]);
            write(0x04, row[1]);
            write(B, 0x06);
            assertThat(read(0x04)).isEqualTo(row[0]);
        }
    }

    @Test
    void setStopsAndSetsTheCalendar() {
        write(B, 0x82);
        clock.advance(5 * SECOND);
        assertThat(read(0x00)).isEqualTo(0x50);
        write(0x32, 0x19);
        write(0x09, 0x99);
        write(0x08, 0x12);
        write(0x07, 0x31);
        write(0x04, 0x23);
        write(0x02, 0x59);
        write(0x00, 0x58);
        assertThat(read(0x07)).isEqualTo(0x31);
        write(B, 0x02);
        assertTime(LocalDateTime.of(1999, 12, 31, 23, 59, 58));
        clock.advance(2 * SECOND);
        assertTime(LocalDateTime.of(2000, 1, 1, 0, 0, 0));
        assertThat(read(0x32)).isEqualTo(0x20);
    }

    @Test
    void setsWhileRunning() {
        write(0x00, 0x15);
        assertTime(start.withSecond(15));
        write(0x07, 0x05);
        assertTime(start.withSecond(15).withDayOfMonth(5));
        clock.advance(10 * SECOND);
        assertTime(start.withSecond(25).withDayOfMonth(5));
    }

    @Test
    void theDayOfTheWeekIsACounterOfItsOwn() {
        write(0x06, 0x07);
        assertThat(read(0x06)).isEqualTo(0x07);
        clock.advance(20 * SECOND);
        assertThat(read(0x06)).isEqualTo(0x01);
        write(0x07, 0x01);
        assertThat(read(0x06)).as("the date does not change it").isEqualTo(0x01);
    }

    @Test
    void fieldsMayBeSetInAnyOrder() {
        write(B, 0x82);
        write(0x07, 0x31);
        assertThat(read(0x07)).as("as written, although February has no 31st").isEqualTo(0x31);
        write(0x08, 0x03);
        write(B, 0x02);
        assertTime(LocalDateTime.of(2024, 3, 31, 23, 59, 50));
    }

    @Test
    void datesThatDoNotExistAreCorrected() {
        write(0x07, 0x30);
        assertTime(LocalDateTime.of(2024, 3, 1, 23, 59, 50));
        write(0x08, 0x00);
        assertThat(read(0x08)).isEqualTo(0x01);
        write(0x08, 0x99);
        assertThat(read(0x08)).isEqualTo(0x12);
        write(0x00, 0xFF);
        assertThat(read(0x00)).isEqualTo(0x59);
    }

    @Test
    void dataFormatOfACalendarThatStands() {
        write(B, 0x82);
        write(B, 0x86);
        for (int[] row : new int[][] {{0, 30}, {2, 31}, {4, 12}, {6, 1}, {7, 25}, {8, 12}, {9, 99}, {0x32, 19}}) {
            write(row[0], row[1]);
        }
        write(B, 0x06);
        assertTime(LocalDateTime.of(1999, 12, 25, 12, 31, 30));
    }

    @Test
    void aYearFarAwayAndBack() {
        write(0x32, 0x00);
        assertThat(read(0x32)).isZero();
        write(0x32, 0x99);
        assertThat(read(0x32)).isEqualTo(0x99);
        write(0x32, 0x20);
        assertTime(start);
    }

    @Test
    void dividerResetStopsAndTheFirstUpdateComesAfterHalfASecond() {
        write(A, 0x76);
        clock.advance(10 * SECOND);
        assertTime(start);
        write(A, 0x26);
        clock.advance(SECOND / 2 - 1);
        assertTime(start);
        clock.advance(1);
        assertTime(start.plusSeconds(1));
        clock.advance(SECOND);
        assertTime(start.plusSeconds(2));
    }

    @Test
    void updateInProgressAnnouncesTheUpdate() {
        clock.advance(SECOND / 2);
        assertThat(read(A) & 0x80).isZero();
        clock.advance(SECOND / 2 - 244_000 - 1_984_000 - 1);
        assertThat(read(A) & 0x80).isZero();
        clock.advance(1);
        assertThat(read(A) & 0x80).isEqualTo(0x80);
        clock.advance(244_000 + 1_984_000 - 1);
        assertThat(read(A) & 0x80).isEqualTo(0x80);
        assertThat(read(0x00)).isEqualTo(0x50);
        clock.advance(1);
        assertThat(read(A) & 0x80).isZero();
        assertThat(read(0x00)).isEqualTo(0x51);
        write(B, 0x82);
        clock.advance(SECOND - 1);
        assertThat(read(A) & 0x80).as("not while the calendar is set").isZero();
    }

    @Nested
    class Interrupts {
        @Test
        void updateEnded() {
            write(B, 0x12);
            clock.advance(SECOND - 1);
            assertThat(irq.isHigh()).isFalse();
            clock.advance(1);
            assertThat(irq.isHigh()).isTrue();
            clock.advance(3 * SECOND);
            assertThat(irq.rises()).as("until register C is read").isEqualTo(1);
            assertThat(read(C) & 0xB0).isEqualTo(0x90);
            assertThat(irq.isHigh()).isFalse();
            assertThat(read(C)).isZero();
            clock.advance(SECOND);
            assertThat(irq.rises()).isEqualTo(2);
        }

        @Test
        void settingEndsTheUpdateInterrupt() {
            write(B, 0x92);
            assertThat(read(B)).isEqualTo(0x82);
        }

        @Test
        void periodicRates() {
            for (int rate = 1; rate < 16; rate++) {
                double hertz = 32768.0 / (1 << (rate <= 2 ? rate + 6 : rate - 1));
                write(A, 0x20 | rate);
                write(B, 0x42);
                read(C);
                int count = 0;
                long end = clock.nanoTime() + 2 * SECOND;
                while (clock.nextDeadline() <= end) {
                    clock.advanceTo(clock.nextDeadline());
                    assertThat(irq.isHigh()).isTrue();
                    assertThat(read(C) & 0xC0).isEqualTo(0xC0);
                    count++;
                }
                clock.advanceTo(end);
                assertThat((double) count).as("rate %d", rate).isBetween(2 * hertz - 1, 2 * hertz + 1);
            }
        }

        @Test
        void periodicFlagWithoutInterrupt() {
            clock.advance(SECOND);
            assertThat(read(C)).as("no request").isEqualTo(0x50);
            assertThat(irq.rises()).isZero();
            write(A, 0x20);
            read(C);
            clock.advance(SECOND / 2);
            assertThat(read(C) & 0x40).as("rate 0").isZero();
            assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
        }

        @Test
        void alarmAtATime() {
            write(0x05, 0x00);
            write(0x03, 0x01);
            write(0x01, 0x30);
            write(B, 0x22);
            clock.advance(99 * SECOND);
            assertThat(irq.isHigh()).isFalse();
            clock.advance(SECOND);
            assertThat(irq.isHigh()).isTrue();
            assertThat(read(C) & 0xA0).isEqualTo(0xA0);
            clock.advance(86_400 * SECOND - 1);
            assertThat(irq.rises()).isEqualTo(1);
            clock.advance(1);
            assertThat(irq.rises()).as("again the next day").isEqualTo(2);
        }

        @Test
        void alarmWithDontCares() {
            write(0x05, 0xFF);
            write(0x03, 0xC0);
            write(0x01, 0x05);
            write(B, 0x22);
            clock.advance(15 * SECOND);
            assertThat(irq.takeRises()).isEqualTo(1);
            for (int i = 0; i < 10; i++) {
                read(C);
                clock.advance(60 * SECOND);
                assertThat(irq.takeRises()).isEqualTo(1);
            }
            write(0x01, 0xC0);
            for (int i = 0; i < 10; i++) {
                read(C);
                clock.advance(SECOND);
                assertThat(irq.takeRises()).as("each second").isEqualTo(1);
            }
            write(0x01, 0x00);
            write(0x03, 0x30);
            read(C);
            clock.advance(3600 * SECOND);
            assertThat(irq.takeRises()).isEqualTo(1);
        }

        @Test
        void alarmInTwelveHours() {
            write(B, 0x20);
            write(0x05, 0x81);
            write(0x03, 0x00);
            write(0x01, 0x00);
            clock.advance((10 + 13 * 3600) * SECOND - 1);
            assertThat(irq.isHigh()).isFalse();
            clock.advance(1);
            assertThat(irq.isHigh()).isTrue();
        }

        @Test
        void alarmThatNeverComes() {
            write(0x01, 0x61);
            write(B, 0x22);
            assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
            clock.advance(200_000 * SECOND);
            assertThat(read(C) & 0x20).isZero();
        }

        @Test
        void alarmFlagIsFoundLate() {
            write(0x05, 0x00);
            write(0x03, 0x00);
            write(0x01, 0x05);
            clock.advance(10 * SECOND);
            assertThat(read(C) & 0x20).isZero();
            clock.advance(100 * SECOND);
            assertThat(read(C) & 0x20).isEqualTo(0x20);
        }

        @Test
        void resetTurnsThemOff() {
            write(B, 0x72);
            clock.advance(SECOND);
            assertThat(irq.isHigh()).isTrue();
            rtc.reset();
            assertThat(irq.isHigh()).isFalse();
            assertThat(read(B)).isEqualTo(0x02);
            assertTime(start.plusSeconds(1));
        }
    }

    @Test
    void ramAndNmi() {
        write(0x0E, 0x12);
        write(0x7F, 0x34);
        assertThat(read(0x0E)).isEqualTo(0x12);
        assertThat(rtc.ram(0x7F)).isEqualTo(0x34);
        assertThat(rtc.isNmiDisabled()).isFalse();
        assertThat(read(0x8E)).isEqualTo(0x12);
        assertThat(rtc.isNmiDisabled()).isTrue();
        read(0x0E);
        assertThat(rtc.isNmiDisabled()).isFalse();
        write(D, 0);
        assertThat(read(D)).isEqualTo(0x80);
        assertThatThrownBy(() -> rtc.setRam(0x0D, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> rtc.setRam(0x80, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> rtc.ram(0x32)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void memorySize() {
        rtc.setMemorySize(3L << 30, 5L << 30);
        int[][] bytes = {
            {0x15, 0x80},
            {0x16, 0x02},
            {0x17, 0xFF},
            {0x18, 0xFF},
            {0x30, 0xFF},
            {0x31, 0xFF},
            {0x34, 0x00},
            {0x35, 0xBF},
            {0x5B, 0x00},
            {0x5C, 0x40},
            {0x5D, 0x01},
        };
        for (int[] row : bytes) {
            assertThat(read(row[0])).as("byte %x", row[0]).isEqualTo(row[1]);
        }
        rtc.setMemorySize(8 << 20, 0);
        assertThat(read(0x30) | read(0x31) << 8).isEqualTo(7 * 1024);
        assertThat(read(0x34) | read(0x35) << 8).isZero();
        rtc.setMemorySize(512 << 10, 0);
        assertThat(read(0x15) | read(0x16) << 8).isEqualTo(512);
        assertThat(read(0x30) | read(0x31) << 8).isZero();
    }

    @Test
    void savedStateComesBackOnAnotherClock() {
        write(0x40, 0x55);
        write(0x06, 0x01);
        write(0x05, 0xFF);
        write(0x03, 0xFF);
        write(0x01, 0x59);
        write(B, 0x22);
        clock.advance(345_678_901L);
        RtcCmos.State state = rtc.save();
        ManualClock otherClock = new ManualClock(123_456_789_012L);
        RecordingLine otherIrq = new RecordingLine();
        RtcCmos other = new RtcCmos(otherClock, otherIrq, 0);
        other.restore(state);
        assertThat(other.save()).usingRecursiveComparison().isEqualTo(state);
        for (int i = 0; i < 1000; i++) {
            clock.advance(777_777_777L);
            otherClock.advance(777_777_777L);
            assertThat(otherIrq.isHigh()).isEqualTo(irq.isHigh());
            for (int index : new int[] {0, 2, 6, A, C}) {
                assertThat(read(other, index)).isEqualTo(read(index));
            }
        }
        assertThat(irq.rises()).isPositive();
        assertThatThrownBy(() -> other.restore(new RtcCmos.State(new byte[64], 0, false, 0, 0, 0, 0, 0)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> other.restore(new RtcCmos.State(new byte[128], 0, false, 0, -1, 0, 0, 0)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void datesAgreeWithTheJdk() {
        Random random = new Random(6);
        for (int i = 0; i < 20_000; i++) {
            long day = random.nextInt(4_000_000) - 719_000;
            LocalDate date = LocalDate.ofEpochDay(day);
            assertThat(CivilDate.year(day)).isEqualTo(date.getYear());
            assertThat(CivilDate.month(day)).isEqualTo(date.getMonthValue());
            assertThat(CivilDate.day(day)).isEqualTo(date.getDayOfMonth());
            assertThat(CivilDate.daysSince1970(date.getYear(), date.getMonthValue(), date.getDayOfMonth()))
                    .isEqualTo(day);
            assertThat(CivilDate.daysInMonth(date.getYear(), date.getMonthValue()))
                    .isEqualTo(date.lengthOfMonth());
        }
    }

    @Test
    void survivesAnything() {
        Random random = new Random(12);
        for (int i = 0; i < 200_000; i++) {
            int index = random.nextInt(5) == 0 ? random.nextInt(256) : random.nextInt(14);
            switch (random.nextInt(3)) {
                case 0 -> write(random.nextInt(20) == 0 ? 0x32 : index, random.nextInt(256));
                case 1 -> assertThat(read(index)).isBetween(0, 255);
                default -> clock.advance(random.nextInt(2_000_000));
            }
            if (i % 1000 == 0) {
                rtc.restore(rtc.save());
                clock.advance(random.nextInt(100_000) * SECOND);
            }
        }
    }
}
