package org.softkvm.vmm.zstd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ZstdEncoderTest {
    private final ZstdEncoder encoder = new ZstdEncoder();

    private byte[] encode(byte[] data) {
        byte[] out = new byte[ZstdEncoder.bound(data.length)];
        return Arrays.copyOf(out, encoder.encode(data, data.length, out));
    }

    private int checked(byte[] data) throws ZstdException {
        byte[] frame = encode(data);
        assertThat(frame.length).isLessThanOrEqualTo(ZstdEncoder.bound(data.length));
        assertThat(ZstdDecoder.decode(frame, 0, frame.length, data.length)).isEqualTo(data);
        return frame.length;
    }

    /** Data of a kind: how many different bytes, how often a piece of what was before comes again, how long it is. */
    static byte[] data(long seed, int size, int alphabet, int repeatPercent, int longest) {
        Random random = new Random(seed);
        byte[] data = new byte[size];
        int at = 0;
        while (at < size) {
            if (at > 0 && random.nextInt(100) < repeatPercent) {
                int length = Math.min(size - at, 1 + random.nextInt(longest));
                int from = random.nextInt(at);
                for (int i = 0; i < length; i++, at++) {
                    data[at] = data[from + i];
                }
            } else {
                // Skewed: small values are frequent.
                data[at++] = (byte) (random.nextInt(1 + random.nextInt(alphabet)));
            }
        }
        return data;
    }

    @Property(tries = 400)
    void anyBytesComeBack(@ForAll @Size(max = 3000) byte[] data) throws ZstdException {
        checked(data);
    }

    @Property(tries = 300)
    void dataOfAllKindsComeBack(
            @ForAll long seed,
            @ForAll @IntRange(max = 400_000) int size,
            @ForAll @IntRange(min = 1, max = 256) int alphabet,
            @ForAll @IntRange(max = 100) int repeatPercent,
            @ForAll @IntRange(min = 1, max = 70_000) int longest)
            throws ZstdException {
        checked(data(seed, size, alphabet, repeatPercent, longest));
    }

    @Test
    void sizesAroundTheLimitsOfEachFormComeBack() throws ZstdException {
        for (int size : new int[] {
            0,
            1,
            2,
            7,
            8,
            9,
            15,
            16,
            17,
            31,
            32,
            63,
            64,
            65,
            255,
            256,
            257,
            1023,
            1024,
            4095,
            4096,
            16383,
            16384,
            16385,
            131071,
            131072,
            131073,
            262144,
            262145,
            ZstdEncoder.MAX_SIZE
        }) {
            checked(new byte[size]);
            checked(data(size, size, 256, 0, 1));
            checked(data(size, size, 20, 0, 1));
            checked(data(size, size, 3, 0, 1));
            checked(data(size, size, 256, 30, 100));
        }
    }

    @Test
    void whatRepeatsBecomesSmall() throws ZstdException {
        assertThat(checked(new byte[1 << 20])).isLessThan(100);
        byte[] text =
                "a piece of text that comes again and again; ".repeat(1000).getBytes(StandardCharsets.US_ASCII);
        assertThat(checked(text)).isLessThan(200);
        // Nothing but literals: five bits of eight.
        byte[] literals = new byte[1 << 17];
        Random random = new Random(1);
        for (int i = 0; i < literals.length; i++) {
            literals[i] = (byte) random.nextInt(32);
        }
        assertThat(checked(literals)).isLessThan((1 << 17) * 5 / 8 + 500);
    }

    @Test
    void whatCannotBeCompressedGrowsByTheHeadersOnly() throws ZstdException {
        byte[] noise = new byte[300_000];
        new Random(7).nextBytes(noise);
        assertThat(checked(noise)).isLessThanOrEqualTo(ZstdEncoder.bound(noise.length));
    }

    @Test
    void tooMuchIsRefused() {
        assertThatThrownBy(() -> encoder.encode(new byte[10], 10, new byte[10]))
                .isInstanceOf(IllegalArgumentException.class);
        byte[] much = new byte[ZstdEncoder.MAX_SIZE + 1];
        assertThatThrownBy(() -> encoder.encode(much, much.length, new byte[2 * much.length]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** The reference implementation understands the frames, where it is installed. */
    @Test
    void theReferenceImplementationAgrees(@TempDir Path folder) throws IOException, InterruptedException {
        Path compressed = folder.resolve("data.zst");
        byte[] all = new byte[0];
        Random random = new Random(3);
        for (int i = 0; i < 150; i++) {
            byte[] data = data(
                    i, random.nextInt(200_000), 1 + random.nextInt(256), random.nextInt(90), 1 + random.nextInt(3000));
            Files.write(
                    compressed,
                    encode(data),
                    java.nio.file.StandardOpenOption.CREATE,
                    java.nio.file.StandardOpenOption.APPEND);
            int before = all.length;
            all = Arrays.copyOf(all, before + data.length);
            System.arraycopy(data, 0, all, before, data.length);
        }
        Path plain = folder.resolve("data");
        Process process;
        try {
            process = new ProcessBuilder("zstd", "-q", "-d", compressed.toString(), "-o", plain.toString())
                    .inheritIO()
                    .start();
        } catch (IOException e) {
            // Not installed: the decoder of this package has said what it thinks.
            return;
        }
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
        assertThat(Files.readAllBytes(plain)).isEqualTo(all);
    }
}
