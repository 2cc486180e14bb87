; x87 arithmetic.
;
; checks: loads and constants, add, subtract, multiply, divide in all operand forms, square root, comparison, integer and
;         BCD conversions, remainder, scale, extract, rounding to integer
; see: SDM 1 8 (programming with the x87 FPU), SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; assertions: 26

%include "lib/rom.inc"
%include "lib/float.inc"

%macro load_int 1
        mov dword [FLOATS + 40], %1
        fild dword [FLOATS + 40]
%endmacro

main:
        floats_on
        it "fninit: control word 37F, status 0, tags empty"
        fnstcw [FLOATS]
        expect_mem w, [FLOATS], 0x37f
        fnstsw ax
        expect_eq ax, 0
        fnstenv [FLOATS]
        expect_mem w, [FLOATS + 8], 0xffff
        fldcw [FLOATS]
        it "the constants"
        fld1
        expect_st 0x3fff, 0x8000000000000000
        fldz
        expect_st 0, 0
        fldpi
        expect_st 0x4000, 0xc90fdaa22168c235
        fldl2e
        expect_st 0x3fff, 0xb8aa3b295c17f0bc
        fldl2t
        expect_st 0x4000, 0xd49a784bcd1b8afe
        fldlg2
        expect_st 0x3ffd, 0x9a209a84fbcff799
        fldln2
        expect_st 0x3ffe, 0xb17217f7d1cf79ac
        it "loads of 32 and 64 bits are exact"
        mov dword [FLOATS], 0x3fc00000
        fld dword [FLOATS]
        expect_st 0x3fff, 0xc000000000000000
        mov dword [FLOATS], 0
        mov dword [FLOATS + 4], 0xc0090000
        fld qword [FLOATS]
        expect_st 0xc000, 0xc800000000000000
        it "1 / 3 rounds to nearest"
        fld1
        load_int 3
        fdivp st1, st0
        expect_sw PE | C1, PE | C1      ; C1: rounded up
        expect_st 0x3ffd, 0xaaaaaaaaaaaaaaab
        fnclex
        it "add, subtract, multiply, reversed forms"
        load_int 10
        load_int 4
        fsub st0, st1                   ; 4 - 10
        expect_st 0xc001, 0xc000000000000000
        load_int 4
        fsubr st0, st1                  ; 10 - 4
        expect_st 0x4001, 0xc000000000000000
        load_int 4
        fdivr st0, st1                  ; 10 / 4
        expect_st 0x4000, 0xa000000000000000
        load_int 4
        fmul st0, st1
        expect_st 0x4004, 0xa000000000000000
        load_int 4
        faddp st1, st0
        expect_st 0x4002, 0xe000000000000000
        it "the pop forms write and pop"
        load_int 7
        load_int 2
        fsubp st1, st0                  ; 7 - 2
        load_int 20
        fsubrp st1, st0                 ; 20 - 5
        expect_st 0x4002, 0xf000000000000000
        fnstenv [FLOATS]
        expect_mem w, [FLOATS + 8], 0xffff
        fldcw [FLOATS]
        it "memory operands, integer too"
        fld1
        mov dword [FLOATS], 0x40000000
        fadd dword [FLOATS]
        mov word [FLOATS], -5
        fimul word [FLOATS]
        mov dword [FLOATS], 3
        fidivr dword [FLOATS]           ; 3 / -15
        expect_st 0xbffc, 0xcccccccccccccccd
        it "square root"
        load_int 2
        fsqrt
        expect_st 0x3fff, 0xb504f333f9de6484
        it "chs, abs"
        fld1
        fchs
        expect_st 0xbfff, 0x8000000000000000
        load_int -3
        fabs
        expect_st 0x4000, 0xc000000000000000
        it "compare sets C3, C2, C0"
        fld1
        fldz
        fcom st1
        expect_sw C3 | C2 | C0, C0
        fcompp
        fldz
        fldz
        fcompp
        expect_sw C3 | C2 | C0, C3
        fld1
        ftst
        expect_sw C3 | C2 | C0, 0
        fstp st0
        it "fcomi sets ZF, PF, CF"
        fld1
        fldz
        fcomi st0, st1
        expect_flags ZF | PF | CF, CF
        fcomip st0, st1
        fcomip st0, st0
        expect_flags ZF | PF | CF, ZF
        it "an unordered comparison: fucom raises nothing for a quiet NaN, fcom raises IE"
        fnclex
        mov dword [FLOATS], 0x7fc00000
        fld dword [FLOATS]
        fucom st0
        expect_sw C3 | C2 | C0 | IE, C3 | C2 | C0
        fcom st0
        expect_sw C3 | C2 | C0 | IE, C3 | C2 | C0 | IE
        fnclex
        fstp st0
        it "fxam"
        fldz
        fchs
        fxam
        expect_sw C3 | C2 | C1 | C0, C3 | C1
        fstp st0
        fxam
        expect_sw C3 | C2 | C0, C3 | C0
        fld1
        fxam
        expect_sw C3 | C2 | C1 | C0, C2
        fstp st0
        it "integer stores round by the control word"
        mov dword [FLOATS], 0x40200000  ; 2.5
        fld dword [FLOATS]
        fist dword [FLOATS + 16]
        expect_mem d, [FLOATS + 16], 2
        set_cw 0x77f                    ; down
        fist dword [FLOATS + 16]
        expect_mem d, [FLOATS + 16], 2
        set_cw 0xb7f                    ; up
        fist dword [FLOATS + 16]
        expect_mem d, [FLOATS + 16], 3
        fchs
        fist dword [FLOATS + 16]
        expect_mem d, [FLOATS + 16], 0xfffffffe
        set_cw 0xf7f                    ; to zero
        fistp qword [FLOATS + 16]
        expect_mem d, [FLOATS + 16], 0xfffffffe
        expect_mem d, [FLOATS + 20], 0xffffffff
        set_cw CW_DEFAULT
        it "an integer that does not fit stores the indefinite and raises IE"
        fnclex
        load_int 100000
        fistp word [FLOATS]
        expect_mem w, [FLOATS], 0x8000
        expect_sw IE | PE, IE
        fnclex
        it "fisttp truncates whatever the control word says"
        set_cw 0xb7f
        mov dword [FLOATS], 0x402ccccd
        fld dword [FLOATS]
        fisttp dword [FLOATS]
        expect_mem d, [FLOATS], 2
        set_cw CW_DEFAULT
        it "frndint"
        mov dword [FLOATS], 0x40600000  ; 3.5
        fld dword [FLOATS]
        frndint
        expect_st 0x4001, 0x8000000000000000
        it "fbld and fbstp"
        mov dword [FLOATS], 0x56789012
        mov dword [FLOATS + 4], 0x00001234
        mov word [FLOATS + 8], 0x8000
        fbld tword [FLOATS]
        fld st0
        fistp qword [FLOATS + 16]
        expect_mem d, [FLOATS + 16], (-123456789012) & 0xffffffff
        fbstp [FLOATS + 32]
        expect_mem d, [FLOATS + 32], 0x56789012
        expect_mem d, [FLOATS + 36], 0x1234
        expect_mem w, [FLOATS + 40], 0x8000
        it "fprem gives the remainder and the low bits of the quotient"
        load_int 5
        load_int 17
        fprem
        expect_sw C0 | C1 | C2 | C3, C1 | C3     ; quotient 3: C1 bit 0, C3 bit 1
        expect_st 0x4000, 0x8000000000000000
        it "fprem1 rounds the quotient to nearest"
        load_int 18
        fprem1                          ; 18 - 5 * 4
        expect_st 0xc000, 0x8000000000000000
        fstp st0
        it "fscale and fxtract"
        load_int 3
        fld1
        fscale
        expect_st 0x4002, 0x8000000000000000
        fstp st0
        load_int 10
        fxtract
        expect_st 0x3fff, 0xa000000000000000
        expect_st 0x4000, 0xc000000000000000
        it "fxch, fincstp, fdecstp, ffree"
        fld1
        fldz
        fxch
        expect_st 0x3fff, 0x8000000000000000
        fincstp
        fdecstp
        ffree st0
        fnstenv [FLOATS]
        expect_mem w, [FLOATS + 8], 0xffff
        fninit
        it "fcmovcc"
        fld1
        fldz
        cmp eax, eax
        fcmovne st0, st1
        fst dword [FLOATS]
        expect_mem d, [FLOATS], 0
        cmp eax, eax
        fcmove st0, st1
        fst dword [FLOATS]
        expect_mem d, [FLOATS], 0x3f800000
        fninit
        it "precision control rounds results to 24 and 53 bits"
        set_cw 0x07f
        fld1
        load_int 3
        fdivp st1, st0
        expect_st 0x3ffd, 0xaaaaab0000000000
        set_cw 0x27f
        fld1
        load_int 3
        fdivp st1, st0
        expect_st 0x3ffd, 0xaaaaaaaaaaaaa800
        set_cw CW_DEFAULT
        it "each rounding mode of a division"
        set_cw 0x77f
        fld1
        load_int -3
        fdivp st1, st0
        expect_st 0xbffd, 0xaaaaaaaaaaaaaaab
        set_cw 0xb7f
        fld1
        load_int -3
        fdivp st1, st0
        expect_st 0xbffd, 0xaaaaaaaaaaaaaaaa
        set_cw CW_DEFAULT
        it "stores to 32 and 64 bits round"
        fldpi
        fst dword [FLOATS]
        expect_mem d, [FLOATS], 0x40490fdb
        fstp qword [FLOATS]
        expect_mem d, [FLOATS], 0x54442d18
        expect_mem d, [FLOATS + 4], 0x400921fb
        finish

        image_end
