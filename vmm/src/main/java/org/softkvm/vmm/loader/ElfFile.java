package org.softkvm.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;

/**
 * A little-endian ELF executable for i386 or x86-64 (System V ABI, chapters 4 and 5), checked before use.
 *
 * @param file the file it was read from
 * @param wide whether it is ELF64
 * @param entry e_entry, a virtual address
 * @param segments all program headers
 */
record ElfFile(GuestFile file, boolean wide, long entry, List<Segment> segments) {
    /** Note of a Xen guest kernel: physical address of the 32-bit entry point of the PVH protocol. */
    static final int XEN_ELFNOTE_PHYS32_ENTRY = 18;

    private static final int PT_LOAD = 1;
    private static final int PT_NOTE = 4;

    private static final int ET_REL = 1;
    private static final int ET_EXEC = 2;
    private static final int ET_DYN = 3;

    private static final int EM_386 = 3;
    private static final int EM_X86_64 = 62;

    private static final int MAX_SEGMENTS = 1024;

    /** One program header; offset and fileSize lie within the file. */
    record Segment(int type, long offset, long virtualAddress, long physicalAddress, long fileSize, long memorySize) {
        boolean loads() {
            return type == PT_LOAD && memorySize > 0;
        }

        /** Whether an address lies in the segment when it begins at a given one. */
        boolean contains(long start, long address) {
            return address - start >= 0 && address - start < memorySize;
        }
    }

    static boolean matches(byte[] data) {
        return data.length >= 4 && data[0] == 0x7F && data[1] == 'E' && data[2] == 'L' && data[3] == 'F';
    }

    /**
     * Reads the headers.
     *
     * @throws VmmException if the file is truncated, malformed, not executable or for another architecture
     */
    static ElfFile parse(GuestFile file) throws VmmException {
        byte[] data = file.data();
        if (data.length < 52) {
            throw truncated(file, "its header");
        }
        boolean wide = switch (data[4]) {
            case 1 -> false;
            case 2 -> true;
            default -> throw malformed(file, "unknown class " + data[4]);
        };
        if (data[5] != 1 && data[5] != 2) {
            throw malformed(file, "unknown byte order " + data[5]);
        }
        ByteBuffer in = ByteBuffer.wrap(data).order(data[5] == 1 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        int machine = in.getShort(18) & 0xFFFF;
        if (machine != EM_386 && machine != EM_X86_64) {
            throw new VmmException(file.name() + ": ELF file for another architecture: " + machineName(machine));
        }
        if (data[5] != 1) {
            throw malformed(file, "x86 code with big-endian headers");
        }
        if (wide && data.length < 64) {
            throw truncated(file, "its header");
        }
        int type = in.getShort(16) & 0xFFFF;
        if (type == ET_REL) {
            throw new VmmException(file.name() + ": ELF object file that has not been linked");
        }
        if (type != ET_EXEC && type != ET_DYN) {
            throw malformed(file, "type " + type + " is not an executable");
        }
        long entry = wide ? in.getLong(24) : in.getInt(24) & 0xFFFF_FFFFL;
        return new ElfFile(file, wide, entry, readSegments(file, in, wide));
    }

    private static List<Segment> readSegments(GuestFile file, ByteBuffer in, boolean wide) throws VmmException {
        long table = wide ? in.getLong(32) : in.getInt(28) & 0xFFFF_FFFFL;
        int entrySize = in.getShort(wide ? 54 : 42) & 0xFFFF;
        int count = in.getShort(wide ? 56 : 44) & 0xFFFF;
        if (count == 0) {
            throw new VmmException(file.name() + ": ELF file without program headers, nothing to load");
        }
        if (count > MAX_SEGMENTS || entrySize < (wide ? 56 : 32)) {
            throw malformed(file, count + " program headers of " + entrySize + " bytes");
        }
        long size = file.data().length;
        if (table < 0 || table > size || (long) count * entrySize > size - table) {
            throw truncated(file, "its program headers");
        }
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int at = (int) table + i * entrySize;
            Segment segment = wide ? segment64(in, at) : segment32(in, at);
            boolean read = segment.type == PT_LOAD || segment.type == PT_NOTE;
            if (read && outside(segment.offset, segment.fileSize, size)) {
                throw truncated(file, "program header " + i);
            }
            if (segment.type == PT_LOAD && Long.compareUnsigned(segment.fileSize, segment.memorySize) > 0) {
                throw malformed(file, "segment " + i + " is larger in the file than in memory");
            }
            segments.add(segment);
        }
        return List.copyOf(segments);
    }

    private static boolean outside(long offset, long length, long size) {
        return offset < 0 || length < 0 || offset > size || length > size - offset;
    }

