package org.softkvm.kvm.abi;

import static org.softkvm.kvm.abi.Fields.array;
import static org.softkvm.kvm.abi.Fields.bytes;
import static org.softkvm.kvm.abi.Fields.struct;
import static org.softkvm.kvm.abi.Fields.u16;
import static org.softkvm.kvm.abi.Fields.u32;
import static org.softkvm.kvm.abi.Fields.u64;
import static org.softkvm.kvm.abi.Fields.u8;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/** The structures of the calls on a vcpu (Linux, include/uapi: linux/kvm.h and asm/kvm.h for x86). */
public final class RegisterStructs {
    /** struct kvm_regs. */
    public static final StructLayout REGS = struct(
            "kvm_regs",
            u64("rax"),
            u64("rbx"),
            u64("rcx"),
            u64("rdx"),
            u64("rsi"),
            u64("rdi"),
            u64("rsp"),
            u64("rbp"),
            u64("r8"),
            u64("r9"),
            u64("r10"),
            u64("r11"),
            u64("r12"),
            u64("r13"),
            u64("r14"),
            u64("r15"),
            u64("rip"),
            u64("rflags"));

    /** struct kvm_segment. */
    public static final StructLayout SEGMENT = segment("kvm_segment");

    /** struct kvm_dtable. */
    public static final StructLayout DTABLE = table("kvm_dtable");

    /** struct kvm_sregs. */
    public static final StructLayout SREGS = struct("kvm_sregs", special(array("interrupt_bitmap", 4, longs())));

    /** struct kvm_sregs2. */
    public static final StructLayout SREGS2 = struct("kvm_sregs2", special(u64("flags"), array("pdptrs", 4, longs())));

    /** struct kvm_fpu. */
    public static final StructLayout FPU = struct(
            "kvm_fpu",
            bytes("fpr", 8 * 16),
            u16("fcw"),
            u16("fsw"),
            u8("ftwx"),
            u8("pad1"),
            u16("last_opcode"),
            u64("last_ip"),
            u64("last_dp"),
            bytes("xmm", 16 * 16),
            u32("mxcsr"),
            u32("pad2"));

    /** struct kvm_msr_entry. */
    public static final StructLayout MSR_ENTRY = struct("kvm_msr_entry", u32("index"), u32("reserved"), u64("data"));

    /** struct kvm_msrs without its entries, which follow. */
    public static final StructLayout MSRS =
            struct("kvm_msrs", u32("nmsrs"), u32("pad"), array("entries", 0, MSR_ENTRY));

    /** struct kvm_msr_list without its indices, which follow. */
    public static final StructLayout MSR_LIST = struct("kvm_msr_list", u32("nmsrs"), array("indices", 0, ints()));

    /** struct kvm_cpuid_entry. */
    public static final StructLayout CPUID_ENTRY =
            struct("kvm_cpuid_entry", u32("function"), u32("eax"), u32("ebx"), u32("ecx"), u32("edx"), u32("padding"));

    /** struct kvm_cpuid without its entries, which follow. */
    public static final StructLayout CPUID =
            struct("kvm_cpuid", u32("nent"), u32("padding"), array("entries", 0, CPUID_ENTRY));

    /** struct kvm_cpuid_entry2. */
    public static final StructLayout CPUID_ENTRY2 = struct(
            "kvm_cpuid_entry2",
            u32("function"),
            u32("index"),
            u32("flags"),
            u32("eax"),
            u32("ebx"),
            u32("ecx"),
            u32("edx"),
            array("padding", 3, ints()));

    /** struct kvm_cpuid2 without its entries, which follow. */
    public static final StructLayout CPUID2 =
            struct("kvm_cpuid2", u32("nent"), u32("padding"), array("entries", 0, CPUID_ENTRY2));

    /** struct kvm_vcpu_events. */
    public static final StructLayout VCPU_EVENTS = struct(
            "kvm_vcpu_events",
            struct("exception", u8("injected"), u8("nr"), u8("has_error_code"), u8("pending"), u32("error_code")),
            struct("interrupt", u8("injected"), u8("nr"), u8("soft"), u8("shadow")),
            struct("nmi", u8("injected"), u8("pending"), u8("masked"), u8("pad")),
            u32("sipi_vector"),
            u32("flags"),
            struct("smi", u8("smm"), u8("pending"), u8("smm_inside_nmi"), u8("latched_init")),
            struct("triple_fault", u8("pending")),
            bytes("reserved", 26),
            u8("exception_has_payload"),
            u64("exception_payload"));

    /** struct kvm_debugregs. */
    public static final StructLayout DEBUGREGS = struct(
            "kvm_debugregs",
            array("db", 4, longs()),
            u64("dr6"),
            u64("dr7"),
            u64("flags"),
            array("reserved", 9, longs()));

    /** struct kvm_xsave without what may follow. */
    public static final StructLayout XSAVE =
            struct("kvm_xsave", array("region", 1024, ints()), array("extra", 0, ints()));

