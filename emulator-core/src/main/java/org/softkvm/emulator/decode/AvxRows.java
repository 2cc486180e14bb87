package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.Gd;
import static org.softkvm.emulator.decode.Operand.H;
import static org.softkvm.emulator.decode.Operand.Ib;
import static org.softkvm.emulator.decode.Operand.L;
import static org.softkvm.emulator.decode.Operand.Mx;
import static org.softkvm.emulator.decode.Operand.U;
import static org.softkvm.emulator.decode.Operand.Ux;
import static org.softkvm.emulator.decode.Operand.V;
import static org.softkvm.emulator.decode.Operand.VM;
import static org.softkvm.emulator.decode.Operand.W;
import static org.softkvm.emulator.decode.Operand.Wd;
import static org.softkvm.emulator.decode.Operand.Wq;
import static org.softkvm.emulator.decode.Operand.Ww;
import static org.softkvm.emulator.decode.Operand.Wx;

import org.softkvm.emulator.simd.Fma;
import org.softkvm.emulator.simd.Gather;
import org.softkvm.emulator.simd.Lanes;
import org.softkvm.emulator.simd.Shuffles;
import org.softkvm.emulator.simd.Vex;
import org.softkvm.emulator.simd.VexConversions;
import org.softkvm.emulator.simd.VexMoves;
import org.softkvm.emulator.simd.VexPermutes;

/** Rows of the instruction table: AVX, AVX2, FMA and F16C where they are no more than the VEX form of an SSE row. */
final class AvxRows {
    private static final String[] LENGTHS = {"VEX.128.", "VEX.256."};

    private AvxRows() {}

    static void define(OpTable t) {
        moves(t);
        broadcasts(t);
        permutes(t);
        masks(t);
        conversions(t);
        fma(t);
        t.op("VEX.128.NP.0F.WIG 77", "vzeroupper")
                .state(Vex.class, "vzeroupper")
                .noFlags()
                .needs(Feature.AVX);
        t.op("VEX.256.NP.0F.WIG 77", "vzeroall")
                .state(Vex.class, "vzeroall")
                .noFlags()
                .needs(Feature.AVX);
    }

    private static Op row(
            OpTable t, String encoding, String name, Feature f, Class<?> owner, String method, Operand... operands) {
        return t.op(encoding, name, operands).state(owner, method).noFlags().needs(f);
    }

    /** Both lengths. */
    private static void both(
            OpTable t, String encoding, String name, Feature f, Class<?> owner, String method, Operand... operands) {
        for (String length : LENGTHS) {
            row(t, length + encoding, name, f, owner, method, operands);
        }
    }

    private static void move(OpTable t, String encoding, String name, String method, Operand... operands) {
        both(t, encoding, name, Feature.AVX, VexMoves.class, method, operands);
    }

