package org.softkvm.vmm.acpi;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The ACPI tables of the board (ACPI 6.5, chapter 5): RSDP, RSDT, XSDT, FADT, FACS, MADT and DSDT, laid out in one block
 * of memory.
 */
public final class AcpiTables {
    private static final int HEADER_SIZE = 36;
    private static final int FADT_SIZE = 244;
    private static final int FACS_SIZE = 64;
    private static final int RSDP_SIZE = 36;

    private static final int IO_APIC_ADDRESS = 0xFEC0_0000;
    private static final int LOCAL_APIC_ADDRESS = 0xFEE0_0000;

    private static final int FADT_WBINVD = 1;
    private static final int FADT_PROC_C1 = 1 << 2;
    private static final int FADT_NO_POWER_BUTTON = 1 << 4;
    private static final int FADT_NO_SLEEP_BUTTON = 1 << 5;
    private static final int FADT_NO_FIXED_RTC = 1 << 6;
    private static final int FADT_TIMER_32 = 1 << 8;
    private static final int FADT_RESET = 1 << 10;

    /** The board has ISA devices and no VGA; it has no keyboard controller. */
    private static final int BOOT_LEGACY_DEVICES = 1;

    private static final int BOOT_NO_VGA = 1 << 2;

    private final AcpiBoard board;
    private final long base;
    private final ByteArrayOutputStream block = new ByteArrayOutputStream();

    private AcpiTables(AcpiBoard board, long base) {
        this.board = board;
        this.base = base;
    }

    /**
     * The tables, ready to be put into memory. The RSDP stands first.
     *
     * @param board the board
     * @param base guest-physical address of the block, a multiple of 64 below 4 GiB; in the range E0000h to FFFFFh an
     *     operating system finds the RSDP by its signature
     * @return the bytes of the block
     */
    public static byte[] build(AcpiBoard board, long base) {
        if ((base & 63) != 0 || base < 0 || base > 0xFFFF_0000L) {
            throw new IllegalArgumentException("ACPI tables at 0x" + Long.toHexString(base));
        }
        return new AcpiTables(board, base).build();
    }

    private byte[] build() {
        block.writeBytes(new byte[RSDP_SIZE]);
        long facs = add(facs());
        long dsdt = add(dsdt());
        long fadt = add(fadt(facs, dsdt));
        long madt = add(madt());
        long rsdt = add(pointers("RSDT", 4, fadt, madt));
        long xsdt = add(pointers("XSDT", 8, fadt, madt));
        byte[] bytes = block.toByteArray();
        System.arraycopy(rsdp(rsdt, xsdt), 0, bytes, 0, RSDP_SIZE);
        return bytes;
    }

    /** Appends a table at the next multiple of 64, as the FACS needs it. */
    private long add(byte[] table) {
        int padding = -block.size() & 63;
        block.writeBytes(new byte[padding]);
        long address = base + block.size();
        block.writeBytes(table);
        return address;
    }

    private static byte[] rsdp(long rsdt, long xsdt) {
        ByteBuffer out = little(RSDP_SIZE);
        out.put(ascii("RSD PTR ", 8)).put((byte) 0).put(ascii("SOFTKV", 6)).put((byte) 2);
        out.putInt((int) rsdt).putInt(RSDP_SIZE).putLong(xsdt);
        byte[] bytes = out.array();
        bytes[8] = checksum(bytes, 20);
        bytes[32] = checksum(bytes, RSDP_SIZE);
        return bytes;
    }

    private static byte[] pointers(String signature, int width, long... tables) {
        ByteBuffer body = little(width * tables.length);
        for (long table : tables) {
            if (width == 4) {
                body.putInt((int) table);
            } else {
                body.putLong(table);
            }
        }
        return table(signature, 1, body.array());
    }

    private byte[] fadt(long facs, long dsdt) {
        ByteBuffer out = little(FADT_SIZE);
        out.putInt(36, (int) facs).putInt(40, (int) dsdt);
        out.put(45, (byte) 0); // preferred power profile: unspecified
        out.putShort(46, (short) board.sci());
        out.putInt(48, board.smiCommand());
        out.put(52, (byte) board.acpiEnable()).put(53, (byte) board.acpiDisable());
        out.putInt(56, board.pm1aEvent()).putInt(64, board.pm1aControl()).putInt(76, board.pmTimer());
        out.put(88, (byte) 4).put(89, (byte) 2).put(91, (byte) 4); // lengths of event, control and timer blocks
        out.putShort(96, (short) 0x0FFF).putShort(98, (short) 0x0FFF); // latencies that say: no C2, no C3
        out.put(108, (byte) 0x32); // CMOS index of the century
        out.putShort(109, (short) (BOOT_LEGACY_DEVICES | BOOT_NO_VGA));
        int flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_POWER_BUTTON | FADT_NO_SLEEP_BUTTON | FADT_NO_FIXED_RTC;
        out.putInt(112, flags | FADT_RESET | (board.pmTimerWide() ? FADT_TIMER_32 : 0));
        address(out, 116, 8, board.resetPort());
        out.put(128, (byte) board.resetValue());
        out.putLong(132, facs).putLong(140, dsdt);
        address(out, 148, 32, board.pm1aEvent());
        out.put(151, (byte) 2); // two registers of 16 bits
        address(out, 172, 16, board.pm1aControl());
        address(out, 208, 32, board.pmTimer());
        return table("FACP", 3, Arrays.copyOfRange(out.array(), HEADER_SIZE, FADT_SIZE));
    }

