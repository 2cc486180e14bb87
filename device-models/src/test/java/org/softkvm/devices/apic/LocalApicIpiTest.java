package org.softkvm.devices.apic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LocalApicIpiTest extends LocalApicFixture {
    @Test
    void physicalIpi() {
        write(ICR2, 0x05000000);
        write(ICR, 0x4041);
        assertThat(bus.sent).containsExactly(ApicMessage.of(0, 0x41, 5, false, false));
        assertThat(read(ICR)).isEqualTo(0x4041);
        assertThat(read(ICR2)).isEqualTo(0x05000000);
    }

    @Test
    void broadcastDestinationIsWidened() {
        write(ICR2, 0xFF000000);
        write(ICR, 0x4841);
        assertThat(bus.sent).containsExactly(ApicMessage.of(0, 0x41, ApicMessage.BROADCAST, true, false));
    }

    @Test
    void deliveryStatusIsNeverSet() {
        write(ICR, 0x5041);
        assertThat(read(ICR) & 0x1000).isZero();
    }

    @Test
    void shorthands() {
        enable();
        write(ICR, 0x44041);
        assertThat(bus.sent).isEmpty();
        assertThat(take()).isEqualTo(0x41);
        write(ICR, 0x84042);
        assertThat(bus.sent).containsExactly(ApicMessage.of(0, 0x42, ApicMessage.BROADCAST, false, false));
        write(ICR, 0xC4043);
        assertThat(bus.sentToOthers).containsExactly(ApicMessage.of(0, 0x43, ApicMessage.BROADCAST, false, false));
    }

    @Test
    void initAndStartup() {
        write(ICR2, 0x01000000);
        write(ICR, 0xC500);
        write(ICR, 0x8500);
        write(ICR, 0x0699);
        assertThat(bus.sent)
                .containsExactly(
                        ApicMessage.of(ApicMessage.INIT, 0, 1, false, true),
                        ApicMessage.ofRegister(0x8500, 1),
                        ApicMessage.of(ApicMessage.STARTUP, 0x99, 1, false, false));
    }

    @Test
    void triggerModeOfFixedIpisIsIgnored() {
        write(ICR2, 0x01000000);
        write(ICR, 0x8041);
        assertThat(bus.sent).containsExactly(ApicMessage.of(0, 0x41, 1, false, false));
    }

    @Test
    void modesThatIpisDoNotHave() {
        write(ICR, 0x4341);
        write(ICR, 0x4741);
        assertThat(bus.sent).isEmpty();
    }

    @Test
    void selfIpiRegisterIsX2apicOnly() {
        enable();
        write(0x3F0, 0x41);
        assertThat(take()).isEqualTo(-1);
        enableX2apic();
        assertThat(apic.writeMsr(0x83F, 0x41)).isTrue();
        assertThat(take()).isEqualTo(0x41);
        assertThat(apic.writeMsr(0x83F, 0x141)).isFalse();
        assertThat(apic.canReadMsr(0x83F)).isFalse();
    }
}
