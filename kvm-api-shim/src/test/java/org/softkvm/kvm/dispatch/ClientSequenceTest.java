package org.softkvm.kvm.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.abi.Ioctl.*;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.abi.Fields;
import org.softkvm.kvm.abi.RunStruct;

/**
 * The calls that real clients make from their start to the first exit, in their order, in binary form. QEMU's were traced on
 * a real /dev/kvm (QEMU 7.2, machine pc); of kvmtool its calls and the capabilities that it insists on are known.
 */
class ClientSequenceTest {
    private static final int[] QEMU_NEEDS = {3, 4, 7, 14, 21, 25, 30};
    private static final int[] QEMU10_NEEDS = {
        0, 3, 4, 7, 14, 21, 25, 30, 31, 32, 33, 35, 36, 37, 39, 40, 41, 50, 51, 55, 77, 122
    };
    private static final int[] KVMTOOL_NEEDS = {0, 1, 3, 4, 7, 15, 25, 26, 33};
    private static final int RAM_PAGES_END = 0xA0000;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void qemu(boolean split) {
        try (AbiClient c = new AbiClient()) {
            qemuVm(c, split);
            qemuVcpu(c);
            qemuMemory(c, split);
            MemorySegment msrs = qemuReset(c);
            if (!split) {
                c.ok(c.vm, KVM_IRQ_LINE_STATUS, c.words(0, 0));
                c.keep(c.vm, KVM_GET_PIT2, KVM_SET_PIT2);
                for (int chip = 0; chip < 3; chip++) {
                    MemorySegment state = c.struct(520);
                    Fields.putInt(state, 0, chip);
                    c.ok(c.vm, KVM_GET_IRQCHIP, state);
                    c.ok(c.vm, KVM_SET_IRQCHIP, state);
                }
            }
            // Step 11: the local APIC's page, everything once more, and off it goes.
            c.ok(c.vcpu, KVM_TPR_ACCESS_REPORTING, c.words(1));
            c.ok(c.vcpu, KVM_SET_VAPIC_ADDR, c.words(0x5000, 0));
            c.ok(c.vcpu, KVM_SET_MSRS, msrs);
            c.keep(c.vcpu, KVM_GET_LAPIC, KVM_SET_LAPIC);
            qemuSet(c);
            MemorySegment clock = c.get(c.vm, KVM_GET_CLOCK);
            Fields.putInt(clock, 8, 0);
            c.ok(c.vm, KVM_SET_CLOCK, clock);
            assertThat(AbiClient.errno(c.call(c.vcpu, KVM_KVMCLOCK_CTRL, 0)))
                    .as("QEMU tolerates it")
                    .isEqualTo("EINVAL");
            firstExit(c);
        }
    }

