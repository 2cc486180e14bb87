package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** PIC, IOAPIC and PIT in the backend. */
@Timeout(60)
@ExtendWith(BinaryAbi.class)
class IrqchipTest {
    private static final int HANDLER = 0x3000;
    private static final int OTHER_HANDLER = 0x3100;
    private static final long LEVEL = 1 << 15;
    private static final long MASKED = 1 << 16;
    private static final long REMOTE_IRR = 1 << 14;

    /** The PICs at vectors 20h and 28h, nothing masked; writes port 10h; then waits in HLT and counts in BL at port 11h. */
    private static final String PICS = """
            b0 11 e6 20 e6 a0  ICW1
            b0 20 e6 21        ICW2
            b0 28 e6 a1
            b0 04 e6 21        ICW3
            b0 02 e6 a1
            b0 01 e6 21 e6 a1  ICW4
            b0 00 e6 21 e6 a1  OCW1
            e6 10              out 10h, al
            fb                 sti
            f4                 hlt
            fa                 cli
            43                 inc bx
            88 d8              mov al, bl
            e6 11              out 11h, al
            eb f6              jmp to the sti
            """;

    /** Writes port 12h and ends the interrupt on the first PIC. */
    private static final String HANDLE_PIC = """
            e6 12        out 12h, al
            b0 20 e6 20  end of interrupt
            cf           iret
            """;

    /** Writes port 13h and ends the interrupt on the local APIC by x2APIC's MSR. */
    private static final String HANDLE_APIC = """
            e6 13              out 13h, al
            66 b9 0b 08 00 00  mov ecx, 80bh
            66 31 c0           xor eax, eax
            66 31 d2           xor edx, edx
            0f 30              wrmsr
            cf                 iret
            """;

    private static Guest guest(String program) {
        Guest guest = Guest.realModeFull(program);
        guest.load(HANDLER, HANDLE_PIC);
        guest.load(OTHER_HANDLER, HANDLE_APIC);
        for (int vector = 0x20; vector < 0x30; vector++) {
            guest.realModeVector(vector, HANDLER);
        }
        guest.realModeVector(0x41, OTHER_HANDLER);
        return guest;
    }

    /** Enables the local APIC in x2APIC mode, then lets interrupts in and waits. */
    private static Guest waiting() {
        Guest guest = guest("""
                e6 10  out 10h, al
                fb     sti
                f4     hlt
                fa     cli
                43     inc bx
                88 d8  mov al, bl
                e6 11  out 11h, al
                eb f6  jmp to the sti
                """);
        PicState pic = new PicState();
        pic.imr = 0xFF;
        guest.vm.setPic(IrqRoute.IRQCHIP_PIC_MASTER, pic);
        guest.vm.setPic(IrqRoute.IRQCHIP_PIC_SLAVE, pic);
        guest.vcpu.setMsr(0x1B, 0xFEE0_0D00L);
        guest.vcpu.setMsr(0x80F, 0x1FF);
        return guest;
    }

    private static void redirect(Guest guest, int pin, long entry) {
        IoapicState state = new IoapicState();
        guest.vm.getIoapic(state);
        state.redirtbl[pin] = entry;
        guest.vm.setIoapic(state);
    }

    @Test
    void thePicsInterruptWithoutAnyExit() {
        try (Guest guest = guest(PICS)) {
            guest.runToOut(0x10);
            assertThat(guest.vm.irqLine(3, true)).isEqualTo(1);
            assertThat(guest.vm.irqLine(3, false)).as("both chips").isEqualTo(2);
            guest.runToOut(0x12);
            assertThat(guest.runToOut(0x11)).isEqualTo(1);
            guest.vm.irqLine(4, true);
            guest.runToOut(0x12);
            assertThat(guest.runToOut(0x11)).isEqualTo(2);
            assertThat(guest.run.readyForInterruptInjection()).isFalse();
        }
    }

