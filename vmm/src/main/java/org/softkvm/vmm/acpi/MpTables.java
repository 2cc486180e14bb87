package org.softkvm.vmm.acpi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The tables of Intel's MultiProcessor Specification 1.4, for systems from before ACPI: the floating pointer structure
 * (section 4.1) and behind it the configuration table (4.2, 4.3).
 */
public final class MpTables {
    private static final int POINTER_SIZE = 16;
    private static final int HEADER_SIZE = 44;
    private static final int PROCESSOR_SIZE = 20;
    private static final int ENTRY_SIZE = 8;

    private static final int IO_APIC_ADDRESS = 0xFEC0_0000;
    private static final int LOCAL_APIC_ADDRESS = 0xFEE0_0000;

    private static final int SPECIFICATION_1_4 = 4;
    private static final int LOCAL_APIC_VERSION = 0x14;
    private static final int IO_APIC_VERSION = 0x20;
    private static final int ENABLED = 1;
    private static final int BOOTSTRAP = 2;

    /** Family 6, with an FPU and a local APIC: systems look at CPUID for more. */
    private static final int SIGNATURE = 0x600;

    private static final int FEATURES = 1 << 9 | 1;

    private static final int ISA_BUS = 0;
    private static final int ISA_INTERRUPTS = 16;
    private static final int TIMER = 0;
    private static final int TIMER_PIN = 2;
    private static final int CASCADE = 2;

    private static final int INT = 0;
    private static final int NMI = 1;
    private static final int EXT_INT = 3;

    /** Active high, level-triggered. */
    private static final int LEVEL = 0x0D;

    private static final int ALL = 0xFF;

    private MpTables() {}

    /**
     * The tables, ready to be put into memory. The floating pointer stands first.
     *
     * @param board the board
     * @param base guest-physical address of the block, a multiple of 16; in the range F0000h to FFFFFh an operating
     *     system finds it by its signature
     * @return the bytes of the block
     */
    public static byte[] build(AcpiBoard board, long base) {
        if ((base & 15) != 0 || base < 0 || base > 0xFFFF_0000L) {
            throw new IllegalArgumentException("MP tables at 0x" + Long.toHexString(base));
        }
        byte[] table = table(board);
        ByteBuffer out = little(POINTER_SIZE + table.length);
        out.put(ascii("_MP_")).putInt((int) base + POINTER_SIZE).put((byte) 1).put((byte) SPECIFICATION_1_4);
        out.put(10, checksum(out.array(), 0, POINTER_SIZE));
        out.put(POINTER_SIZE, table);
        return out.array();
    }

    private static byte[] table(AcpiBoard board) {
        // The cascade of the two 8259As is no interrupt; each of the others has an entry, and so have LINT0 and LINT1.
        int entries = board.cpus() + 2 + (board.pit() ? ISA_INTERRUPTS - 1 : ISA_INTERRUPTS - 2) + 2;
        int size = HEADER_SIZE + board.cpus() * PROCESSOR_SIZE + (entries - board.cpus()) * ENTRY_SIZE;
        ByteBuffer out = little(size);
        out.put(ascii("PCMP"))
                .putShort((short) size)
                .put((byte) SPECIFICATION_1_4)
                .put((byte) 0);
        out.put(ascii("SOFTKVM ")).put(ascii("SOFTKVM PC  "));
        out.putInt(0)
                .putShort((short) 0)
                .putShort((short) entries)
                .putInt(LOCAL_APIC_ADDRESS)
                .putInt(0);
        for (int cpu = 0; cpu < board.cpus(); cpu++) {
            out.put((byte) 0).put((byte) cpu).put((byte) LOCAL_APIC_VERSION);
            out.put((byte) (cpu == 0 ? ENABLED | BOOTSTRAP : ENABLED));
            out.putInt(SIGNATURE).putInt(FEATURES).putLong(0);
        }
        out.put((byte) 1).put((byte) ISA_BUS).put(ascii("ISA   "));
        int ioApic = board.cpus();
        out.put((byte) 2).put((byte) ioApic).put((byte) IO_APIC_VERSION).put((byte) ENABLED);
        out.putInt(IO_APIC_ADDRESS);
        for (int irq = 0; irq < ISA_INTERRUPTS; irq++) {
            if (irq != CASCADE && (irq != TIMER || board.pit())) {
                int flags = irq == board.sci() ? LEVEL : 0;
                interrupt(out, 3, INT, flags, irq, ioApic, irq == TIMER ? TIMER_PIN : irq);
            }
        }
        interrupt(out, 4, EXT_INT, 0, 0, 0, 0);
        interrupt(out, 4, NMI, 0, 0, ALL, 1);
        out.put(7, checksum(out.array(), 0, size));
        return out.array();
    }

    /** An assignment of an interrupt: entry type 3 to a pin of the IOAPIC, 4 to a LINT pin of local APICs. */
    private static void interrupt(ByteBuffer out, int entry, int type, int flags, int irq, int apic, int pin) {
        out.put((byte) entry).put((byte) type).putShort((short) flags);
        out.put((byte) ISA_BUS).put((byte) irq).put((byte) apic).put((byte) pin);
    }

    private static byte checksum(byte[] bytes, int from, int length) {
        int sum = 0;
        for (int i = from; i < from + length; i++) {
            sum += bytes[i];
        }
        return (byte) -sum;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
