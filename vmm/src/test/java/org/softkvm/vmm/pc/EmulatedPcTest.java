package org.softkvm.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.loader.TestImages;

/** Small guests of machine code on the emulator backend: each kind of image is started where and as it should be. */
@Timeout(120)
class EmulatedPcTest {
    /** 16 bits: send AL, then write 10h to the debug-exit port. */
    private static final String SEND_16 = "ba f8 03 ee b0 10 ba f4 00 ee f4";

    /** The same for 32 bits. */
    private static final String SEND_32 = "ba f8 03 00 00 ee b0 10 ba f4 00 00 00 ee f4";

    private final ByteArrayOutputStream serial = new ByteArrayOutputStream();

    private static byte[] hex(String text) {
        return HexFormat.ofDelimiter(" ").parseHex(text);
    }

    private PcConfig.Builder config(byte[] image) {
        return PcConfig.builder(new GuestFile("guest", image))
                .backend("emulator")
                .serialOutput(serial)
                .timeout(Duration.ofSeconds(60));
    }

    private static PcResult run(PcConfig.Builder builder) throws VmmException {
        try (Pc pc = Pc.create(builder.build())) {
            return pc.run();
        }
    }

    private void assertSends(PcConfig.Builder builder, String text) throws VmmException {
        PcResult result = run(builder);
        assertThat(result.reason()).as(result.detail()).isEqualTo(PcResult.Reason.DEBUG_EXIT);
        assertThat(result.exitStatus()).isEqualTo(33);
        assertThat(serial.toString(StandardCharsets.US_ASCII)).isEqualTo(text);
        assertThat(result.statistics().instructions()).isBetween(4L, 10_000L);
        assertThat(result.statistics().exits()).containsEntry("IO", 2L);
    }

    /** A ROM of 64 KiB whose reset vector jumps to its start in F000h, where the code stands. */
    private static byte[] rom(String code) {
        byte[] rom = new byte[0x1_0000];
        byte[] bytes = hex(code);
        System.arraycopy(bytes, 0, rom, 0, bytes.length);
        byte[] jump = hex("ea 00 00 00 f0");
        System.arraycopy(jump, 0, rom, 0xFFF0, jump.length);
        return rom;
    }

    private static byte[] patch(byte[] image, int offset, String code) {
        byte[] bytes = hex(code);
        System.arraycopy(bytes, 0, image, offset, bytes.length);
        return image;
    }

    @ParameterizedTest
    @ValueSource(strings = {"max", "x86-64-v2", "x86-64-v3", "pentium2", "486", "max,-lm,-sse2", "286", "8086"})
    void flatRomStartsAtTheResetVectorOfEveryCpu(String cpu) throws VmmException {
        assertSends(config(rom("b0 52 " + SEND_16)).cpu(cpu), "R");
    }

    @Test
    void thePicsAreThereInTheBackendToo() throws VmmException {
        // mov al, 5Ah; out 21h, al; mov al, 0; in al, 21h
        assertSends(config(rom("b0 5a e6 21 b0 00 e4 21 " + SEND_16)).irqchip("full"), "Z");
    }

    @ParameterizedTest
    @ValueSource(strings = {"split", "full"})
    void aPitThatWasLeftOutDoesNotAnswer(String irqchip) throws VmmException {
        // in al, 40h; sub al, 0FFh - 'N'
        PcConfig.Builder config = config(rom("e4 40 2c b1 " + SEND_16)).irqchip(irqchip);
        PcResult result = run(config.without("pit").without("hpet"));
        assertThat(serial.toString(StandardCharsets.US_ASCII)).isEqualTo("N");
        assertThat(result.exitStatus()).isEqualTo(33);
    }

    @Test
    void flatRomCannotBeWritten() throws VmmException {
        // mov al, 'a'; cs: mov byte [11h], 'b'; cs: mov al, [11h]
        String code = "2e c6 06 20 00 62 2e a0 20 00 " + SEND_16;
        byte[] rom = rom(code);
        rom[0x20] = 'a';
        assertThat(run(config(rom)).exitStatus()).isEqualTo(33);
        assertThat(serial.toString(StandardCharsets.US_ASCII)).isEqualTo("a");
    }

