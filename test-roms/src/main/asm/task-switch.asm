; Hardware task switches.
;
; checks: JMP, CALL and IRET between 32-bit tasks, interrupts and faults through task gates, what is saved and loaded, busy
;         bits, links, NT and TS, LDT, CR3, the T bit, local breakpoints, error codes of bad tasks, a 16-bit TSS
; see: SDM 3A 7 (task management); SDM 3B 18.3.1.5 (task-switch exception condition)
; needs: cpus=1
; status: 33
; QEMU: its TCG ignores the T bit, leaves LE set, and the upper halves of registers 0 with a 16-bit TSS
; assertions: 20

%include "lib/rom.inc"

TSS_A   equ FREE                        ; the task that the tests switch to
TSS_16  equ FREE + 0x100
STACK_A equ FREE + 0x1000
STACK_16 equ FREE + 0x1800
S_A     equ SEL_FREE
S_16    equ SEL_FREE + 8
S_GATE  equ SEL_FREE + 16
S_LDT   equ SEL_FREE + 24
LDT_AT  equ FREE + 0x200
CR0_TS  equ 8

LINK    equ 0
T_CR3   equ 0x1c
T_EIP   equ 0x20
T_FLAGS equ 0x24
T_EAX   equ 0x28
T_ECX   equ 0x2c
T_ESP   equ 0x38
T_ES    equ 0x48
T_CS    equ 0x4c
T_SS    equ 0x50
T_DS    equ 0x54
T_FS    equ 0x58
T_GS    equ 0x5c
T_LDT   equ 0x60
T_TRAP  equ 0x64

var     seen_eax
var     seen_flags
var     seen_cr0
var     seen_ldt
var     seen_tr
var     seen_error

; task entry: the TSS of the task, flat, to begin there with EAX = 12345678h and interrupts off.
%macro task 1
        call clear_task
        mov dword [TSS_A + T_EIP], %1
%endmacro

%macro access_byte 2                    ; expect the access byte of a descriptor
        expect_mem b, [gdt + (%1) + 5], %2
%endmacro

main:
        make_descriptor S_A, TSS_A, 0x67, 0x89, 0
        make_descriptor S_16, TSS_16, 0x2b, 0x81, 0
        make_descriptor S_LDT, LDT_AT, 0x1f, 0x82, 0
        it "JMP to a TSS: the new task has the registers of its TSS"
        task .jumped
        jmp S_A:0
.back1: jmp .done1
.jumped:
        mov [seen_eax], eax
        str [seen_tr]
        mov eax, cr0
        mov [seen_cr0], eax
        pushfd
        pop dword [seen_flags]
        clts
        mov ebx, esp
        jmp SEL_TSS32:0
.done1:
        expect_var seen_eax, 0x12345678
        mov ax, [seen_tr]
        expect_eq ax, S_A
        it "it sets CR0.TS, and not NT"
        mov eax, [seen_cr0]
        and eax, CR0_TS
        expect_eq eax, CR0_TS
        mov eax, [seen_flags]
        and eax, NT
        expect_eq eax, 0
        it "the old task resumes behind its JMP"
        clts
        str ax
        expect_eq ax, SEL_TSS32
        mov eax, [TSS32 + T_EIP]
        expect_is eax, .back1
        it "busy bits: the old task's is cleared, the new one's set"
        access_byte S_A, 0x89
        access_byte SEL_TSS32, 0x8b
        it "the state of the task that is left is in its TSS"
        mov eax, [TSS_A + T_ESP]
        expect_eq eax, STACK_A
        mov ax, [TSS_A + T_CS]
        expect_eq ax, K_CODE
        mov eax, [TSS_A + T_EAX]
        and eax, CR0_TS
        expect_eq eax, CR0_TS
        it "CALL to a TSS links the tasks, sets NT and leaves both busy"
        task .called
        call S_A:0
        clts
        jmp .done2
.called:
        pushfd
        pop dword [seen_flags]
        mov al, [gdt + SEL_TSS32 + 5]
        mov [seen_eax], al
        iretd
.done2:
        mov eax, [seen_flags]
        and eax, NT
        expect_eq eax, NT
        mov al, [seen_eax]
        expect_eq al, 0x8b
        expect_mem w, [TSS_A + LINK], SEL_TSS32
        it "IRET with NT goes back by the link and clears NT in the task it leaves"
        str ax
        expect_eq ax, SEL_TSS32
        access_byte S_A, 0x89
        mov eax, [TSS_A + T_FLAGS]
        and eax, NT
        expect_eq eax, 0
        pushfd
        pop eax
        and eax, NT
        expect_eq eax, 0
        it "a task that is called again goes on behind its IRET"
        mov eax, [TSS_A + T_EIP]
        mov dword [TSS_A + T_EIP], .called
        cmp eax, .done2
        sete al
        movzx eax, al
        expect_eq eax, 1
        call S_A:0
        clts
        it "a call through a task gate"
        make_gate gdt + S_GATE, S_A, 0, 0x85
        task .called
        call S_GATE:0
        clts
        expect_mem w, [TSS_A + LINK], SEL_TSS32
        it "an interrupt through a task gate"
        make_gate IDT32 + 0x50 * 8, S_A, 0, 0x85
        task .called
        mov dword [seen_flags], 0
        int 0x50
        clts
        mov eax, [seen_flags]
        and eax, NT
        expect_eq eax, NT
        it "a fault through a task gate: the error code is on the new task's stack"
        mov eax, [IDT32 + X_GP * 8]
        mov edx, [IDT32 + X_GP * 8 + 4]
        make_gate IDT32 + X_GP * 8, S_A, 0, 0x85
        task .fault
        mov ebx, 0x1230
        mov es, bx
        jmp .done3
