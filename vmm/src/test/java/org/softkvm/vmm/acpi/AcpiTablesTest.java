package org.softkvm.vmm.acpi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Follows the tables as an operating system does. iasl (acpica-tools) disassembles them without a warning. */
class AcpiTablesTest {
    private static final int BASE = 0xE_0000;

    private static ByteBuffer tables(int cpus) {
        return tables(cpus, true);
    }

    private static ByteBuffer tables(int cpus, boolean pit) {
        AcpiBoard board = new AcpiBoard(cpus, 0x600, 0x604, 0x608, true, 9, 0xB2, 0xF1, 0xF0, 0xCF9, 6, true, pit);
        return ByteBuffer.wrap(AcpiTables.build(board, BASE)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer table(ByteBuffer all, long address, String signature) {
        int at = (int) address - BASE;
        int length = all.getInt(at + 4);
        ByteBuffer table = all.slice(at, length).order(ByteOrder.LITTLE_ENDIAN);
        byte[] name = new byte[4];
        table.get(0, name);
        assertThat(new String(name, StandardCharsets.US_ASCII)).isEqualTo(signature);
        if (!signature.equals("FACS")) {
            assertThat(sum(table, length)).isZero();
        }
        return table;
    }

    private static int sum(ByteBuffer bytes, int length) {
        int sum = 0;
        for (int i = 0; i < length; i++) {
            sum += bytes.get(i);
        }
        return sum & 0xFF;
    }

    @Test
    void rootPointerLeadsToEveryTable() {
        ByteBuffer all = tables(1);
        byte[] signature = new byte[8];
        all.get(0, signature);
        assertThat(new String(signature, StandardCharsets.US_ASCII)).isEqualTo("RSD PTR ");
        assertThat(sum(all, 20)).isZero();
        assertThat(sum(all, 36)).isZero();
        ByteBuffer rsdt = table(all, all.getInt(16), "RSDT");
        ByteBuffer xsdt = table(all, all.getLong(24), "XSDT");
        assertThat(rsdt.getInt(36)).isEqualTo((int) xsdt.getLong(36));
        assertThat(rsdt.getInt(40)).isEqualTo((int) xsdt.getLong(44));
        ByteBuffer fadt = table(all, rsdt.getInt(36), "FACP");
        table(all, rsdt.getInt(40), "APIC");
        table(all, fadt.getInt(40), "DSDT");
        table(all, fadt.getInt(36), "FACS");
        assertThat(fadt.getLong(140)).isEqualTo(fadt.getInt(40));
        assertThat(fadt.getLong(132)).isEqualTo(fadt.getInt(36));
        assertThat(fadt.getInt(36) % 64).isZero();
    }

    @Test
    void fadtNamesThePorts() {
        ByteBuffer all = tables(1);
        ByteBuffer fadt = table(all, table(all, all.getInt(16), "RSDT").getInt(36), "FACP");
        assertThat(fadt.getShort(46)).isEqualTo((short) 9);
        assertThat(fadt.getInt(48)).isEqualTo(0xB2);
        assertThat(fadt.get(52)).isEqualTo((byte) 0xF1);
        assertThat(fadt.getInt(56)).isEqualTo(0x600);
        assertThat(fadt.getInt(64)).isEqualTo(0x604);
        assertThat(fadt.getInt(76)).isEqualTo(0x608);
        assertThat(fadt.getLong(120)).isEqualTo(0xCF9);
        assertThat(fadt.get(128)).isEqualTo((byte) 6);
        int flags = fadt.getInt(112);
        assertThat(flags & 1 << 8).isNotZero();
        assertThat(flags & 1 << 10).isNotZero();
        assertThat(flags & 1 << 20).isZero(); // not a hardware-reduced board
    }

    @Test
    void madtListsControllersAndOverrides() {
        ByteBuffer all = tables(3);
        ByteBuffer madt = table(all, table(all, all.getInt(16), "RSDT").getInt(40), "APIC");
        assertThat(madt.getInt(36)).isEqualTo(0xFEE0_0000);
        byte[] entries = new byte[madt.limit() - 44];
        madt.get(44, entries);
        assertThat(HexFormat.of().formatHex(entries))
                .isEqualTo("0008000001000000" + "0008010101000000" + "0008020201000000"
                        + "010c03000000c0fe00000000"
                        + "020a0000020000000000"
                        + "020a0009090000000d00"
                        + "0406ff000001");
    }

    @Test
    void withoutPitNothingIsSaidOfInterrupt0() {
        ByteBuffer all = tables(1, false);
        ByteBuffer madt = table(all, table(all, all.getInt(16), "RSDT").getInt(40), "APIC");
        byte[] entries = new byte[madt.limit() - 44];
        madt.get(44, entries);
        assertThat(HexFormat.of().formatHex(entries))
                .isEqualTo("0008000001000000" + "010c01000000c0fe00000000" + "020a0009090000000d00" + "0406ff000001");
    }

    @Test
    void dsdtHoldsSleepTypeAndDevices() {
        ByteBuffer all = tables(1);
        ByteBuffer fadt = table(all, table(all, all.getInt(16), "RSDT").getInt(36), "FACP");
        ByteBuffer dsdt = table(all, fadt.getInt(40), "DSDT");
        byte[] code = new byte[dsdt.limit() - 36];
        dsdt.get(36, code);
        String hex = HexFormat.of().formatHex(code);
        assertThat(hex).startsWith("08" + "5c5f53355f" + "12060400000000");
        assertThat(hex).contains("0c41d00501"); // EISAID PNP0501
        assertThat(hex).contains("4701f803f80301082210007900"); // ports 3F8h to 3FFh, IRQ 4, end
        assertThat(hex).contains("0d4143504930303037" + "00"); // ACPI0007
    }

    @Test
    void longPackagesHaveLongLengths() {
        byte[] scope = Aml.scope("\\_SB", new byte[100]);
        assertThat(scope[1]).isEqualTo((byte) (0x40 | (107 & 15)));
        assertThat(scope[2]).isEqualTo((byte) (107 >> 4));
        byte[] longer = Aml.scope("\\_SB", new byte[5000]);
        int length = longer.length - 1;
        assertThat(longer[1]).isEqualTo((byte) (0x80 | (length & 15)));
        assertThat((longer[2] & 0xFF) << 4 | (longer[3] & 0xFF) << 12 | length & 15)
                .isEqualTo(length);
        assertThat(Aml.integer(0x1234)).containsExactly(0x0B, 0x34, 0x12);
        assertThat(Aml.integer(0x12345678)).containsExactly(0x0C, 0x78, 0x56, 0x34, 0x12);
    }
}
