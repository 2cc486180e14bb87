package org.softkvm.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.snapshot.SnapshotWriter;
import org.softkvm.vmm.zstd.ZstdDecoder;
import org.softkvm.vmm.zstd.ZstdException;

/** Machines in files: what comes back, and what happens where the file is not what it was. */
@Timeout(300)
class SavedPcTest {
    /** Prints '0' to '9' and leaves by the debug-exit port. */
    private static final String DIGITS = "b0 30 ba f8 03 " // mov al, '0'; mov dx, 3f8h
            + "ee fe c0 3c 3a 75 f9 " // next: out dx, al; inc al; cmp al, ':'; jne next
            + "b0 10 ba f4 00 ee f4"; // debug exit

    /** Waits for each character of COM1, prints it and leaves at 'q'. */
    private static final String ECHO = "ba fd 03 ec a8 01 74 f8 " // poll: mov dx, 3fdh; in al, dx; test al, 1; jz poll
            + "ba f8 03 ec ee 3c 71 75 ef " // mov dx, 3f8h; in al, dx; out dx, al; cmp al, 'q'; jne poll
            + "b0 10 ba f4 00 ee f4"; // debug exit

    private static final long MEMORY = 1 << 20;

    @TempDir
    Path folder;

    private Path file;
    private final ByteArrayOutputStream serial = new ByteArrayOutputStream();

    @BeforeEach
    void setUp() {
        file = folder.resolve("machine");
    }

    private PcConfig.Builder config(String code) {
        byte[] rom = new byte[0x1_0000];
        byte[] bytes = HexFormat.ofDelimiter(" ").parseHex(code);
        System.arraycopy(bytes, 0, rom, 0, bytes.length);
        byte[] jump = HexFormat.ofDelimiter(" ").parseHex("ea 00 00 00 f0");
        System.arraycopy(jump, 0, rom, 0xFFF0, jump.length);
        return PcConfig.builder(new GuestFile("guest", rom))
                .backend("emulator")
                .engine("interpreter")
                .memory(MEMORY)
                .timeout(Duration.ofSeconds(60));
    }

    private PcResult run(PcConfig.Builder config) throws VmmException {
        serial.reset();
        try (Pc pc = Pc.create(config.serialOutput(serial).build())) {
            return pc.run();
        }
    }

    private String text() {
        return serial.toString(StandardCharsets.US_ASCII);
    }

    private void saveDigits() throws VmmException {
        PcResult result = run(config(DIGITS).expect("345").save(file, (done, total) -> {}));
        assertThat(result.reason()).isEqualTo(PcResult.Reason.EXPECTED_TEXT);
        assertThat(text()).isEqualTo("012345");
    }

    private PcResult restore(Path from) throws VmmException {
        try (SavedPc saved = SavedPc.open(from)) {
            return run(saved.config()
                    .backend("emulator")
                    .engine("interpreter")
                    .maxInstructions(10_000)
                    .timeout(Duration.ofSeconds(20)));
        }
    }

