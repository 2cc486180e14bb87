package org.softkvm.testroms;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmProvider;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.pc.Pc;
import org.softkvm.vmm.pc.PcConfig;
import org.softkvm.vmm.pc.PcResult;
import org.softkvm.vmm.pc.SavedPc;

/** ROMs that are stopped in the middle, saved, and restored: on every pair of backends and engines. */
@Timeout(300)
class SnapshotRomTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final RomMachine INTERPRETER = new RomMachine("emulator", "interpreter");
    private static final RomMachine TRANSLATOR = new RomMachine("emulator", "translator");
    private static final RomMachine BINARY_ABI = new RomMachine("abi", "auto");
    private static final RomMachine DEV_KVM = new RomMachine("kvm", "auto");

    /** Why the machine's /dev/kvm cannot run a ROM at all, saved or not; null where it can. */
    private static final Map<String, String> UNABLE = new HashMap<>();

    @TempDir
    Path folder;

    private final ByteArrayOutputStream serial = new ByteArrayOutputStream();

    private record Run(PcResult result, String output) {}

    static Stream<Arguments> pairs() {
        List<RomMachine> machines = List.of(INTERPRETER, TRANSLATOR, BINARY_ABI, DEV_KVM);
        List<Arguments> pairs = new ArrayList<>();
        for (String rom : List.of("snapshot-count", "snapshot-irqs")) {
            for (RomMachine from : machines) {
                for (RomMachine to : machines) {
                    pairs.add(Arguments.of(rom, from, to));
                }
            }
        }
        return pairs.stream();
    }

    /** Asks the machine's /dev/kvm to run the ROM without a stop; what it cannot run it cannot go on with either. */
    private static synchronized void assume(TestRom rom, RomMachine machine) {
        if (!machine.equals(DEV_KVM)) {
            return;
        }
        String reason = UNABLE.computeIfAbsent(rom.name(), name -> {
            for (KvmProvider provider : Kvm.providers()) {
                if (provider.name().equals("kvm") && provider.unavailableBecause() != null) {
                    return provider.unavailableBecause();
                }
            }
            try {
                RomResult result = RomRunner.run(rom, machine, Duration.ofSeconds(20));
                return result.status() == rom.status() ? "" : "it does not run " + name + ": " + result.detail();
            } catch (VmmException e) {
                return "it does not run " + name + ": " + e.getMessage();
            }
        });
        Assumptions.assumeTrue(reason.isEmpty(), () -> "needs /dev/kvm: " + reason);
    }

    private Run run(PcConfig.Builder config) throws VmmException {
        serial.reset();
        try (Pc pc = Pc.create(config.serialOutput(serial).timeout(TIMEOUT).build())) {
            PcResult result = pc.run();
            return new Run(result, serial.toString(StandardCharsets.ISO_8859_1));
        }
    }

    private Run runSaved(Path file, RomMachine machine) throws VmmException {
        try (SavedPc saved = SavedPc.open(file)) {
            return run(saved.config().backend(machine.backend()).engine(machine.engine()));
        }
    }

    private Path save(PcConfig.Builder config, String name) {
        Path file = folder.resolve(name);
        config.save(file, (done, total) -> {});
        return file;
    }

    @ParameterizedTest(name = "{0} from {1} to {2}")
    @MethodSource("pairs")
    void goesOnElsewhere(String name, RomMachine from, RomMachine to) throws VmmException {
        TestRom rom = RomCatalogue.byName(name);
        assume(rom, from);
        assume(rom, to);
        PcConfig.Builder config = RomRunner.configure(rom, from, TIMEOUT)
                .expect(name.equals("snapshot-count") ? "ok count 7" : "ok ten ticks of the 8254, time 3");
        Path file = save(config, "first");
        Run first = run(config);
        assertThat(first.result().reason()).isEqualTo(PcResult.Reason.EXPECTED_TEXT);
        Run second = runSaved(file, to);
        assertPassed(rom, first, second);
    }

    /** The text of the two runs is that of one, and the ROM passed. */
    private static void assertPassed(TestRom rom, Run first, Run last) {
        String output = first.output() + last.output();
        RomResult result =
                new RomResult(last.result().exitStatus(), output, last.result().detail());
        assertThat(result.failures()).as(output).isEmpty();
        assertThat(result.status()).as(output).isEqualTo(rom.status());
        assertThat(result.passed()).as(output).isEqualTo(rom.assertions());
        assertThat(result.lines().stream().filter(line -> line.startsWith("ok ")))
                .as(output)
                .hasSize(rom.assertions());
    }

    @Test
    void theChipsOfTheBackendGoAlong() throws VmmException {
        TestRom rom = RomCatalogue.byName("snapshot-irqs");
        PcConfig.Builder config = RomRunner.configure(rom, INTERPRETER, TIMEOUT)
                .irqchip("full")
                .expect("ok ten ticks of the 8254, time 3");
        Path file = save(config, "full");
        Run first = run(config);
        assertPassed(rom, first, runSaved(file, BINARY_ABI));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "snapshot-count", "snapshot-irqs", "apic-timer", "pit", "chips-uart", "chips-rtc", "pv-clock", "pv-eoi",
                "smp-ipi", "smp-start", "rdrand", "nmi", "smm", "x87-state", "paging-pae", "modes-v86"
            })
    void aStopUnderTheVirtualClockLeavesNoTrace(String name) throws VmmException {
        TestRom rom = RomCatalogue.byName(name);
        Run whole = run(virtual(RomRunner.configure(rom, INTERPRETER, TIMEOUT)));
        long instructions = whole.result().statistics().instructions();
        // Three stops on the way, each restored on the other engine.
        long part = instructions / 4 + 1;
        Run run = null;
        StringBuilder output = new StringBuilder();
        Path file = null;
        for (int n = 0; n < 4; n++) {
            RomMachine machine = n % 2 == 0 ? TRANSLATOR : INTERPRETER;
            SavedPc saved = n == 0 ? null : SavedPc.open(file);
            PcConfig.Builder config = n == 0
                    ? virtual(RomRunner.configure(rom, machine, TIMEOUT))
                    : saved.config().engine(machine.engine()).stateHash(true);
            if (n < 3) {
                config.maxInstructions(part);
                file = save(config, "part" + n);
            }
            try {
                run = run(config);
            } finally {
                if (saved != null) {
                    saved.close();
                }
            }
            output.append(run.output());
            if (n < 3) {
                assertThat(run.result().reason()).as("stop " + n).isEqualTo(PcResult.Reason.INSTRUCTION_LIMIT);
            }
        }
        assertThat(output.toString()).isEqualTo(whole.output());
        assertThat(run.result().exitStatus()).isEqualTo(whole.result().exitStatus());
        assertThat(run.result().statistics().virtualSeconds())
                .isEqualTo(whole.result().statistics().virtualSeconds());
        assertThat(run.result().stateHash()).isEqualTo(whole.result().stateHash());
    }

    private static PcConfig.Builder virtual(PcConfig.Builder config) {
        return config.virtualClock(true).stateHash(true);
    }
}
