; Hot code under which the machine changes: page tables, address spaces, aliases, code size, segment bases, WP, debug
; registers, TS, single step.
;
; checks: a page of hot code mapped to another frame, the same address in two address spaces by turns, code written through
;         an alias, data remapped under a loop, CR0.WP and CR0.TS, breakpoints and watchpoints armed late, TF, the same
;         bytes as 64, 32 and 16-bit code, DS with another base
; see: SDM 3A 4.10 (TLBs), 8.1.3 (self-modifying code), 3.4.5; SDM 3B 18.2
; needs: cpus=1
; status: 33
; QEMU: its TCG checks no segment limits
; assertions: 15

%define WITH_LONG
%define WITH_REAL
%include "lib/rom.inc"

TURNS   equ 20000
CODE    equ 0x8000000000                ; linear pages of our own, behind the second entry of the PML4
DATA    equ CODE + 0x1000
ALIAS   equ CODE + 0x2000
PDPTE   equ TABLES_NEXT
PDE     equ TABLES_NEXT + 0x1000
PTE     equ TABLES_NEXT + 0x2000
OTHER   equ TABLES_NEXT + 0x3000        ; the tables of the second address space: PML4, PDPT, PD, PT
FRAME_A equ 0x60000                     ; code that adds 1
FRAME_B equ 0x61000                     ; code that adds 2
FRAME_C equ 0x62000                     ; data
FRAME_D equ 0x63000
RWU     equ P_P | P_W | P_U

var     steps

%macro map 2                            ; number of the page, frame; drops its translation
        mov rax, %2 + RWU
        mov [PTE + (%1) * 8], rax
        mov rax, CODE + (%1) * 0x1000
        invlpg [rax]
%endmacro
%macro calls 2                          ; how often the code is called with EBX = 0, what comes out
        xor ebx, ebx
        mov ecx, %1
%%again:
        call r15
        dec ecx
        jnz %%again
        expect_eq ebx, %2
%endmacro

main:
        mov edi, TABLES_NEXT
        mov ecx, 0x7000 / 4
        xor eax, eax
        rep stosd
        mov edi, FRAME_A
        mov ecx, 0x4000 / 4
        rep stosd
        to_long
        mov qword [PML4 + 8], PDPTE + RWU
        mov qword [PDPTE], PDE + RWU
        mov qword [PDE], PTE + RWU
        mov dword [FRAME_A], 0x9001c383 ; add ebx, 1; nop
        mov byte [FRAME_A + 4], 0xc3
        mov dword [FRAME_B], 0x9002c383
        mov byte [FRAME_B + 4], 0xc3
        mov r15, CODE
        it "a page of hot code is mapped to another frame, with INVLPG"
        map 0, FRAME_A
        calls TURNS, TURNS
        map 0, FRAME_B
        calls 100, 200
        calls TURNS, 2 * TURNS
        it "and back, with a reload of CR3"
        mov qword [PTE], FRAME_A + RWU
        mov rax, cr3
        mov cr3, rax
        calls 100, 100
        it "one address in two address spaces, by turns"
        mov rsi, PML4
        mov edi, OTHER
        mov ecx, 0x1000 / 8
        rep movsq
        mov qword [OTHER + 8], OTHER + 0x1000 + RWU
        mov qword [OTHER + 0x1000], OTHER + 0x2000 + RWU
        mov qword [OTHER + 0x2000], OTHER + 0x3000 + RWU
        mov qword [OTHER + 0x3000], FRAME_B + RWU
        mov esi, PML4
        mov edi, OTHER
        mov ecx, TURNS / 10
        xor ebx, ebx
.spaces:
        xchg esi, edi
        mov cr3, rsi
        call r15
        call r15
        dec ecx
        jnz .spaces
        mov eax, PML4
        mov cr3, rax
        expect_eq ebx, TURNS / 10 * 3
        it "hot code written through another linear address of its frame"
        map 2, FRAME_A
        calls TURNS, TURNS
        mov rax, ALIAS
        mov byte [rax + 2], 7
        calls 100, 700
        mov byte [FRAME_A + 2], 1
        calls 100, 100
        it "in a loop that does so each time"
        mov rdx, ALIAS
        mov ecx, TURNS / 10
        xor ebx, ebx
.rewrite:
        mov eax, ecx
        and al, 0x3f
        mov [rdx + 2], al
        call r15
        dec ecx
        jnz .rewrite
        expect_eq ebx, REWRITTEN
        mov byte [FRAME_A + 2], 1
        it "data mapped to another frame under a hot loop"
        map 1, FRAME_C
        mov dword [FRAME_C], 1
        mov dword [FRAME_D], 10
        mov rdx, DATA
        xor ebx, ebx
        mov ecx, TURNS
.data_loop:
        add ebx, [rdx]
        cmp ecx, 1000
        jne .data_next
        map 1, FRAME_D
.data_next:
        dec ecx
        jnz .data_loop
        expect_eq ebx, (TURNS - 999) + 9990
        it "CR0.WP decides whether a hot store goes through"
        mov rax, FRAME_C + (P_P | P_U)
        mov [PTE + 8], rax
        mov rdx, DATA
        invlpg [rdx]
        mov ecx, TURNS
.wp_loop:
        mov [rdx], ecx
        cmp ecx, 100
        jne .wp_next
        mov rax, cr0
        or eax, CR0_WP
        mov cr0, rax
        arm .wp_fault
.wp_next:
        dec ecx
        jnz .wp_loop
        unreachable
.wp_fault:
        expect_fault X_PF, 3, .wp_loop
        expect_eq ecx, 99
        expect_mem d, [FRAME_C], 100
        mov rax, cr0
        and eax, ~CR0_WP
        mov cr0, rax
        it "CR0.TS makes a hot SSE instruction fault"
        mov rax, cr4
        or eax, 0x600
        mov cr4, rax
        mov ecx, TURNS
        xor eax, eax
        movd xmm0, eax
        inc eax
        movd xmm1, eax
