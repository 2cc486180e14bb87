package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Debug registers, XSAVE area, XCR0, SREGS2, lists of registers, the stopped flag of kvmclock. */
@ExtendWith(BinaryAbi.class)
class StateSetsTest {
    private static final int HEADER = 512;

    @Test
    void debugRegistersAreWrittenAndRead() {
        try (Guest guest = Guest.realMode("f4")) {
            DebugRegs in = new DebugRegs();
            in.db[0] = 0x1234;
            in.db[3] = 0xFFFF_8000_0000_0000L;
            in.dr6 = 0xFFFF0FF1L;
            in.dr7 = 0x402;
            guest.vcpu.setDebugRegs(in);
            DebugRegs out = new DebugRegs();
            out.flags = 7;
            guest.vcpu.getDebugRegs(out);
            assertThat(out).usingRecursiveComparison().isEqualTo(in);
            assertThat(guest.vcpu.getOneReg(RegisterId.dr(3))).isEqualTo(0xFFFF_8000_0000_0000L);

            in.flags = 1;
            assertFails("KVM_SET_DEBUGREGS", Errno.EINVAL, "flags", () -> guest.vcpu.setDebugRegs(in));
            in.flags = 0;
            in.dr6 = 1L << 32;
            assertFails("KVM_SET_DEBUGREGS", Errno.EINVAL, "dr6", () -> guest.vcpu.setDebugRegs(in));
            in.dr6 = 0;
            in.dr7 = 1L << 40;
            assertFails("KVM_SET_DEBUGREGS", Errno.EINVAL, "dr7", () -> guest.vcpu.setDebugRegs(in));
        }
    }

    @Test
    void aWatchpointSetFromOutsideWorks() {
        // mov [0x5000], al; nop; hlt
        try (Guest guest = Guest.realMode("a2 00 50 90 f4")) {
            guest.realModeVector(1, 0x2000);
            guest.load(0x2000, "b0 55 e6 80 f4");
            DebugRegs in = new DebugRegs();
            in.db[1] = 0x5000;
            in.dr6 = 0xFFFF0FF0L;
            in.dr7 = 0x400 | 1 << 2 | 1 << 20;
            guest.vcpu.setDebugRegs(in);
            assertThat(guest.runToOut(0x80)).isEqualTo(0x55);
            assertThat(guest.vcpu.getOneReg(RegisterId.dr(6)) & 0xF).isEqualTo(2);
        }
    }

    @Test
    void theXsaveAreaHoldsX87AndSseInTheStandardFormat() {
        try (Guest guest = Guest.longMode(false, "f4")) {
            Fpu fpu = new Fpu();
            guest.vcpu.getFpu(fpu);
            fpu.fcw = 0x27F;
            fpu.fsw = 0x3800;
            fpu.ftwx = 0x80;
            fpu.fpr[0][7] = (byte) 0x80;
            fpu.fpr[0][8] = (byte) 0xFF;
            fpu.fpr[0][9] = 0x3F;
            fpu.xmm[15][15] = 0x77;
            guest.vcpu.setOneReg(RegisterId.xmm(15, 3), 0x5500_0000_0000_0000L);
            fpu.mxcsr = 0x1FA0;
            guest.vcpu.setFpu(fpu);
            Xsave area = new Xsave(guest.kvm.checkExtension(Capability.XSAVE2));
            guest.vcpu.getXsave(area);
            assertThat(area.region[0]).isEqualTo((byte) 0x7F);
            assertThat(area.region[1]).isEqualTo((byte) 0x02);
            assertThat(area.region[4]).isEqualTo((byte) 0x80);
            assertThat(area.region[24]).isEqualTo((byte) 0xA0);
            assertThat(area.region[32 + 7]).isEqualTo((byte) 0x80);
            assertThat(area.region[32 + 9]).isEqualTo((byte) 0x3F);
            assertThat(area.region[160 + 255]).isEqualTo((byte) 0x77);
            assertThat(area.region[576 + 255]).isEqualTo((byte) 0x55);
            assertThat(area.region[HEADER]).isEqualTo((byte) 7);

            // Another vcpu gets it back.
            try (Guest other = Guest.longMode(false, "f4")) {
                other.vcpu.setXsave(area);
                Fpu copy = new Fpu();
                other.vcpu.getFpu(copy);
                guest.vcpu.getFpu(fpu);
                assertThat(other.vcpu.getOneReg(RegisterId.xmm(15, 3))).isEqualTo(0x5500_0000_0000_0000L);
                assertThat(copy).usingRecursiveComparison().isEqualTo(fpu);
            }
        }
    }

