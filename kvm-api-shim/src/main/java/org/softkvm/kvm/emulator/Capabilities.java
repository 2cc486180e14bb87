package org.softkvm.kvm.emulator;

import org.softkvm.emulator.CpuModel;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ClockData;
import org.softkvm.kvm.GuestDebug;
import org.softkvm.kvm.VcpuRun;

/** What the emulator backend can do. */
final class Capabilities {
    /** The first number that is too large for a vcpu: what fits in an xAPIC id. */
    static final int MAX_VCPU_ID = 255;

    private static final int RECOMMENDED_VCPUS = 16;
    private static final int MACHINE_CHECK_BANKS = 10;
    private static final int COALESCED_PAGE = 2;

    private Capabilities() {}

    /** The value of KVM_CHECK_EXTENSION. */
    static int value(Capability capability) {
        return switch (capability) {
            case HLT,
                    IRQCHIP,
                    PIT2,
                    PIT_STATE2,
                    REINJECT_CONTROL,
                    IRQFD,
                    IRQFD_RESAMPLE,
                    IOEVENTFD,
                    IOEVENTFD_NO_LENGTH,
                    IOEVENTFD_ANY_LENGTH,
                    COALESCED_PIO,
                    USER_MEMORY,
                    SET_TSS_ADDR,
                    EXT_CPUID,
                    CLOCKSOURCE,
                    MP_STATE,
                    SYNC_MMU,
                    DESTROY_MEMORY_REGION_WORKS,
                    USER_NMI,
                    IRQ_INJECT_STATUS,
                    JOIN_MEMORY_REGIONS_WORKS,
                    SET_BOOT_CPU_ID,
                    SET_IDENTITY_MAP_ADDR,
                    INTERNAL_ERROR_DATA,
                    VCPU_EVENTS,
                    DEBUGREGS,
                    SET_GUEST_DEBUG,
                    X86_USER_SPACE_MSR,
                    X86_MSR_FILTER,
                    EXCEPTION_PAYLOAD,
                    X86_TRIPLE_FAULT_EVENT,
                    VAPIC,
                    BINARY_STATS_FD,
                    X86_SMM,
                    X86_ROBUST_SINGLESTEP,
                    XSAVE,
                    XCRS,
                    SREGS2,
                    KVMCLOCK_CTRL,
                    GET_MSR_FEATURES,
                    EXT_EMUL_CPUID,
                    TSC_CONTROL,
                    VM_TSC_CONTROL,
                    GET_TSC_KHZ,
                    VCPU_ATTRIBUTES,
                    ONE_REG,
                    TSC_DEADLINE_TIMER,
                    SIGNAL_MSI,
                    READONLY_MEM,
                    ENABLE_CAP_VM,
                    CHECK_EXTENSION_VM,
                    SPLIT_IRQCHIP,
                    IMMEDIATE_EXIT,
                    SOFTKVM_VIRTUAL_CLOCK,
                    SOFTKVM_INSTRUCTION_LIMIT,
                    SOFTKVM_STATISTICS,
                    SOFTKVM_STATE_HASH,
                    SOFTKVM_WHOLE_STATE_REGS,
                    SOFTKVM_REPLACE_MEMORY_SLOTS,
                    SOFTKVM_MANY_REG,
                    SOFTKVM_FPU_ERROR -> 1;
            case SET_GUEST_DEBUG2 -> GuestDebug.ALL;
            case SYNC_REGS -> VcpuRun.SYNC_REGS | VcpuRun.SYNC_SREGS | VcpuRun.SYNC_EVENTS;
            case XSAVE2 -> XsaveCodec.SIZE;
            case ADJUST_CLOCK -> ClockData.TSC_STABLE | ClockData.REALTIME | ClockData.HOST_TSC;
            // The page of the vcpu's mapping in which the ring lies.
            case COALESCED_MMIO -> COALESCED_PAGE;
            case MANUAL_DIRTY_LOG_PROTECT2 -> DirtyLogs.MANUAL | DirtyLogs.INITIALLY_SET;
            case MCE -> MACHINE_CHECK_BANKS;
            case NR_VCPUS -> RECOMMENDED_VCPUS;
            case MAX_VCPUS, MAX_VCPU_ID -> MAX_VCPU_ID;
            case NR_MEMSLOTS -> SlotTable.MAX_SLOTS;
            case MULTI_ADDRESS_SPACE -> SlotTable.ADDRESS_SPACES;
            case IRQ_ROUTING -> GsiRoutes.MAX_ROUTES;
            case SOFTKVM_ENGINE -> EmulatorKvm.ENGINES.size();
            case SOFTKVM_CPU_MODEL -> CpuModel.all().size();
            default -> 0;
        };
    }
}
