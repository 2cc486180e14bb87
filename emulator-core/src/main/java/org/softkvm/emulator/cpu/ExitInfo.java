package org.softkvm.emulator.cpu;

/**
 * The details of an exit, reused. MMIO: what is written waits in a queue of fragments, reported one by one before the
 * next instruction; what is read is answered by user space, then the instruction runs again and finds the answers in
 * order.
 */
public final class ExitInfo {
    /** The most fragments that one instruction makes: FXRSTOR of 512 bytes by bytes. */
    private static final int MAX_FRAGMENTS = 1024;

    /** I/O: port. */
    public int ioPort;
    /** I/O: bytes an item, 1, 2 or 4. */
    public int ioSize;
    /** I/O: items; more than 1 for string instructions. */
    public int ioCount;
    /** I/O: true for OUT. */
    public boolean ioOut;
    /** I/O: data, little-endian, ioSize * ioCount bytes. */
    public final byte[] ioData = new byte[4096];
    /** I/O: what to do with the answer when run() is entered again, or null. Owned by the I/O semantics. */
    public IoCompletion ioCompletion;

    /** I/O: the string instruction that the exit belongs to. Owned by the I/O semantics. */
    public org.softkvm.emulator.decode.Insn ioInsn;

    /** MMIO: guest-physical address. */
    public long mmioAddress;
    /** MMIO: bytes, 1 to 8. */
    public int mmioSize;
    /** MMIO: true for a write. */
    public boolean mmioWrite;
    /** MMIO: data of a write, or the answer of a read. */
    public long mmioData;

    /** DEBUG: vector, #DB or #BP. */
    public int debugVector;
    /** DEBUG: linear address where the vcpu stands. */
    public long debugPc;
    /** DEBUG: DR6 as the exception would leave it. */
    public long debugDr6;
    /** DEBUG: DR7 in effect. */
    public long debugDr7;

    /** MSR: why. */
    public int msrReason;
    /** MSR: its number. */
    public int msrIndex;
    /** MSR: what is written, or the answer. */
    public long msrData;
    /** MSR: the answer is #GP. */
    public boolean msrError;

    /** TPR access: direction. */
    public boolean tprWrite;

    /** INTERNAL_ERROR: KVM's suberror. */
    public int suberror;

    private final long[] readData = new long[MAX_FRAGMENTS];
    private final long[] writeAddress = new long[MAX_FRAGMENTS];
    private final long[] writeData = new long[MAX_FRAGMENTS];
    private final int[] writeSize = new int[MAX_FRAGMENTS];
    private int answers;
    private int position;
    private int writes;
    private int written;
    private boolean readPending;

    /** Finishes an IN or INS when user space has answered. */
    public interface IoCompletion {
        /**
         * Takes the data from {@link #ioData}.
         *
         * @param c the vcpu
         */
        void complete(Cpu c);
    }

    /**
     * Whether answers of MMIO reads wait for the instruction to run again.
     *
     * @return true while a replay is due
     */
    public boolean replaying() {
        return answers != 0;
    }

    /** Forgets the answers: the instruction (or one iteration of it) is complete. */
    public void commit() {
        answers = 0;
        position = 0;
    }

    /** Forgets the instruction that waits for user space; writes that are queued are done already. */
    void forget() {
        commit();
        readPending = false;
        ioCompletion = null;
    }

    /** Before an instruction runs (again): answers are taken from the first on. */
    public void rewind() {
        position = 0;
    }

    /** The next answer, if there is one. */
    boolean hasAnswer() {
        return position < answers;
    }

    long nextAnswer() {
        return readData[position++];
    }

    /** Begins a read; false where one instruction reads more than any does. */
    boolean startRead(long address, int size) {
        if (answers == MAX_FRAGMENTS) {
            return false;
        }
        mmioAddress = address;
        mmioSize = size;
        mmioWrite = false;
        readPending = true;
        return true;
    }

    /** Takes the answer of a read that user space has just given in {@link #mmioData}. */
    public void takeAnswer() {
        if (readPending) {
            readPending = false;
            readData[answers++] = mmioData;
        }
    }

    void queueWrite(long address, int size, long data) {
        if (written == writes) {
            // All that was queued has been reported: begin again, lest the queue fill up.
            written = 0;
            writes = 0;
        }
        if (writes < MAX_FRAGMENTS) {
            writeAddress[writes] = address;
            writeSize[writes] = size;
            writeData[writes] = data;
            writes++;
        }
    }

    /**
     * Moves the next queued write into the exit fields.
     *
     * @return false where none is left
     */
    public boolean nextWrite() {
        if (written == writes) {
            written = 0;
            writes = 0;
            return false;
        }
        mmioAddress = writeAddress[written];
        mmioSize = writeSize[written];
        mmioData = writeData[written];
        mmioWrite = true;
        written++;
        return true;
    }

    /**
     * Whether writes are queued.
     *
     * @return true where nextWrite has something
     */
    public boolean hasWrites() {
        return written != writes;
    }
}
