package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KvmTest {
    @Test
    void opensTheEmulatorByDefaultAndByName() {
        try (Kvm kvm = Kvm.open()) {
            assertThat(kvm.apiVersion()).isEqualTo(12);
        }
        try (Kvm kvm = Kvm.open("emulator")) {
            assertThat(kvm.backend()).isEqualTo("emulator");
        }
        try (Kvm kvm = Kvm.open("auto")) {
            assertThat(kvm.backend()).isNotEmpty();
        }
    }

    @Test
    void listsItsBackends() {
        assertThat(Kvm.providers()).extracting(KvmProvider::name).contains("emulator", "kvm");
        KvmProvider chosen = Kvm.providers().stream()
                .filter(provider -> provider.unavailableBecause() == null && provider.passedOverBecause() == null)
                .findFirst()
                .orElseThrow();
        try (Kvm kvm = Kvm.open()) {
            assertThat(kvm.backend()).isEqualTo(chosen.name());
        }
    }

    @Test
    void aBackendThatIsNotThereIsNamedInOneLine() {
        assertFails("open", Errno.ENODEV, "no backend xen", () -> Kvm.open("xen"));
        for (KvmProvider provider : Kvm.providers()) {
            String reason = provider.unavailableBecause();
            if (reason != null) {
                assertThat(reason).isNotBlank().doesNotContain("\n");
                assertFails("open", Errno.ENODEV, "backend " + provider.name() + ": ", () -> Kvm.open(provider.name()));
            }
        }
    }

    @Test
    void capabilitiesGoByNameAndByNumber() {
        try (Kvm kvm = Kvm.open("emulator")) {
            for (Capability capability : Capability.values()) {
                assertThat(kvm.checkExtension(capability.number()))
                        .as(capability.name())
                        .isEqualTo(kvm.checkExtension(capability));
            }
            assertThat(kvm.checkExtension(999_999)).isZero();
            assertThat(kvm.checkExtension(-1)).isZero();
            assertThat(kvm.checkExtension(Capability.USER_MEMORY)).isEqualTo(1);
            assertThat(kvm.checkExtension(Capability.SPLIT_IRQCHIP)).isEqualTo(1);
            assertThat(kvm.checkExtension(Capability.IMMEDIATE_EXIT)).isEqualTo(1);
            assertThat(kvm.checkExtension(Capability.NR_MEMSLOTS)).isEqualTo(32764);
            assertThat(kvm.checkExtension(Capability.SOFTKVM_WHOLE_STATE_REGS)).isEqualTo(1);
            assertThat(kvm.checkExtension(Capability.SOFTKVM_STATISTICS)).isEqualTo(1);
        }
    }

    @Test
    void capabilityNumbersAreUniqueAndExtensionsLieInTheirRange() {
        Set<Integer> numbers = new HashSet<>();
        for (Capability capability : Capability.values()) {
            assertThat(numbers.add(capability.number())).as(capability.name()).isTrue();
            assertThat(capability.isExtension()).isEqualTo(capability.name().startsWith("SOFTKVM_"));
        }
        assertThat(Capability.SPLIT_IRQCHIP.number()).isEqualTo(121);
    }

    @Test
    void cpuidNamesTheHypervisorAndOffersNoParavirtualFeatureThatIsNotThere() {
        try (Kvm kvm = Kvm.open("emulator")) {
            CpuidEntry signature = find(kvm, 0x4000_0000);
            assertThat(signature.eax()).isEqualTo(0x4000_0001);
            assertThat(signature.ebx()).isEqualTo(0x4b4d564b); // KVMK
            assertThat(signature.ecx()).isEqualTo(0x564b4d56); // VMKV
            assertThat(signature.edx()).isEqualTo(0x4d); // M
            CpuidEntry features = find(kvm, 0x4000_0001);
            // Clock source, no delay for port 80h, clock source 2, steal time, EOI, unhalt, IPI, poll control, yield,
            // stable clock: nothing else.
            int interrupts = 1 << 6 | 1 << 7 | 1 << 11 | 1 << 12 | 1 << 13;
            assertThat(features.eax()).isEqualTo(1 | 1 << 1 | 1 << 3 | 1 << 5 | interrupts | 1 << 24);
            assertThat(find(kvm, 1).ecx() >>> 31).as("hypervisor bit").isEqualTo(1);
            assertThat(find(kvm, 0).eax()).isPositive();
        }
    }

    @Test
    void everyMsrOfTheListCanBeReadAndWrittenBack() {
        try (Kvm kvm = Kvm.open("emulator");
                Vm vm = kvm.createVm()) {
            vm.enableCap(Capability.SPLIT_IRQCHIP, 24);
            Vcpu vcpu = vm.createVcpu(0);
            vcpu.setCpuid(kvm.supportedCpuid());
            int[] indices = kvm.msrIndexList();
            long[] values = new long[indices.length];
            assertThat(Arrays.stream(indices).boxed())
                    .doesNotHaveDuplicates()
                    .contains(0x10, 0xC0000080, 0xC0000081, 0x4b564d00, 0x4b564d01, 0x11, 0x12, 0x174);
            int read = vcpu.getMsrs(indices, values);
            assertThat(read)
                    .as(() -> "stops at MSR 0x" + Integer.toHexString(indices[Math.min(read, indices.length - 1)]))
                    .isEqualTo(indices.length);
            int written = vcpu.setMsrs(indices, values);
            assertThat(written)
                    .as(() -> "stops at MSR 0x" + Integer.toHexString(indices[Math.min(written, indices.length - 1)]))
                    .isEqualTo(indices.length);
        }
    }

    @Test
    void modelsAndEnginesAreListedAndChecked() {
        try (Kvm kvm = Kvm.open("emulator");
                Vm vm = kvm.createVm()) {
            assertThat(kvm.cpuModels())
                    .startsWith("max")
                    .contains("x86-64-v2", "x86-64-v3", "pentium2", "486", "286", "8086");
            assertThat(kvm.engines()).contains("interpreter");
            assertThat(kvm.supportedCpuid("8086")).isEmpty();
            assertFails("supportedCpuid", Errno.EINVAL, "z80", () -> kvm.supportedCpuid("z80"));
            assertFails("setCpuModel", Errno.EINVAL, "z80", () -> vm.setCpuModel("z80"));
            assertFails("setEngine", Errno.EINVAL, "steam", () -> vm.setEngine("steam"));
            vm.setEngine("interpreter");
            vm.setCpuModel("286");
            vm.createVcpu(0);
            assertFails("setCpuModel", Errno.EINVAL, "vcpu", () -> vm.setCpuModel("max"));
            assertFails("setEngine", Errno.EINVAL, "vcpu", () -> vm.setEngine("interpreter"));
        }
    }

    @Test
    void aClosedObjectIsABadDescriptor() {
        Kvm kvm = Kvm.open("emulator");
        Vm vm = kvm.createVm();
        Vcpu vcpu = vm.createVcpu(0);
        vcpu.close();
        vcpu.close();
        assertFails("KVM_RUN", Errno.EBADF, "vcpu 0", vcpu::run);
        assertFails("KVM_GET_REGS", Errno.EBADF, "vcpu 0", () -> vcpu.getRegs(new Regs()));
        vm.close();
        vm.close();
        assertFails("KVM_CREATE_VCPU", Errno.EBADF, "vm", () -> vm.createVcpu(1));
        kvm.close();
        kvm.close();
        assertFails("KVM_CREATE_VM", Errno.EBADF, "kvm", kvm::createVm);
    }

    private static CpuidEntry find(Kvm kvm, int function) {
        return kvm.supportedCpuid().stream()
                .filter(entry -> entry.function() == function)
                .findFirst()
                .orElseThrow();
    }
}
