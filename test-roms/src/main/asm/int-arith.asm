; Addition and subtraction: results and all six flags.
;
; checks: ADD ADC SUB SBB CMP NEG INC DEC AND OR XOR NOT TEST in 8, 16 and 32 bits, register and memory forms
; see: SDM 1 3.4.3.1 (status flags), SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; assertions: 22

%include "lib/rom.inc"

main:
        it "add: carry out of bit 7"
        mov al, 0xff
        add al, 1
        expect_flags ARITH, CF | PF | AF | ZF
        expect_eq al, 0
        it "add: signed overflow"
        mov eax, 0x7fffffff
        add eax, 1
        expect_flags ARITH, OF | SF | PF | AF
        expect_eq eax, 0x80000000
        it "add: 8-bit registers leave their neighbours alone"
        mov eax, 0x11223344
        add ah, 0xcd
        expect_flags ARITH, CF | ZF | AF | PF
        expect_eq eax, 0x11220044
        it "add: 16 bits leave the high half alone"
        mov eax, 0x1111ffff
        add ax, 1
        expect_flags ARITH, CF | PF | AF | ZF
        expect_eq eax, 0x11110000
        it "add: memory destination"
        mov dword [FREE], 0x80000000
        add dword [FREE], 0x80000000
        expect_flags ARITH, CF | OF | ZF | PF
        expect_mem d, [FREE], 0
        it "adc: with carry set wraps to itself"
        mov ebx, 0x12345678
        stc
        mov eax, 0xffffffff
        adc ebx, eax
        expect_flags ARITH, CF | AF | PF
        expect_eq ebx, 0x12345678
        it "adc: sets overflow by the carry alone"
        mov al, 0x7f
        stc
        adc al, 0
        expect_flags ARITH, OF | SF | AF
        expect_eq al, 0x80
        it "adc: a 96-bit sum carries through"
        mov eax, 0xffffffff
        mov ebx, 0xffffffff
        mov ecx, 1
        add eax, 1
        adc ebx, 0
        adc ecx, 0
        expect_eq eax, 0
        expect_eq ebx, 0
        expect_eq ecx, 2
        it "sub: borrow"
        xor eax, eax
        sub eax, 1
        expect_flags ARITH, CF | SF | PF | AF
        expect_eq eax, 0xffffffff
        it "sub: signed overflow without borrow"
        mov ax, 0x8000
        sub ax, 1
        expect_flags ARITH, OF | PF | AF
        expect_eq ax, 0x7fff
        it "sbb: a register from itself spreads the carry"
        stc
        sbb edx, edx
        expect_flags ARITH, CF | SF | PF | AF
        expect_eq edx, 0xffffffff
        clc
        sbb edx, edx
        expect_flags ARITH, ZF | PF
        expect_eq edx, 0
        it "cmp: sets flags like sub and writes nothing"
        mov eax, 5
        cmp eax, 7
        expect_flags ARITH, CF | SF | AF
        expect_eq eax, 5
        it "cmp: immediate byte is sign-extended"
        mov eax, 0xffffffff
        cmp eax, byte -1
        expect_flags ARITH, ZF | PF
        it "neg: of zero clears the carry, of anything else sets it"
        xor eax, eax
        neg eax
        expect_flags ARITH, ZF | PF
        mov eax, 1
        neg eax
        expect_flags ARITH, CF | SF | PF | AF
        expect_eq eax, 0xffffffff
        it "neg: of the least number overflows"
        mov al, 0x80
        neg al
        expect_flags ARITH, CF | OF | SF
        expect_eq al, 0x80
        it "inc: keeps the carry"
        stc
        mov al, 0x7f
        inc al
        expect_flags ARITH, CF | OF | SF | AF
        clc
        mov al, 0xff
        inc al
        expect_flags ARITH, ZF | PF | AF
        it "dec: keeps the carry"
        stc
        mov eax, 0x80000000
        dec eax
        expect_flags ARITH, CF | OF | PF | AF
        expect_eq eax, 0x7fffffff
        it "and, or, xor clear carry and overflow"
        mov al, 0x7f
        add al, 1                       ; OF
        mov eax, 0xf0f0f0f0
        and eax, 0xff00ff00
        expect_flags CF | OF | ZF | SF | PF, SF | PF
        expect_eq eax, 0xf000f000
        stc
        or eax, 1
        expect_flags CF | OF | ZF | SF | PF, SF
        stc
        xor eax, eax
        expect_flags CF | OF | ZF | SF | PF, ZF | PF
        it "not changes no flag"
        mov al, 0xff
        add al, 1
        mov eax, 0x0f0f0f0f
        not eax
        expect_flags ARITH, CF | PF | AF | ZF
        expect_eq eax, 0xf0f0f0f0
        it "test writes nothing"
        mov eax, 0x80000001
        test eax, 0x80000000
        expect_flags CF | OF | ZF | SF | PF, SF | PF
        expect_eq eax, 0x80000001
        it "parity counts the low byte alone"
        mov eax, 0x100
        or eax, 0
        expect_flags PF, PF
        or eax, 1
        expect_flags PF, 0
        it "lahf and sahf"
        mov ah, 0xd7
        sahf
        expect_flags CF | PF | AF | ZF | SF, CF | PF | AF | ZF | SF
        mov ah, 0
        lahf
        expect_eq ah, 0xd7
        finish

        image_end
