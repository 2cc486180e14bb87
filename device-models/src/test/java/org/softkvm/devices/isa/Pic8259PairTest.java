package org.softkvm.devices.isa;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.RecordingLine;

class Pic8259PairTest {
    private static final int EOI = 0x20;
    private static final int READ_IRR = 0x0A;
    private static final int READ_ISR = 0x0B;
    private static final int POLL = 0x0C;

    private final RecordingLine intr = new RecordingLine();
    private final Pic8259Pair pics = new Pic8259Pair(intr);
    private final BusDevice master = pics.master();
    private final BusDevice slave = pics.slave();

    private static void initialise(BusDevice chip, int vectorBase, int icw3, int icw4) {
        chip.write(0, 1, 0x11);
        chip.write(1, 1, vectorBase);
        chip.write(1, 1, icw3);
        chip.write(1, 1, icw4);
    }

    @BeforeEach
    void initialiseAsAPc() {
        initialise(master, 0x08, 0x04, 0x01);
        initialise(slave, 0x70, 0x02, 0x01);
    }

    private int irr(BusDevice chip) {
        chip.write(0, 1, READ_IRR);
        return (int) chip.read(0, 1);
    }

    private int isr(BusDevice chip) {
        chip.write(0, 1, READ_ISR);
        return (int) chip.read(0, 1);
    }

    private int poll(BusDevice chip) {
        chip.write(0, 1, POLL);
        return (int) chip.read(0, 1);
    }

    @Test
    void edgeGoesThroughIrrAndIsr() {
        pics.irq(3).set(true);
        assertThat(intr.isHigh()).isTrue();
        assertThat(pics.interruptPending()).isTrue();
        assertThat(irr(master)).isEqualTo(0x08);
        assertThat(pics.acknowledge()).isEqualTo(0x0B);
        assertThat(irr(master)).isZero();
        assertThat(isr(master)).isEqualTo(0x08);
        assertThat(intr.isHigh()).isFalse();
        master.write(0, 1, EOI);
        assertThat(isr(master)).isZero();
        assertThat(intr.isHigh()).as("an edge counts once").isFalse();
        pics.irq(3).set(false);
        pics.irq(3).set(true);
        assertThat(pics.acknowledge()).isEqualTo(0x0B);
    }

    @Test
    void requestsStayLatchedWhenThePulseIsOver() {
        pics.irq(4).pulse();
        assertThat(pics.acknowledge()).isEqualTo(0x0C);
    }

    @Test
    void maskHoldsBack() {
        master.write(1, 1, 0x08);
        assertThat(master.read(1, 1)).isEqualTo(0x08);
        pics.irq(3).set(true);
        assertThat(intr.isHigh()).isFalse();
        master.write(1, 1, 0);
        assertThat(intr.isHigh()).isTrue();
    }

    @Test
    void priorities() {
        pics.irq(5).pulse();
        pics.irq(1).pulse();
        assertThat(pics.acknowledge()).isEqualTo(0x09);
        assertThat(intr.isHigh()).as("5 waits for 1").isFalse();
        pics.irq(0).pulse();
        assertThat(pics.acknowledge()).as("0 interrupts 1").isEqualTo(0x08);
        master.write(0, 1, EOI);
        assertThat(isr(master)).isEqualTo(0x02);
        assertThat(intr.isHigh()).isFalse();
        master.write(0, 1, EOI);
        assertThat(pics.acknowledge()).isEqualTo(0x0D);
    }

    @Test
    void intrFallsWithTheCycle() {
        pics.irq(0).pulse();
        pics.irq(1).pulse();
        // With automatic EOI there is more to serve right after the cycle, which needs a new edge.
        master.write(0, 1, 0x11);
        master.write(1, 1, 0x08);
        master.write(1, 1, 0x04);
        master.write(1, 1, 0x03);
        pics.irq(0).pulse();
        pics.irq(1).pulse();
        int before = intr.rises();
        assertThat(pics.acknowledge()).isEqualTo(0x08);
        assertThat(intr.isHigh()).isTrue();
        assertThat(intr.rises()).isEqualTo(before + 1);
        assertThat(pics.acknowledge()).isEqualTo(0x09);
        assertThat(intr.isHigh()).isFalse();
    }

