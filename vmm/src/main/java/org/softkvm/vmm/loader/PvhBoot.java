package org.softkvm.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.GuestModule;
import org.softkvm.vmm.VmmException;

/**
 * The x86/HVM direct boot protocol (PVH): xen/include/public/arch-x86/hvm/start_info.h describes the structures, the
 * Xen documentation's 'x86/HVM direct boot ABI' the CPU state.
 */
final class PvhBoot {
    /** Magic number of hvm_start_info, 'xEn3' with the top bit of 'E' set. */
    static final int START_MAGIC = 0x336E_C578;

    private static final int VERSION = 1;
    private static final int START_INFO_SIZE = 56;
    private static final int MODULE_SIZE = 32;
    private static final int MEMMAP_SIZE = 24;
    private static final long PAGE = 0x1000;

    private PvhBoot() {}

    /** A module already placed in guest memory. */
    private record PlacedModule(long address, long size, long commandLine) {}

    /**
     * Places modules and the start info.
     *
     * @param entry physical address of the 32-bit entry point
     * @param rsdp physical address of the ACPI root pointer, 0 if there is none
     */
    static CpuStart start(BootRequest request, DirectBoot boot, long entry, long rsdp) throws VmmException {
        if (entry < 0 || entry > 0xFFFF_FFFFL) {
            throw new VmmException(
                    request.image().name() + ": PVH entry point 0x" + Long.toHexString(entry) + " lies above 4 GiB");
        }
        long gdt = boot.putGdt();
        List<PlacedModule> modules = new ArrayList<>();
        if (request.initrd().isPresent()) {
            modules.add(place(boot, request.initrd().get(), "the initrd", ""));
        }
        for (GuestModule module : request.modules()) {
            modules.add(place(boot, module.file(), "module", module.arguments()));
        }
        List<MemoryRange> map = boot.ram().layout().memoryMap();
        ByteBuffer info = little(START_INFO_SIZE);
        info.putInt(START_MAGIC).putInt(VERSION).putInt(0).putInt(modules.size());
        info.putLong(modules.isEmpty() ? 0 : boot.putLow(moduleList(modules), "the module list"));
        info.putLong(boot.putString(request.commandLine(), "the command line"));
        info.putLong(rsdp);
        info.putLong(boot.putLow(memoryMap(map), "the memory map"));
        info.putInt(map.size()).putInt(0);
        long startInfo = boot.putLow(info.array(), "the start info");
        return new CpuStart.Flat32(entry, 0, (int) startInfo, 0, gdt);
    }

    private static PlacedModule place(DirectBoot boot, GuestFile file, String what, String arguments)
            throws VmmException {
        int size = file.data().length;
        long end = boot.ram().layout().lowSize();
        long at = boot.placement().highest(size, PAGE, RamLayout.EXTENDED_START, end, file.name() + ": " + what);
        boot.ram().write(at, file.data());
        long commandLine = arguments.isEmpty() ? 0 : boot.putString(arguments, "a module's command line");
        return new PlacedModule(at, size, commandLine);
    }

    private static byte[] moduleList(List<PlacedModule> modules) {
        ByteBuffer list = little(modules.size() * MODULE_SIZE);
        for (PlacedModule module : modules) {
            list.putLong(module.address)
                    .putLong(module.size)
                    .putLong(module.commandLine)
                    .putLong(0);
        }
        return list.array();
    }

    private static byte[] memoryMap(List<MemoryRange> map) {
        ByteBuffer list = little(map.size() * MEMMAP_SIZE);
        for (MemoryRange range : map) {
            list.putLong(range.start())
                    .putLong(range.size())
                    .putInt(range.type())
                    .putInt(0);
        }
        return list.array();
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
