package org.softkvm.devices.apic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.softkvm.devices.time.TscSource;

class LocalApicTimerTest extends LocalApicFixture {
    @Test
    void oneShot() {
        enable();
        write(TIMER, 0x55);
        write(TDCR, 0xB);
        write(TMICT, 1000);
        assertThat(read(TMCCT)).isEqualTo(1000);
        clock.advance(400);
        assertThat(read(TMCCT)).isEqualTo(600);
        clock.advance(599);
        assertThat(take()).isEqualTo(-1);
        clock.advance(1);
        assertThat(take()).isEqualTo(0x55);
        assertThat(read(TMCCT)).isZero();
        assertThat(read(TMICT)).isEqualTo(1000);
        clock.advance(100_000);
        write(EOI, 0);
        assertThat(take()).isEqualTo(-1);
        assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void dividers() {
        int[][] rows = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};
        for (int[] row : rows) {
            write(TDCR, row[0]);
            write(TMICT, 1000);
            clock.advance(row[1] * 250L);
            assertThat(read(TMCCT)).as("divide by %d", row[1]).isEqualTo(750);
            clock.advance(row[1] - 1);
            assertThat(read(TMCCT)).isEqualTo(750);
        }
    }

    @Test
    void busCycleScalesTheTimer() {
        LocalApic slow = apic(new LocalApic.Config(3, true, true, false, 10, 40));
        slow.write(TDCR, 4, 0xB);
        slow.write(TMICT, 4, 1000);
        clock.advance(5_000);
        assertThat(slow.read(TMCCT, 4)).isEqualTo(500);
    }

    @Test
    void periodic() {
        enable();
        write(TIMER, 0x20055);
        write(TDCR, 0xB);
        write(TMICT, 100_000);
        for (int i = 0; i < 5; i++) {
            clock.advance(99_999);
            assertThat(take()).isEqualTo(-1);
            assertThat(read(TMCCT)).isEqualTo(1);
            clock.advance(1);
            assertThat(take()).isEqualTo(0x55);
            assertThat(read(TMCCT)).isEqualTo(100_000);
            write(EOI, 0);
        }
        write(TMICT, 0);
        assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void shortPeriodsAreMergedButCountExactly() {
        enable();
        write(TIMER, 0x20055);
        write(TDCR, 0xB);
        write(TMICT, 7);
        int taken = 0;
        for (int i = 0; i < 1000; i++) {
            clock.advance(1_000);
            if (take() == 0x55) {
                taken++;
                write(EOI, 0);
            }
        }
        assertThat(taken).isBetween(45, 51);
        long before = clock.nanoTime();
        int count = read(TMCCT);
        clock.advance(3);
        assertThat(read(TMCCT)).isEqualTo(count > 3 ? count - 3 : count + 4);
        assertThat(clock.nanoTime()).isEqualTo(before + 3);
    }

    @Test
    void maskedTimerRunsOnSilently() {
        enable();
        write(TIMER, 0x30055);
        write(TDCR, 0xB);
        write(TMICT, 100_000);
        clock.advance(250_000);
        assertThat(read(TMCCT)).isEqualTo(50_000);
        assertThat(take()).isEqualTo(-1);
        write(TIMER, 0x20055);
        clock.advance(50_000);
        assertThat(take()).isEqualTo(0x55);
    }

    @Test
    void changingTheDividerKeepsTheCount() {
        enable();
        write(TIMER, 0x55);
        write(TDCR, 0xB);
        write(TMICT, 1000);
        clock.advance(500);
        write(TDCR, 0);
        assertThat(read(TMCCT)).isEqualTo(500);
        clock.advance(998);
        assertThat(read(TMCCT)).isEqualTo(1);
        clock.advance(2);
        assertThat(take()).isEqualTo(0x55);
    }

    @Test
    void tscDeadline() {
        enable();
        write(TIMER, 0x40055);
        assertThat(apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, tsc.tsc() + 3001)).isTrue();
        assertThat(apic.readMsr(LocalApic.IA32_TSC_DEADLINE)).isEqualTo(tsc.tsc() + 3001);
        assertThat(read(TMCCT)).isZero();
        clock.advance(1000);
        assertThat(take()).isEqualTo(-1);
        clock.advance(1);
        assertThat(take()).isEqualTo(0x55);
        assertThat(apic.readMsr(LocalApic.IA32_TSC_DEADLINE)).isZero();
    }

    @Test
    void tscDeadlineInThePastFiresAtOnce() {
        enable();
        write(TIMER, 0x40055);
        apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, 1);
        assertThat(take()).isEqualTo(0x55);
        assertThat(apic.readMsr(LocalApic.IA32_TSC_DEADLINE)).isZero();
    }

    @Test
    void tscDeadlineDisarms() {
        enable();
        write(TIMER, 0x40055);
        apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, tsc.tsc() + 3000);
        apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, 0);
        clock.advance(10_000);
        assertThat(take()).isEqualTo(-1);
        apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, -1);
        clock.advance(10_000_000_000L);
        assertThat(take()).isEqualTo(-1);
    }

    @Test
    void otherModesIgnoreTheDeadlineAndTheOtherWayRound() {
        enable();
        apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, 1);
        assertThat(apic.readMsr(LocalApic.IA32_TSC_DEADLINE)).isZero();
        write(TIMER, 0x40055);
        write(TMICT, 1000);
        assertThat(read(TMICT)).isZero();
        assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void changingToOrFromDeadlineModeDisarms() {
        enable();
        write(TIMER, 0x55);
        write(TMICT, 1000);
        write(TIMER, 0x40055);
        assertThat(read(TMICT)).isZero();
        apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, tsc.tsc() + 3000);
        write(TIMER, 0x55);
        clock.advance(10_000);
        assertThat(take()).isEqualTo(-1);
        assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aTscThatIsBehindItsScheduleIsWaitedFor() {
        long[] offset = {0};
        TscSource late = new TscSource() {
            @Override
            public long tsc() {
                return clock.nanoTime() - offset[0];
            }

            @Override
            public long nanoTimeAt(long value) {
                return value + offset[0];
            }
        };
        LocalApic other = new LocalApic(new LocalApic.Config(0, true), clock, late, bus, signals);
        other.write(SVR, 4, 0x1FF);
        other.write(TIMER, 4, 0x40055);
        other.writeMsr(LocalApic.IA32_TSC_DEADLINE, clock.nanoTime() + 1000);
        offset[0] = 500;
        clock.advance(1000);
        assertThat(other.pendingVector()).isEqualTo(-1);
        clock.advance(1000);
        assertThat(other.pendingVector()).isEqualTo(0x55);
        other.acknowledge(0x55);
        other.write(EOI, 4, 0);
        other.writeMsr(LocalApic.IA32_TSC_DEADLINE, late.tsc() + 5000);
        // A write to the TSC that jumps past the deadline.
        offset[0] -= 6000;
        other.tscChanged();
        assertThat(other.pendingVector()).isEqualTo(0x55);
    }
}
