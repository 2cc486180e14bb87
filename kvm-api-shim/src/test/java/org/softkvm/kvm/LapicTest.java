package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@Timeout(60)
@ExtendWith(BinaryAbi.class)
class LapicTest {
    private static final int HANDLER = 0x3000;
    private static final int IDT = 0x4000;
    private static final int APIC_ID = 0x20;
    private static final int TPR = 0x80;
    private static final int SVR = 0xF0;
    private static final int LVT_LINT0 = 0x350;
    private static final long MSI_ADDRESS = 0xFEE0_0000L;
    private static final int LEVEL = 1 << 15;

    /** Long mode, local APIC enabled, interrupts allowed, then HLT again and again. */
    private static Guest halting() {
        return guest("""
                fb     sti
                f4     hlt
                eb fd  jmp -3
                """);
    }

    /** The handler of vectors 40h to 4Fh ends the interrupt at the APIC's page and writes AL to port 20h. */
    private static Guest guest(String program) {
        Guest guest = Guest.longMode(true, program);
        guest.load(HANDLER, """
                50                       push rax
                b8 b0 00 e0 fe           mov eax, fee000b0h
                c7 00 00 00 00 00        mov dword [rax], 0
                58                       pop rax
                e6 20                    out 20h, al
                48 cf                    iretq
                """);
        for (int vector = 0x40; vector < 0x50; vector++) {
            guest.longModeGate(IDT, vector, HANDLER);
        }
        Sregs sregs = guest.sregs();
        sregs.idt.base = IDT;
        sregs.idt.limit = 0xFFF;
        guest.vcpu.setSregs(sregs);
        LapicState lapic = new LapicState();
        guest.vcpu.getLapic(lapic);
        lapic.set(SVR, 0x1FF);
        guest.vcpu.setLapic(lapic);
        return guest;
    }

    @Test
    void thePowerOnStateIsThatOfTheBootProcessor() {
        try (Guest guest = Guest.realModeSplit("f4")) {
            LapicState lapic = new LapicState();
            guest.vcpu.getLapic(lapic);
            assertThat(lapic.get(APIC_ID)).isZero();
            assertThat(lapic.get(SVR)).isEqualTo(0xFF);
            assertThat(lapic.get(TPR)).isZero();
            assertThat(lapic.get(LVT_LINT0)).as("virtual wire mode").isEqualTo(0x700);
            assertThat(guest.vcpu.getMsr(0x1B)).isEqualTo(0xFEE0_0900L);
            assertThat(guest.sregs().apicBase).isEqualTo(0xFEE0_0900L);
        }
    }

    @Test
    void theStateCanBeWrittenAndReadBack() {
        try (Guest guest = Guest.realModeSplit("f4")) {
            LapicState lapic = new LapicState();
            guest.vcpu.getLapic(lapic);
            lapic.set(TPR, 0x30);
            lapic.set(SVR, 0x1EF);
            lapic.set(0x320, 0x10031);
            lapic.set(0x280, 0);
            guest.vcpu.setLapic(lapic);
            LapicState back = new LapicState();
            guest.vcpu.getLapic(back);
            for (int offset : new int[] {APIC_ID, 0x30, TPR, SVR, 0x320, LVT_LINT0, 0xD0, 0xE0}) {
                assertThat(back.get(offset))
                        .as("offset 0x" + Integer.toHexString(offset))
                        .isEqualTo(lapic.get(offset));
            }
            assertThat(guest.sregs().cr8).isEqualTo(3);
        }
    }

    @Test
    void aMessageInterruptsTheGuest() {
        try (Guest guest = halting()) {
            assertThat(guest.vm.signalMsi(MSI_ADDRESS, 0x41)).isEqualTo(1);
            guest.runToOut(0x20);
            assertThat(guest.vm.signalMsi(MSI_ADDRESS | 7 << 12, 0x41))
                    .as("nobody has id 7")
                    .isNotPositive();
            assertThat(guest.vm.signalMsi(MSI_ADDRESS, 0x42)).isEqualTo(1);
            guest.runToOut(0x20);
        }
    }

    @Test
    void aMessageFromAnotherThreadEndsHalt() throws InterruptedException {
        try (Guest guest = halting()) {
            for (int i = 0; i < 20; i++) {
                Thread other = Thread.ofPlatform().start(() -> guest.vm.signalMsi(MSI_ADDRESS, 0x45));
                guest.runToOut(0x20);
                other.join();
            }
        }
    }

