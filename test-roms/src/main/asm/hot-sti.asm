; STI, CLI, STAC and CLAC in hot 64-bit code.
;
; checks: an interrupt that waits comes one instruction behind STI, whatever that is; CLI behind STI lets none in; STI with
;         HLT loses none; interrupts inside of nested calls; STAC and CLAC open and close user pages at each turn
; see: SDM 2 (STI, CLI, STAC, CLAC), SDM 3A 6.8.1 (masking), 4.6 (access rights)
; needs: cpus=1
; status: 33
; assertions: 17

%define WITH_LONG
%include "lib/rom.inc"
%include "lib/chips.inc"

VECTOR  equ 0x40
TURNS   equ 3000
USER    equ 0x70000                     ; a user page; all else becomes supervisor
CR4_SMAP equ 1 << 21

var     taken                           ; interrupts
var     misplaced                       ; those that came elsewhere than expected
var     expected
var     opened                          ; page faults

; The handler's hook: counts, and looks where the interrupt came. A page fault goes on behind the access at R14.
        bits 64
hook:
        cmp dword [v_vec], VECTOR
        jne .fault
        inc dword [taken]
        mov eax, [expected]
        test eax, eax
        jz .anywhere
        cmp eax, [v_ip]
        je .anywhere
        inc dword [misplaced]
.anywhere:
        mov eax, APIC_EOI
        mov dword [rax], 0
        ret
.fault:
        cmp dword [v_vec], X_PF
        jne .unexpected
        inc dword [opened]
        mov [rbx], r14
        ret
.unexpected:
        unreachable
        finish
        bits 32

; An interrupt waits, as interrupts are off.
%macro request 0
        mov dword [rdi + APIC_ICR_LOW - APIC], APIC_SELF | VECTOR
%endmacro
%macro begin 1                          ; where the interrupt has to come
        mov dword [taken], 0
        mov dword [misplaced], 0
        mov dword [expected], %1
        mov ebp, TURNS
%endmacro
%macro ticks_on 1
        mov dword [rdi + APIC_TIMER_DCR - APIC], 0xb
        mov dword [rdi + APIC_LVT_TIMER - APIC], VECTOR | APIC_PERIODIC
        mov dword [rdi + APIC_TIMER_ICR - APIC], %1
%endmacro
%macro ticks_off 0
        mov dword [rdi + APIC_LVT_TIMER - APIC], APIC_MASKED
        mov dword [rdi + APIC_TIMER_ICR - APIC], 0
        sti
        nop
        nop
        cli
%endmacro

main:
        apic_on
        to_long
        mov qword [v_hook], hook
        mov edi, APIC

        it "one instruction behind STI"
        begin .plain
        xor ecx, ecx
.plain_turn:
        request
        sti
        inc ecx
.plain: cli
        dec ebp
        jnz .plain_turn
        expect_eq ecx, TURNS
        expect_var taken, TURNS
        expect_var misplaced, 0

        it "behind STI and RET"
        begin .returned
.ret_turn:
        request
        call sti_and_ret
.returned:
        cli
        dec ebp
        jnz .ret_turn
        expect_var taken, TURNS
        expect_var misplaced, 0

        it "behind STI and CALL"
        begin function
.call_turn:
        request
        sti
        call function
        dec ebp
        jnz .call_turn
        expect_var taken, TURNS
        expect_var misplaced, 0

        it "behind STI and a jump, taken or not"
        begin .jumped
.jump_turn:
        request
        sti
        jmp .jumped
        nop
.jumped:
        cli
        dec ebp
        jnz .jump_turn
        expect_var taken, TURNS
        expect_var misplaced, 0
        begin .fell
.fall_turn:
        request
        test ebp, ebp
        sti
        jz .jumped
.fell:  cli
        dec ebp
        jnz .fall_turn
        expect_var taken, TURNS
        expect_var misplaced, 0

        it "behind STI and PUSH, POP and a read of a device"
        begin .popped
.push_turn:
        request
        push rbp
        sti
        pop rax
.popped:
        cli
        dec ebp
        jnz .push_turn
        expect_var taken, TURNS
        expect_var misplaced, 0
        begin .read
.read_turn:
        request
        sti
        mov eax, [rdi + APIC_VERSION - APIC]
.read:  cli
        dec ebp
        jnz .read_turn
        expect_var taken, TURNS
        expect_var misplaced, 0

        it "a jump back right behind STI"
        begin .back
        jmp .back_in
.back:  cli
        request
        dec ebp
        js .back_done
.back_in:
        sti
        jmp .back
.back_done:
        sti
        nop
        cli
        expect_var misplaced, 1         ; the last one comes behind NOP

        it "STI with interrupts on changes nothing"
        begin 0
        sti
        mov ecx, 5 * TURNS
.on_turn:
        sti
        dec ecx
        jnz .on_turn
        cli
        expect_var taken, 0

        it "CLI behind STI lets none in"
        begin 0
        request
