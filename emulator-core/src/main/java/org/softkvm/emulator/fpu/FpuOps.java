package org.softkvm.emulator.fpu;

/**
 * What x87 instructions do to {@link FpuState}, without the CPU around it: stack checks, exceptions, masked and unmasked
 * responses, condition codes (Intel SDM volume 1, sections 8.4 to 8.6).
 *
 * <p>Stores come in two steps, because the memory operand may fault: a {@code store...} method computes {@link #value}
 * and says whether to write it; {@link #commitStore} then updates the status and pops.
 */
final class FpuOps {
    /** Operations of {@link #arithmetic}: the reg field of D8. 2 and 3 are compares. */
    static final int ADD = 0;

    static final int MUL = 1;
    static final int SUB = 4;
    static final int SUBR = 5;
    static final int DIV = 6;
    static final int DIVR = 7;

    /** Value to store: integer, IEEE or the low 64 bits of 80. */
    long value;

    /** High 16 bits of a value of 80 bits. */
    int valueHigh;

    private final FpuState s;
    private final Float80 f;
    private final Float80Convert convert;
    private final Float80Remainder remainder;
    private final Float80Trig trig;
    private final Float80Log log;
    private final Float80Atan atan;
    private boolean popAfterStore;

    FpuOps(FpuState state) {
        s = state;
        f = state.f;
        convert = new Float80Convert(f);
        remainder = new Float80Remainder(f);
        trig = new Float80Trig(f);
        log = new Float80Log(f);
        atan = new Float80Atan(f);
    }

    /** Whether ST(i) is empty. */
    boolean isEmpty(int i) {
        return (s.valid >> (s.top + i & 7) & 1) == 0;
    }

    private void write(int i, int se, long sig) {
        int p = s.top + i & 7;
        s.signExp[p] = se;
        s.sig[p] = sig;
        s.valid |= 1 << p;
    }

    private void writeResult(int i) {
        write(i, f.signExp, f.sig);
    }

    /** Pops the stack. */
    void pop() {
        s.valid &= ~(1 << s.top);
        s.top = s.top + 1 & 7;
    }

    private void pop(int count) {
        for (int i = 0; i < count; i++) {
            pop();
        }
    }

    /** Merges the exceptions of the operation into the status word; C1 tells whether the result was rounded up. */
    private void finish() {
        s.sw = s.sw & ~FpuState.C1 | f.flags | (f.roundedUp ? FpuState.C1 : 0);
    }

    /** Notes a stack fault; true if it is masked. */
    private boolean stackFault(boolean overflow) {
        s.sw = s.sw & ~FpuState.C1 | FpEnv.IE | FpuState.SF | (overflow ? FpuState.C1 : 0);
        return (f.masks & FpEnv.IE) != 0;
    }

    /** Stack underflow: the masked response is the default NaN in the destination. */
    private void underflow(int dst, int pops) {
        if (stackFault(false)) {
            write(dst, Float80.NAN_SIGN_EXP, Float80.NAN_SIG);
            pop(pops);
        }
    }

    private int se(int i) {
        return s.signExp[s.top + i & 7];
    }

    private long sig(int i) {
        return s.sig[s.top + i & 7];
    }

    /** Pushes the result of a load. */
    private void pushResult() {
        if (!isEmpty(7)) {
            if (stackFault(true)) {
                s.top = s.top - 1 & 7;
                write(0, Float80.NAN_SIGN_EXP, Float80.NAN_SIG);
            }
            return;
        }
        finish();
        // A denormal operand is loaded even where its exception is unmasked.
        if ((f.flags & ~f.masks & FpEnv.IE) == 0) {
            s.top = s.top - 1 & 7;
            writeResult(0);
        }
    }

    // Loads.

    /** FLD of a 32-bit number. */
    void loadFloat32(int bits) {
        f.begin();
        convert.fromFloat32(bits);
        pushResult();
    }

    /** FLD of a 64-bit number. */
    void loadFloat64(long bits) {
        f.begin();
        convert.fromFloat64(bits);
        pushResult();
    }

    /** FLD of an 80-bit number: bits are moved, nothing is checked. */
    void loadFloat80(int se, long sig) {
        f.begin();
        f.set(se, sig);
        pushResult();
    }

    /** FILD. */
    void loadInteger(long v) {
        f.begin();
        convert.fromInt64(v);
        pushResult();
    }

    /** FBLD. */
    void loadBcd(int high, long low) {
        f.begin();
        convert.fromBcd(high, low);
        pushResult();
    }

