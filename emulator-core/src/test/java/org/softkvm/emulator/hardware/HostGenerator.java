package org.softkvm.emulator.hardware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Compiles a generator of {@code src/test/native} and has this host's CPU make cases. */
final class HostGenerator {
    private HostGenerator() {}

    /** The lines of the generator; the test is skipped where this is no x86-64 Linux or there is no gcc. */
    static List<String> lines(Path folder, String source, String... arguments)
            throws IOException, InterruptedException {
        assumeTrue(
                System.getProperty("os.arch").equals("amd64")
                        && System.getProperty("os.name").equals("Linux"),
                "this host is no x86-64 Linux");
        assumeTrue(
                Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(path -> Files.isExecutable(Path.of(path, "gcc"))),
                "there is no gcc");
        Path file = Path.of("src/test/native", source).toAbsolutePath();
        run(folder, folder.resolve("gcc.log"), "gcc", "-O1", "-no-pie", "-o", "gen", file.toString());
        Path output = folder.resolve("cases");
        String[] command = new String[arguments.length + 1];
        command[0] = folder.resolve("gen").toString();
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        run(folder, output, command);
        return Files.readAllLines(output);
    }

    private static void run(Path folder, Path output, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(output.toFile())
                .redirectError(new File("/dev/null"))
                .start();
        assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
    }
}
