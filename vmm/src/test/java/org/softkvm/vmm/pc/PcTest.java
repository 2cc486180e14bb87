package org.softkvm.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;

/** The board and its run loop, under a vcpu that plays exits. */
@Timeout(60)
class PcTest {
    private static final int COM1 = 0x3F8;
    private static final int PM1A_CONTROL = 0x604;
    private static final int POWER_OFF = 1 << 13;

    private final FakeKvm fake = new FakeKvm();
    private final ByteArrayOutputStream serial = new ByteArrayOutputStream();

    private static GuestFile rom(int size) {
        byte[] rom = new byte[size];
        rom[size - 16] = (byte) 0xEA;
        rom[0] = 0x77;
        return new GuestFile("rom", rom);
    }

    private PcConfig.Builder config() {
        return PcConfig.builder(rom(0x4_0000)).memory(4 << 20).serialOutput(serial);
    }

    private PcResult run(PcConfig.Builder builder) throws VmmException {
        PcConfig config = builder.build();
        try (Pc pc = Pc.create(config, Loading.of(Pc.load(config)), fake.kvm())) {
            return pc.run();
        }
    }

    private String serialText() {
        return serial.toString(StandardCharsets.US_ASCII);
    }

    @Test
    void powerOffEndsTheRunWithItsOutput() throws VmmException {
        fake.text(COM1, "hi\r\nthere").io(PM1A_CONTROL, 2, POWER_OFF);
        PcResult result = run(config());
        assertThat(result.reason()).isEqualTo(PcResult.Reason.POWER_OFF);
        assertThat(result.exitStatus()).isZero();
        assertThat(serialText()).isEqualTo("hi\r\nthere");
        assertThat(result.statistics().exits()).containsEntry("IO", 10L);
        assertThat(fake.closed).isTrue();
    }

    @Test
    void debugExitGivesItsStatus() throws VmmException {
        fake.io(0xF4, 1, 0x10);
        assertThat(run(config()).exitStatus()).isEqualTo(33);
    }

    @Test
    void debugExitTakesWiderWrites() throws VmmException {
        fake.io(0xF4, 4, 0x11);
        assertThat(run(config()).exitStatus()).isEqualTo(35);
    }

    @Test
    void stringOutputArrivesInOrder() throws VmmException {
        fake.io(COM1, 1, 'a', 'b', 'c').io(PM1A_CONTROL, 2, POWER_OFF);
        run(config());
        assertThat(serialText()).isEqualTo("abc");
    }

    @Test
    void expectedTextEndsTheRun() throws VmmException {
        fake.text(COM1, "ababac...");
        PcResult result = run(config().expect("abac"));
        assertThat(result.reason()).isEqualTo(PcResult.Reason.EXPECTED_TEXT);
        assertThat(result.exitStatus()).isZero();
        assertThat(serialText()).isEqualTo("ababac");
    }

    @Test
    void expectedTextIsSeenOnDebugConsolesToo() throws VmmException {
        ByteArrayOutputStream debug = new ByteArrayOutputStream();
        fake.text(COM1, "OK").text(0x402, "boot OK");
        PcResult result = run(config().expect("boot OK").debugConsole(new DebugPort(0x402, debug)));
        assertThat(result.reason()).isEqualTo(PcResult.Reason.EXPECTED_TEXT);
        assertThat(debug.toString(StandardCharsets.US_ASCII)).isEqualTo("boot OK");
        assertThat(serialText()).isEqualTo("OK");
    }

    @Test
    void timeoutEndsTheRun() throws VmmException {
        PcResult result = run(config().timeout(Duration.ofMillis(50)));
        assertThat(result.reason()).isEqualTo(PcResult.Reason.TIMEOUT);
        assertThat(result.exitStatus()).isEqualTo(124);
    }

    @Test
    void tripleFaultSaysWhere() throws VmmException {
        fake.then(() -> {}, ExitReason.SHUTDOWN);
        PcResult result = run(config());
        assertThat(result.exitStatus()).isEqualTo(126);
        assertThat(result.detail()).contains("triple fault", "CS:RIP");
    }

    @Test
    void resetRegistersEndTheRun() throws VmmException {
        fake.io(0xCF9, 1, 2).io(0xCF9, 1, 6);
        PcResult result = run(config().reboot(false));
        assertThat(result.reason()).isEqualTo(PcResult.Reason.RESET);
        assertThat(result.exitStatus()).isEqualTo(126);
    }

