package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.Ed;
import static org.softkvm.emulator.decode.Operand.Ey;
import static org.softkvm.emulator.decode.Operand.Gd;
import static org.softkvm.emulator.decode.Operand.Gy;
import static org.softkvm.emulator.decode.Operand.Ib;
import static org.softkvm.emulator.decode.Operand.Mq;
import static org.softkvm.emulator.decode.Operand.Mw;
import static org.softkvm.emulator.decode.Operand.Mx;
import static org.softkvm.emulator.decode.Operand.U;
import static org.softkvm.emulator.decode.Operand.V;
import static org.softkvm.emulator.decode.Operand.W;
import static org.softkvm.emulator.decode.Operand.Wd;
import static org.softkvm.emulator.decode.Operand.Wq;

import org.softkvm.emulator.simd.Approximations;
import org.softkvm.emulator.simd.Arithmetic;
import org.softkvm.emulator.simd.Conversions;
import org.softkvm.emulator.simd.Lanes;
import org.softkvm.emulator.simd.Moves;
import org.softkvm.emulator.simd.Shuffles;
import org.softkvm.emulator.simd.StateSave;

/** Rows of the instruction table: SSE and SSE2. */
final class SseRows {
    private SseRows() {}

    static void define(OpTable t) {
        moves(t);
        logic(t);
        integers(t);
        shuffles(t);
        floats(t);
        conversions(t);
        state(t);
    }

    private static void move(OpTable t, String encoding, String name, String method, Feature f, Operand... operands) {
        t.op(encoding, name, operands).state(Moves.class, method).noFlags().needs(f);
    }

    private static void moves(OpTable t) {
        move(t, "NP 0F 10", "movups", "loadUnaligned", Feature.SSE, V, W);
        move(t, "NP 0F 11", "movups", "storeUnaligned", Feature.SSE, W, V);
        move(t, "66 0F 10", "movupd", "loadUnaligned", Feature.SSE2, V, W);
        move(t, "66 0F 11", "movupd", "storeUnaligned", Feature.SSE2, W, V);
        move(t, "NP 0F 28", "movaps", "loadAligned", Feature.SSE, V, W);
        move(t, "NP 0F 29", "movaps", "storeAligned", Feature.SSE, W, V);
        move(t, "66 0F 28", "movapd", "loadAligned", Feature.SSE2, V, W);
        move(t, "66 0F 29", "movapd", "storeAligned", Feature.SSE2, W, V);
        move(t, "66 0F 6F", "movdqa", "loadAligned", Feature.SSE2, V, W);
        move(t, "66 0F 7F", "movdqa", "storeAligned", Feature.SSE2, W, V);
        move(t, "F3 0F 6F", "movdqu", "loadUnaligned", Feature.SSE2, V, W);
        move(t, "F3 0F 7F", "movdqu", "storeUnaligned", Feature.SSE2, W, V);
        move(t, "NP 0F 2B", "movntps", "storeAligned", Feature.SSE, Mx, V);
        move(t, "66 0F 2B", "movntpd", "storeAligned", Feature.SSE2, Mx, V);
        move(t, "66 0F E7", "movntdq", "storeAligned", Feature.SSE2, Mx, V);
        t.op("NP 0F C3", "movnti", Ey, Gy)
                .state(Moves.class, "storeGeneral")
                .memoryOnly()
                .noFlags()
                .needs(Feature.SSE2);
        move(t, "F3 0F 10", "movss", "loadSs", Feature.SSE, V, Wd);
        move(t, "F3 0F 11", "movss", "storeSs", Feature.SSE, Wd, V);
        move(t, "F2 0F 10", "movsd", "loadSd", Feature.SSE2, V, Wq);
        move(t, "F2 0F 11", "movsd", "storeSd", Feature.SSE2, Wq, V);
        move(t, "NP 0F 12", "movlps", "loadLow", Feature.SSE, V, Wq);
        move(t, "66 0F 12", "movlpd", "loadLow", Feature.SSE2, V, Mq);
        move(t, "NP 0F 13", "movlps", "storeLow", Feature.SSE, Mq, V);
        move(t, "66 0F 13", "movlpd", "storeLow", Feature.SSE2, Mq, V);
        move(t, "NP 0F 16", "movhps", "loadHigh", Feature.SSE, V, Wq);
        move(t, "66 0F 16", "movhpd", "loadHigh", Feature.SSE2, V, Mq);
        move(t, "NP 0F 17", "movhps", "storeHigh", Feature.SSE, Mq, V);
        move(t, "66 0F 17", "movhpd", "storeHigh", Feature.SSE2, Mq, V);
        move(t, "66 0F 6E", "movd", "fromGeneral", Feature.SSE2, V, Ey);
        move(t, "66 0F 7E", "movd", "toGeneral", Feature.SSE2, Ey, V);
        move(t, "F3 0F 7E", "movq", "loadQ", Feature.SSE2, V, Wq);
        move(t, "66 0F D6", "movq", "storeQ", Feature.SSE2, Wq, V);
    }

