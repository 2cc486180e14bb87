package org.softkvm.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.decode.Feature.Leaf;

/** The CPU models, their flags and their CPUID. */
class CpuModelTest {
    private static CpuidEntry leaf(CpuModel m, int leaf) {
        return find(m, leaf).orElseThrow();
    }

    private static Optional<CpuidEntry> find(CpuModel m, int leaf) {
        return m.cpuid().stream()
                .filter(e -> e.leaf() == leaf && e.subleaf() == 0)
                .findFirst();
    }

    @Test
    void everyNamedFeatureHasABitOfItsOwn() {
        Set<String> places = new HashSet<>();
        Set<String> names = new HashSet<>();
        for (Feature f : Feature.values()) {
            if (f.flag() == null) {
                continue;
            }
            assertThat(names.add(f.flag())).as(f.flag()).isTrue();
            int found = 0;
            for (Leaf l : Leaf.values()) {
                if (f.bitIn(l) != 0) {
                    found++;
                    assertThat(places.add(l + " " + f.bitIn(l)))
                            .as("%s in %s", f, l)
                            .isTrue();
                }
            }
            assertThat(found).as(f.flag()).isEqualTo(1);
        }
        assertThat(CpuModel.flags()).containsExactlyInAnyOrderElementsOf(names);
    }

    @Test
    void everyModelHasWhatItsFeaturesNeed() {
        for (CpuModel m : CpuModel.all()) {
            for (Feature f : Feature.values()) {
                if (m.has(f)) {
                    for (Feature needed : f.requires()) {
                        assertThat(m.has(needed))
                                .as("%s: %s for %s", m.name(), needed, f)
                                .isTrue();
                    }
                }
            }
        }
    }

    @Test
    void theThirdLevelIsTheOneOfThePsabi() {
        // FMA, MOVBE, XSAVE, AVX, F16C.
        int c1 = 1 << 12 | 1 << 22 | 1 << 26 | 1 << 28 | 1 << 29;
        assertThat(leaf(CpuModel.X86_64_V3, 1).ecx() & c1).isEqualTo(c1);
        // BMI1, AVX2, BMI2; LZCNT.
        assertThat(leaf(CpuModel.X86_64_V3, 7).ebx() & 0x128).isEqualTo(0x128);
        assertThat(leaf(CpuModel.X86_64_V3, 0x80000001).ecx() & 1 << 5).isEqualTo(1 << 5);
        // 832 bytes for x87, SSE and AVX state; no AES, no SHA, no compacted format.
        assertThat(leaf(CpuModel.X86_64_V3, 0xD).eax()).isEqualTo(7);
        assertThat(leaf(CpuModel.X86_64_V3, 0xD).ecx()).isEqualTo(832);
        assertThat(leaf(CpuModel.X86_64_V3, 1).ecx() & 1 << 25).isZero();
        assertThat(leaf(CpuModel.X86_64_V3, 7).ebx() & 1 << 29).isZero();
        assertThat(CpuModel.parse("x86-64-v3,-avx").has(Feature.AVX2)).isFalse();
        assertThat(leaf(CpuModel.parse("x86-64-v3,-avx"), 0xD).eax()).isEqualTo(3);
    }

    @Test
    void cpuidSaysWhatTheModelsAre() {
        assertThat(CpuModel.I8086.cpuid()).isEmpty();
        assertThat(CpuModel.I286.cpuid()).isEmpty();
        assertThat(leaf(CpuModel.I486, 0).eax()).isEqualTo(1);
        assertThat(leaf(CpuModel.I486, 1).eax()).isEqualTo(0x480);
        assertThat(leaf(CpuModel.I486, 1).edx()).isEqualTo(1);
        assertThat(find(CpuModel.I486, 0x80000000)).isEmpty();
        assertThat(leaf(CpuModel.PENTIUM2, 0).eax()).isEqualTo(2);
        assertThat(leaf(CpuModel.PENTIUM2, 1).eax() >> 8 & 15).isEqualTo(6);
        assertThat(leaf(CpuModel.PENTIUM2, 1).ecx()).isZero();
        // No CLFLUSH, no SSE and later.
        assertThat(leaf(CpuModel.PENTIUM2, 1).edx() & 0xFE080000).isZero();
        assertThat(leaf(CpuModel.PENTIUM2, 1).edx() & 0x0183A97D).isEqualTo(0x0183A97D);
        assertThat(find(CpuModel.PENTIUM2, 0x80000000)).isEmpty();
        // SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT; no XSAVE, AVX.
        assertThat(leaf(CpuModel.X86_64_V2, 1).ecx() & 0x1C982201).isEqualTo(0x00982201);
        assertThat(leaf(CpuModel.X86_64_V2, 0x80000001).ecx() & 1).isEqualTo(1);
        assertThat(leaf(CpuModel.X86_64_V2, 0x80000008).eax()).isEqualTo(0x302E);
    }