    /** Steps 1 to 6. */
    private static void qemuVm(AbiClient c, boolean split) {
        assertThat(c.ok(c.kvm, KVM_GET_API_VERSION, 0)).isEqualTo(12);
        assertThat(c.has(c.kvm, 136)).as("IMMEDIATE_EXIT").isPositive();
        assertThat(c.has(c.kvm, 10)).as("NR_MEMSLOTS").isGreaterThanOrEqualTo(32);
        c.has(c.kvm, 118);
        c.createVm();
        for (int capability : QEMU_NEEDS) {
            assertThat(c.has(c.vm, capability)).as("capability %d", capability).isPositive();
        }
        for (int capability : QEMU10_NEEDS) {
            assertThat(c.has(c.vm, capability))
                    .as("capability %d (QEMU 10)", capability)
                    .isPositive();
        }
        c.enableCap(168, c.has(c.vm, 168) & 3);
        c.enableCap(164, 1);
        c.enableCap(218, 1);
        c.indices(KVM_GET_MSR_INDEX_LIST);
        MemorySegment features = c.msrs(c.indices(KVM_GET_MSR_FEATURE_INDEX_LIST));
        Fields.putLong(c.aside, 0, 0xFEFF_C000L);
        c.ok(c.vm, KVM_SET_IDENTITY_MAP_ADDR, c.aside.address());
        c.ok(c.vm, KVM_SET_TSS_ADDR, 0xFEFF_D000L);
        c.enableCap(188, 4);
        // The filter that QEMU sets: one MSR, to know its core count.
        MemorySegment filter = c.struct(392);
        Fields.putInt(filter, 8, 1);
        Fields.putInt(filter, 12, 1);
        Fields.putInt(filter, 16, 0x35);
        Fields.putLong(filter, 24, c.aside.address() + 0x100);
        c.ok(c.vm, KVM_X86_SET_MSR_FILTER, filter);
        if (split) {
            c.enableCap(121, 24);
        } else {
            c.ok(c.vm, KVM_CREATE_IRQCHIP, 0);
        }
        // 7 ioeventfds at PIO and MMIO, to see how many there can be.
        for (int i = 0; i < 7; i++) {
            int event = c.calls.eventFd();
            for (int flags : new int[] {1 | 2, 1}) {
                MemorySegment io = c.struct(64);
                Fields.putLong(io, 0, i);
                Fields.putInt(io, 16, 2);
                Fields.putInt(io, 20, event);
                Fields.putInt(io, 24, flags);
                c.ok(c.vm, KVM_IOEVENTFD, io);
                Fields.putInt(io, 24, flags | 4);
                c.ok(c.vm, KVM_IOEVENTFD, io);
            }
            c.calls.close(event);
        }
        c.enableCap(128, 1);
        c.cpuid();
        MemorySegment attribute = c.struct(24);
        Fields.putLong(attribute, 16, c.aside.address());
        c.ok(c.kvm, KVM_GET_DEVICE_ATTR, attribute);
        c.ok(c.kvm, KVM_GET_DEVICE_ATTR, attribute);
        c.ok(c.kvm, KVM_GET_MSRS, features);
    }

    /** Step 7. */
    private static void qemuVcpu(AbiClient c) {
        c.createVcpu();
        assertThat(c.has(c.vm, 208)).as("XSAVE2").isGreaterThanOrEqualTo(4096);
        c.ok(c.vcpu, KVM_GET_TSC_KHZ, 0);
        MemorySegment mce = c.get(c.kvm, KVM_X86_GET_MCE_CAP_SUPPORTED);
        // MCG_CTL_P, MCG_SER_P and 10 banks, as far as they are supported.
        long wanted = (0x1000100 & Fields.getLong(mce, 0)) | Math.min(10, c.has(c.vm, 31));
        Fields.putLong(c.aside, 0, wanted);
        c.ok(c.vcpu, KVM_X86_SETUP_MCE, c.aside.address());
        c.ok(c.vcpu, KVM_SET_CPUID2, c.cpuid());
        c.ok(c.vcpu, KVM_SET_MSRS, c.msr(0x3A, 1));
    }

    /** Step 8: RAM, ROM that is read-only, a hole, and the parts that shadowing makes of them. */
    private static void qemuMemory(AbiClient c, boolean split) {
        c.get(c.vm, KVM_GET_CLOCK);
        c.ram();
        MemorySegment routes = c.struct(8 + 24 * 48L);
        int count = split ? 0 : 24;
        Fields.putInt(routes, 0, count);
        for (int i = 0; i < count; i++) {
            Fields.putInt(routes, 8 + i * 48L, i);
            Fields.putInt(routes, 12 + i * 48L, 1);
            Fields.putInt(routes, 24 + i * 48L, i < 8 ? 0 : i < 16 ? 1 : 2);
            Fields.putInt(routes, 28 + i * 48L, i < 16 ? i & 7 : i);
        }
        c.ok(c.vm, KVM_SET_GSI_ROUTING, routes);
        MemorySegment zone = c.struct(16);
        Fields.putLong(zone, 0, 0xA0000);
        Fields.putInt(zone, 8, 0x20000);
        c.ok(c.vm, KVM_REGISTER_COALESCED_MMIO, zone);
        c.slot(0, 0, 0, 0, c.ram, 0);
        c.slot(0, 0, 0, RAM_PAGES_END, c.ram, 0);
        c.slot(1, 2, 0xC0000, 0x20000, c.ram, 0xC0000);
        c.slot(2, 2, 0xE0000, 0x20000, c.ram, 0xE0000);
        c.slot(3, 2, 0xFFFE_0000L, 0x20000, c.ram, 0xE0000);
        c.slot(1, 0, 0xC0000, 0, c.ram, 0xC0000);
        c.slot(1, 0, 0xC0000, 0x20000, c.ram, 0xC0000);
        if (!split) {
            c.ok(c.vm, KVM_CREATE_PIT2, c.words(0));
            c.ok(c.vm, KVM_IRQ_LINE_STATUS, c.words(0, 0));
        }
    }

