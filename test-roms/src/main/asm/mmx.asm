; MMX.
;
; checks: each packed integer instruction of MMX and of SSE on MM registers, EMMS and the x87 tags
; see: SDM 1 9 (MMX), SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; QEMU: leaves the exponent of a written MM register
; assertions: 60

%include "lib/rom.inc"
%include "lib/float.inc"

main:
        floats_on
        it "an MMX instruction leaves no register empty, and TOP 0"
        fninit
        fld1
        movd mm0, eax
        fnstenv [FLOATS]
        mov ax, [FLOATS + 8]
        mov bx, ax
        shr bx, 1
        and ax, bx
        and ax, 0x5555                  ; pairs of ones are empty
        expect_eq ax, 0
        mov ax, [FLOATS + 4]
        and ax, 0x3800
        expect_eq ax, 0
        it "emms empties all"
        emms
        fnstenv [FLOATS]
        expect_mem w, [FLOATS + 8], 0xffff
        it "a write to MM0 sets the exponent of its x87 register to ones"
        mov eax, 0x12345678
        movd mm0, eax
        fnsave [FLOATS]
        expect_mem w, [FLOATS + 28 + 8], 0xffff
        expect_mem d, [FLOATS + 28], 0x12345678
        emms
        it "movd and movq"
        mov eax, 0x89abcdef
        movd mm1, eax
        movq mm2, mm1
        movd ebx, mm2
        expect_same ebx, eax
        expect_mm mm2, 0x89abcdef
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7f0000017efe0003, paddb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x800000017ffe0003, paddw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x800100017ffe0003, paddd mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x800100027ffe0003, paddq mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7ffe00ff800000ff, psubb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7ffeffff8000ffff, psubw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7ffdffff7fffffff, psubd mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7ffdffff7fffffff, psubq mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7f0080017efe0003, paddsb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7fff80007ffe0003, paddsw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7fffff01ffff0003, paddusb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x8000ffffffff0003, paddusw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7ffe00ff800000ff, psubsb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7ffeffff8000ffff, psubsw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7ffe000080000000, psubusb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7ffe000080000000, psubusw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7fff800080010002, pmullw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x00003fffffff0000, pmulhw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x3fffffffffff8003, pmaddwd mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x000040007ffe0000, pmulhuw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7ffe80037ffd0002, pmuludq mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x0000ff0000ffff00, pcmpeqb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0xff00000000000000, pcmpgtb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0xffff000000000000, pcmpgtw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0xffffffff00000000, pcmpgtd mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x000180007fff0000, pand mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x0000000100000002, pandn mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7fff8001ffff0003, por mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7ffe000180000003, pxor mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x01807f027f80ff01, packsswb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7fff7fff7fff8000, packssdw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x0100ff02ff000001, packuswb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7fffffff00000201, punpcklbw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x007f01ff80800100, punpckhbw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7fffffff00020001, punpcklwd mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x000180017fff8000, punpckhdq mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x40808001bfff0002, pavgb mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x40008001bfff0002, pavgw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x000180007fff0001, pminub mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7fff8001ffff0002, pmaxub mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x00018000ffff0001, pminsw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x7fff80017fff0002, pmaxsw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x00000000000001ff, psadbw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x0000000000000003, 0xfff80000fff80008, psllw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x0000000000000003, 0xfffc0000fff80008, pslld mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x0000000000000003, 0xfffc0007fff80008, psllq mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x0000000000000003, 0x0fff10001fff0000, psrlw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x0000000000000003, 0x0ffff0001fffe000, psrld mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x0000000000000003, 0x0ffff0001fffe000, psrlq mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x0000000000000003, 0x0ffff000ffff0000, psraw mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x0000000000000003, 0x0ffff000ffffe000, psrad mm0, mm1
        mm_case 0x7fff8000ffff0001, 0x0000000000000000, 0x0000ffffffff0000, psraw mm0, 20
        mm_case 0x7fff8000ffff0001, 0x0000000000000000, 0x0000000000000000, psllq mm0, 64
        mm_case 0x7fff8000ffff0001, 0x000180017fff0002, 0x00027fff80010001, pshufw mm0, mm1, 0x1b
        it "pextrw, pinsrw, pmovmskb"
        mov eax, 0xabcd
        pxor mm0, mm0
        pinsrw mm0, eax, 2
        expect_mm mm0, 0x0000abcd00000000
        pextrw ebx, mm0, 2
        expect_eq ebx, 0xabcd
        pmovmskb ebx, mm0
        expect_eq ebx, 0x30
        it "maskmovq writes the bytes whose mask bit is set"
        mov dword [FREE], 0
        mov dword [FREE + 4], 0
        mov edi, FREE
        mov dword [FLOATS], 0x00800080
        mov dword [FLOATS + 4], 0x80000000
        movq mm1, [FLOATS]
        pcmpeqb mm0, mm0
        maskmovq mm0, mm1
        expect_mem d, [FREE], 0x00ff00ff
        expect_mem d, [FREE + 4], 0xff000000
        emms
        finish

        image_end
