; The SHA extensions.
;
; checks: each instruction, SHA-1 and SHA-256 of "abc" made with them, memory operands, faults
; see: FIPS 180-4, SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; QEMU: its TCG has no SHA before 8.2, and does not check the alignment of operands
; Bochs: its Skylake has none either; its Ice Lake (BOCHS_CPU=corei7_icelake_u) has, with wrong results of SHA1RNDS4
; assertions: 18

%include "lib/rom.inc"
%include "lib/float.inc"

WORDS   equ 0x60000                     ; the message schedule: 80 words
DIGEST  equ 0x60200

; An instruction with a prefix that it must not have.
%macro refused_with 1
        arm %%after
%%instruction:
        db %1, 0x0f, 0x38, 0xc9, 0xc1
%%after:
        expect_fault X_UD, NONE, %%instruction
%endmacro

main:
        floats_on
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0xdeadbeefcafebabe, 0x0badf00d8badf00d, \
                0x966cfa007864455e, 0x4a62189b171d6800, sha1rnds4 xmm0, xmm1, 0
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0xdeadbeefcafebabe, 0x0badf00d8badf00d, \
                0x327644f0d1465161, 0x4c0d5ff8dcc4e735, sha1rnds4 xmm0, xmm1, 1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0xdeadbeefcafebabe, 0x0badf00d8badf00d, \
                0xd7b8ed13f0b20dd6, 0xf52d8165e443b8d0, sha1rnds4 xmm0, xmm1, 2
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0xdeadbeefcafebabe, 0x0badf00d8badf00d, \
                0xe19d33c45ccf55e8, 0x7f36473033a71cc3, sha1rnds4 xmm0, xmm1, 3
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0xdeadbeefcafebabe, 0x0badf00d8badf00d, \
                0x327644f0d1465161, 0x4c0d5ff8dcc4e735, sha1rnds4 xmm0, xmm1, 0xfd
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0xdeadbeefcafebabe, 0x0badf00d8badf00d, \
                0x9ef69048cafebabe, 0x0badf00d8badf00d, sha1nexte xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0xdeadbeefcafebabe, 0x0badf00d8badf00d, \
                0xffffffffffffffff, 0x20710477bcaa88ae, sha1msg1 xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0xdeadbeefcafebabe, 0x0badf00d8badf00d, \
                0x97bbffb3040c7bc5, 0xeae2952ac3df9b47, sha1msg2 xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0xdeadbeefcafebabe, 0x0badf00d8badf00d, \
                0x7784cc71a92bbc5d, 0x3c3a86e476d443a1, sha256msg1 xmm0, xmm1
        xmm_case 0x0123456789abcdef, 0xfedcba9876543210, 0xdeadbeefcafebabe, 0x0badf00d8badf00d, \
                0x732ea7336628b1ca, 0x677a7a84008e359e, sha256msg2 xmm0, xmm1
        it "sha256rnds2: two rounds of the first block of abc"
        call state256
        movdqu xmm0, [schedule]
        paddd xmm0, [k256]
        sha256rnds2 xmm2, xmm1          ; CDGH, ABEF
        movups [FLOATS], xmm2
        expect_mem d, [FLOATS + 12], 0x5a6ad9ad ; a after round 1: FIPS 180-4's example
        expect_mem d, [FLOATS + 8], 0x5d6aebcd  ; a after round 0
        expect_mem d, [FLOATS + 4], 0x78ce7989  ; e
        expect_mem d, [FLOATS], 0xfa2a4622
        it "SHA-1 of abc"
        call sha1_abc
        expect_mem d, [DIGEST + 0], 0xa9993e36
        expect_mem d, [DIGEST + 4], 0x4706816a
        expect_mem d, [DIGEST + 8], 0xba3e2571
        expect_mem d, [DIGEST + 12], 0x7850c26c
        expect_mem d, [DIGEST + 16], 0x9cd0d89d
        it "SHA-256 of abc"
        call sha256_abc
        expect_mem d, [DIGEST + 0], 0xba7816bf
        expect_mem d, [DIGEST + 4], 0x8f01cfea
        expect_mem d, [DIGEST + 8], 0x414140de
        expect_mem d, [DIGEST + 12], 0x5dae2223
        expect_mem d, [DIGEST + 16], 0xb00361a3
        expect_mem d, [DIGEST + 20], 0x96177a9c
        expect_mem d, [DIGEST + 24], 0xb410ff61
        expect_mem d, [DIGEST + 28], 0xf20015ad
        it "the flags stay"
        mov eax, -1
        add eax, 1
        sha1nexte xmm0, xmm1
        expect_flags ARITH, CF | PF | AF | ZF
        it "a memory operand that is not aligned raises #GP(0)"
        faults X_GP, 0, sha1msg1 xmm0, [WORDS + 4]
        faults X_GP, 0, sha256rnds2 xmm1, [WORDS + 8]
        faults X_GP, 0, sha1rnds4 xmm0, [WORDS + 1], 0
        it "CR0.TS: #NM"
        mov eax, cr0
        or eax, 8
        mov cr0, eax
        faults X_NM, NONE, sha1msg2 xmm0, xmm1
        clts
        it "with 66, F3 and F2: #UD"
        refused_with 0x66
        refused_with 0xf3
        refused_with 0xf2
        it "a fault changes nothing"
        xorps xmm0, xmm0
        faults X_GP, 0, sha1nexte xmm0, [WORDS + 4]
        expect_xmm xmm0, 0, 0
        finish

