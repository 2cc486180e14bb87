; BMI1, BMI2, LZCNT.
;
; checks: results and flags of each instruction at the edges of its operands, 64-bit forms, memory operands, what VEX
;         encodings refuse
; see: SDM 2 (each instruction; 2.3 for VEX)
; needs: cpus=1
; status: 33
; QEMU: its TCG inverts the carry of BLSI and checks neither segments nor VEX.vvvv
; assertions: 29

%define WITH_LONG
%include "lib/rom.inc"

DATA    equ 0x60000
CZSO    equ CF | ZF | SF | OF

; one instruction, EAX in, EBX wanted in EAX, flags of the mask
%macro one 5+.nolist                    ; operand, result, mask, flags, instruction (EBX of ECX)
        mov ecx, %1
        %5
        expect_flags %3, %4
        expect_eq ebx, %2
%endmacro

; An encoding that does not exist.
%macro refused 1+.nolist
        arm %%after
%%instruction:
        db %1
%%after:
        expect_fault X_UD, NONE, %%instruction
%endmacro

main:
        it "tzcnt"
        one 0x00010000, 16, CF | ZF, 0, tzcnt ebx, ecx
        one 1, 0, CF | ZF, ZF, tzcnt ebx, ecx
        one 0, 32, CF | ZF, CF, tzcnt ebx, ecx
        it "tzcnt of 16 bits"
        mov ebx, 0xabcd0000
        one 0x00010000, 0xabcd0010, CF | ZF, CF, tzcnt bx, cx
        it "lzcnt"
        one 0x00010000, 15, CF | ZF, 0, lzcnt ebx, ecx
        one 0x80000000, 0, CF | ZF, ZF, lzcnt ebx, ecx
        one 0, 32, CF | ZF, CF, lzcnt ebx, ecx
        it "lzcnt of 16 bits"
        mov ebx, 0xabcd0000
        one 0x00010100, 0xabcd0007, CF | ZF, 0, lzcnt bx, cx
        it "andn"
        mov eax, 0xff00ff00
        one 0x12345678, 0x00340078, CZSO, 0, andn ebx, eax, ecx
        one 0xff00ff00, 0, CZSO, ZF, andn ebx, eax, ecx
        mov eax, 0
        one 0x80000000, 0x80000000, CZSO, SF, andn ebx, eax, ecx
        it "bextr"
        mov eax, 0x0804
        one 0x12345678, 0x67, CF | ZF | OF, 0, bextr ebx, ecx, eax
        mov eax, 0x0020                 ; no bits
        one 0x12345678, 0, CF | ZF | OF, ZF, bextr ebx, ecx, eax
        mov eax, 0xff1c                 ; more than there are
        one 0x92345678, 9, CF | ZF | OF, 0, bextr ebx, ecx, eax
        mov eax, 0x0820                 ; from beyond the end
        one 0x92345678, 0, CF | ZF | OF, ZF, bextr ebx, ecx, eax
        it "blsi"
        one 0x00345000, 0x1000, CZSO, CF, blsi ebx, ecx
        one 0, 0, CZSO, ZF, blsi ebx, ecx
        one 0x80000000, 0x80000000, CZSO, CF | SF, blsi ebx, ecx
        it "blsmsk"
        one 0x00345000, 0x1fff, CZSO, 0, blsmsk ebx, ecx
        one 0, 0xffffffff, CZSO, CF | SF, blsmsk ebx, ecx
        it "blsr"
        one 0x00345000, 0x00344000, CZSO, 0, blsr ebx, ecx
        one 0, 0, CZSO, CF | ZF, blsr ebx, ecx
        one 0x80000000, 0, CZSO, ZF, blsr ebx, ecx
        it "bzhi"
        mov eax, 12
        one 0x12345678, 0x678, CZSO, 0, bzhi ebx, ecx, eax
        mov eax, 0x100                  ; only eight bits count
        one 0x12345678, 0, CZSO, ZF, bzhi ebx, ecx, eax
        mov eax, 32
        one 0x92345678, 0x92345678, CZSO, CF | SF, bzhi ebx, ecx, eax
        it "pdep"
        mov eax, 0x0000abcd
        mov ecx, 0xf0f0f0f0
        pdep ebx, eax, ecx
        expect_eq ebx, 0xa0b0c0d0
        it "pext"
        mov eax, 0xa1b2c3d4
        pext ebx, eax, ecx
        expect_eq ebx, 0xabcd
        it "pdep and pext by no mask and by all of it"
        xor ecx, ecx
        pdep ebx, eax, ecx
        expect_eq ebx, 0
        pext ebx, eax, ecx
        expect_eq ebx, 0
        not ecx
        pdep ebx, eax, ecx
        expect_eq ebx, 0xa1b2c3d4
        it "mulx"
        mov edx, 0xffffffff
        mov eax, 0xfffffffe
        mulx ebx, ecx, eax
        expect_eq ebx, 0xfffffffd
        expect_eq ecx, 2
        it "mulx with one destination keeps the high half"
        mulx ebx, ebx, eax
        expect_eq ebx, 0xfffffffd
        it "rorx"
        mov eax, 0x12345678
        rorx ebx, eax, 8
        expect_eq ebx, 0x78123456
        rorx ebx, eax, 36
        expect_eq ebx, 0x81234567
        it "sarx, shlx, shrx take the count modulo 32"
        mov eax, 0x92345678
        mov ecx, 36
        sarx ebx, eax, ecx
        expect_eq ebx, 0xf9234567
        shlx ebx, eax, ecx
        expect_eq ebx, 0x23456780
        shrx ebx, eax, ecx
        expect_eq ebx, 0x09234567
        it "none of these shifts, rorx, mulx, pdep, pext touches a flag"
        mov edx, -1
        add edx, 1
        shlx ebx, eax, ecx
        rorx ebx, eax, 3
        mulx ebx, ecx, eax
        pdep ebx, eax, ecx
        pext ebx, eax, ecx
        expect_flags ARITH, CF | PF | AF | ZF
        it "operands in memory"
        mov dword [DATA], 0x00345000
        blsi ebx, [DATA]
        expect_eq ebx, 0x1000
        tzcnt ebx, [DATA]
        expect_eq ebx, 12
        mov eax, 0x0404
        bextr ebx, [DATA], eax
        expect_eq ebx, 0
        rorx ebx, [DATA], 4
        expect_eq ebx, 0x00034500
        it "a fault on the operand changes nothing"
        mov ebx, 5
        mov cx, es
        xor ax, ax
        mov es, ax
        faults X_GP, 0, andn ebx, eax, [es:DATA]
        mov es, cx
        expect_eq ebx, 5
        it "VEX.L = 1: #UD"
        refused 0xc4, 0xe2, 0x7c, 0xf2, 0xd9
        it "VEX.vvvv that names no operand must be 1111b (rorx)"
        refused 0xc4, 0xe3, 0x73, 0xf0, 0xd8, 4
        it "66, F2, F3 and LOCK before VEX: #UD"
        refused 0x66, 0xc4, 0xe2, 0x78, 0xf2, 0xd9
        refused 0xf3, 0xc4, 0xe2, 0x78, 0xf2, 0xd9
        refused 0xf2, 0xc4, 0xe2, 0x78, 0xf2, 0xd9
        refused 0xf0, 0xc4, 0xe2, 0x78, 0xf2, 0x19
        it "no group member 0 (0F38 F3)"
        refused 0xc4, 0xe2, 0x60, 0xf3, 0xc1
        to_long
        it "64-bit counts"
        mov rax, 0x0000100000000000
        tzcnt rbx, rax
        expect_eq rbx, 44
        lzcnt rbx, rax
        expect_eq rbx, 19
        it "64-bit pdep and pext"
        mov rax, 0x0123456789abcdef
        mov rcx, 0xff00ff00ff00ff00
        pext rbx, rax, rcx
        expect_eq rbx, 0x014589cd
        pdep rbx, rax, rcx
        expect_eq rbx, 0x8900ab00cd00ef00
        it "64-bit mulx"
        mov rdx, -1
        mov rax, -1
        mulx r10, r11, rax
        expect_eq r10, 0xfffffffffffffffe
        expect_eq r11, 1
        it "64-bit shifts and bzhi"
        mov r9, 0x9234567890abcdef
        mov r8, 68
        sarx rbx, r9, r8
        expect_eq rbx, 0xf9234567890abcde
        rorx rbx, r9, 60
        expect_eq rbx, 0x234567890abcdef9
        mov r8, 33
        bzhi rbx, r9, r8
        expect_eq rbx, 0x90abcdef
        it "32-bit forms clear the upper half"
        mov rbx, -1
        mov eax, 3
        blsr ebx, eax
        expect_eq rbx, 2
        finish

        image_end
