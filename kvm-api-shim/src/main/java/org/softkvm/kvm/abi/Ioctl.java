package org.softkvm.kvm.abi;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The calls of KVM on x86: by name, with what they are called on and what they point to. */
public enum Ioctl {
    /** KVM_GET_API_VERSION. */
    KVM_GET_API_VERSION(Request.KVM_GET_API_VERSION, null, Target.SYSTEM),
    /** KVM_CREATE_VM. */
    KVM_CREATE_VM(Request.KVM_CREATE_VM, null, Target.SYSTEM),
    /** KVM_CHECK_EXTENSION. */
    KVM_CHECK_EXTENSION(Request.KVM_CHECK_EXTENSION, null, Target.SYSTEM, Target.VM),
    /** KVM_GET_VCPU_MMAP_SIZE. */
    KVM_GET_VCPU_MMAP_SIZE(Request.KVM_GET_VCPU_MMAP_SIZE, null, Target.SYSTEM),
    /** KVM_GET_MSR_INDEX_LIST. */
    KVM_GET_MSR_INDEX_LIST(Request.KVM_GET_MSR_INDEX_LIST, RegisterStructs.MSR_LIST, Target.SYSTEM),
    /** KVM_GET_MSR_FEATURE_INDEX_LIST. */
    KVM_GET_MSR_FEATURE_INDEX_LIST(Request.KVM_GET_MSR_FEATURE_INDEX_LIST, RegisterStructs.MSR_LIST, Target.SYSTEM),
    /** KVM_GET_SUPPORTED_CPUID. */
    KVM_GET_SUPPORTED_CPUID(Request.KVM_GET_SUPPORTED_CPUID, RegisterStructs.CPUID2, Target.SYSTEM),
    /** KVM_GET_EMULATED_CPUID. */
    KVM_GET_EMULATED_CPUID(Request.KVM_GET_EMULATED_CPUID, RegisterStructs.CPUID2, Target.SYSTEM),
    /** KVM_X86_GET_MCE_CAP_SUPPORTED. */
    KVM_X86_GET_MCE_CAP_SUPPORTED(Request.KVM_X86_GET_MCE_CAP_SUPPORTED, ValueLayout.JAVA_LONG, Target.SYSTEM),
    /** KVM_GET_SUPPORTED_HV_CPUID. */
    KVM_GET_SUPPORTED_HV_CPUID(Request.KVM_GET_SUPPORTED_HV_CPUID, RegisterStructs.CPUID2, Target.SYSTEM, Target.VCPU),
    /** KVM_CREATE_VCPU. */
    KVM_CREATE_VCPU(Request.KVM_CREATE_VCPU, null, Target.VM),
    /** KVM_SET_USER_MEMORY_REGION. */
    KVM_SET_USER_MEMORY_REGION(Request.KVM_SET_USER_MEMORY_REGION, VmStructs.MEMORY_REGION, Target.VM),
    /** KVM_SET_USER_MEMORY_REGION2. */
    KVM_SET_USER_MEMORY_REGION2(Request.KVM_SET_USER_MEMORY_REGION2, VmStructs.MEMORY_REGION2, Target.VM),
    /** KVM_CREATE_GUEST_MEMFD. */
    KVM_CREATE_GUEST_MEMFD(Request.KVM_CREATE_GUEST_MEMFD, VmStructs.CREATE_GUEST_MEMFD, Target.VM),
    /** KVM_PRE_FAULT_MEMORY. */
    KVM_PRE_FAULT_MEMORY(Request.KVM_PRE_FAULT_MEMORY, VmStructs.PRE_FAULT_MEMORY, Target.VCPU),
    /** KVM_GET_DIRTY_LOG. */
    KVM_GET_DIRTY_LOG(Request.KVM_GET_DIRTY_LOG, VmStructs.DIRTY_LOG, Target.VM),
    /** KVM_CLEAR_DIRTY_LOG. */
    KVM_CLEAR_DIRTY_LOG(Request.KVM_CLEAR_DIRTY_LOG, VmStructs.CLEAR_DIRTY_LOG, Target.VM),
    /** KVM_RESET_DIRTY_RINGS. */
    KVM_RESET_DIRTY_RINGS(Request.KVM_RESET_DIRTY_RINGS, null, Target.VM),
    /** KVM_SET_NR_MMU_PAGES. */
    KVM_SET_NR_MMU_PAGES(Request.KVM_SET_NR_MMU_PAGES, null, Target.VM),
    /** KVM_SET_TSS_ADDR. */
    KVM_SET_TSS_ADDR(Request.KVM_SET_TSS_ADDR, null, Target.VM),
    /** KVM_SET_IDENTITY_MAP_ADDR. */
    KVM_SET_IDENTITY_MAP_ADDR(Request.KVM_SET_IDENTITY_MAP_ADDR, ValueLayout.JAVA_LONG, Target.VM),
    /** KVM_SET_BOOT_CPU_ID. */
    KVM_SET_BOOT_CPU_ID(Request.KVM_SET_BOOT_CPU_ID, null, Target.VM),
    /** KVM_CREATE_IRQCHIP. */
    KVM_CREATE_IRQCHIP(Request.KVM_CREATE_IRQCHIP, null, Target.VM),
    /** KVM_IRQ_LINE. */
    KVM_IRQ_LINE(Request.KVM_IRQ_LINE, VmStructs.IRQ_LEVEL, Target.VM),
    /** KVM_IRQ_LINE_STATUS. */
    KVM_IRQ_LINE_STATUS(Request.KVM_IRQ_LINE_STATUS, VmStructs.IRQ_LEVEL, Target.VM),
    /** KVM_GET_IRQCHIP. */
    KVM_GET_IRQCHIP(Request.KVM_GET_IRQCHIP, VmStructs.IRQCHIP, Target.VM),
    /** KVM_SET_IRQCHIP. */
    KVM_SET_IRQCHIP(Request.KVM_SET_IRQCHIP, VmStructs.IRQCHIP, Target.VM),
    /** KVM_SET_GSI_ROUTING. */
    KVM_SET_GSI_ROUTING(Request.KVM_SET_GSI_ROUTING, VmStructs.IRQ_ROUTING, Target.VM),
    /** KVM_SIGNAL_MSI. */
    KVM_SIGNAL_MSI(Request.KVM_SIGNAL_MSI, VmStructs.MSI, Target.VM),
    /** KVM_IRQFD. */
    KVM_IRQFD(Request.KVM_IRQFD, VmStructs.IRQFD, Target.VM),
    /** KVM_IOEVENTFD. */
    KVM_IOEVENTFD(Request.KVM_IOEVENTFD, VmStructs.IOEVENTFD, Target.VM),
    /** KVM_REGISTER_COALESCED_MMIO. */
    KVM_REGISTER_COALESCED_MMIO(Request.KVM_REGISTER_COALESCED_MMIO, VmStructs.COALESCED_ZONE, Target.VM),
    /** KVM_UNREGISTER_COALESCED_MMIO. */
    KVM_UNREGISTER_COALESCED_MMIO(Request.KVM_UNREGISTER_COALESCED_MMIO, VmStructs.COALESCED_ZONE, Target.VM),
    /** KVM_CREATE_PIT. */
    KVM_CREATE_PIT(Request.KVM_CREATE_PIT, null, Target.VM),
    /** KVM_CREATE_PIT2. */
    KVM_CREATE_PIT2(Request.KVM_CREATE_PIT2, VmStructs.PIT_CONFIG, Target.VM),
    /** KVM_GET_PIT. */
    KVM_GET_PIT(Request.KVM_GET_PIT, VmStructs.PIT_STATE, Target.VM),
    /** KVM_SET_PIT. */
    KVM_SET_PIT(Request.KVM_SET_PIT, VmStructs.PIT_STATE, Target.VM),
    /** KVM_GET_PIT2. */
    KVM_GET_PIT2(Request.KVM_GET_PIT2, VmStructs.PIT_STATE2, Target.VM),
    /** KVM_SET_PIT2. */
    KVM_SET_PIT2(Request.KVM_SET_PIT2, VmStructs.PIT_STATE2, Target.VM),
    /** KVM_REINJECT_CONTROL. */
    KVM_REINJECT_CONTROL(Request.KVM_REINJECT_CONTROL, null, Target.VM),
    /** KVM_GET_CLOCK. */
    KVM_GET_CLOCK(Request.KVM_GET_CLOCK, VmStructs.CLOCK_DATA, Target.VM),
    /** KVM_SET_CLOCK. */
    KVM_SET_CLOCK(Request.KVM_SET_CLOCK, VmStructs.CLOCK_DATA, Target.VM),
    /** KVM_X86_SET_MSR_FILTER. */
    KVM_X86_SET_MSR_FILTER(Request.KVM_X86_SET_MSR_FILTER, VmStructs.MSR_FILTER, Target.VM),
    /** KVM_ENABLE_CAP. */
    KVM_ENABLE_CAP(Request.KVM_ENABLE_CAP, VmStructs.ENABLE_CAP, Target.VM, Target.VCPU),
    /** KVM_CREATE_DEVICE. */
    KVM_CREATE_DEVICE(Request.KVM_CREATE_DEVICE, VmStructs.CREATE_DEVICE, Target.VM),
    /** KVM_SET_DEVICE_ATTR. */
    KVM_SET_DEVICE_ATTR(Request.KVM_SET_DEVICE_ATTR, VmStructs.DEVICE_ATTR, Target.VM, Target.VCPU, Target.SYSTEM),
    /** KVM_GET_DEVICE_ATTR. */
    KVM_GET_DEVICE_ATTR(Request.KVM_GET_DEVICE_ATTR, VmStructs.DEVICE_ATTR, Target.VM, Target.VCPU, Target.SYSTEM),
    /** KVM_HAS_DEVICE_ATTR. */
    KVM_HAS_DEVICE_ATTR(Request.KVM_HAS_DEVICE_ATTR, VmStructs.DEVICE_ATTR, Target.VM, Target.VCPU, Target.SYSTEM),
    /** KVM_GET_STATS_FD. */
    KVM_GET_STATS_FD(Request.KVM_GET_STATS_FD, null, Target.VM, Target.VCPU),
    /** KVM_RUN. */
    KVM_RUN(Request.KVM_RUN, null, Target.VCPU),
    /** KVM_GET_REGS. */
    KVM_GET_REGS(Request.KVM_GET_REGS, RegisterStructs.REGS, Target.VCPU),
    /** KVM_SET_REGS. */
    KVM_SET_REGS(Request.KVM_SET_REGS, RegisterStructs.REGS, Target.VCPU),
    /** KVM_GET_SREGS. */
    KVM_GET_SREGS(Request.KVM_GET_SREGS, RegisterStructs.SREGS, Target.VCPU),
    /** KVM_SET_SREGS. */
    KVM_SET_SREGS(Request.KVM_SET_SREGS, RegisterStructs.SREGS, Target.VCPU),
    /** KVM_GET_SREGS2. */
    KVM_GET_SREGS2(Request.KVM_GET_SREGS2, RegisterStructs.SREGS2, Target.VCPU),
    /** KVM_SET_SREGS2. */
    KVM_SET_SREGS2(Request.KVM_SET_SREGS2, RegisterStructs.SREGS2, Target.VCPU),
    /** KVM_GET_ONE_REG. */
    KVM_GET_ONE_REG(Request.KVM_GET_ONE_REG, RegisterStructs.ONE_REG, Target.VCPU),
    /** KVM_SET_ONE_REG. */
    KVM_SET_ONE_REG(Request.KVM_SET_ONE_REG, RegisterStructs.ONE_REG, Target.VCPU),
    /** KVM_GET_REG_LIST. */
    KVM_GET_REG_LIST(Request.KVM_GET_REG_LIST, RegisterStructs.REG_LIST, Target.VCPU),
    /** KVM_TRANSLATE. */
    KVM_TRANSLATE(Request.KVM_TRANSLATE, RegisterStructs.TRANSLATION, Target.VCPU),
    /** KVM_INTERRUPT. */
    KVM_INTERRUPT(Request.KVM_INTERRUPT, RegisterStructs.INTERRUPT, Target.VCPU),
    /** KVM_GET_MSRS. */
    KVM_GET_MSRS(Request.KVM_GET_MSRS, RegisterStructs.MSRS, Target.VCPU, Target.SYSTEM),
    /** KVM_SET_MSRS. */
    KVM_SET_MSRS(Request.KVM_SET_MSRS, RegisterStructs.MSRS, Target.VCPU),
    /** KVM_SET_CPUID. */
    KVM_SET_CPUID(Request.KVM_SET_CPUID, RegisterStructs.CPUID, Target.VCPU),
    /** KVM_SET_CPUID2. */
    KVM_SET_CPUID2(Request.KVM_SET_CPUID2, RegisterStructs.CPUID2, Target.VCPU),
    /** KVM_GET_CPUID2. */
    KVM_GET_CPUID2(Request.KVM_GET_CPUID2, RegisterStructs.CPUID2, Target.VCPU),
    /** KVM_SET_SIGNAL_MASK. */
    KVM_SET_SIGNAL_MASK(Request.KVM_SET_SIGNAL_MASK, RegisterStructs.SIGNAL_MASK, Target.VCPU),
    /** KVM_GET_FPU. */
    KVM_GET_FPU(Request.KVM_GET_FPU, RegisterStructs.FPU, Target.VCPU),
    /** KVM_SET_FPU. */
    KVM_SET_FPU(Request.KVM_SET_FPU, RegisterStructs.FPU, Target.VCPU),
    /** KVM_GET_LAPIC. */
    KVM_GET_LAPIC(Request.KVM_GET_LAPIC, RegisterStructs.LAPIC_STATE, Target.VCPU),
    /** KVM_SET_LAPIC. */
    KVM_SET_LAPIC(Request.KVM_SET_LAPIC, RegisterStructs.LAPIC_STATE, Target.VCPU),
    /** KVM_TPR_ACCESS_REPORTING. */
    KVM_TPR_ACCESS_REPORTING(Request.KVM_TPR_ACCESS_REPORTING, RegisterStructs.TPR_ACCESS_CTL, Target.VCPU),
    /** KVM_SET_VAPIC_ADDR. */
    KVM_SET_VAPIC_ADDR(Request.KVM_SET_VAPIC_ADDR, RegisterStructs.VAPIC_ADDR, Target.VCPU),
    /** KVM_GET_MP_STATE. */
    KVM_GET_MP_STATE(Request.KVM_GET_MP_STATE, RegisterStructs.MP_STATE, Target.VCPU),
    /** KVM_SET_MP_STATE. */
    KVM_SET_MP_STATE(Request.KVM_SET_MP_STATE, RegisterStructs.MP_STATE, Target.VCPU),
    /** KVM_NMI. */
    KVM_NMI(Request.KVM_NMI, null, Target.VCPU),
    /** KVM_SMI. */
    KVM_SMI(Request.KVM_SMI, null, Target.VCPU),
    /** KVM_SET_GUEST_DEBUG. */
    KVM_SET_GUEST_DEBUG(Request.KVM_SET_GUEST_DEBUG, RegisterStructs.GUEST_DEBUG, Target.VCPU),
    /** KVM_X86_SETUP_MCE. */
    KVM_X86_SETUP_MCE(Request.KVM_X86_SETUP_MCE, ValueLayout.JAVA_LONG, Target.VCPU),
    /** KVM_X86_SET_MCE. */
    KVM_X86_SET_MCE(Request.KVM_X86_SET_MCE, RegisterStructs.X86_MCE, Target.VCPU),
    /** KVM_GET_VCPU_EVENTS. */
    KVM_GET_VCPU_EVENTS(Request.KVM_GET_VCPU_EVENTS, RegisterStructs.VCPU_EVENTS, Target.VCPU),
    /** KVM_SET_VCPU_EVENTS. */
    KVM_SET_VCPU_EVENTS(Request.KVM_SET_VCPU_EVENTS, RegisterStructs.VCPU_EVENTS, Target.VCPU),
    /** KVM_GET_DEBUGREGS. */
    KVM_GET_DEBUGREGS(Request.KVM_GET_DEBUGREGS, RegisterStructs.DEBUGREGS, Target.VCPU),
    /** KVM_SET_DEBUGREGS. */
    KVM_SET_DEBUGREGS(Request.KVM_SET_DEBUGREGS, RegisterStructs.DEBUGREGS, Target.VCPU),
    /** KVM_GET_XSAVE. */
    KVM_GET_XSAVE(Request.KVM_GET_XSAVE, RegisterStructs.XSAVE, Target.VCPU),
    /** KVM_SET_XSAVE. */
    KVM_SET_XSAVE(Request.KVM_SET_XSAVE, RegisterStructs.XSAVE, Target.VCPU),
    /** KVM_GET_XSAVE2. */
    KVM_GET_XSAVE2(Request.KVM_GET_XSAVE2, RegisterStructs.XSAVE, Target.VCPU),
    /** KVM_GET_XCRS. */
    KVM_GET_XCRS(Request.KVM_GET_XCRS, RegisterStructs.XCRS, Target.VCPU),
    /** KVM_SET_XCRS. */
    KVM_SET_XCRS(Request.KVM_SET_XCRS, RegisterStructs.XCRS, Target.VCPU),
    /** KVM_SET_TSC_KHZ. */
    KVM_SET_TSC_KHZ(Request.KVM_SET_TSC_KHZ, null, Target.VM, Target.VCPU),
    /** KVM_GET_TSC_KHZ. */
    KVM_GET_TSC_KHZ(Request.KVM_GET_TSC_KHZ, null, Target.VM, Target.VCPU),
    /** KVM_KVMCLOCK_CTRL. */
    KVM_KVMCLOCK_CTRL(Request.KVM_KVMCLOCK_CTRL, null, Target.VCPU);