    @Test
    void cascade() {
        pics.irq(8).set(true);
        pics.irq(14).set(true);
        assertThat(irr(master)).isEqualTo(0x04);
        assertThat(pics.acknowledge()).isEqualTo(0x70);
        assertThat(isr(master)).isEqualTo(0x04);
        assertThat(isr(slave)).isEqualTo(0x01);
        slave.write(0, 1, EOI);
        assertThat(intr.isHigh()).as("the master still serves its input 2").isFalse();
        master.write(0, 1, EOI);
        assertThat(pics.acknowledge()).isEqualTo(0x76);
        slave.write(0, 1, EOI);
        master.write(0, 1, EOI);
        assertThat(intr.isHigh()).isFalse();
        assertThat(isr(slave) | isr(master)).isZero();
    }

    @Test
    void theOrderOfTheTwoEoisDoesNotMatter() {
        pics.irq(8).set(true);
        pics.irq(14).set(true);
        pics.acknowledge();
        master.write(0, 1, EOI);
        slave.write(0, 1, EOI);
        assertThat(pics.acknowledge()).isEqualTo(0x76);
    }

    @Test
    void irq2LeadsNowhere() {
        pics.irq(2).set(true);
        assertThat(intr.isHigh()).isFalse();
    }

    @Test
    void spuriousIrq7() {
        pics.irq(5).set(true);
        master.write(1, 1, 0x20);
        assertThat(pics.acknowledge()).isEqualTo(0x0F);
        assertThat(isr(master)).isZero();
        assertThat(irr(master)).as("the request stays").isEqualTo(0x20);
    }

    @Test
    void spuriousIrq15() {
        pics.irq(10).set(true);
        slave.write(1, 1, 0x04);
        assertThat(intr.isHigh()).as("the master's input 2 is latched").isTrue();
        assertThat(pics.acknowledge()).isEqualTo(0x77);
        assertThat(isr(slave)).isZero();
        assertThat(isr(master)).as("the master has served its input 2").isEqualTo(0x04);
    }

    @Test
    void levelTriggeredByElcr() {
        pics.elcr().write(0, 1, 0xFF);
        pics.elcr().write(1, 1, 0xFF);
        assertThat(pics.elcr().read(0, 1)).isEqualTo(0xF8);
        assertThat(pics.elcr().read(1, 1)).isEqualTo(0xDE);
        pics.irq(11).set(true);
        assertThat(pics.acknowledge()).isEqualTo(0x73);
        assertThat(irr(slave)).as("a level stays requested").isEqualTo(0x08);
        slave.write(0, 1, EOI);
        master.write(0, 1, EOI);
        assertThat(pics.acknowledge()).isEqualTo(0x73);
        pics.irq(11).set(false);
        slave.write(0, 1, EOI);
        master.write(0, 1, EOI);
        assertThat(intr.isHigh()).isFalse();
    }

    @Test
    void aLevelThatGoesAwayIsSpurious() {
        pics.elcr().write(0, 1, 0x20);
        pics.irq(5).set(true);
        pics.irq(5).set(false);
        assertThat(intr.isHigh()).isFalse();
        assertThat(pics.acknowledge()).isEqualTo(0x0F);
    }

    @Test
    void elcrChangesTakeEffectAtOnce() {
        pics.irq(5).set(true);
        pics.acknowledge();
        master.write(0, 1, EOI);
        assertThat(intr.isHigh()).isFalse();
        pics.elcr().write(0, 1, 0x20);
        assertThat(intr.isHigh()).isTrue();
    }

