package org.softkvm.emulator.cpu;

import org.softkvm.emulator.HostMemory;

/**
 * Which pages of the host memory pool hold code that some vcpu has decoded: one counter a page, for all VMs, so that
 * aliases of one page at several guest addresses share it.
 */
public final class CodePages {
    private static final int CHUNK_SHIFT = 27;
    private static final byte[][] CHUNKS = new byte[(int) ((HostMemory.poolSize() >>> CHUNK_SHIFT) + 1)][];

    private CodePages() {}

    /**
     * Whether a page holds decoded code.
     *
     * @param hostOffset a pool offset in it
     * @return true where writes have to be reported
     */
    public static boolean isCode(long hostOffset) {
        byte[] chunk = CHUNKS[(int) (hostOffset >>> CHUNK_SHIFT)];
        return chunk != null && chunk[(int) (hostOffset >>> 12) & (1 << CHUNK_SHIFT - 12) - 1] != 0;
    }

    /**
     * How many vcpus have code from a page.
     *
     * @param hostOffset a pool offset in it
     * @return number; 255 for any number above 254
     */
    public static int users(long hostOffset) {
        byte[] chunk = CHUNKS[(int) (hostOffset >>> CHUNK_SHIFT)];
        return chunk == null ? 0 : chunk[(int) (hostOffset >>> 12) & (1 << CHUNK_SHIFT - 12) - 1] & 0xFF;
    }

    /**
     * Adds to the number of vcpus that have code from a page.
     *
     * @param hostOffset a pool offset in it
     * @param delta 1 or -1
     * @return the number before
     */
    public static synchronized int count(long hostOffset, int delta) {
        int n = (int) (hostOffset >>> CHUNK_SHIFT);
        if (CHUNKS[n] == null) {
            CHUNKS[n] = new byte[1 << CHUNK_SHIFT - 12];
        }
        int page = (int) (hostOffset >>> 12) & (1 << CHUNK_SHIFT - 12) - 1;
        int value = CHUNKS[n][page] & 0xFF;
        // 255 sticks: a page with that many users stays marked.
        if (value != 255) {
            CHUNKS[n][page] = (byte) (value + delta);
        }
        return value;
    }
}
