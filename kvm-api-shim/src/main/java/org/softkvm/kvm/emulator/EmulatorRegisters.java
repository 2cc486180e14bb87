package org.softkvm.kvm.emulator;

import org.softkvm.devices.apic.LocalApic;
import org.softkvm.emulator.RandomSource;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.kvm.RegisterId;

/**
 * The registers of type {@link RegisterId#TYPE_EMULATOR}: what KVM's structures leave out, and what a guest under the
 * virtual clock would notice if a restored machine had it otherwise.
 */
final class EmulatorRegisters {
    private static final String GET = "KVM_GET_ONE_REG";
    private static final int ERROR_ARMED = 8;
    private static final int PINS = 16;
    private static final int REMOTE_IRR = 18;
    private static final int EXTINT = 20;
    private static final int LATCHES = 21;
    private static final int RUNNING = 32;

    private final VirtualCpu cpu;
    private final LocalApic apic;
    private final PvEoi eoi;
    private final Tsc tsc;
    private final VmTime time;
    private final MsrAccess msrs;

    /** Null on the host's clock. */
    private final RandomSource random;

    /** What was executed before the state was restored here. */
    private long instructionsBefore;

    /** The part of the timer's state that waits for the other one. */
    private long elapsed;

    /**
     * Makes them.
     *
     * @param apic the local APIC, or null where it is outside
     * @param random where random numbers come from, or null where that is the host
     */
    EmulatorRegisters(
            VirtualCpu cpu, LocalApic apic, PvEoi eoi, Tsc tsc, VmTime time, MsrAccess msrs, RandomSource random) {
        this.cpu = cpu;
        this.apic = apic;
        this.eoi = eoi;
        this.tsc = tsc;
        this.time = time;
        this.msrs = msrs;
        this.random = random;
    }

    /** Instructions since the guest started. */
    long instructions() {
        return instructionsBefore + cpu.instructions();
    }

    /** Adds the ids that are read and written before all others; returns their number and that of those before. */
    int addBefore(long[] ids, int count) {
        int n = count;
        if (apic != null) {
            ids[n++] = RegisterId.EMULATOR_PV_EOI;
        }
        return n;
    }

    /** Adds the ids that are read and written behind the local APIC's registers. */
    int addBehind(long[] ids, int count) {
        int n = count;
        ids[n++] = RegisterId.EMULATOR_INSTRUCTIONS;
        if (random != null) {
            ids[n++] = RegisterId.EMULATOR_RANDOM;
        }
        if (apic != null) {
            ids[n++] = RegisterId.EMULATOR_APIC_LATCHES;
            ids[n++] = RegisterId.EMULATOR_APIC_TIMER_ELAPSED;
            ids[n++] = RegisterId.EMULATOR_APIC_TIMER_START;
        }
        return n;
    }

    private boolean has(long id) {
        if (id == RegisterId.EMULATOR_TSC_OFFSET || id == RegisterId.EMULATOR_INSTRUCTIONS) {
            return true;
        }
        if (id == RegisterId.EMULATOR_RANDOM) {
            return random != null;
        }
        int index = RegisterId.index(id);
        return apic != null && index >= 0 && index <= RegisterId.index(RegisterId.EMULATOR_APIC_TIMER_START);
    }

    long get(long id) {
        if (!has(id)) {
            throw OneRegisters.unknown(GET, id);
        }
        if (id == RegisterId.EMULATOR_PV_EOI) {
            return eoi.isOpen() ? 1 : 0;
        } else if (id == RegisterId.EMULATOR_TSC_OFFSET) {
            return tscOffset();
        } else if (id == RegisterId.EMULATOR_INSTRUCTIONS) {
            return instructions();
        } else if (id == RegisterId.EMULATOR_RANDOM) {
            return random.state();
        }
        LocalApic.State state = apic.save();
        if (id == RegisterId.EMULATOR_APIC_LATCHES) {
            return state.errors()
                    | bit(state.errorArmed(), ERROR_ARMED)
                    | (long) state.pins() << PINS
                    | (long) state.pinsRemoteIrr() << REMOTE_IRR
                    | bit(state.extIntLatched(), EXTINT);
        } else if (id == RegisterId.EMULATOR_APIC_TIMER_ELAPSED) {
            return state.timerElapsedNanos();
        }
        return state.timerStartCount() | bit(state.timerRunning(), RUNNING);
    }

