package org.softkvm.testroms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.softkvm.kvm.Kvm;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.pc.DebugPort;
import org.softkvm.vmm.pc.Pc;
import org.softkvm.vmm.pc.PcConfig;
import org.softkvm.vmm.pc.PcResult;

/**
 * Under the virtual clock a run repeats itself: the same number of instructions, the same output, the same state hash,
 * again and on every engine.
 */
class DeterminismTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(300);

    /** Where run-linux.sh keeps the kernel. */
    private static final Path LINUX =
            Path.of(System.getProperty("softkvm.root", ".."), "test-roms", "target", "linux", "amd64");

    /** What a run gave. */
    private record Run(int status, long instructions, long stateHash, String output) {
        static Run of(PcConfig.Builder config) throws VmmException {
            ByteArrayOutputStream serial = new ByteArrayOutputStream();
            config.backend("emulator")
                    .virtualClock(true)
                    .stateHash(true)
                    .serialOutput(serial)
                    .timeout(TIMEOUT);
            try (Pc pc = Pc.create(config.build())) {
                PcResult result = pc.run();
                return new Run(
                        result.exitStatus(),
                        result.statistics().instructions(),
                        result.stateHash().orElseThrow(),
                        serial.toString(StandardCharsets.ISO_8859_1));
            }
        }
    }

    private static List<String> engines() {
        try (Kvm kvm = Kvm.open("emulator")) {
            return kvm.engines();
        }
    }

    static Stream<TestRom> roms() {
        return RomCatalogue.all().stream().filter(rom -> rom.cpus() == 1);
    }

    private static PcConfig.Builder config(TestRom rom) {
        PcConfig.Builder config = PcConfig.builder(new GuestFile(rom.file(), rom.image()))
                .memory(64L << 20)
                .cpus(rom.cpus());
        rom.debugConsoles().forEach(port -> config.debugConsole(new DebugPort(port, OutputStream.nullOutputStream())));
        return config;
    }

    @ParameterizedTest
    @MethodSource("roms")
    void romsRepeatThemselvesOnEveryEngine(TestRom rom) throws VmmException {
        Run first = Run.of(config(rom));
        assertThat(first.status()).as(first.output()).isEqualTo(rom.status());
        for (String engine : engines()) {
            assertThat(Run.of(config(rom).engine(engine))).as(engine).isEqualTo(first);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void linuxRepeatsItself(int cpus) throws VmmException {
        assumeThat(Files.isReadable(LINUX.resolve("vmlinuz")))
                .as("a kernel, as test-roms/linux/run-linux.sh amd64 --prepare fetches it")
                .isTrue();
        PcConfig.Builder config = PcConfig.builder(GuestFile.read(LINUX.resolve("vmlinuz")))
                .kernel(true)
                .initrd(GuestFile.read(LINUX.resolve("initrd.gz")))
                .commandLine("console=ttyS0 earlyprintk=ttyS0")
                .memory(256L << 20)
                .cpus(cpus)
                .maxInstructions(200_000_000);
        Run first = Run.of(config);
        assertThat(first.output()).contains("Linux version");
        assertThat(first.instructions()).isEqualTo(200_000_000);
        assertThat(Run.of(config)).isEqualTo(first);
    }

    @Test
    void anotherCommandLineIsAnotherState() throws VmmException {
        TestRom rom = RomCatalogue.byName("pit");
        Run first = Run.of(config(rom));
        Run second = Run.of(config(rom).commandLine("x"));
        assertThat(second.output()).isEqualTo(first.output());
        assertThat(second.stateHash()).isNotEqualTo(first.stateHash());
    }
}
