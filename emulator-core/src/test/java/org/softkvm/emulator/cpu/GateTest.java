package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.softkvm.emulator.CpuModel;

/** Interrupt, trap and call gates, far transfers and returns in 32-bit protected mode. */
class GateTest {
    private final Bench b = new Bench(CpuModel.MAX);
    private final Cpu c = b.c;

    @BeforeEach
    void tables() {
        b.gdt(
                0, // 00
                Bench.CODE32, // 08
                Bench.DATA32, // 10
                Bench.dpl(Bench.CODE32, 3), // 18
                Bench.dpl(Bench.DATA32, 3), // 20
                Bench.conforming(Bench.CODE32), // 28
                Bench.absent(Bench.CODE32), // 30
                Bench.gate(Descriptors.CALL_GATE32, 8, 0x30000, 3, 2), // 38
                Bench.gate(Descriptors.CALL_GATE16, 8, 0x4000, 3, 1), // 40
                Bench.gate(Descriptors.CALL_GATE32, 8, 0x30000, 0, 0), // 48
                Bench.system(Descriptors.TSS32, Bench.TSS, 0x67, 0), // 50
                0x00009B0000000FFFL, // 58: 16-bit code of 4 KiB
                Bench.dpl(Bench.CODE32, 1), // 60
                Bench.dpl(Bench.DATA32, 1), // 68
                Bench.gate(Descriptors.CALL_GATE32, 0x28, 0x30000, 3, 0), // 70
                Bench.gate(Descriptors.CALL_GATE32, 0x58, 0x1000, 3, 0)); // 78
        for (int v = 0; v < 256; v++) {
            b.idt(v, Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0x20000 + v * 16, v < 32 ? 0 : 3, 0));
        }
        b.put(Bench.TSS + 4, 4, 0x7000);
        b.put(Bench.TSS + 8, 2, 0x10);
        b.put(Bench.TSS + 12, 4, 0x6000);
        b.put(Bench.TSS + 16, 2, 0x69);
        b.taskRegister(0x50, Descriptors.TSS32 | 2, 0x67);
        b.protectedMode(8, 0x10, 0);
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
        assertThat(b.stack(0, 4)).as("error code").isEqualTo(error);
        assertThat(b.stack(1, 4)).isEqualTo(Bench.CODE);
    }

    @Test
    void interruptsOfTheSameLevel() {
        c.setFlags(0x4302);
        b.run("CD 80");
        assertThat(c.rip).isEqualTo(0x20800);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9000 - 12);
        assertThat(b.stack(0, 4)).isEqualTo(Bench.CODE + 2);
        assertThat(b.stack(1, 4)).isEqualTo(8);
        assertThat(b.stack(2, 4)).isEqualTo(0x4302);
        assertThat(c.flags()).isEqualTo(2);
    }

    @Test
    void trapGatesLeaveTheInterruptFlag() {
        b.idt(0x80, Bench.gate(Descriptors.TRAP_GATE32, 8, 0x5000, 3, 0));
        c.setFlags(0x302);
        b.run("CD 80");
        assertThat(c.flags()).isEqualTo(0x202);
    }

    @Test
    void interruptsFromUserSwitchStacksAndReturn() {
        user();
        c.setFlags(0x3202);
        b.run("CD 80");
        assertThat(c.cpl).isZero();
        assertThat(c.segSel[Cpu.CS]).isEqualTo(8);
        assertThat(c.segSel[Cpu.SS]).isEqualTo(0x10);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x7000 - 20);
        assertThat(b.stack(1, 4)).isEqualTo(0x1B);
        assertThat(b.stack(3, 4)).isEqualTo(0x9000);
        assertThat(b.stack(4, 4)).isEqualTo(0x23);
        c.setSegment(Cpu.ES, 0x10, 0, 0xFFFFFFFFL, 0xC093);
        b.code(c.rip, "CF");
        b.step();
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.segSel[Cpu.CS]).isEqualTo(0x1B);
        assertThat(c.segSel[Cpu.SS]).isEqualTo(0x23);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9000);
        assertThat(c.flags()).isEqualTo(0x3202);
        assertThat(c.rip).isEqualTo(Bench.CODE + 2);
        assertThat(c.segSel[Cpu.ES]).as("inner segment").isZero();
        assertThat(c.segSel[Cpu.DS]).isEqualTo(0x23);
    }

    @Test
    void softwareInterruptsNeedTheGatesDpl() {
        user();
        b.run("CD 0E");
        assertFault(Vector.GP, 0x0E * 8 + 2);
        user();
        b.run("CC");
        assertFault(Vector.GP, 3 * 8 + 2);
        // INT1 has no such check.
        user();
        b.run("F1");
        assertThat(c.rip).isEqualTo(0x20010);
        assertThat(b.stack(0, 4)).isEqualTo(Bench.CODE + 1);
    }

    @Test
    void absentAndUnknownGates() {
        b.idt(0x40, Bench.absent(Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0, 3, 0)));
        b.run("CD 40");
        assertFault(Vector.NP, 0x40 * 8 + 2);
        b.idt(0x40, Bench.gate(Descriptors.CALL_GATE32, 8, 0, 3, 0));
        b.run("CD 40");
        assertFault(Vector.GP, 0x40 * 8 + 2);
        c.idtLimit = 0x200;
        b.run("CD 40");
        assertFault(Vector.GP, 0x40 * 8 + 2);
        // The same of an external event has EXT set.
        c.rip = Bench.CODE;
        Events.interrupt(c, 0x40);
        assertFault(Vector.GP, 0x40 * 8 + 3);
    }

    @Test
    void badGateTargets() {
        b.idt(0x40, Bench.gate(Descriptors.INTERRUPT_GATE32, 0, 0, 3, 0));
        b.run("CD 40");
        assertFault(Vector.GP, 0);
        b.idt(0x40, Bench.gate(Descriptors.INTERRUPT_GATE32, 0x10, 0, 3, 0));
        b.run("CD 40");
        assertFault(Vector.GP, 0x10);
        b.idt(0x40, Bench.gate(Descriptors.INTERRUPT_GATE32, 0x18, 0, 3, 0));
        b.run("CD 40");
        assertFault(Vector.GP, 0x18);
        b.idt(0x40, Bench.gate(Descriptors.INTERRUPT_GATE32, 0x30, 0, 3, 0));
        b.run("CD 40");
        assertFault(Vector.NP, 0x30);
        b.idt(0x40, Bench.gate(Descriptors.INTERRUPT_GATE32, 0x58, 0x1000, 3, 0));
        b.run("CD 40");
        assertFault(Vector.GP, 0);
    }

    @Test
    void badInnerStacks() {
        user();
        b.idt(0x40, Bench.gate(Descriptors.INTERRUPT_GATE32, 0x60, 0x5000, 3, 0));
        b.put(Bench.TSS + 16, 2, 0x68);
        b.run("CD 40");
        assertFault(Vector.TS, 0x68);
        user();
        b.put(Bench.TSS + 16, 2, 0);
        b.run("CD 40");
        assertFault(Vector.TS, 0);
        user();
        b.put(Bench.TSS + 16, 2, 0x69);
        b.run("CD 40");
        assertThat(c.cpl).isEqualTo(1);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x6000 - 20);
        assertThat(c.segSel[Cpu.CS]).isEqualTo(0x61);
    }

    @Test
    void aTssTooShortIsTsThenDoubleFaultThenShutdown() {
        user();
        c.setSegment(Cpu.TR, 0x50, Bench.TSS, 8, 0x8B);
        b.run("CD 80");
        assertThat(c.exit).isEqualTo(ExitCode.SHUTDOWN);
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9000);
        assertThat(c.rip).isEqualTo(Bench.CODE);
    }

    @Test
    void contributoryFaultsMakeADoubleFault() {
        b.idt(Vector.GP, Bench.absent(Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0, 0, 0)));
        c.r[Cpu.RAX] = 0xFFF8;
        b.run("8E C0");
        assertFault(Vector.DF, 0);
        // A benign first event is followed by the second one as it is.
        b.idt(Vector.BR, Bench.absent(Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0, 0, 0)));
        b.put(0x5000, 8, 0);
        c.r[Cpu.RAX] = 1;
        b.run("62 05 00 50 00 00");
        assertFault(Vector.NP, Vector.BR * 8 + 3);
    }

    @Test
    void faultsPushTheResumeFlag() {
        c.r[Cpu.RAX] = 0xFFF8;
        b.run("8E C0");
        assertThat(b.stack(3, 4) & Flags.RF).isNotZero();
        assertThat(c.flags() & Flags.RF).isZero();
    }

    @Test
    void sixteenBitGates() {
        b.idt(0x40, Bench.gate(Descriptors.INTERRUPT_GATE16, 8, 0x5000, 3, 0));
        user();
        b.run("CD 40");
        assertThat(c.rip).isEqualTo(0x5000);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x7000 - 10);
        assertThat(b.stack(0, 2)).isEqualTo(2);
        assertThat(b.stack(1, 2)).isEqualTo(0x1B);
        assertThat(b.stack(4, 2)).isEqualTo(0x23);
    }

    @Test
    void farJumps() {
        b.run("EA 00 50 00 00 28 00");
        assertThat(c.segSel[Cpu.CS]).isEqualTo(0x28);
        assertThat(c.rip).isEqualTo(0x5000);
        b.run("EA 00 50 00 00 18 00");
        assertFault(Vector.GP, 0x18);
        b.run("EA 00 50 00 00 00 00");
        assertFault(Vector.GP, 0);
        b.run("EA 00 50 00 00 30 00");
        assertFault(Vector.NP, 0x30);
        b.run("EA 00 50 00 00 0B 00");
        assertFault(Vector.GP, 8);
        b.run("EA 00 10 00 00 58 00");
        assertFault(Vector.GP, 0);
        b.run("EA 00 50 00 00 10 00");
        assertFault(Vector.GP, 0x10);
        b.run("EA 00 50 00 00 80 00");
        assertFault(Vector.GP, 0x80);
        assertThat(c.segSel[Cpu.CS]).isEqualTo(8);
    }

    @Test
    void conformingCodeKeepsTheCpl() {
        user();
        b.run("EA 00 50 00 00 28 00");
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.segSel[Cpu.CS]).isEqualTo(0x2B);
    }

    @Test
    void farCallsAndReturns() {
        b.run("9A 00 50 00 00 08 00");
        assertThat(c.rip).isEqualTo(0x5000);
        assertThat(b.stack(0, 4)).isEqualTo(Bench.CODE + 7);
        assertThat(b.stack(1, 4)).isEqualTo(8);
        b.code(0x5000, "CA 08 00");
        b.step();
        assertThat(c.rip).isEqualTo(Bench.CODE + 7);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9008);
    }

    @Test
    void callGatesSwitchStacksAndCopyParameters() {
        user();
        b.put(0x9000, 4, 0x11111111);
        b.put(0x9004, 4, 0x22222222);
        b.run("9A FF FF FF FF 3B 00");
        assertThat(c.cpl).isZero();
        assertThat(c.rip).isEqualTo(0x30000);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x7000 - 24);
        assertThat(b.stack(0, 4)).isEqualTo(Bench.CODE + 7);
        assertThat(b.stack(1, 4)).isEqualTo(0x1B);
        assertThat(b.stack(2, 4)).isEqualTo(0x11111111);
        assertThat(b.stack(3, 4)).isEqualTo(0x22222222);
        assertThat(b.stack(4, 4)).isEqualTo(0x9000);
        assertThat(b.stack(5, 4)).isEqualTo(0x23);
        b.code(0x30000, "CA 08 00");
        b.step();
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.rip).isEqualTo(Bench.CODE + 7);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9008);
        assertThat(c.segSel[Cpu.SS]).isEqualTo(0x23);
    }

    @Test
    void sixteenBitCallGate() {
        user();
        b.put(0x9000, 2, 0x1111);
        b.run("9A 00 00 00 00 43 00");
        assertThat(c.rip).isEqualTo(0x4000);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x7000 - 10);
        assertThat(b.stack(2, 2)).isEqualTo(0x1111);
    }

    @Test
    void callGatePrivileges() {
        user();
        b.run("9A 00 00 00 00 4B 00");
        assertFault(Vector.GP, 0x48);
        // A jump through a gate cannot change the level; to conforming code it may.
        user();
        b.run("EA 00 00 00 00 3B 00");
        assertFault(Vector.GP, 8);
        user();
        b.run("EA 00 00 00 00 73 00");
        assertThat(c.rip).isEqualTo(0x30000);
        assertThat(c.cpl).isEqualTo(3);
        user();
        b.run("9A 00 00 00 00 7B 00");
        assertFault(Vector.GP, 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x00, 0x10, 0x18, 0x80, 0x61})
    void badReturnSelectors(int selector) {
        b.put(0x9000, 4, 0x5000);
        b.put(0x9004, 4, selector);
        b.put(0x9008, 4, 2);
        for (String code : new String[] {"CB", "CF"}) {
            c.r[Cpu.RSP] = 0x9000;
            int error = selector == 0x61 ? 0 : selector;
            b.run(code);
            // 61h is good, but its stack (0) is not.
            assertFault(Vector.GP, error);
        }
    }

    @Test
    void returnsToTheOuterLevelCheckTheStack() {
        b.put(0x9000, 4, 0x5000);
        b.put(0x9004, 4, 0x1B);
        b.put(0x9008, 4, 0x202);
        b.put(0x900C, 4, 0x8888);
        b.put(0x9010, 4, 0x10);
        b.run("CF");
        assertFault(Vector.GP, 0x10);
        c.r[Cpu.RSP] = 0x9000;
        b.put(0x9010, 4, 0x23);
        b.run("CF");
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x8888);
        assertThat(c.segSel[Cpu.DS]).isZero();
        assertThat(c.segAttr[Cpu.DS] & Cpu.ATTR_UNUSABLE).isNotZero();
    }

    @Test
    void usersCannotChangeIoplOrIf() {
        user();
        c.setFlags(0x202);
        b.put(0x9000, 4, 0x5000);
        b.put(0x9004, 4, 0x1B);
        b.put(0x9008, 4, 0x3001);
        b.run("CF");
        assertThat(c.rip).isEqualTo(0x5000);
        assertThat(c.flags()).isEqualTo(0x203);
    }

    @Test
    void aPageFaultOfTheStackChangesNothing() {
        // 32-bit paging: the first 2 MiB but the page at 6000h, where the inner stack is.
        for (int k = 0; k < 512; k++) {
            b.put(0x101000 + 4L * k, 4, (long) k << 12 | 7);
        }
        b.put(0x100000, 4, 0x101007);
        b.put(0x101000 + 4 * 6, 4, 0);
        c.cr3 = 0x100000;
        c.cr0 |= Cpu.CR0_PG;
        c.flushTlb();
        user();
        b.run("CD 80");
        // #PF cannot be delivered there, and neither can #DF.
        assertThat(c.exit).isEqualTo(ExitCode.SHUTDOWN);
        assertThat(c.cr2).isEqualTo(0x6FFC);
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9000);
        assertThat(c.segSel[Cpu.SS]).isEqualTo(0x23);
    }
}
