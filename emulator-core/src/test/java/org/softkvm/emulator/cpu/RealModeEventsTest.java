package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;

class RealModeEventsTest {
    private static Bench bench(CpuModel model, String code) {
        Bench b = new Bench(model);
        b.real(0x500);
        b.code(0x500, code);
        for (int v = 0; v < 256; v++) {
            b.put(4L * v, 2, 0x1000 + v);
            b.put(4L * v + 2, 2, 0x200);
        }
        return b;
    }

    private static void assertAt(Bench b, int cs, long ip) {
        assertThat(b.c.segSel[Cpu.CS]).isEqualTo(cs);
        assertThat(b.c.segBase[Cpu.CS]).isEqualTo((long) cs << 4);
        assertThat(b.c.rip).isEqualTo(ip);
    }

    @Test
    void intPushesFlagsCsAndTheNextIp() {
        try (Bench b = bench(CpuModel.MAX, "CD 21")) {
            b.c.setFlags(0x7302);
            b.step();
            assertAt(b, 0x200, 0x1021);
            assertThat(b.c.r[Cpu.RSP]).isEqualTo(0x7FFA);
            assertThat(b.get(0x7FFA, 2)).isEqualTo(0x502);
            assertThat(b.get(0x7FFC, 2)).isEqualTo(0);
            assertThat(b.get(0x7FFE, 2)).isEqualTo(0x7302);
            assertThat(b.c.flags()).isEqualTo(0x7002);
        }
    }

    @Test
    void faultsPushTheirOwnIpAndNoErrorCode() {
        // PUSH with SP = 1: the word at FFFFh is outside the stack segment; #SS cannot be delivered there either.
        try (Bench b = bench(CpuModel.MAX, "8E 06 FF FF")) {
            b.step();
            assertAt(b, 0x200, 0x1000 + Vector.GP);
            assertThat(b.c.r[Cpu.RSP]).isEqualTo(0x7FFA);
            assertThat(b.get(0x7FFA, 2)).isEqualTo(0x500);
        }
    }

    @Test
    void aStackWithoutRoomIsAShutdown() {
        try (Bench b = bench(CpuModel.MAX, "CD 21")) {
            b.c.r[Cpu.RSP] = 1;
            b.step();
            assertThat(b.c.exit).isEqualTo(ExitCode.SHUTDOWN);
            assertThat(b.c.r[Cpu.RSP]).isEqualTo(1);
            assertThat(b.c.rip).isEqualTo(0x500);
        }
    }

    @Test
    void anIdtLimitTooSmallEscalatesToADoubleFault() {
        try (Bench b = bench(CpuModel.MAX, "CD 21")) {
            b.c.idtLimit = 4 * Vector.DF + 3;
            b.step();
            assertAt(b, 0x200, 0x1000 + Vector.DF);
        }
    }

    @Test
    void iretRestoresFlagsByOperandSize() {
        try (Bench b = bench(CpuModel.MAX, "CF")) {
            b.put(0x8000, 2, 0x1234);
            b.put(0x8002, 2, 0x300);
            b.put(0x8004, 2, 0x7FFF);
            b.step();
            assertAt(b, 0x300, 0x1234);
            assertThat(b.c.flags()).isEqualTo(0x7FD7);
            assertThat(b.c.r[Cpu.RSP]).isEqualTo(0x8006);
        }
        try (Bench b = bench(CpuModel.MAX, "66 CF")) {
            b.put(0x8000, 4, 0x1234);
            b.put(0x8004, 4, 0xABCD0300);
            b.put(0x8008, 4, 0xFFFFFFFF);
            b.step();
            assertAt(b, 0x300, 0x1234);
            // RF is gone after the next instruction, and no breakpoint is armed. VM, VIF and VIP stay.
            assertThat(b.c.flags()).isEqualTo(0x247FD7);
        }
        try (Bench b = bench(CpuModel.I286, "CF")) {
            b.put(0x8004, 2, 0xFFFF);
            b.step();
            assertThat(b.c.flags()).isEqualTo(0x0FD7);
        }
        try (Bench b = bench(CpuModel.I8086, "CF")) {
            b.step();
            assertThat(b.c.flags()).isEqualTo(0xF002);
        }
    }