    @Test
    void goesOnWhereItStopped() throws VmmException, IOException {
        saveDigits();
        for (int n = 0; n < 2; n++) {
            assertThat(restore(file).exitStatus()).isEqualTo(33);
            assertThat(text()).isEqualTo("6789");
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).as("no other file is left").containsExactly(file);
        }
    }

    @Test
    void theMachineIsDescribed() throws VmmException {
        run(config(DIGITS)
                .without("pit")
                .irqchip("full")
                .virtualClock(true)
                .cpus(2)
                .debugConsole(new DebugPort(0xE9, OutputStream.nullOutputStream()))
                .expect("3")
                .save(file, (done, total) -> {}));
        try (SavedPc saved = SavedPc.open(file)) {
            assertThat(saved.backend()).isEqualTo("emulator");
            assertThat(saved.cpu()).isEqualTo("max");
            assertThat(saved.cpus()).isEqualTo(2);
            assertThat(saved.memory()).isEqualTo(MEMORY);
            assertThat(saved.irqchip()).isEqualTo("full");
            assertThat(saved.without()).containsExactly("pit");
            assertThat(saved.virtualClock()).isTrue();
            assertThat(saved.debugPorts()).containsExactly(0xE9);
            PcConfig config = saved.config().build();
            assertThat(config.image().name()).isEqualTo("guest");
            assertThat(config.memory()).isEqualTo(MEMORY);
        }
    }

    @Test
    void aResetBootsWhatWasBooted() throws VmmException {
        // Prints 'a', then '0' plus a cell that counts; the second time it leaves.
        String code = "b0 61 ba f8 03 ee " // mov al, 'a'; mov dx, 3f8h; out dx, al
                + "b0 62 ee " // mov al, 'b'; out dx, al
                + "fe 06 00 20 80 3e 00 20 02 74 06 " // inc byte [2000h]; cmp byte [2000h], 2; je leave
                + "b0 06 ba f9 0c ee " // reset by port cf9h
                + "b0 10 ba f4 00 ee f4"; // leave: debug exit
        run(config(code).expect("a").save(file, (done, total) -> {}));
        assertThat(restore(file).exitStatus()).isEqualTo(33);
        assertThat(text()).isEqualTo("bab");
    }

    @Test
    void inputThatWaitsIsNotLost() throws VmmException {
        byte[] input = "abcdefghijklmnopqrst".getBytes(StandardCharsets.US_ASCII);
        for (boolean virtual : new boolean[] {false, true}) {
            run(config(ECHO)
                    .virtualClock(virtual)
                    .serialInput(new ByteArrayInputStream(input))
                    .expect("c")
                    .save(file, (done, total) -> {}));
            String before = text();
            try (SavedPc saved = SavedPc.open(file)) {
                PcResult result = run(saved.config()
                        .backend("emulator")
                        .serialInput(new ByteArrayInputStream(new byte[0]))
                        .timeout(Duration.ofSeconds(20)));
                assertThat(result.exitStatus()).isEqualTo(33);
            }
            assertThat(before + text()).isEqualTo("abcdefghijklmnopq");
        }
    }

    @Test
    void savedByRequest() throws VmmException, InterruptedException {
        // Counts for ever.
        PcConfig config =
                config("ff 06 00 20 eb fa").save(file, (done, total) -> {}).build();
        try (Pc pc = Pc.create(config)) {
            Thread other = Thread.ofPlatform().start(() -> {
                try {
                    Thread.sleep(50);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                pc.saveAndStop();
            });
            assertThat(pc.run().reason()).isEqualTo(PcResult.Reason.SAVED);
            other.join();
        }
        assertThat(restore(file).reason()).isEqualTo(PcResult.Reason.INSTRUCTION_LIMIT);
    }

    @Test
    void nothingIsSavedOfAMachineThatEnded() throws VmmException {
        assertThat(run(config(DIGITS).save(file, (done, total) -> {})).exitStatus())
                .isEqualTo(33);
        assertThat(file).doesNotExist();
    }

    @Test
    void whereTheFileCannotGoIsSaidBefore() {
        assertThatThrownBy(() -> run(config(DIGITS).save(folder, (done, total) -> {})))
                .isInstanceOf(VmmException.class)
                .hasMessageContaining("is a directory");
        assertThatThrownBy(() -> run(config(DIGITS).save(folder.resolve("no/file"), (done, total) -> {})))
                .isInstanceOf(VmmException.class)
                .hasMessageContaining("no such folder");
    }

    /** A device such as /dev/null would be replaced by a file; here it is a socket, which anyone can make. */
    @Test
    void nothingButAFileIsReplaced() throws IOException {
        Path special = folder.resolve("socket");
        try (ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.bind(UnixDomainSocketAddress.of(special));
            assertThatThrownBy(() -> run(config(DIGITS).save(special, (done, total) -> {})))
                    .isInstanceOf(VmmException.class)
                    .hasMessageContaining("socket: is no regular file");
            assertThat(Files.isRegularFile(special)).isFalse();
        }
    }

    @Test
    void anOldFileStaysUntilTheNewOneIsWhole() throws VmmException, IOException {
        saveDigits();
        byte[] before = Files.readAllBytes(file);
        assertThatThrownBy(() -> run(config(DIGITS).expect("2").save(file, (done, total) -> {
                    throw new UncheckedIOException(new IOException("stop"));
                })))
                .isInstanceOf(UncheckedIOException.class);
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    // ---- Damage

    private void assertRefused(byte[] bytes, String what) throws IOException {
        Path bad = folder.resolve("bad");
        Files.write(bad, bytes);
        assertThatThrownBy(() -> restore(bad))
                .as("%s", what)
                .isInstanceOf(VmmException.class)
                .hasMessageContaining("bad: ")
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
    }

    @Test
    void everyTruncationIsRefused() throws VmmException, IOException {
        saveDigits();
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length += length < 200 ? 1 : 97) {
            assertRefused(Arrays.copyOf(whole, length), length + " bytes");
        }
        for (int less = 1; less < 30; less++) {
            assertRefused(Arrays.copyOf(whole, whole.length - less), less + " bytes less");
        }
    }

    @Test
    void everyFlippedBitIsFound() throws VmmException, IOException {
        saveDigits();
        byte[] whole = Files.readAllBytes(file);
        Random random = new Random(5);
        for (int n = 0; n < 400; n++) {
            int at = n < 64 ? n : n < 100 ? whole.length - 1 - (n - 64) : random.nextInt(whole.length);
            byte[] bad = whole.clone();
            bad[at] ^= (byte) (1 << random.nextInt(8));
            assertRefused(bad, "byte " + at);
        }
    }

    @Test
    void foreignFilesAndOtherVersionsAreNamed() throws VmmException, IOException {
        saveDigits();
        byte[] whole = Files.readAllBytes(file);
        Path bad = folder.resolve("bad");
        for (byte[] foreign : List.of(
                new byte[0],
                new byte[100],
                "Dear diary".getBytes(StandardCharsets.US_ASCII),
                Arrays.copyOfRange(whole, 32, 400))) {
            Files.write(bad, foreign);
            assertThatThrownBy(() -> SavedPc.open(bad)).hasMessageContaining("bad: not a snapshot of SoftKVM");
        }
        byte[] other = whole.clone();
        ByteBuffer.wrap(other).order(ByteOrder.LITTLE_ENDIAN).putInt(24, 77);
        Files.write(bad, other);
        assertThatThrownBy(() -> SavedPc.open(bad))
                .hasMessageContaining("a snapshot of format 77, this SoftKVM reads format 1");
        assertThatThrownBy(() -> SavedPc.open(folder.resolve("none"))).hasMessageContaining("no such file");
        assertThatThrownBy(() -> SavedPc.open(folder)).hasMessageContaining("is a directory");
    }

    /** Content with checksums that are right and values that are not: whoever made it means harm. */
    @Test
    void hostileContentGivesAnErrorOrAMachine() throws VmmException, IOException, ZstdException {
        saveDigits();
        byte[] whole = Files.readAllBytes(file);
        byte[] content = content(whole);
        Random random = new Random(11);
        int refused = 0;
        for (int n = 0; n < 700; n++) {
            byte[] bad = content.clone();
            int changes = 1 + random.nextInt(3);
            for (int i = 0; i < changes; i++) {
                // The ROM and the memory are a guest's own; what is before and between them counts.
                int at = random.nextInt(4) == 0 ? random.nextInt(200) : interesting(content, random);
                switch (random.nextInt(3)) {
                    case 0 -> bad[at] ^= (byte) (1 << random.nextInt(8));
                    case 1 -> bad[at] = (byte) -1;
                    default -> Arrays.fill(bad, at, Math.min(bad.length, at + 8), (byte) (random.nextInt(3) - 1));
                }
            }
            Path hostile = folder.resolve("hostile");
            try (OutputStream out = Files.newOutputStream(hostile)) {
                SnapshotWriter writer = new SnapshotWriter(out);
                writer.putRaw(bad, 0, bad.length);
                writer.end();
            }
            try {
                restore(hostile);
            } catch (VmmException e) {
                refused++;
                assertThat(e.getMessage()).doesNotContain("\n").doesNotContain("internal error");
            }
        }
        assertThat(refused).isGreaterThan(50);
    }

    /** A place outside the 64 KiB of the ROM's two copies. */
    private static int interesting(byte[] content, Random random) {
        int start = 0x1_0000 * 2;
        return start < content.length ? start + random.nextInt(content.length - start) : random.nextInt(content.length);
    }

    private static byte[] content(byte[] file) throws ZstdException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).position(32);
        while (in.getInt() == 0x184D_2A54) {
            in.getInt();
            int compressed = in.getInt();
            int plain = in.getInt();
            content.writeBytes(ZstdDecoder.decode(file, in.position(), compressed, plain));
            in.position(in.position() + compressed);
        }
        return content.toByteArray();
    }
}