    @Test
    void messagesEndALoopToo() throws InterruptedException {
        try (Guest guest = guest("fb eb fe")) {
            Thread other = Thread.ofPlatform().start(() -> {
                try {
                    Thread.sleep(20);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                guest.vm.signalMsi(MSI_ADDRESS, 0x45);
            });
            guest.runToOut(0x20);
            other.join();
        }
    }

    /**
     * The timer runs for 20 ms of host time. Where the machine is so busy that the guest comes to its HLT later, the
     * interrupt is there already and nothing waits: then it is tried again.
     */
    @Test
    void theTimerOfTheApicInterruptsHalt() {
        VcpuStatistics statistics = new VcpuStatistics();
        for (int tries = 0; tries < 50 && statistics.halts == 0; tries++) {
            try (Guest guest = guest("""
                    b8 20 03 e0 fe           mov eax, fee00320h
                    c7 00 46 00 00 00        mov dword [rax], 46h
                    b8 e0 03 e0 fe           mov eax, fee003e0h
                    c7 00 0b 00 00 00        mov dword [rax], 0bh
                    b8 80 03 e0 fe           mov eax, fee00380h
                    c7 00 00 2d 31 01        mov dword [rax], 20000000
                    fb                       sti
                    f4                       hlt
                    eb fd                    jmp -3
                    """)) {
                guest.runToOut(0x20);
                guest.vcpu.statistics(statistics);
                assertThat(statistics.interrupts).isEqualTo(1);
            }
        }
        assertThat(statistics.halts).isPositive();
    }

    @Test
    void theTscDeadlineTimerInterruptsALoop() {
        try (Guest guest = guest("""
                b8 20 03 e0 fe           mov eax, fee00320h
                c7 00 46 00 04 00        mov dword [rax], 40046h
                0f 31                    rdtsc
                05 00 00 10 00           add eax, 100000h
                83 d2 00                 adc edx, 0
                b9 e0 06 00 00           mov ecx, 6e0h
                0f 30                    wrmsr
                fb                       sti
                eb fe                    jmp $
                """)) {
            guest.runToOut(0x20);
        }
    }

    /** The deadline is an hour away until the guest sets its counter past it. */
    @Test
    void theTscDeadlineFollowsTheCounter() {
        try (Guest guest = guest("""
                b8 20 03 e0 fe           mov eax, fee00320h
                c7 00 46 00 04 00        mov dword [rax], 40046h
                b9 e0 06 00 00           mov ecx, 6e0h
                31 c0                    xor eax, eax
                ba 46 03 00 00           mov edx, 346h
                0f 30                    wrmsr
                b9 10 00 00 00           mov ecx, 10h
                ba 47 03 00 00           mov edx, 347h
                0f 30                    wrmsr
                fb                       sti
                eb fe                    jmp $
                """)) {
            guest.runToOut(0x20);
        }
    }

    @Test
    void aSelfIpiIsTaken() {
        try (Guest guest = guest("""
                fb                       sti
                b8 00 03 e0 fe           mov eax, fee00300h
                c7 00 47 00 04 00        mov dword [rax], 40047h (self, fixed)
                90                       nop
                f4                       hlt
                """)) {
            guest.runToOut(0x20);
        }
    }

    @Test
    void theTaskPriorityHoldsInterruptsBack() {
        try (Guest guest = guest("""
                fb                       sti
                b8 05 00 00 00           mov eax, 5
                44 0f 22 c0              mov cr8, rax
                e6 10                    out 10h, al
                90                       nop
                e6 11                    out 11h, al
                31 c0                    xor eax, eax
                44 0f 22 c0              mov cr8, rax
                90                       nop
                e6 12                    out 12h, al
                """)) {
            guest.runToOut(0x10);
            guest.vm.signalMsi(MSI_ADDRESS, 0x41);
            guest.runToOut(0x11);
            guest.runToOut(0x20);
            guest.runToOut(0x12);
        }
    }

    @Test
    void theEndOfALevelInterruptOfTheIoapicOutsideExits() {
        try (Guest guest = halting()) {
            guest.vm.setGsiRouting(
                    List.of(new IrqRoute.Msi(4, MSI_ADDRESS, 0x41), new IrqRoute.Msi(9, MSI_ADDRESS, LEVEL | 0x42)));
            guest.vm.signalMsi(MSI_ADDRESS, LEVEL | 0x42);
            guest.runTo(ExitReason.IOAPIC_EOI);
            assertThat(guest.run.eoiVector()).isEqualTo(0x42);
            guest.runToOut(0x20);
            guest.vm.signalMsi(MSI_ADDRESS, 0x41);
            guest.runToOut(0x20);
            guest.vm.setGsiRouting(List.of());
            guest.vm.signalMsi(MSI_ADDRESS, 0x42);
            guest.runToOut(0x20);
        }
    }

    @Test
    void theEndOfAnInterruptThatWasRoutedWhenItCameExits() {
        try (Guest guest = halting()) {
            guest.vm.setGsiRouting(List.of(new IrqRoute.Msi(9, MSI_ADDRESS, LEVEL | 0x42)));
            guest.vm.signalMsi(MSI_ADDRESS, LEVEL | 0x42);
            guest.vm.setGsiRouting(List.of(new IrqRoute.Msi(9, MSI_ADDRESS, LEVEL | 0x43)));
            guest.runTo(ExitReason.IOAPIC_EOI);
            assertThat(guest.run.eoiVector()).isEqualTo(0x42);
        }
    }

    @Test
    void anIrqLineGoesByItsRoute() {
        try (Guest guest = halting()) {
            assertThat(guest.vm.irqLine(30, true)).as("no route").isEqualTo(-1);
            guest.vm.setGsiRouting(List.of(new IrqRoute.Msi(30, MSI_ADDRESS, 0x44)));
            assertThat(guest.vm.irqLine(30, true)).isEqualTo(1);
            guest.runToOut(0x20);
            assertThat(guest.vm.irqLine(30, false)).isEqualTo(-1);
        }
    }

    @Test
    void theX2apicModeWorksThroughMsrs() {
        try (Guest guest = guest("""
                b9 1b 00 00 00           mov ecx, 1bh
                0f 32                    rdmsr
                0d 00 0c 00 00           or eax, 0c00h
                0f 30                    wrmsr
                fb                       sti
                b9 3f 08 00 00           mov ecx, 83fh
                b8 48 00 00 00           mov eax, 48h
                31 d2                    xor edx, edx
                0f 30                    wrmsr
                90                       nop
                f4                       hlt
                """)) {
            // The handler of this vector ends the interrupt through the MSR.
            guest.longModeGate(IDT, 0x48, 0x3800);
            guest.load(0x3800, """
                b9 0b 08 00 00           mov ecx, 80bh
                31 c0                    xor eax, eax
                31 d2                    xor edx, edx
                0f 30                    wrmsr
                e6 20                    out 20h, al
                48 cf                    iretq
                """);
            guest.runToOut(0x20);
            assertThat(guest.vcpu.getMsr(0x802)).isZero();
        }
    }

    @Test
    void withoutALocalApicItsCallsFail() {
        try (Guest guest = Guest.realMode("f4")) {
            LapicState lapic = new LapicState();
            assertFails("KVM_GET_LAPIC", Errno.EINVAL, "vcpu 0", () -> guest.vcpu.getLapic(lapic));
            assertFails("KVM_SET_LAPIC", Errno.EINVAL, "vcpu 0", () -> guest.vcpu.setLapic(lapic));
            assertFails("KVM_SIGNAL_MSI", Errno.EINVAL, "irqchip", () -> guest.vm.signalMsi(MSI_ADDRESS, 0x41));
            assertFails("KVM_IRQ_LINE", Errno.ENXIO, "irqchip", () -> guest.vm.irqLine(1, true));
            assertFails("KVM_SET_GSI_ROUTING", Errno.EINVAL, "irqchip", () -> guest.vm.setGsiRouting(List.of()));
        }
    }

    @Test
    void wrongRoutesAreRefused() {
        try (Guest guest = halting()) {
            String call = "KVM_SET_GSI_ROUTING";
            Vm vm = guest.vm;
            assertFails(call, Errno.EINVAL, "gsi=4096", () -> vm.setGsiRouting(List.of(new IrqRoute.Msi(4096, 0, 0))));
            assertFails(call, Errno.EINVAL, "gsi=-1", () -> vm.setGsiRouting(List.of(new IrqRoute.Msi(-1, 0, 0))));
            assertFails(
                    call,
                    Errno.EINVAL,
                    "irqchip=2",
                    () -> vm.setGsiRouting(List.of(new IrqRoute.Irqchip(1, IrqRoute.IRQCHIP_IOAPIC, 1))));
            assertFails(
                    call,
                    Errno.EINVAL,
                    "twice",
                    () -> vm.setGsiRouting(
                            List.of(new IrqRoute.Msi(3, MSI_ADDRESS, 0x41), new IrqRoute.Msi(3, MSI_ADDRESS, 0x42))));
        }
    }

    @Test
    void irqchipsAreChosenOnceAndBeforeTheVcpus() {
        try (Kvm kvm = Guest.open();
                Vm vm = kvm.createVm()) {
            assertThat(vm.checkExtension(Capability.IRQCHIP)).isEqualTo(1);
            assertFails("KVM_ENABLE_CAP", Errno.EINVAL, "4097", () -> vm.enableCap(Capability.SPLIT_IRQCHIP, 4097));
            assertFails("KVM_ENABLE_CAP", Errno.EINVAL, "USER_MEMORY", () -> vm.enableCap(Capability.USER_MEMORY));
            vm.enableCap(Capability.SPLIT_IRQCHIP, 24);
            assertFails("KVM_ENABLE_CAP", Errno.EEXIST, "irqchip", () -> vm.enableCap(Capability.SPLIT_IRQCHIP, 24));
            assertFails("KVM_CREATE_IRQCHIP", Errno.EEXIST, "irqchip", vm::createIrqchip);
        }
        try (Kvm kvm = Guest.open();
                Vm vm = kvm.createVm()) {
            vm.createVcpu(0);
            assertFails("KVM_ENABLE_CAP", Errno.EEXIST, "vcpu", () -> vm.enableCap(Capability.SPLIT_IRQCHIP, 24));
            assertFails("KVM_CREATE_IRQCHIP", Errno.EINVAL, "vcpu", vm::createIrqchip);
        }
    }
}
