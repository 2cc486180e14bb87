package org.softkvm.emulator.decode;

import java.util.List;

/**
 * CPU generations and CPUID features on which instruction forms, control bits and MSRs depend. A feature has the name that
 * QEMU and Linux use for it, its place in CPUID (Intel SDM volume 2, CPUID), and others without which it cannot be.
 */
public enum Feature {
    /** The 8086. */
    I8086,
    /** The 80186 and 80188. */
    I186,
    /** The 80286. */
    I286,
    /** The 80386. */
    I386,
    /** The 80486. */
    I486,
    /** The CPUID instruction and EFLAGS.ID: the later 80486, and all since. */
    CPUID,

    /** x87 on the chip. */
    FPU("fpu", Leaf.D1, 0, I486),
    /** Debugging extensions: CR4.DE, I/O breakpoints. */
    DE("de", Leaf.D1, 2, CPUID),
    /** Page-size extensions: pages of 4 MiB. */
    PSE("pse", Leaf.D1, 3, CPUID),
    /** Time-stamp counter. */
    TSC("tsc", Leaf.D1, 4, CPUID),
    /** Model-specific registers. */
    MSR("msr", Leaf.D1, 5, CPUID),
    /** Physical-address extension. */
    PAE("pae", Leaf.D1, 6, CPUID),
    /** Machine-check exception: CR4.MCE. */
    MCE("mce", Leaf.D1, 7, CPUID),
    /** CMPXCHG8B. */
    CX8("cx8", Leaf.D1, 8, CPUID),
    /** Local APIC. */
    APIC("apic", Leaf.D1, 9, CPUID),
    /** SYSENTER and SYSEXIT. */
    SEP("sep", Leaf.D1, 11, MSR),
    /** Memory-type range registers. */
    MTRR("mtrr", Leaf.D1, 12, MSR),
    /** Global pages: CR4.PGE. */
    PGE("pge", Leaf.D1, 13, CPUID),
    /** Machine-check architecture: banks of registers. */
    MCA("mca", Leaf.D1, 14, MCE, MSR),
    /** CMOVcc, and FCMOV with FPU. */
    CMOV("cmov", Leaf.D1, 15, CPUID),
    /** Page-attribute table. */
    PAT("pat", Leaf.D1, 16, MSR),
    /** Physical addresses of 36 bits in pages of 4 MiB. */
    PSE36("pse36", Leaf.D1, 17, PSE),
    /** CLFLUSH. */
    CLFSH("clflush", Leaf.D1, 19, CPUID),
    /** MMX. */
    MMX("mmx", Leaf.D1, 23, FPU, CPUID),
    /** FXSAVE. */
    FXSR("fxsr", Leaf.D1, 24, FPU, CPUID),
    /** SSE. */
    SSE("sse", Leaf.D1, 25, FXSR, MMX),
    /** SSE2. */
    SSE2("sse2", Leaf.D1, 26, SSE),

    /** SSE3. */
    SSE3("sse3", Leaf.C1, 0, SSE2),
    /** SSSE3. */
    SSSE3("ssse3", Leaf.C1, 9, SSE3),
    /** SSE4.1. */
    SSE41("sse4.1", Leaf.C1, 19, SSSE3),
    /** SSE4.2. */
    SSE42("sse4.2", Leaf.C1, 20, SSE41),
    /** x2APIC mode. */
    X2APIC("x2apic", Leaf.C1, 21, APIC, MSR),
    /** POPCNT. */
    POPCNT("popcnt", Leaf.C1, 23, CPUID),
    /** The APIC timer's TSC-deadline mode. */
    TSC_DEADLINE("tsc-deadline", Leaf.C1, 24, APIC, TSC, MSR),
    /** XSAVE. */
    XSAVE("xsave", Leaf.C1, 26, FXSR),
    /** Says that the CPU is virtual. */
    HYPERVISOR("hypervisor", Leaf.C1, 31, CPUID),

    /** Long mode. */
    LM("lm", Leaf.XD1, 29, PAE, SSE2, CMOV, CX8, TSC, MSR, PGE),
    /** SYSCALL and SYSRET, in 64-bit mode only, as on Intel CPUs. */
    SYSCALL("syscall", Leaf.XD1, 11, LM),
    /** No-execute pages. */
    NX("nx", Leaf.XD1, 20, PAE, MSR),
    /** Pages of 1 GiB. */
    PDPE1GB("pdpe1gb", Leaf.XD1, 26, LM),
    /** RDTSCP. */
    RDTSCP("rdtscp", Leaf.XD1, 27, TSC, MSR),
    /** LAHF and SAHF in 64-bit mode. */
    LAHF64("lahf_lm", Leaf.XC1, 0, LM),
    /** PREFETCHW. */
    PREFETCHW("3dnowprefetch", Leaf.XC1, 8, CPUID),
    /** A time-stamp counter that always runs at one rate. */
    INVTSC("invtsc", Leaf.XD7, 8, TSC),
    /** CMPXCHG16B. */
    CX16("cx16", Leaf.C1, 13, LM),

    /** PCLMULQDQ. */
    PCLMULQDQ("pclmulqdq", Leaf.C1, 1, SSE2),
    /** MONITOR and MWAIT. */
    MONITOR("monitor", Leaf.C1, 3, CPUID),
    /** Process-context identifiers. */
    PCID("pcid", Leaf.C1, 17, LM),
    /** MOVBE. */
    MOVBE("movbe", Leaf.C1, 22, CPUID),
    /** AES-NI. */
    AES("aes", Leaf.C1, 25, SSE2),
    /** RDRAND. */
    RDRAND("rdrand", Leaf.C1, 30, CPUID),
    /** LZCNT. */
    LZCNT("abm", Leaf.XC1, 5, CPUID),

