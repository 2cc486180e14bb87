package org.softkvm.emulator.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.cpu.Cpu;

/**
 * FXSAVE, FXRSTOR, XSAVE, XRSTOR, and what MMX instructions do to the x87 state. Layouts and the handling of reserved bits
 * were seen on an Intel CPU.
 */
class StateSaveTest {
    private static final int NONE = -1;
    private static final int UD = 6;
    private static final int NM = 7;
    private static final int GP = 13;
    private static final byte UNTOUCHED = (byte) 0xee;
    private static final int BV = 512;
    private static final long ONE = 0x8000000000000000L;
    private static final String FXSAVE = "0fae06";
    private static final String FXSAVE64 = "480fae06";
    private static final String FXRSTOR64 = "480fae0e";
    private static final String XSAVE64 = "480fae26";
    private static final String XRSTOR64 = "480fae2e";

    private final long[] registers = new long[16];
    private final byte[] area = new byte[UserMachine.PAGE];
    private final byte[] stack = new byte[UserMachine.PAGE];
    private UserMachine machine;
    private Cpu c;

    @BeforeEach
    void open() {
        machine = new UserMachine();
        c = machine.vcpu.cpu();
        c.cr4 |= Cpu.CR4_OSXSAVE;
        c.xcr0 = 3;
        registers[Cpu.RSI] = UserMachine.DATA;
        registers[Cpu.RSP] = UserMachine.STACK + 2048;
        Arrays.fill(area, UNTOUCHED);
        Arrays.fill(area, BV, BV + 64, (byte) 0);
        c.fpu.init();
    }

    @AfterEach
    void close() {
        machine.close();
    }

    /** Runs an instruction on the area at RSI; afterwards the area is what memory holds. */
    private int run(String code) {
        int vector = machine.run(HexFormat.of().parseHex(code), registers, 0x202, area, stack);
        System.arraycopy(machine.data(), 0, area, 0, area.length);
        return vector;
    }

    private long word(int at) {
        return (long) UserMachine.LONG.get(area, at);
    }

    private void word(int at, long value) {
        UserMachine.LONG.set(area, at, value);
    }

    private String bytes(int from, int count) {
        return HexFormat.of().formatHex(area, from, from + count);
    }

    /** ST(0) = 1 in physical register 7, XMM registers numbered. */
    private void fill() {
        c.fpu.setStatusWord(0x3800);
        c.fpu.setAbridgedTag(0x80);
        c.fpu.setStack(0, 0x3fff, ONE);
        c.fpu.opcode = 0x5e8;
        c.fpu.instructionPointer = 0x56543c25e6a3L;
        c.fpu.dataPointer = 0x7ffc12345678L;
        c.fpu.instructionSelector = 0;
        c.fpu.dataSelector = 0;
        for (int n = 0; n < 16; n++) {
            c.v[4 * n] = 0x1111111111111111L * n;
            c.v[4 * n + 1] = ~c.v[4 * n];
        }
        c.mxcsr = 0x1fa1;
    }

    @Test
    void fxsaveLayout() {
        fill();
        assertThat(run(FXSAVE64)).isEqualTo(NONE);
        assertThat(bytes(0, 32)).isEqualTo("7f0300388000e805a3e6253c5456000078563412fc7f0000a11f0000ffff0000");
        assertThat(bytes(32, 16)).isEqualTo("0000000000000080ff3f000000000000");
        assertThat(bytes(160 + 16 * 15, 16)).isEqualTo("ffffffffffffffff0000000000000000");
        assertThat(bytes(160 + 16 * 4, 16)).isEqualTo("4444444444444444bbbbbbbbbbbbbbbb");
        // The bytes behind the registers stay.
        assertThat(word(416)).isEqualTo(word(504)).isEqualTo(0xeeeeeeeeeeeeeeeeL);
        assertThat(run(FXSAVE)).isEqualTo(NONE);
        assertThat(bytes(8, 16)).isEqualTo("a3e6253c000000007856341200000000");
    }

