; 32-bit paging.
;
; checks: 4 KiB and 4 MiB pages, every error code of #PF, CR2, accessed and dirty bits, WP, user and supervisor, PSE off,
;         accesses across pages, INVLPG and CR3 loads, code fetch, reserved bits of PSE pages
; see: SDM 3A 4.3 (32-bit paging), 4.6 (access rights), 4.7 (page-fault exceptions), 4.8 (accessed and dirty)
; needs: cpus=1
; status: 33
; QEMU: its TCG reports the read of a read-modify-write
; assertions: 29

%include "lib/rom.inc"

PD      equ PAGE_TABLES
PT0     equ PAGE_TABLES + 0x1000
PT1     equ PAGE_TABLES + 0x2000        ; of 400000
PAGE    equ 0x400000                    ; the page that the tests change
PTE     equ PT1
P_P     equ 1
P_W     equ 2
P_U     equ 4
P_A     equ 0x20
P_D     equ 0x40
P_PS    equ 0x80
FRAME   equ 0x60000                     ; physical

%macro set_pte 1
        mov dword [PTE], %1
        invlpg [PAGE]
%endmacro

main:
        mov edi, PD
        mov ecx, 0x3000 / 4
        xor eax, eax
        rep stosd
        mov edi, PT0
        mov eax, P_P | P_W | P_U
        mov ecx, 1024
.fill:
        stosd
        add eax, 0x1000
        loop .fill
        mov dword [PD], PT0 + (P_P | P_W | P_U)
        mov dword [PD + 4], PT1 + (P_P | P_W | P_U)
        mov dword [PTE], FRAME + (P_P | P_W | P_U)
        mov eax, PD
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        it "a page maps to its frame"
        mov dword [PAGE], 0x12345678
        expect_mem d, [FRAME], 0x12345678
        it "a read sets the accessed bits of both levels, not the dirty bit"
        and dword [PD + 4], ~P_A
        set_pte FRAME + (P_P | P_W | P_U)
        mov eax, cr3
        mov cr3, eax
        mov eax, [PAGE]
        mov eax, [PTE]
        and eax, P_A | P_D
        expect_eq eax, P_A
        mov eax, [PD + 4]
        and eax, P_A | P_D
        expect_eq eax, P_A
        it "a write sets the dirty bit of the page"
        mov dword [PAGE], eax
        mov eax, [PTE]
        and eax, P_A | P_D
        expect_eq eax, P_A | P_D
        it "the dirty bit is set by a write after a read filled the TLB"
        set_pte FRAME + (P_P | P_W | P_U)
        mov eax, [PAGE]
        inc dword [PAGE]
        mov eax, [PTE]
        and eax, P_D
        expect_eq eax, P_D
        it "not present, read in ring 0: error 0, CR2 is the address"
        set_pte 0
        faults X_PF, 0, mov eax, [PAGE + 0x123]
        expect_var v_cr2, PAGE + 0x123
        it "not present, write in ring 0: error 2"
        faults X_PF, 2, mov [PAGE + 0x124], eax
        expect_var v_cr2, PAGE + 0x124
        it "a read-modify-write reports a write"
        faults X_PF, 2, add dword [PAGE], 1
        it "a page directory entry that is not present"
        faults X_PF, 0, mov eax, [0x800000]
        expect_var v_cr2, 0x800000
        it "ring 3: not present, read 4, write 6"
        to_user
        faults X_PF, 4, mov eax, [PAGE]
        faults X_PF, 6, mov [PAGE], eax
        it "ring 3: a code fetch has no bit of its own without NX and SMEP"
        mov dword [v_vec], NONE
        mov dword [v_resume], .fetched
        mov eax, PAGE
        jmp eax
