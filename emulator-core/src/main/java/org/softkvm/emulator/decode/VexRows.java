package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.Ed;
import static org.softkvm.emulator.decode.Operand.Ey;
import static org.softkvm.emulator.decode.Operand.Gd;
import static org.softkvm.emulator.decode.Operand.Gy;
import static org.softkvm.emulator.decode.Operand.H;
import static org.softkvm.emulator.decode.Operand.Ib;
import static org.softkvm.emulator.decode.Operand.Mb;
import static org.softkvm.emulator.decode.Operand.Md;
import static org.softkvm.emulator.decode.Operand.Mq;
import static org.softkvm.emulator.decode.Operand.Mw;
import static org.softkvm.emulator.decode.Operand.U;
import static org.softkvm.emulator.decode.Operand.V;
import static org.softkvm.emulator.decode.Operand.W;
import static org.softkvm.emulator.decode.Operand.Wd;
import static org.softkvm.emulator.decode.Operand.Wq;
import static org.softkvm.emulator.decode.Operand.Ww;
import static org.softkvm.emulator.decode.Operand.Wx;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.softkvm.emulator.simd.Arithmetic;
import org.softkvm.emulator.simd.Conversions;
import org.softkvm.emulator.simd.Lanes;
import org.softkvm.emulator.simd.Mmx;
import org.softkvm.emulator.simd.Moves;
import org.softkvm.emulator.simd.Shuffles;
import org.softkvm.emulator.simd.Sse41;
import org.softkvm.emulator.simd.Sse41Float;
import org.softkvm.emulator.simd.StateSave;
import org.softkvm.emulator.simd.StringCompare;
import org.softkvm.emulator.simd.VexMoves;

/**
 * Rows of the instruction table: the VEX forms of SSE instructions, made from the SSE rows where these say it all. 256-bit
 * integer forms are AVX2.
 */
final class VexRows {
    private static final String[] MAPS = {"", "0F", "0F38", "0F3A"};

    private VexRows() {}

    static void define(OpTable t) {
        // Destination, first source in VEX.vvvv, second source.
        packed(t, Feature.AVX2, true, Op.Prefix.P66, 1, "60 61 62 63 64 65 66 67 68 69 6A 6B 6C 6D 74 75 76 D4 D5");
        packed(t, Feature.AVX2, true, Op.Prefix.P66, 1, "D8 D9 DA DB DC DD DE DF E0 E3 E4 E5 E8 E9 EA EB EC ED EE EF");
        packed(t, Feature.AVX2, true, Op.Prefix.P66, 1, "F4 F5 F6 F8 F9 FA FB FC FD FE");
        packed(t, Feature.AVX2, true, Op.Prefix.P66, 2, "00 01 02 03 04 05 06 07 08 09 0A 0B 28 29 2B 37 38 39 3A 3B");
        packed(t, Feature.AVX2, true, Op.Prefix.P66, 2, "3C 3D 3E 3F 40");
        packed(t, Feature.AVX2, true, Op.Prefix.P66, 3, "0E 0F 42");
        packed(t, Feature.AVX, true, Op.Prefix.NP, 1, "14 15 54 55 56 57 58 59 5C 5D 5E 5F C2 C6");
        packed(t, Feature.AVX, true, Op.Prefix.P66, 1, "14 15 54 55 56 57 58 59 5C 5D 5E 5F C2 C6 7C 7D D0");
        packed(t, Feature.AVX, true, Op.Prefix.PF2, 1, "7C 7D D0");
        packed(t, Feature.AVX, true, Op.Prefix.P66, 3, "0C 0D");
        packed(t, null, true, Op.Prefix.P66, 3, "40 41");
        t.op("VEX.256.66.0F3A.WIG 40", "vdpps", V, H, W, Ib)
                .state(Sse41Float.class, "dpps256")
                .noFlags()
                .needs(Feature.AVX);
        // Destination and source.
        packed(t, Feature.AVX2, false, Op.Prefix.P66, 1, "70");
        packed(t, Feature.AVX2, false, Op.Prefix.PF2, 1, "70");
        packed(t, Feature.AVX2, false, Op.Prefix.PF3, 1, "70");
        packed(t, Feature.AVX2, false, Op.Prefix.P66, 2, "1C 1D 1E");
        packed(t, null, false, Op.Prefix.P66, 2, "41");
        packed(t, Feature.AVX, false, Op.Prefix.NP, 1, "51 52 53 5B");
        packed(t, Feature.AVX, false, Op.Prefix.P66, 1, "51 5B");
        packed(t, Feature.AVX, false, Op.Prefix.PF3, 1, "12 16 5B");
        packed(t, Feature.AVX, false, Op.Prefix.P66, 3, "08 09");
        // Scalars.
        scalar(t, Op.Prefix.PF3, 1, "2A 51 52 53 58 59 5A 5C 5D 5E 5F C2");
        scalar(t, Op.Prefix.PF2, 1, "2A 51 58 59 5A 5C 5D 5E 5F C2");
        scalar(t, Op.Prefix.P66, 3, "0A 0B");
        crypto(t);
        shifts(t);
        moves(t);
        elements(t);
        others(t);
    }