    /** struct kvm_xcr. */
    public static final StructLayout XCR = struct("kvm_xcr", u32("xcr"), u32("reserved"), u64("value"));

    /** struct kvm_xcrs. */
    public static final StructLayout XCRS =
            struct("kvm_xcrs", u32("nr_xcrs"), u32("flags"), array("xcrs", 16, XCR), array("padding", 16, longs()));

    /** struct kvm_sync_regs. */
    public static final StructLayout SYNC_REGS =
            struct("kvm_sync_regs", REGS.withName("regs"), SREGS.withName("sregs"), VCPU_EVENTS.withName("events"));

    /** struct kvm_mp_state. */
    public static final StructLayout MP_STATE = struct("kvm_mp_state", u32("mp_state"));

    /** struct kvm_lapic_state. */
    public static final StructLayout LAPIC_STATE = struct("kvm_lapic_state", bytes("regs", 0x400));

    /** struct kvm_interrupt. */
    public static final StructLayout INTERRUPT = struct("kvm_interrupt", u32("irq"));

    /** struct kvm_translation. */
    public static final StructLayout TRANSLATION = struct(
            "kvm_translation",
            u64("linear_address"),
            u64("physical_address"),
            u8("valid"),
            u8("writeable"),
            u8("usermode"),
            bytes("pad", 5));

    /** struct kvm_guest_debug. */
    public static final StructLayout GUEST_DEBUG =
            struct("kvm_guest_debug", u32("control"), u32("pad"), struct("arch", array("debugreg", 8, longs())));

    /** struct kvm_one_reg. */
    public static final StructLayout ONE_REG = struct("kvm_one_reg", u64("id"), u64("addr"));

    /** struct kvm_reg_list without its ids, which follow. */
    public static final StructLayout REG_LIST = struct("kvm_reg_list", u64("n"), array("reg", 0, longs()));

    /** struct kvm_signal_mask without the set, which follows. */
    public static final StructLayout SIGNAL_MASK =
            struct("kvm_signal_mask", u32("len"), array("sigset", 0, ValueLayout.JAVA_BYTE));

    /** struct kvm_tpr_access_ctl. */
    public static final StructLayout TPR_ACCESS_CTL =
            struct("kvm_tpr_access_ctl", u32("enabled"), u32("flags"), array("reserved", 8, ints()));

    /** struct kvm_vapic_addr. */
    public static final StructLayout VAPIC_ADDR = struct("kvm_vapic_addr", u64("vapic_addr"));

    /** struct kvm_x86_mce. */
    public static final StructLayout X86_MCE = struct(
            "kvm_x86_mce",
            u64("status"),
            u64("addr"),
            u64("misc"),
            u64("mcg_status"),
            u8("bank"),
            bytes("pad1", 7),
            array("pad2", 3, longs()));

    /** All of them. */
    public static final List<StructLayout> ALL = List.of(
            REGS,
            SEGMENT,
            DTABLE,
            SREGS,
            SREGS2,
            FPU,
            MSR_ENTRY,
            MSRS,
            MSR_LIST,
            CPUID_ENTRY,
            CPUID,
            CPUID_ENTRY2,
            CPUID2,
            VCPU_EVENTS,
            DEBUGREGS,
            XSAVE,
            XCR,
            XCRS,
            SYNC_REGS,
            MP_STATE,
            LAPIC_STATE,
            INTERRUPT,
            TRANSLATION,
            GUEST_DEBUG,
            ONE_REG,
            REG_LIST,
            SIGNAL_MASK,
            TPR_ACCESS_CTL,
            VAPIC_ADDR,
            X86_MCE);

    private RegisterStructs() {}

    private static MemoryLayout ints() {
        return ValueLayout.JAVA_INT;
    }

    private static MemoryLayout longs() {
        return ValueLayout.JAVA_LONG;
    }

    private static StructLayout segment(String name) {
        return struct(
                name,
                u64("base"),
                u32("limit"),
                u16("selector"),
                u8("type"),
                u8("present"),
                u8("dpl"),
                u8("db"),
                u8("s"),
                u8("l"),
                u8("g"),
                u8("avl"),
                u8("unusable"),
                u8("padding"));
    }

    private static StructLayout table(String name) {
        return struct(name, u64("base"), u16("limit"), bytes("padding", 6));
    }

    /** What kvm_sregs and kvm_sregs2 have in common, and the rest. */
    private static MemoryLayout[] special(MemoryLayout... rest) {
        MemoryLayout[] common = {
            segment("cs"),
            segment("ds"),
            segment("es"),
            segment("fs"),
            segment("gs"),
            segment("ss"),
            segment("tr"),
            segment("ldt"),
            table("gdt"),
            table("idt"),
            u64("cr0"),
            u64("cr2"),
            u64("cr3"),
            u64("cr4"),
            u64("cr8"),
            u64("efer"),
            u64("apic_base")
        };
        MemoryLayout[] all = Arrays.copyOf(common, common.length + rest.length);
        System.arraycopy(rest, 0, all, common.length, rest.length);
        return all;
    }
}