.fetched:
        expect_fault X_PF, 4, PAGE
        from_user
        it "ring 3 on a supervisor page: read 5, write 7"
        set_pte FRAME + (P_P | P_W)
        mov eax, [PAGE]
        to_user
        faults X_PF, 5, mov eax, [PAGE]
        faults X_PF, 7, mov [PAGE], eax
        from_user
        it "the directory's U bit counts too"
        set_pte FRAME + (P_P | P_W | P_U)
        and dword [PD + 4], ~P_U
        invlpg [PAGE]
        to_user
        faults X_PF, 5, mov eax, [PAGE]
        from_user
        or dword [PD + 4], P_U
        it "ring 3 on a read-only page: write 7, read free"
        set_pte FRAME + (P_P | P_U)
        to_user
        mov eax, [PAGE]
        faults X_PF, 7, mov [PAGE], eax
        from_user
        it "ring 0 writes read-only pages while WP is off"
        mov dword [PAGE], 0x77
        expect_mem d, [FRAME], 0x77
        it "with WP they raise #PF(3)"
        mov eax, cr0
        or eax, 0x10000
        mov cr0, eax
        faults X_PF, 3, mov [PAGE], eax
        it "the directory's W bit counts too"
        set_pte FRAME + (P_P | P_W | P_U)
        and dword [PD + 4], ~P_W
        invlpg [PAGE]
        faults X_PF, 3, mov [PAGE], eax
        or dword [PD + 4], P_W
        invlpg [PAGE]
        it "implicit supervisor accesses of ring 3 reach supervisor pages"
        ; The GDT lies in a supervisor page now; a segment load of ring 3 reads it.
        and dword [PT0 + (gdt_page >> 12) * 4], ~P_U
        invlpg [gdt_page]
        sgdt [v_tmp]
        mov esi, gdt
        mov edi, gdt_page
        mov ecx, GDT_ENTRIES * 2
        rep movsd
        lgdt [moved_gdt]
        to_user
        mov ax, U_DATA
        mov gs, ax
        faults X_PF, 5, mov eax, [gdt_page]
        from_user
        lgdt [gdt_register]
        it "an access across two pages faults at the first byte of the missing one"
        set_pte FRAME + (P_P | P_W | P_U)
        mov dword [PTE + 4], 0
        invlpg [PAGE + 0x1000]
        mov dword [PAGE + 0xffc], 0x11223344
        faults X_PF, 2, mov dword [PAGE + 0xffe], 0xffffffff
        expect_var v_cr2, PAGE + 0x1000
        expect_mem d, [PAGE + 0xffc], 0x11223344
        faults X_PF, 0, mov eax, [PAGE + 0xffd]
        expect_var v_cr2, PAGE + 0x1000
        it "an instruction across two pages faults at its own address, CR2 at the page"
        mov byte [PAGE + 0xfff], 0xb8
        mov dword [v_vec], NONE
        mov dword [v_resume], .straddled
        mov eax, PAGE + 0xfff
        jmp eax
.straddled:
        expect_fault X_PF, 0, PAGE + 0xfff
        expect_var v_cr2, PAGE + 0x1000
        it "two pages may lie apart"
        mov dword [PTE + 4], FRAME + 0x5000 + (P_P | P_W | P_U)
        invlpg [PAGE + 0x1000]
        mov dword [PAGE + 0xffe], 0xaabbccdd
        expect_mem w, [FRAME + 0xffe], 0xccdd
        expect_mem w, [FRAME + 0x5000], 0xaabb
        mov eax, [PAGE + 0xffe]
        expect_eq eax, 0xaabbccdd
        it "invlpg makes a new mapping visible"
        mov dword [FRAME + 0x6000], 0x66666666
        mov dword [FRAME], 0x60606060
        mov eax, [PAGE]
        set_pte FRAME + 0x6000 + (P_P | P_W | P_U)
        expect_mem d, [PAGE], 0x66666666
        it "a load of CR3 does too"
        mov dword [PTE], FRAME + (P_P | P_W | P_U)
        mov eax, cr3
        mov cr3, eax
        expect_mem d, [PAGE], 0x60606060
        it "PS counts only with CR4.PSE"
        mov dword [PD + 8], PT1 + (P_P | P_W | P_U | P_PS)
        expect_mem d, [0x800000], 0x60606060
        it "a page of 4 MiB"
        mov eax, cr4
        or eax, 0x10
        mov cr4, eax
        mov dword [PD + 8], P_P | P_W | P_U | P_PS
        mov eax, cr3
        mov cr3, eax
        expect_mem d, [0x800000 + FRAME], 0x60606060
        expect_mem d, [0x800000 + FRAME + 0x6000], 0x66666666
        it "it has its dirty bit in the directory"
        mov eax, [PD + 8]
        and eax, P_A | P_D
        expect_eq eax, P_A
        mov dword [0x800000 + FRAME + 8], 1
        mov eax, [PD + 8]
        and eax, P_A | P_D
        expect_eq eax, P_A | P_D
        it "a read-only page of 4 MiB"
        mov dword [PD + 8], P_P | P_U | P_PS
        invlpg [0x800000]
        faults X_PF, 3, mov [0x800000], eax
        it "a reserved bit (21) in the entry of a 4 MiB page raises #PF with RSVD: 9"
        mov dword [PD + 8], (P_P | P_W | P_U | P_PS) | (1 << 21)
        invlpg [0x800000]
        faults X_PF, 9, mov eax, [0x800000]
        it "no accessed bit is set by an access that faults"
        set_pte FRAME + (P_P | P_U)
        faults X_PF, 3, mov [PAGE], eax
        mov eax, [PTE]
        and eax, P_D
        expect_eq eax, 0
        it "paging off again: addresses are physical"
        mov eax, cr0
        and eax, 0x7ffeffff
        mov cr0, eax
        expect_mem d, [FRAME], 0x60606060
        mov dword [PAGE], 0x4444
        expect_mem d, [PAGE], 0x4444
        expect_mem d, [FRAME], 0x60606060
        finish

gdt_page        equ FRAME + 0x10000
moved_gdt:
        dw GDT_ENTRIES * 8 - 1
        dd gdt_page

        image_end
