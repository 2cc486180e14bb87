package org.softkvm.devices.isa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.RecordingLine;

class I8042Test {
    private final RecordingLine irq = new RecordingLine();
    private final RecordingLine a20 = new RecordingLine();
    private final int[] resets = {0};
    private final I8042 controller = new I8042(irq, a20, () -> resets[0]++);
    private final BusDevice data = controller.dataPort();
    private final BusDevice command = controller.commandPort();

    private int status() {
        return (int) command.read(0, 1);
    }

    private int read() {
        assertThat(status() & 1).as("something to read").isEqualTo(1);
        return (int) data.read(0, 1);
    }

    private void command(int value) {
        command.write(0, 1, value);
    }

    private void data(int value) {
        data.write(0, 1, value);
    }

    private void nothing() {
        assertThat(status() & 1).as("nothing to read").isZero();
    }

    @Test
    void selfTest() {
        assertThat(status()).isEqualTo(0x10);
        command(0xAA);
        assertThat(status()).isEqualTo(0x1D);
        assertThat(read()).isEqualTo(0x55);
        assertThat(status()).isEqualTo(0x1C);
        data(0xEE);
        assertThat(status() & 8).as("the last write was data").isZero();
    }

    @Test
    void commandByteAndRam() {
        command(0x20);
        assertThat(read()).isEqualTo(0x60);
        command(0x60);
        data(0x65);
        command(0x20);
        assertThat(read()).isEqualTo(0x65);
        assertThat(status() & 4).as("the system flag").isEqualTo(4);
        command(0x7F);
        data(0x99);
        command(0x3F);
        assertThat(read()).isEqualTo(0x99);
    }

    @Test
    void interruptForEachByte() {
        command(0x60);
        data(0x01);
        data(0xF2);
        assertThat(irq.isHigh()).isTrue();
        assertThat(irq.rises()).isEqualTo(1);
        assertThat(read()).isEqualTo(0xFA);
        assertThat(irq.rises()).isEqualTo(2);
        assertThat(read()).isEqualTo(0xAB);
        assertThat(irq.rises()).isEqualTo(3);
        assertThat(read()).as("no translation").isEqualTo(0x83);
        assertThat(irq.isHigh()).isFalse();
        nothing();
        assertThat(data.read(0, 1)).as("the last byte stays").isEqualTo(0x83);
    }

    @Test
    void noInterruptsUnlessEnabled() {
        data(0xEE);
        assertThat(irq.isHigh()).isFalse();
        command(0x60);
        data(0x01);
        assertThat(irq.isHigh()).isTrue();
        command(0x60);
        data(0x00);
        assertThat(irq.isHigh()).isFalse();
    }

    @Test
    void keyboardCommands() {
        data(0xFF);
        assertThat(read()).isEqualTo(0xFA);
        assertThat(read()).isEqualTo(0xAA);
        data(0xEE);
        assertThat(read()).isEqualTo(0xEE);
        for (int withArgument : new int[] {0xED, 0xF3}) {
            data(withArgument);
            assertThat(read()).isEqualTo(0xFA);
            data(0x02);
            assertThat(read()).isEqualTo(0xFA);
            nothing();
        }
        data(0xF0);
        read();
        data(0x01);
        read();
        data(0xF0);
        read();
        data(0x00);
        assertThat(read()).isEqualTo(0xFA);
        assertThat(read()).as("the scan code set").isEqualTo(1);
        data(0xF2);
        read();
        read();
        assertThat(read()).as("translated").isEqualTo(0x41);
        data(0x55);
        assertThat(read()).as("no such command").isEqualTo(0xFE);
    }

    @Test
    void aCommandInPlaceOfAnArgument() {
        data(0xED);
        read();
        data(0xEE);
        assertThat(read()).isEqualTo(0xEE);
    }

