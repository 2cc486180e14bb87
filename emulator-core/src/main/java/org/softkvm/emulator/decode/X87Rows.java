package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.Md;
import static org.softkvm.emulator.decode.Operand.Mq;
import static org.softkvm.emulator.decode.Operand.Mt;
import static org.softkvm.emulator.decode.Operand.Mw;
import static org.softkvm.emulator.decode.Operand.ST0;
import static org.softkvm.emulator.decode.Operand.STi;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.fpu.X87;

/**
 * Rows of the instruction table: x87 (Intel SDM volume 2, tables ). Encodings that are not here are #UD, but
 * for the aliases that Intel's CPUs have.
 */
final class X87Rows {
    private static final String[] ARITHMETIC = {"add", "mul", "com", "comp", "sub", "subr", "div", "divr"};

    /** The names where ST(i) is the destination: DC and DE have SUB and SUBR, DIV and DIVR the other way round. */
    private static final String[] ARITHMETIC_TO = {"add", "mul", "", "", "subr", "sub", "divr", "div"};

    private X87Rows() {}

    static void define(OpTable t) {
        arithmetic(t);
        loadsAndStores(t);
        registers(t);
        compares(t);
        functions(t);
        control(t);
    }

    private static Op row(OpTable t, String encoding, String mnemonic, String method, Operand... operands) {
        return t.op(encoding, mnemonic, operands)
                .state(X87.class, method)
                .noFlags()
                .registers(0, 0)
                .needs(Feature.FPU);
    }

    private static Op register(OpTable t, String encoding, String mnemonic, String method, Operand... operands) {
        return row(t, encoding, mnemonic, method, operands).registerOnly();
    }

    private static void arithmetic(OpTable t) {
        for (int k = 0; k < 8; k++) {
            String name = ARITHMETIC[k];
            String group = " /" + k;
            boolean compare = k == 2 || k == 3;
            row(t, "D8" + group, "f" + name, compare ? "fcomM32" : "arithmeticM32", Md);
            row(t, "DC" + group, "f" + name, compare ? "fcomM64" : "arithmeticM64", Mq);
            row(t, "DA" + group, "fi" + name, compare ? "ficomI32" : "arithmeticI32", Md);
            row(t, "DE" + group, "fi" + name, compare ? "ficomI16" : "arithmeticI16", Mw);
            if (!compare) {
                register(t, "D8" + group, "f" + name, "arithmeticSt0", ST0, STi);
                register(t, "DC" + group, "f" + ARITHMETIC_TO[k], "arithmeticSti", STi, ST0);
                register(t, "DE" + group, "f" + ARITHMETIC_TO[k] + "p", "arithmeticPop", STi, ST0);
            }
        }
    }

    private static void loadsAndStores(OpTable t) {
        row(t, "D9 /0", "fld", "fldM32", Md);
        row(t, "DD /0", "fld", "fldM64", Mq);
        row(t, "DB /5", "fld", "fldM80", Mt);
        row(t, "DF /0", "fild", "fildI16", Mw);
        row(t, "DB /0", "fild", "fildI32", Md);
        row(t, "DF /5", "fild", "fildI64", Mq);
        row(t, "DF /4", "fbld", "fbld", Mt);
        row(t, "D9 /2", "fst", "fstM32", Md);
        row(t, "DD /2", "fst", "fstM64", Mq);
        row(t, "D9 /3", "fstp", "fstpM32", Md);
        row(t, "DD /3", "fstp", "fstpM64", Mq);
        row(t, "DB /7", "fstp", "fstpM80", Mt);
        row(t, "DF /2", "fist", "fistI16", Mw);
        row(t, "DB /2", "fist", "fistI32", Md);
        row(t, "DF /3", "fistp", "fistpI16", Mw);
        row(t, "DB /3", "fistp", "fistpI32", Md);
        row(t, "DF /7", "fistp", "fistpI64", Mq);
        row(t, "DF /6", "fbstp", "fbstp", Mt);
        row(t, "DF /1", "fisttp", "fisttpI16", Mw).needs(Feature.SSE3);
        row(t, "DB /1", "fisttp", "fisttpI32", Md).needs(Feature.SSE3);
        row(t, "DD /1", "fisttp", "fisttpI64", Mq).needs(Feature.SSE3);
        String[] constants = {"fld1", "fldl2t", "fldl2e", "fldpi", "fldlg2", "fldln2", "fldz"};
        for (int k = 0; k < constants.length; k++) {
            row(t, "D9 =" + IntegerRows.hex(0xE8 + k), constants[k], "constant");
        }
    }

