; SSE3, SSSE3, SSE4.1 and SSE4.2.
;
; checks: each instruction of these groups
; see: SDM 1 12, SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; assertions: 81

%include "lib/rom.inc"
%include "lib/float.inc"

main:
        floats_on
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x4046666650df8476, 0x4098000040000000, addsubps xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x4040106240d00000, 0x50df8476bf400000, haddps xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0xc03fef9ec0f00000, 0x50df847640700000, hsubps xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x3a83126f3a83126f, 0xbf000000bf000000, movsldup xmm0, xmm1
        xmm_case 0x3dcccccd50df8476, 0xc01000003fc00000, 0x404000003a83126f, 0x40e00000bf000000, \
                0x4040000040400000, 0x40e0000040e00000, movshdup xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0xc001333333333333, 0xbff8000000000000, addsubpd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0x4008cccccccccccd, 0xbfe8000000000000, haddpd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0x4007333333333333, 0x400e000000000000, hsubpd xmm0, xmm1
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0x4008000000000000, 0x4008000000000000, movddup xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0080000000000001, 0x01000000800001ff, pshufb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x827efd1180028001, 0x00008240ffff0000, phaddw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x00817f0f80008003, 0x81fe00437ffe8001, phaddd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x827efd1180027fff, 0x00008240ffff0000, phaddsw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x7f80ff0f80008003, 0xfe02804400010002, phsubw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0xfd827d117ffd8001, 0x7fff02417fff8001, phsubd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x8000ff0f80008003, 0x7fff804480000002, phsubsw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x7f01c07f00fe031e, 0x00ffc0007d820002, pmaddubsw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0xfe8481fcfffe01eb, 0x00017fffffff0000, pmulhrsw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80ff81ff00fe7f42, 0x00ff8000ff010001, psignb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80ff80ffff027ebe, 0x7fff8000ffff0001, psignw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80ff7f01ff017ebe, 0x7fff8000ffff0001, psignd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f800101010210, 0x000180017f010002, pabsb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f7f0100ff01f0, 0x00017fff7fff0002, pabsw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f80ff00fe01f0, 0x000180017fff0002, pabsd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0123456789abcdef, 0xfedcba9876543210, \
                0x00ffff0001012345, 0x6789abcdeffedcba, palignr xmm0, xmm1, 5
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0123456789abcdef, 0xfedcba9876543210, \
                0x0000000080ff7f01, 0x00fe81427fff8000, palignr xmm0, xmm1, 20
        mm_case 0x7fff8000ffff0001, 0xfedcba9876543210, 0xff0001fedcba9876, palignr mm0, mm1, 3
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x010000007f0001ff, pshufb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x80028001ffff0000, phaddw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7fff8000ffff0001, psignd mm0, mm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80ff80fffffe8110, 0x00ff8000ffff0001, pminsb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f7f010001fe42, 0x7f0180017fff0002, pmaxsb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f7f0100fe8142, 0x000180007fff0001, pminuw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80ff80ffff01fe10, 0x7fff8001ffff0002, pmaxuw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f80ff00fe8142, 0x000180017fff0002, pminud xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80ff7f01ff01fe10, 0x7fff8000ffff0001, pmaxud xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80ff7f01ff01fe10, 0x00018001ffff0001, pminsd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f80ff00fe8142, 0x7fff80007fff0002, pmaxsd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x407f01ffd3699020, 0xbfff80007ffd0002, pmulld xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0xffff0379d3699020, 0xffff80017ffd0002, pmuldq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0xffff0000ffffffff, 0x0000ffffffff0000, packusdw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000000000000, 0x0000000000000000, pcmpeqq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000000000000, 0xffffffffffffffff, pcmpgtq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x00000001ff800001, 0x007fffff00000002, pmovsxbw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000007fffffffff, 0x0000000000000002, pmovsxbd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000000000000, 0x0000000000000002, pmovsxbq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x00000001ffff8001, 0x00007fff00000002, pmovsxwd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000000007fff, 0x0000000000000002, pmovsxwq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000000018001, 0x000000007fff0002, pmovsxdq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000100800001, 0x007f00ff00000002, pmovzxbw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000007f000000ff, 0x0000000000000002, pmovzxbd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000000000000, 0x0000000000000002, pmovzxbq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000100008001, 0x00007fff00000002, pmovzxwd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000000007fff, 0x0000000000000002, pmovzxwq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000000018001, 0x000000007fff0002, pmovzxdq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000000000000, 0x0000000000030001, phminposuw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80ff7f01ff01fe10, 0x7fff80007fff0002, blendps xmm0, xmm1, 5
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f80ffff01fe10, 0x7fff8000ffff0001, blendpd xmm0, xmm1, 2
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80ff80ff00fefe10, 0x000180007fff0001, pblendw xmm0, xmm1, 0x5a
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x01fd01fc0100013f, 0x023a01c101be017e, mpsadbw xmm0, xmm1, 5
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000000fe8142, 0xff01fe10ffff0001, insertps xmm0, xmm1, 0x98
        xmm_case 0x4080000040400000, 0x400000003f800000, 0x4100000040e00000, 0x40c0000040a00000, \
                0x00000000428c0000, 0x00000000428c0000, dpps xmm0, xmm1, 0xf5
        xmm_case 0xc002000000000000, 0x3ff8000000000000, 0x3fb999999999999a, 0x4008000000000000, \
                0x0000000000000000, 0x401119999999999a, dppd xmm0, xmm1, 0x31
        xmm_case 0x0000000000000000, 0x0000000000000000, 0xbf19999a3ecccccd, 0xc020000040200000, \
                0xbf80000000000000, 0xc000000040000000, roundps xmm0, xmm1, 0
        xmm_case 0x0000000000000000, 0x0000000000000000, 0xbf19999a3ecccccd, 0xc020000040200000, \
                0xbf80000000000000, 0xc040000040000000, roundps xmm0, xmm1, 1
        xmm_case 0x0000000000000000, 0x0000000000000000, 0xbf19999a3ecccccd, 0xc020000040200000, \
                0x800000003f800000, 0xc000000040400000, roundps xmm0, xmm1, 2
        xmm_case 0x0000000000000000, 0x0000000000000000, 0xbf19999a3ecccccd, 0xc020000040200000, \
                0x8000000000000000, 0xc000000040000000, roundps xmm0, xmm1, 3
        xmm_case 0x0000000000000000, 0x0000000000000000, 0x43abc16d674ec800, 0xbff8000000000000, \
                0x43abc16d674ec800, 0xc000000000000000, roundpd xmm0, xmm1, 1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x0000000000000000, 0x000000003f8ccccd, \
                0x0123456789abcdef, 0xfedcba9840000000, roundss xmm0, xmm1, 2
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0x0000000000000000, 0xbffe666666666666, \
                0x0123456789abcdef, 0xbff0000000000000, roundsd xmm0, xmm1, 3
        it "blendvps, blendvpd and pblendvb choose by XMM0"
        movaps xmm0, [.mask]
        pxor xmm1, xmm1
        pcmpeqb xmm2, xmm2
        blendvps xmm1, xmm2, xmm0
        expect_xmm xmm1, 0xffffffff00000000, 0xffffffff00000000
        pxor xmm1, xmm1
        pblendvb xmm1, xmm2, xmm0
        expect_xmm xmm1, 0xff00000000000000, 0xff000000000000ff
        pxor xmm1, xmm1
        blendvpd xmm1, xmm2, xmm0
        expect_xmm xmm1, 0xffffffffffffffff, 0xffffffffffffffff
        it "ptest sets ZF for no common bit, CF for none outside"
        movaps xmm0, [.mask]
        pxor xmm1, xmm1
        ptest xmm0, xmm1
        expect_flags ARITH, ZF | CF
        pcmpeqb xmm1, xmm1
        ptest xmm0, xmm1
        expect_flags ARITH, 0
        ptest xmm0, xmm0
        expect_flags ARITH, CF
        it "pextrb, pextrd, extractps, pinsrb, pinsrd"
        pextrb eax, xmm0, 7
        expect_eq eax, 0x80
        pextrd eax, xmm0, 3
        expect_eq eax, 0x80000000
        extractps eax, xmm0, 0
        expect_eq eax, 0x80
        mov eax, 0x55
        pinsrb xmm0, eax, 1
        pextrw eax, xmm0, 0
        expect_eq eax, 0x5580
        mov eax, 0x12345678
        pinsrd xmm0, eax, 2
        pextrd ebx, xmm0, 2
        expect_eq ebx, 0x12345678
        it "lddqu, movntdqa"
        lddqu xmm1, [.mask + 1]
        movd eax, xmm1
        expect_eq eax, 0
        movntdqa xmm1, [.mask]
        movd eax, xmm1
        expect_eq eax, 0x80
        it "pcmpistri: any byte of a set, index of the first, flags"
        movdqu xmm0, [.vowels]
        movdqu xmm1, [.string]
        pcmpistri xmm0, xmm1, 0
        expect_flags ARITH, CF | ZF | SF
        expect_eq ecx, 5
        it "pcmpistri: ranges, last index"
        movdqu xmm0, [.digits]
        pcmpistri xmm0, xmm1, 0x44
        expect_eq ecx, 6
        it "pcmpistri: equal ordered finds a substring"
        movdqu xmm0, [.needle]
        pcmpistri xmm0, xmm1, 0x0c
        expect_eq ecx, 7
        expect_flags CF | OF, CF
        it "pcmpistrm: a mask of bytes and of bits"
        movdqu xmm1, [.string]
        movdqu xmm2, [.vowels]
        pcmpistrm xmm2, xmm1, 0
        movd eax, xmm0
        expect_eq eax, 0x0020
        pcmpistrm xmm2, xmm1, 0x40
        pmovmskb eax, xmm0
        expect_eq eax, 0x0020
        it "pcmpestri: lengths in EAX and EDX"
        mov eax, 3
        mov edx, 16
        movdqu xmm2, [.digits]
        pcmpestri xmm2, xmm1, 0x0c
        expect_eq ecx, 16
        expect_flags CF | ZF | SF | OF, SF
        it "pcmpestrm: equal each"
        mov eax, 4
        mov edx, 4
        movdqu xmm1, [.string]
        movdqu xmm2, [.string]
        pcmpestrm xmm2, xmm1, 0x08
        movd eax, xmm0
        expect_eq eax, 0xffff
        it "monitor and mwait or #UD as CPUID says"
        mov eax, 1
        cpuid
        bt ecx, 3
        jc .monitor
        faults X_UD, NONE, db 0x0f, 0x01, 0xc8
.monitor:
        finish
        align 16
.mask:  dd 0x80, 0x80000000, 0, 0x80000000
.vowels: db "aeiou", 0
        times 10 db 0
.string: db "rhythe2x xyz", 0, 0, 0, 0
.digits: db "09", 0
        times 13 db 0
.needle: db "x xy", 0
        times 11 db 0

        image_end
