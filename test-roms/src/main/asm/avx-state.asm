; AVX: when its instructions are there, and what they do to YMM registers.
;
; checks: #UD and #NM by CR4.OSXSAVE, XCR0 and CR0.TS, modes and prefixes; XSETBV's rules and leaf 0Dh; alignment; VEX.128
;         clears the upper half, SSE keeps it; VZEROUPPER and VZEROALL; LES and LDS keep their encodings
; see: SDM 1 14, SDM 2 2.3 and 2.4, SDM 2 (XSETBV, VZEROUPPER)
; needs: cpus=1
; status: 33
; QEMU: its TCG ignores VEX.L and VEX.W in places, and clears YMM8 to YMM15 outside 64-bit mode
; assertions: 26

%define WITH_REAL
%define WITH_LONG
%include "lib/rom.inc"
%include "lib/float.inc"
%include "lib/avx.inc"

LOW1    equ 0x0123456789abcdef
LOW0    equ 0xfedcba9876543210

        ymm_const full, 0x1111111122222222, 0x3333333344444444, LOW1, LOW0
        ymm_const ones, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff

main:
        floats_on
        it "without CR4.OSXSAVE a VEX instruction raises #UD"
        faults X_UD, NONE, vaddps xmm0, xmm1, xmm2
        mov eax, cr4
        or eax, 1 << 18
        mov cr4, eax
        it "without AVX state in XCR0 too"
        faults X_UD, NONE, vaddps xmm0, xmm1, xmm2
        xor ecx, ecx
        xor edx, edx
        mov eax, 3
        xsetbv
        faults X_UD, NONE, vaddps xmm0, xmm1, xmm2
        faults X_UD, NONE, vzeroupper
        it "XCR0 takes no AVX without SSE: #GP(0)"
        mov eax, 5
        faults X_GP, 0, xsetbv
        it "nor AVX alone without x87: #GP(0)"
        mov eax, 6
        faults X_GP, 0, xsetbv
        it "leaf 0Dh: 256 bytes at 576, 832 in all once they are enabled"
        mov eax, 0xd
        mov ecx, 2
        cpuid
        expect_eq eax, 256
        expect_eq ebx, 576
        avx_on
        mov eax, 0xd
        xor ecx, ecx
        cpuid
        expect_eq ebx, 832
        xor ecx, ecx
        xgetbv
        expect_eq eax, 7
        it "with XCR0 = 7 they run"
        vmovups ymm1, [full]
        vmovups ymm0, ymm1
        expect_ymm ymm0, 0x1111111122222222, 0x3333333344444444, LOW1, LOW0
        it "with CR0.TS they raise #NM"
        mov eax, cr0
        or eax, 8
        mov cr0, eax
        faults X_NM, NONE, vaddps ymm0, ymm1, ymm2
        faults X_NM, NONE, vzeroupper
        clts
        it "users may use them"
        to_user
        vmovaps xmm0, xmm1
        from_user
        expect_xmm xmm0, LOW1, LOW0

        it "aligned moves of 32 bytes need 32, of 16 bytes 16: #GP(0)"
        mov esi, FREE + 16
        vmovaps [esi], xmm1
        faults X_GP, 0, vmovaps [esi], ymm1
        faults X_GP, 0, vmovdqa ymm0, [esi]
        faults X_GP, 0, vmovntps [esi], ymm1
        faults X_GP, 0, vmovaps xmm0, [esi + 8]
        faults X_GP, 0, vmovapd [esi + 4], xmm0
        vmovaps [esi + 16], ymm1
        it "all others need none"
        vmovups [esi + 5], ymm1
        vpxor xmm0, xmm0, xmm0
        vpor xmm0, xmm0, [esi + 5]
        expect_xmm xmm0, LOW1, LOW0
        vxorps ymm0, ymm1, [esi + 5]
        expect_ymm ymm0, 0, 0, 0, 0

        it "VEX.128 clears the upper half"
        vmovups ymm0, [ones]
        vpand xmm0, xmm1, xmm1
        expect_ymm ymm0, 0, 0, LOW1, LOW0
        it "so do scalar moves, loads and conversions"
        vmovups ymm0, [ones]
        vmovd xmm0, [full]
        expect_ymm ymm0, 0, 0, 0, 0x76543210
        vmovups ymm0, [ones]
        vmovlps xmm0, xmm1, [ones]
        expect_ymm ymm0, 0, 0, LOW1, 0xffffffffffffffff
        vmovups ymm0, [ones]
        vmovq xmm0, xmm1
        expect_ymm ymm0, 0, 0, 0, LOW0
        vmovups ymm0, [ones]
        vcvtdq2ps xmm0, xmm0
        expect_ymm ymm0, 0, 0, 0xbf800000bf800000, 0xbf800000bf800000
        it "SSE keeps it"
        vmovups ymm0, [full]
        pxor xmm0, xmm0
        expect_ymm ymm0, 0x1111111122222222, 0x3333333344444444, 0, 0
        vmovups ymm0, [full]
        movups xmm0, [ones]
        expect_ymm ymm0, 0x1111111122222222, 0x3333333344444444, 0xffffffffffffffff, 0xffffffffffffffff
        it "vzeroupper clears upper halves alone"
        vmovups ymm7, [full]
        vzeroupper
        expect_ymm ymm7, 0, 0, LOW1, LOW0
        it "vzeroall clears all"
        vmovups ymm0, [full]
        vmovups ymm7, [full]
        vzeroall
        expect_ymm ymm0, 0, 0, 0, 0
        expect_ymm ymm7, 0, 0, 0, 0

        it "66, F2, F3 and LOCK before VEX raise #UD"
        faults X_UD, NONE, {db 0x66, 0xc5, 0xf0, 0x58, 0xc2}
        faults X_UD, NONE, {db 0xf2, 0xc5, 0xf0, 0x58, 0xc2}
        faults X_UD, NONE, {db 0xf3, 0xc5, 0xf0, 0x58, 0xc2}
        faults X_UD, NONE, {db 0xf0, 0xc5, 0xf0, 0x58, 0xc2}
        db 0xc5, 0xf0, 0x58, 0xc2
        it "VEX.vvvv must be 1111b where it names nothing"
        faults X_UD, NONE, {db 0xc5, 0xf0, 0x10, 0xc1}
        faults X_UD, NONE, {db 0xc5, 0xf1, 0x70, 0xc1, 0}
        it "VEX.L and VEX.W must be what the instruction has"
        faults X_UD, NONE, {db 0xc5, 0xfd, 0x6e, 0xc0}
        faults X_UD, NONE, {db 0xc4, 0xe2, 0xf1, 0x0c, 0xc2}
        faults X_UD, NONE, {db 0xc4, 0xe3, 0x79, 0x06, 0xc0, 0}
        it "an unknown map raises #UD"
        faults X_UD, NONE, {db 0xc4, 0xe0, 0x70, 0x58, 0xc2}
        faults X_UD, NONE, {db 0xc4, 0xff, 0x70, 0x58, 0xc2}
        it "a segment override and VEX go together"
        mov ax, ds
        mov fs, ax
        vmovups ymm0, [fs:full]
        expect_ymm ymm0, 0x1111111122222222, 0x3333333344444444, LOW1, LOW0
        it "les and lds keep C4 and C5 with memory operands"
        mov dword [FREE], 0x12345678
        mov [FREE + 4], ds
        les eax, [FREE]
        expect_eq eax, 0x12345678
        mov ecx, FREE
        lds edx, [ecx]
        expect_eq edx, 0x12345678
        it "real mode has no VEX: #UD"
        to_real
        faults X_UD, NONE, {db 0xc5, 0xf0, 0x58, 0xc2}
        from_real
        it "nor has virtual-8086 mode"
        to_v86
        faults X_UD, NONE, {db 0xc5, 0xf0, 0x58, 0xc2}
        from_v86

        to_long
        it "64-bit mode has sixteen registers"
        vmovups ymm15, [full]
        vmovups ymm8, ymm15
        vperm2f128 ymm0, ymm8, ymm15, 0x21
        vmovups [FLOATS], ymm0
        expect_mem q, [FLOATS], 0x3333333344444444
        expect_mem q, [FLOATS + 16], LOW0
        it "REX before VEX raises #UD"
        faults X_UD, NONE, {db 0x40, 0xc5, 0xf0, 0x58, 0xc2}
        faults X_UD, NONE, {db 0x48, 0xc5, 0xf0, 0x58, 0xc2}
        it "vzeroall outside 64-bit mode leaves YMM8 to YMM15"
        to_compat
        vzeroall
        from_compat
        vmovups [FLOATS], ymm15
        expect_mem q, [FLOATS], LOW0
        expect_mem q, [FLOATS + 24], 0x1111111122222222
        vzeroall
        vmovups [FLOATS], ymm15
        expect_mem q, [FLOATS], 0
        expect_mem q, [FLOATS + 24], 0
        finish

        image_end
