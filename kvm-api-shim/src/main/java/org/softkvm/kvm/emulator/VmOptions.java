package org.softkvm.kvm.emulator;

import org.softkvm.kvm.Capability;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;

/** What KVM_ENABLE_CAP switches in a VM beyond its irqchip. Changed under the VM's lock, read by any thread. */
final class VmOptions {
    private static final String CALL = "KVM_ENABLE_CAP";

    private final MsrPolicy msrPolicy = new MsrPolicy();
    private volatile boolean exceptionPayload;
    private volatile boolean tripleFaultEvent;
    private int vcpuIds = Capabilities.MAX_VCPU_ID;
    private boolean vcpuIdsChosen;

    MsrPolicy msrPolicy() {
        return msrPolicy;
    }

    boolean exceptionPayload() {
        return exceptionPayload;
    }

    boolean tripleFaultEvent() {
        return tripleFaultEvent;
    }

    /** The first number that is too large for a vcpu. */
    int vcpuIds() {
        return vcpuIds;
    }

    /** Whether a capability is one of those that are enabled here. */
    void enable(Capability capability, long[] arguments) {
        long argument = arguments.length == 0 ? 0 : arguments[0];
        switch (capability) {
            case X86_USER_SPACE_MSR -> msrPolicy.setExits(argument);
            case EXCEPTION_PAYLOAD -> exceptionPayload = onOff(capability, argument);
            case X86_TRIPLE_FAULT_EVENT -> tripleFaultEvent = onOff(capability, argument);
            case MAX_VCPU_ID -> {
                if (argument <= 0 || argument > Capabilities.MAX_VCPU_ID || vcpuIdsChosen && argument != vcpuIds) {
                    throw invalid(capability, argument);
                }
                vcpuIds = (int) argument;
                vcpuIdsChosen = true;
            }
            default -> throw new KvmException(CALL, Errno.EINVAL, "cap=" + capability + " (cannot be enabled)");
        }
    }

    private static boolean onOff(Capability capability, long argument) {
        if (argument >>> 1 != 0) {
            throw invalid(capability, argument);
        }
        return argument == 1;
    }

    private static KvmException invalid(Capability capability, long argument) {
        return new KvmException(CALL, Errno.EINVAL, capability + " args[0]=" + argument);
    }
}
