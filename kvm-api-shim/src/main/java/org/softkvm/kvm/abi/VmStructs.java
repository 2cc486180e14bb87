package org.softkvm.kvm.abi;

import static org.softkvm.kvm.abi.Fields.array;
import static org.softkvm.kvm.abi.Fields.bytes;
import static org.softkvm.kvm.abi.Fields.struct;
import static org.softkvm.kvm.abi.Fields.u16;
import static org.softkvm.kvm.abi.Fields.u32;
import static org.softkvm.kvm.abi.Fields.u64;
import static org.softkvm.kvm.abi.Fields.u8;
import static org.softkvm.kvm.abi.Fields.union;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** The structures of the calls on a VM and on the system (Linux, include/uapi: linux/kvm.h and asm/kvm.h for x86). */
public final class VmStructs {
    private static final MemoryLayout INTS = ValueLayout.JAVA_INT;
    private static final MemoryLayout LONGS = ValueLayout.JAVA_LONG;

    /** struct kvm_userspace_memory_region. */
    public static final StructLayout MEMORY_REGION = struct(
            "kvm_userspace_memory_region",
            u32("slot"),
            u32("flags"),
            u64("guest_phys_addr"),
            u64("memory_size"),
            u64("userspace_addr"));

    /** struct kvm_userspace_memory_region2 (Linux 6.8). */
    public static final StructLayout MEMORY_REGION2 = struct(
            "kvm_userspace_memory_region2",
            u32("slot"),
            u32("flags"),
            u64("guest_phys_addr"),
            u64("memory_size"),
            u64("userspace_addr"),
            u64("guest_memfd_offset"),
            u32("guest_memfd"),
            u32("pad1"),
            array("pad2", 14, LONGS));

    /** struct kvm_create_guest_memfd (Linux 6.8). */
    public static final StructLayout CREATE_GUEST_MEMFD =
            struct("kvm_create_guest_memfd", u64("size"), u64("flags"), array("reserved", 6, LONGS));

    /** struct kvm_pre_fault_memory (Linux 6.11). */
    public static final StructLayout PRE_FAULT_MEMORY =
            struct("kvm_pre_fault_memory", u64("gpa"), u64("size"), u64("flags"), array("padding", 5, LONGS));

    /** struct kvm_dirty_log. */
    public static final StructLayout DIRTY_LOG =
            struct("kvm_dirty_log", u32("slot"), u32("padding1"), u64("dirty_bitmap"));

    /** struct kvm_clear_dirty_log. */
    public static final StructLayout CLEAR_DIRTY_LOG =
            struct("kvm_clear_dirty_log", u32("slot"), u32("num_pages"), u64("first_page"), u64("dirty_bitmap"));

    /** struct kvm_dirty_gfn. */
    public static final StructLayout DIRTY_GFN = struct("kvm_dirty_gfn", u32("flags"), u32("slot"), u64("offset"));

    /** struct kvm_coalesced_mmio_zone. */
    public static final StructLayout COALESCED_ZONE =
            struct("kvm_coalesced_mmio_zone", u64("addr"), u32("size"), u32("pio"));

    /** struct kvm_coalesced_mmio. */
    public static final StructLayout COALESCED_MMIO =
            struct("kvm_coalesced_mmio", u64("phys_addr"), u32("len"), u32("pio"), bytes("data", 8));

    /** struct kvm_coalesced_mmio_ring without its entries, which follow. */
    public static final StructLayout COALESCED_RING =
            struct("kvm_coalesced_mmio_ring", u32("first"), u32("last"), array("coalesced_mmio", 0, COALESCED_MMIO));

    /** struct kvm_irq_level. */
    public static final StructLayout IRQ_LEVEL = struct("kvm_irq_level", u32("irq"), u32("level"));

    /** struct kvm_pic_state. */
    public static final StructLayout PIC_STATE = struct(
            "kvm_pic_state",
            u8("last_irr"),
            u8("irr"),
            u8("imr"),
            u8("isr"),
            u8("priority_add"),
            u8("irq_base"),
            u8("read_reg_select"),
            u8("poll"),
            u8("special_mask"),
            u8("init_state"),
            u8("auto_eoi"),
            u8("rotate_on_auto_eoi"),
            u8("special_fully_nested_mode"),
            u8("init4"),
            u8("elcr"),
            u8("elcr_mask"));

    /** struct kvm_ioapic_state; an entry of redirtbl is the redirection entry of the data sheet. */
    public static final StructLayout IOAPIC_STATE = struct(
            "kvm_ioapic_state",
            u64("base_address"),
            u32("ioregsel"),
            u32("id"),
            u32("irr"),
            u32("pad"),
            array("redirtbl", 24, LONGS));

    /** struct kvm_irqchip. */
    public static final StructLayout IRQCHIP = struct(
            "kvm_irqchip",
            u32("chip_id"),
            u32("pad"),
            union("chip", bytes("dummy", 512), PIC_STATE.withName("pic"), IOAPIC_STATE.withName("ioapic")));

    /** struct kvm_irq_routing_entry. */
    public static final StructLayout IRQ_ROUTING_ENTRY = struct(
            "kvm_irq_routing_entry",
            u32("gsi"),
            u32("type"),
            u32("flags"),
            u32("pad"),
            union(
                    "u",
                    struct("irqchip", u32("irqchip"), u32("pin")),
                    struct("msi", u32("address_lo"), u32("address_hi"), u32("data"), u32("devid")),
                    array("pad", 8, INTS)));

