package org.softkvm.vmm.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.softkvm.vmm.loader.TestImages.LOAD;
import static org.softkvm.vmm.loader.TestImages.little;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.GuestModule;
import org.softkvm.vmm.VmmException;

class ImageLoaderTest {
    private static final int RAM = 16 << 20;
    private static final long RSDP = 0xE_0000;

    private final GuestRam ram = TestImages.ram(RAM);

    private LoadedGuest load(byte[] image) throws VmmException {
        return load(BootRequest.of(TestImages.file(image)));
    }

    private LoadedGuest load(BootRequest request) throws VmmException {
        LoadedGuest guest = ImageLoader.load(request, ram.layout(), RSDP);
        guest.writeTo(ram);
        return guest;
    }

    private LoadedGuest loadKernel(byte[] image, GuestFile initrd, String commandLine, GuestModule... modules)
            throws VmmException {
        return load(new BootRequest(
                TestImages.file(image),
                true,
                Optional.ofNullable(initrd),
                commandLine,
                List.of(modules),
                BootProtocol.AUTO));
    }

    private ByteBuffer at(long address, int size) {
        return little(ram.read(address, size));
    }

    private String string(long address) {
        byte[] bytes = ram.read(address, 100);
        int end = 0;
        while (bytes[end] != 0) {
            end++;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8);
    }

    private void assertRefused(byte[] image, String... words) {
        assertThatThrownBy(() -> load(image))
                .isInstanceOf(VmmException.class)
                .message()
                .startsWith("image: ")
                .doesNotContain("\n")
                .contains(words);
    }

    @Test
    void flatRomIsPaddedInFrontToWholeGranules() throws VmmException {
        byte[] small = new byte[1000];
        small[999 - 15] = (byte) 0xEA;
        LoadedGuest guest = load(small);
        assertThat(guest.kind()).isEqualTo(ImageKind.FLAT_ROM);
        assertThat(guest.start()).isEqualTo(new CpuStart.Reset());
        assertThat(guest.rom()).hasSize(0x1_0000).endsWith(small);
        assertThat(guest.rom()[0]).isEqualTo((byte) 0xFF);
        byte[] large = new byte[0x2_0000];
        large[large.length - 16] = (byte) 0xE9;
        assertThat(load(large).rom()).isEqualTo(large);
    }

    @Test
    void flatRomNeedsCodeAtItsResetVector() {
        assertRefused(new byte[0x1_0000], "reset vector");
        byte[] erased = new byte[0x1_0000];
        Arrays.fill(erased, (byte) 0xFF);
        assertRefused(erased, "reset vector");
    }

    @Test
    void whatIsNoImageIsNamed() {
        assertRefused("This is a text file\n".repeat(10).getBytes(StandardCharsets.US_ASCII), "not an image");
        byte[] odd = new byte[0x1_0001];
        odd[odd.length - 16] = 1;
        assertRefused(odd, "not an image");
        assertRefused(new byte[0], "is empty");
        byte[] disk = new byte[8192];
        disk[510] = 0x55;
        disk[511] = (byte) 0xAA;
        assertRefused(disk, "disk image", "not supported yet: --disk");
        byte[] iso = new byte[0x9000];
        System.arraycopy("CD001".getBytes(StandardCharsets.US_ASCII), 0, iso, 0x8001, 5);
        assertRefused(iso, "ISO 9660", "not supported yet: --cdrom");
        byte[] option = new byte[1024];
        option[0] = 0x55;
        option[1] = (byte) 0xAA;
        option[2] = 2;
        assertRefused(option, "option ROM");
        byte[] qcow = new byte[512];
        little(qcow).putInt(0, 0xFB49_4651);
        assertRefused(qcow, "qcow2");
    }

