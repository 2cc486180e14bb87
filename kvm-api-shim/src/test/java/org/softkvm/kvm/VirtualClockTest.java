package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** The virtual clock: time is the number of executed instructions, exactly, wherever the guest looks at it. */
class VirtualClockTest {
    /** Three instructions, then RDTSC four times with code between, the results at 2000h and on; then HLT. */
    private static final String READS_TIME = """
            90             nop
            90             nop
            bf 00 20       mov di, 2000h
            0f 31          rdtsc
            66 89 05       mov [di], eax
            0f 31          rdtsc
            66 89 45 04    mov [di+4], eax
            b9 0a 00       mov cx, 10
            e2 fe          loop -2
            0f 31          rdtsc
            66 89 45 08    mov [di+8], eax
            b9 00 01       mov cx, 256
            bf 00 30       mov di, 3000h
            f3 aa          rep stosb
            0f 31          rdtsc
            66 a3 0c 20    mov [200ch], eax
            f4             hlt
            """;

    /** Arms the local APIC's timer for 5000 decrements of 2 ns, halts, and stores the TSC in its handler. */
    private static final String TIMER = """
            c7 05 f0 00 e0 fe ff 01 00 00  mov dword [0fee000f0h], 1ffh
            c7 05 20 03 e0 fe 40 00 00 00  mov dword [0fee00320h], 40h
            c7 05 80 03 e0 fe 88 13 00 00  mov dword [0fee00380h], 5000
            fb                             sti
            f4                             hlt
            eb fd                          jmp -3
            """;

    private static final String TIMER_HANDLER = """
            0f 31                 rdtsc
            a3 00 20 00 00        mov [2000h], eax
            e7 10                 out 10h, eax
            """;

    private static Guest timer() {
        Guest guest = Guest.virtualClock(true, TIMER);
        guest.load(0x3000, TIMER_HANDLER);
        guest.poke64(0x4000 + 0x40 * 8, 0x0000_8E00_0008_3000L);
        Sregs sregs = guest.sregs();
        sregs.idt.base = 0x4000;
        sregs.idt.limit = 0x7FF;
        guest.vcpu.setSregs(sregs);
        return guest;
    }

    @Test
    void theCounterIsTheNumberOfInstructionsBefore() {
        try (Guest guest = Guest.realModeVirtualClock(READS_TIME)) {
            guest.runTo(ExitReason.HLT);
            assertThat(guest.peek32(0x2000)).isEqualTo(3);
            assertThat(guest.peek32(0x2004)).isEqualTo(5);
            assertThat(guest.peek32(0x2008)).isEqualTo(5 + 2 + 1 + 10);
            assertThat(guest.peek32(0x200C)).isEqualTo(18 + 2 + 2 + 256);
            assertThat(guest.vm.virtualTime()).isEqualTo(278 + 3);
            VcpuStatistics statistics = new VcpuStatistics();
            guest.vcpu.statistics(statistics);
            assertThat(statistics.instructions).isEqualTo(281);
        }
    }

    @Test
    void limitsOfAnyLengthChangeNothing() {
        long hash;
        try (Guest guest = Guest.realModeVirtualClock(READS_TIME)) {
            guest.runTo(ExitReason.HLT);
            hash = guest.vm.stateHash();
        }
        for (int limit : new int[] {1, 2, 3, 7, 100}) {
            try (Guest guest = Guest.realModeVirtualClock(READS_TIME)) {
                long before = 0;
                guest.vcpu.setInstructionLimit(limit);
                while (guest.vcpu.run() == ExitReason.SOFTKVM_INSTRUCTION_LIMIT) {
                    assertThat(guest.vm.virtualTime()).isEqualTo(before + limit);
                    before += limit;
                    guest.vcpu.setInstructionLimit(limit);
                }
                guest.runStateIs(ExitReason.HLT);
                assertThat(guest.vm.stateHash()).isEqualTo(hash);
            }
        }
    }

    @Test
    void timersAreDueAtTheirInstructionAndWaitingTakesNoTime() {
        try (Guest guest = timer()) {
            // The timer starts at the third instruction, at which time is 2.
            guest.runTo(ExitReason.HLT);
            assertThat(guest.vm.virtualTime()).isEqualTo(5);
            assertThat(guest.vm.nextDeadline()).isEqualTo(10_002);
            guest.runTo(ExitReason.HLT);
            guest.vm.advanceTo(10_001);
            guest.runTo(ExitReason.HLT);
            guest.vm.advanceTo(10_002);
            assertThat(guest.vm.nextDeadline()).isEqualTo(Long.MAX_VALUE);
            assertThat(guest.runToOut(0x10)).isEqualTo(10_002);
            guest.vm.advanceTo(1);
            assertThat(guest.vm.virtualTime()).isEqualTo(10_005);
        }
    }

    @Test
    void timersInterruptALoopAtTheirInstruction() {
        try (Guest guest = timer()) {
            guest.load(Guest.CODE + 31, "eb fe  jmp -2, in place of hlt");
            assertThat(guest.runToOut(0x10)).isEqualTo(10_002);
        }
    }

