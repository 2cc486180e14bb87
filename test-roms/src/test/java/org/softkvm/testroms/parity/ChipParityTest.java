package org.softkvm.testroms.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.testroms.parity.ParityGuest.DONE;
import static org.softkvm.testroms.parity.ParityGuest.HANDLER;
import static org.softkvm.testroms.parity.ParityGuest.HOLE;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ClockData;
import org.softkvm.kvm.CoalescedRing;
import org.softkvm.kvm.EventFd;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.IoEventFd;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.PicState;
import org.softkvm.testroms.parity.ParityGuest.Irqchip;

/** Interrupt controllers, clock and eventfds of the backend. See {@link EveryBackend}. */
@Timeout(60)
class ChipParityTest {
    @EveryBackend
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
                5b  pop ebx
                59  pop ecx
                9d  popfd
                ff e3  jmp ebx
                """);
            guest.out(0x60);
            guest.vm.signalMsi(0xFEE0_0000L, 0x41);
            assertThat(guest.out(DONE)).isEqualTo(0x55);
        }
    }

    @EveryBackend
    void theEndOfALevelTriggeredInterruptExits(Backend backend) {
        Probe.LOCAL_APIC.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.SPLIT, """
                c7 05 f0 00 e0 fe ff 01 00 00  mov dword [0xFEE000F0],0x1FF
                fb  sti
                e6 60  out 0x60,al
                e6 62  out 0x62,al
                e6 f4  out 0xF4,al
                f4  hlt
                """)) {
            guest.load(HANDLER, """
                b0 41  mov al,0x41
                e6 61  out 0x61,al
                c7 05 b0 00 e0 fe 00 00 00 00  mov dword [0xFEE000B0],0
                5b  pop ebx
                59  pop ecx
                9d  popfd
                ff e3  jmp ebx
                """);
            guest.vm.setGsiRouting(List.of(new IrqRoute.Msi(5, 0xFEE0_0000L, 0x8041)));
            guest.out(0x60);
            guest.vm.signalMsi(0xFEE0_0000L, 0xC041);
            guest.out(0x61);
            // Behind the write of EOI, or of an access to a port where the host looks for such things.
            guest.to(ExitReason.IOAPIC_EOI);
            assertThat(guest.run.eoiVector()).isEqualTo(0x41);
            guest.out(0x62);
            guest.out(DONE);
        }
    }

    @EveryBackend
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

    @EveryBackend
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

    @EveryBackend
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

    @EveryBackend
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

    @EveryBackend
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
                5b  pop ebx
                59  pop ecx
                9d  popfd
                ff e3  jmp ebx
                """);
            guest.vm.setGsiRouting(List.of(new IrqRoute.Msi(30, 0xFEE0_0000L, 0x42)));
            EventFd event = new EventFd();
            guest.vm.assignIrqFd(event, 30);
            guest.out(0x60);
            event.signal();
            assertThat(guest.out(DONE)).isEqualTo(0x66);
        }
    }

    @EveryBackend
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

    @EveryBackend
    void aProcessorSendsAMessageToItself(Backend backend) {
        Probe.LOCAL_APIC.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.SPLIT, """
                c7 05 f0 00 e0 fe ff 01 00 00  mov dword [0xFEE000F0],0x1FF
                c7 05 00 03 e0 fe 41 40 04 00  mov dword [0xFEE00300],0x44041
                fb  sti
                e6 60  out 0x60,al
                e6 60  out 0x60,al
                e6 f4  out 0xF4,al
                """)) {
            guest.load(HANDLER, """
                b0 41  mov al,0x41
                e6 61  out 0x61,al
                f4  hlt
                """);
            assertThat(guest.skip(0x60)).isEqualTo(0x61);
            assertThat(guest.run.ioValue(0)).isEqualTo(0x41);
        }
    }

    @EveryBackend
    void theTimerOfTheLocalApicInterrupts(Backend backend) {
        Probe.LOCAL_APIC.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.SPLIT, """
                c7 05 f0 00 e0 fe ff 01 00 00  mov dword [0xFEE000F0],0x1FF
                c7 05 e0 03 e0 fe 0b 00 00 00  mov dword [0xFEE003E0],0xB
                c7 05 20 03 e0 fe 42 00 00 00  mov dword [0xFEE00320],0x42
                c7 05 80 03 e0 fe a0 86 01 00  mov dword [0xFEE00380],100000
                fb  sti
                e6 60  out 0x60,al
                eb fc  jmp again
                """)) {
            guest.load(HANDLER, """
                b0 42  mov al,0x42
                e6 61  out 0x61,al
                f4  hlt
                """);
            assertThat(guest.skip(0x60)).isEqualTo(0x61);
            assertThat(guest.run.ioValue(0)).isEqualTo(0x42);
        }
    }

    @EveryBackend
    void aLineInterruptsThroughTheIoApicOfTheBackend(Backend backend) {
        Probe.LOCAL_APIC.need(backend);
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.FULL, """
                c7 05 f0 00 e0 fe ff 01 00 00  mov dword [0xFEE000F0],0x1FF
                c7 05 00 00 c0 fe 24 00 00 00  mov dword [0xFEC00000],0x24
                c7 05 10 00 c0 fe 4a 00 00 00  mov dword [0xFEC00010],0x4A
                fb  sti
                e6 60  out 0x60,al
                e6 60  out 0x60,al
                e6 f4  out 0xF4,al
                """)) {
            guest.load(HANDLER, """
                b0 4a  mov al,0x4A
                e6 61  out 0x61,al
                f4  hlt
                """);
            guest.out(0x60);
            guest.vm.irqLine(10, true);
            guest.vm.irqLine(10, false);
            assertThat(guest.skip(0x60)).isEqualTo(0x61);
            assertThat(guest.run.ioValue(0)).isEqualTo(0x4A);
        }
    }

    @EveryBackend
    void aWriteToMemorySignalsAnEventFd(Backend backend) throws InterruptedException {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c7 05 10 00 00 d0 01 00 00 00  mov dword [0xD0000010],1
                c6 05 10 00 00 d0 02  mov byte [0xD0000010],2
                e6 f4  out 0xF4,al
                """)) {
            guest.needs(Capability.IOEVENTFD);
            EventFd event = new EventFd();
            guest.vm.assignIoEventFd(IoEventFd.mmio(event, 0xD000_0010L, 4));
            guest.to(ExitReason.MMIO);
            assertThat(guest.run.mmioLength()).as("another width").isEqualTo(1);
            assertThat(event.await(10, TimeUnit.SECONDS)).isEqualTo(1);
            guest.out(DONE);
        }
    }

    @EveryBackend
    void theGuestReadsTheParavirtualClock(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b9 01 4d 56 4b  mov ecx,0x4B564D01
                b8 01 30 00 00  mov eax,0x3001
                31 d2  xor edx,edx
                0f 30  wrmsr
                e6 60  out 0x60,al
                8b 1d 00 30 00 00  mov ebx,[0x3000]
                8b 0d 10 30 00 00  mov ecx,[0x3010]
                8b 15 18 30 00 00  mov edx,[0x3018]
                e6 f4  out 0xF4,al
                """)) {
            guest.out(0x60);
            guest.out(DONE);
            assertThat(guest.regs().rbx & 1).as("an even version").isZero();
            assertThat(guest.regs().rbx).isPositive();
            assertThat(guest.regs().rdx).as("the multiplier").isNotZero();
        }
    }

    @EveryBackend
    void theWallClockIsWritten(Backend backend) {
        try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                b9 00 4d 56 4b  mov ecx,0x4B564D00
                b8 00 30 00 00  mov eax,0x3000
                31 d2  xor edx,edx
                0f 30  wrmsr
                8b 1d 04 30 00 00  mov ebx,[0x3004]
                e6 f4  out 0xF4,al
                """)) {
            guest.out(DONE);
            long now = System.currentTimeMillis() / 1000;
            assertThat(guest.regs().rbx).isBetween(now - 86_400, now + 86_400);
        }
    }
}
