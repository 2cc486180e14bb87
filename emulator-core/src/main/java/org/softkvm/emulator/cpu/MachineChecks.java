package org.softkvm.emulator.cpu;

/**
 * The registers of the machine-check architecture (Intel SDM volume 3, chapter 16). The memory of a guest has no errors,
 * so that the banks that MCG_CAP counts stay empty unless one is filled from outside.
 */
final class MachineChecks {
    static final int MCG_CAP = 0x179;
    static final int MCG_STATUS = 0x17A;
    static final int MCG_CTL = 0x17B;

    private static final int BANKS = 10;
    private static final int FIRST = 0x400;
    private static final int LAST = FIRST + 4 * BANKS - 1;

    /** MCG_CTL_P: MCG_CTL is there. */
    private static final long CAPABILITIES = 1 << 8 | BANKS;

    /** MCG_CAP: how many banks there are. */
    private static final int COUNT = 0xFF;

    /** What MCG_CAP may have: the count, MCG_CTL_P, and MCG_SER_P, which is about errors that never come. */
    private static final long SUPPORTED = 1 << 24 | 1 << 8 | COUNT;

    /** RIPV, EIPV, MCIP. */
    private static final long STATUS_BITS = 7;

    private static final int CTL = 0;
    private static final int STATUS = 1;

    private final long[] banks = new long[4 * BANKS];
    private long capabilities = CAPABILITIES;
    private long status;
    private long control = -1;

    MachineChecks() {
        reset();
    }

    private void reset() {
        control = -1;
        for (int k = 0; k < BANKS; k++) {
            banks[4 * k + CTL] = -1;
        }
    }

    static boolean owns(int index) {
        return index >= FIRST && index <= LAST || index >= MCG_CAP && index <= MCG_CTL;
    }

    /** The numbers of all that can be written. */
    static int[] numbers() {
        int[] n = new int[2 + 4 * BANKS];
        n[0] = MCG_STATUS;
        n[1] = MCG_CTL;
        for (int k = 0; k < 4 * BANKS; k++) {
            n[2 + k] = FIRST + k;
        }
        return n;
    }

    long read(int index) {
        return switch (index) {
            case MCG_CAP -> capabilities;
            case MCG_STATUS -> status;
            case MCG_CTL -> control;
            default -> banks[index - FIRST];
        };
    }

    private static boolean allOrNothing(long v) {
        return v == 0 || v == -1;
    }

    /** A write by the guest, or by the host, which may also fill a bank. */
    boolean write(int index, long v, boolean host) {
        switch (index) {
            case MCG_CAP -> {
                // From outside, as KVM_X86_SETUP_MCE sets it; banks that it does not count stay empty.
                int wanted = (int) v & COUNT;
                if (!host || wanted < 1 || wanted > BANKS || (v & ~SUPPORTED) != 0) {
                    return false;
                }
                capabilities = v;
                reset();
            }
            case MCG_STATUS -> {
                if ((v & ~STATUS_BITS) != 0) {
                    return false;
                }
                status = v;
            }
            case MCG_CTL -> {
                if (!allOrNothing(v)) {
                    return false;
                }
                control = v;
            }
            default -> {
                int at = index - FIRST;
                // Linux leaves bit 10 of a bank's control out on some CPUs; KVM allows that, too.
                if ((at & 3) == CTL && v != 0 && !allOrNothing(v | 1 << 10) || (at & 3) == STATUS && v != 0 && !host) {
                    return false;
                }
                banks[at] = v;
            }
        }
        return true;
    }
}
