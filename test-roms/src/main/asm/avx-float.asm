; AVX: floating point and moves of 256 bits.
;
; checks: arithmetic, the 32 comparison predicates, conversions, shuffles, permutations, blends and broadcasts of AVX; the first source is
;         VEX.vvvv, scalars take the rest from it, and 128-bit forms clear the upper half
; see: SDM 1 14, SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; assertions: 85

%include "lib/rom.inc"
%include "lib/float.inc"
%include "lib/avx.inc"

        ymm_const zero, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000
        ymm_const f_a, 0x3a83126f40e00000, 0xbf00000040400000, 0x3dcccccd501502f9, 0xc01000003fc00000
        ymm_const f_b, 0x501502f93dcccccd, 0x40800000c0100000, 0x3a83126fc0e00000, 0x404000003f000000
        ymm_const d_a, 0x3fb999999999999a, 0x54b249ad2594c37d, 0xc002000000000000, 0x3ff8000000000000
        ymm_const d_b, 0xc029000000000000, 0x3f50624dd2f1a9fc, 0x4008000000000000, 0xbfe8000000000000
        ymm_const ones, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff
        ymm_const f_n, 0xc120000000000000, 0x7f80000040400000, 0xff80000080000000, 0x3f8000007fc00000
        ymm_const f_m, 0xc1200000bf800000, 0x4040000040400000, 0x7f80000000000000, 0x7fc000003f800000
        ymm_const d_n, 0x8000000000000000, 0xfff0000000000000, 0x3ff0000000000000, 0x7ff8000000000000
        ymm_const i_c, 0x0000001f00000020, 0x8000000000000007, 0x0000004000000001, 0x0000000500000003
        ymm_const i_a, 0x7fff8000ffff0001, 0x80ff7f0100fe8142, 0xfedcba9876543210, 0x0123456789abcdef

