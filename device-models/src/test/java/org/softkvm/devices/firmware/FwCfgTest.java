package org.softkvm.devices.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.DeviceBus;
import org.softkvm.devices.DmaMemory;

class FwCfgTest {
    private static final int ACCESS = 0x100;
    private static final int TARGET = 0x1000;

    private final byte[] ram = new byte[0x8000];
    private final FwCfgItems items = new FwCfgItems();
    private final FwCfg device = new FwCfg(items, new ArrayMemory(ram));
    private final DeviceBus bus = new DeviceBus();

    private record ArrayMemory(byte[] ram) implements DmaMemory {
        private boolean inside(long address, int length) {
            return address >= 0 && address <= ram.length - length;
        }

        @Override
        public boolean read(long address, byte[] to, int offset, int length) {
            if (inside(address, length)) {
                System.arraycopy(ram, (int) address, to, offset, length);
            }
            return inside(address, length);
        }

        @Override
        public boolean write(long address, byte[] from, int offset, int length) {
            if (inside(address, length)) {
                System.arraycopy(from, offset, ram, (int) address, length);
            }
            return inside(address, length);
        }
    }

    @BeforeEach
    void connect() {
        bus.addPorts(FwCfg.PORT, FwCfg.PORTS, device.ports());
        bus.addPorts(FwCfg.DMA_PORT, FwCfg.DMA_PORTS, device.dmaPorts());
        Arrays.fill(ram, (byte) 0x77);
    }