    @Test
    void keys() {
        command(0x60);
        data(0x01);
        assertThat(controller.offer((byte) 0x1E)).isTrue();
        assertThat(irq.isHigh()).isTrue();
        assertThat(read()).isEqualTo(0x1E);
        data(0xF5);
        read();
        assertThat(controller.offer((byte) 0x1E)).as("scanning is off").isFalse();
        data(0xF4);
        read();
        command(0xAD);
        assertThat(controller.offer((byte) 0x1E)).as("the interface is off").isFalse();
        command(0xAE);
        for (int i = 0; i < I8042.QUEUE_SIZE; i++) {
            assertThat(controller.offer((byte) i)).isTrue();
        }
        assertThat(controller.offer((byte) 99)).as("full").isFalse();
        for (int i = 0; i < I8042.QUEUE_SIZE; i++) {
            assertThat(read()).isEqualTo(i);
        }
    }

    @Test
    void a20ByTheOutputPort() {
        command(0xD0);
        assertThat(read()).isEqualTo(0x03);
        command(0xD1);
        data(0xDF);
        assertThat(a20.isHigh()).isTrue();
        command(0xD1);
        data(0xDD);
        assertThat(a20.isHigh()).isFalse();
        command(0xDF);
        assertThat(a20.isHigh()).isTrue();
        command(0xDD);
        assertThat(a20.isHigh()).isFalse();
        assertThat(resets[0]).isZero();
    }

    @Test
    void resets() {
        command(0xFE);
        assertThat(resets[0]).isEqualTo(1);
        command(0xFF);
        command(0xFD);
        assertThat(resets[0]).isEqualTo(1);
        command(0xD1);
        data(0xFE);
        assertThat(resets[0]).isEqualTo(2);
    }

    @Test
    void noAuxiliaryPort() {
        command(0xA9);
        assertThat(read()).isEqualTo(0x01);
        command(0xD3);
        data(0x5A);
        assertThat(status() & 0x20).as("not from the auxiliary port").isZero();
        assertThat(read()).isEqualTo(0x5A);
        command(0xD4);
        data(0xFF);
        assertThat(status() & 0x21).isEqualTo(0x21);
        assertThat(irq.isHigh()).isFalse();
        assertThat(read()).isEqualTo(0xFE);
        command(0xA8);
        command(0x20);
        assertThat(read() & 0x20).isZero();
        command(0xA7);
        command(0x20);
        assertThat(read() & 0x20).isEqualTo(0x20);
    }

    @Test
    void otherCommands() {
        command(0xAB);
        assertThat(read()).isZero();
        command(0xC0);
        assertThat(read()).isEqualTo(0x80);
        command(0xE0);
        assertThat(read()).isZero();
        command(0xD2);
        data(0x77);
        assertThat(read()).isEqualTo(0x77);
        command(0x00);
        nothing();
    }

    @Test
    void savedStateComesBack() {
        command(0x60);
        data(0x41);
        data(0xED);
        controller.offer((byte) 0x1E);
        command(0xD1);
        I8042.State state = controller.save();
        RecordingLine otherIrq = new RecordingLine();
        RecordingLine otherA20 = new RecordingLine();
        I8042 other = new I8042(otherIrq, otherA20, () -> resets[0]++);
        other.restore(state);
        assertThat(other.save()).usingRecursiveComparison().isEqualTo(state);
        assertThat(otherIrq.isHigh()).isTrue();
        other.dataPort().write(0, 1, 0x01);
        assertThat(otherA20.isHigh()).isFalse();
        assertThat(other.dataPort().read(0, 1)).isEqualTo(0xFA);
        assertThat(other.dataPort().read(0, 1)).isEqualTo(0x1E);
        assertThatThrownBy(() ->
                        other.restore(new I8042.State(new int[0], 0, new byte[32], 0, false, false, 0x55, 0, false, 2)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() ->
                        other.restore(new I8042.State(new int[17], 0, new byte[32], 0, false, false, 0, 0, false, 2)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void survivesAnything() {
        Random random = new Random(13);
        for (int i = 0; i < 100_000; i++) {
            switch (random.nextInt(4)) {
                case 0 -> command(random.nextInt(256));
                case 1 -> data(random.nextInt(256));
                case 2 -> assertThat(data.read(0, 1)).isBetween(0L, 255L);
                default -> controller.offer((byte) random.nextInt());
            }
            if (i % 1000 == 0) {
                controller.restore(controller.save());
            }
        }
    }
}
