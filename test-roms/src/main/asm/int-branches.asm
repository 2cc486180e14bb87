; Jumps, loops, calls and returns.
;
; checks: all 16 Jcc on each state of their flags, LOOP LOOPE LOOPNE JCXZ JECXZ, near calls and returns, indirect forms
; see: SDM 2 (Jcc, LOOP, JMP, CALL, RET)
; needs: cpus=1
; status: 33
; assertions: 13

%include "lib/rom.inc"

; ask condition, answers, flag images: Jcc must be taken for just the images whose bit is set in answers.
%macro ask 3-*.nolist
        xor eax, eax
%define condition %1
%assign wanted %2
%assign answer_bit 1
%rotate 2
%rep %0 - 2
        push dword (%1) | 2
        popfd
        jump_if condition, answer_bit
%assign answer_bit answer_bit * 2
%rotate 1
%endrep
        expect_eq eax, wanted
%endmacro

%macro jump_if 2
        j%[%1] %%taken
        jmp %%next
%%taken:
        or eax, %2
%%next:
%endmacro

main:
        it "jo, jno"
        ask o, 2, 0, OF
        ask no, 1, 0, OF
        it "jb, jae"
        ask b, 2, 0, CF
        ask ae, 1, 0, CF
        it "je, jne"
        ask e, 2, 0, ZF
        ask ne, 1, 0, ZF
        it "jbe, ja"
        ask be, 0b1110, 0, CF, ZF, CF | ZF
        ask a, 0b0001, 0, CF, ZF, CF | ZF
        it "js, jns, jp, jnp"
        ask s, 2, 0, SF
        ask ns, 1, 0, SF
        ask p, 2, 0, PF
        ask np, 1, 0, PF
        it "jl, jge"
        ask l, 0b0110, 0, SF, OF, SF | OF
        ask ge, 0b1001, 0, SF, OF, SF | OF
        it "jle, jg"
        ask le, 0b11110110, 0, SF, OF, SF | OF, ZF, ZF | SF, ZF | OF, ZF | SF | OF
        ask g, 0b00001001, 0, SF, OF, SF | OF, ZF, ZF | SF, ZF | OF, ZF | SF | OF
        it "loop counts ECX down without flags"
        mov ecx, 5
        xor eax, eax
        stc
.loop:
        inc eax
        loop .loop
        expect_flags CF, CF
        expect_eq eax, 5
        expect_eq ecx, 0
        it "loope and loopne also look at ZF"
        mov ecx, 5
        xor eax, eax
.loope:
        inc eax
        cmp eax, 3
        loopne .loope
        expect_eq eax, 3
        expect_eq ecx, 2
        mov ecx, 3
        xor eax, eax
.loopne:
        inc eax
        cmp eax, eax
        loope .loopne
        expect_eq eax, 3
        it "a16 loop and jcxz use CX"
        mov ecx, 0x20001
        xor eax, eax
.loop16:
        inc eax
        a16 loop .loop16
        expect_eq eax, 1
        expect_eq ecx, 0x20000
        jcxz .cx_zero
        unreachable
.cx_zero:
        jecxz .bad
        jmp .good
.bad:
        unreachable
.good:
        it "call pushes the address after it; ret n drops arguments"
        mov ebx, esp
        push dword 11
        push dword 22
        call .callee
.returned:
        expect_is eax, .returned
        expect_same esp, ebx
        expect_eq edx, 22
        it "indirect call and jump, register and memory"
        mov ecx, .target1
        call ecx
        expect_eq eax, 0x111
        mov dword [FREE], .target2
        call [FREE]
        expect_eq eax, 0x222
        mov dword [FREE + 4], .target3
        mov ecx, 1
        jmp [FREE + ecx * 4]
        unreachable
.target3:
        it "a 16-bit near jump in 32-bit code truncates EIP"
        jmp word .truncated
.truncated:
        mov eax, 1
        expect_eq eax, 1
        finish
.callee:
        mov eax, [esp]
        mov edx, [esp + 4]
        ret 8
.target1:
        mov eax, 0x111
        ret
.target2:
        mov eax, 0x222
        ret

        image_end
