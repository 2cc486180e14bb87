package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.run.Interpreter;

/** Hardware breakpoints, through the interpreter. The handler of #DB is HLT at 2010h. */
class BreakpointsTest {
    private final Bench b = new Bench(CpuModel.MAX);
    private final Cpu c = b.c;
    private final Interpreter interpreter = new Interpreter(c);

    @BeforeEach
    void handler() {
        b.real(0x500);
        b.put(4, 4, 0x2010);
        b.code(0x2010, "F4");
    }

    @AfterEach
    void close() {
        interpreter.close();
        b.close();
    }

    private void arm(int n, long address, int type, int length) {
        c.dr[n] = address;
        c.dr[7] |= 2L << 2 * n | (long) (type | length << 2) << 16 + 4 * n;
        Breakpoints.update(c);
    }

    private void assertTrap(long ip, int dr6) {
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(c.rip).isEqualTo(0x2011);
        assertThat(b.stack(0, 2)).isEqualTo(ip);
        assertThat(c.dr[6] & 0xFFFF).isEqualTo(0x0FF0 | dr6);
    }

    @Test
    void instructionBreakpointsAreFaults() {
        b.code(0x500, "90 90 90 F4");
        arm(2, 0x501, 0, 0);
        assertTrap(0x501, 4);
        assertThat(c.instructions).isEqualTo(2);
        // IRETD with RF in the frame goes on behind it.
        c.halted = false;
        b.put(0x7000, 4, 0x501);
        b.put(0x7004, 4, 0);
        b.put(0x7008, 4, Flags.RF | 2);
        c.r[Cpu.RSP] = 0x7000;
        b.code(0x600, "66 CF");
        c.rip = 0x600;
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(c.rip).isEqualTo(0x504);
        assertThat(c.flags() & Flags.RF).isZero();
    }

    /** A fetch that faults is no step: the first instruction of the fault's handler has no trap. */
    @Test
    void aFaultOfTheFetchEndsTheStep() {
        b.put(0xFFFF, 1, 0xB0); // a MOV whose second byte is behind the limit
        b.put(4 * Vector.GP, 4, 0x3000);
        b.code(0x3000, "40 F4");
        c.rip = 0xFFFF;
        c.setFlags(Flags.TF);
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(c.rip).isEqualTo(0x3002);
        assertThat(c.stepArmed).isFalse();
        assertThat(c.pendingDebug).isZero();
    }

    @Test
    void aRepeatedInstructionHitsOnce() {
        b.code(0x500, "F3 AA F4");
        c.r[Cpu.RCX] = 5000;
        c.r[Cpu.RDI] = 0x9000;
        c.setFlags(Flags.RF);
        arm(0, 0x500, 0, 0);
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(c.rip).isEqualTo(0x503);
        assertThat(c.r[Cpu.RCX]).isZero();
    }

    @Test
    void lockedAccessesAreWritesAlsoWhereTheComparisonFails() {
        int start = 0x500;
        // LOCK ADD [6000],CL; LOCK ADD [6002],CX; LOCK ADD [6001],ECX; XCHG [6000],ECX; LOCK CMPXCHG [6000],ECX;
        // LOCK CMPXCHG8B [6000]
        for (String code : new String[] {
            "F0 00 0E 00 60",
            "F0 01 0E 02 60",
            "66 F0 01 0E 01 60",
            "66 87 0E 00 60",
            "66 F0 0F B1 0E 00 60",
            "F0 0F C7 0E 00 60"
        }) {
            start += 0x20;
            b.code(start, code + " F4");
            c.rip = start;
            c.halted = false;
            c.r[Cpu.RAX] = 0x1234;
            c.r[Cpu.RSP] = 0x8000;
            c.dr[6] = 0xFFFF0FF0L;
            c.dr[7] = 0x400;
            arm(1, 0x6000, 1, 3);
            assertTrap(start + code.split(" ").length, 2);
        }
    }

    @Test
    void writesTrapBehindTheInstruction() {
        // MOV AL,[6002]; MOV [6002],AL; HLT
        b.code(0x500, "A0 02 60 A2 02 60 F4");
        arm(1, 0x6000, 1, 3);
        assertTrap(0x506, 2);
    }

    @Test
    void accessesIncludeReadsThatOverlap() {
        // MOV AL,[6004]; MOV AX,[5FFF]; HLT
        b.code(0x500, "A0 04 60 A1 FF 5F F4");
        arm(3, 0x6000, 3, 1);
        assertTrap(0x506, 8);
    }

    @Test
    void pagesThatAreInTheTlbAlreadyAreWatchedToo() {
        b.code(0x500, "A2 00 60 F4");
        interpreter.run();
        c.halted = false;
        c.rip = 0x500;
        arm(0, 0x6000, 1, 0);
        assertTrap(0x503, 1);
    }

    @Test
    void stringInstructionsStopBetweenIterations() {
        b.code(0x500, "F3 AA F4");
        c.r[Cpu.RCX] = 0x100;
        c.r[Cpu.RDI] = 0x5FF0;
        arm(0, 0x6000, 1, 0);
        assertTrap(0x500, 1);
        assertThat(c.r[Cpu.RDI]).isEqualTo(0x6001);
        assertThat(c.r[Cpu.RCX]).isEqualTo(0x100 - 0x11);
    }

    @Test
    void aFaultingInstructionHasNoTrap() {
        // MOVSW from the watched 6000h to FFFFh, where the store is outside the segment.
        b.put(4 * Vector.GP, 4, 0x2010);
        b.code(0x500, "A5");
        c.r[Cpu.RSI] = 0x6000;
        c.r[Cpu.RDI] = 0xFFFF;
        arm(0, 0x6000, 3, 0);
        assertTrap(0x500, 0);
        assertThat(c.pendingDebug).isZero();
    }

    @Test
    void portsNeedDebuggingExtensions() {
        b.code(0x500, "E6 21 F4");
        arm(0, 0x21, 2, 0);
        assertThat(interpreter.run()).isEqualTo(ExitCode.IO);
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(c.rip).isEqualTo(0x503);
        c.halted = false;
        c.rip = 0x500;
        c.cr4 |= Cpu.CR4_DE;
        assertThat(interpreter.run()).isEqualTo(ExitCode.IO);
        assertTrap(0x502, 1);
    }

    @Test
    void btfStepsOverWhatIsNoTakenBranch() {
        // NOP; JZ +0 not taken; REP STOSB; JMP +1; NOP; NOP
        b.code(0x500, "90 74 10 F3 AA EB 01 90 90 F4");
        c.r[Cpu.RCX] = 3;
        c.r[Cpu.RDI] = 0x9000;
        c.setFlags(Flags.TF | 2);
        assertThat(c.msrs.write(c, Msrs.DEBUGCTL, Msrs.DEBUGCTL_BTF)).isTrue();
        assertTrap(0x508, 0x4000);
        assertThat(c.r[Cpu.RCX]).isZero();
        assertThat(c.msrs.debugCtl).as("cleared by the exception").isZero();
        assertThat(c.msrs.write(c, Msrs.DEBUGCTL, 0x40)).isFalse();
    }
}
