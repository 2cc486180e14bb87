package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.Ed;
import static org.softkvm.emulator.decode.Operand.Ey;
import static org.softkvm.emulator.decode.Operand.Gd;
import static org.softkvm.emulator.decode.Operand.Ib;
import static org.softkvm.emulator.decode.Operand.Mq;
import static org.softkvm.emulator.decode.Operand.Mw;
import static org.softkvm.emulator.decode.Operand.N;
import static org.softkvm.emulator.decode.Operand.P;
import static org.softkvm.emulator.decode.Operand.Q;
import static org.softkvm.emulator.decode.Operand.Qd;
import static org.softkvm.emulator.decode.Operand.U;
import static org.softkvm.emulator.decode.Operand.V;
import static org.softkvm.emulator.decode.Operand.W;
import static org.softkvm.emulator.decode.Operand.Wq;

import org.softkvm.emulator.simd.Lanes;
import org.softkvm.emulator.simd.Mmx;

/** Rows of the instruction table: MMX, and the MMX forms that SSE and SSE2 added. */
final class MmxRows {
    private MmxRows() {}

    static void define(OpTable t) {
        lanes(
                t,
                Feature.MMX,
                "64 pcmpgtb",
                "65 pcmpgtw",
                "66 pcmpgtd",
                "74 pcmpeqb",
                "75 pcmpeqw",
                "76 pcmpeqd",
                "D5 pmullw",
                "D8 psubusb",
                "D9 psubusw",
                "DB pand",
                "DC paddusb",
                "DD paddusw",
                "DF pandn",
                "E5 pmulhw",
                "E8 psubsb",
                "E9 psubsw",
                "EB por",
                "EC paddsb",
                "ED paddsw",
                "EF pxor",
                "F5 pmaddwd",
                "F8 psubb",
                "F9 psubw",
                "FA psubd",
                "FC paddb",
                "FD paddw",
                "FE paddd");
        lanes(
                t,
                Feature.SSE,
                "DA pminub",
                "DE pmaxub",
                "E0 pavgb",
                "E3 pavgw",
                "E4 pmulhuw",
                "EA pminsw",
                "EE pmaxsw",
                "F6 psadbw");
        lanes(t, Feature.SSE2, "D4 paddq", "F4 pmuludq", "FB psubq");
        named(
                t,
                "60 punpcklbw",
                "61 punpcklwd",
                "62 punpckldq",
                "63 packsswb",
                "67 packuswb",
                "68 punpckhbw",
                "69 punpckhwd",
                "6A punpckhdq",
                "6B packssdw");
        row(t, "NP 0F 77", "emms", "emms", Feature.MMX);
        row(t, "NP 0F 6E", "movd", "fromGeneral", Feature.MMX, P, Ey);
        row(t, "NP 0F 7E", "movd", "toGeneral", Feature.MMX, Ey, P);
        row(t, "NP 0F 6F", "movq", "load", Feature.MMX, P, Q);
        row(t, "NP 0F 7F", "movq", "store", Feature.MMX, Q, P);
        row(t, "NP 0F E7", "movntq", "store", Feature.SSE, Mq, P);
        for (String r : new String[] {
            "71 /2 psrlw",
            "71 /4 psraw",
            "71 /6 psllw",
            "72 /2 psrld",
            "72 /4 psrad",
            "72 /6 pslld",
            "73 /2 psrlq",
            "73 /6 psllq"
        }) {
            row(t, "NP 0F " + r.substring(0, 5), r.substring(6), "shiftImmediate", Feature.MMX, N, Ib);
        }
        for (String r : new String[] {
            "D1 psrlw", "D2 psrld", "D3 psrlq", "E1 psraw", "E2 psrad", "F1 psllw", "F2 pslld", "F3 psllq"
        }) {
            row(t, "NP 0F " + r.substring(0, 2), r.substring(3), "shiftVariable", Feature.MMX, P, Q);
        }
        row(t, "NP 0F 70", "pshufw", "pshufw", Feature.SSE, P, Q, Ib);
        row(t, "NP 0F D7", "pmovmskb", "pmovmskb", Feature.SSE, Gd, N);
        row(t, "NP 0F C5", "pextrw", "pextrw", Feature.SSE, Gd, N, Ib);
        t.op("NP 0F C4", "pinsrw", P, Ed, Ib)
                .state(Mmx.class, "pinsrw")
                .registerOnly()
                .noFlags()
                .needs(Feature.SSE);
        row(t, "NP 0F C4", "pinsrw", "pinsrw", Feature.SSE, P, Mw, Ib);
        row(t, "NP 0F F7", "maskmovq", "maskmovq", Feature.SSE, P, N);
        row(t, "66 0F F7", "maskmovdqu", "maskmovdqu", Feature.SSE2, V, U);
        row(t, "F3 0F D6", "movq2dq", "movq2dq", Feature.SSE2, V, N);
        row(t, "F2 0F D6", "movdq2q", "movdq2q", Feature.SSE2, P, U);
        row(t, "NP 0F 2A", "cvtpi2ps", "cvtpi2ps", Feature.SSE, V, Q);
        row(t, "66 0F 2A", "cvtpi2pd", "cvtpi2pd", Feature.SSE2, V, Q);
        row(t, "NP 0F 2C", "cvttps2pi", "cvttps2pi", Feature.SSE, P, Wq);
        row(t, "NP 0F 2D", "cvtps2pi", "cvtps2pi", Feature.SSE, P, Wq);
        row(t, "66 0F 2C", "cvttpd2pi", "cvttpd2pi", Feature.SSE2, P, W);
        row(t, "66 0F 2D", "cvtpd2pi", "cvtpd2pi", Feature.SSE2, P, W);
    }

    private static void row(OpTable t, String encoding, String name, String method, Feature f, Operand... operands) {
        t.op(encoding, name, operands).state(Mmx.class, method).noFlags().needs(f);
    }

    private static void named(OpTable t, String... rows) {
        for (String r : rows) {
            // The low-half unpacks read 32 bits.
            Operand source = r.startsWith("60") || r.startsWith("61") || r.startsWith("62") ? Qd : Q;
            row(t, "NP 0F " + r.substring(0, 2), r.substring(3), r.substring(3), Feature.MMX, P, source);
        }
    }

    private static void lanes(OpTable t, Feature f, String... rows) {
        for (String r : rows) {
            t.op("NP 0F " + r.substring(0, 2), r.substring(3), P, Q)
                    .lanes(Lanes.class, r.substring(3))
                    .needs(f);
        }
    }
}
