package org.softkvm.devices;

/**
 * Guest-physical memory as a device that masters the bus sees it. What a guest makes a device do may lead anywhere, so
 * an address without memory is an answer and not an exception.
 */
public interface DmaMemory {
    /**
     * Reads memory.
     *
     * @param address the guest-physical address of the first byte, as an unsigned number
     * @param to gets the bytes
     * @param offset where in {@code to} the first one goes
     * @param length how many, 0 or more
     * @return whether all of them lay in memory; if not, some of {@code to} may have been written
     */
    boolean read(long address, byte[] to, int offset, int length);

    /**
     * Writes memory.
     *
     * @param address the guest-physical address of the first byte, as an unsigned number
     * @param from holds the bytes
     * @param offset where in {@code from} the first one lies
     * @param length how many, 0 or more
     * @return whether all of them lay in writable memory; if not, some may have been written
     */
    boolean write(long address, byte[] from, int offset, int length);
}