    /** What a call is made on. */
    public enum Target {
        /** The descriptor of /dev/kvm. */
        SYSTEM,
        /** The descriptor of a VM. */
        VM,
        /** The descriptor of a vcpu. */
        VCPU
    }

    private static final Map<Integer, Ioctl> BY_REQUEST = new HashMap<>();

    static {
        for (Ioctl ioctl : values()) {
            BY_REQUEST.put(ioctl.request, ioctl);
        }
    }

    private final int request;
    private final MemoryLayout argument;
    private final Set<Target> targets;

    Ioctl(int request, MemoryLayout argument, Target... targets) {
        this.request = request;
        this.argument = argument;
        this.targets = EnumSet.copyOf(Arrays.asList(targets));
    }

    /** The request number. */
    public int request() {
        return request;
    }

    /** What the argument points to; null where the argument is a number or ignored. */
    public MemoryLayout argument() {
        return argument;
    }

    /** What it may be called on. */
    public Set<Target> targets() {
        return targets;
    }

    /** The call of a request number, or null. */
    public static Ioctl of(int request) {
        return BY_REQUEST.get(request);
    }

    /** The name of a request number, for messages. */
    public static String name(int request) {
        Ioctl ioctl = of(request);
        return ioctl == null ? "ioctl 0x" + Integer.toHexString(request) : ioctl.name();
    }
}
