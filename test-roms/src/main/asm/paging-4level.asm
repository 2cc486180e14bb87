; 4-level paging.
;
; checks: 4 KiB, 2 MiB and 1 GiB pages, rights combined over four levels, NX at each level, accessed and dirty bits at
;         each level, reserved bits, canonical addresses, WP, error codes
; see: SDM 3A 4.5 (4-level paging), 4.6, 4.7, 4.8; SDM 1 3.3.7.1 (canonical addresses)
; needs: cpus=1
; status: 33
; QEMU: its TCG leaves P clear beside RSVD and is late with #GP of addresses that are not canonical
; assertions: 24

%define WITH_LONG
%include "lib/rom.inc"

; The tests' page: linear 8000000000, the second entry of the PML4, through tables of its own.
PAGE    equ 0x8000000000
PML4E   equ PML4 + 8
PDPTE   equ TABLES_NEXT
PDE     equ TABLES_NEXT + 0x1000
PTE     equ TABLES_NEXT + 0x2000
FRAME   equ 0x60000
RWU     equ P_P | P_W | P_U
NX      equ 1 << 63

%macro map 0
        mov qword [PML4E], PDPTE + RWU
        mov qword [PDPTE], PDE + RWU
        mov qword [PDE], PTE + RWU
        mov qword [PTE], FRAME + RWU
        mov rax, cr3
        mov cr3, rax
%endmacro
%macro set 2
        mov rax, %2
        mov [%1], rax
        mov rax, cr3
        mov cr3, rax
%endmacro
%macro expect_bits 2                    ; entry, of A and D just these
        mov rax, [%1]
        and eax, P_A | P_D
        expect_eq eax, %2
%endmacro
; The instruction at RBX faults so: vector error, CR2 = RBX.
%macro fetch_faults 1
        arm %%after
        call rbx
%%after:
        expect_var v_vec, X_PF
        expect_var v_err, %1
        mov rax, [v_ip]
        expect_same rax, rbx
        mov rsp, MAIN_STACK
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
        map
        mov rbx, PAGE
        it "a page of 4 KiB beyond 32 bits of linear address"
        mov qword [rbx], 0x12345678
        expect_mem q, [FRAME], 0x12345678
        it "a walk sets the accessed bit at each level, a write the dirty bit of the last"
        map
        mov eax, [rbx]
        expect_bits PML4E, P_A
        expect_bits PDPTE, P_A
        expect_bits PDE, P_A
        expect_bits PTE, P_A
        mov [rbx], eax
        expect_bits PDE, P_A
        expect_bits PTE, P_A | P_D
        it "not present at each level"
        set PTE, 0
        faults X_PF, 0, mov eax, [rbx]
        map
        set PDE, 0
        faults X_PF, 2, mov [rbx], eax
        map
        set PDPTE, 0
        faults X_PF, 0, mov eax, [rbx]
        map
        set PML4E, 0
        faults X_PF, 0, mov eax, [rbx + 5]
        it "CR2 holds all 64 bits"
        mov rax, [v_cr2]
        expect_eq rax, PAGE + 5
        it "write protection at each level"
        map
        set PTE, FRAME + (P_P | P_U)
        faults X_PF, 3, mov [rbx], eax
        map
        set PDE, PTE + (P_P | P_U)
        faults X_PF, 3, mov [rbx], eax
        map
        set PML4E, PDPTE + (P_P | P_U)
        faults X_PF, 3, mov [rbx], eax
        it "user access needs U at each level"
        map
        set PDPTE, PDE + (P_P | P_W)
        to_user64
        faults X_PF, 5, mov eax, [rbx]
        from_user64
        map
        set PML4E, PDPTE + (P_P | P_W)
        to_user64
        faults X_PF, 7, mov [rbx], eax
        from_user64
        it "NX at each level"
        map
        mov byte [rbx], 0xc3
        set PTE, NX | (FRAME + RWU)
        fetch_faults 0x11
        map
        set PDE, NX | (PTE + RWU)
        fetch_faults 0x11
        map
        set PDPTE, NX | (PDE + RWU)
        fetch_faults 0x11
        map
        set PML4E, NX | (PDPTE + RWU)
        fetch_faults 0x11
        it "NX pages can be read and written"
        mov eax, [rbx]
        mov [rbx], eax
        it "without NX the page runs, in ring 3 too"
        map
        call rbx
        to_user64
        call rbx
        from_user64
        it "a fetch from ring 3 of a supervisor page: 15"
        map
        set PTE, FRAME + (P_P | P_W)
        to_user64
        arm .no_user
        call rbx
