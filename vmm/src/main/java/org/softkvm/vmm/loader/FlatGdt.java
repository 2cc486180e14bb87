package org.softkvm.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The GDT that a directly booted guest starts with, with the selectors of the Linux boot protocol. Other protocols leave GDTR undefined or let the segment caches
 * stand alone; a real table costs nothing and lets a small guest reload its segments.
 */
public final class FlatGdt {
    /** Selector of the 32-bit code segment. */
    public static final int CODE = 0x10;

    /** Selector of the data segment. */
    public static final int DATA = 0x18;

    /** Selector of the TSS, 104 bytes at address 0 (PVH asks for a TR with this limit). */
    public static final int TSS = 0x20;

    /** Bytes of the table. */
    public static final int SIZE = 40;

    private FlatGdt() {}

    /**
     * The table.
     *
     * @return two null descriptors, code, data and TSS descriptor
     */
    static byte[] bytes() {
        return bytes(0x00CF_9B00_0000_FFFFL); // base 0, limit 4 GiB, present, code, readable, accessed, 32 bits
    }

    /**
     * The table for a start in 64-bit mode.
     *
     * @return the same with a 64-bit code segment
     */
    static byte[] bytes64() {
        return bytes(0x00AF_9B00_0000_FFFFL); // L instead of D
    }

    private static byte[] bytes(long code) {
        ByteBuffer gdt = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        gdt.putLong(0).putLong(0);
        gdt.putLong(code);
        gdt.putLong(0x00CF_9300_0000_FFFFL); // base 0, limit 4 GiB, present, data, writable, accessed, 32 bits
        gdt.putLong(0x0000_8B00_0000_0067L); // base 0, limit 67h, present, busy 32-bit TSS
        return gdt.array();
    }
}
