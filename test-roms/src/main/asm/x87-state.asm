; The x87 environment and state in memory, transcendental functions.
;
; checks: FSTENV, FSAVE and FRSTOR in 16 and 32-bit formats, tags, pointers; values of the
;         transcendental functions within one unit of 64 bits, their special cases, C2 for large arguments
; see: SDM 1 8.1.10 (saving the state), figures 8-9 to 8-12; 8.3.7 (transcendental)
; needs: cpus=1
; status: 33
; QEMU: computes sines with 53 bits, without range check
; Bochs: its FPATAN takes -1, -1 for the first quadrant, its FYL2XP1 is off by more than two units
; assertions: 21

%include "lib/rom.inc"
%include "lib/float.inc"

; near high, low: pops ST(0), which must be that value give or take two units in the last place.
%macro near 2
        fstp tword [FLOATS]
        expect_mem w, [FLOATS + 8], %1
        mov eax, [FLOATS]
        mov edx, [FLOATS + 4]
        sub eax, (%2) & 0xffffffff
        sbb edx, (%2) >> 32
        add eax, 2
        adc edx, 0
        cmp eax, 4
        seta cl
        test edx, edx
        setnz ch
        or cl, ch
        expect_eq cl, 0
%endmacro
%macro load32 1
        mov dword [FLOATS + 40], %1
        fld dword [FLOATS + 40]
%endmacro

main:
        floats_on
        it "fnstenv, 32-bit format: 28 bytes"
        mov edi, FREE
        mov ecx, 128
        mov al, 0x55
        rep stosb
        fld1
        fldz
.last:
        fadd dword [.one]
        fnstenv [FREE]
        expect_mem w, [FREE], 0x37f
        expect_mem w, [FREE + 4], 0x3000
        expect_mem w, [FREE + 8], 0x0fff
        mov eax, [FREE + 12]
        expect_is eax, .last
        mov eax, 7
        xor ecx, ecx
        cpuid
        bt ebx, 6                       ; FDP_EXCPTN_ONLY: the data pointer is that of the last exception
        jc .no_data_pointer
        mov eax, [FREE + 20]
        expect_is eax, .one
.no_data_pointer:
        expect_mem d, [FREE + 28], 0x55555555
        it "the tag word tells valid, zero, special and empty apart"
        fninit
        load32 0x7f800000
        fldz
        fld1
        fnstenv [FREE]
        expect_mem w, [FREE + 8], 0x93ff        ; R7 special 2, R6 zero 1, R5 valid 0
        it "fnsave, 32-bit format: 108 bytes, and initializes"
        fninit
        fld1
        fldpi
        fnsave [FREE]
        expect_mem d, [FREE + 28], 0x2168c235
        expect_mem w, [FREE + 36], 0x4000
        expect_mem d, [FREE + 38 + 4], 0x80000000
        fnstenv [FREE + 0x100]
        expect_mem w, [FREE + 0x108], 0xffff
        expect_mem w, [FREE + 0x100], 0x37f
        it "frstor brings it back"
        frstor [FREE]
        expect_st 0x4000, 0xc90fdaa22168c235
        expect_st 0x3fff, 0x8000000000000000
        it "16-bit format: 14 bytes of environment"
        fninit
        fld1
        mov dword [FREE + 14], 0x77777777
        o16 fnstenv [FREE]
        expect_mem w, [FREE], 0x37f
        expect_mem w, [FREE + 2], 0x3800
        expect_mem w, [FREE + 4], 0x3fff
        expect_mem d, [FREE + 14], 0x77777777
        it "16-bit fnsave: registers from byte 14"
        o16 fnsave [FREE]
        expect_mem w, [FREE + 14 + 8], 0x3fff
        o16 frstor [FREE]
        expect_st 0x3fff, 0x8000000000000000
        it "fldenv loads tags and top; frstor of an empty image empties"
        fninit
        fld1
        fld1
        fnstenv [FREE]
        fninit
        fldenv [FREE]
        expect_sw 0x3800, 0x3000
        it "fnop leaves the stack alone"
        fninit
        fld1
        fnop
        expect_sw 0x3800, 0x3800
        fninit

        it "fsin and fcos of 1"
        fld1
        fsin
        near 0x3ffe, 0xd76aa47848677021
        fld1
        fcos
        near 0x3ffe, 0x8a51407da8345c92
        it "fsincos of 1"
        fld1
        fsincos
        near 0x3ffe, 0x8a51407da8345c92
        near 0x3ffe, 0xd76aa47848677021
        it "fptan of 1 pushes 1"
        fld1
        fptan
        expect_st 0x3fff, 0x8000000000000000
        near 0x3fff, 0xc75922e5f71d2dc6
        it "fpatan of 1, 1 is pi / 4"
        fld1
        fld1
        fpatan
        near 0x3ffe, 0xc90fdaa22168c235
        it "fpatan knows the quadrant: -1, -1 is -3 pi / 4"
        fld1
        fchs
        fld1
        fchs
        fpatan
        near 0xc000, 0x96cbe3f9990e91a8
        it "f2xm1 of 0.5"
        load32 0x3f000000
        f2xm1
        near 0x3ffd, 0xd413cccfe7799211
        it "fyl2x: 1 * log2(10)"
        fld1
        load32 0x41200000
        fyl2x
        near 0x4000, 0xd49a784bcd1b8afe
        it "fyl2xp1: 1 * log2(1.25)"
        fld1
        load32 0x3e800000
        fyl2xp1
        near 0x3ffd, 0xa4d3c25e68dc57f2
        it "fsin of 0 is 0 of the same sign, exact"
        fnclex
        fldz
        fchs
        fsin
        expect_st 0x8000, 0
        expect_sw PE, 0
        it "an argument of 2^63 or more sets C2 and stays"
        mov dword [FLOATS], 0x5f000000  ; 2^63
        fld dword [FLOATS]
        fsin
        expect_sw C2, C2
        expect_st 0x403e, 0x8000000000000000
        it "fsin of infinity is invalid"
        load32 0x7f800000
        fsin
        expect_st 0xffff, 0xc000000000000000
        expect_sw IE, IE
        fnclex
        it "fyl2x of 0 divides by zero"
        fld1
        fldz
        fyl2x
        expect_st 0xffff, 0x8000000000000000
        expect_sw ZE, ZE
        fnclex
        it "fyl2x of a negative number is invalid"
        fld1
        fld1
        fchs
        fyl2x
        expect_st 0xffff, 0xc000000000000000
        expect_sw IE, IE
        finish
        align 4
.one:
        dd 0x3f800000

        image_end