    @Test
    void vcpusRunOneAtATimeAndShareTheTime() {
        try (Guest guest = Guest.virtualClock(true, "90  nop\nf4  hlt")) {
            try (Vcpu second = guest.vm.createVcpu(1)) {
                assertThat(second.run()).isEqualTo(ExitReason.HLT);
                assertThat(guest.vm.virtualTime()).isZero();
                guest.runTo(ExitReason.HLT);
                assertThat(guest.vm.virtualTime()).isEqualTo(2);
            }
        }
    }

    @Test
    void wallClocksStartWhereTheCallerSays() {
        try (Guest guest = Guest.virtualClock(false, "f4  hlt")) {
            ClockData clock = new ClockData();
            guest.vm.getClock(clock);
            assertThat(clock.realtime).isEqualTo(Guest.VIRTUAL_EPOCH * 1_000_000_000L);
            assertThat(clock.clock).isZero();
            guest.runTo(ExitReason.HLT);
            guest.vm.getClock(clock);
            assertThat(clock.realtime).isEqualTo(Guest.VIRTUAL_EPOCH * 1_000_000_000L + 1);
            assertThat(clock.clock).isEqualTo(1);
        }
    }

    @Test
    void randomNumbersAreTheSameInEveryRun() {
        int[] numbers = new int[2];
        for (int run = 0; run < 2; run++) {
            try (Guest guest =
                    Guest.virtualClock(false, "0f c7 f0  rdrand eax\n0f c7 f3  rdrand ebx\ne7 10  out 10h, eax")) {
                numbers[run] = guest.runToOut(0x10);
                assertThat(guest.regs().rbx).isNotEqualTo(guest.regs().rax);
            }
        }
        assertThat(numbers[0]).isEqualTo(numbers[1]);
    }

    @Test
    void theHashTellsStatesApart() {
        try (Guest guest = Guest.virtualClock(true, "90  nop\nf4  hlt")) {
            long hash = guest.vm.stateHash();
            assertThat(guest.vm.stateHash()).isEqualTo(hash);
            for (long register : guest.vcpu.registerList()) {
                if (RegisterId.type(register) == RegisterId.TYPE_GPR || register == RegisterId.CR2) {
                    long old = guest.vcpu.getOneReg(register);
                    guest.vcpu.setOneReg(register, old ^ 0x10);
                    assertThat(guest.vm.stateHash()).as("register %x", register).isNotEqualTo(hash);
                    guest.vcpu.setOneReg(register, old);
                    assertThat(guest.vm.stateHash()).isEqualTo(hash);
                }
            }
            for (long address : new long[] {0, 0x5001, Guest.MEMORY_SIZE - 1}) {
                int old = guest.peek8(address);
                guest.poke8(address, old ^ 1);
                assertThat(guest.vm.stateHash()).as("byte %x", address).isNotEqualTo(hash);
                guest.poke8(address, old);
                assertThat(guest.vm.stateHash()).isEqualTo(hash);
            }
            guest.vcpu.nmi();
            guest.vcpu.run();
            assertThat(guest.vm.stateHash()).isNotEqualTo(hash);
        }
    }

    @Test
    void memoryThatIsZeroCountsAsIfItWasNotThere() {
        try (Kvm kvm = Kvm.open("emulator");
                Vm vm = kvm.createVm()) {
            MemorySegment memory = vm.allocateMemory(1L << 30);
            vm.setMemorySlot(MemorySlot.of(0, 0, memory));
            long hash = vm.stateHash();
            memory.set(ValueLayout.JAVA_BYTE, 500L << 20, (byte) 1);
            assertThat(vm.stateHash()).isNotEqualTo(hash);
            memory.set(ValueLayout.JAVA_BYTE, 500L << 20, (byte) 0);
            assertThat(vm.stateHash()).isEqualTo(hash);
            memory.set(ValueLayout.JAVA_BYTE, 600L << 20, (byte) 1);
            long there = vm.stateHash();
            memory.set(ValueLayout.JAVA_BYTE, 600L << 20, (byte) 0);
            memory.set(ValueLayout.JAVA_BYTE, 700L << 20, (byte) 1);
            assertThat(vm.stateHash()).isNotEqualTo(there);
        }
    }

    @Test
    void theClockIsEnabledOnceAndBeforeVcpus() {
        try (Guest guest = Guest.virtualClock(false, "f4  hlt")) {
            assertFails(
                    "KVM_ENABLE_CAP",
                    Errno.EINVAL,
                    "vcpus already",
                    () -> guest.vm.enableCap(Capability.SOFTKVM_VIRTUAL_CLOCK));
        }
        try (Kvm kvm = Kvm.open("emulator");
                Vm vm = kvm.createVm()) {
            assertFails("virtualTime", Errno.EINVAL, "not enabled", vm::virtualTime);
            assertFails("nextDeadline", Errno.EINVAL, "not enabled", vm::nextDeadline);
            assertFails("advanceTo", Errno.EINVAL, "not enabled", () -> vm.advanceTo(1));
            vm.enableCap(Capability.SOFTKVM_VIRTUAL_CLOCK);
            assertFails(
                    "KVM_ENABLE_CAP",
                    Errno.EEXIST,
                    "enabled already",
                    () -> vm.enableCap(Capability.SOFTKVM_VIRTUAL_CLOCK));
        }
    }
}