    /** The name of a prefix in encodings. */
    private static String prefix(Op.Prefix p) {
        return switch (p) {
            case P66 -> "66";
            case PF3 -> "F3";
            case PF2 -> "F2";
            default -> "NP";
        };
    }

    /** The operands of an SSE row with a first source behind the destination. */
    private static Operand[] withFirstSource(Op sse) {
        List<Operand> operands = new ArrayList<>(sse.operands());
        operands.add(1, H);
        return operands.toArray(new Operand[0]);
    }

    private static void packed(OpTable t, Feature wide, boolean first, Op.Prefix p, int map, String opcodes) {
        for (String opcode : opcodes.split(" ")) {
            Op sse = t.sse(p, map, Integer.parseInt(opcode, 16));
            Operand[] operands = first ? withFirstSource(sse) : sse.operands().toArray(new Operand[0]);
            for (int l = 0; l < (wide == null ? 1 : 2); l++) {
                String encoding = "VEX." + (l == 0 ? "128." : "256.") + prefix(p) + "." + MAPS[map] + ".WIG " + opcode;
                Op op = t.op(encoding, "v" + sse.mnemonic(), operands).needs(l == 0 ? Feature.AVX : wide);
                if (sse.kind() == Op.Kind.LANES) {
                    op.vexLanes(sse.owner(), sse.method());
                } else if (l == 0 && !first) {
                    op.direct(sse.owner(), sse.method());
                } else {
                    op.halves(sse.owner(), sse.method());
                    if (hasExceptions(sse)) {
                        op.floating();
                    }
                    op.highImmediate(highImmediate(sse.mnemonic()));
                }
            }
        }
    }

    private static final Set<String> HORIZONTAL =
            Set.of("addsubps", "addsubpd", "haddps", "haddpd", "hsubps", "hsubpd");

    /** Whether MXCSR has a part in it. */
    private static boolean hasExceptions(Op sse) {
        return sse.owner() == Arithmetic.class
                || sse.owner() == Conversions.class
                || sse.owner() == Sse41Float.class
                || HORIZONTAL.contains(sse.mnemonic());
    }

    /** Where the bits of the immediate lie that are for the upper half. */
    private static int highImmediate(String sse) {
        return switch (sse) {
            case "blendps" -> 4;
            case "mpsadbw" -> 3;
            case "blendpd", "shufpd" -> 2;
            default -> 0;
        };
    }

    private static void scalar(OpTable t, Op.Prefix p, int map, String opcodes) {
        for (String opcode : opcodes.split(" ")) {
            Op sse = t.sse(p, map, Integer.parseInt(opcode, 16));
            // The integer of VCVTSI2SS and VCVTSI2SD is as wide as VEX.W says.
            String w = sse.operands().contains(Ey) ? " " : ".WIG ";
            t.op("VEX.LIG." + prefix(p) + "." + MAPS[map] + w + opcode, "v" + sse.mnemonic(), withFirstSource(sse))
                    .halves(sse.owner(), sse.method())
                    .needs(Feature.AVX);
        }
    }

