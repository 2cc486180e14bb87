package org.softkvm.emulator.fpu;

/**
 * The registers of the x87 unit (Intel SDM volume 1, section 8.1), which MMX shares.
 *
 * <p>Registers are addressed by their physical number, 0 to 7, or relative to the top of the stack, as ST(i). Of the
 * tag word only "empty" or not is kept, as in CPUs since the 486; the rest follows from the register's content.
 */
public final class FpuState {
    /** Control word after FNINIT. */
    public static final int CW_INIT = 0x037F;

    /** Status word bit: stack fault. */
    static final int SF = 0x40;

    /** Status word bit: an unmasked exception is pending. */
    static final int ES = 0x80;

    static final int C0 = 0x100;
    static final int C1 = 0x200;
    static final int C2 = 0x400;
    static final int C3 = 0x4000;

    /** Status word bit: busy, a copy of {@link #ES} since the 387. */
    static final int BUSY = 0x8000;

    private static final int KEPT = FpEnv.ALL | SF | C0 | C1 | C2 | C3;

    /** Sign and exponent of the physical registers. */
    final int[] signExp = new int[8];

    /** Significands of the physical registers. */
    final long[] sig = new long[8];

    /** Where FRSTOR gathers registers, because its last one may fault. */
    final int[] loadSignExp = new int[8];

    /** Significands to {@link #loadSignExp}. */
    final long[] loadSig = new long[8];

    /** Physical number of ST(0). */
    int top;

    /** Bit i is set where physical register i is not empty: the abridged tag word of FXSAVE. */
    int valid;

    /** The status word without TOP, ES and B. */
    int sw;

    private int cw = CW_INIT;

    /** FPU instruction pointer offset (FIP). */
    public long instructionPointer;

    /** FPU instruction pointer selector (FCS). */
    public int instructionSelector;

    /** FPU data pointer offset (FDP). */
    public long dataPointer;

    /** FPU data pointer selector (FDS). */
    public int dataSelector;

    /** Last opcode (FOP): the low 11 bits of the instruction, prefixes excluded. */
    public int opcode;

    final Float80 f = new Float80();

    /** What instructions do to this state. */
    final FpuOps ops = new FpuOps(this);

    /**
     * Called where an unmasked exception meets a waiting instruction while CR0.NE is 0: the FERR# pin, which a PC takes to
     * IRQ 13. The CPU then stands before the instruction until an event, as long as there was none since the exception;
     * behind that it goes on, as with IGNNE# asserted. Null where nothing is wired to the pin.
     */
    public Runnable errorLine;

    /** The exception that is pending has been signalled by {@link #errorLine}. */
    boolean signalled;

    /** Makes a unit in the state that FNINIT leaves. */
    public FpuState() {
        init();
    }

    /** Does what FNINIT does; the registers keep their bits, but are empty. */
    public void init() {
        setControlWord(CW_INIT);
        sw = 0;
        top = 0;
        valid = 0;
        instructionPointer = 0;
        instructionSelector = 0;
        dataPointer = 0;
        dataSelector = 0;
        opcode = 0;
    }

    /** Does what power-up and RESET do (SDM volume 3, table 11-1); INIT leaves the unit alone. */
    public void reset() {
        init();
        setControlWord(0x40);
        valid = 0xFF;
        for (int i = 0; i < 8; i++) {
            signExp[i] = 0;
            sig[i] = 0;
        }
    }

    /**
     * Gets the control word.
     *
     * @return 16 bits
     */
    public int controlWord() {
        return cw;
    }

    /**
     * Sets the control word.
     *
     * @param value 16 bits; reserved ones read as CPUs since the 387 have them (bit 6 set, bits 7 and 13 to 15 clear)
     */
    public void setControlWord(int value) {
        cw = value & 0x1F3F | 0x40;
        f.control(cw);
        signalled = false;
    }

    /**
     * Gets the status word, with TOP, ES and B.
     *
     * @return 16 bits
     */
    public int statusWord() {
        return sw | top << 11 | (pending() ? ES | BUSY : 0);
    }

