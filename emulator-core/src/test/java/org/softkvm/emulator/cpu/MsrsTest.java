package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.softkvm.emulator.CpuModel;

/** Model-specific registers: which a model has, and what they take. */
class MsrsTest {
    private static final int MTRR_CAP = 0xFE;
    private static final int MTRR_DEF_TYPE = 0x2FF;
    private static final int MCG_CAP = 0x179;

    private static boolean exists(String model, int index) {
        try (Bench b = new Bench(CpuModel.parse(model))) {
            return b.c.msrs.read(b.c, index);
        }
    }

    private static boolean takes(String model, int index, long value) {
        try (Bench b = new Bench(CpuModel.parse(model))) {
            boolean taken = b.c.msrs.write(b.c, index, value);
            if (taken) {
                assertThat(b.c.msrs.read(b.c, index)).isTrue();
                assertThat(b.c.msrs.value).isEqualTo(value);
            }
            return taken;
        }
    }

    @Test
    void everySavedMsrCanBeReadAndWrittenBack() {
        for (CpuModel model : new CpuModel[] {CpuModel.MAX, CpuModel.X86_64_V2, CpuModel.PENTIUM2}) {
            try (Bench b = new Bench(model)) {
                int found = 0;
                for (int index : Msrs.stored()) {
                    if (b.c.msrs.read(b.c, index)) {
                        found++;
                        assertThat(b.c.msrs.writeHost(b.c, index, b.c.msrs.value))
                                .as("%s, MSR %x", model.name(), index)
                                .isTrue();
                    } else {
                        assertThat(model).isNotSameAs(CpuModel.MAX);
                    }
                }
                assertThat(found).isGreaterThan(60);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        // TSC_ADJUST, SPEC_CTRL, ARCH_CAPABILITIES, SYSENTER_CS, PAT, EFER, LSTAR, TSC_AUX, PLATFORM_INFO
        "3B, false, false, true",
        "48, false, false, true",
        "10A, false, false, true",
        "174, false, true, true",
        "277, false, true, true",
        "C0000080, false, false, true",
        "C0000082, false, false, true",
        "C0000103, false, false, true",
        "CE, false, false, true",
        // MTRR_CAP, MCG_CAP, the TSC
        "FE, false, true, true",
        "179, false, true, true",
        "10, false, true, true",
        // FEATURE_CONTROL without VMX, performance counters, PERF_CAPABILITIES, another vendor's
        "3A, false, false, false",
        "C1, false, false, false",
        "186, false, false, false",
        "345, false, false, false",
        "C0010015, false, false, false"
    })
    void modelsHaveWhatTheirCpuidSays(String index, boolean i486, boolean pentium2, boolean max) {
        int n = Integer.parseUnsignedInt(index, 16);
        assertThat(exists("486", n) && CpuModel.I486.has(org.softkvm.emulator.decode.Feature.MSR))
                .isEqualTo(i486);
        assertThat(exists("pentium2", n)).isEqualTo(pentium2);
        assertThat(exists("max", n)).isEqualTo(max);
    }

    @Test
    void flagsTakeMsrsAway() {
        assertThat(exists("max,-mtrr", MTRR_CAP)).isFalse();
        assertThat(exists("max,-mca", MCG_CAP)).isFalse();
        assertThat(exists("max,-rdtscp", Msrs.TSC_AUX)).isFalse();
        assertThat(takes("max,-nx", Msrs.EFER, Cpu.EFER_NXE)).isFalse();
        assertThat(takes("max", Msrs.EFER, Cpu.EFER_NXE)).isTrue();
    }

    @Test
    void memoryTypeRanges() {
        try (Bench b = new Bench(CpuModel.MAX)) {
            assertThat(b.c.msrs.read(b.c, MTRR_CAP)).isTrue();
            assertThat(b.c.msrs.value).isEqualTo(0x508);
        }
        assertThat(takes("max", MTRR_CAP, 0x508)).isFalse();
        assertThat(takes("max", MTRR_DEF_TYPE, 0xC06)).isTrue();
        for (long bad : new long[] {2, 3, 7, 0x106, 0x1006, 1L << 32}) {
            assertThat(takes("max", MTRR_DEF_TYPE, bad)).as("%x", bad).isFalse();
        }
        assertThat(takes("max", 0x200, 0x3FFF_F000_0006L & (1L << 46) - 1)).isTrue();
        assertThat(takes("max", 0x200, 1L << 46)).isFalse();
        assertThat(takes("pentium2", 0x200, 1L << 36)).isFalse();
        assertThat(takes("max", 0x20E, 0x100)).isFalse();
        assertThat(takes("max", 0x20F, 0xFFFFF800L)).isTrue();
        assertThat(takes("max", 0x20F, 0xFFFFFC00L)).isFalse();
        assertThat(exists("max", 0x210)).isFalse();
        assertThat(takes("max", 0x250, 0x0606060606060606L)).isTrue();
        assertThat(takes("max", 0x26F, 0x0606060606060602L)).isFalse();
        assertThat(exists("max", 0x251)).isFalse();
        assertThat(exists("max", 0x26A)).isTrue();
    }

    @Test
    void fixedRangesAreApart() {
        try (Bench b = new Bench(CpuModel.MAX)) {
            int[] fixed = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26A, 0x26B, 0x26C, 0x26D, 0x26E, 0x26F};
            long[] values = new long[fixed.length];
            for (int k = 0; k < fixed.length; k++) {
                values[k] = (k & 1) * 5L | (k >> 1 & 1) * 0x500L | (k >> 2 & 1) * 0x50000L | (k >> 3) * 0x5000000L;
                assertThat(b.c.msrs.write(b.c, fixed[k], values[k])).isTrue();
            }
            for (int k = 0; k < fixed.length; k++) {
                assertThat(b.c.msrs.read(b.c, fixed[k])).isTrue();
                assertThat(b.c.msrs.value).as("%x", fixed[k]).isEqualTo(values[k]);
            }
        }
    }