.ts_loop:
        paddd xmm0, xmm1
        cmp ecx, 100
        jne .ts_next
        mov rax, cr0
        or eax, 8
        mov cr0, rax
        arm .ts_fault
.ts_next:
        dec ecx
        jnz .ts_loop
        unreachable
.ts_fault:
        expect_fault 7, NONE, .ts_loop
        clts
        movd eax, xmm0
        expect_eq eax, TURNS - 99
        it "an instruction breakpoint set in a hot loop"
        mov ecx, TURNS
        xor ebx, ebx
.break_loop:
        inc ebx
        cmp ecx, 50
        jne .break_here
        mov eax, .break_here
        mov dr0, rax
        mov eax, 0x401
        mov dr7, rax
        arm .break_hit
.break_here:
        dec ecx
        jnz .break_loop
        unreachable
.break_hit:
        xor eax, eax
        mov dr7, rax
        expect_fault X_DB, NONE, .break_here
        expect_eq ecx, 50
        expect_eq ebx, TURNS - 49
        it "a watchpoint set on what a hot loop writes"
        mov ecx, TURNS
        mov edx, FRAME_C
.watch_loop:
        mov [rdx + 0x10], ecx
.watch_after:
        cmp ecx, 50
        jne .watch_next
        lea rax, [rdx + 0x10]
        mov dr1, rax
        mov eax, 0x00d00404             ; DR1: four bytes, writes
        mov dr7, rax
        arm .watch_hit
.watch_next:
        dec ecx
        jnz .watch_loop
        unreachable
.watch_hit:
        xor eax, eax
        mov dr7, rax
        expect_var v_vec, X_DB
        expect_var_is v_ip, .watch_after
        expect_eq ecx, 49
        expect_mem d, [FRAME_C + 0x10], 49
        it "hot code under single step: a trap after each instruction"
        calls TURNS, TURNS
        mov qword [v_hook], count_step
        mov dword [steps], 0
        mov ecx, 10
        xor ebx, ebx
        pushfq
        or dword [rsp], TF
        popfq
.step_loop:
        call r15
        dec ecx
        jnz .step_loop
        pushfq
        and dword [rsp], ~TF
        popfq
        mov qword [v_hook], 0
        expect_eq ebx, 10
        expect_var steps, 10 * 6 + 3
        it "the same bytes as 64-bit and as 32-bit code"
        mov ecx, TURNS
        xor eax, eax
        mov r14d, .sized
.long_loop:
        call r14
        dec ecx
        jnz .long_loop
        expect_eq eax, TURNS * 2
        to_compat
        mov ecx, TURNS
        xor eax, eax
.compat_loop:
        call main.sized
        dec ecx
        jnz .compat_loop
        expect_eq eax, TURNS
        from_compat
        from_long
        it "and as 16-bit code"
        mov ecx, TURNS
        xor eax, eax
.prot32_loop:
        call .sized16
        dec ecx
        jnz .prot32_loop
        expect_eq eax, (TURNS * 0x90900001) & 0xffffffff
        to_prot16
        mov ecx, TURNS
        xor eax, eax
.prot16_loop:
        call .sized16
        dec ecx
        jnz .prot16_loop
        expect_eq eax, TURNS
        to_prot32
        it "a hot load through DS, and then DS with another base"
        make_descriptor SEL_FREE, FRAME_C, 0xfffff, 0x93, G_4K | G_32
        mov dword [FRAME_C + 0x40], 3
        mov dword [0x40 + FRAME_D], 0
        mov esi, FRAME_D + 0x40
        call .sum
        expect_eq eax, 0
        mov esi, 0x40
        mov bx, SEL_FREE
        mov ds, bx
        call .sum
        mov bx, K_DATA
        mov ds, bx
        expect_eq eax, 3 * TURNS
        it "and ES with a limit that the hot loop runs into"
        make_descriptor SEL_FREE, FRAME_C, 0xfff, 0x93, G_32
        mov bx, SEL_FREE
        mov es, bx
        xor esi, esi
        mov edi, 100
        arm .limit_fault
.limit_loop:
        mov eax, 1
.limit_store:
        mov [es:esi], eax
        add esi, 4
        cmp esi, 0x1000
        jb .limit_loop
        ja .limit_beyond
        dec edi
        jz .limit_on
        xor esi, esi
        jmp .limit_loop
.limit_on:
        mov eax, 2
        jmp .limit_store
.limit_fault:
        mov bx, K_DATA
        mov es, bx
        expect_fault X_GP, 0, .limit_store
        expect_eq esi, 0x1000
        expect_eq eax, 2
.end:
        finish
.limit_beyond:
        mov bx, K_DATA
        mov es, bx
        unreachable
        jmp .end

.sum:   mov ecx, TURNS
        xor eax, eax
.sum_loop:
        add eax, [esi]
        dec ecx
        jnz .sum_loop
        ret

; 64-bit code: inc rax; inc eax. 32-bit code: dec eax; inc eax; inc eax.
.sized: db 0x48, 0xff, 0xc0, 0xff, 0xc0, 0xc3
; 32-bit code: add eax, 90900001h. 16-bit code: add ax, 1; nop; nop.
.sized16:
        db 0x05, 0x01, 0x00, 0x90, 0x90, 0xc3

        bits 64
count_step:
        inc dword [steps]
        mov edx, 0xffff0ff0
        mov dr6, rdx
        ret

REWRITTEN equ 62632                    ; the sum of n modulo 64 for n up to TURNS / 10

        image_end
