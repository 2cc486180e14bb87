package org.softkvm.vmm.loader;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.softkvm.vmm.VmmException;

/** What the direct boot protocols share: room in low memory for the structures that the guest is handed. */
final class DirectBoot {
    /** Low end of the room for boot structures; below it are the interrupt table and the BIOS data area. */
    private static final long LOW_START = 0x6000;

    private final GuestContents ram;
    private final Placement placement;

    DirectBoot(GuestContents ram, Placement placement) {
        this.ram = ram;
        this.placement = placement;
    }

    GuestContents ram() {
        return ram;
    }

    Placement placement() {
        return placement;
    }

    /** Puts bytes into conventional memory. */
    long putLow(byte[] bytes, String what) throws VmmException {
        long at = placement.lowest(Math.max(bytes.length, 1), 16, LOW_START, RamLayout.CONVENTIONAL_END, what);
        ram.write(at, bytes);
        return at;
    }

    /** Puts a NUL-terminated string into conventional memory. */
    long putString(String text, String what) throws VmmException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return putLow(Arrays.copyOf(bytes, bytes.length + 1), what);
    }

    /** Puts a GDT into conventional memory. */
    long putGdt() throws VmmException {
        return putLow(FlatGdt.bytes(), "the boot GDT");
    }
}
