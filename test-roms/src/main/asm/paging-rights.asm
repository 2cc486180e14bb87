; All access rights of a page: every combination, every access, against the rules as the manual gives them.
;
; checks: P, R/W, U/S and NX of a page and R/W, U/S and NX of its directory entry, with CR0.WP, CR4.SMEP and CR4.SMAP, for
;         reads, writes and fetches of ring 3, of ring 0, and of ring 0 with EFLAGS.AC: allowed or #PF, error code, CR2,
;         accessed and dirty bits; 1,024 combinations each
; see: SDM 3A 4.6 (access rights), 4.7 (page-fault exceptions), 4.8 (accessed and dirty flags); KVM's unit test access
; needs: cpus=1
; status: 33
; QEMU: its TCG leaves P out of the error code for a reserved bit
; assertions: 13

%define WITH_LONG
%include "lib/rom.inc"

PAGE            equ 0x70000             ; physical
TARGET          equ 0x40000000          ; linear; its table is TABLES_NEXT
DATA            equ TARGET + 8          ; what is read and written; at TARGET is an INT3
STUBS           equ 0x71000             ; a user page: the accesses of ring 3
CR4_SMEP        equ 1 << 20
CR4_SMAP        equ 1 << 21

READ            equ 0
WRITE           equ 1
FETCH           equ 2
USER            equ 0
SUPER           equ 1
SUPER_AC        equ 2

; Bits of a combination, in R12.
C_P             equ 0
C_W             equ 1
C_U             equ 2
C_NX            equ 3
C_DW            equ 4                   ; of the directory entry
C_DU            equ 5
C_DNX           equ 6
C_WP            equ 7
C_SMEP          equ 8
C_SMAP          equ 9
COMBINATIONS    equ 1 << 10

var     kind
var     mode
var     wrong                           ; combinations that were not as the model says
var     first_wrong                     ; the first of them, with its error code in the high half
var     allowed
var     wrong_cr2
var     wrong_bits                      ; accessed and dirty
var     back_sp
var     cr4_bits                        ; SMEP and SMAP, where there are any

        bits 64
; Every exception ends the access, in ring 0.
ended:
        mov qword [rbx], access.back
        mov qword [rbx + 8], K_CODE64
        and dword [rbx + 16], ~(AC | TF)
        mov rax, [back_sp]
        mov [rbx + 24], rax
        mov qword [rbx + 32], K_DATA
        ret

; The accesses: position-independent, RDI = DATA, RSI = TARGET.
stubs:
.read:  mov al, [rdi]
        int3
        align 8
.write: mov [rdi], al
        int3
        align 8
.fetch: jmp rsi
        align 8
.end:

; Makes the access of [kind] and [mode]; the handlers leave vector, error code and CR2.
access:
        mov [back_sp], rsp
        mov edi, DATA
        mov esi, TARGET
        mov eax, [kind]
        shl eax, 3
        cmp dword [mode], USER
        je .user
        cmp dword [mode], SUPER
        je .super
        pushfq
        or dword [rsp], AC
        popfq
.super:
        add eax, stubs
        jmp rax
.user:
        add eax, STUBS
        push qword U_DATA
        push qword USER_STACK
        push qword 2
        push qword U_CODE64
        push rax
        iretq
.back:
        ret

; Puts combination R12 into tables and control registers.
install:
        mov eax, r12d
        and eax, 7                      ; P, W, U are bits 0 to 2 of an entry, too
        or eax, PAGE
        bt r12d, C_NX
        jnc .no_nx
        bts rax, 63
.no_nx:
        mov [abs TABLES_NEXT], rax
        mov eax, r12d
        shr eax, C_DW - 1
        and eax, 6
        or eax, TABLES_NEXT + P_P
        bt r12d, C_DNX
        jnc .no_dnx
        bts rax, 63
.no_dnx:
        mov [abs PD0 + 0x1000], rax
        mov rax, cr0
        and eax, ~CR0_WP
        bt r12d, C_WP
        jnc .no_wp
        or eax, CR0_WP
.no_wp:
        mov cr0, rax
        xor ecx, ecx
        bt r12d, C_SMEP
        jnc .no_smep
        or ecx, CR4_SMEP
.no_smep:
        bt r12d, C_SMAP
        jnc .no_smap
        or ecx, CR4_SMAP
.no_smap:
        and ecx, [cr4_bits]
        mov rax, cr4
        and eax, ~(CR4_SMEP | CR4_SMAP)
        or eax, ecx
        mov cr4, rax
        invlpg [abs TARGET]
        ret

; EAX = the error code that combination R12 gives the access, or -1 where it is allowed.
model:
        mov ecx, r12d
        mov edx, ecx
        shr edx, C_DW - C_W
        and edx, ecx                    ; bits C_W, C_U: both levels
        mov r8d, ecx
        shr r8d, C_DNX - C_NX
        or r8d, ecx                     ; bit C_NX: either level
        xor eax, eax
        cmp dword [kind], WRITE
        jne .not_write
        or eax, 2
.not_write:
        cmp dword [mode], USER
        jne .not_user
        or eax, 4
.not_user:
        cmp dword [kind], FETCH
        jne .not_fetch
        or eax, 16
.not_fetch:
        bt ecx, C_P
        jnc .end
        or eax, 1
        cmp dword [kind], FETCH
        je .fetch
        cmp dword [mode], USER
        je .user_data
        bt edx, C_U
        jnc .super_rw
        bt ecx, C_SMAP
        jnc .super_rw
        test dword [cr4_bits], CR4_SMAP
        jz .super_rw
        cmp dword [mode], SUPER_AC
        jne .end
