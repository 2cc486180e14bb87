package org.softkvm.devices.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

class TickRateTest {
    @Test
    void nanosIsTheFirstNanosecondOfATick() {
        Random random = new Random(1);
        for (long hertz : new long[] {1, 32_768, 1_193_182, 3_579_545, 14_318_180, 1_000_000_000}) {
            TickRate rate = new TickRate(hertz);
            for (int i = 0; i < 2000; i++) {
                // Up to 250 years.
                long ticks = 1 + (long) (random.nextDouble() * 250 * 365 * 86_400 * hertz);
                long nanos = rate.nanos(ticks);
                assertThat(rate.ticks(nanos)).isEqualTo(ticks);
                assertThat(rate.ticks(nanos - 1)).isEqualTo(ticks - 1);
            }
        }
    }

    @Test
    void aSecondHasItsTicks() {
        TickRate pit = new TickRate(1_193_182);
        assertThat(pit.ticks(0)).isZero();
        assertThat(pit.ticks(1_000_000_000L)).isEqualTo(1_193_182);
        assertThat(pit.ticks(3_600_000_000_000L)).isEqualTo(3600L * 1_193_182);
        assertThat(pit.nanos(1_193_182)).isEqualTo(1_000_000_000L);
    }

    @Test
    void limits() {
        assertThat(new TickRate(1).nanos(Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
        assertThatThrownBy(() -> new TickRate(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new TickRate(1_000_000_001)).isInstanceOf(IllegalArgumentException.class);
    }
}
