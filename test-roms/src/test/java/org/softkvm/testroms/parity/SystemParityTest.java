package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.testroms.parity.ParityGuest.CODE;
import static org.softkvm.testroms.parity.ParityGuest.DATA;
import static org.softkvm.testroms.parity.ParityGuest.DONE;
import static org.softkvm.testroms.parity.ParityGuest.HANDLER;
import static org.softkvm.testroms.parity.ParityGuest.STACK;

import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.MsrFilter;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.VcpuRun;
import org.softkvm.testroms.parity.ParityGuest.Irqchip;

/** System registers, valid and invalid, and limits. See {@link EveryBackend}. */
@Timeout(60)
class SystemParityTest {
    private static final String FAULT = """
                58  pop eax
                e7 f4  out 0xF4,eax
                f4  hlt
                """;

    private static final String FAULT64 = """
                58  pop rax
                e7 f4  out 0xF4,eax
                f4  hlt
                """;

    @EveryBackend
    void aReservedBitOfCr4IsAProtectionFault(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b8 00 00 00 80  mov eax,0x80000000
                0f 22 e0  mov cr4,eax
                e6 60  out 0x60,al
                f4  hlt
                """)) {
            guest.load(HANDLER, FAULT);
            assertThat(guest.out(DONE)).isZero();
            assertThat(guest.get32(STACK - 12)).as("EIP").isEqualTo(CODE + 5);
        }
    }

    @EveryBackend
    void aReservedBitOfCr3IsAProtectionFault(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                48 b8 00 00 01 00 00 00 00 40  mov rax,0x4000000000010000
                0f 22 d8  mov cr3,rax
                e6 60  out 0x60,al
                f4  hlt
                """)) {
            guest.load(HANDLER, FAULT64);
            assertThat(guest.out(DONE)).isZero();
        }
    }

    @EveryBackend
    void theTaskPriorityIsOnTheRunPage(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                44 0f 20 c3  mov rbx,cr8
                b8 09 00 00 00  mov eax,9
                44 0f 22 c0  mov cr8,rax
                e6 60  out 0x60,al
                44 0f 20 c1  mov rcx,cr8
                e6 f4  out 0xF4,al
                """)) {
            guest.run.setCr8(3);
            guest.out(0x60);
            assertThat(guest.regs().rbx).isEqualTo(3);
            assertThat(guest.run.cr8()).isEqualTo(9);
            guest.run.setCr8(5);
            guest.out(DONE);
            assertThat(guest.regs().rcx).isEqualTo(5);
        }
    }

    @EveryBackend
    void aDebugRegisterThatIsNotThereIsUndefined(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b8 08 00 00 00  mov eax,8
                0f 22 e0  mov cr4,eax
                0f 21 e0  mov eax,dr4
                e6 60  out 0x60,al
                f4  hlt
                """)) {
            guest.load(HANDLER, FAULT);
            assertThat(guest.out(DONE))
                    .as("EIP of the instruction: with CR4.DE there is no alias")
                    .isEqualTo(CODE + 8);
        }
    }

    @EveryBackend
    void bitsAboveTheDebugRegistersAreAProtectionFault(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                48 b8 00 04 00 00 01 00 00 00  mov rax,0x100000400
                0f 23 f8  mov dr7,rax
                e6 60  out 0x60,al
                f4  hlt
                """)) {
            guest.load(HANDLER, FAULT64);
            assertThat(guest.out(DONE)).isZero();
        }
    }

    @EveryBackend
    void anAddressInAnMsrHasToBeCanonical(Backend backend) {
        Probe.CANONICAL_MSR.need(backend);
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                b9 82 00 00 c0  mov ecx,0xC0000082
                b8 00 10 00 00  mov eax,0x1000
                ba 00 80 00 00  mov edx,0x00008000
                0f 30  wrmsr
                e6 60  out 0x60,al
                f4  hlt
                """)) {
            guest.load(HANDLER, FAULT64);
            assertThat(guest.out(DONE)).isZero();
            assertThat(guest.vcpu.getMsr(0xC0000082)).isZero();
        }
    }

    @EveryBackend
    void filteredMsrsExit(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b9 75 01 00 00  mov ecx,0x175
                0f 32  rdmsr
                89 c3  mov ebx,eax
                b8 77 00 00 00  mov eax,0x77
                0f 30  wrmsr
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.X86_USER_SPACE_MSR);
            guest.needs(Capability.X86_MSR_FILTER);
            guest.vm.enableCap(Capability.X86_USER_SPACE_MSR, VcpuRun.MSR_FILTER);
            guest.vm.setMsrFilter(new MsrFilter(
                    0, List.of(new MsrFilter.Range(MsrFilter.Range.READ | MsrFilter.Range.WRITE, 0x175, 1, new byte[] {0
                    }))));
            guest.to(ExitReason.X86_RDMSR);
            assertThat(guest.run.msrIndex()).isEqualTo(0x175);
            assertThat(guest.run.msrReason()).isEqualTo(VcpuRun.MSR_FILTER);
            guest.run.setMsrData(0x1_0000_4711L);
            guest.to(ExitReason.X86_WRMSR);
            assertThat(guest.run.msrData()).isEqualTo(0x1_0000_0077L);
            guest.out(DONE);
            assertThat(guest.regs().rbx).isEqualTo(0x4711);
            assertThat(guest.vcpu.getMsr(0x175)).as("nobody wrote it").isZero();
        }
    }

    @EveryBackend
    void cpuidAboveItsLimitIsItsHighestLeaf(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b8 02 00 00 00  mov eax,2
                31 c9  xor ecx,ecx
                0f a2  cpuid
                a3 00 30 00 00  mov [0x3000],eax
                89 1d 04 30 00 00  mov [0x3004],ebx
                b8 45 23 01 00  mov eax,0x12345
                31 c9  xor ecx,ecx
                0f a2  cpuid
                a3 08 30 00 00  mov [0x3008],eax
                89 1d 0c 30 00 00  mov [0x300C],ebx
                b8 00 00 00 80  mov eax,0x80000000
                0f a2  cpuid
                a3 10 30 00 00  mov [0x3010],eax
                b8 99 00 00 40  mov eax,0x40000099
                0f a2  cpuid
                89 0d 14 30 00 00  mov [0x3014],ecx
                e6 f4  out 0xF4,al
                """)) {
            // An Intel CPU of three leaves and two extended ones.
            guest.vcpu.setCpuid(List.of(
                    new CpuidEntry(0, 0, 0, 2, 0x756E_6547, 0x6C65_746E, 0x4965_6E69),
                    new CpuidEntry(1, 0, 0, 0x000A_0600, 0, 0, 0x0000_0021),
                    new CpuidEntry(2, 0, 0, 0x1122_3344, 0x5566_7788, 1, 2),
                    new CpuidEntry(0x8000_0000, 0, 0, 0x8000_0001, 0, 0, 0),
                    new CpuidEntry(0x8000_0001, 0, 0, 0, 0, 0, 0)));
            guest.out(DONE);
            assertThat(guest.get32(DATA)).isEqualTo(0x1122_3344);
            assertThat(guest.get32(DATA + 8)).isEqualTo(0x1122_3344);
            assertThat(guest.get32(DATA + 12)).isEqualTo(0x5566_7788);
            assertThat(guest.get32(DATA + 16)).isEqualTo(0x8000_0001);
        }
    }

    @EveryBackend
    void basesOfFsAndGsAreReadAndWrittenByInstructions(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                0f 20 e0  mov rax,cr4
                48 0d 00 00 01 00  or rax,0x10000
                0f 22 e0  mov cr4,rax
                f3 48 0f ae c3  rdfsbase rbx
                b8 00 30 00 00  mov rax,0x3000
                f3 48 0f ae d0  wrfsbase rax
                64 48 8b 0c 25 08 00 00 00  mov rcx,[fs:8]
                48 b8 00 10 00 00 00 80 ff ff  mov rax,0xFFFF800000001000
                f3 48 0f ae d8  wrgsbase rax
                f3 48 0f ae ca  rdgsbase rdx
                e6 f4  out 0xF4,al
                """)) {
            Sregs sregs = guest.sregs();
            sregs.fs.base = 0x1234_5678_9000L;
            guest.vcpu.setSregs(sregs);
            guest.put64(DATA + 8, 0x600D_F00D);
            guest.out(DONE);
            assertThat(guest.regs().rbx).isEqualTo(0x1234_5678_9000L);
            assertThat(guest.regs().rcx).isEqualTo(0x600D_F00DL);
            assertThat(guest.regs().rdx).isEqualTo(0xFFFF_8000_0000_1000L);
            assertThat(guest.sregs().fs.base).isEqualTo(0x3000);
            assertThat(guest.sregs().gs.base).isEqualTo(0xFFFF_8000_0000_1000L);
            assertThat(guest.vcpu.getMsr(0xC000_0101)).isEqualTo(0xFFFF_8000_0000_1000L);
        }
    }

    @EveryBackend
    void registersAreOnTheRunPage(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                48 ff c0  inc rax
                e6 60  out 0x60,al
                48 ff c0  inc rax
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.SYNC_REGS);
            guest.run.setValidRegs(VcpuRun.SYNC_REGS | VcpuRun.SYNC_SREGS);
            guest.out(0x60);
            assertThat(guest.run.syncRegs().rax).isEqualTo(1);
            assertThat(guest.run.syncRegs().rsp).isEqualTo(STACK);
            assertThat(guest.run.syncSregs().cr3).isEqualTo(ParityGuest.TABLES);
            guest.run.syncRegs().rax = 0x41;
            guest.run.setDirtyRegs(VcpuRun.SYNC_REGS);
            assertThat(guest.out(DONE)).isEqualTo(0x42);
        }
    }

    @EveryBackend
    void aSegmentLimitOfTheMonitorHolds(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                26 a1 fc 00 00 00  mov eax,[es:0xFC]
                26 a1 fd 00 00 00  mov eax,[es:0xFD]
                e6 60  out 0x60,al
                f4  hlt
                """)) {
            guest.load(HANDLER, FAULT);
            Sregs sregs = guest.sregs();
            sregs.es.base = DATA;
            sregs.es.limit = 0xFF;
            sregs.es.g = 0;
            guest.vcpu.setSregs(sregs);
            guest.put32(DATA + 0xFC, 0x1234);
            assertThat(guest.out(DONE)).isZero();
            assertThat(guest.get32(STACK - 12)).as("EIP").isEqualTo(CODE + 6);
        }
    }
}
