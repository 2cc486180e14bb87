package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;

/** SYSCALL, SYSRET and SYSENTER by vendor (Intel SDM volume 2; AMD APM volume 3), and single step over them. */
class FastSystemCallTest {
    private static final int USER_CODE32 = 0x18;
    private static final int USER_DATA = 0x20;
    private static final int USER_CODE64 = 0x28;
    private static final int BS = 0x4000;

    private Bench b;
    private Cpu c;

    /** Kernel code at 8 (64-bit) or 30h (32-bit); STAR leads to 8 and, in ring 3, to 18h. */
    private void machine(String model, boolean longMode) {
        b = new Bench(CpuModel.parse(model));
        c = b.c;
        b.gdt(
                0,
                Bench.CODE64,
                Bench.DATA32,
                Bench.dpl(Bench.CODE32, 3),
                Bench.dpl(Bench.DATA32, 3),
                Bench.dpl(Bench.CODE64, 3),
                Bench.CODE32);
        for (int v = 0; v < 32; v++) {
            int offset = 0x20000 + v * 16;
            if (longMode) {
                b.idt64(v, Bench.gate(Descriptors.INTERRUPT_GATE32, 8, offset, 0, 0), 0);
            } else {
                b.idt(v, Bench.gate(Descriptors.INTERRUPT_GATE32, 0x30, offset, 0, 0));
            }
        }
        b.put(Bench.TSS + 4, 8, longMode ? 0x7000 : 0x10_0000_7000L);
        b.taskRegister(0x50, Descriptors.TSS32 | 2, 0x67);
        c.efer |= Cpu.EFER_SCE;
        c.msrs.star = 0x18L << 48 | 8L << 32 | 0x12345678;
        c.msrs.lstar = 0x40000;
        c.msrs.cstar = 0x50000;
        c.msrs.sfmask = Flags.IF | Flags.TF;
        c.msrs.sysenterCs = 8;
        if (longMode) {
            b.longMode(8, 0x10, 0);
        } else {
            b.protectedMode(0x30, 0x10, 0);
        }
    }

    @AfterEach
    void close() {
        b.close();
    }

    private void user(int cs) {
        b.protectedMode(cs, USER_DATA, 3);
    }

    @Test
    void from64BitCodeBothVendorsGoToLstar() {
        for (String model : new String[] {"max", "max,vendor=AuthenticAMD"}) {
            machine(model, true);
            user(USER_CODE64);
            c.setFlags(0x203);
            b.run("0F 05");
            assertThat(c.rip).isEqualTo(0x40000);
            assertThat(c.r[Cpu.RCX]).isEqualTo(Bench.CODE + 2);
            assertThat(c.r[11]).isEqualTo(0x203);
            assertThat(c.flags()).isEqualTo(3);
            assertThat(c.mode64).isTrue();
            assertThat(c.cpl).isZero();
        }
    }

    @Test
    void inCompatibilityModeIntelRaisesUd() {
        machine("max,vendor=GenuineIntel", true);
        user(USER_CODE32);
        b.run("0F 05");
        assertThat(c.rip).isEqualTo(0x20000 + Vector.UD * 16);
    }