    @Test
    void specificEoi() {
        pics.irq(5).pulse();
        pics.acknowledge();
        pics.irq(1).pulse();
        pics.acknowledge();
        master.write(0, 1, 0x65);
        assertThat(isr(master)).isEqualTo(0x02);
        master.write(0, 1, 0x63);
        assertThat(isr(master)).isEqualTo(0x02);
    }

    @Test
    void rotationOnNonSpecificEoi() {
        pics.irq(3).pulse();
        pics.acknowledge();
        master.write(0, 1, 0xA0);
        assertThat(isr(master)).isZero();
        // 3 is the lowest now, 4 the highest.
        pics.irq(3).pulse();
        pics.irq(0).pulse();
        pics.irq(4).pulse();
        assertThat(pics.acknowledge()).isEqualTo(0x0C);
        master.write(0, 1, EOI);
        assertThat(pics.acknowledge()).isEqualTo(0x08);
        master.write(0, 1, EOI);
        assertThat(pics.acknowledge()).isEqualTo(0x0B);
    }

    @Test
    void rotationOnSpecificEoiAndSetPriority() {
        pics.irq(1).pulse();
        pics.acknowledge();
        master.write(0, 1, 0xE1);
        assertThat(isr(master)).isZero();
        pics.irq(0).pulse();
        pics.irq(3).pulse();
        assertThat(pics.acknowledge()).isEqualTo(0x0B);
        master.write(0, 1, EOI);
        // 4 lowest: 5 6 7 0.
        master.write(0, 1, 0xC4);
        pics.irq(4).pulse();
        assertThat(pics.acknowledge()).isEqualTo(0x08);
    }

    @Test
    void automaticEoiWithRotation() {
        initialise(master, 0x08, 0x04, 0x03);
        pics.irq(3).pulse();
        assertThat(pics.acknowledge()).isEqualTo(0x0B);
        assertThat(isr(master)).isZero();
        master.write(0, 1, 0x80);
        pics.irq(3).pulse();
        pics.acknowledge();
        pics.irq(3).pulse();
        pics.irq(7).pulse();
        assertThat(pics.acknowledge()).as("3 is the lowest").isEqualTo(0x0F);
        master.write(0, 1, 0x00);
        assertThat(pics.acknowledge()).isEqualTo(0x0B);
        pics.irq(3).pulse();
        pics.irq(4).pulse();
        assertThat(pics.acknowledge()).as("no rotation any more").isEqualTo(0x0B);
    }

    @Test
    void ocw2NoOperation() {
        pics.irq(3).pulse();
        pics.acknowledge();
        master.write(0, 1, 0x40);
        assertThat(isr(master)).isEqualTo(0x08);
    }

    @Test
    void specialMaskModeLetsLowerLevelsThrough() {
        pics.irq(1).pulse();
        pics.acknowledge();
        pics.irq(5).pulse();
        assertThat(intr.isHigh()).isFalse();
        master.write(1, 1, 0x02);
        assertThat(intr.isHigh()).isFalse();
        master.write(0, 1, 0x68);
        assertThat(intr.isHigh()).isTrue();
        assertThat(pics.acknowledge()).isEqualTo(0x0D);
        // A non-specific EOI does not touch what is masked.
        master.write(0, 1, EOI);
        assertThat(isr(master)).isEqualTo(0x02);
        master.write(0, 1, EOI);
        assertThat(isr(master)).isEqualTo(0x02);
        // Without ESMM the mode does not change.
        master.write(0, 1, 0x08);
        pics.irq(5).pulse();
        assertThat(intr.isHigh()).isTrue();
        master.write(0, 1, 0x48);
        assertThat(intr.isHigh()).isFalse();
    }

    @Test
    void specialFullyNestedModeLetsTheSlaveNest() {
        pics.irq(14).pulse();
        pics.acknowledge();
        pics.irq(8).pulse();
        assertThat(intr.isHigh()).as("not in fully nested mode").isFalse();
        initialise(master, 0x08, 0x04, 0x11);
        initialise(slave, 0x70, 0x02, 0x01);
        pics.irq(14).pulse();
        assertThat(pics.acknowledge()).isEqualTo(0x76);
        pics.irq(8).pulse();
        assertThat(pics.acknowledge()).isEqualTo(0x70);
        assertThat(isr(slave)).isEqualTo(0x41);
        pics.irq(3).pulse();
        assertThat(intr.isHigh()).as("lower than input 2").isFalse();
    }