    private static void lanes(OpTable t, String encoding, String name, String method, Feature f) {
        t.op(encoding, name, V, W).lanes(Lanes.class, method).needs(f);
    }

    private static void logic(OpTable t) {
        lanes(t, "NP 0F 54", "andps", "pand", Feature.SSE);
        lanes(t, "66 0F 54", "andpd", "pand", Feature.SSE2);
        lanes(t, "NP 0F 55", "andnps", "pandn", Feature.SSE);
        lanes(t, "66 0F 55", "andnpd", "pandn", Feature.SSE2);
        lanes(t, "NP 0F 56", "orps", "por", Feature.SSE);
        lanes(t, "66 0F 56", "orpd", "por", Feature.SSE2);
        lanes(t, "NP 0F 57", "xorps", "pxor", Feature.SSE);
        lanes(t, "66 0F 57", "xorpd", "pxor", Feature.SSE2);
        lanes(t, "66 0F DB", "pand", "pand", Feature.SSE2);
        lanes(t, "66 0F DF", "pandn", "pandn", Feature.SSE2);
        lanes(t, "66 0F EB", "por", "por", Feature.SSE2);
        lanes(t, "66 0F EF", "pxor", "pxor", Feature.SSE2);
    }

    /** Opcodes in map 0F whose lane functions are named as the mnemonic: one SSE2 row each. */
    private static void integers(OpTable t) {
        String[] rows = {
            "64 pcmpgtb", "65 pcmpgtw", "66 pcmpgtd", "74 pcmpeqb", "75 pcmpeqw", "76 pcmpeqd", "D4 paddq", "D5 pmullw",
            "D8 psubusb", "D9 psubusw", "DA pminub", "DC paddusb", "DD paddusw", "DE pmaxub", "E0 pavgb", "E3 pavgw",
            "E4 pmulhuw", "E5 pmulhw", "E8 psubsb", "E9 psubsw", "EA pminsw", "EC paddsb", "ED paddsw", "EE pmaxsw",
            "F4 pmuludq", "F5 pmaddwd", "F6 psadbw", "F8 psubb", "F9 psubw", "FA psubd", "FB psubq", "FC paddb",
            "FD paddw", "FE paddd"
        };
        for (String row : rows) {
            lanes(t, "66 0F " + row.substring(0, 2), row.substring(3), row.substring(3), Feature.SSE2);
        }
    }

    private static void shuffle(OpTable t, String encoding, String name, Feature f, Operand... operands) {
        t.op(encoding, name, operands).state(Shuffles.class, name).noFlags().needs(f);
    }