    @Test
    void otherArchitecturesAreNamed() {
        byte[] arm64Image = new byte[0x1_0000];
        little(arm64Image).putInt(56, 0x644D_5241);
        assertRefused(arm64Image, "another architecture: arm64");
        byte[] riscv = new byte[0x1_0000];
        little(riscv).putInt(56, 0x0543_5352);
        assertRefused(riscv, "another architecture: RISC-V");
        byte[] arm32 = new byte[0x1_0000];
        little(arm32).putInt(36, 0x016F_2818);
        assertRefused(arm32, "another architecture: 32-bit ARM");
        byte[] efi = new byte[0x1_0000];
        little(efi)
                .putShort(0, (short) 0x5A4D)
                .putInt(60, 0x80)
                .putInt(0x80, 0x4550)
                .putShort(0x84, (short) 0xAA64);
        assertRefused(efi, "another architecture: arm64");
        little(efi).putShort(0x84, (short) 0x8664);
        assertRefused(efi, "EFI firmware is not supported yet");
        byte[] elf = TestImages.elf32(false, new byte[0]);
        little(elf).putShort(18, (short) 183);
        assertRefused(elf, "another architecture: AArch64");
        byte[] bigEndian = TestImages.elf32(false, new byte[0]);
        bigEndian[5] = 2;
        bigEndian[18] = 0;
        bigEndian[19] = 22;
        assertRefused(bigEndian, "another architecture: IBM S/390");
    }

    @Test
    void bootSectorStartsAsBiosWould() throws VmmException {
        byte[] sector = new byte[512];
        sector[0] = (byte) 0xFA;
        sector[510] = 0x55;
        sector[511] = (byte) 0xAA;
        LoadedGuest guest = load(sector);
        assertThat(guest.kind()).isEqualTo(ImageKind.BOOT_SECTOR);
        assertThat(guest.start()).isEqualTo(new CpuStart.Real(0x7C00, 0x7C00, 0x80));
        assertThat(ram.read(0x7C00, 512)).isEqualTo(sector);
        int vector = at(0x13 * 4, 4).getInt();
        assertThat(ram.read((vector >>> 16) * 16L + (vector & 0xFFFF), 1)).containsExactly(0xCF);
    }

    @Test
    void everyGuestButARomFindsWhatFirmwareLeavesBehind() throws VmmException {
        load(TestImages.elf32(true, new byte[0]));
        assertThat(at(0x400, 2).getShort()).isEqualTo((short) 0x3F8);
        assertThat(at(0x40E, 2).getShort()).isEqualTo((short) 0x9FC0);
        assertThat(at(0x413, 2).getShort()).isEqualTo((short) 639);
        assertThat(ram.read(0x9_FC00, 1)).containsExactly(1);
        assertThat(ram.read(0xF_FF53, 1)).containsExactly(0xCF);
        byte[] rom = new byte[0x1_0000];
        rom[rom.length - 16] = (byte) 0xEA;
        GuestRam untouched = TestImages.ram(1 << 20);
        ImageLoader.load(BootRequest.of(TestImages.file(rom)), untouched.layout(), RSDP)
                .writeTo(untouched);
        assertThat(untouched.read(0, 1 << 20)).containsOnly(0);
    }

    @Test
    void plainElfIsEnteredAtItsPhysicalEntryPoint() throws VmmException {
        LoadedGuest guest = load(TestImages.elf32(false, new byte[0]));
        assertThat(guest.kind()).isEqualTo(ImageKind.ELF);
        CpuStart.Flat32 start = (CpuStart.Flat32) guest.start();
        assertThat(start.eip()).isEqualTo(LOAD + 2);
        assertThat(ram.read(LOAD, TestImages.CODE.length)).isEqualTo(TestImages.CODE);
        assertThat(ram.read(start.gdt(), FlatGdt.SIZE)).isEqualTo(FlatGdt.bytes());
    }

