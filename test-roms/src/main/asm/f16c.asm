; F16C: half precision.
;
; checks: conversions between half and single precision: rounding by immediate and by MXCSR, denormals, infinities, NaNs, flags
; see: SDM 1 14.4, SDM 2 (VCVTPH2PS, VCVTPS2PH)
; needs: cpus=1
; status: 33
; QEMU: its TCG lets MXCSR.FZ act
; Bochs: rounds some denormal halves wrongly
; assertions: 18

%include "lib/rom.inc"
%include "lib/float.inc"
%include "lib/avx.inc"

        ymm_const ones, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff
        ymm_const f_a, 0x3a83126f40e00000, 0xbf00000040400000, 0x3dcccccd501502f9, 0xc01000003fc00000
        ymm_const h_a, 0x03ff840042483c01, 0x8000000000003555, 0x7bff7c017e00fc00, 0x3c00bc0000010400
        ymm_const f_h, 0x3eaaaaabc2280000, 0x7f80000138800000, 0x33800000477ff000, 0x477fe0003f800000
        ymm_const f_den, 0x7fc1234580000001, 0x00000001387ff000, 0x387fe00033000001, 0x3300000033800000

main:
        floats_on
        avx_on
        ymm_case ones, f_a, h_a, 0x477fe0007fc02000, 0x7fc00000ff800000, \
                0x3f800000bf800000, 0x3380000038800000, vcvtph2ps ymm0, xmm2
        ymm_case ones, f_a, h_a, 0x0000000000000000, 0x0000000000000000, \
                0x3f800000bf800000, 0x3380000038800000, vcvtph2ps xmm0, xmm2
        ymm_case ones, f_a, h_a, 0x477fe0007fc02000, 0x7fc00000ff800000, \
                0x3f800000bf800000, 0x3380000038800000, vcvtph2ps ymm0, [esi]
        ymm_case ones, f_a, h_a, 0x0000000000000000, 0x0000000000000000, \
                0x3f800000bf800000, 0x3380000038800000, vcvtph2ps xmm0, [esi]
        ymm_case ones, f_a, f_h, 0x0000000000000000, 0x0000000000000000, \
                0x3555d1407e000400, 0x00017c007bff3c00, vcvtps2ph xmm0, ymm2, 0
        ymm_case ones, f_a, f_h, 0x0000000000000000, 0x0000000000000000, \
                0x3555d1407e000400, 0x00017bff7bff3c00, vcvtps2ph xmm0, ymm2, 1
        ymm_case ones, f_a, f_h, 0x0000000000000000, 0x0000000000000000, \
                0x3556d1407e000400, 0x00017c007bff3c00, vcvtps2ph xmm0, ymm2, 2
        ymm_case ones, f_a, f_h, 0x0000000000000000, 0x0000000000000000, \
                0x3555d1407e000400, 0x00017bff7bff3c00, vcvtps2ph xmm0, ymm2, 3
        ymm_case ones, f_a, f_h, 0x0000000000000000, 0x0000000000000000, \
                0x3555d1407e000400, 0x00017c007bff3c00, vcvtps2ph xmm0, ymm2, 4
        ymm_case ones, f_a, f_h, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0x00017c007bff3c00, vcvtps2ph xmm0, xmm2, 0
        ymm_case ones, f_a, f_den, 0x0000000000000000, 0x0000000000000000, \
                0x7e09800000000400, 0x0400000100000001, vcvtps2ph xmm0, ymm2, 0
        ymm_case ones, f_a, f_den, 0x0000000000000000, 0x0000000000000000, \
                0x7e098001000003ff, 0x03ff000000000001, vcvtps2ph xmm0, ymm2, 1
        ymm_case ones, f_a, f_den, 0x0000000000000000, 0x0000000000000000, \
                0x7e09800000010400, 0x0400000100010001, vcvtps2ph xmm0, ymm2, 2
        ymm_case ones, f_a, f_den, 0x0000000000000000, 0x0000000000000000, \
                0x7e098000000003ff, 0x03ff000000000001, vcvtps2ph xmm0, ymm2, 3
        it "vcvtps2ph to memory writes 16 bytes, or 8"
        vmovups ymm2, [f_h]
        mov edi, FLOATS + 64
        mov dword [edi + 16], 0x55555555
        mov dword [edi + 8], 0x66666666
        vcvtps2ph [edi], xmm2, 0
        expect_mem d, [edi + 8], 0x66666666
        vcvtps2ph [edi], ymm2, 0
        expect_mem d, [edi], 0x7bff3c00
        expect_mem d, [edi + 16], 0x55555555
        it "with bit 2 of the immediate MXCSR rounds"
        set_mxcsr 0x3f80
        vcvtps2ph [edi], xmm2, 4
        expect_mem w, [edi + 6], 0x0001
        set_mxcsr 0x5f80
        vmovups ymm2, [f_den]
        vcvtps2ph [edi], xmm2, 4
        expect_mem d, [edi], 0x00010001
        it "a signaling NaN is invalid, a half that does not fit overflows"
        set_mxcsr 0x1f80
        vmovups ymm2, [f_h]
        vcvtps2ph xmm0, xmm2, 0
        expect_mxcsr 0x3f, OE | PE
        set_mxcsr 0x1f80
        vcvtps2ph xmm0, ymm2, 0
        expect_mxcsr 0x3f, IE | OE | PE
        it "tiny results are inexact and underflow; MXCSR.FZ has no part"
        set_mxcsr 0x9f80
        vmovups ymm2, [f_den]
        vcvtps2ph xmm0, xmm2, 0
        vmovd eax, xmm0
        expect_eq eax, 0x00000001
        expect_mxcsr 0x3f, UE | PE
        set_mxcsr 0x1f80
        finish

        image_end
