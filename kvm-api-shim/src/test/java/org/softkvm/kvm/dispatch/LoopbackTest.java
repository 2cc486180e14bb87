package org.softkvm.kvm.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.Vm;
import org.softkvm.kvm.abi.Fields;
import org.softkvm.kvm.abi.Ioctl;
import org.softkvm.kvm.abi.Request;

/** What a client of the dispatcher sees that breaks the rules; that it works is what the tests of the API show. */
class LoopbackTest {
    private final Loopback calls = new Loopback(() -> Kvm.open("emulator"));

    private int open() {
        int kvm = calls.open("/dev/kvm");
        assertThat(kvm).isPositive();
        return kvm;
    }

    @Test
    void descriptorsAreCheckedAndTheVmLivesAsLongAsItsVcpus() {
        assertThat(calls.open("/dev/null")).isEqualTo(-Errno.ENOENT.number());
        int kvm = open();
        int vm = calls.ioctl(kvm, Request.KVM_CREATE_VM, 0);
        int vcpu = calls.ioctl(vm, Request.KVM_CREATE_VCPU, 0);
        assertThat(calls.close(kvm)).isZero();
        assertThat(calls.close(vm)).isZero();
        assertThat(calls.close(vm)).isEqualTo(-Errno.EBADF.number());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment regs = arena.allocate(Ioctl.KVM_GET_REGS.argument());
            assertThat(calls.ioctl(vcpu, Request.KVM_GET_REGS, regs)).isZero();
            assertThat(calls.close(vcpu)).isZero();
            assertThat(calls.ioctl(vcpu, Request.KVM_GET_REGS, regs)).isEqualTo(-Errno.EBADF.number());
        }
    }

    @Test
    void pointersThatLeadNowhereAreFaults() {
        int kvm = open();
        int vm = calls.ioctl(kvm, Request.KVM_CREATE_VM, 0);
        int vcpu = calls.ioctl(vm, Request.KVM_CREATE_VCPU, 0);
        for (Ioctl ioctl : Ioctl.values()) {
            if (ioctl.argument() != null && ioctl.argument().byteSize() > 0) {
                int target = ioctl.targets().contains(Ioctl.Target.VCPU)
                        ? vcpu
                        : ioctl.targets().contains(Ioctl.Target.VM) ? vm : kvm;
                assertThat(calls.ioctl(target, ioctl.request(), 0x1234L))
                        .as(ioctl.name())
                        .isIn(
                                -Errno.EFAULT.number(),
                                -Errno.ENOTTY.number(),
                                -Errno.ENXIO.number(),
                                -Errno.ENODEV.number(),
                                -Errno.EINVAL.number());
            }
        }
        calls.close(vcpu);
        calls.close(vm);
        calls.close(kvm);
    }

    @Test
    void everyCallAnswersWhateverItsStructureHolds() {
        int kvm = open();
        int vm = calls.ioctl(kvm, Request.KVM_CREATE_VM, 0);
        int vcpu = calls.ioctl(vm, Request.KVM_CREATE_VCPU, 0);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment struct = arena.allocate(64 << 10, 16);
            for (int pattern : new int[] {0, 0xFF, 0x01, 0x80}) {
                for (Ioctl ioctl : Ioctl.values()) {
                    if (ioctl == Ioctl.KVM_RUN) {
                        continue;
                    }
                    for (int target : new int[] {kvm, vm, vcpu}) {
                        struct.fill((byte) pattern);
                        int result = calls.ioctl(target, ioctl.request(), struct);
                        assertThat(result).as(ioctl.name()).isGreaterThan(-4096);
                    }
                }
            }
        }
        calls.close(vcpu);
        calls.close(vm);
        calls.close(kvm);
    }

    @Test
    void listsSayHowLongTheyAre() {
        int kvm = open();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(8192, 8);
            assertThat(calls.ioctl(kvm, Request.KVM_GET_MSR_INDEX_LIST, list)).isEqualTo(-Errno.E2BIG.number());
            int count = Fields.getInt(list, 0);
            assertThat(count).isPositive();
            assertThat(calls.ioctl(kvm, Request.KVM_GET_MSR_INDEX_LIST, list)).isZero();
            assertThat(Fields.getInt(list, 0)).isEqualTo(count);
            Fields.putInt(list, 0, 1);
            assertThat(calls.ioctl(kvm, Request.KVM_GET_SUPPORTED_CPUID, list)).isEqualTo(-Errno.E2BIG.number());
        }
        calls.close(kvm);
    }

    @Test
    void aVmOutlivesTheApiThatMadeIt() {
        Kvm kvm = Kvm.open("abi");
        Vm vm = kvm.createVm();
        kvm.close();
        vm.setMemorySlot(MemorySlot.of(0, 0, vm.allocateMemory(0x1000)));
        Vcpu vcpu = vm.createVcpu(0);
        assertThat(vcpu.registerList()).hasSizeGreaterThan(100);
        vm.close();
    }
}
