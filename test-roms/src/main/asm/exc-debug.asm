; Debug exceptions: single step, MOV SS and POP SS shadows, RF, breakpoint registers.
;
; checks: TF after each instruction, over REP, INT and POPF; DR6 bits; instruction, data and I/O breakpoints; RF; general
;         detect
; see: SDM 3B 18.2, 18.3 (debug registers and exceptions), 6.8.3 (masking by MOV SS)
; needs: cpus=1
; status: 33
; QEMU: its TCG has no trap for INT1
; assertions: 21

%include "lib/rom.inc"

DR6_BS  equ 1 << 14
DR6_BD  equ 1 << 13
DR7_GD  equ 1 << 13

var     steps
var     trail, 128
var     first_flags

; Counts #DB, notes where and DR6, clears DR6.
note_step:
        mov ecx, [steps]
        cmp ecx, 15
        jae .full
        test ecx, ecx
        jnz .later
        mov edx, [ebx + 8]
        mov [first_flags], edx
.later:
        mov edx, [ebx]
        mov [trail + ecx * 8], edx
        mov edx, dr6
        mov [trail + ecx * 8 + 4], edx
.full:
        inc dword [steps]
        mov edx, 0xffff0ff0
        mov dr6, edx
        ret

; The same, and sets RF for the return.
note_and_resume:
        call note_step
        or dword [ebx + 8], RF
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

%macro expect_trail 2                   ; number, label
        mov eax, [trail + (%1) * 8]
        expect_is eax, %2
%endmacro

main:
        mov dword [v_hook], note_step
        mov eax, 0xffff0ff0
        mov dr6, eax
        it "TF traps after each instruction, the first after the POPF that set it"
        mov dword [steps], 0
        step_on
.a:     nop
.b:     nop
.c:     pushfd
        and dword [esp], ~TF
        popfd
.d:
        ; popf loads TF = 0, and still traps: TF was set when it began
        expect_var steps, 5
        expect_trail 0, .b
        expect_trail 1, .c
        expect_trail 4, .d
        it "DR6 has BS"
        mov eax, [trail + 4]
        and eax, DR6_BS | 15
        expect_eq eax, DR6_BS
        it "the pushed flags have TF"
        mov eax, [first_flags]
        and eax, TF
        expect_eq eax, TF
        it "mov ss defers the trap past the next instruction"
        mov dword [steps], 0
        mov bx, ss
        step_on
        mov ss, bx
.ss_next:
        nop
.ss_after:
        step_off
        expect_trail 0, .ss_after
        it "pop ss does so too"
        mov dword [steps], 0
        push ss
        step_on
        pop ss
        nop
.pop_after:
        step_off
        expect_trail 0, .pop_after
        it "a repeated instruction traps after each iteration"
        mov dword [steps], 0
        mov ecx, 3
        mov edi, FREE
        step_on
.rep:   rep stosb
.rep_after:
        step_off
        expect_trail 0, .rep
        expect_trail 1, .rep
        expect_trail 2, .rep_after
        it "int n clears TF: the handler is not stepped, the trap comes after the return"
        mov dword [steps], 0
        make_gate IDT32 + 0x50 * 8, K_CODE, .handler, 0x8f
        step_on
        int 0x50
.int_after:
        nop
.int_after2:
        step_off
        expect_trail 0, .int_after2
        it "a taken jump traps at its target"
        mov dword [steps], 0
        step_on
        jmp .target
        nop
.target:
        nop
        step_off
        expect_trail 0, .target
        it "int1 (F1) is a trap without BS"
        mov dword [steps], 0
        db 0xf1
.int1_after:
        expect_var steps, 1
        expect_trail 0, .int1_after
        mov eax, [trail + 4]
        and eax, DR6_BS
        expect_eq eax, 0
        it "an instruction breakpoint is a fault at the instruction; RF lets it run"
        mov dword [v_hook], note_and_resume
        mov dword [steps], 0
        mov eax, .breakpoint
        mov dr0, eax
        mov eax, 0x702                  ; G0, execute
        mov dr7, eax
        nop
