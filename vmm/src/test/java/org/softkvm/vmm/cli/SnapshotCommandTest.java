package org.softkvm.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The options --save and --restore. */
@Timeout(300)
class SnapshotCommandTest {
    /** Prints '0' to '9' on COM1 and port E9h and leaves by the debug-exit port. */
    private static final String DIGITS = "b0 30 ba f8 03 " // mov al, '0'; mov dx, 3f8h
            + "ee e6 e9 fe c0 3c 3a 75 f7 " // next: out dx, al; out 0e9h, al; inc al; cmp al, ':'; jne next
            + "b0 10 ba f4 00 ee f4"; // debug exit

    @TempDir
    Path folder;

    private String rom;
    private String file;
    private String out;
    private String err;

    @BeforeEach
    void setUp() throws IOException {
        byte[] image = new byte[0x1_0000];
        byte[] bytes = HexFormat.ofDelimiter(" ").parseHex(DIGITS);
        System.arraycopy(bytes, 0, image, 0, bytes.length);
        byte[] jump = HexFormat.ofDelimiter(" ").parseHex("ea 00 00 00 f0");
        System.arraycopy(jump, 0, image, 0xFFF0, jump.length);
        rom = Files.write(folder.resolve("rom"), image).toString();
        file = folder.resolve("machine").toString();
    }

    private int run(String... arguments) {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        List<String> all = new ArrayList<>(List.of("run", "--backend", "emulator", "--timeout", "60"));
        all.addAll(List.of(arguments));
        int status = new Main(
                        new ByteArrayInputStream(new byte[0]),
                        output,
                        new PrintStream(errors, true, StandardCharsets.UTF_8))
                .run(all.toArray(new String[0]));
        out = output.toString(StandardCharsets.UTF_8);
        err = errors.toString(StandardCharsets.UTF_8);
        return status;
    }

    private void save(String... more) {
        List<String> arguments = new ArrayList<>(List.of(rom, "--memory", "16M", "--expect", "45", "--save", file));
        arguments.addAll(List.of(more));
        assertThat(run(arguments.toArray(new String[0]))).as(err).isZero();
        assertThat(out).isEqualTo("012345");
        assertThat(err).startsWith("softkvm: saved to " + file + ": ").matches("(?s).*: [0-9.]+ MiB in [0-9.]+ s\n");
    }

    private void assertRefused(String message, String... arguments) {
        List<String> all = new ArrayList<>(List.of("--restore", file));
        all.addAll(List.of(arguments));
        assertThat(run(all.toArray(new String[0]))).isEqualTo(125);
        assertThat(out).isEmpty();
        assertThat(err.lines()).as(err).hasSize(1);
        assertThat(err).startsWith("softkvm: ").contains(message);
    }

    @Test
    void savesAndGoesOn() {
        save();
        assertThat(run("--restore", file)).isEqualTo(33);
        assertThat(out).isEqualTo("6789");
        assertThat(err).isEmpty();
        assertThat(run("--restore", file, "--memory", "16M", "--cpus", "1", "--cpu", "max", "--clock", "host"))
                .as("what does not contradict may be said")
                .isEqualTo(33);
    }

    @Test
    void savesWhatWasRestored() {
        save();
        String second = folder.resolve("second").toString();
        assertThat(run("--restore", file, "--expect", "7", "--save", second)).isZero();
        assertThat(out).isEqualTo("67");
        assertThat(run("--restore", second)).isEqualTo(33);
        assertThat(out).isEqualTo("89");
    }

    @Test
    void consolesLeadWhereTheRunSays() throws IOException {
        save("--debugcon", "0xe9=file:" + folder.resolve("first"));
        Path log = folder.resolve("log");
        assertThat(run("--restore", file, "--serial", "none", "--debugcon", "0xe9=file:" + log))
                .isEqualTo(33);
        assertThat(out).isEmpty();
        assertThat(Files.readString(log)).isEqualTo("56789");
        assertThat(run("--restore", file, "--serial", "none")).isEqualTo(33);
        assertThat(out).as("standard output where nothing is said").isEqualTo("56789");
        assertRefused("--debugcon: the saved machine has no debug console at port 0x402", "--debugcon", "0x402");
    }

    @Test
    void contradictionsAreRefusedByName() {
        save();
        assertRefused("another image cannot be given: other.elf", "other.elf");
        assertRefused("--kernel: cannot be given with --restore", "--kernel", "vmlinuz");
        assertRefused("--initrd: cannot be given with --restore", "--initrd", "initrd");
        assertRefused("--append: cannot be given with --restore", "--append", "quiet");
        assertRefused("--module: cannot be given with --restore", "--module", "m");
        assertRefused("--boot-protocol: cannot be given with --restore", "--boot-protocol", "pvh");
        assertRefused("--memory: 32M contradicts the saved machine, which has 16M", "--memory", "32M");
        assertRefused("--cpus: 2 contradicts the saved machine, which has 1", "--cpus", "2");
        assertRefused("--cpu: 486 contradicts the saved machine, which has max", "--cpu", "486");
        assertRefused("--irqchip: full contradicts the saved machine, which has split", "--irqchip", "full");
        assertRefused("--clock: virtual contradicts the saved machine, which has host", "--clock", "virtual");
        assertRefused("--clock: unknown clock: sun", "--clock", "sun");
        assertRefused("--without: pit contradicts the saved machine, which has none", "--without", "pit");
    }

    @Test
    void aMachineThatEndedIsNotSaved() {
        assertThat(run(rom, "--save", file)).isEqualTo(125);
        assertThat(err).isEqualTo("softkvm: --save: nothing was saved: the guest ended by the debug-exit port\n");
        assertThat(Path.of(file)).doesNotExist();
    }

    @Test
    void badFilesGetOneLine() throws IOException {
        save();
        byte[] whole = Files.readAllBytes(Path.of(file));
        whole[whole.length / 2] ^= 1;
        Files.write(Path.of(file), whole);
        assertRefused(file + ": the snapshot is damaged: ");
        Files.writeString(Path.of(file), "Dear diary");
        assertRefused(file + ": not a snapshot of SoftKVM");
        Files.delete(Path.of(file));
        assertRefused(file + ": no such file");
        assertThat(run(rom, "--save", folder + "/no/file")).isEqualTo(125);
        assertThat(err).isEqualTo("softkvm: --save: " + folder + "/no/file: no such folder\n");
    }

    @Test
    void progressIsShownAtATerminalAfterAWhile() {
        ByteArrayOutputStream shown = new ByteArrayOutputStream();
        ProgressLine line = new ProgressLine(new PrintStream(shown, true, StandardCharsets.UTF_8), true);
        line.at(1, 10, 0);
        line.at(2, 10, 400_000_000);
        assertThat(shown.size()).isZero();
        line.at(3, 10, 600_000_000);
        line.at(4, 10, 650_000_000);
        assertThat(shown.toString(StandardCharsets.UTF_8)).isEqualTo("\rsoftkvm: saving, 30% ");
        line.at(10, 10, 700_000_000);
        assertThat(shown.toString(StandardCharsets.UTF_8)).endsWith("\r\033[K");
        ByteArrayOutputStream silent = new ByteArrayOutputStream();
        ProgressLine nobody = new ProgressLine(new PrintStream(silent, true, StandardCharsets.UTF_8), false);
        nobody.at(1, 10, 0);
        nobody.at(2, 10, 2_000_000_000);
        assertThat(silent.size()).isZero();
    }
}
