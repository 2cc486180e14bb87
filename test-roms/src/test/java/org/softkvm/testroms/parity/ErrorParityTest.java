package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.LapicState;
import org.softkvm.kvm.MemorySlot;

/** Wrong use, and the probes themselves. See {@link EveryBackend}. */
@Timeout(60)
class ErrorParityTest {
    @EveryBackend
    void wrongUseGetsTheSameErrors(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                f4  hlt
                """)) {
            assertThat(error(() -> guest.vm.createVcpu(0))).isEqualTo("EEXIST");
            assertThat(error(() -> guest.vm.createVcpu(1 << 20))).isEqualTo("EINVAL");
            assertThat(error(() -> guest.vm.deleteMemorySlot(0, 7))).isEqualTo("EINVAL");
            assertThat(error(() -> guest.vm.setMemorySlot(MemorySlot.of(3, 0x1000, guest.memory))))
                    .isEqualTo("EEXIST");
            assertThat(error(() -> guest.vm.setMemorySlot(MemorySlot.of(3, 0x20_0001, guest.memory))))
                    .isEqualTo("EINVAL");
            assertThat(error(() -> guest.vcpu.getLapic(new LapicState()))).isEqualTo("EINVAL");
            assertThat(error(() -> guest.vm.signalMsi(0xFEE0_0000L, 0x41))).isEqualTo("EINVAL");
            assertThat(error(() -> guest.vcpu.interrupt(256))).isEqualTo("EINVAL");
            assertThat(error(() -> guest.vcpu.getMsr(0x1234_5678))).isEqualTo("EINVAL");
        }
    }

    private static String error(ThrowingCallable call) {
        KvmException e = catchThrowableOfType(KvmException.class, call);
        return e == null ? "none" : e.errno().name();
    }

    @ParameterizedTest
    @EnumSource(value = Backend.class, mode = EnumSource.Mode.EXCLUDE, names = "DEV_KVM")
    void theProbesPassOnTheEmulator(Backend backend) {
        for (Probe probe : Probe.values()) {
            assertThat(probe.failure(backend)).isNull();
        }
    }
}
