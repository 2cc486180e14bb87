; RDRAND, RDSEED, RDPID.
;
; checks: CF and the other flags, operand sizes, numbers that differ, encodings; RDPID against IA32_TSC_AUX
; see: SDM 2 (each instruction), SDM 1 7.3.17
; needs: cpus=1
; status: 33
; QEMU: its TCG has no RDPID before 8.0
; Bochs: its Skylake has no RDPID (BOCHS_CPU=corei7_icelake_u has)
; assertions: 14

%define WITH_LONG
%include "lib/rom.inc"

IA32_TSC_AUX equ 0xc0000103

%macro refused 1+.nolist
        arm %%after
%%instruction:
        db %1
%%after:
        expect_fault X_UD, NONE, %%instruction
%endmacro

; Draws until CF says that there is a number; a CPU may run dry for a while.
%macro draw 2
        mov ecx, 100000
%%again:
        %1 %2
        jc %%got
        pause
        dec ecx
        jnz %%again
        unreachable
%%got:
%endmacro

main:
        it "rdrand sets CF and clears the other flags"
        mov ecx, 100000
.again: mov eax, -1
        add eax, 1
        rdrand eax
        jc .got
        dec ecx
        jnz .again
.got:   expect_flags ARITH, CF
        it "rdseed does, too"
        mov ecx, 100000
.again2: mov eax, 0x7fffffff
        add eax, 1
        rdseed eax
        jc .got2
        dec ecx
        jnz .again2
.got2:  expect_flags ARITH, CF
        it "of 64 numbers no two that follow each other are equal"
        mov edi, 64
        xor edx, edx
.next:  draw rdrand, eax
        cmp eax, edx
        jne .differs
        unreachable
.differs: mov edx, eax
        dec edi
        jnz .next
        it "every bit is set in some and clear in some"
        mov edi, 256
        xor esi, esi
        mov ebp, -1
.bits:  draw rdrand, eax
        or esi, eax
        and ebp, eax
        dec edi
        jnz .bits
        expect_eq esi, 0xffffffff
        expect_eq ebp, 0
        it "and so with rdseed"
        mov edi, 256
        xor esi, esi
        mov ebp, -1
.seeds: draw rdseed, eax
        or esi, eax
        and ebp, eax
        dec edi
        jnz .seeds
        expect_eq esi, 0xffffffff
        expect_eq ebp, 0
        it "16 bits keep the upper half"
        mov eax, 0x12340000
        draw rdrand, ax
        shr eax, 16
        expect_eq eax, 0x1234
        mov eax, 0x56780000
        draw rdseed, ax
        shr eax, 16
        expect_eq eax, 0x5678
        it "no memory form of rdrand (0F C7 /6 and /7 are others' then)"
        refused 0x0f, 0xc7, 0x3e
        it "LOCK rdrand: #UD"
        refused 0xf0, 0x0f, 0xc7, 0xf0
        it "rdpid reads IA32_TSC_AUX"
        mov ecx, IA32_TSC_AUX
        mov eax, 0x89abcdef
        xor edx, edx
        wrmsr
        rdpid esi
        expect_eq esi, 0x89abcdef
        it "rdpid works in ring 3"
        to_user
        xor esi, esi
        rdpid esi
        from_user
        expect_eq esi, 0x89abcdef
        it "and touches no flag"
        mov eax, -1
        add eax, 1
        rdpid esi
        expect_flags ARITH, CF | PF | AF | ZF
        to_long
        it "64 bits"
        mov edi, 256
        xor esi, esi
        mov rbp, -1
.long:  draw rdrand, r9
        or rsi, r9
        and rbp, r9
        dec edi
        jnz .long
        expect_eq rsi, 0xffffffffffffffff
        expect_eq rbp, 0
        it "32 bits clear the upper half"
        mov rax, -1
        draw rdrand, eax
        shr rax, 32
        expect_eq rax, 0
        it "rdpid is 64 bits wide"
        mov rsi, -1
        rdpid rsi
        expect_eq rsi, 0x89abcdef
        finish

        image_end
