; System-management mode.
;
; checks: SMI by the local APIC and by port B2h, the state in which the handler begins, the saved state and what changing it
;         does, SMBASE, RSM, SMIs and NMIs inside, no A20 gate
; see: SDM 3C 32 (system management mode); AMD64 APM 2, 10 for the layout of the saved state
; needs: cpus=1
; status: 33
; QEMU: its firmware has moved SMBASE and keeps system-management mode to itself
; Bochs: saves other attributes of CS, keeps the IDT register as KVM does not, masks address line 20 inside too
; assertions: 17

%define WITH_REAL
%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smm.inc"

var     nmis
var     nmis_inside
var     value
var     second

        bits 16
hook_change:
        mov dword [dword SMBASE + SMM_RCX], 0x600dcafe
        mov dword [dword SMBASE + SMM_RIP], change.elsewhere
        or dword [dword SMBASE + SMM_RFLAGS], CF
        ret
hook_move:
        mov dword [dword SMBASE + SMM_SMBASE], SMBASE2
        ret
hook_move_back:
        mov dword [dword SMBASE2 + SMM_SMBASE], SMBASE
        ret
hook_high:
        mov eax, [dword FREE + 0x10000]
        mov [value], eax
        ret
hook_again:
        mov word [smm_hook], 0
        mov dword [dword APIC_ICR_LOW], 0x200
        mov ecx, 100000
.wait:
        dec ecx
        jnz .wait
        ret
hook_nmi:
        mov dword [dword APIC_ICR_LOW], 0x400
        mov ecx, 100000
.wait:
        dec ecx
        jnz .wait
        mov eax, [nmis]
        mov [nmis_inside], eax
        ret
hook_a20:
        mov eax, [dword 0x100000 + FREE_LOW]
        mov [value], eax
        mov eax, [dword FREE_LOW]
        mov [second], eax
        ret
        bits 32

count_nmi:
        cmp dword [v_vec], X_NMI
        jne .other
        inc dword [nmis]
.other:
        ret

main:
        apic_on
        call smm_install
        it "an SMI runs the code at SMBASE + 8000h, with CS based at SMBASE"
        smi_by_apic
        expect_var smm_count, 1
        mov eax, [smm_cs]
        and eax, 0xffff
        expect_eq eax, SMBASE >> 4
        it "there, CR0 has PE, PG, EM and TS clear, CR4 is 0"
        mov eax, [smm_cr0]
        and eax, 0x8000000d
        expect_eq eax, 0
        expect_var smm_cr4, 0
        it "interrupts and traps are off, the breakpoints too"
        mov eax, [smm_flags]
        and eax, IF | TF | VM
        expect_eq eax, 0
        expect_var smm_dr7, 0x400
        it "the data segments are 0, and reach beyond 64 KiB"
        expect_var smm_ds, 0
        mov dword [FREE + 0x10000], 0x5a17c0de
        mov dword [smm_hook], hook_high
        smi_by_apic
        expect_var value, 0x5a17c0de
        mov dword [smm_hook], 0
        it "the revision says that SMBASE can be moved"
        mov eax, [SMBASE + SMM_REVISION]
        and eax, 0x20000
        expect_eq eax, 0x20000
        expect_mem d, [SMBASE + SMM_SMBASE], SMBASE
        it "the saved registers are those of the code that was interrupted"
        mov ebx, 0xb0b0b0b0
        mov esi, 0x51515151
        mov edi, 0xd1d1d1d1
        mov ebp, 0xbdbdbdbd
        smi_by_apic
        expect_mem d, [SMBASE + SMM_RBX], 0xb0b0b0b0
        expect_mem d, [SMBASE + SMM_RSI], 0x51515151
        expect_mem d, [SMBASE + SMM_RDI], 0xd1d1d1d1
        expect_mem d, [SMBASE + SMM_RBP], 0xbdbdbdbd
        it "so are segments, control and descriptor table registers"
        expect_mem w, [SMBASE + SMM_CS], K_CODE
        expect_mem w, [SMBASE + SMM_CS + 2], 0xc09b
        expect_mem d, [SMBASE + SMM_CS + 4], 0xffffffff
        expect_mem w, [SMBASE + SMM_ES], K_DATA
        expect_mem w, [SMBASE + SMM_TR], SEL_TSS32
        mov eax, cr0
        mov edx, [SMBASE + SMM_CR0]
        expect_same eax, edx
        mov eax, [SMBASE + SMM_GDT_BASE]
        expect_is eax, gdt
        it "RSM restores them"
        expect_eq ebx, 0xb0b0b0b0
        expect_eq ebp, 0xbdbdbdbd
        mov eax, cs
        expect_eq eax, K_CODE
        mov eax, ss
        expect_eq eax, K_DATA
        mov eax, cr0
        and eax, 0x80000001
        expect_eq eax, 1
        it "the descriptor tables are back too"
        traps X_BP, int3
        it "what the handler changes in the saved state is what RSM restores"
