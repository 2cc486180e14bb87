; Shifts and rotates: results, masked counts, the flags that are defined.
;
; checks: SHL SHR SAR ROL ROR RCL RCR SHLD SHRD
; see: SDM 2 (SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD)
; needs: cpus=1
; status: 33
; assertions: 24

%include "lib/rom.inc"

main:
        it "shl by 1: carry is the old sign, overflow is carry xor sign"
        mov eax, 0x40000000
        shl eax, 1
        expect_flags CF | OF | ZF | SF | PF, OF | SF | PF
        expect_eq eax, 0x80000000
        shl eax, 1
        expect_flags CF | OF | ZF | SF | PF, CF | OF | ZF | PF
        it "shl by CL: the last bit shifted out"
        mov al, 0x81
        mov cl, 8
        shl al, cl
        expect_flags CF | ZF, CF | ZF
        expect_eq al, 0
        it "shl: the count is taken modulo 32"
        mov eax, 1
        mov cl, 33
        shl eax, cl
        expect_eq eax, 2
        it "shl: 16 bits shifted by 17 to 31 are zero"
        mov ax, 0xffff
        mov cl, 20
        shl ax, cl
        expect_eq ax, 0
        expect_flags ZF | PF, ZF | PF
        it "a count of 0 changes no flag"
        mov al, 0x7f
        add al, 1
        mov cl, 32
        mov ebx, 0
        shl ebx, cl
        expect_flags ARITH, OF | SF | AF
        sar ebx, cl
        rol ebx, cl
        rcr ebx, cl
        expect_flags ARITH, OF | SF | AF
        it "shr by 1: overflow is the old sign"
        mov eax, 0x80000001
        shr eax, 1
        expect_flags CF | OF | ZF | SF | PF, CF | OF | PF
        expect_eq eax, 0x40000000
        it "sar keeps the sign, clears overflow"
        mov al, 0x81
        sar al, 1
        expect_flags CF | OF | ZF | SF | PF, CF | SF | PF
        expect_eq al, 0xc0
        it "sar: long counts fill with the sign"
        mov ax, 0x8000
        mov cl, 31
        sar ax, cl
        expect_eq ax, 0xffff
        expect_flags CF | SF, CF | SF
        it "shifts of memory"
        mov dword [FREE], 0x00ff0000
        shl dword [FREE], 8
        expect_mem d, [FREE], 0xff000000
        sar byte [FREE + 3], 4
        expect_mem b, [FREE + 3], 0xff
        it "rol by 1: carry is the new bit 0, overflow is carry xor sign"
        mov eax, 0x80000000
        rol eax, 1
        expect_flags CF | OF, CF | OF
        expect_eq eax, 1
        it "rol: zero, sign, parity stay"
        mov al, 0xff
        add al, 1
        mov bl, 0x81
        rol bl, 4
        expect_flags ZF | SF | PF | AF | CF, ZF | PF | AF
        expect_eq bl, 0x18
        it "rol: 8 bits by a multiple of 8 still set the carry"
        clc
        mov al, 0x01
        mov cl, 8
        rol al, cl
        expect_eq al, 1
        expect_flags CF, CF
        it "ror by 1: overflow is the xor of the two top bits"
        mov eax, 1
        ror eax, 1
        expect_flags CF | OF, CF | OF
        expect_eq eax, 0x80000000
        mov eax, 2
        ror eax, 1
        expect_flags CF | OF, 0
        it "ror by 16 swaps halves"
        mov eax, 0x12345678
        ror eax, 16
        expect_eq eax, 0x56781234
        it "rcl goes through the carry"
        stc
        mov al, 0x40
        rcl al, 1
        expect_flags CF | OF, OF
        expect_eq al, 0x81
        rcl al, 1
        expect_flags CF | OF, CF | OF
        expect_eq al, 0x02
        it "rcl: 9 steps of 8 bits change nothing"
        stc
        mov al, 0xa5
        mov cl, 9
        rcl al, cl
        expect_eq al, 0xa5
        expect_flags CF, CF
        it "rcl: 17 steps of 16 bits change nothing"
        clc
        mov ax, 0x8421
        mov cl, 17
        rcl ax, cl
        expect_eq ax, 0x8421
        expect_flags CF, 0
        it "rcr goes through the carry"
        stc
        mov eax, 0
        rcr eax, 1
        expect_flags CF | OF, OF
        expect_eq eax, 0x80000000
        it "rcr by 31"
        stc
        mov eax, 0x80000000
        mov cl, 31
        rcr eax, cl
        expect_eq eax, 0x00000003
        expect_flags CF, 0
        it "shld shifts bits in from the right"
        mov eax, 0x12345678
        mov edx, 0xabcdef01
        shld eax, edx, 8
        expect_eq eax, 0x345678ab
        expect_eq edx, 0xabcdef01
        expect_flags CF | ZF | SF | PF, 0
        it "shrd shifts bits in from the left"
        mov eax, 0x12345678
        mov edx, 0xabcdef01
        mov cl, 4
        shrd eax, edx, cl
        expect_eq eax, 0x11234567
        expect_flags CF | ZF | SF, CF
        it "shrd by 1: overflow is a change of sign"
        mov eax, 0x7fffffff
        mov edx, 1
        shrd eax, edx, 1
        expect_eq eax, 0xbfffffff
        expect_flags CF | OF | SF, CF | OF | SF
        it "shld of memory, 16 bits"
        mov word [FREE], 0x8001
        mov bx, 0xf000
        shld [FREE], bx, 4
        expect_mem w, [FREE], 0x001f
        it "shld by 0 changes nothing"
        stc
        mov cl, 32
        mov eax, 0x55
        shld eax, edx, cl
        expect_eq eax, 0x55
        expect_flags CF, CF
        finish

        image_end
