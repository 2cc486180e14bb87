package org.softkvm.emulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.decode.Feature.Leaf;
import org.softkvm.emulator.simd.XsaveArea;

/** The CPUID leaves of a model, made from its features (Intel SDM volume 2, CPUID). */
final class CpuidLeaves {
    private static final int LINE = 64;
    private static final int CACHE_DATA = 1;
    private static final int CACHE_CODE = 2;
    private static final int CACHE_UNIFIED = 3;

    /** "AuthenticAMD". */
    private static final int AMD_EBX = 0x68747541;

    private static final int AMD_ECX = 0x444D4163;
    private static final int AMD_EDX = 0x69746E65;

    private CpuidLeaves() {}

    static List<CpuidEntry> of(CpuModel m) {
        List<CpuidEntry> leaves = new ArrayList<>();
        if (!m.has(Feature.CPUID)) {
            return leaves;
        }
        int last = m.lastLeaf();
        // "GenuineIntel" in EBX, EDX, ECX: the behaviour in the corners is Intel's.
        leaves.add(
                m.isAmd()
                        ? leaf(0, last, AMD_EBX, AMD_ECX, AMD_EDX)
                        : leaf(0, last, 0x756E6547, 0x6C65746E, 0x49656E69));
        int lineSize = m.has(Feature.CLFSH) ? LINE / 8 << 8 : 0;
        int logical = m.has(Feature.APIC) ? 1 << 16 : 0;
        leaves.add(leaf(
                1,
                m.signature(),
                lineSize | (last >= 4 ? logical : 0),
                m.featureBits(Leaf.C1),
                m.featureBits(Leaf.D1)));
        if (last >= 4) {
            // FFh: the caches are in leaf 4.
            leaves.add(leaf(2, 0xFF01, 0, 0, 0));
            caches(leaves);
            if (m.has(Feature.MONITOR)) {
                // Lines of 64 bytes; interrupts end MWAIT even where they are masked; no deeper states, so guests halt.
                leaves.add(leaf(5, LINE, LINE, 3, 0));
            }
            // Always running APIC timer.
            leaves.add(leaf(6, m.has(Feature.APIC) ? 4 : 0, 0, 0, 0));
            leaves.add(new CpuidEntry(
                    7, 0, true, 0, m.featureBits(Leaf.B7), m.featureBits(Leaf.C7), m.featureBits(Leaf.D7)));
            if (m.has(Feature.X2APIC)) {
                leaves.add(new CpuidEntry(0xB, 0, true, 0, 1, 0x100, 0));
                leaves.add(new CpuidEntry(0xB, 1, true, 0, 1, 0x201, 0));
            }
            if (m.has(Feature.XSAVE)) {
                int components = (int) XsaveArea.supported(m);
                int size = XsaveArea.size(components);
                leaves.add(new CpuidEntry(0xD, 0, true, components, size, size, 0));
                int compacted = m.has(Feature.XSAVEC) ? size : 0;
                leaves.add(new CpuidEntry(0xD, 1, true, m.featureBits(Leaf.AD1), compacted, 0, 0));
                if (m.has(Feature.AVX)) {
                    leaves.add(new CpuidEntry(0xD, 2, true, 256, 576, 0, 0));
                }
            }
            // TSC and crystal frequency: EBX / EAX = 1, ECX is filled in from the clock.
            leaves.add(leaf(0x15, 1, 1, 0, 0));
        } else if (last >= 2) {
            // As a Pentium II of 512 KiB says it: TLBs, 16 KiB of code and of data, second level.
            leaves.add(leaf(2, 0x03020101, 0, 0, 0x0C040843));
        }
        if (last >= 4 || (m.featureBits(Leaf.XC1) | m.featureBits(Leaf.XD1) | m.featureBits(Leaf.XD7)) != 0) {
            extended(leaves, m);
        }
        return List.copyOf(leaves);
    }

    private static void extended(List<CpuidEntry> leaves, CpuModel m) {
        boolean amd = m.isAmd();
        leaves.add(leaf(0x80000000, 0x80000008, amd ? AMD_EBX : 0, amd ? AMD_ECX : 0, amd ? AMD_EDX : 0));
        leaves.add(leaf(0x80000001, amd ? m.signature() : 0, 0, m.featureBits(Leaf.XC1), m.featureBits(Leaf.XD1)));
        byte[] text = Arrays.copyOf("SoftKVM virtual CPU".getBytes(StandardCharsets.US_ASCII), 48);
        ByteBuffer b = ByteBuffer.wrap(text).order(ByteOrder.LITTLE_ENDIAN);
        for (int k = 0; k < 3; k++) {
            leaves.add(leaf(0x80000002 + k, b.getInt(), b.getInt(), b.getInt(), b.getInt()));
        }
        // The second-level cache: 1 MiB, 16 ways, lines of 64 bytes.
        leaves.add(leaf(0x80000006, 0, 0, 1024 << 16 | 8 << 12 | LINE, 0));
        leaves.add(leaf(0x80000007, 0, 0, 0, m.featureBits(Leaf.XD7)));
        int linearBits = m.has(Feature.LM) ? 48 : 32;
        leaves.add(leaf(0x80000008, m.physicalAddressBits() | linearBits << 8, 0, 0, 0));
    }

    /** Caches that each CPU has for itself: guests size tables and lay out data by them. */
    private static void caches(List<CpuidEntry> leaves) {
        leaves.add(cache(0, CACHE_DATA, 1, 8, 64));
        leaves.add(cache(1, CACHE_CODE, 1, 8, 64));
        leaves.add(cache(2, CACHE_UNIFIED, 2, 16, 1024));
        leaves.add(new CpuidEntry(4, 3, true, 0, 0, 0, 0));
    }

    private static CpuidEntry cache(int subleaf, int type, int level, int ways, int sets) {
        int selfInitializing = 1 << 8;
        return new CpuidEntry(
                4, subleaf, true, type | level << 5 | selfInitializing, ways - 1 << 22 | LINE - 1, sets - 1, 0);
    }

    private static CpuidEntry leaf(int n, int a, int b, int c, int d) {
        return new CpuidEntry(n, 0, false, a, b, c, d);
    }
}
