package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.softkvm.emulator.CpuModel;

/** Segment, LDTR and TR loads in protected mode, and the instructions that look at descriptors. */
class SegmentLoadTest {
    private static final long READ_ONLY = 0x00CF91000000FFFFL;
    private static final long EXECUTE_ONLY = 0x00CF99000000FFFFL;
    private static final long NOT_ACCESSED = 0x00CF92000000FFFFL;

    private final Bench b = new Bench(CpuModel.MAX);
    private final Cpu c = b.c;

    /** The GDT; comments give the selectors. Every fault goes to vector * 16 + 20000h at CPL 0. */
    @BeforeEach
    void tables() {
        b.gdt(
                0, // 00
                Bench.CODE32, // 08
                Bench.DATA32, // 10
                Bench.dpl(Bench.CODE32, 3), // 18
                Bench.dpl(Bench.DATA32, 3), // 20
                READ_ONLY, // 28
                EXECUTE_ONLY, // 30
                Bench.absent(Bench.DATA32), // 38
                NOT_ACCESSED, // 40
                Bench.conforming(Bench.CODE32), // 48
                Bench.system(Descriptors.LDT, Bench.LDT, 0xF, 0), // 50
                Bench.system(Descriptors.TSS32, Bench.TSS, 0x67, 0), // 58
                Bench.gate(Descriptors.CALL_GATE32, 8, 0x1234, 3, 0), // 60
                Bench.system(Descriptors.TSS32 | 2, Bench.TSS, 0x67, 3), // 68
                Bench.absent(Bench.system(Descriptors.LDT, Bench.LDT, 0xF, 0)), // 70
                0x00001234_0000ABCDL | 0x93L << 40); // 78: limit ABCD, base 340000
        for (int v = 0; v < 32; v++) {
            b.idt(v, Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0x20000 + v * 16, 0, 0));
        }
        b.put(Bench.TSS + 4, 4, 0x7000);
        b.put(Bench.TSS + 8, 2, 0x10);
        b.taskRegister(0x58, Descriptors.TSS32 | 2, 0x67);
        b.protectedMode(8, 0x10, 0);
    }

    @AfterEach
    void close() {
        b.close();
    }

    private void assertFault(int vector, int error) {
        assertThat(c.rip).isEqualTo(0x20000 + vector * 16);
        assertThat(b.stack(0, 4)).as("error code").isEqualTo(error);
        assertThat(b.stack(1, 4)).isEqualTo(Bench.CODE);
    }

    private void user() {
        b.protectedMode(0x18, 0x20, 3);
    }

    @ParameterizedTest
    @CsvSource({
        "10,0",
        "28,0",
        "20,0",
        "23,0",
        "48,0",
        "4b,0",
        "08,0",
        "40,0",
        "30,13:30",
        "13,13:10",
        "38,11:38",
        "3a,13:38",
        "80,13:80",
        "14,13:14",
        "58,13:58",
        "60,13:60",
        "2b,13:28"
    })
    void dataSegments(String selector, String expected) {
        int sel = Integer.parseInt(selector, 16);
        c.r[Cpu.RAX] = sel;
        int old = c.segSel[Cpu.ES];
        b.run("8E C0");
        if (expected.equals("0")) {
            assertThat(c.rip).isEqualTo(Bench.CODE + 2);
            assertThat(c.segSel[Cpu.ES]).isEqualTo(sel);
        } else {
            String[] parts = expected.split(":");
            assertFault(Integer.parseInt(parts[0]), Integer.parseInt(parts[1], 16));
            assertThat(c.segSel[Cpu.ES]).isEqualTo(old);
        }
    }

    @Test
    void theAccessedBitIsSetInTheTable() {
        c.r[Cpu.RAX] = 0x40;
        b.run("8E C0");
        assertThat(b.get(Bench.GDT + 0x45, 1)).isEqualTo(0x93);
        assertThat(c.segAttr[Cpu.ES]).isEqualTo(0xC093);
    }

    @Test
    void aNullDataSegmentLoadsAndFaultsWhenUsed() {
        c.r[Cpu.RAX] = 3;
        b.run("8E C0");
        assertThat(c.segSel[Cpu.ES]).isEqualTo(3);
        b.run("26 8A 03");
        assertFault(Vector.GP, 0);
    }

    @Test
    void writesToCodeAndReadOnlySegmentsFault() {
        c.r[Cpu.RAX] = 0x28;
        b.run("8E C0");
        b.run("26 8A 03");
        assertThat(c.rip).isEqualTo(Bench.CODE + 3);
        b.run("26 88 03");
        assertFault(Vector.GP, 0);
        c.r[Cpu.RSP] = 0x9000;
        b.run("2E 88 03");
        assertFault(Vector.GP, 0);
    }

    @ParameterizedTest
    @CsvSource({"10,0", "00,13:0", "28,13:28", "08,13:8", "13,13:10", "20,13:20", "38,12:38"})
    void stackSegments(String selector, String expected) {
        int sel = Integer.parseInt(selector, 16);
        c.r[Cpu.RAX] = sel;
        b.run("8E D0");
        if (expected.equals("0")) {
            assertThat(c.rip).isEqualTo(Bench.CODE + 2);
            assertThat(c.shadow).isEqualTo(Cpu.SHADOW_SS);
        } else {
            String[] parts = expected.split(":");
            assertFault(Integer.parseInt(parts[0]), Integer.parseInt(parts[1], 16));
            assertThat(c.shadow).isZero();
        }
    }

    @Test
    void usersMayNotLoadInnerSegments() {
        user();
        c.r[Cpu.RAX] = 0x10;
        b.run("8E C0");
        assertFault(Vector.GP, 0x10);
        assertThat(c.cpl).isZero();
        assertThat(b.stack(4, 4)).isEqualTo(0x9000);
        assertThat(b.stack(5, 4)).isEqualTo(0x23);
    }

    @Test
    void ldtSelectors() {
        b.put(Bench.LDT + 8, 8, Bench.DATA32);
        c.r[Cpu.RAX] = 0xC;
        c.r[Cpu.RBX] = 0x50;
        b.run("0F 00 D3");
        b.run("8E C0");
        assertThat(c.segSel[Cpu.ES]).isEqualTo(0xC);
        c.r[Cpu.RAX] = 0x14;
        b.run("8E C0");
        assertFault(Vector.GP, 0x14);
        c.r[Cpu.RAX] = 0;
        b.run("0F 00 D0");
        assertThat(c.segAttr[Cpu.LDTR] & Cpu.ATTR_UNUSABLE).isNotZero();
    }

    @ParameterizedTest
    @CsvSource({"54,13:54", "10,13:10", "70,11:70", "88,13:88"})
    void badLdts(int dummy, String expected) {
        int sel = Integer.parseInt(String.valueOf(dummy), 16);
        c.r[Cpu.RAX] = sel;
        b.run("0F 00 D0");
        String[] parts = expected.split(":");
        assertFault(Integer.parseInt(parts[0]), Integer.parseInt(parts[1], 16));
    }

    @Test
    void taskRegister() {
        c.r[Cpu.RAX] = 0x58;
        b.run("0F 00 D8");
        assertThat(b.get(Bench.GDT + 0x5D, 1)).isEqualTo(0x8B);
        assertThat(c.segAttr[Cpu.TR]).isEqualTo(0x8B);
        b.run("0F 00 D8");
        assertFault(Vector.GP, 0x58);
        c.r[Cpu.RAX] = 0;
        b.run("0F 00 D8");
        assertFault(Vector.GP, 0);
    }

    @Test
    void tableInstructionsArePrivileged() {
        for (String code : new String[] {"0F 00 D0", "0F 00 D8", "0F 01 13", "0F 01 1B"}) {
            user();
            b.run(code);
            assertFault(Vector.GP, 0);
        }
    }

    @Test
    void umipKeepsUsersFromReadingTables() {
        for (String code :
                new String[] {"0F 00 C0", "0F 00 C8", "0F 01 05 00 60 00 00", "0F 01 0D 00 60 00 00", "0F 01 E0"}) {
            user();
            c.cr4 = 0;
            b.run(code);
            assertThat(c.cpl).isEqualTo(3);
            user();
            c.cr4 = Cpu.CR4_UMIP;
            b.run(code);
            assertFault(Vector.GP, 0);
        }
    }

    @Test
    void tableRegistersMove() {
        b.put(0x6000, 2, 0x3FF);
        b.put(0x6002, 4, 0x89ABCDEF);
        b.run("0F 01 1D 00 60 00 00");
        assertThat(c.idtLimit).isEqualTo(0x3FF);
        assertThat(c.idtBase).isEqualTo(0x89ABCDEFL);
        b.run("66 0F 01 1D 00 60 00 00");
        assertThat(c.idtBase).isEqualTo(0xABCDEFL);
        b.run("0F 01 0D 00 61 00 00");
        assertThat(b.get(0x6100, 2)).isEqualTo(0x3FF);
        assertThat(b.get(0x6102, 4)).isEqualTo(0xABCDEFL);
        b.run("0F 01 C0");
        c.idtBase = Bench.IDT;
    }

    @Test
    void sgdtNeedsMemory() {
        b.run("0F 01 C7");
        assertFaultWithoutError(Vector.UD);
    }

    private void assertFaultWithoutError(int vector) {
        assertThat(c.rip).isEqualTo(0x20000 + vector * 16);
        assertThat(b.stack(0, 4)).isEqualTo(Bench.CODE);
    }

    @ParameterizedTest
    @CsvSource({
        "08,1,cf9b00",
        "10,1,cf9300",
        "48,1,cf9f00",
        "50,1,8200",
        "60,1,ec00",
        "68,1,eb00",
        "00,0,0",
        "80,0,0",
        "13,0,0"
    })
    void accessRights(String selector, int good, String value) {
        c.r[Cpu.RCX] = Integer.parseInt(selector, 16);
        c.r[Cpu.RAX] = 0x55;
        b.run("0F 02 C1");
        assertThat(c.arith() & Flags.ZF).isEqualTo(good == 1 ? Flags.ZF : 0);
        assertThat(c.r[Cpu.RAX]).isEqualTo(good == 1 ? Long.parseLong(value, 16) & 0xFFFF00 : 0x55);
    }

    @ParameterizedTest
    @CsvSource({"10,1,ffffffff", "78,1,abcd", "50,1,f", "60,0,0", "58,1,67", "83,0,0"})
    void limits(String selector, int good, String value) {
        c.r[Cpu.RCX] = Integer.parseInt(selector, 16);
        c.r[Cpu.RAX] = 0x55;
        b.run("0F 03 C1");
        assertThat(c.arith() & Flags.ZF).isEqualTo(good == 1 ? Flags.ZF : 0);
        assertThat(c.r[Cpu.RAX]).isEqualTo(good == 1 ? Long.parseLong(value, 16) : 0x55);
    }

    @ParameterizedTest
    @CsvSource({"10,1,1", "28,1,0", "30,0,0", "08,1,0", "4b,1,0", "58,0,0", "00,0,0", "23,1,1", "13,0,0"})
    void verify(String selector, int readable, int writable) {
        c.r[Cpu.RCX] = Integer.parseInt(selector, 16);
        b.run("0F 00 E1");
        assertThat(c.arith() & Flags.ZF).isEqualTo(readable * Flags.ZF);
        b.run("0F 00 E9");
        assertThat(c.arith() & Flags.ZF).isEqualTo(writable * Flags.ZF);
    }

    @Test
    void arplRaisesTheRpl() {
        c.r[Cpu.RAX] = 0x12340010;
        c.r[Cpu.RCX] = 3;
        b.run("63 C8");
        assertThat(c.r[Cpu.RAX]).isEqualTo(0x12340013);
        assertThat(c.arith() & Flags.ZF).isNotZero();
        b.run("63 C8");
        assertThat(c.arith() & Flags.ZF).isZero();
    }

    @Test
    void popKeepsTheStackPointerWhereTheLoadFaults() {
        b.put(0x9000, 4, 0x30);
        b.run("07");
        assertFault(Vector.GP, 0x30);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9000 - 16);
    }
}
