package org.softkvm.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class InterruptLineTest {
    @Test
    void pulseIsOneEdge() {
        RecordingLine line = new RecordingLine();
        line.pulse();
        line.pulse();
        assertThat(line.rises()).isEqualTo(2);
        assertThat(line.isHigh()).isFalse();
    }

    @Test
    void fanOutDrivesAll() {
        RecordingLine a = new RecordingLine();
        RecordingLine b = new RecordingLine();
        InterruptLine both = InterruptLine.fanOut(a, b, InterruptLine.none());
        both.set(true);
        assertThat(a.isHigh()).isTrue();
        assertThat(b.isHigh()).isTrue();
        both.set(false);
        assertThat(a.isHigh()).isFalse();
        assertThat(b.falls()).isEqualTo(1);
    }

    @Test
    void wiredOrIsHighWhileAnySourceIs() {
        RecordingLine shared = new RecordingLine();
        LineOr or = new LineOr(shared);
        InterruptLine a = or.newSource();
        InterruptLine b = or.newSource();
        a.set(true);
        b.set(true);
        a.set(false);
        assertThat(shared.isHigh()).isTrue();
        assertThat(shared.rises()).isEqualTo(1);
        b.set(false);
        b.set(false);
        assertThat(shared.isHigh()).isFalse();
        assertThat(shared.falls()).isEqualTo(1);
    }

    @Test
    void wiredOrHas64Sources() {
        RecordingLine shared = new RecordingLine();
        LineOr or = new LineOr(shared);
        InterruptLine last = InterruptLine.none();
        for (int i = 0; i < 64; i++) {
            last = or.newSource();
        }
        last.set(true);
        assertThat(shared.isHigh()).isTrue();
        assertThatThrownBy(or::newSource).isInstanceOf(IllegalStateException.class);
    }
}