    @Test
    void machineChecks() {
        try (Bench b = new Bench(CpuModel.MAX)) {
            assertThat(b.c.msrs.read(b.c, MCG_CAP)).isTrue();
            int banks = (int) b.c.msrs.value & 0xFF;
            assertThat(b.c.msrs.value >>> 8).as("MCG_CTL is there, and no more").isEqualTo(1);
            for (int n = 0; n < 32; n++) {
                for (int k = 0; k < 4; k++) {
                    assertThat(b.c.msrs.read(b.c, 0x400 + 4 * n + k))
                            .as("bank %d", n)
                            .isEqualTo(n < banks);
                }
            }
            // Only the host puts an error into a bank; the guest clears it.
            assertThat(b.c.msrs.write(b.c, 0x401, 1)).isFalse();
            assertThat(b.c.msrs.writeHost(b.c, 0x401, 0xB200000000000175L)).isTrue();
            assertThat(b.c.msrs.read(b.c, 0x401)).isTrue();
            assertThat(b.c.msrs.value).isEqualTo(0xB200000000000175L);
            assertThat(b.c.msrs.write(b.c, 0x401, 0)).isTrue();
        }
        assertThat(takes("max", 0x400, 0)).isTrue();
        assertThat(takes("max", 0x400, -1)).isTrue();
        assertThat(takes("max", 0x400, 0x1000)).isFalse();
        assertThat(takes("max", 0x17A, 7)).isTrue();
        assertThat(takes("max", 0x17A, 8)).isFalse();
        assertThat(takes("max", 0x17B, -1)).isTrue();
        assertThat(takes("max", 0x17B, 1)).isFalse();
        assertThat(takes("max", MCG_CAP, 0)).isFalse();
    }

    @Test
    void reservedBitsAreRefused() {
        assertThat(takes("max", Msrs.SPEC_CTRL, 3)).isTrue();
        assertThat(takes("max", Msrs.SPEC_CTRL, 4)).isFalse();
        assertThat(takes("max", Msrs.TSC_AUX, 1L << 32)).isFalse();
        assertThat(takes("max", Msrs.ARCH_CAPABILITIES, 0)).isFalse();
        assertThat(takes("max", 0x140, 2)).isFalse();
        assertThat(takes("max", Msrs.PAT, 0x0202020202020202L)).isFalse();
        assertThat(takes("max", Msrs.MISC_ENABLE, 2)).isFalse();
        try (Bench b = new Bench(CpuModel.MAX)) {
            assertThat(b.c.msrs.write(b.c, Msrs.MISC_ENABLE, 0x4_00C5_1889L)).isTrue();
            assertThat(b.c.msrs.read(b.c, Msrs.MISC_ENABLE)).isTrue();
            assertThat(b.c.msrs.value).as("bits 7, 11 and 12 are read-only").isEqualTo(0x4_00C5_1809L);
            assertThat(Msrs.eferAllowed(b.c) & Cpu.EFER_NXE).isZero();
        }
    }
}
