package org.softkvm.devices.acpi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResetControlTest {
    private final List<Boolean> resets = new ArrayList<>();
    private final ResetControl port = new ResetControl(resets::add);

    @Test
    void resetsWhenBit2Rises() {
        port.write(0, 1, 0x02);
        assertThat(resets).isEmpty();
        port.write(0, 1, ResetControl.RESET_VALUE);
        assertThat(resets).containsExactly(true);
        port.write(0, 1, 0x06);
        assertThat(resets).hasSize(1);
        port.write(0, 1, 0x00);
        port.write(0, 1, 0x04);
        assertThat(resets).containsExactly(true, false);
    }

    @Test
    void keepsItsBits() {
        port.write(0, 1, 0xFB);
        assertThat(port.read(0, 1)).isEqualTo(0x0A);
        ResetControl other = new ResetControl(resets::add);
        other.restore(port.save());
        assertThat(other.read(0, 1)).isEqualTo(0x0A);
        assertThat(resets).isEmpty();
        other.reset();
        assertThat(other.read(0, 1)).isZero();
    }
}
