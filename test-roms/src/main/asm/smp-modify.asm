; Code that another CPU writes.
;
; checks: cross-modifying code by the SDM's algorithm, with and without a serializing instruction in between: an immediate,
;         the shape of the code, a jump's target, code that crosses a page, a page that holds code and data, code that was
;         never executed before it is changed, string and locked instructions as writers, one byte of a running loop
; see: SDM 3A 9.1.3 (handling self- and cross-modifying code)
; needs: cpus=2
; status: 33
; assertions: 11

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smp.inc"

ROUNDS  equ 1500
FLAG    equ 0x60000                     ; the round whose code is ready
ANSWER  equ 0x60040                     ; the round whose code was run
WRONG   equ 0x60080                     ; how often it was old code
STOP    equ 0x600c0
FUNC    equ 0x70000                     ; mov eax, imm32; ret
CROSS   equ 0x72000 - 3                 ; the same across a page
MIXED   equ 0x73000                     ; the same, with data in the page
LOOPED  equ 0x74000
TABLE   equ 0x75000                     ; a function for each round
DATA    equ MIXED + 0x800

; reader ADDRESS[, serializing instruction]: calls the code of each round and checks what it returns.
%macro reader 1-2+ nop
        mov ebp, 1
%%round:
        pause
        cmp [FLAG], ebp
        jne %%round
        %2
        mov esi, %1
        call esi
        cmp eax, ebp
        je %%right
        lock inc dword [WRONG]
%%right:
        mov [ANSWER], ebp
        inc ebp
        cmp ebp, ROUNDS
        jbe %%round
        ret
%endmacro

; rounds: the rest of the line writes the code of round EBP.
%macro rounds 2+
        mov dword [FLAG], 0
        mov dword [ANSWER], 0
        mov dword [WRONG], 0
        on_cpu 1, %1
        mov ebp, 1
%%round:
        %2
        mov [FLAG], ebp
%%wait:
        pause
        cmp [ANSWER], ebp
        jne %%wait
        inc ebp
        cmp ebp, ROUNDS
        jbe %%round
        await_cpu 1
        expect_var WRONG, 0
%endmacro

serialize:
        pushad
        xor eax, eax
        cpuid
        popad
        ret

read_serialized: reader FUNC, call serialize
read_plain:      reader FUNC
read_cross:      reader CROSS
read_mixed:      reader MIXED
read_table:
        mov ebp, 1
.round:
        pause
        cmp [FLAG], ebp
        jne .round
        mov esi, ebp
        shl esi, 3
        add esi, TABLE
        call esi
        cmp eax, ebp
        je .right
        lock inc dword [WRONG]
.right:
        mov [ANSWER], ebp
        inc ebp
        cmp ebp, ROUNDS
        jbe .round
        ret

; Runs the loop at LOOPED until STOP: each turn must add 1 or 16 to EAX, nothing else.
run_loop:
        xor eax, eax
        xor ecx, ecx
        mov esi, LOOPED
        call esi
        mov [ANSWER], eax
        mov [FLAG], ecx
        ret

; One function of EBP: mov eax, imm32; ret, and where it goes: a jump to other places.
write_function:
        mov byte [FUNC], 0xb8
        mov [FUNC + 1], ebp
        mov byte [FUNC + 5], 0xc3
        ret
; Alternates: mov eax, imm32; ret and mov eax, imm32; neg eax; neg eax; ret.
write_shape:
        mov byte [FUNC], 0xb8
        mov [FUNC + 1], ebp
        test ebp, 1
        jz .short
        mov dword [FUNC + 5], 0xd8f7d8f7
        mov byte [FUNC + 9], 0xc3
        ret
.short:
        mov byte [FUNC + 5], 0xc3
        ret
; A jump to one of two functions behind it.
write_jump:
        mov eax, ebp
        and eax, 1
        shl eax, 5
        add eax, 16
        mov byte [FUNC + eax], 0xb8
        mov [FUNC + eax + 1], ebp
        mov byte [FUNC + eax + 5], 0xc3
        sub eax, 2
        mov ah, al
        mov al, 0xeb
        mov [FUNC], ax
        ret
write_cross:
        mov byte [CROSS], 0xb8
        mov [CROSS + 1], ebp
        mov byte [CROSS + 5], 0xc3
        ret
; Data in the page changes all the time, the code only at each round.
write_mixed:
        mov ecx, 50
.data:
        inc dword [DATA]
        loop .data
        mov byte [MIXED], 0xb8
        mov [MIXED + 1], ebp
        mov byte [MIXED + 5], 0xc3
        mov ecx, 50
.more:
        inc dword [DATA + 4]
        loop .more
        ret
write_table:
        mov esi, ebp
        shl esi, 3
        mov byte [TABLE + esi], 0xb8
        mov [TABLE + esi + 1], ebp
        mov byte [TABLE + esi + 5], 0xc3
        ret

main:
        start_cpus 2
        it "with a serializing instruction between flag and code"
        rounds read_serialized, call write_function
        it "without one, through a call"
        rounds read_plain, call write_function
        it "code of another shape"
        rounds read_plain, call write_shape
        it "a jump that leads elsewhere"
        rounds read_plain, call write_jump
        it "code across a page"
        rounds read_cross, call write_cross
        it "a page with code and data"
        mov dword [DATA], 0
        mov dword [DATA + 4], 0
        rounds read_mixed, call write_mixed
        expect_mem d, [DATA], ROUNDS * 50
        expect_mem d, [DATA + 4], ROUNDS * 50
        it "a function that was never run before"
        rounds read_table, call write_table
        it "written by a string instruction"
        rounds read_plain, call write_string
        it "written by a locked instruction"
        rounds read_plain, call write_locked
        it "an instruction of a running loop is patched in one piece"
        ; LOOPED: add eax, 1 (83 C0 01); inc ecx; cmp byte [STOP], 0; je LOOPED; ret
        mov dword [LOOPED], 0x4101c083
        mov dword [LOOPED + 4], 0x00003d80 | (STOP & 0xff) << 16
        mov word [LOOPED + 6], STOP & 0xffff
        mov word [LOOPED + 8], STOP >> 16
        mov dword [LOOPED + 10], 0x00f37400 | 0xc3000000
        mov byte [STOP], 0
        on_cpu 1, run_loop
        mov ecx, 2000
.patch:
        mov byte [LOOPED + 2], 16
        pause
        mov byte [LOOPED + 2], 1
        loop .patch
        mov byte [STOP], 1
        await_cpu 1
        mov eax, [ANSWER]               ; turns + 15 x those with 16
        sub eax, [FLAG]
        xor edx, edx
        mov ecx, 15
        div ecx
        expect_eq edx, 0
        all_well
        finish

; By REP MOVSB from a buffer.
write_string:
        mov byte [DATA + 0x100], 0xb8
        mov [DATA + 0x101], ebp
        mov dword [DATA + 0x105], 0x909090c3
        mov dword [DATA + 0x109], 0x90909090
        mov esi, DATA + 0x100
        mov edi, FUNC
        mov ecx, 12
        rep movsb
        ret
; The immediate by XCHG.
write_locked:
        mov eax, ebp
        xchg [FUNC + 1], eax
        ret

        image_end
