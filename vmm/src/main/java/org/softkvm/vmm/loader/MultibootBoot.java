package org.softkvm.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.GuestModule;
import org.softkvm.vmm.VmmException;

/** Boots a kernel by the Multiboot Specification, version 0.6.96. */
final class MultibootBoot {
    /** What EAX holds at entry. */
    static final int BOOTLOADER_MAGIC = 0x2BAD_B002;

    static final int INFO_MEMORY = 1;
    static final int INFO_CMDLINE = 1 << 2;
    static final int INFO_MODS = 1 << 3;
    static final int INFO_MEM_MAP = 1 << 6;
    static final int INFO_LOADER_NAME = 1 << 9;

    private static final int INFO_SIZE = 116;
    private static final int MODULE_SIZE = 16;
    private static final int MMAP_SIZE = 24;
    private static final long PAGE = 0x1000;

    private MultibootBoot() {}

    static CpuStart start(BootRequest request, DirectBoot boot, MultibootHeader header) throws VmmException {
        GuestFile image = request.image();
        int unknown = header.flags() & 0xFFFF & ~MultibootHeader.KNOWN;
        if (unknown != 0) {
            throw new VmmException(image.name() + ": multiboot header asks for features 0x"
                    + Integer.toHexString(unknown) + " that multiboot 1 does not define");
        }
        long entry = header.hasAddresses() ? loadByAddresses(image, boot, header) : loadElf(image, boot);
        if (entry > 0xFFFF_FFFFL) {
            throw new VmmException(image.name() + ": multiboot entry point lies above 4 GiB");
        }
        long gdt = boot.putGdt();
        List<GuestModule> modules = new ArrayList<>();
        request.initrd().ifPresent(file -> modules.add(new GuestModule(file, "")));
        modules.addAll(request.modules());
        byte[] moduleList = placeModules(boot, modules);
        byte[] map = memoryMap(boot.ram().layout().memoryMap());

        ByteBuffer info = ByteBuffer.allocate(INFO_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        info.putInt(0, INFO_MEMORY | INFO_CMDLINE | INFO_MODS | INFO_MEM_MAP | INFO_LOADER_NAME);
        RamLayout layout = boot.ram().layout();
        info.putInt(4, (int) (Math.min(layout.lowSize(), RamLayout.CONVENTIONAL_END) >> 10));
        info.putInt(8, (int) (Math.max(0, layout.lowSize() - RamLayout.EXTENDED_START) >> 10));
        info.putInt(16, (int) boot.putString(withName(image, request.commandLine()), "the command line"));
        info.putInt(20, modules.size());
        info.putInt(24, modules.isEmpty() ? 0 : (int) boot.putLow(moduleList, "the module list"));
        info.putInt(44, map.length);
        info.putInt(48, (int) boot.putLow(map, "the memory map"));
        info.putInt(64, (int) boot.putString("SoftKVM", "the loader's name"));
        long address = boot.putLow(info.array(), "the multiboot information");
        return new CpuStart.Flat32(entry, BOOTLOADER_MAGIC, (int) address, 0, gdt);
    }

    private static long loadElf(GuestFile image, DirectBoot boot) throws VmmException {
        if (!ElfFile.matches(image.data())) {
            throw new VmmException(image.name() + ": multiboot kernel is neither ELF nor has load addresses");
        }
        ElfFile elf = ElfFile.parse(image);
        elf.load(boot.ram(), boot.placement());
        return elf.physicalEntry();
    }

    private static long loadByAddresses(GuestFile image, DirectBoot boot, MultibootHeader header) throws VmmException {
        long start = header.offset() - (header.headerAddress() - header.loadAddress());
        if (start < 0 || header.headerAddress() < header.loadAddress()) {
            throw malformed(image, "the load address does not match the header's place in the file");
        }
        long available = image.data().length - start;
        long length = header.loadEnd() == 0 ? available : header.loadEnd() - header.loadAddress();
        if (length <= 0 || length > available) {
            throw malformed(image, "it loads " + length + " bytes and the file has " + available);
        }
        long end = Math.max(header.loadAddress() + length, header.bssEnd());
        boot.placement().claim(header.loadAddress(), end - header.loadAddress(), image.name() + ": multiboot kernel");
        boot.ram().write(header.loadAddress(), image.data(), (int) start, (int) length);
        return header.entry();
    }

    private static VmmException malformed(GuestFile image, String what) {
        return new VmmException(image.name() + ": malformed multiboot header: " + what);
    }

    private static byte[] placeModules(DirectBoot boot, List<GuestModule> modules) throws VmmException {
        ByteBuffer list = ByteBuffer.allocate(modules.size() * MODULE_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (GuestModule module : modules) {
            GuestFile file = module.file();
            int size = file.data().length;
            // Behind the kernel, as boot loaders do: kernels of this kind often map only the first few MiB at start.
            long at = boot.placement()
                    .lowest(
                            size,
                            PAGE,
                            boot.placement().claimedEnd(),
                            boot.ram().layout().lowSize(),
                            file.name() + ": module");
            boot.ram().write(at, file.data());
            list.putInt((int) at).putInt((int) (at + size));
            list.putInt((int) boot.putString(withName(file, module.arguments()), "a module's command line"));
            list.putInt(0);
        }
        return list.array();
    }

    /** Kernels of this protocol expect the file's name as the first word. */
    private static String withName(GuestFile file, String arguments) {
        return arguments.isEmpty() ? file.name() : file.name() + " " + arguments;
    }

    private static byte[] memoryMap(List<MemoryRange> ranges) {
        ByteBuffer map = ByteBuffer.allocate(ranges.size() * MMAP_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (MemoryRange range : ranges) {
            // The size field does not count itself.
            map.putInt(MMAP_SIZE - 4)
                    .putLong(range.start())
                    .putLong(range.size())
                    .putInt(range.type());
        }
        return map.array();
    }
}