    @Test
    void entryPointMayBeAPhysicalAddress() throws VmmException {
        byte[] image = TestImages.elf32(false, new byte[0]);
        little(image).putInt(24, LOAD + 8);
        assertThat(((CpuStart.Flat32) load(image).start()).eip()).isEqualTo(LOAD + 8);
    }

    @Test
    void truncatedAndMalformedElfFilesAreRefused() {
        byte[] good = TestImages.elf32(true, new byte[0]);
        for (int length = 4; length < good.length; length += 7) {
            assertRefused(Arrays.copyOf(good, length), "truncated ELF");
        }
        byte[] noSegments = good.clone();
        little(noSegments).putShort(44, (short) 0);
        assertRefused(noSegments, "nothing to load");
        byte[] object = good.clone();
        little(object).putShort(16, (short) 1);
        assertRefused(object, "not been linked");
        byte[] entry = TestImages.elf32(false, new byte[0]);
        little(entry).putInt(24, 4);
        assertRefused(entry, "entry point 0x4 lies in no segment");
        byte[] note = good.clone();
        little(note).putInt(0xA4, 1000);
        assertRefused(note, "notes");
        byte[] shrunk = good.clone();
        little(shrunk).putInt(52 + 20, 1);
        assertRefused(shrunk, "larger in the file than in memory");
    }

    @Test
    void segmentsMustLieInRam() {
        byte[] video = TestImages.elf32(false, new byte[0]);
        little(video).putInt(52 + 12, 0x9_F000);
        assertRefused(video, "does not fit", "0x9f000");
        byte[] high = TestImages.elf32(false, new byte[0]);
        little(high).putInt(52 + 12, RAM - 0x1000);
        assertRefused(high, "does not fit", "16 MiB of RAM");
    }

    @Test
    void pvhKernelGetsItsStartInfo() throws VmmException {
        GuestFile initrd = new GuestFile("initrd", new byte[] {1, 2, 3});
        GuestModule module = new GuestModule(new GuestFile("m", new byte[] {9}), "quiet");
        LoadedGuest guest = loadKernel(TestImages.elf64(), initrd, "console=ttyS0", module);
        assertThat(guest.kind()).isEqualTo(ImageKind.PVH);
        CpuStart.Flat32 start = (CpuStart.Flat32) guest.start();
        assertThat(start.eip()).isEqualTo(LOAD + 0x40);
        ByteBuffer info = at(start.ebx(), 56);
        assertThat(info.getInt(0)).isEqualTo(PvhBoot.START_MAGIC);
        assertThat(info.getInt(4)).isOne();
        assertThat(info.getInt(12)).isEqualTo(2);
        assertThat(string(info.getLong(24))).isEqualTo("console=ttyS0");
        assertThat(info.getLong(32)).isEqualTo(RSDP);
        ByteBuffer first = at(info.getLong(16), 64);
        long initrdAt = first.getLong(0);
        assertThat(initrdAt).isEqualTo(RAM - 0x1000);
        assertThat(first.getLong(8)).isEqualTo(3);
        assertThat(ram.read(initrdAt, 3)).containsExactly(1, 2, 3);
        assertThat(ram.read(first.getLong(32), 1)).containsExactly(9);
        assertThat(string(first.getLong(48))).isEqualTo("quiet");
        ByteBuffer map = at(info.getLong(40), info.getInt(48) * 24);
        for (MemoryRange range : ram.layout().memoryMap()) {
            assertThat(map.getLong()).isEqualTo(range.start());
            assertThat(map.getLong()).isEqualTo(range.size());
            assertThat(map.getInt()).isEqualTo(range.type());
            map.getInt();
        }
    }

    @Test
    void modulesThatDoNotFitAreNamed() {
        GuestFile initrd = new GuestFile("huge", new byte[RAM]);
        assertThatThrownBy(() -> loadKernel(TestImages.elf64(), initrd, ""))
                .isInstanceOf(VmmException.class)
                .hasMessageContaining("huge: the initrd does not fit");
    }

