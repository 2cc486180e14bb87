package org.softkvm.devices.isa;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.softkvm.devices.RecordingLine;

class SystemControlPortATest {
    private final RecordingLine a20 = new RecordingLine();
    private final int[] resets = {0};
    private final SystemControlPortA port = new SystemControlPortA(a20, () -> resets[0]++);

    @Test
    void bit1IsTheA20Gate() {
        port.write(0, 1, 0x02);
        assertThat(a20.isHigh()).isTrue();
        assertThat(port.read(0, 1)).isEqualTo(0x02);
        port.write(0, 1, 0xFC);
        assertThat(a20.isHigh()).isFalse();
        assertThat(port.read(0, 1)).isEqualTo(0xFC);
        assertThat(resets[0]).isZero();
    }

    @Test
    void bit0ResetsWhenItRises() {
        port.write(0, 1, 0x03);
        port.write(0, 1, 0x01);
        assertThat(resets[0]).isEqualTo(1);
        port.write(0, 1, 0x00);
        port.write(0, 1, 0x01);
        assertThat(resets[0]).isEqualTo(2);
    }

    @Test
    void stateAndReset() {
        port.write(0, 1, 0x02);
        RecordingLine otherA20 = new RecordingLine();
        SystemControlPortA other = new SystemControlPortA(otherA20, () -> resets[0]++);
        other.restore(port.save());
        assertThat(otherA20.isHigh()).isTrue();
        other.reset();
        assertThat(otherA20.isHigh()).isFalse();
        assertThat(other.read(0, 1)).isZero();
        assertThat(resets[0]).isZero();
    }
}
