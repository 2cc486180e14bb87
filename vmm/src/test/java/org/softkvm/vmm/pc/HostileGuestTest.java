package org.softkvm.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.ExitReason;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;

/** Guests that hammer ports and registers at random: the board answers whatever they do. */
@Timeout(300)
class HostileGuestTest {
    private static final int MACHINES = 60;
    private static final int ACCESSES = 4000;

    /** Where devices are, so that most accesses hit one. */
    private static final int[] PORTS = {
        0x20, 0x21, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x92, 0xA0, 0xA1, 0xB2, 0xB3, 0xE9, 0x3F8,
        0x3F9, 0x3FA, 0x3FB, 0x3FC, 0x3FD, 0x3FE, 0x3FF, 0x402, 0x4D0, 0x4D1, 0x600, 0x602, 0x608, 0x60C, 0x60E, 0xCF8,
        0xFFFF
    };

    private static void hammer(FakeKvm fake, Random random) {
        fake.vector = random.nextInt(256);
        fake.ready = random.nextBoolean();
        switch (random.nextInt(8)) {
            case 0 -> {
                long[] windows = {0xFEC0_0000L, 0xFEC0_0010L, 0xFEC0_0FFAL, 0xB_8000, 0xFFFF_FFFFL, random.nextLong()};
                fake.mmio(
                        windows[random.nextInt(windows.length)] & Long.MAX_VALUE,
                        1 + random.nextInt(8),
                        random.nextBoolean(),
                        random.nextLong());
            }
            case 1 -> fake.then(() -> {}, ExitReason.IOAPIC_EOI);
            default -> {
                int port = random.nextInt(10) == 0 ? random.nextInt(0x1_0000) : PORTS[random.nextInt(PORTS.length)];
                int size = 1 << random.nextInt(3);
                if (random.nextBoolean()) {
                    fake.in(port, size);
                } else {
                    fake.io(port, size, random.ints(1 + random.nextInt(3)).toArray());
                }
            }
        }
    }

    private static PcResult play(long seed) throws VmmException {
        Random random = new Random(seed);
        FakeKvm fake = new FakeKvm();
        byte[] rom = new byte[0x1_0000];
        rom[0xFFF0] = (byte) 0xEA;
        PcConfig config = PcConfig.builder(new GuestFile("rom", rom))
                .memory(3 << 20)
                .reboot(false)
                .debugConsole(new DebugPort(0x402, new ByteArrayOutputStream()))
                .build();
        int[] left = {ACCESSES};
        Runnable[] refill = new Runnable[1];
        refill[0] = () -> {
            if (left[0]-- > 0) {
                hammer(fake, random);
                fake.then(refill[0], ExitReason.INTR);
            } else {
                fake.io(0xF4, 1, 0);
            }
        };
        fake.then(refill[0], ExitReason.INTR);
        try (Pc pc = Pc.create(config, Loading.of(Pc.load(config)), fake.kvm())) {
            return pc.run();
        }
    }

    @Test
    void neverBringTheBoardDown() throws VmmException {
        int survived = 0;
        for (int seed = 0; seed < MACHINES; seed++) {
            PcResult result = play(seed);
            assertThat(result.reason())
                    .as("seed %d", seed)
                    .isIn(PcResult.Reason.DEBUG_EXIT, PcResult.Reason.RESET, PcResult.Reason.POWER_OFF);
            survived += result.statistics().exits().getOrDefault("IO", 0L) > 50 ? 1 : 0;
        }
        assertThat(survived).isGreaterThan(5);
    }
}
