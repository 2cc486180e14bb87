package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.opentest4j.TestAbortedException;
import org.softkvm.kvm.Kvm;
import org.softkvm.testroms.RomCatalogue;
import org.softkvm.testroms.RomMachine;
import org.softkvm.testroms.RomRunner;
import org.softkvm.testroms.TestRom;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.pc.Pc;

/**
 * PIT, PIC, IOAPIC, RTC and UART of device-models on every backend, with a split irqchip: the local APIC in the backend, the
 * other chips outside. Every ROM about timers, interrupts and the serial port prints the same, line by line, as on the
 * interpreter. Where a machine's /dev/kvm cannot run one, a probe or the exit that gave up says why.
 */
@Timeout(120)
class TranscriptTest {
    /** The ROMs, each with what it asks of a /dev/kvm beyond what all of them need. */
    private enum Transcript {
        PIT("pit"),
        TIMER_READBACK("timer-readback"),
        TIMER_IRQ0("timer-irq0"),
        TIMER_LONG("timer-long"),
        TIME_CLOCKS("time-clocks", Probe.RDTSCP),
        PV_CLOCK("pv-clock"),
        CHIPS_RTC("chips-rtc"),
        CHIPS_BOARD("chips-board"),
        APIC_TIMER("apic-timer"),
        IRQ_POLL("irq-poll"),
        IRQ_PRIORITY("irq-priority"),
        IRQ_REAL("irq-real"),
        IRQ_PIC("irq-pic", Probe.PROMPT),
        IRQ_SHADOW("irq-shadow", Probe.PROMPT),
        HOT_IRQS("hot-irqs", Probe.PROMPT),
        IRQ_IOAPIC("irq-ioapic"),
        IRQ_LEVEL("irq-level", Probe.IN_SERVICE),
        IOAPIC("ioapic", Probe.IN_SERVICE),
        APIC_LOCAL("apic-local", Probe.PROMPT, Probe.IN_SERVICE),
        APIC_X2APIC("apic-x2apic", Probe.PROMPT, Probe.IN_SERVICE),
        PV_EOI("pv-eoi", Probe.PROMPT, Probe.IN_SERVICE),
        NMI("nmi", Probe.PROMPT),
        SERIAL_POLL("serial-poll"),
        SERIAL_IRQ("serial-irq"),
        CHIPS_UART("chips-uart");

        private final TestRom rom;
        private final List<Probe> probes;

        Transcript(String name, Probe... probes) {
            this.rom = RomCatalogue.byName(name);
            this.probes = List.of(probes);
        }
    }

    /** Guests measure time on the host's clock: a host that is busy elsewhere can spoil one run, but hardly three. */
    private static final int ATTEMPTS = 3;

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final String MISSING = "the kernel's emulator cannot execute the instruction";
    private static final Map<Transcript, List<String>> EXPECTED = new HashMap<>();

    static Stream<Arguments> runs() {
        return Arrays.stream(Transcript.values())
                .flatMap(transcript ->
                        Arrays.stream(Backend.values()).map(backend -> Arguments.of(transcript, backend)));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("runs")
    void theOutputIsThatOfTheInterpreter(Transcript transcript, Backend backend) throws VmmException {
        if (backend == Backend.DEV_KVM) {
            try (Kvm present = backend.open()) {
                assertThat(present.backend()).isEqualTo("kvm");
            }
            transcript.probes.forEach(probe -> probe.need(backend));
        }
        List<String> expected = expected(transcript);
        if (backend == Backend.INTERPRETER) {
            assertThat(expected).contains(transcript.rom.assertions() + " passed, 0 failed");
            return;
        }
        List<String> lines = run(transcript, backend);
        for (int i = 1; i < ATTEMPTS && !lines.equals(expected); i++) {
            lines = run(transcript, backend);
        }
        assertThat(lines).isEqualTo(expected);
    }

    private static synchronized List<String> expected(Transcript transcript) throws VmmException {
        List<String> lines = EXPECTED.get(transcript);
        if (lines == null) {
            String passed = transcript.rom.assertions() + " passed, 0 failed";
            lines = run(transcript, Backend.INTERPRETER);
            for (int i = 1; i < ATTEMPTS && !lines.contains(passed); i++) {
                lines = run(transcript, Backend.INTERPRETER);
            }
            EXPECTED.put(transcript, lines);
        }
        return lines;
    }

    private static List<String> run(Transcript transcript, Backend backend) throws VmmException {
        RomMachine machine = new RomMachine(backend.provider, backend.engine == null ? "auto" : backend.engine);
        ByteArrayOutputStream serial = new ByteArrayOutputStream();
        try (Pc pc = Pc.create(RomRunner.configure(transcript.rom, machine, TIMEOUT)
                .irqchip("split")
                .serialOutput(serial)
                .build())) {
            pc.run();
        } catch (VmmException e) {
            if (backend == Backend.DEV_KVM && e.getMessage().contains(MISSING)) {
                throw new TestAbortedException(
                        "/dev/kvm: instruction missing in the host's own emulator: " + e.getMessage(), e);
            }
            throw e;
        }
        return serial.toString(StandardCharsets.ISO_8859_1).lines().toList();
    }
}