    private static void moves(OpTable t) {
        move(t, "NP.0F.WIG 10", "vmovups", "load", V, W);
        move(t, "NP.0F.WIG 11", "vmovups", "store", W, V);
        move(t, "66.0F.WIG 10", "vmovupd", "load", V, W);
        move(t, "66.0F.WIG 11", "vmovupd", "store", W, V);
        move(t, "NP.0F.WIG 28", "vmovaps", "loadAligned", V, W);
        move(t, "NP.0F.WIG 29", "vmovaps", "storeAligned", W, V);
        move(t, "66.0F.WIG 28", "vmovapd", "loadAligned", V, W);
        move(t, "66.0F.WIG 29", "vmovapd", "storeAligned", W, V);
        move(t, "66.0F.WIG 6F", "vmovdqa", "loadAligned", V, W);
        move(t, "66.0F.WIG 7F", "vmovdqa", "storeAligned", W, V);
        move(t, "F3.0F.WIG 6F", "vmovdqu", "load", V, W);
        move(t, "F3.0F.WIG 7F", "vmovdqu", "store", W, V);
        move(t, "NP.0F.WIG 2B", "vmovntps", "storeAligned", Mx, V);
        move(t, "66.0F.WIG 2B", "vmovntpd", "storeAligned", Mx, V);
        move(t, "66.0F.WIG E7", "vmovntdq", "storeAligned", Mx, V);
        move(t, "F2.0F.WIG F0", "vlddqu", "load", V, Mx);
        row(t, "VEX.128.66.0F38.WIG 2A", "vmovntdqa", Feature.AVX, VexMoves.class, "loadAligned", V, Mx);
        row(t, "VEX.256.66.0F38.WIG 2A", "vmovntdqa", Feature.AVX2, VexMoves.class, "loadAligned", V, Mx);
        row(t, "VEX.256.F2.0F.WIG 12", "vmovddup", Feature.AVX, VexMoves.class, "movddup", V, W);
        row(t, "VEX.256.66.0F3A.W0 18", "vinsertf128", Feature.AVX, VexMoves.class, "insert", V, H, Wx, Ib);
        row(t, "VEX.256.66.0F3A.W0 19", "vextractf128", Feature.AVX, VexMoves.class, "extract", Wx, V, Ib);
        row(t, "VEX.256.66.0F3A.W0 38", "vinserti128", Feature.AVX2, VexMoves.class, "insert", V, H, Wx, Ib);
        row(t, "VEX.256.66.0F3A.W0 39", "vextracti128", Feature.AVX2, VexMoves.class, "extract", Wx, V, Ib);
        move(t, "66.0F38.W0 2C", "vmaskmovps", "maskedLoad32", V, H, Mx);
        move(t, "66.0F38.W0 2D", "vmaskmovpd", "maskedLoad64", V, H, Mx);
        move(t, "66.0F38.W0 2E", "vmaskmovps", "maskedStore32", Mx, H, V);
        move(t, "66.0F38.W0 2F", "vmaskmovpd", "maskedStore64", Mx, H, V);
        both(t, "66.0F38.W0 8C", "vpmaskmovd", Feature.AVX2, VexMoves.class, "maskedLoad32", V, H, Mx);
        both(t, "66.0F38.W1 8C", "vpmaskmovq", Feature.AVX2, VexMoves.class, "maskedLoad64", V, H, Mx);
        both(t, "66.0F38.W0 8E", "vpmaskmovd", Feature.AVX2, VexMoves.class, "maskedStore32", Mx, H, V);
        both(t, "66.0F38.W1 8E", "vpmaskmovq", Feature.AVX2, VexMoves.class, "maskedStore64", Mx, H, V);
        for (String r : new String[] {
            "W0 90 vpgatherdd dd", "W1 90 vpgatherdq dq", "W0 91 vpgatherqd qd", "W1 91 vpgatherqq qq",
            "W0 92 vgatherdps dd", "W1 92 vgatherdpd dq", "W0 93 vgatherqps qd", "W1 93 vgatherqpd qq"
        }) {
            String name = r.substring(6, r.length() - 3);
            String method = "gather" + r.substring(r.length() - 2);
            for (String length : LENGTHS) {
                row(t, length + "66.0F38." + r.substring(0, 5), name, Feature.AVX2, Gather.class, method, V, VM, H)
                        .commitsParts();
            }
        }
    }

    private static void broadcasts(OpTable t) {
        both(t, "66.0F38.W0 18", "vbroadcastss", Feature.AVX, VexMoves.class, "broadcast32", V, Operand.Md);
        both(t, "66.0F38.W0 18", "vbroadcastss", Feature.AVX2, VexMoves.class, "broadcast32", V, Ux);
        row(t, "VEX.256.66.0F38.W0 19", "vbroadcastsd", Feature.AVX, VexMoves.class, "broadcast64", V, Operand.Mq);
        row(t, "VEX.256.66.0F38.W0 19", "vbroadcastsd", Feature.AVX2, VexMoves.class, "broadcast64", V, Ux);
        row(t, "VEX.256.66.0F38.W0 1A", "vbroadcastf128", Feature.AVX, VexMoves.class, "broadcast128", V, Wx)
                .memoryOnly();
        row(t, "VEX.256.66.0F38.W0 5A", "vbroadcasti128", Feature.AVX2, VexMoves.class, "broadcast128", V, Wx)
                .memoryOnly();
        both(t, "66.0F38.W0 58", "vpbroadcastd", Feature.AVX2, VexMoves.class, "broadcast32", V, Wd);
        both(t, "66.0F38.W0 59", "vpbroadcastq", Feature.AVX2, VexMoves.class, "broadcast64", V, Wq);
        both(t, "66.0F38.W0 78", "vpbroadcastb", Feature.AVX2, VexMoves.class, "broadcast8", V, Operand.Wb);
        both(t, "66.0F38.W0 79", "vpbroadcastw", Feature.AVX2, VexMoves.class, "broadcast16", V, Ww);
    }

