package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;

/** Protected mode of the 80286: 24-bit bases, 16-bit gates and TSS, the upper word of descriptors without meaning. */
class Protected286Test {
    private static final long GARBAGE = 0xFFFFL << 48;

    private final Bench b = new Bench(CpuModel.I286);
    private final Cpu c = b.c;

    @BeforeEach
    void tables() {
        b.gdt(
                0, // 00
                Bench.CODE16 | 0x1L << 32 | GARBAGE, // 08: base 10000
                Bench.DATA16 | GARBAGE, // 10
                Bench.dpl(Bench.CODE16 | 0x1L << 32, 3), // 18
                Bench.dpl(Bench.DATA16, 3), // 20
                Bench.system(Descriptors.TSS16, Bench.TSS, 0x2B, 0), // 28
                Bench.system(Descriptors.TSS32, Bench.TSS, 0x67, 0), // 30
                Bench.gate(Descriptors.CALL_GATE16, 8, 0x4000, 3, 2), // 38
                Bench.gate(Descriptors.CALL_GATE32, 8, 0x4000, 3, 0)); // 40
        for (int v = 0; v < 64; v++) {
            b.idt(v, Bench.gate(Descriptors.INTERRUPT_GATE16, 8, 0x2000 + v * 16, v == 0x21 ? 3 : 0, 0) | GARBAGE);
        }
        b.put(Bench.TSS + 2, 2, 0x7000);
        b.put(Bench.TSS + 4, 2, 0x10);
        b.taskRegister(0x28, Descriptors.TSS16 | 2, 0x2B);
        b.protectedMode(8, 0x10, 0);
        // protectedMode() takes the descriptors as a 386 would.
        c.setSegment(Cpu.CS, 8, 0x10000, 0xFFFF, 0x9B);
        for (int seg : new int[] {Cpu.ES, Cpu.SS, Cpu.DS}) {
            c.setSegment(seg, 0x10, 0, 0xFFFF, 0x93);
        }
        c.rip = 0;
    }

    @AfterEach
    void close() {
        b.close();
    }

    private void run(String hex) {
        b.code(0x10000, hex);
        c.rip = 0;
        b.step();
    }

    private void user() {
        c.cpl = 3;
        c.setSegment(Cpu.CS, 0x1B, 0x10000, 0xFFFF, 0xFB);
        for (int seg : new int[] {Cpu.ES, Cpu.SS, Cpu.DS}) {
            c.setSegment(seg, 0x23, 0, 0xFFFF, 0xF3);
        }
    }

    private void assertFault(int vector, int error) {
        assertThat(c.rip).isEqualTo(0x2000 + vector * 16);
        assertThat(b.stack(0, 2)).as("error code").isEqualTo(error);
        assertThat(b.stack(1, 2)).isZero();
    }

    @Test
    void theUpperWordOfDescriptorsIsIgnored() {
        c.r[Cpu.RAX] = 0x10;
        run("8E C0");
        assertThat(c.segBase[Cpu.ES]).isZero();
        assertThat(c.segLimit[Cpu.ES]).isEqualTo(0xFFFF);
        assertThat(c.segAttr[Cpu.ES]).isEqualTo(0x93);
    }

    @Test
    void interruptsFromUserTakeTheStackOfThe16BitTss() {
        user();
        run("CD 21");
        assertThat(c.cpl).isZero();
        assertThat(c.rip).isEqualTo(0x2210);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x7000 - 10);
        assertThat(b.stack(0, 2)).isEqualTo(2);
        assertThat(b.stack(1, 2)).isEqualTo(0x1B);
        assertThat(b.stack(3, 2)).isEqualTo(0x9000);
        assertThat(b.stack(4, 2)).isEqualTo(0x23);
        b.code(0x12210, "CF");
        b.step();
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.rip).isEqualTo(2);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x9000);
    }

    @Test
    void callGatesCopyWords() {
        user();
        b.put(0x9000, 2, 0x1111);
        b.put(0x9002, 2, 0x2222);
        run("9A 00 00 3B 00");
        assertThat(c.rip).isEqualTo(0x4000);
        assertThat(c.r[Cpu.RSP]).isEqualTo(0x7000 - 12);
        assertThat(b.stack(0, 2)).isEqualTo(5);
        assertThat(b.stack(2, 2)).isEqualTo(0x1111);
        assertThat(b.stack(3, 2)).isEqualTo(0x2222);
        assertThat(b.stack(4, 2)).isEqualTo(0x9000);
    }

    @Test
    void thereAreNo32BitSystemTypes() {
        run("9A 00 00 40 00");
        assertFault(Vector.GP, 0x40);
        c.r[Cpu.RAX] = 0x30;
        run("0F 00 D8");
        assertFault(Vector.GP, 0x30);
        b.idt(0x22, Bench.gate(Descriptors.INTERRUPT_GATE32, 8, 0x5000, 3, 0));
        run("CD 22");
        assertFault(Vector.GP, 0x22 * 8 + 2);
    }

    @Test
    void stackOverrunsAreStackFaultsHere() {
        c.setSegment(Cpu.SS, 0x10, 0, 0x7FFF, 0x93);
        c.setSegment(Cpu.DS, 0x10, 0, 0x7FFF, 0x93);
        c.r[Cpu.RSP] = 0x7000;
        c.r[Cpu.RBP] = 0x8000;
        run("8B 46 00");
        assertFault(Vector.SS, 0);
        c.r[Cpu.RSP] = 0x7000;
        c.r[Cpu.RBX] = 0x8000;
        run("8B 07");
        assertFault(Vector.GP, 0);
    }

    @Test
    void storedTablesHaveOnesInTheLastByte() {
        c.gdtBase = 0x123456;
        c.gdtLimit = 0x789A;
        run("0F 01 06 00 60");
        assertThat(b.get(0x6000, 2)).isEqualTo(0x789A);
        assertThat(b.get(0x6002, 4)).isEqualTo(0xFF123456L);
        run("0F 01 E0");
        assertThat(c.r[Cpu.RAX] & 0xFFFF).isEqualTo(0xFFF1);
    }
}
