package org.softkvm.emulator.fpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/** Berkeley TestFloat's cases against {@link Float80}, the helpers for SSE, and x87 instructions. */
class TestFloatSuiteTest {
    private static final Map<String, Integer> ROUNDING =
            Map.of("near_even", FpEnv.NEAREST, "min", FpEnv.DOWN, "max", FpEnv.UP, "minMag", FpEnv.ZERO);
    private static final String SUFFIX = ".txt.gz";

    private final List<String> failures = new ArrayList<>();
    private long cases;
    private long failed;

    @Test
    void everyCase() throws IOException {
        run("testfloat", TestFloatTarget.all());
        assertThat(cases).isGreaterThan(450_000);
    }

    @Test
    void everyCaseTranslated() throws IOException {
        try (TranslatedTarget target = new TranslatedTarget()) {
            run("testfloat translated", List.of(target));
            assertThat(cases).isGreaterThan(250_000);
            assertThat(target.vcpu().regionsFailed()).isZero();
            // A handful of instructions a run, and next to none of them by the interpreter.
            assertThat((double) target.vcpu().interpreted() / target.runs())
                    .as("%d instructions interpreted in %d runs", target.vcpu().interpreted(), target.runs())
                    .isLessThan(0.05);
        }
    }

    private void run(String title, List<TestFloatTarget> targets) throws IOException {
        Path folder = Path.of(System.getProperty("softkvm.suites", "no-suites"), "testfloat");
        if (!Files.isDirectory(folder)) {
            assertThat(Boolean.getBoolean("softkvm.suites.required"))
                    .as("suite testfloat is required, but there is no folder " + folder)
                    .isFalse();
            System.out.println("SUITE " + title + ": skipped, no folder " + folder);
            assumeTrue(false, "no folder " + folder);
        }
        TreeSet<String> names = new TreeSet<>();
        try (var files = Files.list(folder)) {
            files.map(f -> f.getFileName().toString())
                    .filter(n -> n.endsWith(SUFFIX))
                    .forEach(names::add);
        }
        assertThat(names).as("files of the suite").hasSizeGreaterThanOrEqualTo(41);
        for (TestFloatTarget target : targets) {
            for (String name : names) {
                run(target, folder.resolve(name), name.substring(0, name.length() - SUFFIX.length()));
            }
        }
        System.out.println("SUITE " + title + ": " + cases + " cases, " + failed + " failed, 0 excluded");
        assertThat(failures).isEmpty();
    }

    private void run(TestFloatTarget target, Path file, String name) throws IOException {
        String mode = ROUNDING.keySet().stream()
                .filter(m -> name.endsWith("_" + m))
                .max((a, b) -> a.length() - b.length())
                .orElseThrow(() -> new AssertionError("no rounding mode in " + name));
        String operation = name.substring(0, name.length() - mode.length() - 1);
        if (!target.supports(operation)) {
            return;
        }
        try (BufferedReader in = new BufferedReader(
                new InputStreamReader(new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.US_ASCII))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.strip().split(" +");
                String[] operands = new String[words.length - 2];
                System.arraycopy(words, 0, operands, 0, operands.length);
                String got = target.run(operation, ROUNDING.get(mode), operands);
                cases++;
                String expected = words[words.length - 2] + " " + words[words.length - 1];
                if (!got.equals(expected)) {
                    failed++;
                    if (failures.size() < 30) {
                        failures.add(target + " " + name + ": " + line + " but got " + got);
                    }
                }
            }
        }
    }
}
