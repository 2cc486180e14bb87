package org.softkvm.emulator;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.softkvm.emulator.decode.Feature;

/**
 * What a CPU is: its generation, the features that it has, its CPUID. CPUID never offers what the CPU does not do, and what
 * it does not offer is not there: instructions are #UD, control bits reserved, MSRs #GP.
 */
public final class CpuModel {
    /** Everything that is implemented (the default), but PCOMMIT, which is there for who asks for it by name. */
    public static final CpuModel MAX =
            new CpuModel("max", EnumSet.complementOf(EnumSet.of(Feature.NEVER, Feature.PCOMMIT)), 0x000306D4, 0x15);

    /** The second level of the x86-64 psABI, SSE4.2 without AVX, with what the platform and its kernels use. */
    public static final CpuModel X86_64_V2 = new CpuModel("x86-64-v2", version2(), 0x000106A5, 0x15);

    /** The third level: AVX2, FMA, F16C, BMI, LZCNT, MOVBE and XSAVE on top of the second. */
    public static final CpuModel X86_64_V3 = new CpuModel("x86-64-v3", version3(), 0x000306C3, 0x15);

    /** A Pentium II (Deschutes): MMX and SYSENTER, PAE, FXSAVE without SSE. */
    public static final CpuModel PENTIUM2 = new CpuModel("pentium2", pentium2(), 0x00000652, 2);

    /** An 80486DX4: on-chip x87 and CPUID. */
    public static final CpuModel I486 = new CpuModel("486", EnumSet.range(Feature.I8086, Feature.FPU), 0x00000480, 1);

    /** The 80286. */
    public static final CpuModel I286 = new CpuModel("286", EnumSet.range(Feature.I8086, Feature.I286), 0, 0);
    /** The 8086, which has no invalid opcodes. */
    public static final CpuModel I8086 = new CpuModel("8086", EnumSet.of(Feature.I8086), 0, 0);

    private static final String VENDOR = "vendor=";

    private static final List<CpuModel> ALL = List.of(MAX, X86_64_V2, X86_64_V3, PENTIUM2, I486, I286, I8086);

    private final String name;
    private final Set<Feature> features;
    private final boolean[] has = new boolean[Feature.values().length];
    private final int signature;
    private final int lastLeaf;
    private final boolean amd;

    private CpuModel(String name, Set<Feature> features, int signature, int lastLeaf) {
        this(name, features, signature, lastLeaf, false);
    }

    private CpuModel(String name, Set<Feature> features, int signature, int lastLeaf, boolean amd) {
        this.amd = amd;
        this.name = name;
        this.features = EnumSet.copyOf(features);
        this.signature = signature;
        this.lastLeaf = lastLeaf;
        for (Feature f : features) {
            has[f.ordinal()] = true;
        }
    }

    private static EnumSet<Feature> pentium2() {
        EnumSet<Feature> f = EnumSet.range(Feature.I8086, Feature.FXSR);
        f.remove(Feature.CLFSH);
        return f;
    }

    private static EnumSet<Feature> version2() {
        EnumSet<Feature> f = EnumSet.range(Feature.I8086, Feature.CX16);
        f.removeAll(EnumSet.of(Feature.XSAVE, Feature.PDPE1GB, Feature.PREFETCHW));
        // What says that nothing speculates is true of any model; without it kernels work around old flaws.
        f.addAll(EnumSet.of(Feature.TSC_ADJUST, Feature.SPEC_CTRL, Feature.ARCH_CAPABILITIES));
        return f;
    }

    private static EnumSet<Feature> version3() {
        EnumSet<Feature> f = version2();
        f.addAll(EnumSet.of(
                Feature.XSAVE,
                Feature.XSAVEOPT,
                Feature.AVX,
                Feature.AVX2,
                Feature.F16C,
                Feature.FMA,
                Feature.BMI1,
                Feature.BMI2,
                Feature.LZCNT,
                Feature.MOVBE));
        return f;
    }

    /**
     * All named models.
     *
     * @return in the order of documentation
     */
    public static List<CpuModel> all() {
        return ALL;
    }

    /**
     * A model by name.
     *
     * @param name as on the command line, case ignored
     * @return the model, or empty
     */
    public static Optional<CpuModel> byName(String name) {
        return ALL.stream()
                .filter(m -> m.name.equals(name.toLowerCase(Locale.ROOT)))
                .findFirst();
    }

    /**
     * The names of the features that a model may be given or denied.
     *
     * @return in the order of CPUID
     */
    public static List<String> flags() {
        return Arrays.stream(Feature.values())
                .map(Feature::flag)
                .filter(f -> f != null)
                .toList();
    }

