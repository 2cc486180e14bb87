; Interrupts and far transfers of 64-bit mode.
;
; checks: the frame always has SS:RSP, aligned to 16; IST; null SS on the way from ring 3; IRETQ to each mode; call gates
;         of 16 bytes; faults with error codes
; see: SDM 3A 6.14 (interrupts in 64-bit mode), 5.8.3.1 (64-bit call gates), SDM 2 (IRET)
; needs: cpus=1
; status: 33
; QEMU: its TCG has other error codes for bad gates and checks no canonical addresses
; assertions: 24

%define WITH_LONG
%include "lib/rom.inc"

G1      equ SEL_FREE

main:
        to_long
        it "the frame holds SS and RSP even from the same ring, RSP aligned down to 16"
        mov rbx, rsp
        sub rsp, 8
        mov rcx, rsp
        traps 0x50, int 0x50
        mov rsp, rbx
        mov rax, [v_sp]
        expect_same rax, rcx
        mov rax, [v_frame]
        expect_eq rax, MAIN_STACK - 16 - 40
        expect_var v_ss, K_DATA
        it "SS stays as it was in the same ring"
        expect_var v_hss, K_DATA
        it "from ring 3, RSP0 of the TSS and a null SS with RPL 0"
        to_user64
        traps 0x50, int 0x50
        from_user64
        expect_var v_hss, 0
        expect_var v_ss, U_DATA
        mov rax, [v_frame]
        expect_eq rax, RING0_STACK - 40
        it "IST1 switches even in ring 0"
        mov byte [IDT64 + 0x50 * 16 + 4], 1
        traps 0x50, int 0x50
        mov rax, [v_frame]
        expect_eq rax, IST1_STACK - 40
        it "IST2 has its own stack, and page faults align error code and frame"
        mov byte [IDT64 + X_GP * 16 + 4], 2
        xor eax, eax
        faults X_GP, 8 * GDT_ENTRIES, mov fs, [bad_selector]
        mov rax, [v_frame]
        expect_eq rax, IST2_STACK - 40
        mov byte [IDT64 + X_GP * 16 + 4], 0
        mov byte [IDT64 + 0x50 * 16 + 4], 0
        it "a gate of 32 bits (a code segment without L) raises #GP(selector)"
        make_gate IDT64 + 0x51 * 16, K_CODE, stubs64, 0x8e
        faults X_GP, K_CODE, int 0x51
        it "a task gate or something else raises #GP(vector * 8 + 2)"
        make_gate IDT64 + 0x51 * 16, K_CODE64, stubs64, 0x85
        faults X_GP, 0x51 * 8 + 2, int 0x51
        make_gate IDT64 + 0x51 * 16, K_CODE64, stubs64, 0x86
        faults X_GP, 0x51 * 8 + 2, int 0x51
        it "a gate to an address that is not canonical raises #GP(0)"
        make_gate IDT64 + 0x51 * 16, K_CODE64, stubs64, 0x8e
        mov dword [IDT64 + 0x51 * 16 + 8], 0x8000
        faults X_GP, 0, int 0x51
        it "a vector beyond the IDT raises #GP(vector * 8 + 2)"
        faults X_GP, VECTORS * 8 + 2, int VECTORS
        it "iretq restores RSP and flags in the same ring"
        mov rbx, rsp
        push qword K_DATA
        push rbx
        push qword CF | 2
        push qword K_CODE64
        push qword .same
        iretq
.same:
        expect_flags CF, CF
        expect_same rsp, rbx
        it "iretq to ring 0 of 64-bit mode takes a null SS"
        push qword 0
        push rbx
        push qword 2
        push qword K_CODE64
        push qword .null
        iretq
.null:
        mov eax, ss
        expect_eq eax, 0
        mov ax, K_DATA
        mov ss, ax
        it "iretq to ring 3 with a null SS raises #GP(0)"
        push qword 3
        push qword USER_STACK
        push qword 2
        push qword U_CODE64
        push qword .same
        faults X_GP, 0, iretq
        mov rsp, rbx
        it "iretq to compatibility mode with a null SS raises #GP(0)"
        push qword 3
        push qword USER_STACK
        push qword 2
        push qword U_CODE
        push qword .same
        faults X_GP, 0, iretq
        mov rsp, rbx
        it "iretq to a RIP that is not canonical raises #GP(0) at the iretq"
        mov rax, 0x0000800000000000
        push qword K_DATA
        push rbx
        push qword 2
        push qword K_CODE64
        push rax
        faults X_GP, 0, iretq
        mov rsp, rbx
        it "NT in 64-bit mode: iret raises #GP(0)"
        push qword K_DATA
        push rbx
        push qword 2
        push qword K_CODE64
        push qword .same
        pushfq
        or dword [rsp], NT
        popfq
        faults X_GP, 0, iretq
        pushfq
        and dword [rsp], ~NT
        popfq
        mov rsp, rbx
        it "iretd of 64-bit mode pops doublewords"
        sub rsp, 20
        mov dword [rsp], .iretd
        mov dword [rsp + 4], K_CODE64
        mov dword [rsp + 8], CF | 2
        mov [rsp + 12], ebx
        mov dword [rsp + 16], K_DATA
        iretd
.iretd:
        expect_flags CF, CF
        mov rsp, rbx                    ; CPUs differ in whether the same ring pops SS:ESP here
        it "a far return of 64 bits"
        push qword K_CODE64
        push qword .far
        o64 retf
.far:
        expect_same rsp, rbx
        it "a code segment with L and D set raises #GP(selector)"
        make_descriptor G1, 0, 0xfffff, A_CODE, G_4K | G_32 | G_64
        push qword G1
        push qword .far
        faults X_GP, G1, o64 retf
        mov rsp, rbx
        it "a 64-bit call gate from ring 3: stack of the TSS, no parameters, null SS"
        make_gate gdt + G1, K_CODE64, gate_target, 0xec
        put dword, gdt + G1 + 8, 0
        put dword, gdt + G1 + 12, 0
        to_user64
        mov rbx, rsp
        call far dword [.gate]
.gate_back:
        expect_same rsp, rbx
        expect_eq ecx, K_CODE64
        expect_eq edx, 0
        expect_is rsi, .gate_back
        expect_eq rdi, RING0_STACK - 32
        from_user64
        it "a call gate whose upper half has a type raises #GP(gate)"
        put dword, gdt + G1 + 12, 0x1f00
        faults X_GP, G1, call far dword [.gate]
        it "a call gate to code without L raises #GP(selector)"
        put dword, gdt + G1 + 12, 0
        make_gate gdt + G1, K_CODE, gate_target, 0xec
        faults X_GP, K_CODE, call far dword [.gate]
        it "a jump through a far pointer in memory to compatibility mode and back"
        to_compat
        from_compat
        it "lidt and lgdt take ten bytes"
        sidt [FREE]
        expect_mem w, [FREE], VECTORS * 16 - 1
        expect_mem q, [FREE + 2], IDT64
        it "the TSS of 64-bit mode: ltr checks the upper half of its descriptor"
        mov byte [gdt + SEL_TSS64 + 5], 0x89
        put dword, gdt + SEL_TSS64 + 12, 0x0f00
        mov ax, SEL_TSS64
        faults X_GP, SEL_TSS64, ltr ax
        put dword, gdt + SEL_TSS64 + 12, 0
        ltr ax
        finish

.gate:
        dd 0
        dw G1 + 3

gate_target:
        mov ecx, cs
        mov edx, ss
        mov rsi, [rsp]
        mov rdi, rsp
        o64 retf

bad_selector:
        dw GDT_ENTRIES * 8

        image_end
