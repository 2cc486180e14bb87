; INT1 (ICEBP, opcode F1).
;
; checks: a trap with vector 1 that looks at no DPL and no IOPL and leaves DR6 alone; in all modes; against INT 1 (CD 01)
; see: SDM 2 (INT n/INTO/INT3/INT1); AMD64 APM 3 (INT)
; needs: cpus=1
; status: 33
; QEMU: its TCG has no trap for INT1
; assertions: 11

%define WITH_REAL
%define WITH_LONG
%include "lib/rom.inc"

%define icebp db 0xf1

var     real_count
var     real_ip
var     v86_count
var     v86_ip
var     v86_flags

        bits 32
v86_hook:
        cmp dword [v_vec], X_DB
        jne .leave
        inc dword [v86_count]
        mov edx, [ebx]
        mov [v86_ip], edx
        mov edx, [ebx + 8]
        mov [v86_flags], edx
        ret
.leave:
        mov eax, K_DATA
        mov fs, eax
        mov gs, eax
        mov esp, [v_kernel_sp]
        jmp v86_left

main:
        mov eax, 0xffff0ff0
        mov dr6, eax
        it "protected mode: a trap, IP behind it, no error code"
        traps X_DB, icebp
        it "DR6 stays as it was"
        mov eax, dr6
        and eax, 0xe00f
        expect_eq eax, 0
        it "RF is clear in the frame"
        mov eax, [v_flags]
        and eax, RF
        expect_eq eax, 0
        it "bits of DR6 that software left are still there"
        mov eax, 0xffff4ff1
        mov dr6, eax
        traps X_DB, icebp
        mov eax, dr6
        and eax, 0x400f
        expect_eq eax, 0x4001
        mov eax, 0xffff0ff0
        mov dr6, eax
        it "from ring 3: the gate's DPL does not count"
        to_user
        traps X_DB, icebp
        mov eax, [v_cs]
        from_user
        expect_eq eax, U_CODE
        it "INT 1 from ring 3: it does"
        to_user
        faults X_GP, X_DB * 8 + 2, int 1
        from_user
        it "virtual-8086 mode at IOPL 0: no #GP"
        mov dword [v_hook], v86_hook
        to_v86 0x20002
        icebp
v86_after:
        hlt                             ; #GP: back to ring 0
        bits 32
v86_left:
        mov dword [v_ds], U_DATA
        mov dword [v_hook], 0
        expect_var v86_count, 1
        mov eax, [v86_ip]
        expect_is eax, v86_after
        mov eax, [v86_flags]
        and eax, VM
        expect_eq eax, VM
        it "under TF it is one trap, and the handler is not stepped"
        mov dword [v_count], 0
        mov dword [v_hook], clear_dr6
        pushfd
        or dword [esp], TF
        popfd
        icebp
        pushfd
        and dword [esp], ~TF
        popfd
        mov dword [v_hook], 0
        ; one for ICEBP, then pushfd, and, popfd
        expect_var v_count, 4
        it "real mode: by the interrupt vector table"
        to_real
        bits 16
        mov word [dword 4], real_handler
        mov word [dword 6], 0
        icebp
real_after:
        from_real
        bits 32
        expect_var real_count, 1
        mov eax, [real_ip]
        and eax, 0xffff
        expect_is eax, real_after
        it "64-bit mode"
        to_long
        traps X_DB, icebp
        expect_mem d, [v_cs], K_CODE64
        it "64-bit mode, from ring 3"
        to_user64
        traps X_DB, icebp
        mov eax, [v_cs]
        from_user64
        expect_eq eax, U_CODE64
        finish
        bits 32
clear_dr6:
        mov edx, 0xffff0ff0
        mov dr6, edx
        ret

        bits 16
real_handler:
        push bp
        mov bp, sp
        push eax
        inc dword [dword real_count]
        mov ax, [bp + 2]
        mov [dword real_ip], ax
        pop eax
        pop bp
        iret

        image_end
