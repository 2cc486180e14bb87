package org.softkvm.testroms;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.softkvm.vmm.VmmException;

/**
 * The chips are the same to a guest whether they are on the board or in the backend: the ROMs about them with the full
 * irqchip. {@link RomTest} runs them with the split one.
 */
class IrqchipRomTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(120);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pit",
                "irq-pic",
                "ioapic",
                "apic-local",
                "apic-timer",
                "apic-x2apic",
                "nmi",
                "irq-shadow",
                "chips-board",
                "pv-eoi",
                "reset"
            })
    void theBackendHasTheChips(String name) throws VmmException {
        TestRom rom = RomCatalogue.byName(name);
        RomResult result =
                RomRunner.run(RomRunner.configure(rom, RomMachine.AUTO, TIMEOUT).irqchip("full"));

        assertThat(result.failures()).as(result.toString()).isEmpty();
        assertThat(result.status()).as(result.toString()).isEqualTo(rom.status());
        assertThat(result.passed()).as(result.toString()).isEqualTo(rom.assertions());
    }
}