    @Test
    void anInterruptOfAnotherThreadWakesAHaltedVcpu() throws InterruptedException {
        try (Guest guest = guest(PICS)) {
            guest.runToOut(0x10);
            Thread other = Thread.ofPlatform().start(() -> {
                try {
                    Thread.sleep(20);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                guest.vm.irqLine(5, true);
            });
            guest.runToOut(0x12);
            other.join();
        }
    }

    @Test
    void irqLineTellsWhatCameOfIt() {
        try (Guest guest = guest(PICS)) {
            guest.runToOut(0x10);
            assertThat(guest.vm.irqLine(3, true)).as("taken").isEqualTo(1);
            guest.vm.irqLine(3, false);
            assertThat(guest.vm.irqLine(3, true)).as("merged").isZero();
            PicState pic = new PicState();
            guest.vm.getPic(IrqRoute.IRQCHIP_PIC_MASTER, pic);
            pic.imr = 0x80;
            guest.vm.setPic(IrqRoute.IRQCHIP_PIC_MASTER, pic);
            assertThat(guest.vm.irqLine(7, true)).as("masked in both chips").isEqualTo(-1);
            assertThat(guest.vm.irqLine(23, true)).as("masked in the IOAPIC").isEqualTo(-1);
            assertThat(guest.vm.irqLine(24, true)).as("leads nowhere").isEqualTo(-1);
            assertThat(guest.vm.irqLine(-1, true)).isEqualTo(-1);
        }
    }

    @Test
    void theIoapicInterruptsAndWaitsForTheEnd() {
        try (Guest guest = waiting()) {
            guest.runToOut(0x10);
            redirect(guest, 9, 0x41 | LEVEL);
            assertThat(guest.vm.irqLine(9, true)).as("the PIC is masked").isEqualTo(1);
            IoapicState state = new IoapicState();
            guest.vm.getIoapic(state);
            assertThat(state.irr).isEqualTo(1 << 9);
            assertThat(state.redirtbl[9]).isEqualTo(0x41 | LEVEL | REMOTE_IRR);
            guest.runToOut(0x13);
            guest.vm.irqLine(9, false);
            assertThat(guest.runToOut(0x11)).isEqualTo(1);
            guest.vm.getIoapic(state);
            assertThat(state.irr).isZero();
            assertThat(state.redirtbl[9]).isEqualTo(0x41 | LEVEL);
            guest.vm.irqLine(9, true);
            guest.runToOut(0x13);
            // Still asserted at its end: it comes again at once.
            guest.runToOut(0x13);
            guest.vm.irqLine(9, false);
            assertThat(guest.runToOut(0x11)).isEqualTo(2);
        }
    }

    @Test
    void theGuestFindsTheIoapicInItsPage() {
        try (Guest guest = Guest.protectedModeFull("""
                bf 00 00 c0 fe  mov edi, 0fec00000h
                c7 07 01 00 00 00  mov dword [edi], 1
                8b 47 10  mov eax, [edi + 10h]
                e7 10  out 10h, eax
                8b 87 00 01 00 00  mov eax, [edi + 100h]
                """)) {
            assertThat(guest.runToOut(0x10)).as("24 pins, version 11h").isEqualTo(0x170011);
            guest.runTo(ExitReason.MMIO);
            assertThat(guest.run.mmioAddress()).as("behind its 256 bytes").isEqualTo(0xFEC00100L);
        }
    }

    @Test
    void thePitInterruptsAndCountsWithoutAnyExit() {
        try (Guest guest = guest(PICS)) {
            guest.runToOut(0x10);
            // Counter 0 in mode 2 with a period of one millisecond.
            PitState pit = new PitState();
            guest.vm.getPit(pit);
            assertThat(pit.channels[0].count).isEqualTo(0x10000);
            assertThat(pit.channels[2].gate).isFalse();
            pit.channels[0].mode = 2;
            pit.channels[0].rwMode = 3;
            pit.channels[0].readState = 3;
            pit.channels[0].writeState = 3;
            pit.channels[0].count = 1193;
            guest.vm.setPit(pit);
            for (int ticks = 0; ticks < 5; ) {
                guest.runTo(ExitReason.IO);
                assertThat(guest.run.ioPort()).isIn(0x11, 0x12);
                ticks += guest.run.ioPort() == 0x12 ? 1 : 0;
            }
            PitState again = new PitState();
            guest.vm.getPit(again);
            assertThat(again.channels[0].mode).isEqualTo(2);
            assertThat(again.channels[0].count).isEqualTo(1193);
            assertThat(again.channels[0].rwMode).isEqualTo(3);
            assertThat(again.channels[0].countLoadTime).isPositive().isLessThanOrEqualTo(System.nanoTime());
        }
    }

    @Test
    void theGuestProgramsThePitItself() {
        try (Guest guest = guest("""
                b0 b0 e6 43        counter 2, both bytes, mode 0
                e4 61              in al, 61h
                24 fc 0c 01        gate on, speaker off
                e6 61              out 61h, al
                b0 34 e6 42        count 1234h
                b0 12 e6 42
                e4 61              wait for OUT of counter 2
                a8 20              test al, 20h
                74 fa              jz
                b0 80 e6 43        latch the count
                e4 42              in al, 42h
                88 c3              mov bl, al
                e4 42              in al, 42h
                e6 10              out 10h, al
                """)) {
            guest.runToOut(0x10);
            PitState pit = new PitState();
            guest.vm.getPit(pit);
            assertThat(pit.channels[2].mode).isZero();
            assertThat(pit.channels[2].gate).isTrue();
            assertThat(pit.channels[2].count).isEqualTo(0x1234);
            assertThat(pit.flags).isZero();
        }
    }

    @Test
    void picStatesAreRestored() {
        try (Guest guest = guest(PICS)) {
            guest.runToOut(0x10);
            PicState state = new PicState();
            guest.vm.getPic(IrqRoute.IRQCHIP_PIC_SLAVE, state);
            assertThat(state.irqBase).isEqualTo(0x28);
            assertThat(state.elcrMask).isEqualTo(0xDE);
            assertThat(state.init4).isTrue();
            assertThat(state.initState).isZero();
            guest.vm.getPic(IrqRoute.IRQCHIP_PIC_MASTER, state);
            assertThat(state.irqBase).isEqualTo(0x20);
            assertThat(state.elcrMask).isEqualTo(0xF8);
            assertThat(state.priorityAdd).isZero();
            state.irr = 2;
            state.imr = 0x40;
            state.elcr = 0xFF;
            state.priorityAdd = 3;
            state.specialMask = true;
            state.readRegSelect = true;
            state.irqBase = 0x27;
            guest.vm.setPic(IrqRoute.IRQCHIP_PIC_MASTER, state);
            PicState back = new PicState();
            guest.vm.getPic(IrqRoute.IRQCHIP_PIC_MASTER, back);
            assertThat(back.irr).isEqualTo(2);
            assertThat(back.imr).isEqualTo(0x40);
            assertThat(back.elcr).as("what can be chosen").isEqualTo(0xF8);
            assertThat(back.priorityAdd).isEqualTo(3);
            assertThat(back.specialMask).isTrue();
            assertThat(back.readRegSelect).isTrue();
            assertThat(back.irqBase).isEqualTo(0x20);
            guest.vm.getPic(IrqRoute.IRQCHIP_PIC_SLAVE, back);
            assertThat(back.irqBase).as("the other one stays").isEqualTo(0x28);
            // The restored request interrupts.
            guest.runToOut(0x12);
        }
    }

    @Test
    void aRestoredPinOfTheIoapicInterrupts() {
        try (Guest guest = waiting()) {
            guest.runToOut(0x10);
            IoapicState state = new IoapicState();
            guest.vm.getIoapic(state);
            assertThat(state.baseAddress).isEqualTo(0xFEC00000L);
            assertThat(state.redirtbl[0]).isEqualTo(MASKED);
            state.id = 5;
            state.ioregsel = 0x12;
            state.irr = 1 << 20;
            state.redirtbl[20] = 0x41;
            guest.vm.setIoapic(state);
            guest.runToOut(0x13);
            IoapicState back = new IoapicState();
            guest.vm.getIoapic(back);
            assertThat(back.id).isEqualTo(5);
            assertThat(back.ioregsel).isEqualTo(0x12);
            assertThat(back.irr).isEqualTo(1 << 20);
        }
    }

    @Test
    void routesCanBeChosen() {
        try (Guest guest = waiting()) {
            guest.runToOut(0x10);
            redirect(guest, 2, 0x41);
            guest.vm.setGsiRouting(List.of(
                    new IrqRoute.Irqchip(0, IrqRoute.IRQCHIP_IOAPIC, 2),
                    new IrqRoute.Irqchip(0, IrqRoute.IRQCHIP_PIC_MASTER, 0),
                    new IrqRoute.Msi(30, 0xFEE0_0000L, 0x41)));
            guest.vm.irqLine(0, true);
            guest.runToOut(0x13);
            guest.runToOut(0x11);
            assertThat(guest.vm.irqLine(30, true)).isEqualTo(1);
            guest.runToOut(0x13);
            guest.runToOut(0x11);
            assertThat(guest.vm.irqLine(9, true)).as("it has no route any more").isEqualTo(-1);
            assertThat(guest.vm.signalMsi(0xFEE0_0000L, 0x41)).isEqualTo(1);
            guest.runToOut(0x13);
            String call = "KVM_SET_GSI_ROUTING";
            assertFails(
                    call,
                    Errno.EINVAL,
                    "irqchip=3",
                    () -> guest.vm.setGsiRouting(List.of(new IrqRoute.Irqchip(1, 3, 1))));
            assertFails(
                    call,
                    Errno.EINVAL,
                    "pin=24",
                    () -> guest.vm.setGsiRouting(List.of(new IrqRoute.Irqchip(1, 2, 24))));
            assertFails(
                    call, Errno.EINVAL, "pin=8", () -> guest.vm.setGsiRouting(List.of(new IrqRoute.Irqchip(1, 0, 8))));
            assertFails(
                    call,
                    Errno.EINVAL,
                    "twice",
                    () -> guest.vm.setGsiRouting(
                            List.of(new IrqRoute.Irqchip(1, 2, 1), new IrqRoute.Irqchip(1, 2, 2))));
        }
    }

    @Test
    void anEventfdRaisesAnInterrupt() {
        try (Guest guest = waiting()) {
            guest.runToOut(0x10);
            redirect(guest, 20, 0x41);
            EventFd event = new EventFd();
            event.signal();
            guest.vm.assignIrqFd(event, 20);
            assertThat(event.count()).as("a signal that came before").isZero();
            guest.runToOut(0x13);
            guest.runToOut(0x11);
            event.signal();
            assertThat(event.count()).isZero();
            guest.runToOut(0x13);
            assertThat(guest.runToOut(0x11)).isEqualTo(2);
            assertFails("KVM_IRQFD", Errno.EBUSY, "gsi 20", () -> guest.vm.assignIrqFd(event, 21));
            assertFails("KVM_IRQFD", Errno.EINVAL, "gsi=4096", () -> guest.vm.assignIrqFd(new EventFd(), 4096));
            guest.vm.deassignIrqFd(event, 21);
            event.signal();
            guest.runToOut(0x13);
            guest.runToOut(0x11);
            guest.vm.deassignIrqFd(event, 20);
            event.signal();
            assertThat(event.count()).as("nobody listens").isEqualTo(1);
        }
    }

    @Test
    void theEndOfAnInterruptIsSignalled() throws InterruptedException {
        try (Guest guest = waiting()) {
            guest.runToOut(0x10);
            redirect(guest, 11, 0x41 | LEVEL);
            EventFd event = new EventFd();
            EventFd resample = new EventFd();
            int[] again = {1};
            resample.addListener(() -> {
                // What a device does that has more to say; the backend holds no lock of its own here.
                if (again[0]-- > 0) {
                    event.signal();
                }
            });
            guest.vm.assignIrqFd(event, 11, resample);
            event.signal();
            IoapicState state = new IoapicState();
            guest.vm.getIoapic(state);
            assertThat(state.irr).isEqualTo(1 << 11);
            guest.runToOut(0x13);
            assertThat(resample.count()).isZero();
            guest.runToOut(0x13);
            assertThat(resample.take()).isEqualTo(1);
            assertThat(guest.runToOut(0x11)).isEqualTo(1);
            assertThat(resample.await(0, TimeUnit.SECONDS)).isEqualTo(1);
            guest.vm.getIoapic(state);
            assertThat(state.irr).as("deasserted").isZero();
            event.signal();
            guest.vm.deassignIrqFd(event, 11);
            guest.vm.getIoapic(state);
            assertThat(state.irr).as("nobody is left to deassert it").isZero();
        }
    }

    @Test
    void theEndOnThePicIsSignalledToo() {
        try (Guest guest = guest(PICS)) {
            guest.runToOut(0x10);
            PicState pic = new PicState();
            guest.vm.getPic(IrqRoute.IRQCHIP_PIC_MASTER, pic);
            pic.elcr = 1 << 5;
            guest.vm.setPic(IrqRoute.IRQCHIP_PIC_MASTER, pic);
            EventFd event = new EventFd();
            EventFd resample = new EventFd();
            guest.vm.assignIrqFd(event, 5, resample);
            event.signal();
            guest.runToOut(0x12);
            assertThat(resample.count()).isZero();
            assertThat(guest.runToOut(0x11)).isEqualTo(1);
            assertThat(resample.count()).isEqualTo(1);
        }
    }

    @Test
    void whatIsNotThereIsRefused() {
        try (Guest guest = Guest.realModeSplit("f4")) {
            Vm vm = guest.vm;
            assertFails("KVM_CREATE_PIT2", Errno.ENOENT, "PIC", () -> vm.createPit(0));
            assertFails("KVM_GET_PIT2", Errno.ENXIO, "", () -> vm.getPit(new PitState()));
            assertFails("KVM_SET_IRQCHIP", Errno.ENXIO, "PIC", () -> vm.setPic(0, new PicState()));
            assertFails("KVM_GET_IRQCHIP", Errno.ENXIO, "IOAPIC", () -> vm.getIoapic(new IoapicState()));
            assertFails("KVM_IRQFD", Errno.EINVAL, "RESAMPLE", () -> vm.assignIrqFd(new EventFd(), 1, new EventFd()));
        }
        try (Guest guest = Guest.realMode("f4")) {
            assertFails("KVM_IRQ_LINE", Errno.ENXIO, "irq=1", () -> guest.vm.irqLine(1, true));
            assertFails("KVM_IRQFD", Errno.EINVAL, "irqchip", () -> guest.vm.assignIrqFd(new EventFd(), 1));
        }
        try (Guest guest = guest("f4")) {
            Vm vm = guest.vm;
            assertFails("KVM_INTERRUPT", Errno.ENXIO, "irq=33", () -> guest.vcpu.interrupt(33));
            assertFails("KVM_CREATE_PIT2", Errno.EEXIST, "PIT", () -> vm.createPit(0));
            assertFails("KVM_CREATE_PIT2", Errno.EINVAL, "flags=0x2", () -> vm.createPit(2));
            assertFails("KVM_GET_IRQCHIP", Errno.EINVAL, "chip_id=2", () -> vm.getPic(2, new PicState()));
            PitState pit = new PitState();
            pit.channels[1].count = 0x10001;
            assertFails("KVM_SET_PIT2", Errno.EINVAL, "channels[1].count=65537", () -> vm.setPit(pit));
            vm.reinjectControl(false);
            vm.reinjectControl(true);
        }
    }

    /** Whatever a guest does to the chips, and whatever their lines do meanwhile, is no error of the backend. */
    @Test
    void randomAccessesToTheChipsDoNoHarm() {
        try (Guest guest = Guest.realModeFull("""
                fb             sti
                69 db 6d 4e    imul bx, bx, 4e6dh
                81 c3 39 30    add bx, 3039h
                89 de          mov si, bx
                c1 ee 0c       shr si, 12
                01 f6          add si, si
                8b 94 00 20    mov dx, [si + 2000h]
                88 f8          mov al, bh
                ee             out dx, al
                69 db 6d 4e    imul bx, bx, 4e6dh
                81 c3 39 30    add bx, 3039h
                ec             in al, dx
                eb de          jmp to the sti
                """)) {
            int[] ports = {
                0x20, 0x21, 0xA0, 0xA1, 0x4D0, 0x4D1, 0x40, 0x43, 0x40, 0x41, 0x42, 0x43, 0x61, 0x20, 0x21, 0x43
            };
            for (int i = 0; i < ports.length; i++) {
                guest.poke8(0x2000 + 2 * i, ports[i]);
                guest.poke8(0x2001 + 2 * i, ports[i] >> 8);
            }
            guest.load(HANDLER, "cf  iret");
            for (int vector = 0; vector < 256; vector++) {
                guest.realModeVector(vector, HANDLER);
            }
            Random random = new Random(7);
            PicState pic = new PicState();
            PitState pit = new PitState();
            for (int round = 0; round < 200; round++) {
                guest.vcpu.setInstructionLimit(500);
                guest.runTo(ExitReason.SOFTKVM_INSTRUCTION_LIMIT);
                guest.vm.irqLine(random.nextInt(24), random.nextBoolean());
                guest.vm.getPic(random.nextInt(2), pic);
                guest.vm.setPic(random.nextInt(2), pic);
                guest.vm.getPit(pit);
                if (random.nextInt(8) == 0) {
                    guest.vm.setPit(pit);
                    guest.vm.reinjectControl(random.nextBoolean());
                }
            }
        }
    }
}