    /** FLD ST(i). */
    void loadStack(int i) {
        if (isEmpty(i)) {
            if (stackFault(false)) {
                s.top = s.top - 1 & 7;
                write(0, Float80.NAN_SIGN_EXP, Float80.NAN_SIG);
            }
            return;
        }
        loadFloat80(se(i), sig(i));
    }

    /** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: by the last three bits of the opcode. */
    void loadConstant(int n) {
        f.begin();
        FpuConstants.load(f, n);
        pushResult();
    }

    // Stores to memory.

    /** FST of 32 bits; true if {@link #value} is to be written. */
    boolean storeFloat32(boolean pop) {
        beginStore(pop);
        if (isEmpty(0)) {
            return storeEmpty(0xFFC0_0000L, 0);
        }
        value = convert.toFloat32(se(0), sig(0));
        return !convert.storeStopped();
    }

    /** FST of 64 bits; true if {@link #value} is to be written. */
    boolean storeFloat64(boolean pop) {
        beginStore(pop);
        if (isEmpty(0)) {
            return storeEmpty(0xFFF8_0000_0000_0000L, 0);
        }
        value = convert.toFloat64(se(0), sig(0));
        return !convert.storeStopped();
    }

    /** FSTP of 80 bits; true if {@link #value} and {@link #valueHigh} are to be written. */
    boolean storeFloat80() {
        beginStore(true);
        if (isEmpty(0)) {
            return storeEmpty(Float80.NAN_SIG, Float80.NAN_SIGN_EXP);
        }
        value = sig(0);
        valueHigh = se(0);
        return true;
    }

    /** FIST, FISTP, FISTTP of 16, 32 or 64 bits; true if {@link #value} is to be written. */
    boolean storeInteger(int bits, boolean truncate, boolean pop) {
        beginStore(pop);
        if (isEmpty(0)) {
            return storeEmpty(-1L << bits - 1, 0);
        }
        value = convert.toInteger(se(0), sig(0), bits, truncate ? FpEnv.ZERO : f.rounding);
        return !convert.storeStopped();
    }

    /** FBSTP; true if {@link #value} and {@link #valueHigh} are to be written. */
    boolean storeBcd() {
        beginStore(true);
        if (isEmpty(0)) {
            return storeEmpty(Float80.NAN_SIG, 0xFFFF);
        }
        value = convert.toBcd(se(0), sig(0));
        valueHigh = convert.bcdHigh;
        return !convert.storeStopped();
    }

    private boolean stackUnderflow;

    private void beginStore(boolean pop) {
        popAfterStore = pop;
        stackUnderflow = false;
        f.begin();
    }

    private boolean storeEmpty(long indefinite, int high) {
        stackUnderflow = true;
        value = indefinite;
        valueHigh = high;
        return (f.masks & FpEnv.IE) != 0;
    }

    /** Ends a store after the memory operand was written (or was not, because of an unmasked exception). */
    void commitStore() {
        if (stackUnderflow) {
            if (stackFault(false) && popAfterStore) {
                pop();
            }
            return;
        }
        finish();
        if (popAfterStore && !convert.storeStopped()) {
            pop();
        }
    }

    /** FST ST(i), FSTP ST(i). */
    void storeStack(int i, boolean pop) {
        if (isEmpty(0)) {
            underflow(i, pop ? 1 : 0);
            return;
        }
        s.sw &= ~FpuState.C1;
        write(i, se(0), sig(0));
        if (pop) {
            pop();
        }
    }

    /** FSTP1 (D9 D8+i), an alias of FSTP ST(i) that takes an empty ST(0) without a fault. */
    void storeStackNoFault(int i) {
        if (isEmpty(0)) {
            s.sw &= ~FpuState.C1;
            pop();
        } else {
            storeStack(i, true);
        }
    }

    // Arithmetic.

    /** ST(0) = ST(0) op ST(i), by the reg field of D8. */
    void arithmetic(int op, int i) {
        if (isEmpty(0) || isEmpty(i)) {
            underflow(0, 0);
            return;
        }
        if (FpuFast.compute(s, s.top, op, se(0), sig(0), se(i), sig(i))) {
            return;
        }
        f.begin();
        compute(op, se(0), sig(0), se(i), sig(i));
        deliver(0, 0);
    }