    private static long bit(boolean value, int position) {
        return value ? 1L << position : 0;
    }

    private static boolean isSet(long value, int position) {
        return (value >>> position & 1) != 0;
    }

    private long tscOffset() {
        tsc.hold(time.nanoTime());
        try {
            return cpu.tsc() - tsc.tsc();
        } finally {
            tsc.release();
        }
    }

    void set(long id, long value) {
        if (!has(id)) {
            throw OneRegisters.unknown("KVM_SET_ONE_REG", id);
        }
        if (id == RegisterId.EMULATOR_PV_EOI) {
            check(id, value, 1);
            eoi.offerAgain(value != 0);
        } else if (id == RegisterId.EMULATOR_TSC_OFFSET) {
            setTscOffset(value);
        } else if (id == RegisterId.EMULATOR_INSTRUCTIONS) {
            instructionsBefore = value - cpu.instructions();
        } else if (id == RegisterId.EMULATOR_RANDOM) {
            random.setState(value);
        } else if (id == RegisterId.EMULATOR_APIC_LATCHES) {
            check(id, value, (1L << LATCHES) - 1);
            apic.restore(withLatches(apic.save(), (int) value));
        } else if (id == RegisterId.EMULATOR_APIC_TIMER_ELAPSED) {
            elapsed = Math.max(0, value);
        } else {
            check(id, value, (1L << RUNNING + 1) - 1);
            apic.restore(withTimer(apic.save(), elapsed, value));
        }
    }

    private static void check(long id, long value, long most) {
        if ((value & ~most) != 0) {
            throw OneRegisters.refused(id, value);
        }
    }

    private void setTscOffset(long offset) {
        tsc.hold(time.nanoTime());
        try {
            msrs.write(MsrList.TSC, tsc.tsc() + offset);
        } finally {
            tsc.release();
        }
    }

    private static LocalApic.State withLatches(LocalApic.State s, int value) {
        return new LocalApic.State(
                s.apicBase(),
                s.id(),
                s.tpr(),
                s.ldr(),
                s.dfr(),
                s.svr(),
                s.icr(),
                s.esr(),
                value & 0xFF,
                isSet(value, ERROR_ARMED),
                s.isr(),
                s.irr(),
                s.tmr(),
                s.lvt(),
                s.timerMode(),
                s.timerDivide(),
                s.timerInitialCount(),
                s.timerRunning(),
                s.timerElapsedNanos(),
                s.timerStartCount(),
                s.tscDeadline(),
                value >>> PINS & 3,
                value >>> REMOTE_IRR & 3,
                isSet(value, EXTINT),
                s.eoiExitVectors());
    }

    private static LocalApic.State withTimer(LocalApic.State s, long elapsed, long start) {
        return new LocalApic.State(
                s.apicBase(),
                s.id(),
                s.tpr(),
                s.ldr(),
                s.dfr(),
                s.svr(),
                s.icr(),
                s.esr(),
                s.errors(),
                s.errorArmed(),
                s.isr(),
                s.irr(),
                s.tmr(),
                s.lvt(),
                s.timerMode(),
                s.timerDivide(),
                s.timerInitialCount(),
                isSet(start, RUNNING),
                elapsed,
                start & 0xFFFF_FFFFL,
                s.tscDeadline(),
                s.pins(),
                s.pinsRemoteIrr(),
                s.extIntLatched(),
                s.eoiExitVectors());
    }
}
