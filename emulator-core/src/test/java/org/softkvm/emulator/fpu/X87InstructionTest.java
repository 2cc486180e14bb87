package org.softkvm.emulator.fpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.ExitCode;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.GuestExit;
import org.softkvm.emulator.cpu.Vector;

/** What surrounds the arithmetic: faults, pending exceptions, memory images, aliases. */
class X87InstructionTest {
    private static final String ONE = "3fff8000000000000000";
    private static final String TWO = "40008000000000000000";
    private static final String NAN = "ffffc000000000000000";

    private final X87Machine m = new X87Machine();

    @AfterEach
    void close() {
        m.close();
    }

    @Test
    void emulationAndTaskSwitchMakeDeviceNotAvailable() {
        for (int bit : new int[] {Cpu.CR0_EM, Cpu.CR0_TS}) {
            m.c.cr0 |= bit;
            for (String code : List.of("D9 E8", "D8 07", "DB E3", "DF E0", "D9 3F", "DB E0", "DD 37")) {
                assertThat(m.fault(code)).as(code).isEqualTo(Vector.NM);
            }
            m.c.cr0 &= ~bit;
        }
        assertThat(m.fpu.abridgedTag()).isZero();
    }

    @Test
    void machineStatusWordOfThe80286WorksWithoutAnFpu() {
        try (X87Machine old = new X87Machine(CpuModel.I286)) {
            assertThat(old.fault("D8 07")).isEqualTo(-1);
            assertThat(old.fault("9B")).isEqualTo(-1);
            old.c.cr0 |= Cpu.CR0_EM;
            assertThat(old.fault("D8 07")).isEqualTo(Vector.NM);
            old.c.cr0 ^= Cpu.CR0_EM | Cpu.CR0_TS | Cpu.CR0_MP;
            assertThat(old.fault("D9 E8")).isEqualTo(Vector.NM);
            assertThat(old.fault("9B")).isEqualTo(Vector.NM);
        }
    }

    @Test
    void waitNeedsMonitorAndTaskSwitch() {
        m.c.cr0 |= Cpu.CR0_TS;
        assertThat(m.fault("9B")).isEqualTo(-1);
        m.c.cr0 |= Cpu.CR0_MP;
        assertThat(m.fault("9B")).isEqualTo(Vector.NM);
        m.c.cr0 &= ~Cpu.CR0_TS;
        assertThat(m.fault("9B")).isEqualTo(-1);
    }

    @Test
    void exceptionIsTakenByTheNextWaitingInstruction() {
        divideByZeroUnmasked();
        assertThat(m.fpu.statusWord() & 0x80FF).isEqualTo(0x8084);
        // The operands stay, so that a handler may look at them.
        assertThat(m.get(0)).isEqualTo("00000000000000000000");
        assertThat(m.get(1)).isEqualTo(ONE);
        assertThat(m.fault("9B")).isEqualTo(Vector.MF);
        assertThat(m.fault("D9 D0")).isEqualTo(Vector.MF);
        assertThat(m.fault("D9 2F")).isEqualTo(Vector.MF);
        m.run("DF E0");
        assertThat(m.c.r[Cpu.RAX] & 0xFFFF).isEqualTo(m.fpu.statusWord());
        m.run("DB E2");
        assertThat(m.fault("9B")).isEqualTo(-1);
    }

    @Test
    void maskingTakesAPendingExceptionBack() {
        divideByZeroUnmasked();
        m.fpu.setControlWord(0x37F);
        assertThat(m.fpu.statusWord() & 0x80FF).isEqualTo(4);
        assertThat(m.fault("9B")).isEqualTo(-1);
    }

    @Test
    void withoutNumericErrorTheLineIsRaisedAndTheInstructionWaits() {
        AtomicInteger raised = new AtomicInteger();
        m.fpu.errorLine = raised::incrementAndGet;
        m.c.cr0 &= ~Cpu.CR0_NE;
        divideByZeroUnmasked();
        assertThat(raised).hasValue(0);
        assertThatThrownBy(() -> m.run("D9 E8")).isInstanceOf(GuestExit.class);
        assertThat(raised).hasValue(1);
        assertThat(m.c.exit).isEqualTo(ExitCode.INTR);
        // IGNNE#: it goes on, and the same exception is not signalled twice.
        m.run("D9 E8");
        m.run("D9 E8");
        assertThat(raised).hasValue(1);
        assertThat(m.get(0)).isEqualTo(ONE);
        m.run("DB E2");
        divideByZeroUnmasked();
        assertThatThrownBy(() -> m.run("9B")).isInstanceOf(GuestExit.class);
        assertThat(raised).hasValue(2);
    }

