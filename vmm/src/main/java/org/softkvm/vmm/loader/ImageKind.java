package org.softkvm.vmm.loader;

/** What an image is, told by its content. */
public enum ImageKind {
    /** A ROM that ends at 4 GiB and holds the reset vector. */
    FLAT_ROM("flat ROM"),
    /** One 512-byte sector with the boot signature. */
    BOOT_SECTOR("boot sector"),
    /** A kernel with a multiboot 1 header. */
    MULTIBOOT("multiboot kernel"),
    /** An ELF kernel with a PVH entry point. */
    PVH("PVH kernel"),
    /** An ELF file with neither: entered at its entry point by the 32-bit Linux boot protocol. */
    ELF("plain ELF image"),
    /** A Linux bzImage. */
    BZIMAGE("Linux bzImage");

    private final String title;

    ImageKind(String title) {
        this.title = title;
    }

    /**
     * The kind in words.
     *
     * @return for messages, such as 'flat ROM'
     */
    public String title() {
        return title;
    }
}
