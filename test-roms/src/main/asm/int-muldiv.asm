; Multiplication and division.
;
; checks: MUL IMUL DIV IDIV in 8, 16, 32 bits; overflow flags; quotients that do not fit raise #DE and write nothing
; see: SDM 2 (MUL, IMUL, DIV, IDIV), SDM 3A 6.15 (#DE)
; needs: cpus=1
; status: 33
; assertions: 20

%include "lib/rom.inc"

main:
        it "mul 8: AX = AL * operand, carry when AH is not 0"
        mov eax, 0xffff0010
        mov bl, 0x10
        mul bl
        expect_flags CF | OF, CF | OF
        expect_eq eax, 0xffff0100
        mov al, 0x0f
        mul bl
        expect_flags CF | OF, 0
        expect_eq ax, 0xf0
        it "mul 16: DX:AX"
        mov ax, 0xffff
        mov edx, 0xaaaaaaaa
        mov bx, 0xffff
        mul bx
        expect_flags CF | OF, CF | OF
        expect_eq ax, 1
        expect_eq edx, 0xaaaafffe
        it "mul 32: EDX:EAX"
        mov eax, 0xffffffff
        mul eax
        expect_eq eax, 1
        expect_eq edx, 0xfffffffe
        expect_flags CF | OF, CF | OF
        it "imul 8: overflow when AX is not AL sign-extended"
        mov al, -1
        mov bl, -1
        imul bl
        expect_eq ax, 1
        expect_flags CF | OF, 0
        mov al, 0x80
        imul bl
        expect_eq ax, 0x80
        expect_flags CF | OF, CF | OF
        it "imul 16"
        mov ax, -300
        mov bx, 300
        imul bx
        expect_eq dx, 0xfffe
        expect_eq ax, 0xa070
        expect_flags CF | OF, CF | OF
        it "imul 32"
        mov eax, -2
        mov ebx, 3
        imul ebx
        expect_eq eax, 0xfffffffa
        expect_eq edx, 0xffffffff
        expect_flags CF | OF, 0
        it "imul reg, reg truncates and says so"
        mov eax, 0x10000
        mov ebx, 0x10000
        imul eax, ebx
        expect_eq eax, 0
        expect_flags CF | OF, CF | OF
        it "imul reg, reg, imm8 sign-extends"
        mov ebx, 7
        imul eax, ebx, -3
        expect_eq eax, 0xffffffeb
        expect_flags CF | OF, 0
        it "imul reg16, mem, imm16"
        mov word [FREE], 100
        imul ax, [FREE], 1000
        expect_eq ax, 0x86a0
        expect_flags CF | OF, CF | OF
        it "div 8"
        mov ax, 1000
        mov bl, 7
        div bl
        expect_eq al, 142
        expect_eq ah, 6
        it "div 16"
        mov dx, 1
        mov ax, 0
        mov bx, 3
        div bx
        expect_eq ax, 0x5555
        expect_eq dx, 1
        it "div 32"
        mov edx, 1
        mov eax, 5
        mov ebx, 16
        div ebx
        expect_eq eax, 0x10000000
        expect_eq edx, 5
        it "div by zero raises #DE and keeps the registers"
        mov eax, 0x1234
        mov edx, 0x5678
        xor ebx, ebx
        faults X_DE, NONE, div ebx
        expect_eq eax, 0x1234
        expect_eq edx, 0x5678
        it "div with too large a quotient raises #DE"
        mov edx, 2
        mov eax, 0
        mov ebx, 2
        faults X_DE, NONE, div ebx
        mov ax, 0x200
        mov bl, 2
        faults X_DE, NONE, div bl
        it "idiv truncates towards zero; the remainder has the sign of the dividend"
        mov eax, -7
        cdq
        mov ebx, 2
        idiv ebx
        expect_eq eax, 0xfffffffd
        expect_eq edx, 0xffffffff
        mov eax, 7
        cdq
        mov ebx, -2
        idiv ebx
        expect_eq eax, 0xfffffffd
        expect_eq edx, 1
        it "idiv 8"
        mov ax, -128
        mov bl, 1
        idiv bl
        expect_eq al, 0x80
        expect_eq ah, 0
        it "idiv of the least number by -1 raises #DE"
        mov eax, 0x80000000
        cdq
        mov ebx, -1
        faults X_DE, NONE, idiv ebx
        mov ax, 0x8000
        cwd
        mov bx, -1
        faults X_DE, NONE, idiv bx
        mov ax, 128
        mov bl, 1
        faults X_DE, NONE, idiv bl
        it "div by a zero in memory"
        mov dword [FREE], 0
        faults X_DE, NONE, div dword [FREE]
        it "cbw, cwde, cwd, cdq"
        mov eax, 0x12340080
        cbw
        expect_eq eax, 0x1234ff80
        cwde
        expect_eq eax, 0xffffff80
        cdq
        expect_eq edx, 0xffffffff
        mov eax, 0x7fff
        mov edx, 0xffffffff
        cwd
        expect_eq edx, 0xffff0000
        it "movzx and movsx"
        mov ebx, 0x8081
        movzx eax, bl
        expect_eq eax, 0x81
        movsx eax, bl
        expect_eq eax, 0xffffff81
        movsx ax, bh
        expect_eq eax, 0xffffff80
        movzx eax, bx
        expect_eq eax, 0x8081
        movsx eax, bx
        expect_eq eax, 0xffff8081
        finish

        image_end