    @Test
    void withoutNumericErrorAndWithoutALineTheExceptionIsIgnored() {
        m.c.cr0 &= ~Cpu.CR0_NE;
        divideByZeroUnmasked();
        m.run("D9 E8");
        assertThat(m.get(0)).isEqualTo(ONE);
    }

    private void divideByZeroUnmasked() {
        m.run("DB E3");
        m.fpu.setControlWord(0x37B);
        m.run("D9 E8");
        m.run("D9 EE");
        m.run("D8 F9");
    }

    @Test
    void faultingMemoryOperandChangesNothing() {
        m.run("D9 E8");
        int sw = m.fpu.statusWord();
        m.c.r[Cpu.RBX] = 0xFFFF;
        for (String code : List.of("D9 1F", "DD 1F", "DB 3F", "DF 37", "DB 1F", "DD 37", "D9 37", "D9 07", "DB 2F")) {
            assertThat(m.fault(code)).as(code).isEqualTo(Vector.GP);
        }
        assertThat(m.fpu.statusWord()).isEqualTo(sw);
        assertThat(m.fpu.abridgedTag()).isEqualTo(0x80);
        assertThat(m.fpu.controlWord()).isEqualTo(FpuState.CW_INIT);
    }

    @Test
    void stackUnderflowInOneStoreDoesNotHarmTheNext() {
        m.c.r[Cpu.RBX] = 0xFFFF;
        assertThat(m.fault("D9 1F")).isEqualTo(Vector.GP);
        assertThat(m.fpu.statusWord()).isZero();
        m.c.r[Cpu.RBX] = X87Machine.DATA;
        m.run("D9 E8");
        m.run("D9 1F");
        assertThat(m.fpu.statusWord()).isZero();
        assertThat(m.c.read32(X87Machine.DATA)).isEqualTo(Float.floatToIntBits(1));
    }

    @Test
    void overflowOfTheStack() {
        for (int n = 0; n < 8; n++) {
            m.run("D9 E8");
        }
        m.run("D9 EE");
        assertThat(m.fpu.statusWord()).isEqualTo(7 << 11 | FpuState.C1 | FpuState.SF | FpEnv.IE);
        assertThat(m.get(0)).isEqualTo(NAN);
        assertThat(m.fpu.tagWord()).isEqualTo(0x8000);
    }

    private void twoOperandInstruction() {
        m.c.setSegment(Cpu.CS, 0, 0, 0xFFFF, 0x9B);
        m.run("D9 E8");
        m.run("D8 07");
    }

    @Test
    void environmentIn16BitRealMode() {
        twoOperandInstruction();
        m.fpu.instructionSelector = 0x1234;
        m.fpu.dataSelector = 0xF000;
        m.run("D9 37");
        ByteBuffer b = image(14);
        assertThat(shorts(b, 7)).containsExactly(0x37F, 0x3800, 0x3FFF, 0x3340, 0x1007, 0x2000, 0xF000);
        assertThat(m.fpu.controlWord()).isEqualTo(0x37F);
    }

    @Test
    void environmentIn32BitRealMode() {
        twoOperandInstruction();
        m.fpu.instructionSelector = 0x1234;
        m.fpu.instructionPointer = 0x12345678;
        m.fpu.dataSelector = 0xF000;
        m.run("66 D9 37");
        ByteBuffer b = image(28);
        assertThat(ints(b, 7))
                .containsExactly(
                        0xFFFF037F, 0xFFFF3800, 0xFFFF3FFF, 0xFFFF79B8, 0x1235 << 12 | 7, 0xFFFF2000, 0xF << 12);
    }

    @Test
    void environmentInProtectedMode() {
        twoOperandInstruction();
        m.fpu.instructionSelector = 0x1234;
        m.fpu.instructionPointer = 0x12345678;
        m.fpu.dataSelector = 0x30;
        m.c.cr0 |= Cpu.CR0_PE;
        m.run("66 D9 37");
        assertThat(ints(image(28), 7))
                .containsExactly(0xFFFF037F, 0xFFFF3800, 0xFFFF3FFF, 0x12345678, 0x1234 | 7 << 16, 0x2000, 0xFFFF0030);
        m.run("D9 37");
        assertThat(shorts(image(14), 7)).containsExactly(0x37F, 0x3800, 0x3FFF, 0x5678, 0x1234, 0x2000, 0x30);
    }

