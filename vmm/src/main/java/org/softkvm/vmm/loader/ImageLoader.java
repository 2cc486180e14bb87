package org.softkvm.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.OptionalLong;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;

/** Recognises images by their content and loads them. */
public final class ImageLoader {
    private ImageLoader() {}

    /**
     * Loads an image.
     *
     * @param request what to boot
     * @param layout where the guest's RAM stands
     * @param rsdp physical address of the ACPI root pointer for guests that are told it; 0 if there is none
     * @return how to start it
     * @throws VmmException if the image is not of a kind that is known, is damaged, or does not fit
     */
    public static LoadedGuest load(BootRequest request, RamLayout layout, long rsdp) throws VmmException {
        BootRequest plain = withoutCompression(request);
        ImageKind kind = chosen(plain, recognise(plain.image(), plain.kernel()));
        GuestContents ram = new GuestContents(layout);
        DirectBoot boot = new DirectBoot(ram, new Placement(layout));
        if (kind != ImageKind.FLAT_ROM) {
            LowMemory.write(ram);
        }
        return switch (kind) {
            case FLAT_ROM -> {
                refuseBootOptions(plain, kind);
                yield new LoadedGuest(kind, new CpuStart.Reset(), FlatRom.pad(plain.image()), ram);
            }
            case BOOT_SECTOR -> {
                refuseBootOptions(plain, kind);
                yield new LoadedGuest(kind, BootSector.start(plain.image(), ram), new byte[0], ram);
            }
            case MULTIBOOT -> {
                MultibootHeader header =
                        MultibootHeader.find(plain.image().data()).orElseThrow();
                yield new LoadedGuest(kind, MultibootBoot.start(plain, boot, header), new byte[0], ram);
            }
            case PVH -> new LoadedGuest(kind, startPvh(plain, boot, rsdp), new byte[0], ram);
            case ELF -> {
                refuseModules(plain, kind);
                CpuStart start = startElf(plain, boot, ElfFile.parse(plain.image()), rsdp, Optional.empty());
                yield new LoadedGuest(kind, start, new byte[0], ram);
            }
            case BZIMAGE -> new LoadedGuest(kind, startBzImage(plain, boot, rsdp), new byte[0], ram);
        };
    }

    /** What an image is to be taken for, where the user says how it is to be entered. */
    private static ImageKind chosen(BootRequest request, ImageKind kind) throws VmmException {
        if (request.protocol() == BootProtocol.AUTO || kind == ImageKind.BZIMAGE) {
            return kind;
        }
        if (!ElfFile.matches(request.image().data())) {
            throw new VmmException("--boot-protocol: " + request.image().name() + " is a " + kind.title()
                    + ", which has an entry of its own");
        }
        return request.protocol() == BootProtocol.PVH ? ImageKind.PVH : ImageKind.ELF;
    }

    /**
     * Tells what an image is.
     *
     * @param file the image
     * @param kernel whether the user called it a kernel, so that a ROM or boot sector is no answer
     * @return its kind
     * @throws VmmException if it is of no kind that can be booted; the message names what it seems to be
     */
    public static ImageKind recognise(GuestFile file, boolean kernel) throws VmmException {
        byte[] data = file.data();
        if (data.length == 0) {
            throw new VmmException(file.name() + ": is empty");
        }
        if (BzImage.matches(data)) {
            return ImageKind.BZIMAGE;
        }
        Optional<MultibootHeader> multiboot = MultibootHeader.find(data);
        if (ElfFile.matches(data)) {
            ElfFile elf = ElfFile.parse(file);
            if (multiboot.isPresent()) {
                return ImageKind.MULTIBOOT;
            }
            return elf.pvhEntry().isPresent() ? ImageKind.PVH : ImageKind.ELF;
        }
        if (multiboot.isPresent()) {
            return ImageKind.MULTIBOOT;
        }
        refuseKnownStrangers(file);
        if (kernel) {
            throw new VmmException(file.name() + ": not a kernel: neither ELF, multiboot nor bzImage");
        }
        return recogniseFlat(file);
    }