    @Test
    void polledMode() {
        assertThat(poll(master)).isEqualTo(7);
        pics.irq(6).pulse();
        assertThat(poll(master)).isEqualTo(0x86);
        assertThat(isr(master)).isEqualTo(0x40);
        assertThat(intr.isHigh()).isFalse();
        assertThat(master.read(1, 1)).as("one read only").isZero();
        pics.irq(12).pulse();
        assertThat(poll(master)).isEqualTo(0x82);
        assertThat(poll(slave)).isEqualTo(0x84);
        assertThat(isr(slave)).isEqualTo(0x10);
    }

    @Test
    void readRegisterIsRemembered() {
        pics.irq(3).pulse();
        pics.acknowledge();
        pics.irq(5).pulse();
        master.write(0, 1, READ_ISR);
        assertThat(master.read(0, 1)).isEqualTo(0x08);
        assertThat(master.read(0, 1)).isEqualTo(0x08);
        master.write(0, 1, 0x08);
        assertThat(master.read(0, 1)).isEqualTo(0x08);
        master.write(0, 1, READ_IRR);
        assertThat(master.read(0, 1)).isEqualTo(0x20);
    }

    @Test
    void icw1Resets() {
        master.write(1, 1, 0xFB);
        pics.irq(2).pulse();
        pics.irq(1).set(true);
        master.write(0, 1, 0x68);
        master.write(0, 1, 0xC4);
        initialise(master, 0x20, 0x04, 0x01);
        assertThat(master.read(1, 1)).isZero();
        assertThat(master.read(0, 1))
                .as("reads the IRR, and edges have to come again")
                .isZero();
        pics.irq(1).set(true);
        assertThat(intr.isHigh()).as("no new edge").isFalse();
        pics.irq(1).set(false);
        pics.irq(1).set(true);
        pics.irq(0).set(true);
        assertThat(pics.acknowledge()).isEqualTo(0x20);
        assertThat(pics.acknowledge()).as("1 is blocked by 0: nothing to serve").isEqualTo(0x27);
    }

    @Test
    void icw1WithoutIcw4AndWithoutIcw3() {
        initialise(master, 0x08, 0x04, 0x03);
        // Single, no ICW4: the second word ends the sequence, and automatic EOI is off.
        master.write(0, 1, 0x12);
        master.write(1, 1, 0x47);
        master.write(1, 1, 0x80);
        assertThat(master.read(1, 1)).isEqualTo(0x80);
        pics.irq(0).pulse();
        assertThat(pics.acknowledge()).isEqualTo(0x40);
        assertThat(isr(master)).isEqualTo(0x01);
        // Cascaded, no ICW4.
        master.write(0, 1, 0x10);
        master.write(1, 1, 0x50);
        master.write(1, 1, 0x04);
        master.write(1, 1, 0x40);
        assertThat(master.read(1, 1)).isEqualTo(0x40);
    }

    @Test
    void levelsSurviveIcw1() {
        pics.elcr().write(0, 1, 0x20);
        pics.irq(5).set(true);
        initialise(master, 0x08, 0x04, 0x01);
        assertThat(pics.acknowledge()).isEqualTo(0x0D);
    }

    @Test
    void resetForgetsAll() {
        pics.elcr().write(0, 1, 0x20);
        pics.irq(3).set(true);
        pics.reset();
        assertThat(intr.isHigh()).isFalse();
        assertThat(pics.elcr().read(0, 1)).isZero();
        assertThat(irr(master)).isZero();
    }

