package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.AL;
import static org.softkvm.emulator.decode.Operand.CL;
import static org.softkvm.emulator.decode.Operand.Eb;
import static org.softkvm.emulator.decode.Operand.Ed;
import static org.softkvm.emulator.decode.Operand.Ev;
import static org.softkvm.emulator.decode.Operand.Ew;
import static org.softkvm.emulator.decode.Operand.Gb;
import static org.softkvm.emulator.decode.Operand.Gv;
import static org.softkvm.emulator.decode.Operand.Gy;
import static org.softkvm.emulator.decode.Operand.Ib;
import static org.softkvm.emulator.decode.Operand.Ibs;
import static org.softkvm.emulator.decode.Operand.Iv;
import static org.softkvm.emulator.decode.Operand.Iw;
import static org.softkvm.emulator.decode.Operand.Iz;
import static org.softkvm.emulator.decode.Operand.Jb;
import static org.softkvm.emulator.decode.Operand.Jz;
import static org.softkvm.emulator.decode.Operand.M;
import static org.softkvm.emulator.decode.Operand.Ob;
import static org.softkvm.emulator.decode.Operand.One;
import static org.softkvm.emulator.decode.Operand.Ov;
import static org.softkvm.emulator.decode.Operand.Xb;
import static org.softkvm.emulator.decode.Operand.Xv;
import static org.softkvm.emulator.decode.Operand.Yb;
import static org.softkvm.emulator.decode.Operand.Yv;
import static org.softkvm.emulator.decode.Operand.Zb;
import static org.softkvm.emulator.decode.Operand.Zv;
import static org.softkvm.emulator.decode.Operand.rAX;

import java.util.HexFormat;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.exec.Alu;
import org.softkvm.emulator.exec.Branch;
import org.softkvm.emulator.exec.IntegerOps;
import org.softkvm.emulator.exec.MulDiv;
import org.softkvm.emulator.exec.Shift;
import org.softkvm.emulator.exec.Strings;

/** Rows of the instruction table: integer instructions and near control flow. */
final class IntegerRows {
    private static final int CF = Flags.CF;

    private static final String[] CONDITIONS = {
        "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
    };

    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private IntegerRows() {}

    static void define(OpTable t) {
        arithmetic(t);
        moves(t);
        stack(t);
        shifts(t);
        multiply(t);
        bits(t);
        branches(t);
        strings(t);
        exchange(t);
        flagsAndBcd(t);
        old(t);
    }

    /** Two digits. No formatter: each start builds the table. */
    static String hex(int b) {
        return HEX.toHexDigits((byte) b);
    }

    private static Op alu(Op op, String name) {
        switch (name) {
            case "add" -> op.value(Alu.class, "add").flags(Flags.ADD).lockable();
            case "or" -> op.value(Alu.class, "or").flags(Flags.LOGIC).lockable();
            case "adc" -> op.value(Alu.class, "adc").flagUse(CF, Flags.ARITH).lockable();
            case "sbb" -> op.value(Alu.class, "sbb").flagUse(CF, Flags.ARITH).lockable();
            case "and" -> op.value(Alu.class, "and").flags(Flags.LOGIC).lockable();
            case "sub" -> op.value(Alu.class, "sub").flags(Flags.SUB).lockable();
            case "xor" -> op.value(Alu.class, "xor").flags(Flags.LOGIC).lockable();
            default -> op.value(Alu.class, "sub").flags(Flags.SUB).compare();
        }
        return op;
    }

