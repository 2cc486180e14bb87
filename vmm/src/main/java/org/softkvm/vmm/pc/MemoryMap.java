package org.softkvm.vmm.pc;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.Vm;
import org.softkvm.vmm.loader.GuestRam;
import org.softkvm.vmm.loader.RamLayout;

/**
 * The board's memory slots: RAM, the BIOS area below 1 MiB, ROM, and what a closed A20 gate makes of them.
 *
 * <p>KVM has no A20 gate. While it is closed, each odd MiB of low memory is an alias of the even one below it.
 */
final class MemoryMap {
    /** Bytes of the BIOS area, and of the part of the ROM that shows there. */
    private static final int BIOS_SIZE = (int) (RamLayout.EXTENDED_START - RamLayout.BIOS_START);

    private static final long MIB = 1 << 20;

    /** Where the video memory ends, which is RAM in system-management mode. */
    private static final long VIDEO_END = 0xC_0000;

    /** Where a ROM ends for a CPU of 24 address lines: its reset vector is at FFFFF0h. */
    private static final long END_24_BITS = 1L << 24;

    private final Vm vm;
    private final GuestRam ram;
    private MemorySegment rom = MemorySegment.NULL;
    private final boolean addressLines24;
    /** What is read between the video memory and the BIOS, where nothing is: all ones. */
    private MemorySegment nothing = MemorySegment.NULL;

    private final List<MemorySlot> slots = new ArrayList<>();

    /** The address space that slots are added to. */
    private int space;

    /**
     * Prepares a map without ROM; {@link #install} makes it real.
     *
     * @param addressLines24 whether the ROM shows below 16 MiB as well
     */
    MemoryMap(Vm vm, GuestRam ram, boolean addressLines24) {
        this.vm = vm;
        this.ram = ram;
        this.addressLines24 = addressLines24;
    }

    /**
     * Says what the ROM is: once, before the map is installed.
     *
     * @param rom the ROM in memory that slots can lie on; of size 0 if there is none, and then the BIOS area is RAM
     */
    void setRom(MemorySegment rom) {
        this.rom = rom;
        if (vm.checkExtension(Capability.READONLY_MEM) > 0) {
            long end = rom.byteSize() > 0 ? MIB - romTop().byteSize() : RamLayout.BIOS_START;
            nothing = vm.allocateMemory(end - VIDEO_END);
            nothing.fill((byte) 0xFF);
        }
    }

    /** Replaces all slots. */
    void install(boolean a20Open) {
        slots.clear();
        space = 0;
        addAll(a20Open);
        if (vm.checkExtension(Capability.MULTI_ADDRESS_SPACE) > 1) {
            // What CPUs see in system-management mode: no A20 gate, and RAM where the video memory is.
            space = 1;
            addAll(true);
            long size = VIDEO_END - RamLayout.VIDEO_START;
            if (ram.layout().lowSize() >= VIDEO_END) {
                add(RamLayout.VIDEO_START, ram.low(RamLayout.VIDEO_START, size), 0);
            }
        }
        vm.replaceMemorySlots(slots);
    }

    private void addAll(boolean a20Open) {
        if (a20Open) {
            addLow(0, 0, ram.layout().lowSize());
        } else {
            for (long start = 0; start < ram.layout().lowSize(); start += MIB) {
                long length = Math.min(MIB, ram.layout().lowSize() - start);
                addLow(start, start & ~MIB, length);
            }
        }
        if (ram.layout().highSize() > 0) {
            add(RamLayout.HIGH_START, ram.high(), 0);
        }
        if (rom.byteSize() > 0) {
            add(RamLayout.HIGH_START - rom.byteSize(), rom, MemorySlot.READONLY);
            if (addressLines24) {
                MemorySegment top = romTop();
                add(END_24_BITS - top.byteSize(), top, MemorySlot.READONLY);
            }
        }
    }

    /** Puts the low memory of a range at an address; both begin in the same place of a MiB or at 0. */
    private void addLow(long address, long from, long length) {
        if (from == 0) {
            add(address, ram.low(0, RamLayout.VIDEO_START), 0);
            // Where option ROMs are looked for, word by word: no exit for each of them.
            add(address + VIDEO_END, nothing, MemorySlot.READONLY);
            if (rom.byteSize() > 0) {
                MemorySegment top = romTop();
                add(address + MIB - top.byteSize(), top, MemorySlot.READONLY);
            } else {
                add(address + RamLayout.BIOS_START, ram.low(RamLayout.BIOS_START, BIOS_SIZE), 0);
            }
            if (length > MIB) {
                add(address + MIB, ram.low(MIB, length - MIB), 0);
            }
        } else {
            add(address, ram.low(from, length), 0);
        }
    }

    private MemorySegment romTop() {
        long size = Math.min(rom.byteSize(), BIOS_SIZE);
        return rom.asSlice(rom.byteSize() - size);
    }

    private void add(long address, MemorySegment memory, int flags) {
        if (memory.byteSize() > 0) {
            slots.add(new MemorySlot(slots.size(), space, address, memory, flags));
        }
    }
}
