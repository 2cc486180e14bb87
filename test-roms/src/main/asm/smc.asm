; Self-modifying code.
;
; checks: stores into code of the same page that runs next, into the instruction right behind, behind a jump, in a loop
;         that rewrites itself, through another linear alias of the page, by REP MOVS, by wide stores across two
;         instructions, code in fresh pages, stores of the same bytes
; see: SDM 3A 8.1.3 (self-modifying code), 11.6
; needs: cpus=1
; status: 33
; assertions: 19

%define WITH_LONG
%include "lib/rom.inc"

main:
        it "the immediate of the next instruction but one, behind a jump"
        mov dword [.imm1 + 1], 0x11223344
        jmp .next1
.next1:
.imm1:  mov eax, 0
        expect_eq eax, 0x11223344
        it "the very next instruction"
        mov byte [.next2], 0x43         ; inc ebx becomes inc ebx from inc eax
        mov eax, 0
        mov ebx, 0
        jmp .run2
.run2:
.next2: inc eax
        expect_eq eax, 0
        expect_eq ebx, 1
        it "a store right before the instruction it changes"
        mov eax, 5
        mov ebx, 5
        mov byte [.next3], 0x4b         ; dec ebx
.next3: inc eax
        expect_eq eax, 5
        expect_eq ebx, 4
        it "a subroutine changed between calls"
        call sub1
        mov ecx, eax
        mov byte [sub1 + 1], 7
        call sub1
        expect_eq ecx, 1
        expect_eq eax, 7
        it "a loop that changes its own immediate each time"
        mov ecx, 1000
        xor edx, edx
.loop:
.imm4:  mov eax, 0
        add edx, eax
        inc dword [.imm4 + 1]
        loop .loop
        expect_eq edx, 499500
        it "a loop that is hot before it is changed"
        mov ecx, 30000
        xor edx, edx
.hot:
        cmp ecx, 1000
        jne .hot_skip
        mov byte [.hot_add + 2], 3
.hot_skip:
.hot_add:
        add edx, byte 1
        loop .hot
        expect_eq edx, 29000 + 3 * 1000
        it "code made by rep movsb"
        mov esi, template_a
        mov edi, FREE
        mov ecx, template_a_end - template_a
        rep movsb
        mov eax, FREE
        call eax
        expect_eq eax, 0xaaaa
        mov esi, template_b
        mov edi, FREE
        mov ecx, template_b_end - template_b
        rep movsb
        mov eax, FREE
        call eax
        expect_eq eax, 0xbbbb
        it "code made by rep stosd: nops and a return"
        mov edi, FREE
        mov eax, 0x90909090
        mov ecx, 16
        rep stosd
        mov byte [edi], 0xc3
        mov eax, FREE
        call eax
        expect_eq eax, FREE
        it "a doubleword store over the end of one instruction and the start of the next"
        mov eax, 0
        mov ebx, 0
        mov dword [.wide + 1], 0x434b4343       ; inc ebx three times and dec
        jmp .wide
.wide:
        inc eax
        inc eax
        inc eax
        inc eax
        inc eax
        expect_eq eax, 1
        expect_eq ebx, 2
        it "code that runs over the end of a page, whose second page is changed"
        mov edi, FREE + 0x1000 - 3
        mov byte [edi], 0xb8            ; mov eax, imm32 across the page end
        mov dword [edi + 1], 0x01020304
        mov byte [edi + 5], 0xc3
        call edi
        expect_eq eax, 0x01020304
        mov byte [FREE + 0x1001], 0x77
        call edi
        expect_eq eax, 0x77020304
        it "and whose first page is changed"
        mov byte [FREE + 0xfff - 1], 0x99
        call edi
        expect_eq eax, 0x77020399
        it "xchg and lock cmpxchg on code"
        mov eax, 9
        xchg [sub1 + 1], al
        call sub1
        expect_eq eax, 9
        mov eax, 9
        mov ecx, 12
        lock cmpxchg [sub1 + 1], cl
        call sub1
        expect_eq eax, 12
        it "push into code"
        mov ebp, esp
        mov esp, sub2 + 5
        push dword 0x5678abcd
        mov esp, ebp
        call sub2
        expect_eq eax, 0x5678abcd
        it "fst, movups and movq into code"
        mov eax, cr4
        or eax, 0x600
        mov cr4, eax
        mov eax, 0x13579bdf
        movd xmm0, eax
        movd [sub2 + 1], xmm0
        call sub2
        expect_eq eax, 0x13579bdf
        fninit
        mov dword [v_tmp], 42
        fild dword [v_tmp]
        fistp dword [sub2 + 1]
        call sub2
        expect_eq eax, 42

        to_long
        it "through another linear address of the same page"
        ; 70000 shows the page of FREE as well
        mov rdi, FREE
        mov byte [rdi], 0xb8
        mov dword [rdi + 1], 0x1111
        mov byte [rdi + 5], 0xc3
        mov qword [PT0 + 0x70 * 8], FREE + 7
        mov eax, 0x70000
        invlpg [rax]
        call rdi
        expect_eq eax, 0x1111
        mov dword [abs 0x70001], 0x2222
        call rdi
        expect_eq eax, 0x2222
        it "code run at one alias, changed at the other, and back"
        mov ebx, 0x70000
        call rbx
        expect_eq eax, 0x2222
        mov dword [rdi + 1], 0x3333
        call rbx
        expect_eq eax, 0x3333
        it "another page mapped at the same linear address"
        mov rcx, 0x61000
        mov byte [rcx], 0xb8
        mov dword [rcx + 1], 0x4444
        mov byte [rcx + 5], 0xc3
        mov qword [PT0 + 0x70 * 8], 0x61000 + 7
        invlpg [rbx]
        call rbx
        expect_eq eax, 0x4444
        mov qword [PT0 + 0x70 * 8], FREE + 7
        invlpg [rbx]
        call rbx
        expect_eq eax, 0x3333
        it "the same bytes as 64-bit code and as compatibility-mode code"
        mov byte [rdi], 0x31            ; xor eax, eax
        mov byte [rdi + 1], 0xc0
        mov byte [rdi + 2], 0x40        ; inc eax, or a REX prefix ...
        mov byte [rdi + 3], 0x90        ; ... of this nop
        mov byte [rdi + 4], 0xc3
        call rdi
        mov esi, eax
        to_compat
        call edi
        from_compat
        expect_eq esi, 0
        expect_eq eax, 1
        it "a store to a data page that once held code is no less right"
        mov ecx, 2000
.data:
        mov [rdi + 0x100 + rcx], cl
        loop .data
        expect_mem b, [rdi + 0x100 + 0x7d0], 0xd0
        finish

        align 16
sub1:
        bits 32
        mov al, 1
        movzx eax, al
        ret
sub2:
        mov eax, 0
        ret
template_a:
        mov eax, 0xaaaa
        ret
template_a_end:
template_b:
        nop
        mov eax, 0xbbbb
        nop
        ret
template_b_end:

        image_end