    private static void arithmetic(OpTable t) {
        String[] names = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
        for (int k = 0; k < 8; k++) {
            String n = names[k];
            int b = k << 3;
            alu(t.op(hex(b), n, Eb, Gb), n);
            alu(t.op(hex(b + 1), n, Ev, Gv), n);
            alu(t.op(hex(b + 2), n, Gb, Eb), n);
            alu(t.op(hex(b + 3), n, Gv, Ev), n);
            alu(t.op(hex(b + 4), n, AL, Ib), n);
            alu(t.op(hex(b + 5), n, rAX, Iz), n);
            alu(t.op("80 /" + k, n, Eb, Ib), n);
            alu(t.op("81 /" + k, n, Ev, Iz), n);
            alu(t.op("82 /" + k, n, Eb, Ib), n).not64();
            alu(t.op("83 /" + k, n, Ev, Ibs), n);
        }
        t.op("84", "test", Eb, Gb).value(Alu.class, "and").flags(Flags.LOGIC).compare();
        t.op("85", "test", Ev, Gv).value(Alu.class, "and").flags(Flags.LOGIC).compare();
        t.op("A8", "test", AL, Ib).value(Alu.class, "and").flags(Flags.LOGIC).compare();
        t.op("A9", "test", rAX, Iz).value(Alu.class, "and").flags(Flags.LOGIC).compare();
        for (int k = 0; k < 2; k++) {
            t.op("F6 /" + k, "test", Eb, Ib)
                    .value(Alu.class, "and")
                    .flags(Flags.LOGIC)
                    .compare();
            t.op("F7 /" + k, "test", Ev, Iz)
                    .value(Alu.class, "and")
                    .flags(Flags.LOGIC)
                    .compare();
        }
        t.op("F6 /2", "not", Eb).value(Alu.class, "not").noFlags().lockable();
        t.op("F7 /2", "not", Ev).value(Alu.class, "not").noFlags().lockable();
        t.op("F6 /3", "neg", Eb).value(Alu.class, "neg").lockable();
        t.op("F7 /3", "neg", Ev).value(Alu.class, "neg").lockable();
        t.op("FE /0", "inc", Eb)
                .value(Alu.class, "inc")
                .flagUse(CF, Flags.ARITH & ~CF)
                .lockable();
        t.op("FF /0", "inc", Ev)
                .value(Alu.class, "inc")
                .flagUse(CF, Flags.ARITH & ~CF)
                .lockable();
        t.op("FE /1", "dec", Eb)
                .value(Alu.class, "dec")
                .flagUse(CF, Flags.ARITH & ~CF)
                .lockable();
        t.op("FF /1", "dec", Ev)
                .value(Alu.class, "dec")
                .flagUse(CF, Flags.ARITH & ~CF)
                .lockable();
        t.op("40 +r", "inc", Zv)
                .value(Alu.class, "inc")
                .flagUse(CF, Flags.ARITH & ~CF)
                .not64();
        t.op("48 +r", "dec", Zv)
                .value(Alu.class, "dec")
                .flagUse(CF, Flags.ARITH & ~CF)
                .not64();
    }

    private static void moves(OpTable t) {
        t.op("88", "mov", Eb, Gb).value(Alu.class, "mov").move();
        t.op("89", "mov", Ev, Gv).value(Alu.class, "mov").move();
        t.op("8A", "mov", Gb, Eb).value(Alu.class, "mov").move();
        t.op("8B", "mov", Gv, Ev).value(Alu.class, "mov").move();
        t.op("A0", "mov", AL, Ob).value(Alu.class, "mov").move();
        t.op("A1", "mov", rAX, Ov).value(Alu.class, "mov").move();
        t.op("A2", "mov", Ob, AL).value(Alu.class, "mov").move();
        t.op("A3", "mov", Ov, rAX).value(Alu.class, "mov").move();
        t.op("B0 +r", "mov", Zb, Ib).value(Alu.class, "mov").move();
        t.op("B8 +r", "mov", Zv, Iv).value(Alu.class, "mov").move();
        t.op("C6 /0", "mov", Eb, Ib).value(Alu.class, "mov").move();
        t.op("C7 /0", "mov", Ev, Iz).value(Alu.class, "mov").move();
        t.op("8D /r", "lea", Gv, M).state(IntegerOps.class, "lea").noFlags();
        t.op("63 /r", "movsxd", Gv, Ed)
                .value(Alu.class, "signDword")
                .move()
                .only64()
                .needs(Feature.LM);
        t.op("0F B6", "movzx", Gv, Eb).value(Alu.class, "zeroExtend").move().needs(Feature.I386);
        t.op("0F B7", "movzx", Gv, Ew).value(Alu.class, "zeroExtend").move().needs(Feature.I386);
        t.op("0F BE", "movsx", Gv, Eb).value(Alu.class, "signByte").move().needs(Feature.I386);
        t.op("0F BF", "movsx", Gv, Ew).value(Alu.class, "signWord").move().needs(Feature.I386);
        for (int k = 0; k < 16; k++) {
            t.op("0F " + hex(0x40 + k), "cmov" + CONDITIONS[k], Gv, Ev)
                    .conditional(Op.Kind.CMOV, k)
                    .needs(Feature.CMOV);
            t.op("0F " + hex(0x90 + k), "set" + CONDITIONS[k], Eb)
                    .conditional(Op.Kind.SETCC, k)
                    .needs(Feature.I386);
        }
        t.op("0F C8 +r", "bswap", Zv).value(Alu.class, "bswap").noFlags().needs(Feature.I486);
    }

