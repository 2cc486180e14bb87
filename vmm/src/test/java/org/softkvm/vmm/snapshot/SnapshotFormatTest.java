package org.softkvm.vmm.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.softkvm.kvm.IoapicState;
import org.softkvm.kvm.PicState;
import org.softkvm.kvm.PitState;
import org.softkvm.vmm.VmmException;

class SnapshotFormatTest {
    @TempDir
    Path folder;

    /** Names that record components share: the codec goes by them. */
    record Inner(int a, long[] b) {}

    record Outer(boolean flag, long number, Inner inner, byte[] bytes, int[] ints) {}

    record Renamed(boolean flag, long number, Inner other, byte[] bytes, int[] ints) {}

    record Shorter(boolean flag, long number) {}

    record Picky(int a, long[] b) {
        Picky {
            if (a != 1) {
                throw new IllegalArgumentException("not 1");
            }
        }
    }

    private interface Content {
        void write(SnapshotWriter out) throws IOException;
    }

    private Path file(Content content) throws IOException {
        Path file = folder.resolve("file");
        try (OutputStream out = Files.newOutputStream(file)) {
            SnapshotWriter writer = new SnapshotWriter(out);
            content.write(writer);
            writer.end();
        }
        return file;
    }

    private static byte[] noise(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    @Test
    void fieldsComeBack() throws IOException, VmmException {
        byte[] large = noise(3_000_001);
        Path file = file(out -> {
            out.putByte(0xAB);
            out.putInt(-5);
            out.putLong(Long.MIN_VALUE);
            out.putText("gr\u00fc\u00df");
            out.putBytes(large);
            out.putByte(1);
            out.putRaw(large, 7, 9);
        });
        try (SnapshotReader in = new SnapshotReader(file)) {
            assertThat(in.getByte()).isEqualTo(0xAB);
            assertThat(in.getInt()).isEqualTo(-5);
            assertThat(in.getLong()).isEqualTo(Long.MIN_VALUE);
            assertThat(in.getText("a text")).isEqualTo("gr\u00fc\u00df");
            assertThat(in.getBytes("bytes", large.length)).isEqualTo(large);
            assertThat(in.getFlag()).isTrue();
            byte[] part = new byte[10];
            in.getRaw(part, 1, 9);
            assertThat(Arrays.copyOfRange(part, 1, 10)).isEqualTo(Arrays.copyOfRange(large, 7, 16));
            in.end();
        }
    }

    @Test
    void numbersMeetTheEndsOfPieces() throws IOException, VmmException {
        for (int before = SnapshotFormat.PIECE - 9; before <= SnapshotFormat.PIECE; before++) {
            int size = before;
            Path file = file(out -> {
                out.putRaw(new byte[size], 0, size);
                out.putLong(42);
                out.putInt(43);
                out.putByte(44);
            });
            try (SnapshotReader in = new SnapshotReader(file)) {
                in.getRaw(new byte[size], 0, size);
                assertThat(in.getLong()).isEqualTo(42);
                assertThat(in.getInt()).isEqualTo(43);
                assertThat(in.getByte()).isEqualTo(44);
                in.end();
            }
        }
    }

    @Test
    void lengthsAreNotBelieved() throws IOException, VmmException {
        Path file = file(out -> {
            out.putLong(1L << 40);
            out.putLong(-1);
            out.putLong(1 << 29);
        });
        try (SnapshotReader in = new SnapshotReader(file)) {
            assertThatThrownBy(() -> in.getBytes("a thing", 1 << 30))
                    .isInstanceOf(VmmException.class)
                    .hasMessageContaining("a thing of 1099511627776 bytes");
            assertThatThrownBy(() -> in.getBytes("a thing", 1 << 30))
                    .isInstanceOf(VmmException.class)
                    .hasMessageContaining("18446744073709551615");
            assertThatThrownBy(() -> in.getBytes("a thing", 1 << 30))
                    .as("half a GiB that is not there")
                    .isInstanceOf(VmmException.class);
        }
    }

    @Test
    void moreOrLessThanTheContentIsDamage() throws IOException, VmmException {
        Path file = file(out -> out.putInt(1));
        try (SnapshotReader in = new SnapshotReader(file)) {
            assertThatThrownBy(in::end)
                    .isInstanceOf(VmmException.class)
                    .hasMessageContaining("no frame where one should begin");
        }
        Path two = file(out -> out.putLong(1));
        try (SnapshotReader in = new SnapshotReader(two)) {
            in.getInt();
            assertThatThrownBy(in::end).isInstanceOf(VmmException.class).hasMessageContaining("more than a machine");
        }
        file = file(out -> out.putInt(1));
        try (SnapshotReader in = new SnapshotReader(file)) {
            in.getInt();
            assertThatThrownBy(in::getByte).isInstanceOf(VmmException.class).hasMessageContaining("ends too early");
        }
        Files.write(file, new byte[1], java.nio.file.StandardOpenOption.APPEND);
        try (SnapshotReader in = new SnapshotReader(file)) {
            in.getInt();
            assertThatThrownBy(in::end).isInstanceOf(VmmException.class).hasMessageContaining("follows its end");
        }
    }

    @Test
    void recordsComeBack() throws IOException, VmmException {
        Outer outer = new Outer(true, -7, new Inner(3, new long[] {1, -1}), new byte[] {9}, new int[] {5, 6});
        Path file = file(out -> RecordCodec.write(outer, out));
        try (SnapshotReader in = new SnapshotReader(file)) {
            assertThat(RecordCodec.read(Outer.class, in))
                    .usingRecursiveComparison()
                    .isEqualTo(outer);
            in.end();
        }
        for (Class<? extends Record> other : Arrays.<Class<? extends Record>>asList(Renamed.class, Shorter.class)) {
            try (SnapshotReader in = new SnapshotReader(file)) {
                assertThatThrownBy(() -> RecordCodec.read(other, in))
                        .isInstanceOf(VmmException.class)
                        .hasMessageContaining("of another version");
            }
        }
    }

    @Test
    void aRecordThatCannotBeIsDamage() throws IOException, VmmException {
        Path file = file(out -> RecordCodec.write(new Inner(2, new long[1]), out));
        try (SnapshotReader in = new SnapshotReader(file)) {
            assertThatThrownBy(() -> RecordCodec.read(Picky.class, in))
                    .isInstanceOf(VmmException.class)
                    .hasMessageContaining("that cannot be");
        }
    }

    @Test
    void structuresOfKvmComeBack() throws IOException, VmmException {
        PitState pit = new PitState();
        pit.flags = 2;
        pit.channels[1].count = 1193;
        pit.channels[2].gate = true;
        IoapicState ioapic = new IoapicState();
        ioapic.redirtbl[23] = -2;
        PicState pic = new PicState();
        pic.specialMask = true;
        Path file = file(out -> {
            RecordCodec.writeFields(pit, out);
            RecordCodec.writeFields(ioapic, out);
            RecordCodec.writeFields(pic, out);
        });
        PitState pit2 = new PitState();
        IoapicState ioapic2 = new IoapicState();
        PicState pic2 = new PicState();
        try (SnapshotReader in = new SnapshotReader(file)) {
            RecordCodec.readFields(pit2, in);
            RecordCodec.readFields(ioapic2, in);
            RecordCodec.readFields(pic2, in);
            in.end();
        }
        assertThat(pit2).usingRecursiveComparison().isEqualTo(pit);
        assertThat(ioapic2).usingRecursiveComparison().isEqualTo(ioapic);
        assertThat(pic2).usingRecursiveComparison().isEqualTo(pic);
    }
}
