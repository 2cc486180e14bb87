package org.softkvm.vmm.pc;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.tukaani.xz.FilterOptions;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.X86Options;
import org.tukaani.xz.XZ;
import org.tukaani.xz.XZOutputStream;

/**
 * Does what most runs do, so that a JVM that records it for its AOT cache (JEP 514, JEP 515) knows which classes they load
 * and how their methods are used: executes and translates code of all kinds, unpacks a kernel.
 */
public final class Training {
    /** Bytes of the JDK's own files that are packed as a kernel, enough for the decoder to get hot. */
    private static final int KERNEL_SIZE = 4 << 20;

    private static final Duration LIMIT = Duration.ofSeconds(20);

    private static final int SETUP = 1024;

    private Training() {}

    /**
     * Runs images as they are, and the first one once more as the kernel of a bzImage.
     *
     * @param images small images that end by themselves, at least one; the first is an ELF file
     * @throws VmmException if one of them fails
     */
    public static void run(List<GuestFile> images) throws VmmException {
        // Which backend there is, is what a run looks for first.
        boot(PcConfig.builder(images.getFirst()));
        for (GuestFile image : images) {
            boot(PcConfig.builder(image).backend("emulator"));
        }
        try {
            boot(PcConfig.builder(
                            new GuestFile("bzImage", bzImage(images.getFirst().data())))
                    .kernel(true)
                    .backend("emulator"));
        } catch (IOException e) {
            throw new VmmException("cannot pack a kernel: " + e.getMessage(), e);
        }
    }

    private static void boot(PcConfig.Builder builder) throws VmmException {
        PcConfig config =
                builder.timeout(LIMIT).serialOutput(new ByteArrayOutputStream()).build();
        try (Pc pc = Pc.create(config)) {
            pc.run();
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
