package org.softkvm.emulator.cpu;

import org.softkvm.emulator.decode.Feature;

/**
 * Segment, system and gate descriptors as they lie in the GDT and LDT (Intel SDM volume 3, sections 3.4.5 and 3.5). A
 * descriptor is its 8 raw bytes as a long; the 80286 ignores the upper 16 bits.
 */
public final class Descriptors {
    /** System types: 16-bit TSS, available. */
    public static final int TSS16 = 1;
    /** Local descriptor table. */
    public static final int LDT = 2;
    /** 16-bit call gate. */
    public static final int CALL_GATE16 = 4;
    /** Task gate. */
    public static final int TASK_GATE = 5;
    /** 16-bit interrupt gate. */
    public static final int INTERRUPT_GATE16 = 6;
    /** 16-bit trap gate. */
    public static final int TRAP_GATE16 = 7;
    /** 32-bit (in long mode: 64-bit) TSS, available. */
    public static final int TSS32 = 9;
    /** 32-bit (64-bit) call gate. */
    public static final int CALL_GATE32 = 12;
    /** 32-bit (64-bit) interrupt gate. */
    public static final int INTERRUPT_GATE32 = 14;
    /** 32-bit (64-bit) trap gate. */
    public static final int TRAP_GATE32 = 15;
    /** The bit that makes an available TSS type a busy one. */
    public static final int TSS_BUSY = 2;

    private static final long ACCESSED = 1L << 40;

    private Descriptors() {}

    /**
     * The linear address of a descriptor.
     *
     * @param c the vcpu
     * @param selector selector; its RPL is ignored
     * @param size bytes that have to be within the table: 8, or 16 for system descriptors in long mode
     * @return linear address, or -1 outside the table's limit or without an LDT
     */
    public static long address(Cpu c, int selector, int size) {
        int offset = selector & 0xFFF8;
        long base;
        if ((selector & 4) != 0) {
            if ((c.segAttr[Cpu.LDTR] & Cpu.ATTR_UNUSABLE) != 0 || offset + size - 1 > c.segLimit[Cpu.LDTR]) {
                return -1;
            }
            base = c.segBase[Cpu.LDTR];
        } else {
            if (offset + size - 1 > c.gdtLimit) {
                return -1;
            }
            base = c.gdtBase;
        }
        return linear(c, base + offset);
    }

    /** A linear address of a system structure: 32 bits outside long mode. */
    static long linear(Cpu c, long address) {
        return c.longMode() ? address : address & 0xFFFFFFFFL;
    }

    /**
     * Reads a descriptor.
     *
     * @param c the vcpu
     * @param selector selector, not null
     * @param vector the fault where it is outside the table
     * @param ext 1 while an external event or an exception is delivered, else 0: bit 0 of the error code
     * @return the raw descriptor
     */
    public static long fetch(Cpu c, int selector, int vector, int ext) {
        long address = address(c, selector, 8);
        if (address == -1) {
            throw c.fault(vector, error(selector, ext));
        }
        return raw(c, address);
    }

    /** Reads the raw descriptor at an address that {@link #address} gave. */
    public static long raw(Cpu c, long address) {
        long d = c.sysRead(address, 8);
        return c.model.has(Feature.I386) ? d : d & 0x0000_FFFF_FFFF_FFFFL;
    }

    /** The error code that names a selector. */
    public static int error(int selector, int ext) {
        return selector & 0xFFFC | ext;
    }

    /** Whether a selector is null (its RPL does not matter). */
    public static boolean isNull(int selector) {
        return (selector & 0xFFFC) == 0;
    }

    /**
     * Sets the accessed bit of a code or data descriptor in its table, where it is not set yet.
     *
     * @param c the vcpu
     * @param selector its selector
     * @param d the descriptor
     * @return the descriptor with the bit set
     */
    public static long accessed(Cpu c, int selector, long d) {
        if ((d & ACCESSED) == 0) {
            c.sysWrite(address(c, selector, 8) + 5, 1, d >>> 40 | 1);
        }
        return d | ACCESSED;
    }

    /** Type: bits 11 to 8 of the upper half. */
    public static int type(long d) {
        return (int) (d >>> 40) & 0xF;
    }

    /** Type with the S bit above it: below 16 for system descriptors. */
    public static int systemType(long d) {
        return (int) (d >>> 40) & 0x1F;
    }

    /** Code or data. */
    public static boolean isSegment(long d) {
        return (d & 1L << 44) != 0;
    }

    /** Code segment. */
    public static boolean isCode(long d) {
        return (d & 0x18L << 40) == 0x18L << 40;
    }

    /** Conforming; of code segments only. */
    public static boolean isConforming(long d) {
        return (d & 4L << 40) != 0;
    }

    /** Writable data segment. */
    public static boolean isWritableData(long d) {
        return (d & 0x1AL << 40) == 0x12L << 40;
    }

    /** Data, or code that can be read. */
    public static boolean isReadable(long d) {
        return isSegment(d) && ((d & 8L << 40) == 0 || (d & 2L << 40) != 0);
    }

    /** Descriptor privilege level. */
    public static int dpl(long d) {
        return (int) (d >>> 45) & 3;
    }

    /** Present. */
    public static boolean isPresent(long d) {
        return (d & 1L << 47) != 0;
    }

    /** 64-bit code. */
    public static boolean isLong(long d) {
        return (d & 1L << 53) != 0;
    }

    /** D or B bit. */
    public static boolean isBig(long d) {
        return (d & 1L << 54) != 0;
    }

    /** Base address, 32 bits. */
    public static long base(long d) {
        return d >>> 16 & 0xFFFFFF | d >>> 32 & 0xFF000000L;
    }

    /** Limit in bytes, granularity applied. */
    public static long limit(long d) {
        long limit = d & 0xFFFF | d >>> 32 & 0xF0000;
        return (d & 1L << 55) != 0 ? limit << 12 | 0xFFF : limit;
    }

    /** Attributes as {@link Cpu#segAttr} holds them. */
    public static int attributes(long d) {
        return (int) (d >>> 40) & 0xF0FF;
    }

    /** A gate's target selector. */
    public static int gateSelector(long d) {
        return (int) (d >>> 16) & 0xFFFF;
    }

    /** A gate's target offset, 32 bits (16-bit gates: the low 16 count). */
    public static long gateOffset(long d) {
        return d & 0xFFFF | d >>> 32 & 0xFFFF0000L;
    }
}
