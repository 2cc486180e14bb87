package org.softkvm.emulator.simd;

import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.fpu.FpuState;

/**
 * The image that FXSAVE and the XSAVE family move to and from memory, in 64-bit words, and what translates it to the
 * state of a vcpu (Intel SDM volume 1, 10.5.1 and 13.4). The compacted format is the same image here: AVX state, the only
 * extended component, follows the header in both.
 */
public final class XsaveArea {
    /** State component bits of XCR0 and XSTATE_BV: x87. */
    public static final int X87 = 1;
    /** SSE. */
    public static final int SSE = 2;
    /** Upper halves of the YMM registers. */
    public static final int AVX = 4;

    private static final int MXCSR_BITS = 0xFFFF;

    /** Denormals are zeros: came with SSE2. */
    private static final int MXCSR_DAZ = 0x40;

    /** Bytes of the legacy region, which FXSAVE stores. */
    static final int LEGACY_SIZE = 512;
    /** Bytes before the extended region. */
    static final int HEADER_END = 576;
    /** Bytes of the whole. */
    public static final int SIZE = 832;

    private static final int HEADER = LEGACY_SIZE / 8;
    /** XSTATE_BV, in words. */
    static final int STATE_BV = HEADER;
    /** XCOMP_BV, in words. */
    static final int COMP_BV = HEADER + 1;

    private static final int MXCSR = 24 / 8;
    private static final int STACK = 32 / 8;
    private static final int XMM = 160 / 8;
    private static final int YMM = HEADER_END / 8;

    /** The image; as large as XSAVE with all components needs. */
    public final long[] w = new long[SIZE / 8];

    /**
     * The components that a model has.
     *
     * @param model the model
     * @return bits that XCR0 may have
     */
    public static long supported(CpuModel model) {
        return X87 | (model.has(Feature.XSAVE) ? SSE : 0) | (model.has(Feature.AVX) ? AVX : 0);
    }

    /**
     * Whether XCR0 may have a value (Intel SDM volume 2, XSETBV).
     *
     * @param model the model
     * @param value the value
     * @return true where XSETBV takes it
     */
    public static boolean allowed(CpuModel model, long value) {
        return (value & X87) != 0 && (value & ~supported(model)) == 0 && (value & (SSE | AVX)) != AVX;
    }

    /**
     * Bytes of the area for a set of components, in either format.
     *
     * @param components state component bits
     * @return 576 or 832
     */
    public static int size(long components) {
        return (components & AVX) != 0 ? SIZE : HEADER_END;
    }

    /**
     * XINUSE: the components that are not in their initial configuration. As on Intel CPUs x87 and SSE always count as
     * used, AVX by its contents.
     *
     * @param c the vcpu
     * @return state component bits
     */
    public static int inUse(Cpu c) {
        int n = c.mode64 ? 16 : 8;
        long any = 0;
        for (int k = 0; k < n; k++) {
            any |= c.v[4 * k + 2] | c.v[4 * k + 3];
        }
        return X87 | SSE | (any != 0 ? AVX : 0);
    }

    /** Stores components of the image to memory, where the right to write was checked; MXCSR has a word of its own. */
    void store(Cpu c, long la, int mask, boolean mxcsr, int registers) {
        if ((mask & X87) != 0) {
            store(c, la, 0, MXCSR);
            store(c, la, STACK, XMM);
        }
        if (mxcsr) {
            store(c, la, MXCSR, STACK);
        }
        if ((mask & SSE) != 0) {
            store(c, la, XMM, XMM + 2 * registers);
        }
        if ((mask & AVX) != 0) {
            store(c, la, YMM, YMM + 2 * registers);
        }
    }

    private void store(Cpu c, long la, int from, int to) {
        for (int k = from; k < to; k++) {
            c.write64(la + 8L * k, w[k]);
        }
    }

    /** Takes x87 state; wide: with 64-bit pointers, else 32 bits and selectors. */
    void takeX87(Cpu c, boolean wide) {
        FpuState f = c.fpu;
        w[0] = f.controlWord() & 0xFFFFL
                | (f.statusWord() & 0xFFFFL) << 16
                | (f.abridgedTag() & 0xFFL) << 32
                | (long) f.opcode << 48;
        if (wide) {
            w[1] = f.instructionPointer;
            w[2] = f.dataPointer;
        } else {
            w[1] = f.instructionPointer & 0xFFFFFFFFL | (f.instructionSelector & 0xFFFFL) << 32;
            w[2] = f.dataPointer & 0xFFFFFFFFL | (f.dataSelector & 0xFFFFL) << 32;
        }
        for (int k = 0; k < 8; k++) {
            w[STACK + 2 * k] = f.stackSignificand(k);
            w[STACK + 1 + 2 * k] = f.stackSignExponent(k) & 0xFFFFL;
        }
    }

