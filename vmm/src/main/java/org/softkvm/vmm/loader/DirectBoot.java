package org.softkvm.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.softkvm.vmm.VmmException;

/** What the direct boot protocols share: room in low memory for the structures that the guest is handed. */
final class DirectBoot {
    /** Low end of the room for boot structures; below it are the interrupt table and the BIOS data area. */
    private static final long LOW_START = 0x6000;

    private static final int PAGE = 4096;
    private static final int GIB_MAPPED = 4;
    private static final int PRESENT_WRITABLE = 3;
    private static final int LARGE = 0x80;

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

    /** Puts page tables into conventional memory that map the first 4 GiB to themselves by pages of 2 MiB. */
    long putIdentityMap() throws VmmException {
        int tables = 2 + GIB_MAPPED;
        long at = placement.lowest(
                (long) tables * PAGE, PAGE, LOW_START, RamLayout.CONVENTIONAL_END, "the boot page tables");
        ByteBuffer bytes = ByteBuffer.allocate(tables * PAGE).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(0, at + PAGE | PRESENT_WRITABLE);
        for (int gib = 0; gib < GIB_MAPPED; gib++) {
            bytes.putLong(PAGE + 8 * gib, at + (2L + gib) * PAGE | PRESENT_WRITABLE);
        }
        for (int page = 0; page < 512 * GIB_MAPPED; page++) {
            bytes.putLong(2 * PAGE + 8 * page, (long) page << 21 | LARGE | PRESENT_WRITABLE);
        }
        ram.write(at, bytes.array());
        return at;
    }

    /** Puts a GDT with 64-bit code into conventional memory. */
    long putGdt64() throws VmmException {
        return putLow(FlatGdt.bytes64(), "the boot GDT");
    }

    /** Puts a GDT into conventional memory. */
    long putGdt() throws VmmException {
        return putLow(FlatGdt.bytes(), "the boot GDT");
    }
}
