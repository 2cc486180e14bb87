; Long mode: entered from 32-bit protected mode, compatibility mode, ring 3 of both, and left again.
;
; checks: the switches between protected mode, 64-bit mode and compatibility mode, in ring 0 and ring 3
; see: SDM 3A 10.8.5 (initializing IA-32e mode), 2.2 (modes of operation)
; needs: cpus=1
; status: 33
; assertions: 10

%define WITH_LONG
%include "lib/rom.inc"

main:
        mov ebx, 0x12345678
        to_long
        it "sets EFER.LMA when paging comes on"
        mov ecx, MSR_EFER
        rdmsr
        and eax, EFER_LME | EFER_LMA
        expect_eq eax, EFER_LME | EFER_LMA
        it "keeps the low half of a register"
        expect_eq ebx, 0x12345678
        it "computes with 64 bits"
        mov rax, 0x123456789abcdef0
        add rax, rax
        expect_eq rax, 0x2468acf13579bde0
        it "raises #UD for an opcode that 64-bit mode lacks"
        faults X_UD, NONE, db 0x06      ; push es
        to_compat
        it "runs 32-bit code in compatibility mode"
        mov eax, 0x40
        db 0x40                         ; inc eax here, a REX prefix in 64-bit mode
        nop
        expect_eq eax, 0x41
        it "handles a fault of compatibility mode in 64-bit mode"
        faults X_UD, NONE, ud2
        expect_var v_hcs, K_CODE64
        expect_var v_cs, K_CODE
        from_compat
        to_user64
        it "enters ring 3 of 64-bit mode"
        mov eax, cs
        expect_eq eax, U_CODE64
        faults X_GP, 0, hlt
        expect_var v_cs, U_CODE64
        expect_var v_sp, USER_STACK
        from_user64
        to_user_compat
        it "enters ring 3 of compatibility mode"
        mov eax, cs
        expect_eq eax, U_CODE
        faults X_GP, 0, hlt
        expect_var v_cs, U_CODE
        expect_var v_ss, U_DATA
        from_user64
        it "comes back to ring 0"
        mov eax, cs
        expect_eq eax, K_CODE64
        from_long
        it "clears LMA when paging goes off"
        mov ecx, MSR_EFER
        rdmsr
        and eax, EFER_LME | EFER_LMA
        expect_eq eax, 0
        finish

        image_end
