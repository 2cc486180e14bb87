package org.softkvm.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The header of a multiboot 1 kernel (Multiboot Specification 0.6.96, section 3.1).
 *
 * @param offset where it stands in the file
 * @param flags what the kernel asks for
 * @param headerAddress physical address of the header, with {@link #ADDRESSES}
 * @param loadAddress physical address of the text segment
 * @param loadEnd end of the data segment, 0 for the whole file
 * @param bssEnd end of the BSS, 0 for none
 * @param entry physical entry point
 */
record MultibootHeader(
        int offset, int flags, long headerAddress, long loadAddress, long loadEnd, long bssEnd, long entry) {
    /** First word of the header. */
    static final int HEADER_MAGIC = 0x1BAD_B002;

    /** Flag: the address fields are valid and take the place of ELF headers (the a.out kludge). */
    static final int ADDRESSES = 1 << 16;

    /** Flags 0 to 15 that this loader honours: page-aligned modules, memory information, video mode (as a wish). */
    static final int KNOWN = 0b111;

    private static final int SEARCH = 8192;

    static Optional<MultibootHeader> find(byte[] data) {
        ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        int end = Math.min(data.length, SEARCH);
        for (int at = 0; at + 12 <= end; at += 4) {
            if (in.getInt(at) == HEADER_MAGIC && in.getInt(at) + in.getInt(at + 4) + in.getInt(at + 8) == 0) {
                int flags = in.getInt(at + 4);
                if ((flags & ADDRESSES) == 0) {
                    return Optional.of(new MultibootHeader(at, flags, 0, 0, 0, 0, 0));
                }
                if (at + 32 <= data.length) {
                    return Optional.of(new MultibootHeader(
                            at,
                            flags,
                            word(in, at + 12),
                            word(in, at + 16),
                            word(in, at + 20),
                            word(in, at + 24),
                            word(in, at + 28)));
                }
            }
        }
        return Optional.empty();
    }

    boolean hasAddresses() {
        return (flags & ADDRESSES) != 0;
    }

    private static long word(ByteBuffer in, int at) {
        return in.getInt(at) & 0xFFFF_FFFFL;
    }
}