    @Test
    void optionsThatAnImageCannotTakeAreRefused() {
        byte[] rom = new byte[0x1_0000];
        rom[rom.length - 16] = (byte) 0xEA;
        assertThatThrownBy(() -> loadKernel(rom, null, "")).hasMessageContaining("not a kernel");
        GuestFile file = TestImages.file(rom);
        Optional<GuestFile> none = Optional.empty();
        assertThatThrownBy(() -> load(new BootRequest(file, false, none, "quiet", List.of(), BootProtocol.AUTO)))
                .hasMessageContaining("--append");
        assertThatThrownBy(
                        () -> load(new BootRequest(file, false, Optional.of(file), "", List.of(), BootProtocol.AUTO)))
                .hasMessageContaining("--initrd");
        GuestModule module = new GuestModule(file, "");
        assertThatThrownBy(() -> load(new BootRequest(file, false, none, "", List.of(module), BootProtocol.AUTO)))
                .hasMessageContaining("--module");
        assertThatThrownBy(() -> loadKernel(TestImages.elf32(false, new byte[0]), null, "", module))
                .hasMessageContaining("--module");
    }

    @Test
    void multibootElfKernelGetsModulesAndMap() throws VmmException {
        byte[] image = TestImages.elf32(true, TestImages.multibootHeader(3));
        GuestModule module = new GuestModule(new GuestFile("mod", new byte[] {7, 8}), "a b");
        LoadedGuest guest = loadKernel(image, new GuestFile("initrd", new byte[] {5}), "x=1", module);
        assertThat(guest.kind()).isEqualTo(ImageKind.MULTIBOOT);
        CpuStart.Flat32 start = (CpuStart.Flat32) guest.start();
        assertThat(start.eax()).isEqualTo(0x2BAD_B002);
        assertThat(start.eip()).isEqualTo(LOAD + 2);
        ByteBuffer info = at(start.ebx(), 116);
        assertThat(info.getInt(0)).isEqualTo(0x24D);
        assertThat(info.getInt(4)).isEqualTo(639);
        assertThat(info.getInt(8)).isEqualTo((RAM >> 10) - 1024);
        assertThat(string(info.getInt(16))).isEqualTo("image x=1");
        assertThat(info.getInt(20)).isEqualTo(2);
        ByteBuffer modules = at(info.getInt(24), 32);
        assertThat(ram.read(modules.getInt(0), 1)).containsExactly(5);
        assertThat(modules.getInt(16) & 0xFFF).isZero();
        assertThat(modules.getInt(16)).isGreaterThanOrEqualTo(LOAD + 0x1000);
        assertThat(modules.getInt(20) - modules.getInt(16)).isEqualTo(2);
        assertThat(string(modules.getInt(24))).isEqualTo("mod a b");
        ByteBuffer map = at(info.getInt(48), info.getInt(44));
        assertThat(map.getInt()).isEqualTo(20);
        assertThat(map.getLong()).isZero();
        assertThat(map.getLong()).isEqualTo(0x9_FC00);
        assertThat(map.getInt()).isOne();
    }

    @Test
    void multibootByAddressesIsLoadedFromTheHeaderBack() throws VmmException {
        byte[] header = TestImages.multibootHeader(
                MultibootHeader.ADDRESSES, LOAD + 16, LOAD, LOAD + 64, LOAD + 0x2000, LOAD + 50);
        byte[] image = new byte[128];
        for (int i = 0; i < image.length; i++) {
            image[i] = (byte) i;
        }
        System.arraycopy(header, 0, image, 32, header.length);
        LoadedGuest guest = load(image);
        assertThat(guest.kind()).isEqualTo(ImageKind.MULTIBOOT);
        assertThat(((CpuStart.Flat32) guest.start()).eip()).isEqualTo(LOAD + 50);
        assertThat(ram.read(LOAD, 65)).isEqualTo(Arrays.copyOf(Arrays.copyOfRange(image, 16, 80), 65));
    }

