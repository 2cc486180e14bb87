; Double faults.
;
; checks: a contributory exception while delivering another raises #DF(0); what is benign does not; a page fault while
;         delivering a page fault; error codes of faults during delivery (EXT)
; see: SDM 3A 6.15 (#DF, table 6-5), 6.13 (error code)
; needs: cpus=1
; status: 33
; QEMU: its TCG leaves EXT clear
; assertions: 13

%include "lib/rom.inc"

T1      equ SEL_FREE
var     resume_at

; Resumes at resume_at whatever the frame says (after #DF the saved address is not for use).
abandon:
        mov eax, [resume_at]
        mov [ebx], eax
        mov dword [ebx + 4], K_CODE
        mov dword [ebx + 8], 2
        ret

%macro gate_not_present 1
        and byte [IDT32 + (%1) * 8 + 5], 0x7f
%endmacro
%macro gate_present 1
        or byte [IDT32 + (%1) * 8 + 5], 0x80
%endmacro

; doubles vector, error, instruction: it must end as this exception.
%macro doubles 3+
        mov dword [v_vec], NONE
        mov dword [resume_at], %%after
        mov dword [v_hook], abandon
        %3
%%after:
        mov dword [v_hook], 0
        expect_var v_vec, %1
        expect_var v_err, %2
%endmacro

main:
        it "#DE whose gate is not present: #NP while delivering #DE is a double fault"
        gate_not_present X_DE
        xor ecx, ecx
        doubles X_DF, 0, div ecx
        gate_present X_DE
        it "#GP whose gate is not present: double fault"
        gate_not_present X_GP
        doubles X_DF, 0, mov fs, [bad_selector]
        gate_present X_GP
        it "#UD is benign: its gate not present raises #NP, with EXT set"
        gate_not_present X_UD
        doubles X_NP, X_UD * 8 + 3, ud2
        gate_present X_UD
        it "int3 by its gate not present raises #NP, EXT clear"
        gate_not_present X_BP
        doubles X_NP, X_BP * 8 + 2, int3
        gate_present X_BP
        it "int n is benign: a gate to a bad selector raises #GP(selector), EXT clear"
        make_gate IDT32 + 0x50 * 8, K_DATA, main, 0x8e
        doubles X_GP, K_DATA, int 0x50
        it "a fault with a gate to a bad selector raises #GP(selector + EXT)"
        make_gate IDT32 + X_UD * 8, K_DATA, main, 0x8e
        doubles X_GP, K_DATA + 1, ud2
        make_gate IDT32 + X_UD * 8, K_CODE, stubs32 + X_UD * STUB_SIZE, 0x8e
        it "#NM is benign too"
        gate_not_present X_NM
        mov eax, cr0
        or eax, 8
        mov cr0, eax
        doubles X_NP, X_NM * 8 + 3, fninit
        clts
        gate_present X_NM
        it "#NP whose own gate is not present: double fault"
        gate_not_present X_NP
        gate_not_present X_DE
        xor ecx, ecx
        doubles X_DF, 0, div ecx
        gate_present X_NP
        gate_present X_DE
        it "#PF while delivering #DE is a #PF: contributory, then page fault"
        ; Paging with 4 MiB pages; the IDT of these cases lies in a page that is not present.
        mov edi, PAGE_TABLES
        mov eax, 0x83
        mov ecx, 1024
.fill:
        stosd
        add eax, 0x400000
        loop .fill
        mov esi, IDT32
        mov edi, 0x400000
        mov ecx, VECTORS * 8 / 4
        rep movsd
        mov eax, cr4
        or eax, 0x10
        mov cr4, eax
        mov eax, PAGE_TABLES
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        ; gates 0..7 in the last bytes of an absent page, 8 and up in a present one: #DF is in the present one
        mov esi, IDT32
        mov edi, 0x800000 - X_DF * 8
        mov ecx, X_DF * 2
        rep movsd
        mov ecx, (VECTORS - X_DF) * 2
        rep movsd
        and dword [PAGE_TABLES + 4], ~1
        mov eax, cr3
        mov cr3, eax
        lidt [split_idt]
        xor ecx, ecx
        doubles X_PF, 0, div ecx
        expect_var v_cr2, 0x800000 - X_DF * 8
        it "#PF while delivering a benign exception is a #PF"
        doubles X_PF, 0, ud2
        expect_var v_cr2, 0x800000 - 2 * 8
        it "#PF while delivering #PF is a double fault"
        lidt [idt32_register]
        make_gate IDT32 + X_PF * 8, T1, stubs32 + X_PF * STUB_SIZE, 0x8e
        doubles X_DF, 0, mov eax, [0x400000]
        it "#NP while delivering #PF is a double fault"
        make_gate IDT32 + X_PF * 8, K_CODE, stubs32 + X_PF * STUB_SIZE, 0x0e
        doubles X_DF, 0, mov eax, [0x400000]
        make_gate IDT32 + X_PF * 8, K_CODE, stubs32 + X_PF * STUB_SIZE, 0x8e
        it "a second exception in a handler is no double fault"
        doubles X_PF, 0, mov eax, [0x400000]
        finish

bad_selector:
        dw GDT_ENTRIES * 8
split_idt:
        dw VECTORS * 8 - 1
        dd 0x800000 - X_DF * 8

        image_end