    @Test
    void fastResetOfPort92EndsTheRun() throws VmmException {
        fake.io(0x92, 1, 3);
        assertThat(run(config().reboot(false)).reason()).isEqualTo(PcResult.Reason.RESET);
    }

    /** The chips are as after power-on; a ROM finds the memory as it was, and the consoles go on. */
    @Test
    void resetsStartTheMachineAgain() throws VmmException {
        int[] masks = new int[2];
        byte[] kept = new byte[1];
        fake.io(0x21, 1, 0xFB).in(0x21, 1).then(() -> masks[0] = fake.data[0], ExitReason.INTR);
        fake.then(() -> fake.slotAt(0x5000).memory().set(ValueLayout.JAVA_BYTE, 0x5000, (byte) 'K'), ExitReason.INTR);
        fake.text(COM1, "one").io(0x64, 1, 0xFE);
        // What a run inside the reset gives: the access is done.
        fake.then(() -> {}, ExitReason.INTR);
        fake.in(0x21, 1).then(() -> masks[1] = fake.data[0], ExitReason.INTR);
        fake.then(() -> kept[0] = fake.byteAt(0x5000), ExitReason.INTR);
        fake.text(COM1, "two").io(0xF4, 1, 0x10);
        PcResult result = run(config());
        assertThat(result.exitStatus()).isEqualTo(33);
        assertThat(serialText()).isEqualTo("onetwo");
        assertThat(masks[0]).isEqualTo(0xFB);
        assertThat(masks[1]).isNotEqualTo(0xFB);
        assertThat(kept[0]).isEqualTo((byte) 'K');
    }

    @Test
    void resetsReachTheTestDeviceAndFwCfg() throws VmmException {
        int[] seen = new int[2];
        fake.io(0xE0, 4, 0x1234_5678).io(0x510, 2, 5).io(0x64, 1, 0xFE);
        fake.then(() -> {}, ExitReason.INTR);
        fake.in(0xE0, 4).then(() -> seen[0] = fake.data[0], ExitReason.INTR);
        fake.in(0x511, 1).then(() -> seen[1] = fake.data[0], ExitReason.INTR);
        fake.io(0xF4, 1, 0x10);
        run(config());
        assertThat(seen).as("nothing, and the signature is selected").containsExactly(0, 'Q');
    }

    @Test
    void stoppingDuringAResetStops() throws VmmException {
        fake.io(0x92, 1, 3);
        PcConfig config = config().build();
        try (Pc pc = Pc.create(config, Loading.of(Pc.load(config)), fake.kvm())) {
            fake.then(pc::stop, ExitReason.INTR);
            assertThat(pc.run().reason()).isEqualTo(PcResult.Reason.STOPPED);
        }
    }

    @Test
    void internalErrorsAreErrors() {
        fake.then(() -> {}, ExitReason.INTERNAL_ERROR);
        assertThatThrownBy(() -> run(config()))
                .isInstanceOf(VmmException.class)
                .hasMessageContaining("an instruction could not be executed: made up");
    }

    @Test
    void ownFaultsEndTheRunToo() {
        fake.then(
                () -> {
                    throw new IllegalStateException("broken");
                },
                0);
        assertThatThrownBy(() -> run(config()))
                .isInstanceOf(VmmException.class)
                .hasMessageContaining("internal error")
                .hasMessageContaining("broken");
    }