    @Test
    void fxrstorTakesBackWhatFxsaveStored() {
        fill();
        run(FXSAVE64);
        byte[] saved = area.clone();
        c.fpu.init();
        Arrays.fill(c.v, 7);
        c.mxcsr = 0x1f80;
        assertThat(run(FXRSTOR64)).isEqualTo(NONE);
        assertThat(c.fpu.abridgedTag()).isEqualTo(0x80);
        assertThat(c.v[4 * 9]).isEqualTo(0x9999999999999999L);
        assertThat(c.mxcsr).isEqualTo(0x1fa1);
        Arrays.fill(area, UNTOUCHED);
        run(FXSAVE64);
        assertThat(Arrays.copyOf(area, 416)).isEqualTo(Arrays.copyOf(saved, 416));
    }

    @Test
    void fxrstorMasksReservedBits() {
        Arrays.fill(area, 0, 512, (byte) 0);
        word(0, 0xffff_ff5a_ffff_ffffL);
        word(24, 0x1f80);
        assertThat(run(FXRSTOR64)).isEqualTo(NONE);
        Arrays.fill(area, UNTOUCHED);
        run(FXSAVE64);
        assertThat(bytes(0, 8)).isEqualTo("7f1f7f7f5a00ff07");
    }

    @Test
    void faultsLeaveEverythingAsItWas() {
        fill();
        registers[Cpu.RSI] = UserMachine.DATA + 8;
        assertThat(run(FXSAVE64)).isEqualTo(GP);
        assertThat(run(FXRSTOR64)).isEqualTo(GP);
        registers[Cpu.RSI] = UserMachine.DATA + 16;
        assertThat(run(XSAVE64)).isEqualTo(GP);
        assertThat(run(XRSTOR64)).isEqualTo(GP);
        assertThat(word(8)).isEqualTo(word(160)).isEqualTo(0xeeeeeeeeeeeeeeeeL);
        registers[Cpu.RSI] = UserMachine.DATA;
        // Bits of MXCSR that do not exist.
        assertThat(run(FXRSTOR64)).isEqualTo(GP);
        assertThat(c.mxcsr).isEqualTo(0x1fa1);
        assertThat(c.v[4]).isEqualTo(0x1111111111111111L);
        assertThat(c.fpu.abridgedTag()).isEqualTo(0x80);
    }

    @Test
    void availability() {
        c.cr4 &= ~Cpu.CR4_OSXSAVE;
        assertThat(run(XSAVE64)).isEqualTo(UD);
        assertThat(run(XRSTOR64)).isEqualTo(UD);
        c.cr4 |= Cpu.CR4_OSXSAVE;
        c.cr0 |= Cpu.CR0_TS;
        for (String code : new String[] {XSAVE64, XRSTOR64, FXSAVE, FXRSTOR64, "0f58ca", "0f6fca", "0f77", "0fae16"}) {
            assertThat(run(code)).as(code).isEqualTo(NM);
        }
        c.cr0 &= ~Cpu.CR0_TS;
        c.cr0 |= Cpu.CR0_EM;
        assertThat(run(FXSAVE)).isEqualTo(NM);
        for (String code : new String[] {"0f58ca", "0f6fca", "0f77", "0fae16"}) {
            assertThat(run(code)).as(code).isEqualTo(UD);
        }
        c.cr0 &= ~Cpu.CR0_EM;
        c.cr4 &= ~Cpu.CR4_OSFXSR;
        assertThat(run("0f58ca")).isEqualTo(UD);
        assertThat(run("0fae16")).isEqualTo(UD);
        // MOVNTI and MMX do not depend on it.
        assertThat(run("0fc30e")).isEqualTo(NONE);
        assertThat(run("0f6fca")).isEqualTo(NONE);
    }

    @Test
    void unmaskedExceptionsAreInvalidOpcodesWithoutSupport() {
        c.mxcsr = 0;
        Arrays.fill(c.v, 0);
        assertThat(run("0f5eca")).isEqualTo(19);
        assertThat(c.mxcsr).isEqualTo(1);
        c.mxcsr = 0;
        c.cr4 &= ~Cpu.CR4_OSXMMEXCPT;
        assertThat(run("0f5eca")).isEqualTo(UD);
    }

