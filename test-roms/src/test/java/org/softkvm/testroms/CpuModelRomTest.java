package org.softkvm.testroms;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.pc.PcConfig;

/** Every CPU model is what its CPUID says: the ROM cpuid-models on each of them, and on some with flags. */
class CpuModelRomTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "max",
                "x86-64-v2",
                "x86-64-v3",
                "pentium2",
                "486",
                "x86-64-v2,+aes,+avx",
                "x86-64-v2,-apic",
                "pentium2,+sse2,-sep",
                "pentium2,+sse",
                "486,+cmov,+msr",
                "max,-sse4.1,-bmi1,-adx",
                "max,-lm,-pat,-mtrr,-rdtscp",
                "max,-sse,-movbe,-rdrand,-abm",
                "max,-mmx,-tsc,-cx8"
            })
    void theCpuIsWhatCpuidSays(String model) throws VmmException {
        TestRom rom = RomCatalogue.byName("cpuid-models");
        RomResult result = RomRunner.run(PcConfig.builder(new GuestFile(rom.file(), rom.image()))
                .cpu(model)
                .backend("emulator")
                .memory(16 << 20)
                .timeout(Duration.ofSeconds(120)));

        assertThat(result.failures()).as(result.toString()).isEmpty();
        assertThat(result.status()).as(result.toString()).isEqualTo(rom.status());
        assertThat(result.passed()).as(result.toString()).isEqualTo(rom.assertions());
    }
}