    private static void permute(
            OpTable t, String encoding, String name, Feature f, String method, Operand... operands) {
        row(t, encoding, name, f, VexPermutes.class, method, operands);
    }

    private static void permutes(OpTable t) {
        Class<VexPermutes> p = VexPermutes.class;
        both(t, "66.0F38.W0 0C", "vpermilps", Feature.AVX, p, "permilps", V, H, W);
        both(t, "66.0F38.W0 0D", "vpermilpd", Feature.AVX, p, "permilpd", V, H, W);
        t.op("VEX.128.66.0F3A.W0 04", "vpermilps", V, W, Ib)
                .direct(Shuffles.class, "pshufd")
                .needs(Feature.AVX);
        t.op("VEX.256.66.0F3A.W0 04", "vpermilps", V, W, Ib)
                .halves(Shuffles.class, "pshufd")
                .needs(Feature.AVX);
        both(t, "66.0F3A.W0 05", "vpermilpd", Feature.AVX, p, "permilpdImmediate", V, W, Ib);
        permute(t, "VEX.256.66.0F38.W0 16", "vpermps", Feature.AVX2, "permd", V, H, W);
        permute(t, "VEX.256.66.0F38.W0 36", "vpermd", Feature.AVX2, "permd", V, H, W);
        permute(t, "VEX.256.66.0F3A.W1 00", "vpermq", Feature.AVX2, "permq", V, W, Ib);
        permute(t, "VEX.256.66.0F3A.W1 01", "vpermpd", Feature.AVX2, "permq", V, W, Ib);
        permute(t, "VEX.256.66.0F3A.W0 06", "vperm2f128", Feature.AVX, "perm2", V, H, W, Ib);
        permute(t, "VEX.256.66.0F3A.W0 46", "vperm2i128", Feature.AVX2, "perm2", V, H, W, Ib);
        both(t, "66.0F3A.W0 02", "vpblendd", Feature.AVX2, p, "pblendd", V, H, W, Ib);
        both(t, "66.0F3A.W0 4A", "vblendvps", Feature.AVX, p, "blendvps", V, H, W, L);
        both(t, "66.0F3A.W0 4B", "vblendvpd", Feature.AVX, p, "blendvpd", V, H, W, L);
        permute(t, "VEX.128.66.0F3A.W0 4C", "vpblendvb", Feature.AVX, "pblendvb", V, H, W, L);
        permute(t, "VEX.256.66.0F3A.W0 4C", "vpblendvb", Feature.AVX2, "pblendvb", V, H, W, L);
        permute(t, "VEX.128.66.0F.WIG 73 /7", "vpslldq", Feature.AVX, "pslldq", H, U, Ib);
        permute(t, "VEX.128.66.0F.WIG 73 /3", "vpsrldq", Feature.AVX, "psrldq", H, U, Ib);
        permute(t, "VEX.256.66.0F.WIG 73 /7", "vpslldq", Feature.AVX2, "pslldq", H, U, Ib);
        permute(t, "VEX.256.66.0F.WIG 73 /3", "vpsrldq", Feature.AVX2, "psrldq", H, U, Ib);
        for (String length : LENGTHS) {
            for (String r : new String[] {
                "W0 45 psrlvd psrlvd",
                "W1 45 psrlvq psrlq",
                "W0 46 psravd psravd",
                "W0 47 psllvd psllvd",
                "W1 47 psllvq psllq"
            }) {
                t.op(length + "66.0F38." + r.substring(0, 5), "v" + r.substring(6, 12), V, H, W)
                        .vexLanes(Lanes.class, r.substring(13))
                        .needs(Feature.AVX2);
            }
        }
        String[] widenings = {"bw", "bd", "bq", "wd", "wq", "dq"};
        Operand[] sources = {Wx, Wq, Wd, Wx, Wq, Wx};
        for (int k = 0; k < 6; k++) {
            permute(t, "VEX.256.66.0F38.WIG 2" + k, "vpmovsx" + widenings[k], Feature.AVX2, "widen", V, sources[k]);
            permute(t, "VEX.256.66.0F38.WIG 3" + k, "vpmovzx" + widenings[k], Feature.AVX2, "widen", V, sources[k]);
        }
    }