    @Test
    void xsaveStoresWhatTheMaskSays() {
        fill();
        registers[Cpu.RAX] = 1;
        word(BV, 6);
        assertThat(run(XSAVE64)).isEqualTo(NONE);
        assertThat(word(BV)).isEqualTo(7);
        assertThat(bytes(0, 8)).isEqualTo("7f0300388000e805");
        assertThat(word(24)).isEqualTo(word(160)).isEqualTo(0xeeeeeeeeeeeeeeeeL);

        Arrays.fill(area, 0, BV, UNTOUCHED);
        registers[Cpu.RAX] = -2;
        registers[Cpu.RDX] = -1;
        word(BV, 0);
        assertThat(run(XSAVE64)).isEqualTo(NONE);
        assertThat(word(BV)).isEqualTo(2);
        assertThat(word(0)).isEqualTo(0xeeeeeeeeeeeeeeeeL);
        assertThat(word(24)).isEqualTo(0x0000ffff_00001fa1L);
        assertThat(word(160 + 16 * 3)).isEqualTo(0x3333333333333333L);
    }

    @Test
    void xrstorInitializesWhatIsNotThere() {
        fill();
        registers[Cpu.RAX] = 3;
        run(XSAVE64);
        word(BV, 0);
        word(24, 0x9fc0);
        assertThat(run(XRSTOR64)).isEqualTo(NONE);
        assertThat(c.fpu.abridgedTag()).isZero();
        assertThat(c.fpu.controlWord()).isEqualTo(0x37f);
        assertThat(c.fpu.stackSignificand(0)).isZero();
        assertThat(c.v[4 * 5]).isZero();
        // MXCSR comes from memory all the same.
        assertThat(c.mxcsr).isEqualTo(0x9fc0);
    }

    @Test
    void xrstorChecksItsHeader() {
        fill();
        registers[Cpu.RAX] = 3;
        run(XSAVE64);
        assertThat(run(XRSTOR64)).isEqualTo(NONE);
        for (int at = 8; at < 64; at += 8) {
            word(BV + at, 1);
            assertThat(run(XRSTOR64)).as("header byte " + at).isEqualTo(at < 24 ? GP : NONE);
            word(BV + at, 0);
        }
        word(BV, 1 | 1 << 9);
        assertThat(run(XRSTOR64)).isEqualTo(GP);
        word(BV, 1);
        word(24, 0xffff1f80L);
        assertThat(run(XRSTOR64)).isEqualTo(GP);
        registers[Cpu.RAX] = 1;
        assertThat(run(XRSTOR64)).isEqualTo(NONE);
    }

    @Test
    void mmxInstructionsTakeTheStackOver() {
        fill();
        assertThat(run("0f6fca")).isEqualTo(NONE);
        assertThat(c.fpu.statusWord() & 0x3800).isZero();
        assertThat(c.fpu.abridgedTag()).isEqualTo(0xff);
        assertThat(c.fpu.stackSignExponent(1)).isEqualTo(0xffff);
        // A register that was not written keeps its exponent.
        assertThat(c.fpu.stackSignExponent(7)).isEqualTo(0x3fff);
        assertThat(run("0f77")).isEqualTo(NONE);
        assertThat(c.fpu.abridgedTag()).isZero();
    }

    @Test
    void mmxWaitsForTheX87() {
        c.fpu.setControlWord(0x37e);
        c.fpu.setStatusWord(0x8081);
        for (String code : new String[] {"0f6fca", "0f77", "0f2aca", "f30fd6ca"}) {
            assertThat(run(code)).as(code).isEqualTo(16);
        }
        // From memory there is no MMX operand.
        assertThat(run("660f2a0e")).isEqualTo(NONE);
        assertThat(run("660fefca")).isEqualTo(NONE);
        assertThat(run(FXSAVE)).isEqualTo(NONE);
    }
}
