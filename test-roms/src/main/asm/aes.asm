; AES-NI.
;
; checks: each instruction, FIPS 197's example both ways with its key expansion, memory operands and their alignment, what
;         disables the instructions, prefixes
; see: FIPS 197 (appendix B), SDM 1 12.13, SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; QEMU: its TCG does not check the alignment of operands
; assertions: 18

%include "lib/rom.inc"
%include "lib/float.inc"

KEYS    equ 0x60000                     ; eleven round keys, then those of the inverse cipher

; expand constant: the next round key in XMM1, stored at EDI.
%macro expand 1
        aeskeygenassist xmm2, xmm1, %1
        call next_key
%endmacro

main:
        floats_on
        xmm_case 0x7b5b546573745665, 0x63746f725d53475d, 0x4869285368617929, 0x5b477565726f6e5d, \
                0xa8311c2f9fdba3c5, 0x8b104b58ded7e595, aesenc xmm0, xmm1
        xmm_case 0x7b5b546573745665, 0x63746f725d53475d, 0x4869285368617929, 0x5b477565726f6e5d, \
                0xc7fb881e938c5964, 0x177ec42553fdc611, aesenclast xmm0, xmm1
        xmm_case 0x7b5b546573745665, 0x63746f725d53475d, 0x4869285368617929, 0x5b477565726f6e5d, \
                0x138ac342faea2787, 0xb58eb95eb730392a, aesdec xmm0, xmm1
        xmm_case 0x7b5b546573745665, 0x63746f725d53475d, 0x4869285368617929, 0x5b477565726f6e5d, \
                0xc5a391ef6b317f95, 0xd410637b72a593d0, aesdeclast xmm0, xmm1
        xmm_case 0x0000000000000000, 0x0000000000000000, 0x4869285368617929, 0x5b477565726f6e5d, \
                0x597f8df109efaa15, 0xf39bc5a119d859b6, aesimc xmm0, xmm1
        xmm_case 0x0000000000000000, 0x0000000000000000, 0x3c4fcf098815f7ab, 0xa6d2ae2816157e2b, \
                0x01eb848beb848a01, 0x3424b5e524b5e434, aeskeygenassist xmm0, xmm1, 1
        xmm_case 0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000, \
                0x6363636363636363, 0x6363636363636363, aesenclast xmm0, xmm1
        xmm_case 0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000, \
                0x5252525252525252, 0x5252525252525252, aesdeclast xmm0, xmm1
        it "the key expansion of FIPS 197, appendix A.1"
        movups xmm1, [key]
        mov edi, KEYS
        movaps [edi], xmm1
        expand 1
        expand 2
        expand 4
        expand 8
        expand 0x10
        expand 0x20
        expand 0x40
        expand 0x80
        expand 0x1b
        expand 0x36
        expect_mem d, [KEYS + 16], 0x17fefaa0
        expect_mem d, [KEYS + 28], 0x05766c2a
        expect_mem d, [KEYS + 160], 0xa8f914d0
        expect_mem d, [KEYS + 172], 0xa60c63b6
        it "the cipher of FIPS 197, appendix B, keys in memory"
        movups xmm0, [plain]
        pxor xmm0, [KEYS]
        mov edi, KEYS + 16
        mov ecx, 9
.round:
        aesenc xmm0, [edi]
        add edi, 16
        loop .round
        aesenclast xmm0, [edi]
        expect_xmm xmm0, 0x320b6a19978511dc, 0xfb09dc021d842539
        it "the inverse cipher gives the plain text again"
        mov edi, KEYS + 16
        mov ecx, 9
.inverse:
        aesimc xmm1, [edi]
        movaps [edi + 0x200], xmm1
        add edi, 16
        loop .inverse
        pxor xmm0, [edi]
        mov ecx, 9
.back:
        sub edi, 16
        aesdec xmm0, [edi + 0x200]
        loop .back
        aesdeclast xmm0, [KEYS]
        expect_xmm xmm0, 0x340737e0a2983131, 0x8d305a88a8f64332
        it "the flags stay"
        mov eax, -1
        add eax, 1
        aesenc xmm0, xmm1
        expect_flags ARITH, CF | PF | AF | ZF
        it "a memory operand that is not aligned raises #GP(0)"
        faults X_GP, 0, aesenc xmm0, [KEYS + 8]
        faults X_GP, 0, aesimc xmm0, [KEYS + 1]
        faults X_GP, 0, aeskeygenassist xmm0, [KEYS + 4], 1
        it "a faulting instruction changes nothing"
        xorps xmm0, xmm0
        faults X_GP, 0, aesdeclast xmm0, [KEYS + 8]
        expect_xmm xmm0, 0, 0
        it "CR0.TS: #NM"
        mov eax, cr0
        or eax, 8
        mov cr0, eax
        faults X_NM, NONE, aesenc xmm0, xmm1
        faults X_NM, NONE, aesenc xmm0, [KEYS + 8]
        clts
        it "CR0.EM: #UD"
        mov eax, cr0
        or eax, 4
        mov cr0, eax
        faults X_UD, NONE, aesenc xmm0, xmm1
        and eax, ~4
        mov cr0, eax
        it "CR4.OSFXSR clear: #UD"
        mov eax, cr4
        and eax, ~0x200
        mov cr4, eax
        faults X_UD, NONE, aesdec xmm0, xmm1
        or eax, 0x200
        mov cr4, eax
        it "without 66, and with F2: #UD"
        arm .none
.instruction:
        db 0x0f, 0x38, 0xdc, 0xc1
.none:
        expect_fault X_UD, NONE, .instruction
        arm .none2
.instruction2:
        db 0x66, 0xf2, 0x0f, 0x38, 0xdc, 0xc1
.none2:
        expect_fault X_UD, NONE, .instruction2
        finish

; XMM1: the last round key; XMM2: what AESKEYGENASSIST made of it.
next_key:
        pshufd xmm2, xmm2, 0xff
        movaps xmm3, xmm1
        pslldq xmm3, 4
        pxor xmm1, xmm3
        pslldq xmm3, 4
        pxor xmm1, xmm3
        pslldq xmm3, 4
        pxor xmm1, xmm3
        pxor xmm1, xmm2
        add edi, 16
        movaps [edi], xmm1
        ret

        section .str
key:    db 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c
plain:  db 0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d, 0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34
        section .text

        image_end
