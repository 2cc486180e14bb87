package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.softkvm.testroms.parity.ParityGuest.CODE;
import static org.softkvm.testroms.parity.ParityGuest.DATA;
import static org.softkvm.testroms.parity.ParityGuest.DONE;
import static org.softkvm.testroms.parity.ParityGuest.HANDLER;
import static org.softkvm.testroms.parity.ParityGuest.HOLE;
import static org.softkvm.testroms.parity.ParityGuest.STACK;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.opentest4j.TestAbortedException;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ClockData;
import org.softkvm.kvm.CoalescedRing;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.EventFd;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.GuestDebug;
import org.softkvm.kvm.IoEventFd;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.LapicState;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.PicState;
import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.RegisterList;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.VcpuEvents;
import org.softkvm.kvm.VcpuRun;
import org.softkvm.testroms.parity.ParityGuest.Irqchip;

/**
 * The same guest programs on every backend: interpreter, translator, the emulator behind the binary ABI, and /dev/kvm
 * where the machine has one. What a machine's /dev/kvm cannot do is skipped with its category and its proof: an exit
 * that says that an instruction is missing, a capability that is 0, or a probe that failed.
 */
@Timeout(60)
class ParityTest {
    // ---- Ports

    @ParameterizedTest
    @EnumSource(Backend.class)
    void portWritesOfEachWidth(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                66 b8 ef cd ab 89  mov eax,0x89ABCDEF
                e6 60  out 0x60,al
                e7 60  out 0x60,ax
                66 e7 60  out 0x60,eax
                ba 34 12  mov dx,0x1234
                ee  out dx,al
                e6 f4  out 0xF4,al
                """)) {
            assertThat(guest.out(0x60)).isEqualTo(0xEF);
            assertThat(guest.run.ioSize()).isEqualTo(1);
            assertThat(guest.out(0x60)).isEqualTo(0xCDEF);
            assertThat(guest.run.ioSize()).isEqualTo(2);
            assertThat(guest.out(0x60)).isEqualTo(0x89ABCDEF);
            assertThat(guest.run.ioSize()).isEqualTo(4);
            assertThat(guest.out(0x1234)).isEqualTo(0xEF);
            assertThat(guest.run.ioCount()).isEqualTo(1);
            guest.out(DONE);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void portReadsKeepTheRestOfTheRegister(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                66 b8 ff ff ff ff  mov eax,-1
                e4 60  in al,0x60
                66 89 c3  mov ebx,eax
                e5 60  in ax,0x60
                66 89 c1  mov ecx,eax
                66 e5 60  in eax,0x60
                66 e7 f4  out 0xF4,eax
                """)) {
            for (int value : new int[] {0x12, 0x3456, 0x789ABCDE}) {
                guest.to(ExitReason.IO);
                assertThat(guest.run.ioDirection()).isEqualTo(VcpuRun.IO_IN);
                guest.run.setIoValue(0, value);
            }
            assertThat(guest.out(DONE)).isEqualTo(0x789ABCDE);
            assertThat(guest.regs().rbx).isEqualTo(0xFFFF_FF12L);
            assertThat(guest.regs().rcx).isEqualTo(0xFFFF_3456L);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void stringsOfPortWritesArriveInOrder(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                fc  cld
                be 00 30  mov si,0x3000
                b9 28 00  mov cx,40
                ba 60 00  mov dx,0x60
                f3 6e  rep outsb
                e6 f4  out 0xF4,al
                """)) {
            for (int i = 0; i < 40; i++) {
                guest.memory.set(ValueLayout.JAVA_BYTE, DATA + i, (byte) (i * 3));
            }
            List<Integer> written = new ArrayList<>();
            while (written.size() < 40) {
                guest.to(ExitReason.IO);
                assertThat(guest.run.ioPort()).isEqualTo(0x60);
                for (int i = 0; i < guest.run.ioCount(); i++) {
                    written.add(guest.run.ioValue(i));
                }
            }
            for (int i = 0; i < 40; i++) {
                assertThat(written.get(i)).isEqualTo(i * 3);
            }
            guest.out(DONE);
            assertThat(guest.regs().rcx & 0xFFFF).isZero();
            assertThat(guest.regs().rsi & 0xFFFF).isEqualTo(DATA + 40);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void stringsOfPortReadsReachMemory(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                fc  cld
                bf 00 30  mov di,0x3000
                b9 09 00  mov cx,9
                ba 60 00  mov dx,0x60
                f3 6d  rep insw
                e6 f4  out 0xF4,al
                """)) {
            int next = 0;
            while (next < 9) {
                guest.to(ExitReason.IO);
                assertThat(guest.run.ioDirection()).isEqualTo(VcpuRun.IO_IN);
                assertThat(guest.run.ioSize()).isEqualTo(2);
                for (int i = 0; i < guest.run.ioCount(); i++) {
                    guest.run.setIoValue(i, 0x100 + next++);
                }
            }
            guest.out(DONE);
            for (int i = 0; i < 9; i++) {
                assertThat(guest.get32(DATA + i * 2) & 0xFFFF).isEqualTo(0x100 + i);
            }
            assertThat(guest.regs().rdi & 0xFFFF).isEqualTo(DATA + 18);
        }
    }

    // ---- Memory

    @ParameterizedTest
    @EnumSource(Backend.class)
    void accessesWithoutMemoryExit(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c7 05 10 00 00 d0 44 33 22 11  mov dword [0xD0000010],0x11223344
                66 c7 05 20 00 00 d0 66 55  mov word [0xD0000020],0x5566
                8b 1d 30 00 00 d0  mov ebx,[0xD0000030]
                0f b6 0d 40 00 00 d0  movzx ecx,byte [0xD0000040]
                e6 f4  out 0xF4,al
                """)) {
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isTrue();
            assertThat(guest.run.mmioAddress()).isEqualTo(Integer.toUnsignedLong(HOLE) + 0x10);
            assertThat(guest.run.mmioLength()).isEqualTo(4);
            assertThat(guest.run.mmioData()).isEqualTo(0x11223344);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioLength()).isEqualTo(2);
            assertThat(guest.run.mmioData()).isEqualTo(0x5566);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isFalse();
            guest.run.setMmioData(0xCAFEBABEL);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioLength()).isEqualTo(1);
            guest.run.setMmioData(0x99);
            guest.out(DONE);
            assertThat(guest.regs().rbx).isEqualTo(0xCAFEBABEL);
            assertThat(guest.regs().rcx).isEqualTo(0x99);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void anAccessAcrossTheEndOfMemoryIsMadeOfItsParts(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c7 05 fe ff 0f 00 11 22 33 44  mov dword [0xFFFFE],0x44332211
                8b 1d fe ff 0f 00  mov ebx,[0xFFFFE]
                e6 f4  out 0xF4,al
                """)) {
            // In how many parts is left to the backend.
            int written = 0;
            for (int done = 0; done < 2; done += guest.run.mmioLength()) {
                guest.to(ExitReason.MMIO);
                assertThat(guest.run.mmioIsWrite()).isTrue();
                assertThat(guest.run.mmioAddress()).isEqualTo(0x100000 + done);
                written |= (int) guest.run.mmioData() << 8 * done;
            }
            assertThat(written).isEqualTo(0x4433);
            for (int done = 0; done < 2; done += guest.run.mmioLength()) {
                guest.to(ExitReason.MMIO);
                assertThat(guest.run.mmioIsWrite()).isFalse();
                assertThat(guest.run.mmioAddress()).isEqualTo(0x100000 + done);
                guest.run.setMmioData(0x8877 >> 8 * done);
            }
            guest.out(DONE);
            assertThat(guest.get32(0xFFFFC) >>> 16).isEqualTo(0x2211);
            assertThat(guest.regs().rbx).isEqualTo(0x88772211L);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void readOnlyMemoryIsReadAndItsWritesExit(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                8b 1d 00 00 20 00  mov ebx,[0x200000]
                c7 05 04 00 20 00 07 00 00 00  mov dword [0x200004],7
                8b 0d 04 00 20 00  mov ecx,[0x200004]
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.READONLY_MEM);
            MemorySegment rom = guest.vm.allocateMemory(0x1000);
            rom.set(ValueLayout.JAVA_INT, 0, 0x12345678);
            rom.set(ValueLayout.JAVA_INT, 4, 0x5A5A5A5A);
            guest.vm.setMemorySlot(new MemorySlot(1, 0, 0x200000, rom, MemorySlot.READONLY));
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioIsWrite()).isTrue();
            assertThat(guest.run.mmioAddress()).isEqualTo(0x200004);
            assertThat(guest.run.mmioData()).isEqualTo(7);
            guest.out(DONE);
            assertThat(guest.regs().rbx).isEqualTo(0x12345678);
            assertThat(guest.regs().rcx).isEqualTo(0x5A5A5A5A);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void codeWithoutMemoryCannotBeExecuted(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b8 00 00 00 d0  mov eax,0xD0000000
                ff e0  jmp eax
                """)) {
            int reason = guest.vcpu.run();
            // The kernel may try to fetch by MMIO first.
            while (reason == ExitReason.MMIO && !guest.run.mmioIsWrite()) {
                reason = guest.vcpu.run();
            }
            assertThat(ExitReason.name(reason)).isEqualTo("INTERNAL_ERROR");
            assertThat(guest.run.internalErrorSuberror()).isEqualTo(ExitReason.INTERNAL_ERROR_EMULATION);
            assertThat(guest.regs().rip).isEqualTo(0xD000_0000L);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void aSlotThatIsDeletedBecomesMmio(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                8b 1d 00 00 20 00  mov ebx,[0x200000]
                e6 60  out 0x60,al
                8b 0d 00 00 20 00  mov ecx,[0x200000]
                e6 f4  out 0xF4,al
                """)) {
            MemorySegment more = guest.vm.allocateMemory(0x1000);
            more.set(ValueLayout.JAVA_INT, 0, 0x1111);
            guest.vm.setMemorySlot(MemorySlot.of(1, 0x200000, more));
            guest.out(0x60);
            assertThat(guest.regs().rbx).isEqualTo(0x1111);
            guest.vm.deleteMemorySlot(0, 1);
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioAddress()).isEqualTo(0x200000);
            guest.run.setMmioData(0x2222);
            guest.out(DONE);
            assertThat(guest.regs().rcx).isEqualTo(0x2222);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void aSlotCanMove(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                8b 1d 00 00 20 00  mov ebx,[0x200000]
                e6 60  out 0x60,al
                8b 0d 00 00 30 00  mov ecx,[0x300000]
                e6 f4  out 0xF4,al
                """)) {
            MemorySegment more = guest.vm.allocateMemory(0x1000);
            more.set(ValueLayout.JAVA_INT, 0, 0x3333);
            guest.vm.setMemorySlot(MemorySlot.of(1, 0x200000, more));
            guest.out(0x60);
            guest.vm.setMemorySlot(MemorySlot.of(1, 0x300000, more));
            guest.out(DONE);
            assertThat(guest.regs().rbx).isEqualTo(0x3333);
            assertThat(guest.regs().rcx).isEqualTo(0x3333);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void slotsAreReplacedUnderARunningGuest(Backend backend) throws InterruptedException {
        // The word read is 1 or 2, whatever slot lies there; 0 or an exit would be neither list.
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                a1 00 00 20 00  mov eax,[0x200000]
                80 3d 00 30 00 00 00  cmp byte [0x3000],0
                75 06  jne end
                48  dec eax
                83 f8 01  cmp eax,1
                76 ec  jbe again
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.needs(Capability.SOFTKVM_REPLACE_MEMORY_SLOTS);
            List<MemorySlot> first = guest.vm.memorySlots();
            List<List<MemorySlot>> lists = new ArrayList<>();
            for (int i = 1; i <= 2; i++) {
                MemorySegment page = guest.vm.allocateMemory(0x1000);
                page.set(ValueLayout.JAVA_INT, 0, i);
                lists.add(List.of(first.getFirst(), MemorySlot.of(1, 0x200000, page)));
            }
            guest.vm.replaceMemorySlots(lists.get(0));
            int[] reason = new int[1];
            Thread thread = Thread.ofPlatform().start(() -> reason[0] = guest.vcpu.run());
            for (int i = 0; i < 30; i++) {
                guest.vm.replaceMemorySlots(lists.get(i & 1));
                Thread.sleep(1);
            }
            assertThat(thread.isAlive())
                    .as("the guest saw a list that there never was")
                    .isTrue();
            guest.memory.set(ValueLayout.JAVA_BYTE, DATA, (byte) 1);
            guest.vm.memoryWritten(DATA, 1);
            thread.join();
            assertThat(ExitReason.name(reason[0])).isEqualTo("IO");
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void writtenPagesAreInTheDirtyLog(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c6 05 00 10 20 00 01  mov byte [0x201000],1
                c7 05 fe 2f 20 00 02 00 00 00  mov dword [0x202FFE],2
                a1 00 50 20 00  mov eax,[0x205000]
                e6 f4  out 0xF4,al
                """)) {
            MemorySegment more = guest.vm.allocateMemory(0x8000);
            guest.vm.setMemorySlot(new MemorySlot(1, 0, 0x200000, more, MemorySlot.LOG_DIRTY_PAGES));
            guest.out(DONE);
            byte[] bitmap = new byte[8];
            guest.vm.getDirtyLog(0, 1, MemorySegment.ofArray(bitmap));
            assertThat(bitmap[0]).isEqualTo((byte) 0b1110);
            guest.vm.getDirtyLog(0, 1, MemorySegment.ofArray(bitmap));
            assertThat(bitmap[0]).as("reading it cleared it").isZero();
            guest.vm.dmaWrite(0x207000, MemorySegment.ofArray(new byte[] {1}));
            guest.vm.getDirtyLog(0, 1, MemorySegment.ofArray(bitmap));
            assertThat(bitmap[0]).as("a device's write").isEqualTo((byte) 0x80);
        }
    }

    // ---- Registers

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    // ---- Modes

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    @ParameterizedTest
    @EnumSource(Backend.class)
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

    // ---- Interrupts

    @ParameterizedTest
    @EnumSource(Backend.class)
    void aQueuedInterruptIsDelivered(Backend backend) {
        Probe.INTERRUPT.need(backend);
        try (ParityGuest guest = ParityGuest.real(backend, """
                fb  sti
                90  nop
                90  nop
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.vector(0x20, HANDLER);
            guest.load(HANDLER, """
                b0 77  mov al,0x77
                e6 61  out 0x61,al
                cf  iret
                """);
            Regs regs = guest.regs();
            regs.rflags |= 0x200;
            guest.vcpu.setRegs(regs);
            guest.vcpu.interrupt(0x20);
            assertThat(guest.out(0x61)).isEqualTo(0x77);
            assertThat(guest.get32(STACK - 6) & 0xFFFF).as("IP").isEqualTo(CODE);
            assertThat(guest.out(DONE)).isEqualTo(0x77);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void theWindowOpensWhenTheGuestAllowsInterrupts(Backend backend) {
        Probe.WINDOW.need(backend);
        try (ParityGuest guest = ParityGuest.real(backend, """
                e6 60  out 0x60,al
                90  nop
                fb  sti
                90  nop
                90  nop
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.vector(0x21, HANDLER);
            guest.load(HANDLER, """
                b0 21  mov al,0x21
                e6 61  out 0x61,al
                cf  iret
                """);
            guest.out(0x60);
            assertThat(guest.run.readyForInterruptInjection()).isFalse();
            assertThat(guest.run.ifFlag()).isFalse();
            guest.run.setRequestInterruptWindow(true);
            guest.to(ExitReason.IRQ_WINDOW_OPEN);
            assertThat(guest.run.readyForInterruptInjection()).isTrue();
            assertThat(guest.run.ifFlag()).isTrue();
            guest.run.setRequestInterruptWindow(false);
            guest.vcpu.interrupt(0x21);
            assertThat(guest.out(0x61)).isEqualTo(0x21);
            guest.out(DONE);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void noWindowOpensWhileInterruptsAreOff(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                fa  cli
                90  nop
                90  nop
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.run.setRequestInterruptWindow(true);
            guest.out(DONE);
            assertThat(guest.run.readyForInterruptInjection()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void anInjectedExceptionIsDelivered(Backend backend) {
        Probe.EXCEPTION.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                90  nop
                e6 60  out 0x60,al
                f4  hlt
                """)) {
            guest.needs(Capability.VCPU_EVENTS);
            guest.load(HANDLER, """
                58  pop eax
                e7 f4  out 0xF4,eax
                f4  hlt
                """);
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            events.exceptionInjected = true;
            events.exceptionNr = 13;
            events.exceptionHasErrorCode = true;
            events.exceptionErrorCode = 0x48;
            guest.vcpu.setVcpuEvents(events);
            assertThat(guest.out(DONE)).isEqualTo(0x48);
            assertThat(guest.get32(STACK - 12)).as("EIP").isEqualTo(CODE);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void anUndefinedInstructionIsHandledByTheGuest(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                0f 0b  ud2
                """)) {
            guest.load(HANDLER, """
                58  pop eax
                e7 f4  out 0xF4,eax
                f4  hlt
                """);
            assertThat(guest.out(DONE)).as("EIP of the instruction").isEqualTo(CODE);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void aSoftwareInterruptComesBack(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                cd 30  int 0x30
                b4 01  mov ah,1
                e7 f4  out 0xF4,ax
                f4  hlt
                """)) {
            guest.vector(0x30, HANDLER);
            guest.load(HANDLER, """
                b0 30  mov al,0x30
                cf  iret
                """);
            assertThat(guest.out(DONE)).isEqualTo(0x130);
            assertThat(guest.regs().rsp).isEqualTo(STACK);
        }
    }

    // ---- HLT, and what ends a run from outside

    @ParameterizedTest
    @EnumSource(Backend.class)
    void haltExitsWithoutALocalApic(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                f4  hlt
                90  nop
                f4  hlt
                """)) {
            guest.to(ExitReason.HLT);
            assertThat(guest.regs().rip).isEqualTo(CODE + 1);
            guest.to(ExitReason.HLT);
            assertThat(guest.regs().rip).isEqualTo(CODE + 3);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void haltWaitsWithALocalApicUntilItIsKicked(Backend backend) throws InterruptedException {
        try (ParityGuest guest = ParityGuest.real(backend, Irqchip.SPLIT, """
                fa  cli
                f4  hlt
                e6 f4  out 0xF4,al
                """)) {
            int[] reason = new int[1];
            Thread thread = Thread.ofPlatform().start(() -> reason[0] = guest.vcpu.run());
            Thread.sleep(50);
            guest.vcpu.kick();
            thread.join();
            assertThat(ExitReason.name(reason[0])).isEqualTo("INTR");
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void aKickEndsALoop(Backend backend) throws InterruptedException {
        try (ParityGuest guest = ParityGuest.real(backend, """
                43  inc bx
                eb fd  jmp again
                """)) {
            int[] reason = new int[1];
            Thread thread = Thread.ofPlatform().start(() -> reason[0] = guest.vcpu.run());
            Thread.sleep(20);
            guest.vcpu.kick();
            thread.join();
            assertThat(ExitReason.name(reason[0])).isEqualTo("INTR");
            assertThat(guest.regs().rip).isBetween((long) CODE, CODE + 2L);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void immediateExitFinishesTheOpenAccessOnly(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                e4 60  in al,0x60
                b3 01  mov bl,1
                e6 f4  out 0xF4,al
                """)) {
            guest.to(ExitReason.IO);
            guest.run.setIoValue(0, 0x5A);
            guest.run.setImmediateExit(true);
            guest.to(ExitReason.INTR);
            assertThat(guest.regs().rax & 0xFF).isEqualTo(0x5A);
            assertThat(guest.regs().rip).isEqualTo(CODE + 2);
            assertThat(guest.regs().rbx).isZero();
            guest.run.setImmediateExit(false);
            assertThat(guest.out(DONE)).isEqualTo(0x5A);
        }
    }

    // ---- Debugging

    @ParameterizedTest
    @EnumSource(Backend.class)
    void singleStepsExit(Backend backend) {
        Probe.SINGLE_STEP.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                90  nop
                43  inc ebx
                90  nop
                e6 f4  out 0xF4,al
                """)) {
            GuestDebug debug = new GuestDebug();
            debug.control = GuestDebug.ENABLE | GuestDebug.SINGLESTEP;
            guest.vcpu.setGuestDebug(debug);
            for (int i = 1; i <= 2; i++) {
                guest.to(ExitReason.DEBUG);
                assertThat(guest.run.debugPc()).isEqualTo(CODE + i);
            }
            guest.vcpu.setGuestDebug(new GuestDebug());
            guest.out(DONE);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void aHardwareBreakpointExits(Backend backend) {
        Probe.HARDWARE_BREAKPOINT.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                90  nop
                90  nop
                43  inc ebx
                e6 f4  out 0xF4,al
                """)) {
            GuestDebug debug = new GuestDebug();
            debug.control = GuestDebug.ENABLE | GuestDebug.USE_HW_BP;
            debug.debugreg[0] = CODE + 2;
            debug.debugreg[7] = 0x402;
            guest.vcpu.setGuestDebug(debug);
            guest.to(ExitReason.DEBUG);
            assertThat(guest.run.debugPc()).isEqualTo(CODE + 2);
            assertThat(guest.regs().rbx).isZero();
        }
    }

    // ---- x87, MMX, SSE and their area

    @ParameterizedTest
    @EnumSource(Backend.class)
    void x87KeepsItsStackAcrossExits(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                db e3  fninit
                d9 e8  fld1
                d9 eb  fldpi
                e6 60  out 0x60,al
                de c1  faddp
                db 1d 00 30 00 00  fistp dword [0x3000]
                e6 f4  out 0xF4,al
                """)) {
            guest.out(0x60);
            guest.out(DONE);
            assertThat(guest.get32(DATA)).isEqualTo(4);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void sseKeepsItsRegistersAcrossExits(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                0f 20 e0  mov rax,cr4
                48 0d 00 06 00 00  or rax,0x600
                0f 22 e0  mov cr4,rax
                0f 10 3c 25 00 30 00 00  movups xmm7,[0x3000]
                e6 60  out 0x60,al
                0f 11 3c 25 10 30 00 00  movups [0x3010],xmm7
                e6 f4  out 0xF4,al
                """)) {
            guest.put64(DATA, 0x1111_2222_3333_4444L);
            guest.put64(DATA + 8, 0x5555_6666_7777_8888L);
            guest.out(0x60);
            guest.out(DONE);
            assertThat(guest.get32(DATA + 16)).isEqualTo(0x3333_4444);
            assertThat(guest.get32(DATA + 28)).isEqualTo(0x5555_6666);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void mmxKeepsItsRegistersAcrossExits(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                0f 6f 1d 00 30 00 00  movq mm3,[0x3000]
                e6 60  out 0x60,al
                0f 7f 1d 08 30 00 00  movq [0x3008],mm3
                0f 77  emms
                e6 f4  out 0xF4,al
                """)) {
            guest.put64(DATA, 0x0102_0304_0506_0708L);
            guest.out(0x60);
            guest.out(DONE);
            assertThat(guest.get32(DATA + 8)).isEqualTo(0x0506_0708);
            assertThat(guest.get32(DATA + 12)).isEqualTo(0x0102_0304);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void vectorRegistersAreWrittenFromOutside(Backend backend) {
        try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                0f 20 e0  mov rax,cr4
                48 0d 00 06 00 00  or rax,0x600
                0f 22 e0  mov cr4,rax
                0f 11 2c 25 00 30 00 00  movups [0x3000],xmm5
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.SOFTKVM_WHOLE_STATE_REGS);
            guest.vcpu.setOneReg(RegisterId.xmm(5, 0), 0x1234_5678_9ABC_DEF0L);
            guest.vcpu.setOneReg(RegisterId.xmm(5, 1), 0x0FED_CBA9_8765_4321L);
            assertThat(guest.vcpu.getOneReg(RegisterId.xmm(5, 1))).isEqualTo(0x0FED_CBA9_8765_4321L);
            guest.out(DONE);
            assertThat(guest.get32(DATA)).isEqualTo(0x9ABC_DEF0);
            assertThat(guest.get32(DATA + 12)).isEqualTo(0x0FED_CBA9);
        }
    }

    // ---- Interrupt controllers, clock and eventfds

    @ParameterizedTest
    @EnumSource(Backend.class)
    void aMessageInterruptsAHaltedProcessor(Backend backend) {
        Probe.LOCAL_APIC.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.SPLIT, """
                c7 05 f0 00 e0 fe ff 01 00 00  mov dword [0xFEE000F0],0x1FF
                e6 60  out 0x60,al
                fb  sti
                f4  hlt
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.load(HANDLER, """
                b0 55  mov al,0x55
                c7 05 b0 00 e0 fe 00 00 00 00  mov dword [0xFEE000B0],0
                cf  iretd
                """);
            guest.out(0x60);
            guest.vm.signalMsi(0xFEE0_0000L, 0x41);
            assertThat(guest.out(DONE)).isEqualTo(0x55);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void theEndOfALevelTriggeredInterruptExits(Backend backend) {
        Probe.LOCAL_APIC.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.SPLIT, """
                c7 05 f0 00 e0 fe ff 01 00 00  mov dword [0xFEE000F0],0x1FF
                e6 60  out 0x60,al
                fb  sti
                90  nop
                90  nop
                90  nop
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.load(HANDLER, """
                c7 05 b0 00 e0 fe 00 00 00 00  mov dword [0xFEE000B0],0
                cf  iretd
                """);
            guest.vm.setGsiRouting(List.of(new IrqRoute.Msi(5, 0xFEE0_0000L, 0x8041)));
            guest.out(0x60);
            guest.vm.signalMsi(0xFEE0_0000L, 0xC041);
            guest.to(ExitReason.IOAPIC_EOI);
            assertThat(guest.run.eoiVector()).isEqualTo(0x41);
            guest.out(DONE);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void theInterruptControllersOfTheBackendAreReadAndWritten(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, Irqchip.FULL, """
                b0 11  mov al,0x11
                e6 20  out 0x20,al
                b0 40  mov al,0x40
                e6 21  out 0x21,al
                b0 04  mov al,4
                e6 21  out 0x21,al
                b0 01  mov al,1
                e6 21  out 0x21,al
                b0 fe  mov al,0xFE
                e6 21  out 0x21,al
                e6 f4  out 0xF4,al
                """)) {
            guest.out(DONE);
            PicState pic = new PicState();
            guest.vm.getPic(IrqRoute.IRQCHIP_PIC_MASTER, pic);
            assertThat(pic.irqBase).isEqualTo(0x40);
            assertThat(pic.imr).isEqualTo(0xFE);
            pic.imr = 0x7F;
            guest.vm.setPic(IrqRoute.IRQCHIP_PIC_MASTER, pic);
            guest.vm.getPic(IrqRoute.IRQCHIP_PIC_MASTER, pic);
            assertThat(pic.imr).isEqualTo(0x7F);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void aLineInterruptsThroughTheControllersOfTheBackend(Backend backend) {
        Probe.INTERRUPT.need(backend);
        Probe.LOCAL_APIC.need(backend);
        try (ParityGuest guest = ParityGuest.real(backend, Irqchip.FULL, """
                b0 11  mov al,0x11
                e6 20  out 0x20,al
                b0 40  mov al,0x40
                e6 21  out 0x21,al
                b0 04  mov al,4
                e6 21  out 0x21,al
                b0 01  mov al,1
                e6 21  out 0x21,al
                b0 df  mov al,0xDF
                e6 21  out 0x21,al
                e6 60  out 0x60,al
                fb  sti
                f4  hlt
                e6 f4  out 0xF4,al
                """)) {
            guest.vector(0x45, HANDLER);
            guest.load(HANDLER, """
                b0 20  mov al,0x20
                e6 20  out 0x20,al
                b0 45  mov al,0x45
                cf  iret
                """);
            guest.out(0x60);
            guest.vm.irqLine(5, true);
            assertThat(guest.out(DONE)).isEqualTo(0x45);
            guest.vm.irqLine(5, false);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void theTimeOfTheClockGoesOn(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b9 01 4d 56 4b  mov ecx,0x4B564D01
                b8 01 30 00 00  mov eax,0x3001
                31 d2  xor edx,edx
                0f 30  wrmsr
                e6 f4  out 0xF4,al
                """)) {
            guest.out(DONE);
            // An even version above 0, a multiplier, and a time in nanoseconds.
            guest.run.setImmediateExit(true);
            guest.to(ExitReason.INTR);
            guest.run.setImmediateExit(false);
            ClockData clock = new ClockData();
            guest.vm.getClock(clock);
            long first = clock.clock;
            guest.vm.getClock(clock);
            assertThat(clock.clock).isGreaterThanOrEqualTo(first);
            assertThat(guest.vcpu.getMsr(0x4B564D01)).isEqualTo(0x3001);
            clock.clock = 1L << 50;
            clock.flags = 0;
            guest.vm.setClock(clock);
            guest.vm.getClock(clock);
            assertThat(clock.clock).isBetween(1L << 50, (1L << 50) + 60_000_000_000L);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void aWriteSignalsAnEventFd(Backend backend) throws InterruptedException {
        try (ParityGuest guest = ParityGuest.real(backend, """
                b0 03  mov al,3
                e6 60  out 0x60,al
                b0 04  mov al,4
                e6 60  out 0x60,al
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.IOEVENTFD);
            EventFd event = new EventFd();
            guest.vm.assignIoEventFd(IoEventFd.pio(event, 0x60, 1).matching(3));
            assertThat(guest.out(0x60)).as("another value").isEqualTo(4);
            assertThat(event.await(10, TimeUnit.SECONDS)).isEqualTo(1);
            guest.out(DONE);
            assertThat(event.count()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void anEventFdRaisesAnInterrupt(Backend backend) {
        Probe.LOCAL_APIC.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.SPLIT, """
                c7 05 f0 00 e0 fe ff 01 00 00  mov dword [0xFEE000F0],0x1FF
                e6 60  out 0x60,al
                fb  sti
                f4  hlt
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.needs(Capability.IRQFD);
            guest.load(HANDLER, """
                b0 66  mov al,0x66
                c7 05 b0 00 e0 fe 00 00 00 00  mov dword [0xFEE000B0],0
                cf  iretd
                """);
            guest.vm.setGsiRouting(List.of(new IrqRoute.Msi(30, 0xFEE0_0000L, 0x42)));
            EventFd event = new EventFd();
            guest.vm.assignIrqFd(event, 30);
            guest.out(0x60);
            event.signal();
            assertThat(guest.out(DONE)).isEqualTo(0x66);
        }
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void coalescedWritesWaitInTheRing(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c7 05 00 00 00 d0 11 00 00 00  mov dword [0xD0000000],0x11
                c7 05 04 00 00 d0 22 00 00 00  mov dword [0xD0000004],0x22
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.COALESCED_MMIO);
            guest.vm.registerCoalesced(Integer.toUnsignedLong(HOLE), 0x100, false);
            guest.out(DONE);
            CoalescedRing ring = guest.vm.coalescedRing();
            for (int i = 1; i <= 2; i++) {
                assertThat(ring.next()).isTrue();
                assertThat(ring.address()).isEqualTo(Integer.toUnsignedLong(HOLE) + (i - 1) * 4);
                assertThat(ring.data()).isEqualTo(i * 0x11);
                ring.done();
            }
            assertThat(ring.next()).isFalse();
        }
    }

    // ---- Errors

    @ParameterizedTest
    @EnumSource(Backend.class)
    void wrongUseGetsTheSameErrors(Backend backend) {
        try (ParityGuest guest = ParityGuest.real(backend, """
                f4  hlt
                """)) {
            assertThat(error(() -> guest.vm.createVcpu(0))).isEqualTo("EEXIST");
            assertThat(error(() -> guest.vm.createVcpu(1 << 20))).isEqualTo("EINVAL");
            assertThat(error(() -> guest.vm.deleteMemorySlot(0, 7))).isEqualTo("EINVAL");
            assertThat(error(() -> guest.vm.setMemorySlot(MemorySlot.of(3, 0x1000, guest.memory))))
                    .isEqualTo("EEXIST");
            assertThat(error(() -> guest.vm.setMemorySlot(MemorySlot.of(3, 0x20_0001, guest.memory))))
                    .isEqualTo("EINVAL");
            assertThat(error(() -> guest.vcpu.getLapic(new LapicState()))).isEqualTo("EINVAL");
            assertThat(error(() -> guest.vm.signalMsi(0xFEE0_0000L, 0x41))).isEqualTo("EINVAL");
            assertThat(error(() -> guest.vcpu.interrupt(256))).isEqualTo("EINVAL");
            assertThat(error(() -> guest.vcpu.getMsr(0x1234_5678))).isEqualTo("EINVAL");
        }
    }

    private static String error(ThrowingCallable call) {
        KvmException e = catchThrowableOfType(KvmException.class, call);
        return e == null ? "none" : e.errno().name();
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    void theProbesPassOnTheEmulator(Backend backend) {
        for (Probe probe : Probe.values()) {
            String proof = probe.failure(backend);
            if (backend == Backend.DEV_KVM && proof != null) {
                throw new TestAbortedException("/dev/kvm: " + proof);
            }
            assertThat(proof).isNull();
        }
    }
}