.breakpoint:
        nop
        nop
        expect_var steps, 1
        expect_trail 0, .breakpoint
        mov eax, [trail + 4]
        and eax, DR6_BS | 15
        expect_eq eax, 1
        it "iret with RF set in the frame skips it once"
        mov dword [steps], 0
        pushfd
        or dword [esp], RF
        push cs
        push dword .breakpoint2
        mov eax, .breakpoint2
        mov dr0, eax
        iretd
.breakpoint2:
        nop
        expect_var steps, 0
        it "RF is clear after one instruction"
        pushfd
        pop eax
        and eax, RF
        expect_eq eax, 0
        it "an instruction breakpoint behind mov ss is lost"
        mov dword [steps], 0
        mov eax, .ss_break
        mov dr0, eax
        mov bx, ss
        mov ss, bx
.ss_break:
        nop
        nop
        expect_var steps, 0
        it "faults push RF set, traps and interrupts clear"
        mov dword [v_hook], 0
        mov eax, 0x700
        mov dr7, eax
        faults X_UD, NONE, ud2
        mov eax, [v_flags]
        and eax, RF
        expect_eq eax, RF
        traps X_BP, int3
        mov eax, [v_flags]
        and eax, RF
        expect_eq eax, 0
        mov dword [v_hook], note_step
        it "a data write breakpoint is a trap after the write"
        mov dword [steps], 0
        mov eax, FREE + 4
        mov dr1, eax
        mov eax, 0x00d00708             ; G1, write, 4 bytes
        mov dr7, eax
        mov eax, [FREE + 4]
        mov byte [FREE + 6], 0x12
.written:
        nop
        expect_var steps, 1
        expect_trail 0, .written
        mov eax, [trail + 4]
        and eax, 15
        expect_eq eax, 2
        it "a data access breakpoint sees reads"
        mov dword [steps], 0
        mov eax, 0x00f00708             ; G1, read or write, 4 bytes
        mov dr7, eax
        mov al, [FREE + 3]
        mov al, [FREE + 8]
        mov eax, [FREE + 1]
.read:
        nop
        expect_var steps, 1
        expect_trail 0, .read
        it "a breakpoint that is not enabled only shows in DR6 or not at all"
        mov dword [steps], 0
        mov eax, 0x00f00700
        mov dr7, eax
        mov eax, [FREE + 4]
        expect_var steps, 0
        it "general detect: a debug register access raises #DB before it happens and clears GD"
        mov dword [v_hook], 0
        mov eax, 0x700 | DR7_GD
        mov dr7, eax
        faults X_DB, NONE, mov ebx, dr0
        mov eax, dr7
        and eax, DR7_GD
        expect_eq eax, 0
        mov eax, dr6
        and eax, DR6_BD
        expect_eq eax, DR6_BD
        it "DR4 and DR5 are DR6 and DR7 without CR4.DE, #UD with it"
        mov eax, 0xffff0ff0
        mov dr6, eax
        db 0x0f, 0x21, 0xe3             ; mov ebx, dr4
        mov eax, dr6
        expect_same ebx, eax
        mov eax, cr4
        or eax, 8
        mov cr4, eax
        faults X_UD, NONE, db 0x0f, 0x21, 0xe3
        it "an I/O breakpoint (CR4.DE) traps after the access"
        mov dword [v_hook], note_step
        mov dword [steps], 0
        mov eax, 0x21
        mov dr2, eax
        mov eax, 0x02000720             ; G2, I/O, 1 byte
        mov dr7, eax
        in al, 0x21
.io_after:
        mov eax, 0x700
        mov dr7, eax
        expect_var steps, 1
        expect_trail 0, .io_after
        it "DR6 and DR7 have fixed bits"
        mov eax, 0
        mov dr7, eax
        mov eax, dr7
        expect_eq eax, 0x400
        mov eax, 0
        mov dr6, eax
        mov eax, dr6
        and eax, 0xfffeffff & ~0x800    ; BLD and RTM vary with the CPU model
        expect_eq eax, 0xfffe07f0
        finish

.handler:
        nop
        iretd

        image_end
