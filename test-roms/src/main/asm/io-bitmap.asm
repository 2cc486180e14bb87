; Port permissions of ring 3.
;
; checks: IOPL, the I/O bitmap of the TSS, its bounds, wide accesses that touch two bits or two bytes, string I/O
; see: SDM 1 19.5 (protected-mode I/O), SDM 3A 7.2.1 (TSS)
; needs: cpus=1
; status: 33
; assertions: 11

%include "lib/rom.inc"

BITMAP  equ TSS32 + 0x68

%macro close_port 1
        or byte [BITMAP + (%1) / 8], 1 << ((%1) % 8)
%endmacro
%macro open_port 1
        and byte [BITMAP + (%1) / 8], ~(1 << ((%1) % 8)) & 0xff
%endmacro

main:
        it "an open port can be read and written with IOPL 0"
        to_user
        in al, 0x21
        expect_eq al, 0xff
        out 0x21, al
        from_user
        it "a closed port raises #GP(0)"
        close_port 0x21
        to_user
        faults X_GP, 0, in al, 0x21
        mov dx, 0x21
        faults X_GP, 0, out dx, al
        it "a word or doubleword that touches a closed port raises #GP(0)"
        mov dx, 0x20
        faults X_GP, 0, in ax, dx
        mov dx, 0x1e
        faults X_GP, 0, in eax, dx
        faults X_GP, 0, out dx, eax
        it "the neighbours are still open"
        in al, 0x20
        mov dx, 0x22
        in ax, dx
        it "insb and outsb of a closed port raise #GP(0) before they touch memory"
        mov dx, 0x21
        mov edi, 0x80000000             ; nothing is there
        mov ecx, 2
        faults X_GP, 0, rep insb
        expect_eq ecx, 2
        mov esi, FREE
        faults X_GP, 0, outsb
        from_user
        it "with IOPL 3 the bitmap does not count"
        to_user 0x3002
        in al, 0x21
        expect_eq al, 0xff
        from_user
        it "ring 0 does not ask the bitmap"
        in al, 0x21
        expect_eq al, 0xff
        open_port 0x21
        it "bits of a byte pair are read together: a word at the end of a bitmap byte"
        close_port 0x28
        to_user
        mov dx, 0x27
        faults X_GP, 0, in ax, dx
        in al, dx
        from_user
        open_port 0x28
        it "a port beyond the limit of the TSS raises #GP(0)"
        make_descriptor SEL_FREE, TSS32, 0x68 + 4, 0x89, 0
        mov ax, SEL_FREE
        ltr ax
        ; The limit leaves bytes 0 to 4 of the bitmap; the two bytes of port 21 are 4 and 5.
        to_user 2
        faults X_GP, 0, in al, 0x21
        from_user
        it "an offset of the bitmap beyond the limit closes all"
        mov byte [gdt + SEL_TSS32 + 5], 0x89
        mov ax, SEL_TSS32
        ltr ax
        mov word [TSS32 + 0x66], 0xffff
        to_user
        faults X_GP, 0, in al, 0x21
        from_user
        mov word [TSS32 + 0x66], 0x68
        it "with a 16-bit TSS there is no bitmap"
        make_descriptor SEL_FREE, TSS32 + 0x2100, 0xff, 0x81, 0
        mov dword [TSS32 + 0x2100 + 2], RING0_STACK | (K_DATA << 16)
        mov ax, SEL_FREE
        ltr ax
        to_user
        faults X_GP, 0, in al, 0x21
        from_user
        finish

        image_end
