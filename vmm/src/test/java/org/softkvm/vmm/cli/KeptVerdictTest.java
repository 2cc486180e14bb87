package org.softkvm.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.softkvm.kvm.Kvm;

class KeptVerdictTest {
    private static final Instant THEN = Instant.parse("2026-01-02T03:04:05Z");
    private static final String REASON = "kernel-mode code takes 99 ns an instruction, more than the emulator";

    @TempDir
    Path temporary;

    private Path folder;
    private Path device;
    private Path bootId;

    @BeforeEach
    void host() throws IOException {
        folder = temporary.resolve("cache/softkvm");
        device = Files.write(temporary.resolve("kvm"), new byte[0]);
        bootId = Files.writeString(temporary.resolve("boot_id"), "6a1f0f6e-8a5b-4c51-b5a5-0b8d1c3d9b0a\n");
        assumeTrue(
                device.getFileSystem().supportedFileAttributeViews().contains("unix"),
                "/dev/kvm is there on Unix only");
    }

    private KeptVerdict at(Duration after, String version) {
        return new KeptVerdict(
                folder, new KeptVerdict.Host(device, bootId, version), InstantSource.fixed(THEN.plus(after)));
    }

    private KeptVerdict after(Duration duration) {
        return at(duration, "1.0");
    }

    private KeptVerdict now() {
        return after(Duration.ZERO);
    }

    private Path file() {
        return folder.resolve(KeptVerdict.NAME);
    }

    @Test
    void holdsForAnHour() throws IOException {
        assertThat(now().holds()).isFalse();
        now().update(REASON);
        assertThat(Files.readString(file())).contains(REASON);
        assertThat(now().holds()).isTrue();
        assertThat(after(Duration.ofMinutes(59)).holds()).isTrue();
        assertThat(after(Duration.ofMinutes(60)).holds()).isFalse();
        assertThat(after(Duration.ofSeconds(-1)).holds()).as("from the future").isFalse();
        after(Duration.ofMinutes(60)).update("another\nreason");
        assertThat(after(Duration.ofMinutes(61)).holds()).as("probed again").isTrue();
    }

    @Test
    void belongsToABootADeviceAndAVersion() throws IOException {
        now().update(REASON);
        assertThat(at(Duration.ZERO, "1.1").holds()).as("another version").isFalse();

        String boot = Files.readString(bootId);
        Files.writeString(bootId, "another\n");
        assertThat(now().holds()).as("another boot").isFalse();
        Files.writeString(bootId, boot);
        assertThat(now().holds()).isTrue();

        Path before = Files.move(device, temporary.resolve("before"));
        assertThat(now().holds()).as("no device").isFalse();
        Files.write(device, new byte[0]);
        assertThat(now().holds()).as("another device").isFalse();
        now().update(REASON);
        assertThat(now().holds()).isTrue();
        Files.move(before, temporary.resolve("kvm"), StandardCopyOption.REPLACE_EXISTING);
        assertThat(now().holds()).as("the first device once more").isFalse();
    }

    @Test
    void whatIsDamagedIsIgnored() throws IOException {
        now().update(REASON);
        String whole = Files.readString(file());
        for (int length = 0; length < whole.length() - 1; length++) {
            Files.writeString(file(), whole.substring(0, length));
            assertThat(now().holds()).as("%d characters", length).isFalse();
        }
        for (String text : List.of(
                "\n".repeat(7),
                whole + "more\n",
                "x" + whole,
                whole.replace(Long.toString(THEN.toEpochMilli()), "soon"),
                whole.replace(REASON, "x".repeat(5000)))) {
            Files.writeString(file(), text);
            assertThat(now().holds()).as(text).isFalse();
        }
        Files.write(file(), whole.replace(REASON, "\u00FF").getBytes(StandardCharsets.ISO_8859_1));
        assertThat(now().holds()).as("not UTF-8").isFalse();
        Files.delete(file());
        Files.createDirectory(file());
        assertThat(now().holds()).as("a folder").isFalse();
        now().update(REASON);
        assertThat(now().holds()).as("cannot be written").isFalse();
        Files.delete(file());
        now().update(REASON);
        assertThat(now().holds()).isTrue();
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).as("nothing unfinished is left").containsExactly(file());
        }
    }

    @Test
    void whatIsNotPassedOverIsNotKept() {
        now().update(null);
        assertThat(folder).doesNotExist();
        now().update(REASON);
        now().update(null);
        assertThat(file()).doesNotExist();
    }

    @Test
    void isTheOwnersAlone() throws IOException {
        now().update(REASON);
        assertThat(Files.getPosixFilePermissions(folder)).isEqualTo(PosixFilePermissions.fromString("rwx------"));
        assertThat(Files.getPosixFilePermissions(file())).isEqualTo(PosixFilePermissions.fromString("rw-------"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThat(now().holds()).isFalse();
        Files.delete(file());
        now().update(REASON);
        assertThat(file()).doesNotExist();
    }

    @Test
    void aFolderThatCannotBeMadeIsNoError() throws IOException {
        Files.createDirectories(folder.getParent());
        Files.write(folder, new byte[1]);
        now().update(REASON);
        assertThat(now().holds()).isFalse();
    }

    @Test
    void isAboutWhatTheBackendsSay() {
        String reason = Kvm.providers().stream()
                .filter(provider -> provider.name().equals("kvm") && provider.unavailableBecause() == null)
                .findFirst()
                .map(provider -> provider.passedOverBecause())
                .orElse(null);
        now().update();
        assertThat(now().holds()).isEqualTo(reason != null);
    }
}