    private static void registers(OpTable t) {
        register(t, "D9 /0", "fld", "fld", STi);
        register(t, "DD /2", "fst", "fst", STi);
        register(t, "DD /3", "fstp", "fstp", STi);
        register(t, "D9 /3", "fstp", "fstp1", STi);
        register(t, "DF /2", "fstp", "fstp", STi);
        register(t, "DF /3", "fstp", "fstp", STi);
        register(t, "D9 /1", "fxch", "fxch", ST0, STi);
        register(t, "DD /1", "fxch", "fxch", ST0, STi);
        register(t, "DF /1", "fxch", "fxch", ST0, STi);
        register(t, "DD /0", "ffree", "ffree", STi);
        register(t, "DF /0", "ffreep", "ffreep", STi);
        String[] conditions = {"b", "e", "be", "u"};
        int[] flags = {Flags.CF, Flags.ZF, Flags.CF | Flags.ZF, Flags.PF};
        for (int k = 0; k < 4; k++) {
            register(t, "DA /" + k, "fcmov" + conditions[k], "fcmov", ST0, STi)
                    .flagUse(flags[k], 0)
                    .needs(Feature.CMOV);
            register(t, "DB /" + k, "fcmovn" + conditions[k], "fcmov", ST0, STi)
                    .flagUse(flags[k], 0)
                    .needs(Feature.CMOV);
        }
    }

    private static void compares(OpTable t) {
        register(t, "D8 /2", "fcom", "fcom", ST0, STi);
        register(t, "DC /2", "fcom", "fcom", ST0, STi);
        register(t, "D8 /3", "fcomp", "fcomp", ST0, STi);
        register(t, "DC /3", "fcomp", "fcomp", ST0, STi);
        register(t, "DE /2", "fcomp", "fcomp", ST0, STi);
        register(t, "DD /4", "fucom", "fucom", ST0, STi);
        register(t, "DD /5", "fucomp", "fucomp", ST0, STi);
        row(t, "DE =D9", "fcompp", "fcompp");
        row(t, "DA =E9", "fucompp", "fucompp");
        int all = Flags.ARITH;
        register(t, "DB /5", "fucomi", "fucomi", ST0, STi).flagUse(0, all).needs(Feature.CMOV);
        register(t, "DB /6", "fcomi", "fcomi", ST0, STi).flagUse(0, all).needs(Feature.CMOV);
        register(t, "DF /5", "fucomip", "fucomip", ST0, STi).flagUse(0, all).needs(Feature.CMOV);
        register(t, "DF /6", "fcomip", "fcomip", ST0, STi).flagUse(0, all).needs(Feature.CMOV);
        row(t, "D9 =E4", "ftst", "ftst");
        row(t, "D9 =E5", "fxam", "fxam");
    }

    private static void functions(OpTable t) {
        row(t, "D9 =D0", "fnop", "fnop");
        row(t, "D9 =E0", "fchs", "fchs");
        row(t, "D9 =E1", "fabs", "fabs");
        String[] names = {
            "f2xm1", "fyl2x", "fptan", "fpatan", "fxtract", "fprem1", "fdecstp", "fincstp",
            "fprem", "fyl2xp1", "fsqrt", "fsincos", "frndint", "fscale", "fsin", "fcos"
        };
        for (int k = 0; k < names.length; k++) {
            row(t, "D9 =" + IntegerRows.hex(0xF0 + k), names[k], names[k]);
        }
    }

    private static void control(OpTable t) {
        // Without an FPU it waits for a pin that is not there; CR0 may make it #NM all the same.
        row(t, "9B", "wait", "fwait").needs(Feature.I8086);
        row(t, "D9 /4", "fldenv", "fldenv", Operand.M);
        row(t, "D9 /5", "fldcw", "fldcw", Mw);
        row(t, "D9 /6", "fnstenv", "fnstenv", Operand.M);
        row(t, "D9 /7", "fnstcw", "fnstcw", Mw);
        row(t, "DD /4", "frstor", "frstor", Operand.M);
        row(t, "DD /6", "fnsave", "fnsave", Operand.M);
        row(t, "DD /7", "fnstsw", "fnstsw", Mw);
        row(t, "DF =E0", "fnstsw", "fnstswAx").registers(1 << Cpu.RAX, 1 << Cpu.RAX);
        row(t, "DB =E0", "fneni", "old");
        row(t, "DB =E1", "fndisi", "old");
        row(t, "DB =E2", "fnclex", "fnclex");
        row(t, "DB =E3", "fninit", "fninit");
        row(t, "DB =E4", "fnsetpm", "old");
    }
}