    /** AES-NI and PCLMULQDQ; with 256 bits they are VAES and VPCLMULQDQ. */
    private static void crypto(OpTable t) {
        for (int opcode = 0xDC; opcode <= 0xDF; opcode++) {
            crypto(t, 2, opcode, Feature.VAES);
        }
        crypto(t, 3, 0x44, Feature.VPCLMULQDQ);
        for (int map = 2; map <= 3; map++) {
            int opcode = map == 2 ? 0xDB : 0xDF;
            Op sse = t.sse(Op.Prefix.P66, map, opcode);
            same(
                            t,
                            "VEX.128.66." + MAPS[map] + ".WIG " + IntegerRows.hex(opcode),
                            "v" + sse.mnemonic(),
                            sse.owner(),
                            sse.method(),
                            sse.operands().toArray(new Operand[0]))
                    .alsoNeeds(sse.feature());
        }
    }

    private static void crypto(OpTable t, int map, int opcode, Feature wide) {
        Op sse = t.sse(Op.Prefix.P66, map, opcode);
        merge(
                        t,
                        "VEX.128.66." + MAPS[map] + ".WIG " + IntegerRows.hex(opcode),
                        "v" + sse.mnemonic(),
                        sse.owner(),
                        sse.method(),
                        withFirstSource(sse))
                .alsoNeeds(sse.feature());
        t.op("VEX.256.66." + MAPS[map] + ".WIG " + IntegerRows.hex(opcode), "v" + sse.mnemonic(), withFirstSource(sse))
                .halves(sse.owner(), sse.method())
                .needs(wide);
    }

    private static void shifts(OpTable t) {
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
        String[] variable = {
            "D1 psrlw", "D2 psrld", "D3 psrlq", "E1 psraw", "E2 psrad", "F1 psllw", "F2 pslld", "F3 psllq"
        };
        for (int l = 0; l < 2; l++) {
            String start = l == 0 ? "VEX.128.66.0F.WIG " : "VEX.256.66.0F.WIG ";
            Feature f = l == 0 ? Feature.AVX : Feature.AVX2;
            for (String row : immediate) {
                t.op(start + row.substring(0, 5), "v" + row.substring(6), H, U, Ib)
                        .vexLanes(Lanes.class, row.substring(6))
                        .needs(f);
            }
            for (String row : variable) {
                t.op(start + row.substring(0, 2), "v" + row.substring(3), V, H, Wx)
                        .vexLanes(Lanes.class, row.substring(3))
                        .needs(f);
            }
        }
    }

    /** A form whose first source stands for the SSE form's destination. */
    private static Op merge(
            OpTable t, String encoding, String name, Class<?> owner, String method, Operand... operands) {
        return t.op(encoding, name, operands).halves(owner, method).needs(Feature.AVX);
    }

    /** A 128-bit form with the operands of the SSE form. */
    private static Op same(
            OpTable t, String encoding, String name, Class<?> owner, String method, Operand... operands) {
        return t.op(encoding, name, operands).direct(owner, method).needs(Feature.AVX);
    }

