package org.softkvm.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ValuesTest {
    @Test
    void sizesTakeUnits() throws UsageException {
        assertThat(Values.size("--memory", "64")).isEqualTo(64L << 20);
        assertThat(Values.size("--memory", "640k")).isEqualTo(640L << 10);
        assertThat(Values.size("--memory", "256M")).isEqualTo(256L << 20);
        assertThat(Values.size("--memory", "256MB")).isEqualTo(256L << 20);
        assertThat(Values.size("--memory", "2G")).isEqualTo(2L << 30);
        assertThat(Values.size("--memory", "1T")).isEqualTo(1L << 40);
        for (String bad : new String[] {"", "M", "1.5G", "x", "-1", "1MM", "9999999999G"}) {
            assertThatThrownBy(() -> Values.size("--memory", bad)).isInstanceOf(UsageException.class);
        }
    }

    @Test
    void durationsTakeUnits() throws UsageException {
        assertThat(Values.duration("--timeout", "90")).isEqualTo(Duration.ofSeconds(90));
        assertThat(Values.duration("--timeout", "1.5s")).isEqualTo(Duration.ofMillis(1500));
        assertThat(Values.duration("--timeout", "250ms")).isEqualTo(Duration.ofMillis(250));
        assertThat(Values.duration("--timeout", "2m")).isEqualTo(Duration.ofMinutes(2));
        assertThat(Values.duration("--timeout", "1h")).isEqualTo(Duration.ofHours(1));
        assertThat(Values.duration("--timeout", "1.000000001m")).isEqualTo(Duration.ofNanos(60_000_000_060L));
        assertThat(Values.duration("--timeout", "0.5ms")).isEqualTo(Duration.ofNanos(500_000));
        assertThat(Values.duration("--timeout", "999999999.999999999h"))
                .isEqualTo(Duration.ofHours(999_999_999).plusNanos(3_599_999_996_400L));
        for (String bad : new String[] {"", "s", "-1", "1d", "0", "0.0", "1e3"}) {
            assertThatThrownBy(() -> Values.duration("--timeout", bad)).isInstanceOf(UsageException.class);
        }
    }

    @Test
    void portsAreDecimalOrHexadecimal() throws UsageException {
        assertThat(Values.port("--debugcon", "0x402")).isEqualTo(0x402);
        assertThat(Values.port("--debugcon", "233")).isEqualTo(0xE9);
        for (String bad : new String[] {"", "0x", "65536", "402h", "-1"}) {
            assertThatThrownBy(() -> Values.port("--debugcon", bad)).isInstanceOf(UsageException.class);
        }
    }
}