    private static void stack(OpTable t) {
        t.op("50 +r", "push", Zv).state(IntegerOps.class, "pushReg").d64().noFlags();
        t.op("58 +r", "pop", Zv).state(IntegerOps.class, "popReg").d64().noFlags();
        t.op("68", "push", Iz)
                .state(IntegerOps.class, "pushImm")
                .d64()
                .noFlags()
                .needs(Feature.I186);
        t.op("6A", "push", Ibs)
                .state(IntegerOps.class, "pushImm")
                .d64()
                .noFlags()
                .needs(Feature.I186);
        t.op("FF /6", "push", Ev).state(IntegerOps.class, "pushRm").d64().noFlags();
        t.op("8F /0", "pop", Ev).state(IntegerOps.class, "popRm").d64().noFlags();
        t.op("60", "pusha").state(IntegerOps.class, "pusha").not64().noFlags().needs(Feature.I186);
        t.op("61", "popa").state(IntegerOps.class, "popa").not64().noFlags().needs(Feature.I186);
        t.op("C8", "enter", Iw, Ib)
                .state(IntegerOps.class, "enter")
                .d64()
                .noFlags()
                .needs(Feature.I186);
        t.op("C9", "leave").state(IntegerOps.class, "leave").d64().noFlags().needs(Feature.I186);
    }

    private static void shifts(OpTable t) {
        String[] names = {"rol", "ror", "rcl", "rcr", "shl", "shr", "shl", "sar"};
        for (int k = 0; k < 8; k++) {
            String n = names[k];
            String meaning = n;
            int reads = k == 2 || k == 3 ? CF : 0;
            Operand[][] forms = {{Eb, Ib}, {Ev, Ib}, {Eb, One}, {Ev, One}, {Eb, CL}, {Ev, CL}};
            String[] opcodes = {"C0", "C1", "D0", "D1", "D2", "D3"};
            for (int f = 0; f < 6; f++) {
                Op op = t.op(opcodes[f] + " /" + k, n, forms[f])
                        .value(Shift.class, meaning)
                        .flagUse(reads | Flags.ARITH, Flags.ARITH);
                if (f < 2 || k == 6) {
                    op.needs(Feature.I186);
                }
            }
        }
        for (int f = 0; f < 2; f++) {
            Operand count = f == 0 ? One : CL;
            t.op(f == 0 ? "D0 /6" : "D2 /6", "setmo", Eb, count)
                    .value(IntegerOps.class, "setmo")
                    .until(Feature.I186);
            t.op(f == 0 ? "D1 /6" : "D3 /6", "setmo", Ev, count)
                    .value(IntegerOps.class, "setmo")
                    .until(Feature.I186);
        }
        t.op("0F A4", "shld", Ev, Gv, Ib).value(Shift.class, "shld").needs(Feature.I386);
        t.op("0F A5", "shld", Ev, Gv, CL).value(Shift.class, "shld").needs(Feature.I386);
        t.op("0F AC", "shrd", Ev, Gv, Ib).value(Shift.class, "shrd").needs(Feature.I386);
        t.op("0F AD", "shrd", Ev, Gv, CL).value(Shift.class, "shrd").needs(Feature.I386);
    }

    private static void multiply(OpTable t) {
        t.op("F6 /4", "mul", Eb).state(MulDiv.class, "mulb");
        t.op("F7 /4", "mul", Ev).state(MulDiv.class, "mulv");
        t.op("F6 /5", "imul", Eb).state(MulDiv.class, "imulb");
        t.op("F7 /5", "imul", Ev).state(MulDiv.class, "imulv");
        t.op("F6 /6", "div", Eb).state(MulDiv.class, "divb");
        t.op("F7 /6", "div", Ev).state(MulDiv.class, "divv");
        t.op("F6 /7", "idiv", Eb).state(MulDiv.class, "idivb");
        t.op("F7 /7", "idiv", Ev).state(MulDiv.class, "idivv");
        t.op("0F AF", "imul", Gv, Ev).value(Alu.class, "imul").needs(Feature.I386);
        t.op("69", "imul", Gv, Ev, Iz).value(Alu.class, "imul").overwrites().needs(Feature.I186);
        t.op("6B", "imul", Gv, Ev, Ibs).value(Alu.class, "imul").overwrites().needs(Feature.I186);
    }

