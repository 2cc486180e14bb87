package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@Timeout(60)
@ExtendWith(BinaryAbi.class)
class VmTest {
    private static final long SEND_INIT = 0x4500;
    private static final long SEND_STARTUP = 0x4600;
    private static final long ALL_BUT_SELF = 3 << 18;

    @Test
    void vcpuNumbersAreCheckedAndUnique() {
        try (Kvm kvm = Guest.open();
                Vm vm = kvm.createVm()) {
            int limit = vm.checkExtension(Capability.MAX_VCPU_ID);
            assertThat(vm.createVcpu(0).id()).isZero();
            assertThat(vm.createVcpu(limit - 1).id()).isEqualTo(limit - 1);
            assertFails("KVM_CREATE_VCPU", Errno.EEXIST, "id=0", () -> vm.createVcpu(0));
            assertFails("KVM_CREATE_VCPU", Errno.EINVAL, "id=" + limit, () -> vm.createVcpu(limit));
            assertFails("KVM_CREATE_VCPU", Errno.EINVAL, "id=-1", () -> vm.createVcpu(-1));
        }
    }

    @Test
    void addressesForRealModeAreChecked() {
        try (Kvm kvm = Guest.open();
                Vm vm = kvm.createVm()) {
            vm.setTssAddr(0xFFFB_D000L);
            assertFails("KVM_SET_TSS_ADDR", Errno.EINVAL, "0xffffe000", () -> vm.setTssAddr(0xFFFF_E000L));
            vm.setIdentityMapAddr(0xFFFB_C000L);
            vm.setBootCpuId(1);
            assertFails("KVM_SET_BOOT_CPU_ID", Errno.EINVAL, "id=4096", () -> vm.setBootCpuId(4096));
            vm.createVcpu(0);
            assertFails("KVM_SET_IDENTITY_MAP_ADDR", Errno.EINVAL, "vcpus", () -> vm.setIdentityMapAddr(0));
            assertFails("KVM_SET_BOOT_CPU_ID", Errno.EBUSY, "vcpus", () -> vm.setBootCpuId(0));
        }
    }

    @Test
    void theBootProcessorRunsAndTheOthersWait() {
        try (Kvm kvm = Guest.open();
                Vm vm = kvm.createVm()) {
            vm.enableCap(Capability.SPLIT_IRQCHIP, 24);
            vm.setBootCpuId(1);
            Vcpu first = vm.createVcpu(0);
            Vcpu boot = vm.createVcpu(1);
            assertThat(first.mpState()).isEqualTo(MpState.UNINITIALIZED);
            assertThat(boot.mpState()).isEqualTo(MpState.RUNNABLE);
            assertThat(first.getMsr(0x1B)).isEqualTo(0xFEE0_0800L);
            assertThat(boot.getMsr(0x1B)).isEqualTo(0xFEE0_0900L);
            first.kick();
            assertThat(first.run()).isEqualTo(ExitReason.INTR);
            assertThat(first.mpState()).isEqualTo(MpState.UNINITIALIZED);
        }
    }

    @Test
    void initAndStartUpMessagesStartAnotherVcpu() throws InterruptedException {
        try (Guest guest = Guest.protectedMode(true, """
                b8 00 03 e0 fe           mov eax, fee00300h
                c7 00 00 45 0c 00        mov dword [eax], 0c4500h (INIT, all but self)
                c7 00 02 46 0c 00        mov dword [eax], 0c4602h (start-up at 2000h, all but self)
                e6 10                    out 10h, al
                """)) {
            assertThat(SEND_INIT | ALL_BUT_SELF).isEqualTo(0xC4500);
            assertThat(SEND_STARTUP | ALL_BUT_SELF).isEqualTo(0xC4600);
            Vcpu other = guest.vm.createVcpu(1);
            other.setCpuid(guest.kvm.supportedCpuid());
            guest.load(0x2000, """
                8c c8  mov ax, cs
                e7 11  out 11h, ax
                """);
            int[] reason = new int[1];
            Thread thread = Thread.ofPlatform().start(() -> reason[0] = other.run());
            guest.runToOut(0x10);
            thread.join();
            assertThat(ExitReason.name(reason[0])).isEqualTo("IO");
            assertThat(other.runState().ioPort()).isEqualTo(0x11);
            assertThat(other.runState().ioValue(0)).isEqualTo(0x200);
            assertThat(other.mpState()).isEqualTo(MpState.RUNNABLE);
        }
    }

