package org.softkvm.emulator.decode;

import java.util.List;
import org.softkvm.emulator.exec.Handler;

/**
 * A row of the instruction table: encoding, operands, declarations and meaning of one instruction form.
 *
 * <p>Two kinds of meaning. A <em>value</em> method is pure: it takes the values of the source operands and returns the
 * value of the destination; which lazy flags follow is declared. With a {@code Cpu} as first parameter it may also read
 * and write the arithmetic flags, nothing else. A <em>state</em> method {@code (Cpu, Insn)} does everything itself.
 *
 * <p>The commit rule: whatever may fault comes before the first visible effect. A state method that breaks it (string
 * instructions commit each iteration) is declared {@link #commitsParts}.
 */
public final class Op {
    /** Which prefix the encoding demands. */
    public enum Prefix {
        /** None of 66, F2, F3 has a meaning of its own here. */
        ANY,
        /** Neither 66 nor F2 nor F3. */
        NP,
        /** 66, without F2 and F3. */
        P66,
        /** F3. */
        PF3,
        /** F2. */
        PF2,
        /** Neither F2 nor F3; 66 is the operand size. */
        NFX
    }

    /** In which code sizes the encoding exists. */
    public enum Modes {
        /** All. */
        ALL,
        /** Not in 64-bit code. */
        NOT64,
        /** Only in 64-bit code. */
        ONLY64
    }

    /** How the operand size in 64-bit code comes about. */
    public enum Size64 {
        /** 32 bits, 64 with REX.W. */
        NORMAL,
        /** 64 bits, 16 with 66 (push, pop). */
        D64,
        /** Always 64 bits (near branches, as Intel does). */
        F64
    }

    /** The kind of meaning. */
    public enum Kind {
        /** Values in, value out. */
        VALUE,
        /** Everything by itself. */
        STATE,
        /** SSE or MMX: each 64-bit lane of the destination becomes f(destination lane, source lane). */
        LANES,
        /** Conditional near jump: {@link #condition}. */
        JCC,
        /** SETcc. */
        SETCC,
        /** CMOVcc. */
        CMOV,
        /** Near relative jump. */
        JMP
    }

    /** How the rows of VEX instructions on vectors come by their meaning. */
    public enum VectorForm {
        /** Not such a row, or a state method that does everything itself. */
        NONE,
        /** Each 64-bit lane of the destination becomes f(lane of the first source, lane of the second). */
        LANES,
        /** The state method of the SSE form runs on each 128-bit half, with scratch registers for the operands. */
        HALVES,
        /** The state method of the SSE form runs as it is; bits above 127 of a destination register become 0. */
        DIRECT
    }

    /** All registers and flags: the declaration of a state method that says nothing narrower. */
    public static final int ALL_REGISTERS = 0xFFFF;

    final int map;
    final int opcode;
    final int group;
    final int modrmFixed;
    final Prefix prefix;
    final boolean modrm;
    final boolean plusR;
    /** VEX rows: VEX.L must be this; -1 is ignored. */
    int vexL = -1;
    /** Whether the encoding is VEX. */
    boolean vex;
    /** Whether VEX.vvvv names an operand; elsewhere it must be 1111b. */
    final boolean usesVvvv;
    /** Whether the memory operand has a vector of indexes. */
    final boolean vsib;

    /** The operands once more, for the decoder's loop. */
    final Operand[] operandArray;
    /** Whether ModRM.rm names a register whatever ModRM.mod is. */
    final boolean alwaysRegister;
    /** Whether the size of some operand is the operand size. */
    private final boolean sized;

    private final String mnemonic;
    private final List<Operand> operands;
    Modes modes = Modes.ALL;
    Size64 size64 = Size64.NORMAL;
    int requiredW = -1;
    private Kind kind;
    private Class<?> owner;
    private String method;
    private int flagOp = -1;
    private int condition;
    private boolean writesDestination = true;
    private boolean readsDestination = true;
    private boolean endsBlock;
    private boolean lockable;
    private boolean commitsParts;
    private Feature feature = Feature.I8086;
    private Feature until;
    private Feature secondFeature;
    private int flagsRead;
    private int flagsWritten = 0x8D5;
    private int registersRead = ALL_REGISTERS;
    private int registersWritten = ALL_REGISTERS;
    private boolean memoryOnly;
    private boolean registerOnly;
    private VectorForm vectorForm = VectorForm.NONE;
    private Class<?> vectorOwner;
    private String vectorMethod;
    private boolean floating;
    private int highImmediateShift;

