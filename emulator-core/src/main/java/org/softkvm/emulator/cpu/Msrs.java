package org.softkvm.emulator.cpu;

import java.util.Arrays;
import java.util.stream.Stream;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.decode.Feature;

/** Model-specific registers (Intel SDM volume 4). Those of the local APIC live behind its port. */
public final class Msrs {
    /** IA32_TIME_STAMP_COUNTER. */
    public static final int TSC = 0x10;
    /** IA32_APIC_BASE; it lives behind the port of the local APIC. */
    private static final int APIC_BASE = 0x1B;

    /** IA32_APIC_BASE: x2APIC mode. */
    private static final long APIC_BASE_EXTD = 1 << 10;

    /** IA32_TSC_DEADLINE, behind the same port. */
    private static final int TSC_DEADLINE = 0x6E0;

    private static final int X2APIC_FIRST = 0x800;
    private static final int X2APIC_LAST = 0x8FF;

    /** MSR_SMI_COUNT. */
    public static final int SMI_COUNT = 0x34;
    /** IA32_TSC_ADJUST. */
    public static final int TSC_ADJUST = 0x3B;
    /** P5_MC_ADDR: the Pentium's machine-check address. */
    private static final int P5_MC_ADDR = 0;

    /** P5_MC_TYPE. */
    private static final int P5_MC_TYPE = 1;

    /** IA32_PLATFORM_ID. */
    private static final int PLATFORM_ID = 0x17;

    /** MSR_EBL_CR_POWERON: how the bus was strapped. */
    private static final int EBL_CR_POWERON = 0x2A;

    /** IA32_BIOS_UPDT_TRIG. */
    private static final int BIOS_UPDT_TRIG = 0x79;

    /** MSR_PLATFORM_INFO. */
    public static final int PLATFORM_INFO = 0xCE;

    /** MSR_MISC_FEATURES_ENABLES. */
    private static final int MISC_FEATURES_ENABLES = 0x140;

    /** MSR_PLATFORM_INFO: CPUID can be made to fault. */
    private static final long PLATFORM_INFO_CPUID_FAULT = 1L << 31;

    /** MSR_MISC_FEATURES_ENABLES: CPUID faults above ring 0. */
    public static final long CPUID_FAULT = 1;

    /** IA32_SPEC_CTRL: IBRS and STIBP. */
    private static final long SPEC_CTRL_BITS = 3;

    /** IA32_MISC_ENABLE: fast strings. */
    private static final long MISC_ENABLE_FAST_STRINGS = 1;

    /** IA32_MISC_ENABLE: no branch trace store, no precise event sampling; read-only, as is bit 7 (monitoring). */
    private static final long MISC_ENABLE_NO_TRACE = 1 << 11 | 1 << 12;

    /** IA32_MISC_ENABLE: CPUID says that leaf 3 is the highest. */
    public static final long MISC_ENABLE_LIMIT_CPUID = 1 << 22;

    /** IA32_MISC_ENABLE: no execute-disable. */
    public static final long MISC_ENABLE_NO_XD = 1L << 34;

    /** IA32_MISC_ENABLE: bits that exist: fast strings, TM1, 7, 11, 12, SpeedStep, MONITOR, limit, xTPR, XD. */
    private static final long MISC_ENABLE_BITS = 0x4_00C5_1889L;

    /** IA32_MISC_ENABLE: bits that keep what they are. */
    private static final long MISC_ENABLE_READ_ONLY = 0x1880;

    /** IA32_SPEC_CTRL. */
    public static final int SPEC_CTRL = 0x48;
    /** IA32_PRED_CMD. */
    public static final int PRED_CMD = 0x49;
    /** IA32_BIOS_SIGN_ID: microcode revision. */
    public static final int BIOS_SIGN_ID = 0x8B;
    /** IA32_SMBASE: for the host alone. */
    public static final int SMBASE = 0x9E;
    /** IA32_ARCH_CAPABILITIES. */
    public static final int ARCH_CAPABILITIES = 0x10A;
    /** IA32_SYSENTER_CS. */
    public static final int SYSENTER_CS = 0x174;
    /** IA32_SYSENTER_ESP. */
    public static final int SYSENTER_ESP = 0x175;
    /** IA32_SYSENTER_EIP. */
    public static final int SYSENTER_EIP = 0x176;
    /** IA32_MISC_ENABLE. */
    public static final int MISC_ENABLE = 0x1A0;
    /** IA32_MISC_ENABLE: MONITOR and MWAIT. */
    public static final long MISC_ENABLE_MONITOR = 1 << 18;
    /** IA32_DEBUGCTL: BTF alone. */
    public static final int DEBUGCTL = 0x1D9;
    /** IA32_DEBUGCTL: TF traps after branches only. */
    public static final long DEBUGCTL_BTF = 2;
    /** IA32_PAT. */
    public static final int PAT = 0x277;
    /** IA32_EFER. */
    public static final int EFER = 0xC0000080;
    /** IA32_STAR. */
    public static final int STAR = 0xC0000081;
    /** IA32_LSTAR. */
    public static final int LSTAR = 0xC0000082;
    /** The first of AMD's four event selects and four counters. */
    private static final int K7_EVNTSEL0 = 0xC0010000;

