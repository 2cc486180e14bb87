; The A20 gate of port 92.
;
; checks: with A20 off, addresses of odd megabytes alias the even ones below, in real and in protected mode
; see: Intel 82371 (PIIX) data sheet, port 92 register; SDM 3A 9.1 (A20M#)
; needs: cpus=1
; status: 33
; assertions: 9

%define WITH_REAL
%include "lib/rom.inc"

PORT92  equ 0x92

%macro a20_off 0
        in al, PORT92
        and al, ~3 & 0xff
        out PORT92, al
%endmacro
%macro a20_on 0
        in al, PORT92
        and al, ~1 & 0xff
        or al, 2
        out PORT92, al
%endmacro

main:
        mov dword [FREE], 0x11111111
        mov dword [0x100000 + FREE], 0x22222222
        mov dword [0x300000 + FREE], 0x44444444
        mov dword [0x200000 + FREE], 0x33333333
        it "A20 is on when a kernel is entered"
        expect_mem d, [0x100000 + FREE], 0x22222222
        it "port 92 bit 1 reads back"
        a20_on
        in al, PORT92
        and al, 3
        expect_eq al, 2
        it "off: 1 MiB aliases 0 in protected mode"
        a20_off
        mov eax, [0x100000 + FREE]
        mov ebx, [0x300000 + FREE]
        in al, PORT92
        mov cl, al
        mov eax, [0x100000 + FREE]
        push eax
        a20_on
        pop eax
        expect_eq eax, 0x11111111
        it "off: 3 MiB aliases 2 MiB"
        expect_eq ebx, 0x33333333
        it "off: bit 1 of port 92 is clear"
        and cl, 2
        expect_eq cl, 0
        it "off: writes go to the alias"
        a20_off
        mov dword [0x100000 + FREE + 4], 0x5555aaaa
        a20_on
        expect_mem d, [FREE + 4], 0x5555aaaa
        it "on again: the odd megabyte is as it was"
        expect_mem d, [0x100000 + FREE], 0x22222222
        to_real
        mov ax, 0xffff
        mov fs, ax
        mov dword [FREE_LOW], 0xabcd0123
        it "real mode, on: FFFF:2810 is above 1 MiB"
        mov byte [fs:FREE_LOW + 0x10], 0x77
        expect_mem b, [FREE_LOW], 0x23
        it "real mode, off: FFFF:2810 wraps to 0:2800"
        a20_off
        mov ebx, [fs:FREE_LOW + 0x10]
        a20_on
        expect_eq ebx, 0xabcd0123
        from_real
        finish

        image_end
