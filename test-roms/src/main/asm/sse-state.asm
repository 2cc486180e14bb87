; FXSAVE, FXRSTOR and the XSAVE family.
;
; checks: the layout of the 512 bytes, the abridged tags, MXCSR_MASK, alignment and reserved bits, 64-bit forms, XCR0,
;         XSAVE's header and requested-feature bitmap, init and modified states, faults
; see: SDM 1 10.5 (FXSAVE), 13 (XSAVE)
; needs: cpus=1
; status: 33
; QEMU: its TCG checks no MXCSR in FXRSTOR, nor TS in XSAVE, and has no x87 pointers there
; assertions: 24

%define WITH_LONG
%include "lib/rom.inc"
%include "lib/float.inc"

AREA    equ 0x60000
CR4_OSXSAVE equ 1 << 18

%macro clear_area 0
        mov edi, AREA
        mov ecx, 0x1000 / 4
        mov eax, 0x55555555
        rep stosd
%endmacro

main:
        floats_on
        it "fxsave: control, status, abridged tags, registers from 32, MXCSR at 24"
        clear_area
        fld1
        fldpi
        set_mxcsr 0x1fa5
        mov eax, 0x12345678
        movd xmm3, eax
        fxsave [AREA]
        expect_mem w, [AREA], 0x37f
        expect_mem w, [AREA + 2], 0x3000
        expect_mem b, [AREA + 4], 0xc0
        expect_mem d, [AREA + 24], 0x1fa5
        expect_mem d, [AREA + 32], 0x2168c235
        expect_mem w, [AREA + 40], 0x4000
        expect_mem w, [AREA + 56], 0x3fff
        expect_mem d, [AREA + 160 + 3 * 16], 0x12345678
        it "the bytes from 464 on stay free"
        expect_mem d, [AREA + 464], 0x55555555
        expect_mem d, [AREA + 508], 0x55555555
        it "MXCSR_MASK is FFFF or FFBF"
        mov eax, [AREA + 28]
        or eax, 0x40
        expect_eq eax, 0xffff
        it "fxsave does not initialize"
        expect_st 0x4000, 0xc90fdaa22168c235
        it "fxrstor brings all back"
        fninit
        set_mxcsr 0x1f80
        pxor xmm3, xmm3
        fxrstor [AREA]
        expect_st 0x4000, 0xc90fdaa22168c235
        expect_st 0x3fff, 0x8000000000000000
        movd eax, xmm3
        expect_eq eax, 0x12345678
        expect_mxcsr 0xffff, 0x1fa5
        it "fxsave and fxrstor of an address not divisible by 16 raise #GP(0)"
        faults X_GP, 0, fxsave [AREA + 8]
        faults X_GP, 0, fxrstor [AREA + 8]
        it "fxrstor of reserved MXCSR bits raises #GP(0)"
        mov dword [AREA + 24], 0x10000
        faults X_GP, 0, fxrstor [AREA]
        mov dword [AREA + 24], 0x1f80

        it "xsave needs CR4.OSXSAVE: #UD"
        faults X_UD, NONE, xgetbv
        faults X_UD, NONE, xsave [AREA]
        mov eax, 1
        cpuid
        bt ecx, 26
        jnc .none
        mov eax, cr4
        or eax, CR4_OSXSAVE
        mov cr4, eax
        it "CPUID shows OSXSAVE"
        mov eax, 1
        cpuid
        bt ecx, 27
        expect_flags CF, CF
        it "XCR0 is 1 after reset"
        xor ecx, ecx
        xgetbv
        expect_eq eax, 1
        expect_eq edx, 0
        it "xsetbv: bit 0 must be set, unknown bits must not, XCR1 is not for it: #GP(0)"
        xor edx, edx
        mov eax, 2
        faults X_GP, 0, xsetbv
        mov eax, 1 << 30
        or eax, 1
        faults X_GP, 0, xsetbv
        mov eax, 3
        mov ecx, 1
        faults X_GP, 0, xsetbv
        it "xsetbv is privileged"
        to_user
        xor ecx, ecx
        faults X_GP, 0, xsetbv
        xgetbv
        from_user
        it "x87 and SSE state can be enabled"
        xor ecx, ecx
        xor edx, edx
        mov eax, 3
        xsetbv
        xgetbv
        expect_eq eax, 3
        it "leaf 0Dh: 576 bytes for them"
        mov eax, 0xd
        xor ecx, ecx
        cpuid
        expect_eq ebx, 576
        and eax, 3
        expect_eq eax, 3
        it "xsave writes what is asked for and says so in its header"
        clear_area
        mov edi, AREA + 512
        xor eax, eax
        mov ecx, 16
        rep stosd
        fninit
        fldpi
        mov eax, 0x89abcdef
        movd xmm5, eax
        mov eax, 3
        xor edx, edx
        xsave [AREA]
        mov eax, [AREA + 512]
        and eax, 3
        expect_eq eax, 3
        expect_mem d, [AREA + 32], 0x2168c235
        expect_mem d, [AREA + 160 + 5 * 16], 0x89abcdef
        it "xsave of SSE alone leaves the x87 part"
        mov dword [AREA + 32], 0x55555555
        mov eax, 2
        xor edx, edx
        xsave [AREA]
        expect_mem d, [AREA + 32], 0x55555555
        it "xrstor with a clear XSTATE_BV bit initializes"
        mov dword [AREA + 512], 2
        fld1
        pxor xmm5, xmm5
        mov eax, 3
        xor edx, edx
        xrstor [AREA]
        fnstsw ax
        expect_eq ax, 0
        movd eax, xmm5
        expect_eq eax, 0x89abcdef
        it "xrstor of what is not asked for leaves it"
        fld1
        mov eax, 2
        xor edx, edx
        xrstor [AREA]
        expect_st 0x3fff, 0x8000000000000000
        it "xrstor of a bad header raises #GP(0)"
        mov dword [AREA + 512], 1 << 30
        mov eax, 3
        xor edx, edx
        faults X_GP, 0, xrstor [AREA]
        mov dword [AREA + 512], 3
        mov dword [AREA + 512 + 16], 1
        faults X_GP, 0, xrstor [AREA]
        mov dword [AREA + 512 + 16], 0
        it "an area not divisible by 64 raises #GP(0)"
        faults X_GP, 0, xsave [AREA + 16]
        faults X_GP, 0, xrstor [AREA + 16]
        it "with CR0.TS they raise #NM"
        mov eax, cr0
        or eax, 8
        mov cr0, eax
        faults X_NM, NONE, xsave [AREA]
        faults X_NM, NONE, xrstor [AREA]
        clts
        jmp .long
