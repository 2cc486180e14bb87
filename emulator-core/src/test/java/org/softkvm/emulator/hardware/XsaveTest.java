package org.softkvm.emulator.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.cpu.Cpu;

/**
 * The XSAVE family with AVX state, XGETBV and XSETBV, and the image that goes in and out of a vcpu. What XINUSE is after
 * which instruction was seen on an Intel CPU.
 */
class XsaveTest {
    private static final int NONE = -1;
    private static final int UD = 6;
    private static final int GP = 13;
    private static final long UNTOUCHED = 0xeeeeeeeeeeeeeeeeL;
    private static final int BV = 512;
    private static final int COMP = 520;
    private static final int YMM = 576;
    private static final long COMPACTED = 1L << 63;
    private static final String XSAVE = "480fae26";
    private static final String XSAVEOPT = "480fae36";
    private static final String XSAVEC = "480fc726";
    private static final String XRSTOR = "480fae2e";
    private static final String XGETBV = "0f01d0";
    private static final String XSETBV = "0f01d1";

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
        c.xcr0 = 7;
        c.fpu.init();
        registers[Cpu.RSI] = UserMachine.DATA;
        registers[Cpu.RSP] = UserMachine.STACK + 2048;
        clear();
        for (int n = 0; n < 16; n++) {
            for (int k = 0; k < 4; k++) {
                c.v[4 * n + k] = value(n, k);
            }
        }
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private static long value(int n, int quarter) {
        return 0x0101010101010101L * (16 * quarter + n + 1);
    }

    private void clear() {
        Arrays.fill(area, (byte) UNTOUCHED);
        Arrays.fill(area, BV, BV + 64, (byte) 0);
    }