    private static ImageKind recogniseFlat(GuestFile file) throws VmmException {
        byte[] data = file.data();
        if (BootSector.hasSignature(data)) {
            if (data.length == BootSector.SIZE) {
                return ImageKind.BOOT_SECTOR;
            }
            if (data.length % BootSector.SIZE == 0 && !(FlatRom.hasRomSize(data) && looksLikeJump(data))) {
                throw new VmmException(file.name() + ": disk image: booting from disks is not supported yet: --disk");
            }
        }
        if (FlatRom.hasRomSize(data) && !FlatRom.isText(data)) {
            return ImageKind.FLAT_ROM;
        }
        throw new VmmException(file.name()
                + ": not an image that can be booted: neither ROM, boot sector, ELF, multiboot" + " nor bzImage");
    }

    /** Whether the reset vector holds a jump, as that of every BIOS does. */
    private static boolean looksLikeJump(byte[] data) {
        int opcode = data[data.length - 16] & 0xFF;
        return opcode == 0xEA || opcode == 0xE9 || opcode == 0xEB;
    }

    /** Names what is known and cannot be booted, where the fall-back to a flat ROM would be a surprise. */
    private static void refuseKnownStrangers(GuestFile file) throws VmmException {
        byte[] data = file.data();
        ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        if (data.length >= 64 && in.getInt(56) == 0x644D_5241) {
            throw new VmmException(file.name() + ": Linux kernel for another architecture: arm64");
        }
        if (data.length >= 64 && in.getInt(56) == 0x0543_5352) {
            throw new VmmException(file.name() + ": Linux kernel for another architecture: RISC-V");
        }
        if (data.length >= 40 && in.getInt(36) == 0x016F_2818) {
            throw new VmmException(file.name() + ": Linux kernel for another architecture: 32-bit ARM");
        }
        if (data.length >= 64 && data[0] == 'M' && data[1] == 'Z') {
            throw new VmmException(file.name() + ": " + windowsImage(in));
        }
        if (data.length >= 0x8006 && matches(data, 0x8001, "CD001")) {
            throw new VmmException(file.name() + ": ISO 9660 image: booting from CD is not supported yet: --cdrom");
        }
        if (data.length >= 4 && in.getInt(0) == 0xFB49_4651) {
            throw new VmmException(file.name() + ": qcow2 disk image: booting from disks is not supported yet: --disk");
        }
        if (data.length >= 512 && data[0] == 0x55 && data[1] == (byte) 0xAA && (data[2] & 0xFF) * 512 == data.length) {
            throw new VmmException(file.name() + ": option ROM: it needs a BIOS to start it");
        }
    }

    private static String windowsImage(ByteBuffer in) {
        int header = in.getInt(60);
        if (header < 0 || header > in.limit() - 6 || in.getInt(header) != 0x4550) {
            return "DOS program: it needs an operating system";
        }
        int machine = in.getShort(header + 4) & 0xFFFF;
        return switch (machine) {
            case 0x14C, 0x8664 -> "EFI or Windows program: EFI firmware is not supported yet: --firmware";
            case 0xAA64 -> "EFI program for another architecture: arm64";
            case 0x1C0, 0x1C2, 0x1C4 -> "EFI program for another architecture: 32-bit ARM";
            case 0x5064 -> "EFI program for another architecture: RISC-V";
            default -> "EFI program for another architecture: PE machine 0x" + Integer.toHexString(machine);
        };
    }