    private static void masks(OpTable t) {
        permute(t, "VEX.256.66.0F.WIG D7", "vpmovmskb", Feature.AVX2, "pmovmskb", Gd, U);
        permute(t, "VEX.256.NP.0F.WIG 50", "vmovmskps", Feature.AVX, "movmskps", Gd, U);
        permute(t, "VEX.256.66.0F.WIG 50", "vmovmskpd", Feature.AVX, "movmskpd", Gd, U);
        t.op("VEX.256.66.0F38.WIG 17", "vptest", V, W)
                .state(VexPermutes.class, "ptest")
                .compare()
                .needs(Feature.AVX);
        for (String length : LENGTHS) {
            t.op(length + "66.0F38.W0 0E", "vtestps", V, W)
                    .state(VexPermutes.class, "testps")
                    .compare()
                    .needs(Feature.AVX);
            t.op(length + "66.0F38.W0 0F", "vtestpd", V, W)
                    .state(VexPermutes.class, "testpd")
                    .compare()
                    .needs(Feature.AVX);
        }
    }

    private static void convert(OpTable t, String encoding, String name, Operand... operands) {
        row(t, encoding, name, Feature.AVX, VexConversions.class, name.substring(1), operands);
    }

    private static void conversions(OpTable t) {
        convert(t, "VEX.256.NP.0F.WIG 5A", "vcvtps2pd", V, Wx);
        convert(t, "VEX.256.66.0F.WIG 5A", "vcvtpd2ps", V, W);
        convert(t, "VEX.256.F3.0F.WIG E6", "vcvtdq2pd", V, Wx);
        convert(t, "VEX.256.F2.0F.WIG E6", "vcvtpd2dq", V, W);
        convert(t, "VEX.256.66.0F.WIG E6", "vcvttpd2dq", V, W);
        Class<VexConversions> v = VexConversions.class;
        row(t, "VEX.128.66.0F38.W0 13", "vcvtph2ps", Feature.F16C, v, "cvtph2ps", V, Wq);
        row(t, "VEX.256.66.0F38.W0 13", "vcvtph2ps", Feature.F16C, v, "cvtph2ps", V, Wx);
        row(t, "VEX.128.66.0F3A.W0 1D", "vcvtps2ph", Feature.F16C, v, "cvtps2ph", Wq, V, Ib);
        row(t, "VEX.256.66.0F3A.W0 1D", "vcvtps2ph", Feature.F16C, v, "cvtps2ph", Wx, V, Ib);
    }

    private static void fma(OpTable t) {
        String[] orders = {"132", "213", "231"};
        String[] packed = {"6 addsub", "7 subadd", "8 add", "A sub", "C nadd", "E nsub"};
        String[] scalar = {"9 add", "B sub", "D nadd", "F nsub"};
        for (int k = 0; k < 3; k++) {
            String high = "9AB".substring(k, k + 1);
            for (String r : packed) {
                String name = fmaName(r.substring(2), orders[k]);
                both(t, "66.0F38.W0 " + high + r.charAt(0), name + "ps", Feature.FMA, Fma.class, "ps", V, H, W);
                both(t, "66.0F38.W1 " + high + r.charAt(0), name + "pd", Feature.FMA, Fma.class, "pd", V, H, W);
            }
            for (String r : scalar) {
                String name = fmaName(r.substring(2), orders[k]);
                String start = "VEX.LIG.66.0F38.";
                row(t, start + "W0 " + high + r.charAt(0), name + "ss", Feature.FMA, Fma.class, "ss", V, H, Wd);
                row(t, start + "W1 " + high + r.charAt(0), name + "sd", Feature.FMA, Fma.class, "sd", V, H, Wq);
            }
        }
    }

    private static String fmaName(String signs, String order) {
        return (signs.startsWith("n") ? "vfnm" + signs.substring(1) : "vfm" + signs) + order;
    }
}
