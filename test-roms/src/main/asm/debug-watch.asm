; Data breakpoints.
;
; checks: lengths of 1, 2, 4 and 8 bytes with their alignment, reads against writes, which instructions access what, several
;         at once, strings, stack pushes, page-crossing accesses, page-table walks and instruction fetches that do not count
; see: SDM 3B 18.2.4, 18.2.5 (debug control register, breakpoint field recognition), 18.3.1.2
; needs: cpus=1
; status: 33
; QEMU: its TCG compares whole addresses without their alignment, and reports one of several hits
; assertions: 21

%define WITH_LONG
%include "lib/rom.inc"

WATCH   equ FREE + 0x100
RW_W    equ 1
RW_RW   equ 3
LEN1    equ 0
LEN2    equ 1
LEN4    equ 3
LEN8    equ 2

var     hits
var     both
var     trap_ip
var     trap_dr6

note_trap:
        inc dword [hits]
        mov edx, [ebx]
        mov [trap_ip], edx
        mov edx, dr6
        mov [trap_dr6], edx
        mov edx, 0xffff0ff0
        mov dr6, edx
        ret

note_both:
        mov edx, dr6
        and edx, 0x4001
        cmp edx, 0x4001
        jne .one
        inc dword [both]
.one:   mov edx, 0xffff0ff0
        mov dr6, edx
        ret

; watch number, address, kind, length: that breakpoint alone.
%macro watch 4
        mov eax, %2
        mov dr%1, eax
        mov eax, 0x700 | (2 << (2 * (%1))) | (((%3) | ((%4) << 2)) << (16 + 4 * (%1)))
        mov dr7, eax
        mov dword [hits], 0
        mov dword [trap_dr6], 0
%endmacro

; hit number, instruction: it traps once, behind itself, and DR6 has that breakpoint.
%macro hit 2+
        mov dword [hits], 0
        %2
%%behind:
        expect_var hits, 1
        expect_var trap_ip, %%behind
        mov eax, [trap_dr6]
        and eax, 0x600f
        expect_eq eax, 1 << (%1)
%endmacro

%macro miss 1+
        mov dword [hits], 0
        %1
        expect_var hits, 0
%endmacro

main:
        mov dword [v_hook], note_trap
        mov eax, 0xffff0ff0
        mov dr6, eax
        mov esi, WATCH
        it "one byte: writes to it, in any width"
        watch 0, WATCH + 1, RW_W, LEN1
        hit 0, mov byte [esi + 1], 5
        hit 0, mov word [esi], 5
        hit 0, mov word [esi + 1], 5
        hit 0, mov dword [esi - 2], 5
        it "not to its neighbours"
        miss mov byte [esi], 5
        miss mov byte [esi + 2], 5
        miss mov dword [esi + 2], 5
        miss mov dword [esi - 3], 5
        it "not reads of it"
        miss mov ecx, [esi]
        miss cmp byte [esi + 1], 0
        it "reads too, where asked for"
        watch 1, WATCH + 1, RW_RW, LEN1
        hit 1, mov ecx, [esi]
        hit 1, test byte [esi + 1], 1
        hit 1, mov byte [esi + 1], 0
        miss mov cl, [esi]
        it "two bytes: the address is aligned to two"
        watch 2, WATCH + 3, RW_W, LEN2
        hit 2, mov byte [esi + 2], 1
        hit 2, mov byte [esi + 3], 1
        miss mov byte [esi + 1], 1
        miss mov byte [esi + 4], 1
        it "four bytes: aligned to four"
        watch 3, WATCH + 7, RW_W, LEN4
        hit 3, mov byte [esi + 4], 1
        hit 3, mov byte [esi + 7], 1
        hit 3, mov word [esi + 3], 1
        miss mov byte [esi + 3], 1
        miss mov byte [esi + 8], 1
        it "a read-modify-write is a write, once"
        watch 0, WATCH, RW_W, LEN4
        hit 0, inc dword [esi]
        hit 0, lock add [esi], ecx
        hit 0, xchg [esi], ecx
        it "a compare-and-exchange that fails writes what was there"
        mov dword [esi], 7
        mov ebx, 9
        mov eax, 8
        mov dword [hits], 0
        lock cmpxchg [esi], ebx
        expect_var hits, 1
        it "push and call access the stack"
        mov edx, esp
        mov esp, WATCH + 8
        watch 0, WATCH + 4, RW_W, LEN4
        mov dword [hits], 0
        push edx
        mov esp, edx
        expect_var hits, 1
        mov esp, WATCH + 8
        mov dword [hits], 0
        call .called
