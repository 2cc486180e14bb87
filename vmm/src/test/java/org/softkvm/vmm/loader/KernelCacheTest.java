package org.softkvm.vmm.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.softkvm.vmm.VmmException;

@Timeout(120)
class KernelCacheTest {
    private static final int PACKED = 300_000;

    @TempDir
    Path temporary;

    private Path folder;
    private KernelCache cache;
    private byte[] kernel;

    @BeforeEach
    void setUp() {
        folder = temporary.resolve("a/kernels");
        cache = new KernelCache(folder, Runnable::run);
        kernel = bytes(99, KernelCache.LEAST + 12_345);
    }

    private static byte[] bytes(int seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** A packed kernel in the middle of an image. */
    private static ByteBuffer packed(int seed) {
        return ByteBuffer.wrap(bytes(seed, PACKED + 700), 500, PACKED).slice();
    }

    private Path file(int seed) {
        return folder.resolve(KernelCache.name(packed(seed)));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private void assertFound(int seed) {
        assertThat(cache.find(packed(seed)).orElseThrow()).isEqualTo(kernel);
    }

    @Test
    void givesBackWhatItKeptForTheSamePackedKernelOnly() throws IOException {
        assertThat(cache.find(packed(1))).isEmpty();
        assertThat(folder).as("looking makes no folder").doesNotExist();
        cache.keep(packed(1), kernel);
        assertFound(1);
        assertThat(cache.find(packed(2))).isEmpty();
        assertThat(names()).containsExactly(KernelCache.name(packed(1)));
        // The key is not trusted: here another packed kernel has it.
        Files.move(file(1), file(2));
        assertThat(cache.find(packed(2))).isEmpty();
        cache.keep(packed(2), kernel);
        assertFound(2);
    }

    @Test
    void smallKernelsAreNotKept() {
        cache.keep(packed(1), new byte[KernelCache.LEAST - 1]);
        assertThat(folder).doesNotExist();
        cache.keep(packed(1), new byte[KernelCache.LEAST]);
        assertThat(cache.find(packed(1))).isPresent();
    }

    @Test
    void damagedFilesAreNotUsedAndReplaced() throws IOException {
        cache.keep(packed(1), kernel);
        byte[] good = Files.readAllBytes(file(1));
        assertThat(good).hasSize(CachedKernel.HEADER + PACKED + kernel.length);
        int content = CachedKernel.HEADER + PACKED;
        for (int at : new int[] {0, 7, 8, 11, 12, 15, 16, 19, 20, content - 1, content, good.length - 1}) {
            byte[] bad = good.clone();
            bad[at] ^= 0x10;
            Files.write(file(1), bad);
            assertThat(cache.find(packed(1))).as("byte %d", at).isEmpty();
        }
        cache.keep(packed(1), kernel);
        assertFound(1);
        assertThat(Files.readAllBytes(file(1))).isEqualTo(good);
        assertThat(names()).hasSize(1);
    }

    @Test
    void filesOfAnotherLengthAreNotUsed() throws IOException {
        cache.keep(packed(1), kernel);
        byte[] good = Files.readAllBytes(file(1));
        for (int length : new int[] {0, 1, 19, 20, 21, 20 + PACKED, good.length - 1, good.length + 1}) {
            Files.write(file(1), Arrays.copyOf(good, length));
            assertThat(cache.find(packed(1))).as("%d bytes", length).isEmpty();
        }
        // A length that no file has.
        byte[] bad = good.clone();
        bad[12] = (byte) 0xFF;
        Files.write(file(1), bad);
        assertThat(cache.find(packed(1))).isEmpty();
        Files.delete(file(1));
        Files.createDirectory(file(1));
        assertThat(cache.find(packed(1))).isEmpty();
        cache.keep(packed(1), kernel);
    }

    @Test
    void theLastUsedOnesStay() throws IOException {
        Instant now = Instant.now();
        for (int seed = 1; seed <= KernelCache.KEPT; seed++) {
            cache.keep(packed(seed), kernel);
            Files.setLastModifiedTime(file(seed), FileTime.from(now.minusSeconds(1000 - seed)));
        }
        assertThat(names()).hasSize(KernelCache.KEPT);
        assertFound(1);
        cache.keep(packed(7), kernel);
        assertThat(names()).hasSize(KernelCache.KEPT);
        assertThat(file(2)).as("not used for the longest time").doesNotExist();
        assertFound(1);
        assertFound(3);
        assertFound(4);
        assertFound(7);
    }

    @Test
    void leftoversOfKilledProcessesGoAndNothingElse() throws IOException {
        Files.createDirectories(folder);
        Path old = Files.write(folder.resolve("1-2.kernel.tmp"), new byte[10]);
        Path young = Files.write(folder.resolve("1-3.kernel.tmp"), new byte[10]);
        Path foreign = Files.write(folder.resolve("diary.txt"), new byte[10]);
        FileTime before = FileTime.from(Instant.now().minusSeconds(4000));
        Files.setLastModifiedTime(old, before);
        Files.setLastModifiedTime(foreign, before);
        cache.keep(packed(1), kernel);
        assertThat(old).doesNotExist();
        assertThat(young).exists();
        assertThat(foreign).exists();
        assertFound(1);
    }

    @Test
    void aWriteThatIsStoppedLeavesNothing() throws IOException {
        cache.keep(packed(1), kernel);
        Thread.currentThread().interrupt();
        cache.keep(packed(2), kernel);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(names()).containsExactly(KernelCache.name(packed(1)));
    }

    @Test
    void aFolderThatCannotBeMadeIsNoError() throws IOException {
        Files.write(temporary.resolve("a"), new byte[1]);
        cache.keep(packed(1), kernel);
        assertThat(cache.find(packed(1))).isEmpty();
    }

    @Test
    void aFolderThatCannotBeWrittenIsNoError() throws IOException {
        cache.keep(packed(1), kernel);
        assertThat(folder.toFile().setWritable(false)).isTrue();
        // Root writes everywhere: the test then shows less.
        boolean closed = !Files.isWritable(folder);
        cache.keep(packed(2), kernel);
        assertThat(names()).hasSize(closed ? 1 : 2);
        assertFound(1);
        assertThat(folder.toFile().setWritable(true)).isTrue();
    }

    @Test
    void onlyTheOwnerHasRights() throws IOException {
        if (!Files.getFileStore(temporary).supportsFileAttributeView("posix")) {
            return;
        }
        cache.keep(packed(1), kernel);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file(1))))
                .isEqualTo("rw-------");
        for (String rights : List.of("rwx----w-", "rwx-w----")) {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString(rights));
            assertThat(cache.find(packed(1))).as(rights).isEmpty();
            cache.keep(packed(2), kernel);
            assertThat(file(2)).as(rights).doesNotExist();
        }
    }

    @Test
    void manyMayWriteAndReadAtOnce() throws InterruptedException, IOException {
        int threads = 4;
        int[] done = new int[threads];
        CountDownLatch start = new CountDownLatch(1);
        List<Thread> all = Stream.iterate(0, i -> i < threads, i -> i + 1)
                .map(i -> Thread.ofPlatform().start(() -> {
                    try {
                        start.await();
                    } catch (InterruptedException e) {
                        return;
                    }
                    for (int round = 0; round < 5; round++) {
                        cache.keep(packed(1), kernel);
                        Optional<byte[]> found = new KernelCache(folder, Runnable::run).find(packed(1));
                        if (found.isEmpty() || !Arrays.equals(found.get(), kernel)) {
                            throw new IllegalStateException("not found");
                        }
                        done[i]++;
                    }
                }))
                .toList();
        start.countDown();
        for (Thread thread : all) {
            thread.join();
        }
        assertThat(done).containsOnly(5);
        assertThat(names()).containsExactly(KernelCache.name(packed(1)));
    }

    @Test
    void kernelsAreWrittenInTheBackground() throws InterruptedException {
        Thread[] writer = new Thread[1];
        CountDownLatch written = new CountDownLatch(1);
        BackgroundWrite.start(() -> {
            writer[0] = Thread.currentThread();
            written.countDown();
        });
        written.await();
        assertThat(writer[0].isDaemon()).isTrue();
        writer[0].join();
    }

    private static byte[] bzImage(byte[] tail) throws IOException {
        return TestImages.bzImage(TestImages.gzip(TestImages.elf32(true, tail)));
    }

    private byte[] load(byte[] image, Optional<KernelCache> kernels) throws VmmException {
        GuestRam ram = TestImages.ram(16 << 20);
        BootRequest request = new BootRequest(
                TestImages.file(image), true, Optional.empty(), "", List.of(), BootProtocol.AUTO, kernels);
        ImageLoader.load(request, ram.layout(), 0).writeTo(ram);
        return ram.read(TestImages.LOAD, 0x100 + KernelCache.LEAST);
    }

    @Test
    void bzImagesAreUnpackedOnce() throws IOException, VmmException {
        byte[] image = bzImage(new byte[KernelCache.LEAST]);
        byte[] loaded = load(image, Optional.empty());
        assertThat(folder).as("nothing is kept unless it is asked for").doesNotExist();
        assertThat(load(image, Optional.of(cache))).isEqualTo(loaded);
        assertThat(names()).hasSize(1);
        assertThat(load(image, Optional.of(cache))).isEqualTo(loaded);
        // What comes from the cache is known by a change of its content.
        BzImage parsed = BzImage.parse(TestImages.file(image));
        byte[] other = TestImages.elf32(true, new byte[KernelCache.LEAST]);
        other[0x100] = 0x42;
        cache.keep(
                ByteBuffer.wrap(image, parsed.payload(), parsed.payloadLength()).slice(), other);
        assertThat(load(image, Optional.of(cache))[0]).isEqualTo((byte) 0x42);
        assertThat(load(image, Optional.empty())).isEqualTo(loaded);
    }

    @Test
    void whatIsNoKernelIsNotKept() throws IOException {
        byte[] image = TestImages.bzImage(TestImages.gzip(new byte[KernelCache.LEAST]));
        assertThatThrownBy(() -> load(image, Optional.of(cache)))
                .isInstanceOf(VmmException.class)
                .hasMessageContaining("not an ELF file");
        assertThat(folder).doesNotExist();
    }
}
