; The CPU is what CPUID says: one ROM for every CPU model with CPUID.
;
; checks: that each instruction group, each bit of CR4 and EFER and each group of MSRs is there exactly where CPUID offers
;         it (#UD and #GP elsewhere), and that the leaves agree with each other
; see: SDM 2 (CPUID), SDM 3A 2.5 (CR4), SDM 4
; needs: cpus=1
; status: 33
; QEMU: its TCG has no reserved bits of EFER and reads MSRs that do not exist
; Bochs: it has no MCG_CAP, and EFER.SCE where CPUID outside 64-bit code hides SYSCALL
; assertions: 27

%include "lib/rom.inc"

BUFFER  equ 0x60000

LEAF1_C equ 0                           ; the words of v_features
LEAF1_D equ 4
LEAF7_B equ 8
LEAF7_C equ 12
LEAF7_D equ 16
EXT1_C  equ 20
EXT1_D  equ 24

; probe word, bit, bytes of an instruction: #UD exactly where the bit is clear.
%macro probe 3+.nolist
        mov eax, [v_features + %1]
        shr eax, %2
        and eax, 1
        neg eax                         ; NONE where it is there
        jnz %%expected
        mov eax, X_UD
%%expected:
        mov [v_expected], eax
        mov esi, BUFFER
        mov eax, 2
        xor ecx, ecx
        xor edx, edx
        arm %%after
        db %3
%%after:
        mov eax, [v_vec]
        mov ebx, [v_expected]
        expect_same eax, ebx
%endmacro

; control word, bit, bit of CR4: can be set exactly where CPUID has the bit, else #GP.
%macro control 3
        mov eax, [v_features + %1]
        shr eax, %2
        and eax, 1
        neg eax
        jnz %%expected
        mov eax, X_GP
%%expected:
        mov [v_expected], eax
        mov edi, cr4
        mov eax, edi
        or eax, 1 << %3
        arm %%after
        mov cr4, eax
%%after:
        mov cr4, edi
        mov eax, [v_vec]
        mov ebx, [v_expected]
        expect_same eax, ebx
%endmacro

; msr word, bit, number: can be read exactly where CPUID has the bit; nothing where there are no MSRs.
%macro msr 3
        mov eax, [v_features + %1]
        shr eax, %2
        and eax, 1
        neg eax
        jnz %%expected
        mov eax, X_GP
%%expected:
        mov [v_expected], eax
        bt dword [v_features + LEAF1_D], 5
        jnc %%none
        mov ecx, %3
        arm %%after
        rdmsr
%%after:
        mov eax, [v_vec]
        mov ebx, [v_expected]
        expect_same eax, ebx
%%none:
%endmacro

; efer bit of CPUID.80000001:EDX, bit of EFER
%macro efer 2
        mov eax, [v_features + EXT1_D]
        mov ebx, eax
        and ebx, 1 << 20 | 1 << 29
        jz %%none                       ; no EFER
        shr eax, %1
        and eax, 1
        neg eax
        jnz %%expected
        mov eax, X_GP
%%expected:
        mov [v_expected], eax
        mov ecx, 0xc0000080
        rdmsr
        mov edi, eax
        or eax, 1 << %2
        arm %%after
        wrmsr
%%after:
        mov ebx, [v_vec]
        mov eax, edi
        wrmsr
        mov eax, [v_expected]
        expect_same ebx, eax
%%none:
%endmacro

main:
        it "EFLAGS.ID can be changed"
        pushfd
        pop eax
        mov ecx, eax
        xor eax, ID
        push eax
        popfd
        pushfd
        pop eax
        xor eax, ecx
        expect_eq eax, ID
        call collect
        it "leaf 0 names a vendor"
        xor eax, eax
        cpuid
        or ebx, ebx
        jnz .vendor
        unreachable
.vendor:
        it "a basic leaf above the highest gives the highest one's data"
        cmp dword [v_highest], 1        ; leaf 1 has parts that change
        je .same
        mov eax, [v_highest]
        xor ecx, ecx
        cpuid
        mov esi, edx
        mov edi, eax
        mov eax, [v_highest]
        inc eax
        xor ecx, ecx
        cpuid
        expect_same eax, edi
        expect_same edx, esi
.same:
        it "the signature is not 0, and its family is 4 or more"
        mov eax, 1
        cpuid
        shr eax, 8
        and eax, 0xf
        cmp eax, 4
        jae .family
        unreachable
.family:
        it "the brand string, where there is one, ends within 48 bytes"
        cmp dword [v_extended], 0x80000004
        jb .no_brand
        mov eax, 0x80000002
        cpuid
        or eax, eax
        jz .no_text
        mov eax, 0x80000004
        cpuid
        shr edx, 24
        expect_eq edx, 0
        jmp .no_brand
.no_text:
        unreachable
.no_brand:
        it "address sizes: at least 36 and at most 52 bits where long mode is"
        bt dword [v_features + EXT1_D], 29
        jnc .short
        mov eax, 0x80000008
        cpuid
        movzx ecx, al
        sub ecx, 36
        cmp ecx, 16
        jbe .short
        unreachable
.short:
        ; what the instructions below need
        mov eax, cr0
        and eax, ~0xc
        mov cr0, eax
        mov eax, cr4
        bt dword [v_features + LEAF1_D], 24
        jnc .no_fxsr
        or eax, 0x200
.no_fxsr:
        bt dword [v_features + LEAF1_C], 26
        jnc .no_xsave
        or eax, 0x40000
.no_xsave:
        mov ebx, eax
        test eax, eax
        jz .cr4_done
        mov cr4, eax
.cr4_done:
        bt ebx, 18
        jnc .no_xcr
        bt dword [v_features + LEAF1_C], 28
        jnc .no_xcr
        xor ecx, ecx
        xor edx, edx
        mov eax, 7
        xsetbv
.no_xcr:
        fninit
        it "CMOV, CMPXCHG8B, RDTSC, RDMSR"
        probe LEAF1_D, 15, 0x0f, 0x44, 0xc0
        probe LEAF1_D, 8, 0x0f, 0xc7, 0x0e
        probe LEAF1_D, 4, 0x0f, 0x31
        it "FCMOV needs CMOV"
        probe LEAF1_D, 15, 0xda, 0xc0
        it "MMX"
        probe LEAF1_D, 23, 0x0f, 0xef, 0xc0
        probe LEAF1_D, 23, 0x0f, 0x77
        it "FXSAVE, CLFLUSH"
        probe LEAF1_D, 24, 0x0f, 0xae, 0x06
        probe LEAF1_D, 19, 0x0f, 0xae, 0x3e
        it "SSE and SSE2"
        probe LEAF1_D, 25, 0x0f, 0x57, 0xc0
        probe LEAF1_D, 25, 0x0f, 0xae, 0xf8
        probe LEAF1_D, 26, 0x66, 0x0f, 0xef, 0xc0
        probe LEAF1_D, 26, 0x0f, 0xae, 0xf0
        it "MXCSR has DAZ, and FXSAVE says so, where SSE2 is"
        bt dword [v_features + LEAF1_D], 25
        jnc .no_mxcsr
        mov dword [BUFFER + 28], 0
        fxsave [BUFFER]
        mov eax, [BUFFER + 28]
        shr eax, 6
        and eax, 1
        mov ebx, [v_features + LEAF1_D]
        shr ebx, 26
        and ebx, 1
        expect_same eax, ebx
        neg ebx
        jnz .has_daz
        mov ebx, X_GP
.has_daz:
        mov dword [BUFFER], 0x1fc0
        arm .loaded
        ldmxcsr [BUFFER]
.loaded:
        mov eax, [v_vec]
        expect_same eax, ebx
        mov dword [BUFFER], 0x1f80
        ldmxcsr [BUFFER]
.no_mxcsr:
        it "SSE3, SSSE3"
        probe LEAF1_C, 0, 0xf2, 0x0f, 0x7c, 0xc0
        probe LEAF1_C, 9, 0x66, 0x0f, 0x38, 0x1c, 0xc0
        it "SSE4.1, SSE4.2, POPCNT"
        probe LEAF1_C, 19, 0x66, 0x0f, 0x38, 0x17, 0xc0
        probe LEAF1_C, 20, 0x66, 0x0f, 0x38, 0x37, 0xc0
        probe LEAF1_C, 20, 0xf2, 0x0f, 0x38, 0xf1, 0xc0
        probe LEAF1_C, 23, 0xf3, 0x0f, 0xb8, 0xc0
        it "PCLMULQDQ, AES, SHA"
        probe LEAF1_C, 1, 0x66, 0x0f, 0x3a, 0x44, 0xc0, 0
        probe LEAF1_C, 25, 0x66, 0x0f, 0x38, 0xdc, 0xc0
        probe LEAF7_B, 29, 0x0f, 0x38, 0xc9, 0xc0
        it "MOVBE, RDRAND, RDSEED"
        probe LEAF1_C, 22, 0x0f, 0x38, 0xf0, 0x06
        probe LEAF1_C, 30, 0x0f, 0xc7, 0xf0
        probe LEAF7_B, 18, 0x0f, 0xc7, 0xf8
        it "XSAVE, AVX, F16C, FMA, AVX2"
        probe LEAF1_C, 26, 0x0f, 0x01, 0xd0
        probe LEAF1_C, 28, 0xc5, 0xf8, 0x57, 0xc0
        probe LEAF1_C, 29, 0xc4, 0xe2, 0x79, 0x13, 0xc0
        probe LEAF1_C, 12, 0xc4, 0xe2, 0x79, 0x98, 0xc0
        probe LEAF7_B, 5, 0xc5, 0xfd, 0xef, 0xc0
        it "BMI1, BMI2, ADX"
        probe LEAF7_B, 3, 0xc4, 0xe2, 0x78, 0xf2, 0xc0
        probe LEAF7_B, 8, 0xc4, 0xe2, 0x7b, 0xf6, 0xc0
        probe LEAF7_B, 19, 0x66, 0x0f, 0x38, 0xf6, 0xc0
        it "INVPCID, CLAC, CLFLUSHOPT, CLWB, SERIALIZE"
        probe LEAF7_B, 10, 0x66, 0x0f, 0x38, 0x82, 0x86, 0, 4, 0, 0
        probe LEAF7_B, 20, 0x0f, 0x01, 0xca
        probe LEAF7_B, 23, 0x66, 0x0f, 0xae, 0x3e
        probe LEAF7_B, 24, 0x66, 0x0f, 0xae, 0x36
        probe LEAF7_D, 14, 0x0f, 0x01, 0xe8
        it "RDTSCP, RDPID"
        probe EXT1_D, 27, 0x0f, 0x01, 0xf9
        probe LEAF7_C, 22, 0xf3, 0x0f, 0xc7, 0xf8
        it "F3 BSF and BSR are TZCNT and LZCNT where CPUID says so"
        mov eax, 0x100
        mov ebx, 8
        bt dword [v_features + EXT1_C], 5
        jnc .bsr
        mov ebx, 23
.bsr:
        db 0xf3, 0x0f, 0xbd, 0xc8       ; of EAX to ECX
        expect_same ecx, ebx
        mov ecx, 77
        mov ebx, 32
        bt dword [v_features + LEAF7_B], 3
        jc .tzcnt
        mov ebx, 77                     ; BSF of 0 leaves it
.tzcnt:
        xor eax, eax
        db 0xf3, 0x0f, 0xbc, 0xc8
        expect_same ecx, ebx
        it "CR4: TSD, DE, PSE, PAE, MCE, PGE"
        control LEAF1_D, 4, 2
        control LEAF1_D, 2, 3
        control LEAF1_D, 3, 4
        control LEAF1_D, 6, 5
        control LEAF1_D, 7, 6
        control LEAF1_D, 13, 7
        it "CR4: OSFXSR, OSXMMEXCPT, UMIP, FSGSBASE, OSXSAVE, SMEP, SMAP"
        control LEAF1_D, 24, 9
        control LEAF1_D, 25, 10
        control LEAF7_C, 2, 11
        control LEAF7_B, 0, 16
        control LEAF1_C, 26, 18
        control LEAF7_B, 7, 20
        control LEAF7_B, 20, 21
        it "EFER: SCE, LME, NXE"
        efer 11, 0
        efer 29, 8
        efer 20, 11
        it "MSRs: TSC, APIC_BASE, SYSENTER, PAT, MTRR, MCG_CAP"
        msr LEAF1_D, 4, 0x10
        msr LEAF1_D, 9, 0x1b
        msr LEAF1_D, 11, 0x174
        msr LEAF1_D, 16, 0x277
        msr LEAF1_D, 12, 0xfe
        msr LEAF1_D, 14, 0x179
        it "MSRs: TSC_ADJUST, SPEC_CTRL, ARCH_CAPABILITIES, TSC_AUX, LSTAR"
        msr LEAF7_B, 1, 0x3b
        msr LEAF7_D, 26, 0x48
        msr LEAF7_D, 29, 0x10a
        msr EXT1_D, 27, 0xc0000103
        msr EXT1_D, 29, 0xc0000082
        it "CPUID can be made to fault in ring 3 where MSR_PLATFORM_INFO says so"
        bt dword [v_features + LEAF1_D], 5
        jnc .no_fault
        mov ecx, 0xce
        xor eax, eax
        arm .info
        rdmsr
.info:
        bt eax, 31
        jnc .no_fault
        mov ecx, 0x140                  ; MSR_MISC_FEATURES_ENABLES
        xor edx, edx
        mov eax, 2
        faults X_GP, 0, wrmsr
        mov eax, 1
        wrmsr
        to_user
        xor eax, eax
        faults X_GP, 0, cpuid
        from_user
        xor eax, eax
        cpuid
        mov esi, [v_highest]
        expect_same eax, esi
        mov ecx, 0x140
        xor eax, eax
        xor edx, edx
        wrmsr
        to_user
        xor eax, eax
        cpuid
        from_user
        expect_same eax, esi
.no_fault:
        finish

; Gathers the words of features; those of leaves that are not there are 0.
collect:
        xor eax, eax
        cpuid
        mov [v_highest], eax
        mov eax, 1
        cpuid
        mov [v_features + LEAF1_C], ecx
        mov [v_features + LEAF1_D], edx
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        cmp dword [v_highest], 7
        jb .no_seven
        mov eax, 7
        cpuid
.no_seven:
        mov [v_features + LEAF7_B], ebx
        mov [v_features + LEAF7_C], ecx
        mov [v_features + LEAF7_D], edx
        mov eax, 0x80000000
        cpuid
        xor ecx, ecx
        xor edx, edx
        bt eax, 31
        jc .has_extended
        xor eax, eax
.has_extended:
        mov [v_extended], eax
        cmp eax, 0x80000001
        jb .no_extended
        mov eax, 0x80000001
        cpuid
.no_extended:
        mov [v_features + EXT1_C], ecx
        mov [v_features + EXT1_D], edx
        ret

v_features equ 0x61000
v_expected equ 0x61040
v_highest equ 0x61044
v_extended equ 0x61048

        image_end
