package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.testroms.parity.ParityGuest.CODE;
import static org.softkvm.testroms.parity.ParityGuest.DATA;
import static org.softkvm.testroms.parity.ParityGuest.DONE;
import static org.softkvm.testroms.parity.ParityGuest.HANDLER;
import static org.softkvm.testroms.parity.ParityGuest.STACK;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.RegisterList;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.testroms.parity.ParityGuest.Irqchip;

/** Registers from inside and outside. See {@link EveryBackend}. */
@Timeout(60)
class RegisterParityTest {
    @EveryBackend
    void generalRegistersGoInAndOut(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                48 01 d8  add rax,rbx
                4d 01 f8  add r8,r15
                48 8d 74 cf 05  lea rsi,[rdi+rcx*8+5]
                49 87 d1  xchg rdx,r9
                e6 f4  out 0xF4,al
                """)) {
            Regs regs = guest.regs();
            regs.rax = 0x1000_0000_0000L;
            regs.rbx = 0x234;
            regs.r8 = -1;
            regs.r15 = 3;
            regs.rdi = 0x100;
            regs.rcx = 0x20;
            regs.rdx = 0xD;
            regs.r9 = 0x9;
            guest.vcpu.setRegs(regs);
            guest.out(DONE);
            regs = guest.regs();
            assertThat(regs.rax).isEqualTo(0x1000_0000_0234L);
            assertThat(regs.r8).isEqualTo(2);
            assertThat(regs.rsi).isEqualTo(0x205);
            assertThat(regs.rdx).isEqualTo(9);
            assertThat(regs.r9).isEqualTo(0xD);
            assertThat(regs.rip).isGreaterThan(CODE);
        }
    }

    @EveryBackend
    void flagsGoInAndOut(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                9c  pushf
                58  pop ax
                89 c3  mov bx,ax
                b0 7f  mov al,0x7F
                fe c0  inc al
                e6 f4  out 0xF4,al
                """)) {
            Regs regs = guest.regs();
            regs.rflags = 0x0CD7;
            guest.vcpu.setRegs(regs);
            guest.out(DONE);
            assertThat(guest.regs().rbx & 0xFFFF).isEqualTo(0x0CD7);
            // INC: overflow, sign and adjust set, zero and parity clear, carry kept.
            assertThat(guest.regs().rflags & 0x8D5).isEqualTo(0x891);
        }
    }

    @EveryBackend
    void segmentBasesOfTheMonitorHold(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                26 a1 04 00  mov ax,[es:4]
                64 8b 1e 04 00  mov bx,[fs:4]
                e7 f4  out 0xF4,ax
                """)) {
            Sregs sregs = guest.sregs();
            sregs.es.base = 0x3000;
            sregs.es.selector = 0x1234;
            sregs.fs.base = 0x3100;
            guest.vcpu.setSregs(sregs);
            guest.put32(DATA + 4, 0xAAAA);
            guest.put32(DATA + 0x104, 0xBBBB);
            assertThat(guest.out(DONE)).isEqualTo(0xAAAA);
            assertThat(guest.regs().rbx & 0xFFFF).isEqualTo(0xBBBB);
            assertThat(guest.sregs().es.selector).isEqualTo(0x1234);
        }
    }

    @EveryBackend
    void controlRegistersAreReadAndWritten(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                0f 20 c0  mov rax,cr0
                0f 20 db  mov rbx,cr3
                0f 20 e1  mov rcx,cr4
                48 ba 89 67 45 23 01 00 00 00  mov rdx,0x123456789
                0f 22 d2  mov cr2,rdx
                48 83 c8 20  or rax,0x20
                0f 22 c0  mov cr0,rax
                0f 20 c6  mov rsi,cr0
                e6 f4  out 0xF4,al
                """)) {
            Sregs before = guest.sregs();
            guest.out(DONE);
            Regs regs = guest.regs();
            assertThat(regs.rbx).isEqualTo(before.cr3);
            assertThat(regs.rcx).isEqualTo(before.cr4);
            assertThat(regs.rsi & 0x20).isEqualTo(0x20);
            assertThat(guest.sregs().cr2).isEqualTo(0x1_2345_6789L);
            assertThat(guest.sregs().cr0 & 0x20).isEqualTo(0x20);
        }
    }

    @EveryBackend
    void aBadControlRegisterIsAProtectionFault(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                0f 20 c0  mov eax,cr0
                83 e0 fe  and eax,-2
                0d 00 00 00 80  or eax,0x80000000
                0f 22 c0  mov cr0,eax
                e6 60  out 0x60,al
                f4  hlt
                """)) {
            guest.load(HANDLER, """
                58  pop eax
                e7 f4  out 0xF4,eax
                f4  hlt
                """);
            assertThat(guest.out(DONE)).as("the error code").isZero();
            assertThat(guest.regs().rsp).isEqualTo(STACK - 12);
        }
    }

    @EveryBackend
    void debugRegistersAreReadAndWritten(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b8 78 56 34 12  mov eax,0x12345678
                0f 23 c0  mov dr0,eax
                b8 f0 de bc 9a  mov eax,0x9ABCDEF0
                0f 23 d8  mov dr3,eax
                0f 21 c3  mov ebx,dr0
                0f 21 d9  mov ecx,dr3
                0f 21 fa  mov edx,dr7
                0f 21 f6  mov esi,dr6
                e6 f4  out 0xF4,al
                """)) {
            guest.out(DONE);
            Regs regs = guest.regs();
            assertThat(regs.rbx).isEqualTo(0x12345678);
            assertThat(regs.rcx).isEqualTo(0x9ABCDEF0L);
            assertThat(regs.rdx).isEqualTo(0x400);
            assertThat(regs.rsi & 0xFFFF_0FF0L).isEqualTo(0xFFFF_0FF0L);
        }
    }

    @EveryBackend
    void modelSpecificRegistersAreReadAndWritten(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b9 75 01 00 00  mov ecx,0x175
                0f 32  rdmsr
                89 c3  mov ebx,eax
                b8 00 90 00 00  mov eax,0x9000
                31 d2  xor edx,edx
                0f 30  wrmsr
                b9 82 00 00 c0  mov ecx,0xC0000082
                0f 32  rdmsr
                89 c6  mov esi,eax
                89 d7  mov edi,edx
                e6 f4  out 0xF4,al
                """)) {
            guest.vcpu.setMsr(0x175, 0x4711);
            guest.vcpu.setMsr(0xC0000082, 0xFFFF_8000_1234_5678L);
            guest.out(DONE);
            assertThat(guest.regs().rbx).isEqualTo(0x4711);
            assertThat(guest.vcpu.getMsr(0x175)).isEqualTo(0x9000);
            assertThat(guest.regs().rsi).isEqualTo(0x12345678);
            assertThat(guest.regs().rdi).isEqualTo(0xFFFF_8000L);
        }
    }

    @EveryBackend
    void anUnknownMsrIsAProtectionFault(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b9 78 56 34 12  mov ecx,0x12345678
                0f 32  rdmsr
                e6 60  out 0x60,al
                f4  hlt
                """)) {
            guest.load(HANDLER, """
                58  pop eax
                e7 f4  out 0xF4,eax
                f4  hlt
                """);
            assertThat(guest.out(DONE)).isZero();
        }
    }

    @EveryBackend
    void xsetbvTakesWhatThereIs(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                0f 20 e0  mov eax,cr4
                0d 00 00 04 00  or eax,0x40000
                0f 22 e0  mov cr4,eax
                31 c9  xor ecx,ecx
                31 d2  xor edx,edx
                b8 03 00 00 00  mov eax,3
                0f 01 d1  xsetbv
                0f 01 d0  xgetbv
                e6 60  out 0x60,al
                b8 02 00 00 00  mov eax,2
                0f 01 d1  xsetbv
                e6 61  out 0x61,al
                f4  hlt
                """)) {
            guest.needs(Capability.XCRS);
            guest.load(HANDLER, """
                58  pop eax
                e7 f4  out 0xF4,eax
                f4  hlt
                """);
            assertThat(guest.out(0x60)).isEqualTo(3);
            assertThat(guest.out(DONE)).as("SSE without x87").isZero();
        }
    }

    @EveryBackend
    void cpuidAnswersWhatTheMonitorSet(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                66 b8 00 00 00 40  mov eax,0x40000000
                0f a2  cpuid
                66 a3 00 30  mov [0x3000],eax
                66 89 1e 04 30  mov [0x3004],ebx
                66 b8 07 00 00 00  mov eax,7
                66 b9 55 00 00 00  mov ecx,0x55
                0f a2  cpuid
                66 89 1e 08 30  mov [0x3008],ebx
                66 31 c0  xor eax,eax
                0f a2  cpuid
                66 a3 0c 30  mov [0x300C],eax
                e6 f4  out 0xF4,al
                """)) {
            List<CpuidEntry> entries = new ArrayList<>();
            for (CpuidEntry entry : guest.kvm.supportedCpuid()) {
                if (entry.function() != 0x4000_0000) {
                    entries.add(entry);
                }
            }
            entries.add(new CpuidEntry(0x4000_0000, 0, 0, 0x4000_0001, 0x6F66_7442, 1, 2));
            guest.vcpu.setCpuid(entries);
            guest.out(DONE);
            assertThat(guest.get32(DATA)).isEqualTo(0x4000_0001);
            assertThat(guest.get32(DATA + 4)).isEqualTo(0x6F66_7442);
            assertThat(guest.get32(DATA + 8)).as("a sub-leaf that there is not").isZero();
            int highest = entries.stream()
                    .filter(entry -> entry.function() == 0)
                    .findFirst()
                    .orElseThrow()
                    .eax();
            assertThat(guest.get32(DATA + 12)).isEqualTo(highest);
        }
    }

    @EveryBackend
    void theStateIsTakenFromOneVcpuToAnother(Backend backend) {
        try (ParityGuest from = ParityGuest.longMode(backend, Irqchip.NONE, """
                48 ff c3  inc rbx
                e6 60  out 0x60,al
                48 ff c3  inc rbx
                e6 f4  out 0xF4,al
                """);
                ParityGuest to = ParityGuest.real(backend, """
                f4  hlt
                """)) {
            from.needs(Capability.SOFTKVM_MANY_REG);
            from.out(0x60);
            // Everything but memory goes over as one list.
            RegisterList list = new RegisterList(from.vcpu.registerList());
            // Finishes the write of port 60h, so that nothing is open.
            from.run.setImmediateExit(true);
            from.to(ExitReason.INTR);
            assertThat(from.vcpu.getManyRegs(list)).isEqualTo(list.size());
            MemorySegment.copy(from.memory, 0, to.memory, 0, ParityGuest.SIZE);
            to.vm.memoryWritten(0, ParityGuest.SIZE);
            assertThat(to.vcpu.setManyRegs(list)).isEqualTo(list.size());
            to.out(DONE);
            assertThat(to.regs().rbx).isEqualTo(2);
            assertThat(to.sregs().efer & 0x400).isEqualTo(0x400);
        }
    }
}