    @Test
    void iretOutsideTheLimitFaultsBeforeAnythingChanges() {
        try (Bench b = bench(CpuModel.MAX, "66 CF")) {
            b.put(0x8000, 4, 0x10000);
            b.step();
            assertAt(b, 0x200, 0x1000 + Vector.GP);
            assertThat(b.get(0x7FFA, 2)).isEqualTo(0x500);
            assertThat(b.c.r[Cpu.RSP]).isEqualTo(0x7FFA);
        }
    }

    @Test
    void farJumpCallAndReturn() {
        try (Bench b = bench(CpuModel.MAX, "EA 34 12 00 10")) {
            b.step();
            assertAt(b, 0x1000, 0x1234);
        }
        try (Bench b = bench(CpuModel.MAX, "9A 34 12 00 10")) {
            b.step();
            assertAt(b, 0x1000, 0x1234);
            assertThat(b.stack(0, 2)).isEqualTo(0x505);
            assertThat(b.stack(1, 2)).isEqualTo(0);
            b.code(0x11234, "CA 04 00");
            b.step();
            assertAt(b, 0, 0x505);
            assertThat(b.c.r[Cpu.RSP]).isEqualTo(0x8004);
        }
        try (Bench b = bench(CpuModel.MAX, "FF 2E 00 06")) {
            b.put(0x600, 4, 0x10001234);
            b.step();
            assertAt(b, 0x1000, 0x1234);
        }
        try (Bench b = bench(CpuModel.MAX, "66 FF 1E 00 06")) {
            b.put(0x600, 4, 0x1234);
            b.put(0x604, 2, 0x1000);
            b.step();
            assertAt(b, 0x1000, 0x1234);
            assertThat(b.stack(0, 4)).isEqualTo(0x505);
            assertThat(b.stack(1, 4)).isEqualTo(0);
        }
    }

    @Test
    void segmentLoadsKeepTheLimit() {
        try (Bench b = bench(CpuModel.MAX, "8E C0")) {
            b.c.setSegment(Cpu.ES, 0, 0, 0xFFFFFFFFL, 0xC093);
            b.c.r[Cpu.RAX] = 0x1234;
            b.step();
            assertThat(b.c.segBase[Cpu.ES]).isEqualTo(0x12340);
            assertThat(b.c.segLimit[Cpu.ES]).isEqualTo(0xFFFFFFFFL);
        }
        try (Bench b = bench(CpuModel.MAX, "C4 1E 00 06")) {
            b.put(0x600, 4, 0x20001234);
            b.step();
            assertThat(b.c.segSel[Cpu.ES]).isEqualTo(0x2000);
            assertThat(b.c.r[Cpu.RBX]).isEqualTo(0x1234);
        }
    }

    @Test
    void stackSegmentLoadsHoldInterruptsOff() {
        try (Bench b = bench(CpuModel.MAX, "17")) {
            b.put(0x8000, 2, 0x100);
            b.step();
            assertThat(b.c.shadow).isEqualTo(Cpu.SHADOW_SS);
            assertThat(b.c.segBase[Cpu.SS]).isEqualTo(0x1000);
            assertThat(b.c.r[Cpu.RSP]).isEqualTo(0x8002);
        }
    }

    @Test
    void segmentRegisterFieldsByModel() {
        for (String code : new String[] {"8E C8", "8E F0", "8C F0"}) {
            try (Bench b = bench(CpuModel.MAX, code)) {
                b.step();
                assertAt(b, 0x200, 0x1000 + Vector.UD);
            }
        }
        try (Bench b = bench(CpuModel.I286, "8E E0")) {
            b.step();
            assertAt(b, 0x200, 0x1000 + Vector.UD);
        }
        try (Bench b = bench(CpuModel.I8086, "8E E0")) {
            b.c.r[Cpu.RAX] = 0x77;
            b.step();
            assertThat(b.c.segSel[Cpu.ES]).isEqualTo(0x77);
        }
    }

