package org.softkvm.emulator.fpu;

/** The constants that x87 instructions load; they are rounded by the rounding control, as CPUs since the 387 do. */
final class FpuConstants {
    private static final int[] SIGN_EXP = {0x3FFF, 0x4000, 0x3FFF, 0x4000, 0x3FFD, 0x3FFE, 0};

    /** Truncated significands of 1, log2 10, log2 e, pi, log10 2, ln 2, 0. */
    private static final long[] SIG = {
        0x8000_0000_0000_0000L,
        0xD49A_784B_CD1B_8AFEL,
        0xB8AA_3B29_5C17_F0BBL,
        0xC90F_DAA2_2168_C234L,
        0x9A20_9A84_FBCF_F798L,
        0xB172_17F7_D1CF_79ABL,
        0
    };

    /** Whether the truncated significand is the lower neighbour that is not the nearest one. */
    private static final boolean[] NEAREST_IS_UP = {false, false, true, true, true, true, false};

    private FpuConstants() {}

    static void load(Float80 f, int n) {
        boolean exact = n == 0 || n == 6;
        boolean up = !exact && (f.rounding == FpEnv.UP || f.rounding == FpEnv.NEAREST && NEAREST_IS_UP[n]);
        f.set(SIGN_EXP[n], up ? SIG[n] + 1 : SIG[n]);
    }
}
