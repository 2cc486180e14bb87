; Faults in the middle of hot loops: every register, flag and byte of memory is as the instruction found it.
;
; checks: loads, stores, read-modify-writes, pushes, pops, calls, divisions, SSE and string instructions that fault after
;         tens of thousands of iterations; IP, registers and flags at the fault; going on behind it
; see: SDM 3A 6.5 (faults), 6.6 (restart), 4.7 (page-fault exceptions)
; needs: cpus=1
; status: 33
; assertions: 15

%define WITH_LONG
%include "lib/rom.inc"

TURNS   equ 30000
PAGE    equ 0x8000000000                ; linear; its tables are our own
PDPTE   equ TABLES_NEXT
PDE     equ TABLES_NEXT + 0x1000
PTE     equ TABLES_NEXT + 0x2000
FRAME   equ 0x60000
RWU     equ P_P | P_W | P_U

%macro set_page 1                       ; the entry of the page behind the first
        mov rax, %1
        mov [PTE + 8], rax
        mov rax, cr3
        mov cr3, rax
%endmacro

main:
        mov edi, TABLES_NEXT
        mov ecx, 0x3000 / 4
        xor eax, eax
        rep stosd
        to_long
        mov rax, cr0
        or eax, CR0_WP
        mov cr0, rax
        mov rax, cr4
        or eax, 0x600                   ; OSFXSR, OSXMMEXCPT
        mov cr4, rax
        mov qword [PML4 + 8], PDPTE + RWU
        mov qword [PDPTE], PDE + RWU
        mov qword [PDE], PTE + RWU
        mov qword [PTE], FRAME + RWU
        mov edi, FRAME
        mov ecx, 0x2000 / 4
        mov eax, 1
        rep stosd
        set_page 0
        mov r15, PAGE

        it "a load that walks off the end of a page"
        mov ecx, TURNS
        xor ebx, ebx
        xor esi, esi
        arm .load_fault
.load_again:
        mov r8, r15
        mov edx, 8
.load_loop:
        add rbx, rcx
        inc esi
        add r8, 8
        dec edx
        jnz .load_loop
        dec ecx
        jnz .load_again
        ; now hot: on to the end of the page
        mov edx, 0x7fffffff
        mov r8, r15
        xor esi, esi
        xor ebx, ebx
.walk:
        add ebx, 3
        cmp ebx, 0x10000000
.load:  mov eax, [r8]
        add esi, eax
        add r8, 4
        dec edx
        jnz .walk
        unreachable
.load_fault:
        expect_flags CF | ZF | SF, CF | SF
        expect_fault X_PF, 0, .load
        expect_eq esi, 1024
        expect_eq ebx, 1025 * 3
        expect_eq edx, 0x7fffffff - 1024
        it "its address is in CR2"
        mov rax, PAGE + 0x1000
        cmp rax, [v_cr2]
        je .cr2_good
        unreachable
.cr2_good:
        it "a store that walks into a page that is read-only"
        set_page FRAME + 0x1000 + P_P
        mov r8, r15
        mov ecx, 0x7fffffff
        mov eax, 7
        arm .store_fault
.store_loop:
        add eax, 2
.store: mov [r8], eax
        add r8, 4
        dec ecx
        jnz .store_loop
        unreachable
.store_fault:
        expect_fault X_PF, 3, .store
        expect_eq eax, 7 + 2 * 1025
        expect_mem d, [FRAME + 0xffc], 7 + 2 * 1024
        expect_mem d, [FRAME + 0x1000], 1
        it "a read-modify-write there changes neither memory nor flags"
        mov r8, r15
        mov ecx, 0x7fffffff
        mov edx, 5
        arm .rmw_fault
.rmw_loop:
        cmp edx, 5                      ; ZF
.rmw:   add dword [r8], -1
        add r8, 4
        dec ecx
        jnz .rmw_loop
        unreachable
.rmw_fault:
        expect_flags CF | ZF | SF | OF, ZF
        expect_fault X_PF, 3, .rmw
        expect_mem d, [FRAME + 0x1000], 1
        expect_mem d, [FRAME + 0xffc], 7 + 2 * 1024 - 1
        it "XADD and XCHG keep their registers"
        mov r8, r15
        mov ecx, 1024
.xadd_loop:
        mov eax, ecx
        arm .xadd_fault
.xadd:  lock xadd [r8], eax
        add r8, 4
        loop .xadd_loop
        mov eax, 0x1234
        jmp .xadd
.xadd_fault:
        expect_fault X_PF, 3, .xadd
        expect_eq eax, 0x1234
        arm .xchg_fault