    @Test
    void initAndStartUpAreSeenByAVcpuThatDoesNotRun() {
        try (Guest guest = Guest.protectedMode(true, """
                b8 00 03 e0 fe           mov eax, fee00300h
                c7 00 00 45 0c 00        mov dword [eax], 0c4500h
                e6 10                    out 10h, al
                c7 00 02 46 0c 00        mov dword [eax], 0c4602h
                e6 11                    out 11h, al
                """)) {
            Vcpu other = guest.vm.createVcpu(1);
            guest.runToOut(0x10);
            assertThat(other.mpState()).isEqualTo(MpState.INIT_RECEIVED);
            guest.runToOut(0x11);
            assertThat(other.mpState()).isEqualTo(MpState.RUNNABLE);
            Sregs sregs = new Sregs();
            other.getSregs(sregs);
            assertThat(sregs.cs.selector).isEqualTo(0x200);
            assertThat(sregs.cs.base).isEqualTo(0x2000);
        }
    }

    @Test
    void aVcpuCanBePutWhereItWaitsForAndGetsItsStartUpMessage() {
        try (Guest guest = Guest.realModeSplit("f4")) {
            guest.load(0x3000, "e6 10");
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            events.flags = VcpuEvents.VALID_SIPI_VECTOR;
            events.sipiVector = 3;
            guest.vcpu.setVcpuEvents(events);
            guest.vcpu.setMpState(MpState.INIT_RECEIVED);
            assertThat(guest.vcpu.mpState()).isEqualTo(MpState.INIT_RECEIVED);
            guest.vcpu.setMpState(MpState.SIPI_RECEIVED);
            guest.runToOut(0x10);
            assertThat(guest.sregs().cs.base).isEqualTo(0x3000);
        }
    }

    @Test
    void instructionsCanBeLimitedExactly() {
        try (Guest guest = Guest.realMode("""
                40     inc ax
                43     inc bx
                eb fc  jmp -4
                """)) {
            guest.vcpu.setInstructionLimit(1000);
            guest.runTo(ExitReason.SOFTKVM_INSTRUCTION_LIMIT);
            Regs regs = guest.regs();
            assertThat(regs.rax & 0xFFFF).isEqualTo(334);
            assertThat(regs.rbx & 0xFFFF).isEqualTo(333);
            assertThat(regs.rip).isEqualTo(Guest.CODE + 1);
            guest.runTo(ExitReason.SOFTKVM_INSTRUCTION_LIMIT);
            guest.vcpu.setInstructionLimit(2);
            guest.runTo(ExitReason.SOFTKVM_INSTRUCTION_LIMIT);
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE);
            guest.vcpu.setInstructionLimit(-1);
            guest.vcpu.kick();
            guest.runTo(ExitReason.INTR);
        }
    }

    @Test
    void iterationsOfStringInstructionsAreInstructions() {
        try (Guest guest = Guest.realMode("""
                b9 64 00  mov cx, 100
                bf 00 20  mov di, 2000h
                f3 aa     rep stosb
                be 00 20  mov si, 2000h
                b9 00 00  mov cx, 0
                f3 a6     rep cmpsb
                f4        hlt
                """)) {
            guest.vcpu.setInstructionLimit(2 + 30);
            guest.runTo(ExitReason.SOFTKVM_INSTRUCTION_LIMIT);
            assertThat(guest.regs().rcx).isEqualTo(70);
            assertThat(guest.regs().rip).isEqualTo(Guest.CODE + 6);
            guest.vcpu.setInstructionLimit(1000);
            guest.runTo(ExitReason.HLT);
            VcpuStatistics statistics = new VcpuStatistics();
            guest.vcpu.statistics(statistics);
            assertThat(statistics.instructions).isEqualTo(2 + 100 + 2 + 1 + 1);
        }
    }

    @Test
    void vcpusStartWithTheFrequencyOfTheVm() {
        try (Kvm kvm = Kvm.open("emulator");
                Vm vm = kvm.createVm()) {
            assertThat(vm.checkExtension(Capability.VM_TSC_CONTROL)).isEqualTo(1);
            assertThat(vm.tscKhz()).isEqualTo(1_000_000);
            assertFails("KVM_SET_TSC_KHZ", Errno.EINVAL, "tsc_khz=5", () -> vm.setTscKhz(5));
            vm.setTscKhz(2_500_000);
            assertThat(vm.tscKhz()).isEqualTo(2_500_000);
            assertThat(vm.createVcpu(0).tscKhz()).isEqualTo(2_500_000);
            assertFails("KVM_SET_TSC_KHZ", Errno.EINVAL, "vcpus", () -> vm.setTscKhz(0));
        }
    }
}
