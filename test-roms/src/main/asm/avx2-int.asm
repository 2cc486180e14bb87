; AVX2: integers of 256 bits.
;
; checks: arithmetic, comparisons, shifts, also by a count for each element, packs, shuffles within 128 bits, permutations across them,
;         broadcasts and widening moves; 128-bit forms clear the upper half
; see: SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; assertions: 82

%include "lib/rom.inc"
%include "lib/float.inc"
%include "lib/avx.inc"

        ymm_const ones, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff
        ymm_const i_a, 0x7fff8000ffff0001, 0x80ff7f0100fe8142, 0xfedcba9876543210, 0x0123456789abcdef
        ymm_const i_b, 0x99aabbccddeeff00, 0x1122334455667788, 0x017f80ffff01fe10, 0x000180017fff0002
        ymm_const x_c, 0x0001020304050607, 0x0f0e0d0c0b0a0908, 0x8f0e0d0c8b0a0908, 0x0706050403020100
        ymm_const f_a, 0x3a83126f40e00000, 0xbf00000040400000, 0x3dcccccd501502f9, 0xc01000003fc00000
        ymm_const i_c, 0x0000001f00000020, 0x8000000000000007, 0x0000004000000001, 0x0000000500000003
        ymm_const f_b, 0x501502f93dcccccd, 0x40800000c0100000, 0x3a83126fc0e00000, 0x404000003f000000
        ymm_const d_b, 0xc029000000000000, 0x3f50624dd2f1a9fc, 0x4008000000000000, 0xbfe8000000000000

