package org.softkvm.devices.time;

import java.util.Arrays;

/**
 * Armed timers ordered by deadline, equal deadlines in the order of arming: a binary heap that lives in the timers
 * themselves, so arming allocates only when the number of timers grows. Not thread-safe.
 */
final class TimerQueue {
    /** A timer's place in the queue. */
    static class Entry {
        private final Runnable callback;
        private long deadline;
        private long sequence;
        private int index = -1;

        Entry(Runnable callback) {
            this.callback = callback;
        }

        final void run() {
            callback.run();
        }

        final boolean isQueued() {
            return index >= 0;
        }

        final long deadline() {
            return deadline;
        }

        final long sequence() {
            return sequence;
        }

        private boolean before(Entry other) {
            return deadline != other.deadline ? deadline < other.deadline : sequence - other.sequence < 0;
        }
    }

    private Entry[] heap = new Entry[16];
    private int size;
    private long nextSequence;

    /** The entry that is due first, or null. */
    Entry first() {
        return size == 0 ? null : heap[0];
    }

    /** The first deadline, or Long.MAX_VALUE. */
    long firstDeadline() {
        return size == 0 ? Long.MAX_VALUE : heap[0].deadline;
    }

    /** The sequence number of the entry that was put last. */
    long lastSequence() {
        return nextSequence - 1;
    }

    void put(Entry entry, long deadline) {
        remove(entry);
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        entry.deadline = deadline;
        entry.sequence = nextSequence++;
        siftUp(entry, size++);
    }

    void remove(Entry entry) {
        int hole = entry.index;
        if (hole < 0) {
            return;
        }
        entry.index = -1;
        Entry last = heap[--size];
        heap[size] = null;
        if (last == entry) {
            return;
        }
        if (hole > 0 && last.before(heap[(hole - 1) / 2])) {
            siftUp(last, hole);
        } else {
            siftDown(last, hole);
        }
    }

    private void siftUp(Entry entry, int from) {
        int at = from;
        while (at > 0) {
            int parent = (at - 1) / 2;
            if (!entry.before(heap[parent])) {
                break;
            }
            place(heap[parent], at);
            at = parent;
        }
        place(entry, at);
    }

    private void siftDown(Entry entry, int from) {
        int at = from;
        while (2 * at + 1 < size) {
            int child = 2 * at + 1;
            if (child + 1 < size && heap[child + 1].before(heap[child])) {
                child++;
            }
            if (!heap[child].before(entry)) {
                break;
            }
            place(heap[child], at);
            at = child;
        }
        place(entry, at);
    }

    private void place(Entry entry, int at) {
        heap[at] = entry;
        entry.index = at;
    }
}
