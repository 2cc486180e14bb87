package org.softkvm.emulator;

import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.softkvm.emulator.decode.Feature;

/**
 * What a CPU is: its generation, the features that it has, its CPUID. CPUID never offers what the CPU does not do.
 */
public final class CpuModel {
    /** Everything that is implemented (the default). */
    public static final CpuModel MAX = new CpuModel("max", EnumSet.range(Feature.I8086, Feature.SMAP), 46);
    /** The 80286. */
    public static final CpuModel I286 = new CpuModel("286", EnumSet.range(Feature.I8086, Feature.I286), 24);
    /** The 8086, which has no invalid opcodes. */
    public static final CpuModel I8086 = new CpuModel("8086", EnumSet.of(Feature.I8086), 20);

    private final String name;
    private final Set<Feature> features;
    private final boolean[] has = new boolean[Feature.values().length];
    private final int physicalAddressBits;

    private CpuModel(String name, Set<Feature> features, int physicalAddressBits) {
        this.name = name;
        this.features = EnumSet.copyOf(features);
        this.physicalAddressBits = physicalAddressBits;
        for (Feature f : features) {
            has[f.ordinal()] = true;
        }
    }

    /**
     * All models.
     *
     * @return in the order of documentation
     */
    public static List<CpuModel> all() {
        return List.of(MAX, I286, I8086);
    }

    /**
     * A model by name.
     *
     * @param name as on the command line, case ignored
     * @return the model, or empty
     */
    public static Optional<CpuModel> byName(String name) {
        return all().stream()
                .filter(m -> m.name.equals(name.toLowerCase(Locale.ROOT)))
                .findFirst();
    }

    /**
     * The model's name.
     *
     * @return as on the command line
     */
    public String name() {
        return name;
    }

    /**
     * The number of physical address lines.
     *
     * @return bits
     */
    public int physicalAddressBits() {
        return physicalAddressBits;
    }

    /**
     * Whether 1 GiB pages exist.
     *
     * @return true with long mode
     */
    public boolean hasGigabytePages() {
        return has[Feature.LM.ordinal()];
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

    /**
     * Family, model and stepping as CPUID.1:EAX and EDX after reset show them.
     *
     * @return signature; 0 where the CPU has none
     */
    public int signature() {
        return has[Feature.PENTIUM.ordinal()] ? 0x000306D4 : 0;
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
