package org.softkvm.kvm.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.abi.Ioctl.*;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.abi.Fields;
import org.softkvm.kvm.abi.Ioctl;
import org.softkvm.kvm.abi.RegisterStructs;
import org.softkvm.kvm.abi.RunStruct;

/**
 * Every call that clients make (classes core, client, selftest+client and new of the table), on every descriptor that it is
 * for, with an argument that is valid: it is served. What is not there has its capability absent, by name.
 */
class IoctlTableTest {
    private record Row(String name, int request, List<String> descriptors, String kind) {}

    /** Calls that are not served on a descriptor, with the capability that is 0 for it. */
    private static final Map<String, Integer> ABSENT = Map.of(
            // KVM_CAP_ENABLE_CAP: what x86 has for a vcpu are Hyper-V's and KVM_CAP_ENFORCE_PV_FEATURE_CPUID.
            "KVM_ENABLE_CAP vcpu", 54,
            // KVM_CAP_VM_ATTRIBUTES.
            "KVM_GET_DEVICE_ATTR vm", 101,
            // KVM_CAP_DEVICE_CTRL: on x86 VFIO is the only device.
            "KVM_GET_DEVICE_ATTR dev", 89);

    private static List<Row> table() throws IOException {
        try (InputStream in = IoctlTableTest.class.getResourceAsStream("ioctls.tsv")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split("\t"))
                    .map(f -> new Row(
                            f[0],
                            Integer.parseUnsignedInt(f[1], 2, f[1].length(), 16),
                            List.of(f[2].split("\\+")),
                            f[3]))
                    .toList();
        }
    }

    @Test
    void everyRequestNumberIsTheTables() throws IOException {
        for (Row row : table()) {
            assertThat(Ioctl.valueOf(row.name()).request()).as(row.name()).isEqualTo(row.request());
        }
        assertThat(table()).hasSize(75);
    }

    @Test
    void everyCallIsServed() throws IOException {
        Set<String> made = new TreeSet<>();
        try (AbiClient client = new AbiClient()) {
            system(client);
            client.createVm();
            machineWithIrqchip(client);
            made.addAll(client.made);
        }
        try (AbiClient client = new AbiClient()) {
            client.createVm();
            machineWithout(client);
            made.addAll(client.made);
        }
        Set<String> missing = new TreeSet<>();
        for (Row row : table()) {
            for (String descriptor : row.descriptors()) {
                String call = row.name() + " " + descriptor;
                if (!made.contains(call) && !ABSENT.containsKey(call)) {
                    missing.add(call);
                }
            }
        }
        assertThat(missing).as("calls of the table that nobody made").isEmpty();
        try (AbiClient client = new AbiClient()) {
            ABSENT.forEach((call, capability) ->
                    assertThat(client.has(client.kvm, capability)).as(call).isZero());
        }
    }

    private static void system(AbiClient c) {
        assertThat(c.ok(c.kvm, KVM_GET_API_VERSION, 0)).isEqualTo(12);
        c.indices(KVM_GET_MSR_INDEX_LIST);
        MemorySegment features = c.msrs(c.indices(KVM_GET_MSR_FEATURE_INDEX_LIST));
        assertThat(c.ok(c.kvm, KVM_GET_MSRS, features)).isEqualTo(Fields.getInt(features, 0));
        MemorySegment mce = c.get(c.kvm, KVM_X86_GET_MCE_CAP_SUPPORTED);
        assertThat(Fields.getLong(mce, 0)).isEqualTo(0x1000100);
        assertThat(c.has(c.kvm, 31)).as("machine-check banks").isEqualTo(10);
        // KVM_X86_XCOMP_GUEST_SUPP.
        assertThat(c.has(c.kvm, 209)).as("KVM_CAP_SYS_ATTRIBUTES").isPositive();
        MemorySegment attribute = c.struct(24);
        Fields.putLong(attribute, 16, c.aside.address());
        c.ok(c.kvm, KVM_GET_DEVICE_ATTR, attribute);
        assertThat(Fields.getLong(c.aside, 0) & 3).isEqualTo(3);
        c.ok(c.kvm, KVM_HAS_DEVICE_ATTR, attribute);
    }

    /** A VM with the whole irqchip and a PIT. */
    private static void machineWithIrqchip(AbiClient c) {
        assertThat(c.has(c.vm, 0)).as("KVM_CAP_IRQCHIP").isPositive();
        c.ok(c.vm, KVM_SET_TSS_ADDR, 0xFFFB_D000L);
        Fields.putLong(c.aside, 0, 0xFFFB_C000L);
        c.ok(c.vm, KVM_SET_IDENTITY_MAP_ADDR, c.aside.address());
        c.enableCap(168, 1);
        c.ok(c.vm, KVM_CREATE_IRQCHIP, 0);
        c.ok(c.vm, KVM_CREATE_PIT2, c.words(1));
        c.ok(c.vm, KVM_SET_TSC_KHZ, 1_000_000);
        assertThat(c.ok(c.vm, KVM_GET_TSC_KHZ, 0)).isEqualTo(1_000_000);
        c.ram();
        c.createVcpu();
        memory(c);
        chips(c);
        registers(c);
        c.ok(c.vcpu, KVM_NMI, 0);
        MemorySegment debug = c.words(1);
        c.ok(c.vcpu, KVM_SET_GUEST_DEBUG, debug);
        c.ok(c.vcpu, KVM_SET_SIGNAL_MASK, c.words(8, -1, -1));
        c.ok(c.vm, KVM_GET_STATS_FD, 0);
        c.ok(c.vcpu, KVM_GET_STATS_FD, 0);
        attributes(c);
    }

    private static void memory(AbiClient c) {
        MemorySegment region = c.words(1, 1);
        Fields.putLong(region, 8, 0x200000);
        Fields.putLong(region, 16, 0x10000);
        Fields.putLong(region, 24, c.ram.address());
        MemorySegment region2 = c.struct(160);
        MemorySegment.copy(region, 0, region2, 0, 32);
        c.ok(c.vm, KVM_SET_USER_MEMORY_REGION2, region2);
        MemorySegment log = c.words(1);
        Fields.putLong(log, 8, c.aside.address());
        c.ok(c.vm, KVM_GET_DIRTY_LOG, log);
        MemorySegment clear = c.words(1, 16);
        Fields.putLong(clear, 16, c.aside.address());
        c.ok(c.vm, KVM_CLEAR_DIRTY_LOG, clear);
        MemorySegment zone = c.struct(16);
        Fields.putLong(zone, 0, 0xD000_0000L);
        Fields.putInt(zone, 8, 0x100);
        c.ok(c.vm, KVM_REGISTER_COALESCED_MMIO, zone);
        c.ok(c.vm, KVM_UNREGISTER_COALESCED_MMIO, zone);
    }

    private static void chips(AbiClient c) {
        c.ok(c.vm, KVM_IRQ_LINE, c.words(5, 1));
        c.ok(c.vm, KVM_IRQ_LINE_STATUS, c.words(5, 0));
        for (int chip = 0; chip < 3; chip++) {
            MemorySegment state = c.struct(520);
            Fields.putInt(state, 0, chip);
            c.ok(c.vm, KVM_GET_IRQCHIP, state);
            c.ok(c.vm, KVM_SET_IRQCHIP, state);
        }
        MemorySegment routes = c.struct(8 + 48);
        Fields.putInt(routes, 0, 1);
        Fields.putInt(routes, 8, 30);
        Fields.putInt(routes, 12, 2);
        Fields.putInt(routes, 8 + 16, 0xFEE0_0000);
        Fields.putInt(routes, 8 + 24, 0x41);
        c.ok(c.vm, KVM_SET_GSI_ROUTING, routes);
        c.ok(c.vm, KVM_SIGNAL_MSI, c.words(0xFEE0_0000, 0, 0x41, 0));
        int event = c.calls.eventFd();
        c.ok(c.vm, KVM_IRQFD, c.words(event, 30, 0));
        c.ok(c.vm, KVM_IRQFD, c.words(event, 30, 1));
        MemorySegment io = c.struct(64);
        Fields.putLong(io, 8, 0x60);
        Fields.putInt(io, 16, 1);
        Fields.putInt(io, 20, event);
        Fields.putInt(io, 24, 2);
        c.ok(c.vm, KVM_IOEVENTFD, io);
        c.keep(c.vm, KVM_GET_PIT2, KVM_SET_PIT2);
        c.ok(c.vm, KVM_REINJECT_CONTROL, c.words(1));
        MemorySegment clock = c.get(c.vm, KVM_GET_CLOCK);
        Fields.putInt(clock, 8, 0);
        c.ok(c.vm, KVM_SET_CLOCK, clock);
        c.enableCap(188, 4);
        c.ok(c.vm, KVM_X86_SET_MSR_FILTER, c.struct(392));
    }

    private static void registers(AbiClient c) {
        MemorySegment cpuid = c.cpuid();
        c.ok(c.vcpu, KVM_SET_CPUID2, cpuid);
        MemorySegment read = c.struct(8 + 256 * 40);
        Fields.putInt(read, 0, 256);
        c.ok(c.vcpu, KVM_GET_CPUID2, read);
        Fields.putLong(c.aside, 0, 0x100010A);
        c.ok(c.vcpu, KVM_X86_SETUP_MCE, c.aside.address());
        c.keep(c.vcpu, KVM_GET_REGS, KVM_SET_REGS);
        c.keep(c.vcpu, KVM_GET_SREGS, KVM_SET_SREGS);
        c.keep(c.vcpu, KVM_GET_SREGS2, KVM_SET_SREGS2);
        c.keep(c.vcpu, KVM_GET_FPU, KVM_SET_FPU);
        c.keep(c.vcpu, KVM_GET_XSAVE, KVM_SET_XSAVE);
        c.get(c.vcpu, KVM_GET_XSAVE2);
        c.keep(c.vcpu, KVM_GET_XCRS, KVM_SET_XCRS);
        c.keep(c.vcpu, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS);
        c.keep(c.vcpu, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS);
        c.keep(c.vcpu, KVM_GET_MP_STATE, KVM_SET_MP_STATE);
        c.keep(c.vcpu, KVM_GET_LAPIC, KVM_SET_LAPIC);
        // kvmclock, so that the guest can be told that it was stopped.
        c.ok(c.vcpu, KVM_SET_MSRS, c.msr(0x4B56_4D01, 0x3001));
        c.ok(c.vcpu, KVM_KVMCLOCK_CTRL, 0);
        MemorySegment list = c.msrs(c.indices(KVM_GET_MSR_INDEX_LIST));
        int count = Fields.getInt(list, 0);
        assertThat(c.ok(c.vcpu, KVM_GET_MSRS, list)).isEqualTo(count);
        assertThat(c.ok(c.vcpu, KVM_SET_MSRS, list)).isEqualTo(count);
        MemorySegment one = c.struct(16);
        Fields.putLong(one, 0, 0x2030_0002_0000_0174L);
        Fields.putLong(one, 8, c.aside.address());
        c.ok(c.vcpu, KVM_GET_ONE_REG, one);
        c.ok(c.vcpu, KVM_SET_ONE_REG, one);
        c.get(c.vcpu, KVM_GET_REG_LIST);
        c.ok(c.vcpu, KVM_SET_TSC_KHZ, 1_000_000);
        c.ok(c.vcpu, KVM_GET_TSC_KHZ, 0);
        MemorySegment tpr = c.words(1);
        c.ok(c.vcpu, KVM_TPR_ACCESS_REPORTING, tpr);
        c.ok(c.vcpu, KVM_SET_VAPIC_ADDR, c.words(0x5000, 0));
    }

    /** KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET. */
    private static void attributes(AbiClient c) {
        assertThat(c.has(c.vm, 127)).as("KVM_CAP_VCPU_ATTRIBUTES").isPositive();
        MemorySegment attribute = c.struct(24);
        Fields.putLong(attribute, 16, c.aside.address());
        c.ok(c.vcpu, KVM_HAS_DEVICE_ATTR, attribute);
        Fields.putLong(c.aside, 0, 123_456_789_000L);
        c.ok(c.vcpu, KVM_SET_DEVICE_ATTR, attribute);
        Fields.putLong(c.aside, 0, 0);
        c.ok(c.vcpu, KVM_GET_DEVICE_ATTR, attribute);
        assertThat(Fields.getLong(c.aside, 0)).isEqualTo(123_456_789_000L);
        Fields.putLong(attribute, 8, 1);
        assertThat(AbiClient.errno(c.call(c.vcpu, KVM_HAS_DEVICE_ATTR, attribute)))
                .isEqualTo("ENXIO");
    }

    /** A VM without irqchip, which runs a guest. */
    private static void machineWithout(AbiClient c) {
        c.ram();
        c.createVcpu();
        c.ok(c.vcpu, KVM_SET_CPUID2, c.cpuid());
        c.realMode("fb 90 90 e6 10");
        c.ok(c.vcpu, KVM_INTERRUPT, c.words(0x20));
        // The handler: hlt.
        Fields.putInt(c.ram, 0x20 * 4, 0x2000);
        Fields.putInt(c.ram, 0x2000, 0xF4);
        assertThat(c.run()).isEqualTo(ExitReason.HLT);
    }

    @Test
    void anErrorIsPutIntoABank() {
        try (AbiClient c = new AbiClient()) {
            c.createVm();
            c.ram();
            c.createVcpu();
            c.ok(c.vcpu, KVM_SET_CPUID2, c.cpuid());
            for (long wrong : new long[] {0, 11, 0x10A | 1L << 27}) {
                Fields.putLong(c.aside, 0, wrong);
                assertThat(AbiClient.errno(c.call(c.vcpu, KVM_X86_SETUP_MCE, c.aside.address())))
                        .isEqualTo("EINVAL");
            }
            Fields.putLong(c.aside, 0, 0x104);
            c.ok(c.vcpu, KVM_X86_SETUP_MCE, c.aside.address());
            MemorySegment cap = c.msr(0x179, 0);
            c.ok(c.vcpu, KVM_GET_MSRS, cap);
            assertThat(Fields.getLong(cap, 16)).isEqualTo(0x104);
            // struct kvm_x86_mce: status, addr, misc, mcg_status, bank. A corrected error, twice.
            MemorySegment mce = c.struct(64);
            Fields.putLong(mce, 0, 1L << 63 | 0x151);
            Fields.putLong(mce, 8, 0x1234_5000);
            Fields.putByte(mce, 32, 3);
            c.ok(c.vcpu, KVM_X86_SET_MCE, mce);
            MemorySegment status = c.msr(0x400 + 4 * 3 + 1, 0);
            c.ok(c.vcpu, KVM_GET_MSRS, status);
            assertThat(Fields.getLong(status, 16)).isEqualTo(1L << 63 | 0x151);
            c.ok(c.vcpu, KVM_X86_SET_MCE, mce);
            c.ok(c.vcpu, KVM_GET_MSRS, status);
            assertThat(Fields.getLong(status, 16)).as("overflow").isEqualTo(3L << 62 | 0x151);
            Fields.putByte(mce, 32, 4);
            assertThat(AbiClient.errno(c.call(c.vcpu, KVM_X86_SET_MCE, mce))).isEqualTo("EINVAL");
        }
    }

    @Test
    void anErrorThatWasNotCorrectedIsAMachineCheck() {
        try (AbiClient c = new AbiClient()) {
            c.createVm();
            c.ram();
            c.createVcpu();
            c.ok(c.vcpu, KVM_SET_CPUID2, c.cpuid());
            c.realMode("90 90 e6 10 f4");
            MemorySegment sregs = c.get(c.vcpu, KVM_GET_SREGS);
            long cr4 = RegisterStructs.SREGS.byteOffset(PathElement.groupElement("cr4"));
            Fields.putLong(sregs, cr4, 0x40);
            c.ok(c.vcpu, KVM_SET_SREGS, sregs);
            // Vector 18 leads to: out 11h,al; hlt.
            Fields.putInt(c.ram, 18 * 4, 0x2000);
            Fields.putInt(c.ram, 0x2000, 0xF411E6);
            MemorySegment mce = c.struct(64);
            Fields.putLong(mce, 0, 1L << 63 | 1L << 61 | 0x151);
            Fields.putLong(mce, 24, 5);
            c.ok(c.vcpu, KVM_X86_SET_MCE, mce);
            assertThat(c.run()).isEqualTo(ExitReason.IO);
            assertThat(Fields.getShort(c.run, RunStruct.IO_PORT)).isEqualTo(0x11);
            MemorySegment status = c.msr(0x17A, 0);
            c.ok(c.vcpu, KVM_GET_MSRS, status);
            assertThat(Fields.getLong(status, 16)).isEqualTo(5);
            // A second one while the first is in progress.
            assertThat(AbiClient.errno(c.call(c.vcpu, KVM_X86_SET_MCE, mce))).isEqualTo("EINVAL");
        }
    }

    @Test
    void allVcpusHaveOneRingOfCoalescedWrites() {
        try (AbiClient c = new AbiClient()) {
            c.createVm();
            c.ram();
            c.createVcpu();
            int other = c.ok(c.vm, KVM_CREATE_VCPU, 1);
            assertThat(c.calls.ring(other).address()).isEqualTo(c.run.address() + 2 * 4096);
            assertThat(c.calls.ring(c.vcpu).address()).isEqualTo(c.run.address() + 2 * 4096);
            c.calls.close(other);
        }
    }
}