    private static void bits(OpTable t) {
        String[] names = {"bt", "bts", "btr", "btc"};
        int[] opcodes = {0xA3, 0xAB, 0xB3, 0xBB};
        for (int k = 0; k < 4; k++) {
            Op op = t.op("0F " + hex(opcodes[k]), names[k], Ev, Gv)
                    .value(Alu.class, names[k])
                    .registerOnly()
                    .needs(Feature.I386);
            Op memory = t.op("0F " + hex(opcodes[k]), names[k], Ev, Gv)
                    .state(IntegerOps.class, names[k] + "Mem")
                    .memoryOnly()
                    .needs(Feature.I386);
            Op immediate = t.op("0F BA /" + (4 + k), names[k], Ev, Ib)
                    .value(Alu.class, names[k])
                    .needs(Feature.I386);
            if (k == 0) {
                op.compare();
                immediate.compare();
            } else {
                memory.lockable();
                immediate.lockable();
            }
        }
        t.op("NFX 0F BC", "bsf", Gv, Ev).value(Alu.class, "bsf").needs(Feature.I386);
        t.op("NFX 0F BD", "bsr", Gv, Ev).value(Alu.class, "bsr").needs(Feature.I386);
        // Without BMI1 and LZCNT the F3 prefix has no meaning here.
        t.op("0F BC", "bsf", Gv, Ev).value(Alu.class, "bsf").needs(Feature.I386);
        t.op("0F BD", "bsr", Gv, Ev).value(Alu.class, "bsr").needs(Feature.I386);
        t.op("F3 0F B8", "popcnt", Gv, Ev)
                .value(Alu.class, "popcnt")
                .overwrites()
                .needs(Feature.POPCNT);
        t.op("F2 0F 38 F0", "crc32", Gy, Eb)
                .value(Alu.class, "crcByte")
                .noFlags()
                .needs(Feature.SSE42);
        t.op("F2 0F 38 F1", "crc32", Gy, Ev)
                .state(IntegerOps.class, "crc32")
                .noFlags()
                .needs(Feature.SSE42);
    }

    private static void branches(OpTable t) {
        for (int k = 0; k < 16; k++) {
            t.op(hex(0x70 + k), "j" + CONDITIONS[k], Jb)
                    .conditional(Op.Kind.JCC, k)
                    .f64();
            t.op("0F " + hex(0x80 + k), "j" + CONDITIONS[k], Jz)
                    .conditional(Op.Kind.JCC, k)
                    .f64()
                    .needs(Feature.I386);
        }
        t.op("EB", "jmp", Jb).jump().f64();
        t.op("E9", "jmp", Jz).jump().f64();
        t.op("E8", "call", Jz).state(Branch.class, "call").f64().noFlags().ends();
        t.op("FF /2", "call", Ev)
                .state(Branch.class, "callIndirect")
                .f64()
                .noFlags()
                .ends();
        t.op("FF /4", "jmp", Ev)
                .state(Branch.class, "jmpIndirect")
                .f64()
                .noFlags()
                .ends();
        t.op("C2", "ret", Iw).state(Branch.class, "ret").f64().noFlags().ends();
        t.op("C3", "ret").state(Branch.class, "ret").f64().noFlags().ends();
        t.op("E0", "loopne", Jb)
                .state(Branch.class, "loopne")
                .f64()
                .flagUse(Flags.ZF, 0)
                .ends();
        t.op("E1", "loope", Jb)
                .state(Branch.class, "loope")
                .f64()
                .flagUse(Flags.ZF, 0)
                .ends();
        t.op("E2", "loop", Jb).state(Branch.class, "loop").f64().noFlags().ends();
        t.op("E3", "jcxz", Jb).state(Branch.class, "jcxz").f64().noFlags().ends();
    }

    private static void strings(OpTable t) {
        t.op("A4", "movsb", Yb, Xb).state(Strings.class, "movsb").noFlags().commitsParts();
        t.op("A5", "movs", Yv, Xv).state(Strings.class, "movsv").noFlags().commitsParts();
        t.op("A6", "cmpsb", Xb, Yb).state(Strings.class, "cmpsb").commitsParts();
        t.op("A7", "cmps", Xv, Yv).state(Strings.class, "cmpsv").commitsParts();
        t.op("AA", "stosb", Yb, AL).state(Strings.class, "stosb").noFlags().commitsParts();
        t.op("AB", "stos", Yv, rAX).state(Strings.class, "stosv").noFlags().commitsParts();
        t.op("AC", "lodsb", AL, Xb).state(Strings.class, "lodsb").noFlags().commitsParts();
        t.op("AD", "lods", rAX, Xv).state(Strings.class, "lodsv").noFlags().commitsParts();
        t.op("AE", "scasb", AL, Yb).state(Strings.class, "scasb").commitsParts();
        t.op("AF", "scas", rAX, Yv).state(Strings.class, "scasv").commitsParts();
    }