    /** Step 9: everything written, then read. */
    private static MemorySegment qemuReset(AbiClient c) {
        c.ok(c.vcpu, KVM_SET_TSC_KHZ, c.ok(c.vcpu, KVM_GET_TSC_KHZ, 0));
        qemuSet(c);
        MemorySegment msrs = c.msrs(c.indices(KVM_GET_MSR_INDEX_LIST));
        int count = Fields.getInt(msrs, 0);
        assertThat(c.ok(c.vcpu, KVM_GET_MSRS, msrs)).isEqualTo(count);
        assertThat(c.ok(c.vcpu, KVM_SET_MSRS, msrs)).isEqualTo(count);
        c.get(c.vcpu, KVM_GET_LAPIC);
        return msrs;
    }

    private static void qemuSet(AbiClient c) {
        c.keep(c.vcpu, KVM_GET_SREGS2, KVM_SET_SREGS2);
        c.keep(c.vcpu, KVM_GET_REGS, KVM_SET_REGS);
        c.keep(c.vcpu, KVM_GET_XSAVE2, KVM_SET_XSAVE);
        c.keep(c.vcpu, KVM_GET_XCRS, KVM_SET_XCRS);
        c.keep(c.vcpu, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS);
        c.keep(c.vcpu, KVM_GET_MP_STATE, KVM_SET_MP_STATE);
        c.keep(c.vcpu, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS);
    }

    /** From the reset vector, in the ROM at the end of 4 GiB: out 80h,al. */
    private static void firstExit(AbiClient c) {
        Fields.putInt(c.ram, 0xFFFF0, 0xF480E6);
        assertThat(c.run()).isEqualTo(ExitReason.IO);
        assertThat(Fields.getShort(c.run, RunStruct.IO_PORT)).isEqualTo(0x80);
        assertThat(Fields.getByte(c.run, RunStruct.IO_DIRECTION)).isEqualTo(1);
    }

    @Test
    void kvmtool() {
        try (AbiClient c = new AbiClient()) {
            assertThat(c.ok(c.kvm, KVM_GET_API_VERSION, 0)).isEqualTo(12);
            c.createVm();
            for (int capability : KVMTOOL_NEEDS) {
                assertThat(c.has(c.kvm, capability))
                        .as("capability %d", capability)
                        .isPositive();
            }
            c.ok(c.vm, KVM_SET_TSS_ADDR, 0xFFFB_D000L);
            c.ram();
            c.ok(c.vm, KVM_CREATE_IRQCHIP, 0);
            c.ok(c.vm, KVM_CREATE_PIT2, c.words(0));
            c.createVcpu();
            c.keep(c.vcpu, KVM_GET_LAPIC, KVM_SET_LAPIC);
            c.ok(c.vcpu, KVM_SET_CPUID2, c.cpuid());
            c.keep(c.vcpu, KVM_GET_SREGS, KVM_SET_SREGS);
            c.realMode("e6 80 f4");
            c.keep(c.vcpu, KVM_GET_FPU, KVM_SET_FPU);
            c.ok(c.vcpu, KVM_SET_MSRS, c.msr(0x174, 0));
            assertThat(c.run()).isEqualTo(ExitReason.IO);
            assertThat(Fields.getShort(c.run, RunStruct.IO_PORT)).isEqualTo(0x80);
        }
    }
}
