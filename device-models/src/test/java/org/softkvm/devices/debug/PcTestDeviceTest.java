package org.softkvm.devices.debug;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.DeviceBus;
import org.softkvm.devices.InterruptLine;

class PcTestDeviceTest {
    private final DeviceBus bus = new DeviceBus();
    private final List<String> lines = new ArrayList<>();
    private final List<Long> flushed = new ArrayList<>();
    private final PcTestDevice device = newDevice();

    private PcTestDevice newDevice() {
        InterruptLine[] targets = new InterruptLine[PcTestDevice.IRQ_LINES];
        for (int i = 0; i < targets.length; i++) {
            int number = i;
            targets[i] = level -> lines.add(number + (level ? " up" : " down"));
        }
        return new PcTestDevice(targets, flushed::add);
    }

    @BeforeEach
    void connect() {
        bus.addPorts(PcTestDevice.IO_PORT, PcTestDevice.PORTS, device.ioPorts());
        bus.addPorts(PcTestDevice.FLUSH_PORT, PcTestDevice.PORTS, device.flushPage());
        bus.addPorts(PcTestDevice.IRQ_PORT, PcTestDevice.IRQ_LINES, device.interruptLines());
        bus.addMmio(PcTestDevice.MEMORY_BASE, PcTestDevice.MEMORY_SIZE, device.memory());
    }

    @Test
    void portKeepsEachByte() {
        bus.writePort(0xE0, 4, 0xFEDCBA98L);
        assertThat(bus.readPort(0xE0, 4)).isEqualTo(0xFEDCBA98L);
        assertThat(bus.readPort(0xE1, 1)).isEqualTo(0xBA);
        assertThat(bus.readPort(0xE2, 2)).isEqualTo(0xFEDC);
        bus.writePort(0xE1, 2, 0x1234);
        assertThat(bus.readPort(0xE0, 4)).isEqualTo(0xFE123498L);
        bus.writePort(0xE3, 1, 0x55);
        assertThat(bus.readPort(0xE0, 4)).isEqualTo(0x55123498L);
    }

    @Test
    void accessAcrossTheEndReachesTheNextDevice() {
        bus.writePort(0xE0, 4, 0xAABBCCDDL);
        bus.writePort(0xE3, 2, 0x7F11);
        assertThat(bus.readPort(0xE0, 4)).isEqualTo(0x11BBCCDDL);
        assertThat(flushed).containsExactly(0L);
    }

    @Test
    void flushNamesThePage() {
        bus.writePort(0xE4, 4, 0xFFFF_F123L);
        bus.writePort(0xE4, 2, 0x5678);
        assertThat(flushed).containsExactly(0xFFFF_F000L, 0x5000L);
        assertThat(bus.readPort(0xE4, 4)).isZero();
    }

    @Test
    void eachLineHasItsPort() {
        bus.writePort(0x2000, 1, 1);
        bus.writePort(0x2017, 1, 0x80);
        bus.writePort(0x2017, 1, 0);
        bus.writePort(0x2003, 2, 0x0001);
        assertThat(lines).containsExactly("0 up", "23 up", "23 down", "3 up", "4 down");
        assertThat(bus.readPort(0x2000, 1)).isZero();
        bus.writePort(0x2018, 1, 1);
        assertThat(lines).hasSize(5);
    }

    @Test
    void memoryReadsBack() {
        bus.writeMmio(0xFF00_0000L, 8, 0x0123_4567_89AB_CDEFL);
        assertThat(bus.readMmio(0xFF00_0000L, 8)).isEqualTo(0x0123_4567_89AB_CDEFL);
        assertThat(bus.readMmio(0xFF00_0003L, 4)).isEqualTo(0x2345_6789L);
        bus.writeMmio(0xFF00_FFFFL, 1, 0x42);
        assertThat(bus.readMmio(0xFF00_FFFFL, 1)).isEqualTo(0x42);
        assertThat(bus.readMmio(0xFF00_FFFFL, 2)).isEqualTo(0xFF42);
    }

    @Test
    void stateGoesToAnotherDevice() {
        bus.writePort(0xE0, 4, 0x8765_4321L);
        bus.writeMmio(0xFF00_1000L, 4, 0x1122_3344L);
        PcTestDevice.State state = device.save();
        bus.writePort(0xE0, 4, 0);
        bus.writeMmio(0xFF00_1000L, 4, 0);
        device.restore(state);
        assertThat(bus.readPort(0xE0, 4)).isEqualTo(0x8765_4321L);
        assertThat(bus.readMmio(0xFF00_1000L, 4)).isEqualTo(0x1122_3344L);
        assertThatThrownBy(() -> device.restore(new PcTestDevice.State(0, new byte[4])))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void needsAllLines() {
        assertThatThrownBy(() -> new PcTestDevice(new InterruptLine[8], page -> {}))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
