package org.softkvm.vmm.loader;

import java.util.ArrayList;
import java.util.List;

/**
 * What a loader wants to stand in guest RAM. It is collected first and written later, so that everything that is wrong
 * with an image comes out before a machine is built for it.
 */
final class GuestContents {
    private final RamLayout layout;
    private final List<Piece> pieces = new ArrayList<>();

    /** Some bytes of an array and where they go. */
    private record Piece(long address, byte[] source, int offset, int length) {}

    GuestContents(RamLayout layout) {
        this.layout = layout;
    }

    RamLayout layout() {
        return layout;
    }

    /** Adds bytes; the array must not change any more. */
    void write(long address, byte[] source, int offset, int length) {
        pieces.add(new Piece(address, source, offset, length));
    }

    /** Adds bytes; the array must not change any more. */
    void write(long address, byte[] source) {
        write(address, source, 0, source.length);
    }

    void writeTo(GuestRam ram) {
        for (Piece piece : pieces) {
            ram.write(piece.address, piece.source, piece.offset, piece.length);
        }
    }
}
