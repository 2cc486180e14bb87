; SYSCALL, SYSRET and SYSENTER in long mode.
;
; checks: the MSRs, RCX and R11, FMASK, segments, returns to 64-bit and compatibility mode, faults
; see: SDM 3A 5.8.8 (SYSCALL and SYSRET), SDM 2 (SYSCALL, SYSRET, SYSENTER, SYSEXIT)
; needs: cpus=1
; status: 33
; QEMU: its TCG takes any address for LSTAR
; assertions: 13

%define WITH_LONG
%include "lib/rom.inc"

IA32_STAR       equ 0xc0000081
IA32_LSTAR      equ 0xc0000082
IA32_CSTAR      equ 0xc0000083
IA32_FMASK      equ 0xc0000084

%macro write_msr 3
        mov ecx, %1
        mov edx, %2
        mov eax, %3
        wrmsr
%endmacro

main:
        to_long
        it "without EFER.SCE syscall and sysret raise #UD"
        mov ecx, MSR_EFER
        rdmsr
        and eax, ~EFER_SCE
        wrmsr
        faults X_UD, NONE, syscall
        faults X_UD, NONE, o64 sysret
        mov ecx, MSR_EFER
        rdmsr
        or eax, EFER_SCE
        wrmsr
        write_msr IA32_STAR, ((U_CODE) << 16) | K_CODE64, 0
        write_msr IA32_LSTAR, 0, syscall_entry
        write_msr IA32_FMASK, 0, IF | DF | CF
        it "LSTAR takes canonical addresses only: #GP(0)"
        mov ecx, IA32_LSTAR
        mov edx, 0x8000
        mov eax, 0
        faults X_GP, 0, wrmsr
        rdmsr
        expect_is rax, syscall_entry
        it "syscall: RCX is the next address, R11 the flags, masked ones are clear"
        to_user64 0x202
        mov rbx, rsp
        stc
        std
        mov rdi, 0
        syscall
.after:
        cld
        expect_same rsp, rbx
        expect_is r8, .after
        mov rax, r9
        and eax, IF | CF | DF
        expect_eq eax, IF | CF | DF
        mov rax, r10
        and eax, IF | CF | DF
        expect_eq eax, 0
        it "CS and SS come from STAR"
        expect_eq r12, K_CODE64
        expect_eq r13, K_CODE64 + 8
        it "the stack pointer is not switched"
        expect_same r14, rbx
        it "sysret gives the flags of R11 back and user segments with RPL 3"
        mov eax, cs
        expect_eq eax, U_CODE + 16
        mov eax, ss
        expect_eq eax, U_CODE + 8
        pushfq
        pop rax
        cld
        and eax, IF
        expect_eq eax, IF
        it "sysret in ring 3 raises #GP(0)"
        faults X_GP, 0, o64 sysret
        from_user64
        it "sysret to 32 bits goes to compatibility mode"
        mov [v_kernel_sp], rsp
        mov ax, U_DATA
        mov ds, ax
        mov es, ax
        mov ecx, .compat
        mov r11d, 2
        mov esp, USER_STACK
        o32 sysret
        bits 32
.compat:
        mov eax, cs
        expect_eq eax, U_CODE
        mov eax, 0x40
        db 0x40                         ; inc eax
        nop
        expect_eq eax, 0x41
        from_user64
        it "sysret with a RCX that is not canonical raises #GP(0)"
        mov rcx, 0x0000800000000000
        mov r11d, 2
        mov rbx, rsp
        faults X_GP, 0, o64 sysret
        mov rsp, rbx
        it "syscall in compatibility mode raises #UD on Intel CPUs, uses CSTAR on others"
        write_msr IA32_CSTAR, 0, cstar_entry
        xor eax, eax
        cpuid
        mov r15d, ebx
        to_user_compat
        mov edi, 0
        mov esi, 0
        arm .compat_after
.compat_syscall:
        syscall
.compat_after:
        mov edi, edi
        from_user64
        cmp r15d, "Genu"
        jne .other
        expect_fault X_UD, NONE, .compat_syscall
        jmp .checked
.other:
        mov dword [v_resume], 0
        expect_eq esi, 0x77
.checked:
        it "sysenter from 64-bit mode loads RIP and RSP with 64 bits"
        write_msr 0x174, 0, K_CODE
        write_msr 0x175, 0, RING0_STACK
        write_msr 0x176, 0, .sysenter_local
        xor eax, eax
        cpuid
        cmp ebx, "Genu"
        jne .no_sysenter
        to_user64
        sysenter
        unreachable
.sysenter_local:
        expect_eq rsp, RING0_STACK
        mov eax, cs
        expect_eq eax, K_CODE
        mov eax, ss
        expect_eq eax, K_CODE + 8
        mov rax, 0x1122334455667788
        db 0x48, 0xff, 0xc0             ; inc rax: only 64-bit mode reads it so
        expect_eq rax, 0x1122334455667789
        it "sysexit with REX.W returns to 64-bit mode"
        mov rcx, USER_STACK
        mov rdx, .sysexit64
        o64 sysexit
.sysexit64:
        mov eax, cs
        expect_eq eax, K_CODE + 32 + 3
        expect_eq rsp, USER_STACK
        from_user64
        it "sysexit without it returns to compatibility mode"
        mov rcx, USER_STACK
        mov rdx, .sysexit32
        mov ax, U_DATA
        mov ds, ax
        mov es, ax
        mov [v_kernel_sp], rsp
        sysexit
        bits 32
.sysexit32:
        mov eax, cs
        expect_eq eax, K_CODE + 16 + 3
        from_user64
        finish
.no_sysenter:
        it_or "sysexit with REX.W returns to 64-bit mode"
        it_or "sysexit without it returns to compatibility mode"
        finish

        bits 64
syscall_entry:
        mov r8, rcx
        mov r9, r11
        pushfq
        pop r10
        mov r12d, cs
        mov r13d, ss
        mov r14, rsp
        mov rcx, r8
        o64 sysret

cstar_entry:
        mov esi, 0x77
        o32 sysret

        image_end