    /** IA32_CSTAR. */
    public static final int CSTAR = 0xC0000083;
    /** IA32_FMASK. */
    public static final int FMASK = 0xC0000084;
    /** IA32_FS_BASE. */
    public static final int FS_BASE = 0xC0000100;
    /** IA32_GS_BASE. */
    public static final int GS_BASE = 0xC0000101;
    /** IA32_KERNEL_GS_BASE. */
    public static final int KERNEL_GS_BASE = 0xC0000102;
    /** IA32_TSC_AUX. */
    public static final int TSC_AUX = 0xC0000103;

    /** The MSRs with state here but MTRRs and machine checks, for lists of what to save. */
    private static final int[] STORED = {
        TSC,
        TSC_ADJUST,
        SPEC_CTRL,
        MISC_FEATURES_ENABLES,
        SYSENTER_CS,
        SYSENTER_ESP,
        SYSENTER_EIP,
        MISC_ENABLE,
        DEBUGCTL,
        PAT,
        EFER,
        STAR,
        LSTAR,
        CSTAR,
        FMASK,
        FS_BASE,
        GS_BASE,
        KERNEL_GS_BASE,
        TSC_AUX
    };

    /**
     * Not susceptible to Meltdown, L1TF, SSB, MDS, TAA, MMIO stale data and the like; enhanced IBRS. True of a CPU that
     * does not speculate.
     */
    private static final long CAPABILITIES = 0x4000_0000_0D10_E17BL;

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
    /** What was added to the clock's counter by writing TSC or TSC_ADJUST. */
    public long tscOffset;
    /** IA32_TSC_ADJUST. */
    public long tscAdjust;
    /** IA32_PAT. */
    public long pat = 0x0007040600070406L;
    /** IA32_SPEC_CTRL. */
    public long specCtrl;
    /** IA32_DEBUGCTL. */
    public long debugCtl;
    /** IA32_MISC_ENABLE. */
    public long miscEnable;
    /** MSR_MISC_FEATURES_ENABLES. */
    public long miscFeatures;

    private final Mtrrs mtrrs = new Mtrrs();
    private final MachineChecks machineChecks = new MachineChecks();

    /** The value of the MSR that {@link #read} found. */
    public long value;

    Msrs(CpuModel model) {
        miscEnable = MISC_ENABLE_FAST_STRINGS
                | MISC_ENABLE_NO_TRACE
                | (model.has(Feature.MONITOR) ? MISC_ENABLE_MONITOR : 0);
    }

    /**
     * The numbers of the MSRs kept here.
     *
     * @return a new array, in an order in which they can be restored
     */
    public static int[] stored() {
        return Stream.of(STORED, Mtrrs.numbers(), MachineChecks.numbers())
                .flatMapToInt(Arrays::stream)
                .toArray();
    }

    /**
     * The value of an MSR that says what CPU this is.
     *
     * @param index MSR number
     * @return the value, or -1 where it is none of them
     */
    public static long feature(int index) {
        return switch (index) {
            case BIOS_SIGN_ID -> 1L << 32;
            case ARCH_CAPABILITIES -> CAPABILITIES;
            case PLATFORM_INFO -> PLATFORM_INFO_CPUID_FAULT;
            default -> -1;
        };
    }

    /**
     * The time-stamp counter as the guest reads it.
     *
     * @param c the vcpu
     * @return ticks
     */
    public static long tsc(Cpu c) {
        return c.time.tsc() + c.msrs.tscOffset;
    }

