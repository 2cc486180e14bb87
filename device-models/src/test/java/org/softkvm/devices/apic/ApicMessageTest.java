package org.softkvm.devices.apic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ApicMessageTest {
    @Test
    void fieldsComeBack() {
        long message = ApicMessage.of(ApicMessage.LOWEST_PRIORITY, 0xAB, 0x89ABCDEF, true, true);
        assertThat(ApicMessage.deliveryMode(message)).isEqualTo(ApicMessage.LOWEST_PRIORITY);
        assertThat(ApicMessage.vector(message)).isEqualTo(0xAB);
        assertThat(ApicMessage.destination(message)).isEqualTo(0x89ABCDEF);
        assertThat(ApicMessage.isLogical(message)).isTrue();
        assertThat(ApicMessage.isLevelTriggered(message)).isTrue();
        assertThat(ApicMessage.isAsserted(message)).isTrue();
        long other = ApicMessage.of(ApicMessage.NMI, 0, 5, false, false);
        assertThat(ApicMessage.deliveryMode(other)).isEqualTo(ApicMessage.NMI);
        assertThat(ApicMessage.isLogical(other)).isFalse();
        assertThat(ApicMessage.isLevelTriggered(other)).isFalse();
    }

    @Test
    void registerBitsThatAreNoMessageAreDropped() {
        assertThat(ApicMessage.ofRegister(-1, 3)).isEqualTo(3L << 32 | 0xCFFF);
        assertThat(ApicMessage.ofRegister(0, -1)).isEqualTo(0xFFFFFFFF_00000000L);
    }

    @Test
    void byteDestinationFfIsABroadcast() {
        assertThat(ApicMessage.widenDestination(0xFF)).isEqualTo(ApicMessage.BROADCAST);
        assertThat(ApicMessage.widenDestination(0xFE)).isEqualTo(0xFE);
    }

    @Test
    void msiWindow() {
        assertThat(MsiMessage.isMsiAddress(0xFEE00000L)).isTrue();
        assertThat(MsiMessage.isMsiAddress(0xFEEFFFFCL)).isTrue();
        assertThat(MsiMessage.isMsiAddress(0x00000100_FEE00000L)).isTrue();
        assertThat(MsiMessage.isMsiAddress(0xFED00000L)).isFalse();
        assertThat(MsiMessage.isMsiAddress(0xFEF00000L)).isFalse();
    }

    @Test
    void msiPhysicalFixed() {
        long message = MsiMessage.toApicMessage(0xFEE07000L, 0x0041);
        assertThat(message).isEqualTo(ApicMessage.of(ApicMessage.FIXED, 0x41, 7, false, false));
    }

    @Test
    void msiLogicalLevelLowestPriority() {
        long message = MsiMessage.toApicMessage(0xFEE03004L, 0xC131);
        assertThat(message).isEqualTo(ApicMessage.of(ApicMessage.LOWEST_PRIORITY, 0x31, 3, true, true));
    }

    @Test
    void msiRedirectionHintIsLowestPriorityForFixedOnly() {
        assertThat(ApicMessage.deliveryMode(MsiMessage.toApicMessage(0xFEE0300CL, 0x31)))
                .isEqualTo(ApicMessage.LOWEST_PRIORITY);
        assertThat(ApicMessage.deliveryMode(MsiMessage.toApicMessage(0xFEE0300CL, 0x431)))
                .isEqualTo(ApicMessage.NMI);
    }

    @Test
    void msiDataBit11IsNotTheDestinationMode() {
        assertThat(ApicMessage.isLogical(MsiMessage.toApicMessage(0xFEE03000L, 0x0831)))
                .isFalse();
    }

    @Test
    void msiWideDestinationAndBroadcast() {
        assertThat(ApicMessage.destination(MsiMessage.toApicMessage(0x12345600_FEE78000L, 0x31)))
                .isEqualTo(0x12345678);
        assertThat(ApicMessage.destination(MsiMessage.toApicMessage(0xFEEFF000L, 0x31)))
                .isEqualTo(ApicMessage.BROADCAST);
        assertThat(ApicMessage.destination(MsiMessage.toApicMessage(0x00000100_FEEFF000L, 0x31)))
                .isEqualTo(0x1FF);
    }

    @Test
    void messagesSurviveTheWayOverAnMsi() {
        long[] messages = {
            ApicMessage.of(ApicMessage.FIXED, 0x41, 7, false, false),
            ApicMessage.of(ApicMessage.LOWEST_PRIORITY, 0x41, 0x0F, true, true),
            ApicMessage.of(ApicMessage.NMI, 0, 0x12345678, false, false),
            ApicMessage.of(ApicMessage.EXTINT, 0, ApicMessage.BROADCAST, false, false),
        };
        for (long message : messages) {
            long address = MsiMessage.address(message);
            assertThat(MsiMessage.isMsiAddress(address)).isTrue();
            assertThat(MsiMessage.toApicMessage(address, MsiMessage.data(message)))
                    .isEqualTo(message);
        }
    }
}
