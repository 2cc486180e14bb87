package org.softkvm.testroms.parity;

import static org.softkvm.testroms.parity.ParityGuest.HANDLER;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.opentest4j.TestAbortedException;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Fpu;
import org.softkvm.kvm.GuestDebug;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.VcpuEvents;
import org.softkvm.testroms.parity.ParityGuest.Irqchip;

/** The smallest guests that show whether a host does one thing at all; what depends on it is skipped where not. */
enum Probe {
    /** KVM_INTERRUPT reaches the guest. */
    INTERRUPT("interrupts are not delivered") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.real(backend, """
                90  nop
                90  nop
                e6 f4  out 0xF4,al
                """)) {
                guest.vector(0x20, HANDLER);
                guest.load(HANDLER, """
                e6 61  out 0x61,al
                cf  iret
                """);
                Regs regs = guest.regs();
                regs.rflags |= 0x200;
                guest.vcpu.setRegs(regs);
                guest.vcpu.interrupt(0x20);
                guest.vcpu.run();
                return guest.run.exitReason() == ExitReason.IO ? guest.run.ioPort() : -1;
            }
        }
    },
    /** The interrupt window is reported, sooner or later. */
    WINDOW("the interrupt window is not reported") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.real(backend, """
                fb  sti
                66 b9 40 42 0f 00  mov ecx,1000000
                66 49  dec ecx
                75 fc  jnz again
                e6 f4  out 0xF4,al
                """)) {
                guest.run.setRequestInterruptWindow(true);
                return guest.vcpu.run() == ExitReason.IRQ_WINDOW_OPEN ? OK : -1;
            }
        }
    },
    /** The interrupt window opens two instructions behind STI, and not only where the guest leaves the host's kernel. */
    PROMPT("time: interrupts are looked for only where the guest leaves the host's kernel") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.real(backend, """
                fb  sti
                90  nop
                90  nop
                90  nop
                e6 f4  out 0xF4,al
                """)) {
                guest.run.setRequestInterruptWindow(true);
                return guest.vcpu.run() == ExitReason.IRQ_WINDOW_OPEN ? OK : -1;
            }
        }
    },
    /** An exception that the monitor injects reaches the guest. */
    EXCEPTION("injected exceptions are not delivered") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                90  nop
                90  nop
                e6 f4  out 0xF4,al
                """)) {
                guest.load(HANDLER, """
                e6 61  out 0x61,al
                f4  hlt
                """);
                VcpuEvents events = new VcpuEvents();
                guest.vcpu.getVcpuEvents(events);
                events.exceptionInjected = true;
                events.exceptionNr = 6;
                guest.vcpu.setVcpuEvents(events);
                guest.vcpu.run();
                return guest.run.exitReason() == ExitReason.IO ? guest.run.ioPort() : -1;
            }
        }
    },
    /** A local APIC's interrupt to itself reaches the guest. */
    LOCAL_APIC("interrupts of the local APIC are not delivered") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.SPLIT, """
                c7 05 f0 00 e0 fe ff 01 00 00  mov dword [0xFEE000F0],0x1FF
                fb  sti
                c7 05 00 03 e0 fe 41 40 04 00  mov dword [0xFEE00300],0x44041
                e6 60  out 0x60,al
                e6 60  out 0x60,al
                e6 f4  out 0xF4,al
                """)) {
                guest.load(HANDLER, """
                e6 61  out 0x61,al
                f4  hlt
                """);
                return guest.skip(0x60);
            }
        }
    },
    /** The local APIC keeps an interrupt in service until its end is written. */
    IN_SERVICE("local APIC: an interrupt ends as soon as it is taken") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.SPLIT, """
                c7 05 f0 00 e0 fe ff 01 00 00  mov dword [0xFEE000F0],0x1FF
                fb  sti
                c7 05 00 03 e0 fe 41 40 04 00  mov dword [0xFEE00300],0x44041
                e6 60  out 0x60,al
                e6 60  out 0x60,al
                e6 f4  out 0xF4,al
                """)) {
                guest.load(HANDLER, """
                a1 20 01 e0 fe  mov eax,[0xFEE00120]
                a8 02  test al,2
                74 02  jz none
                e6 61  out 0x61,al
                e6 f4  out 0xF4,al
                f4  hlt
                """);
                return guest.skip(0x60);
            }
        }
    },
    /** RDTSCP is executed where CPUID offers it. */
    RDTSCP("instruction missing in the host's own emulator: RDTSCP, which CPUID offers, faults") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                0f 01 f9  rdtscp
                e6 61  out 0x61,al
                f4  hlt
                """)) {
                guest.load(HANDLER, """
                e6 f4  out 0xF4,al
                f4  hlt
                """);
                return guest.skip(0x60);
            }
        }
    },
    /** Single steps are reported. */
    SINGLE_STEP("breakpoint unsupported: single steps are not reported") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                90  nop
                90  nop
                e6 f4  out 0xF4,al
                """)) {
                GuestDebug debug = new GuestDebug();
                debug.control = GuestDebug.ENABLE | GuestDebug.SINGLESTEP;
                guest.vcpu.setGuestDebug(debug);
                return guest.vcpu.run() == ExitReason.DEBUG ? OK : -1;
            }
        }
    },
    /** Writes to memory that a debug register watches are reported. */
    WATCHPOINT("breakpoint unsupported: writes to watched memory are not reported") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                c6 05 00 30 00 00 07  mov byte [0x3000],7
                e6 f4  out 0xF4,al
                """)) {
                GuestDebug debug = new GuestDebug();
                debug.control = GuestDebug.ENABLE | GuestDebug.USE_HW_BP;
                debug.debugreg[0] = ParityGuest.DATA;
                debug.debugreg[7] = 0x1_0402;
                guest.vcpu.setGuestDebug(debug);
                return guest.vcpu.run() == ExitReason.DEBUG ? OK : -1;
            }
        }
    },
    /** WRMSR refuses an address that is not canonical. */
    CANONICAL_MSR("instruction missing in the host's own emulator: WRMSR does not check addresses") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.longMode(backend, Irqchip.NONE, """
                b9 83 00 00 c0  mov ecx,0xC0000083
                31 c0  xor eax,eax
                ba 00 80 00 00  mov edx,0x00008000
                0f 30  wrmsr
                e6 f4  out 0xF4,al
                """)) {
                guest.load(HANDLER, """
                e6 61  out 0x61,al
                f4  hlt
                """);
                return guest.skip(0x60);
            }
        }
    },
    /** The x87 state that the monitor sets is what an instruction of the guest sees. */
    X87_STATE("instruction missing in the host's own emulator: FNSTCW stores another control word than the vcpu's") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                d9 3d 00 30 00 00  fnstcw [0x3000]
                e6 61  out 0x61,al
                """)) {
                Fpu fpu = new Fpu();
                guest.vcpu.getFpu(fpu);
                fpu.fcw = 0x7F;
                guest.vcpu.setFpu(fpu);
                return guest.skip(0x60) == OK && (guest.get32(ParityGuest.DATA) & 0xFFFF) == 0x7F ? OK : -1;
            }
        }
    },
    /** SYSCALL and SYSRET change the rings. */
    SYSCALL("instruction missing in the host's own emulator: SYSCALL and SYSRET do not come back") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.userMode(backend, """
                0f 05  syscall
                b0 01  mov al,1
                0f 05  syscall
                """)) {
                guest.load(HANDLER, """
                84 c0  test al,al
                75 03  jnz second
                48 0f 07  o64 sysret
                e6 61  out 0x61,al
                """);
                return guest.skip(0x60);
            }
        }
    },
    /** Breakpoint instructions are reported. */
    SOFTWARE_BREAKPOINT("breakpoint unsupported: breakpoint instructions are not reported") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                cc  int3
                e6 f4  out 0xF4,al
                """)) {
                GuestDebug debug = new GuestDebug();
                debug.control = GuestDebug.ENABLE | GuestDebug.USE_SW_BP;
                guest.vcpu.setGuestDebug(debug);
                return guest.vcpu.run() == ExitReason.DEBUG ? OK : -1;
            }
        }
    },
    /** Hardware breakpoints are reported. */
    HARDWARE_BREAKPOINT("breakpoint unsupported: hardware breakpoints are not reported") {
        @Override
        int run(Backend backend) {
            try (ParityGuest guest = ParityGuest.protectedMode(backend, Irqchip.NONE, """
                90  nop
                90  nop
                e6 f4  out 0xF4,al
                """)) {
                GuestDebug debug = new GuestDebug();
                debug.control = GuestDebug.ENABLE | GuestDebug.USE_HW_BP;
                debug.debugreg[0] = ParityGuest.CODE + 1;
                debug.debugreg[7] = 0x402;
                guest.vcpu.setGuestDebug(debug);
                return guest.vcpu.run() == ExitReason.DEBUG ? OK : -1;
            }
        }
    };

    /** The port that a handler writes. */
    private static final int OK = 0x61;

    private static final Map<Probe, Map<Backend, Optional<String>>> KNOWN = new EnumMap<>(Probe.class);

    private final String failure;

    Probe(String failure) {
        this.failure = failure;
    }

    /** {@link #OK}, or anything else where it does not work. */
    abstract int run(Backend backend);

    /** What does not work, with the proof; null where it does. */
    String failure(Backend backend) {
        synchronized (KNOWN) {
            return KNOWN.computeIfAbsent(this, probe -> new EnumMap<>(Backend.class))
                    .computeIfAbsent(backend, this::find)
                    .orElse(null);
        }
    }

    private Optional<String> find(Backend backend) {
        try {
            int port = run(backend);
            return port == OK
                    ? Optional.empty()
                    : Optional.of(failure + ": the probe guest "
                            + (port == ParityGuest.DONE ? "ran past it" : "ended otherwise"));
        } catch (KvmException e) {
            return Optional.of(failure + ": " + e.getMessage());
        }
    }

    /** Skips the test on a /dev/kvm that cannot do this; on an emulator it fails. */
    void need(Backend backend) {
        String proof = failure(backend);
        if (proof != null && backend == Backend.DEV_KVM) {
            throw new TestAbortedException("/dev/kvm: " + proof);
        }
        if (proof != null) {
            throw new AssertionError(backend + ": " + proof);
        }
    }
}
