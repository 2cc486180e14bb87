package org.softkvm.emulator.fpu;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.ExitCode;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Insn;

/**
 * The x87 instructions as state methods of the instruction table (Intel SDM volume 1, chapter 8). Those that share a form
 * share a method; the ModRM byte tells them apart, as it does in hardware.
 *
 * <p>Order of an instruction: #NM, then #MF of an earlier one (waiting instructions only), then its memory operand, then
 * the pointers of the last instruction and its effects.
 */
public final class X87 {
    private X87() {}

    // Entry: what comes before the operation.

    /** #NM for instructions that do not wait. */
    private static FpuOps enter(Cpu c) {
        if ((c.cr0 & (Cpu.CR0_EM | Cpu.CR0_TS)) != 0) {
            throw c.fault(Vector.NM, 0);
        }
        return c.fpu.ops;
    }

    /** #NM, then a pending exception. */
    private static FpuOps enterWaiting(Cpu c) {
        FpuOps ops = enter(c);
        if (c.fpu.pending()) {
            raise(c);
        }
        return ops;
    }

    /**
     * What an MMX instruction checks before anything else: #UD for CR0.EM, #NM for CR0.TS, then a pending x87 exception.
     * After its memory operand was read, {@link FpuState#enterMmx} follows.
     *
     * @param c the vcpu
     */
    public static void checkMmx(Cpu c) {
        if ((c.cr0 & (Cpu.CR0_EM | Cpu.CR0_TS)) != 0) {
            throw c.fault((c.cr0 & Cpu.CR0_EM) != 0 ? Vector.UD : Vector.NM, 0);
        }
        if (c.fpu.pending()) {
            raise(c);
        }
    }

    private static void raise(Cpu c) {
        if ((c.cr0 & Cpu.CR0_NE) != 0) {
            throw c.fault(Vector.MF, 0);
        }
        FpuState s = c.fpu;
        if (s.errorLine != null && !s.signalled) {
            s.signalled = true;
            s.errorLine.run();
            // The interrupt comes before the instruction, whose operands and pointers the handler may look at.
            throw c.leave(ExitCode.INTR);
        }
    }

    /** Enters an instruction without a memory operand. */
    private static FpuOps begin(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        note(c, i);
        return ops;
    }

    private static void note(Cpu c, Insn i) {
        FpuState s = c.fpu;
        s.instructionPointer = i.rip;
        s.instructionSelector = c.segSel[Cpu.CS];
        s.opcode = (i.opcode & 7) << 8 | i.modrm;
    }

    /** Notes the instruction and its memory operand, which has been accessed without a fault. */
    private static void noteMemory(Cpu c, Insn i) {
        note(c, i);
        c.fpu.dataPointer = c.ea(i);
        c.fpu.dataSelector = c.segSel[i.seg];
    }

    private static int read32(Cpu c, Insn i) {
        int v = c.read32(c.eaRead(i, 4));
        noteMemory(c, i);
        return v;
    }

    private static long read64(Cpu c, Insn i) {
        long v = c.read64(c.eaRead(i, 8));
        noteMemory(c, i);
        return v;
    }

    private static short read16(Cpu c, Insn i) {
        short v = (short) c.read16(c.eaRead(i, 2));
        noteMemory(c, i);
        return v;
    }

    /** Linear address {@code n} bytes on: it wraps at 4 GiB outside 64-bit mode. */
    private static long at(Cpu c, long la, int n) {
        return c.mode64 ? la + n : la + n & 0xFFFF_FFFFL;
    }

    /** The operation of an arithmetic form: ModRM.reg. */
    private static int operation(Insn i) {
        return i.modrm >> 3 & 7;
    }

    /** i of ST(i). */
    private static int index(Insn i) {
        return i.modrm & 7;
    }

    // Arithmetic: FADD, FMUL, FSUB, FSUBR, FDIV, FDIVR and their relatives.

    /** D8 /r m32. */
    public static void arithmeticM32(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.arithmeticFloat32(operation(i), read32(c, i));
    }

    /** DC /r m64. */
    public static void arithmeticM64(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.arithmeticFloat64(operation(i), read64(c, i));
    }

    /** DA /r m32: integer. */
    public static void arithmeticI32(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.arithmeticInteger(operation(i), read32(c, i));
    }

    /** DE /r m16: integer. */
    public static void arithmeticI16(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.arithmeticInteger(operation(i), read16(c, i));
    }

    /** D8: ST(0) = ST(0) op ST(i). */
    public static void arithmeticSt0(Cpu c, Insn i) {
        begin(c, i).arithmetic(operation(i), index(i));
    }

