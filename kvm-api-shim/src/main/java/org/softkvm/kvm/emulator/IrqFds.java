package org.softkvm.kvm.emulator;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.EventFd;
import org.softkvm.kvm.KvmException;

/** The eventfds that raise interrupts (KVM_IRQFD). */
final class IrqFds {
    private static final String CALL = "KVM_IRQFD";

    private final InterruptRouting routing;
    private final List<Assigned> all = new CopyOnWriteArrayList<>();

    /** One eventfd; {@code resample} is null for an edge-triggered interrupt. */
    private record Assigned(EventFd eventFd, int gsi, EventFd resample, Runnable listener) {}

    IrqFds(InterruptRouting routing) {
        this.routing = routing;
    }

    synchronized void assign(EventFd eventFd, int gsi, EventFd resample) {
        if (gsi < 0 || gsi >= GsiRoutes.MAX_ROUTES) {
            throw new KvmException(CALL, Errno.EINVAL, "gsi=" + gsi + " (0 to " + (GsiRoutes.MAX_ROUTES - 1) + ")");
        }
        for (Assigned other : all) {
            if (other.eventFd == eventFd) {
                throw new KvmException(CALL, Errno.EBUSY, "eventfd (it raises gsi " + other.gsi + " already)");
            }
        }
        Runnable listener = resample == null ? () -> pulse(eventFd, gsi) : () -> raise(eventFd, gsi);
        all.add(new Assigned(eventFd, gsi, resample, listener));
        eventFd.addListener(listener);
        if (eventFd.count() != 0) {
            // A signal that came before is not lost.
            listener.run();
        }
    }

    synchronized void deassign(EventFd eventFd, int gsi) {
        for (Assigned one : all) {
            if (one.eventFd == eventFd && one.gsi == gsi) {
                eventFd.removeListener(one.listener);
                all.remove(one);
                if (one.resample != null && !resampled(gsi)) {
                    // Nobody is left who would deassert it.
                    routing.drive(InterruptRouting.SOURCE_RESAMPLE, gsi, false);
                }
            }
        }
    }

    synchronized void deassignAll() {
        for (Assigned one : new ArrayList<>(all)) {
            one.eventFd.removeListener(one.listener);
        }
        all.clear();
    }

    private void pulse(EventFd eventFd, int gsi) {
        if (eventFd.take() != 0) {
            routing.drive(InterruptRouting.SOURCE_USER, gsi, true);
            routing.drive(InterruptRouting.SOURCE_USER, gsi, false);
        }
    }

    private void raise(EventFd eventFd, int gsi) {
        if (eventFd.take() != 0) {
            routing.drive(InterruptRouting.SOURCE_RESAMPLE, gsi, true);
        }
    }

    /** Whether the end of an interrupt has to be reported. */
    boolean resampled(int gsi) {
        for (Assigned one : all) {
            if (one.gsi == gsi && one.resample != null) {
                return true;
            }
        }
        return false;
    }

    /** The guest ended an interrupt: it is deasserted, and who asserted it may do so again. Under the chips' lock. */
    void ended(int gsi, ChipLock lock) {
        if (!resampled(gsi)) {
            return;
        }
        routing.drive(InterruptRouting.SOURCE_RESAMPLE, gsi, false);
        for (Assigned one : all) {
            if (one.gsi == gsi && one.resample != null) {
                lock.signalLater(one.resample);
            }
        }
    }
}