.called:
        mov esp, edx
        expect_var hits, 1
        it "a string instruction traps after the iteration that hit"
        mov edi, WATCH + 0x10
        mov ecx, 16
        mov al, 0
        mov edx, WATCH + 0x18
        mov dr0, edx
        mov edx, 0x702 | (RW_W | (LEN1 << 2)) << 16
        mov dr7, edx
        mov dword [hits], 0
        cld
.rep:   rep stosb
        expect_var hits, 1
        expect_eq ecx, 0
        it "two breakpoints that hit together are both in DR6"
        mov eax, WATCH
        mov dr0, eax
        mov eax, WATCH + 2
        mov dr1, eax
        mov eax, 0x70a | (RW_W | (LEN2 << 2)) << 16 | (RW_RW | (LEN1 << 2)) << 20
        mov dr7, eax
        mov dword [hits], 0
        mov dword [esi], 0
        expect_var hits, 1
        mov eax, [trap_dr6]
        and eax, 15
        expect_eq eax, 3
        it "the local enable does as well as the global one"
        mov eax, 0x701 | (RW_W | (LEN4 << 2)) << 16
        mov dr7, eax
        hit 0, mov [esi], ecx
        it "an access that crosses a page hits on its second page"
        mov edi, FREE + 0x1ffe
        watch 1, FREE + 0x2000, RW_W, LEN1
        hit 1, mov [edi], ecx
        it "instruction fetches are no reads"
        watch 1, .code, RW_RW, LEN4
        mov dword [hits], 0
        jmp .code
        align 4
.code:  nop
        nop
        nop
        nop
        expect_var hits, 0
        it "DR6 keeps its bits until software clears them"
        watch 2, WATCH, RW_W, LEN4
        mov dword [v_hook], .keep
        mov [esi], ecx
        mov dword [v_hook], note_trap
        mov eax, dr6
        and eax, 15
        expect_eq eax, 4
        mov eax, 0xffff0ff0
        mov dr6, eax
        it "a fault before the access is done does not report it"
        mov dword [v_hook], 0
        watch 0, WATCH, RW_RW, LEN4
        faults X_GP, 0, mov [cs:esi], eax
        mov eax, dr6
        and eax, 15
        expect_eq eax, 0
        it "the single step and a breakpoint come in one exception"
        mov dword [v_hook], note_both
        watch 0, WATCH, RW_W, LEN4
        pushfd
        or dword [esp], TF
        popfd
        mov [esi], ecx
        pushfd
        and dword [esp], ~TF
        popfd
        mov eax, 0x700
        mov dr7, eax
        expect_var both, 1
        mov dword [v_hook], note_trap
        it "a breakpoint on what an interrupt pushes traps before the handler's first instruction"
        make_gate IDT32 + 0x50 * 8, K_CODE, .handler, 0x8e
        mov edx, esp
        mov esp, WATCH + 0x40
        mov eax, WATCH + 0x3c
        mov dr0, eax
        mov eax, 0x702 | (RW_W | (LEN4 << 2)) << 16
        mov dr7, eax
        mov dword [hits], 0
        int 0x50
        mov esp, edx
        expect_var hits, 1
        expect_var trap_ip, .handler
        mov eax, 0x700
        mov dr7, eax
        ; ------------------------------------------------------------ 64 bits
        mov dword [v_hook], 0
        to_long
        mov dword [v_hook], note64
        mov esi, WATCH
        it "eight bytes, in 64-bit mode"
        mov eax, WATCH + 7
        mov dr0, rax
        mov eax, 0x702 | (RW_W | (LEN8 << 2)) << 16
        mov dr7, rax
        mov dword [hits], 0
        mov byte [rsi], 1
        expect_var hits, 1
        mov byte [rsi + 7], 1
        expect_var hits, 2
        mov byte [rsi + 8], 1
        expect_var hits, 2
        mov [rsi - 4], rcx
        expect_var hits, 3
        it "DR6 and DR7 take no upper halves: #GP"
        mov dword [v_hook], 0
        mov rbx, 1 << 32
        faults X_GP, 0, mov dr7, rbx
        faults X_GP, 0, mov dr6, rbx
        it "the breakpoint addresses have 64 bits"
        mov rax, 0xffff800000000000 + WATCH
        mov dr0, rax
        mov rbx, dr0
        expect_same rax, rbx
        mov dword [v_hook], note64
        mov dword [hits], 0
        mov [rsi], ecx
        expect_var hits, 0
        mov eax, 0x700
        mov dr7, rax
        finish
        bits 32
.keep:
        ret
.handler:
        iretd

        bits 64
note64:
        inc dword [hits]
        ret

        image_end
