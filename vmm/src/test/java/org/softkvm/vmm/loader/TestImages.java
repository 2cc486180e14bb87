package org.softkvm.vmm.loader;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.GZIPOutputStream;
import org.softkvm.vmm.GuestFile;
import org.tukaani.xz.FilterOptions;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.X86Options;
import org.tukaani.xz.XZ;
import org.tukaani.xz.XZOutputStream;

/** Small images made by hand. */
public final class TestImages {
    static final int LOAD = 0x10_0000;
    static final byte[] CODE = {(byte) 0xFA, (byte) 0xF4, 0x11, 0x22, 0x33};

    private TestImages() {}

    public static GuestFile file(byte[] data) {
        return new GuestFile("image", data);
    }

    static GuestRam ram(int size) {
        return new GuestRam(RamLayout.of(size), MemorySegment.ofArray(new byte[size]));
    }

    static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A 32-bit ELF file: header, two program headers, code with room for BSS at LOAD. */
    public static byte[] elf32(boolean pvh, byte[] tail) {
        byte[] data = new byte[0x200 + tail.length];
        ByteBuffer out = little(data);
        out.put(new byte[] {0x7F, 'E', 'L', 'F', 1, 1, 1});
        out.putShort(16, (short) 2)
                .putShort(18, (short) 3)
                .putInt(20, 1)
                .putInt(24, 0xC010_0002)
                .putInt(28, 52);
        out.putShort(40, (short) 52).putShort(42, (short) 32).putShort(44, (short) (pvh ? 2 : 1));
        out.position(52);
        out.putInt(1).putInt(0x100).putInt(0xC010_0000).putInt(LOAD);
        out.putInt(data.length - 0x100)
                .putInt(data.length - 0x100 + 0x1000)
                .putInt(7)
                .putInt(0x1000);
        out.putInt(4)
                .putInt(0xA0)
                .putInt(0)
                .putInt(0)
                .putInt(20)
                .putInt(20)
                .putInt(4)
                .putInt(4);
        note(out, 0xA0, 4, LOAD + 4);
        System.arraycopy(CODE, 0, data, 0x100, CODE.length);
        System.arraycopy(tail, 0, data, 0x200, tail.length);
        return data;
    }

    /** A 64-bit ELF file as vmlinux is: linked high, loaded at LOAD, with a PVH note of 8 bytes. */
    public static byte[] elf64() {
        byte[] data = new byte[0x300];
        ByteBuffer out = little(data);
        out.put(new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1});
        out.putShort(16, (short) 2).putShort(18, (short) 62).putInt(20, 1);
        out.putLong(24, 0xFFFF_FFFF_8100_0000L).putLong(32, 64);
        out.putShort(52, (short) 64).putShort(54, (short) 56).putShort(56, (short) 2);
        out.position(64);
        out.putInt(1).putInt(5).putLong(0x200).putLong(0xFFFF_FFFF_8100_0000L).putLong(LOAD);
        out.putLong(0x100).putLong(0x2000).putLong(0x1000);
        out.putInt(4)
                .putInt(4)
                .putLong(0x100)
                .putLong(0)
                .putLong(0)
                .putLong(24)
                .putLong(24)
                .putLong(4);
        note(out, 0x100, 8, LOAD + 0x40L);
        System.arraycopy(CODE, 0, data, 0x200, CODE.length);
        return data;
    }

    private static void note(ByteBuffer out, int at, int size, long entry) {
        out.putInt(at, 4).putInt(at + 4, size).putInt(at + 8, ElfFile.XEN_ELFNOTE_PHYS32_ENTRY);
        out.putInt(at + 12, 'X' | 'e' << 8 | 'n' << 16);
        if (size == 4) {
            out.putInt(at + 16, (int) entry);
        } else {
            out.putLong(at + 16, entry);
        }
    }

    public static byte[] multibootHeader(int flags, int... addresses) {
        byte[] data = new byte[12 + 4 * addresses.length];
        ByteBuffer out = little(data);
        out.putInt(MultibootHeader.HEADER_MAGIC).putInt(flags).putInt(-(MultibootHeader.HEADER_MAGIC + flags));
        for (int address : addresses) {
            out.putInt(address);
        }
        return data;
    }

    /** A bzImage of one boot and four setup sectors around a payload. */
    public static byte[] bzImage(byte[] payload) {
        int setup = 5 * 512;
        int offset = 0x100;
        byte[] data = new byte[setup + offset + payload.length + 64];
        ByteBuffer out = little(data);
        out.put(0x1F1, (byte) 4).putShort(0x1FE, (short) 0xAA55).putInt(0x202, 0x5372_6448);
        out.putShort(0x206, (short) 0x020F).putInt(0x248, offset).putInt(0x24C, payload.length);
        System.arraycopy(payload, 0, data, setup + offset, payload.length);
        return data;
    }

    public static byte[] gzip(byte[] data) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(data);
        }
        return out.toByteArray();
    }

    /** As the kernel's build does: the x86 filter, a CRC32 check, and 4 bytes of size behind it. */
    public static byte[] kernelXz(byte[] data) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        FilterOptions[] filters = {new X86Options(), new LZMA2Options(6)};
        try (XZOutputStream xz = new XZOutputStream(out, filters, XZ.CHECK_CRC32)) {
            xz.write(data);
        }
        byte[] bytes = out.toByteArray();
        ByteBuffer both = ByteBuffer.allocate(bytes.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        return both.put(bytes).putInt(data.length).array();
    }

    /** A Zstandard frame with one raw block, the content size given. */
    public static byte[] zstdRaw(byte[] data) {
        ByteBuffer out = ByteBuffer.allocate(data.length + 12).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(0xFD2F_B528).put((byte) 0xA0).putInt(data.length);
        int header = data.length << 3 | 1;
        out.put((byte) header).put((byte) (header >> 8)).put((byte) (header >> 16));
        return out.put(data).array();
    }
}