    /** Handlers by shape, made on first use. */
    public final Handler[] handlers = new Handler[32];

    /** The same, fused with a conditional jump behind it; null before there is one. */
    public Handler[] fusedHandlers;

    Op(
            int map,
            int opcode,
            int group,
            int modrmFixed,
            Prefix prefix,
            boolean modrm,
            boolean plusR,
            String mnemonic,
            List<Operand> operands) {
        this.map = map;
        this.opcode = opcode;
        this.group = group;
        this.modrmFixed = modrmFixed;
        this.prefix = prefix;
        this.plusR = plusR;
        this.mnemonic = mnemonic;
        this.operands = operands;
        this.usesVvvv = operands.contains(Operand.By) || operands.contains(Operand.H);
        this.vsib = operands.contains(Operand.VM);
        this.operandArray = operands.toArray(new Operand[0]);
        this.alwaysRegister = operands.contains(Operand.Cd) || operands.contains(Operand.Dd);
        boolean dependent = false;
        for (Operand o : operands) {
            dependent |= o.size(2) != o.size(4) || o.size(4) != o.size(8);
        }
        this.sized = dependent;
        boolean needs = modrm;
        for (Operand o : operands) {
            switch (o) {
                case Eb, Ew, Ed, Eq, Ev, Ey, Gb, Gw, Gd, Gq, Gv, Gy, Sw, Cd, Dd, Ry -> needs = true;
                case V, W, Wx, Wq, Wd, Ww, Wb, P, Q, Qd, STi -> needs = true;
                case M, Mb, Mw, Md, Mq, Mt, Mx, Mp, VM -> {
                    needs = true;
                    memoryOnly = true;
                }
                case U, Ux, N -> {
                    needs = true;
                    registerOnly = true;
                }
                default -> {}
            }
        }
        this.modrm = needs;
    }

    // ------------------------------------------------------------ what the rows declare

    /**
     * The meaning is a value method: static, one int (8 to 32 bits) or long (64 bits) a source operand, returning the
     * destination's value. Found by name plus bits (add32) or, failing that, by name with int or long parameters.
     *
     * @param type where the method is
     * @param name its name
     * @return this
     */
    public Op value(Class<?> type, String name) {
        kind = Kind.VALUE;
        owner = type;
        method = name;
        registersRead = 0;
        registersWritten = 0;
        return this;
    }

    /**
     * The meaning is a state method: static void (Cpu, Insn).
     *
     * @param type where the method is
     * @param name its name
     * @return this
     */
    public Op state(Class<?> type, String name) {
        kind = Kind.STATE;
        owner = type;
        method = name;
        return this;
    }

    /**
     * The meaning is a pure function of 64-bit lanes, static long (long, long), applied to each lane of an XMM (V, W) or
     * MMX (P, Q) destination and source.
     *
     * @param type where the method is
     * @param name its name
     * @return this
     */
    public Op lanes(Class<?> type, String name) {
        kind = Kind.LANES;
        owner = type;
        method = name;
        registersRead = 0;
        registersWritten = 0;
        flagsWritten = 0;
        return this;
    }

    /** To its readers such a row is a state method; the handler is the meaning, and the method just calls it. */
    private Op vector(VectorForm form, Class<?> type, String name) {
        state(org.softkvm.emulator.simd.Vex.class, "run");
        vectorForm = form;
        vectorOwner = type;
        vectorMethod = name;
        flagsWritten = 0;
        return this;
    }

    /**
     * VEX form of an instruction that {@link #lanes} describes: applied to two or four lanes, with the operands that the
     * row names (first source in VEX.vvvv; or destination there, first source in ModRM.rm and an immediate for all lanes;
     * or none), without an alignment check.
     *
     * @param type where the method is
     * @param name its name
     * @return this
     */
    public Op vexLanes(Class<?> type, String name) {
        return vector(VectorForm.LANES, type, name);
    }

    /**
     * VEX form by the state method of the SSE form, run for each half of the vector: the first source (VEX.vvvv) stands in
     * the place of its destination.
     *
     * @param type where the method is
     * @param name its name
     * @return this
     */
    public Op halves(Class<?> type, String name) {
        return vector(VectorForm.HALVES, type, name);
    }

