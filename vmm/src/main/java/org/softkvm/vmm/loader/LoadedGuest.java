package org.softkvm.vmm.loader;

import java.util.Objects;

/** What a loader made of an image: the contents of RAM and ROM, and the state to start in. */
public final class LoadedGuest {
    private final ImageKind kind;
    private final CpuStart start;
    private final byte[] rom;
    private final GuestContents contents;

    LoadedGuest(ImageKind kind, CpuStart start, byte[] rom, GuestContents contents) {
        this.kind = Objects.requireNonNull(kind, "kind");
        this.start = Objects.requireNonNull(start, "start");
        this.rom = Objects.requireNonNull(rom, "rom");
        this.contents = Objects.requireNonNull(contents, "contents");
    }

    /**
     * What the image is.
     *
     * @return how it was recognised
     */
    public ImageKind kind() {
        return kind;
    }

    /**
     * Where the first CPU starts.
     *
     * @return its state
     */
    public CpuStart start() {
        return start;
    }

    /**
     * The ROM that ends at 4 GiB.
     *
     * @return its bytes, a multiple of 64 KiB; empty if the guest has none
     */
    public byte[] rom() {
        return rom;
    }

    /**
     * Writes the guest into its RAM.
     *
     * @param ram RAM of the layout that the guest was loaded for, all zeros
     */
    public void writeTo(GuestRam ram) {
        contents.writeTo(ram);
    }
}