    @Test
    void inCompatibilityModeAmdGoesToCstar() {
        machine("max,vendor=AuthenticAMD", true);
        user(USER_CODE32);
        c.setFlags(0x203);
        c.r[Cpu.RCX] = -1;
        b.run("0F 05");
        assertThat(c.rip).isEqualTo(0x50000);
        assertThat(c.r[Cpu.RCX]).isEqualTo(Bench.CODE + 2);
        assertThat(c.r[11]).isEqualTo(0x203);
        assertThat(c.flags()).isEqualTo(3);
        assertThat(c.mode64).isTrue();
        assertThat(c.segSel[Cpu.CS]).isEqualTo(8);
        assertThat(c.segSel[Cpu.SS]).isEqualTo(0x10);
        b.run("0F 07");
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.mode64).isFalse();
        assertThat(c.segSel[Cpu.CS]).isEqualTo(USER_CODE32 | 3);
        assertThat(c.flags()).isEqualTo(0x203);
    }

    @Test
    void inLegacyModeAmdTakesTheAddressOfStar() {
        machine("max,vendor=AuthenticAMD", false);
        user(USER_CODE32);
        c.setFlags(0x303);
        c.r[11] = 0x77;
        b.run("0F 05");
        assertThat(c.rip).isEqualTo(0x12345678);
        assertThat(c.r[Cpu.RCX]).isEqualTo(Bench.CODE + 2);
        assertThat(c.r[11]).isEqualTo(0x77);
        assertThat(c.flags()).as("SFMASK does not count").isEqualTo(0x103);
        assertThat(c.segSel[Cpu.CS]).isEqualTo(8);
        assertThat(c.segAttr[Cpu.CS] & Cpu.ATTR_DB).isNotZero();
        c.setFlags(3);
        c.r[Cpu.RCX] = 0x11111111;
        b.run("0F 07");
        assertThat(c.rip).isEqualTo(0x11111111);
        assertThat(c.flags()).isEqualTo(0x203);
        assertThat(c.cpl).isEqualTo(3);
    }

    @Test
    void inLegacyModeIntelRaisesUd() {
        machine("max", false);
        b.run("0F 05");
        assertThat(c.rip).isEqualTo(0x20000 + Vector.UD * 16);
        b.run("0F 07");
        assertThat(c.rip).isEqualTo(0x20000 + Vector.UD * 16);
    }

    @Test
    void amdHasNeitherInRealNorInVirtual8086Mode() {
        machine("max,vendor=AuthenticAMD", false);
        c.setFlags(Flags.VM | 0x3002);
        c.cpl = 3;
        c.updateMode();
        b.run("0F 05");
        assertThat(c.rip).isEqualTo(0x20000 + Vector.UD * 16);
    }

    @Test
    void sysretNeedsRing0() {
        machine("max,vendor=AuthenticAMD", true);
        user(USER_CODE32);
        b.run("0F 07");
        assertThat(c.rip).isEqualTo(0x20000 + Vector.GP * 16);
    }

    @Test
    void sysenterInLongModeIsIntels() {
        machine("max", true);
        c.msrs.sysenterEip = 0x60000;
        b.run("0F 34");
        assertThat(c.rip).isEqualTo(0x60000);
        b.close();
        machine("max,vendor=AuthenticAMD", true);
        b.run("0F 34");
        assertThat(c.rip).isEqualTo(0x20000 + Vector.UD * 16);
        b.run("0F 35");
        assertThat(c.rip).isEqualTo(0x20000 + Vector.UD * 16);
    }

    @Test
    void syscallThatMasksTfHasNoTrap() {
        machine("max", true);
        user(USER_CODE64);
        c.setFlags(Flags.TF | 2);
        c.stepArmed = true;
        b.run("0F 05");
        assertThat(c.stepArmed).isFalse();
        assertThat(c.pendingDebug).isZero();
    }

    @Test
    void syscallThatKeepsTfAndSysretThatSetsItTrapAtOnce() {
        machine("max", true);
        c.msrs.sfmask = 0;
        c.setFlags(Flags.TF | 2);
        b.run("0F 05");
        assertThat(c.pendingDebug).isEqualTo(BS);
        c.pendingDebug = 0;
        c.setFlags(2);
        c.r[11] = Flags.TF | 2;
        b.run("48 0F 07");
        assertThat(c.pendingDebug).isEqualTo(BS);
    }

    @Test
    void countersOfAmdReadAsZero() {
        machine("max,vendor=AuthenticAMD", true);
        assertThat(c.msrs.write(c, 0xC0010000, 1)).isTrue();
        assertThat(c.msrs.read(c, 0xC0010000)).isTrue();
        assertThat(c.msrs.value).isZero();
        assertThat(c.msrs.read(c, 0xC0010007)).isTrue();
        assertThat(c.msrs.read(c, 0xC0010008)).isFalse();
        b.close();
        machine("max", true);
        assertThat(c.msrs.read(c, 0xC0010000)).isFalse();
    }
}
