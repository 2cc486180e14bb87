package org.softkvm.vmm.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.softkvm.vmm.VmmException;
import org.tukaani.xz.FilterOptions;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.X86Options;
import org.tukaani.xz.XZ;
import org.tukaani.xz.XZOutputStream;

/**
 * The command 'softkvm train', not for people: does what most runs do, so that a JVM that records it for its AOT cache
 * (JEP 514, JEP 515) knows which classes they load and how their methods are used. It executes and translates code of all
 * kinds and boots a packed kernel, all by the command that people use.
 */
final class Training {
    /** Bytes of the JDK's own files that are packed as a kernel, enough for the decoder to get hot, and to be kept. */
    private static final int KERNEL_SIZE = 4 << 20;

    private static final int SETUP = 1024;

    /** How often, and for how many milliseconds each time, a kernel that is kept in the background is waited for. */
    private static final int WAITS = 200;

    private static final int WAIT = 10;

    private final InputStream in;

    /** Stands for the user's cache folder. */
    private final Path cache;

    private Training(InputStream in, Path cache) {
        this.in = in;
        this.cache = cache;
    }

    /**
     * Runs images as they are, and the first one as the kernel of a bzImage: once unpacked, once from the kernel cache.
     *
     * @param in standard input
     * @param images names of small images that end by themselves, at least one; the first is an ELF file
     * @return the folder it worked in, which is gone
     */
    static Path run(InputStream in, List<String> images) throws UsageException, VmmException {
        CacheFolder.find(); // The real one, which it leaves alone.
        Path folder = null;
        try {
            folder = Files.createTempDirectory("softkvm-train");
            new Training(in, folder.resolve("cache")).run(folder, images);
            return folder;
        } catch (IOException e) {
            throw new VmmException("cannot pack a kernel: " + e.getMessage(), e);
        } finally {
            if (folder != null) {
                delete(folder);
            }
        }
    }

    private void run(Path folder, List<String> images) throws IOException, UsageException, VmmException {
        // Which backend there is, is what a first run looks for, and what the next one may know.
        command(images.getFirst());
        command(images.getFirst());
        for (String image : images) {
            command(image, "--backend", "emulator");
        }
        Path elf = Path.of(images.getFirst());
        Path kernel = Files.write(folder.resolve("bzImage"), bzImage(Files.readAllBytes(elf)));
        boot(kernel, elf);
        awaitKernel();
        boot(kernel, elf);
    }

    private void boot(Path kernel, Path initrd) throws UsageException, VmmException {
        command(
                "--backend",
                "emulator",
                "--kernel",
                kernel.toString(),
                "--initrd",
                initrd.toString(),
                "--append",
                "console=ttyS0 quiet");
    }

    /** What 'softkvm run' does, and prints for nobody. */
    private void command(String... arguments) throws UsageException, VmmException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--memory", "256M", "--timeout", "20", "--stats", "json"));
        PrintStream err = new PrintStream(OutputStream.nullOutputStream());
        new RunCommand(in, new ByteArrayOutputStream(), err, Optional.of(cache)).run(all);
    }

    private void awaitKernel() throws IOException {
        try {
            for (int i = 0; i < WAITS && !keptKernel(); i++) {
                Thread.sleep(WAIT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean keptKernel() throws IOException {
        Path kernels = CacheFolder.kernels(cache);
        if (!Files.isDirectory(kernels)) {
            return false;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(kernels, "*.kernel")) {
            return files.iterator().hasNext();
        }
    }

    private static void delete(Path file) {
        try {
            if (Files.isDirectory(file)) {
                try (DirectoryStream<Path> files = Files.newDirectoryStream(file)) {
                    files.forEach(Training::delete);
                }
            }
            Files.delete(file);
        } catch (IOException e) {
            // It stays among the temporary files.
        }
    }

    /** A bzImage with little more in its setup header than where its kernel is, packed as kernels are. */
    static byte[] bzImage(byte[] elf) throws IOException {
        byte[] kernel = new byte[KERNEL_SIZE];
        try (InputStream in = Files.newInputStream(Path.of(System.getProperty("java.home"), "lib", "modules"))) {
            in.readNBytes(kernel, 0, kernel.length);
        }
        System.arraycopy(elf, 0, kernel, 0, elf.length);
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        FilterOptions[] filters = {new X86Options(), new LZMA2Options(1)};
        try (XZOutputStream xz = new XZOutputStream(packed, filters, XZ.CHECK_CRC32)) {
            xz.write(kernel);
        }
        ByteBuffer image = ByteBuffer.allocate(SETUP + packed.size() + 4).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0x1F1, (byte) 1).putShort(0x1FE, (short) 0xAA55).putInt(0x202, 0x5372_6448); // 'HdrS'
        image.putShort(0x206, (short) 0x020F).putInt(0x24C, packed.size() + 4); // the kernel begins behind the setup
        image.position(SETUP).put(packed.toByteArray()).putInt(kernel.length);
        return image.array();
    }
}