    /**
     * Reads an MSR into {@link #value}.
     *
     * @param c the vcpu
     * @param index MSR number
     * @return false where it does not exist (#GP)
     */
    public boolean read(Cpu c, int index) {
        if (!exists(c, index)) {
            return false;
        }
        switch (index) {
            case TSC -> value = tsc(c);
            case TSC_ADJUST -> value = tscAdjust;
            case SMI_COUNT -> value = c.smiCount;
            case SPEC_CTRL -> value = specCtrl;
            case BIOS_SIGN_ID -> value = 1L << 32;
            case P5_MC_ADDR, P5_MC_TYPE, PLATFORM_ID, EBL_CR_POWERON -> value = 0;
            case PLATFORM_INFO -> value = PLATFORM_INFO_CPUID_FAULT;
            case MISC_FEATURES_ENABLES -> value = miscFeatures;
            case ARCH_CAPABILITIES -> value = CAPABILITIES;
            case SYSENTER_CS -> value = sysenterCs;
            case SYSENTER_ESP -> value = sysenterEsp;
            case SYSENTER_EIP -> value = sysenterEip;
            case MISC_ENABLE -> value = miscEnable;
            case DEBUGCTL -> value = debugCtl;
            case PAT -> value = pat;
            case EFER -> value = c.efer;
            case STAR -> value = star;
            case LSTAR -> value = lstar;
            case CSTAR -> value = cstar;
            case FMASK -> value = sfmask;
            case FS_BASE -> value = c.segBase[Cpu.FS];
            case GS_BASE -> value = c.segBase[Cpu.GS];
            case KERNEL_GS_BASE -> value = kernelGsBase;
            case TSC_AUX -> value = tscAux;
            default -> {
                if (Mtrrs.owns(index)) {
                    value = mtrrs.read(index);
                    return true;
                }
                if (MachineChecks.owns(index)) {
                    value = machineChecks.read(index);
                    return true;
                }
                if (isCounterOfAmd(c, index)) {
                    value = 0;
                    return true;
                }
                if (!c.lapic.ownsMsr(index) || !c.lapic.canReadMsr(index)) {
                    return false;
                }
                value = c.lapic.readMsr(index);
                return true;
            }
        }
        return true;
    }

    /**
     * Whether the model has an MSR, as far as that hangs on a feature.
     *
     * @param c the vcpu
     * @param index MSR number
     * @return false where the feature is missing
     */
    public static boolean exists(Cpu c, int index) {
        Feature needs = switch (index) {
            case TSC -> Feature.TSC;
            case TSC_ADJUST -> Feature.TSC_ADJUST;
            case SPEC_CTRL, PRED_CMD -> Feature.SPEC_CTRL;
            case DEBUGCTL -> Feature.CMOV;
            case SMI_COUNT -> Feature.LM;
            case ARCH_CAPABILITIES -> Feature.ARCH_CAPABILITIES;
            case SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP -> Feature.SEP;
            case PAT -> Feature.PAT;
            case STAR, LSTAR, CSTAR, FMASK, FS_BASE, GS_BASE, KERNEL_GS_BASE -> Feature.LM;
            case TSC_AUX -> Feature.RDTSCP;
            case APIC_BASE -> Feature.APIC;
            case TSC_DEADLINE -> Feature.TSC_DEADLINE;
            case EFER -> c.model.has(Feature.LM) ? Feature.LM : Feature.NX;
            case P5_MC_ADDR, P5_MC_TYPE -> Feature.MCE;
            case PLATFORM_INFO, MISC_FEATURES_ENABLES -> Feature.LM;
            default ->
                index >= X2APIC_FIRST && index <= X2APIC_LAST
                        ? Feature.X2APIC
                        : Mtrrs.owns(index) ? Feature.MTRR : MachineChecks.owns(index) ? Feature.MCA : Feature.MSR;
        };
        return c.model.has(needs);
    }

    /**
     * Writes an MSR as the host, which may also fill a machine-check bank.
     *
     * @param c the vcpu
     * @param index MSR number
     * @param v new value
     * @return false where it does not exist or the value is not allowed
     */
    public boolean writeHost(Cpu c, int index, long v) {
        return MachineChecks.owns(index) ? exists(c, index) && machineChecks.write(index, v, true) : write(c, index, v);
    }

    /**
     * Whether there is an MSR of a number, readable or not.
     *
     * @param c the vcpu
     * @param index MSR number
     * @return false where there is none
     */
    public boolean isKnown(Cpu c, int index) {
        return index == PRED_CMD && exists(c, index) || index == BIOS_UPDT_TRIG || read(c, index);
    }

    /**
     * AMD's CPUs have four performance counters with no CPUID bit that says so, and kernels that see this vendor clear
     * them. They count nothing here: as in KVM without a virtual PMU they read as zero and drop what is written.
     */
    private static boolean isCounterOfAmd(Cpu c, int index) {
        return index >= K7_EVNTSEL0 && index < K7_EVNTSEL0 + 8 && c.model.isAmd();
    }

    private static boolean canonical(long v) {
        return v << 16 >> 16 == v;
    }

