package org.softkvm.kvm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.softkvm.devices.DeviceBus;
import org.softkvm.devices.time.ManualClock;
import org.softkvm.kvm.PitState;

/** KVM's policy for ticks that the guest does not take in time. */
class PitTimerTest {
    private static final long MILLI = 1_000_000;

    private final ManualClock clock = new ManualClock();
    private final DeviceBus bus = new DeviceBus();
    private int interrupts;
    private boolean line;
    private final PitTimer pit = new PitTimer(clock, this::drive, true);

    PitTimerTest() {
        pit.addTo(bus);
    }

    private void drive(boolean level) {
        interrupts += level && !line ? 1 : 0;
        line = level;
    }

    /** Counter 0 in mode 2 with a period of a millisecond and a bit less. */
    private void program() {
        bus.writePort(0x43, 1, 0x34);
        bus.writePort(0x40, 1, 1193 & 0xFF);
        bus.writePort(0x40, 1, 1193 >> 8);
        interrupts = 0;
    }

    private void advance(int millis) {
        for (int i = 0; i < millis; i++) {
            clock.advance(MILLI);
        }
    }

    @Test
    void ticksThatWereNotTakenComeLater() {
        program();
        advance(6);
        assertThat(interrupts).as("the first is not ended").isEqualTo(1);
        for (int ended = 1; ended < 6; ended++) {
            pit.interruptEnded();
            assertThat(interrupts).isEqualTo(ended + 1);
        }
        pit.interruptEnded();
        assertThat(interrupts).as("no more than came").isEqualTo(6);
        advance(1);
        assertThat(interrupts).isEqualTo(7);
    }

    @Test
    void withoutReinjectionTheLineFollowsTheCounter() {
        pit.setReinject(false);
        program();
        advance(6);
        assertThat(interrupts).as("who takes them is its own concern").isEqualTo(6);
        pit.interruptEnded();
        pit.interruptEnded();
        assertThat(interrupts).isEqualTo(6);
        pit.setReinject(true);
        assertThat(line).isFalse();
    }

    @Test
    void aNewCountForgetsOldTicks() {
        program();
        advance(6);
        program();
        advance(2);
        assertThat(interrupts).isEqualTo(1);
        pit.interruptEnded();
        assertThat(interrupts).isEqualTo(1);
        advance(3);
        assertThat(interrupts).isEqualTo(2);
        pit.forgetTicks();
        advance(1);
        assertThat(interrupts).as("unmasked").isEqualTo(3);
        pit.interruptEnded();
        assertThat(interrupts).isEqualTo(3);
    }

    @Test
    void aTimerThatIsLateLosesNoTick() {
        program();
        clock.advance(10 * MILLI);
        int ended = 0;
        for (int before = 0; before != interrupts; ended++) {
            before = interrupts;
            pit.interruptEnded();
        }
        assertThat(interrupts).isEqualTo(10);
    }

    @Test
    void aFreshTimerStaysQuietWhenItIsRestored() {
        PitState state = new PitState();
        pit.get(state);
        assertThat(state.channels[0].mode).isEqualTo(0xFF);
        program();
        advance(2);
        pit.set(state);
        interrupts = 0;
        pit.interruptEnded();
        advance(200);
        assertThat(interrupts).isZero();
        pit.get(state);
        assertThat(state.channels[0].mode).isEqualTo(0xFF);
        program();
        advance(2);
        assertThat(interrupts).isEqualTo(1);
    }

    @Test
    void theHpetTakesTheInterruptOver() {
        program();
        PitState state = new PitState();
        pit.get(state);
        state.flags |= PitState.HPET_LEGACY;
        pit.set(state);
        interrupts = 0;
        advance(5);
        assertThat(interrupts).isZero();
        pit.get(state);
        assertThat(state.flags).isEqualTo(PitState.HPET_LEGACY);
        state.flags = 0;
        pit.set(state);
        assertThat(interrupts).as("a state is no tick").isZero();
        advance(2);
        assertThat(interrupts).isEqualTo(1);
    }

    @Test
    void statesAreRestored() {
        bus.writePort(0x43, 1, 0xB6);
        bus.writePort(0x42, 1, 0x34);
        bus.writePort(0x42, 1, 0x12);
        bus.writePort(0x61, 1, 3);
        clock.advance(10_000);
        bus.writePort(0x43, 1, 0x80);
        bus.readPort(0x42, 1);
        bus.writePort(0x43, 1, 0x57);
        bus.writePort(0x41, 1, 0x99);
        PitState state = new PitState();
        pit.get(state);
        assertThat(state.flags).isEqualTo(PitState.SPEAKER_DATA_ON);
        assertThat(state.channels[2].mode).isEqualTo(3);
        assertThat(state.channels[2].countLatched).as("the MSB is left").isEqualTo(2);
        assertThat(state.channels[2].readState).isEqualTo(4);
        assertThat(state.channels[2].gate).isTrue();
        assertThat(state.channels[1].bcd).isTrue();
        assertThat(state.channels[1].rwMode).isEqualTo(1);
        assertThat(state.channels[1].count).isEqualTo(0x99);
        PitTimer other = new PitTimer(clock, level -> {}, true);
        other.set(state);
        PitState back = new PitState();
        other.get(back);
        for (int i = 0; i < 3; i++) {
            back.channels[i].countLoadTime = state.channels[i].countLoadTime;
            assertThat(back.channels[i]).usingRecursiveComparison().isEqualTo(state.channels[i]);
        }
        assertThat(back.flags).isEqualTo(state.flags);
        DeviceBus otherBus = new DeviceBus();
        other.addTo(otherBus);
        assertThat(otherBus.readPort(0x42, 1)).isEqualTo(0x12);
        assertThat(otherBus.readPort(0x61, 1) & 3).isEqualTo(3);
    }
}
