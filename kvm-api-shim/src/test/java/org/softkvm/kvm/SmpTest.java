package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two vcpus on two threads. */
@Timeout(120)
@ExtendWith(BinaryAbi.class)
class SmpTest {
    private static final int ROUNDS = 1000;
    private static final int IDT = 0x4000;
    private static final int COUNTER = 0x6000;
    private static final int HALT_LOOP = 0x2000;

    /** Each vcpu wakes from HLT by the other's interrupt and sends one back; no wake-up may be lost. */
    @Test
    void interruptsGoBackAndForthBetweenHaltedVcpus() throws InterruptedException {
        try (Guest guest = Guest.protectedMode(true, """
                89 2d 10 03 e0 fe              mov [fee00310h], ebp
                c7 05 00 03 e0 fe 40 00 00 00  mov dword [fee00300h], 40h
                fb                             sti
                f4                             hlt
                eb fd                          jmp -3
                """)) {
            guest.load(HALT_LOOP, "fb f4 eb fd");
            guest.load(0x3000, """
                ff 05 00 60 00 00              inc dword [6000h]
                81 3d 00 60 00 00 e8 03 00 00  cmp dword [6000h], 1000
                73 1b                          jae +27
                c7 05 b0 00 e0 fe 00 00 00 00  mov dword [fee000b0h], 0
                89 2d 10 03 e0 fe              mov [fee00310h], ebp
                c7 05 00 03 e0 fe 40 00 00 00  mov dword [fee00300h], 40h
                cf                             iret
                e6 10                          out 10h, al
                """);
            guest.poke32(IDT + 0x40 * 8, 0x0008_3000);
            guest.poke32(IDT + 0x40 * 8 + 4, 0x0000_8E00);
            Vcpu other = guest.vm.createVcpu(1);
            other.setCpuid(guest.kvm.supportedCpuid());
            Sregs sregs = guest.sregs();
            sregs.idt.base = IDT;
            sregs.idt.limit = 0x7FF;
            guest.vcpu.setSregs(sregs);
            sregs.apicBase &= ~0x100L;
            other.setSregs(sregs);
            other.setMpState(MpState.RUNNABLE);
            Regs regs = guest.regs();
            regs.rbp = 1 << 24;
            guest.vcpu.setRegs(regs);
            regs.rbp = 0;
            regs.rip = HALT_LOOP;
            regs.rsp = 0x7000;
            other.setRegs(regs);
            LapicState lapic = new LapicState();
            for (Vcpu vcpu : List.of(guest.vcpu, other)) {
                vcpu.getLapic(lapic);
                lapic.set(0xF0, 0x1FF);
                vcpu.setLapic(lapic);
            }
            Thread second = Thread.ofPlatform().start(() -> {
                other.run();
                guest.vcpu.kick();
            });
            guest.vcpu.run();
            other.kick();
            second.join();
            assertThat(guest.peek32(COUNTER)).isEqualTo(ROUNDS);
            assertThat(List.of(guest.run.exitReason(), other.runState().exitReason()))
                    .contains(ExitReason.IO);
        }
    }

    @Test
    void closingAVmEndsTheRunsUnderWay() throws InterruptedException {
        Kvm kvm = Guest.open();
        Vm vm = kvm.createVm();
        vm.enableCap(Capability.SPLIT_IRQCHIP, 24);
        Vcpu waiting = vm.createVcpu(1);
        Thread thread = Thread.ofPlatform().start(waiting::run);
        while (thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        vm.close();
        thread.join();
        assertThat(waiting.runState().exitReason()).isEqualTo(ExitReason.INTR);
        kvm.close();
    }
}