    private static void moves(OpTable t) {
        for (String p : new String[] {"NP", "66"}) {
            String start = "VEX.128." + p + ".0F.WIG ";
            String suffix = p.equals("NP") ? "s" : "d";
            merge(t, start + "12", "vmovlp" + suffix, Moves.class, "loadLow", V, H, Mq);
            merge(t, start + "16", "vmovhp" + suffix, Moves.class, "loadHigh", V, H, Mq);
            same(t, start + "13", "vmovlp" + suffix, Moves.class, "storeLow", Mq, V);
            same(t, start + "17", "vmovhp" + suffix, Moves.class, "storeHigh", Mq, V);
        }
        merge(t, "VEX.128.NP.0F.WIG 12", "vmovhlps", Moves.class, "loadLow", V, H, U);
        merge(t, "VEX.128.NP.0F.WIG 16", "vmovlhps", Moves.class, "loadHigh", V, H, U);
        same(t, "VEX.LIG.F3.0F.WIG 10", "vmovss", Moves.class, "loadSs", V, Md);
        same(t, "VEX.LIG.F2.0F.WIG 10", "vmovsd", Moves.class, "loadSd", V, Mq);
        same(t, "VEX.LIG.F3.0F.WIG 11", "vmovss", Moves.class, "storeSs", Md, V);
        same(t, "VEX.LIG.F2.0F.WIG 11", "vmovsd", Moves.class, "storeSd", Mq, V);
        merge(t, "VEX.LIG.F3.0F.WIG 10", "vmovss", Moves.class, "loadSs", V, H, Wd)
                .registerOnly();
        merge(t, "VEX.LIG.F2.0F.WIG 10", "vmovsd", Moves.class, "loadSd", V, H, Wq)
                .registerOnly();
        t.op("VEX.LIG.F3.0F.WIG 11", "vmovss", Wd, H, V)
                .state(VexMoves.class, "mergeSs")
                .registerOnly()
                .noFlags()
                .needs(Feature.AVX);
        t.op("VEX.LIG.F2.0F.WIG 11", "vmovsd", Wq, H, V)
                .state(VexMoves.class, "mergeSd")
                .registerOnly()
                .noFlags()
                .needs(Feature.AVX);
        same(t, "VEX.128.F2.0F.WIG 12", "vmovddup", org.softkvm.emulator.simd.Sse3.class, "movddup", V, Wq);
        same(t, "VEX.128.66.0F 6E", "vmovd", Moves.class, "fromGeneral", V, Ey);
        same(t, "VEX.128.66.0F 7E", "vmovd", Moves.class, "toGeneral", Ey, V);
        same(t, "VEX.128.F3.0F.WIG 7E", "vmovq", Moves.class, "loadQ", V, Wq);
        same(t, "VEX.128.66.0F.WIG D6", "vmovq", Moves.class, "storeQ", Wq, V);
        same(t, "VEX.128.66.0F.WIG F7", "vmaskmovdqu", Mmx.class, "maskmovdqu", V, U)
                .compare();
    }

    private static void elements(OpTable t) {
        same(t, "VEX.128.66.0F.WIG D7", "vpmovmskb", Shuffles.class, "pmovmskb", Gd, U);
        same(t, "VEX.128.NP.0F.WIG 50", "vmovmskps", Shuffles.class, "movmskps", Gd, U);
        same(t, "VEX.128.66.0F.WIG 50", "vmovmskpd", Shuffles.class, "movmskpd", Gd, U);
        same(t, "VEX.128.66.0F.WIG C5", "vpextrw", Shuffles.class, "pextrw", Gd, U, Ib);
        same(t, "VEX.128.66.0F3A.WIG 14", "vpextrb", Sse41.class, "pextrb", Ed, V, Ib)
                .registerOnly();
        same(t, "VEX.128.66.0F3A.WIG 14", "vpextrb", Sse41.class, "pextrb", Mb, V, Ib);
        same(t, "VEX.128.66.0F3A.WIG 15", "vpextrw", Sse41.class, "pextrw", Ed, V, Ib)
                .registerOnly();
        same(t, "VEX.128.66.0F3A.WIG 15", "vpextrw", Sse41.class, "pextrw", Mw, V, Ib);
        same(t, "VEX.128.66.0F3A 16", "vpextr", Sse41.class, "pextr", Ey, V, Ib);
        same(t, "VEX.128.66.0F3A.WIG 17", "vextractps", Sse41.class, "extractps", Ed, V, Ib);
        merge(t, "VEX.128.66.0F.WIG C4", "vpinsrw", Shuffles.class, "pinsrw", V, H, Ed, Ib)
                .registerOnly();
        merge(t, "VEX.128.66.0F.WIG C4", "vpinsrw", Shuffles.class, "pinsrw", V, H, Mw, Ib);
        merge(t, "VEX.128.66.0F3A.WIG 20", "vpinsrb", Sse41.class, "pinsrb", V, H, Ed, Ib)
                .registerOnly();
        merge(t, "VEX.128.66.0F3A.WIG 20", "vpinsrb", Sse41.class, "pinsrb", V, H, Mb, Ib);
        merge(t, "VEX.128.66.0F3A.WIG 21", "vinsertps", Sse41.class, "insertps", V, H, Wd, Ib);
        merge(t, "VEX.128.66.0F3A 22", "vpinsr", Sse41.class, "pinsr", V, H, Ey, Ib);
        String[] widenings = {"bw", "bd", "bq", "wd", "wq", "dq"};
        Operand[] sources = {Wq, Wd, Ww, Wq, Wd, Wq};
        for (int k = 0; k < 6; k++) {
            same(
                    t,
                    "VEX.128.66.0F38.WIG 2" + k,
                    "vpmovsx" + widenings[k],
                    Sse41.class,
                    "pmovsx" + widenings[k],
                    V,
                    sources[k]);
            same(
                    t,
                    "VEX.128.66.0F38.WIG 3" + k,
                    "vpmovzx" + widenings[k],
                    Sse41.class,
                    "pmovzx" + widenings[k],
                    V,
                    sources[k]);
        }
    }

