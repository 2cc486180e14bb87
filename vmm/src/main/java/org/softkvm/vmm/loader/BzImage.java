package org.softkvm.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;

/**
 * The setup header of a Linux x86 bzImage (Documentation/arch/x86/boot.rst of the kernel).
 *
 * @param file the image
 * @param version boot protocol version, 020Fh for 2.15
 * @param setup bytes of the boot sector and the setup sectors; the protected-mode code follows
 * @param payload offset of the compressed kernel in the file
 * @param payloadLength its length, the trailing size field included; 0 if there is none
 */
record BzImage(GuestFile file, int version, int setup, int payload, int payloadLength) {
    private static final int SETUP_SECTS = 0x1F1;
    private static final int BOOT_FLAG = 0x1FE;
    private static final int HEADER = 0x202;
    private static final int VERSION = 0x206;
    private static final int CODE32_START = 0x214;
    private static final int PAYLOAD_OFFSET = 0x248;
    private static final int PAYLOAD_LENGTH = 0x24C;

    private static final int XLOADFLAGS = 0x236;
    private static final int PREF_ADDRESS = 0x258;
    private static final int INIT_SIZE = 0x260;

    private static final int XLF_KERNEL_64 = 1;
    private static final int ENTRY_64_VERSION = 0x020C;

    /** From the start of the protected-mode code to its 64-bit entry point. */
    static final int ENTRY_64 = 0x200;

    /** Signature 'HdrS' of the setup header. */
    static final int HDRS = 0x5372_6448;

    /** No compressed stream is shorter. */
    private static final int MIN_PAYLOAD = 16;

    /** First protocol version with the payload fields. */
    private static final int PAYLOAD_VERSION = 0x0208;

    static boolean matches(byte[] data) {
        if (data.length < HEADER + 4) {
            return false;
        }
        ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        return in.getShort(BOOT_FLAG) == (short) 0xAA55 && in.getInt(HEADER) == HDRS;
    }

    static BzImage parse(GuestFile file) throws VmmException {
        ByteBuffer in = ByteBuffer.wrap(file.data()).order(ByteOrder.LITTLE_ENDIAN);
        int size = file.data().length;
        if (size < PAYLOAD_LENGTH + 4) {
            throw truncated(file);
        }
        int version = in.getShort(VERSION) & 0xFFFF;
        if (version < PAYLOAD_VERSION) {
            throw new VmmException(file.name() + ": Linux boot protocol " + (version >> 8) + "." + (version & 0xFF)
                    + " is older than 2.8 and does not say where its kernel is");
        }
        int setupSectors = in.get(SETUP_SECTS) & 0xFF;
        long setup = (setupSectors == 0 ? 4 : setupSectors) + 1L << 9;
        long payload = setup + (in.getInt(PAYLOAD_OFFSET) & 0xFFFF_FFFFL);
        long length = in.getInt(PAYLOAD_LENGTH) & 0xFFFF_FFFFL;
        if (payload + length > size || setup >= size) {
            throw truncated(file);
        }
        return new BzImage(file, version, (int) setup, (int) payload, (int) length);
    }

    /** Whether the image holds a compressed kernel; programs such as memtest86+ only use the boot protocol. */
    boolean hasPayload() {
        return payloadLength > 0;
    }

    /** Loads the protected-mode code and returns its 32-bit entry point. */
    long loadCode(DirectBoot boot) throws VmmException {
        byte[] data = file.data();
        long start = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).getInt(CODE32_START) & 0xFFFF_FFFFL;
        int length = data.length - setup;
        boot.placement().claim(start, length, file.name() + ": protected-mode code");
        boot.ram().write(start, data, setup, length);
        return start;
    }

    /** Whether the protected-mode code has a 64-bit entry point (boot protocol 2.12, XLF_KERNEL_64). */
    boolean has64BitEntry() {
        return version >= ENTRY_64_VERSION && (file.data()[XLOADFLAGS] & XLF_KERNEL_64) != 0;
    }

    /**
     * Loads the protected-mode code where the kernel likes to be, with the room that it needs to unpack itself, and returns
     * its first address; the 64-bit entry point is 200h behind it.
     */
    long loadCode64(DirectBoot boot) throws VmmException {
        ByteBuffer in = ByteBuffer.wrap(file.data()).order(ByteOrder.LITTLE_ENDIAN);
        if (file.data().length < INIT_SIZE + 4) {
            throw truncated(file);
        }
        long start = in.getLong(PREF_ADDRESS);
        int length = file.data().length - setup;
        long room = Math.max(length, in.getInt(INIT_SIZE) & 0xFFFF_FFFFL);
        if (start < 0 || start > 0xFFFF_FFFFL) {
            throw new VmmException(file.name() + ": wants to be loaded at 0x" + Long.toHexString(start));
        }
        boot.placement().claim(start, room, file.name() + ": the kernel");
        boot.ram().write(start, file.data(), setup, length);
        return start;
    }

    /** The kernel in the image, an ELF file; from a cache, or for it, if there is one. */
    GuestFile unpack(Optional<KernelCache> cache) throws VmmException {
        if (payloadLength < MIN_PAYLOAD) {
            throw new VmmException(file.name() + ": bzImage with a kernel of " + payloadLength + " bytes");
        }
        ByteBuffer packed = ByteBuffer.wrap(file.data(), payload, payloadLength).slice();
        Optional<byte[]> kept = cache.flatMap(kernels -> kernels.find(packed));
        if (kept.isPresent()) {
            return new GuestFile(file.name(), kept.get());
        }
        byte[] kernel = Decompressor.decompress(file, payload, payloadLength);
        if (!ElfFile.matches(kernel)) {
            throw new VmmException(file.name() + ": the unpacked kernel is not an ELF file");
        }
        cache.ifPresent(kernels -> kernels.keep(packed, kernel));
        return new GuestFile(file.name(), kernel);
    }

    private static VmmException truncated(GuestFile file) {
        return new VmmException(file.name() + ": truncated bzImage: its kernel reaches beyond the file's "
                + file.data().length + " bytes");
    }
}