    /** ST(i) = ST(0) op ST(i), by the reg field of DC and DE: its "reversed" operations have ST(i) on the left. */
    void arithmeticTo(int op, int i, int pops) {
        if (isEmpty(0) || isEmpty(i)) {
            underflow(i, pops);
            return;
        }
        if (FpuFast.compute(s, s.top + i & 7, op, se(0), sig(0), se(i), sig(i))) {
            pop(pops);
            return;
        }
        f.begin();
        compute(op, se(0), sig(0), se(i), sig(i));
        deliver(i, pops);
    }

    private void deliver(int dst, int pops) {
        finish();
        if (!f.stopped()) {
            writeResult(dst);
            pop(pops);
        }
    }

    private void compute(int op, int seA, long sigA, int seB, long sigB) {
        switch (op) {
            case ADD -> f.add(seA, sigA, seB, sigB);
            case MUL -> f.multiply(seA, sigA, seB, sigB);
            case SUB -> f.subtract(seA, sigA, seB, sigB);
            case SUBR -> f.subtract(seB, sigB, seA, sigA);
            case DIV -> f.divide(seA, sigA, seB, sigB);
            default -> f.divide(seB, sigB, seA, sigA);
        }
    }

    /** ST(0) = ST(0) op m32. */
    void arithmeticFloat32(int op, int bits) {
        if (isEmpty(0)) {
            underflow(0, 0);
            return;
        }
        f.begin();
        convert.widenFloat32(bits);
        arithmeticOperand(op);
    }

    /** ST(0) = ST(0) op m64. */
    void arithmeticFloat64(int op, long bits) {
        if (isEmpty(0)) {
            underflow(0, 0);
            return;
        }
        f.begin();
        convert.widenFloat64(bits);
        arithmeticOperand(op);
    }

    /** ST(0) = ST(0) op integer. */
    void arithmeticInteger(int op, int v) {
        if (isEmpty(0)) {
            underflow(0, 0);
            return;
        }
        f.begin();
        convert.fromInt64(v);
        arithmeticOperand(op);
    }

    private void arithmeticOperand(int op) {
        if (!f.memoryDenormal && FpuFast.compute(s, s.top, op, se(0), sig(0), f.signExp, f.sig)) {
            return;
        }
        compute(op, se(0), sig(0), f.signExp, f.sig);
        deliver(0, 0);
    }

    // Compares.

    private static int conditions(int c) {
        return switch (c) {
            case -1 -> FpuState.C0;
            case 0 -> FpuState.C3;
            case 1 -> 0;
            default -> FpuState.C0 | FpuState.C2 | FpuState.C3;
        };
    }

    private void setConditions(int bits) {
        s.sw = s.sw & ~(FpuState.C0 | FpuState.C2 | FpuState.C3) | bits;
    }

    private void compareUnderflow(int pops) {
        setConditions(FpuState.C0 | FpuState.C2 | FpuState.C3);
        if (stackFault(false)) {
            pop(pops);
        }
    }

    private void compareOperand(int se, long sig, boolean quiet, int pops) {
        int c = f.compare(se(0), sig(0), se, sig, quiet);
        finish();
        setConditions(conditions(c));
        if (!f.stopped()) {
            pop(pops);
        }
    }

    /** FCOM, FCOMP, FCOMPP, FUCOM, FUCOMP, FUCOMPP. */
    void compare(int i, boolean quiet, int pops) {
        if (isEmpty(0) || isEmpty(i)) {
            compareUnderflow(pops);
            return;
        }
        f.begin();
        compareOperand(se(i), sig(i), quiet, pops);
    }

    /** FCOM, FCOMP of 32 bits. */
    void compareFloat32(int bits, int pops) {
        if (isEmpty(0)) {
            compareUnderflow(pops);
            return;
        }
        f.begin();
        convert.widenFloat32(bits);
        compareLoaded(pops);
    }

    /** FCOM, FCOMP of 64 bits. */
    void compareFloat64(long bits, int pops) {
        if (isEmpty(0)) {
            compareUnderflow(pops);
            return;
        }
        f.begin();
        convert.widenFloat64(bits);
        compareLoaded(pops);
    }

    private void compareLoaded(int pops) {
        compareOperand(f.signExp, f.sig, false, pops);
    }

    /** FICOM, FICOMP. */
    void compareInteger(int v, int pops) {
        if (isEmpty(0)) {
            compareUnderflow(pops);
            return;
        }
        f.begin();
        convert.fromInt64(v);
        compareOperand(f.signExp, f.sig, false, pops);
    }

