package org.softkvm.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The raw terminal: with a stty that is made up, then the whole command at a pseudo-terminal (needs python3, stty). */
@Timeout(600)
class HostTerminalTest {
    /** A boot sector that prints READY and answers each byte with the next one. */
    private static final String ECHO =
            "31c08ed8be237cbaf803ac84c07403ee" + "ebf8bafd03eca80174f8baf803ecfec0" + "eeebef52454144590d0a00";

    private final List<List<String>> calls = new ArrayList<>();

    private Optional<String> stty(List<String> arguments, String... answers) {
        calls.add(arguments);
        return calls.size() <= answers.length ? Optional.ofNullable(answers[calls.size() - 1]) : Optional.of("");
    }

    @Test
    void linuxTellsMostOftenWhatStandardInputIs(@TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve("file"), new byte[1]);
        Map<String, Optional<Boolean>> known = Map.of(
                "/dev/pts/3",
                Optional.of(true),
                "/dev/ttyS0",
                Optional.of(true),
                "/dev/console",
                Optional.of(true),
                "/dev/null",
                Optional.of(false),
                "pipe:[4711]",
                Optional.of(false),
                file.toString(),
                Optional.of(false),
                "/dev/none",
                Optional.empty());
        for (String target : known.keySet()) {
            Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of(target));
            assertThat(HostTerminal.isTerminal(link)).as(target).isEqualTo(known.get(target));
            Files.delete(link);
        }
        assertThat(HostTerminal.isTerminal(folder.resolve("no proc"))).isEmpty();
    }

    @Test
    void restoresWhatItFoundOnce() {
        HostTerminal terminal =
                HostTerminal.open(arguments -> stty(arguments, "4500:5\n", "")).orElseThrow();
        assertThat(calls.get(0)).containsExactly("-g");
        assertThat(calls.get(1)).contains("-icanon", "-echo", "-isig");
        terminal.close();
        terminal.close();
        assertThat(calls.subList(2, calls.size())).containsExactly(List.of("4500:5"));
    }

    @Test
    void noTerminalNoChange() {
        assertThat(HostTerminal.open(arguments -> stty(arguments, (String) null)))
                .isEmpty();
        assertThat(calls).hasSize(1);
    }

    @Test
    void aTerminalThatCannotBeRawIsRestored() {
        assertThat(HostTerminal.open(arguments -> stty(arguments, "4500:5", null)))
                .isEmpty();
        assertThat(calls.getLast()).containsExactly("4500:5");
    }

    private static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** What the command's exit status was, at a terminal that went through the steps. */
    private static String atTerminal(Path folder, String... steps) throws IOException, InterruptedException {
        String modules = System.getProperty("jdk.module.path");
        assumeTrue(modules != null, "the tests do not run on the module path");
        byte[] sector = new byte[512];
        byte[] code = HexFormat.of().parseHex(ECHO);
        System.arraycopy(code, 0, sector, 0, code.length);
        sector[510] = 0x55;
        sector[511] = (byte) 0xAA;
        Path image = Files.write(folder.resolve("echo.img"), sector);
        Path script = folder.resolve("at_terminal.py");
        try (InputStream in = HostTerminalTest.class.getResourceAsStream("at_terminal.py")) {
            Files.write(script, in.readAllBytes());
        }
        List<String> command = new ArrayList<>(List.of("python3", script.toString()));
        command.addAll(List.of(steps));
        command.addAll(List.of(
                "--", Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(List.of("-p", modules, "-m", "org.softkvm.vmm/" + Main.class.getName()));
        command.addAll(List.of("run", image.toString(), "--timeout", "200"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        process.waitFor();
        return output.strip();
    }

    private static void assumeTools() {
        String path = System.getenv().getOrDefault("PATH", "");
        for (String tool : List.of("python3", "stty")) {
            boolean found = false;
            for (String folder : path.split(":")) {
                found |= !folder.isEmpty() && Files.isExecutable(Path.of(folder, tool));
            }
            assumeTrue(found, tool + " is not there");
        }
        assumeTrue(Files.exists(Path.of("/dev/ptmx")), "no pseudo-terminals");
    }

    @Test
    void keysReachTheGuestAndControlAXEnds(@TempDir Path folder) throws IOException, InterruptedException {
        assumeTools();
        String status = atTerminal(
                folder,
                "wait=" + hex("READY\r"),
                "raw",
                "send=" + hex("a"),
                "wait=" + hex("b"),
                "send=" + hex("\u0003"),
                "wait=" + hex("\u0004"),
                "send=" + hex("\u0001\u0001"),
                "wait=" + hex("\u0002"),
                "send=" + hex("\u0001h"),
                "wait=" + hex("to the guest"),
                "send=" + hex("\u0001x"));
        assertThat(status).isEqualTo("130");
    }

    @Test
    void signalsRestoreTheTerminal(@TempDir Path folder) throws IOException, InterruptedException {
        assumeTools();
        assertThat(atTerminal(folder, "wait=" + hex("READY"), "raw", "signal=SIGTERM"))
                .isEqualTo("143");
        assertThat(atTerminal(folder, "wait=" + hex("READY"), "raw", "signal=SIGINT"))
                .isEqualTo("130");
    }
}