    @Test
    void multibootHeadersThatCannotBeHonouredAreRefused() {
        assertRefused(TestImages.elf32(false, TestImages.multibootHeader(8)), "features 0x8");
        assertRefused(TestImages.multibootHeader(0), "neither ELF nor has load addresses");
        assertRefused(TestImages.multibootHeader(MultibootHeader.ADDRESSES, LOAD, LOAD + 4, 0, 0, LOAD), "malformed");
        assertRefused(
                TestImages.multibootHeader(MultibootHeader.ADDRESSES, LOAD, LOAD, LOAD + 4096, 0, LOAD),
                "the file has");
    }

    @Test
    void theSizeBehindAPayloadIsNotTrusted() throws VmmException, IOException {
        byte[] kernel = TestImages.elf64();
        byte[] xz = TestImages.kernelXz(kernel);
        for (int size : new int[] {0, 100, kernel.length - 1, kernel.length + 1, 2 * kernel.length, 1 << 28, -1}) {
            byte[] payload = xz.clone();
            ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN).putInt(payload.length - 4, size);
            loadKernel(TestImages.bzImage(payload), null, "quiet");
            assertThat(ram.read(LOAD, TestImages.CODE.length)).isEqualTo(TestImages.CODE);
        }
    }

    @Test
    void bzImageIsUnpackedFromEverySupportedFormat() throws VmmException, IOException {
        byte[] kernel = TestImages.elf64();
        byte[] gzip = TestImages.gzip(kernel);
        for (byte[] payload : List.of(
                TestImages.kernelXz(kernel), gzip, Arrays.copyOf(gzip, gzip.length + 4), TestImages.zstdRaw(kernel))) {
            LoadedGuest guest = loadKernel(TestImages.bzImage(payload), null, "quiet");
            assertThat(guest.kind()).isEqualTo(ImageKind.BZIMAGE);
            assertThat(((CpuStart.Flat32) guest.start()).eip()).isEqualTo(LOAD + 0x40);
            assertThat(ram.read(LOAD, TestImages.CODE.length)).isEqualTo(TestImages.CODE);
        }
    }

    @Test
    void bzImagesThatCannotBeUnpackedAreNamed() throws IOException {
        byte[] kernel = TestImages.elf64();
        assertRefused(TestImages.bzImage("BZh91AY&SY-------".getBytes(StandardCharsets.US_ASCII)), "bzip2");
        assertRefused(TestImages.bzImage(Arrays.copyOf(new byte[] {0x5D, 0, 0, 0x10}, 32)), "lzma");
        assertRefused(TestImages.bzImage(Arrays.copyOf(new byte[] {2, 0x21, 0x4C, 0x18}, 32)), "lz4");
        assertRefused(TestImages.bzImage(Arrays.copyOf(new byte[] {(byte) 0x89, 'L', 'Z', 'O'}, 32)), "lzo");
        assertRefused(TestImages.bzImage(Arrays.copyOf(new byte[] {1, 2, 3, 4}, 32)), "01 02 03 04");
        byte[] xz = TestImages.kernelXz(kernel);
        xz[xz.length / 2] ^= 1;
        assertRefused(TestImages.bzImage(xz), "damaged xz");
        assertRefused(TestImages.bzImage(new byte[2]), "kernel of 2 bytes");
        byte[] image = TestImages.bzImage(TestImages.kernelXz(kernel));
        assertRefused(Arrays.copyOf(image, image.length - 100), "truncated bzImage");
        assertRefused(TestImages.bzImage(TestImages.gzip(new byte[1000])), "not an ELF file");
        little(image).putShort(0x206, (short) 0x0204);
        assertRefused(image, "older than 2.8");
    }

    @Test
    void kernelsOf32BitsAreStartedByTheLinuxBootProtocol() throws VmmException, IOException {
        byte[] kernel = TestImages.elf32(false, new byte[0]);
        byte[] bzImage = TestImages.bzImage(TestImages.gzip(kernel));
        little(bzImage).putInt(0x22C, 0x7F_FFFF).putInt(0x238, 2047);
        bzImage[0x201] = 0x68;
        for (byte[] image : List.of(bzImage, kernel)) {
            LoadedGuest guest = loadKernel(image, new GuestFile("initrd", new byte[] {1, 2, 3}), "console=ttyS0");
            CpuStart.Flat32 start = (CpuStart.Flat32) guest.start();
            assertThat(start.eip()).isEqualTo(LOAD + 2);
            ByteBuffer params = at(start.esi(), 4096);
            assertThat(params.getInt(0x202)).isEqualTo(0x5372_6448);
            assertThat(params.getShort(0x206)).isEqualTo((short) 0x020F);
            assertThat(params.getLong(0x70)).isEqualTo(RSDP);
            assertThat(string(params.getInt(0x228))).isEqualTo("console=ttyS0");
            boolean limited = image == bzImage;
            assertThat(params.getInt(0x218)).isEqualTo(limited ? 0x7F_F000 : RAM - 0x1000);
            assertThat(params.getInt(0x21C)).isEqualTo(3);
            assertThat(params.getInt(0x238)).isEqualTo(limited ? 2047 : 0);
            assertThat(ram.read(params.getInt(0x218), 3)).containsExactly(1, 2, 3);
            List<MemoryRange> map = ram.layout().memoryMap();
            assertThat(params.get(0x1E8)).isEqualTo((byte) map.size());
            assertThat(params.getLong(0x2D0 + 8)).isEqualTo(map.getFirst().size());
        }
    }

    private static byte[] elf64WithoutNote() {
        byte[] kernel = TestImages.elf64();
        little(kernel).putInt(64 + 56, 0);
        return kernel;
    }

    private LoadedGuest loadBy(BootProtocol protocol, byte[] image) throws VmmException {
        return load(
                new BootRequest(TestImages.file(image), true, Optional.empty(), "console=ttyS0", List.of(), protocol));
    }

    @Test
    void kernelsOf64BitsWithoutPvhEntryAreStartedByTheLinuxBootProtocol() throws VmmException, IOException {
        byte[] kernel = elf64WithoutNote();
        for (byte[] image : List.of(kernel, TestImages.bzImage(TestImages.gzip(kernel)))) {
            CpuStart.Long64 start =
                    (CpuStart.Long64) loadBy(BootProtocol.AUTO, image).start();
            assertThat(start.rip()).isEqualTo(LOAD);
            ByteBuffer params = at(start.rsi(), 4096);
            assertThat(params.getInt(0x202)).isEqualTo(0x5372_6448);
            assertThat(string(params.getInt(0x228))).isEqualTo("console=ttyS0");
            assertThat(at(start.gdt(), FlatGdt.SIZE).getLong(FlatGdt.CODE)).isEqualTo(0x00AF_9B00_0000_FFFFL);
            long pdpt = at(start.cr3(), 8).getLong() & -4096;
            for (long address : new long[] {0, LOAD, 0xFFFF_FFFFL}) {
                long directory = at(pdpt + 8 * (address >> 30), 8).getLong() & -4096;
                long entry = at(directory + 8 * (address >> 21 & 511), 8).getLong();
                assertThat(entry).isEqualTo(address & -0x20_0000L | 0x83);
            }
            assertThat(at(pdpt + 32, 8).getLong() & 1)
                    .as("nothing above 4 GiB, %x", at(pdpt + 32, 8).getLong())
                    .isZero();
        }
    }

    @Test
    void bzImagesAreEnteredAtTheir64BitEntryWhereThatIsAskedFor() throws VmmException, IOException {
        byte[] image = TestImages.bzImage(TestImages.gzip(TestImages.elf64()));
        assertThatThrownBy(() -> loadBy(BootProtocol.LINUX64, image)).hasMessageContaining("no 64-bit entry");
        little(image).putShort(0x236, (short) 1).putLong(0x258, LOAD).putInt(0x260, 0x1_0000);
        image[0x201] = 0x6A;
        image[5 * 512] = 0x42;
        CpuStart.Long64 start =
                (CpuStart.Long64) loadBy(BootProtocol.LINUX64, image).start();
        assertThat(start.rip()).isEqualTo(LOAD + 0x200);
        assertThat(ram.read(LOAD, 1)).containsExactly(0x42);
        assertThat(at(start.rsi(), 4096).getInt(0x260)).isEqualTo(0x1_0000);
        little(image).putInt(0x260, RAM);
        assertThatThrownBy(() -> loadBy(BootProtocol.LINUX64, image)).hasMessageContaining("does not fit");
        little(image).putInt(0x214, LOAD);
        assertThat(((CpuStart.Flat32) loadBy(BootProtocol.LINUX32, image).start()).eip())
                .isEqualTo(LOAD);
        assertThat(((CpuStart.Flat32) loadBy(BootProtocol.PVH, image).start()).eip())
                .isEqualTo(LOAD + 0x40);
    }

    @Test
    void bootProtocolsThatAnImageDoesNotHaveAreRefused() {
        assertThatThrownBy(() -> loadBy(BootProtocol.PVH, elf64WithoutNote())).hasMessageContaining("no PVH entry");
        assertThatThrownBy(() -> loadBy(BootProtocol.LINUX32, TestImages.elf64()))
                .hasMessageContaining("64 bits");
        byte[] narrow = TestImages.elf32(true, new byte[0]);
        assertThatThrownBy(() -> loadBy(BootProtocol.LINUX64, narrow)).hasMessageContaining("32 bits");
        byte[] multiboot = TestImages.multibootHeader(MultibootHeader.ADDRESSES, LOAD, LOAD, LOAD + 12, 0, LOAD);
        assertThatThrownBy(() -> loadBy(BootProtocol.PVH, multiboot)).hasMessageContaining("--boot-protocol");
    }

    @Test
    void programsInBzImagesAreEnteredAtTheirCode() throws VmmException {
        byte[] image = TestImages.bzImage(new byte[0]);
        little(image).putInt(0x214, LOAD).putInt(0x248, 0);
        image[5 * 512] = 0x42;
        LoadedGuest guest = loadKernel(image, null, "console=ttyS0");
        CpuStart.Flat32 start = (CpuStart.Flat32) guest.start();
        assertThat(start.eip()).isEqualTo(LOAD);
        assertThat(ram.read(LOAD, 1)).containsExactly(0x42);
        assertThat(string(at(start.esi(), 4096).getInt(0x228))).isEqualTo("console=ttyS0");
    }

    @Test
    void gzippedKernelsAreUnpackedFirst() throws VmmException, IOException {
        byte[] image = TestImages.gzip(TestImages.elf32(true, new byte[0]));
        assertThat(load(image).kind()).isEqualTo(ImageKind.PVH);
    }

    @Test
    void damagedImagesNeverThrowAnythingElse() throws IOException {
        List<byte[]> images = List.of(
                TestImages.elf64(),
                TestImages.elf32(true, TestImages.multibootHeader(0x10003, LOAD, LOAD, 0, 0, LOAD)),
                TestImages.bzImage(TestImages.kernelXz(TestImages.elf64())));
        Random random = new Random(7);
        int refused = 0;
        for (int i = 0; i < 6000; i++) {
            byte[] bad = images.get(i % images.size()).clone();
            for (int n = 0; n < 3; n++) {
                bad[random.nextInt(Math.min(bad.length, 0x260))] = (byte) random.nextInt(256);
            }
            try {
                load(bad);
            } catch (VmmException e) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(100);
    }
}
