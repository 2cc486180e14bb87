package org.softkvm.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever is wrong with what the user gives: one line on standard error that names it, status 125, nothing else. */
class BadInputTest {
    @TempDir
    Path folder;

    private static byte[] elf(int machine) {
        byte[] data = new byte[256];
        ByteBuffer out = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        out.put(new byte[] {0x7F, 'E', 'L', 'F', 1, 1, 1});
        out.putShort(16, (short) 2)
                .putShort(18, (short) machine)
                .putInt(24, 0x10_0000)
                .putInt(28, 52);
        out.putShort(42, (short) 32).putShort(44, (short) 1);
        out.putInt(52, 1)
                .putInt(56, 128)
                .putInt(60, 0x10_0000)
                .putInt(64, 0x10_0000)
                .putInt(68, 128)
                .putInt(72, 128);
        return data;
    }

    private void prepare() throws IOException {
        Files.write(folder.resolve("good.elf"), elf(3));
        Files.write(folder.resolve("truncated.elf"), Arrays.copyOf(elf(3), 70));
        Files.write(folder.resolve("empty"), new byte[0]);
        Files.write(folder.resolve("arm.elf"), elf(183));
        Files.write(folder.resolve("riscv.elf"), elf(243));
        byte[] arm64 = new byte[4096];
        ByteBuffer.wrap(arm64).order(ByteOrder.LITTLE_ENDIAN).putInt(56, 0x644D_5241);
        Files.write(folder.resolve("Image"), arm64);
        Files.write(folder.resolve("zeros.rom"), new byte[0x1_0000]);
        Files.writeString(folder.resolve("notes.txt"), "Dear diary,\nno image today.\n");
        Files.write(folder.resolve("initrd"), new byte[8 << 20]);
        byte[] bzImage = new byte[4096];
        ByteBuffer header = ByteBuffer.wrap(bzImage).order(ByteOrder.LITTLE_ENDIAN);
        header.putShort(0x1FE, (short) 0xAA55).putInt(0x202, 0x5372_6448).putShort(0x206, (short) 0x20F);
        header.put(0x1F1, (byte) 1).putInt(0x24C, 1 << 20);
        Files.write(folder.resolve("short.bzImage"), bzImage);
        byte[] sector = new byte[512];
        sector[510] = 0x55;
        sector[511] = (byte) 0xAA;
        Files.write(folder.resolve("sector"), sector);
        byte[] disk = new byte[1 << 20];
        disk[510] = 0x55;
        disk[511] = (byte) 0xAA;
        Files.write(folder.resolve("disk.img"), disk);
        byte[] pvh = elf(3);
        ByteBuffer.wrap(pvh).order(ByteOrder.LITTLE_ENDIAN).putInt(64, 0x7FFF_F000);
        Files.write(folder.resolve("far.elf"), pvh);
    }