    @Test
    void pushOfASegmentWrites16Bits() {
        try (Bench b = bench(CpuModel.MAX, "66 06")) {
            b.put(0x7FFC, 4, 0xAAAAAAAA);
            b.c.setSegment(Cpu.ES, 0x1234, 0x12340, 0xFFFF, 0x93);
            b.step();
            assertThat(b.c.r[Cpu.RSP]).isEqualTo(0x7FFC);
            assertThat(b.get(0x7FFC, 4)).isEqualTo(0xAAAA1234L);
        }
    }

    @Test
    void protectedModeInstructionsAreInvalid() {
        for (String code : new String[] {"0F 00 C0", "0F 00 D8", "0F 02 C0", "0F 03 C0", "63 C0", "0F 00 E0"}) {
            try (Bench b = bench(CpuModel.MAX, code)) {
                b.step();
                assertAt(b, 0x200, 0x1000 + Vector.UD);
            }
        }
    }

    @Test
    void boundAndInto() {
        try (Bench b = bench(CpuModel.MAX, "62 06 00 06")) {
            b.put(0x600, 2, 0xFFF0);
            b.put(0x602, 2, 0x10);
            b.c.r[Cpu.RAX] = 0x11;
            b.step();
            assertAt(b, 0x200, 0x1000 + Vector.BR);
            assertThat(b.stack(0, 2)).isEqualTo(0x500);
        }
        try (Bench b = bench(CpuModel.MAX, "62 06 00 06")) {
            b.put(0x600, 2, 0xFFF0);
            b.put(0x602, 2, 0x10);
            b.c.r[Cpu.RAX] = 0xFFF0;
            b.step();
            assertAt(b, 0, 0x504);
        }
        try (Bench b = bench(CpuModel.MAX, "CE")) {
            b.c.setFlags(Flags.OF);
            b.step();
            assertAt(b, 0x200, 0x1000 + Vector.OF);
            assertThat(b.stack(0, 2)).isEqualTo(0x501);
        }
    }

    @Test
    void the8086WrapsItsStackAndDividesWithTheNextIp() {
        try (Bench b = bench(CpuModel.I8086, "CD 21")) {
            b.c.r[Cpu.RSP] = 1;
            b.step();
            assertAt(b, 0x200, 0x1021);
            assertThat(b.get(0xFFFF, 1)).isEqualTo(0x02);
            assertThat(b.get(0, 1)).isEqualTo(0xF0);
        }
        try (Bench b = bench(CpuModel.I8086, "D4 00")) {
            b.step();
            assertAt(b, 0x200, 0x1000);
            assertThat(b.stack(0, 2)).isEqualTo(0x502);
        }
    }

    @Test
    void hardwareInterruptsWakeAndNmisBlock() {
        try (Bench b = bench(CpuModel.MAX, "90")) {
            b.c.halted = true;
            b.c.setFlags(Flags.IF);
            Events.interrupt(b.c, 0x30);
            assertAt(b, 0x200, 0x1030);
            assertThat(b.c.halted).isFalse();
            Events.nmi(b.c);
            assertAt(b, 0x200, 0x1002);
            assertThat(b.c.nmiBlocked).isTrue();
            b.code(0x3002, "CF");
            b.step();
            assertThat(b.c.nmiBlocked).isFalse();
            assertAt(b, 0x200, 0x1030);
        }
    }

    @Test
    void debugTrapsSetDr6() {
        try (Bench b = bench(CpuModel.MAX, "90")) {
            b.c.dr[7] |= 0x2000;
            b.c.pendingDebug = 0x4000;
            Events.debugTrap(b.c);
            assertAt(b, 0x200, 0x1001);
            assertThat(b.c.dr[6]).isEqualTo(0xFFFF4FF0L);
            assertThat(b.c.dr[7]).isEqualTo(0x400);
            assertThat(b.c.pendingDebug).isZero();
        }
    }
}
