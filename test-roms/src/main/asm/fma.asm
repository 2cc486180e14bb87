; FMA: products and sums with one rounding.
;
; checks: the forms 132, 213 and 231, packed and scalar, with all signs; one rounding by MXCSR, which NaN comes through, exceptions
; see: SDM 1 14.5, SDM 2 (VFMADD132PD and its kin)
; needs: cpus=1
; status: 33
; QEMU: its TCG raises no SIMD exceptions
; assertions: 32

%include "lib/rom.inc"
%include "lib/float.inc"
%include "lib/avx.inc"

        ymm_const f_h, 0x3eaaaaabc2280000, 0x7f80000138800000, 0x33800000477ff000, 0x477fe0003f800000
        ymm_const f_a, 0x3a83126f40e00000, 0xbf00000040400000, 0x3dcccccd501502f9, 0xc01000003fc00000
        ymm_const f_b, 0x501502f93dcccccd, 0x40800000c0100000, 0x3a83126fc0e00000, 0x404000003f000000
        ymm_const d_b, 0xc029000000000000, 0x3f50624dd2f1a9fc, 0x4008000000000000, 0xbfe8000000000000
        ymm_const d_a, 0x3fb999999999999a, 0x54b249ad2594c37d, 0xc002000000000000, 0x3ff8000000000000
        ymm_const f_n, 0xc120000000000000, 0x7f80000040400000, 0xff80000080000000, 0x3f8000007fc00000
        ymm_const f_m, 0xc1200000bf800000, 0x4040000040400000, 0x7f80000000000000, 0x7fc000003f800000
        ymm_const near_one, 0, 0, 0x3ff0000000000002, 0x3ff0000000000001
        ymm_const infinite, 0, 0, 0x3ff0000000000000, 0x7ff0000000000000

