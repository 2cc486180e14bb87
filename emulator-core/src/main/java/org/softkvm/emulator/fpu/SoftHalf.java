package org.softkvm.emulator.fpu;

/** Conversions between half and single precision (Intel SDM volume 1, 14.4; volume 2, VCVTPH2PS and VCVTPS2PH). */
public final class SoftHalf {
    private static final int INFINITY = 0x7C00;

    private SoftHalf() {}

    /**
     * Converts to single precision, which is exact. Denormal operands are numbers whatever MXCSR.DAZ is, and raise
     * nothing.
     *
     * @param env environment
     * @param a bits of the half in the low 16
     * @return bits of the {@code float}
     */
    public static int toFloat(FpEnv env, int a) {
        int sign = (a & 0x8000) << 16;
        int magnitude = a & 0x7FFF;
        if (magnitude > INFINITY) {
            if ((a & 0x200) == 0) {
                env.flags |= FpEnv.IE;
            }
            return sign | 0x7FC0_0000 | (magnitude & 0x3FF) << 13;
        }
        if (magnitude == INFINITY) {
            return sign | 0x7F80_0000;
        }
        if (magnitude >= 0x400) {
            return sign | (magnitude << 13) + (112 << 23);
        }
        return sign | Float.floatToRawIntBits(magnitude * 0x1p-24f);
    }

    /**
     * Converts from single precision. Tiny results become denormal whatever MXCSR.FZ is.
     *
     * @param env environment; its rounding mode is not looked at
     * @param a bits of the {@code float}
     * @param rounding rounding mode, as {@link FpEnv#rounding}
     * @return bits of the half in the low 16
     */
    public static int fromFloat(FpEnv env, int a, int rounding) {
        int sign = a >>> 16 & 0x8000;
        int magnitude = a & 0x7FFF_FFFF;
        if (magnitude > 0x7F80_0000) {
            if ((a & 0x0040_0000) == 0) {
                env.flags |= FpEnv.IE;
            }
            return sign | 0x7E00 | magnitude >> 13 & 0x1FF;
        }
        if (magnitude == 0x7F80_0000) {
            return sign | INFINITY;
        }
        int exponent = magnitude >> 23;
        if (exponent == 0) {
            if (magnitude != 0 && env.daz) {
                magnitude = 0;
            } else if (magnitude != 0) {
                env.flags |= FpEnv.DE;
            }
            if (magnitude == 0) {
                return sign;
            }
        }
        int significand = magnitude & 0x7F_FFFF | (exponent == 0 ? 0 : 0x80_0000);
        // Bits to cut: 13 for a normal half, more for a denormal one.
        int normalCut = 13;
        int cut = Math.min(exponent >= 113 ? normalCut : normalCut + 113 - Math.max(exponent, 1), 31);
        int kept = significand >>> cut;
        int rest = significand & (1 << cut) - 1;
        boolean inexact = rest != 0;
        int half = Integer.compare(rest, 1 << cut - 1);
        boolean tiny = exponent < 113 && !roundsToNormal(exponent, significand, rounding, sign);
        if (inexact) {
            env.flags |= FpEnv.PE;
            if (FpCore.roundsUp(rounding, sign, (kept & 1) != 0, half, true)) {
                kept++;
            }
        }
        if (tiny && (inexact || (env.masks & FpEnv.UE) == 0)) {
            env.flags |= FpEnv.UE;
        }
        int result = exponent >= 113 ? kept + (exponent - 113 << 10) : kept;
        if (result >= INFINITY) {
            env.flags |= (env.masks & FpEnv.OE) == 0 ? FpEnv.OE : FpEnv.OE | FpEnv.PE;
            return sign | (FpCore.roundsUp(rounding, sign, true, 1, true) ? INFINITY : INFINITY - 1);
        }
        return sign | result;
    }

    /** Whether a number below the normal halves becomes one by rounding to 11 bits: then it is not tiny. */
    private static boolean roundsToNormal(int exponent, int significand, int rounding, int sign) {
        if (exponent != 112 || significand >>> 13 != 0x7FF) {
            return false;
        }
        int rest = significand & 0x1FFF;
        return FpCore.roundsUp(rounding, sign, true, Integer.compare(rest, 0x1000), rest != 0);
    }
}