    /** struct kvm_irq_routing without its entries, which follow. */
    public static final StructLayout IRQ_ROUTING =
            struct("kvm_irq_routing", u32("nr"), u32("flags"), array("entries", 0, IRQ_ROUTING_ENTRY));

    /** struct kvm_msi. */
    public static final StructLayout MSI = struct(
            "kvm_msi", u32("address_lo"), u32("address_hi"), u32("data"), u32("flags"), u32("devid"), bytes("pad", 12));

    /** struct kvm_irqfd. */
    public static final StructLayout IRQFD =
            struct("kvm_irqfd", u32("fd"), u32("gsi"), u32("flags"), u32("resamplefd"), bytes("pad", 16));

    /** struct kvm_ioeventfd. */
    public static final StructLayout IOEVENTFD = struct(
            "kvm_ioeventfd", u64("datamatch"), u64("addr"), u32("len"), u32("fd"), u32("flags"), bytes("pad", 36));

    /** struct kvm_pit_config. */
    public static final StructLayout PIT_CONFIG = struct("kvm_pit_config", u32("flags"), array("pad", 15, INTS));

    /** struct kvm_pit_channel_state. */
    public static final StructLayout PIT_CHANNEL_STATE = struct(
            "kvm_pit_channel_state",
            u32("count"),
            u16("latched_count"),
            u8("count_latched"),
            u8("status_latched"),
            u8("status"),
            u8("read_state"),
            u8("write_state"),
            u8("write_latch"),
            u8("rw_mode"),
            u8("mode"),
            u8("bcd"),
            u8("gate"),
            u64("count_load_time"));

    /** struct kvm_pit_state. */
    public static final StructLayout PIT_STATE = struct("kvm_pit_state", array("channels", 3, PIT_CHANNEL_STATE));

    /** struct kvm_pit_state2. */
    public static final StructLayout PIT_STATE2 =
            struct("kvm_pit_state2", array("channels", 3, PIT_CHANNEL_STATE), u32("flags"), array("reserved", 9, INTS));

    /** struct kvm_reinject_control. */
    public static final StructLayout REINJECT_CONTROL =
            struct("kvm_reinject_control", u8("pit_reinject"), bytes("reserved", 31));

    /** struct kvm_clock_data. */
    public static final StructLayout CLOCK_DATA = struct(
            "kvm_clock_data",
            u64("clock"),
            u32("flags"),
            u32("pad0"),
            u64("realtime"),
            u64("host_tsc"),
            array("pad", 4, INTS));

    /** struct kvm_enable_cap. */
    public static final StructLayout ENABLE_CAP =
            struct("kvm_enable_cap", u32("cap"), u32("flags"), array("args", 4, LONGS), bytes("pad", 64));

    /** struct kvm_msr_filter_range; bitmap is a pointer. */
    public static final StructLayout MSR_FILTER_RANGE =
            struct("kvm_msr_filter_range", u32("flags"), u32("nmsrs"), u32("base"), u64("bitmap"));

    /** struct kvm_msr_filter. */
    public static final StructLayout MSR_FILTER =
            struct("kvm_msr_filter", u32("flags"), array("ranges", 16, MSR_FILTER_RANGE));

    /** struct kvm_device_attr; addr is a pointer. */
    public static final StructLayout DEVICE_ATTR =
            struct("kvm_device_attr", u32("flags"), u32("group"), u64("attr"), u64("addr"));

    /** struct kvm_create_device. */
    public static final StructLayout CREATE_DEVICE = struct("kvm_create_device", u32("type"), u32("fd"), u32("flags"));

    /** struct kvm_stats_header. */
    public static final StructLayout STATS_HEADER = struct(
            "kvm_stats_header",
            u32("flags"),
            u32("name_size"),
            u32("num_desc"),
            u32("id_offset"),
            u32("desc_offset"),
            u32("data_offset"));

    /** struct kvm_stats_desc without its name, which follows. */
    public static final StructLayout STATS_DESC = struct(
            "kvm_stats_desc",
            u32("flags"),
            u16("exponent"),
            u16("size"),
            u32("offset"),
            u32("bucket_size"),
            array("name", 0, ValueLayout.JAVA_BYTE));

    /** All of them. */
    public static final List<GroupLayout> ALL = List.of(
            MEMORY_REGION,
            MEMORY_REGION2,
            CREATE_GUEST_MEMFD,
            PRE_FAULT_MEMORY,
            DIRTY_LOG,
            CLEAR_DIRTY_LOG,
            DIRTY_GFN,
            COALESCED_ZONE,
            COALESCED_MMIO,
            COALESCED_RING,
            IRQ_LEVEL,
            PIC_STATE,
            IOAPIC_STATE,
            IRQCHIP,
            IRQ_ROUTING_ENTRY,
            IRQ_ROUTING,
            MSI,
            IRQFD,
            IOEVENTFD,
            PIT_CONFIG,
            PIT_CHANNEL_STATE,
            PIT_STATE,
            PIT_STATE2,
            REINJECT_CONTROL,
            CLOCK_DATA,
            ENABLE_CAP,
            MSR_FILTER_RANGE,
            MSR_FILTER,
            DEVICE_ATTR,
            CREATE_DEVICE,
            STATS_HEADER,
            STATS_DESC);

    private VmStructs() {}
}
