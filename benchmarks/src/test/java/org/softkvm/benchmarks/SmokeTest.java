package org.softkvm.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each benchmark once, unmeasured, in a JVM with the modules on the module path, as benchmarks/run has it. */
class SmokeTest {
    private static final long LIMIT_SECONDS = 300;

    @TempDir
    Path folder;

    @Test
    void everyBenchmarkWorks() throws IOException, InterruptedException {
        String said = run("--try");
        Matcher result =
                Pattern.compile("(\\d+) benchmarks gave a result, 0 failed").matcher(said);
        assertThat(result.find()).as(said).isTrue();
        // On the emulator and the binary ABI; /dev/kvm comes on top where it is.
        assertThat(Integer.parseInt(result.group(1))).as(said).isGreaterThan(100);
    }

    @Test
    void measuresWhatIsSelectedAndWritesJsonAndPlot() throws IOException, InterruptedException {
        Path json = folder.resolve("results.json");
        Path plot = folder.resolve("plot.svg");
        String said = run(
                "PortExitBenchmark.write$",
                "--json",
                json.toString(),
                "--plot",
                plot.toString(),
                "-p",
                "backend=emulator",
                "-f",
                "0",
                "-wi",
                "0",
                "-i",
                "1",
                "-r",
                "10ms");
        List<Figures.Figure> figures = Figures.read(json);
        assertThat(figures).as(said).hasSize(1);
        assertThat(figures.getFirst().name()).isEqualTo("PortExitBenchmark.write");
        assertThat(figures.getFirst().backend()).isEqualTo("emulator");
        assertThat(figures.getFirst().nanos()).isPositive();
        assertThat(plot).content().contains("<svg");
    }

    @Test
    void javaAndCOnDevKvm() throws IOException, InterruptedException {
        String said = run("--exit-cost", "--quick", "--pairs", "1");
        assertThat(said)
                .satisfiesAnyOf(
                        text -> assertThat(text).contains("left out: the comparison with C: "),
                        text -> assertThat(text).containsPattern("port-write +\\d+\\.\\d +\\d+\\.\\d +\\d+\\.\\d{3}"));
    }

    @Test
    void saysWhatItDoesNotKnow() throws IOException, InterruptedException {
        assertThat(run(125, "--quik")).contains("unknown option --quik");
        assertThat(run(125, "NoSuchBenchmark")).contains("no benchmark was measured");
        assertThat(run("--help")).contains("--publish");
    }

    private String run(String... arguments) throws IOException, InterruptedException {
        return run(0, arguments);
    }

    private String run(int status, String... arguments) throws IOException, InterruptedException {
        List<String> modules = new ArrayList<>();
        List<String> classes = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            boolean own = entry.matches(".*[/\\\\](emulator-core|device-models|kvm-api-shim|vmm|test-roms)[/\\\\].*");
            (own || entry.matches(".*(asm|commons-cli|xz)-[^/\\\\]*\\.jar") ? modules : classes).add(entry);
        }
        Path output = folder.resolve("output.txt");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--sun-misc-unsafe-memory-access=allow",
                "--enable-native-access=org.softkvm.kvm",
                "-Djmh.ignoreLock=true",
                "-Dsoftkvm.benchmarks=" + System.getProperty("softkvm.root") + "/benchmarks",
                "-p",
                String.join(File.pathSeparator, modules),
                "--add-modules",
                "org.softkvm.emulator,org.softkvm.devices,org.softkvm.kvm,org.softkvm.vmm,org.softkvm.testroms",
                "-cp",
                String.join(File.pathSeparator, classes),
                "org.softkvm.benchmarks.Main"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
        process.destroyForcibly();
        String said = java.nio.file.Files.readString(output, StandardCharsets.UTF_8);
        assertThat(ended).as("it ended: " + said).isTrue();
        assertThat(process.exitValue()).as(said).isEqualTo(status);
        return said;
    }
}
