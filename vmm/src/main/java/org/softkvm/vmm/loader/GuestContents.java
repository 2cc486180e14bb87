package org.softkvm.vmm.loader;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * What a loader wants to stand in guest RAM. It is collected first and written later, so that everything that is wrong
 * with an image comes out before a machine is built for it.
 */
final class GuestContents {
    private final RamLayout layout;
    private final List<Piece> pieces = new ArrayList<>();

    /** Some bytes of an array and where they go. */
    private record Piece(long address, byte[] source, int offset, int length) {
        Piece part(int from, int size) {
            return new Piece(address + from, source, offset + from, size);
        }

        void writeTo(GuestRam ram) {
            ram.write(address, source, offset, length);
        }
    }

    /** Larger ones are written by two threads: for the host most of it is finding pages, which it does for both at once. */
    private static final int SPLIT = 4 << 20;

    private static final Executor HELPER =
            task -> Thread.ofPlatform().daemon().name("softkvm-writer-2").start(task);

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
            if (piece.length < SPLIT) {
                piece.writeTo(ram);
            } else {
                int half = piece.length / 2;
                CompletableFuture<Void> other = CompletableFuture.runAsync(
                        () -> piece.part(half, piece.length - half).writeTo(ram), HELPER);
                try {
                    piece.part(0, half).writeTo(ram);
                } finally {
                    other.join(); // Nobody writes any more when this returns, however it does.
                }
            }
        }
    }
}
