package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;

/** Hardware task switches. */
class TaskSwitchTest {
    private static final long NEW_TSS = 0x5000;

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
                Bench.system(Descriptors.TSS32 | 2, Bench.TSS, 0x67, 0), // 28: the present one
                Bench.system(Descriptors.TSS32, NEW_TSS, 0x67, 0), // 30
                Bench.gate(Descriptors.TASK_GATE, 0x30, 0, 3, 0), // 38
                Bench.system(Descriptors.TSS16, NEW_TSS, 0x2B, 0), // 40
                Bench.system(Descriptors.TSS32, NEW_TSS, 0x66, 0)); // 48: too short
        for (int v = 0; v < 256; v++) {
            b.idt(v, Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0x20000 + v * 16, 0, 0));
        }
        b.taskRegister(0x28, Descriptors.TSS32 | 2, 0x67);
        b.protectedMode(8, 0x10, 0);
        b.put(Bench.TSS + 4, 4, 0x7000);
        b.put(Bench.TSS + 8, 2, 0x10);
        newTask(0x18 | 3, 0x20 | 3);
    }

    private void newTask(int cs, int ss) {
        b.put(NEW_TSS + 4, 4, 0x7800);
        b.put(NEW_TSS + 8, 2, 0x10);
        b.put(NEW_TSS + 0x20, 4, 0x40000);
        b.put(NEW_TSS + 0x24, 4, 0x202);
        for (int k = 0; k < 8; k++) {
            b.put(NEW_TSS + 0x28 + 4L * k, 4, 0x1000 * (k + 1));
        }
        int[] segments = {ss, cs, ss, ss, 0, 0};
        for (int k = 0; k < 6; k++) {
            b.put(NEW_TSS + 0x48 + 4L * k, 2, segments[k]);
        }
    }

    @AfterEach
    void close() {
        b.close();
    }

    private void assertInNewTask() {
        assertThat(c.rip).isEqualTo(0x40000);
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.segSel[Cpu.CS]).isEqualTo(0x1B);
        assertThat(c.segSel[Cpu.SS]).isEqualTo(0x23);
        assertThat(c.r[Cpu.RAX]).isEqualTo(0x1000);
        assertThat(c.r[Cpu.RDI]).isEqualTo(0x8000);
        assertThat(c.segSel[Cpu.TR]).isEqualTo(0x30);
        assertThat(c.cr0 & Cpu.CR0_TS).isNotZero();
        assertThat(b.get(Bench.GDT + 0x35, 1)).as("new busy").isEqualTo(0x8B);
    }

    @Test
    void jump() {
        c.r[Cpu.RBX] = 0xABCD;
        b.run("EA 00 00 00 00 30 00");
        assertInNewTask();
        assertThat(c.flags()).isEqualTo(0x202);
        assertThat(b.get(Bench.GDT + 0x2D, 1)).as("old available").isEqualTo(0x89);
        assertThat(b.get(Bench.TSS + 0x20, 4)).isEqualTo(Bench.CODE + 7);
        assertThat(b.get(Bench.TSS + 0x34, 4)).isEqualTo(0xABCD);
        assertThat(b.get(Bench.TSS + 0x4C, 2)).isEqualTo(8);
        assertThat(b.get(Bench.TSS + 0x50, 2)).isEqualTo(0x10);
    }

    @Test
    void callAndReturn() {
        b.run("9A 00 00 00 00 38 00");
        assertInNewTask();
        assertThat(c.flags()).isEqualTo(0x4202);
        assertThat(b.get(NEW_TSS, 2)).isEqualTo(0x28);
        assertThat(b.get(Bench.GDT + 0x2D, 1)).as("old stays busy").isEqualTo(0x8B);
        b.code(0x40000, "CF");
        b.step();
        assertThat(c.rip).isEqualTo(Bench.CODE + 7);
        assertThat(c.cpl).isZero();
        assertThat(c.segSel[Cpu.TR]).isEqualTo(0x28);
        assertThat(b.get(Bench.GDT + 0x35, 1)).as("left task available").isEqualTo(0x89);
        assertThat(b.get(NEW_TSS + 0x24, 4)).as("saved without NT").isEqualTo(0x202);
        assertThat(b.get(NEW_TSS + 0x20, 4)).isEqualTo(0x40001);
    }

    @Test
    void taskGateInTheIdtPushesTheErrorCode() {
        b.idt(Vector.GP, Bench.gate(Descriptors.TASK_GATE, 0x30, 0, 0, 0));
        c.r[Cpu.RAX] = 0xFFF8;
        b.run("8E C0");
        assertInNewTask();
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x5000 - 4);
        assertThat(b.stack(0, 4)).isEqualTo(0xFFF8);
        assertThat(b.get(Bench.TSS + 0x20, 4)).isEqualTo(Bench.CODE);
    }

    @Test
    void sixteenBitTask() {
        b.put(NEW_TSS + 0x0E, 2, 0x4000);
        b.put(NEW_TSS + 0x10, 2, 2);
        for (int k = 0; k < 8; k++) {
            b.put(NEW_TSS + 0x12 + 2L * k, 2, 0x100 * (k + 1));
        }
        int[] segments = {0x10, 8, 0x10, 0x10, 0};
        for (int k = 0; k < 5; k++) {
            b.put(NEW_TSS + 0x22 + 2L * k, 2, segments[k]);
        }
        b.run("EA 00 00 00 00 40 00");
        assertThat(c.rip).isEqualTo(0x4000);
        assertThat(c.r[Cpu.RCX] & 0xFFFF).isEqualTo(0x200);
        assertThat(c.segSel[Cpu.DS]).isEqualTo(0x10);
        assertThat(c.segAttr[Cpu.TR]).isEqualTo(0x83);
    }

    @Test
    void refusals() {
        b.run("EA 00 00 00 00 48 00");
        assertFault(Vector.TS, 0x48, Bench.CODE);
        b.run("EA 00 00 00 00 28 00");
        assertFault(Vector.GP, 0x28, Bench.CODE);
        b.run("EA 00 00 00 00 33 00");
        assertFault(Vector.GP, 0x30, Bench.CODE);
        // IRET with NT set and no link.
        c.setFlags(Flags.NT);
        b.run("CF");
        assertFault(Vector.TS, 0, Bench.CODE);
    }

    private void assertFault(int vector, int error, long rip) {
        assertThat(c.rip).isEqualTo(0x20000 + vector * 16);
        assertThat(b.stack(0, 4)).as("error code").isEqualTo(error);
        assertThat(b.stack(1, 4)).isEqualTo(rip);
    }

    @Test
    void faultsAfterTheSwitchBelongToTheNewTask() {
        newTask(8, 0x10);
        b.put(NEW_TSS + 0x54, 2, 0x28);
        b.run("EA 00 00 00 00 30 00");
        assertFault(Vector.TS, 0x28, 0x40000);
        assertThat(c.segSel[Cpu.TR]).isEqualTo(0x30);
    }

    @Test
    void theTrapBitOfTheTssIsADebugTrap() {
        b.put(NEW_TSS + 0x64, 2, 1);
        b.run("EA 00 00 00 00 30 00");
        assertThat(c.pendingDebug).isEqualTo(0x8000);
    }

    @Test
    void toVirtual8086Mode() {
        b.put(NEW_TSS + 0x24, 4, 0x20202);
        b.put(NEW_TSS + 0x20, 4, 0x100);
        b.run("EA 00 00 00 00 30 00");
        assertThat(c.v86()).isTrue();
        assertThat(c.segBase[Cpu.CS]).isEqualTo(0x1B0);
        assertThat(c.rip).isEqualTo(0x100);
    }
}