.super_rw:
        cmp dword [kind], WRITE
        jne .allowed
        bt edx, C_W
        jc .allowed
        bt ecx, C_WP
        jc .end
.allowed:
        mov eax, -1
        ret
.user_data:
        bt edx, C_U
        jnc .end
        cmp dword [kind], WRITE
        jne .allowed
        bt edx, C_W
        jc .allowed
.end:
        ret
.fetch:
        bt r8d, C_NX
        jc .end
        cmp dword [mode], USER
        je .user_fetch
        bt edx, C_U
        jnc .allowed
        bt ecx, C_SMEP
        jnc .allowed
        test dword [cr4_bits], CR4_SMEP
        jz .allowed
        ret
.user_fetch:
        bt edx, C_U
        jc .allowed
        ret

; All combinations for one kind and mode.
all:
        mov dword [wrong], 0
        mov dword [first_wrong], 0
        mov dword [allowed], 0
        xor r12d, r12d
.next:
        call install
        call access
        call model
        cmp eax, -1
        je .may
        mov rcx, [v_cr2]
        mov edx, DATA
        cmp dword [kind], FETCH
        jne .cr2
        mov edx, TARGET
.cr2:
        cmp rcx, rdx
        je .cr2_right
        inc dword [wrong_cr2]
.cr2_right:
        cmp dword [v_vec], X_PF
        jne .bad
        cmp eax, [v_err]
        je .good
        jmp .bad
.may:
        inc dword [allowed]
        cmp dword [v_vec], X_BP
        jne .bad
        mov ecx, P_A
        cmp dword [kind], WRITE
        jne .clean
        or ecx, P_D
.clean:
        mov eax, [abs TABLES_NEXT]
        and eax, P_A | P_D
        cmp eax, ecx
        jne .bits_wrong
        test dword [abs PD0 + 0x1000], P_A
        jnz .good
.bits_wrong:
        inc dword [wrong_bits]
        jmp .good
.bad:
        inc dword [wrong]
        cmp dword [first_wrong], 0
        jne .good
        mov eax, [v_err]
        shl eax, 16
        or eax, r12d
        mov [first_wrong], eax
.good:
        inc r12d
        cmp r12d, COMBINATIONS
        jb .next
        xor r12d, r12d                  ; SMEP, SMAP and WP off again
        call install
        ret

%macro try 4                            ; name, kind, mode, how many are allowed where SMEP and SMAP exist
        it %1
        mov dword [kind], %2
        mov dword [mode], %3
        call all
        expect_var wrong, 0
        expect_var first_wrong, 0
        cmp dword [cr4_bits], CR4_SMEP | CR4_SMAP
        jne %%end
        expect_var allowed, %4
%%end:
%endmacro

        bits 32
main:
        to_long
        mov eax, 7
        xor ecx, ecx
        cpuid
        bt ebx, 7
        jnc .no_smep
        or dword [cr4_bits], CR4_SMEP
.no_smep:
        bt ebx, 20
        jnc .no_smap
        or dword [cr4_bits], CR4_SMAP
.no_smap:
        ; the first 2 MiB for ring 0, but one page of ring 3
        mov edi, PT0
        mov ecx, 512
.super:
        and dword [rdi], ~P_U
        add edi, 8
        loop .super
        or dword [PT0 + (STUBS >> 12) * 8], P_U
        mov esi, stubs
        mov edi, STUBS
        mov ecx, stubs.end - stubs
        rep movsb
        mov byte [PAGE], 0xcc
        mov edi, TABLES_NEXT
        mov ecx, 512
        xor eax, eax
        rep stosq
        mov rax, cr3
        mov cr3, rax
        mov qword [v_hook], ended

        ; of 1,024 combinations: present 1/2, writable at both levels 1/4, for users at both levels 1/4, NX at none 1/4
        try "ring 3 reads: present and for users", READ, USER, 128
        try "ring 3 writes: writable too", WRITE, USER, 32
        try "ring 3 fetches: without NX", FETCH, USER, 32
        try "ring 0 reads: all but user pages under SMAP", READ, SUPER, 448
        try "ring 0 writes: writable, or WP clear", WRITE, SUPER, 280
        try "ring 0 fetches: without NX, and no user pages under SMEP", FETCH, SUPER, 112
        try "ring 0 reads with AC: SMAP does not count", READ, SUPER_AC, 512
        try "ring 0 writes with AC: SMAP does not count", WRITE, SUPER_AC, 320
        try "ring 0 fetches with AC: as without", FETCH, SUPER_AC, 112
        it "CR2 was the address of the access, each time"
        expect_var wrong_cr2, 0
        it "an access sets the accessed bits, a write the dirty bit too, nothing else does"
        expect_var wrong_bits, 0
        it "a reserved bit in the page's entry: #PF(9), in ring 3 #PF(Dh)"
        mov dword [kind], READ
        mov dword [mode], SUPER
        mov r12d, 1 << C_P | 1 << C_W | 1 << C_DW | 1 << C_U | 1 << C_DU
        call install
        bts qword [abs TABLES_NEXT], 51
        invlpg [abs TARGET]
        call access
        expect_var v_vec, X_PF
        expect_var v_err, 9
        mov dword [mode], USER
        call access
        expect_var v_err, 0xd
        it "a faulting access leaves accessed and dirty bits alone"
        mov dword [kind], WRITE
        mov r12d, 1 << C_P | 1 << C_DW | 1 << C_U | 1 << C_DU
        call install
        call access
        expect_var v_err, 7
        mov eax, [abs TABLES_NEXT]
        and eax, P_D
        expect_eq eax, 0
        finish

        image_end
