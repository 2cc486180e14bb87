package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.testroms.parity.ParityGuest.CODE;
import static org.softkvm.testroms.parity.ParityGuest.DATA;
import static org.softkvm.testroms.parity.ParityGuest.DONE;
import static org.softkvm.testroms.parity.ParityGuest.HANDLER;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.Sregs;
import org.softkvm.testroms.parity.ParityGuest.Irqchip;

/** Modes of the processor, and faults that end them. See {@link EveryBackend}. */
@Timeout(60)
class ModeParityTest {
    @EveryBackend
    void longModeIsEnteredByTheMonitor(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                48 b8 f0 de bc 9a 78 56 34 12  mov rax,0x123456789ABCDEF0
                48 c1 e8 20  shr rax,32
                48 89 04 25 00 30 00 00  mov [0x3000],rax
                e7 f4  out 0xF4,eax
                """)) {
            assertThat(guest.out(DONE)).isEqualTo(0x12345678);
            assertThat(guest.get32(DATA)).isEqualTo(0x12345678);
        }
    }

    @EveryBackend
    void longModeIsEnteredByTheGuest(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                0f 20 e0  mov eax,cr4
                83 c8 20  or eax,0x20
                0f 22 e0  mov cr4,eax
                b8 00 00 01 00  mov eax,0x10000
                0f 22 d8  mov cr3,eax
                b9 80 00 00 c0  mov ecx,0xC0000080
                0f 32  rdmsr
                0d 00 01 00 00  or eax,0x100
                0f 30  wrmsr
                0f 20 c0  mov eax,cr0
                0d 00 00 00 80  or eax,0x80000000
                0f 22 c0  mov cr0,eax
                ea 00 50 00 00 18 00  jmp 0x18:0x5000
                """)) {
            guest.pageTables();
            guest.load(0x5000, """
                48 b8 88 77 66 55 44 33 22 11  mov rax,0x1122334455667788
                48 c1 e8 28  shr rax,40
                e7 f4  out 0xF4,eax
                """);
            assertThat(guest.out(DONE)).isEqualTo(0x112233);
            assertThat(guest.sregs().efer & 0x500).isEqualTo(0x500);
            assertThat(guest.sregs().cs.l).isEqualTo(1);
        }
    }

    @EveryBackend
    void protectedModeIsEnteredByTheGuest(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                0f 01 16 00 30  lgdt [0x3000]
                0f 20 c0  mov eax,cr0
                0c 01  or al,1
                0f 22 c0  mov cr0,eax
                66 ea 00 50 00 00 08 00  jmp dword 0x08:0x5000
                """)) {
            guest.descriptors();
            guest.memory.set(ValueLayout.JAVA_SHORT, DATA, (short) 0x1F);
            guest.put32(DATA + 2, ParityGuest.GDT);
            guest.load(0x5000, """
                66 b8 10 00  mov ax,0x10
                8e d8  mov ds,ax
                a1 08 30 00 00  mov eax,[0x3008]
                e7 f4  out 0xF4,eax
                """);
            guest.put32(DATA + 8, 0x600DF00D);
            assertThat(guest.out(DONE)).isEqualTo(0x600DF00D);
        }
    }

    @EveryBackend
    void aTripleFaultShutsDown(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                0f 0b  ud2
                """)) {
            Sregs sregs = guest.sregs();
            sregs.idt.limit = 0;
            guest.vcpu.setSregs(sregs);
            guest.to(ExitReason.SHUTDOWN);
        }
    }

    @EveryBackend
    void aPageThatIsNotThereIsAFault(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                48 bb 00 00 00 00 80 00 00 00  mov rbx,0x8000000000
                c6 43 05 01  mov byte [rbx+5],1
                e6 60  out 0x60,al
                f4  hlt
                """)) {
            guest.load(HANDLER, """
                58  pop rax
                0f 20 d1  mov rcx,cr2
                e7 f4  out 0xF4,eax
                f4  hlt
                """);
            assertThat(guest.out(DONE))
                    .as("a write to a page that is not present")
                    .isEqualTo(2);
            assertThat(guest.regs().rcx).isEqualTo(0x80_0000_0005L);
        }
    }

    @EveryBackend
    void pagesOfTheGuestHaveAccessedAndDirtyBits(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                48 8b 04 25 00 00 40 00  mov rax,[0x400000]
                48 89 04 25 00 00 60 00  mov [0x600000],rax
                e6 f4  out 0xF4,al
                """)) {
            MemorySegment more = guest.vm.allocateMemory(0x400000);
            guest.vm.setMemorySlot(MemorySlot.of(1, 0x400000, more));
            guest.out(DONE);
            assertThat(guest.get32(ParityGuest.TABLES + 0x2000 + 2 * 8) & 0x60)
                    .as("read")
                    .isEqualTo(0x20);
            assertThat(guest.get32(ParityGuest.TABLES + 0x2000 + 3 * 8) & 0x60)
                    .as("written")
                    .isEqualTo(0x60);
            assertThat(guest.get32(ParityGuest.TABLES + 0x2000 + 4 * 8) & 0x60)
                    .as("neither")
                    .isZero();
        }
    }

    @EveryBackend
    void userCodeCallsTheSystem(Backend backend) {
        Probe.SYSCALL.need(backend);
        try (ParityGuest guest = ParityGuest.userMode(backend, """
                bb 34 12 00 00  mov ebx,0x1234
                0f 05  syscall
                ba 78 56 00 00  mov edx,0x5678
                0f 05  syscall
                """)) {
            guest.load(HANDLER, """
                e6 60  out 0x60,al
                48 0f 07  o64 sysret
                """);
            guest.out(0x60);
            assertThat(guest.regs().rbx).isEqualTo(0x1234);
            assertThat(guest.regs().rcx).as("RIP behind SYSCALL").isEqualTo(CODE + 7);
            assertThat(guest.sregs().cs.selector).isEqualTo(8);
            guest.out(0x60);
            assertThat(guest.regs().rdx).isEqualTo(0x5678);
        }
    }

    @EveryBackend
    void userCodeHasNoPorts(Backend backend) {
        try (ParityGuest guest = ParityGuest.userMode(backend, """
                bb 34 12 00 00  mov ebx,0x1234
                e4 60  in al,0x60
                """)) {
            // The stack is that of the TSS, whose I/O bitmap lies beyond its limit.
            guest.load(HANDLER, """
                58  pop rax
                48 8b 4c 24 08  mov rcx,[rsp+8]
                e7 f4  out 0xF4,eax
                f4  hlt
                """);
            guest.put64(0x7004, 0x6000);
            guest.put32(0x7064, 0x68_0000);
            assertThat(guest.out(DONE)).as("the error code").isZero();
            assertThat(guest.regs().rcx).as("CS").isEqualTo(0x33);
            assertThat(guest.regs().rsp).isEqualTo(0x6000 - 40);
        }
    }
}