    @Test
    void stopEndsTheRunFromAnotherThread() throws VmmException {
        CountDownLatch running = new CountDownLatch(1);
        fake.then(running::countDown, ExitReason.INTR);
        PcConfig config = config().build();
        try (Pc pc = Pc.create(config, Loading.of(Pc.load(config)), fake.kvm())) {
            Thread stopper = Thread.ofPlatform().start(() -> {
                try {
                    running.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                pc.stop();
            });
            assertThat(pc.run().reason()).isEqualTo(PcResult.Reason.STOPPED);
            assertThat(stopper.isDaemon()).isFalse();
        }
    }

    @Test
    void unwritableOutputIsAnError() {
        OutputStream broken = new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("pipe closed");
            }
        };
        fake.text(COM1, "x\n").io(PM1A_CONTROL, 2, POWER_OFF);
        assertThatThrownBy(() -> run(config().serialOutput(broken)))
                .isInstanceOf(VmmException.class)
                .hasMessageContaining("pipe closed");
    }

    @Test
    void unclaimedPortsAndAddressesReadAllOnes() throws VmmException {
        int[] seen = new int[1];
        long[] memory = new long[1];
        fake.in(0x1234, 4).then(() -> seen[0] = fake.data[0], ExitReason.INTR);
        fake.mmio(0xB000_0000L, 3, false, 0).then(() -> memory[0] = fake.mmioData, ExitReason.INTR);
        fake.mmio(0xB000_0000L, 7, true, 1).io(PM1A_CONTROL, 2, POWER_OFF);
        run(config());
        assertThat(seen[0]).isEqualTo(-1);
        assertThat(memory[0]).isEqualTo(0xFF_FFFF);
    }

    @Test
    void testDeviceDrivesInterruptLines() throws VmmException {
        long window = 0xFEC0_0010L;
        fake.mmio(0xFEC0_0000L, 4, true, 0x10 + 2 * 20); // pin 20: vector 54h, edge, to APIC 0
        fake.mmio(window, 4, true, 0x54);
        fake.io(0x2000 + 20, 1, 1).io(0x2000 + 20, 1, 0).io(0x2000 + 20, 1, 1);
        fake.io(PM1A_CONTROL, 2, POWER_OFF);
        run(config());
        assertThat(fake.msis).hasSize(2);
    }

    @Test
    void testDeviceFlushesAPageByGivingMemoryAnew() throws VmmException {
        fake.then(fake.slots::clear, ExitReason.INTR).io(0xE4, 4, 0x10_0000);
        fake.then(() -> assertThat(fake.slotAt(0x10_0000)).isNotNull(), ExitReason.INTR);
        fake.io(PM1A_CONTROL, 2, POWER_OFF);
        assertThat(run(config()).reason()).isEqualTo(PcResult.Reason.POWER_OFF);
    }

    @Test
    void fwCfgTellsTheNumberOfCpus() throws VmmException {
        int[] seen = new int[2];
        fake.io(0x510, 2, 5).in(0x511, 1).then(() -> seen[0] = fake.data[0], ExitReason.INTR);
        fake.in(0x514, 4).then(() -> seen[1] = fake.data[0], ExitReason.INTR);
        fake.io(PM1A_CONTROL, 2, POWER_OFF);
        run(config());
        assertThat(seen).containsExactly(1, 0x554D_4551);
    }

    @Test
    void romShowsAtTheTopAndBelowOneMegabyte() throws VmmException {
        fake.io(PM1A_CONTROL, 2, POWER_OFF);
        fake.script.addFirst(() -> {
            assertThat(fake.byteAt(0xFFFC_0000L)).isEqualTo((byte) 0x77);
            assertThat(fake.byteAt(0xFFFF_FFF0L)).isEqualTo((byte) 0xEA);
            assertThat(fake.byteAt(0xF_FFF0)).isEqualTo((byte) 0xEA);
            assertThat(fake.slotAt(0xF_FFF0).flags()).isEqualTo(MemorySlot.READONLY);
            assertThat(fake.slotAt(0xE_0000).guestPhysicalAddress()).isEqualTo(0xE_0000);
            assertThat(fake.slotAt(0xA_0000)).isNull();
            assertThat(fake.slotAt(0xC_0000).flags()).isEqualTo(MemorySlot.READONLY);
            assertThat(fake.byteAt(0xC_0000)).isEqualTo((byte) 0xFF);
            assertThat(fake.byteAt(0xD_FFFF)).isEqualTo((byte) 0xFF);
            assertThat(fake.slotAt(0x3F_FFFF).flags()).isZero();
            assertThat(fake.slotAt(0x40_0000)).isNull();
            return ExitReason.INTR;
        });
        assertThat(run(config()).reason()).isEqualTo(PcResult.Reason.POWER_OFF);
    }

    @Test
    void closedA20GateFoldsOddMegabytes() throws VmmException {
        fake.io(0x92, 1, 0);
        fake.then(
                () -> {
                    assertThat(fake.byteAt(0x1F_FFF0)).isEqualTo((byte) 0xEA);
                    long even = fake.slotAt(0x20_0000).memory().address()
                            + 0x20_0000
                            - fake.slotAt(0x20_0000).guestPhysicalAddress();
                    assertThat(fake.slotAt(0x30_0000).memory().address()).isEqualTo(even);
                },
                ExitReason.INTR);
        fake.io(0x92, 1, 2);
        fake.then(() -> assertThat(fake.byteAt(0x1F_FFF0)).isZero(), ExitReason.INTR);
        fake.io(PM1A_CONTROL, 2, POWER_OFF);
        assertThat(run(config()).reason()).isEqualTo(PcResult.Reason.POWER_OFF);
    }

    @Test
    void redirectionEntriesBecomeRoutesAndInterruptsMessages() throws VmmException {
        long window = 0xFEC0_0010L;
        fake.mmio(0xFEC0_0000L, 4, true, 0x10 + 2 * 4); // pin 4: vector 34h, level, to APIC 0
        fake.mmio(window, 4, true, 0x8034);
        fake.then(
                () -> assertThat(fake.routes).containsExactly(new IrqRoute.Msi(4, 0xFEE0_0000L, 0xC034)),
                ExitReason.INTR);
        // The UART's transmitter-empty interrupt, through OUT2: IRQ 4.
        fake.io(COM1 + 4, 1, 8).io(COM1 + 1, 1, 2);
        fake.then(
                () -> {
                    assertThat(fake.msis).hasSize(1);
                    fake.vector = 0x34;
                },
                ExitReason.IOAPIC_EOI);
        // Still asserted after its end: it comes again.
        fake.then(() -> assertThat(fake.msis).hasSize(2), ExitReason.INTR);
        fake.io(PM1A_CONTROL, 2, POWER_OFF);
        assertThat(run(config()).reason()).isEqualTo(PcResult.Reason.POWER_OFF);
    }

    @Test
    void picInterruptsAreInjectedWhenTheWindowIsOpen() throws VmmException {
        // Both PICs: ICW1 to ICW4 with bases 20h and 28h, everything masked but IRQ 4.
        fake.io(0x20, 1, 0x11).io(0x21, 1, 0x20).io(0x21, 1, 4).io(0x21, 1, 1).io(0x21, 1, 0xEF);
        fake.io(COM1 + 4, 1, 8).io(COM1 + 1, 1, 2);
        fake.then(() -> assertThat(fake.windowRequested).isTrue(), ExitReason.INTR);
        fake.then(() -> fake.ready = true, ExitReason.IRQ_WINDOW_OPEN);
        fake.then(
                () -> {
                    assertThat(fake.injected).containsExactly(0x24);
                    assertThat(fake.windowRequested).isFalse();
                },
                ExitReason.INTR);
        fake.io(PM1A_CONTROL, 2, POWER_OFF);
        assertThat(run(config()).reason()).isEqualTo(PcResult.Reason.POWER_OFF);
    }

    @Test
    void timerInterruptWakesTheVcpu() throws VmmException {
        fake.io(0x20, 1, 0x11).io(0x21, 1, 0x20).io(0x21, 1, 4).io(0x21, 1, 1).io(0x21, 1, 0xFE);
        fake.io(0x43, 1, 0x30).io(0x40, 1, 0).io(0x40, 1, 4); // counter 0, mode 0: once, after 1024 ticks
        // The script is empty now, the vcpu waits as in HLT; a kick has to come from the timer's thread.
        Thread feeder = Thread.ofPlatform().unstarted(() -> {
            while (!fake.windowRequested) {
                Thread.onSpinWait();
            }
            fake.then(() -> fake.ready = true, ExitReason.IRQ_WINDOW_OPEN);
            fake.io(PM1A_CONTROL, 2, POWER_OFF);
            fake.kicks.release();
        });
        feeder.setDaemon(true);
        feeder.start();
        assertThat(run(config()).reason()).isEqualTo(PcResult.Reason.POWER_OFF);
        assertThat(fake.injected).containsExactly(0x20);
    }

    @Test
    void serialInputReachesTheGuest() throws VmmException {
        CountDownLatch read = new CountDownLatch(1);
        StringBuilder got = new StringBuilder();
        pollForInput(got, 3, read);
        PcResult result =
                run(config().serialInput(new ByteArrayInputStream("xyz".getBytes(StandardCharsets.US_ASCII))));
        assertThat(result.reason()).isEqualTo(PcResult.Reason.POWER_OFF);
        assertThat(got.toString()).isEqualTo("xyz");
    }

    /** Adds steps that poll LSR for data and read RBR until enough has come, then power off. */
    private void pollForInput(StringBuilder got, int wanted, CountDownLatch read) {
        fake.in(COM1 + 5, 1);
        fake.then(
                () -> {
                    if ((fake.data[0] & 1) == 0) {
                        pollForInput(got, wanted, read);
                        return;
                    }
                    fake.in(COM1, 1);
                    fake.then(
                            () -> {
                                got.append((char) fake.data[0]);
                                if (got.length() < wanted) {
                                    pollForInput(got, wanted, read);
                                } else {
                                    fake.io(PM1A_CONTROL, 2, POWER_OFF);
                                }
                            },
                            ExitReason.INTR);
                },
                ExitReason.INTR);
    }
}
