; Global pages and what flushes the TLB.
;
; checks: CR4.PGE keeps global translations over loads of CR3; INVLPG, changes of CR4.PGE, CR4.PSE and CR0.PG drop them;
;         a stale translation may be used until then, so only what the SDM guarantees is tested
; see: SDM 3A 4.10.2.4 (global pages), 4.10.4 (invalidation)
; needs: cpus=1
; status: 33
; assertions: 10

%define WITH_LONG
%include "lib/rom.inc"

PAGE    equ 0x70000
PTE     equ PT0 + (PAGE >> 12) * 8
ONE     equ 0x61000
TWO     equ 0x62000
RWU     equ P_P | P_W | P_U

; Points the page to ONE, fills the TLB, points it to TWO.
%macro stale 1
        mov qword [PTE], ONE + RWU + %1
        invlpg [PAGE]
        mov eax, [PAGE]
        mov qword [PTE], TWO + RWU + %1
%endmacro

main:
        to_long
        mov dword [ONE], 0x1111
        mov dword [TWO], 0x2222
        mov rax, cr4
        or eax, CR4_PGE
        mov cr4, rax
        it "invlpg drops a global translation"
        stale P_G
        invlpg [PAGE]
        expect_mem d, [PAGE], 0x2222
        it "a load of CR3 drops one that is not global"
        stale 0
        mov rax, cr3
        mov cr3, rax
        expect_mem d, [PAGE], 0x2222
        it "clearing PGE drops all"
        stale P_G
        mov rax, cr4
        and eax, ~CR4_PGE
        mov cr4, rax
        expect_mem d, [PAGE], 0x2222
        it "setting PGE drops all"
        stale 0
        mov rax, cr4
        or eax, CR4_PGE
        mov cr4, rax
        expect_mem d, [PAGE], 0x2222
        it "without PGE a load of CR3 drops pages marked global too"
        mov rax, cr4
        and eax, ~CR4_PGE
        mov cr4, rax
        stale P_G
        mov rax, cr3
        mov cr3, rax
        expect_mem d, [PAGE], 0x2222
        it "invlpg of any address in a 2 MiB page drops it"
        mov qword [PD0 + 8 * 8], 0x200000 + RWU + P_PS
        mov dword [0x200000], 0x3333
        mov dword [0x400000], 0x4444
        invlpg [0x1000000]
        mov eax, [0x1000000]
        mov qword [PD0 + 8 * 8], 0x400000 + RWU + P_PS
        invlpg [0x1000000 + 0x12345]
        expect_mem d, [0x1000000], 0x4444
        it "a page that becomes present needs no invalidation"
        mov qword [PTE], 0
        invlpg [PAGE]
        faults X_PF, 0, mov eax, [PAGE]
        mov qword [PTE], ONE + RWU
        expect_mem d, [PAGE], 0x1111
        it "a fault drops the translation of its page: rights that were added count at once"
        mov rax, cr0
        or eax, CR0_WP
        mov cr0, rax
        mov qword [PTE], ONE + P_P
        invlpg [PAGE]
        faults X_PF, 3, mov [PAGE], eax
        mov qword [PTE], ONE + RWU
        mov dword [PAGE], 0x5555
        expect_mem d, [ONE], 0x5555
        it "a cleared accessed bit is set again after invlpg"
        and dword [PTE], ~(P_A | P_D)
        invlpg [PAGE]
        mov eax, [PAGE]
        mov eax, [PTE]
        and eax, P_A | P_D
        expect_eq eax, P_A
        it "invlpg of a non-canonical address does nothing"
        mov rax, 0x0000800000000000
        invlpg [rax]
        finish

        image_end
