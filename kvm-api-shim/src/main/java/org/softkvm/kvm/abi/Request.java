package org.softkvm.kvm.abi;

/**
 * The request numbers of KVM: {@code _IOC(direction, KVMIO, number, size)} of linux/ioctl.h, as 32 bits. Some share their
 * low byte, so a request is always compared as a whole.
 */
public final class Request {
    /** KVM_GET_API_VERSION. */
    public static final int KVM_GET_API_VERSION = 0xAE00;
    /** KVM_CREATE_VM. */
    public static final int KVM_CREATE_VM = 0xAE01;
    /** KVM_CHECK_EXTENSION. */
    public static final int KVM_CHECK_EXTENSION = 0xAE03;
    /** KVM_GET_VCPU_MMAP_SIZE. */
    public static final int KVM_GET_VCPU_MMAP_SIZE = 0xAE04;
    /** KVM_GET_MSR_INDEX_LIST. */
    public static final int KVM_GET_MSR_INDEX_LIST = 0xC004_AE02;
    /** KVM_GET_MSR_FEATURE_INDEX_LIST. */
    public static final int KVM_GET_MSR_FEATURE_INDEX_LIST = 0xC004_AE0A;
    /** KVM_GET_SUPPORTED_CPUID. */
    public static final int KVM_GET_SUPPORTED_CPUID = 0xC008_AE05;
    /** KVM_GET_EMULATED_CPUID. */
    public static final int KVM_GET_EMULATED_CPUID = 0xC008_AE09;
    /** KVM_X86_GET_MCE_CAP_SUPPORTED. */
    public static final int KVM_X86_GET_MCE_CAP_SUPPORTED = 0x8008_AE9D;
    /** KVM_GET_SUPPORTED_HV_CPUID. */
    public static final int KVM_GET_SUPPORTED_HV_CPUID = 0xC008_AEC1;
    /** KVM_CREATE_VCPU. */
    public static final int KVM_CREATE_VCPU = 0xAE41;
    /** KVM_SET_USER_MEMORY_REGION. */
    public static final int KVM_SET_USER_MEMORY_REGION = 0x4020_AE46;
    /** KVM_SET_USER_MEMORY_REGION2. */
    public static final int KVM_SET_USER_MEMORY_REGION2 = 0x40A0_AE49;
    /** KVM_CREATE_GUEST_MEMFD. */
    public static final int KVM_CREATE_GUEST_MEMFD = 0xC040_AED4;
    /** KVM_PRE_FAULT_MEMORY. */
    public static final int KVM_PRE_FAULT_MEMORY = 0xC040_AED5;
    /** KVM_GET_DIRTY_LOG. */
    public static final int KVM_GET_DIRTY_LOG = 0x4010_AE42;
    /** KVM_CLEAR_DIRTY_LOG. */
    public static final int KVM_CLEAR_DIRTY_LOG = 0xC018_AEC0;
    /** KVM_RESET_DIRTY_RINGS. */
    public static final int KVM_RESET_DIRTY_RINGS = 0xAEC7;
    /** KVM_SET_NR_MMU_PAGES. */
    public static final int KVM_SET_NR_MMU_PAGES = 0xAE44;
    /** KVM_SET_TSS_ADDR. */
    public static final int KVM_SET_TSS_ADDR = 0xAE47;
    /** KVM_SET_IDENTITY_MAP_ADDR. */
    public static final int KVM_SET_IDENTITY_MAP_ADDR = 0x4008_AE48;
    /** KVM_SET_BOOT_CPU_ID. */
    public static final int KVM_SET_BOOT_CPU_ID = 0xAE78;
    /** KVM_CREATE_IRQCHIP. */
    public static final int KVM_CREATE_IRQCHIP = 0xAE60;
    /** KVM_IRQ_LINE. */
    public static final int KVM_IRQ_LINE = 0x4008_AE61;
    /** KVM_IRQ_LINE_STATUS. */
    public static final int KVM_IRQ_LINE_STATUS = 0xC008_AE67;
    /** KVM_GET_IRQCHIP. */
    public static final int KVM_GET_IRQCHIP = 0xC208_AE62;
    /** KVM_SET_IRQCHIP. */
    public static final int KVM_SET_IRQCHIP = 0x8208_AE63;
    /** KVM_SET_GSI_ROUTING. */
    public static final int KVM_SET_GSI_ROUTING = 0x4008_AE6A;
    /** KVM_SIGNAL_MSI. */
    public static final int KVM_SIGNAL_MSI = 0x4020_AEA5;
    /** KVM_IRQFD. */
    public static final int KVM_IRQFD = 0x4020_AE76;
    /** KVM_IOEVENTFD. */
    public static final int KVM_IOEVENTFD = 0x4040_AE79;
    /** KVM_REGISTER_COALESCED_MMIO. */
    public static final int KVM_REGISTER_COALESCED_MMIO = 0x4010_AE67;
    /** KVM_UNREGISTER_COALESCED_MMIO. */
    public static final int KVM_UNREGISTER_COALESCED_MMIO = 0x4010_AE68;
    /** KVM_CREATE_PIT. */
    public static final int KVM_CREATE_PIT = 0xAE64;
    /** KVM_CREATE_PIT2. */
    public static final int KVM_CREATE_PIT2 = 0x4040_AE77;
    /** KVM_GET_PIT. */
    public static final int KVM_GET_PIT = 0xC048_AE65;
    /** KVM_SET_PIT. */
    public static final int KVM_SET_PIT = 0x8048_AE66;
    /** KVM_GET_PIT2. */
    public static final int KVM_GET_PIT2 = 0x8070_AE9F;
    /** KVM_SET_PIT2. */
    public static final int KVM_SET_PIT2 = 0x4070_AEA0;
    /** KVM_REINJECT_CONTROL. */
    public static final int KVM_REINJECT_CONTROL = 0xAE71;
    /** KVM_GET_CLOCK. */
    public static final int KVM_GET_CLOCK = 0x8030_AE7C;
    /** KVM_SET_CLOCK. */
    public static final int KVM_SET_CLOCK = 0x4030_AE7B;
    /** KVM_X86_SET_MSR_FILTER. */
    public static final int KVM_X86_SET_MSR_FILTER = 0x4188_AEC6;
    /** KVM_ENABLE_CAP. */
    public static final int KVM_ENABLE_CAP = 0x4068_AEA3;
    /** KVM_CREATE_DEVICE. */
    public static final int KVM_CREATE_DEVICE = 0xC00C_AEE0;
    /** KVM_SET_DEVICE_ATTR. */
    public static final int KVM_SET_DEVICE_ATTR = 0x4018_AEE1;
    /** KVM_GET_DEVICE_ATTR. */
    public static final int KVM_GET_DEVICE_ATTR = 0x4018_AEE2;
    /** KVM_HAS_DEVICE_ATTR. */
    public static final int KVM_HAS_DEVICE_ATTR = 0x4018_AEE3;
    /** KVM_GET_STATS_FD. */
    public static final int KVM_GET_STATS_FD = 0xAECE;
    /** KVM_RUN. */
    public static final int KVM_RUN = 0xAE80;
    /** KVM_GET_REGS. */
    public static final int KVM_GET_REGS = 0x8090_AE81;
    /** KVM_SET_REGS. */
    public static final int KVM_SET_REGS = 0x4090_AE82;
    /** KVM_GET_SREGS. */
    public static final int KVM_GET_SREGS = 0x8138_AE83;
    /** KVM_SET_SREGS. */
    public static final int KVM_SET_SREGS = 0x4138_AE84;
    /** KVM_GET_SREGS2. */
    public static final int KVM_GET_SREGS2 = 0x8140_AECC;
    /** KVM_SET_SREGS2. */
    public static final int KVM_SET_SREGS2 = 0x4140_AECD;
    /** KVM_GET_ONE_REG. */
    public static final int KVM_GET_ONE_REG = 0x4010_AEAB;
    /** KVM_SET_ONE_REG. */
    public static final int KVM_SET_ONE_REG = 0x4010_AEAC;
    /** KVM_GET_REG_LIST. */
    public static final int KVM_GET_REG_LIST = 0xC008_AEB0;
    /** KVM_TRANSLATE. */
    public static final int KVM_TRANSLATE = 0xC018_AE85;
    /** KVM_INTERRUPT. */
    public static final int KVM_INTERRUPT = 0x4004_AE86;
    /** KVM_GET_MSRS. */
    public static final int KVM_GET_MSRS = 0xC008_AE88;
    /** KVM_SET_MSRS. */
    public static final int KVM_SET_MSRS = 0x4008_AE89;
    /** KVM_SET_CPUID. */
    public static final int KVM_SET_CPUID = 0x4008_AE8A;
    /** KVM_SET_CPUID2. */
    public static final int KVM_SET_CPUID2 = 0x4008_AE90;
    /** KVM_GET_CPUID2. */
    public static final int KVM_GET_CPUID2 = 0xC008_AE91;
    /** KVM_SET_SIGNAL_MASK. */
    public static final int KVM_SET_SIGNAL_MASK = 0x4004_AE8B;
    /** KVM_GET_FPU. */
    public static final int KVM_GET_FPU = 0x81A0_AE8C;
    /** KVM_SET_FPU. */
    public static final int KVM_SET_FPU = 0x41A0_AE8D;
    /** KVM_GET_LAPIC. */
    public static final int KVM_GET_LAPIC = 0x8400_AE8E;
    /** KVM_SET_LAPIC. */
    public static final int KVM_SET_LAPIC = 0x4400_AE8F;
    /** KVM_TPR_ACCESS_REPORTING. */
    public static final int KVM_TPR_ACCESS_REPORTING = 0xC028_AE92;
    /** KVM_SET_VAPIC_ADDR. */
    public static final int KVM_SET_VAPIC_ADDR = 0x4008_AE93;
    /** KVM_GET_MP_STATE. */
    public static final int KVM_GET_MP_STATE = 0x8004_AE98;
    /** KVM_SET_MP_STATE. */
    public static final int KVM_SET_MP_STATE = 0x4004_AE99;
    /** KVM_NMI. */
    public static final int KVM_NMI = 0xAE9A;
    /** KVM_SMI. */
    public static final int KVM_SMI = 0xAEB7;
    /** KVM_SET_GUEST_DEBUG. */
    public static final int KVM_SET_GUEST_DEBUG = 0x4048_AE9B;
    /** KVM_X86_SETUP_MCE. */
    public static final int KVM_X86_SETUP_MCE = 0x4008_AE9C;
    /** KVM_X86_SET_MCE. */
    public static final int KVM_X86_SET_MCE = 0x4040_AE9E;
    /** KVM_GET_VCPU_EVENTS. */
    public static final int KVM_GET_VCPU_EVENTS = 0x8040_AE9F;
    /** KVM_SET_VCPU_EVENTS. */
    public static final int KVM_SET_VCPU_EVENTS = 0x4040_AEA0;
    /** KVM_GET_DEBUGREGS. */
    public static final int KVM_GET_DEBUGREGS = 0x8080_AEA1;
    /** KVM_SET_DEBUGREGS. */
    public static final int KVM_SET_DEBUGREGS = 0x4080_AEA2;
    /** KVM_GET_XSAVE. */
    public static final int KVM_GET_XSAVE = 0x9000_AEA4;
    /** KVM_SET_XSAVE. */
    public static final int KVM_SET_XSAVE = 0x5000_AEA5;
    /** KVM_GET_XSAVE2. */
    public static final int KVM_GET_XSAVE2 = 0x9000_AECF;
    /** KVM_GET_XCRS. */
    public static final int KVM_GET_XCRS = 0x8188_AEA6;
    /** KVM_SET_XCRS. */
    public static final int KVM_SET_XCRS = 0x4188_AEA7;
    /** KVM_SET_TSC_KHZ. */
    public static final int KVM_SET_TSC_KHZ = 0xAEA2;
    /** KVM_GET_TSC_KHZ. */
    public static final int KVM_GET_TSC_KHZ = 0xAEA3;
    /** KVM_KVMCLOCK_CTRL. */
    public static final int KVM_KVMCLOCK_CTRL = 0xAEAD;

    private Request() {}
}
