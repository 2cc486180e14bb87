; Process-context identifiers and INVPCID.
;
; checks: the rules of CR4.PCIDE, CR3 with identifiers and bit 63, what each type of INVPCID guarantees, its checks
; see: SDM 3A 4.10.1 (PCIDs), 4.10.4.1 (invalidation), 2.5 (CR4), SDM 2 (INVPCID, MOV to CR)
; needs: cpus=1
; status: 33
; QEMU: its TCG has neither
; assertions: 29

%define WITH_LONG
%include "lib/rom.inc"

CR4_PCIDE equ 1 << 17
PAGE    equ 0x70000
PTE     equ PT0 + (PAGE >> 12) * 8
ONE     equ 0x61000
TWO     equ 0x62000
RWU     equ P_P | P_W | P_U
DESC    equ 0x60000                     ; what INVPCID reads

; Points the page to ONE, fills the TLB, points it to TWO.
%macro stale 1
        mov qword [PTE], ONE + RWU + %1
        invlpg [PAGE]
        mov eax, [PAGE]
        mov qword [PTE], TWO + RWU + %1
%endmacro

; invalidate type, PCID, linear address
%macro describe 3
        mov ecx, %1
        mov rax, %2
        mov [DESC], rax
        mov rax, %3
        mov [DESC + 8], rax
%endmacro
%macro invalidate 3
        describe %1, %2, %3
        invpcid rcx, [DESC]
%endmacro

KEEP    equ 1
PML4_TWO equ 0x63000                    ; the same, but for PAGE
PDPT_TWO equ 0x64000
PD_TWO  equ 0x65000
PT_TWO  equ 0x66000

; Everything but PAGE becomes global, PAGE leads to ONE, in the second tables to TWO, and no translation is left.
%macro two_tables 0
        call make_tables
%endmacro

; load PCID, whether translations may be kept
%macro load 2
        mov rax, PML4 + %1
%if %2
        bts rax, 63
%endif
        mov cr3, rax
%endmacro
%macro load_second 2
        mov rax, PML4_TWO + %1
%if %2
        bts rax, 63
%endif
        mov cr3, rax
%endmacro

main:
        mov eax, cr4
        or eax, CR4_PCIDE
        it "PCIDE outside long mode: #GP(0)"
        faults X_GP, 0, mov cr4, eax
        to_long
        mov dword [ONE], 0x1111
        mov dword [TWO], 0x2222
        it "PCIDE with a PCID in CR3: #GP(0)"
        mov rax, PML4 + 8
        mov cr3, rax
        mov rcx, cr4
        mov rdx, rcx
        or edx, CR4_PCIDE
        faults X_GP, 0, mov cr4, rdx
        it "without PCIDE bit 63 of CR3 is reserved"
        mov rax, PML4
        mov cr3, rax
        bts rax, 63
        faults X_GP, 0, mov cr3, rax
        it "without PCIDE INVPCID takes PCID 0 only"
        describe 0, 1, PAGE
        faults X_GP, 0, invpcid rcx, [DESC]
        describe 1, 1, 0
        faults X_GP, 0, invpcid rcx, [DESC]
        it "without PCIDE INVPCID of PCID 0 invalidates"
        stale 0
        invalidate 0, 0, PAGE
        expect_mem d, [PAGE], 0x2222
        stale 0
        invalidate 1, 0, 0
        expect_mem d, [PAGE], 0x2222
        it "PCIDE can be set in long mode"
        mov rax, cr4
        or eax, CR4_PGE
        mov cr4, rax
        or eax, CR4_PCIDE
        mov cr4, rax
        mov rcx, cr4
        and ecx, CR4_PCIDE
        expect_eq ecx, CR4_PCIDE
        it "CR3 keeps the identifier"
        mov rax, PML4 + 0xabc
        mov cr3, rax
        mov rcx, cr3
        expect_eq rcx, PML4 + 0xabc
        expect_mem d, [ONE], 0x1111
        it "bit 63 of the operand is taken and not kept"
        mov rax, PML4 + 1
        bts rax, 63
        mov cr3, rax
        mov rcx, cr3
        expect_eq rcx, PML4 + 1
        it "a load without bit 63 drops the translations of its PCID"
        stale 0
        mov rax, PML4 + 1
        mov cr3, rax
        expect_mem d, [PAGE], 0x2222
        it "translations of one PCID are not used for another"
        mov qword [PTE], ONE + RWU
        invlpg [PAGE]
        mov eax, [PAGE]
        mov rax, PML4 + 2
        mov cr3, rax
        mov qword [PTE], TWO + RWU
        mov rax, PML4 + 3
        mov cr3, rax
        expect_mem d, [PAGE], 0x2222
        it "INVPCID type 0 drops one address of the present PCID"
        stale 0
        invalidate 0, 3, PAGE
        expect_mem d, [PAGE], 0x2222
        it "INVPCID type 1 drops what is not global of the present PCID"
        stale 0
        invalidate 1, 3, 0
        expect_mem d, [PAGE], 0x2222
        it "INVPCID type 2 drops everything, global pages too"
        stale P_G
        invalidate 2, 0, 0
        expect_mem d, [PAGE], 0x2222
        it "INVPCID type 3 drops everything that is not global"
        stale 0
        invalidate 3, 0, 0
        expect_mem d, [PAGE], 0x2222
        it "INVPCID of a translation kept for another PCID counts when that comes back"
        stale 0
        mov rax, PML4 + 4
        mov cr3, rax
        invalidate 1, 3, 0
        mov rax, PML4 + 3
        bts rax, 63
        mov cr3, rax
        expect_mem d, [PAGE], 0x2222
        it "a load without bit 63 drops what was kept of its PCID"
        two_tables
        load 3, 0
        stale 0
        load 5, 0
        load 3, 0
        expect_mem d, [PAGE], 0x2222
        it "what is kept of a PCID is not used for one loaded in between"
        two_tables
        load 3, KEEP
        mov ecx, [PAGE]
        load_second 4, KEEP
        mov edx, [PAGE]
        load 3, KEEP
        expect_eq ecx, 0x1111
        expect_eq edx, 0x2222
        expect_mem d, [PAGE], 0x1111
        it "nor are more PCIDs than any TLB tells apart mixed up"
        xor ebx, ebx
        xor ebp, ebp
        xor edi, edi