    /** DC: the same with ST(i) as the destination. */
    public static void arithmeticSti(Cpu c, Insn i) {
        begin(c, i).arithmeticTo(operation(i), index(i), 0);
    }

    /** DE: as DC, then pop. */
    public static void arithmeticPop(Cpu c, Insn i) {
        begin(c, i).arithmeticTo(operation(i), index(i), 1);
    }

    // Compares.

    /** FCOM ST(i). */
    public static void fcom(Cpu c, Insn i) {
        begin(c, i).compare(index(i), false, 0);
    }

    /** FCOMP ST(i). */
    public static void fcomp(Cpu c, Insn i) {
        begin(c, i).compare(index(i), false, 1);
    }

    /** FCOMPP. */
    public static void fcompp(Cpu c, Insn i) {
        begin(c, i).compare(1, false, 2);
    }

    /** FUCOM ST(i). */
    public static void fucom(Cpu c, Insn i) {
        begin(c, i).compare(index(i), true, 0);
    }

    /** FUCOMP ST(i). */
    public static void fucomp(Cpu c, Insn i) {
        begin(c, i).compare(index(i), true, 1);
    }

    /** FUCOMPP. */
    public static void fucompp(Cpu c, Insn i) {
        begin(c, i).compare(1, true, 2);
    }

    private static int pops(Insn i) {
        return operation(i) & 1;
    }

    /** FCOM (D8 /2), FCOMP (D8 /3) m32. */
    public static void fcomM32(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.compareFloat32(read32(c, i), pops(i));
    }

    /** FCOM (DC /2), FCOMP (DC /3) m64. */
    public static void fcomM64(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.compareFloat64(read64(c, i), pops(i));
    }

    /** FICOM (DA /2), FICOMP (DA /3) m32. */
    public static void ficomI32(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.compareInteger(read32(c, i), pops(i));
    }

    /** FICOM (DE /2), FICOMP (DE /3) m16. */
    public static void ficomI16(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.compareInteger(read16(c, i), pops(i));
    }

    private static void toFlags(Cpu c, int comparison) {
        c.setArith(
                switch (comparison) {
                    case -1 -> Flags.CF;
                    case 0 -> Flags.ZF;
                    case 1 -> 0;
                    default -> Flags.CF | Flags.PF | Flags.ZF;
                });
    }

    /** FCOMI. */
    public static void fcomi(Cpu c, Insn i) {
        toFlags(c, begin(c, i).compareToFlags(index(i), false, 0));
    }

    /** FCOMIP. */
    public static void fcomip(Cpu c, Insn i) {
        toFlags(c, begin(c, i).compareToFlags(index(i), false, 1));
    }

    /** FUCOMI. */
    public static void fucomi(Cpu c, Insn i) {
        toFlags(c, begin(c, i).compareToFlags(index(i), true, 0));
    }

    /** FUCOMIP. */
    public static void fucomip(Cpu c, Insn i) {
        toFlags(c, begin(c, i).compareToFlags(index(i), true, 1));
    }

    /** FTST. */
    public static void ftst(Cpu c, Insn i) {
        begin(c, i).test();
    }

    /** FXAM. */
    public static void fxam(Cpu c, Insn i) {
        begin(c, i).examine();
    }

    // Loads.

    /** FLD m32. */
    public static void fldM32(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.loadFloat32(read32(c, i));
    }

    /** FLD m64. */
    public static void fldM64(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.loadFloat64(read64(c, i));
    }

    /** FLD m80. */
    public static void fldM80(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        long la = c.eaRead(i, 10);
        long low = c.read64(la);
        int high = c.read16(at(c, la, 8));
        noteMemory(c, i);
        ops.loadFloat80(high, low);
    }

    /** FBLD. */
    public static void fbld(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        long la = c.eaRead(i, 10);
        long low = c.read64(la);
        int high = c.read16(at(c, la, 8));
        noteMemory(c, i);
        ops.loadBcd(high, low);
    }

    /** FILD m16. */
    public static void fildI16(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.loadInteger(read16(c, i));
    }

    /** FILD m32. */
    public static void fildI32(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.loadInteger(read32(c, i));
    }

    /** FILD m64. */
    public static void fildI64(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        ops.loadInteger(read64(c, i));
    }

    /** FLD ST(i). */
    public static void fld(Cpu c, Insn i) {
        begin(c, i).loadStack(index(i));
    }

    /** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ. */
    public static void constant(Cpu c, Insn i) {
        begin(c, i).loadConstant(index(i));
    }

    // Stores.

    private static void finishStore(Cpu c, Insn i, FpuOps ops) {
        noteMemory(c, i);
        ops.commitStore();
    }