    private static void exchange(OpTable t) {
        t.op("86", "xchg", Eb, Gb).state(IntegerOps.class, "xchgb").noFlags().lockable();
        t.op("87", "xchg", Ev, Gv).state(IntegerOps.class, "xchgv").noFlags().lockable();
        t.op("90 +r", "xchg", rAX, Zv).state(IntegerOps.class, "xchgAx").noFlags();
        t.op("F3 90", "pause").state(IntegerOps.class, "pause").noFlags();
        t.op("0F C0", "xadd", Eb, Gb)
                .state(IntegerOps.class, "xaddb")
                .lockable()
                .needs(Feature.I486);
        t.op("0F C1", "xadd", Ev, Gv)
                .state(IntegerOps.class, "xaddv")
                .lockable()
                .needs(Feature.I486);
        t.op("0F B0", "cmpxchg", Eb, Gb)
                .state(IntegerOps.class, "cmpxchgb")
                .lockable()
                .needs(Feature.I486);
        t.op("0F B1", "cmpxchg", Ev, Gv)
                .state(IntegerOps.class, "cmpxchgv")
                .lockable()
                .needs(Feature.I486);
        t.op("0F C7 /1", "cmpxchg8b", M)
                .state(IntegerOps.class, "cmpxchg2")
                .lockable()
                .needs(Feature.CX8);
    }

    private static void flagsAndBcd(OpTable t) {
        t.op("98", "cbw").state(IntegerOps.class, "cbw").noFlags();
        t.op("99", "cwd").state(IntegerOps.class, "cwd").noFlags();
        t.op("9E", "sahf").state(IntegerOps.class, "sahf").not64();
        t.op("9F", "lahf").state(IntegerOps.class, "lahf").not64();
        t.op("9E", "sahf").state(IntegerOps.class, "sahf").only64().needs(Feature.LAHF64);
        t.op("9F", "lahf").state(IntegerOps.class, "lahf").only64().needs(Feature.LAHF64);
        t.op("F8", "clc").state(IntegerOps.class, "clc");
        t.op("F9", "stc").state(IntegerOps.class, "stc");
        t.op("F5", "cmc").state(IntegerOps.class, "cmc");
        t.op("FC", "cld").state(IntegerOps.class, "cld").noFlags();
        t.op("FD", "std").state(IntegerOps.class, "std").noFlags();
        t.op("D6", "salc").state(IntegerOps.class, "salc").not64();
        t.op("D7", "xlat").state(IntegerOps.class, "xlat").noFlags();
        t.op("27", "daa").state(IntegerOps.class, "daa").not64();
        t.op("2F", "das").state(IntegerOps.class, "das").not64();
        t.op("37", "aaa").state(IntegerOps.class, "aaa").not64();
        t.op("3F", "aas").state(IntegerOps.class, "aas").not64();
        t.op("D4", "aam", Ib).state(IntegerOps.class, "aam").not64();
        t.op("D5", "aad", Ib).state(IntegerOps.class, "aad").not64();
        for (int k = 0x18; k <= 0x1F; k++) {
            // Hint NOPs since the Pentium Pro; prefetches are among them.
            t.op("0F " + hex(k) + " /r", "nop", Ev)
                    .state(IntegerOps.class, "nop")
                    .noFlags()
                    .needs(Feature.CMOV);
        }
        t.op("0F 0D /r", "prefetchw", Ev)
                .state(IntegerOps.class, "nop")
                .noFlags()
                .needs(Feature.PREFETCHW);
    }

    /** What only the 8086 does (its opcode decoder ignores bits), and the escape opcodes of CPUs without an FPU. */
    private static void old(OpTable t) {
        for (int k = 0; k < 16; k++) {
            t.op(hex(0x60 + k), "j" + CONDITIONS[k], Jb)
                    .conditional(Op.Kind.JCC, k)
                    .until(Feature.I186);
        }
        t.op("C0", "ret", Iw).state(Branch.class, "ret").noFlags().ends().until(Feature.I186);
        t.op("C1", "ret").state(Branch.class, "ret").noFlags().ends().until(Feature.I186);
        t.op("FF /7", "push", Ev).state(IntegerOps.class, "pushRm").noFlags().until(Feature.I186);
        for (int k = 1; k < 8; k++) {
            t.op("8F /" + k, "pop", Ev)
                    .state(IntegerOps.class, "popRm")
                    .noFlags()
                    .until(Feature.I186);
            t.op("C6 /" + k, "mov", Eb, Ib).value(Alu.class, "mov").move().until(Feature.I186);
            t.op("C7 /" + k, "mov", Ev, Iz).value(Alu.class, "mov").move().until(Feature.I186);
        }
        for (int k = 0xD8; k <= 0xDF; k++) {
            t.op(hex(k) + " /r", "esc", Ew)
                    .state(IntegerOps.class, "escape")
                    .noFlags()
                    .until(Feature.FPU);
        }
    }
}