    @Test
    void whatTheHeaderOfAnXsaveAreaDoesNotNameIsInitialised() {
        try (Guest guest = Guest.longMode(false, "f4")) {
            Xsave area = new Xsave();
            guest.vcpu.getXsave(area);
            area.region[160] = 0x11;
            area.region[0] = 0x7E;
            area.region[HEADER] = 2;
            guest.vcpu.setXsave(area);
            Fpu fpu = new Fpu();
            guest.vcpu.getFpu(fpu);
            assertThat(fpu.fcw).isEqualTo(0x37F);
            assertThat(fpu.xmm[0][0]).isEqualTo((byte) 0x11);
            area.region[HEADER] = 1;
            guest.vcpu.setXsave(area);
            guest.vcpu.getFpu(fpu);
            assertThat(fpu.fcw & 0xFF).isEqualTo(0x7E);
            assertThat(fpu.xmm[0][0]).isZero();
            assertThat(fpu.mxcsr).isEqualTo(0x1F80);
        }
    }

    @Test
    void anInvalidXsaveAreaIsRefused() {
        try (Guest guest = Guest.longMode(false, "f4")) {
            Xsave area = new Xsave();
            guest.vcpu.getXsave(area);
            area.region[HEADER + 7] = 0x40;
            assertFails("KVM_SET_XSAVE", Errno.EINVAL, "xstate_bv", () -> guest.vcpu.setXsave(area));
            area.region[HEADER + 7] = 0;
            area.region[HEADER + 15] = (byte) 0x80;
            assertFails("KVM_SET_XSAVE", Errno.EINVAL, "header byte 8", () -> guest.vcpu.setXsave(area));
            area.region[HEADER + 15] = 0;
            area.region[26] = 1;
            assertFails("KVM_SET_XSAVE", Errno.EINVAL, "mxcsr", () -> guest.vcpu.setXsave(area));
        }
    }

    @Test
    void xcr0IsReadAndWrittenWithItsRules() {
        try (Guest guest = Guest.longMode(false, "f4")) {
            Xcrs xcrs = new Xcrs();
            guest.vcpu.getXcrs(xcrs);
            assertThat(xcrs.count).isEqualTo(1);
            assertThat(xcrs.xcr[0]).isZero();
            assertThat(xcrs.value[0]).isEqualTo(1);
            xcrs.value[0] = 3;
            guest.vcpu.setXcrs(xcrs);
            assertThat(guest.vcpu.getOneReg(RegisterId.XCR0)).isEqualTo(3);
            for (long wrong : new long[] {0, 2, 4, 5, 1L << 62 | 1}) {
                xcrs.value[0] = wrong;
                assertFails("KVM_SET_XCRS", Errno.EINVAL, "xcr0", () -> guest.vcpu.setXcrs(xcrs));
            }
            xcrs.xcr[0] = 1;
            guest.vcpu.setXcrs(xcrs);
            assertThat(guest.vcpu.getOneReg(RegisterId.XCR0)).isEqualTo(3);
            xcrs.count = 17;
            assertFails("KVM_SET_XCRS", Errno.EINVAL, "nr_xcrs=17", () -> guest.vcpu.setXcrs(xcrs));
        }
    }