    /**
     * Sets the status word and TOP; ES and B follow from the exceptions and their masks.
     *
     * @param value 16 bits
     */
    public void setStatusWord(int value) {
        sw = value & KEPT;
        top = value >> 11 & 7;
        signalled = false;
    }

    /**
     * Tells whether an unmasked exception waits for the next waiting instruction.
     *
     * @return the ES bit
     */
    public boolean pending() {
        return (sw & ~cw & FpEnv.ALL) != 0;
    }

    /** FNCLEX: clears the exceptions and the stack fault. */
    void clearExceptions() {
        sw &= ~(FpEnv.ALL | SF);
        signalled = false;
    }

    /**
     * Gets the abridged tag word, as FXSAVE stores it.
     *
     * @return 8 bits; bit i is set where physical register i is not empty
     */
    public int abridgedTag() {
        return valid;
    }

    /**
     * Sets the abridged tag word.
     *
     * @param value 8 bits
     */
    public void setAbridgedTag(int value) {
        valid = value & 0xFF;
    }

    /**
     * Gets the full tag word, as FNSTENV stores it: valid 0, zero 1, special 2, empty 3 for each physical register.
     *
     * @return 16 bits
     */
    public int tagWord() {
        int tags = 0;
        for (int i = 7; i >= 0; i--) {
            tags = tags << 2 | tag(i);
        }
        return tags;
    }

    private int tag(int i) {
        if ((valid >> i & 1) == 0) {
            return 3;
        }
        int e = signExp[i] & Float80.EXP_MASK;
        if (e == Float80.EXP_MASK) {
            return 2;
        }
        if (e == 0) {
            return sig[i] == 0 ? 1 : 2;
        }
        return sig[i] < 0 ? 0 : 2;
    }

    /**
     * Sets which registers are empty from a full tag word.
     *
     * @param tags 16 bits
     */
    public void setTagWord(int tags) {
        int v = 0;
        for (int i = 0; i < 8; i++) {
            if ((tags >> 2 * i & 3) != 3) {
                v |= 1 << i;
            }
        }
        valid = v;
    }

    /**
     * Gets TOP.
     *
     * @return physical number of ST(0)
     */
    public int top() {
        return top;
    }

    /**
     * Gets the significand of a register by its place in the stack.
     *
     * @param i 0 to 7: ST(i)
     * @return the low 64 bits of the register
     */
    public long stackSignificand(int i) {
        return sig[top + i & 7];
    }

    /**
     * Gets sign and exponent of a register by its place in the stack.
     *
     * @param i 0 to 7: ST(i)
     * @return the high 16 bits of the register
     */
    public int stackSignExponent(int i) {
        return signExp[top + i & 7];
    }

    /**
     * Sets a register by its place in the stack; its tag stays.
     *
     * @param i 0 to 7: ST(i)
     * @param signExponent the high 16 bits
     * @param significand the low 64 bits
     */
    public void setStack(int i, int signExponent, long significand) {
        int p = top + i & 7;
        signExp[p] = signExponent & 0xFFFF;
        sig[p] = significand;
    }

    /**
     * Reads an MMX register.
     *
     * @param i 0 to 7: the physical register
     * @return its 64 bits
     */
    public long mmx(int i) {
        return sig[i];
    }

    /**
     * Writes an MMX register; the bits of sign and exponent become ones. Call {@link #enterMmx} as well.
     *
     * @param i 0 to 7: the physical register
     * @param value its 64 bits
     */
    public void setMmx(int i, long value) {
        sig[i] = value;
        signExp[i] = 0xFFFF;
    }

    /** What every MMX instruction but EMMS does to the x87 state: TOP becomes 0 and no register is empty. */
    public void enterMmx() {
        top = 0;
        valid = 0xFF;
    }

    /** EMMS: all registers become empty. */
    public void emms() {
        top = 0;
        valid = 0;
    }
}
