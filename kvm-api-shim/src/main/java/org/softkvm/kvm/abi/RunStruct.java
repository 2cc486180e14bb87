package org.softkvm.kvm.abi;

import static org.softkvm.kvm.abi.Fields.array;
import static org.softkvm.kvm.abi.Fields.bytes;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.struct;
import static org.softkvm.kvm.abi.Fields.u16;
import static org.softkvm.kvm.abi.Fields.u32;
import static org.softkvm.kvm.abi.Fields.u64;
import static org.softkvm.kvm.abi.Fields.u8;
import static org.softkvm.kvm.abi.Fields.union;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/** struct kvm_run, the first page of a vcpu's mapping, and what lies behind it. */
public final class RunStruct {
    /** The layout, with the exits that x86 has. */
    public static final StructLayout LAYOUT = struct(
            "kvm_run",
            u8("request_interrupt_window"),
            u8("immediate_exit"),
            bytes("padding1", 6),
            u32("exit_reason"),
            u8("ready_for_interrupt_injection"),
            u8("if_flag"),
            u16("flags"),
            u64("cr8"),
            u64("apic_base"),
            union(
                    "",
                    struct("hw", u64("hardware_exit_reason")),
                    struct("fail_entry", u64("hardware_entry_failure_reason"), u32("cpu")),
                    struct("ex", u32("exception"), u32("error_code")),
                    struct("io", u8("direction"), u8("size"), u16("port"), u32("count"), u64("data_offset")),
                    struct("debug", struct("arch", u32("exception"), u32("pad"), u64("pc"), u64("dr6"), u64("dr7"))),
                    struct("mmio", u64("phys_addr"), bytes("data", 8), u32("len"), u8("is_write")),
                    struct(
                            "hypercall",
                            u64("nr"),
                            array("args", 6, ValueLayout.JAVA_LONG),
                            u64("ret"),
                            u32("longmode"),
                            u32("pad")),
                    struct("tpr_access", u64("rip"), u32("is_write"), u32("pad")),
                    struct("internal", u32("suberror"), u32("ndata"), array("data", 16, ValueLayout.JAVA_LONG)),
                    struct(
                            "emulation_failure",
                            u32("suberror"),
                            u32("ndata"),
                            u64("flags"),
                            u8("insn_size"),
                            bytes("insn_bytes", 15)),
                    struct("system_event", u32("type"), u32("ndata"), array("data", 16, ValueLayout.JAVA_LONG)),
                    struct("eoi", u8("vector")),
                    struct("msr", u8("error"), bytes("pad", 7), u32("reason"), u32("index"), u64("data")),
                    struct("notify", u32("flags")),
                    struct("memory_fault", u64("flags"), u64("gpa"), u64("size")),
                    bytes("padding", 256)),
            u64("kvm_valid_regs"),
            u64("kvm_dirty_regs"),
            union("s", RegisterStructs.SYNC_REGS.withName("regs"), bytes("padding", 2048)));

    /** Size of a page of the mapping. */
    public static final int PAGE = 4096;
    /** Where the data of port accesses lies (KVM_PIO_PAGE_OFFSET). */
    public static final int PIO_OFFSET = PAGE;
    /** Where the ring of coalesced writes lies (KVM_COALESCED_MMIO_PAGE_OFFSET). */
    public static final int COALESCED_OFFSET = 2 * PAGE;
    /** Where the ring of dirty pages can be mapped (KVM_DIRTY_LOG_PAGE_OFFSET). */
    public static final int DIRTY_RING_OFFSET = 64 * PAGE;