.many:
        mov rax, PML4
        test bl, 1
        jz .even
        mov rax, PML4_TWO
.even:
        lea rax, [rax + rbx]
        bts rax, 63
        mov cr3, rax
        mov eax, [PAGE]
        mov ecx, ebx
        and ecx, 1
        inc ecx
        imul ecx, ecx, 0x1111
        sub eax, ecx
        or ebp, eax
        inc ebx
        and ebx, 63
        inc edi
        cmp edi, 1000
        jb .many
        expect_eq ebp, 0
        it "INVPCID of one address of another PCID counts when that comes back"
        load 3, 0
        stale 0
        load 4, KEEP
        invalidate 0, 3, PAGE
        load 3, KEEP
        expect_mem d, [PAGE], 0x2222
        it "INVPCID type 2 counts for all that come back"
        stale 0
        load 4, KEEP
        invalidate 2, 0, 0
        load 3, KEEP
        expect_mem d, [PAGE], 0x2222
        it "and type 3"
        stale 0
        load 4, KEEP
        invalidate 3, 0, 0
        load 3, KEEP
        expect_mem d, [PAGE], 0x2222
        it "and a change of CR4.PGE"
        stale 0
        load 4, KEEP
        mov rax, cr4
        and eax, ~CR4_PGE
        mov cr4, rax
        or eax, CR4_PGE
        mov cr4, rax
        load 3, KEEP
        expect_mem d, [PAGE], 0x2222
        it "INVLPG of a global page counts for all that come back"
        stale P_G
        load 4, KEEP
        invlpg [PAGE]
        load 3, KEEP
        expect_mem d, [PAGE], 0x2222
        it "code of a PCID that was left is not run in another, and is run where it comes back"
        mov rax, 0xc300000001b8             ; mov eax, 1; ret
        mov [ONE], rax
        mov rax, 0xc300000002b8             ; mov eax, 2; ret
        mov [TWO], rax
        two_tables
        xor esi, esi
        mov edi, 2000
.code:
        load 3, KEEP
        call PAGE
        add esi, eax
        load_second 4, KEEP
        call PAGE
        shl eax, 16
        add esi, eax
        dec edi
        jnz .code
        expect_eq esi, 2000 + (4000 << 16)
        it "code whose page changes while its PCID is away, and is invalidated, changes"
        load 3, KEEP
        call PAGE
        load_second 4, KEEP
        mov qword [PTE], TWO + RWU
        invalidate 0, 3, PAGE
        load 3, KEEP
        call PAGE
        expect_eq eax, 2
        mov dword [ONE], 0x1111
        mov dword [TWO], 0x2222
        it "INVPCID: types above 3, reserved bits, an address that is not canonical: #GP(0)"
        describe 4, 0, 0
        faults X_GP, 0, invpcid rcx, [DESC]
        describe 0, 0x1000, 0
        faults X_GP, 0, invpcid rcx, [DESC]
        describe 2, 0x1000, 0
        faults X_GP, 0, invpcid rcx, [DESC]
        describe 0, 3, 0x0000800000000000
        faults X_GP, 0, invpcid rcx, [DESC]
        it "the whole register is the type"
        describe 1, 3, 0
        bts rcx, 40
        faults X_GP, 0, invpcid rcx, [DESC]
        it "paging cannot be left with PCIDE"
        to_compat
        mov eax, cr0
        and eax, ~CR0_PG
        faults X_GP, 0, mov cr0, eax
        from_compat
        it "PCIDE can be cleared again"
        mov rax, cr4
        and eax, ~CR4_PCIDE
        mov cr4, rax
        stale 0
        mov rax, PML4
        mov cr3, rax
        expect_mem d, [PAGE], 0x2222
        finish

make_tables:
        mov rax, cr3
        mov cr3, rax
        mov edi, PT0
        mov ecx, 512
.small:
        or qword [rdi], P_G
        add edi, 8
        loop .small
        mov edi, PD0 + 8
        mov ecx, 2047
.large:
        or qword [rdi], P_G
        add edi, 8
        loop .large
        mov qword [PTE], ONE + RWU
        mov esi, PML4
        mov edi, PML4_TWO
        call copy_table
        mov esi, PDPT
        mov edi, PDPT_TWO
        call copy_table
        mov esi, PD0
        mov edi, PD_TWO
        call copy_table
        mov esi, PT0
        mov edi, PT_TWO
        call copy_table
        mov qword [PML4_TWO], PDPT_TWO + RWU
        mov qword [PDPT_TWO], PD_TWO + RWU
        mov qword [PD_TWO], PT_TWO + RWU
        mov qword [PT_TWO + (PAGE >> 12) * 8], TWO + RWU
        invalidate 2, 0, 0
        ret

copy_table:
        mov ecx, 512
        rep movsq
        ret

        image_end
