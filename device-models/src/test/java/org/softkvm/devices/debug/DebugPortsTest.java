package org.softkvm.devices.debug;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.DeviceBus;

class DebugPortsTest {
    private final DeviceBus bus = new DeviceBus();

    @Test
    void consolePrintsAndIsFound() {
        StringBuilder output = new StringBuilder();
        DebugConsole console = new DebugConsole(value -> output.append((char) value));
        bus.addPorts(DebugConsole.BOCHS_PORT, 1, console);
        bus.addPorts(DebugConsole.FIRMWARE_PORT, 1, console);
        for (char c : "hello".toCharArray()) {
            bus.writePort(c == 'l' ? 0x402 : 0xE9, 1, c);
        }
        bus.writePort(0xE9, 2, 0x1234);
        assertThat(output).hasToString("hello\u0034");
        assertThat(bus.readPort(0xE9, 1)).isEqualTo(0xE9);
        assertThat(bus.readPort(0x402, 1)).isEqualTo(0xE9);
        assertThat(console.name()).isEqualTo("debug-console");
    }

    @Test
    void exitStatusIsOdd() {
        List<Integer> statuses = new ArrayList<>();
        bus.addPorts(DebugExit.PORT, DebugExit.PORTS, new DebugExit(statuses::add));
        bus.writePort(0xF4, 1, 0x10);
        bus.writePort(0xF4, 2, 0x10);
        bus.writePort(0xF4, 4, 0);
        assertThat(statuses).containsExactly(33, 33, 1);
        assertThat(bus.readPort(0xF4, 4)).isZero();
    }
}
