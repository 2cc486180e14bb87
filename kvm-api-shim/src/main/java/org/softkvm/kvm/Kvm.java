package org.softkvm.kvm;

import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;

/**
 * The KVM API, opened on one of its backends.
 *
 * <pre>{@code
 * try (Kvm kvm = Kvm.open();
 *         Vm vm = kvm.createVm()) {
 *     vm.enableCap(Capability.SPLIT_IRQCHIP, 24);
 *     vm.setMemorySlot(MemorySlot.of(0, 0, vm.allocateMemory(1 << 20)));
 *     Vcpu vcpu = vm.createVcpu(0);
 *     vcpu.setCpuid(kvm.supportedCpuid());
 *     VcpuRun run = vcpu.runState();
 *     while (vcpu.run() == ExitReason.IO) {
 *         System.out.println("port " + run.ioPort());
 *     }
 * }
 * }</pre>
 */
public interface Kvm extends AutoCloseable {
    /** The version of the API that KVM has had since 2007. */
    int API_VERSION = 12;

    /**
     * Opens the best backend that works here: /dev/kvm where native access is enabled for this module
     * ({@code --enable-native-access=org.softkvm.kvm}) and a small guest that does what a boot needs passes on it, the
     * emulator elsewhere.
     *
     * @return the API
     * @throws KvmException ENODEV where none works; the argument says why
     */
    static Kvm open() {
        StringBuilder reasons = new StringBuilder("no backend works:");
        for (KvmProvider provider : providers()) {
            String reason = provider.unavailableBecause();
            if (reason == null) {
                reason = provider.passedOverBecause();
            }
            if (reason == null) {
                return provider.open();
            }
            reasons.append(' ')
                    .append(provider.name())
                    .append(": ")
                    .append(reason)
                    .append(';');
        }
        throw new KvmException("open", Errno.ENODEV, reasons.toString());
    }

    /**
     * Opens a backend by name.
     *
     * @param backend {@code emulator}, {@code kvm}, or another that is installed; {@code auto} is {@link #open()}
     * @return the API
     * @throws KvmException ENODEV where there is no backend of that name or it does not work here; the argument says
     *     why
     */
    static Kvm open(String backend) {
        if (backend.equals("auto")) {
            return open();
        }
        List<String> names = new ArrayList<>();
        for (KvmProvider provider : providers()) {
            if (provider.name().equals(backend)) {
                String reason = provider.unavailableBecause();
                if (reason != null) {
                    throw new KvmException("open", Errno.ENODEV, "backend " + backend + ": " + reason);
                }
                return provider.open();
            }
            names.add(provider.name());
        }
        throw new KvmException("open", Errno.ENODEV, "no backend " + backend + ", there are " + names);
    }

    /**
     * The backends that are installed, best first, whether they work here or not.
     *
     * @return their providers
     */
    static List<KvmProvider> providers() {
        List<KvmProvider> providers = new ArrayList<>();
        for (KvmProvider provider : ServiceLoader.load(KvmProvider.class, Kvm.class.getClassLoader())) {
            providers.add(provider);
        }
        return providers;
    }

    /**
     * The backend.
     *
     * @return its name, {@code emulator} or {@code kvm}
     */
    String backend();

    /**
     * The version of the API (KVM_GET_API_VERSION).
     *
     * @return {@link #API_VERSION}
     */
    int apiVersion();

    /**
     * Asks for a capability (KVM_CHECK_EXTENSION).
     *
     * @param capability the capability
     * @return 0 where it is absent, else 1 or the number that its description names
     */
    int checkExtension(Capability capability);

    /**
     * Asks for a capability by number.
     *
     * @param number KVM's number, or one of SoftKVM's extensions
     * @return 0 where it is absent or unknown, else 1 or the number that its description names
     */
    default int checkExtension(int number) {
        for (Capability capability : Capability.values()) {
            if (capability.number() == number) {
                return checkExtension(capability);
            }
        }
        return 0;
    }

    /**
     * What CPUID can offer at most (KVM_GET_SUPPORTED_CPUID).
     *
     * @return the leaves, good for {@link Vcpu#setCpuid}
     */
    List<CpuidEntry> supportedCpuid();

    /**
     * What CPUID offers on a CPU model (extension {@link Capability#SOFTKVM_CPU_MODEL}).
     *
     * @param model one of {@link #cpuModels()}, followed by any number of {@code ,+flag} and {@code ,-flag} that add and
     *     remove features
     * @return the leaves; none for a model that has no CPUID
     * @throws KvmException EINVAL for another name or flag, ENOTTY where the backend has no such extension
     */
    List<CpuidEntry> supportedCpuid(String model);

    /**
     * The MSRs to save and restore (KVM_GET_MSR_INDEX_LIST).
     *
     * @return their numbers, a new array
     */
    int[] msrIndexList();

    /**
     * The CPUID bits that are emulated although the CPU does not have them (KVM_GET_EMULATED_CPUID).
     *
     * @return the leaves; none where all that the CPU does is in {@link #supportedCpuid()}
     */
    default List<CpuidEntry> emulatedCpuid() {
        return List.of();
    }

    /**
     * The MSRs that say what CPU it is (KVM_GET_MSR_FEATURE_INDEX_LIST, {@link Capability#GET_MSR_FEATURES}).
     *
     * @return their numbers, a new array
     */
    default int[] msrFeatureIndexList() {
        return new int[0];
    }

    /**
     * Reads feature MSRs (KVM_GET_MSRS of the system) up to the first that is none.
     *
     * @param indices the numbers of the MSRs
     * @param values where the values go
     * @return how many were read
     */
    default int getMsrFeatures(int[] indices, long[] values) {
        throw Absent.call("KVM_GET_MSRS");
    }

    /**
     * The CPU models (extension {@link Capability#SOFTKVM_CPU_MODEL}).
     *
     * @return their names, the default first; none where the backend has no such extension
     */
    List<String> cpuModels();

    /**
     * The ways of executing guest code (extension {@link Capability#SOFTKVM_ENGINE}).
     *
     * @return their names, the default first; none where the backend has no such extension
     */
    List<String> engines();

    /**
     * Creates a VM (KVM_CREATE_VM).
     *
     * @return the VM
     */
    Vm createVm();

    /** Closes the API; VMs that it made stay. A second call does nothing. */
    @Override
    void close();
}
