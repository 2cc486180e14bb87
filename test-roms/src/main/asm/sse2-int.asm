; SSE2: packed integers.
;
; checks: each integer instruction on XMM registers, shifts by register, immediate and too much, shuffles, unaligned and partial moves
; see: SDM 1 11.4.2, SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; assertions: 69

%include "lib/rom.inc"
%include "lib/float.inc"

main:
        floats_on
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x817eff00ffff7f52, 0x7f0000017efe0003, paddb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x827e0000ffff7f52, 0x800000017ffe0003, paddw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x827f000000007f52, 0x800100017ffe0003, paddd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x827f000100007f52, 0x800100027ffe0003, paddq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x7f80ff0201fd8332, 0x7ffe00ff800000ff, psubb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x7f80fe0201fd8332, 0x7ffeffff8000ffff, psubw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x7f7ffe0201fc8332, 0x7ffdffff7fffffff, psubd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x7f7ffe0101fc8332, 0x7ffdffff7fffffff, psubq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x817eff00ffff8052, 0x7f0080017efe0003, paddsb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x827e0000ffff8000, 0x7fff80007ffe0003, paddsw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x81ffffffffffff52, 0x7fffff01ffff0003, paddusb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x827effffffffffff, 0x8000ffffffff0003, paddusw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80807f0201fd8332, 0x7ffe00ff800000ff, psubsb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80007fff01fd8332, 0x7ffeffff8000ffff, psubsw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x7f80000000fd0032, 0x7ffe000080000000, psubusb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x7f80000000000000, 0x7ffe000080000000, psubusw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0xfd8101ff02fe9020, 0x7fff800080010002, pmullw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0xff41c0feffff00f5, 0x00003fffffff0000, pmulhw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0xc03fff8000f4931e, 0x3fffffffffff8003, pmaddwd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x00c03fff00fd8047, 0x000040007ffe0000, pmulhuw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x00fd84bbd3699020, 0x7ffe80037ffd0002, pmuludq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000000000000000, 0x0000ff0000ffff00, pcmpeqb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000ffffff0000ff, 0xff00000000000000, pcmpgtb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x0000ffffffff0000, 0xffff000000000000, pcmpgtw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x00000000ffffffff, 0xffffffff00000000, pcmpgtd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x007f000100008000, 0x000180007fff0000, pand xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x010080feff017e10, 0x0000000100000002, pandn xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x81ffffffffffff52, 0x7fff8001ffff0003, por xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x8180fffeffff7f52, 0x7ffe000180000003, pxor xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x7f80808001807f02, 0x807f7f807f80ff01, packsswb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x7fff80007fff7fff, 0x80007fff7fff8000, packssdw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0xff0000000100ff02, 0x00fffe00ff000001, packuswb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x007f01ff80800100, 0x7fffffff00000201, punpcklbw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x01807fff807fff01, 0xff0001fefe811042, punpckhbw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x00017fff80018000, 0x7fffffff00020001, punpcklwd xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f80ff80ff7f01, 0xff01fe1000fe8142, punpckhdq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x41bf80808080c029, 0x40808001bfff0002, pavgb xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x413f80008000bfa9, 0x40008001bfff0002, pavgw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f7f0100018110, 0x000180007fff0001, pminub xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80ff80fffffefe42, 0x7fff8001ffff0002, pmaxub xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x80ff80ffff018142, 0x00018000ffff0001, pminsw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f7f0100fefe10, 0x7fff80017fff0002, pmaxsw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x00000000000004a9, 0x00000000000001ff, psadbw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x000180017fff0002, 0x7fff8000ffff0001, punpcklqdq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x017f80ffff01fe10, 0x000180017fff0002, \
                0x017f80ffff01fe10, 0x80ff7f0100fe8142, punpckhqdq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000003, \
                0x07f8f80807f00a10, 0xfff80000fff80008, psllw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000003, \
                0x07fbf80807f40a10, 0xfffc0000fff80008, pslld xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000003, \
                0x07fbf80807f40a10, 0xfffc0007fff80008, psllq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000003, \
                0x101f0fe0001f1028, 0x0fff10001fff0000, psrlw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000003, \
                0x101fefe0001fd028, 0x0ffff0001fffe000, psrld xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000003, \
                0x101fefe0201fd028, 0x0ffff0001fffe000, psrlq xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000003, \
                0xf01f0fe0001ff028, 0x0ffff000ffff0000, psraw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000003, \
                0xf01fefe0001fd028, 0x0ffff000ffffe000, psrad xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000100000000, \
                0xffffffff00000000, 0x00000000ffffffff, psrad xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000010, \
                0x0000000000000000, 0x0000000000000000, psllw xmm0, xmm1
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000000, \
                0xffff00000000ffff, 0x0000ffffffff0000, psraw xmm0, 20
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0x8000000000000000, psllq xmm0, 63
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0x0000000000000000, psrld xmm0, 32
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000000, \
                0xfe81427fff8000ff, 0xff00010000000000, pslldq xmm0, 5
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000000, \
                0x000000000080ff7f, 0x0100fe81427fff80, psrldq xmm0, 5
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000000, \
                0x0000000000000000, 0x0000000000000000, psrldq xmm0, 16
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0123456789abcdef, 0xfedcba9876543210, \
                0x76543210fedcba98, 0x89abcdef01234567, pshufd xmm0, xmm1, 0x1b
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0123456789abcdef, 0xfedcba9876543210, \
                0x0123456789abcdef, 0x3210fedcba987654, pshuflw xmm0, xmm1, 0x39
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0123456789abcdef, 0xfedcba9876543210, \
                0x456789abcdef0123, 0xfedcba9876543210, pshufhw xmm0, xmm1, 0x93
        xmm_case 0x80ff7f0100fe8142, 0x7fff8000ffff0001, 0x0123456789abcdef, 0xfedcba9876543210, \
                0x0000000000000000, 0xfedcba9876543210, movq xmm0, xmm1
        it "pmovmskb, pextrw, pinsrw"
        movdqu xmm0, [.bytes]
        pmovmskb eax, xmm0
        expect_eq eax, 0xaaaa
        pextrw eax, xmm0, 6
        expect_eq eax, 0x800c
        mov eax, 0x1234
        pinsrw xmm0, eax, 7
        pextrw ebx, xmm0, 7
        expect_eq ebx, 0x1234
        it "movdqa faults where it is not aligned, movdqu does not"
        faults X_GP, 0, movdqa xmm0, [.bytes + 1]
        faults X_GP, 0, movdqa [FREE + 8], xmm0
        faults X_GP, 0, paddb xmm0, [.bytes + 8]
        movdqu xmm1, [.bytes + 1]
        movd eax, xmm1
        expect_eq eax, 0x04800280
        it "movq2dq and movdq2q"
        mov eax, 0x77
        movd mm3, eax
        movq2dq xmm0, mm3
        expect_xmm xmm0, 0, 0x77
        movdq2q mm4, xmm0
        movd eax, mm4
        expect_eq eax, 0x77
        emms
        it "maskmovdqu"
        mov edi, FREE
        mov ecx, 4
        xor eax, eax
        rep stosd
        mov edi, FREE
        movdqu xmm1, [.bytes]
        pcmpeqb xmm0, xmm0
        maskmovdqu xmm0, xmm1
        expect_mem d, [FREE + 12], 0xff00ff00
        finish
        align 16
.bytes:
        db 0, 0x80, 2, 0x80, 4, 0x80, 6, 0x80, 8, 0x80, 10, 0x80, 12, 0x80, 14, 0x80

        image_end