change: mov dword [smm_hook], hook_change
        xor ecx, ecx
        mov edx, esp
        smi_by_apic
        unreachable
.elsewhere:
        setc al
        mov esp, edx
        expect_eq ecx, 0x600dcafe
        expect_eq al, 1
        it "SMBASE moves when the handler changes it"
        mov dword [smm_hook], hook_move
        smi_by_apic
        mov dword [smm_hook], 0
        smi_by_apic
        mov eax, [smm_cs]
        and eax, 0xffff
        expect_eq eax, SMBASE2 >> 4
        expect_mem d, [SMBASE2 + SMM_SMBASE], SMBASE2
        mov dword [smm_hook], hook_move_back
        smi_by_apic
        mov dword [smm_hook], 0
        smi_by_apic
        mov eax, [smm_cs]
        and eax, 0xffff
        expect_eq eax, SMBASE >> 4
        it "an SMI inside waits until RSM"
        mov dword [smm_count], 0
        mov dword [smm_deepest], 0
        mov dword [smm_hook], hook_again
        smi_by_apic
        mov ecx, 100000
.settle:
        loop .settle
        expect_var smm_count, 2
        expect_var smm_deepest, 1
        it "so does an NMI"
        mov dword [v_hook], count_nmi
        mov dword [smm_hook], hook_nmi
        smi_by_apic
        mov ecx, 100000
.settle2:
        loop .settle2
        expect_var nmis_inside, 0
        expect_var nmis, 1
        mov dword [v_hook], 0
        mov dword [smm_hook], 0
        it "RSM is an invalid opcode elsewhere"
        faults X_UD, NONE, rsm
        it "the command port raises an SMI too"
        mov eax, 0x80000b58             ; the PM function of a PIIX4: APMC_EN
        mov dx, 0xcf8
        out dx, eax
        mov eax, 1 << 25
        mov dx, 0xcfc
        out dx, eax
        mov dword [smm_count], 0
        mov al, 0x12
        out 0xb2, al
        mov ecx, 1000000
.command:
        cmp dword [smm_count], 0
        jne .commanded
        loop .command
.commanded:
        expect_var smm_count, 1
        in al, 0xb2
        expect_eq al, 0x12
        it "the IDT's limit is 0 inside: the handler has to load its own"
        mov dword [smm_hook], hook_idt
        smi_by_apic
        mov eax, [value]
        and eax, 0xffff
        expect_eq eax, 0
        it "the A20 gate has no effect inside"
        mov dword [FREE_LOW], 0x11111111
        mov dword [0x100000 + FREE_LOW], 0x22222222
        mov dword [smm_hook], hook_a20
        in al, 0x92
        and al, 0xfc
        out 0x92, al
        smi_by_apic
        or al, 2
        out 0x92, al
        expect_var value, 0x22222222
        expect_var second, 0x11111111
        finish

        bits 16
hook_idt:
        sub sp, 8
        mov bp, sp
        sidt [bp]
        mov eax, [bp]
        mov [value], eax
        add sp, 8
        ret

        image_end