.no_user:
        expect_var v_err, 0x15
        from_user64
        it "a page of 2 MiB"
        map
        set PDE, RWU | P_PS
        expect_mem b, [rbx + FRAME], 0xc3
        expect_bits PDE, P_A
        mov byte [rbx + FRAME + 8], 1
        expect_bits PDE, P_A | P_D
        it "a 2 MiB page with reserved bits 13 to 20: 9"
        set PDE, (RWU | P_PS) + 0x2000
        faults X_PF, 9, mov eax, [rbx]
        it "a page of 1 GiB, where CPUID offers it"
        mov eax, 0x80000001
        cpuid
        mov rbx, PAGE
        bt edx, 26
        jnc .no_gib
        map
        set PDPTE, RWU | P_PS
        expect_mem b, [rbx + FRAME], 0xc3
        mov byte [rbx + FRAME + 8], 1
        expect_bits PDPTE, P_A | P_D
        set PDPTE, (RWU | P_PS) + 0x4000
        faults X_PF, 9, mov eax, [rbx]
        jmp .gib
.no_gib:
        map
        set PDPTE, RWU | P_PS
        faults X_PF, 9, mov eax, [rbx]
.gib:
        it "PS in the PML4 is reserved: 9"
        map
        set PML4E, PDPTE + (RWU | P_PS)
        faults X_PF, 9, mov eax, [rbx]
        it "a physical address bit beyond MAXPHYADDR is reserved: 9"
        map
        set PTE, (1 << 51) | (FRAME + RWU)
        faults X_PF, 9, mov eax, [rbx]
        it "the upper half of the address space"
        mov qword [PML4 + 511 * 8], PDPTE + RWU
        mov qword [PDPTE + 511 * 8], PDE + RWU
        mov qword [PDE + 511 * 8], PTE + RWU
        mov qword [PTE + 511 * 8], FRAME + RWU
        mov rcx, 0xfffffffffffff000
        mov rax, [FRAME]
        mov rdx, [rcx]
        expect_same rdx, rax
        it "an access that wraps from the top to 0"
        mov rax, [0]
        mov byte [rcx + 0xfff], 0x5a
        mov byte [0], 0xa5
        mov ax, [rcx + 0xfff]
        expect_eq ax, 0xa55a
        it "an address that is not canonical raises #GP(0), no page fault"
        mov rcx, 0x0000800000000000
        faults X_GP, 0, mov eax, [rcx]
        mov rcx, 0xffff7fffffffffff
        faults X_GP, 0, mov [rcx], al
        it "an operand that crosses into what is not canonical raises #GP(0)"
        mov rcx, 0x00007ffffffffffe
        faults X_GP, 0, mov eax, [rcx]
        it "through the stack it raises #SS(0)"
        mov rbp, 0x0000800000000000
        faults X_SS, 0, mov eax, [rbp]
        it "a jump there raises #GP(0) at the jump"
        mov rax, 0x0000800000000000
        faults X_GP, 0, jmp rax
        faults X_GP, 0, call rax
        push rax
        faults X_GP, 0, ret
        pop rax
        it "ring 0 and 3 page faults from compatibility mode"
        map
        mov qword [PT0 + (0x70000 >> 12) * 8], 0
        invlpg [0x70000]
        to_user_compat
        faults X_PF, 4, mov eax, [0x70000]
        from_user64
        to_compat
        faults X_PF, 2, mov [0x70000], eax
        from_compat
        it "paging cannot be switched off in 64-bit mode: #GP(0)"
        mov rax, cr0
        and eax, 0x7fffffff
        faults X_GP, 0, mov cr0, rax
        it "nor PAE, nor EFER.LME"
        mov rax, cr4
        and rax, ~CR4_PAE
        faults X_GP, 0, mov cr4, rax
        mov ecx, MSR_EFER
        rdmsr
        and eax, ~EFER_LME
        faults X_GP, 0, wrmsr
        finish

        image_end
