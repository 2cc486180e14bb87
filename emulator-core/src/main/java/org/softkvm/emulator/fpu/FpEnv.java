package org.softkvm.emulator.fpu;

/**
 * The floating-point environment of SSE: MXCSR taken apart for {@link SoftFloat} and {@link SoftDouble} (Intel SDM
 * volume 1, section 10.2.3).
 *
 * <p>The helpers or new exceptions into {@link #flags} and never take a fault. While all exceptions are masked that is
 * all there is to do. Where some are not, an instruction brackets its helpers with {@link #beginUnmasked()} and
 * {@link #endUnmasked()}, and leaves its destination alone if the latter returns true.
 */
public final class FpEnv {
    /** Invalid operation flag. */
    public static final int IE = 1;

    /** Denormal operand flag. */
    public static final int DE = 2;

    /** Divide by zero flag. */
    public static final int ZE = 4;

    /** Overflow flag. */
    public static final int OE = 8;

    /** Underflow flag. */
    public static final int UE = 16;

    /** Precision (inexact) flag. */
    public static final int PE = 32;

    /** All six exception flags. */
    public static final int ALL = 63;

    /** Round to nearest, ties to even: the encoding in MXCSR.RC and in the x87 control word. */
    public static final int NEAREST = 0;

    /** Round towards minus infinity. */
    public static final int DOWN = 1;

    /** Round towards plus infinity. */
    public static final int UP = 2;

    /** Round towards zero. */
    public static final int ZERO = 3;

    /** The value of MXCSR after reset. */
    public static final int MXCSR_RESET = 0x1F80;

    /** Rounding mode: one of {@link #NEAREST}, {@link #DOWN}, {@link #UP}, {@link #ZERO}. */
    public int rounding;

    /** MXCSR.FZ: tiny results become zero while underflow is masked. */
    public boolean ftz;

    /** MXCSR.DAZ: denormal operands count as zeros. */
    public boolean daz;

    /** Sticky exception flags ({@link #IE} to {@link #PE}). */
    public int flags;

    /** Exception masks, at the places of the flags; a set bit is a masked exception. */
    public int masks = ALL;

    /** While set, several helpers' brackets are one: taking MXCSR apart and together again is left to whoever set it. */
    public boolean joined;

    /** For translated code: something other than zeros and ordinary numbers was met or made. */
    public boolean wild;

    final FpCore core = new FpCore();

    private int saved;

    /** Makes the environment of a reset CPU: all masked, round to nearest. */
    public FpEnv() {}

    /**
     * Takes a value of MXCSR apart.
     *
     * @param value the register; bits 16 to 31 are ignored
     */
    public void setMxcsr(int value) {
        flags = value & ALL;
        daz = (value & 0x40) != 0;
        masks = value >> 7 & ALL;
        rounding = value >> 13 & 3;
        ftz = (value & 0x8000) != 0;
    }

    /**
     * Puts MXCSR together.
     *
     * @return the value of the register
     */
    public int mxcsr() {
        return flags | (daz ? 0x40 : 0) | masks << 7 | rounding << 13 | (ftz ? 0x8000 : 0);
    }

    /**
     * Tells whether an instruction may do without {@link #beginUnmasked()}.
     *
     * @return true if no exception can be taken
     */
    public boolean allMasked() {
        return masks == ALL;
    }

    /** Starts an instruction while some exception is unmasked: a flag that is already set must not look like news. */
    public void beginUnmasked() {
        saved = flags;
        flags &= masks;
    }

    /**
     * Ends an instruction begun by {@link #beginUnmasked()}.
     *
     * @return true if an unmasked exception was met: raise #XM (#UD where CR4.OSXMMEXCPT is clear), write no result
     */
    public boolean endUnmasked() {
        boolean trap = (flags & ~masks) != 0;
        if ((flags & ~masks & (IE | DE | ZE)) != 0) {
            // Found before any computation: what a packed instruction's other elements would have raised is not there.
            flags &= IE | DE | ZE | saved;
        }
        flags |= saved;
        return trap;
    }
}
