; Decimal and ASCII adjustment.
;
; checks: DAA DAS AAA AAS AAM AAD, #DE of AAM 0
; see: SDM 1 7.3.2 (decimal arithmetic), SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; assertions: 12

%include "lib/rom.inc"

main:
        it "daa: 79 + 35 = 114"
        mov al, 0x79
        add al, 0x35
        daa
        expect_flags CF | PF | AF | ZF | SF, CF | PF | AF
        expect_eq al, 0x14
        it "daa: no adjustment"
        mov al, 0x12
        add al, 0x34
        daa
        expect_flags CF | PF | AF | ZF | SF, 0
        expect_eq al, 0x46
        it "daa: carry in and a high digit above 9"
        mov al, 0x9a
        clc
        daa
        expect_flags CF | PF | AF | ZF | SF, CF | PF | AF | ZF
        expect_eq al, 0
        it "daa: keeps a carry that was set"
        mov al, 0x10
        or al, al                       ; clears AF
        stc
        daa
        expect_flags CF, CF
        expect_eq al, 0x70
        it "das: 35 - 47 = -12"
        mov al, 0x35
        sub al, 0x47
        das
        expect_flags CF | PF | AF | SF | ZF, CF | PF | AF | SF
        expect_eq al, 0x88
        it "das: a borrow of the low digit from 0 sets the carry"
        mov al, 0x05
        sub al, 0x06
        das
        expect_eq al, 0x99
        expect_flags CF | AF, CF | AF
        it "aaa: 9 + 8"
        mov ax, 0x0009
        add al, 8
        aaa
        expect_eq ax, 0x0107
        expect_flags CF | AF, CF | AF
        it "aaa: no adjustment clears the high digit of AL"
        mov ax, 0x0134
        or al, al                       ; clears AF
        mov bl, 0x10
        add bl, 0x10
        aaa
        expect_eq ax, 0x0104
        expect_flags CF | AF, 0
        it "aas: 3 - 9"
        mov ax, 0x0203
        sub al, 9
        aas
        expect_eq ax, 0x0104
        expect_flags CF | AF, CF | AF
        it "aam splits into digits"
        mov ax, 0xff53
        aam
        expect_eq ax, 0x0803
        expect_flags ZF | SF | PF, PF
        mov al, 0xff
        db 0xd4, 16                     ; aam 16
        expect_eq ax, 0x0f0f
        it "aad joins digits"
        mov ax, 0x0803
        aad
        expect_eq ax, 0x0053
        expect_flags ZF | SF | PF, PF
        mov ax, 0xff01
        db 0xd5, 1                      ; aad 1
        expect_eq ax, 0
        expect_flags ZF | SF | PF, ZF | PF
        it "aam 0 raises #DE and keeps AX"
        mov ax, 0x1234
        faults X_DE, NONE, db 0xd4, 0
        expect_eq ax, 0x1234
        finish

        image_end