    @Test
    void bootSectorStartsAt7C00WithTheBootDriveAndADummyBios() throws VmmException {
        byte[] sector = new byte[512];
        sector[510] = 0x55;
        sector[511] = (byte) 0xAA;
        // int 13h; mov al, dl; sub al, 80h - 'D'
        assertSends(config(patch(sector, 0, "cd 13 88 d0 2c 3c " + SEND_16)), "D");
    }

    @Test
    void pvhKernelFindsItsStartInfo() throws VmmException {
        // mov al, [ebx]; the magic number ends in 78h
        byte[] image = patch(TestImages.elf32(true, new byte[0]), 0x104, "8a 03 " + SEND_32);
        assertSends(config(image).commandLine("x"), "x");
    }

    @Test
    void multibootKernelFindsItsMagicNumberAndCommandLine() throws VmmException {
        // cmp eax, 2BADB002h; jne $; mov ebx, [ebx + 16]; mov al, [ebx + 6]: 'guest M'
        byte[] image = TestImages.elf32(true, TestImages.multibootHeader(0));
        patch(image, 0x102, "3d 02 b0 ad 2b 75 fe 8b 5b 10 8a 43 06 " + SEND_32);
        assertSends(config(image).commandLine("M"), "M");
    }

    @Test
    void plainElfFindsBootParams() throws VmmException {
        // mov esi, [esi + 228h]; mov al, [esi]
        byte[] image = TestImages.elf32(false, new byte[0]);
        patch(image, 0x102, "8b b6 28 02 00 00 8a 06 " + SEND_32);
        assertSends(config(image).commandLine("L"), "L");
    }

    @Test
    void segmentsCanBeReloadedFromTheBootGdt() throws VmmException {
        // mov ax, 18h; mov ds, ax; mov es, ax; mov ss, ax; jmp 10h:next; mov al, 'G'
        byte[] image = TestImages.elf32(true, new byte[0]);
        patch(image, 0x104, "66 b8 18 00 8e d8 8e c0 8e d0 ea 15 00 10 00 10 00 b0 47 " + SEND_32);
        assertSends(config(image), "G");
    }

    @Test
    void bzImageIsUnpackedAndStarted() throws VmmException, IOException {
        byte[] kernel = patch(TestImages.elf64(), 0x240, "b0 5a " + SEND_32);
        assertSends(config(TestImages.bzImage(TestImages.kernelXz(kernel))).kernel(true), "Z");
    }

    @Test
    void endlessLoopsAndDeadHaltsEndAtTheTimeout() throws VmmException {
        for (String code : new String[] {"eb fe", "fa f4 eb fc", "fb f4 eb fc"}) {
            PcResult result = run(config(rom(code)).timeout(Duration.ofMillis(200)));
            assertThat(result.exitStatus()).isEqualTo(124);
            assertThat(result.statistics().seconds()).isLessThan(30);
        }
    }

    @Test
    void instructionLimitIsExact() throws VmmException {
        PcResult result = run(config(rom("eb fe")).maxInstructions(12_345));
        assertThat(result.reason()).isEqualTo(PcResult.Reason.INSTRUCTION_LIMIT);
        assertThat(result.statistics().instructions()).isEqualTo(12_345);
    }

    @Test
    void tripleFaultEndsTheRun() throws VmmException {
        byte[] image = patch(TestImages.elf32(true, new byte[0]), 0x104, "0f 0b");
        PcResult result = run(config(image));
        assertThat(result.exitStatus()).isEqualTo(126);
        assertThat(result.detail()).contains("triple fault", "0010:100004");
    }

    @Test
    void acpiTablesStandWhereTheyAreLookedFor() throws VmmException {
        // mov al, [0E0000h]; the signature begins with 'R'
        byte[] image = patch(TestImages.elf32(true, new byte[0]), 0x104, "a0 00 00 0e 00 " + SEND_32);
        assertSends(config(image), "R");
    }

    @Test
    void manyMachinesRunInOneProcess() throws VmmException {
        for (int i = 0; i < 20; i++) {
            serial.reset();
            assertSends(config(rom("b0 52 " + SEND_16)).memory(16 << 20), "R");
        }
    }
}