    @Test
    void storingTheEnvironmentMasksExceptions() {
        m.fpu.setControlWord(0x340);
        m.run("D9 37");
        assertThat(m.c.read16(X87Machine.DATA)).isEqualTo(0x340);
        assertThat(m.fpu.controlWord()).isEqualTo(0x37F);
    }

    @Test
    void saveAndRestoreInEveryFormat() {
        for (int pe = 0; pe < 2; pe++) {
            for (String prefix : List.of("", "66")) {
                m.c.cr0 = m.c.cr0 & ~Cpu.CR0_PE | pe;
                m.run("DB E3");
                m.fpu.setControlWord(0xF7B);
                m.run("D9 E8");
                m.run("D9 EB");
                m.run("D9 EE");
                m.run("D8 F1");
                m.fpu.setStack(5, 0x8123, 0x123456789ABCDEF0L);
                m.run("DD C1");
                int sw = m.fpu.statusWord();
                int tags = m.fpu.tagWord();
                long ip = m.fpu.instructionPointer;
                m.run(prefix + "DD 37");
                assertThat(m.fpu.statusWord()).isZero();
                assertThat(m.fpu.abridgedTag()).isZero();
                assertThat(m.fpu.controlWord()).isEqualTo(FpuState.CW_INIT);
                for (int n = 0; n < 8; n++) {
                    m.fpu.setStack(n, 0, 0);
                }
                m.run(prefix + "DD 27");
                assertThat(m.fpu.statusWord()).isEqualTo(sw);
                assertThat(m.fpu.tagWord()).isEqualTo(tags);
                assertThat(m.fpu.controlWord()).isEqualTo(0xF7B);
                assertThat(m.fpu.instructionPointer).isEqualTo(ip);
                assertThat(m.get(2)).isEqualTo(ONE);
                assertThat(m.get(5)).isEqualTo("8123123456789abcdef0");
            }
        }
    }

