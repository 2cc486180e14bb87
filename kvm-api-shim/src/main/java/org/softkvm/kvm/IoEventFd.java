package org.softkvm.kvm;

import java.util.Objects;

/**
 * A write of the guest that signals an {@link EventFd} and is not reported otherwise ({@code struct kvm_ioeventfd}).
 *
 * @param eventFd what is signalled
 * @param address the port or the guest-physical address; the write has to begin exactly there
 * @param length the width of the write in bytes: 1, 2, 4 or 8; 0 for any
 * @param flags {@link #DATAMATCH} and {@link #PIO}, or 0
 * @param dataMatch with {@link #DATAMATCH}, the value that has to be written; its lower bytes count
 */
public record IoEventFd(EventFd eventFd, long address, int length, int flags, long dataMatch) {
    /** Flag: only writes of a certain value signal. */
    public static final int DATAMATCH = 1;
    /** Flag: the address is a port. */
    public static final int PIO = 2;

    /** Checks that the event is not null; everything else is checked by the call that takes it. */
    public IoEventFd {
        Objects.requireNonNull(eventFd, "eventFd");
    }

    /**
     * Any value written to a guest-physical address.
     *
     * @param eventFd what is signalled
     * @param address the guest-physical address
     * @param length the width of the write in bytes: 1, 2, 4 or 8; 0 for any
     * @return the description
     */
    public static IoEventFd mmio(EventFd eventFd, long address, int length) {
        return new IoEventFd(eventFd, address, length, 0, 0);
    }

    /**
     * Any value written to a port.
     *
     * @param eventFd what is signalled
     * @param port the port
     * @param length the width of the write in bytes: 1, 2 or 4; 0 for any
     * @return the description
     */
    public static IoEventFd pio(EventFd eventFd, int port, int length) {
        return new IoEventFd(eventFd, port, length, PIO, 0);
    }

    /**
     * The same for one value only.
     *
     * @param value the value that has to be written
     * @return the description
     */
    public IoEventFd matching(long value) {
        return new IoEventFd(eventFd, address, length, flags | DATAMATCH, value);
    }

    /**
     * Whether the address is a port.
     *
     * @return true for a port, false for a guest-physical address
     */
    public boolean isPio() {
        return (flags & PIO) != 0;
    }

    /**
     * Whether only one value signals.
     *
     * @return true where {@link #dataMatch} counts
     */
    public boolean isMatching() {
        return (flags & DATAMATCH) != 0;
    }
}