    private static Segment segment32(ByteBuffer in, int at) {
        return new Segment(
                in.getInt(at),
                in.getInt(at + 4) & 0xFFFF_FFFFL,
                in.getInt(at + 8) & 0xFFFF_FFFFL,
                in.getInt(at + 12) & 0xFFFF_FFFFL,
                in.getInt(at + 16) & 0xFFFF_FFFFL,
                in.getInt(at + 20) & 0xFFFF_FFFFL);
    }

    private static Segment segment64(ByteBuffer in, int at) {
        return new Segment(
                in.getInt(at),
                in.getLong(at + 8),
                in.getLong(at + 16),
                in.getLong(at + 24),
                in.getLong(at + 32),
                in.getLong(at + 40));
    }

    /** Copies all loadable segments to their physical addresses. RAM is zero before, so BSS needs no work. */
    void load(GuestContents ram, Placement placement) throws VmmException {
        boolean any = false;
        for (Segment segment : segments) {
            if (segment.loads()) {
                placement.claim(segment.physicalAddress, segment.memorySize, file.name() + ": ELF segment");
                ram.write(segment.physicalAddress, file.data(), (int) segment.offset, (int) segment.fileSize);
                any = true;
            }
        }
        if (!any) {
            throw new VmmException(file.name() + ": ELF file without a loadable segment");
        }
    }

    /** The physical address of the entry point: a virtual address as a rule, but a physical one in Linux kernels. */
    long physicalEntry() throws VmmException {
        for (Segment segment : segments) {
            if (segment.loads() && segment.contains(segment.virtualAddress, entry)) {
                return segment.physicalAddress + (entry - segment.virtualAddress);
            }
        }
        for (Segment segment : segments) {
            if (segment.loads() && segment.contains(segment.physicalAddress, entry)) {
                return entry;
            }
        }
        throw malformed(file, "entry point 0x" + Long.toHexString(entry) + " lies in no segment");
    }

    /** The entry point that a PVH note names, if there is one. */
    OptionalLong pvhEntry() throws VmmException {
        for (Segment segment : segments) {
            if (segment.type == PT_NOTE) {
                OptionalLong entry = findPvhNote(segment);
                if (entry.isPresent()) {
                    return entry;
                }
            }
        }
        return OptionalLong.empty();
    }

    private OptionalLong findPvhNote(Segment segment) throws VmmException {
        ByteBuffer notes = ByteBuffer.wrap(file.data(), (int) segment.offset, (int) segment.fileSize)
                .slice()
                .order(ByteOrder.LITTLE_ENDIAN);
        long at = 0;
        while (at + 12 <= notes.limit()) {
            long nameSize = notes.getInt((int) at) & 0xFFFF_FFFFL;
            long descSize = notes.getInt((int) at + 4) & 0xFFFF_FFFFL;
            int type = notes.getInt((int) at + 8);
            long name = at + 12;
            long desc = name + Placement.alignUp(nameSize, 4);
            if (desc + descSize > notes.limit()) {
                throw truncated(file, "its notes");
            }
            if (type == XEN_ELFNOTE_PHYS32_ENTRY && nameSize == 4 && notes.getInt((int) name) == XEN_NAME) {
                if (descSize != 4 && descSize != 8) {
                    throw malformed(file, "PVH note of " + descSize + " bytes");
                }
                return OptionalLong.of(
                        descSize == 4 ? notes.getInt((int) desc) & 0xFFFF_FFFFL : notes.getLong((int) desc));
            }
            at = desc + Placement.alignUp(descSize, 4);
        }
        return OptionalLong.empty();
    }

    /** The four bytes 'Xen' and NUL. */
    private static final int XEN_NAME = 'X' | 'e' << 8 | 'n' << 16;

    private static VmmException truncated(GuestFile file, String what) {
        return new VmmException(
                file.name() + ": truncated ELF file: " + what + " reaches beyond its " + file.data().length + " bytes");
    }

    private static VmmException malformed(GuestFile file, String what) {
        return new VmmException(file.name() + ": malformed ELF file: " + what);
    }

    private static String machineName(int machine) {
        return switch (machine) {
            case 2, 18, 43 -> "SPARC";
            case 8 -> "MIPS";
            case 20 -> "PowerPC";
            case 21 -> "64-bit PowerPC";
            case 22 -> "IBM S/390";
            case 40 -> "32-bit ARM";
            case 50 -> "Itanium";
            case 183 -> "AArch64";
            case 243 -> "RISC-V";
            case 258 -> "LoongArch";
            default -> "ELF machine " + machine;
        };
    }
}