    @Test
    void sregs2HoldTheLoadedPdptesOfPaePaging() {
        try (Guest guest = Guest.realMode("f4")) {
            Sregs2 sregs = new Sregs2();
            guest.vcpu.getSregs2(sregs);
            assertThat(sregs.flags).isZero();
            sregs.flags = Sregs2.PDPTRS_VALID;
            assertFails("KVM_SET_SREGS2", Errno.EINVAL, "flags=0x1", () -> guest.vcpu.setSregs2(sregs));
            sregs.sregs.cr0 |= 0x80000001L;
            sregs.sregs.cr4 |= 0x20;
            for (int i = 0; i < 4; i++) {
                sregs.pdptrs[i] = 0x3001 + i * 0x1000L;
            }
            guest.vcpu.setSregs2(sregs);
            Sregs2 out = new Sregs2();
            guest.vcpu.getSregs2(out);
            assertThat(out).usingRecursiveComparison().isEqualTo(sregs);
            assertThat(guest.vcpu.getOneReg(RegisterId.PDPTE0 + 3)).isEqualTo(0x6001);
            sregs.flags = 2;
            assertFails("KVM_SET_SREGS2", Errno.EINVAL, "flags=0x2", () -> guest.vcpu.setSregs2(sregs));
            // Without the flag they come from memory.
            sregs.flags = 0;
            guest.poke64(0, 0x7001);
            guest.vcpu.setSregs2(sregs);
            assertThat(guest.vcpu.getOneReg(RegisterId.PDPTE0)).isEqualTo(0x7001);
        }
    }

    @Test
    void aListOfRegistersIsReadAndWrittenUpToTheFirstThatIsWrong() {
        try (Guest guest = Guest.longMode(true, "f4");
                Guest other = Guest.realModeSplit("f4")) {
            guest.vcpu.setOneReg(RegisterId.gpr(13), 0x1313);
            RegisterList whole = new RegisterList(guest.vcpu.registerList());
            assertThat(guest.vcpu.getManyRegs(whole)).isEqualTo(whole.size());
            assertThat(other.vcpu.setManyRegs(whole)).isEqualTo(whole.size());
            assertThat(other.regs()).usingRecursiveComparison().isEqualTo(guest.regs());
            assertThat(other.sregs()).usingRecursiveComparison().isEqualTo(guest.sregs());

            RegisterList some = new RegisterList(RegisterId.RAX, RegisterId.gpr(99), RegisterId.RBX);
            assertThat(guest.vcpu.getManyRegs(some)).isEqualTo(1);
            RegisterList refused = new RegisterList(RegisterId.RCX, RegisterId.CR8, RegisterId.RDX);
            refused.values[0] = 0x77;
            refused.values[1] = 16;
            refused.values[2] = 0x99;
            assertThat(guest.vcpu.setManyRegs(refused)).isEqualTo(1);
            assertThat(guest.regs().rcx).isEqualTo(0x77);
            assertThat(guest.regs().rdx).isNotEqualTo(0x99);
        }
    }

    @Test
    void kvmclockSaysThatTheGuestWasStoppedUntilTheGuestClearsIt() {
        try (Guest guest = Guest.realMode("f4")) {
            assertFails("KVM_KVMCLOCK_CTRL", Errno.EINVAL, "clock is off", guest.vcpu::kvmclockCtrl);
            guest.vcpu.setMsr(0x4b564d01, 0x6001);
            assertThat(guest.peek8(0x6000 + 29)).isEqualTo(1);
            guest.vcpu.kvmclockCtrl();
            assertThat(guest.peek8(0x6000 + 29)).isEqualTo(3);
            guest.vcpu.setMsr(0x4b564d01, 0x6001);
            assertThat(guest.peek8(0x6000 + 29)).isEqualTo(3);
            guest.memory.set(ValueLayout.JAVA_BYTE, 0x6000 + 29, (byte) 1);
            guest.vcpu.setMsr(0x4b564d01, 0x6001);
            assertThat(guest.peek8(0x6000 + 29)).isEqualTo(1);
        }
    }

    @Test
    void featureMsrsAreReadOfTheSystem() {
        try (Kvm kvm = Guest.open()) {
            int[] indices = kvm.msrFeatureIndexList();
            assertThat(indices).contains(0x8B, 0x10A);
            long[] values = new long[indices.length];
            assertThat(kvm.getMsrFeatures(indices, values)).isEqualTo(indices.length);
            assertThat(kvm.getMsrFeatures(new int[] {0x10A, 0x10, 0x8B}, new long[3]))
                    .isEqualTo(1);
            assertFails("KVM_GET_MSRS", Errno.EINVAL, "values", () -> kvm.getMsrFeatures(indices, new long[0]));
            assertThat(kvm.emulatedCpuid()).isEmpty();
        }
    }
}