    private byte[] item(int key, int length) {
        bus.writePort(0x510, 2, key);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) bus.readPort(0x511, 1);
        }
        return bytes;
    }

    /** Runs one transfer and returns the control word that the device leaves. */
    private int dma(int control, int length, long address) {
        ByteBuffer.wrap(ram).putInt(ACCESS, control).putInt(ACCESS + 4, length).putLong(ACCESS + 8, address);
        bus.writePort(0x514, 4, 0);
        bus.writePort(0x518, 4, Integer.reverseBytes(ACCESS) & 0xFFFF_FFFFL);
        return ByteBuffer.wrap(ram).getInt(ACCESS);
    }

    private byte[] target(int length) {
        return Arrays.copyOfRange(ram, TARGET, TARGET + length);
    }

    @Test
    void signatureAndId() {
        assertThat(item(FwCfgItems.SIGNATURE, 6)).containsExactly('Q', 'E', 'M', 'U', 0, 0);
        assertThat(item(FwCfgItems.ID, 4)).containsExactly(3, 0, 0, 0);
    }

    @Test
    void numbersAreLittleEndian() {
        items.putShort(FwCfgItems.NB_CPUS, 0x1234).putLong(FwCfgItems.RAM_SIZE, 0x1_0203_0405L);
        assertThat(item(FwCfgItems.NB_CPUS, 2)).containsExactly(0x34, 0x12);
        assertThat(item(FwCfgItems.RAM_SIZE, 8)).containsExactly(5, 4, 3, 2, 1, 0, 0, 0);
    }

    @Test
    void selectingStartsAnew() {
        assertThat(item(0, 2)).containsExactly('Q', 'E');
        assertThat(bus.readPort(0x510, 1)).isEqualTo('M');
        assertThat(item(0, 1)).containsExactly('Q');
    }

    @Test
    void unknownItemsAreEmptyAndTheWriteChannelIsTheSameItem() {
        assertThat(item(0x3FFF, 3)).containsExactly(0, 0, 0);
        assertThat(item(0xFFFF, 1)).containsExactly(0);
        assertThat(item(0x4000, 4)).containsExactly('Q', 'E', 'M', 'U');
    }

    @Test
    void dataPortIgnoresWrites() {
        bus.writePort(0x510, 2, 0);
        bus.writePort(0x511, 1, 'x');
        bus.writePort(0x510, 1, 'x');
        assertThat(bus.readPort(0x511, 1)).isEqualTo('Q');
        assertThat(item(0, 4)).containsExactly('Q', 'E', 'M', 'U');
    }

    @Test
    void directoryListsFilesByName() {
        items.putFile("opt/b", new byte[] {1, 2, 3}).putFile("etc/a", new byte[] {9});
        ByteBuffer directory = ByteBuffer.wrap(item(FwCfgItems.FILE_DIR, 4 + 2 * 64));
        assertThat(directory.getInt(0)).isEqualTo(2);
        assertThat(directory.getInt(4)).isEqualTo(1);
        assertThat(directory.getShort(8)).isEqualTo((short) 0x20);
        assertThat(new String(directory.array(), 12, 6, StandardCharsets.US_ASCII))
                .isEqualTo("etc/a\0");
        assertThat(directory.getInt(68)).isEqualTo(3);
        assertThat(directory.getShort(72)).isEqualTo((short) 0x21);
        assertThat(item(0x20, 1)).containsExactly(9);
        assertThat(item(0x21, 4)).containsExactly(1, 2, 3, 0);
    }

    @Test
    void dmaRegisterShowsItsSignature() {
        assertThat(bus.readPort(0x514, 4)).isEqualTo(0x554D_4551L);
        assertThat(bus.readPort(0x518, 4)).isEqualTo(0x4746_4320L);
        assertThat(bus.readPort(0x51B, 1)).isEqualTo('G');
    }

    @Test
    void dmaSelectsAndReads() {
        assertThat(dma(FwCfg.CTL_SELECT | FwCfg.CTL_READ, 6, TARGET)).isZero();
        assertThat(target(7)).containsExactly('Q', 'E', 'M', 'U', 0, 0, 0x77);
    }

    @Test
    void dmaGoesOnWhereThePortStands() {
        item(0, 1);
        assertThat(dma(FwCfg.CTL_SKIP, 1, 0)).isZero();
        assertThat(dma(FwCfg.CTL_READ, 1, TARGET)).isZero();
        assertThat(target(1)).containsExactly('M');
        assertThat(bus.readPort(0x511, 1)).isEqualTo('U');
        assertThat(dma(FwCfg.CTL_SELECT | FwCfg.CTL_SKIP, -1, 0)).isZero();
        assertThat(bus.readPort(0x511, 1)).isZero();
    }

    @Test
    void dmaCopiesMoreThanAChunk() {
        byte[] large = new byte[10_000];
        for (int i = 0; i < large.length; i++) {
            large[i] = (byte) (i * 7);
        }
        items.put(0x100, large);
        assertThat(dma(0x100 << 16 | FwCfg.CTL_SELECT | FwCfg.CTL_READ, large.length, TARGET))
                .isZero();
        assertThat(target(large.length)).isEqualTo(large);
    }

    @Test
    void dmaErrors() {
        assertThat(dma(FwCfg.CTL_SELECT | FwCfg.CTL_WRITE, 4, TARGET)).isEqualTo(FwCfg.CTL_ERROR);
        assertThat(dma(FwCfg.CTL_SELECT | FwCfg.CTL_READ, 4, ram.length - 2)).isEqualTo(FwCfg.CTL_ERROR);
        assertThat(dma(FwCfg.CTL_SELECT | FwCfg.CTL_READ, -1, TARGET)).isEqualTo(FwCfg.CTL_ERROR);
        assertThat(dma(FwCfg.CTL_SELECT | FwCfg.CTL_READ, 4, -2)).isEqualTo(FwCfg.CTL_ERROR);
    }

    @Test
    void dmaFromNowhereDoesNothing() {
        bus.writePort(0x514, 4, 0xFFFF_FFFFL);
        bus.writePort(0x518, 4, 0xFFFF_FFFFL);
        assertThat(item(0, 1)).containsExactly('Q');
        // The register is zero again, so the low word alone leads to low memory.
        assertThat(dma(FwCfg.CTL_SELECT | FwCfg.CTL_READ, 1, TARGET)).isZero();
    }

    @Test
    void dmaAddressInOneWrite() {
        ByteBuffer.wrap(ram).putInt(ACCESS, FwCfg.CTL_SELECT | FwCfg.CTL_READ).putInt(ACCESS + 4, 1);
        ByteBuffer.wrap(ram).putLong(ACCESS + 8, TARGET);
        bus.writePort(0x514, 8, Long.reverseBytes(ACCESS));
        assertThat(target(1)).containsExactly('Q');
    }

    @Test
    void stateKeepsThePlace() {
        item(0, 2);
        FwCfg.State state = device.save();
        item(1, 4);
        device.restore(state);
        assertThat(bus.readPort(0x511, 1)).isEqualTo('M');
        assertThatThrownBy(() -> device.restore(new FwCfg.State(0, 5, 0))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void badItemsAreRefused() {
        assertThatThrownBy(() -> items.put(0x4000, new byte[0])).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> items.putFile("", new byte[0])).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> items.putFile("x".repeat(56), new byte[0]))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> items.putFile("\u00e4", new byte[0])).isInstanceOf(IllegalArgumentException.class);
    }
}
