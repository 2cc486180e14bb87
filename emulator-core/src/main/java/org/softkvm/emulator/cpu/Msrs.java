package org.softkvm.emulator.cpu;

/** Model-specific registers without a home of their own (Intel SDM volume 4). */
public final class Msrs {
    /** IA32_SYSENTER_CS. */
    public long sysenterCs;
    /** IA32_SYSENTER_ESP. */
    public long sysenterEsp;
    /** IA32_SYSENTER_EIP. */
    public long sysenterEip;
    /** STAR. */
    public long star;
    /** LSTAR. */
    public long lstar;
    /** CSTAR. */
    public long cstar;
    /** SFMASK. */
    public long sfmask;
    /** KERNEL_GS_BASE. */
    public long kernelGsBase;
    /** TSC_AUX. */
    public long tscAux;
    /** What the guest added to the time-stamp counter by writing it. */
    public long tscOffset;
    /** IA32_TSC_ADJUST. */
    public long tscAdjust;
    /** IA32_PAT. */
    public long pat = 0x0007040600070406L;
}
