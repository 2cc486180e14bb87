; XSAVE with AVX state: the standard format, the optimized one, and the compacted one.
;
; checks: where AVX state lies, XINUSE and XGETBV of XCR 1, XSAVEOPT, XSAVEC, XRSTOR of both formats, initial states, MXCSR,
;         the header's checks, 64-bit and compatibility mode
; see: SDM 1 13.4 to 13.10, SDM 2 (XSAVE, XSAVEC, XSAVEOPT, XRSTOR, XGETBV)
; needs: cpus=1
; status: 33
; QEMU: its TCG has no XSAVEC, and AVX state is always in use there
; Bochs: keeps AVX state of the compacted format elsewhere
; assertions: 26

%define WITH_LONG
%include "lib/rom.inc"
%include "lib/float.inc"
%include "lib/avx.inc"

AREA    equ 0x60000
HEADER  equ AREA + 512
YMM     equ AREA + 576

        ymm_const full, 0x1111111122222222, 0x3333333344444444, 0x0123456789abcdef, 0xfedcba9876543210

; All bytes 55h, the header zero.
%macro clear_area 0
        push edi
        mov edi, AREA
        mov ecx, 0x1000 / 4
        mov eax, 0x55555555
        rep stosd
        mov edi, HEADER
        xor eax, eax
        mov ecx, 16
        rep stosd
        pop edi
%endmacro

; mask n: EDX:EAX.
%macro mask 1
        mov eax, %1
        xor edx, edx
%endmacro