    /**
     * Writes an MSR.
     *
     * @param c the vcpu
     * @param index MSR number
     * @param v new value
     * @return false where it does not exist or the value is not allowed (#GP)
     */
    public boolean write(Cpu c, int index, long v) {
        if (!exists(c, index)) {
            return false;
        }
        switch (index) {
            case TSC -> {
                long offset = v - c.time.tsc();
                tscAdjust += offset - tscOffset;
                tscOffset = offset;
                c.lapic.tscChanged();
            }
            case TSC_ADJUST -> {
                tscOffset += v - tscAdjust;
                tscAdjust = v;
                c.lapic.tscChanged();
            }
            case SPEC_CTRL -> {
                if ((v & ~SPEC_CTRL_BITS) != 0) {
                    return false;
                }
                specCtrl = v;
            }
            case PRED_CMD -> {
                return (v & ~1L) == 0;
            }
            case BIOS_SIGN_ID, BIOS_UPDT_TRIG -> {
                // Microcode update trigger and its revision: nothing to load.
            }
            case SYSENTER_CS -> sysenterCs = v & 0xFFFFFFFFL;
            case SYSENTER_ESP -> {
                if (!canonical(v)) {
                    return false;
                }
                sysenterEsp = v;
            }
            case SYSENTER_EIP -> {
                if (!canonical(v)) {
                    return false;
                }
                sysenterEip = v;
            }
            case DEBUGCTL -> {
                if ((v & ~DEBUGCTL_BTF) != 0) {
                    return false;
                }
                debugCtl = v;
            }
            case MISC_ENABLE -> {
                if ((v & ~MISC_ENABLE_BITS) != 0) {
                    return false;
                }
                miscEnable = v & ~MISC_ENABLE_READ_ONLY | miscEnable & MISC_ENABLE_READ_ONLY;
            }
            case MISC_FEATURES_ENABLES -> {
                if ((v & ~CPUID_FAULT) != 0) {
                    return false;
                }
                miscFeatures = v;
            }
            case P5_MC_ADDR, P5_MC_TYPE -> {
                return v == 0;
            }
            case PAT -> {
                for (int k = 0; k < 8; k++) {
                    int type = (int) (v >>> 8 * k) & 0xFF;
                    if (type > 7 || type == 2 || type == 3) {
                        return false;
                    }
                }
                pat = v;
            }
            case EFER -> {
                return writeEfer(c, v);
            }
            case STAR -> star = v;
            case LSTAR -> {
                if (!canonical(v)) {
                    return false;
                }
                lstar = v;
            }
            case CSTAR -> {
                if (!canonical(v)) {
                    return false;
                }
                cstar = v;
            }
            case FMASK -> sfmask = v & 0xFFFFFFFFL;
            case FS_BASE -> {
                if (!canonical(v)) {
                    return false;
                }
                c.segBase[Cpu.FS] = v;
            }
            case GS_BASE -> {
                if (!canonical(v)) {
                    return false;
                }
                c.segBase[Cpu.GS] = v;
            }
            case KERNEL_GS_BASE -> {
                if (!canonical(v)) {
                    return false;
                }
                kernelGsBase = v;
            }
            case TSC_AUX -> {
                if (v >>> 32 != 0) {
                    return false;
                }
                tscAux = v;
            }
            default -> {
                if (Mtrrs.owns(index)) {
                    return mtrrs.write(c, index, v);
                }
                if (MachineChecks.owns(index)) {
                    return machineChecks.write(index, v, false);
                }
                if (isCounterOfAmd(c, index)) {
                    return true;
                }
                if (index == APIC_BASE && (v & APIC_BASE_EXTD) != 0 && !c.model.has(Feature.X2APIC)) {
                    return false;
                }
                if (!c.lapic.ownsMsr(index) || !c.lapic.writeMsr(index, v)) {
                    return false;
                }
                // The task priority or the service state may have changed.
                c.request(Cpu.REQ_INTERRUPT);
                c.stopAfterInsn();
            }
        }
        return true;
    }

    /**
     * The bits of EFER that a model has.
     *
     * @param c the vcpu
     * @return mask
     */
    public static long eferAllowed(Cpu c) {
        return (c.model.has(Feature.SYSCALL) ? Cpu.EFER_SCE : 0)
                | (c.model.has(Feature.LM) ? Cpu.EFER_LME | Cpu.EFER_LMA : 0)
                | (c.model.has(Feature.NX) && (c.msrs.miscEnable & MISC_ENABLE_NO_XD) == 0 ? Cpu.EFER_NXE : 0);
    }

    private static boolean writeEfer(Cpu c, long v) {
        if ((v & ~eferAllowed(c)) != 0) {
            return false;
        }
        if (((v ^ c.efer) & Cpu.EFER_LME) != 0 && (c.cr0 & Cpu.CR0_PG) != 0) {
            return false;
        }
        c.efer = v & ~Cpu.EFER_LMA | c.efer & Cpu.EFER_LMA;
        c.flushTlb();
        return true;
    }
}
