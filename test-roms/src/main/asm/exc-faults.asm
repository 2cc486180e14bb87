; Each exception of protected mode that an instruction can raise by itself.
;
; checks: #DE #BP #OF #BR #UD #NM #GP #AC #MF #XM: vector, error code, saved EIP, restartability; what must not fault
; see: SDM 3A 6.15 (exception reference)
; needs: cpus=1
; status: 33
; QEMU: its TCG does not check combinations of CR0, and runs away; nor alignment
; assertions: 26

%include "lib/rom.inc"

CR0_MP  equ 2
CR0_EM  equ 4
CR0_TS  equ 8
CR0_NE  equ 0x20
CR0_AM  equ 1 << 18

var     retries

; Restarts the instruction with EBX replaced by 3: the place of PUSHAD's EBX in the handler's frame.
fix_divisor:
        mov dword [ebx - 8 - 16], 3
        inc dword [retries]
        ret

%macro set_cr0 1
        mov eax, cr0
        or eax, %1
        mov cr0, eax
%endmacro
%macro clear_cr0 1
        mov eax, cr0
        and eax, ~(%1)
        mov cr0, eax
%endmacro

main:
        it "#DE restarts: the handler mends the divisor"
        mov dword [v_hook], fix_divisor
        mov eax, 21
        xor edx, edx
        xor ebx, ebx
        div ebx
        mov dword [v_hook], 0
        expect_eq eax, 7
        expect_var retries, 1
        it "#BP is a trap"
        traps X_BP, int3
        it "#OF is a trap"
        mov al, 0x7f
        inc al
        traps X_OF, into
        it "#BR is a fault"
        mov dword [FREE], 0
        mov dword [FREE + 4], 1
        mov ecx, 2
        faults X_BR, NONE, bound ecx, [FREE]
        it "#UD: UD0, UD1, UD2, undefined opcodes"
        faults X_UD, NONE, ud2
        faults X_UD, NONE, db 0x0f, 0xb9, 0xc0
        faults X_UD, NONE, db 0x0f, 0xff, 0xc0
        faults X_UD, NONE, db 0x0f, 0x04
        faults X_UD, NONE, db 0xff, 0xff
        it "#UD: register forms of what needs memory"
        faults X_UD, NONE, db 0x0f, 0xb2, 0xc0          ; lss eax, eax
        faults X_UD, NONE, db 0x62, 0xc0                ; bound eax, eax
        faults X_UD, NONE, db 0xff, 0xe8                ; jmp far eax
        faults X_UD, NONE, db 0x0f, 0x01, 0xf8 & 0xd7   ; lgdt with a register
        it "#UD: mov to CS, and segment registers 6 and 7"
        faults X_UD, NONE, db 0x8e, 0xc8
        faults X_UD, NONE, db 0x8e, 0xf0
        faults X_UD, NONE, db 0x8c, 0xf8
        it "#UD: control registers that do not exist"
        faults X_UD, NONE, db 0x0f, 0x20, 0xc8          ; mov eax, cr1
        faults X_UD, NONE, db 0x0f, 0x20, 0xe8          ; mov eax, cr5
        it "#NM: x87 with EM or TS set"
        set_cr0 CR0_TS
        faults X_NM, NONE, fninit
        clts
        fninit
        set_cr0 CR0_EM
        faults X_NM, NONE, fld1
        clear_cr0 CR0_EM
        it "#NM: wait with TS and MP set, not with TS alone"
        set_cr0 CR0_TS
        wait
        set_cr0 CR0_MP
        faults X_NM, NONE, wait
        clts
        clear_cr0 CR0_MP
        it "#NM: MMX and SSE with TS set; #UD with EM set or without OSFXSR"
        mov eax, cr4
        or eax, 0x600                   ; OSFXSR, OSXMMEXCPT
        mov cr4, eax
        set_cr0 CR0_TS
        faults X_NM, NONE, movq mm0, mm1
        faults X_NM, NONE, movaps xmm0, xmm1
        faults X_NM, NONE, fxsave [FREE]
        clts
        set_cr0 CR0_EM
        faults X_UD, NONE, movaps xmm0, xmm1
        faults X_UD, NONE, movq mm0, mm1
        clear_cr0 CR0_EM
        movaps xmm0, xmm1
        it "#UD: SSE without CR4.OSFXSR"
        mov eax, cr4
        and eax, ~0x200
        mov cr4, eax
        faults X_UD, NONE, movaps xmm0, xmm1
        mov eax, cr4
        or eax, 0x200
        mov cr4, eax
        it "#GP(0): a 16-byte operand that is not aligned"
        faults X_GP, 0, movaps xmm0, [FREE + 8]
        movups xmm0, [FREE + 8]
        it "#GP(0): reserved bits and combinations of control registers"
        mov eax, cr0
        or eax, 0x80000000
        and eax, ~1                     ; PG without PE
        faults X_GP, 0, mov cr0, eax
        mov eax, cr0
        or eax, 0x20000000              ; NW without CD
        faults X_GP, 0, mov cr0, eax
        mov eax, cr4
        or eax, 0x80000000
        faults X_GP, 0, mov cr4, eax
        it "#GP(0): privileged instructions in ring 3"
        to_user
        faults X_GP, 0, hlt
        faults X_GP, 0, lgdt [FREE]
        faults X_GP, 0, lidt [FREE]
        faults X_GP, 0, lldt ax
        faults X_GP, 0, ltr ax
        faults X_GP, 0, mov eax, cr0
        faults X_GP, 0, mov cr3, eax
        faults X_GP, 0, mov eax, dr7
        faults X_GP, 0, clts
        faults X_GP, 0, lmsw ax
        faults X_GP, 0, invlpg [FREE]
        faults X_GP, 0, wbinvd
        faults X_GP, 0, invd
        it "free in ring 3: smsw, sgdt, sidt, sldt, str"
        smsw eax
        sgdt [FREE]
        sidt [FREE]
        sldt eax
        str eax
        from_user
        it "CR4.TSD: rdtsc of ring 3 raises #GP(0)"
        rdtsc
        mov eax, cr4
        or eax, 4
        mov cr4, eax
        rdtsc
        to_user
        faults X_GP, 0, rdtsc
        from_user
        mov eax, cr4
        and eax, ~4
        mov cr4, eax
        it "#AC needs CR0.AM, EFLAGS.AC and ring 3"
        mov eax, [FREE + 1]
        to_user AC | 2
        mov eax, [FREE + 1]
        from_user
        set_cr0 CR0_AM
        push dword AC | 2
        popfd
        mov eax, [FREE + 1]
        push dword 2
        popfd
        it "#AC(0) of a doubleword, a word, a quadword"
        to_user AC | 2
        faults X_AC, 0, mov eax, [FREE + 2]
        faults X_AC, 0, mov ax, [FREE + 1]
        faults X_AC, 0, movq mm0, [FREE + 4]
        faults X_AC, 0, mov [FREE + 3], eax
        it "aligned and byte accesses do not raise #AC"
        mov eax, [FREE + 4]
        mov ax, [FREE + 2]
        mov al, [FREE + 1]
        movq mm0, [FREE + 8]
        it "a misaligned stack raises #AC(0)"
        mov ebx, esp
        arm .ac_after
        dec esp
