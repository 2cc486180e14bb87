package org.softkvm.kvm.emulator;

import org.softkvm.emulator.VirtualCpu;
import org.softkvm.kvm.VcpuEvents;

/** Small translations between the core's numbers and KVM's. */
final class CpuBits {
    /** The core's number of the shadow that STI casts. */
    private static final int CORE_STI = 1;
    /** The core's number of the shadow that MOV SS casts. */
    private static final int CORE_MOV_SS = 2;

    private CpuBits() {}

    static int shadowToKvm(int core) {
        return ((core & CORE_STI) != 0 ? VcpuEvents.SHADOW_INT_STI : 0)
                | ((core & CORE_MOV_SS) != 0 ? VcpuEvents.SHADOW_INT_MOV_SS : 0);
    }

    static int shadowFromKvm(int kvm) {
        return ((kvm & VcpuEvents.SHADOW_INT_STI) != 0 ? CORE_STI : 0)
                | ((kvm & VcpuEvents.SHADOW_INT_MOV_SS) != 0 ? CORE_MOV_SS : 0);
    }

    /** Bits of CR4 that the vcpu does not have. */
    static long cr4Reserved(VirtualCpu cpu) {
        return ~cpu.cr4Supported();
    }

    /** Bits of EFER that the vcpu does not have. */
    static long eferReserved(VirtualCpu cpu) {
        return ~cpu.eferSupported();
    }
}
