package org.softkvm.vmm.loader;

import java.util.Objects;

/**
 * What a loader made of an image.
 *
 * @param kind how the image was recognised
 * @param start the state to start the first CPU in
 * @param rom bytes of the ROM that ends at 4 GiB, a multiple of 64 KiB; empty if the guest has none
 */
@SuppressWarnings("ArrayRecordComponent")
public record LoadedGuest(ImageKind kind, CpuStart start, byte[] rom) {
    /** Checks that nothing is null. */
    public LoadedGuest {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(start, "start");
        Objects.requireNonNull(rom, "rom");
    }
}