.ac_push:
        push eax
.ac_after:
        mov esp, ebx
        expect_fault X_AC, 0, .ac_push
        push dword 2
        popfd
        from_user
        clear_cr0 CR0_AM
        it "#MF comes with the next waiting x87 instruction, at that instruction"
        fninit
        fldz
        fld1
        mov word [FREE], 0x037b         ; zero divide unmasked
        fldcw [FREE]
        fdiv st0, st1
        faults X_MF, NONE, fld1
        fnstsw ax
        test ax, 0x80
        jnz .es
        unreachable
.es:
        it "control instructions without wait do not raise #MF"
        fnstcw [FREE]
        fnclex
        fld1
        fninit
        it "#XM at the instruction that caused it"
        emms
        mov dword [FREE], 0x1d80        ; zero divide unmasked
        ldmxcsr [FREE]
        mov dword [FREE], 0x3f800000
        movss xmm0, [FREE]
        xorps xmm1, xmm1
        faults X_XM, NONE, divss xmm0, xmm1
        movd eax, xmm0
        expect_eq eax, 0x3f800000
        stmxcsr [FREE]
        expect_mem d, [FREE], 0x1d84
        it "#UD instead of #XM without CR4.OSXMMEXCPT"
        mov eax, cr4
        and eax, ~0x400
        mov cr4, eax
        faults X_UD, NONE, divss xmm0, xmm1
        it "ldmxcsr of reserved bits raises #GP(0)"
        mov dword [FREE], 0x80001f80
        faults X_GP, 0, ldmxcsr [FREE]
        finish

        image_end
