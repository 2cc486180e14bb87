package org.softkvm.kvm.emulator;

import java.util.ArrayList;
import java.util.List;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.kvm.CpuidEntry;

/** CPUID: what the CPU model offers, and the hypervisor's own leaves. */
final class Cpuid {
    /** More in one call is E2BIG (KVM_MAX_CPUID_ENTRIES). */
    static final int MAX_ENTRIES = 256;

    /** The first leaf of the hypervisor: the last one, and the signature KVMKVMKVM. */
    static final int SIGNATURE = 0x4000_0000;

    /** The paravirtual features. */
    static final int FEATURES = 0x4000_0001;

    private static final int KVMK = 0x4b4d564b;
    private static final int VMKV = 0x564b4d56;
    private static final int M = 0x4d;

    private static final int FEATURE_CLOCKSOURCE = 1;
    private static final int FEATURE_NOP_IO_DELAY = 1 << 1;
    private static final int FEATURE_CLOCKSOURCE2 = 1 << 3;
    private static final int FEATURE_STEAL_TIME = 1 << 5;
    private static final int FEATURE_PV_EOI = 1 << 6;
    private static final int FEATURE_PV_UNHALT = 1 << 7;
    private static final int FEATURE_PV_SEND_IPI = 1 << 11;
    private static final int FEATURE_POLL_CONTROL = 1 << 12;
    private static final int FEATURE_PV_SCHED_YIELD = 1 << 13;
    private static final int FEATURE_CLOCKSOURCE_STABLE = 1 << 24;

    /** What KVM's paravirtual interfaces offer here; page faults are never asynchronous. */
    private static final int ALL_FEATURES = FEATURE_CLOCKSOURCE
            | FEATURE_NOP_IO_DELAY
            | FEATURE_CLOCKSOURCE2
            | FEATURE_STEAL_TIME
            | FEATURE_PV_EOI
            | FEATURE_PV_UNHALT
            | FEATURE_PV_SEND_IPI
            | FEATURE_POLL_CONTROL
            | FEATURE_PV_SCHED_YIELD
            | FEATURE_CLOCKSOURCE_STABLE;

    private Cpuid() {}

    /** KVM_GET_SUPPORTED_CPUID for a model; empty where it has no CPUID. */
    static List<CpuidEntry> of(CpuModel model) {
        List<CpuidEntry> entries = new ArrayList<>();
        for (org.softkvm.emulator.CpuidEntry entry : model.cpuid()) {
            entries.add(new CpuidEntry(
                    entry.leaf(),
                    entry.subleaf(),
                    entry.indexed() ? CpuidEntry.SIGNIFICANT_INDEX : 0,
                    entry.eax(),
                    entry.ebx(),
                    entry.ecx(),
                    entry.edx()));
        }
        if (!entries.isEmpty()) {
            entries.add(new CpuidEntry(SIGNATURE, 0, 0, FEATURES, KVMK, VMKV, M));
            entries.add(new CpuidEntry(FEATURES, 0, 0, ALL_FEATURES, 0, 0, 0));
        }
        return List.copyOf(entries);
    }

    /** Makes CPUID return the leaves. */
    static void apply(VirtualCpu cpu, List<CpuidEntry> entries) {
        List<org.softkvm.emulator.CpuidEntry> core = new ArrayList<>(entries.size());
        for (CpuidEntry entry : entries) {
            core.add(new org.softkvm.emulator.CpuidEntry(
                    entry.function(),
                    entry.index(),
                    (entry.flags() & CpuidEntry.SIGNIFICANT_INDEX) != 0,
                    entry.eax(),
                    entry.ebx(),
                    entry.ecx(),
                    entry.edx()));
        }
        cpu.setCpuid(core);
    }
}
