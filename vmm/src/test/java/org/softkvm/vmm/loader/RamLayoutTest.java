package org.softkvm.vmm.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.softkvm.vmm.VmmException;

class RamLayoutTest {
    @Test
    void ramBeyondThreeGibibytesStandsAboveFour() {
        RamLayout layout = RamLayout.of(5L << 30);
        assertThat(layout.lowSize()).isEqualTo(3L << 30);
        assertThat(layout.highSize()).isEqualTo(2L << 30);
        assertThat(layout.usable().getLast()).isEqualTo(new MemoryRange(4L << 30, 2L << 30, MemoryRange.RAM));
    }

    @Test
    void memoryMapAscendsAndKeepsTheBiosAreaReserved() {
        for (long size : new long[] {64 << 10, 640 << 10, 1 << 20, 256 << 20, 3L << 30, 6L << 30}) {
            List<MemoryRange> map = RamLayout.of(size).memoryMap();
            long end = 0;
            for (MemoryRange range : map) {
                assertThat(range.start()).isGreaterThanOrEqualTo(end);
                assertThat(range.size()).isPositive();
                end = range.end();
                if (range.type() == MemoryRange.RAM) {
                    assertThat(range.end() <= 0x9_FC00 || range.start() >= 0x10_0000)
                            .isTrue();
                }
            }
            assertThat(map).contains(new MemoryRange(0xE_0000, 0x2_0000, MemoryRange.RESERVED));
        }
    }

    @Test
    void ramIsReachedAtBothPlaces() {
        // The real layout with high RAM needs more than 3 GiB; a small one shows the arithmetic as well.
        RamLayout layout = new RamLayout(0x2000, 0x1000);
        GuestRam ram = new GuestRam(layout, MemorySegment.ofArray(new byte[0x3000]));
        ram.write(0x1FFF, new byte[] {1});
        ram.write(RamLayout.HIGH_START, new byte[] {2});
        assertThat(ram.low(0x1000, 0x1000).get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0xFFF))
                .isEqualTo((byte) 1);
        assertThat(ram.high().get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 2);
        assertThatThrownBy(() -> ram.write(0x1FFF, new byte[2])).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> ram.read(RamLayout.HIGH_START + 0x1000, 1))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void placementFillsGapsFromBothEnds() throws VmmException {
        Placement placement = new Placement(RamLayout.of(4 << 20));
        placement.claim(0x10_0000, 0x1000, "kernel");
        placement.claim(0x20_0000, 0x1000, "data");
        assertThat(placement.lowest(0x2000, 0x1000, 0x10_0000, 4 << 20, "a")).isEqualTo(0x10_1000);
        assertThat(placement.highest(0x1001, 0x1000, 0x10_0000, 4 << 20, "b")).isEqualTo(0x3F_E000);
        assertThat(placement.highest(0x1000, 0x1000, 0x10_0000, 0x20_1000, "c")).isEqualTo(0x1F_F000);
        assertThat(placement.claimedEnd()).isEqualTo(0x3F_F001);
        assertThatThrownBy(() -> placement.lowest(4 << 20, 1, 0, 4 << 20, "d"))
                .isInstanceOf(VmmException.class)
                .hasMessageContaining("d does not fit");
        assertThatThrownBy(() -> placement.claim(-16, 32, "e")).isInstanceOf(VmmException.class);
    }
}