    /**
     * VEX form of 128 bits with the operands of the SSE form: its state method does it.
     *
     * @param type where the method is
     * @param name its name
     * @return this
     */
    public Op direct(Class<?> type, String name) {
        return vector(VectorForm.DIRECT, type, name);
    }

    /**
     * The halves are one floating-point instruction: exceptions of both are gathered before one is raised.
     *
     * @return this
     */
    public Op floating() {
        floating = true;
        return this;
    }

    /**
     * The upper half has the immediate shifted right.
     *
     * @param shift bits
     * @return this
     */
    public Op highImmediate(int shift) {
        highImmediateShift = shift;
        return this;
    }

    /** A conditional form: JCC, SETCC or CMOV on the condition number in the opcode. */
    Op conditional(Kind what, int number) {
        kind = what;
        condition = number;
        flagsWritten = 0;
        flagsRead = 0x8D5;
        if (what == Kind.JCC) {
            endsBlock = true;
        }
        return this;
    }

    Op jump() {
        kind = Kind.JMP;
        flagsWritten = 0;
        endsBlock = true;
        return this;
    }

    /**
     * The lazy flags that a value method leaves: a kind of {@code Flags} recorded with the operands (ADD, SUB) or the
     * result (LOGIC).
     *
     * @param op flag operation kind
     * @return this
     */
    public Op flags(int op) {
        flagOp = op;
        return this;
    }

    /**
     * Neither reads nor writes arithmetic flags.
     *
     * @return this
     */
    public Op noFlags() {
        flagsWritten = 0;
        return this;
    }

    /**
     * Declares the arithmetic flags read and written, as EFLAGS bits.
     *
     * @return this
     */
    public Op flagUse(int read, int written) {
        flagsRead = read;
        flagsWritten = written;
        return this;
    }

    /**
     * Declares the general registers read and written by a state method, besides its operands.
     *
     * @return this
     */
    public Op registers(int read, int written) {
        registersRead = read;
        registersWritten = written;
        return this;
    }

    /**
     * The destination is only written (MOV).
     *
     * @return this
     */
    public Op move() {
        readsDestination = false;
        flagsWritten = 0;
        return this;
    }

    /**
     * The destination is only written, flags as declared.
     *
     * @return this
     */
    public Op overwrites() {
        readsDestination = false;
        return this;
    }

    /**
     * Nothing is written but flags (CMP, TEST).
     *
     * @return this
     */
    public Op compare() {
        writesDestination = false;
        return this;
    }

    /**
     * Not in 64-bit code.
     *
     * @return this
     */
    public Op not64() {
        modes = Modes.NOT64;
        return this;
    }

    /**
     * Only in 64-bit code.
     *
     * @return this
     */
    public Op only64() {
        modes = Modes.ONLY64;
        return this;
    }

    /**
     * 64-bit operand size by default in 64-bit code.
     *
     * @return this
     */
    public Op d64() {
        size64 = Size64.D64;
        return this;
    }

    /**
     * 64-bit operand size in 64-bit code, whatever the prefixes.
     *
     * @return this
     */
    public Op f64() {
        size64 = Size64.F64;
        return this;
    }

    /**
     * Only with REX.W = w.
     *
     * @return this
     */
    public Op w(int w) {
        requiredW = w;
        return this;
    }

    /**
     * The last instruction of a block: it may change RIP, the mode or the mapping.
     *
     * @return this
     */
    public Op ends() {
        endsBlock = true;
        return this;
    }

    /**
     * LOCK is allowed with a memory destination.
     *
     * @return this
     */
    public Op lockable() {
        // The other direction of the same operation (ADD r, m) must not be locked.
        lockable = operands.get(0).mayBeMemory();
        return this;
    }

    /**
     * Effects are committed in parts (string instructions); the method keeps its state restartable.
     *
     * @return this
     */
    public Op commitsParts() {
        commitsParts = true;
        return this;
    }

    /**
     * Exists only on CPUs with a feature.
     *
     * @return this
     */
    public Op needs(Feature f) {
        feature = f;
        return this;
    }

    /**
     * Exists only on CPUs that have another feature, too.
     *
     * @return this
     */
    public Op alsoNeeds(Feature f) {
        secondFeature = f;
        return this;
    }

