package org.softkvm.vmm.loader;

import java.util.ArrayList;
import java.util.List;

/**
 * Where the board puts its RAM. Low RAM reaches from 0 to at most 3 GiB; 3 GiB to 4 GiB is for devices and ROM; what is
 * left stands at 4 GiB. Below 1 MiB, 9FC00h to 9FFFFh is the extended BIOS data area, A0000h to BFFFFh is not RAM, and
 * C0000h to FFFFFh holds firmware and tables.
 *
 * @param lowSize bytes of RAM from address 0 up, the BIOS area included
 * @param highSize bytes of RAM from 4 GiB up
 */
public record RamLayout(long lowSize, long highSize) {
    /** End of the largest possible low RAM: 3 GiB. */
    public static final long LOW_LIMIT = 0xC000_0000L;

    /** Start of high RAM: 4 GiB. */
    public static final long HIGH_START = 1L << 32;

    /** End of conventional memory, where the extended BIOS data area begins. */
    public static final long CONVENTIONAL_END = 0x9_FC00L;

    /** First address of the video window, the end of RAM below 1 MiB. */
    public static final long VIDEO_START = 0xA_0000L;

    /** First address of the area for option ROMs. */
    public static final long OPTION_ROM_START = 0xC_0000L;

    /** First address of the 128 KiB of firmware below 1 MiB. */
    public static final long BIOS_START = 0xE_0000L;

    /** 1 MiB, where extended memory begins. */
    public static final long EXTENDED_START = 0x10_0000L;

    /**
     * Lays out an amount of RAM.
     *
     * @param total bytes of RAM, a positive multiple of 4 KiB
     * @return the layout
     */
    public static RamLayout of(long total) {
        if (total <= 0 || (total & 0xFFF) != 0) {
            throw new IllegalArgumentException("RAM size " + total + " is not a positive multiple of 4 KiB");
        }
        long low = Math.min(total, LOW_LIMIT);
        return new RamLayout(low, total - low);
    }

    /**
     * All RAM.
     *
     * @return its size in bytes
     */
    public long total() {
        return lowSize + highSize;
    }

    /**
     * The ranges a loader may put things in: RAM without the BIOS area.
     *
     * @return ranges of type {@link MemoryRange#RAM}, ascending
     */
    public List<MemoryRange> usable() {
        List<MemoryRange> ranges = new ArrayList<>();
        ranges.add(new MemoryRange(0, Math.min(lowSize, CONVENTIONAL_END), MemoryRange.RAM));
        if (lowSize > EXTENDED_START) {
            ranges.add(new MemoryRange(EXTENDED_START, lowSize - EXTENDED_START, MemoryRange.RAM));
        }
        if (highSize > 0) {
            ranges.add(new MemoryRange(HIGH_START, highSize, MemoryRange.RAM));
        }
        return List.copyOf(ranges);
    }

    /**
     * The map that a guest is told, as INT 15h function E820h would: usable RAM, the reserved BIOS areas, the interrupt
     * controllers' pages and the space of the ROM.
     *
     * @return all ranges, ascending, without overlaps
     */
    public List<MemoryRange> memoryMap() {
        List<MemoryRange> ranges = new ArrayList<>();
        for (MemoryRange range : usable()) {
            if (range.start() >= HIGH_START) {
                addFixed(ranges);
            }
            ranges.add(range);
            if (range.start() == 0) {
                if (lowSize >= VIDEO_START) {
                    ranges.add(new MemoryRange(CONVENTIONAL_END, VIDEO_START - CONVENTIONAL_END, MemoryRange.RESERVED));
                }
                ranges.add(new MemoryRange(BIOS_START, EXTENDED_START - BIOS_START, MemoryRange.RESERVED));
            }
        }
        if (highSize == 0) {
            addFixed(ranges);
        }
        return List.copyOf(ranges);
    }

    private static void addFixed(List<MemoryRange> ranges) {
        ranges.add(new MemoryRange(0xFEC0_0000L, 0x1000, MemoryRange.RESERVED));
        ranges.add(new MemoryRange(0xFEE0_0000L, 0x1000, MemoryRange.RESERVED));
        ranges.add(new MemoryRange(0xFFFC_0000L, 0x4_0000, MemoryRange.RESERVED));
    }
}
