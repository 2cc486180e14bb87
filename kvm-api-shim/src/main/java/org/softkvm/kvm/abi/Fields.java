package org.softkvm.kvm.abi;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.UnionLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** How structures are written down here, and access to their fields. KVM on x86 is little-endian. */
public final class Fields {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    // A client's pointer may be misaligned; on x86 that costs nothing.
    private static final ValueLayout.OfShort SHORT_AT = SHORT.withByteAlignment(1);
    private static final ValueLayout.OfInt INT_AT = INT.withByteAlignment(1);
    private static final ValueLayout.OfLong LONG_AT = LONG.withByteAlignment(1);

    private Fields() {}

    // ---- Layouts

    static MemoryLayout u8(String name) {
        return ValueLayout.JAVA_BYTE.withName(name);
    }

    static MemoryLayout u16(String name) {
        return SHORT.withName(name);
    }

    static MemoryLayout u32(String name) {
        return INT.withName(name);
    }

    static MemoryLayout u64(String name) {
        return LONG.withName(name);
    }

    static SequenceLayout array(String name, long count, MemoryLayout element) {
        return MemoryLayout.sequenceLayout(count, element).withName(name);
    }

    static SequenceLayout bytes(String name, long count) {
        return array(name, count, ValueLayout.JAVA_BYTE);
    }

    /** A structure as a C compiler for x86-64 lays it out: padding comes where the alignment asks for it. */
    static StructLayout struct(String name, MemoryLayout... members) {
        List<MemoryLayout> padded = new ArrayList<>();
        long offset = 0;
        long alignment = 1;
        for (MemoryLayout member : members) {
            long gap = -offset & (member.byteAlignment() - 1);
            if (gap > 0) {
                padded.add(MemoryLayout.paddingLayout(gap));
            }
            padded.add(member);
            offset += gap + member.byteSize();
            alignment = Math.max(alignment, member.byteAlignment());
        }
        long tail = -offset & (alignment - 1);
        if (tail > 0) {
            padded.add(MemoryLayout.paddingLayout(tail));
        }
        return MemoryLayout.structLayout(padded.toArray(MemoryLayout[]::new)).withName(name);
    }

    /** A union as a C compiler lays it out. */
    static GroupLayout union(String name, MemoryLayout... members) {
        UnionLayout layout = MemoryLayout.unionLayout(members);
        long tail = -layout.byteSize() & (layout.byteAlignment() - 1);
        if (tail > 0) {
            MemoryLayout[] more = Arrays.copyOf(members, members.length + 1);
            more[members.length] = MemoryLayout.paddingLayout(layout.byteSize() + tail);
            layout = MemoryLayout.unionLayout(more);
        }
        return layout.withName(name);
    }

    /** The offset of a field; nested fields with dots. */
    public static long offset(MemoryLayout layout, String path) {
        String[] names = path.split("\\.");
        PathElement[] elements = new PathElement[names.length];
        for (int i = 0; i < names.length; i++) {
            elements[i] = PathElement.groupElement(names[i]);
        }
        return layout.byteOffset(elements);
    }

    // ---- Access

    /** A byte, zero-extended. */
    public static int getByte(MemorySegment segment, long offset) {
        return segment.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
    }

    /** A 16-bit word, zero-extended. */
    public static int getShort(MemorySegment segment, long offset) {
        return segment.get(SHORT_AT, offset) & 0xFFFF;
    }

    /** A 32-bit word. */
    public static int getInt(MemorySegment segment, long offset) {
        return segment.get(INT_AT, offset);
    }

    /** A 64-bit word. */
    public static long getLong(MemorySegment segment, long offset) {
        return segment.get(LONG_AT, offset);
    }

    /** Stores the low 8 bits. */
    public static void putByte(MemorySegment segment, long offset, int value) {
        segment.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
    }

    /** Stores 1 or 0 in a byte. */
    public static void putFlag(MemorySegment segment, long offset, boolean value) {
        segment.set(ValueLayout.JAVA_BYTE, offset, value ? (byte) 1 : 0);
    }

    /** Stores the low 16 bits. */
    public static void putShort(MemorySegment segment, long offset, int value) {
        segment.set(SHORT_AT, offset, (short) value);
    }

    /** Stores a 32-bit word. */
    public static void putInt(MemorySegment segment, long offset, int value) {
        segment.set(INT_AT, offset, value);
    }

    /** Stores a 64-bit word. */
    public static void putLong(MemorySegment segment, long offset, long value) {
        segment.set(LONG_AT, offset, value);
    }

    /** Stores zeros. Unlike a fill of a slice it never allocates one. */
    public static void zero(MemorySegment segment, long offset, long size) {
        long end = offset + size;
        long at = offset;
        for (; at <= end - Long.BYTES; at += Long.BYTES) {
            segment.set(LONG_AT, at, 0);
        }
        for (; at < end; at++) {
            segment.set(ValueLayout.JAVA_BYTE, at, (byte) 0);
        }
    }
}