    private static void shuffles(OpTable t) {
        String[] rows = {
            "60 punpcklbw",
            "61 punpcklwd",
            "62 punpckldq",
            "63 packsswb",
            "67 packuswb",
            "68 punpckhbw",
            "69 punpckhwd",
            "6A punpckhdq",
            "6B packssdw",
            "6C punpcklqdq",
            "6D punpckhqdq"
        };
        for (String row : rows) {
            shuffle(t, "66 0F " + row.substring(0, 2), row.substring(3), Feature.SSE2, V, W);
        }
        t.op("NP 0F 14", "unpcklps", V, W)
                .state(Shuffles.class, "punpckldq")
                .noFlags()
                .needs(Feature.SSE);
        t.op("66 0F 14", "unpcklpd", V, W)
                .state(Shuffles.class, "punpcklqdq")
                .noFlags()
                .needs(Feature.SSE2);
        t.op("NP 0F 15", "unpckhps", V, W)
                .state(Shuffles.class, "punpckhdq")
                .noFlags()
                .needs(Feature.SSE);
        t.op("66 0F 15", "unpckhpd", V, W)
                .state(Shuffles.class, "punpckhqdq")
                .noFlags()
                .needs(Feature.SSE2);
        shuffle(t, "66 0F 70", "pshufd", Feature.SSE2, V, W, Ib);
        shuffle(t, "F2 0F 70", "pshuflw", Feature.SSE2, V, W, Ib);
        shuffle(t, "F3 0F 70", "pshufhw", Feature.SSE2, V, W, Ib);
        shuffle(t, "NP 0F C6", "shufps", Feature.SSE, V, W, Ib);
        shuffle(t, "66 0F C6", "shufpd", Feature.SSE2, V, W, Ib);
        shuffle(t, "66 0F 73 /7", "pslldq", Feature.SSE2, U, Ib);
        shuffle(t, "66 0F 73 /3", "psrldq", Feature.SSE2, U, Ib);
        shuffle(t, "66 0F D7", "pmovmskb", Feature.SSE2, Gd, U);
        shuffle(t, "NP 0F 50", "movmskps", Feature.SSE, Gd, U);
        shuffle(t, "66 0F 50", "movmskpd", Feature.SSE2, Gd, U);
        shuffle(t, "66 0F C5", "pextrw", Feature.SSE2, Gd, U, Ib);
        t.op("66 0F C4", "pinsrw", V, Ed, Ib)
                .state(Shuffles.class, "pinsrw")
                .registerOnly()
                .noFlags()
                .needs(Feature.SSE2);
        shuffle(t, "66 0F C4", "pinsrw", Feature.SSE2, V, Mw, Ib);
        String[] immediate = {
            "71 /2 psrlw",
            "71 /4 psraw",
            "71 /6 psllw",
            "72 /2 psrld",
            "72 /4 psrad",
            "72 /6 pslld",
            "73 /2 psrlq",
            "73 /6 psllq"
        };
        for (String row : immediate) {
            t.op("66 0F " + row.substring(0, 5), row.substring(6), U, Ib)
                    .state(Shuffles.class, "shiftImmediate")
                    .noFlags()
                    .needs(Feature.SSE2);
        }
        String[] variable = {
            "D1 psrlw", "D2 psrld", "D3 psrlq", "E1 psraw", "E2 psrad", "F1 psllw", "F2 pslld", "F3 psllq"
        };
        for (String row : variable) {
            t.op("66 0F " + row.substring(0, 2), row.substring(3), V, W)
                    .state(Shuffles.class, "shiftVariable")
                    .noFlags()
                    .needs(Feature.SSE2);
        }
    }

    private static void floats(OpTable t) {
        String[] rows = {"51 sqrt", "58 add", "59 mul", "5C sub", "5D min", "5E div", "5F max"};
        for (String row : rows) {
            String code = "0F " + row.substring(0, 2);
            String name = row.substring(3);
            t.op("NP " + code, name + "ps", V, W)
                    .state(Arithmetic.class, "ps")
                    .noFlags()
                    .needs(Feature.SSE);
            t.op("F3 " + code, name + "ss", V, Wd)
                    .state(Arithmetic.class, "ss")
                    .noFlags()
                    .needs(Feature.SSE);
            t.op("66 " + code, name + "pd", V, W)
                    .state(Arithmetic.class, "pd")
                    .noFlags()
                    .needs(Feature.SSE2);
            t.op("F2 " + code, name + "sd", V, Wq)
                    .state(Arithmetic.class, "sd")
                    .noFlags()
                    .needs(Feature.SSE2);
        }
        for (String r : new String[] {"NP 0F 52 rsqrtps", "F3 0F 52 rsqrtss", "NP 0F 53 rcpps", "F3 0F 53 rcpss"}) {
            t.op(r.substring(0, 8), r.substring(9), V, r.startsWith("F3") ? Wd : W)
                    .state(Approximations.class, r.substring(9))
                    .noFlags()
                    .needs(Feature.SSE);
        }
        t.op("NP 0F C2", "cmpps", V, W, Ib)
                .state(Arithmetic.class, "cmpps")
                .noFlags()
                .needs(Feature.SSE);
        t.op("F3 0F C2", "cmpss", V, Wd, Ib)
                .state(Arithmetic.class, "cmpss")
                .noFlags()
                .needs(Feature.SSE);
        t.op("66 0F C2", "cmppd", V, W, Ib)
                .state(Arithmetic.class, "cmppd")
                .noFlags()
                .needs(Feature.SSE2);
        t.op("F2 0F C2", "cmpsd", V, Wq, Ib)
                .state(Arithmetic.class, "cmpsd")
                .noFlags()
                .needs(Feature.SSE2);
        t.op("NP 0F 2E", "ucomiss", V, Wd).state(Arithmetic.class, "ucomiss").needs(Feature.SSE);
        t.op("NP 0F 2F", "comiss", V, Wd).state(Arithmetic.class, "comiss").needs(Feature.SSE);
        t.op("66 0F 2E", "ucomisd", V, Wq).state(Arithmetic.class, "ucomisd").needs(Feature.SSE2);
        t.op("66 0F 2F", "comisd", V, Wq).state(Arithmetic.class, "comisd").needs(Feature.SSE2);
    }

