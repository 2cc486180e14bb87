package org.softkvm.devices.apic;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.Lock;

/**
 * The APIC bus of one process.
 *
 * <p>Interrupt messages are delivered on the sender's thread and take no lock. End-of-interrupt messages go to the
 * IOAPICs with the board's lock held; as local APICs hold no lock of theirs when they send one, an IOAPIC that
 * answers with a new interrupt, or a line that changes at that moment on another thread, cannot deadlock.
 */
public final class InProcessApicBus implements ApicBus {
    private final Lock boardLock;
    private volatile Receiver[] receivers = new Receiver[0];
    private volatile EoiListener[] eoiListeners = new EoiListener[0];

    /**
     * Creates a bus with nothing on it.
     *
     * @param boardLock held while IOAPICs get end-of-interrupt messages; must be re-entrant
     */
    public InProcessApicBus(Lock boardLock) {
        this.boardLock = boardLock;
    }

    /**
     * Puts a local APIC on the bus. Among equals, lowest-priority delivery takes the one that was attached first.
     *
     * @param receiver the local APIC
     */
    public synchronized void attach(Receiver receiver) {
        Receiver[] more = Arrays.copyOf(receivers, receivers.length + 1);
        more[receivers.length] = receiver;
        receivers = more;
    }

    /**
     * Takes a local APIC off the bus; does nothing when it is not there.
     *
     * @param receiver the local APIC
     */
    public synchronized void detach(Receiver receiver) {
        List<Receiver> left = new ArrayList<>(Arrays.asList(receivers));
        left.remove(receiver);
        receivers = left.toArray(new Receiver[0]);
    }

    /**
     * Puts an IOAPIC on the bus.
     *
     * @param listener the IOAPIC
     */
    public synchronized void attach(EoiListener listener) {
        EoiListener[] more = Arrays.copyOf(eoiListeners, eoiListeners.length + 1);
        more[eoiListeners.length] = listener;
        eoiListeners = more;
    }

    @Override
    public int send(long message) {
        return deliver(message, null);
    }

    @Override
    public int sendToOthers(long message, Receiver sender) {
        return deliver(message | (long) ApicMessage.BROADCAST << 32, sender);
    }

    private int deliver(long message, Receiver except) {
        if (ApicMessage.deliveryMode(message) == ApicMessage.LOWEST_PRIORITY) {
            return deliverLowestPriority(message, except);
        }
        int result = NO_DESTINATION;
        for (Receiver receiver : receivers) {
            if (receiver != except && receiver.matches(message)) {
                result = Math.max(result, 0) + (receiver.accept(message) ? 1 : 0);
            }
        }
        return result;
    }

    private int deliverLowestPriority(long message, Receiver except) {
        Receiver chosen = null;
        int lowest = Integer.MAX_VALUE;
        boolean matched = false;
        for (Receiver receiver : receivers) {
            if (receiver == except || !receiver.matches(message)) {
                continue;
            }
            matched = true;
            if (receiver.isSoftwareEnabled() && receiver.processorPriority() < lowest) {
                chosen = receiver;
                lowest = receiver.processorPriority();
            }
        }
        if (!matched) {
            return NO_DESTINATION;
        }
        return chosen != null && chosen.accept(message) ? 1 : 0;
    }

    @Override
    public void endOfInterrupt(int vector) {
        boardLock.lock();
        try {
            for (EoiListener listener : eoiListeners) {
                listener.endOfInterrupt(vector);
            }
        } finally {
            boardLock.unlock();
        }
    }
}