    private static void store80(Cpu c, Insn i, FpuOps ops, boolean write) {
        if (write) {
            long la = c.eaWrite(i, 10);
            c.checkWrite(la, 10);
            c.write64(la, ops.value);
            c.write16(at(c, la, 8), ops.valueHigh);
        }
        finishStore(c, i, ops);
    }

    private static void storeInteger(Cpu c, Insn i, int bytes, boolean truncate, boolean pop) {
        FpuOps ops = enterWaiting(c);
        if (ops.storeInteger(8 * bytes, truncate, pop)) {
            c.write(c.eaWrite(i, bytes), bytes, ops.value);
        }
        finishStore(c, i, ops);
    }

    private static void storeFloat32(Cpu c, Insn i, boolean pop) {
        FpuOps ops = enterWaiting(c);
        if (ops.storeFloat32(pop)) {
            c.write32(c.eaWrite(i, 4), (int) ops.value);
        }
        finishStore(c, i, ops);
    }

    private static void storeFloat64(Cpu c, Insn i, boolean pop) {
        FpuOps ops = enterWaiting(c);
        if (ops.storeFloat64(pop)) {
            c.write64(c.eaWrite(i, 8), ops.value);
        }
        finishStore(c, i, ops);
    }

    /** FST m32. */
    public static void fstM32(Cpu c, Insn i) {
        storeFloat32(c, i, false);
    }

    /** FSTP m32. */
    public static void fstpM32(Cpu c, Insn i) {
        storeFloat32(c, i, true);
    }

    /** FST m64. */
    public static void fstM64(Cpu c, Insn i) {
        storeFloat64(c, i, false);
    }

    /** FSTP m64. */
    public static void fstpM64(Cpu c, Insn i) {
        storeFloat64(c, i, true);
    }

    /** FSTP m80. */
    public static void fstpM80(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        store80(c, i, ops, ops.storeFloat80());
    }

    /** FBSTP. */
    public static void fbstp(Cpu c, Insn i) {
        FpuOps ops = enterWaiting(c);
        store80(c, i, ops, ops.storeBcd());
    }

    /** FIST m16. */
    public static void fistI16(Cpu c, Insn i) {
        storeInteger(c, i, 2, false, false);
    }

    /** FIST m32. */
    public static void fistI32(Cpu c, Insn i) {
        storeInteger(c, i, 4, false, false);
    }

    /** FISTP m16. */
    public static void fistpI16(Cpu c, Insn i) {
        storeInteger(c, i, 2, false, true);
    }

    /** FISTP m32. */
    public static void fistpI32(Cpu c, Insn i) {
        storeInteger(c, i, 4, false, true);
    }

    /** FISTP m64. */
    public static void fistpI64(Cpu c, Insn i) {
        storeInteger(c, i, 8, false, true);
    }

    /** FISTTP m16. */
    public static void fisttpI16(Cpu c, Insn i) {
        storeInteger(c, i, 2, true, true);
    }

    /** FISTTP m32. */
    public static void fisttpI32(Cpu c, Insn i) {
        storeInteger(c, i, 4, true, true);
    }

    /** FISTTP m64. */
    public static void fisttpI64(Cpu c, Insn i) {
        storeInteger(c, i, 8, true, true);
    }

    /** FST ST(i). */
    public static void fst(Cpu c, Insn i) {
        begin(c, i).storeStack(index(i), false);
    }

    /** FSTP ST(i). */
    public static void fstp(Cpu c, Insn i) {
        begin(c, i).storeStack(index(i), true);
    }

    /** FSTP1 (D9 D8+i), undocumented. */
    public static void fstp1(Cpu c, Insn i) {
        begin(c, i).storeStackNoFault(index(i));
    }

    // The stack.

    /** FXCH. */
    public static void fxch(Cpu c, Insn i) {
        begin(c, i).exchange(index(i));
    }

    /** FFREE. */
    public static void ffree(Cpu c, Insn i) {
        begin(c, i).free(index(i), false);
    }

    /** FFREEP (DF C0+i), undocumented. */
    public static void ffreep(Cpu c, Insn i) {
        begin(c, i).free(index(i), true);
    }

    /** FINCSTP. */
    public static void fincstp(Cpu c, Insn i) {
        begin(c, i).rotate(1);
    }

    /** FDECSTP. */
    public static void fdecstp(Cpu c, Insn i) {
        begin(c, i).rotate(-1);
    }

    /** FCMOVcc: DA for B, E, BE, U, DB for the opposites. */
    public static void fcmov(Cpu c, Insn i) {
        int mask = switch (operation(i)) {
            case 0 -> Flags.CF;
            case 1 -> Flags.ZF;
            case 2 -> Flags.CF | Flags.ZF;
            default -> Flags.PF;
        };
        boolean condition = (c.arith() & mask) != 0 == ((i.opcode & 1) == 0);
        begin(c, i).conditionalMove(index(i), condition);
    }