    private int run(String code, long mask) {
        registers[Cpu.RAX] = mask;
        registers[Cpu.RDX] = 0;
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

    private void clearUpper() {
        for (int n = 0; n < 16; n++) {
            c.v[4 * n + 2] = 0;
            c.v[4 * n + 3] = 0;
        }
    }

    @Test
    void xsaveWritesUpperHalvesAt576() {
        assertThat(run(XSAVE, 7)).isEqualTo(NONE);
        assertThat(word(BV)).isEqualTo(7);
        assertThat(word(COMP)).isZero();
        assertThat(word(160 + 16 * 5)).isEqualTo(value(5, 0));
        assertThat(word(YMM + 16 * 5)).isEqualTo(value(5, 2));
        assertThat(word(YMM + 16 * 15 + 8)).isEqualTo(value(15, 3));
        assertThat(word(YMM + 256)).isEqualTo(UNTOUCHED);
    }

    @Test
    void xsaveSaysWhatIsInUse() {
        clearUpper();
        word(BV, 4);
        assertThat(run(XSAVE, 7)).isEqualTo(NONE);
        assertThat(word(BV)).isEqualTo(3);
        // Unlike XSAVEOPT it writes all the same.
        assertThat(word(YMM)).isZero();
        clear();
        assertThat(run(XSAVEOPT, 7)).isEqualTo(NONE);
        assertThat(word(BV)).isEqualTo(3);
        assertThat(word(YMM)).isEqualTo(UNTOUCHED);
        assertThat(word(160)).isEqualTo(value(0, 0));
    }

    @Test
    void onlyWhatXcr0EnablesIsSaved() {
        c.xcr0 = 3;
        assertThat(run(XSAVE, -1)).isEqualTo(NONE);
        assertThat(word(BV)).isEqualTo(3);
        assertThat(word(YMM)).isEqualTo(UNTOUCHED);
        word(BV, 4);
        assertThat(run(XRSTOR, 3)).isEqualTo(GP);
    }

    @Test
    void avxAloneTakesMxcsrAlongInTheStandardFormat() {
        c.mxcsr = 0x1fbf;
        assertThat(run(XSAVE, 4)).isEqualTo(NONE);
        assertThat(word(BV)).isEqualTo(4);
        assertThat((int) word(24)).isEqualTo(0x1fbf);
        assertThat(word(160)).isEqualTo(UNTOUCHED);
        c.mxcsr = 0x1f80;
        clearUpper();
        assertThat(run(XRSTOR, 4)).isEqualTo(NONE);
        assertThat(c.mxcsr).isEqualTo(0x1fbf);
        assertThat(c.v[4 * 7 + 2]).isEqualTo(value(7, 2));
        word(24, 0xf0001f80L);
        assertThat(run(XRSTOR, 4)).isEqualTo(GP);
    }

    @Test
    void xsavecAndBack() {
        assertThat(run(XSAVEC, 6)).isEqualTo(NONE);
        assertThat(word(BV)).isEqualTo(6);
        assertThat(word(COMP)).isEqualTo(COMPACTED | 6);
        assertThat(word(0)).isEqualTo(UNTOUCHED);
        assertThat(word(YMM + 16)).isEqualTo(value(1, 2));
        Arrays.fill(c.v, 0, 64, 9);
        assertThat(run(XRSTOR, 7)).isEqualTo(NONE);
        assertThat(c.v[4 * 12 + 1]).isEqualTo(value(12, 1));
        assertThat(c.v[4 * 12 + 3]).isEqualTo(value(12, 3));
    }

    @Test
    void xsavecLeavesOutInitialStateAndKeepsTheRestOfTheHeader() {
        clearUpper();
        word(BV + 16, 77);
        assertThat(run(XSAVEC, 7)).isEqualTo(NONE);
        assertThat(word(BV)).isEqualTo(3);
        assertThat(word(COMP)).isEqualTo(COMPACTED | 7);
        assertThat(word(BV + 16)).isEqualTo(77);
        assertThat(word(YMM)).isEqualTo(UNTOUCHED);
        clear();
        assertThat(run(XSAVEC, 4)).isEqualTo(NONE);
        assertThat(word(BV)).isZero();
        assertThat(word(24)).isEqualTo(UNTOUCHED);
    }

    @Test
    void xrstorOfTheCompactedFormatTreatsMxcsrAsSse() {
        c.mxcsr = 0x1fbf;
        word(BV, 4);
        word(COMP, COMPACTED | 4);
        word(24, 0xffffffffL);
        assertThat(run(XRSTOR, 4)).isEqualTo(NONE);
        assertThat(c.mxcsr).isEqualTo(0x1fbf);
        assertThat(c.v[4]).isEqualTo(value(1, 0));
        assertThat(run(XRSTOR, 6)).isEqualTo(NONE);
        assertThat(c.mxcsr).isEqualTo(0x1f80);
        assertThat(c.v[4]).isZero();
    }

    @Test
    void xrstorChecksTheCompactedHeader() {
        word(BV, 4);
        word(COMP, COMPACTED | 3);
        assertThat(run(XRSTOR, 7)).isEqualTo(GP);
        word(COMP, COMPACTED | 1 << 9);
        word(BV, 0);
        assertThat(run(XRSTOR, 7)).isEqualTo(GP);
        word(COMP, COMPACTED | 7);
        for (int at = 16; at < 64; at += 8) {
            word(BV + at, 1);
            assertThat(run(XRSTOR, 7)).as("header byte " + at).isEqualTo(GP);
            word(BV + at, 0);
        }
        assertThat(run(XRSTOR, 4)).isEqualTo(NONE);
        word(COMP, 7);
        assertThat(run(XRSTOR, 7)).isEqualTo(GP);
        assertThat(c.v[4]).isEqualTo(value(1, 0));
    }

    @Test
    void xgetbv() {
        registers[Cpu.RCX] = 0;
        assertThat(run(XGETBV, 0)).isEqualTo(NONE);
        assertThat(c.r[Cpu.RAX]).isEqualTo(7);
        registers[Cpu.RCX] = 1;
        run(XGETBV, 0);
        assertThat(c.r[Cpu.RAX]).isEqualTo(7);
        clearUpper();
        run(XGETBV, 0);
        assertThat(c.r[Cpu.RAX]).isEqualTo(3);
        registers[Cpu.RCX] = 2;
        assertThat(run(XGETBV, 0)).isEqualTo(GP);
        c.cr4 &= ~Cpu.CR4_OSXSAVE;
        assertThat(run(XGETBV, 0)).isEqualTo(UD);
        // This machine runs in user mode.
        c.cr4 |= Cpu.CR4_OSXSAVE;
        registers[Cpu.RCX] = 0;
        assertThat(run(XSETBV, 7)).isEqualTo(GP);
    }

    @Test
    void whichValuesXcr0Takes() {
        long valid = 0;
        for (int v = 0; v < 16; v++) {
            valid |= machine.vcpu.xcr0Valid(v) ? 1 << v : 0;
        }
        assertThat(valid).isEqualTo(1 << 1 | 1 << 3 | 1 << 7);
        assertThat(machine.vcpu.xcr0Valid(1L << 63 | 7)).isFalse();
        assertThat(machine.vcpu.xcr0Supported()).isEqualTo(7);
    }

    @Test
    void theImageFromOutside() {
        assertThat(machine.vcpu.xsaveSize()).isEqualTo(832);
        c.mxcsr = 0x1fa5;
        c.fpu.setControlWord(0x27f);
        byte[] image = new byte[4096];
        machine.vcpu.getXsave(image);
        assertThat((long) UserMachine.LONG.get(image, BV)).isEqualTo(7);
        assertThat((long) UserMachine.LONG.get(image, YMM + 16 * 3 + 8)).isEqualTo(value(3, 3));
        assertThat((short) (long) UserMachine.LONG.get(image, 0)).isEqualTo((short) 0x27f);
        Arrays.fill(c.v, 0);
        c.mxcsr = 0x1f80;
        c.fpu.init();
        assertThat(machine.vcpu.setXsave(image)).isTrue();
        assertThat(c.v[4 * 3 + 3]).isEqualTo(value(3, 3));
        assertThat(c.v[4 * 15]).isEqualTo(value(15, 0));
        assertThat(c.mxcsr).isEqualTo(0x1fa5);
        assertThat(c.fpu.controlWord()).isEqualTo(0x27f);
        // What is not in XSTATE_BV goes to its initial state.
        UserMachine.LONG.set(image, BV, 2L);
        assertThat(machine.vcpu.setXsave(image)).isTrue();
        assertThat(c.v[4 * 3 + 3]).isZero();
        assertThat(c.v[4 * 3]).isEqualTo(value(3, 0));
        assertThat(c.fpu.controlWord()).isEqualTo(0x37f);
    }

    @Test
    void invalidImagesChangeNothing() {
        byte[] image = new byte[832];
        machine.vcpu.getXsave(image);
        UserMachine.LONG.set(image, 160, 99L);
        UserMachine.LONG.set(image, BV, 15L);
        assertThat(machine.vcpu.setXsave(image)).isFalse();
        UserMachine.LONG.set(image, BV, 7L);
        UserMachine.LONG.set(image, COMP, COMPACTED | 7);
        assertThat(machine.vcpu.setXsave(image)).isFalse();
        UserMachine.LONG.set(image, COMP, 0L);
        UserMachine.LONG.set(image, 24, 0x10000L);
        assertThat(machine.vcpu.setXsave(image)).isFalse();
        assertThat(c.v[0]).isEqualTo(value(0, 0));
        UserMachine.LONG.set(image, 24, 0x1f80L);
        assertThat(machine.vcpu.setXsave(image)).isTrue();
        assertThat(c.v[0]).isEqualTo(99);
    }
}