    /** Offset of request_interrupt_window. */
    public static final long REQUEST_INTERRUPT_WINDOW = at("request_interrupt_window");
    /** Offset of immediate_exit. */
    public static final long IMMEDIATE_EXIT = at("immediate_exit");
    /** Offset of exit_reason. */
    public static final long EXIT_REASON = at("exit_reason");
    /** Offset of ready_for_interrupt_injection. */
    public static final long READY_FOR_INTERRUPT_INJECTION = at("ready_for_interrupt_injection");
    /** Offset of if_flag. */
    public static final long IF_FLAG = at("if_flag");
    /** Offset of flags. */
    public static final long FLAGS = at("flags");
    /** Offset of cr8. */
    public static final long CR8 = at("cr8");
    /** Offset of apic_base. */
    public static final long APIC_BASE = at("apic_base");
    /** Offset of the union of exits. */
    public static final long EXIT = at("");
    /** Offset of fail_entry.hardware_entry_failure_reason. */
    public static final long FAIL_ENTRY_REASON = exit("fail_entry.hardware_entry_failure_reason");
    /** Offset of io.direction. */
    public static final long IO_DIRECTION = exit("io.direction");
    /** Offset of io.size. */
    public static final long IO_SIZE = exit("io.size");
    /** Offset of io.port. */
    public static final long IO_PORT = exit("io.port");
    /** Offset of io.count. */
    public static final long IO_COUNT = exit("io.count");
    /** Offset of io.data_offset. */
    public static final long IO_DATA_OFFSET = exit("io.data_offset");
    /** Offset of debug.arch.exception. */
    public static final long DEBUG_EXCEPTION = exit("debug.arch.exception");
    /** Offset of debug.arch.pc. */
    public static final long DEBUG_PC = exit("debug.arch.pc");
    /** Offset of debug.arch.dr6. */
    public static final long DEBUG_DR6 = exit("debug.arch.dr6");
    /** Offset of debug.arch.dr7. */
    public static final long DEBUG_DR7 = exit("debug.arch.dr7");
    /** Offset of mmio.phys_addr. */
    public static final long MMIO_ADDRESS = exit("mmio.phys_addr");
    /** Offset of mmio.data. */
    public static final long MMIO_DATA = exit("mmio.data");
    /** Offset of mmio.len. */
    public static final long MMIO_LENGTH = exit("mmio.len");
    /** Offset of mmio.is_write. */
    public static final long MMIO_IS_WRITE = exit("mmio.is_write");
    /** Offset of hypercall.nr. */
    public static final long HYPERCALL_NR = exit("hypercall.nr");
    /** Offset of hypercall.args. */
    public static final long HYPERCALL_ARGS = exit("hypercall.args");
    /** Offset of hypercall.ret. */
    public static final long HYPERCALL_RET = exit("hypercall.ret");
    /** Offset of tpr_access.rip. */
    public static final long TPR_ACCESS_RIP = exit("tpr_access.rip");
    /** Offset of tpr_access.is_write. */
    public static final long TPR_ACCESS_IS_WRITE = exit("tpr_access.is_write");
    /** Offset of internal.suberror. */
    public static final long INTERNAL_SUBERROR = exit("internal.suberror");
    /** Offset of internal.ndata. */
    public static final long INTERNAL_NDATA = exit("internal.ndata");
    /** Offset of internal.data. */
    public static final long INTERNAL_DATA = exit("internal.data");
    /** Offset of emulation_failure.flags. */
    public static final long EMULATION_FLAGS = exit("emulation_failure.flags");
    /** Offset of emulation_failure.insn_size. */
    public static final long EMULATION_INSN_SIZE = exit("emulation_failure.insn_size");
    /** Offset of emulation_failure.insn_bytes. */
    public static final long EMULATION_INSN_BYTES = exit("emulation_failure.insn_bytes");
    /** Offset of system_event.type. */
    public static final long SYSTEM_EVENT_TYPE = exit("system_event.type");
    /** Offset of system_event.ndata. */
    public static final long SYSTEM_EVENT_NDATA = exit("system_event.ndata");
    /** Offset of eoi.vector. */
    public static final long EOI_VECTOR = exit("eoi.vector");
    /** Offset of msr.error. */
    public static final long MSR_ERROR = exit("msr.error");
    /** Offset of msr.reason. */
    public static final long MSR_REASON = exit("msr.reason");
    /** Offset of msr.index. */
    public static final long MSR_INDEX = exit("msr.index");
    /** Offset of msr.data. */
    public static final long MSR_DATA = exit("msr.data");
    /** Offset of memory_fault.flags. */
    public static final long MEMORY_FAULT_FLAGS = exit("memory_fault.flags");
    /** Offset of memory_fault.gpa. */
    public static final long MEMORY_FAULT_GPA = exit("memory_fault.gpa");
    /** Offset of memory_fault.size. */
    public static final long MEMORY_FAULT_SIZE = exit("memory_fault.size");
    /** Offset of kvm_valid_regs. */
    public static final long VALID_REGS = at("kvm_valid_regs");
    /** Offset of kvm_dirty_regs. */
    public static final long DIRTY_REGS = at("kvm_dirty_regs");
    /** Offset of s.regs.regs. */
    public static final long SYNC_REGS = at("s.regs.regs");
    /** Offset of s.regs.sregs. */
    public static final long SYNC_SREGS = at("s.regs.sregs");
    /** Offset of s.regs.events. */
    public static final long SYNC_EVENTS = at("s.regs.events");

    /** Flag of emulation_failure.flags: the bytes of the instruction are there. */
    public static final long EMULATION_FLAG_INSTRUCTION_BYTES = 1;

    private RunStruct() {}

    private static long at(String path) {
        if (path.isEmpty()) {
            return LAYOUT.byteOffset(MemoryLayout.PathElement.groupElement(""));
        }
        return offset(LAYOUT, path);
    }

    private static long exit(String path) {
        MemoryLayout exits = LAYOUT.select(MemoryLayout.PathElement.groupElement(""));
        return at("") + offset(exits, path);
    }
}