    @Test
    void brandStringIsOneText() {
        StringBuilder text = new StringBuilder();
        for (int k = 2; k <= 4; k++) {
            CpuidEntry e = leaf(CpuModel.MAX, 0x80000000 + k);
            for (int word : new int[] {e.eax(), e.ebx(), e.ecx(), e.edx()}) {
                for (int n = 0; n < 4; n++) {
                    text.append((char) (word >>> 8 * n & 0xFF));
                }
            }
        }
        assertThat(text.toString().replace("\0", "")).isEqualTo("SoftKVM virtual CPU");
    }

    @Test
    void highestLeavesAreThere() {
        for (CpuModel m : CpuModel.all()) {
            if (!m.cpuid().isEmpty()) {
                int last = leaf(m, 0).eax();
                assertThat(find(m, last)).as("%s, leaf %x", m.name(), last).isPresent();
                assertThat(m.cpuid()).noneMatch(e -> e.leaf() > last);
                find(m, 0x80000000).ifPresent(e -> assertThat(find(m, e.eax())).isPresent());
            }
        }
    }

    @Test
    void flagsAddAndRemove() {
        CpuModel m = CpuModel.parse("pentium2,+SSE2,-sep");
        assertThat(m.name()).isEqualTo("pentium2,+sse2,-sep");
        assertThat(m.has(Feature.SSE2)).isTrue();
        assertThat(m.has(Feature.SSE)).isTrue();
        assertThat(m.has(Feature.SEP)).isFalse();
        assertThat(leaf(m, 1).edx() & 0x06000800).isEqualTo(0x06000000);
        CpuModel without = CpuModel.parse("max,-sse2");
        assertThat(without.has(Feature.SSE)).isTrue();
        assertThat(without.has(Feature.SSE3)).isFalse();
        assertThat(without.has(Feature.LM)).isFalse();
        assertThat(without.physicalAddressBits()).isEqualTo(36);
        assertThat(CpuModel.parse("max,-sse,+sse").has(Feature.SSE2)).isFalse();
        assertThat(CpuModel.parse("486,+xsave").cpuid())
                .as("a flag in a later leaf brings the leaf along")
                .anyMatch(e -> e.leaf() == 0xD);
        assertThat(CpuModel.parse("max")).isSameAs(CpuModel.MAX);
    }

    @Test
    void pcommitIsThereByNameOnly() {
        assertThat(CpuModel.MAX.has(Feature.PCOMMIT)).isFalse();
        assertThat(leaf(CpuModel.MAX, 7).ebx() & 1 << 22).isZero();
        assertThat(leaf(CpuModel.parse("max,+pcommit"), 7).ebx() & 1 << 22).isNotZero();
    }

    @Test
    void vendorChangesTheName() {
        CpuModel m = CpuModel.parse("max,vendor=AuthenticAMD,-avx");
        assertThat(m.isAmd()).isTrue();
        assertThat(leaf(m, 0).ebx()).isEqualTo(0x68747541);
        assertThat(leaf(m, 0x80000000).edx()).isEqualTo(leaf(m, 0).edx());
        assertThat(m.has(Feature.AVX)).isFalse();
        assertThat(CpuModel.parse("max,vendor=GenuineIntel").isAmd()).isFalse();
        assertThat(leaf(CpuModel.MAX, 0).ebx()).isEqualTo(0x756E6547);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "max,vendor=x",
                "max,vendor=",
                "",
                "pentium",
                "max,",
                "max,sse",
                "max,+",
                "max,+nosuch",
                "max,-fpu",
                "8086,+mmx",
                "286,-fpu"
            })
    void wrongNamesAreRefusedInOneLine(String specification) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CpuModel.parse(specification))
                .withMessageNotContainingAny("\n", "null");
    }
}