main:
        floats_on
        avx_on
        ymm_case ones, i_a, i_b, 0x18a93bccdcedff01, 0x9121b2455564f8ca, \
                0xff5b3a9775553020, 0x0124c56808aacdf1, vpaddb ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x19a93bccddedff01, 0x9221b2455664f8ca, \
                0x005b3b9775553020, 0x0124c56809aacdf1, vpaddw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x19aa3bccddedff01, 0x9221b2455664f8ca, \
                0x005c3b9775563020, 0x0124c56809aacdf1, vpaddd ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x19aa3bcdddedff01, 0x9221b2455664f8ca, \
                0x005c3b9875563020, 0x0124c56909aacdf1, vpaddq ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0xe655c53422110101, 0x6fdd4cbdab980aba, \
                0xfd5d3a9977533400, 0x0122c5660aaccded, vpsubb ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x0000000022110000, 0x6fdd4bbd000009ba, \
                0xfd5d399900000000, 0x0122000009accded, vpsubusw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x19a98000ddedff01, 0x92217fff5664f8ca, \
                0x005b800075553020, 0x0124c56809aacdf1, vpaddsw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x665600002212ff00, 0x10deef44bb345910, \
                0x4b24dd6822540100, 0x0123c567f6559bde, vpmullw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0xccd5221a0000ffff, 0xf780196e0054c4d2, \
                0xfffe226eff8aff9f, 0x0000dd4cc4d5ffff, vpmulhw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x4cd45de6dded0000, 0x08a2196e00543c5a, \
                0x017d5e0575de31af, 0x000022b344d40001, vpmulhuw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0xa21a0000deeeff00, 0x194cef443f965910, \
                0x6491dd6810ff0100, 0xe93dc567c5689bde, vpmulld ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0xddee2111deeeff00, 0x0054e6c93f965910, \
                0x75dec9a110ff0100, 0x44d55d4cc5689bde, vpmuludq ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x00002210deeeff00, 0x0054e6c93f965910, \
                0xff8a979110ff0100, 0xc4d65d4ac5689bde, vpmuldq ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0xeeef665600002112, 0x10ef0022c5271444, \
                0x226d288cff292354, 0xdd4cc68ac4d59233, vpmaddwd ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x8000dd80cb350000, 0x2a5e199165341d07, \
                0x6e22a268ffde009c, 0x0023dde7434c01de, vpmaddubsw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x99ab443400000000, 0xef0032de00a989a5, \
                0xfffd44deff14ff3e, 0x0000ba9a89acffff, vpmulhrsw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x00000000000002a9, 0x0000000000000318, \
                0x00000000000003a3, 0x00000000000002dc, vpsadbw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x8cd59e66eef78001, 0x499159232bb27c65, \
                0x80ae9dccbb2b9810, 0x0112633484d56779, vpavgb ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x99aa80ccddeeff00, 0x80ff330100fe8188, \
                0xfedc8098ff01fe10, 0x0001800189abcdef, vpminsb ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x99aabbccffff0001, 0x80ff7f0155667788, \
                0xfedcba98ff01fe10, 0x0123456789abcdef, vpmaxud ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x7fff8000ddee0001, 0x1122334400fe7788, \
                0x017f80ff76543210, 0x000145677fff0002, vpminuw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x0000000000000000, 0x0000000000000000, \
                0x00000000000000ff, 0x0000000000000000, vpcmpeqb ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0xffff0000ffffffff, 0x0000ffff00000000, \
                0x0000ffffffffffff, 0xffffffff00000000, vpcmpgtw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0xffffffffffffffff, 0x0000000000000000, \
                0x0000000000000000, 0xffffffffffffffff, vpcmpgtq ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x19aa8000ddee0000, 0x0022330000660100, \
                0x005c809876003210, 0x0001000109ab0002, vpand ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x80003bcc0000ff00, 0x1100004455007688, \
                0x012300678901cc00, 0x0000800076540000, vpandn ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0xe6553bcc2211ff01, 0x91dd4c455598f6ca, \
                0xffa33a678955cc00, 0x0122c566f654cded, vpxor ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x800180000001ffff, 0x80ff7f0100fe8142, \
                0xfedc456889accdf0, 0x0123ba9989abcdef, vpsignw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x5576dcee4466ccee, 0xffff000000008240, \
                0x827efd1180028001, 0xb974a864468a579a, vphaddw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x8000dcee44667fff, 0xffff000000008240, \
                0x827efd1180027fff, 0xb9747fff468a8000, vphaddsw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x4444433444444444, 0x7fff80017fff0241, \
                0xfd827d117ffd8001, 0x7777777888888888, vphsubd ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x808080807f7f7f7f, 0x7f80ff01807f7f80, \
                0x7f80808001807f02, 0x80807f7f7f7f8080, vpacksswb ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x00000000ffffffff, 0xffff00000000ffff, \
                0xffff0000ffffffff, 0x0000ffffffff0000, vpackusdw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x118022ff337f4401, 0x550066fe77818842, \
                0x0001012380450167, 0x7f89ffab00cd02ef, vpunpcklbw ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x99aa7fffbbcc8000, 0xddeeffffff000001, \
                0x017ffedc80ffba98, 0xff017654fe103210, vpunpckhwd ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x1122334455667788, 0x80ff7f0100fe8142, \
                0x000180017fff0002, 0x0123456789abcdef, vpunpcklqdq ymm0, ymm1, ymm2
        ymm_case ones, i_a, x_c, 0x4281fe00017fff80, 0x7fff8000ffff0001, \
                0x00dcba9800543210, 0x0123456789abcdef, vpshufb ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_b, 0x6656443422120100, 0x1122334455667788, \
                0x017f7f0100ff01f0, 0x00017fff7fff0002, vpabsw ymm0, ymm2
        ymm_case ones, i_a, i_b, 0x0100fe814299aabb, 0xccddeeff00112233, \
                0x6789abcdef017f80, 0xffff01fe10000180, vpalignr ymm0, ymm1, ymm2, 5
        ymm_case ones, i_a, i_b, 0x5566778811223344, 0xddeeff0099aabbcc, \
                0x7fff000200018001, 0xff01fe10017f80ff, vpshufd ymm0, ymm2, 0x1b
        ymm_case ones, i_a, i_b, 0x99aabbccddeeff00, 0x3344112277885566, \
                0x017f80ffff01fe10, 0x8001000100027fff, vpshuflw ymm0, ymm2, 0xb1
        ymm_case ones, i_a, i_b, 0x7fffbbccffffff00, 0x11227f0155668142, \
                0xfedc80ff7654fe10, 0x000145677fffcdef, vpblendw ymm0, ymm1, ymm2, 0x5a
        ymm_case ones, i_a, i_b, 0x99aabbccddeeff00, 0x80ff7f0100fe8142, \
                0xfedcba98ff01fe10, 0x0001800189abcdef, vpblendd ymm0, ymm1, ymm2, 0xc6
        ymm_case i_a, f_a, i_b, 0x3aaabb6fddee0000, 0x1122000040667700, \
                0x017f80ff501502f9, 0xc01000007fff0002, vpblendvb ymm0, ymm1, ymm2, ymm0
        ymm_case ones, i_a, i_b, 0x023a021801fe0241, 0x017e013a017501db, \
                0x01ae016a012600f4, 0x0109015e01d30204, vmpsadbw ymm0, ymm1, ymm2, 0x2c
        ymm_case ones, i_a, i_c, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0x0000000000000000, vpsllw ymm0, ymm1, xmm2
        ymm_case ones, i_b, i_a, 0xff335577ffbbddfe, 0x0022446600aaccef, \
                0x0002ff01fffe03fc, 0x0000030000fffe00, vpsrad ymm0, ymm1, 7
        ymm_case ones, i_a, i_b, 0x000000003fffc000, 0x00000000407fbf80, \
                0x000000007f6e5d4c, 0x000000000091a2b3, vpsrlq ymm0, ymm1, 33
        ymm_case ones, i_a, i_b, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0x0000000000000000, vpsllw ymm0, ymm1, 16
        ymm_case ones, i_a, i_b, 0xff000180ff7f0100, 0xfe81420000000000, \
                0x5432100123456789, 0xabcdef0000000000, vpslldq ymm0, ymm1, 5
        ymm_case ones, i_a, i_b, 0x0000000000000000, 0x007fff8000ffff00, \
                0x0000000000000000, 0x00fedcba98765432, vpsrldq ymm0, ymm1, 9
        ymm_case ones, i_a, i_c, 0x0000000000000000, 0x000000007f40a100, \
                0x00000000eca86420, 0x2468ace04d5e6f78, vpsllvd ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_c, 0x0000000000000000, 0x000000000001fd02, \
                0x000000003b2a1908, 0x00091a2b113579bd, vpsrlvd ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_c, 0x00000000ffffffff, 0xffffffff0001fd02, \
                0xffffffff3b2a1908, 0x00091a2bf13579bd, vpsravd ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_c, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0x0000000000000000, vpsllvq ymm0, ymm1, ymm2
        ymm_case ones, i_a, i_c, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0x0000000000000000, vpsrlvq xmm0, xmm1, [esi]
        ymm_case ones, i_c, i_b, 0x99aabbcc7fff0002, 0x7fff000299aabbcc, \
                0x7fff000200018001, 0x11223344017f80ff, vpermd ymm0, ymm1, ymm2
        ymm_case ones, i_c, f_b, 0x501502f93f000000, 0x3f000000501502f9, \
                0x3f00000040400000, 0x408000003a83126f, vpermps ymm0, ymm1, [esi]
        ymm_case ones, i_a, i_b, 0x000180017fff0002, 0x017f80ffff01fe10, \
                0x1122334455667788, 0x99aabbccddeeff00, vpermq ymm0, ymm2, 0x1b
        ymm_case ones, i_a, d_b, 0xc029000000000000, 0xbfe8000000000000, \
                0x4008000000000000, 0x3f50624dd2f1a9fc, vpermpd ymm0, [esi], 0xc6
        ymm_case ones, i_a, i_b, 0x7fff8000ffff0001, 0x80ff7f0100fe8142, \
                0x99aabbccddeeff00, 0x1122334455667788, vperm2i128 ymm0, ymm1, ymm2, 0x13
        ymm_case ones, i_a, i_b, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0xfedcba9876543210, 0x0123456789abcdef, vinserti128 ymm0, ymm1, [esi], 1
        ymm_case ones, i_a, i_b, 0x0000000000000000, 0x0000000000000000, \
                0x99aabbccddeeff00, 0x1122334455667788, vextracti128 xmm0, ymm2, 1
        ymm_case ones, i_a, i_b, 0x0202020202020202, 0x0202020202020202, \
                0x0202020202020202, 0x0202020202020202, vpbroadcastb ymm0, xmm2
        ymm_case ones, i_a, i_b, 0x0002000200020002, 0x0002000200020002, \
                0x0002000200020002, 0x0002000200020002, vpbroadcastw ymm0, [esi]
        ymm_case ones, i_a, i_b, 0x0000000000000000, 0x0000000000000000, \
                0x7fff00027fff0002, 0x7fff00027fff0002, vpbroadcastd xmm0, xmm2
        ymm_case ones, i_a, i_b, 0x000180017fff0002, 0x000180017fff0002, \
                0x000180017fff0002, 0x000180017fff0002, vpbroadcastq ymm0, [esi]
        ymm_case ones, i_a, i_b, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f80ffff01fe10, 0x000180017fff0002, vbroadcasti128 ymm0, [esi]
        ymm_case ones, i_a, f_b, 0x3f0000003f000000, 0x3f0000003f000000, \
                0x3f0000003f000000, 0x3f0000003f000000, vbroadcastss ymm0, xmm2
        ymm_case ones, i_a, i_b, 0x0001007fff80ffff, 0xffff0001fffe0010, \
                0x00000001ff800001, 0x007fffff00000002, vpmovsxbw ymm0, xmm2
        ymm_case ones, i_a, i_b, 0x0000000000000001, 0x0000008000000001, \
                0x0000007f000000ff, 0x0000000000000002, vpmovzxbd ymm0, [esi]
        ymm_case ones, i_a, i_b, 0x000000000000007f, 0xffffffffffffffff, \
                0x0000000000000000, 0x0000000000000002, vpmovsxbq ymm0, xmm2
        ymm_case ones, i_a, i_b, 0x0000017fffff80ff, 0xffffff01fffffe10, \
                0x00000001ffff8001, 0x00007fff00000002, vpmovsxwd ymm0, [esi]
        ymm_case ones, i_a, i_b, 0x0000000000000001, 0x0000000000008001, \
                0x0000000000007fff, 0x0000000000000002, vpmovzxwq ymm0, xmm2
        ymm_case ones, i_a, i_b, 0x00000000017f80ff, 0xffffffffff01fe10, \
                0x0000000000018001, 0x000000007fff0002, vpmovsxdq ymm0, xmm2
        ymm_case ones, i_a, i_b, 0x0000000000000000, 0x0000000000000000, \
                0x00000001ff800001, 0x007fffff00000002, vpmovsxbw xmm0, [esi]
        ymm_case ones, i_a, i_b, 0x0000000000000000, 0x0000000000000000, \
                0x005c3b9875563020, 0x0124c56909aacdf1, vpaddq xmm0, xmm1, xmm2
        ymm_case ones, i_a, i_b, 0x0000000000000000, 0x0000000000000000, \
                0x017f80ffff01fe10, 0x000180017fff0002, vmovdqu xmm0, [esi]
        ymm_case ones, i_a, i_b, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0x0000000012345678, vmovd xmm0, eax
        ymm_case ones, i_a, i_b, 0x0000000000000000, 0x0000000000000000, \
                0xfedcba9876543210, 0x0123456778abcdef, vpinsrb xmm0, xmm1, eax, 3
        it "vpmovmskb takes 32 bits"
        vmovdqu ymm1, [i_a]
        vpmovmskb eax, ymm1
        expect_eq eax, 0x6cc6f00f
        it "vptest: ZF of the and, CF of the and-not"
        vmovdqu ymm1, [i_a]
        vmovdqu ymm2, [i_b]
        vptest ymm1, ymm2
        expect_flags ARITH, 0
        vpxor ymm0, ymm0, ymm0
        vptest ymm1, ymm0
        expect_flags ARITH, ZF | CF
        vptest ymm1, ymm1
        expect_flags ARITH, CF
        finish

        image_end