    /** A command line, where {@code @name} is a file of the folder, and words that the message has to contain. */
    static Stream<Arguments> cases() {
        return Stream.of(
                of("run @missing", "missing: no such file"),
                of("run @", "is a directory"),
                of("run @empty", "empty: is empty"),
                of("run @truncated.elf", "truncated ELF"),
                of("run @arm.elf", "another architecture: AArch64"),
                of("run --kernel @riscv.elf", "another architecture: RISC-V"),
                of("run --kernel @Image", "another architecture: arm64"),
                of("run @zeros.rom", "reset vector"),
                of("run @notes.txt", "not an image"),
                of("run @short.bzImage", "truncated bzImage"),
                of("run @disk.img", "not supported yet: --disk"),
                of("run @far.elf", "does not fit"),
                of("run --kernel @zeros.rom", "not a kernel"),
                of("run @good.elf --frobnicate", "unknown option: --frobnicate"),
                of("run -z @good.elf", "unknown option: -z"),
                of("run @good.elf --memory", "needs a value: --memory"),
                of("run @good.elf --cpu pentium5", "unknown CPU model: pentium5"),
                of("run @good.elf --cpu max,+warp", "no CPU flag 'warp'"),
                of("run @good.elf --cpu max,sse", "'sse' is not a CPU flag"),
                of("run @good.elf --cpu max,", "'' is not a CPU flag"),
                of("run @good.elf --cpu max,-fpu", "the CPU flag fpu cannot be removed"),
                of("run @sector --cpu 286,+sse", "the CPU model 286 takes no flags"),
                of("run @good.elf --cpus 0", "--cpus: must be at least 1"),
                of("run @good.elf --cpus two", "--cpus: not a number: two"),
                of("run @good.elf --cpus 255", "more than the limit, 254"),
                of("run @good.elf --cpus 2 --cpu 286", "286 has no local APIC"),
                of("run @good.elf --memory 0", "a machine needs memory"),
                of("run @good.elf --memory 12Q", "not a size: 12Q"),
                of("run @good.elf --memory -5M", "--memory"),
                of("run @good.elf --memory 64K", "least is 1M"),
                of("run @good.elf --memory 99999999999999999G", "not a size"),
                of("run @good.elf --memory 100T", "more than the limit"),
                of("run @good.elf --memory 16M --cpu 8086", "limit of CPU model 8086"),
                of("run @good.elf --cpu 286", "32-bit protected mode, which CPU model 286"),
                of("run @good.elf --memory 5000001K --memory 2M", "more than once: --memory"),
                of("run @good.elf --timeout soon", "not a time: soon"),
                of("run @good.elf --timeout 0", "must be more than 0"),
                of("run @good.elf --max-instructions 0", "at least 1"),
                of("run @good.elf --backend kvm", "--backend kvm: "),
                of("run @good.elf --backend xen", "unknown backend: xen"),
                of("run @good.elf --engine warp", "unknown engine: warp"),
                of("run @good.elf --clock broken", "unknown clock: broken"),
                of("run @good.elf --screen text", "screen is not supported yet: text"),
                of("run @good.elf --disk x.img", "not supported yet: --disk"),
                of("run @good.elf --cdrom x.iso", "not supported yet: --cdrom"),
                of("run @good.elf --floppy x.img", "not supported yet: --floppy"),
                of("run @good.elf --boot c", "not supported yet: --boot"),
                of("run @good.elf --firmware bios.bin", "not supported yet: --firmware"),
                of("run @good.elf --serial tty", "--serial: unknown target: tty"),
                of("run @good.elf --serial file:@/no/such/log", "--serial: cannot write"),
                of("run @good.elf --debugcon 0x10000", "not an I/O port"),
                of("run @good.elf --debugcon com1", "not an I/O port"),
                of("run @good.elf --debugcon 0x3f8", "port 0x3f8 belongs to another device: com1"),
                of("run @good.elf --debugcon 0xe9 --debugcon 0xe9", "port 0xe9 belongs to another device"),
                of("run @good.elf --irqchip half", "unknown irqchip: half"),
                of("run @good.elf --without pit,usb", "unknown device to leave out: usb"),
                of("run @good.elf --without=", "unknown device to leave out:"),
                of("run @good.elf --expect=", "--expect: must not be empty"),
                of("run @good.elf --stats=xml", "unknown form: xml"),
                of("run @good.elf --module @initrd", "--module"),
                of("run @good.elf --memory 4M --initrd @initrd", "the initrd does not fit"),
                of("run @sector --append quiet", "--append"),
                of("run @good.elf --initrd @missing", "missing: no such file"),
                of("run @good.elf --module @missing", "missing: no such file"),
                of("run @good.elf --kernel @good.elf", "not both"),
                of("run @good.elf @good.elf", "more than one image"),
                of("run --kernel=", "--kernel: the name of a file is needed"),
                of("run", "nothing to boot"),
                of("", "a command is needed"),
                of("boot @good.elf", "unknown command: boot"),
                of("--verbose", "unknown option: --verbose"),
                of("info all", "info takes no arguments"),
                of("train", "train takes images"),
                of("train missing.elf", "missing.elf: no such file"));
    }

    private static Arguments of(String command, String words) {
        return Arguments.of(command, words);
    }

    @ParameterizedTest(name = "[{index}] softkvm {0}")
    @MethodSource("cases")
    void isSaidInOneLine(String command, String words) throws IOException {
        prepare();
        String[] arguments = command.isEmpty() ? new String[0] : command.split(" ");
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = arguments[i].replace("@", folder + "/");
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Main main = new Main(
                new ByteArrayInputStream(new byte[0]), out, new PrintStream(err, true, StandardCharsets.UTF_8));
        int status = main.run(arguments);
        String message = err.toString(StandardCharsets.UTF_8);
        assertThat(status).as(message).isEqualTo(125);
        assertThat(message).startsWith("softkvm: ").contains(words).endsWith(System.lineSeparator());
        assertThat(message.lines()).hasSize(1);
        assertThat(message).doesNotContain("Exception").doesNotContain("\tat ");
        assertThat(out.size()).isZero();
    }

    @Test
    void unreadableFilesAreNamed() throws IOException {
        Path file = folder.resolve("secret");
        Files.write(file, elf(3));
        // Root reads everything: the test then shows that nothing goes wrong before the image is looked at.
        boolean hidden = file.toFile().setReadable(false, false) && !Files.isReadable(file);
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Main main = new Main(
                new ByteArrayInputStream(new byte[0]),
                new ByteArrayOutputStream(),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        int status = main.run("run", file.toString(), "--module", file.toString());
        String message = err.toString(StandardCharsets.UTF_8);
        assertThat(status).isEqualTo(125);
        assertThat(message).contains(hidden ? "permission denied" : "--module");
        assertThat(message.lines()).hasSize(1);
    }
}
