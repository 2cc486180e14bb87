; Virtual-8086 mode.
;
; checks: entry by IRET, segments of 16 * selector, exceptions to ring 0 with the V86 frame, IOPL-sensitive instructions,
;         the I/O bitmap, INT n through protected-mode gates, instructions that V86 mode lacks, VME off
; see: SDM 3A 21.2 (virtual-8086 mode), 21.3 (interrupt handling)
; needs: cpus=1
; status: 33
; QEMU: its TCG checks no segment limits, and lets IRET of ring 3 set VM
; assertions: 21

%define WITH_REAL
%include "lib/rom.inc"

var     frame_seen, 64

; Keeps the frame (EIP CS EFLAGS ESP SS ES DS FS GS) and resumes at v_resume.
keep_frame:
        pushad
        mov esi, ebx
        mov edi, frame_seen
        mov ecx, 9
        rep movsd
        mov eax, [v_resume]
        mov [ebx], eax
        mov dword [v_resume], 0
        ; segments as the handler finds them
        mov [frame_seen + 36], fs
        mov [frame_seen + 40], gs
        popad
        ret

main:
        mov byte [FREE], 0x5a
        to_v86
        it "runs with 16-bit code and segments of 16 * selector"
        mov ax, FREE >> 4
        mov fs, ax
        expect_mem b, [fs:0], 0x5a
        mov ax, cs
        expect_eq ax, 0
        it "VM and IOPL are seen: pushf shows IOPL 3"
        pushf
        pop ax
        and ax, 0x3000
        expect_eq ax, 0x3000
        it "pushfd does not show VM"
        pushfd
        pop eax
        and eax, VM
        expect_eq eax, 0
        it "smsw shows protected mode"
        smsw ax
        and ax, 1
        expect_eq ax, 1
        it "an exception goes to ring 0 on the stack of the TSS, with VM in its flags"
        faults X_UD, NONE, ud2
        expect_var v_cs, 0
        expect_var v_sp, USER_STACK
        mov eax, [v_flags]
        and eax, VM | 0x3000
        expect_eq eax, VM | 0x3000
        expect_var v_hcs, K_CODE
        expect_var v_hss, K_DATA
        from_v86
        it "the frame holds ES, DS, FS, GS, which are null in the handler"
        mov dword [v_hook], keep_frame
        to_v86
        mov ax, 0x1111
        mov es, ax
        mov ax, 0x2222
        mov fs, ax
        mov ax, 0x3333
        mov gs, ax
        arm .after_ud
.ud:
        ud2
.after_ud:
        mov dx, es
        put dword, v_hook, 0
        expect_eq dx, 0x1111
        expect_mem d, [frame_seen + 20], 0x1111
        expect_mem d, [frame_seen + 24], 0
        expect_mem d, [frame_seen + 28], 0x2222
        expect_mem d, [frame_seen + 32], 0x3333
        expect_mem d, [frame_seen + 36], 0
        expect_mem d, [frame_seen + 40], 0
        it "beyond FFFF raises #GP(0)"
        mov ebx, 0x10000
        faults X_GP, 0, mov al, [ebx]
        it "privileged instructions raise #GP(0)"
        faults X_GP, 0, hlt
        faults X_GP, 0, mov eax, cr0
        faults X_GP, 0, mov cr0, eax
        faults X_GP, 0, lgdt [FREE_LOW]
        faults X_GP, 0, clts
        faults X_GP, 0, invlpg [0]
        faults X_GP, 0, wrmsr
        it "instructions of protected mode raise #UD"
        faults X_UD, NONE, sldt ax
        faults X_UD, NONE, str ax
        faults X_UD, NONE, lldt ax
        faults X_UD, NONE, verr ax
        faults X_UD, NONE, lar ax, bx
        faults X_UD, NONE, db 0x63, 0xc0        ; arpl
        it "with IOPL 3, cli, sti, pushf, popf and iret run"
        cli
        pushf
        popf
        pushf
        push cs
        push word .iret_target
        iret
        unreachable
.iret_target:
        it "popf cannot change IOPL or VM"
        push dword 2
        popfd
        pushfd
        pop eax
        and eax, 0x3000
        expect_eq eax, 0x3000
        it "int n goes through the gate of the IDT"
        traps 0x45, int 0x45
        it "int n to a gate of DPL 0 raises #GP with the selector of the gate"
        faults X_GP, 0x0d * 8 + 2, int 0x0d
        it "int3 and into reach their gates of DPL 3"
        traps X_BP, int3
        mov al, 0x7f
        inc al
        traps X_OF, into
        it "far calls and returns work as in real mode"
        mov word [FREE_LOW], far_v86 - 0x1000
        mov word [FREE_LOW + 2], 0x100
        call far [FREE_LOW]
        expect_eq ax, 0x100
        it "ports that the bitmap opens"
        mov dx, 0x21
        in al, dx
        expect_eq al, 0xff
        from_v86
        it "the I/O bitmap counts even with IOPL 3"
        or byte [TSS32 + 0x68 + 0x21 / 8], 1 << (0x21 % 8)
        to_v86
        mov al, 0
        faults X_GP, 0, in al, 0x21
        faults X_GP, 0, in ax, 0x20
        faults X_GP, 0, out 0x21, al
        from_v86
        and byte [TSS32 + 0x68 + 0x21 / 8], ~(1 << (0x21 % 8)) & 0xff
        ; With IOPL 0 pushf itself faults, and so would the checks: results are looked at in ring 0.
%macro faults_at_iopl0 2+
        mov dword [v_vec], NONE
        mov dword [v_resume], %%back
        mov [v_kernel_sp], esp
        mov dword [v_hook], to_ring0
        to_v86 VM | 2
%%insn: %2
        ud2                             ; not reached when it faults
        bits 32
%%back:
        mov dword [v_hook], 0
        mov dword [v_ds], U_DATA
        expect_fault X_GP, %1, %%insn
%endmacro
        it "with IOPL 0, cli and sti raise #GP(0)"
        faults_at_iopl0 0, cli
        faults_at_iopl0 0, sti
        it "with IOPL 0, pushf and popf raise #GP(0)"
        faults_at_iopl0 0, pushf
        faults_at_iopl0 0, popf
        it "with IOPL 0, int n and iret raise #GP(0)"
        faults_at_iopl0 0, int 0x45
        faults_at_iopl0 0, iret
        it "from ring 3, iret cannot set VM"
        to_user
        pushfd
        or dword [esp], VM
        push dword U_CODE
        push dword .no_vm
        iretd
.no_vm:
        mov eax, cs
        expect_eq eax, U_CODE
        from_user
        finish

; Leaves the fault for v_resume in ring 0.
to_ring0:
        mov eax, K_DATA
        mov fs, eax
        mov gs, eax
        mov esp, [v_kernel_sp]
        mov eax, [v_resume]
        mov dword [v_resume], 0
        jmp eax

        bits 16
far_v86:
        mov ax, cs
        retf

        image_end
