package org.softkvm.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.pc.Pc;
import org.softkvm.vmm.pc.PcConfig;

class TrainingTest {
    private static final Path ROOT = Path.of("..");

    @Test
    void theKernelThatItPacksBoots() throws IOException, VmmException {
        byte[] hello = Files.readAllBytes(ROOT.resolve("test-roms/images/hello.elf"));
        ByteArrayOutputStream serial = new ByteArrayOutputStream();
        PcConfig config = PcConfig.builder(new GuestFile("bzImage", Training.bzImage(hello)))
                .kernel(true)
                .backend("emulator")
                .serialOutput(serial)
                .build();
        try (Pc pc = Pc.create(config)) {
            pc.run();
        }
        assertThat(serial.toString(StandardCharsets.UTF_8)).contains("Hello from SoftKVM");
    }

    @Test
    void trainsByTheCommandAndLeavesNothing() throws UsageException, VmmException {
        InputStream nothing = InputStream.nullInputStream();
        Path folder = Training.run(nothing, List.of("../test-roms/images/hello.elf", "../test-roms/images/cpuid.elf"));
        assertThat(folder).doesNotExist();
        assertThatThrownBy(() -> Training.run(nothing, List.of("none.elf")))
                .isInstanceOf(VmmException.class)
                .hasMessageContaining("none.elf");
    }

    @Test
    void theLaunchersListNamesImages() throws IOException {
        List<String> roms = Files.readAllLines(ROOT.resolve("vmm/src/main/launcher/training-roms"));
        assertThat(roms)
                .startsWith("hello")
                .doesNotHaveDuplicates()
                .allSatisfy(rom -> assertThat(ROOT.resolve("test-roms/images/" + rom + ".elf"))
                        .isRegularFile());
    }
}
