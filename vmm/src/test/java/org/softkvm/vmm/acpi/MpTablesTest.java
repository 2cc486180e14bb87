package org.softkvm.vmm.acpi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads the tables as a system from before ACPI does. */
class MpTablesTest {
    private static final int BASE = 0xF_0000;

    private static ByteBuffer tables(int cpus) {
        return tables(cpus, true);
    }

    private static ByteBuffer tables(int cpus, boolean pit) {
        AcpiBoard board = new AcpiBoard(cpus, 0x600, 0x604, 0x608, true, 9, 0xB2, 0xF1, 0xF0, 0xCF9, 6, true, pit);
        return ByteBuffer.wrap(MpTables.build(board, BASE)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String text(ByteBuffer from, int at, int length) {
        byte[] bytes = new byte[length];
        from.get(at, bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    private static int sum(ByteBuffer bytes, int from, int length) {
        int sum = 0;
        for (int i = from; i < from + length; i++) {
            sum += bytes.get(i);
        }
        return sum & 0xFF;
    }

    @Test
    void pointerLeadsToTheTable() {
        ByteBuffer all = tables(1);
        assertThat(text(all, 0, 4)).isEqualTo("_MP_");
        assertThat(all.getInt(4)).isEqualTo(BASE + 16);
        assertThat(sum(all, 0, 16)).isZero();
        assertThat(all.getInt(11)).isZero(); // there is a table, and the machine starts in virtual-wire mode
        assertThat(text(all, 16, 4)).isEqualTo("PCMP");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 254})
    void tableHasTheEntriesThatItCounts(int cpus) {
        ByteBuffer all = tables(cpus);
        ByteBuffer table = all.slice(16, all.limit() - 16).order(ByteOrder.LITTLE_ENDIAN);
        int length = table.getShort(4) & 0xFFFF;
        assertThat(length).isEqualTo(table.limit());
        assertThat(sum(table, 0, length)).isZero();
        int[] found = new int[5];
        int at = 44;
        int bootstrap = 0;
        for (int n = table.getShort(34) & 0xFFFF; n > 0; n--) {
            int type = table.get(at);
            if (type == 0) {
                assertThat(table.get(at + 1) & 0xFF).isEqualTo(found[0]);
                bootstrap += table.get(at + 3) >> 1;
            }
            found[type]++;
            at += type == 0 ? 20 : 8;
        }
        assertThat(at).isEqualTo(length);
        assertThat(found).containsExactly(cpus, 1, 1, 15, 2);
        assertThat(bootstrap).isOne();
    }

    @Test
    void withoutPitInterrupt0IsNotThere() {
        ByteBuffer all = tables(1, false);
        assertThat(all.getShort(16 + 34)).isEqualTo((short) 19);
        byte[] tail = new byte[16 * 8];
        all.get(all.limit() - tail.length, tail);
        assertThat(HexFormat.of().formatHex(tail)).startsWith("0300000000010101");
        assertThat(sum(all, 16, all.limit() - 16)).isZero();
    }

    @Test
    void interruptsLeadToThePinsOfTheBoard() {
        ByteBuffer all = tables(3);
        byte[] tail = new byte[17 * 8];
        all.get(all.limit() - tail.length, tail);
        String hex = HexFormat.of().formatHex(tail);
        assertThat(hex).startsWith("0300000000000302"); // the timer is on pin 2
        assertThat(hex).contains("03000d0000090309"); // the SCI is level-triggered
        assertThat(hex).endsWith("0403000000000000" + "040100000000ff01"); // ExtINT on CPU 0, NMI on all
    }
}