    private static void convert(OpTable t, String encoding, String name, Feature f, Operand... operands) {
        t.op(encoding, name, operands).state(Conversions.class, name).noFlags().needs(f);
    }

    private static void conversions(OpTable t) {
        convert(t, "F3 0F 2A", "cvtsi2ss", Feature.SSE, V, Ey);
        convert(t, "F2 0F 2A", "cvtsi2sd", Feature.SSE2, V, Ey);
        convert(t, "F3 0F 2C", "cvttss2si", Feature.SSE, Gy, Wd);
        convert(t, "F3 0F 2D", "cvtss2si", Feature.SSE, Gy, Wd);
        convert(t, "F2 0F 2C", "cvttsd2si", Feature.SSE2, Gy, Wq);
        convert(t, "F2 0F 2D", "cvtsd2si", Feature.SSE2, Gy, Wq);
        convert(t, "F3 0F 5A", "cvtss2sd", Feature.SSE2, V, Wd);
        convert(t, "F2 0F 5A", "cvtsd2ss", Feature.SSE2, V, Wq);
        convert(t, "NP 0F 5A", "cvtps2pd", Feature.SSE2, V, Wq);
        convert(t, "66 0F 5A", "cvtpd2ps", Feature.SSE2, V, W);
        convert(t, "F3 0F E6", "cvtdq2pd", Feature.SSE2, V, Wq);
        convert(t, "NP 0F 5B", "cvtdq2ps", Feature.SSE2, V, W);
        convert(t, "66 0F 5B", "cvtps2dq", Feature.SSE2, V, W);
        convert(t, "F3 0F 5B", "cvttps2dq", Feature.SSE2, V, W);
        convert(t, "F2 0F E6", "cvtpd2dq", Feature.SSE2, V, W);
        convert(t, "66 0F E6", "cvttpd2dq", Feature.SSE2, V, W);
    }

    private static void save(OpTable t, String encoding, String name, Feature f, Operand... operands) {
        t.op(encoding, name, operands).state(StateSave.class, name).noFlags().needs(f);
    }

    private static void state(OpTable t) {
        save(t, "NP 0F AE /0", "fxsave", Feature.FXSR, Operand.M);
        save(t, "NP 0F AE /1", "fxrstor", Feature.FXSR, Operand.M);
        save(t, "NP 0F AE /2", "ldmxcsr", Feature.SSE, Operand.Md);
        save(t, "NP 0F AE /3", "stmxcsr", Feature.SSE, Operand.Md);
        save(t, "NP 0F AE /4", "xsave", Feature.XSAVE, Operand.M);
        save(t, "NP 0F AE /5", "xrstor", Feature.XSAVE, Operand.M);
        save(t, "NP 0F AE /6", "xsaveopt", Feature.XSAVEOPT, Operand.M);
        save(t, "NP 0F C7 /4", "xsavec", Feature.XSAVEC, Operand.M);
    }
}