main:
        floats_on
        avx_on
        ymm_case f_h, f_a, f_b, 0x4f46aea240333333, 0x7fc00001403ffdc0, \
                0x3dcccccd50150139, 0x483fe77040000000, vfmadd132ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0x501502f9c392f333, 0x7fc00001c00ffd00, \
                0x3a8312a25814f9a9, 0xc80fed4040000000, vfmadd213ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0x4b189681c2253333, 0x7fc00001c0d7ff80, \
                0x38d1d718d1826292, 0x477fd9403fe00000, vfmadd231ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0x4f46aea2c1333333, 0x7fc00001c0400240, \
                0xbdcccccdd01504b9, 0x483fe890bf800000, vfmsub132ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0xd01502f9c3930ccd, 0x7fc0000140100300, \
                0xba83123c5814f9a9, 0xc80feec03f800000, vfmsub213ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0x4b189680422acccd, 0x7fc00001c0d80080, \
                0x38d19718d18262a2, 0xc77fe6c0be800000, vfmsub231ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0xcf46aea241333333, 0x7fc0000140400240, \
                0x3dcccccd501504b9, 0xc83fe8903f800000, vfnmadd132ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0x501502f943930ccd, 0x7fc00001c0100300, \
                0x3a83123cd814f9a9, 0x480feec0bf800000, vfnmadd213ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0xcb189680c22acccd, 0x7fc0000140d80080, \
                0xb8d19718518262a2, 0x477fe6c03e800000, vfnmadd231ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0xcf46aea2c0333333, 0x7fc00001c03ffdc0, \
                0xbdcccccdd0150139, 0xc83fe770c0000000, vfnmsub132ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0xd01502f94392f333, 0x7fc00001400ffd00, \
                0xba8312a2d814f9a9, 0x480fed40c0000000, vfnmsub213ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0xcb18968142253333, 0x7fc0000140d7ff80, \
                0xb8d1d71851826292, 0xc77fd940bfe00000, vfnmsub231ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0x501502f9c3930ccd, 0x7fc0000140100300, \
                0x3a8312a25814f9a9, 0xc80fed403f800000, vfmaddsub213ps ymm0, ymm1, ymm2
        ymm_case f_h, f_a, f_b, 0xd01502f9c392f333, 0x7fc00001c00ffd00, \
                0xba83123c5814f9a9, 0xc80feec040000000, vfmsubadd213ps ymm0, ymm1, ymm2
        ymm_case d_b, d_a, d_b, 0xc02b800000000000, 0x5412ba095dc7701e, \
                0xc00e000000000000, 0xbffe000000000000, vfmadd213pd ymm0, ymm1, ymm2
        ymm_case d_b, d_a, d_b, 0x4026800000000000, 0x5412ba095dc7701e, \
                0xc023800000000000, 0xbfd8000000000000, vfmsub231pd ymm0, ymm1, ymm2
        ymm_case d_b, d_a, d_b, 0xc06384cccccccccd, 0x54b249ad2594c37d, \
                0xc026800000000000, 0x3fee000000000000, vfnmadd132pd ymm0, ymm1, ymm2
        ymm_case d_b, d_a, d_b, 0x402b800000000000, 0xd412ba095dc7701e, \
                0x400e000000000000, 0x3ffe000000000000, vfnmsub213pd ymm0, ymm1, ymm2
        ymm_case d_b, d_a, d_b, 0x40638b3333333333, 0xd4b249ad2594c37d, \
                0x401b000000000000, 0xbfee000000000000, vfmaddsub132pd ymm0, ymm1, ymm2
        ymm_case d_b, d_a, d_b, 0x4026800000000000, 0x5412ba095dc7701e, \
                0xc023800000000000, 0xbffe000000000000, vfmsubadd231pd ymm0, ymm1, ymm2
        ymm_case f_b, f_a, f_b, 0x0000000000000000, 0x0000000000000000, \
                0x3a83126fc0e00000, 0x404000003fa00000, vfmadd213ss xmm0, xmm1, xmm2
        ymm_case d_b, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0x4008000000000000, 0xbffe000000000000, vfmadd231sd xmm0, xmm1, [esi]
        ymm_case f_b, f_a, f_b, 0x0000000000000000, 0x0000000000000000, \
                0x3a83126fc0e00000, 0x40400000bfe00000, vfnmsub132ss xmm0, xmm1, [esi]
        ymm_case d_b, d_a, d_b, 0x0000000000000000, 0x0000000000000000, \
                0x4008000000000000, 0xbfd8000000000000, vfmsub213sd xmm0, xmm1, xmm2
        ymm_case f_n, f_m, f_b, 0x501502f93dcccccd, 0x7f80000040d80000, \
                0xff800000c0e00000, 0x7fc000007fc00000, vfmadd213ps ymm0, ymm1, ymm2
        ymm_case f_n, f_m, f_b, 0xd1ba43b7bdcccccd, 0x7f800000c0700000, \
                0xffc0000080000000, 0x7fc000007fc00000, vfmadd231ps ymm0, ymm1, ymm2
        ymm_case f_n, f_m, f_m, 0xc2dc0000bf800000, 0xff800000c0c00000, \
                0x7f80000000000000, 0x7fc000007fc00000, vfnmadd132ps ymm0, ymm1, ymm2
        it "one rounding: (1 + 2^-52)^2 - (1 + 2^-51) is 2^-104"
        vmovupd ymm0, [near_one]
        vmovupd ymm1, [near_one + 8]
        vfmsub213sd xmm0, xmm0, xmm1
        expect_xmm xmm0, 0x3ff0000000000002, 0x3970000000000000
        it "it is exact: no precision flag"
        set_mxcsr 0x1f80
        vmovupd ymm0, [near_one]
        vfmsub213sd xmm0, xmm0, xmm1
        expect_mxcsr 0x3f, 0
        it "rounding goes by MXCSR"
        set_mxcsr 0x5f80
        vmovupd ymm0, [near_one]
        vfmadd213sd xmm0, xmm0, xmm1
        expect_xmm xmm0, 0x3ff0000000000002, 0x4000000000000003
        set_mxcsr 0x3f80
        vmovupd ymm0, [near_one]
        vfmadd213sd xmm0, xmm0, xmm1
        expect_xmm xmm0, 0x3ff0000000000002, 0x4000000000000002
        it "infinity times zero is invalid, whatever is added"
        set_mxcsr 0x1f80
        vmovupd ymm0, [infinite]
        vpxor xmm1, xmm1, xmm1
        vfmadd213sd xmm0, xmm1, [near_one]
        expect_xmm xmm0, 0x3ff0000000000000, 0xfff8000000000000
        expect_mxcsr 0x3f, IE
        it "an unmasked exception leaves the destination"
        set_mxcsr 0x1f00
        vmovupd ymm0, [infinite]
        faults X_XM, NONE, vfmadd213sd xmm0, xmm1, [near_one]
        expect_xmm xmm0, 0x3ff0000000000000, 0x7ff0000000000000
        set_mxcsr 0x1f80
        finish

        image_end
