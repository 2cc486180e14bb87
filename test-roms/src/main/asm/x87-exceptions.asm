; x87 exceptions.
;
; checks: masked responses and flags of each of the six, stack overflow and underflow, unmasked ones pending until the next
;         waiting instruction, pre- and post-computation, error pointers, denormals, pseudo formats, NaN rules
; see: SDM 1 8.4 to 8.6, 4.9
; needs: cpus=1
; status: 33
; QEMU: its TCG has no stack faults, no unmasked responses and no DE for 32-bit loads
; assertions: 22

%include "lib/rom.inc"
%include "lib/float.inc"

%macro load32 1
        mov dword [FLOATS + 40], %1
        fld dword [FLOATS + 40]
%endmacro
%macro load80 2
        mov dword [FLOATS + 48], (%2) & 0xffffffff
        mov dword [FLOATS + 52], (%2) >> 32
        mov word [FLOATS + 56], %1
        fld tword [FLOATS + 48]
%endmacro

main:
        floats_on
        it "invalid: 0 / 0 is the default NaN, negative"
        fldz
        fldz
        fdivp st1, st0
        expect_st 0xffff, 0xc000000000000000
        expect_sw 0x3f, IE
        fnclex
        it "invalid: the square root of -1"
        fld1
        fchs
        fsqrt
        expect_st 0xffff, 0xc000000000000000
        expect_sw 0x3f, IE
        fnclex
        it "zero divide: 1 / -0 is minus infinity"
        fld1
        fldz
        fchs
        fdivp st1, st0
        expect_st 0xffff, 0x8000000000000000
        expect_sw 0x3f, ZE
        fnclex
        it "overflow: largest times two is infinity; with rounding to zero the largest"
        load80 0x7ffe, 0xffffffffffffffff
        fadd st0, st0
        expect_st 0x7fff, 0x8000000000000000
        expect_sw 0x3f, OE | PE
        fnclex
        set_cw 0xf7f
        load80 0x7ffe, 0xffffffffffffffff
        fadd st0, st0
        expect_st 0x7ffe, 0xffffffffffffffff
        set_cw CW_DEFAULT
        fnclex
        it "underflow: a tiny inexact result is denormal"
        load80 0x0001, 0x8000000000000001
        load32 0x3f000000               ; 0.5
        fmulp st1, st0
        expect_st 0, 0x4000000000000000
        expect_sw 0x3f, UE | PE
        fnclex
        it "a tiny exact result raises nothing when masked"
        load80 0x0001, 0x8000000000000000
        load32 0x3f000000
        fmulp st1, st0
        expect_st 0, 0x4000000000000000
        expect_sw 0x3f, 0
        it "denormal operands: DE, from memory of 32 bits when loaded, of 80 bits when used"
        load32 1
        expect_sw 0x3f, DE
        fnclex
        fstp st0
        load80 0, 1
        expect_sw 0x3f, 0
        fld1
        faddp st1, st0
        expect_sw 0x3f, DE | PE
        fnclex
        fstp st0
        it "signaling NaNs become quiet and raise IE"
        load32 0x7f800001
        expect_st 0x7fff, 0xc000010000000000
        expect_sw 0x3f, IE
        fnclex
        it "of two quiet NaNs the larger significand wins"
        load80 0x7fff, 0xc000000000000001
        load80 0x7fff, 0xc000000000000002
        faddp st1, st0
        expect_st 0x7fff, 0xc000000000000002
        expect_sw 0x3f, 0
        it "unnormals and pseudo-infinities are invalid operands"
        load80 0x3fff, 0x4000000000000000
        fld1
        faddp st1, st0
        expect_st 0xffff, 0xc000000000000000
        expect_sw 0x3f, IE
        fnclex
        it "infinity minus infinity is invalid, plus is not"
        load32 0x7f800000
        fadd st0, st0
        expect_sw 0x3f, 0
        fld st0
        fsubp st1, st0
        expect_st 0xffff, 0xc000000000000000
        expect_sw 0x3f, IE
        fnclex
        it "stack underflow: IE, SF, C1 = 0, the default NaN"
        fninit
        fadd st0, st1
        expect_sw 0x3f | SFLT | C1, IE | SFLT
        expect_st 0xffff, 0xc000000000000000
        it "stack overflow: IE, SF, C1 = 1"
        fninit
        fld1
        fld1
        fld1
        fld1
        fld1
        fld1
        fld1
        fld1
        fld1
        expect_sw 0x3f | SFLT | C1, IE | SFLT | C1
        expect_st 0xffff, 0xc000000000000000
        fninit
        it "unmasked zero divide: operands stay, #MF at the next waiting instruction"
        set_cw 0x37b
        fldz
        fld1
        fdiv st0, st1
        faults X_MF, NONE, wait
        expect_sw 0x3f | 0x8080, ZE | 0x8080    ; ES and B
        fnclex
        expect_st 0x3fff, 0x8000000000000000
        it "the error pointer names the instruction that failed"
        fninit
        set_cw 0x37b
        fldz
        fld1
.failing:
        fdiv st0, st1
        nop
        fnstenv [FLOATS + 64]
        fnclex
        mov eax, [FLOATS + 64 + 12]
        expect_is eax, .failing
        it "the data pointer names its operand"
        fninit
        set_cw 0x37b
        mov dword [FLOATS + 40], 0
        fld1
        fdiv dword [FLOATS + 40]
        fnstenv [FLOATS + 64]
        fnclex
        expect_mem d, [FLOATS + 64 + 20], FLOATS + 40
        it "fnstenv masks all exceptions"
        fnstcw [FLOATS]
        mov ax, [FLOATS]
        and ax, 0x3f
        expect_eq ax, 0x3f
        it "an unmasked invalid store leaves memory and stack as they were"
        fninit
        set_cw 0x37e
        load32 0x50000000               ; 2^33
        mov dword [FLOATS], 0x5555
        fistp dword [FLOATS]
        expect_mem d, [FLOATS], 0x5555
        faults X_MF, NONE, fld1
        fnclex
        expect_st 0x4020, 0x8000000000000000
        it "unmasked overflow delivers the result with its exponent less 24576, to a register"
        fninit
        set_cw 0x377
        load80 0x7ffe, 0x8000000000000000
        fadd st0, st0
        fnclex
        expect_st 0x7fff - 0x6000, 0x8000000000000000
        it "unmasked precision: the result is delivered all the same"
        fninit
        set_cw 0x35f
        fld1
        load32 0x40400000
        fdivp st1, st0
        fnclex
        expect_st 0x3ffd, 0xaaaaaaaaaaaaaaab
        it "fldcw that unmasks a flag that is set makes it pending"
        fninit
        fldz
        fld1
        fdiv st0, st1
        set_cw 0x37b
        faults X_MF, NONE, fld1
        it "fnclex clears it"
        fnclex
        fld1
        finish

        image_end
