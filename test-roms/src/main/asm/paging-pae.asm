; PAE paging.
;
; checks: 64-bit entries, 2 MiB pages, NX with its error codes, PDPTE registers loaded with CR3, reserved bits
; see: SDM 3A 4.4 (PAE paging), 4.6, 4.7
; needs: cpus=1
; status: 33
; QEMU: its TCG leaves P clear beside RSVD and walks PDPTEs from memory
; assertions: 15

%define WITH_LONG
%include "lib/rom.inc"

PAGE    equ 0x800000
PDE     equ PD0 + 4 * 8
PT      equ TABLES_NEXT
PTE     equ PT
FRAME   equ 0x60000
NX_HIGH equ 0x80000000                  ; in the high doubleword

%macro set_pte 1-2 0
        mov dword [PTE + 4], %2
        mov dword [PTE], %1
        invlpg [PAGE]
%endmacro

main:
        call build_tables64
        mov edi, PDPT
        mov ecx, 4
.pdpte:
        and dword [edi], ~(P_W | P_U)
        add edi, 8
        loop .pdpte
        mov edi, PT
        mov ecx, 1024
        xor eax, eax
        rep stosd
        mov dword [PTE], FRAME + (P_P | P_W | P_U)
        mov dword [PDE], PT + (P_P | P_W | P_U)
        mov eax, cr4
        or eax, CR4_PAE
        mov cr4, eax
        mov ecx, MSR_EFER
        rdmsr
        or eax, EFER_NXE
        wrmsr
        mov eax, PDPT
        mov cr3, eax
        mov eax, cr0
        or eax, CR0_PG | CR0_WP
        mov cr0, eax
        it "a page of 4 KiB"
        mov dword [PAGE], 0x12345678
        expect_mem d, [FRAME], 0x12345678
        it "a page of 2 MiB"
        mov dword [0x600000 + FRAME], 0x11112222
        mov dword [PD0 + 5 * 8], 0x600000 + (P_P | P_W | P_U | P_PS)
        expect_mem d, [0xa00000 + FRAME], 0x11112222
        it "its dirty bit is in the directory"
        mov eax, [PD0 + 5 * 8]
        and eax, P_A | P_D
        expect_eq eax, P_A
        mov byte [0xa00000], 1
        mov eax, [PD0 + 5 * 8]
        and eax, P_A | P_D
        expect_eq eax, P_A | P_D
        it "error codes as in 32-bit paging"
        set_pte 0
        faults X_PF, 0, mov eax, [PAGE]
        faults X_PF, 2, mov [PAGE], eax
        set_pte FRAME + (P_P | P_U)
        faults X_PF, 3, mov [PAGE], eax
        to_user
        faults X_PF, 7, mov [PAGE], eax
        from_user
        it "NX: a fetch raises #PF with the fetch bit: 11"
        mov byte [FRAME], 0xc3          ; ret
        set_pte FRAME + (P_P | P_W | P_U), NX_HIGH
        mov eax, [PAGE]
        arm .fetched
        mov eax, PAGE
        call eax
.fetched:
        mov esp, MAIN_STACK
        expect_fault X_PF, 0x11, PAGE
        it "NX from ring 3: 15"
        to_user
        arm .user_fetched
        mov eax, PAGE
        call eax
.user_fetched:
        expect_fault X_PF, 0x15, PAGE
        from_user
        it "a fetch from a page that is not present has the fetch bit too: 10"
        set_pte 0
        arm .fetched2
        mov eax, PAGE
        call eax
.fetched2:
        mov esp, MAIN_STACK
        expect_fault X_PF, 0x10, PAGE
        it "without NX the page runs"
        set_pte FRAME + (P_P | P_W | P_U)
        mov eax, PAGE
        call eax
        expect_eq eax, PAGE
        it "NX of a 2 MiB page"
        mov dword [PD0 + 5 * 8 + 4], NX_HIGH
        mov byte [0x600000], 0xc3
        mov eax, cr3
        mov cr3, eax
        arm .fetched3
        mov eax, 0xa00000
        call eax
.fetched3:
        mov esp, MAIN_STACK
        expect_fault X_PF, 0x11, 0xa00000
        mov dword [PD0 + 5 * 8 + 4], 0
        it "with EFER.NXE off, bit 63 is reserved: 9"
        set_pte FRAME + (P_P | P_W | P_U), NX_HIGH
        mov ecx, MSR_EFER
        rdmsr
        and eax, ~EFER_NXE
        wrmsr
        invlpg [PAGE]
        faults X_PF, 9, mov eax, [PAGE]
        mov ecx, MSR_EFER
        rdmsr
        or eax, EFER_NXE
        wrmsr
        it "a reserved physical bit raises #PF with RSVD: 9, and 0xB for a write"
        set_pte FRAME + (P_P | P_W | P_U), 0x40000000
        faults X_PF, 9, mov eax, [PAGE]
        faults X_PF, 0xb, mov [PAGE], eax
        it "a reserved bit in a 2 MiB entry: 9"
        mov dword [PD0 + 5 * 8], 0x600000 + (P_P | P_W | P_U | P_PS) + (1 << 13)
        invlpg [0xa00000]
        faults X_PF, 9, mov eax, [0xa00000]
        mov dword [PD0 + 5 * 8], 0x600000 + (P_P | P_W | P_U | P_PS)
        it "a reserved bit comes before missing rights"
        set_pte FRAME + P_P, 0x40000000
        to_user
        faults X_PF, 0xf, mov [PAGE], eax
        from_user
        it "the PDPTEs are loaded with CR3, not when memory changes"
        set_pte FRAME + (P_P | P_W | P_U)
        mov dword [PDPT + 8], 0
        mov eax, [0x40000000]           ; still mapped, to where nothing is
        mov eax, cr3
        mov cr3, eax
        faults X_PF, 0, mov eax, [0x40000000]
        mov dword [PDPT + 8], PD0 + 0x1000 + P_P
        it "reserved bits in a present PDPTE: mov to CR3 raises #GP(0)"
        mov dword [PDPT + 16], PD0 + 0x2000 + (P_P | P_W)
        mov eax, PDPT
        faults X_GP, 0, mov cr3, eax
        mov dword [PDPT + 16], PD0 + 0x2000 + P_P
        mov cr3, eax
        finish

        image_end
