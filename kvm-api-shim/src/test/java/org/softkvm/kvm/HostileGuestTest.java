package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A guest does what it likes to its local APIC, its MSRs and its ports: each run ends in an exit, never in a Java
 * exception. The seed is printed and can be set by -Dsoftkvm.fuzz.seed.
 */
@Timeout(120)
class HostileGuestTest {
    private static final int STEPS = 4000;
    private static final int INSTRUCTIONS = 20;
    private static final long LAPIC_PAGE = 0xFEE0_0000L;
    private static final int[] MSRS = {
        0x10, 0x11, 0x12, 0x1B, 0x3B, 0x174, 0x277, 0x6E0, 0x4b564d00, 0x4b564d01, 0x4b564d02, 0xC0000080, 0xC0000082
    };
    private static final Set<Integer> EXITS = Set.of(
            ExitReason.IO,
            ExitReason.MMIO,
            ExitReason.INTR,
            ExitReason.IRQ_WINDOW_OPEN,
            ExitReason.SHUTDOWN,
            ExitReason.IOAPIC_EOI,
            ExitReason.INTERNAL_ERROR,
            ExitReason.SOFTKVM_INSTRUCTION_LIMIT);

    private final long seed = Long.getLong("softkvm.fuzz.seed", System.nanoTime());
    private final Random random = new Random(seed);

    private static Guest guest() {
        Guest guest = Guest.longMode(true, "");
        guest.load(Guest.CODE, """
                48 89 03     mov [rbx], rax
                48 8b 3b     mov rdi, [rbx]
                0f 30        wrmsr
                0f 32        rdmsr
                44 0f 22 c6  mov cr8, rsi
                fb           sti
                f4           hlt
                """);
        return guest;
    }

    private long address() {
        return switch (random.nextInt(4)) {
            case 0 -> LAPIC_PAGE + random.nextInt(0x1000);
            case 1 -> LAPIC_PAGE + random.nextInt(0x40) * 16;
            case 2 -> random.nextInt() & 0xFFFF_FFFFL;
            default -> random.nextLong();
        };
    }

    private long value() {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(256);
            case 1 -> 1L << random.nextInt(64);
            case 2 -> random.nextInt() & 0xFFFFFL;
            default -> random.nextLong();
        };
    }

    private int msr() {
        return random.nextBoolean() ? MSRS[random.nextInt(MSRS.length)] : 0x800 + random.nextInt(0x100);
    }

    @Test
    void whateverAGuestDoesToItsLocalApicAndMsrsEndsInAnExit() {
        System.out.println("softkvm.fuzz.seed=" + seed);
        int step = 0;
        while (step < STEPS) {
            try (Guest guest = guest()) {
                Sregs sregs = guest.sregs();
                Regs regs = new Regs();
                Thread kicker = kicker(guest.vcpu);
                for (int i = 0; i < 100; i++, step++) {
                    guest.vcpu.setMpState(MpState.RUNNABLE);
                    sregs.apicBase = guest.sregs().apicBase;
                    guest.vcpu.setSregs(sregs);
                    regs.rip = Guest.CODE + (random.nextInt(3) == 0 ? 6 : 0);
                    regs.rsp = Guest.STACK;
                    regs.rflags = 2;
                    regs.rbx = address();
                    regs.rax = value();
                    regs.rdx = random.nextBoolean() ? 0 : value();
                    regs.rcx = msr();
                    regs.rsi = random.nextInt(20);
                    guest.vcpu.setRegs(regs);
                    guest.run.setRequestInterruptWindow(random.nextBoolean());
                    guest.vcpu.setInstructionLimit(INSTRUCTIONS);
                    if (random.nextInt(4) == 0) {
                        guest.vm.signalMsi(LAPIC_PAGE | random.nextInt() & 0xFFFFC, random.nextInt());
                    }
                    runToTheEnd(guest);
                }
                kicker.interrupt();
            }
        }
    }

    /** Answers what the guest asks until a kick, the limit or a shutdown ends it. */
    private void runToTheEnd(Guest guest) {
        for (int i = 0; i < 2 * INSTRUCTIONS; i++) {
            int reason = guest.vcpu.run();
            assertThat(EXITS).contains(reason);
            switch (reason) {
                case ExitReason.MMIO -> guest.run.setMmioData(random.nextLong());
                case ExitReason.IO, ExitReason.IOAPIC_EOI -> {
                    // Nothing to answer.
                }
                case ExitReason.IRQ_WINDOW_OPEN -> guest.run.setRequestInterruptWindow(false);
                default -> {
                    return;
                }
            }
        }
    }

    /** Kicks a vcpu again and again, so that one that waits in HLT or for a start-up message comes back. */
    private static Thread kicker(Vcpu vcpu) {
        return Thread.ofPlatform().daemon().start(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                vcpu.kick();
                LockSupport.parkNanos(1_000_000);
            }
        });
    }

    @Test
    void whateverTheCallerSetsIsTakenOrRefused() {
        System.out.println("softkvm.fuzz.seed=" + seed);
        try (Guest guest = guest()) {
            Thread kicker = kicker(guest.vcpu);
            long[] ids = guest.vcpu.registerList();
            int taken = 0;
            for (int i = 0; i < STEPS; i++) {
                long id = ids[random.nextInt(ids.length)];
                try {
                    guest.vcpu.setOneReg(id, value());
                    taken++;
                } catch (KvmException e) {
                    assertThat(e.errno()).isEqualTo(Errno.EINVAL);
                }
                guest.vcpu.getOneReg(id);
                if (i % 100 == 0) {
                    guest.vcpu.setInstructionLimit(INSTRUCTIONS);
                    assertThat(EXITS).contains(guest.vcpu.run());
                }
            }
            kicker.interrupt();
            assertThat(taken).isPositive();
        }
    }
}