    private static boolean matches(byte[] data, int offset, String text) {
        for (int i = 0; i < text.length(); i++) {
            if (data[offset + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Kernels such as Xen's are shipped as a gzip file; boot loaders unpack them without a word. */
    private static BootRequest withoutCompression(BootRequest request) throws VmmException {
        GuestFile image = request.image();
        byte[] data = image.data();
        if (!Decompressor.isGzip(data)) {
            return request;
        }
        return withImage(request, new GuestFile(image.name(), Decompressor.decompress(image, 0, data.length)));
    }

    private static BootRequest withImage(BootRequest request, GuestFile image) {
        return new BootRequest(
                image,
                request.kernel(),
                request.initrd(),
                request.commandLine(),
                request.modules(),
                request.protocol(),
                request.kernels());
    }

    private static CpuStart startBzImage(BootRequest request, DirectBoot boot, long rsdp) throws VmmException {
        BzImage image = BzImage.parse(request.image());
        if (!image.hasPayload()) {
            refuseModules(request, ImageKind.BZIMAGE);
            return LinuxBoot.start(request, boot, image.loadCode(boot), rsdp, Optional.of(image));
        }
        if (request.protocol() == BootProtocol.LINUX64) {
            // The entry that the protocol defines: the kernel unpacks itself.
            refuseModules(request, ImageKind.BZIMAGE);
            if (!image.has64BitEntry()) {
                throw new VmmException(request.image().name() + ": the kernel has no 64-bit entry point");
            }
            long code = image.loadCode64(boot);
            return LinuxBoot.start64(request, boot, code + BzImage.ENTRY_64, rsdp, Optional.of(image));
        }
        BootRequest unpacked = withImage(request, image.unpack(request.kernels()));
        ElfFile elf = ElfFile.parse(unpacked.image());
        if (request.protocol() == BootProtocol.PVH
                || request.protocol() == BootProtocol.AUTO && elf.pvhEntry().isPresent()) {
            return startPvh(unpacked, boot, rsdp);
        }
        if (request.protocol() == BootProtocol.LINUX32 && elf.wide()) {
            refuseModules(request, ImageKind.BZIMAGE);
            return LinuxBoot.start(request, boot, image.loadCode(boot), rsdp, Optional.of(image));
        }
        return startElf(unpacked, boot, elf, rsdp, Optional.of(image));
    }

    /** An ELF file by the Linux boot protocol of its width. */
    private static CpuStart startElf(
            BootRequest request, DirectBoot boot, ElfFile elf, long rsdp, Optional<BzImage> image) throws VmmException {
        refuseModules(request, ImageKind.ELF);
        boolean wide = elf.wide();
        if (request.protocol() == BootProtocol.LINUX64 && !wide || request.protocol() == BootProtocol.LINUX32 && wide) {
            throw new VmmException("--boot-protocol: " + request.image().name() + " is an ELF file of "
                    + (wide ? 64 : 32) + " bits: " + request.protocol().title());
        }
        elf.load(boot.ram(), boot.placement());
        long entry = entryBelow4G(elf);
        return wide
                ? LinuxBoot.start64(request, boot, entry, rsdp, image)
                : LinuxBoot.start(request, boot, entry, rsdp, image);
    }

    private static CpuStart startPvh(BootRequest request, DirectBoot boot, long rsdp) throws VmmException {
        ElfFile elf = ElfFile.parse(request.image());
        OptionalLong entry = elf.pvhEntry();
        if (entry.isEmpty()) {
            throw new VmmException(request.image().name() + ": the kernel has no PVH entry point (CONFIG_PVH)");
        }
        elf.load(boot.ram(), boot.placement());
        return PvhBoot.start(request, boot, entry.getAsLong(), rsdp);
    }

    private static long entryBelow4G(ElfFile elf) throws VmmException {
        long entry = elf.physicalEntry();
        if (entry > 0xFFFF_FFFFL) {
            throw new VmmException(elf.file().name() + ": entry point lies above 4 GiB");
        }
        return entry;
    }

    private static void refuseModules(BootRequest request, ImageKind kind) throws VmmException {
        if (!request.modules().isEmpty()) {
            throw new VmmException("--module: " + request.image().name() + " is a " + kind.title()
                    + " without PVH entry, which takes none");
        }
    }

    private static void refuseBootOptions(BootRequest request, ImageKind kind) throws VmmException {
        String option = request.initrd().isPresent()
                ? "--initrd"
                : !request.modules().isEmpty()
                        ? "--module"
                        : !request.commandLine().isEmpty() ? "--append" : "";
        if (!option.isEmpty()) {
            throw new VmmException(
                    option + ": " + request.image().name() + " is a " + kind.title() + ", which takes none");
        }
    }
}
