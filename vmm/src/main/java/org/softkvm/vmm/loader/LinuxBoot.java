package org.softkvm.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;

/**
 * The 32-bit and 64-bit Linux boot protocols (Documentation/arch/x86/boot.rst and zero-page.rst of the kernel): ESI or RSI
 * leads to boot_params. They start kernels that have no PVH entry, and every ELF file of which nothing else is known.
 */
final class LinuxBoot {
    private static final int BOOT_PARAMS_SIZE = 4096;
    private static final int MAX_E820 = 128;
    private static final long PAGE = 0x1000;

    // boot_params.
    private static final int ACPI_RSDP_ADDR = 0x070;
    private static final int E820_ENTRIES = 0x1E8;
    private static final int SETUP_HEADER = 0x1F1;
    private static final int E820_TABLE = 0x2D0;

    // The setup header in it.
    private static final int VID_MODE = 0x1FA;
    private static final int BOOT_FLAG = 0x1FE;
    private static final int JUMP_OFFSET = 0x201;
    private static final int HEADER = 0x202;
    private static final int VERSION = 0x206;
    private static final int TYPE_OF_LOADER = 0x210;
    private static final int LOADFLAGS = 0x211;
    private static final int RAMDISK_IMAGE = 0x218;
    private static final int RAMDISK_SIZE = 0x21C;
    private static final int CMD_LINE_PTR = 0x228;
    private static final int INITRD_ADDR_MAX = 0x22C;

    private static final int LOADED_HIGH = 1;
    private static final int LOADER_UNDEFINED = 0xFF;
    private static final int VIDEO_NORMAL = 0xFFFF;

    /** What every 32-bit kernel reaches without high memory. */
    private static final long DEFAULT_INITRD_MAX = 0x37FF_FFFFL;

    private LinuxBoot() {}

    /**
     * Places the initrd and boot_params.
     *
     * @param entry physical address of the 32-bit entry point
     * @param setupHeader the bzImage that the kernel came from, if it did
     */
    static CpuStart start(BootRequest request, DirectBoot boot, long entry, long rsdp, Optional<BzImage> setupHeader)
            throws VmmException {
        long gdt = boot.putGdt();
        long address = putParams(request, boot, rsdp, setupHeader);
        return new CpuStart.Flat32(entry, 0, 0, (int) address, gdt);
    }

    /**
     * The same for a 64-bit entry point.
     *
     * @param entry physical address of the entry point
     */
    static CpuStart start64(BootRequest request, DirectBoot boot, long entry, long rsdp, Optional<BzImage> setupHeader)
            throws VmmException {
        long gdt = boot.putGdt64();
        long tables = boot.putIdentityMap();
        long address = putParams(request, boot, rsdp, setupHeader);
        return new CpuStart.Long64(entry, address, gdt, tables);
    }

    private static long putParams(BootRequest request, DirectBoot boot, long rsdp, Optional<BzImage> setupHeader)
            throws VmmException {
        ByteBuffer params = ByteBuffer.allocate(BOOT_PARAMS_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        if (setupHeader.isPresent()) {
            copyHeader(setupHeader.get().file().data(), params);
        } else {
            params.putShort(BOOT_FLAG, (short) 0xAA55)
                    .putInt(HEADER, BzImage.HDRS)
                    .putShort(VERSION, (short) 0x020F);
            params.putInt(INITRD_ADDR_MAX, (int) DEFAULT_INITRD_MAX);
        }
        params.putShort(VID_MODE, (short) VIDEO_NORMAL);
        params.put(TYPE_OF_LOADER, (byte) LOADER_UNDEFINED);
        params.put(LOADFLAGS, (byte) (params.get(LOADFLAGS) | LOADED_HIGH));
        params.putLong(ACPI_RSDP_ADDR, rsdp);
        params.putInt(CMD_LINE_PTR, (int) boot.putString(request.commandLine(), "the command line"));
        if (request.initrd().isPresent()) {
            GuestFile initrd = request.initrd().get();
            int size = initrd.data().length;
            long max = params.getInt(INITRD_ADDR_MAX) & 0xFFFF_FFFFL;
            long end = Math.min(boot.ram().layout().lowSize(), (max == 0 ? DEFAULT_INITRD_MAX : max) + 1);
            long at =
                    boot.placement().highest(size, PAGE, RamLayout.EXTENDED_START, end, initrd.name() + ": the initrd");
            boot.ram().write(at, initrd.data());
            params.putInt(RAMDISK_IMAGE, (int) at).putInt(RAMDISK_SIZE, size);
        }
        putMemoryMap(boot.ram().layout().memoryMap(), params);
        return boot.putLow(params.array(), "boot_params");
    }

    /** Copies the setup header, which ends where the jump at its start leads to. */
    private static void copyHeader(byte[] image, ByteBuffer params) {
        int end = Math.min(HEADER + (image[JUMP_OFFSET] & 0xFF), Math.min(E820_TABLE, image.length));
        params.put(SETUP_HEADER, image, SETUP_HEADER, Math.max(end, INITRD_ADDR_MAX + 4) - SETUP_HEADER);
    }

    private static void putMemoryMap(List<MemoryRange> map, ByteBuffer params) {
        int count = Math.min(map.size(), MAX_E820);
        params.put(E820_ENTRIES, (byte) count);
        for (int i = 0; i < count; i++) {
            MemoryRange range = map.get(i);
            int at = E820_TABLE + 20 * i;
            params.putLong(at, range.start()).putLong(at + 8, range.size()).putInt(at + 16, range.type());
        }
    }
}