main:
        floats_on
        avx_on
        it "leaf 0Dh: XSAVEOPT, XSAVEC and XGETBV of XCR 1, 832 bytes compacted"
        mov eax, 0xd
        mov ecx, 1
        cpuid
        and eax, 7
        expect_eq eax, 7
        expect_eq ebx, 832
        it "leaf 0Dh, 2: AVX state is no supervisor state and has no alignment"
        mov eax, 0xd
        mov ecx, 2
        cpuid
        expect_eq ecx, 0
        expect_eq edx, 0
        it "xcr 1 says whether AVX state is in use"
        vzeroall
        mov ecx, 1
        xgetbv
        and eax, 4
        expect_eq eax, 0
        expect_eq edx, 0
        vmovups ymm3, [full]
        xgetbv
        and eax, 4
        expect_eq eax, 4
        it "after vzeroupper it is not"
        vzeroupper
        xgetbv
        and eax, 4
        expect_eq eax, 0
        it "there is no XCR 2: #GP(0)"
        mov ecx, 2
        faults X_GP, 0, xgetbv

        it "xsave: upper halves lie from 576 on"
        clear_area
        vmovups ymm3, [full]
        mask 7
        xsave [AREA]
        mov eax, [HEADER]
        and eax, 6
        expect_eq eax, 6
        expect_mem d, [HEADER + 12], 0
        expect_mem d, [AREA + 160 + 3 * 16], 0x76543210
        expect_mem d, [YMM + 3 * 16], 0x44444444
        expect_mem d, [YMM + 3 * 16 + 12], 0x11111111
        expect_mem d, [YMM + 2 * 16], 0
        expect_mem d, [YMM + 256], 0x55555555
        it "outside 64-bit mode those of YMM8 to YMM15 stay out"
        expect_mem d, [YMM + 8 * 16], 0x55555555
        it "xsave of AVX alone writes MXCSR but no XMM register"
        clear_area
        set_mxcsr 0x1fa0
        mask 4
        xsave [AREA]
        expect_mem d, [HEADER], 4
        expect_mem d, [AREA + 24], 0x1fa0
        expect_mem d, [AREA + 160 + 3 * 16], 0x55555555
        expect_mem d, [YMM + 3 * 16], 0x44444444
        set_mxcsr 0x1f80
        it "xrstor: upper halves come back, and lower ones by SSE's bit"
        vzeroall
        mask 4
        xrstor [AREA]
        expect_ymm ymm3, 0x1111111122222222, 0x3333333344444444, 0, 0
        it "and MXCSR with them"
        expect_mxcsr 0xffff, 0x1fa0
        set_mxcsr 0x1f80
        it "xrstor without AVX in XSTATE_BV clears upper halves"
        vmovups ymm3, [full]
        mov dword [HEADER], 0
        mov dword [AREA + 24], 0x1f80
        mask 4
        xrstor [AREA]
        expect_ymm ymm3, 0, 0, 0x0123456789abcdef, 0xfedcba9876543210
        it "xrstor that does not ask for AVX leaves them"
        vmovups ymm3, [full]
        mask 3
        xrstor [AREA]
        expect_ymm ymm3, 0x1111111122222222, 0x3333333344444444, 0, 0
        it "xsaveopt leaves out what is in its initial state"
        vmovups ymm3, [full]
        vzeroupper
        clear_area
        mov dword [HEADER], 4
        mask 7
        xsaveopt [AREA]
        mov eax, [HEADER]
        and eax, 6
        expect_eq eax, 2
        expect_mem d, [AREA + 160 + 3 * 16], 0x76543210
        expect_mem d, [YMM + 3 * 16], 0x55555555
        it "xsaveopt of AVX in use writes it"
        vmovups ymm3, [full]
        mask 4
        xsaveopt [AREA]
        mov eax, [HEADER]
        and eax, 4
        expect_eq eax, 4
        expect_mem d, [YMM + 3 * 16], 0x44444444

        it "xsavec writes the compacted format and says so"
        clear_area
        mask 7
        xsavec [AREA]
        mov eax, [HEADER]
        and eax, 6
        expect_eq eax, 6
        expect_mem d, [HEADER + 8], 7
        expect_mem d, [HEADER + 12], 0x80000000
        expect_mem d, [AREA + 160 + 3 * 16], 0x76543210
        expect_mem d, [YMM + 3 * 16], 0x44444444
        it "xsavec does not write the rest of the header"
        mov dword [HEADER + 16], 0x66666666
        mask 7
        xsavec [AREA]
        expect_mem d, [HEADER + 16], 0x66666666
        mov dword [HEADER + 16], 0
        it "xsavec of AVX alone writes no MXCSR"
        clear_area
        mask 4
        xsavec [AREA]
        expect_mem d, [HEADER], 4
        expect_mem d, [HEADER + 8], 4
        expect_mem d, [HEADER + 12], 0x80000000
        expect_mem d, [AREA + 24], 0x55555555
        expect_mem d, [YMM + 3 * 16], 0x44444444
        it "xrstor of it loads no MXCSR"
        vzeroall
        set_mxcsr 0x1fa0
        mask 4
        xrstor [AREA]
        expect_mxcsr 0xffff, 0x1fa0
        expect_ymm ymm3, 0x1111111122222222, 0x3333333344444444, 0, 0
        it "a component that the compacted area lacks is initialized, MXCSR with SSE"
        vmovups ymm3, [full]
        mask 6
        xrstor [AREA]
        expect_mxcsr 0xffff, 0x1f80
        expect_ymm ymm3, 0x1111111122222222, 0x3333333344444444, 0, 0
        it "xsavec of unused AVX: in XCOMP_BV, not in XSTATE_BV, not written"
        vmovups ymm3, [full]
        vzeroupper
        clear_area
        mask 6
        xsavec [AREA]
        expect_mem d, [HEADER], 2
        expect_mem d, [HEADER + 8], 6
        expect_mem d, [YMM + 3 * 16], 0x55555555
        it "xrstor of it clears upper halves"
        vmovups ymm3, [full]
        mask 4
        xrstor [AREA]
        expect_ymm ymm3, 0, 0, 0x0123456789abcdef, 0xfedcba9876543210

        it "xrstor of a bad compacted header raises #GP(0)"
        mask 7
        mov dword [HEADER], 4
        mov dword [HEADER + 8], 3
        faults X_GP, 0, xrstor [AREA]
        mov dword [HEADER], 3
        mov dword [HEADER + 8], 3 | 1 << 20
        faults X_GP, 0, xrstor [AREA]
        mov dword [HEADER + 8], 3
        mov dword [HEADER + 60], 1
        faults X_GP, 0, xrstor [AREA]
        mov dword [HEADER + 60], 0
        xrstor [AREA]
        it "XCOMP_BV without its bit 63 raises #GP(0)"
        mov dword [HEADER + 12], 0
        faults X_GP, 0, xrstor [AREA]
        it "xsavec: an area not divisible by 64 raises #GP(0), CR0.TS #NM"
        mask 7
        faults X_GP, 0, xsavec [AREA + 32]
        mov eax, cr0
        or eax, 8
        mov cr0, eax
        mask 7
        faults X_NM, NONE, xsavec [AREA]
        faults X_NM, NONE, xsaveopt [AREA]
        clts

        to_long
        it "in 64-bit mode YMM8 to YMM15 are in it"
        vmovups ymm9, [full]
        mov rdi, AREA
        mov dword [rdi + 512 + 8], 0
        mask 7
        o64 xsave [rdi]
        expect_mem q, [YMM + 9 * 16], 0x3333333344444444
        vzeroall
        mask 7
        o64 xrstor [rdi]
        vmovups [FLOATS], ymm9
        expect_mem q, [FLOATS + 24], 0x1111111122222222
        it "in compatibility mode xrstor leaves them"
        mov qword [YMM + 9 * 16], 0
        to_compat
        mov edi, AREA
        mask 7
        xrstor [edi]
        from_compat
        vmovups [FLOATS], ymm9
        expect_mem q, [FLOATS + 16], 0x3333333344444444
        finish

        image_end
