package org.softkvm.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.softkvm.vmm.pc.PcResult;
import org.softkvm.vmm.pc.PcStatistics;
import org.softkvm.vmm.pc.TranslationStatistics;

class MainTest {
    private static final TranslationStatistics UNCOUNTED =
            new TranslationStatistics(-1, -1, -1, -1, -1, -1, -1, -1, -1);

    private static final PcStatistics NONE =
            new PcStatistics(1, -1, 1.5, -1, -1, -1, -1, -1, -1, -1, -1, UNCOUNTED, Map.of());

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(String... arguments) {
        return new Main(new ByteArrayInputStream(new byte[0]), out, new PrintStream(err, true, StandardCharsets.UTF_8))
                .run(arguments);
    }

    @Test
    void helpAndVersionGoToStandardOutput() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo(Help.TEXT);
        out.reset();
        assertThat(run("run", "--help")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo(Help.TEXT);
        out.reset();
        assertThat(run("--version")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).startsWith("softkvm ");
        assertThat(err.size()).isZero();
    }

    @Test
    void helpNamesEveryOptionThatWorks() {
        for (String option : new String[] {
            "--kernel",
            "--initrd",
            "--append",
            "--module",
            "--memory",
            "--cpu",
            "--cpus",
            "--backend",
            "--engine",
            "--serial",
            "--debugcon",
            "--timeout",
            "--max-instructions",
            "--expect",
            "--stats",
            "--clock",
            "--state-hash",
            "--no-kernel-cache"
        }) {
            assertThat(Help.TEXT).contains(option);
        }
        assertThat(Help.TEXT.lines()).allMatch(line -> line.length() <= 120);
    }

    @Test
    void infoDescribesTheHost() {
        assertThat(run("info")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("host: ", "backends:");
    }

    @Test
    void statisticsComeAsTextOrJson() {
        Map<String, Long> exits = Map.of("IO", 1234L);
        TranslationStatistics translation = new TranslationStatistics(100, 10, 2, 3000, 0.25, 1, 4, 5, 6);
        PcStatistics stats = new PcStatistics(1, 2_000_000, 1.5, 0.5, -1, 0.75, 7, 3, 40, 5, 60, translation, exits);
        PcResult result = new PcResult(PcResult.Reason.POWER_OFF, 0, "", OptionalLong.of(0xABC), stats);
        assertThat(StatsReport.text(result))
                .isEqualTo(
                        "softkvm: 2,000,000 instructions, 2.0 MIPS, 1.50 s (0.50 s of it halted), 7 interrupts,"
                                + " 3 faults, 40 TLB misses\nsoftkvm: 2 regions of 3,000 bytes translated in 0.25 s,"
                                + " 1 compiled before they ran, 100 instructions interpreted, 10 of them fallbacks, 6 side exits\nsoftkvm: exits: IO 1,234\n");
        assertThat(StatsReport.json(result))
                .isEqualTo("{\"reason\":\"POWER_OFF\",\"status\":0,\"cpus\":1,\"instructions\":2000000,\"mips\":2.000,"
                        + "\"seconds\":1.500000,\"guest_seconds\":0.750000,\"halt_seconds\":0.500000,"
                        + "\"virtual_seconds\":null,\"interrupts\":7,\"faults\":3,\"tlb_misses\":40,"
                        + "\"tlb_flushes\":5,\"blocks_decoded\":60,"
                        + "\"interpreted\":100,\"fallbacks\":10,\"side_exits\":6,"
                        + "\"regions\":{\"translated\":2,\"bytes\":3000,\"seconds\":0.250000,\"compiled\":1,\"failed\":4,\"dropped\":5},"
                        + "\"exits\":{\"IO\":1234},\"state_hash\":\"0000000000000abc\"}\n");
        PcResult uncounted = new PcResult(PcResult.Reason.TIMEOUT, 0, "", OptionalLong.empty(), NONE);
        assertThat(StatsReport.text(uncounted)).isEqualTo("softkvm: 1.50 s\nsoftkvm: exits: none\n");
        assertThat(StatsReport.json(uncounted))
                .isEqualTo("{\"reason\":\"TIMEOUT\",\"status\":124,\"cpus\":1,\"instructions\":null,\"mips\":null,"
                        + "\"seconds\":1.500000,\"guest_seconds\":null,\"halt_seconds\":null,"
                        + "\"virtual_seconds\":null,\"interrupts\":null,\"faults\":null,\"tlb_misses\":null,"
                        + "\"tlb_flushes\":null,\"blocks_decoded\":null,\"interpreted\":null,"
                        + "\"fallbacks\":null,\"side_exits\":null,"
                        + "\"regions\":{\"translated\":null,\"bytes\":null,\"seconds\":null,\"compiled\":null,\"failed\":null,\"dropped\":null},"
                        + "\"exits\":{},"
                        + "\"state_hash\":null}\n");
    }

    private static int status(PcResult.Reason reason, int value) {
        return new PcResult(reason, value, "", OptionalLong.empty(), NONE).exitStatus();
    }

    @Test
    void exitStatusesAreThoseOfTheManual() {
        assertThat(status(PcResult.Reason.DEBUG_EXIT, 0x10)).isEqualTo(33);
        assertThat(status(PcResult.Reason.TIMEOUT, 0)).isEqualTo(124);
        assertThat(status(PcResult.Reason.INSTRUCTION_LIMIT, 0)).isEqualTo(124);
        assertThat(status(PcResult.Reason.TRIPLE_FAULT, 0)).isEqualTo(126);
        assertThat(status(PcResult.Reason.RESET, 0)).isEqualTo(126);
        assertThat(status(PcResult.Reason.EXPECTED_TEXT, 0)).isZero();
    }
}