.none:
        mov eax, cr4
        or eax, CR4_OSXSAVE
        it_or "CPUID shows OSXSAVE"
        faults X_GP, 0, mov cr4, eax
        it_or "XCR0 is 1 after reset"
        it_or "xsetbv: bit 0 must be set, unknown bits must not, XCR1 is not for it: #GP(0)"
        it_or "xsetbv is privileged"
        it_or "x87 and SSE state can be enabled"
        it_or "leaf 0Dh: 576 bytes for them"
        it_or "xsave writes what is asked for and says so in its header"
        it_or "xsave of SSE alone leaves the x87 part"
        it_or "xrstor with a clear XSTATE_BV bit initializes"
        it_or "xrstor of what is not asked for leaves it"
        it_or "xrstor of a bad header raises #GP(0)"
        it_or "an area not divisible by 64 raises #GP(0)"
        it_or "with CR0.TS they raise #NM"
.long:
        to_long
        it "64-bit fxsave has XMM8 to XMM15; in compatibility mode they stay out"
        mov eax, 0x13572468
        movd xmm9, eax
        mov rdi, AREA
        o64 fxsave [rdi]
        expect_mem d, [rdi + 160 + 9 * 16], 0x13572468
        mov dword [rdi + 160 + 9 * 16], 0x55555555
        to_compat
        fxsave [edi]
        from_compat
        expect_mem d, [rdi + 160 + 9 * 16], 0x55555555
        it "64-bit fxrstor brings them back"
        mov dword [rdi + 160 + 9 * 16], 0x11112222
        o64 fxrstor [rdi]
        movd eax, xmm9
        expect_eq eax, 0x11112222
        it "with REX.W the instruction pointer has 64 bits"
        fninit
        fld1
        fld1
.last:
        fdiv st0, st1
        o64 fxsave [rdi]
        mov rax, [rdi + 8]
        expect_is rax, .last
        finish

        image_end
