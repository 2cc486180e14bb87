package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.Ey;
import static org.softkvm.emulator.decode.Operand.Gy;
import static org.softkvm.emulator.decode.Operand.Mq;
import static org.softkvm.emulator.decode.Operand.Mx;
import static org.softkvm.emulator.decode.Operand.V;
import static org.softkvm.emulator.decode.Operand.W;

import org.softkvm.emulator.simd.Lanes;
import org.softkvm.emulator.simd.Moves;

/** Rows of the instruction table: SSE and SSE2. */
final class SseRows {
    private SseRows() {}

    static void define(OpTable t) {
        moves(t);
        logic(t);
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
        move(t, "NP 0F C3", "movnti", "storeGeneral", Feature.SSE2, Operand.M, Gy);
        move(t, "F3 0F 10", "movss", "loadSs", Feature.SSE, V, W);
        move(t, "F3 0F 11", "movss", "storeSs", Feature.SSE, W, V);
        move(t, "F2 0F 10", "movsd", "loadSd", Feature.SSE2, V, W);
        move(t, "F2 0F 11", "movsd", "storeSd", Feature.SSE2, W, V);
        move(t, "NP 0F 12", "movlps", "loadLow", Feature.SSE, V, W);
        move(t, "66 0F 12", "movlpd", "loadLow", Feature.SSE2, V, Mq);
        move(t, "NP 0F 13", "movlps", "storeLow", Feature.SSE, Mq, V);
        move(t, "66 0F 13", "movlpd", "storeLow", Feature.SSE2, Mq, V);
        move(t, "NP 0F 16", "movhps", "loadHigh", Feature.SSE, V, W);
        move(t, "66 0F 16", "movhpd", "loadHigh", Feature.SSE2, V, Mq);
        move(t, "NP 0F 17", "movhps", "storeHigh", Feature.SSE, Mq, V);
        move(t, "66 0F 17", "movhpd", "storeHigh", Feature.SSE2, Mq, V);
        move(t, "66 0F 6E", "movd", "fromGeneral", Feature.SSE2, V, Ey);
        move(t, "66 0F 7E", "movd", "toGeneral", Feature.SSE2, Ey, V);
        move(t, "F3 0F 7E", "movq", "loadQ", Feature.SSE2, V, W);
        move(t, "66 0F D6", "movq", "storeQ", Feature.SSE2, W, V);
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
}
