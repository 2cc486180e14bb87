package org.softkvm.kvm.emulator;

import java.util.List;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.Vm;

/** The KVM API on the emulated CPU. */
final class EmulatorKvm implements Kvm {
    /** The ways of executing guest code that there are. */
    static final List<String> ENGINES = List.of("auto", "interpreter", "translator");

    private volatile boolean closed;

    @Override
    public String backend() {
        return EmulatorProvider.NAME;
    }

    @Override
    public int apiVersion() {
        return API_VERSION;
    }

    @Override
    public int checkExtension(Capability capability) {
        return Capabilities.value(capability);
    }

    @Override
    public List<CpuidEntry> supportedCpuid() {
        return Cpuid.of(CpuModel.MAX);
    }

    @Override
    public List<CpuidEntry> supportedCpuid(String model) {
        return Cpuid.of(model("supportedCpuid", model));
    }

    @Override
    public int[] msrIndexList() {
        return MsrList.indices();
    }

    @Override
    public int[] msrFeatureIndexList() {
        return VirtualCpu.featureMsrs();
    }

    @Override
    public int getMsrFeatures(int[] indices, long[] values) {
        String call = "KVM_GET_MSRS";
        if (indices.length != values.length) {
            throw new KvmException(
                    call, Errno.EINVAL, "values.length=" + values.length + " for " + indices.length + " indices");
        }
        for (int i = 0; i < indices.length; i++) {
            if (!VirtualCpu.isFeatureMsr(indices[i])) {
                return i;
            }
            values[i] = VirtualCpu.featureMsr(indices[i]);
        }
        return indices.length;
    }

    @Override
    public List<String> cpuModels() {
        return CpuModel.all().stream().map(CpuModel::name).toList();
    }

    @Override
    public List<String> engines() {
        return ENGINES;
    }

    @Override
    public Vm createVm() {
        if (closed) {
            throw new KvmException("KVM_CREATE_VM", Errno.EBADF, "kvm (closed)");
        }
        return new EmulatorVm();
    }

    @Override
    public void close() {
        closed = true;
    }

    /** A CPU model by name and flags. */
    static CpuModel model(String call, String name) {
        try {
            return CpuModel.parse(name);
        } catch (IllegalArgumentException e) {
            throw new KvmException(call, Errno.EINVAL, e.getMessage());
        }
    }
}
