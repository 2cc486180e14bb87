package org.softkvm.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.softkvm.vmm.pc.PcResult;
import org.softkvm.vmm.pc.PcStatistics;

class MainTest {
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
            "--stats"
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
        PcStatistics stats = new PcStatistics(2_000_000, 1.5, 0.5, 7, Map.of("IO", 1234L));
        PcResult result = new PcResult(PcResult.Reason.POWER_OFF, 0, "", stats);
        assertThat(StatsReport.text(result))
                .isEqualTo("softkvm: 2,000,000 instructions, 2.0 MIPS, 1.50 s (0.50 s of it halted), 7 interrupts\n"
                        + "softkvm: exits: IO 1,234\n");
        assertThat(StatsReport.json(result))
                .isEqualTo("{\"reason\":\"POWER_OFF\",\"status\":0,\"instructions\":2000000,\"mips\":2.000,"
                        + "\"seconds\":1.500000,\"halt_seconds\":0.500000,\"interrupts\":7,\"exits\":{\"IO\":1234}}\n");
        PcStatistics less = new PcStatistics(-1, 1.5, -1, -1, Map.of());
        PcResult uncounted = new PcResult(PcResult.Reason.TIMEOUT, 0, "", less);
        assertThat(StatsReport.text(uncounted)).isEqualTo("softkvm: 1.50 s\nsoftkvm: exits: none\n");
        assertThat(StatsReport.json(uncounted))
                .isEqualTo("{\"reason\":\"TIMEOUT\",\"status\":124,\"seconds\":1.500000,\"exits\":{}}\n");
    }

    @Test
    void exitStatusesAreThoseOfTheManual() {
        PcStatistics none = new PcStatistics(-1, 0, -1, -1, Map.of());
        assertThat(new PcResult(PcResult.Reason.DEBUG_EXIT, 0x10, "", none).exitStatus())
                .isEqualTo(33);
        assertThat(new PcResult(PcResult.Reason.TIMEOUT, 0, "", none).exitStatus())
                .isEqualTo(124);
        assertThat(new PcResult(PcResult.Reason.INSTRUCTION_LIMIT, 0, "", none).exitStatus())
                .isEqualTo(124);
        assertThat(new PcResult(PcResult.Reason.TRIPLE_FAULT, 0, "", none).exitStatus())
                .isEqualTo(126);
        assertThat(new PcResult(PcResult.Reason.RESET, 0, "", none).exitStatus())
                .isEqualTo(126);
        assertThat(new PcResult(PcResult.Reason.EXPECTED_TEXT, 0, "", none).exitStatus())
                .isZero();
    }
}
