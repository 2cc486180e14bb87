package org.softkvm.emulator;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What other threads tell a vcpu about code: a page now holds code that another vcpu has decoded, or bytes of such a page
 * were written. The vcpu takes the notes between two blocks; whoever wrote one can see whether that has happened.
 */
final class CodeNotes {
    /** Notes kept; a vcpu that does not run for a while gets one instead that concerns everything. */
    private static final int LIMIT = 4096;

    private final ConcurrentLinkedQueue<long[]> notes = new ConcurrentLinkedQueue<>();
    private final AtomicLong posted = new AtomicLong();
    private volatile boolean lost;
    private volatile long served;

    /** Serves notes, on the vcpu's thread. */
    interface Reader {
        /** A page holds code: stores to it have to be noticed. */
        void marked(long hostPage);

        /** Bytes of a page with code were written. */
        void written(long host, long length);

        /** Anything may have happened. */
        void everything();
    }

    /** Any thread: a page holds decoded code now. */
    void marked(long hostPage) {
        post(hostPage, 0);
    }

    /** Any thread: bytes of a page with decoded code were written. */
    void written(long host, long length) {
        post(host, length);
    }

    private void post(long host, long length) {
        if (posted.get() - served > LIMIT) {
            lost = true;
        } else {
            notes.add(new long[] {host, length});
        }
        posted.incrementAndGet();
    }

    /** How many notes there have been so far. */
    long posted() {
        return posted.get();
    }

    /** How many of them have taken effect. */
    long served() {
        return served;
    }

    /** Serves all notes that are there. */
    void serve(Reader reader) {
        // Counted before they are taken: a note is in the queue, or marked as lost, before it is counted.
        long upTo = posted.get();
        boolean all = lost;
        if (all) {
            lost = false;
            reader.everything();
        }
        for (long[] note = notes.poll(); note != null; note = notes.poll()) {
            if (!all && note[1] == 0) {
                reader.marked(note[0]);
            } else if (!all) {
                reader.written(note[0], note[1]);
            }
        }
        served = upTo;
    }
}
