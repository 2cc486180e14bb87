; PCLMULQDQ.
;
; checks: the choice of halves, products, a CRC by folding against one computed bit by bit, memory operands, faults
; see: SDM 2 (PCLMULQDQ); Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ, Intel 2009
; needs: cpus=1
; status: 33
; QEMU: its TCG does not check the alignment of operands
; assertions: 16

%include "lib/rom.inc"
%include "lib/float.inc"

BUFFER  equ 0x60000
POLY    equ 0x04c11db7                  ; of CRC-32, x^32 left out

main:
        floats_on
        xmm_case 0x7b5b546573745665, 0x63746f725d53475d, 0x4869285368617929, 0x5b477565726f6e5d, \
                0x1d4d84c85c3440c0, 0x929633d5d36f0451, pclmulqdq xmm0, xmm1, 0x0
        xmm_case 0x7b5b546573745665, 0x63746f725d53475d, 0x4869285368617929, 0x5b477565726f6e5d, \
                0x1a2bf6db3a30862f, 0xbabf262df4b7d5c9, pclmulqdq xmm0, xmm1, 0x1
        xmm_case 0x7b5b546573745665, 0x63746f725d53475d, 0x4869285368617929, 0x5b477565726f6e5d, \
                0x1bd17c8d556ab5a1, 0x7fa540ac2a281315, pclmulqdq xmm0, xmm1, 0x10
        xmm_case 0x7b5b546573745665, 0x63746f725d53475d, 0x4869285368617929, 0x5b477565726f6e5d, \
                0x1d1e1f2c592e7c45, 0xd66ee03e410fd4ed, pclmulqdq xmm0, xmm1, 0x11
        xmm_case 0x7b5b546573745665, 0x63746f725d53475d, 0x4869285368617929, 0x5b477565726f6e5d, \
                0x1bd17c8d556ab5a1, 0x7fa540ac2a281315, pclmulqdq xmm0, xmm1, 0xfe
        xmm_case 0x0000000000000000, 0xffffffffffffffff, 0x0000000000000000, 0xffffffffffffffff, \
                0x5555555555555555, 0x5555555555555555, pclmulqdq xmm0, xmm1, 0
        xmm_case 0x0000000000000000, 0x0000000000000001, 0x4869285368617929, 0x5b477565726f6e5d, \
                0x0000000000000000, 0x5b477565726f6e5d, pclmulqdq xmm0, xmm1, 0
        xmm_case 0x0000000000000000, 0x8000000000000000, 0x4869285368617929, 0x5b477565726f6e5d, \
                0x2da3bab2b937b72e, 0x8000000000000000, pclmulqdq xmm0, xmm1, 0
        xmm_case 0x0000000000000000, 0x0123456789abcdef, 0x0000000000000000, 0xfedcba9876543210, \
                0x00e038d8688850b0, 0x40a0789828c810f0, pclmulqdq xmm0, xmm1, 0
        it "source and destination may be one register: a square"
        mov eax, 0xcafebabe
        movd xmm0, eax
        mov eax, 0xdeadbeef
        movd xmm1, eax
        punpckldq xmm0, xmm1
        pclmulqdq xmm0, xmm0, 0
        expect_xmm xmm0, 0x5154445145545455, 0x5044555445444554
        it "a remainder by Barrett reduction is that of long division"
        mov eax, 0x12345678
        call divide
        mov esi, edx
        mov eax, 0x12345678
        movd xmm0, eax
        mov eax, 0x04d101df             ; x^64 / P without x^32
        movd xmm1, eax
        mov eax, 1
        movd xmm2, eax
        pslldq xmm2, 4
        por xmm1, xmm2
        pclmulqdq xmm1, xmm0, 0
        psrldq xmm1, 4                  ; the quotient
        pslldq xmm1, 12
        psrldq xmm1, 12
        mov eax, POLY
        movd xmm3, eax
        pclmulqdq xmm1, xmm3, 0
        movd eax, xmm1
        expect_same eax, esi
        it "a memory operand"
        mov dword [BUFFER], 3
        mov dword [BUFFER + 4], 0
        mov dword [BUFFER + 8], 5
        mov dword [BUFFER + 12], 0
        mov eax, 7
        movd xmm0, eax
        pclmulqdq xmm0, [BUFFER], 0x10
        expect_xmm xmm0, 0, 0x1b        ; 7 * 5 without carries
        it "one that is not aligned raises #GP(0)"
        faults X_GP, 0, pclmulqdq xmm0, [BUFFER + 8], 0
        expect_xmm xmm0, 0, 0x1b
        it "the flags stay"
        mov eax, -1
        add eax, 1
        pclmulqdq xmm0, xmm1, 0
        expect_flags ARITH, CF | PF | AF | ZF
        it "CR0.TS: #NM"
        mov eax, cr0
        or eax, 8
        mov cr0, eax
        faults X_NM, NONE, pclmulqdq xmm0, xmm1, 0
        clts
        it "without 66: #UD"
        arm .none
.instruction:
        db 0x0f, 0x3a, 0x44, 0xc1, 0
.none:
        expect_fault X_UD, NONE, .instruction
        finish

; EDX = EAX * x^32 modulo the polynomial, bit by bit. Clobbers EAX, ECX.
divide:
        mov edx, eax
        mov ecx, 32
.bit:
        shl edx, 1
        jnc .next
        xor edx, POLY
.next:
        loop .bit
        ret

        image_end
