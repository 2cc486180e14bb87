package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;

/** Delivery, IRET and far transfers in long mode. */
class LongModeEventsTest {
    private final Bench b = new Bench(CpuModel.MAX);
    private final Cpu c = b.c;

    @BeforeEach
    void tables() {
        b.gdt(
                0, // 00
                Bench.CODE64, // 08
                Bench.DATA32, // 10
                Bench.dpl(Bench.CODE64, 3), // 18
                Bench.dpl(Bench.DATA32, 3), // 20
                Bench.dpl(Bench.CODE32, 3), // 28: compatibility mode
                Bench.CODE32, // 30
                Bench.CODE64 | 1L << 54, // 38: L and D
                Bench.gate(Descriptors.CALL_GATE32, 8, 0x30000, 3, 0), // 40
                0, // 48: upper half
                Bench.system(Descriptors.TSS32, Bench.TSS, 0x67, 0), // 50
                0xFFFF8000L, // 58: upper half of the base
                Bench.system(Descriptors.TSS16, Bench.TSS, 0x67, 0)); // 60
        for (int v = 0; v < 256; v++) {
            b.idt64(v, Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0x20000 + v * 16, v < 32 ? 0 : 3, 0), 0);
        }
        b.put(Bench.TSS + 4, 8, 0x7008);
        b.put(Bench.TSS + 0x24, 8, 0x6000);
        b.taskRegister(0x50, Descriptors.TSS32 | 2, 0x67);
        b.longMode(8, 0x10, 0);
    }

    @AfterEach
    void close() {
        b.close();
    }

    private void user() {
        b.protectedMode(0x18, 0x20, 3);
    }

    private void assertFault(int vector, int error) {
        assertThat(c.rip).isEqualTo(0x20000 + vector * 16);
        assertThat(b.stack(0, 8)).as("error code").isEqualTo(error);
        assertThat(b.stack(1, 8)).isEqualTo(Bench.CODE);
    }

    @Test
    void alignsTheStackAndPushesItAlways() {
        c.r[Cpu.RSP] = 0x9009;
        c.setFlags(0x202);
        b.run("CD 80");
        assertThat(c.rip).isEqualTo(0x20800);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9000 - 40);
        assertThat(b.stack(0, 8)).isEqualTo(Bench.CODE + 2);
        assertThat(b.stack(1, 8)).isEqualTo(8);
        assertThat(b.stack(2, 8)).isEqualTo(0x202);
        assertThat(b.stack(3, 8)).isEqualTo(0x9009);
        assertThat(b.stack(4, 8)).isEqualTo(0x10);
        assertThat(c.segSel[Cpu.SS]).isEqualTo(0x10);
        b.code(c.rip, "48 CF");
        b.step();
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9009);
        assertThat(c.rip).isEqualTo(Bench.CODE + 2);
        assertThat(c.flags()).isEqualTo(0x202);
    }

    @Test
    void fromUserTheStackSegmentBecomesNull() {
        user();
        c.segBase[Cpu.FS] = 0x123456789AL;
        b.run("CD 80");
        assertThat(c.cpl).isZero();
        assertThat(c.segSel[Cpu.SS]).isZero();
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x7000 - 40);
        assertThat(b.stack(4, 8)).isEqualTo(0x23);
        b.code(c.rip, "48 CF");
        b.step();
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.segSel[Cpu.SS]).isEqualTo(0x23);
        assertThat(c.segBase[Cpu.FS]).isEqualTo(0x123456789AL);
    }

    @Test
    void interruptStackTable() {
        b.idt64(0x80, Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0x20800, 3, 1), 0);
        b.run("CD 80");
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x6000 - 40);
        assertThat(c.segSel[Cpu.SS]).isEqualTo(0x10);
        assertThat(b.stack(3, 8)).isEqualTo(0x9000);
    }

    @Test
    void badStacks() {
        b.put(Bench.TSS + 0x24, 8, 0x800000000100L);
        b.idt64(0x80, Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0x20800, 3, 1), 0);
        b.run("CD 80");
        assertFault(Vector.SS, 0);
        c.segLimit[Cpu.TR] = 0x20;
        c.r[Cpu.RSP] = 0x9000;
        b.run("CD 80");
        assertFault(Vector.TS, 0x50);
    }

    @Test
    void gateTargets() {
        b.idt64(0x80, Bench.gate(Descriptors.INTERRUPT_GATE32, 0x30, 0x20800, 3, 0), 0);
        b.run("CD 80");
        assertFault(Vector.GP, 0x30);
        b.idt64(0x80, Bench.gate(Descriptors.INTERRUPT_GATE32, 0x38, 0x20800, 3, 0), 0);
        b.run("CD 80");
        assertFault(Vector.GP, 0x38);
        b.idt64(0x80, Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0x20800, 3, 0), 0x8000);
        b.run("CD 80");
        assertFault(Vector.GP, 0);
        b.idt64(0x80, Bench.gate(Descriptors.INTERRUPT_GATE16, 8, 0x20800, 3, 0), 0);
        b.run("CD 80");
        assertFault(Vector.GP, 0x80 * 8 + 2);
        b.idt64(0x80, Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0x20800, 3, 0), 0xFFFF8000);
        b.run("CD 80");
        assertThat(c.rip).isEqualTo(0xFFFF8000_00020800L);
    }

    /** What ENTER has pushed stays in memory, below the stack pointer, when it cannot read the next frame pointer. */
    @Test
    void enterThatFaultsHasPushed() {
        user();
        c.r[Cpu.RSP] = 0x9000;
        c.r[Cpu.RBP] = 0x8000_0000_0000_0010L;
        b.put(0x8FF8, 8, 0x1111);
        b.put(0x8FF0, 8, 0x2222);
        b.run("C8 10 00 02");
        assertFault(Vector.SS, 0);
        assertThat(b.get(0x8FF8, 8)).isEqualTo(0x8000_0000_0000_0010L);
        assertThat(b.get(0x8FF0, 8)).isEqualTo(0x2222);
        assertThat(c.r[Cpu.RBP]).isEqualTo(0x8000_0000_0000_0010L);
    }

    @Test
    void repeatedPortAccessNeedsTheRightEvenIfItDoesNothing() {
        for (String code : new String[] {"F3 6E", "F3 6C"}) {
            user();
            c.setFlags(2);
            c.r[Cpu.RSP] = 0x9000;
            c.r[Cpu.RCX] = 0;
            b.run(code);
            assertFault(Vector.GP, 0);
        }
    }

    @Test
    void nonCanonicalOperandsAreGpOrSs() {
        c.r[Cpu.RAX] = 0x8000_0000_0000_0000L;
        b.run("48 8B 00");
        assertFault(Vector.GP, 0);
        c.r[Cpu.RSP] = 0x9000;
        c.r[Cpu.RBP] = 0x8000_0000_0000_0000L;
        b.run("48 8B 45 00");
        assertFault(Vector.SS, 0);
    }

    @Test
    void iretNeedsNtClearAndACanonicalTarget() {
        c.setFlags(Flags.NT);
        b.run("48 CF");
        assertFault(Vector.GP, 0);
        c.setFlags(0);
        c.r[Cpu.RSP] = 0x9000;
        b.put(0x9000, 8, 0x8000_0000_0000L);
        b.put(0x9008, 8, 8);
        b.put(0x9010, 8, 2);
        b.put(0x9018, 8, 0x9000);
        b.put(0x9020, 8, 0x10);
        b.run("48 CF");
        assertFault(Vector.GP, 0);
    }

    @Test
    void iretToANullStackSegmentInTheKernelOnly() {
        b.put(0x9000, 8, 0x5000);
        b.put(0x9008, 8, 8);
        b.put(0x9010, 8, 2);
        b.put(0x9018, 8, 0x8800);
        b.put(0x9020, 8, 0);
        b.run("48 CF");
        assertThat(c.rip).isEqualTo(0x5000);
        assertThat(c.segSel[Cpu.SS]).isZero();
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x8800);
        c.r[Cpu.RSP] = 0x9000;
        b.put(0x9000, 8, 0x5000);
        b.put(0x9008, 8, 0x1B);
        b.put(0x9010, 8, 2);
        b.put(0x9018, 8, 0x8800);
        b.put(0x9020, 8, 3);
        b.run("48 CF");
        assertFault(Vector.GP, 0);
    }

    @Test
    void intoCompatibilityModeAndBack() {
        b.put(0x9000, 8, 0x5000);
        b.put(0x9008, 8, 0x2B);
        b.put(0x9010, 8, 0x202);
        b.put(0x9018, 8, 0x8800);
        b.put(0x9020, 8, 0x23);
        b.run("48 CF");
        assertThat(c.mode64).isFalse();
        assertThat(c.codeBits()).isEqualTo(32);
        assertThat(c.cpl).isEqualTo(3);
        b.code(0x5000, "CD 80");
        b.step();
        assertThat(c.mode64).isTrue();
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x7000 - 40);
        assertThat(b.stack(1, 8)).isEqualTo(0x2B);
        b.code(c.rip, "48 CF");
        b.step();
        assertThat(c.mode64).isFalse();
        assertThat(c.rip).isEqualTo(0x5002);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x8800);
    }

    @Test
    void callGateTo64BitCode() {
        user();
        b.put(0x6000, 4, 0);
        b.put(0x6004, 2, 0x43);
        b.run("FF 1C 25 00 60 00 00");
        assertThat(c.rip).isEqualTo(0x30000);
        assertThat(c.cpl).isZero();
        assertThat(c.segSel[Cpu.SS]).isZero();
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x7008 - 32);
        assertThat(b.stack(0, 8)).isEqualTo(Bench.CODE + 7);
        assertThat(b.stack(1, 8)).isEqualTo(0x1B);
        assertThat(b.stack(2, 8)).isEqualTo(0x9000);
        assertThat(b.stack(3, 8)).isEqualTo(0x23);
        b.code(0x30000, "48 CB");
        b.step();
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9000);
        assertThat(c.segSel[Cpu.SS]).isEqualTo(0x23);
    }

    @Test
    void farPointersOf64Bits() {
        b.put(0x6000, 8, 0x5_0000_1234L);
        b.put(0x6008, 2, 8);
        b.run("48 FF 2C 25 00 60 00 00");
        assertThat(c.rip).isEqualTo(0x5_0000_1234L);
        b.put(0x6008, 2, 0x38);
        b.run("48 FF 2C 25 00 60 00 00");
        assertFault(Vector.GP, 0x38);
        b.put(0x6008, 2, 0x50);
        b.run("48 FF 2C 25 00 60 00 00");
        assertFault(Vector.GP, 0x50);
    }

    @Test
    void sixteenByteDescriptors() {
        c.r[Cpu.RAX] = 0x50;
        b.run("0F 00 D8");
        assertThat(c.segBase[Cpu.TR]).isEqualTo(0xFFFF8000_00000000L | Bench.TSS);
        b.taskRegister(0x50, Descriptors.TSS32 | 2, 0x67);
        c.r[Cpu.RAX] = 0x60;
        b.run("0F 00 D8");
        assertFault(Vector.GP, 0x60);
        // Not canonical.
        c.r[Cpu.RSP] = 0x9000;
        b.put(Bench.GDT + 0x50, 8, Bench.system(Descriptors.TSS32, Bench.TSS, 0x67, 0));
        b.put(Bench.GDT + 0x58, 8, 0x8000);
        c.r[Cpu.RAX] = 0x50;
        b.run("0F 00 D8");
        assertFault(Vector.GP, 0x50);
        // A second half with a type.
        c.r[Cpu.RSP] = 0x9000;
        b.put(Bench.GDT + 0x58, 8, 0x100_0000_0000L);
        b.run("0F 00 D8");
        assertFault(Vector.GP, 0x50);
    }

    @Test
    void nullStackSegmentsLoadInTheKernel() {
        c.r[Cpu.RAX] = 0;
        b.run("8E D0");
        assertThat(c.segSel[Cpu.SS]).isZero();
        c.r[Cpu.RAX] = 3;
        b.run("8E D0");
        assertFault(Vector.GP, 0);
        user();
        c.r[Cpu.RAX] = 3;
        b.run("8E D0");
        assertFault(Vector.GP, 0);
    }

    @Test
    void instructionsWithoutA64BitForm() {
        for (String code : new String[] {"06", "1F", "CE", "C4 00", "EA 00 50 00 00 08 00", "62 00"}) {
            c.r[Cpu.RSP] = 0x9000;
            b.run(code);
            assertThat(c.rip).as(code).isEqualTo(0x20000 + Vector.UD * 16);
        }
    }

    @Test
    void segmentPushesOf64Bits() {
        c.segSel[Cpu.FS] = 0x10;
        b.put(0x8FF8, 8, -1L);
        b.run("0F A0");
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x8FF8);
        assertThat(b.get(0x8FF8, 8)).isEqualTo(0x10);
        b.run("0F A9");
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9000);
        assertThat(c.segSel[Cpu.GS]).isEqualTo(0x10);
    }

    @Test
    void tableRegistersHave64BitBases() {
        b.put(0x6000, 2, 0x7F);
        b.put(0x6002, 8, 0xFFFF8000_00001000L);
        b.run("0F 01 14 25 00 60 00 00");
        assertThat(c.gdtBase).isEqualTo(0xFFFF8000_00001000L);
        b.run("0F 01 04 25 00 61 00 00");
        assertThat(b.get(0x6102, 8)).isEqualTo(0xFFFF8000_00001000L);
        c.gdtBase = Bench.GDT;
        b.put(0x6002, 8, 0x8000_0000_0000L);
        b.run("0F 01 14 25 00 60 00 00");
        assertFault(Vector.GP, 0);
    }

    @Test
    void tablesInMmioAreAnInternalError() {
        // The second page of the identity mapping leads nowhere.
        b.put(0x102008, 8, 0x200087);
        c.idtBase = 0x200000;
        Events.interrupt(c, 0x80);
        assertThat(c.exit).isEqualTo(ExitCode.INTERNAL_ERROR);
        assertThat(c.exitInfo.suberror).isEqualTo(3);
    }
}