; XMM1 = ABEF, XMM2 = CDGH of the initial hash value.
state256:
        movdqu xmm1, [initial]          ; DCBA, high first
        movdqu xmm2, [initial + 16]     ; HGFE
        pshufd xmm3, xmm1, 0x1b         ; ABCD
        pshufd xmm4, xmm2, 0x1b         ; EFGH
        movdqa xmm1, xmm4
        punpckhqdq xmm1, xmm3           ; ABEF
        punpcklqdq xmm4, xmm3           ; CDGH
        movdqa xmm2, xmm4
        ret

; One block, "abc" and its padding; the schedule by SHA256MSG1 and 2, four words at a time.
sha256_abc:
        mov esi, schedule
        mov edi, WORDS
        mov ecx, 16
        rep movsd
        mov edi, WORDS + 64
        mov ecx, 12
.words:
        movdqu xmm0, [edi - 64]
        movdqu xmm1, [edi - 48]
        sha256msg1 xmm0, xmm1
        movdqu xmm1, [edi - 28]         ; w[t-7] and on
        paddd xmm0, xmm1
        movdqu xmm1, [edi - 16]
        sha256msg2 xmm0, xmm1
        movdqu [edi], xmm0
        add edi, 16
        loop .words
        call state256
        movdqa xmm5, xmm1
        movdqa xmm6, xmm2
        xor esi, esi
        mov ecx, 16
.rounds:
        movdqu xmm0, [WORDS + esi]
        paddd xmm0, [k256 + esi]
        sha256rnds2 xmm2, xmm1
        psrldq xmm0, 8
        sha256rnds2 xmm1, xmm2
        add esi, 16
        loop .rounds
        paddd xmm1, xmm5
        paddd xmm2, xmm6
        pextrd [DIGEST], xmm1, 3
        pextrd [DIGEST + 4], xmm1, 2
        pextrd [DIGEST + 8], xmm2, 3
        pextrd [DIGEST + 12], xmm2, 2
        pextrd [DIGEST + 16], xmm1, 1
        pextrd [DIGEST + 20], xmm1, 0
        pextrd [DIGEST + 24], xmm2, 1
        pextrd [DIGEST + 28], xmm2, 0
        ret

; Words are high first here: the schedule is kept reversed in each group of four.
sha1_abc:
        mov edi, WORDS
        mov esi, schedule
        mov ecx, 4
.load:
        movdqu xmm0, [esi]
        pshufd xmm0, xmm0, 0x1b
        movdqu [edi], xmm0
        add esi, 16
        add edi, 16
        loop .load
        mov ecx, 16
.words:
        movdqu xmm0, [edi - 64]
        movdqu xmm1, [edi - 48]
        sha1msg1 xmm0, xmm1
        pxor xmm0, [edi - 32]
        sha1msg2 xmm0, [edi - 16]
        movdqu [edi], xmm0
        add edi, 16
        loop .words
        movdqu xmm0, [initial1]         ; ABCD, high first
        movdqa xmm6, xmm0
        mov eax, 0xc3d2e1f0
        movd xmm1, eax
        pslldq xmm1, 12                 ; E
        movdqa xmm7, xmm1
        mov esi, WORDS
        paddd xmm1, [esi]
        movdqa xmm2, xmm0
        sha1rnds4 xmm0, xmm1, 0
        add esi, 16
%macro rounds 2
        mov ecx, %2
%%next:
        movdqa xmm1, xmm2
        sha1nexte xmm1, [esi]
        movdqa xmm2, xmm0
        sha1rnds4 xmm0, xmm1, %1
        add esi, 16
        loop %%next
%endmacro
        rounds 0, 4
        rounds 1, 5
        rounds 2, 5
        rounds 3, 5
        sha1nexte xmm2, xmm7
        paddd xmm0, xmm6
        pextrd [DIGEST], xmm0, 3
        pextrd [DIGEST + 4], xmm0, 2
        pextrd [DIGEST + 8], xmm0, 1
        pextrd [DIGEST + 12], xmm0, 0
        pextrd [DIGEST + 16], xmm2, 3
        ret

        section .str
        align 16
k256:
        dd 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
        dd 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
        dd 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
        dd 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
        dd 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
        dd 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
        dd 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
        dd 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
schedule:
        dd 0x61626380, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 24
initial:
        dd 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
initial1:
        dd 0x10325476, 0x98badcfe, 0xefcdab89, 0x67452301
        section .text

        image_end