    /**
     * Exists only on CPUs without a feature.
     *
     * @return this
     */
    public Op until(Feature f) {
        until = f;
        return this;
    }

    /**
     * ModRM.rm must be a register.
     *
     * @return this
     */
    public Op registerOnly() {
        registerOnly = true;
        return this;
    }

    /**
     * ModRM.rm must be memory.
     *
     * @return this
     */
    public Op memoryOnly() {
        memoryOnly = true;
        return this;
    }

    // ------------------------------------------------------------ what readers ask

    /**
     * The mnemonic in lower case.
     *
     * @return name
     */
    public String mnemonic() {
        return mnemonic;
    }

    /**
     * Operands, destination first.
     *
     * @return kinds
     */
    public List<Operand> operands() {
        return operands;
    }

    /**
     * Whether the size of some operand depends on the operand size.
     *
     * @return true where it does
     */
    public boolean isSized() {
        return sized;
    }

    /**
     * The kind of meaning.
     *
     * @return kind
     */
    public Kind kind() {
        return kind;
    }

    /**
     * The class of the semantics method.
     *
     * @return class
     */
    public Class<?> owner() {
        return owner;
    }

    /**
     * The name of the semantics method.
     *
     * @return name
     */
    public String method() {
        return method;
    }

    /**
     * The lazy flag kind, or -1.
     *
     * @return kind
     */
    public int flagOp() {
        return flagOp;
    }

    /**
     * The condition number of conditional forms.
     *
     * @return 0 to 15
     */
    public int condition() {
        return condition;
    }

    /**
     * Whether the first operand is written.
     *
     * @return true unless compare
     */
    public boolean writesDestination() {
        return writesDestination;
    }

    /**
     * Whether the first operand is read.
     *
     * @return true unless move
     */
    public boolean readsDestination() {
        return readsDestination;
    }

    /**
     * Whether the block ends here.
     *
     * @return see ends
     */
    public boolean endsBlock() {
        return endsBlock;
    }

    /**
     * Whether LOCK is allowed.
     *
     * @return see lockable
     */
    public boolean isLockable() {
        return lockable;
    }

    /**
     * Whether effects are committed in parts.
     *
     * @return see commitsParts
     */
    public boolean isCommitsParts() {
        return commitsParts;
    }

    /**
     * The feature it needs.
     *
     * @return feature
     */
    public Feature feature() {
        return feature;
    }

    /**
     * Arithmetic flags read.
     *
     * @return EFLAGS bits
     */
    public int flagsRead() {
        return flagsRead;
    }

    /**
     * Arithmetic flags written.
     *
     * @return EFLAGS bits
     */
    public int flagsWritten() {
        return flagsWritten;
    }

    /**
     * General registers read besides operands.
     *
     * @return bit mask
     */
    public int registersRead() {
        return registersRead;
    }

    /**
     * General registers written besides operands.
     *
     * @return bit mask
     */
    public int registersWritten() {
        return registersWritten;
    }

    /**
     * How a VEX row on vectors comes by its meaning.
     *
     * @return form
     */
    public VectorForm vectorForm() {
        return vectorForm;
    }

    /**
     * The class of a vector form's method.
     *
     * @return class
     */
    public Class<?> vectorOwner() {
        return vectorOwner;
    }

    /**
     * The name of a vector form's method.
     *
     * @return name
     */
    public String vectorMethod() {
        return vectorMethod;
    }

    /**
     * Whether the vector is 256 bits wide.
     *
     * @return true with VEX.L
     */
    public boolean isWide() {
        return vexL == 1;
    }

    /**
     * Whether the halves are one floating-point instruction.
     *
     * @return see floating
     */
    public boolean isFloating() {
        return floating;
    }

    int highImmediateShift() {
        return highImmediateShift;
    }

    /** Whether the last register or memory operand is as wide as the vector. */
    boolean hasWholeSource() {
        return operands.contains(Operand.W) || operands.contains(Operand.U);
    }

    boolean existsOn(org.softkvm.emulator.CpuModel model) {
        return model.has(feature)
                && (secondFeature == null || model.has(secondFeature))
                && (until == null || !model.has(until));
    }

    boolean isMemoryOnly() {
        return memoryOnly;
    }

    boolean isRegisterOnly() {
        return registerOnly;
    }

    @Override
    public String toString() {
        return mnemonic + " " + operands;
    }
}
