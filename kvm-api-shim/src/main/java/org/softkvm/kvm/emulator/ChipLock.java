package org.softkvm.kvm.emulator;

import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import org.softkvm.kvm.EventFd;

/**
 * The lock of a VM's chips. Eventfds that they signal while it is held are signalled when it is free again, because
 * their listeners belong to the caller of the API and may take locks of their own.
 */
final class ChipLock extends ReentrantLock {
    private static final long serialVersionUID = 1L;

    private transient EventFd[] due = new EventFd[8];
    private transient int count;

    /** Makes a lock that nobody holds. */
    ChipLock() {}

    /** Signals an eventfd as soon as the lock, which the thread holds, is free. */
    void signalLater(EventFd eventFd) {
        if (count == due.length) {
            due = Arrays.copyOf(due, 2 * count);
        }
        due[count++] = eventFd;
    }

    @Override
    public void unlock() {
        if (count == 0 || getHoldCount() != 1) {
            super.unlock();
            return;
        }
        EventFd[] signals = Arrays.copyOf(due, count);
        Arrays.fill(due, 0, count, null);
        count = 0;
        super.unlock();
        for (EventFd signal : signals) {
            signal.signal();
        }
    }
}
