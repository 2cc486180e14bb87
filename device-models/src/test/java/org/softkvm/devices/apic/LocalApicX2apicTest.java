package org.softkvm.devices.apic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class LocalApicX2apicTest extends LocalApicFixture {
    @Nested
    class Modes {
        @Test
        void legalAndIllegalTransitions() {
            long xapic = 0xFEE00900L;
            long x2apic = xapic | LocalApic.BASE_EXTD;
            long disabled = 0xFEE00100L;
            long invalid = disabled | LocalApic.BASE_EXTD;
            assertThat(apic.writeApicBase(invalid)).isFalse();
            assertThat(apic.writeApicBase(x2apic)).isTrue();
            assertThat(apic.isX2apicMode()).isTrue();
            assertThat(apic.writeApicBase(x2apic)).isTrue();
            assertThat(apic.writeApicBase(xapic)).isFalse();
            assertThat(apic.writeApicBase(invalid)).isFalse();
            assertThat(apic.apicBase()).isEqualTo(x2apic);
            assertThat(apic.writeApicBase(disabled)).isTrue();
            assertThat(apic.writeApicBase(x2apic)).isFalse();
            assertThat(apic.writeApicBase(invalid)).isFalse();
            assertThat(apic.writeApicBase(disabled)).isTrue();
            assertThat(apic.writeApicBase(xapic)).isTrue();
            assertThat(apic.isXapicMode()).isTrue();
        }

        @Test
        void theOwnerMayChangeModesAtWill() {
            assertThat(apic.setApicBase(0xFEE00D00L)).isTrue();
            assertThat(apic.setApicBase(0xFEE00900L)).isTrue();
            assertThat(apic.setApicBase(0xFEE00500L)).isFalse();
            assertThat(apic.setApicBase(0xFEE00901L)).isFalse();
        }

        @Test
        void reservedBits() {
            assertThat(apic.writeApicBase(0xFEE00901L)).isFalse();
            assertThat(apic.writeApicBase(0xFEE00B00L)).isFalse();
            assertThat(apic.writeApicBase(1L << 52 | 0xFEE00900L)).isFalse();
            LocalApic narrow = apic(new LocalApic.Config(3, true, false, false, 1, 36));
            assertThat(narrow.writeApicBase(1L << 36 | 0xFEE00900L)).isFalse();
            assertThat(narrow.writeApicBase(1L << 35 | 0xFEE00900L)).isTrue();
            assertThat(narrow.pageAddress()).isEqualTo(1L << 35 | 0xFEE00000L);
            assertThat(narrow.writeApicBase(0xFEE00D00L)).as("no x2APIC").isFalse();
        }

        @Test
        void enabledAgainItHasItsFirstId() {
            int first = read(0x20);
            apic.write(0x20, 4, 0x7F000000);
            assertThat(read(0x20)).isEqualTo(0x7F000000);
            apic.writeApicBase(0xFEE00100L);
            apic.writeApicBase(0xFEE00900L);
            assertThat(read(0x20)).isEqualTo(first);
        }

        @Test
        void disabledHasNoRegistersAndNoInterrupts() {
            enable();
            apic.accept(fixed(0x41));
            apic.writeApicBase(0xFEE00100L);
            assertThat(apic.pendingVector()).isEqualTo(-1);
            assertThat(read(VERSION)).isEqualTo(-1);
            assertThat(apic.canReadMsr(0x803)).isFalse();
            apic.writeApicBase(0xFEE00900L);
            assertThat(read(SVR)).as("prior state is lost").isEqualTo(0xFF);
        }

        @Test
        void x2apicHidesThePage() {
            enableX2apic();
            assertThat(read(VERSION)).isEqualTo(-1);
            write(TPR, 0x40);
            assertThat(apic.tpr()).isZero();
        }

        @Test
        void stateSurvivesTheChangeToX2apic() {
            enable();
            write(TPR, 0x20);
            write(LINT1, 0x400);
            write(ID, 0x55000000);
            apic.accept(fixed(0x41));
            enableX2apic();
            assertThat(apic.readMsr(0x802)).isEqualTo(3);
            assertThat(apic.readMsr(0x808)).isEqualTo(0x20);
            assertThat(apic.readMsr(0x836)).isEqualTo(0x400);
            assertThat(apic.readMsr(0x80D)).isEqualTo(8);
            assertThat(take()).isEqualTo(0x41);
        }
    }

    @Nested
    class Msrs {
        @Test
        void notThereInXapicMode() {
            for (int msr = 0x800; msr <= 0x8FF; msr++) {
                assertThat(apic.canReadMsr(msr)).isFalse();
                assertThat(apic.writeMsr(msr, 0)).isFalse();
            }
            assertThat(apic.canReadMsr(LocalApic.IA32_APIC_BASE)).isTrue();
            assertThat(apic.readMsr(LocalApic.IA32_APIC_BASE)).isEqualTo(0xFEE00900L);
        }

        @Test
        void whichCanBeReadAndWritten() {
            enableX2apic();
            for (int msr = 0x800; msr <= 0x8FF; msr++) {
                int register = msr & 0xFF;
                boolean lvt = register == 0x2F || register >= 0x32 && register <= 0x37;
                boolean both = lvt
                        || register == 0x08
                        || register == 0x0F
                        || register == 0x28
                        || register == 0x30
                        || register == 0x38
                        || register == 0x3E;
                boolean readOnly = register == 0x02
                        || register == 0x03
                        || register == 0x0A
                        || register == 0x0D
                        || register >= 0x10 && register <= 0x27
                        || register == 0x39;
                boolean writeOnly = register == 0x0B || register == 0x3F;
                assertThat(apic.canReadMsr(msr)).as("read %x", msr).isEqualTo(both || readOnly);
                assertThat(apic.writeMsr(msr, 0)).as("write %x", msr).isEqualTo(both || writeOnly);
            }
        }

        @Test
        void reservedBitsFault() {
            enableX2apic();
            long[][] rows = {
                {0x808, 0xFF},
                {0x80B, 0},
                {0x80F, 0x3FF},
                {0x828, 0},
                {0x82F, 0x117FF},
                {0x832, 0x710FF},
                {0x833, 0x117FF},
                {0x834, 0x117FF},
                {0x835, 0x1F7FF},
                {0x836, 0x1F7FF},
                {0x837, 0x110FF},
                {0x838, 0xFFFFFFFFL},
                {0x83E, 0xB},
            };
            for (long[] row : rows) {
                for (int bit = 0; bit < 64; bit++) {
                    boolean allowed = (row[1] & 1L << bit) != 0;
                    assertThat(apic.writeMsr((int) row[0], 1L << bit))
                            .as("bit %d of %x", bit, row[0])
                            .isEqualTo(allowed);
                }
            }
        }

        @Test
        void icrIs64Bits() {
            enableX2apic();
            long value = 0x12345678_00004041L;
            assertThat(apic.writeMsr(0x830, value)).isTrue();
            assertThat(bus.sent).containsExactly(ApicMessage.of(0, 0x41, 0x12345678, false, false));
            assertThat(apic.readMsr(0x830)).isEqualTo(value);
            assertThat(apic.canReadMsr(0x831)).isFalse();
            assertThat(apic.writeMsr(0x830, 0x2041)).isFalse();
            assertThat(apic.writeMsr(0x830, 0x1041)).as("the status bit").isTrue();
            assertThat(apic.readMsr(0x830)).isEqualTo(0x41);
            apic.writeMsr(0x830, 0x000000FF_00004041L);
            assertThat(bus.sent).endsWith(ApicMessage.of(0, 0x41, 0xFF, false, false));
        }

        @Test
        void eoiAndTimer() {
            enableX2apic();
            apic.writeMsr(0x80F, 0x1FF);
            apic.writeMsr(0x832, 0x55);
            apic.writeMsr(0x83E, 0xB);
            apic.writeMsr(0x838, 0xFFFFFFFFL);
            clock.advance(1);
            assertThat(apic.readMsr(0x839)).isEqualTo(0xFFFFFFFEL);
            clock.advance(0xFFFFFFFEL);
            assertThat(take()).isEqualTo(0x55);
            assertThat(apic.readMsr(0x812)).isEqualTo(1 << 0x15);
            assertThat(apic.writeMsr(0x80B, 1)).isFalse();
            assertThat(apic.writeMsr(0x80B, 0)).isTrue();
            assertThat(apic.readMsr(0x812)).isZero();
        }
    }
}