    // One operand, or ST(0) and ST(1).

    /** FCHS. */
    public static void fchs(Cpu c, Insn i) {
        begin(c, i).changeSign();
    }

    /** FABS. */
    public static void fabs(Cpu c, Insn i) {
        begin(c, i).absolute();
    }

    /** FSQRT. */
    public static void fsqrt(Cpu c, Insn i) {
        begin(c, i).squareRoot();
    }

    /** FRNDINT. */
    public static void frndint(Cpu c, Insn i) {
        begin(c, i).roundToInt();
    }

    /** FSCALE. */
    public static void fscale(Cpu c, Insn i) {
        begin(c, i).scale();
    }

    /** FXTRACT. */
    public static void fxtract(Cpu c, Insn i) {
        begin(c, i).extract();
    }

    /** FPREM. */
    public static void fprem(Cpu c, Insn i) {
        begin(c, i).remainder(false);
    }

    /** FPREM1. */
    public static void fprem1(Cpu c, Insn i) {
        begin(c, i).remainder(true);
    }

    /** F2XM1. */
    public static void f2xm1(Cpu c, Insn i) {
        begin(c, i).exponential();
    }

    /** FYL2X. */
    public static void fyl2x(Cpu c, Insn i) {
        begin(c, i).logarithm(false);
    }

    /** FYL2XP1. */
    public static void fyl2xp1(Cpu c, Insn i) {
        begin(c, i).logarithm(true);
    }

    /** FPATAN. */
    public static void fpatan(Cpu c, Insn i) {
        begin(c, i).arcTangent();
    }

    /** FPTAN. */
    public static void fptan(Cpu c, Insn i) {
        begin(c, i).sineCosine(true);
    }

    /** FSINCOS. */
    public static void fsincos(Cpu c, Insn i) {
        begin(c, i).sineCosine(false);
    }

    /** FSIN. */
    public static void fsin(Cpu c, Insn i) {
        begin(c, i).sine(false);
    }

    /** FCOS. */
    public static void fcos(Cpu c, Insn i) {
        begin(c, i).sine(true);
    }

    /** FNOP. */
    public static void fnop(Cpu c, Insn i) {
        begin(c, i);
    }

    // Control.

    /** WAIT: #NM only where CR0.MP and CR0.TS are both set. */
    public static void fwait(Cpu c, Insn i) {
        if ((c.cr0 & (Cpu.CR0_MP | Cpu.CR0_TS)) == (Cpu.CR0_MP | Cpu.CR0_TS)) {
            throw c.fault(Vector.NM, 0);
        }
        if (c.fpu.pending()) {
            raise(c);
        }
    }

    /** FNENI, FNDISI (8087), FNSETPM (80287): without effect since the 387. */
    public static void old(Cpu c, Insn i) {
        enter(c);
    }

    /** FNINIT. */
    public static void fninit(Cpu c, Insn i) {
        enter(c);
        c.fpu.init();
    }

    /** FNCLEX. */
    public static void fnclex(Cpu c, Insn i) {
        enter(c);
        c.fpu.clearExceptions();
    }

    /** FLDCW. */
    public static void fldcw(Cpu c, Insn i) {
        enterWaiting(c);
        c.fpu.setControlWord(c.read16(c.eaRead(i, 2)));
    }

    /** FNSTCW. */
    public static void fnstcw(Cpu c, Insn i) {
        enter(c);
        c.write16(c.eaWrite(i, 2), c.fpu.controlWord());
    }

    /** FNSTSW m16. */
    public static void fnstsw(Cpu c, Insn i) {
        enter(c);
        c.write16(c.eaWrite(i, 2), c.fpu.statusWord());
    }

    /** FNSTSW AX. */
    public static void fnstswAx(Cpu c, Insn i) {
        enter(c);
        c.set16(Cpu.RAX, c.fpu.statusWord());
    }

    /** FNSTENV. */
    public static void fnstenv(Cpu c, Insn i) {
        enter(c);
        FpuEnvironment.store(c, i, false);
    }

    /** FLDENV. */
    public static void fldenv(Cpu c, Insn i) {
        enterWaiting(c);
        FpuEnvironment.load(c, i, false);
    }

    /** FNSAVE. */
    public static void fnsave(Cpu c, Insn i) {
        enter(c);
        FpuEnvironment.store(c, i, true);
    }

    /** FRSTOR. */
    public static void frstor(Cpu c, Insn i) {
        enterWaiting(c);
        FpuEnvironment.load(c, i, true);
    }
}
