package org.softkvm.kvm.emulator;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.softkvm.emulator.VirtualCpu;

/** The model-specific registers that make up the state of a vcpu (Intel SDM volume 4; KVM's own). */
final class MsrList {
    /** More in one call is E2BIG. */
    static final int MAX_ENTRIES = 256;

    static final int TSC = 0x10;
    static final int APIC_BASE = 0x1B;
    static final int SMI_COUNT = 0x34;
    static final int TSC_ADJUST = 0x3B;
    static final int SMBASE = 0x9E;
    static final int SYSENTER_CS = 0x174;
    static final int SYSENTER_ESP = 0x175;
    static final int SYSENTER_EIP = 0x176;
    static final int PAT = 0x277;
    static final int TSC_DEADLINE = 0x6E0;
    static final int EFER = 0xC0000080;
    static final int STAR = 0xC0000081;
    static final int LSTAR = 0xC0000082;
    static final int CSTAR = 0xC0000083;
    static final int SFMASK = 0xC0000084;
    static final int FS_BASE = 0xC0000100;
    static final int GS_BASE = 0xC0000101;
    static final int KERNEL_GS_BASE = 0xC0000102;
    static final int TSC_AUX = 0xC0000103;

    /** Those with an order in which they can be restored: the counter before what hangs on it. */
    private static final int[] ORDERED = {
        EFER,
        STAR,
        LSTAR,
        CSTAR,
        SFMASK,
        KERNEL_GS_BASE,
        FS_BASE,
        GS_BASE,
        SYSENTER_CS,
        SYSENTER_ESP,
        SYSENTER_EIP,
        PAT,
        TSC_AUX,
        TSC_ADJUST,
        TSC,
        APIC_BASE,
        SMBASE,
        SMI_COUNT,
        TSC_DEADLINE,
        PvClock.MSR_WALL_CLOCK_OLD,
        PvClock.MSR_SYSTEM_TIME_OLD,
        PvClock.MSR_WALL_CLOCK,
        PvClock.MSR_SYSTEM_TIME,
        PvSteal.MSR,
        PvEoi.MSR,
        PvMsrs.MSR_POLL_CONTROL,
    };

    /** Those to save: behind the ordered ones all else that the CPU stores. */
    private static final int[] SAVED = IntStream.concat(Arrays.stream(ORDERED), Arrays.stream(VirtualCpu.msrs()))
            .distinct()
            .toArray();

    private MsrList() {}

    /** KVM_GET_MSR_INDEX_LIST. */
    static int[] indices() {
        return SAVED.clone();
    }
}
