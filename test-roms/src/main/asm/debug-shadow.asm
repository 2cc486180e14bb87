; MOV SS and what waits behind it: single step, watchpoints, INT1, INT3, INT n, faults, general detect.
;
; checks: the trap of TF and of a watchpoint after MOV SS and POP SS: when it comes, with what in DR6, once or twice
; see: SDM 3A 6.8.3 (masking by MOV SS), 3B 18.2.3 (DR6), 18.3.1.4 (single step); KVM's unit test debug
; needs: cpus=1
; status: 33
; QEMU: its TCG has no trap for INT1, and takes watchpoints of MOV SS and steps of STI at other places
; Bochs: drops watchpoints of MOV SS where the next instruction interrupts or faults
; assertions: 15

%include "lib/rom.inc"

DR6_BS  equ 1 << 14
DR6_BD  equ 1 << 13
DR7_GD  equ 1 << 13
CAUSES  equ DR6_BS | DR6_BD | 15
DR7_W0  equ 0x000f0702                  ; DR0 watches reads and writes of 4 bytes

var     steps
var     trail, 96                       ; where and why, 12 of them
var     selector                        ; K_DATA, watched

; Notes each exception: address, then DR6's causes with the vector in the high half. Clears DR6.
note:
        mov ecx, [steps]
        cmp ecx, 12
        jae .full
        mov edx, [ebx]
        mov [trail + ecx * 8], edx
        mov edx, dr6
        and edx, CAUSES
        mov eax, [v_vec]
        shl eax, 16
        or edx, eax
        mov [trail + ecx * 8 + 4], edx
.full:
        inc dword [steps]
        mov edx, 0xffff0ff0
        mov dr6, edx
        cmp dword [v_vec], X_UD
        jne .resume
        add dword [ebx], 2              ; behind UD2
        ret
.resume:
        bt dword [trail + ecx * 8 + 4], 1 ; DR1: an instruction breakpoint, a fault
        jnc .end
        or dword [ebx + 8], RF
.end:
        ret

%macro step_on 0
        pushfd
        or dword [esp], TF
        popfd
%endmacro
%macro step_off 0
        pushfd
        and dword [esp], ~TF
        popfd
%endmacro
; watched: the next test begins with a clean record and the watchpoint on; EBX = K_DATA.
%macro clean 1
        mov dword [steps], 0
        mov eax, 0xffff0ff0
        mov dr6, eax
        mov eax, %1
        mov dr7, eax
        mov ebx, K_DATA
%endmacro
%macro expect_event 4                   ; number, vector, causes, where
        mov eax, [trail + (%1) * 8]
        expect_is eax, %4
        mov eax, [trail + (%1) * 8 + 4]
        expect_eq eax, ((%2) << 16) | (%3)
%endmacro

main:
        mov dword [v_hook], note
        mov dword [selector], K_DATA
        mov eax, selector
        mov dr0, eax

        it "single step: MOV SS has no trap, the instruction behind it has one"
        clean 0x400
        step_on
        mov ss, bx
        nop
.step_1:
        nop
.step_2:
        step_off
        expect_event 0, X_DB, DR6_BS, .step_1
        expect_event 1, X_DB, DR6_BS, .step_2
        it "POP SS is the same"
        clean 0x400
        push ss
        step_on
        pop ss
        nop
.pop_1:
        step_off
        expect_event 0, X_DB, DR6_BS, .pop_1
        it "MOV SS, INT1 under single step: one trap, without BS"
        clean 0x400
        step_on
        mov ss, bx
        int1
.icebp_1:
        nop
.icebp_2:
        step_off
        expect_event 0, X_DB, 0, .icebp_1
        expect_event 1, X_DB, DR6_BS, .icebp_2
        it "MOV SS, INT3 under single step: the breakpoint alone, stepping goes on behind it"
        clean 0x400
        step_on
        mov ss, bx
        int3
.int3_1:
        nop
.int3_2:
        step_off
        expect_event 0, X_BP, 0, .int3_1
        expect_event 1, X_DB, DR6_BS, .int3_2
        it "MOV SS, UD2 under single step: the fault alone"
        clean 0x400
        step_on
        mov ss, bx
.ud:    ud2
        nop
.ud_2:
        step_off
        expect_event 0, X_UD, 0, .ud
        expect_event 1, X_DB, DR6_BS, .ud_2
        it "MOV SS, MOV DR under general detect: BD without BS, at the move"
        clean 0x400 | DR7_GD
        step_on
        mov ss, bx
.gd:    mov eax, dr3
.gd_1:
        step_off
        expect_event 0, X_DB, DR6_BD, .gd
        expect_event 1, X_DB, DR6_BS, .gd_1
        it "a watchpoint hit by MOV SS waits for the next instruction"
        clean DR7_W0
        mov ss, [selector]
        nop
.watch_1:
        nop
        expect_event 0, X_DB, 1, .watch_1
        expect_var steps, 1
        it "a watchpoint hit by MOV SS and single step come as one"
        clean DR7_W0
        step_on
        mov ss, [selector]
        nop
.both_1:
        step_off
        expect_event 0, X_DB, DR6_BS | 1, .both_1
        it "MOV SS with a watchpoint, INT1: one #DB"
        clean DR7_W0
        mov ss, [selector]
        int1
.watch_icebp:
        nop
        expect_var steps, 1
        mov eax, [trail]
        expect_is eax, .watch_icebp
        it "MOV SS with a watchpoint, INT3: #BP behind INT3 and #DB, once each"
        clean DR7_W0
        mov ss, [selector]
        int3
.watch_int3:
        nop
        expect_var steps, 2
        mov eax, [trail + 4]
        or eax, [trail + 12]
        expect_eq eax, (X_BP | X_DB) << 16 | 1
        mov eax, [trail]
        cmp byte [trail + 6], X_BP
        je .bp_first
        mov eax, [trail + 8]
.bp_first:
        expect_is eax, .watch_int3
        it "MOV SS with a watchpoint, INT 1: two #DB"
        clean DR7_W0
        mov ss, [selector]
        int 1
        nop
        expect_var steps, 2
        it "MOV SS with a watchpoint, a fault: both are reported"
        clean DR7_W0
        mov ss, [selector]
        ud2
        nop
        nop
        expect_var steps, 2
        mov eax, [trail + 4]
        or eax, [trail + 12]
        expect_eq eax, (X_UD | X_DB) << 16 | 1
        it "two MOV SS in a row: stepping goes on behind them"
        clean 0x400
        step_on
        mov ss, bx
        mov ss, bx
        nop
        nop
.twice:
        step_off
        mov ecx, [steps]
        cmp ecx, 3
        setae al
        movzx eax, al
        expect_eq eax, 1
        it "STI has no shadow for single step"
        clean 0x400
        step_on
        sti
.sti_1: nop
.sti_2:
        cli
        step_off
        expect_event 0, X_DB, DR6_BS, .sti_1
        expect_event 1, X_DB, DR6_BS, .sti_2
        it "an instruction breakpoint behind MOV SS is lost, the one after it is not"
        clean 0x400
        mov eax, .break_2
        mov dr1, eax
        mov eax, 0x0000040a             ; L1 and, for DR0, G0 as execution
        mov dr7, eax
        mov eax, .break_1
        mov dr0, eax
        mov ss, bx
.break_1:
        nop
.break_2:
        nop
        mov eax, 0x400
        mov dr7, eax
        expect_event 0, X_DB, 2, .break_2
        expect_var steps, 1
        finish

        image_end
