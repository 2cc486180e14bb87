package org.softkvm.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.softkvm.vmm.loader.TestImages;
import org.softkvm.vmm.pc.PcConfig;

/** Where unpacked kernels are kept, and the command that keeps them, in a process of its own. */
@Timeout(600)
class KernelCacheCommandTest {
    private static final FileTime BEFORE = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));

    @TempDir
    Path temporary;

    private Path find(Map<String, String> environment, String system, Path user) {
        return CacheFolder.find(environment, system, user.toString()).orElse(null);
    }

    @Test
    void theFolderIsTheUsualOneOfTheSystem() {
        Path gone = temporary.resolve("gone");
        String home = temporary.toString();
        assertThat(find(Map.of(), "Linux", temporary)).isEqualTo(temporary.resolve(".cache/softkvm"));
        assertThat(find(Map.of("HOME", home), "Linux", gone)).isEqualTo(temporary.resolve(".cache/softkvm"));
        assertThat(find(Map.of("HOME", home), "Mac OS X", gone)).isEqualTo(temporary.resolve("Library/Caches/softkvm"));
        assertThat(find(Map.of("LOCALAPPDATA", home), "Windows 11", gone)).isEqualTo(temporary.resolve("softkvm"));
        String cache = gone.toString();
        assertThat(find(Map.of("XDG_CACHE_HOME", cache, "HOME", home), "Linux", temporary))
                .isEqualTo(gone.resolve("softkvm"));
        assertThat(find(Map.of("XDG_CACHE_HOME", "relative", "HOME", home), "Linux", temporary))
                .isEqualTo(temporary.resolve(".cache/softkvm"));
        assertThat(find(Map.of("SOFTKVM_CACHE", cache, "XDG_CACHE_HOME", home), "Linux", temporary))
                .isEqualTo(gone);
        assertThat(find(Map.of("SOFTKVM_CACHE", ""), "Linux", temporary)).isNull();
        assertThat(find(Map.of("SOFTKVM_CACHE", "a\0b"), "Linux", temporary)).isNull();
        assertThat(find(Map.of("HOME", cache), "Linux", gone)).as("no home").isNull();
        assertThat(find(Map.of(), "Windows 11", temporary)).isNull();
        assertThat(CacheFolder.find(Map.of(), "Linux", "?")).isEmpty();
    }

    @Test
    void theOptionIsKnown() throws UsageException {
        assertThat(RunOptions.parse(List.of("--no-kernel-cache")).hasOption(RunOptions.NO_KERNEL_CACHE))
                .isTrue();
        assertThat(RunOptions.parse(List.of()).hasOption(RunOptions.NO_KERNEL_CACHE))
                .isFalse();
        assertThat(Help.TEXT).contains("--no-kernel-cache", "$SOFTKVM_CACHE");
    }

    @Test
    void javaProgramsKeepNothingUnlessTheyAskForIt() {
        PcConfig.Builder builder = PcConfig.builder(TestImages.file(new byte[1]));
        assertThat(builder.build().kernelCache()).isEmpty();
        assertThat(builder.kernelCache(temporary).build().kernelCache()).contains(temporary);
    }

    /** A compressed kernel of more than 4 MiB that writes 10h to the debug-exit port. */
    private Path kernel() throws IOException {
        byte[] kernel = TestImages.elf32(false, new byte[5 << 20]);
        byte[] code = HexFormat.ofDelimiter(" ").parseHex("66 ba f4 00 b0 10 ee f4"); // mov dx, 0f4h; mov al, 10h; out
        System.arraycopy(code, 0, kernel, 0x102, code.length);
        return Files.write(temporary.resolve("bzImage"), TestImages.bzImage(TestImages.gzip(kernel)));
    }

    private void run(String cache, String... more) throws IOException, InterruptedException {
        String modules = System.getProperty("jdk.module.path");
        assumeTrue(modules != null, "the tests do not run on the module path");
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(List.of("-p", modules, "-m", "org.softkvm.vmm/" + Main.class.getName(), "run"));
        command.addAll(List.of("--kernel", kernel().toString(), "--backend", "emulator", "--timeout", "300"));
        command.addAll(List.of(more));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put(CacheFolder.VARIABLE, cache);
        builder.environment().put("HOME", temporary.toString());
        Process process = builder.start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isEqualTo(33);
        assertThat(said).isEmpty();
    }

    private List<Path> kept() throws IOException {
        Path folder = temporary.resolve("cache/kernels");
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    @Test
    void theCommandKeepsKernelsAndUsesThem() throws IOException, InterruptedException {
        String cache = temporary.resolve("cache").toString();
        run("");
        run(cache, "--no-kernel-cache");
        assertThat(kept()).isEmpty();
        assertThat(temporary.resolve(".cache")).doesNotExist();
        run(cache);
        assertThat(kept()).as("the end of a short run waits for it").hasSize(1);
        Path file = kept().getFirst();
        Files.setLastModifiedTime(file, BEFORE);
        run(cache, "--no-kernel-cache");
        assertThat(Files.getLastModifiedTime(file)).isEqualTo(BEFORE);
        run(cache);
        assertThat(Files.getLastModifiedTime(file)).as("it was used").isGreaterThan(BEFORE);
        assertThat(kept()).containsExactly(file);
    }

    @Test
    void aPlaceThatCannotBeWrittenIsNoError() throws IOException, InterruptedException {
        run(Files.write(temporary.resolve("file"), new byte[1]).toString());
    }
}
