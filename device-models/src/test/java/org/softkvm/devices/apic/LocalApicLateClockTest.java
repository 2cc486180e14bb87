package org.softkvm.devices.apic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.DeviceTimer;
import org.softkvm.devices.time.TscSource;

/** The timer where the host runs timers late: an expiry meets the registers as they were at its time. */
class LocalApicLateClockTest {
    private static final int SVR = 0x0F0;
    private static final int TIMER = 0x320;
    private static final int TMICT = 0x380;
    private static final int TDCR = 0x3E0;
    private static final int VECTOR = 0x55;
    private static final int MASKED = 0x10000;

    /** A clock that never runs a timer by itself. */
    private static final class LateClock implements DeviceClock {
        private long now;
        private Runnable callback;

        @Override
        public long nanoTime() {
            return now;
        }

        @Override
        public DeviceTimer newTimer(Runnable onTime) {
            callback = onTime;
            return new DeviceTimer() {
                private boolean armed;

                @Override
                public void arm(long deadlineNanos) {
                    armed = deadlineNanos != Long.MAX_VALUE;
                }

                @Override
                public void cancel() {
                    armed = false;
                }

                @Override
                public boolean isArmed() {
                    return armed;
                }
            };
        }
    }

    private final LateClock clock = new LateClock();
    private final TscSource tsc = new TscSource() {
        @Override
        public long tsc() {
            return clock.now;
        }

        @Override
        public long nanoTimeAt(long value) {
            return value;
        }
    };
    private final LocalApic apic =
            new LocalApic(new LocalApic.Config(3, true), clock, tsc, new RecordingBus(), new RecordingSignals());

    LocalApicLateClockTest() {
        write(SVR, 0x1FF);
        write(TDCR, 0xB);
    }

    private void write(int offset, int value) {
        apic.write(offset, 4, Integer.toUnsignedLong(value));
    }

    @Test
    void anExpiryWhileMaskedIsLost() {
        write(TIMER, VECTOR | MASKED);
        write(TMICT, 1000);
        clock.now = 5000;
        write(TIMER, VECTOR);
        clock.callback.run();
        assertThat(apic.pendingVector()).isEqualTo(-1);
    }

    @Test
    void anExpiryBeforeMaskingIsDelivered() {
        write(TIMER, VECTOR);
        write(TMICT, 1000);
        clock.now = 1000;
        write(TIMER, VECTOR | MASKED);
        assertThat(apic.pendingVector()).isEqualTo(VECTOR);
    }

    @Test
    void anExpiryBeforeTheCountIsClearedIsDelivered() {
        write(TIMER, VECTOR);
        write(TMICT, 1000);
        clock.now = 1000;
        write(TMICT, 0);
        clock.callback.run();
        assertThat(apic.pendingVector()).isEqualTo(VECTOR);
    }

    @Test
    void nothingIsDeliveredBeforeItsTime() {
        write(TIMER, VECTOR);
        write(TMICT, 1000);
        clock.now = 999;
        write(TIMER, VECTOR);
        assertThat(apic.pendingVector()).isEqualTo(-1);
    }

    @Test
    void aDeadlineBeforeMaskingIsDelivered() {
        write(TIMER, 0x40000 | VECTOR);
        assertThat(apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, 1000)).isTrue();
        clock.now = 2000;
        write(TIMER, 0x40000 | VECTOR | MASKED);
        assertThat(apic.pendingVector()).isEqualTo(VECTOR);
    }
}