    /**
     * FCOMI, FCOMIP, FUCOMI, FUCOMIP. EFLAGS change even where an unmasked exception keeps the stack as it is.
     *
     * @return -1, 0, 1 or {@link Float80#UNORDERED}
     */
    int compareToFlags(int i, boolean quiet, int pops) {
        if (isEmpty(0) || isEmpty(i)) {
            if (stackFault(false)) {
                pop(pops);
            }
            return Float80.UNORDERED;
        }
        int fast = FpuFast.compare(se(0), sig(0), se(i), sig(i));
        if (fast != Float80.UNORDERED) {
            pop(pops);
            return fast;
        }
        f.begin();
        int c = f.compare(se(0), sig(0), se(i), sig(i), quiet);
        // Unlike the compares that set condition codes, these leave C1 alone.
        s.sw |= f.flags;
        if (!f.stopped()) {
            pop(pops);
        }
        return c;
    }

    /** FTST. */
    void test() {
        if (isEmpty(0)) {
            compareUnderflow(0);
            return;
        }
        f.begin();
        compareOperand(0, 0, false, 0);
    }

    /** FXAM. */
    void examine() {
        int se = se(0);
        long sig = sig(0);
        int bits;
        if (isEmpty(0)) {
            bits = FpuState.C3 | FpuState.C0;
        } else if (Float80.isUnsupported(se, sig)) {
            bits = 0;
        } else if (Float80.isNan(se, sig)) {
            bits = FpuState.C0;
        } else if (Float80.isInfinite(se, sig)) {
            bits = FpuState.C2 | FpuState.C0;
        } else if (Float80.isZero(se, sig)) {
            bits = FpuState.C3;
        } else if (Float80.isDenormal(se, sig)) {
            bits = FpuState.C3 | FpuState.C2;
        } else {
            bits = FpuState.C2;
        }
        setConditions(bits);
        s.sw = s.sw & ~FpuState.C1 | Float80.signOf(se) << 9;
    }

    // One operand.

    private boolean unary() {
        if (isEmpty(0)) {
            underflow(0, 0);
            return false;
        }
        f.begin();
        return true;
    }

    /** FCHS. */
    void changeSign() {
        if (unary()) {
            finish();
            write(0, se(0) ^ Float80.SIGN_MASK, sig(0));
        }
    }

    /** FABS. */
    void absolute() {
        if (unary()) {
            finish();
            write(0, se(0) & Float80.EXP_MASK, sig(0));
        }
    }

    /** FSQRT. */
    void squareRoot() {
        if (unary()) {
            f.squareRoot(se(0), sig(0));
            deliver(0, 0);
        }
    }

    /** FRNDINT. */
    void roundToInt() {
        if (unary()) {
            convert.roundToInt(se(0), sig(0));
            deliver(0, 0);
        }
    }

    /** FXTRACT. */
    void extract() {
        if (isEmpty(0)) {
            if (stackFault(false)) {
                write(0, Float80.NAN_SIGN_EXP, Float80.NAN_SIG);
                s.top = s.top - 1 & 7;
                write(0, Float80.NAN_SIGN_EXP, Float80.NAN_SIG);
            }
            return;
        }
        if (!isEmpty(7)) {
            if (stackFault(true)) {
                write(0, Float80.NAN_SIGN_EXP, Float80.NAN_SIG);
                s.top = s.top - 1 & 7;
                write(0, Float80.NAN_SIGN_EXP, Float80.NAN_SIG);
            }
            return;
        }
        f.begin();
        remainder.extract(se(0), sig(0));
        finish();
        if (!f.stopped()) {
            write(0, remainder.exponentSignExp, remainder.exponentSig);
            s.top = s.top - 1 & 7;
            writeResult(0);
        }
    }

    /** FSCALE. */
    void scale() {
        if (isEmpty(0) || isEmpty(1)) {
            underflow(0, 0);
            return;
        }
        f.begin();
        remainder.scale(se(0), sig(0), se(1), sig(1));
        deliver(0, 0);
    }

