package org.softkvm.kvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.softkvm.kvm.Kvm;

class ProbeTest {
    /** The emulator does everything that the probe asks for; how fast it is depends on what else the machine does. */
    @ParameterizedTest
    @ValueSource(strings = {"emulator", "abi"})
    void theEmulatorPassesAllButTheTimes(String backend) {
        try (Kvm kvm = Kvm.open(backend)) {
            String verdict = Probe.run(kvm);
            assertThat(verdict == null || verdict.contains(" takes "))
                    .as(verdict)
                    .isTrue();
        }
    }

    @Test
    void whatDevKvmIsWorthIsOneLine() {
        DevKvmProvider provider = new DevKvmProvider();
        String verdict = provider.passedOverBecause();
        if (verdict != null) {
            assertThat(verdict).isNotBlank().doesNotContain("\n");
        }
        assertThat(provider.passedOverBecause()).isSameAs(verdict);
    }
}
