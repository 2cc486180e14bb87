package org.softkvm.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.DmaMemory;
import org.softkvm.devices.firmware.FwCfg;
import org.softkvm.devices.firmware.FwCfgItems;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.loader.RamLayout;

/** What firmware and KVM's unit tests read from the board's fw_cfg device. */
class FirmwareItemsTest {
    private static final DmaMemory NO_MEMORY = new DmaMemory() {
        @Override
        public boolean read(long address, byte[] to, int offset, int length) {
            return false;
        }

        @Override
        public boolean write(long address, byte[] from, int offset, int length) {
            return false;
        }
    };

    private static ByteBuffer item(PcConfig config, int key, int length) {
        FwCfg device = new FwCfg(FirmwareItems.of(config, RamLayout.of(config.memory())), NO_MEMORY);
        device.ports().write(0, 2, key);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) device.ports().read(1, 1);
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static PcConfig.Builder kernel(byte[] image) {
        return PcConfig.builder(new GuestFile("kernel", image)).kernel(true).memory(64 << 20);
    }

    @Test
    void machineIsDescribed() {
        PcConfig config = kernel(new byte[8]).cpus(3).build();
        assertThat(item(config, FwCfgItems.NB_CPUS, 2).getShort()).isEqualTo((short) 3);
        assertThat(item(config, FwCfgItems.MAX_CPUS, 2).getShort()).isEqualTo((short) 3);
        assertThat(item(config, FwCfgItems.RAM_SIZE, 8).getLong()).isEqualTo(64 << 20);
        assertThat(item(config, FwCfgItems.IRQ0_OVERRIDE, 4).getInt()).isEqualTo(1);
    }

    @Test
    void memoryMapIsAFile() {
        PcConfig config = kernel(new byte[8]).build();
        ByteBuffer directory = item(config, FwCfgItems.FILE_DIR, 68).order(ByteOrder.BIG_ENDIAN);
        assertThat(directory.getInt()).isEqualTo(1);
        int entries = RamLayout.of(64 << 20).memoryMap().size();
        assertThat(directory.getInt()).isEqualTo(20 * entries);
        int key = directory.getShort();
        assertThat(new String(directory.array(), 12, 9, StandardCharsets.US_ASCII))
                .isEqualTo("etc/e820\0");
        ByteBuffer map = item(config, key, 20 * entries);
        assertThat(map.getLong(0)).isZero();
        assertThat(map.getLong(8)).isEqualTo(RamLayout.CONVENTIONAL_END);
        assertThat(map.getInt(16)).isEqualTo(1);
    }

    @Test
    void bzImageComesInTwoParts() {
        byte[] image = new byte[4 * 512 + 10];
        image[0x1F1] = 2;
        ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).putInt(0x202, 0x53726448);
        image[3 * 512] = 0x5A;
        PcConfig config = kernel(image).build();
        assertThat(item(config, FwCfgItems.SETUP_SIZE, 4).getInt()).isEqualTo(3 * 512);
        assertThat(item(config, FwCfgItems.SETUP_DATA, 0x206).getInt(0x202)).isEqualTo(0x53726448);
        assertThat(item(config, FwCfgItems.KERNEL_SIZE, 4).getInt()).isEqualTo(512 + 10);
        assertThat(item(config, FwCfgItems.KERNEL_DATA, 1).get()).isEqualTo((byte) 0x5A);
    }

    @Test
    void otherKernelsComeWhole() {
        byte[] image = {1, 2, 3};
        PcConfig config = kernel(image)
                .initrd(new GuestFile("initrd", new byte[] {7, 8}))
                .commandLine("a b")
                .build();
        assertThat(item(config, FwCfgItems.SETUP_SIZE, 4).getInt()).isZero();
        assertThat(item(config, FwCfgItems.KERNEL_SIZE, 4).getInt()).isEqualTo(3);
        assertThat(item(config, FwCfgItems.KERNEL_DATA, 3).array()).isEqualTo(image);
        assertThat(item(config, FwCfgItems.INITRD_SIZE, 4).getInt()).isEqualTo(2);
        assertThat(item(config, FwCfgItems.INITRD_DATA, 2).array()).containsExactly(7, 8);
        assertThat(item(config, FwCfgItems.CMDLINE_SIZE, 4).getInt()).isEqualTo(4);
        assertThat(item(config, FwCfgItems.CMDLINE_DATA, 4).array()).containsExactly('a', ' ', 'b', 0);
    }

    @Test
    void anImageThatIsNoKernelIsNotOffered() {
        PcConfig config = PcConfig.builder(new GuestFile("rom", new byte[8]))
                .memory(1 << 20)
                .build();
        assertThat(item(config, FwCfgItems.KERNEL_SIZE, 4).getInt()).isZero();
    }
}
