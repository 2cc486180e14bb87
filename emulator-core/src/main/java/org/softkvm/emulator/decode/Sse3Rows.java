package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.Ib;
import static org.softkvm.emulator.decode.Operand.Mx;
import static org.softkvm.emulator.decode.Operand.P;
import static org.softkvm.emulator.decode.Operand.Q;
import static org.softkvm.emulator.decode.Operand.V;
import static org.softkvm.emulator.decode.Operand.W;
import static org.softkvm.emulator.decode.Operand.Wq;

import org.softkvm.emulator.simd.Lanes;
import org.softkvm.emulator.simd.Moves;
import org.softkvm.emulator.simd.Sse3;

/** Rows of the instruction table: SSE3 and SSSE3. */
final class Sse3Rows {
    private Sse3Rows() {}

    static void define(OpTable t) {
        for (String r : new String[] {
            "66 0F D0 addsubpd",
            "F2 0F D0 addsubps",
            "66 0F 7C haddpd",
            "F2 0F 7C haddps",
            "66 0F 7D hsubpd",
            "F2 0F 7D hsubps",
            "F3 0F 12 movsldup",
            "F3 0F 16 movshdup",
            "F2 0F 12 movddup"
        }) {
            t.op(r.substring(0, 8), r.substring(9), V, r.endsWith("movddup") ? Wq : W)
                    .state(Sse3.class, r.substring(9))
                    .noFlags()
                    .needs(Feature.SSE3);
        }
        t.op("F2 0F F0", "lddqu", V, Mx)
                .state(Moves.class, "loadUnaligned")
                .noFlags()
                .needs(Feature.SSE3);
        for (String r : new String[] {
            "04 pmaddubsw", "08 psignb", "09 psignw", "0A psignd", "0B pmulhrsw", "1C pabsb", "1D pabsw", "1E pabsd"
        }) {
            String name = r.substring(3);
            t.op("NP 0F 38 " + r.substring(0, 2), name, P, Q)
                    .lanes(Lanes.class, name)
                    .needs(Feature.SSSE3);
            t.op("66 0F 38 " + r.substring(0, 2), name, V, W)
                    .lanes(Lanes.class, name)
                    .needs(Feature.SSSE3);
        }
        for (String r : new String[] {"01 phaddw", "02 phaddd", "03 phaddsw", "05 phsubw", "06 phsubd", "07 phsubsw"}) {
            String name = r.substring(3);
            t.op("NP 0F 38 " + r.substring(0, 2), name, P, Q)
                    .state(Sse3.class, name)
                    .noFlags()
                    .needs(Feature.SSSE3);
            t.op("66 0F 38 " + r.substring(0, 2), name, V, W)
                    .state(Sse3.class, name)
                    .noFlags()
                    .needs(Feature.SSSE3);
        }
        t.op("NP 0F 38 00", "pshufb", P, Q).lanes(Sse3.class, "pshufb").needs(Feature.SSSE3);
        t.op("66 0F 38 00", "pshufb", V, W)
                .state(Sse3.class, "pshufb")
                .noFlags()
                .needs(Feature.SSSE3);
        t.op("NP 0F 3A 0F", "palignr", P, Q, Ib)
                .state(Sse3.class, "palignrMmx")
                .noFlags()
                .needs(Feature.SSSE3);
        t.op("66 0F 3A 0F", "palignr", V, W, Ib)
                .state(Sse3.class, "palignr")
                .noFlags()
                .needs(Feature.SSSE3);
    }
}