    void takeMxcsr(Cpu c) {
        w[MXCSR] = c.mxcsr & 0xFFFFFFFFL | (long) mxcsrMask(c.model) << 32;
    }

    void takeXmm(Cpu c) {
        for (int k = 0; k < 16; k++) {
            w[XMM + 2 * k] = c.v[4 * k];
            w[XMM + 1 + 2 * k] = c.v[4 * k + 1];
        }
    }

    void takeYmm(Cpu c) {
        for (int k = 0; k < 16; k++) {
            w[YMM + 2 * k] = c.v[4 * k + 2];
            w[YMM + 1 + 2 * k] = c.v[4 * k + 3];
        }
    }

    void giveX87(Cpu c, boolean wide) {
        FpuState f = c.fpu;
        f.setControlWord((int) w[0] & 0xFFFF);
        f.setStatusWord((int) (w[0] >>> 16) & 0xFFFF);
        f.setAbridgedTag((int) (w[0] >>> 32) & 0xFF);
        f.opcode = (int) (w[0] >>> 48) & 0x7FF;
        if (wide) {
            f.instructionPointer = w[1];
            f.dataPointer = w[2];
        } else {
            f.instructionPointer = w[1] & 0xFFFFFFFFL;
            f.instructionSelector = (int) (w[1] >>> 32) & 0xFFFF;
            f.dataPointer = w[2] & 0xFFFFFFFFL;
            f.dataSelector = (int) (w[2] >>> 32) & 0xFFFF;
        }
        for (int k = 0; k < 8; k++) {
            f.setStack(k, (int) w[STACK + 1 + 2 * k] & 0xFFFF, w[STACK + 2 * k]);
        }
    }

    /** MXCSR in the image. */
    int mxcsr() {
        return (int) w[MXCSR];
    }

    /** XMM registers, or their initial state; outside 64-bit mode eight of them. */
    void giveXmm(Cpu c, int registers, boolean present) {
        for (int k = 0; k < registers; k++) {
            c.v[4 * k] = present ? w[XMM + 2 * k] : 0;
            c.v[4 * k + 1] = present ? w[XMM + 1 + 2 * k] : 0;
        }
    }

    /** Upper halves of YMM registers, or their initial state. */
    void giveYmm(Cpu c, int registers, boolean present) {
        for (int k = 0; k < registers; k++) {
            c.v[4 * k + 2] = present ? w[YMM + 2 * k] : 0;
            c.v[4 * k + 3] = present ? w[YMM + 1 + 2 * k] : 0;
        }
    }

    // ---------------------------------------------------------------- from outside

    /**
     * Makes the whole image of a vcpu, in the standard format, as KVM_GET_XSAVE gives it.
     *
     * @param c the vcpu
     */
    public void take(Cpu c) {
        java.util.Arrays.fill(w, 0);
        takeX87(c, true);
        takeMxcsr(c);
        takeXmm(c);
        takeYmm(c);
        boolean upper = false;
        for (int k = 0; k < 32; k++) {
            upper |= w[YMM + k] != 0;
        }
        w[STATE_BV] = X87 | SSE | (upper ? AVX : 0);
    }

    /**
     * The bits of MXCSR that a model has.
     *
     * @param model the model
     * @return a mask, as FXSAVE stores it
     */
    static int mxcsrMask(CpuModel model) {
        return model.has(Feature.SSE2) ? MXCSR_BITS : MXCSR_BITS & ~MXCSR_DAZ;
    }

    /**
     * Loads a vcpu from an image in the standard format, as KVM_SET_XSAVE does: a component that XSTATE_BV does not have
     * goes to its initial state, MXCSR is taken in any case.
     *
     * @param c the vcpu
     * @return false, and nothing changed, where the image is invalid: components that the CPU does not have, the
     *     compacted format, bits of MXCSR that do not exist
     */
    public boolean give(Cpu c) {
        long bv = w[STATE_BV];
        if ((bv & ~supported(c.model)) != 0 || w[COMP_BV] != 0 || (mxcsr() & ~mxcsrMask(c.model)) != 0) {
            return false;
        }
        if ((bv & X87) != 0) {
            giveX87(c, true);
        } else {
            c.fpu.reset();
            c.fpu.init();
        }
        c.mxcsr = mxcsr();
        giveXmm(c, 16, (bv & SSE) != 0);
        giveYmm(c, 16, (bv & AVX) != 0);
        return true;
    }
}
