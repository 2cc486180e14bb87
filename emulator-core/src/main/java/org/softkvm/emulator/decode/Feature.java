package org.softkvm.emulator.decode;

/** CPU generations and CPUID features on which instruction forms depend. */
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
    /** The Pentium: CPUID and friends. */
    PENTIUM,
    /** CMPXCHG8B (CPUID.1:EDX.8). */
    CX8,
    /** Time-stamp counter (CPUID.1:EDX.4). */
    TSC,
    /** Model-specific registers (CPUID.1:EDX.5). */
    MSR,
    /** SYSENTER and SYSEXIT (CPUID.1:EDX.11). */
    SEP,
    /** CMOVcc, and FCMOV with FPU (CPUID.1:EDX.15). */
    CMOV,
    /** x87 on the chip (CPUID.1:EDX.0). */
    FPU,
    /** CLFLUSH (CPUID.1:EDX.19). */
    CLFSH,
    /** MMX (CPUID.1:EDX.23). */
    MMX,
    /** FXSAVE (CPUID.1:EDX.24). */
    FXSR,
    /** SSE (CPUID.1:EDX.25). */
    SSE,
    /** SSE2 (CPUID.1:EDX.26). */
    SSE2,
    /** SSE3 (CPUID.1:ECX.0). */
    SSE3,
    /** SSSE3 (CPUID.1:ECX.9). */
    SSSE3,
    /** CMPXCHG16B (CPUID.1:ECX.13). */
    CX16,
    /** SSE4.1 (CPUID.1:ECX.19). */
    SSE41,
    /** SSE4.2 (CPUID.1:ECX.20). */
    SSE42,
    /** POPCNT (CPUID.1:ECX.23). */
    POPCNT,
    /** XSAVE (CPUID.1:ECX.26). */
    XSAVE,
    /** PREFETCHW (CPUID.80000001:ECX.8). */
    PREFETCHW,
    /** LAHF in 64-bit mode (CPUID.80000001:ECX.0). */
    LAHF64,
    /** SYSCALL and SYSRET (CPUID.80000001:EDX.11). */
    SYSCALL,
    /** RDTSCP (CPUID.80000001:EDX.27). */
    RDTSCP,
    /** Long mode (CPUID.80000001:EDX.29). */
    LM,
    /** FSGSBASE instructions (CPUID.7:EBX.0). */
    FSGSBASE,
    /** SMAP: CLAC and STAC (CPUID.7:EBX.20). */
    SMAP,
    /** Not implemented by any model; #UD. */
    NEVER
}
