; SSE and SSE2: floating point.
;
; checks: arithmetic, comparisons, conversions, shuffles, moves of single and double precision, packed and scalar; rounding modes
; see: SDM 1 10 and 11, SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; assertions: 68

%include "lib/rom.inc"
%include "lib/float.inc"

main:
        floats_on
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x4046666650df8476, 0x409800003f800000, addps xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0xc039999a50df8476, 0xc114000040000000, subps xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x3e99999a4be4e1c1, 0xc17c0000bf400000, mulps xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x3d08888955da475b, 0xbea49249c0400000, divps xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x3dcccccd3a83126f, 0xc0100000bf000000, minps xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x4040000050df8476, 0x40e000003fc00000, maxps xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x3dcccccd50df8476, 0xc01000003f800000, addss xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x3dcccccd50df8476, 0xc010000040000000, subss xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x3dcccccd50df8476, 0xc0100000bf400000, mulss xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x3dcccccd50df8476, 0xc0100000c0400000, divss xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x3dcccccd50df8476, 0xc0100000bf000000, minss xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x3dcccccd50df8476, 0xc01000003fc00000, maxss xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x3dcccccd50df8476, 0xc0100000ffc00000, sqrtss xmm0, xmm1
        xmm_case 0x0000000000000000, 0x0000000000000000, 0x50061c463f000000, 0x4000000040800000, \
                0x47b94a2a3f3504f3, 0x3fb504f340000000, sqrtps xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc001333333333333, 0x4012000000000000, addpd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc002cccccccccccd, 0xbff8000000000000, subpd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xbfcccccccccccccd, 0x4012000000000000, mulpd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc036800000000000, 0x3fe0000000000000, divpd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc002000000000000, 0x3ff8000000000000, minpd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0x3fb999999999999a, 0x4008000000000000, maxpd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc002000000000000, 0x4012000000000000, addsd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc002000000000000, 0xbff8000000000000, subsd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc002000000000000, 0x4012000000000000, mulsd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc002000000000000, 0x3fe0000000000000, divsd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc002000000000000, 0x3ff8000000000000, minsd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc002000000000000, 0x4008000000000000, maxsd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc002000000000000, 0x3ffbb67ae8584caa, sqrtsd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0x3fd43d136248490f, 0x3ffbb67ae8584caa, sqrtpd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x010080feff017e10, 0x0000000100000002, andnps xmm0, xmm1
        xmm_case 0x408000007fc00000, 0x400000003f800000, 0xc080000040a00000, 0x404000003f800000, \
                0x0000000000000000, 0x00000000ffffffff, cmpps xmm0, xmm1, 0
        xmm_case 0x408000007fc00000, 0x400000003f800000, 0xc080000040a00000, 0x404000003f800000, \
                0x0000000000000000, 0xffffffff00000000, cmpps xmm0, xmm1, 1
        xmm_case 0x408000007fc00000, 0x400000003f800000, 0xc080000040a00000, 0x404000003f800000, \
                0x0000000000000000, 0xffffffffffffffff, cmpps xmm0, xmm1, 2
        xmm_case 0x408000007fc00000, 0x400000003f800000, 0xc080000040a00000, 0x404000003f800000, \
                0x00000000ffffffff, 0x0000000000000000, cmpps xmm0, xmm1, 3
        xmm_case 0x408000007fc00000, 0x400000003f800000, 0xc080000040a00000, 0x404000003f800000, \
                0xffffffffffffffff, 0xffffffff00000000, cmpps xmm0, xmm1, 4
        xmm_case 0x408000007fc00000, 0x400000003f800000, 0xc080000040a00000, 0x404000003f800000, \
                0xffffffffffffffff, 0x00000000ffffffff, cmpps xmm0, xmm1, 5
        xmm_case 0x408000007fc00000, 0x400000003f800000, 0xc080000040a00000, 0x404000003f800000, \
                0xffffffffffffffff, 0x0000000000000000, cmpps xmm0, xmm1, 6
        xmm_case 0x408000007fc00000, 0x400000003f800000, 0xc080000040a00000, 0x404000003f800000, \
                0xffffffff00000000, 0xffffffffffffffff, cmpps xmm0, xmm1, 7
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc002000000000000, 0xffffffffffffffff, cmpsd xmm0, xmm1, 1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0x0000000000000000, 0x0000000000000000, cmppd xmm0, xmm1, 6
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x80ff7f0100fe8142, 0x7fff8000ffff0001, \
                0x7fff8000fedcba98, 0xffff000176543210, unpcklps xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x80ff7f0100fe8142, 0x7fff8000ffff0001, \
                0x80ff7f0101234567, 0x00fe814289abcdef, unpckhps xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x80ff7f0100fe8142, 0x7fff8000ffff0001, \
                0x7fff8000ffff0001, 0xfedcba9876543210, unpcklpd xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x80ff7f0100fe8142, 0x7fff8000ffff0001, \
                0x80ff7f0100fe8142, 0x0123456789abcdef, unpckhpd xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x80ff7f0100fe8142, 0x7fff8000ffff0001, \
                0x7fff8000ffff0001, 0xfedcba9876543210, movlhps xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x80ff7f0100fe8142, 0x7fff8000ffff0001, \
                0x0123456789abcdef, 0x80ff7f0100fe8142, movhlps xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x80ff7f0100fe8142, 0x7fff8000ffff0001, \
                0x0123456789abcdef, 0xfedcba98ffff0001, movss xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x80ff7f0100fe8142, 0x7fff8000ffff0001, \
                0x0123456789abcdef, 0x7fff8000ffff0001, movsd xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x80ff7f0100fe8142, 0x7fff8000ffff0001, \
                0xffff00017fff8000, 0x89abcdef01234567, shufps xmm0, xmm1, 0x1b
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x80ff7f0100fe8142, 0x7fff8000ffff0001, \
                0x7fff8000ffff0001, 0x0123456789abcdef, shufpd xmm0, xmm1, 1
        xmm_case 0x0000000000000000, 0x0000000000000000, 0x7fffffffffffffff, 0x0000000380000000, \
                0x4f000000bf800000, 0x40400000cf000000, cvtdq2ps xmm0, xmm1
        xmm_case 0x0000000000000000, 0x0000000000000000, 0x4f32d05ebfc00000, 0x402000003fc00000, \
                0x80000000fffffffe, 0x0000000200000002, cvtps2dq xmm0, xmm1
        xmm_case 0x0000000000000000, 0x0000000000000000, 0x7fc000003f000000, 0xc039999a3ff33333, \
                0x8000000000000000, 0xfffffffe00000001, cvttps2dq xmm0, xmm1
        xmm_case 0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x8000000000000007, \
                0xc1e0000000000000, 0x401c000000000000, cvtdq2pd xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0xc00c000000000000, 0x4004000000000000, \
                0x0000000000000000, 0xfffffffc00000002, cvtpd2dq xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x7e37e43c8800759c, 0x4007333333333333, \
                0x0000000000000000, 0x8000000000000002, cvttpd2dq xmm0, xmm1
        xmm_case 0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0xc04000003dcccccd, \
                0xc008000000000000, 0x3fb99999a0000000, cvtps2pd xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x7e37e43c8800759c, 0x3fb999999999999a, \
                0x0000000000000000, 0x7f8000003dcccccd, cvtpd2ps xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x0000000000000000, 0x000000003dcccccd, \
                0x0123456789abcdef, 0x3fb99999a0000000, cvtss2sd xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x0000000000000000, 0x3fb999999999999a, \
                0x0123456789abcdef, 0xfedcba983dcccccd, cvtsd2ss xmm0, xmm1
        xmm_case 0x800000003f800000, 0x7fc0000000000000, 0x000000007fc00000, 0x4000000080000000, \
                0x000000007fc00000, 0x4000000080000000, minps xmm0, xmm1
        xmm_case 0x7f8000017fc00002, 0xff8000007f7fffff, 0x3f8000007f800003, 0x7f8000007f7fffff, \
                0x7fc000017fc00002, 0xffc000007f800000, addps xmm0, xmm1
        it "comiss and ucomiss set ZF, PF, CF and clear OF, SF, AF"
        mov eax, 0x3f800000
        movd xmm0, eax
        mov eax, 0x40000000
        movd xmm1, eax
        mov al, 0x7f
        add al, 1
        comiss xmm0, xmm1
        expect_flags ARITH, CF
        ucomiss xmm1, xmm0
        expect_flags ARITH, 0
        comiss xmm0, xmm0
        expect_flags ARITH, ZF
        mov eax, 0x7fc00000
        movd xmm1, eax
        ucomiss xmm0, xmm1
        expect_flags ARITH, ZF | PF | CF
        it "conversions between integer registers and scalars"
        mov eax, -7
        cvtsi2ss xmm0, eax
        movd ebx, xmm0
        expect_eq ebx, 0xc0e00000
        cvtsi2sd xmm1, eax
        cvttsd2si ebx, xmm1
        expect_eq ebx, 0xfffffff9
        mov eax, 0x40200000             ; 2.5
        movd xmm0, eax
        cvtss2si ebx, xmm0
        expect_eq ebx, 2
        set_mxcsr 0x5f80                ; up
        cvtss2si ebx, xmm0
        expect_eq ebx, 3
        cvttss2si ebx, xmm0
        expect_eq ebx, 2
        set_mxcsr 0x1f80
        it "movmskps and movmskpd"
        mov esi, .signs
        movups xmm0, [esi]
        movmskps eax, xmm0
        expect_eq eax, 0b1010
        movmskpd eax, xmm0
        expect_eq eax, 0b11
        it "movlps, movhps, movlpd, movhpd move halves"
        movlps xmm1, [esi + 8]
        movhps xmm1, [esi]
        movhlps xmm2, xmm1
        movq [FLOATS], xmm2
        expect_mem d, [FLOATS + 4], 0x80000002
        movhpd [FLOATS], xmm0
        expect_mem d, [FLOATS + 4], 0x80000004
        it "each rounding mode of an inexact sum"
        mov esi, .third
        movss xmm1, [esi]
        movss xmm2, [esi + 4]
        set_mxcsr 0x1f80
        movss xmm0, xmm1
        addss xmm0, xmm2
        movd eax, xmm0
        expect_eq eax, 0x3f800000
        set_mxcsr 0x5f80
        movss xmm0, xmm1
        addss xmm0, xmm2
        movd eax, xmm0
        expect_eq eax, 0x3f800001
        set_mxcsr 0x3f80
        movss xmm0, xmm1
        subss xmm0, xmm2
        movd eax, xmm0
        expect_eq eax, 0x3f7fffff
        set_mxcsr 0x7f80
        movss xmm0, xmm1
        subss xmm0, xmm2
        movd eax, xmm0
        expect_eq eax, 0x3f7fffff
        set_mxcsr 0x1f80
        it "rcpss and rsqrtss are within 1.5 * 2^-12"
        mov eax, 0x40400000
        movd xmm1, eax
        rcpss xmm0, xmm1
        mulss xmm0, xmm1                ; about 1
        movd eax, xmm0
        sub eax, 0x3f800000 - 6400
        cmp eax, 9600
        jbe .near
        unreachable
.near:
        it "movnti, movntps and movntdq store"
        mov eax, 0x5a5a5a5a
        movnti [FREE], eax
        expect_mem d, [FREE], 0x5a5a5a5a
        movaps xmm0, [.signs]
        movntps [FREE], xmm0
        expect_mem d, [FREE + 4], 0x80000002
        movntdq [FREE], xmm0
        expect_mem d, [FREE + 12], 0x80000004
        finish
        align 16
.signs:
        dd 1, 0x80000002, 3, 0x80000004
.third:
        dd 0x3f800000, 0x30000000

        image_end
