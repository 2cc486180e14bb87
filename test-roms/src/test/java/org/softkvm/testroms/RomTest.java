package org.softkvm.testroms;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.softkvm.vmm.VmmException;

/** Runs every ROM on every backend and engine there is. */
class RomTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(120);

    static Stream<Arguments> runs() {
        List<RomMachine> machines = RomMachine.all();
        return RomCatalogue.all().stream()
                .flatMap(rom -> machines.stream()
                        .filter(machine ->
                                !rom.emulatorOnly() || machine.backend().equals("emulator"))
                        .map(machine -> Arguments.of(rom, machine)));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("runs")
    void endsAsItsHeaderSays(TestRom rom, RomMachine machine) throws VmmException {
        RomResult result = RomRunner.run(rom, machine, TIMEOUT);

        assertThat(result.failures()).as(result.toString()).isEmpty();
        assertThat(result.status()).as(result.toString()).isEqualTo(rom.status());
        if (rom.assertions() > 0) {
            assertThat(result.passed()).as(result.toString()).isEqualTo(rom.assertions());
            assertThat(result.failed()).as(result.toString()).isZero();
            assertThat(result.lines().stream().filter(line -> line.startsWith("ok ")))
                    .as(result.toString())
                    .hasSize(rom.assertions());
        }
    }

    @Test
    void theEmulatorIsAmongTheMachines() {
        assertThat(RomMachine.all()).extracting(RomMachine::backend).contains("emulator");
    }

    @Test
    void helloGreets() throws VmmException {
        RomResult result = RomRunner.run(RomCatalogue.byName("hello"), RomMachine.AUTO, TIMEOUT);

        assertThat(result.output()).isEqualTo("Hello from SoftKVM\r\n");
        assertThat(result.status()).isZero();
    }
}
