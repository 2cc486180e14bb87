package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Registers on the run page, reports of TPR accesses, VAPIC, payloads and triple faults as events, statistics. */
@ExtendWith(BinaryAbi.class)
class RunPageTest {
    @Test
    void registersComeAndGoOnTheRunPage() {
        // inc ax; out 80,al; jmp back
        try (Guest guest = Guest.realMode("40 e6 80 eb fb")) {
            assertThat(guest.vm.checkExtension(Capability.SYNC_REGS)).isEqualTo(7);
            VcpuRun run = guest.run;
            run.setValidRegs(VcpuRun.SYNC_REGS | VcpuRun.SYNC_SREGS | VcpuRun.SYNC_EVENTS);
            run.syncRegs().rax = 0x1234;
            guest.runToOut(0x80);
            assertThat(run.syncRegs().rax & 0xFFFF).isEqualTo(1);
            assertThat(run.syncRegs()).usingRecursiveComparison().isEqualTo(guest.regs());
            assertThat(run.syncSregs()).usingRecursiveComparison().isEqualTo(guest.sregs());
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            assertThat(run.syncEvents()).usingRecursiveComparison().isEqualTo(events);

            run.syncRegs().rax = 0x77;
            run.setDirtyRegs(VcpuRun.SYNC_REGS);
            assertThat(guest.runToOut(0x80)).isEqualTo(0x78);
            assertThat(run.dirtyRegs()).isZero();
            // Not dirty: what was changed here is not taken.
            run.syncRegs().rax = 0x99;
            assertThat(guest.runToOut(0x80)).isEqualTo(0x79);
            run.syncSregs().cr2 = 0x4444;
            run.setDirtyRegs(VcpuRun.SYNC_SREGS);
            guest.runToOut(0x80);
            assertThat(guest.sregs().cr2).isEqualTo(0x4444);
            run.syncEvents().nmiMasked = true;
            run.setDirtyRegs(VcpuRun.SYNC_EVENTS);
            guest.runToOut(0x80);
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.nmiMasked).isTrue();
            // No longer valid: left alone.
            run.setValidRegs(0);
            long rax = run.syncRegs().rax;
            guest.runToOut(0x80);
            assertThat(run.syncRegs().rax).isEqualTo(rax);
        }
    }

    @Test
    void unknownSetsAndWrongRegistersFailTheRun() {
        try (Guest guest = Guest.realMode("f4")) {
            guest.run.setValidRegs(8);
            assertFails("KVM_RUN", Errno.EINVAL, "kvm_valid_regs=0x8", guest.vcpu::run);
            guest.run.setValidRegs(0);
            guest.run.setDirtyRegs(16);
            assertFails("KVM_RUN", Errno.EINVAL, "kvm_dirty_regs=0x10", guest.vcpu::run);
            guest.run.setDirtyRegs(VcpuRun.SYNC_SREGS);
            guest.run.syncSregs().cr0 = 0x80000000L;
            assertFails("KVM_SET_SREGS", Errno.EINVAL, "cr0", guest.vcpu::run);
            guest.run.setDirtyRegs(0);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void accessesToTheTprAreReported() {
        // mov eax,[fee00080]; or dword [fee00080],0x20; mov [fee00080],eax; out 80,al
        try (Guest guest =
                Guest.protectedMode(true, "a1 80 00 e0 fe 81 0d 80 00 e0 fe 20 00 00 00 a3 80 00 e0 fe e6 80 f4")) {
            guest.vcpu.setTprAccessReporting(true);
            guest.runTo(ExitReason.TPR_ACCESS);
            assertThat(guest.run.tprAccessRip()).isEqualTo(Guest.CODE);
            assertThat(guest.run.tprAccessIsWrite()).isFalse();
            guest.runTo(ExitReason.TPR_ACCESS);
            assertThat(guest.run.tprAccessRip()).isEqualTo(Guest.CODE + 5);
            assertThat(guest.run.tprAccessIsWrite()).isFalse();
            guest.runTo(ExitReason.TPR_ACCESS);
            assertThat(guest.vcpu.getOneReg(RegisterId.lapic(0x80))).isEqualTo(0x20);
            assertThat(guest.run.tprAccessRip()).isEqualTo(Guest.CODE + 15);
            assertThat(guest.run.tprAccessIsWrite()).isTrue();
            guest.runToOut(0x80);
            assertThat(guest.vcpu.getOneReg(RegisterId.lapic(0x80))).isZero();
            guest.vcpu.setTprAccessReporting(false);
            Regs regs = guest.regs();
            regs.rip = Guest.CODE;
            guest.vcpu.setRegs(regs);
            guest.runToOut(0x80);
        }
    }

    @Test
    void theTaskPriorityLivesInGuestMemoryWhereTheCallerSaysSo() {
        // sti; nop; out 80,al; mov byte [0x6000],0; nop; hlt; handler at 2000: out 81
        try (Guest guest = Guest.realModeSplit("fb 90 e6 80 c6 06 00 60 00 90 90 e6 82 f4")) {
            guest.realModeVector(0x40, 0x2000);
            guest.load(0x2000, "b0 40 e6 81 cf");
            LapicState lapic = new LapicState();
            guest.vcpu.getLapic(lapic);
            lapic.set(0xF0, 0x1FF);
            guest.vcpu.setLapic(lapic);
            guest.vcpu.setVapicAddr(0x6000);
            guest.poke32(0x6000, 0x50);
            guest.vm.signalMsi(0xFEE00000L, 0x40);
            guest.runToOut(0x80);
            assertThat(guest.peek32(0x6000)).isEqualTo(0x40000050);
            assertThat(guest.vcpu.getOneReg(RegisterId.lapic(0x80))).isEqualTo(0x50);
            // Lowered in memory: the next exit or look at the local APIC lets the interrupt in.
            guest.vcpu.kick();
            guest.runTo(ExitReason.INTR);
            guest.poke8(0x6000, 0);
            guest.vm.signalMsi(0xFEE00000L, 0x40);
            guest.runToOut(0x81);
            assertThat(guest.peek32(0x6000) & 0xFFFF).isEqualTo(0x4000);
            assertFails("KVM_SET_VAPIC_ADDR", Errno.EINVAL, "no memory", () -> guest.vcpu.setVapicAddr(0x8000_0000L));
            guest.vcpu.setVapicAddr(0);
        }
        try (Guest guest = Guest.realMode("f4")) {
            assertFails("KVM_SET_VAPIC_ADDR", Errno.EINVAL, "no local APIC", () -> guest.vcpu.setVapicAddr(0x6000));
        }
    }

    @Test
    void aPendingExceptionBringsItsPayload() {
        try (Guest guest = Guest.realMode("90 f4")) {
            guest.realModeVector(1, 0x2000);
            guest.load(0x2000, "b0 01 e6 80 f4");
            VcpuEvents events = new VcpuEvents();
            events.flags = VcpuEvents.VALID_PAYLOAD;
            events.exceptionPending = true;
            events.exceptionNr = 1;
            events.exceptionHasPayload = true;
            events.exceptionPayload = 0x4002;
            assertFails(
                    "KVM_SET_VCPU_EVENTS",
                    Errno.EINVAL,
                    "EXCEPTION_PAYLOAD is off",
                    () -> guest.vcpu.setVcpuEvents(events));
            guest.vm.enableCap(Capability.EXCEPTION_PAYLOAD, 1);
            guest.vcpu.setVcpuEvents(events);
            guest.runToOut(0x80);
            assertThat(guest.vcpu.getOneReg(RegisterId.dr(6))).isEqualTo(0xFFFF4FF2L);
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.flags & VcpuEvents.VALID_PAYLOAD).isNotZero();
            events.exceptionPending = true;
            events.exceptionInjected = true;
            assertFails("KVM_SET_VCPU_EVENTS", Errno.EINVAL, "exception", () -> guest.vcpu.setVcpuEvents(events));
            assertFails(
                    "KVM_ENABLE_CAP",
                    Errno.EINVAL,
                    "EXCEPTION_PAYLOAD",
                    () -> guest.vm.enableCap(Capability.EXCEPTION_PAYLOAD, 2));
        }
    }

    @Test
    void aTripleFaultCanBeSetAsAnEvent() {
        try (Guest guest = Guest.realMode("90 f4")) {
            guest.vm.enableCap(Capability.X86_TRIPLE_FAULT_EVENT, 1);
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.flags & VcpuEvents.VALID_TRIPLE_FAULT).isNotZero();
            assertThat(events.tripleFaultPending).isFalse();
            events.tripleFaultPending = true;
            guest.vcpu.setVcpuEvents(events);
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.tripleFaultPending).isTrue();
            guest.runTo(ExitReason.SHUTDOWN);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void theNumbersOfVcpusCanBeLimited() {
        try (Kvm kvm = Kvm.open("emulator");
                Vm vm = kvm.createVm()) {
            vm.enableCap(Capability.MAX_VCPU_ID, 4);
            vm.enableCap(Capability.MAX_VCPU_ID, 4);
            assertFails("KVM_ENABLE_CAP", Errno.EINVAL, "MAX_VCPU_ID", () -> vm.enableCap(Capability.MAX_VCPU_ID, 5));
            vm.createVcpu(3);
            assertFails("KVM_CREATE_VCPU", Errno.EINVAL, "id=4", () -> vm.createVcpu(4));
        }
    }

    @Test
    void statisticsHaveNamesAndValues() {
        try (Guest guest = Guest.realMode("90 e6 80 e6 80 f4")) {
            guest.runToOut(0x80);
            guest.runToOut(0x80);
            guest.runTo(ExitReason.HLT);
            Stats stats = guest.vcpu.stats();
            assertThat(stats.id()).matches("softkvm-\\d+/vcpu-0");
            assertThat(stats).isSameAs(guest.vcpu.stats());
            long[] values = new long[stats.size()];
            stats.read(values);
            assertThat(value(stats, values, "exits")).isEqualTo(3);
            assertThat(value(stats, values, "io_exits")).isEqualTo(2);
            assertThat(value(stats, values, "instructions")).isEqualTo(4);
            assertThat(value(stats, values, "guest_mode")).isZero();
            List<StatDescriptor> descriptors = stats.descriptors();
            for (int i = 0; i < descriptors.size(); i++) {
                assertThat(descriptors.get(i).offset()).isEqualTo(i);
                assertThat(descriptors.get(i).name()).hasSizeLessThan(48);
            }
            Stats machine = guest.vm.stats();
            long[] numbers = new long[machine.size()];
            machine.read(numbers);
            assertThat(value(machine, numbers, "vcpus")).isEqualTo(1);
            assertThat(value(machine, numbers, "memory_slots")).isEqualTo(1);
        }
    }

    private static long value(Stats stats, long[] values, String name) {
        for (StatDescriptor descriptor : stats.descriptors()) {
            if (descriptor.name().equals(name)) {
                return values[descriptor.offset()];
            }
        }
        throw new AssertionError("no statistic " + name);
    }
}
