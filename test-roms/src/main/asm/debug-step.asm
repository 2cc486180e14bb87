; Single-stepping with TF.
;
; checks: what is a step and what is not: jumps, loops, REP with no iteration, POPF and IRET, faults, software interrupts,
;         system calls with SFMASK, shadows of STI and MOV SS; 16-bit and 64-bit code, ring 3
; see: SDM 3B 18.3.1.4 (single-step exception condition); SDM 3A 6.8.3; SDM 2 (SYSCALL, SYSRET)
; needs: cpus=1
; status: 33
; QEMU: its TCG takes no step right behind STI
; Bochs: looks at TF before SYSCALL and SYSRET, not after
; assertions: 16

%define WITH_LONG
%include "lib/rom.inc"

MSR_STAR        equ 0xc0000081
MSR_LSTAR       equ 0xc0000082
MSR_SFMASK      equ 0xc0000084

var     steps
var     trail, 96
var     bad_dr6

note:
        mov ecx, [steps]
        cmp ecx, 23
        ja .full
        mov edx, [ebx]
        mov [trail + ecx * 4], edx
.full:
        inc dword [steps]
        mov edx, dr6
        and edx, 0xe00f
        cmp edx, 0x4000
        je .good
        mov [bad_dr6], edx
.good:
        mov edx, 0xffff0ff0
        mov dr6, edx
        ret

%macro step_on 0
        mov dword [steps], 0
%if __?BITS?__ == 64
        pushfq
        or dword [rsp], TF
        popfq
%else
        pushfd
        or dword [esp], TF
        popfd
%endif
%endmacro
%macro step_off 0
%if __?BITS?__ == 64
        pushfq
        and dword [rsp], ~TF
        popfq
%else
        pushfd
        and dword [esp], ~TF
        popfd
%endif
%endmacro
%macro expect_trail 2
        mov eax, [trail + (%1) * 4]
        expect_is eax, %2
%endmacro

main:
        mov dword [v_hook], note
        mov eax, 0xffff0ff0
        mov dr6, eax
        it "a conditional jump that is not taken is a step"
        step_on
        stc
        jnc .nowhere
.j1:    nop
        step_off
.nowhere:
        expect_trail 1, .j1
        expect_var bad_dr6, 0
        it "each round of LOOP is a step"
        mov ecx, 3
        step_on
.loop:  loop .loop
.l1:    step_off
        expect_trail 0, .loop
        expect_trail 1, .loop
        expect_trail 2, .l1
        it "a repeated instruction with a count of 0 is one step"
        xor ecx, ecx
        mov edi, FREE
        step_on
        rep stosb
.r1:    step_off
        expect_trail 0, .r1
        expect_var steps, 4
        it "call and ret"
        step_on
        call .sub
.c1:    step_off
        expect_trail 0, .sub
        expect_trail 1, .c1
        it "IRET that sets TF: the next instruction is not the first step, but makes it"
        mov dword [steps], 0
        pushfd
        or dword [esp], TF
        push cs
        push dword .i1
        iretd
.i1:    nop
.i2:    step_off
        expect_trail 0, .i2
        it "IRET that clears it is the last step"
        step_on
        pushfd
        and dword [esp], ~TF
        push cs
        push dword .i3
        iretd
.i3:    nop
        nop
        expect_var steps, 5
        expect_trail 4, .i3
        it "an instruction that faults is no step: its handler is not stepped"
        mov dword [v_hook], .ud_hook
        step_on
        nop
.ud:    ud2
.ud_next:
        nop
.ud1:   step_off
        mov dword [v_hook], note
        mov eax, [saved_flags]
        and eax, TF
        expect_eq eax, TF
        expect_trail 0, .ud
        expect_trail 1, .ud1
        it "INT3 and INTO leave TF in the frame and clear it in the handler"
        make_gate IDT32 + 0x50 * 8, K_CODE, .look, 0xef
        step_on
        int 0x50
.n1:    nop
.n2:    step_off
        mov eax, [seen_flags]
        and eax, TF
        expect_eq eax, 0
        expect_trail 0, .n2
        it "STI: the step comes behind it, the interrupt after the next instruction"
        step_on
        sti
.s1:    nop
.s2:    cli
        step_off
        expect_trail 0, .s1
        expect_trail 1, .s2
        it "two loads of SS in a row: the second does not defer the trap further"
        mov ax, ss
        step_on
        mov ss, ax
.m1:    mov ss, ax
.m2:    nop
.m3:    step_off
        mov eax, [steps]
        cmp eax, 4
        setae al
        movzx eax, al
        expect_eq eax, 1
        it "ring 3 is stepped like ring 0"
        mov dword [steps], 0
        to_user TF | 2
.u1:    nop
.u2:    nop
.u3:    nop
        pushfd
        and dword [esp], ~TF
        popfd
        from_user
        expect_trail 0, .u2
        expect_trail 1, .u3
        it "a load of the data segments is a step"
        step_on
        mov ax, ds
.d1:    mov ds, ax
.d2:    step_off
        expect_trail 0, .d1
        expect_trail 1, .d2
        mov dword [v_hook], 0
        ; ------------------------------------------------------------ 64 bits
        to_long
        mov dword [v_hook], note64
        it "64-bit code"
        step_on
        nop
.w1:    lea rax, [rip_here]
.w2:    jmp .w3
        nop
.w3:    step_off
        expect_trail 0, .w1
        expect_trail 1, .w2
        expect_trail 2, .w3
        it "SYSCALL with TF in SFMASK: the system call is not stepped"
        mov ecx, MSR_STAR
        xor eax, eax
        mov edx, K_CODE64 | (U_CODE - 3) << 16
        wrmsr
        mov ecx, MSR_LSTAR
        mov eax, .entry
        xor edx, edx
        wrmsr
        mov ecx, MSR_SFMASK
        mov eax, TF
        wrmsr
        mov dword [steps], 0
        to_user64 TF | 2
        syscall
.y1:    nop
.y2:    nop
        pushfq
        and dword [rsp], ~TF
        popfq
        from_user64
        expect_trail 0, .y1
        expect_trail 1, .y2
        it "without it the first step is behind its first instruction"
        mov ecx, MSR_SFMASK
        xor eax, eax
        xor edx, edx
        wrmsr
        mov dword [steps], 0
        to_user64 TF | 2
        syscall
        pushfq
        and dword [rsp], ~TF
        popfq
        from_user64
        expect_trail 0, .entry
        it "no step left a wrong DR6"
        expect_var bad_dr6, 0
        finish

.entry: o64 sysret
        bits 32
.sub:   ret
.ud_hook:
        cmp dword [v_vec], X_UD
        jne note
        mov eax, [ebx + 8]
        mov [saved_flags], eax
        mov dword [ebx], .ud_next
        ret
.look:
        pushfd
        pop dword [seen_flags]
        iretd
saved_flags: dd 0
seen_flags: dd 0

        bits 64
rip_here:
note64:
        mov ecx, [steps]
        cmp ecx, 23
        ja .full
        mov edx, [rbx]
        mov [trail + rcx * 4], edx
.full:
        inc dword [steps]
        mov rdx, dr6
        and edx, 0xe00f
        cmp edx, 0x4000
        je .good
        mov [bad_dr6], edx
.good:
        mov edx, 0xffff0ff0
        mov dr6, rdx
        ret

        image_end
