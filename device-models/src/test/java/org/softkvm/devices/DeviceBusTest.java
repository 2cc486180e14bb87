package org.softkvm.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeviceBusTest {
    private final DeviceBus bus = new DeviceBus();

    /** Logs accesses and reads back the offset in every byte. */
    private static final class Probe implements BusDevice {
        private final String name;
        private final int width;
        final List<String> log = new ArrayList<>();

        Probe(String name, int width) {
            this.name = name;
            this.width = width;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public int maxAccessSize() {
            return width;
        }

        @Override
        public long read(int offset, int size) {
            log.add("r%d@%d".formatted(size, offset));
            // What is above the size must not show.
            return 0x0807060504030201L + offset * 0x0101010101010101L;
        }

        @Override
        public void write(int offset, int size, long value) {
            log.add("w%d@%d=%x".formatted(size, offset, value));
        }
    }

    @Test
    void unclaimedReadsAsOnesAndDropsWrites() {
        assertThat(bus.readPort(0x123, 1)).isEqualTo(0xFF);
        assertThat(bus.readPort(0x123, 2)).isEqualTo(0xFFFF);
        assertThat(bus.readPort(0x123, 4)).isEqualTo(0xFFFFFFFFL);
        assertThat(bus.readMmio(0xFEC00000L, 8)).isEqualTo(-1L);
        bus.writePort(0x123, 4, 1);
        bus.writeMmio(0xFEC00000L, 8, 1);
        assertThat(bus.portDevice(0x123)).isNull();
        assertThat(bus.mmioDevice(0xFEC00000L)).isNull();
    }

    @Test
    void passesOffsetsAndMasksValues() {
        Probe probe = new Probe("p", 4);
        bus.addPorts(0x100, 8, probe);
        bus.writePort(0x102, 2, 0xABCD1234L);
        assertThat(bus.readPort(0x100, 1)).isEqualTo(0x01);
        assertThat(bus.readPort(0x104, 4)).isEqualTo(0x08070605L);
        assertThat(probe.log).containsExactly("w2@2=1234", "r1@0", "r4@4");
        assertThat(bus.portDevice(0x107)).isSameAs(probe);
        assertThat(bus.portDevice(0x108)).isNull();
    }

    @Test
    void splitsWideAccessesToByteWidePorts() {
        Probe probe = new Probe("isa", 1);
        bus.addPorts(0x40, 4, probe);
        bus.writePort(0x40, 4, 0x44332211L);
        assertThat(bus.readPort(0x42, 2)).isEqualTo(0x0403);
        assertThat(probe.log).containsExactly("w1@0=11", "w1@1=22", "w1@2=33", "w1@3=44", "r1@2", "r1@3");
    }

    @Test
    void splitsAnAccessBetweenNeighbours() {
        Probe left = new Probe("left", 4);
        Probe right = new Probe("right", 1);
        bus.addPorts(0x10, 3, left);
        bus.addPorts(0x13, 1, right);
        bus.writePort(0x11, 4, 0x44332211L);
        assertThat(left.log).containsExactly("w2@1=2211");
        assertThat(right.log).containsExactly("w1@0=33");
        // The last byte is nobody's: all ones.
        assertThat(bus.readPort(0x11, 4)).isEqualTo(0xFF010302L);
    }

    @Test
    void portSpaceDoesNotWrap() {
        Probe first = new Probe("first", 1);
        Probe last = new Probe("last", 1);
        bus.addPorts(0, 1, first);
        bus.addPorts(0xFFFF, 1, last);
        assertThat(bus.readPort(0xFFFF, 4)).isEqualTo(0xFFFFFF01L);
        bus.writePort(0xFFFF, 2, 0x1122);
        assertThat(first.log).isEmpty();
        assertThat(last.log).containsExactly("r1@0", "w1@0=22");
    }

    @Test
    void findsMmioAmongSeveral() {
        Probe[] probes = new Probe[5];
        long[] bases = {0xFEC00000L, 0x1000, 0xFED00000L, 0x8000_0000_0000L, 0x3000};
        for (int i = 0; i < probes.length; i++) {
            probes[i] = new Probe("m" + i, 4);
            bus.addMmio(bases[i], 0x1000, probes[i]);
        }
        for (int i = 0; i < probes.length; i++) {
            assertThat(bus.mmioDevice(bases[i])).isSameAs(probes[i]);
            assertThat(bus.mmioDevice(bases[i] + 0xFFF)).isSameAs(probes[i]);
            assertThat(bus.mmioDevice(bases[i] + 0x1000)).isNull();
            assertThat(bus.mmioDevice(bases[i] - 1)).isNull();
        }
        assertThat(bus.mmioDevice(-1)).isNull();
        bus.writeMmio(0xFED00010L, 8, 0x1122334455667788L);
        assertThat(probes[2].log).containsExactly("w4@16=55667788", "w4@20=11223344");
        assertThat(bus.readMmio(0xFED00FFEL, 4)).isEqualTo(0xFFFF0000L | 0x0201 + 0xFFE * 0x0101 & 0xFFFF);
    }

    @Test
    void refusesOverlaps() {
        bus.addPorts(0x3F8, 8, new Probe("uart", 1));
        assertThatThrownBy(() -> bus.addPorts(0x3FF, 2, new Probe("other", 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("other [0x3ff..0x400]")
                .hasMessageContaining("uart [0x3f8..0x3ff]");
        assertThat(bus.portDevice(0x400)).as("nothing is registered by halves").isNull();
        bus.addMmio(0x1000, 0x1000, new Probe("m", 4));
        assertThatThrownBy(() -> bus.addMmio(0x800, 0x801, new Probe("n", 4)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("overlaps m");
        bus.addMmio(0x800, 0x800, new Probe("n", 4));
        bus.addMmio(0x2000, 1, new Probe("o", 4));
    }

    @Test
    void refusesImpossibleRanges() {
        Probe probe = new Probe("p", 1);
        assertThatThrownBy(() -> bus.addPorts(0xFFFF, 2, probe)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> bus.addPorts(-1, 2, probe)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> bus.addPorts(1, 0, probe)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> bus.addMmio(Long.MAX_VALUE, 2, probe)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> bus.addMmio(0, 1L << 31, probe)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> bus.addPorts(1, 1, new Probe("p", 3))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void removedRangesAreFree() {
        Probe probe = new Probe("p", 4);
        bus.addPorts(0x10, 4, probe);
        assertThatThrownBy(() -> bus.removePorts(0x11)).isInstanceOf(IllegalArgumentException.class);
        bus.removePorts(0x10);
        assertThat(bus.readPort(0x13, 1)).isEqualTo(0xFF);
        bus.addPorts(0x13, 1, probe);
        bus.addMmio(0x1000, 0x10, probe);
        assertThat(bus.readMmio(0x1000, 1)).isEqualTo(1);
        bus.removeMmio(0x1000);
        assertThat(bus.readMmio(0x1000, 1)).isEqualTo(0xFF);
        assertThatThrownBy(() -> bus.removeMmio(0x1000)).isInstanceOf(IllegalArgumentException.class);
    }
}