    /** A generic address structure in I/O space (section 5.2.3.2). */
    private static void address(ByteBuffer out, int at, int bits, int port) {
        int accessSize = Integer.numberOfTrailingZeros(bits / 8) + 1;
        out.put(at, (byte) 1).put(at + 1, (byte) bits).put(at + 2, (byte) 0).put(at + 3, (byte) accessSize);
        out.putLong(at + 4, port);
    }

    private static byte[] facs() {
        ByteBuffer out = little(FACS_SIZE);
        out.put(ascii("FACS", 4)).putInt(FACS_SIZE);
        out.put(32, (byte) 1);
        return out.array();
    }

    private byte[] madt() {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes(little(8).putInt(LOCAL_APIC_ADDRESS).putInt(1).array()); // flag: a PC with two 8259s as well
        for (int cpu = 0; cpu < board.cpus(); cpu++) {
            body.writeBytes(new byte[] {0, 8, (byte) cpu, (byte) cpu, 1, 0, 0, 0});
        }
        body.writeBytes(little(12)
                .put((byte) 1)
                .put((byte) 12)
                .put((byte) board.cpus())
                .put((byte) 0)
                .putInt(IO_APIC_ADDRESS)
                .putInt(0)
                .array());
        if (board.pit()) {
            body.writeBytes(interruptOverride(0, 2, 0)); // the PIT is on pin 2, as the bus has it
        }
        body.writeBytes(interruptOverride(board.sci(), board.sci(), 0x0D)); // active high, level-triggered
        body.writeBytes(new byte[] {4, 6, (byte) 0xFF, 0, 0, 1}); // NMI on LINT1 of every CPU
        return table("APIC", 3, body.toByteArray());
    }

    private static byte[] interruptOverride(int irq, int gsi, int flags) {
        return little(10)
                .put((byte) 2)
                .put((byte) 10)
                .put((byte) 0)
                .put((byte) irq)
                .putInt(gsi)
                .putShort((short) flags)
                .array();
    }

    private byte[] dsdt() {
        // Sleep type 0 means power off, on both halves of PM1, as on QEMU's pc.
        byte[] soft = Aml.name("\\_S5", Aml.packageOf(Aml.integer(0), Aml.integer(0), Aml.integer(0), Aml.integer(0)));
        byte[][] devices = new byte[board.cpus() + 2][];
        for (int cpu = 0; cpu < board.cpus(); cpu++) {
            devices[cpu] = Aml.device(
                    String.format("C%03X", cpu),
                    Aml.name("_HID", Aml.string("ACPI0007")),
                    Aml.name("_UID", Aml.integer(cpu)));
        }
        devices[board.cpus()] = Aml.device(
                "RTC",
                Aml.name("_HID", Aml.eisaId("PNP0B00")),
                Aml.name("_CRS", Aml.resources(Aml.ioPorts(0x70, 2), Aml.irq(8))));
        devices[board.cpus() + 1] = board.serialPorts()
                ? Aml.device(
                        "COM1",
                        Aml.name("_HID", Aml.eisaId("PNP0501")),
                        Aml.name("_UID", Aml.integer(1)),
                        Aml.name("_CRS", Aml.resources(Aml.ioPorts(0x3F8, 8), Aml.irq(4))))
                : new byte[0];
        return table("DSDT", 2, Aml.concat(soft, Aml.scope("\\_SB", devices)));
    }

    /** A table with its header and checksum (section 5.2.6). */
    private static byte[] table(String signature, int revision, byte[] body) {
        ByteBuffer out = little(HEADER_SIZE + body.length);
        out.put(ascii(signature, 4))
                .putInt(HEADER_SIZE + body.length)
                .put((byte) revision)
                .put((byte) 0);
        out.put(ascii("SOFTKV", 6))
                .put(ascii("SOFTKVM", 8))
                .putInt(1)
                .put(ascii("SKVM", 4))
                .putInt(1);
        out.put(body);
        byte[] bytes = out.array();
        bytes[9] = checksum(bytes, bytes.length);
        return bytes;
    }

    private static byte checksum(byte[] bytes, int length) {
        int sum = 0;
        for (int i = 0; i < length; i++) {
            sum += bytes[i];
        }
        return (byte) -sum;
    }

    private static byte[] ascii(String text, int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) ' ');
        byte[] given = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(given, 0, bytes, 0, Math.min(given.length, length));
        return bytes;
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
