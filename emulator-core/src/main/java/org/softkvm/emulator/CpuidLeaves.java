package org.softkvm.emulator;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.softkvm.emulator.decode.Feature;

/** The CPUID leaves of a model, made from its features (Intel SDM volume 2, CPUID). */
final class CpuidLeaves {
    private static final int MAX_BASIC = 0x16;

    private CpuidLeaves() {}

    static List<CpuidEntry> of(CpuModel m) {
        List<CpuidEntry> leaves = new ArrayList<>();
        if (!m.has(Feature.PENTIUM)) {
            return leaves;
        }
        // "GenuineIntel" in EBX, EDX, ECX: the behaviour in the corners is Intel's.
        leaves.add(leaf(0, MAX_BASIC, 0x756E6547, 0x6C65746E, 0x49656E69));
        leaves.add(leaf(1, m.signature(), 8 << 8 | 1 << 16, features1c(m), features1d(m)));
        leaves.add(leaf(2, 1, 0, 0, 0));
        leaves.add(new CpuidEntry(4, 0, true, 0, 0, 0, 0));
        // Always running APIC timer.
        leaves.add(leaf(6, 4, 0, 0, 0));
        leaves.add(new CpuidEntry(7, 0, true, 0, features7b(m), bit(m, Feature.LM, 2), features7d(m)));
        leaves.add(new CpuidEntry(0xB, 0, true, 0, 1, 0x100, 0));
        leaves.add(new CpuidEntry(0xB, 1, true, 0, 1, 0x201, 0));
        if (m.has(Feature.XSAVE)) {
            leaves.add(new CpuidEntry(0xD, 0, true, 3, 576, 576, 0));
            leaves.add(new CpuidEntry(0xD, 1, true, 0, 0, 0, 0));
        }
        // TSC and crystal frequency: EBX / EAX = 1, ECX is filled in from the clock.
        leaves.add(leaf(0x15, 1, 1, 0, 0));
        leaves.add(leaf(0x80000000, 0x80000008, 0, 0, 0));
        leaves.add(leaf(0x80000001, 0, 0, extendedC(m), extendedD(m)));
        brand(leaves);
        // Invariant TSC.
        leaves.add(leaf(0x80000007, 0, 0, 0, 1 << 8));
        leaves.add(leaf(0x80000008, m.physicalAddressBits() | 48 << 8, 0, 0, 0));
        return List.copyOf(leaves);
    }

    private static CpuidEntry leaf(int n, int a, int b, int c, int d) {
        return new CpuidEntry(n, 0, false, a, b, c, d);
    }

    private static int bit(CpuModel m, Feature f, int n) {
        return m.has(f) ? 1 << n : 0;
    }

    private static int features1c(CpuModel m) {
        return bit(m, Feature.SSE3, 0)
                | bit(m, Feature.SSSE3, 9)
                | bit(m, Feature.CX16, 13)
                | bit(m, Feature.SSE41, 19)
                | bit(m, Feature.SSE42, 20)
                // x2APIC and TSC deadline: dropped at execution where there is no local APIC.
                | 1 << 21
                | bit(m, Feature.POPCNT, 23)
                | 1 << 24
                | bit(m, Feature.XSAVE, 26)
                // Running under a hypervisor.
                | 1 << 31;
    }

    private static int features1d(CpuModel m) {
        return bit(m, Feature.FPU, 0)
                // DE, PSE, PAE, APIC (dropped without one), PGE, PAT, PSE-36.
                | 1 << 2
                | 1 << 3
                | bit(m, Feature.TSC, 4)
                | bit(m, Feature.MSR, 5)
                | 1 << 6
                | bit(m, Feature.CX8, 8)
                | 1 << 9
                | bit(m, Feature.SEP, 11)
                | 1 << 13
                | bit(m, Feature.CMOV, 15)
                | 1 << 16
                | 1 << 17
                | bit(m, Feature.CLFSH, 19)
                | bit(m, Feature.MMX, 23)
                | bit(m, Feature.FXSR, 24)
                | bit(m, Feature.SSE, 25)
                | bit(m, Feature.SSE2, 26);
    }

    private static int features7b(CpuModel m) {
        // FSGSBASE, TSC_ADJUST, SMEP, ERMS, SMAP.
        return bit(m, Feature.FSGSBASE, 0)
                | bit(m, Feature.TSC, 1)
                | bit(m, Feature.LM, 7)
                | bit(m, Feature.LM, 9)
                | bit(m, Feature.SMAP, 20);
    }

    private static int features7d(CpuModel m) {
        // IBRS/IBPB and ARCH_CAPABILITIES: nothing here speculates, and the guest is told so.
        return bit(m, Feature.LM, 26) | bit(m, Feature.LM, 29);
    }

    private static int extendedC(CpuModel m) {
        return bit(m, Feature.LAHF64, 0) | bit(m, Feature.PREFETCHW, 8);
    }

    private static int extendedD(CpuModel m) {
        // SYSCALL, NX, 1 GiB pages, RDTSCP, long mode.
        return bit(m, Feature.SYSCALL, 11)
                | bit(m, Feature.LM, 20)
                | bit(m, Feature.LM, 26)
                | bit(m, Feature.RDTSCP, 27)
                | bit(m, Feature.LM, 29);
    }

    private static void brand(List<CpuidEntry> leaves) {
        byte[] text = java.util.Arrays.copyOf("SoftKVM virtual CPU".getBytes(StandardCharsets.US_ASCII), 48);
        java.nio.ByteBuffer b = java.nio.ByteBuffer.wrap(text).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        for (int k = 0; k < 3; k++) {
            leaves.add(leaf(0x80000002 + k, b.getInt(), b.getInt(), b.getInt(), b.getInt()));
        }
    }
}