    /**
     * A model by name, with features added or removed: {@code x86-64-v2,+aes,-sse4.2}. A feature brings along what it
     * cannot be without, and takes along what cannot be without it; where two contradict each other the later one counts.
     * {@code vendor=AuthenticAMD} changes the vendor, and with it what SYSCALL, SYSRET and SYSENTER do outside 64-bit code.
     *
     * @param specification name and flags, separated by commas; case ignored
     * @return the model
     * @throws IllegalArgumentException where a name is unknown; the message is one clear line
     */
    public static CpuModel parse(String specification) {
        String[] parts = specification.toLowerCase(Locale.ROOT).split(",", -1);
        CpuModel model = byName(parts[0])
                .orElseThrow(() -> new IllegalArgumentException("no CPU model '" + parts[0] + "' (there are "
                        + ALL.stream().map(CpuModel::name).collect(Collectors.joining(", ")) + ")"));
        if (parts.length == 1) {
            return model;
        }
        if (!model.has(Feature.CPUID)) {
            throw new IllegalArgumentException("the CPU model " + model.name + " takes no flags");
        }
        EnumSet<Feature> features = EnumSet.copyOf(model.features);
        boolean amd = false;
        for (int k = 1; k < parts.length; k++) {
            String part = parts[k];
            if (part.startsWith(VENDOR)) {
                amd = isAmd(part.substring(VENDOR.length()));
                continue;
            }
            if (part.length() < 2 || part.charAt(0) != '+' && part.charAt(0) != '-') {
                throw new IllegalArgumentException(
                        "'" + part + "' is not a CPU flag: after the model come +flag and -flag");
            }
            Feature feature = byFlag(part.substring(1));
            if (part.charAt(0) == '+') {
                add(features, feature);
            } else if (feature == Feature.FPU) {
                throw new IllegalArgumentException("the CPU flag fpu cannot be removed");
            } else {
                remove(features, feature);
            }
        }
        return new CpuModel(
                String.join(",", parts), features, model.signature, Math.max(model.lastLeaf, leaf(features)), amd);
    }

    private static boolean isAmd(String vendor) {
        return switch (vendor) {
            case "authenticamd" -> true;
            case "genuineintel" -> false;
            default ->
                throw new IllegalArgumentException(
                        "no CPU vendor '" + vendor + "' (there are GenuineIntel and AuthenticAMD)");
        };
    }

    private static Feature byFlag(String flag) {
        for (Feature f : Feature.values()) {
            if (flag.equals(f.flag())) {
                return f;
            }
        }
        throw new IllegalArgumentException("no CPU flag '" + flag + "' (there are " + String.join(", ", flags()) + ")");
    }

    private static void add(Set<Feature> features, Feature feature) {
        features.add(feature);
        for (Feature f : feature.requires()) {
            add(features, f);
        }
    }

    private static void remove(Set<Feature> features, Feature feature) {
        features.remove(feature);
        for (Feature f : Feature.values()) {
            if (f.requires().contains(feature) && features.contains(f)) {
                remove(features, f);
            }
        }
    }

    /** The highest basic leaf that a set of features needs. */
    private static int leaf(Set<Feature> features) {
        for (Feature f : features) {
            if ((f.bitIn(Feature.Leaf.B7) | f.bitIn(Feature.Leaf.C7) | f.bitIn(Feature.Leaf.D7)) != 0
                    || f == Feature.XSAVE
                    || f == Feature.X2APIC) {
                return 0x15;
            }
        }
        return 1;
    }

    /**
     * The model's name.
     *
     * @return as on the command line, with its flags
     */
    public String name() {
        return name;
    }

    /**
     * Whether the vendor is AMD, whose fast system calls differ.
     *
     * @return true for AuthenticAMD, false for GenuineIntel and for CPUs without CPUID
     */
    public boolean isAmd() {
        return amd;
    }

    /**
     * The number of physical address lines.
     *
     * @return bits
     */
    public int physicalAddressBits() {
        return has(Feature.LM)
                ? 46
                : has(Feature.PAE) || has(Feature.PSE36) ? 36 : has(Feature.I386) ? 32 : has(Feature.I286) ? 24 : 20;
    }

    /**
     * Whether 1 GiB pages exist.
     *
     * @return true where CPUID says so
     */
    public boolean hasGigabytePages() {
        return has(Feature.PDPE1GB);
    }

    /**
     * The CPUID leaves that this model offers. The CPUID instruction fills in what depends on the vcpu: APIC id,
     * OSXSAVE, the APIC bits, the TSC frequency.
     *
     * @return leaves; empty where the CPU has no CPUID
     */
    public List<CpuidEntry> cpuid() {
        return CpuidLeaves.of(this);
    }

    /** The highest basic leaf of CPUID. */
    int lastLeaf() {
        return lastLeaf;
    }

    /** The features in one of CPUID's registers. */
    int featureBits(Feature.Leaf register) {
        int bits = 0;
        for (Feature f : features) {
            bits |= f.bitIn(register);
        }
        return bits;
    }

    /**
     * Family, model and stepping as CPUID.1:EAX and EDX after reset show them.
     *
     * @return signature; 0 where the CPU has none
     */
    public int signature() {
        return signature;
    }

    /**
     * EFLAGS bits that always read as 1 besides bit 1: 15 to 12 on the 8086.
     *
     * @return bits
     */
    public int eflagsFixed() {
        return has[Feature.I286.ordinal()] ? 2 : 0xF002;
    }

    /**
     * Whether a feature is there; internal to the emulator (the type is not exported).
     *
     * @param feature the feature
     * @return true where the CPU does it
     */
    @SuppressWarnings("exports")
    public boolean has(Feature feature) {
        return has[feature.ordinal()];
    }

    @Override
    public String toString() {
        return name + " " + features;
    }
}
