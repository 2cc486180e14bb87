package org.softkvm.devices.isa;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.softkvm.devices.RecordingLine;

class CoprocessorErrorTest {
    private final RecordingLine irq13 = new RecordingLine();
    private final CoprocessorError latch = new CoprocessorError(irq13);

    @Test
    void anErrorStaysUntilAPortIsWritten() {
        latch.raise();
        assertThat(irq13.isHigh()).isTrue();
        latch.raise();
        assertThat(irq13.isHigh()).isTrue();
        latch.write(0, 1, 0);
        assertThat(irq13.isHigh()).isFalse();
        latch.raise();
        latch.write(1, 1, 0xFF);
        assertThat(irq13.isHigh()).isFalse();
    }

    @Test
    void readsFindAnEmptyBus() {
        assertThat(latch.read(0, 1)).isEqualTo(0xFF);
        assertThat(latch.read(0, 2)).isEqualTo(0xFFFF);
    }

    @Test
    void stateIsTheLatch() {
        latch.raise();
        RecordingLine other = new RecordingLine();
        CoprocessorError copy = new CoprocessorError(other);
        copy.restore(latch.save());
        assertThat(other.isHigh()).isTrue();
        latch.write(0, 1, 0);
        copy.restore(latch.save());
        assertThat(other.isHigh()).isFalse();
    }
}