    @Test
    void savedStateComesBack() {
        pics.irq(14).set(true);
        pics.irq(3).set(true);
        pics.acknowledge();
        slave.write(1, 1, 0x01);
        pics.irq(1).set(true);
        Pic8259Pair.State state = pics.save();
        RecordingLine otherIntr = new RecordingLine();
        Pic8259Pair other = new Pic8259Pair(otherIntr);
        other.restore(state);
        assertThat(other.save()).isEqualTo(state);
        assertThat(otherIntr.isHigh()).isTrue();
        assertThat(other.acknowledge()).isEqualTo(0x09);
        other.master().write(0, 1, EOI);
        // Served first: the slave's is above 3.
        other.master().write(0, 1, EOI);
        assertThat(other.acknowledge()).isEqualTo(0x0B);
    }

    @Test
    void survivesAnything() {
        Random random = new Random(5);
        BusDevice[] devices = {master, slave, pics.elcr()};
        for (int i = 0; i < 200_000; i++) {
            BusDevice device = devices[random.nextInt(3)];
            switch (random.nextInt(4)) {
                case 0 -> device.write(random.nextInt(2), 1, random.nextInt(256));
                case 1 -> assertThat(device.read(random.nextInt(2), 1)).isBetween(0L, 255L);
                case 2 -> pics.irq(random.nextInt(16)).set(random.nextBoolean());
                default -> assertThat(pics.acknowledge()).isBetween(0, 255);
            }
            assertThat(intr.isHigh()).isEqualTo(pics.interruptPending());
        }
    }

    @Test
    void driveSaysWhatCameOfIt() {
        assertThat(pics.drive(3, true)).as("a new request").isEqualTo(1);
        assertThat(pics.drive(3, true)).as("no edge").isEqualTo(1);
        assertThat(pics.drive(3, false)).isEqualTo(1);
        assertThat(pics.drive(3, true)).as("the first one waits still").isZero();
        assertThat(pics.acknowledge()).isEqualTo(0x0B);
        assertThat(pics.drive(3, false)).isEqualTo(1);
        assertThat(pics.drive(3, true))
                .as("in service, but a request of its own")
                .isEqualTo(1);
        master.write(1, 1, 0x20);
        slave.write(1, 1, 0x81);
        assertThat(pics.masks()).isEqualTo(0x8120);
        assertThat(pics.drive(5, true)).as("masked").isEqualTo(-1);
        assertThat(pics.drive(2, true)).as("the cascade").isEqualTo(-1);
        assertThat(pics.drive(9, true)).isEqualTo(1);
    }

    @Test
    void endsOfInterruptsAreReported() {
        List<Integer> ended = new ArrayList<>();
        Pic8259Pair pair = new Pic8259Pair(intr, ended::add);
        initialise(pair.master(), 0x08, 0x04, 0x01);
        initialise(pair.slave(), 0x70, 0x02, 0x01);
        pair.irq(10).set(true);
        assertThat(pair.acknowledge()).isEqualTo(0x72);
        assertThat(ended).isEmpty();
        pair.slave().write(0, 1, EOI);
        assertThat(ended).containsExactly(10);
        pair.master().write(0, 1, EOI);
        assertThat(ended).as("the cascade input too").containsExactly(10, 2);
        ended.clear();
        pair.irq(0).set(true);
        pair.acknowledge();
        pair.master().write(0, 1, 0x61);
        assertThat(ended).as("specific end of another input").isEmpty();
        pair.master().write(0, 1, 0x60);
        assertThat(ended).containsExactly(0);
        pair.master().write(0, 1, 0x60);
        assertThat(ended).as("nothing is in service").containsExactly(0);
        ended.clear();
        pair.irq(0).set(false);
        pair.irq(0).set(true);
        pair.acknowledge();
        initialise(pair.master(), 0x08, 0x04, 0x03);
        assertThat(ended).as("initialised while in service").containsExactly(0);
        ended.clear();
        pair.irq(0).set(false);
        pair.irq(0).set(true);
        pair.acknowledge();
        assertThat(ended).as("automatic end").containsExactly(0);
    }
}
