; The integer set in 64-bit mode.
;
; checks: 32-bit results clear the high half, 8 and 16-bit ones keep it; REX byte registers; 64-bit immediates, shifts,
;         multiplication, division, string steps, bit strings, CMPXCHG16B, BSWAP, POPCNT, CRC32, MOVSXD, RIP-relative
;         addresses, address-size prefixes, opcodes that are gone
; see: SDM 1 3.4.1.1 (registers in 64-bit mode), SDM 2 1.7, 2.2.1 (REX)
; needs: cpus=1
; status: 33
; QEMU: its TCG keeps REX.W before a 66 prefix
; assertions: 28

%define WITH_LONG
%include "lib/rom.inc"

main:
        to_long
        it "a 32-bit result clears the high half"
        mov rax, -1
        mov eax, eax
        expect_eq rax, 0xffffffff
        mov rbx, -1
        add ebx, 1
        expect_eq rbx, 0
        it "8 and 16-bit results keep it"
        mov rax, 0x1122334455667788
        mov al, 0
        expect_eq rax, 0x1122334455667700
        mov ax, 0xffff
        expect_eq rax, 0x112233445566ffff
        it "xchg eax, eax with REX.B is not a NOP; without it is"
        mov rax, -1
        nop
        expect_eq rax, 0xffffffffffffffff
        mov r8, 0x1234567890
        xchg r8d, eax
        expect_eq rax, 0x34567890
        expect_eq r8, 0xffffffff
        it "a false 32-bit cmov still clears the high half"
        mov rcx, -1
        cmp ecx, ecx
        cmovne ecx, eax
        expect_eq rcx, 0xffffffff
        it "REX gives SPL, BPL, SIL, DIL; without it AH to BH"
        mov rsi, 0x1111
        mov sil, 0x22
        expect_eq rsi, 0x1122
        mov eax, 0x3344
        mov bl, ah
        expect_eq bl, 0x33
        mov bpl, sil
        expect_eq bpl, 0x22
        it "mov r64, imm64 and sign-extended imm32"
        mov rax, 0x8000000000000001
        expect_eq rax, 0x8000000000000001
        mov rax, strict dword -2
        expect_eq rax, 0xfffffffffffffffe
        it "add, adc, sub with 64 bits"
        mov rax, -1
        add rax, 1
        expect_flags ARITH, CF | ZF | PF | AF
        mov rbx, 0x7fffffffffffffff
        inc rbx
        expect_flags OF | SF, OF | SF
        expect_eq rbx, 0x8000000000000000
        it "shifts count modulo 64"
        mov rax, 1
        mov cl, 63
        shl rax, cl
        expect_eq rax, 0x8000000000000000
        mov cl, 65
        shr rax, cl
        expect_eq rax, 0x4000000000000000
        mov eax, 1
        mov cl, 33
        shl eax, cl
        expect_eq rax, 2
        sar rax, 1
        it "rotates through carry with 64 bits"
        stc
        mov rax, 0x8000000000000000
        rcl rax, 1
        expect_eq rax, 1
        expect_flags CF, CF
        mov rax, 0x123456789abcdef0
        ror rax, 60
        expect_eq rax, 0x23456789abcdef01
        it "shld and shrd with 64 bits"
        mov rax, 0x0123456789abcdef
        mov rdx, 0xfedcba9876543210
        shld rax, rdx, 36
        expect_eq rax, 0x9abcdeffedcba987
        it "mul, imul of 64 bits"
        mov rax, -1
        mov rbx, -1
        mul rbx
        expect_eq rax, 1
        expect_eq rdx, 0xfffffffffffffffe
        mov rax, -3
        mov rbx, 0x100000000
        imul rbx
        expect_eq rdx, 0xffffffffffffffff
        expect_eq rax, 0xfffffffd00000000
        expect_flags CF | OF, 0
        imul rcx, rbx, 0x7fffffff
        expect_eq rcx, 0x7fffffff00000000
        imul rcx, rbx, -2
        imul rcx, rbx
        expect_flags CF | OF, CF | OF
        it "div, idiv of 128 bits"
        mov rdx, 1
        mov rax, 0
        mov rbx, 3
        div rbx
        expect_eq rax, 0x5555555555555555
        expect_eq rdx, 1
        mov rax, -7
        cqo
        mov rbx, 2
        idiv rbx
        expect_eq rax, 0xfffffffffffffffd
        expect_eq rdx, 0xffffffffffffffff
        it "div overflow of 128 bits raises #DE"
        mov rdx, 3
        mov rbx, 3
        faults X_DE, NONE, div rbx
        mov rax, 0x8000000000000000
        cqo
        mov rbx, -1
        faults X_DE, NONE, idiv rbx
        it "cdqe, cqo, movsxd"
        mov eax, 0x80000000
        cdqe
        expect_eq rax, 0xffffffff80000000
        cqo
        expect_eq rdx, 0xffffffffffffffff
        mov ebx, 0x7fffffff
        movsxd rcx, ebx
        expect_eq rcx, 0x7fffffff
        mov rax, FREE
        mov dword [rax], 0xfffffffe
        movsxd rcx, dword [rax]
        expect_eq rcx, 0xfffffffffffffffe
        it "movzx and movsx to 64 bits"
        mov ebx, 0x80
        movsx rax, bl
        expect_eq rax, 0xffffffffffffff80
        movzx rax, bl
        expect_eq rax, 0x80
        it "bswap of 64 bits"
        mov rax, 0x0102030405060708
        bswap rax
        expect_eq rax, 0x0807060504030201
        bswap eax
        expect_eq rax, 0x01020304
        it "bit strings with 64-bit indexes"
        mov rdi, FREE + 0x100
        mov qword [rdi - 8], 0
        mov rax, -64
        bts [rdi], rax
        expect_mem q, [rdi - 8], 1
        mov rax, 0x8000000000000000
        bsf rcx, rax
        expect_eq rcx, 63
        bsr rcx, rax
        expect_eq rcx, 63
        bt rax, 63
        expect_flags CF, CF
        it "popcnt and crc32 of 64 bits"
        mov rax, 0xf00000000000000f
        popcnt rcx, rax
        expect_eq rcx, 8
        mov ecx, 0
        mov rax, 0x3837363534333231
        mov rdx, 0xffffffff
        crc32 rdx, rax
        crc32 edx, byte [nine]
        not edx
        expect_eq rdx, 0xe3069283
        it "cmpxchg16b: equal stores"
        mov rdi, FREE
        mov qword [rdi], 1
        mov qword [rdi + 8], 2
        mov rax, 1
        mov rdx, 2
        mov rbx, 3
        mov rcx, 4
        lock cmpxchg16b [rdi]
        expect_flags ZF, ZF
        expect_mem q, [rdi], 3
        expect_mem q, [rdi + 8], 4
        it "cmpxchg16b: different loads RDX:RAX"
        lock cmpxchg16b [rdi]
        expect_flags ZF, 0
        expect_eq rax, 3
        expect_eq rdx, 4
        it "cmpxchg16b misaligned raises #GP(0)"
        faults X_GP, 0, cmpxchg16b [rdi + 8]
        it "a failing 32-bit cmpxchg clears the high half of RAX"
        mov dword [rdi], 7
        mov rax, -1
        cmpxchg [rdi], ecx
        expect_eq rax, 7
        it "RIP-relative addresses"
        mov eax, [rel nine - 8]
        expect_eq rax, 0x34333231
        lea rax, [rel nine]
        expect_is rax, nine
        it "the address-size prefix cuts addresses to 32 bits"
        mov rbx, 0x1200000000 + FREE
        mov dword [FREE], 0x5a5a
        mov eax, [ebx]
        expect_eq eax, 0x5a5a
        lea rax, [ebx]
        expect_eq rax, FREE
        lea rax, [rbx]
        expect_eq rax, 0x1200000000 + FREE
        it "push and pop are 64 bits wide"
        mov rbp, rsp
        push byte -1
        mov rax, rbp
        sub rax, rsp
        expect_eq rax, 8
        pop rcx
        expect_eq rcx, 0xffffffffffffffff
        push strict dword -0x80000000
        pop rcx
        expect_eq rcx, 0xffffffff80000000
        o16 push byte 1
        mov rax, rbp
        sub rax, rsp
        expect_eq rax, 2
        mov rsp, rbp
        it "opcodes that 64-bit mode lacks raise #UD"
        faults X_UD, NONE, db 0x06                      ; push es
        faults X_UD, NONE, db 0x27                      ; daa
        faults X_UD, NONE, db 0x60                      ; pusha
        faults X_UD, NONE, db 0xce                      ; into
        faults X_UD, NONE, db 0xd4, 10                  ; aam
        faults X_UD, NONE, db 0x9a                      ; call far immediate
        faults X_UD, NONE, db 0xea                      ; jmp far immediate
        faults X_UD, NONE, db 0x82, 0xc0, 0             ; add al, imm8
        it "loop and jrcxz use RCX"
        mov rcx, 0x100000000
        jrcxz .bad
        jecxz .good
.bad:
        unreachable
.good:
        mov rcx, 0x100000001
        mov eax, 0
.again:
        inc eax
        cmp eax, 3
        je .out
        loop .again
        unreachable
.out:
        expect_eq rcx, 0xffffffff
        it "a prefix between REX and the opcode cancels REX"
        mov rax, -1
        db 0x48, 0x66, 0x31, 0xc0       ; xor ax, ax
        expect_eq rax, 0xffffffffffff0000
        finish

        section .str
        align 8
        db "12345678"
nine:   db "9"
        section .text
        image_end
