package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.Ed;
import static org.softkvm.emulator.decode.Operand.Ey;
import static org.softkvm.emulator.decode.Operand.Ib;
import static org.softkvm.emulator.decode.Operand.Mb;
import static org.softkvm.emulator.decode.Operand.Mw;
import static org.softkvm.emulator.decode.Operand.Mx;
import static org.softkvm.emulator.decode.Operand.V;
import static org.softkvm.emulator.decode.Operand.W;
import static org.softkvm.emulator.decode.Operand.Wd;
import static org.softkvm.emulator.decode.Operand.Wq;
import static org.softkvm.emulator.decode.Operand.Ww;

import org.softkvm.emulator.simd.Lanes;
import org.softkvm.emulator.simd.Sse41;
import org.softkvm.emulator.simd.Sse41Float;
import org.softkvm.emulator.simd.StringCompare;

/** Rows of the instruction table: SSE4.1 and SSE4.2 (CRC32 and POPCNT are among the integer rows). */
final class Sse4Rows {
    private Sse4Rows() {}

    static void define(OpTable t) {
        lanes(t);
        vectors(t);
        immediates(t);
        elements(t);
        strings(t);
    }

    private static void lanes(OpTable t) {
        for (String r : new String[] {
            "28 pmuldq",
            "29 pcmpeqq",
            "38 pminsb",
            "39 pminsd",
            "3A pminuw",
            "3B pminud",
            "3C pmaxsb",
            "3D pmaxsd",
            "3E pmaxuw",
            "3F pmaxud",
            "40 pmulld"
        }) {
            t.op("66 0F 38 " + r.substring(0, 2), r.substring(3), V, W)
                    .lanes(Lanes.class, r.substring(3))
                    .needs(Feature.SSE41);
        }
        t.op("66 0F 38 37", "pcmpgtq", V, W).lanes(Lanes.class, "pcmpgtq").needs(Feature.SSE42);
    }

    private static void vectors(OpTable t) {
        for (String r : new String[] {"10 pblendvb", "14 blendvps", "15 blendvpd", "2B packusdw", "41 phminposuw"}) {
            t.op("66 0F 38 " + r.substring(0, 2), r.substring(3), V, W)
                    .state(Sse41.class, r.substring(3))
                    .noFlags()
                    .needs(Feature.SSE41);
        }
        String[] widenings = {"bw", "bd", "bq", "wd", "wq", "dq"};
        Operand[] sources = {Wq, Wd, Ww, Wq, Wd, Wq};
        for (int k = 0; k < 6; k++) {
            t.op("66 0F 38 2" + k, "pmovsx" + widenings[k], V, sources[k])
                    .state(Sse41.class, "pmovsx" + widenings[k])
                    .noFlags()
                    .needs(Feature.SSE41);
            t.op("66 0F 38 3" + k, "pmovzx" + widenings[k], V, sources[k])
                    .state(Sse41.class, "pmovzx" + widenings[k])
                    .noFlags()
                    .needs(Feature.SSE41);
        }
        t.op("66 0F 38 17", "ptest", V, W).state(Sse41.class, "ptest").needs(Feature.SSE41);
        t.op("66 0F 38 2A", "movntdqa", V, Mx)
                .state(Sse41.class, "movntdqa")
                .noFlags()
                .needs(Feature.SSE41);
    }

    private static void immediates(OpTable t) {
        for (String r : new String[] {"0C blendps", "0D blendpd", "0E pblendw", "42 mpsadbw"}) {
            t.op("66 0F 3A " + r.substring(0, 2), r.substring(3), V, W, Ib)
                    .state(Sse41.class, r.substring(3))
                    .noFlags()
                    .needs(Feature.SSE41);
        }
        for (String r : new String[] {"08 roundps", "09 roundpd", "0A roundss", "0B roundsd", "40 dpps", "41 dppd"}) {
            Operand source = r.endsWith("ss") ? Wd : r.endsWith("sd") ? Wq : W;
            t.op("66 0F 3A " + r.substring(0, 2), r.substring(3), V, source, Ib)
                    .state(Sse41Float.class, r.substring(3))
                    .noFlags()
                    .needs(Feature.SSE41);
        }
    }

    private static void element(OpTable t, String encoding, String name, String method, Operand... operands) {
        Op op = t.op(encoding, name, operands)
                .state(Sse41.class, method)
                .noFlags()
                .needs(Feature.SSE41);
        if (operands[0] == Ed && !name.equals("extractps") || operands[1] == Ed) {
            op.registerOnly();
        }
    }

    /** Bytes and words have a row for the register, which is 32 bits wide, and one for memory. */
    private static void elements(OpTable t) {
        element(t, "66 0F 3A 14", "pextrb", "pextrb", Ed, V, Ib);
        element(t, "66 0F 3A 14", "pextrb", "pextrb", Mb, V, Ib);
        element(t, "66 0F 3A 15", "pextrw", "pextrw", Ed, V, Ib);
        element(t, "66 0F 3A 15", "pextrw", "pextrw", Mw, V, Ib);
        element(t, "66 0F 3A 16", "pextr", "pextr", Ey, V, Ib);
        element(t, "66 0F 3A 17", "extractps", "extractps", Ed, V, Ib);
        element(t, "66 0F 3A 21", "insertps", "insertps", V, Wd, Ib);
        element(t, "66 0F 3A 20", "pinsrb", "pinsrb", V, Ed, Ib);
        element(t, "66 0F 3A 20", "pinsrb", "pinsrb", V, Mb, Ib);
        element(t, "66 0F 3A 22", "pinsr", "pinsr", V, Ey, Ib);
    }

    private static void strings(OpTable t) {
        for (String r : new String[] {"60 pcmpestrm", "61 pcmpestri", "62 pcmpistrm", "63 pcmpistri"}) {
            t.op("66 0F 3A " + r.substring(0, 2), r.substring(3), V, W, Ib)
                    .state(StringCompare.class, r.substring(3))
                    .needs(Feature.SSE42);
        }
    }
}
