package org.softkvm.testroms;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.pc.PcConfig;

/** The benchmark guests compute on every engine what they compute under QEMU. */
class BenchGuestTest {
    private static final Path HOME = Path.of(System.getProperty("softkvm.root", ".."), "test-roms", "bench");

    /** Name, command line, and the checksums of both phases under QEMU 7.2. */
    private static final String[][] GUESTS = {
        {"sieve", "n=2 w=1", "7ea95e5727d81df0", "35380d00f7527bb1"},
        {"crc32", "n=2 w=1", "c84c23b8b41487f1", "f9b0f477d04f4c92"},
        {"lists", "n=2 w=1", "7208d89c30756f9a", "1c8c533cd5434498"},
        {"sort", "n=1 w=0", "0000000000000000", "51d271fcf35c0ba4"},
        {"bytecode", "n=1 w=1", "011fca4dc2eebb2b", "011fca4dc2eebb2b"},
        {"recursion", "n=2 w=1", "2f3cc11104920c7b", "0214c23b9506c545"},
        {"strings", "n=10 w=5", "ef46862f51304bb4", "27ac6913ece5c46b"},
        {"nbody", "n=2 w=1", "30550f94b0f0bbc8", "6786ca7ca24fe149"},
        {"x87", "n=1 w=1", "983ff5cf48fa03d4", "983ff5cf48fa03d4"},
        {"syscalls", "n=3 w=2", "0d8bf91ff15cc5b7", "0c80a91c7dbe5968"},
        {"smc", "n=30 w=10", "70a8fcb56bd721af", "748f83db71a8e0e4"},
    };

    static Stream<Arguments> runs() {
        List<RomMachine> machines = RomMachine.all();
        return Stream.of(GUESTS)
                .flatMap(guest -> machines.stream().map(machine -> Arguments.of(guest[0], machine, List.of(guest))));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("runs")
    void computesWhatQemuComputes(String name, RomMachine machine, List<String> guest) throws VmmException {
        RomResult result = RomRunner.run(PcConfig.builder(GuestFile.read(HOME.resolve(name + ".elf")))
                .commandLine(guest.get(1))
                .backend(machine.backend())
                .engine(machine.engine())
                .timeout(Duration.ofSeconds(120)));

        assertThat(result.output()).isEqualTo("warm " + guest.get(2) + "\nmain " + guest.get(3) + "\n");
        assertThat(result.status()).isEqualTo(33);
    }
}
