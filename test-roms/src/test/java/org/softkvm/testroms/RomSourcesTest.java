package org.softkvm.testroms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sources, images and index belong together. */
class RomSourcesTest {
    private static final Path HOME = Path.of(System.getProperty("softkvm.root", ".."), "test-roms");
    private static final Path SOURCES = HOME.resolve("src/main/asm");
    private static final Path IMAGES = HOME.resolve("images");

    private static Set<String> names(Path folder, String ending) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(ending))
                    .map(name -> name.substring(0, name.length() - ending.length()))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static String header(TestRom rom, String key) {
        try (Stream<String> lines = Files.lines(SOURCES.resolve(rom.name() + ".asm"))) {
            return lines.filter(line -> line.startsWith("; " + key + ": "))
                    .map(line -> line.substring(key.length() + 4).strip())
                    .findFirst()
                    .orElse("");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theIndexHasEverySource() throws IOException {
        assertThat(RomCatalogue.all().stream().map(TestRom::name))
                .containsExactlyInAnyOrderElementsOf(names(SOURCES, ".asm"));
    }

    @Test
    void theIndexSaysWhatTheHeadersSay() {
        assertThat(RomCatalogue.all()).allSatisfy(rom -> {
            assertThat(header(rom, "checks")).as("what it checks").isNotEmpty();
            assertThat(header(rom, "see")).as("where that is defined").isNotEmpty();
            assertThat(header(rom, "status")).isEqualTo(String.valueOf(rom.status()));
            assertThat(header(rom, "assertions")).isEqualTo(String.valueOf(rom.assertions()));
        });
    }

    @Test
    void everyImageIsInTheIndexWithItsDigest() throws IOException, GeneralSecurityException {
        Set<String> images = names(IMAGES, "");
        images.remove("index.tsv");
        assertThat(RomCatalogue.all().stream().map(TestRom::file)).containsExactlyInAnyOrderElementsOf(images);
        for (TestRom rom : RomCatalogue.all()) {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(IMAGES.resolve(rom.file())));
            assertThat(HexFormat.of().formatHex(digest)).as(rom.name()).isEqualTo(rom.sha256());
        }
    }

    @Test
    void thereAreEnough() {
        assertThat(RomCatalogue.all()).hasSizeGreaterThanOrEqualTo(40);
        assertThat(RomCatalogue.all().stream().mapToInt(TestRom::assertions).sum())
                .isGreaterThanOrEqualTo(300);
    }

    @Test
    void theSourcesGiveTheImages(@TempDir Path output) throws IOException, InterruptedException {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "nasm"))),
                "nasm is not installed");
        Process build = new ProcessBuilder(HOME.resolve("build.sh").toString(), "--output", output.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(build.getInputStream().readAllBytes());
        assertThat(build.waitFor()).as(said).isZero();
        for (String file : names(IMAGES, "")) {
            assertThat(output.resolve(file)).hasSameBinaryContentAs(IMAGES.resolve(file));
        }
    }

    @Test
    void anIndexLineThatIsNotOneIsRefused() {
        for (String line :
                List.of("", "a\tb", "a\tb\t33\t1\tcpus=1", "a\tb\t33\t1\tfoo=1\t00", "a\tb\t33\t-1\tcpus=1\t0")) {
            assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> TestRom.parse(line)))
                    .as(line)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
