package org.softkvm.kvm.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.softkvm.devices.apic.ApicMessage;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.Hypercalls;

/** KVM's hypercalls of a vcpu (Documentation/virt/kvm/x86/hypercalls.rst). Belongs to the vcpu's thread. */
final class PvHypercalls implements Hypercalls {
    static final int VAPIC_POLL_IRQ = 1;
    static final int KICK_CPU = 5;
    static final int CLOCK_PAIRING = 9;
    static final int SEND_IPI = 10;
    static final int SCHED_YIELD = 11;

    private static final long EFAULT = -14;
    private static final long EINVAL = -22;
    private static final long EOPNOTSUPP = -95;

    private static final long NANOS = 1_000_000_000L;
    private static final int PAIRING_SIZE = 64;
    private static final int PAIRING_TSC = 16;

    /** Destination mode and shorthand of the interrupt command register: the call has its own destinations. */
    private static final long ICR_DESTINATION = 0xC0800;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final EmulatorVm vm;
    private final PvClock clock;
    private final GuestMemory memory;
    private final byte[] pairing = new byte[PAIRING_SIZE];

    PvHypercalls(EmulatorVm vm, PvClock clock) {
        this.vm = vm;
        this.clock = clock;
        memory = vm.memory();
    }

    @Override
    public long call(long number, long a0, long a1, long a2, long a3, boolean wide) {
        if (number != (int) number) {
            return ENOSYS;
        }
        return switch ((int) number) {
            case VAPIC_POLL_IRQ -> 0;
            case KICK_CPU -> kickCpu(a1);
            case CLOCK_PAIRING -> clockPairing(a0, a1);
            case SEND_IPI -> sendIpi(a0, a1, a2, a3, wide ? Long.SIZE : Integer.SIZE);
            case SCHED_YIELD -> {
                Thread.yield();
                yield 0;
            }
            default -> ENOSYS;
        };
    }

    /** Wakes a vcpu from HLT, or lets its next HLT pass. */
    private long kickCpu(long apicId) {
        EmulatorVcpu target = vm.vcpu(apicId);
        if (target != null) {
            target.unhalt();
        }
        return 0;
    }

    private long sendIpi(long low, long high, long first, long icr, int bits) {
        if (!vm.hasLapics()) {
            return EOPNOTSUPP;
        }
        if ((icr & ICR_DESTINATION) != 0) {
            return EINVAL;
        }
        long taken = 0;
        for (long left = low; left != 0; left &= left - 1) {
            taken += send(first + Long.numberOfTrailingZeros(left), (int) icr);
        }
        for (long left = high; left != 0; left &= left - 1) {
            taken += send(first + bits + Long.numberOfTrailingZeros(left), (int) icr);
        }
        return taken;
    }

    private int send(long apicId, int icr) {
        EmulatorVcpu target = vm.vcpu(apicId);
        return target != null && target.accept(ApicMessage.ofRegister(icr, (int) apicId)) ? 1 : 0;
    }

    /** The host's wall clock and the vcpu's time-stamp counter at one moment ({@code struct kvm_clock_pairing}). */
    private long clockPairing(long address, long clockType) {
        if (clockType != 0) {
            return EOPNOTSUPP;
        }
        // Both ends: the record is 64 bytes, and the guest need not align it.
        if (memory.hostOffset(address) == GuestMemory.NONE
                || memory.hostOffset(address + PAIRING_SIZE - 1) == GuestMemory.NONE) {
            return EFAULT;
        }
        long realtime = vm.time().realtime();
        LONG.set(pairing, 0, Math.floorDiv(realtime, NANOS));
        LONG.set(pairing, 8, Math.floorMod(realtime, NANOS));
        LONG.set(pairing, PAIRING_TSC, clock.guestTsc());
        memory.write(address, pairing, 0, PAIRING_SIZE);
        return 0;
    }
}