.xchg:  xchg [r8], eax
        unreachable
.xchg_fault:
        expect_fault X_PF, 3, .xchg
        expect_eq eax, 0x1234
        it "pushes down into a page that is not there"
        mov qword [PTE], 0
        set_page FRAME + 0x1000 + RWU
        mov rbp, rsp
        lea rsp, [r15 + 0x2000]
        mov ecx, 0x1000
        ; the handler needs a stack that is there: it has one of its own
        or byte [IDT64 + X_PF * 16 + 4], 1
        arm .push_fault
.push_loop:
        inc ecx
.push:  push rcx
        jmp .push_loop
.push_fault:
        mov rdx, rsp
        mov rsp, rbp
        expect_fault X_PF, 2, .push
        expect_eq ecx, 0x1000 + 513
        it "RSP is as before the push"
        mov rdx, [v_sp]
        lea rax, [r15 + 0x1000]
        expect_same rdx, rax
        it "pops up into a page that is not there"
        mov qword [PTE], FRAME + RWU
        set_page 0
        mov ecx, 0
        mov rdx, 0x7777
        mov rsp, r15
        arm .pop_fault
.pop_loop:
        inc ecx
        mov edx, 0x7777
.pop:   pop rdx
        jmp .pop_loop
.pop_fault:
        mov rsp, rbp
        expect_fault X_PF, 0, .pop
        expect_eq ecx, 513
        expect_eq edx, 0x7777
        and byte [IDT64 + X_PF * 16 + 4], 0xf8
        it "a division by what a hot loop counts down to"
        mov ecx, TURNS
        xor esi, esi
        arm .div_fault
.div_loop:
        mov eax, 1000000
        xor edx, edx
.div:   div ecx
        add esi, eax
        dec ecx
        jmp .div_loop
.div_fault:
        expect_fault X_DE, NONE, .div
        expect_eq eax, 1000000
        expect_eq edx, 0
        expect_eq ecx, 0
        it "the sum of the quotients up to then"
        expect_eq esi, SUM
        it "a quotient that does not fit any more"
        mov ecx, 0x80
        mov ebx, 0x100
        arm .idiv_fault
.idiv_loop:
        mov eax, ebx
        xor edx, edx
.idiv:  div cl
        add ebx, 0x10
        jmp .idiv_loop
.idiv_fault:
        expect_fault X_DE, NONE, .idiv
        expect_eq ebx, 0x8000
        it "a load of 16 bytes that is not aligned any more"
        mov r8, r15
        mov ecx, TURNS
        mov eax, 0x55
        movd xmm1, eax
        arm .movaps_fault
.movaps_loop:
        movdqa xmm0, xmm1
.movaps:
        movaps xmm0, [r8]
        xor r8, 0x20
        dec ecx
        jnz .movaps_loop
        inc r8
        jmp .movaps_loop
.movaps_fault:
        movd edx, xmm0
        expect_fault X_GP, 0, .movaps
        expect_eq edx, 0x55
        it "a jump to a pointer that is not canonical"
        mov ecx, TURNS
        mov rbx, .jump_next
        arm .jump_fault
.jump_loop:
.jump:  jmp rbx
.jump_next:
        dec ecx
        jnz .jump_loop
        mov rbx, 0x1000000000000000
        jmp .jump_loop
.jump_fault:
        expect_var v_vec, X_GP
        expect_var v_err, 0
        expect_eq ecx, 0
        it "REP MOVSB stops at the byte that faults"
        mov ecx, 2000
.movs_warm:
        mov ebx, ecx
        mov rsi, r15
        lea rdi, [r15 + 0x100]
        mov ecx, 16
        rep movsb
        mov ecx, ebx
        loop .movs_warm
        lea rsi, [r15 + 0xff0]
        lea rdi, [r15 + 0x80]
        mov ecx, 0x100
        arm .movs_fault
.movs:  rep movsb
        unreachable
.movs_fault:
        expect_fault X_PF, 0, .movs
        expect_eq ecx, 0xf0
        sub rdi, r15
        expect_eq rdi, 0x90
        it "after all of them the loops still run"
        set_page FRAME + 0x1000 + RWU
        mov ecx, TURNS
        xor esi, esi
.last:
        mov r8d, ecx
        and r8d, 0x7ff
        lea r8, [r15 + r8 * 4]
        mov dword [r8], 1
        add esi, [r8]
        dec ecx
        jnz .last
        expect_eq esi, TURNS
        finish

SUM     equ 10871244                    ; of 1000000 / n for n from 1 to TURNS, modulo 2^32

        image_end
