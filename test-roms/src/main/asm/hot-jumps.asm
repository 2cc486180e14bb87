; Hot control flow that does something else one day: indirect jumps and calls, returns, loops, conditions.
;
; checks: jump tables whose targets change, calls through registers and memory, returns to other addresses than the call
;         left, calls that pop their return address, deep recursion, all conditions both ways, LOOP, JRCXZ, loops that
;         are entered in the middle, jumps into the middle of instructions, branches across pages
; see: SDM 2 (JMP, CALL, RET, Jcc, LOOP), SDM 1 3.4.3
; needs: cpus=1
; status: 33
; assertions: 15

%define WITH_LONG
%include "lib/rom.inc"

TURNS   equ 40000

%macro both_ways 1                      ; j%1 is taken and not taken: counts in EBX and ESI
        mov ecx, TURNS
        xor ebx, ebx
        xor esi, esi
%%again:
        mov eax, ecx
        and eax, 7
        cmp eax, 4
        j%1 %%taken
        inc ebx
        jmp %%next
%%taken:
        inc esi
%%next:
        dec ecx
        jnz %%again
%endmacro

main:
        to_long
        it "a jump table of eight targets, used evenly"
        mov ecx, TURNS
        xor ebx, ebx
.table_loop:
        mov eax, ecx
        and eax, 7
        jmp [table + rax * 8]
.t0:    add ebx, 1
        jmp .table_next
.t1:    add ebx, 2
        jmp .table_next
.t2:    add ebx, 4
        jmp .table_next
.t3:    add ebx, 8
        jmp .table_next
.t4:    add ebx, 16
        jmp .table_next
.t5:    add ebx, 32
        jmp .table_next
.t6:    add ebx, 64
        jmp .table_next
.t7:    add ebx, 128
.table_next:
        dec ecx
        jnz .table_loop
        cmp byte [rounds], 0
        jne .table_again
        expect_eq ebx, TURNS / 8 * 255
        it "the table changes"
        mov rax, [table]
        mov rdx, [table + 56]
        mov [table], rdx
        mov [table + 56], rax
        mov qword [table + 8], .t3
        mov byte [rounds], 1
        mov ecx, 16
        xor ebx, ebx
        jmp .table_loop
.table_again:
        expect_eq ebx, 2 * (255 - 2 + 8)
        it "a call through a register, to one of two functions by turns, then to a third"
        mov ecx, TURNS
        xor ebx, ebx
        mov rsi, one
        mov rdi, two
.call_loop:
        xchg rsi, rdi
        call rsi
        dec ecx
        jnz .call_loop
        expect_eq ebx, TURNS / 2 * 3
        mov rsi, three
        mov rdi, three
        mov ecx, 2
        xor ebx, ebx
.call_loop3:
        call rsi
        dec ecx
        jnz .call_loop3
        expect_eq ebx, 6
        it "a function that returns behind its caller's next instruction now and then"
        mov ecx, TURNS
        xor ebx, ebx
.skip_loop:
        call .skipping
        inc ebx                         ; two bytes: FF C3
        dec ecx
        jnz .skip_loop
        expect_eq ebx, TURNS - TURNS / 1000
        it "a function that drops its return address and jumps"
        mov ecx, TURNS
        xor ebx, ebx
.drop_loop:
        call .dropping
        unreachable
.dropped:
        inc ebx
        dec ecx
        jnz .drop_loop
        expect_eq ebx, TURNS
        it "a return to an address that no call left"
        mov ecx, TURNS
        xor ebx, ebx
.push_loop:
        mov rax, .pushed
        push rax
        ret
        unreachable
.pushed:
        inc ebx
        dec ecx
        jnz .push_loop
        expect_eq ebx, TURNS
        it "RET imm drops arguments"
        mov ecx, TURNS
        mov rbp, rsp
        xor ebx, ebx
.args_loop:
        push rcx
        push 3
        call .sum_args
        dec ecx
        jnz .args_loop
        expect_same rsp, rbp
        expect_eq ebx, (TURNS * (TURNS + 1) / 2 + 3 * TURNS) & 0xffffffff
        it "recursion, 400 deep, again and again"
        mov ecx, 200
        xor ebx, ebx
.deep_loop:
        mov eax, 400
        call .recurse
        dec ecx
        jnz .deep_loop
        expect_eq ebx, 200 * 401
        it "two functions that call each other"
        mov ecx, 300
        xor ebx, ebx