    /** FSGSBASE instructions. */
    FSGSBASE("fsgsbase", Leaf.B7, 0, LM),
    /** IA32_TSC_ADJUST. */
    TSC_ADJUST("tsc_adjust", Leaf.B7, 1, TSC, MSR),
    /** BMI1: ANDN, BEXTR, BLSI, BLSMSK, BLSR, TZCNT. */
    BMI1("bmi1", Leaf.B7, 3, CPUID),
    /** Supervisor-mode execution prevention. */
    SMEP("smep", Leaf.B7, 7, CPUID),
    /** BMI2: BZHI, MULX, PDEP, PEXT, RORX, SARX, SHLX, SHRX. */
    BMI2("bmi2", Leaf.B7, 8, CPUID),
    /** REP MOVSB and STOSB are fast. */
    ERMS("erms", Leaf.B7, 9, CPUID),
    /** INVPCID. */
    INVPCID("invpcid", Leaf.B7, 10, CPUID),
    /** RDSEED. */
    RDSEED("rdseed", Leaf.B7, 18, CPUID),
    /** ADCX and ADOX. */
    ADX("adx", Leaf.B7, 19, CPUID),
    /** SMAP: CLAC and STAC. */
    SMAP("smap", Leaf.B7, 20, CPUID),
    /** PCOMMIT: Intel took it back before any CPU had it; QEMU's largest model and KVM's unit tests have it. */
    PCOMMIT("pcommit", Leaf.B7, 22, CPUID),
    /** CLFLUSHOPT. */
    CLFLUSHOPT("clflushopt", Leaf.B7, 23, CLFSH),
    /** CLWB. */
    CLWB("clwb", Leaf.B7, 24, CLFSH),
    /** SHA-1 and SHA-256. */
    SHA("sha-ni", Leaf.B7, 29, SSE2),
    /** User-mode instruction prevention. */
    UMIP("umip", Leaf.C7, 2, CPUID),
    /** RDPID. */
    RDPID("rdpid", Leaf.C7, 22, RDTSCP),
    /** SERIALIZE. */
    SERIALIZE("serialize", Leaf.D7, 14, CPUID),
    /** IA32_SPEC_CTRL and IA32_PRED_CMD. */
    SPEC_CTRL("spec-ctrl", Leaf.D7, 26, MSR),
    /** IA32_ARCH_CAPABILITIES. */
    ARCH_CAPABILITIES("arch-capabilities", Leaf.D7, 29, MSR),
    /** XSAVEOPT. */
    XSAVEOPT("xsaveopt", Leaf.AD1, 0, XSAVE),
    /** XSAVEC and the compacted format. */
    XSAVEC("xsavec", Leaf.AD1, 1, XSAVE),
    /** XGETBV with ECX = 1. */
    XGETBV1("xgetbv1", Leaf.AD1, 2, XSAVE),
    /** AVX: VEX instructions on vectors, and YMM state. */
    AVX("avx", Leaf.C1, 28, XSAVE, SSE42),
    /** F16C: conversions to and from half precision. */
    F16C("f16c", Leaf.C1, 29, AVX),
    /** FMA: fused multiply-add. */
    FMA("fma", Leaf.C1, 12, AVX),
    /** AVX2. */
    AVX2("avx2", Leaf.B7, 5, AVX),
    /** VAES: AES rounds on YMM registers. */
    VAES("vaes", Leaf.C7, 9, AES, AVX),
    /** VPCLMULQDQ: carry-less multiplication on YMM registers. */
    VPCLMULQDQ("vpclmulqdq", Leaf.C7, 10, PCLMULQDQ, AVX),
    /** Not implemented by any model; #UD. */
    NEVER;

    /** The CPUID registers that hold features: leaf, subleaf and register. */
    public enum Leaf {
        /** CPUID.1:ECX. */
        C1,
        /** CPUID.1:EDX. */
        D1,
        /** CPUID.(7,0):EBX. */
        B7,
        /** CPUID.(7,0):ECX. */
        C7,
        /** CPUID.(7,0):EDX. */
        D7,
        /** CPUID.(0Dh,1):EAX. */
        AD1,
        /** CPUID.80000001h:ECX. */
        XC1,
        /** CPUID.80000001h:EDX. */
        XD1,
        /** CPUID.80000007h:EDX. */
        XD7
    }

    private final String flag;
    private final Leaf leaf;
    private final int bit;
    private final List<Feature> requires;

    Feature() {
        flag = null;
        leaf = null;
        bit = 0;
        requires = List.of();
    }

    Feature(String flag, Leaf leaf, int bit, Feature... requires) {
        this.flag = flag;
        this.leaf = leaf;
        this.bit = bit;
        this.requires = List.of(requires);
    }

    /**
     * The name on the command line.
     *
     * @return lower case; null for a generation
     */
    public String flag() {
        return flag;
    }

    /**
     * What it cannot be without.
     *
     * @return direct requirements
     */
    public List<Feature> requires() {
        return requires;
    }

    /**
     * Its bit in one of CPUID's registers.
     *
     * @param register the register
     * @return a mask; 0 where it is elsewhere
     */
    public int bitIn(Leaf register) {
        return leaf == register ? 1 << bit : 0;
    }
}
