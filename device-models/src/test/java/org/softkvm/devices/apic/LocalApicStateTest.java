package org.softkvm.devices.apic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

class LocalApicStateTest extends LocalApicFixture {
    private void fill() {
        enable();
        write(TPR, 0x12);
        write(LDR, 0x44000000);
        write(DFR, 0x0FFFFFFF);
        write(LINT0, 0x8061);
        write(LINT1, 0x400);
        write(ERROR, 0x71);
        write(TIMER, 0x20055);
        write(TDCR, 0xB);
        write(TMICT, 100_000);
        write(ICR2, 0x09000000);
        write(ICR, 0x4842);
        write(0x040, 0);
        apic.lint(0).set(true);
        apic.accept(level(0xA1));
        apic.accept(fixed(0x91));
        take();
        apic.accept(ApicMessage.of(ApicMessage.EXTINT, 0, 3, false, false));
        apic.setEoiExitVectors(1, 2, 3, 4);
        clock.advance(40_000);
    }

    @Test
    void savedStateComesBack() {
        fill();
        LocalApic.State state = apic.save();
        clock.advance(12_345);
        LocalApic other = apic(new LocalApic.Config(3, true));
        other.restore(state);
        assertThat(other.save()).usingRecursiveComparison().isEqualTo(state);
        assertThat(other.isExtIntPending()).isTrue();
        assertThat(other.pendingVector()).isEqualTo(-1);
        other.write(EOI, 4, 0);
        assertThat(other.pendingVector()).isEqualTo(0x91);
        clock.advance(59_999);
        assertThat(other.read(IRR + 0x20, 4)).isZero();
        clock.advance(1);
        assertThat(other.read(IRR + 0x20, 4)).isEqualTo(1 << 0x15);
    }

    @Test
    void deadlineComesBack() {
        enable();
        write(TIMER, 0x40055);
        apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, tsc.tsc() + 3000);
        LocalApic.State state = apic.save();
        apic.reset();
        apic.restore(state);
        assertThat(take()).isEqualTo(-1);
        clock.advance(1000);
        assertThat(take()).isEqualTo(0x55);
    }

    @Test
    void statesThatDoNotFit() {
        LocalApic.State good = apic.save();
        assertThatThrownBy(() -> apic.restore(with(good, new int[7], good.apicBase())))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> apic.restore(with(good, new int[8], 1))).isInstanceOf(IllegalArgumentException.class);
    }

    private static LocalApic.State with(LocalApic.State s, int[] isr, long base) {
        return new LocalApic.State(
                base,
                s.id(),
                s.tpr(),
                s.ldr(),
                s.dfr(),
                s.svr(),
                s.icr(),
                s.esr(),
                s.errors(),
                s.errorArmed(),
                isr,
                s.irr(),
                s.tmr(),
                s.lvt(),
                s.timerMode(),
                s.timerDivide(),
                s.timerInitialCount(),
                s.timerRunning(),
                s.timerElapsedNanos(),
                s.timerStartCount(),
                s.tscDeadline(),
                s.pins(),
                s.pinsRemoteIrr(),
                s.extIntLatched(),
                s.eoiExitVectors());
    }

    @Test
    void pageHasKvmsLayout() {
        fill();
        byte[] page = new byte[1024];
        apic.exportPage(page, true);
        for (int offset = 0; offset < 0x3F0; offset += 0x10) {
            boolean reserved = offset < 0x20 || offset >= 0x40 && offset < 0x80 || offset == APR || offset == 0xC0;
            reserved |= offset > ESR && offset < CMCI || offset > TMCCT && offset < TDCR;
            int expected = reserved ? 0 : read(offset);
            int actual = page[offset] & 0xFF
                    | (page[offset + 1] & 0xFF) << 8
                    | (page[offset + 2] & 0xFF) << 16
                    | page[offset + 3] << 24;
            assertThat(actual).as("register %x", offset).isEqualTo(expected);
        }
    }

    @Test
    void pageComesBack() {
        fill();
        byte[] page = new byte[1024];
        apic.exportPage(page, true);
        LocalApic other = apic(new LocalApic.Config(3, true));
        assertThat(other.importPage(page, true)).isTrue();
        byte[] again = new byte[1024];
        other.exportPage(again, true);
        assertThat(again).isEqualTo(page);
        assertThat(bus.sent).as("nothing is sent by setting the ICR").hasSize(1);
        clock.advance(60_000);
        assertThat(other.read(IRR + 0x20, 4)).isEqualTo(1 << 0x15);
        clock.advance(100_000);
        assertThat(other.read(TMCCT, 4)).isEqualTo(100_000);
    }

    @Test
    void pageInX2apicMode() {
        fill();
        enableX2apic();
        apic.writeMsr(0x830, 0x12345678_00004041L);
        byte[] wide = new byte[1024];
        byte[] narrow = new byte[1024];
        apic.exportPage(wide, true);
        apic.exportPage(narrow, false);
        assertThat(wide[ID]).isEqualTo((byte) 3);
        assertThat(narrow[ID + 3]).isEqualTo((byte) 3);
        assertThat(wide[ICR2 + 3]).isEqualTo((byte) 0x12);
        LocalApic other = apic(new LocalApic.Config(3, true));
        other.setApicBase(apic.apicBase());
        assertThat(other.importPage(narrow, true)).isFalse();
        assertThat(other.importPage(narrow, false)).isTrue();
        assertThat(other.readMsr(0x830)).isEqualTo(0x12345678_00004041L);
        assertThat(other.readMsr(0x80D)).isEqualTo(8);
        assertThat(other.importPage(wide, true)).isTrue();
    }

    @Test
    void anyPageIsHarmless() {
        Random random = new Random(7);
        byte[] page = new byte[1024];
        for (int round = 0; round < 200; round++) {
            random.nextBytes(page);
            apic.importPage(page, true);
            clock.advance(random.nextInt(1_000_000));
            int vector = apic.pendingVector();
            assertThat(vector == -1 || vector >= 16).isTrue();
            apic.save();
        }
    }
}