.closed_turn:
        sti
        cli
        dec ebp
        jnz .closed_turn
        expect_var taken, 0
        sti
        nop
        cli
        expect_var taken, 1

        it "nor any that comes meanwhile"
        begin 0
        mov ecx, 20 * TURNS
        ticks_on 50000
.timer_turn:
        sti
        cli
        dec ecx
        jnz .timer_turn
        expect_var taken, 0
        ticks_off

        it "STI and HLT lose none"
        begin .awake
        mov ebp, 2000
.halt_turn:
        request
        sti
        hlt
.awake: cli
        dec ebp
        jnz .halt_turn
        expect_var taken, 2000
        expect_var misplaced, 0

        it "interrupts inside of nested calls, with all registers kept"
        begin 0
        ticks_on 50000
        mov r12, 0x1212121212121212
        xor ecx, ecx
        xor edx, edx
.nested_turn:
        call outer
        add edx, 3
        cmp dword [taken], 30
        jb .nested_turn
        ticks_off
        imul ecx, ecx, 3                ; two to each 3 of EDX
        add edx, edx
        sub edx, ecx
        expect_eq edx, 0
        mov rax, 0x1212121212121212
        cmp rax, r12
        je .kept
        unreachable
.kept:
        mov eax, 7
        xor ecx, ecx
        cpuid
        bt ebx, 20
        jnc .no_smap
        mov rdi, PT0
        mov ecx, 512
.super:
        and dword [rdi], ~P_U
        add rdi, 8
        loop .super
        mov rdi, PD0 + 8
        mov ecx, 2047
.super2:
        and dword [rdi], ~P_U
        add rdi, 8
        loop .super2
        or dword [PT0 + (USER >> 12) * 8], P_U
        mov rax, cr4
        or eax, CR4_SMAP
        mov cr4, rax
        mov rax, cr3
        mov cr3, rax
        mov esi, USER
        mov dword [opened], 0

        it "STAC and CLAC at each turn: what lies between may use the user's page"
        stac
        mov dword [rsi], 0
        clac
        mov ebp, TURNS
        xor ecx, ecx
.open_turn:
        stac
        add dword [rsi], 3
        mov eax, [rsi]
        clac
        add ecx, 3
        cmp eax, ecx
        jne .open_bad
        dec ebp
        jnz .open_turn
.open_bad:
        expect_eq ebp, 0
        expect_var opened, 0

        it "what lies behind CLAC may not, at any turn"
        mov ebp, 2000
        mov r14d, .shut
.shut_turn:
        stac
        mov eax, [rsi]
        clac
        mov eax, [rsi]                  ; raises #PF
        inc dword [rsi]                 ; and is left here
.shut:  dec ebp
        jnz .shut_turn
        expect_var opened, 2000

        it "nor in a loop that is entered with the pages open"
        mov dword [opened], 0
        mov ebp, 2000
        mov r14d, .entered_shut
        stac
        jmp .entered_turn
.entered_turn:
        mov eax, [rsi]
        clac
        mov eax, [rsi]                  ; raises #PF
        jmp .entered_bad
.entered_shut:
        stac
        dec ebp
        jnz .entered_turn
.entered_bad:
        clac
        expect_eq ebp, 0
        expect_var opened, 2000

        it "nor where a call lies between them"
        mov dword [opened], 0
        mov ebp, 2000
        mov r14d, .called
.called_turn:
        call open
        mov eax, [rsi]
        call close
        mov eax, [rsi]                  ; raises #PF
        jmp .called_bad
.called:
        dec ebp
        jnz .called_turn
.called_bad:
        expect_eq ebp, 0
        expect_var opened, 2000

        it "the kernel's own pages are there in either state"
        mov ebp, TURNS
        mov dword [FREE], 0
.own_turn:
        stac
        inc dword [FREE]
        clac
        inc dword [FREE]
        dec ebp
        jnz .own_turn
        expect_mem d, [FREE], 2 * TURNS

        it "AC is what the last of them said"
        mov ebp, TURNS
        xor ecx, ecx
.ac_turn:
        stac
        pushfq
        pop rax
        shr eax, 18
        and eax, 1
        add ecx, eax
        clac
        pushfq
        pop rax
        shr eax, 18
        and eax, 1
        sub ecx, eax
        dec ebp
        jnz .ac_turn
        expect_eq ecx, TURNS
        finish
.no_smap:
        it_or "STAC and CLAC at each turn: what lies between may use the user's page"
        it_or "what lies behind CLAC may not, at any turn"
        it_or "nor in a loop that is entered with the pages open"
        it_or "nor where a call lies between them"
        it_or "the kernel's own pages are there in either state"
        it_or "AC is what the last of them said"
        finish

sti_and_ret:
        sti
        ret
function:
        cli
        ret
open:   stac
        ret
close:  clac
        ret
outer:
        push r12
        call middle
        pop r12
        ret
middle:
        sub rsp, 8
        call inner
        sti
        call inner
        cli
        add rsp, 8
        ret
inner:
        sti
        inc ecx
        cli
        ret

        image_end