    private static void others(OpTable t) {
        for (String name : new String[] {"2E ucomis", "2F comis"}) {
            String opcode = name.substring(0, 2);
            String method = name.substring(3);
            same(t, "VEX.LIG.NP.0F.WIG " + opcode, "v" + method + "s", Arithmetic.class, method + "s", V, Wd)
                    .compare()
                    .flagUse(0, 0x8D5);
            same(t, "VEX.LIG.66.0F.WIG " + opcode, "v" + method + "d", Arithmetic.class, method + "d", V, Wq)
                    .compare()
                    .flagUse(0, 0x8D5);
        }
        for (String row : new String[] {"F3 2C cvttss2si", "F3 2D cvtss2si", "F2 2C cvttsd2si", "F2 2D cvtsd2si"}) {
            same(
                    t,
                    "VEX.LIG." + row.substring(0, 2) + ".0F " + row.substring(3, 5),
                    "v" + row.substring(6),
                    Conversions.class,
                    row.substring(6),
                    Gy,
                    row.startsWith("F3") ? Wd : Wq);
        }
        same(t, "VEX.128.NP.0F.WIG 5A", "vcvtps2pd", Conversions.class, "cvtps2pd", V, Wq);
        same(t, "VEX.128.66.0F.WIG 5A", "vcvtpd2ps", Conversions.class, "cvtpd2ps", V, W);
        same(t, "VEX.128.F3.0F.WIG E6", "vcvtdq2pd", Conversions.class, "cvtdq2pd", V, Wq);
        same(t, "VEX.128.F2.0F.WIG E6", "vcvtpd2dq", Conversions.class, "cvtpd2dq", V, W);
        same(t, "VEX.128.66.0F.WIG E6", "vcvttpd2dq", Conversions.class, "cvttpd2dq", V, W);
        same(t, "VEX.128.66.0F38.WIG 17", "vptest", Sse41.class, "ptest", V, W)
                .compare()
                .flagUse(0, 0x8D5);
        for (String r : new String[] {"60 pcmpestrm", "61 pcmpestri", "62 pcmpistrm", "63 pcmpistri"}) {
            same(
                            t,
                            "VEX.128.66.0F3A.WIG " + r.substring(0, 2),
                            "v" + r.substring(3),
                            StringCompare.class,
                            r.substring(3),
                            V,
                            W,
                            Ib)
                    .compare()
                    .flagUse(0, 0x8D5);
        }
        same(t, "VEX.LZ.NP.0F.WIG AE /2", "vldmxcsr", StateSave.class, "ldmxcsr", Md);
        same(t, "VEX.LZ.NP.0F.WIG AE /3", "vstmxcsr", StateSave.class, "stmxcsr", Md);
    }
}