    /** FPREM, FPREM1. */
    void remainder(boolean nearest) {
        s.sw &= ~FpuState.C2;
        if (isEmpty(0) || isEmpty(1)) {
            underflow(0, 0);
            return;
        }
        f.begin();
        remainder.remainder(se(0), sig(0), se(1), sig(1), nearest);
        deliver(0, 0);
        int q = remainder.quotient;
        if (remainder.incomplete) {
            s.sw = s.sw & ~(FpuState.C0 | FpuState.C1 | FpuState.C3) | FpuState.C2;
        } else if (q >= 0) {
            s.sw = s.sw & ~(FpuState.C0 | FpuState.C1 | FpuState.C3)
                    | ((q & 4) != 0 ? FpuState.C0 : 0)
                    | ((q & 2) != 0 ? FpuState.C3 : 0)
                    | ((q & 1) != 0 ? FpuState.C1 : 0);
        }
    }

    // Transcendental functions.

    /** F2XM1. */
    void exponential() {
        if (unary()) {
            log.exponential(se(0), sig(0));
            deliver(0, 0);
        }
    }

    /** FYL2X (false), FYL2XP1 (true). */
    void logarithm(boolean plus1) {
        if (isEmpty(0) || isEmpty(1)) {
            underflow(1, 1);
            return;
        }
        f.begin();
        if (plus1) {
            log.logarithmPlus1(se(0), sig(0), se(1), sig(1));
        } else {
            log.logarithm(se(0), sig(0), se(1), sig(1));
        }
        deliver(1, 1);
    }

    /** FPATAN. */
    void arcTangent() {
        if (isEmpty(0) || isEmpty(1)) {
            underflow(1, 1);
            return;
        }
        f.begin();
        atan.arcTangent(se(1), sig(1), se(0), sig(0));
        deliver(1, 1);
    }

    /** FSIN (false), FCOS (true). */
    void sine(boolean cosine) {
        s.sw &= ~FpuState.C2;
        if (!unary()) {
            return;
        }
        if (cosine) {
            trig.cosine(se(0), sig(0));
        } else {
            trig.sine(se(0), sig(0));
        }
        if (trig.outOfRange) {
            outOfRange();
        } else {
            deliver(0, 0);
        }
    }

    private void outOfRange() {
        s.sw = s.sw & ~FpuState.C1 | FpuState.C2;
    }

    /** FSINCOS (false), FPTAN (true): two results, one of them pushed. */
    void sineCosine(boolean tangent) {
        s.sw &= ~FpuState.C2;
        boolean empty = isEmpty(0);
        if (empty || !isEmpty(7)) {
            if (stackFault(!empty)) {
                write(0, Float80.NAN_SIGN_EXP, Float80.NAN_SIG);
                s.top = s.top - 1 & 7;
                write(0, Float80.NAN_SIGN_EXP, Float80.NAN_SIG);
            }
            return;
        }
        f.begin();
        if (tangent) {
            trig.tangent(se(0), sig(0));
        } else {
            trig.sineCosine(se(0), sig(0));
        }
        if (trig.outOfRange) {
            outOfRange();
            return;
        }
        finish();
        if (f.stopped()) {
            return;
        }
        boolean nan = Float80.isNan(f.signExp, f.sig);
        writeResult(0);
        s.top = s.top - 1 & 7;
        if (nan) {
            writeResult(0);
        } else if (tangent) {
            write(0, Float80.BIAS, Float80.INTEGER_BIT);
        } else {
            write(0, trig.secondSignExp, trig.secondSig);
        }
    }

    // The stack.

    /** FXCH. */
    void exchange(int i) {
        if (isEmpty(0) || isEmpty(i)) {
            if (!stackFault(false)) {
                return;
            }
            if (isEmpty(0)) {
                write(0, Float80.NAN_SIGN_EXP, Float80.NAN_SIG);
            }
            if (isEmpty(i)) {
                write(i, Float80.NAN_SIGN_EXP, Float80.NAN_SIG);
            }
        } else {
            s.sw &= ~FpuState.C1;
        }
        int se = se(0);
        long sig = sig(0);
        write(0, se(i), sig(i));
        write(i, se, sig);
    }

    /** FCMOVcc. */
    void conditionalMove(int i, boolean condition) {
        if (isEmpty(0) || isEmpty(i)) {
            underflow(0, 0);
            return;
        }
        if (condition) {
            write(0, se(i), sig(i));
        }
    }

    /** FFREE, FFREEP. */
    void free(int i, boolean pop) {
        s.sw &= ~FpuState.C1;
        s.valid &= ~(1 << (s.top + i & 7));
        if (pop) {
            pop();
        }
    }

    /** FINCSTP (1), FDECSTP (-1). */
    void rotate(int by) {
        s.top = s.top + by & 7;
        s.sw &= ~FpuState.C1;
    }
}
