package org.softkvm.devices.apic;

import static org.assertj.core.api.Assertions.assertThat;

import org.softkvm.devices.time.ManualClock;
import org.softkvm.devices.time.TscSource;

/** One local APIC, id 3, on a bus that records, at a clock driven by hand; and the names of its registers. */
abstract class LocalApicFixture {
    static final int ID = 0x020;
    static final int VERSION = 0x030;
    static final int TPR = 0x080;
    static final int APR = 0x090;
    static final int PPR = 0x0A0;
    static final int EOI = 0x0B0;
    static final int LDR = 0x0D0;
    static final int DFR = 0x0E0;
    static final int SVR = 0x0F0;
    static final int ISR = 0x100;
    static final int TMR = 0x180;
    static final int IRR = 0x200;
    static final int ESR = 0x280;
    static final int CMCI = 0x2F0;
    static final int ICR = 0x300;
    static final int ICR2 = 0x310;
    static final int TIMER = 0x320;
    static final int LINT0 = 0x350;
    static final int LINT1 = 0x360;
    static final int ERROR = 0x370;
    static final int TMICT = 0x380;
    static final int TMCCT = 0x390;
    static final int TDCR = 0x3E0;
    static final int MASKED = 0x10000;

    final ManualClock clock = new ManualClock(5_000);
    final RecordingSignals signals = new RecordingSignals();
    final RecordingBus bus = new RecordingBus();

    /** A TSC of 3 GHz that was 0 at the clock's start. */
    final TscSource tsc = new TscSource() {
        @Override
        public long tsc() {
            return 3 * clock.nanoTime();
        }

        @Override
        public long nanoTimeAt(long value) {
            return Long.divideUnsigned(value, 3) + (Long.remainderUnsigned(value, 3) == 0 ? 0 : 1);
        }
    };

    final LocalApic apic = apic(new LocalApic.Config(3, true));

    LocalApic apic(LocalApic.Config config) {
        return new LocalApic(config, clock, tsc, bus, signals);
    }

    int read(int offset) {
        return (int) apic.read(offset, 4);
    }

    void write(int offset, int value) {
        apic.write(offset, 4, Integer.toUnsignedLong(value));
    }

    void enable() {
        write(SVR, 0x1FF);
    }

    void enableX2apic() {
        assertThat(apic.writeMsr(LocalApic.IA32_APIC_BASE, apic.apicBase() | LocalApic.BASE_EXTD))
                .isTrue();
    }

    static long fixed(int vector) {
        return ApicMessage.of(ApicMessage.FIXED, vector, 3, false, false);
    }

    static long level(int vector) {
        return ApicMessage.of(ApicMessage.FIXED, vector, 3, false, true);
    }

    /** Takes the next interrupt as a processor does. */
    int take() {
        int vector = apic.pendingVector();
        if (vector >= 0) {
            apic.acknowledge(vector);
        }
        return vector;
    }
}
