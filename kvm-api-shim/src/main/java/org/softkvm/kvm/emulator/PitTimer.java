package org.softkvm.kvm.emulator;

import org.softkvm.devices.BusDevice;
import org.softkvm.devices.DeviceBus;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StateHash;
import org.softkvm.devices.isa.Pit8254;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.kvm.PitState;

/**
 * The PIT of the backend: an 8254, and KVM's policy for ticks that the guest did not take in time. With reinjection each
 * tick is an interrupt of its own, delivered when the one before has ended; without, the interrupt line follows OUT of
 * counter 0 and what comes too early is lost.
 *
 * <p>Everything happens under the chips' lock.
 */
final class PitTimer {
    private static final int CONTROL_WORD = 3;

    private final Pit8254 pit;
    private final InterruptLine irq;
    private final boolean speaker;
    private boolean reinject = true;
    private boolean hpetLegacy;

    /** A new state begins with OUT as its mode has it: that is no tick. */
    private boolean restoring;

    /** OUT of counter 0. */
    private boolean out;

    /** Ticks that have not ended as interrupts. */
    private long pending;

    /** Nothing is on its way. */
    private boolean ready = true;

    PitTimer(DeviceClock clock, InterruptLine irq, boolean speaker) {
        this.irq = irq;
        this.speaker = speaker;
        pit = new Pit8254(clock, this::setOut, this::ticksMissed);
    }

    void addTo(DeviceBus bus) {
        bus.addPorts(0x40, 4, new Counters(pit.counters()));
        if (speaker) {
            bus.addPorts(0x61, 1, pit.portB());
        }
    }

    void hashState(StateHash hash) {
        hash.add(pit.save());
        hash.add(pending);
    }

    private void setOut(boolean level) {
        boolean rises = level && !out;
        out = level;
        if (hpetLegacy || restoring) {
            return;
        }
        if (!reinject) {
            irq.set(level);
        } else if (rises) {
            pending++;
            inject();
        }
    }

    /** Ticks that the host's timer was too late for. */
    private void ticksMissed(long ticks) {
        if (reinject && !hpetLegacy) {
            pending += ticks;
        }
    }

    private void inject() {
        if (ready) {
            ready = false;
            irq.pulse();
        }
    }

    /** The guest ended the interrupt. */
    void interruptEnded() {
        ready = true;
        pending = Math.max(0, pending - 1);
        if (pending > 0 && reinject) {
            inject();
        }
    }

    /** The guest changed counter 0, or began to listen to it: earlier ticks do not count. */
    void forgetTicks() {
        pending = 0;
        ready = true;
    }

    void setReinject(boolean on) {
        if (on != reinject) {
            reinject = on;
            irq.set(!on && out && !hpetLegacy);
            forgetTicks();
        }
    }

    /** The counters' ports. */
    private final class Counters implements BusDevice {
        private final BusDevice ports;

        Counters(BusDevice ports) {
            this.ports = ports;
        }

        @Override
        public String name() {
            return ports.name();
        }

        @Override
        public long read(int offset, int size) {
            return ports.read(offset, size);
        }

        @Override
        public void write(int offset, int size, long value) {
            if (offset == 0 || offset == CONTROL_WORD && (value & 0xC0) == 0 && (value & 0x30) != 0) {
                forgetTicks();
            }
            ports.write(offset, size, value);
        }
    }

    void get(PitState state) {
        PitCodec.get(pit.save(), System.nanoTime(), state);
        state.flags |= hpetLegacy ? PitState.HPET_LEGACY : 0;
    }

    void set(PitState state) {
        Pit8254.State values = PitCodec.set(state);
        hpetLegacy = (state.flags & PitState.HPET_LEGACY) != 0;
        forgetTicks();
        restoring = true;
        pit.restore(values);
        restoring = false;
        irq.set(!reinject && out && !hpetLegacy);
    }
}
