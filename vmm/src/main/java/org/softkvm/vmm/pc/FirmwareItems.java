package org.softkvm.vmm.pc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.softkvm.devices.firmware.FwCfgItems;
import org.softkvm.vmm.loader.MemoryRange;
import org.softkvm.vmm.loader.RamLayout;

/** What the board's fw_cfg device offers: the machine's size, and what is to be booted. */
final class FirmwareItems {
    private static final int E820_ENTRY = 20;

    /** The Linux boot protocol: how many sectors of setup follow the boot sector, and where the header's magic stands. */
    private static final int SETUP_SECTS = 0x1F1;

    private static final int HEADER_MAGIC = 0x202;
    private static final int HDRS = 0x53726448;
    private static final int SECTOR = 512;
    private static final int DEFAULT_SETUP_SECTS = 4;

    private FirmwareItems() {}

    static FwCfgItems of(PcConfig config, RamLayout layout) {
        FwCfgItems items = new FwCfgItems()
                .put(FwCfgItems.UUID, new byte[16])
                .putLong(FwCfgItems.RAM_SIZE, layout.total())
                .putShort(FwCfgItems.NOGRAPHIC, 1)
                .putShort(FwCfgItems.NB_CPUS, config.cpus())
                .putShort(FwCfgItems.MAX_CPUS, config.cpus())
                .putShort(FwCfgItems.BOOT_MENU, 0)
                .putInt(FwCfgItems.IRQ0_OVERRIDE, 1)
                .putFile("etc/e820", e820(layout.memoryMap()));
        if (config.kernel()) {
            kernel(items, config.image().data());
        }
        config.initrd().ifPresent(file -> {
            items.putInt(FwCfgItems.INITRD_SIZE, file.data().length);
            items.put(FwCfgItems.INITRD_DATA, file.data());
        });
        byte[] line = config.commandLine().getBytes(StandardCharsets.UTF_8);
        items.putInt(FwCfgItems.CMDLINE_SIZE, line.length + 1);
        items.put(FwCfgItems.CMDLINE_DATA, Arrays.copyOf(line, line.length + 1));
        return items;
    }

    /** A bzImage in its two parts, as firmware wants them; any other kernel whole. */
    private static void kernel(FwCfgItems items, byte[] image) {
        int setup = 0;
        if (image.length >= HEADER_MAGIC + 4
                && ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).getInt(HEADER_MAGIC) == HDRS) {
            int sectors = image[SETUP_SECTS] & 0xFF;
            setup = Math.min(image.length, ((sectors == 0 ? DEFAULT_SETUP_SECTS : sectors) + 1) * SECTOR);
        }
        items.putInt(FwCfgItems.SETUP_SIZE, setup);
        items.put(FwCfgItems.SETUP_DATA, Arrays.copyOf(image, setup));
        items.putInt(FwCfgItems.KERNEL_SIZE, image.length - setup);
        items.put(FwCfgItems.KERNEL_DATA, setup == 0 ? image : Arrays.copyOfRange(image, setup, image.length));
    }

    private static byte[] e820(List<MemoryRange> ranges) {
        ByteBuffer map = ByteBuffer.allocate(ranges.size() * E820_ENTRY).order(ByteOrder.LITTLE_ENDIAN);
        for (MemoryRange range : ranges) {
            map.putLong(range.start()).putLong(range.size()).putInt(range.type());
        }
        return map.array();
    }
}