.mutual_loop:
        mov eax, 100
        call .ping
        dec ecx
        jnz .mutual_loop
        expect_eq ebx, 300 * (50 + 51 * 256)
        it "unsigned conditions, both ways"
        both_ways b
        expect_eq ebx, TURNS / 2
        expect_eq esi, TURNS / 2
        both_ways a
        expect_eq esi, TURNS / 8 * 3
        both_ways be
        expect_eq esi, TURNS / 8 * 5
        both_ways ae
        expect_eq esi, TURNS / 2
        it "signed conditions, zero, sign and parity, both ways"
        both_ways l
        expect_eq esi, TURNS / 2
        both_ways g
        expect_eq esi, TURNS / 8 * 3
        both_ways z
        expect_eq esi, TURNS / 8
        both_ways nz
        expect_eq esi, TURNS / 8 * 7
        both_ways s
        expect_eq esi, TURNS / 2
        both_ways p                     ; of -4 -3 -2 -1 0 1 2 3: FC FD FE FF 00 01 02 03
        expect_eq esi, TURNS / 8 * 4
        both_ways o
        expect_eq esi, 0
        it "LOOP, LOOPE, LOOPNE and JRCXZ"
        mov ebx, TURNS / 10
        xor esi, esi
.loops:
        mov ecx, 5
.loop:  inc esi
        loop .loop
        mov ecx, 5
.loope: inc esi
        cmp ecx, 3
        loopne .loope                   ; until 3
        jrcxz .bad
        mov ecx, 1
        loop .bad
        jrcxz .good
.bad:   unreachable
.good:
        dec ebx
        jnz .loops
        expect_eq esi, TURNS / 10 * 8
        it "a loop that is entered in the middle"
        mov ecx, TURNS
        xor ebx, ebx
        xor esi, esi
        jmp .middle
.top:   inc ebx
.middle:
        inc esi
        dec ecx
        jnz .top
        expect_eq ebx, TURNS - 1
        expect_eq esi, TURNS
        it "a jump into the middle of a hot instruction"
        mov ecx, TURNS
        xor ebx, ebx
        xor esi, esi
.hidden_loop:
        test ecx, 0x3ff
        jz .hidden + 1
.hidden:
        db 0xb8, 0xff, 0xc6, 0x90, 0x90 ; mov eax, 9090c6ffh; from its second byte inc esi; nop; nop
        inc ebx
        dec ecx
        jnz .hidden_loop
        expect_eq ebx, TURNS
        expect_eq esi, TURNS / 1024
        it "a hot loop across two pages, patched in the second"
        mov rsi, .crossing
        mov edi, FREE + 0xff8
        mov ecx, .crossing_end - .crossing
        rep movsb
        mov eax, FREE + 0xff8
        mov ecx, TURNS
        xor ebx, ebx
        call rax
        expect_eq ebx, TURNS
        mov byte [FREE + 0xff8 + (.amount - .crossing)], 5
        mov eax, FREE + 0xff8
        mov ecx, 100
        xor ebx, ebx
        call rax
        expect_eq ebx, 500
        finish

.crossing:
        nop
        nop
        nop
        nop
        nop
        add ebx, byte 1
.amount equ $ - 1
        dec ecx
        jnz .crossing
        ret
.crossing_end:

.skipping:
        mov eax, ecx
        xor edx, edx
        mov edi, 1000
        div edi
        test edx, edx
        jnz .skipping_no
        add qword [rsp], 2
.skipping_no:
        ret
.dropping:
        add rsp, 8
        jmp .dropped
.sum_args:
        add ebx, [rsp + 8]
        add ebx, [rsp + 16]
        ret 16
.recurse:
        inc ebx
        test eax, eax
        jz .recursed
        dec eax
        call .recurse
        inc eax
.recursed:
        ret
.ping:
        add ebx, 256
        test eax, eax
        jz .pinged
        dec eax
        call .pong
.pinged:
        ret
.pong:
        inc ebx
        dec eax
        call .ping
        ret

one:    add ebx, 1
        ret
two:    add ebx, 2
        ret
three:  add ebx, 3
        ret

rounds: db 0
        align 8
table:  dq main.t0, main.t1, main.t2, main.t3, main.t4, main.t5, main.t6, main.t7

        image_end
