; CPUID says what the CPU does, and nothing else.
;
; checks: leaf numbers; for each feature that is offered its instruction runs, for each that is not it raises #UD; bits that
;         mirror state; what is not offered in CR4 raises #GP; identification strings; the ID flag
; see: SDM 2 (CPUID), SDM 1 20 (processor identification)
; needs: cpus=1
; status: 33
; QEMU: its TCG lets RDSEED run unoffered and leaves the ROM at a bit of CR4
; assertions: 19

%include "lib/rom.inc"

var     f1c
var     f1d
var     f7b
var     f7c
var     fxc
var     fxd

; offered variable, bit, bytes of the instruction: it runs if and only if the bit is set.
%macro offered 3+
        mov dword [v_vec], NONE
        mov dword [v_resume], %%after
        db %3
%%after:
        mov dword [v_resume], 0
        mov esp, MAIN_STACK
        xor eax, eax
        bt dword [%1], %2
        setnc al                        ; 1: it must raise #UD
        xor ecx, ecx
        cmp dword [v_vec], X_UD
        sete cl
        expect_same ecx, eax
%endmacro
; cr4_offered variable, bit, bit of CR4: the bit of CR4 can be set if and only if the feature is offered.
%macro cr4_offered 3
        mov edx, cr4
        mov eax, edx
        or eax, 1 << (%3)
        mov dword [v_vec], NONE
        mov dword [v_resume], %%after
        mov cr4, eax
%%after:
        mov dword [v_resume], 0
        mov cr4, edx
        xor eax, eax
        bt dword [%1], %2
        setnc al
        xor ecx, ecx
        cmp dword [v_vec], X_GP
        sete cl
        expect_same ecx, eax
%endmacro

main:
        it "the ID flag can be changed"
        pushfd
        xor dword [esp], ID
        popfd
        expect_flags ID, ID
        it "the highest basic leaf is at least 7 or its features are none"
        xor eax, eax
        cpuid
        cmp eax, 1
        jae .leaf1
        unreachable
.leaf1:
        push eax
        mov eax, 1
        xor ecx, ecx
        cpuid
        mov [f1c], ecx
        mov [f1d], edx
        pop eax
        cmp eax, 7
        jb .no7
        mov eax, 7
        xor ecx, ecx
        cpuid
        mov [f7b], ebx
        mov [f7c], ecx
.no7:
        mov eax, 0x80000000
        cpuid
        cmp eax, 0x80000001
        jae .extended
        unreachable
.extended:
        mov eax, 0x80000001
        cpuid
        mov [fxc], ecx
        mov [fxd], edx
        mov eax, cr4
        or eax, 0x600
        mov cr4, eax
        mov edi, FREE
        it "FPU, MMX"
        offered f1d, 0, 0xdb, 0xe3                              ; fninit
        offered f1d, 23, 0x0f, 0x6f, 0xc1                       ; movq mm0, mm1
        fninit
        it "CMOV, CMPXCHG8B, TSC, CLFLUSH, FXSR"
        offered f1d, 15, 0x0f, 0x44, 0xc1
        offered f1d, 8, 0x0f, 0xc7, 0x0f
        offered f1d, 4, 0x0f, 0x31
        offered f1d, 19, 0x0f, 0xae, 0x3f
        offered f1d, 24, 0x0f, 0xae, 0x07
        it "SSE, SSE2, SSE3, SSSE3, SSE4.1, SSE4.2"
        offered f1d, 25, 0x0f, 0x58, 0xc1                       ; addps
        offered f1d, 26, 0x66, 0x0f, 0x58, 0xc1                 ; addpd
        offered f1c, 0, 0xf2, 0x0f, 0x7c, 0xc1                  ; haddps
        offered f1c, 9, 0x66, 0x0f, 0x38, 0x1c, 0xc1            ; pabsb
        offered f1c, 19, 0x66, 0x0f, 0x38, 0x20, 0xc1           ; pmovsxbw
        offered f1c, 20, 0x66, 0x0f, 0x38, 0x37, 0xc1           ; pcmpgtq
        it "POPCNT, MOVBE, PCLMULQDQ, AES"
        offered f1c, 23, 0xf3, 0x0f, 0xb8, 0xc1
        offered f1c, 1, 0x66, 0x0f, 0x3a, 0x44, 0xc1, 0         ; pclmulqdq
        offered f1c, 25, 0x66, 0x0f, 0x38, 0xdc, 0xc1           ; aesenc
        offered f1c, 22, 0x0f, 0x38, 0xf0, 0x07                 ; movbe eax, [edi]
        it "XSAVE"
        cr4_offered f1c, 26, 18
        it "RDRAND, RDSEED"
        offered f1c, 30, 0x0f, 0xc7, 0xf0
        offered f7b, 18, 0x0f, 0xc7, 0xf8
        it "RDTSCP"
        offered fxd, 27, 0x0f, 0x01, 0xf9
        it "ADX, BMI1, BMI2 without AVX encodings enabled"
        offered f7b, 19, 0x66, 0x0f, 0x38, 0xf6, 0xc1           ; adcx
        it "CR4: PSE, PAE, PGE, DE, TSD"
        cr4_offered f1d, 3, 4
        cr4_offered f1d, 6, 5
        cr4_offered f1d, 13, 7
        cr4_offered f1d, 2, 3
        it "CR4: SMEP, SMAP, UMIP, FSGSBASE"
        cr4_offered f7b, 7, 20
        cr4_offered f7b, 20, 21
        cr4_offered f7c, 2, 11
        cr4_offered f7b, 0, 16
        it "CR4: VMXE, SMXE, PCIDE (which also needs long mode), PKE"
        cr4_offered f1c, 5, 13
        cr4_offered f1c, 6, 14
        cr4_offered f7c, 3, 22
        mov eax, cr4
        or eax, 1 << 17
        faults X_GP, 0, mov cr4, eax
        it "OSXSAVE mirrors CR4"
        mov eax, 1
        cpuid
        bt ecx, 27
        expect_flags CF, 0
        it "leaf 0Bh or 4 above the highest leaf return what the highest basic leaf returns, or zeros: no fault"
        mov eax, 0x7fffffff
        xor ecx, ecx
        cpuid
        mov eax, 0x8fffffff
        cpuid
        it "the address sizes: at least 36 physical and 48 linear bits, where long mode is offered"
        bt dword [fxd], 29
        jnc .no_long
        mov eax, 0x80000008
        cpuid
        cmp al, 36
        jae .physical
        unreachable
.physical:
        expect_eq ah, 48
.no_long:
        it "the brand string is printable"
        mov eax, 0x80000002
        cpuid
        mov [FREE], eax
        mov [FREE + 4], ebx
        cmp byte [FREE], 0
        jne .brand
        unreachable
.brand:
        it "the APIC bit is set, its id is in leaf 1"
        bt dword [f1d], 9
        expect_flags CF, CF
        mov eax, 1
        cpuid
        shr ebx, 24
        mov eax, [0xfee00020]
        shr eax, 24
        expect_same ebx, eax
        it "cpuid clears the high halves and is not privileged"
        to_user
        xor eax, eax
        cpuid
        from_user
        finish

        image_end
