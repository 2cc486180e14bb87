; IRET and RETF in protected mode, and conforming code segments.
;
; checks: returns to the same ring and to an outer one, privilege and null checks with error codes, flags that each ring
;         may change, NT without a task, conforming code called from ring 3
; see: SDM 2 (IRET, RET), SDM 3A 5.8.1.1 (conforming segments), 7.4 (NT)
; needs: cpus=1
; status: 33
; QEMU: its TCG checks no limit at a far transfer and runs away
; assertions: 21

%include "lib/rom.inc"

T1      equ SEL_FREE

; A frame for IRET: EFLAGS, CS, EIP.
%macro frame 3
        push dword %1
        push dword %2
        push dword %3
%endmacro

main:
        it "iret to the same ring pops EIP, CS and EFLAGS"
        mov ebx, esp
        frame CF | DF | 2, K_CODE, .same
        iretd
.same:
        expect_flags CF | DF, CF | DF
        cld
        expect_same esp, ebx
        it "in ring 0 iret loads IOPL and IF"
        frame 0x3202, K_CODE, .iopl
        iretd
.iopl:
        pushfd
        pop eax
        cli
        and eax, 0x3200
        expect_eq eax, 0x3200
        frame 2, K_CODE, .iopl0
        iretd
.iopl0:
        it "iret to a null CS raises #GP(0) and keeps ESP"
        frame 2, 0, .same
        mov ebx, esp
        faults X_GP, 0, iretd
        expect_same esp, ebx
        add esp, 12
        it "iret to data raises #GP(selector)"
        frame 2, K_DATA, .same
        faults X_GP, K_DATA, iretd
        add esp, 12
        it "iret beyond the GDT raises #GP(selector)"
        frame 2, GDT_ENTRIES * 8, .same
        faults X_GP, GDT_ENTRIES * 8, iretd
        add esp, 12
        it "iret to code that is not present raises #NP(selector)"
        make_descriptor T1, 0, 0xfffff, 0x1b, G_32 | G_4K
        frame 2, T1, .same
        faults X_NP, T1, iretd
        add esp, 12
        it "iret to ring 3 code with RPL 0 raises #GP(selector)"
        frame 2, U_CODE - 3, .same
        faults X_GP, U_CODE - 3, iretd
        add esp, 12
        it "iret to ring 3 with a null SS raises #GP(0)"
        push dword 0
        push dword USER_STACK
        frame 2, U_CODE, .same
        faults X_GP, 0, iretd
        add esp, 20
        it "iret to ring 3 with an SS of ring 0 raises #GP(selector)"
        push dword K_DATA
        push dword USER_STACK
        frame 2, U_CODE, .same
        faults X_GP, K_DATA, iretd
        add esp, 20
        it "iret beyond the limit of its target raises #GP(0)"
        make_descriptor T1, 0, 0xfff, A_CODE, G_32
        frame 2, T1, 0x2000
        faults X_GP, 0, iretd
        add esp, 12
        to_user
        it "in ring 3 popf and iret keep IOPL and, with IOPL 0, IF"
        push dword 0x3202 | CF
        popfd
        pushfd
        pop eax
        and eax, 0x3201
        expect_eq eax, 1
        frame 0x3202, U_CODE, .still
        iretd
.still:
        pushfd
        pop eax
        and eax, 0x3200
        expect_eq eax, 0
        it "iret to an inner ring raises #GP(selector)"
        frame 2, K_CODE, .still
        faults X_GP, K_CODE, iretd
        it "cli and sti with IOPL 0 raise #GP(0)"
        faults X_GP, 0, cli
        faults X_GP, 0, sti
        from_user
        it "with IOPL 3, ring 3 may change IF but not IOPL"
        to_user 0x3002
        sti
        pushfd
        pop eax
        cli
        and eax, 0x3200
        expect_eq eax, 0x3200
        push dword 2
        popfd
        pushfd
        pop eax
        and eax, 0x3200
        expect_eq eax, 0x3000
        from_user
        it "iret with NT set and a back link to no TSS raises #TS(link)"
        mov word [TSS32], K_DATA
        push dword NT | 2
        popfd
        faults X_TS, K_DATA, iretd
        push dword 2
        popfd
        it "conforming code called from ring 3 runs in ring 3"
        make_descriptor T1, 0, 0xfffff, 0x9f, G_32 | G_4K
        to_user
        mov ebx, esp
        call (T1 + 3):conforming
        expect_same esp, ebx
        expect_eq eax, T1 + 3
        it "privileged instructions fault in it"
        arm .back
        call (T1 + 3):.halt
.halt:
        hlt
.back:
        expect_fault X_GP, 0, .halt
        jmp U_CODE:.plain
.plain:
        mov esp, USER_STACK
        from_user
        it "a jump to conforming code of lower privilege raises #GP(selector)"
        make_descriptor T1, 0, 0xfffff, 0xff, G_32 | G_4K
        faults X_GP, T1, jmp T1:conforming
        it "retf to ring 3 pops ESP and SS, drops parameters from both stacks"
        mov [v_kernel_sp], esp
        push dword U_DATA
        push dword USER_STACK - 8
        push dword 0x1111
        push dword 0x2222
        push dword U_CODE
        push dword .outer
        retf 8
.outer:
        expect_eq esp, USER_STACK
        mov ax, U_DATA
        mov ds, ax
        mov es, ax
        mov eax, cs
        expect_eq eax, U_CODE
        it "retf to an inner ring raises #GP(selector)"
        push dword K_CODE
        push dword .outer
        faults X_GP, K_CODE, retf
        from_user
        it "retf to a null selector raises #GP(0)"
        push dword 0
        push dword .outer
        faults X_GP, 0, retf
        add esp, 8
        finish

conforming:
        mov eax, cs
        retf

        image_end