main:
        floats_on
        avx_on
        ymm_case zero, f_a, f_b, 0x501502f940e33333, 0x406000003f400000, \
                0x3dced917501502f9, 0x3f40000040000000, vaddps ymm0, ymm1, ymm2
        ymm_case zero, f_a, f_b, 0xd01502f940dccccd, 0xc090000040a80000, \
                0x3dcac083501502f9, 0xc0a800003f800000, vsubps ymm0, ymm1, ymm2
        ymm_case zero, f_a, f_b, 0x4b1896803f333333, 0xc0000000c0d80000, \
                0x38d1b718d182629a, 0xc0d800003f400000, vmulps ymm0, ymm1, ymm2
        ymm_case zero, f_a, f_b, 0x29e12e14428c0000, 0xbe000000bfaaaaab, \
                0x42c80000ceaa4c8a, 0xbf40000040400000, vdivps ymm0, ymm1, ymm2
        ymm_case zero, f_a, f_b, 0x3a83126f3dcccccd, 0xbf000000c0100000, \
                0x3a83126fc0e00000, 0xc01000003f000000, vminps ymm0, ymm1, ymm2
        ymm_case zero, f_a, f_b, 0x501502f940e00000, 0x4080000040400000, \
                0x3dcccccd501502f9, 0x404000003fc00000, vmaxps ymm0, ymm1, ymm2
        ymm_case zero, f_a, f_b, 0x501502f940dccccd, 0x4060000040a80000, \
                0x3dced917501502f9, 0x3f4000003f800000, vaddsubps ymm0, ymm1, ymm2
        ymm_case zero, f_a, f_b, 0x501502f93fe00000, 0x40e0083140200000, \
                0xc0dff7cf40600000, 0x501502f9bf400000, vhaddps ymm0, ymm1, ymm2
        ymm_case zero, f_a, f_b, 0xd01502f9c0c80000, 0x40dff7cf40600000, \
                0xc0e00831c0200000, 0x501502f940700000, vhsubps ymm0, ymm1, ymm2
        ymm_case zero, d_a, d_b, 0xc028cccccccccccd, 0x54b249ad2594c37d, \
                0x3fe8000000000000, 0x3fe8000000000000, vaddpd ymm0, ymm1, ymm2
        ymm_case zero, d_a, d_b, 0x4029333333333333, 0x54b249ad2594c37d, \
                0xc015000000000000, 0x4002000000000000, vsubpd ymm0, ymm1, ymm2
        ymm_case zero, d_a, d_b, 0xbff4000000000000, 0x5412ba095dc7701e, \
                0xc01b000000000000, 0xbff2000000000000, vmulpd ymm0, ymm1, ymm2
        ymm_case zero, d_a, d_b, 0xbf80624dd2f1a9fc, 0x5551dbf316b346e8, \
                0xbfe8000000000000, 0xc000000000000000, vdivpd ymm0, ymm1, ymm2
        ymm_case zero, d_a, d_b, 0xc029000000000000, 0x3f50624dd2f1a9fc, \
                0xc002000000000000, 0xbfe8000000000000, vminpd ymm0, ymm1, ymm2
        ymm_case zero, d_a, d_b, 0x3fb999999999999a, 0x54b249ad2594c37d, \
                0x4008000000000000, 0x3ff8000000000000, vmaxpd ymm0, ymm1, ymm2
        ymm_case zero, d_a, d_b, 0xc028cccccccccccd, 0x54b249ad2594c37d, \
                0x3fe8000000000000, 0x4002000000000000, vaddsubpd ymm0, ymm1, ymm2
        ymm_case zero, d_a, d_b, 0xc028ff7ced916873, 0x54b249ad2594c37d, \
                0x4002000000000000, 0xbfe8000000000000, vhaddpd ymm0, ymm1, ymm2
        ymm_case zero, d_a, d_b, 0x40290083126e978d, 0x54b249ad2594c37d, \
                0xc00e000000000000, 0x400e000000000000, vhsubpd ymm0, ymm1, ymm2
        ymm_case ones, f_a, f_b, 0x0000000000000000, 0x0000000000000000, \
                0x3dced917501502f9, 0x3f40000040000000, vaddps xmm0, xmm1, xmm2
        ymm_case ones, f_a, f_b, 0x0000000000000000, 0x0000000000000000, \
                0x3dcccccd501502f9, 0xc010000040000000, vaddss xmm0, xmm1, xmm2
        ymm_case ones, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0xc002000000000000, 0xbff2000000000000, vmulsd xmm0, xmm1, xmm2
        ymm_case ones, f_a, f_b, 0x0000000000000000, 0x0000000000000000, \
                0x3dcccccd501502f9, 0xc01000003f800000, vsubss xmm0, xmm1, [esi]
        ymm_case ones, d_a, d_b, 0xfff8000000000000, 0x3fa030dc4ea03a72, \
                0x3ffbb67ae8584caa, 0xfff8000000000000, vsqrtpd ymm0, ymm2
        ymm_case ones, f_a, f_b, 0x0000000000000000, 0x0000000000000000, \
                0x3dcccccd501502f9, 0xc01000003f3504f3, vsqrtss xmm0, xmm1, xmm2
        ymm_case ones, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0xc002000000000000, 0xfff8000000000000, vsqrtsd xmm0, xmm1, [esi]
        ymm_case zero, f_n, f_m, 0xffffffff00000000, 0x00000000ffffffff, \
                0x00000000ffffffff, 0x0000000000000000, vcmpps ymm0, ymm1, ymm2, 0
        ymm_case zero, f_n, f_m, 0x0000000000000000, 0x0000000000000000, \
                0xffffffff00000000, 0x0000000000000000, vcmpps ymm0, ymm1, ymm2, 1
        ymm_case zero, f_n, f_m, 0xffffffff00000000, 0x00000000ffffffff, \
                0x00000000ffffffff, 0xffffffffffffffff, vcmpps ymm0, ymm1, ymm2, 8
        ymm_case zero, f_n, f_m, 0x0000000000000000, 0x0000000000000000, \
                0xffffffff00000000, 0xffffffffffffffff, vcmpps ymm0, ymm1, ymm2, 9
        ymm_case zero, f_n, f_m, 0xffffffff00000000, 0x00000000ffffffff, \
                0xffffffffffffffff, 0xffffffffffffffff, vcmpps ymm0, ymm1, ymm2, 10
        ymm_case zero, f_n, f_m, 0x00000000ffffffff, 0xffffffff00000000, \
                0xffffffff00000000, 0x0000000000000000, vcmpps ymm0, ymm1, ymm2, 12
        ymm_case zero, f_n, f_m, 0xffffffffffffffff, 0xffffffffffffffff, \
                0x00000000ffffffff, 0x0000000000000000, vcmpps ymm0, ymm1, ymm2, 13
        ymm_case zero, f_n, f_m, 0x00000000ffffffff, 0xffffffff00000000, \
                0x0000000000000000, 0x0000000000000000, vcmpps ymm0, ymm1, ymm2, 14
        ymm_case zero, f_n, f_m, 0xffffffffffffffff, 0xffffffffffffffff, \
                0xffffffffffffffff, 0xffffffffffffffff, vcmpps ymm0, ymm1, ymm2, 15
        ymm_case zero, f_n, f_m, 0xffffffff00000000, 0x00000000ffffffff, \
                0x00000000ffffffff, 0x0000000000000000, vcmpps ymm0, ymm1, ymm2, 16
        ymm_case zero, f_n, f_m, 0x0000000000000000, 0x0000000000000000, \
                0xffffffff00000000, 0x0000000000000000, vcmpps ymm0, ymm1, ymm2, 17
        ymm_case zero, f_n, f_m, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0x0000000000000000, vcmpps ymm0, ymm1, ymm2, 27
        ymm_case zero, f_n, f_m, 0x00000000ffffffff, 0xffffffff00000000, \
                0x0000000000000000, 0x0000000000000000, vcmpps ymm0, ymm1, ymm2, 30
        ymm_case zero, f_n, f_m, 0xffffffffffffffff, 0xffffffffffffffff, \
                0xffffffffffffffff, 0xffffffffffffffff, vcmpps ymm0, ymm1, ymm2, 31
        ymm_case zero, d_n, d_a, 0xffffffffffffffff, 0xffffffffffffffff, \
                0xffffffffffffffff, 0xffffffffffffffff, vcmppd ymm0, ymm1, ymm2, 4
        ymm_case zero, d_n, d_a, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0x0000000000000000, vcmppd ymm0, ymm1, ymm2, 11
        ymm_case zero, d_n, d_a, 0x0000000000000000, 0x0000000000000000, \
                0xffffffffffffffff, 0x0000000000000000, vcmppd ymm0, ymm1, ymm2, 29
        ymm_case ones, f_a, f_b, 0x40800000bf000000, 0xc010000040400000, \
                0x40400000c0100000, 0x3f0000003fc00000, vunpcklps ymm0, ymm1, ymm2
        ymm_case ones, d_a, d_b, 0xc029000000000000, 0x3fb999999999999a, \
                0x4008000000000000, 0xc002000000000000, vunpckhpd ymm0, ymm1, ymm2
        ymm_case ones, f_a, f_b, 0xc010000040800000, 0x40e000003a83126f, \
                0x3f00000040400000, 0x501502f93dcccccd, vshufps ymm0, ymm1, ymm2, 0x1b
        ymm_case ones, d_a, d_b, 0x3f50624dd2f1a9fc, 0x3fb999999999999a, \
                0x4008000000000000, 0x3ff8000000000000, vshufpd ymm0, ymm1, ymm2, 6
        ymm_case ones, f_a, f_b, 0x501502f940e00000, 0x4080000040400000, \
                0x3dcccccdc0e00000, 0xc01000003f000000, vblendps ymm0, ymm1, ymm2, 0xa5
        ymm_case ones, d_a, d_b, 0x3fb999999999999a, 0x3f50624dd2f1a9fc, \
                0x4008000000000000, 0x3ff8000000000000, vblendpd ymm0, ymm1, ymm2, 6
        ymm_case f_n, f_a, f_b, 0x501502f940e00000, 0xbf00000040400000, \
                0x3a83126fc0e00000, 0xc01000003fc00000, vblendvps ymm0, ymm1, ymm2, ymm0
        ymm_case d_n, d_a, d_b, 0xc029000000000000, 0x3f50624dd2f1a9fc, \
                0xc002000000000000, 0x3ff8000000000000, vblendvpd ymm0, ymm1, ymm2, ymm0
        ymm_case ones, f_a, f_b, 0x501502f900000000, 0x40800000c0400000, \
                0x00000000c0e00000, 0x4040000000000000, vroundps ymm0, ymm2, 1
        ymm_case ones, d_a, d_b, 0xc028000000000000, 0x3ff0000000000000, \
                0x4008000000000000, 0x8000000000000000, vroundpd ymm0, ymm2, 2
        ymm_case ones, f_a, f_b, 0x0000000000000000, 0x000000004b189678, \
                0x0000000000000000, 0x00000000d182629a, vdpps ymm0, ymm1, ymm2, 0xf1
        ymm_case ones, f_a, i_c, 0x3a83126f40400000, 0x404000003a83126f, \
                0x3fc00000c0100000, 0xc01000003dcccccd, vpermilps ymm0, ymm1, ymm2
        ymm_case ones, f_a, f_b, 0x40800000c0100000, 0x501502f93dcccccd, \
                0x404000003f000000, 0x3a83126fc0e00000, vpermilps ymm0, ymm2, 0x4e
        ymm_case ones, d_a, i_c, 0x54b249ad2594c37d, 0x3fb999999999999a, \
                0x3ff8000000000000, 0xc002000000000000, vpermilpd ymm0, ymm1, ymm2
        ymm_case ones, d_a, d_b, 0xc029000000000000, 0x3f50624dd2f1a9fc, \
                0xbfe8000000000000, 0x4008000000000000, vpermilpd ymm0, ymm2, 9
        ymm_case ones, d_a, d_b, 0x4008000000000000, 0xbfe8000000000000, \
                0x3fb999999999999a, 0x54b249ad2594c37d, vperm2f128 ymm0, ymm1, ymm2, 0x21
        ymm_case ones, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0xc029000000000000, 0x3f50624dd2f1a9fc, vperm2f128 ymm0, ymm1, ymm2, 0x83
        ymm_case ones, d_a, d_b, 0x4008000000000000, 0xbfe8000000000000, \
                0xc002000000000000, 0x3ff8000000000000, vinsertf128 ymm0, ymm1, xmm2, 1
        ymm_case ones, d_a, d_b, 0x3fb999999999999a, 0x54b249ad2594c37d, \
                0x4008000000000000, 0xbfe8000000000000, vinsertf128 ymm0, ymm1, [esi], 0
        ymm_case ones, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0xc029000000000000, 0x3f50624dd2f1a9fc, vextractf128 xmm0, ymm2, 1
        ymm_case ones, f_a, f_b, 0x3f0000003f000000, 0x3f0000003f000000, \
                0x3f0000003f000000, 0x3f0000003f000000, vbroadcastss ymm0, [esi]
        ymm_case ones, d_a, d_b, 0xbfe8000000000000, 0xbfe8000000000000, \
                0xbfe8000000000000, 0xbfe8000000000000, vbroadcastsd ymm0, [esi]
        ymm_case ones, d_a, d_b, 0x4008000000000000, 0xbfe8000000000000, \
                0x4008000000000000, 0xbfe8000000000000, vbroadcastf128 ymm0, [esi]
        ymm_case ones, d_a, d_b, 0x3f50624dd2f1a9fc, 0x3f50624dd2f1a9fc, \
                0xbfe8000000000000, 0xbfe8000000000000, vmovddup ymm0, ymm2
        ymm_case ones, f_a, f_b, 0x3dcccccd3dcccccd, 0xc0100000c0100000, \
                0xc0e00000c0e00000, 0x3f0000003f000000, vmovsldup ymm0, ymm2
        ymm_case ones, f_a, f_b, 0x501502f9501502f9, 0x4080000040800000, \
                0x3a83126f3a83126f, 0x4040000040400000, vmovshdup ymm0, [esi]
        ymm_case ones, f_a, f_b, 0x3f50624de0000000, 0xc01c000000000000, \
                0x4008000000000000, 0x3fe0000000000000, vcvtps2pd ymm0, xmm2
        ymm_case ones, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0xc14800003a83126f, 0x40400000bf400000, vcvtpd2ps xmm0, ymm2
        ymm_case ones, i_a, i_c, 0x41f8000042000000, 0xcf00000040e00000, \
                0x428000003f800000, 0x40a0000040400000, vcvtdq2ps ymm0, ymm2
        ymm_case ones, i_a, i_c, 0x4050000000000000, 0x3ff0000000000000, \
                0x4014000000000000, 0x4008000000000000, vcvtdq2pd ymm0, xmm2
        ymm_case ones, f_a, f_m, 0xfffffff6ffffffff, 0x0000000300000003, \
                0x8000000000000000, 0x8000000000000001, vcvtps2dq ymm0, ymm2
        ymm_case ones, f_a, f_b, 0x8000000000000000, 0x00000004fffffffe, \
                0x00000000fffffff9, 0x0000000300000000, vcvttps2dq ymm0, ymm2
        ymm_case ones, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0xfffffff400000000, 0x00000003ffffffff, vcvtpd2dq xmm0, ymm2
        ymm_case ones, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0xfffffff400000000, 0x0000000300000000, vcvttpd2dq xmm0, ymm2
        ymm_case ones, f_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0x3dcccccd501502f9, 0xc0100000bf400000, vcvtsd2ss xmm0, xmm1, xmm2
        ymm_case ones, d_a, f_b, 0x0000000000000000, 0x0000000000000000, \
                0xc002000000000000, 0x3fe0000000000000, vcvtss2sd xmm0, xmm1, xmm2
        ymm_case ones, f_a, f_b, 0x0000000000000000, 0x0000000000000000, \
                0x3dcccccd501502f9, 0xc01000003f000000, vmovss xmm0, xmm1, xmm2
        ymm_case ones, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0xbfe8000000000000, vmovsd xmm0, [esi]
        ymm_case ones, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0xbfe8000000000000, 0x3ff8000000000000, vmovlhps xmm0, xmm1, xmm2
        ymm_case ones, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0xbfe8000000000000, 0x3ff8000000000000, vmovhpd xmm0, xmm1, [esi]
        ymm_case ones, f_a, f_b, 0x0000000000000000, 0x0000000000000000, \
                0x3dcccccd501502f9, 0x000000003fc00000, vinsertps xmm0, xmm1, xmm2, 0x92
        ymm_case ones, f_a, f_b, 0x401400903d0ccccd, 0x4080000080100000, \
                0x0203122280e00000, 0x0040000000000000, vandnps ymm0, ymm1, ymm2
        ymm_case ones, f_a, f_b, 0x6a9610967d2ccccd, 0xff80000080500000, \
                0x074fdea290f502f9, 0x8050000000c00000, vxorps ymm0, ymm1, [esi]
        finish

        image_end