    private ByteBuffer image(int size) {
        return ByteBuffer.wrap(m.load(size)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static int[] shorts(ByteBuffer b, int count) {
        int[] values = new int[count];
        for (int n = 0; n < count; n++) {
            values[n] = b.getShort() & 0xFFFF;
        }
        return values;
    }

    private static int[] ints(ByteBuffer b, int count) {
        int[] values = new int[count];
        for (int n = 0; n < count; n++) {
            values[n] = b.getInt();
        }
        return values;
    }

    @Test
    void conditionalMoves() {
        int[] masks = {Flags.CF, Flags.ZF, Flags.CF | Flags.ZF, Flags.PF};
        for (int flags : new int[] {0, Flags.CF, Flags.ZF, Flags.PF, Flags.CF | Flags.ZF | Flags.PF}) {
            for (int k = 0; k < 4; k++) {
                for (int opposite = 0; opposite < 2; opposite++) {
                    m.run("DB E3");
                    m.run("D9 E8");
                    m.run("D9 EE");
                    m.c.setArith(flags);
                    m.run((opposite == 0 ? "DA" : "DB") + "%02X".formatted(0xC1 + 8 * k));
                    boolean moves = (flags & masks[k]) != 0 == (opposite == 0);
                    assertThat(m.get(0)).isEqualTo(moves ? ONE : "00000000000000000000");
                }
            }
        }
    }

    @Test
    void comparesToFlagsClearTheOthers() {
        m.run("D9 E8");
        m.run("D9 EE");
        m.c.setArith(Flags.ARITH);
        m.run("DB F1");
        assertThat(m.c.arith()).isEqualTo(Flags.CF);
        m.run("D9 C9");
        m.run("DF F1");
        assertThat(m.c.arith()).isZero();
        assertThat(m.fpu.abridgedTag()).isEqualTo(0x80);
    }

    @Test
    void aliasesOfIntelCpus() {
        assertThat(m.decode("DC D1").op.mnemonic()).isEqualTo("fcom");
        assertThat(m.decode("DC D9").op.mnemonic()).isEqualTo("fcomp");
        assertThat(m.decode("DE D1").op.mnemonic()).isEqualTo("fcomp");
        assertThat(m.decode("DD C9").op.mnemonic()).isEqualTo("fxch");
        assertThat(m.decode("DF C9").op.mnemonic()).isEqualTo("fxch");
        assertThat(m.decode("DF D1").op.mnemonic()).isEqualTo("fstp");
        assertThat(m.decode("DF D9").op.mnemonic()).isEqualTo("fstp");
        assertThat(m.decode("D9 D9").op.mnemonic()).isEqualTo("fstp");
        assertThat(m.decode("DF C1").op.mnemonic()).isEqualTo("ffreep");
    }

    @Test
    void undefinedEncodings() {
        for (String code : List.of(
                "D9 D1",
                "D9 D7",
                "D9 E2",
                "D9 E3",
                "D9 E6",
                "D9 E7",
                "D9 EF",
                "D9 0F",
                "DA E0",
                "DA E8",
                "DA EA",
                "DA F0",
                "DA FF",
                "DB E5",
                "DB E6",
                "DB E7",
                "DB F8",
                "DB 27",
                "DB 37",
                "DD 2F",
                "DD F0",
                "DD F8",
                "DE D8",
                "DE DA",
                "DE DF",
                "DF E1",
                "DF E7",
                "DF F8",
                "F0 D8 07")) {
            assertThat(m.fault(code)).as(code).isEqualTo(Vector.UD);
        }
    }

    @Test
    void mmxRegistersAreSignificands() {
        m.run("D9 E8");
        m.run("D9 C0");
        assertThat(m.fpu.mmx(7)).isEqualTo(Long.MIN_VALUE);
        m.fpu.enterMmx();
        m.fpu.setMmx(3, 42);
        assertThat(m.fpu.top()).isZero();
        assertThat(m.fpu.tagWord()).isEqualTo(0x0595);
        assertThat(m.fpu.stackSignExponent(3)).isEqualTo(0xFFFF);
        assertThat(m.fpu.stackSignificand(3)).isEqualTo(42);
        m.fpu.emms();
        assertThat(m.fpu.tagWord()).isEqualTo(0xFFFF);
    }

    @Test
    void instructionPointersAreThoseOfTheLastInstruction() {
        m.run("36 D8 87 34 12");
        assertThat(m.fpu.instructionPointer).isEqualTo(X87Machine.CODE);
        assertThat(m.fpu.opcode).isEqualTo(0x087);
        assertThat(m.fpu.dataPointer).isEqualTo(X87Machine.DATA + 0x1234);
        m.run("D9 E8");
        assertThat(m.fpu.opcode).isEqualTo(0x1E8);
        m.run("DF E0");
        m.run("D9 3F");
        assertThat(m.fpu.opcode).as("control instructions are not noted").isEqualTo(0x1E8);
    }

    @Test
    void truncatingStoresIgnoreTheRoundingControl() {
        m.fpu.setControlWord(0xB7F);
        m.set(0, "3fffc000000000000000");
        m.fpu.setAbridgedTag(1);
        m.run("DF 0F");
        assertThat(m.c.read16(X87Machine.DATA)).isEqualTo(1);
        assertThat(m.fpu.statusWord() & 0xFF).isEqualTo(FpEnv.PE);
    }

    @Test
    void repeatedPartialRemaindersReduceExactly() {
        // 2^100 mod 3 = 1.
        m.set(0, "40638000000000000000");
        m.set(1, "4000c000000000000000");
        m.fpu.setAbridgedTag(3);
        int steps = 0;
        do {
            m.run("D9 F8");
            steps++;
        } while ((m.fpu.statusWord() & FpuState.C2) != 0);
        assertThat(m.get(0)).isEqualTo(ONE);
        assertThat(steps).isEqualTo(2);
        // The quotient of the last step is odd or even as 2^100 / 3 is: its last bits are 101.
        assertThat(m.fpu.statusWord() & (FpuState.C0 | FpuState.C1 | FpuState.C3))
                .isEqualTo(FpuState.C0 | FpuState.C1);
    }

    @Test
    void precisionControlRoundsTheSignificandOnly() {
        // 1 + 2^-30 + 2^-60 in three precisions; the exponent keeps its range.
        String[] results = {"3fff8000000000000000", "3fff8000000200000000", "3fff8000000200000008"};
        int[] pc = {0, 2, 3};
        for (int k = 0; k < 3; k++) {
            m.run("DB E3");
            m.fpu.setControlWord(0x7F | pc[k] << 8);
            m.fpu.setAbridgedTag(3);
            m.set(0, "3fff8000000200000000");
            m.set(1, "3fc38000000000000000");
            m.run("D8 C1");
            assertThat(m.get(0)).isEqualTo(results[k]);
        }
        m.run("DB E3");
        m.fpu.setControlWord(0x7F);
        m.fpu.setAbridgedTag(3);
        m.set(0, "60008000000000000000");
        m.set(1, TWO);
        m.run("D8 C9");
        assertThat(m.get(0)).isEqualTo("60018000000000000000");
    }
}
