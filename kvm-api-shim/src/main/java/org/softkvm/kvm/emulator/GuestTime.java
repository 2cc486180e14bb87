package org.softkvm.kvm.emulator;

/**
 * How long a vcpu executed guest code.
 *
 * <p>Reading the clock twice an exit would cost as much as the rest of a port exit. Where an exit comes within
 * {@link #SHORT_NANOS} of the entry, the next {@link #WINDOW} stays are therefore taken together: from their whole time
 * goes what the caller needed for them, at the rate of the one exit measured before. A stay that turns out to be a long
 * one counts in full; only an exit that is served unusually slowly among quick ones is taken for guest time.
 *
 * <p>Belongs to the vcpu's thread.
 */
final class GuestTime {
    /** A stay below this is a short one. */
    static final long SHORT_NANOS = 4_000;

    /** How many stays are measured together. */
    static final int WINDOW = 16;

    private long nanos;

    /** Stays of the present window that have not ended; 0 outside of one. */
    private int left;

    private boolean window;
    private long openedAt;

    private long enteredAt;
    private long leftAt;
    private boolean shortStay;

    /** The stay that was measured last, and the time from its end to the next entry. */
    private long stay;

    private long served;

    /** The guest is entered. */
    void enter() {
        if (left == 0) {
            enter(System.nanoTime());
        }
    }

    /** The same at a time that the caller knows. */
    void enter(long now) {
        if (left > 0) {
            return;
        }
        if (window) {
            close(now);
        } else if (shortStay) {
            served = now - leftAt;
            shortStay = false;
            window = true;
            openedAt = now;
            left = WINDOW;
            return;
        }
        enteredAt = now;
    }

    /**
     * The guest is left.
     *
     * @param soon whether it will be entered again soon: after a port access or the like
     */
    void leave(boolean soon) {
        if (left == 0 || !soon) {
            leave(soon, System.nanoTime());
        } else {
            left--;
        }
    }

    /** The same at a time that the caller knows. */
    void leave(boolean soon, long now) {
        if (left > 0) {
            left--;
            if (!soon) {
                close(now);
            }
            return;
        }
        stay = now - enteredAt;
        nanos += stay;
        leftAt = now;
        shortStay = soon && stay < SHORT_NANOS;
    }

    private void close(long now) {
        long total = now - openedAt;
        long stays = WINDOW - left;
        nanos += total - Math.min(stays * served, (long) ((double) total * served / (served + stay + 1)));
        left = 0;
        window = false;
        shortStay = false;
    }

    /** The time so far; not from within the guest. */
    long nanos() {
        if (window) {
            close(System.nanoTime());
        }
        return nanos;
    }
}
