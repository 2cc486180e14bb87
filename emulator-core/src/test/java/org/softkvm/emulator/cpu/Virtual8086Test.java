package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;

/** Virtual-8086 mode: entry by IRET, interrupts out of it, IOPL. */
class Virtual8086Test {
    private final Bench b = new Bench(CpuModel.MAX);
    private final Cpu c = b.c;

    @BeforeEach
    void enter() {
        b.gdt(
                0, // 00
                Bench.CODE32, // 08
                Bench.DATA32, // 10
                Bench.dpl(Bench.CODE32, 3), // 18
                Bench.system(Descriptors.TSS32, Bench.TSS, 0x67, 0)); // 20
        for (int v = 0; v < 256; v++) {
            b.idt(v, Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0x20000 + v * 16, v == 0x21 ? 3 : 0, 0));
        }
        b.put(Bench.TSS + 4, 4, 0x7000);
        b.put(Bench.TSS + 8, 2, 0x10);
        b.taskRegister(0x20, Descriptors.TSS32 | 2, 0x67);
        b.protectedMode(8, 0x10, 0);
        iret(0);
    }

    private void iret(int flags) {
        long[] frame = {0x100, 0x1000, 0x20002 | flags, 0x200, 0x800, 0x1111, 0x2222, 0x3333, 0x4444};
        c.r[Cpu.RSP] = 0x8000;
        for (int k = 0; k < frame.length; k++) {
            b.put(0x8000 + 4L * k, 4, frame[k]);
        }
        b.run("CF");
    }

    @AfterEach
    void close() {
        b.close();
    }

    @Test
    void iretEnters() {
        assertThat(c.v86()).isTrue();
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.rip).isEqualTo(0x100);
        assertThat(c.segBase[Cpu.CS]).isEqualTo(0x10000);
        assertThat(c.segBase[Cpu.SS]).isEqualTo(0x8000);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x200);
        assertThat(c.segBase[Cpu.ES]).isEqualTo(0x11110);
        assertThat(c.segBase[Cpu.DS]).isEqualTo(0x22220);
        assertThat(c.segBase[Cpu.FS]).isEqualTo(0x33330);
        assertThat(c.segBase[Cpu.GS]).isEqualTo(0x44440);
        assertThat(c.segLimit[Cpu.DS]).isEqualTo(0xFFFF);
        assertThat(c.codeBits()).isEqualTo(16);
    }

    @Test
    void interruptsLeaveWithAllSegmentsOnTheStack() {
        b.code(0x10100, "8E D8");
        c.r[Cpu.RAX] = 0x5555;
        b.step();
        assertThat(c.segBase[Cpu.DS]).isEqualTo(0x55550);
        Events.interrupt(c, 0x40);
        assertThat(c.v86()).isFalse();
        assertThat(c.cpl).isZero();
        assertThat(c.rip).isEqualTo(0x20400);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x7000 - 36);
        long[] expected = {0x102, 0x1000, 0x20002, 0x200, 0x800, 0x1111, 0x5555, 0x3333, 0x4444};
        for (int k = 0; k < expected.length; k++) {
            assertThat(b.stack(k, 4)).as("slot " + k).isEqualTo(expected[k]);
        }
        assertThat(c.segAttr[Cpu.DS] & Cpu.ATTR_UNUSABLE).isNotZero();
        assertThat(c.segSel[Cpu.DS]).isZero();
        b.code(c.rip, "CF");
        b.step();
        assertThat(c.v86()).isTrue();
        assertThat(c.rip).isEqualTo(0x102);
        assertThat(c.segBase[Cpu.DS]).isEqualTo(0x55550);
    }

    @Test
    void intAndIretAreSensitiveToIopl() {
        for (String code : new String[] {"CD 21", "CF"}) {
            b.code(0x10100, code);
            b.step();
            assertThat(c.rip).as(code).isEqualTo(0x20000 + Vector.GP * 16);
            assertThat(b.stack(0, 4)).isZero();
            assertThat(b.stack(1, 4)).isEqualTo(0x100);
            c.flushTlb();
            c.rip = Bench.CODE;
            iret(0);
        }
    }

    @Test
    void atIopl3IntGoesThroughTheIdtByItsDpl() {
        Events.interrupt(c, 0x40);
        iret(0x3000);
        b.code(0x10100, "CD 21");
        b.step();
        assertThat(c.rip).isEqualTo(0x20210);
        assertThat(b.stack(0, 4)).isEqualTo(0x102);
        iret(0x3000);
        b.code(0x10100, "CD 22");
        b.step();
        assertThat(c.rip).isEqualTo(0x20000 + Vector.GP * 16);
        assertThat(b.stack(0, 4)).isEqualTo(0x22 * 8 + 2);
    }

    @Test
    void iretAtIopl3KeepsIopl() {
        Events.interrupt(c, 0x40);
        iret(0x3000);
        b.code(0x10100, "CF");
        b.put(0x8200, 2, 0x300);
        b.put(0x8202, 2, 0x1100);
        b.put(0x8204, 2, 0x0203);
        b.step();
        assertThat(c.rip).isEqualTo(0x300);
        assertThat(c.segBase[Cpu.CS]).isEqualTo(0x11000);
        assertThat(c.flags()).isEqualTo(0x23203);
    }

    @Test
    void handlersHaveToBeAtLevel0() {
        b.idt(0x40, Bench.gate(Descriptors.INTERRUPT_GATE32, 0x18, 0x5000, 0, 0));
        Events.interrupt(c, 0x40);
        assertThat(c.rip).isEqualTo(0x20000 + Vector.GP * 16);
        assertThat(b.stack(0, 4)).isEqualTo(0x19);
    }

    @Test
    void protectedModeInstructionsAreInvalid() {
        b.code(0x10100, "0F 00 C0");
        b.step();
        assertThat(c.rip).isEqualTo(0x20000 + Vector.UD * 16);
    }
}