.fault: pop dword [seen_error]
        mov dword [TSS32 + T_EIP], .done3
        iretd
.done3:
        clts
        mov [IDT32 + X_GP * 8], eax
        mov [IDT32 + X_GP * 8 + 4], edx
        expect_var seen_error, 0x1230
        it "the LDT comes with the task"
        task .ldt
        mov word [TSS_A + T_LDT], S_LDT
        mov dword [LDT_AT + 8], 0x0000ffff
        mov dword [LDT_AT + 12], 0x00cf9300
        mov word [TSS_A + T_FS], 0xc
        call S_A:0
        clts
        jmp .done4
.ldt:   sldt [seen_ldt]
        mov eax, [fs:FREE + T_LDT]
        iretd
.done4:
        mov ax, [seen_ldt]
        expect_eq ax, S_LDT
        sldt ax
        expect_eq ax, 0
        it "the T bit: #DB with BT before the first instruction of the new task"
        task .called
        mov word [TSS_A + T_TRAP], 1
        mov eax, 0xffff0ff0
        mov dr6, eax
        mov dword [v_hook], .note_t
        call S_A:0
        clts
        mov dword [v_hook], 0
        mov eax, [t_ip]
        expect_is eax, .called
        mov eax, [t_dr6]
        and eax, 0xe00f
        expect_eq eax, 0x8000
        it "a switch clears the local enables of DR7 and keeps the global ones"
        task .called
        mov eax, FREE + 0x3000
        mov dr0, eax
        mov dr1, eax
        mov eax, 0x509                  ; L0, G1, LE
        mov dr7, eax
        call S_A:0
        clts
        mov eax, dr7
        expect_eq eax, 0x408
        mov eax, 0x400
        mov dr7, eax
        it "a busy task cannot be called: #GP with its selector"
        task .called
        mov byte [gdt + S_A + 5], 0x8b
        faults X_GP, S_A, call S_A:0
        mov byte [gdt + S_A + 5], 0x89
        it "one that is not present: #NP"
        mov byte [gdt + S_A + 5], 0x09
        faults X_NP, S_A, call S_A:0
        mov byte [gdt + S_A + 5], 0x89
        it "a TSS that is too short: #TS"
        make_descriptor S_A, TSS_A, 0x66, 0x89, 0
        faults X_TS, S_A, call S_A:0
        make_descriptor S_A, TSS_A, 0x67, 0x89, 0
        it "a bad DS in the new task: #TS in the new task"
        task .called
        mov word [TSS_A + T_DS], SEL_TSS32
        mov dword [v_hook], .note_ts
        call S_A:0
        unreachable
.in_a:
        ; here in the new task, on its stack
        mov dword [v_hook], 0
        str ax
        mov [seen_tr], ax
        mov dword [TSS32 + T_EIP], .done5
        pushfd
        pop eax
        or eax, NT
        push eax
        popfd
        iretd
.done5:
        clts
        expect_var ts_error, SEL_TSS32
        mov ax, [seen_tr]
        expect_eq ax, S_A
        it "IRET with NT and a link to a task that is not busy: #TS"
        mov word [TSS32 + LINK], S_A
        pushfd
        or dword [esp], NT
        popfd
        faults X_TS, S_A, iretd
        pushfd
        and dword [esp], ~NT
        popfd
        it "a 16-bit TSS: 16-bit registers, the upper halves are all ones"
        call clear_16
        call S_16:0
        clts
        mov eax, [seen_eax]
        expect_eq eax, 0xffff5678
        access_byte S_16, 0x81
        finish

.note_t:
        mov edx, [ebx]
        mov [t_ip], edx
        mov edx, dr6
        mov [t_dr6], edx
        mov word [TSS_A + T_TRAP], 0
        ret
.note_ts:
        mov edx, [v_err]
        mov [ts_error], edx
        ; DS cannot be loaded again as it was
        mov esp, STACK_A
        mov edx, K_DATA
        mov fs, edx
        mov gs, edx
        jmp .in_a

; What the 16-bit task runs, in a 32-bit code segment below 64 KiB.
task16:
        mov [seen_eax], eax
        iretd

clear_task:
        pushad
        mov edi, TSS_A
        mov ecx, 0x68 / 4
        xor eax, eax
        rep stosd
        mov dword [TSS_A + T_FLAGS], 2
        mov dword [TSS_A + T_EAX], 0x12345678
        mov dword [TSS_A + T_ESP], STACK_A
        mov dword [TSS_A + T_CS], K_CODE
        mov dword [TSS_A + T_SS], K_DATA
        mov dword [TSS_A + T_DS], K_DATA
        mov dword [TSS_A + T_ES], K_DATA
        popad
        ret

clear_16:
        pushad
        mov edi, TSS_16
        mov ecx, 0x2c / 4
        xor eax, eax
        rep stosd
        mov word [TSS_16 + 0x0e], task16
        mov word [TSS_16 + 0x10], 2
        mov word [TSS_16 + 0x12], 0x5678
        mov word [TSS_16 + 0x1a], 0x4000
        mov word [TSS_16 + 0x22], K_DATA
        mov word [TSS_16 + 0x24], K_CODE
        mov word [TSS_16 + 0x26], K_DATA16
        mov word [TSS_16 + 0x28], K_DATA
        popad
        ret

        align 4
t_ip:   dd 0
t_dr6:  dd 0
ts_error equ v_user + 0xf8

        image_end
