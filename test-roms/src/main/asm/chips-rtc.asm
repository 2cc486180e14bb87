; The real-time clock and CMOS memory.
;
; checks: registers A to D, CMOS bytes, time in BCD and binary, SET, update in progress and update-ended flag, alarm,
;         periodic flag at its rate
; see: Motorola MC146818A data sheet
; needs: cpus=1
; status: 33
; QEMU: changes the time with the data mode
; assertions: 9

%include "lib/rom.inc"
%include "lib/chips.inc"

%macro cmos_read 1
        mov al, %1
        out CMOS_INDEX, al
        in al, CMOS_DATA
%endmacro
%macro cmos_write 2
        mov al, %1
        out CMOS_INDEX, al
        mov al, %2
        out CMOS_DATA, al
%endmacro

main:
        it "register D says that the battery is good"
        cmos_read 0x0d
        and al, 0x80
        expect_eq al, 0x80
        it "CMOS bytes keep what is written"
        cmos_write 0x50, 0x5a
        cmos_write 0x51, 0xa5
        cmos_read 0x50
        expect_eq al, 0x5a
        cmos_read 0x51
        expect_eq al, 0xa5
        it "with SET the time can be written and stands still"
        cmos_write 0x0a, 0x26           ; 32,768 Hz, 1024 periodic interrupts a second
        cmos_write 0x0b, 0x82           ; SET, 24 hours, BCD
        cmos_write 0x00, 0x58
        cmos_write 0x02, 0x59
        cmos_write 0x04, 0x23
        cmos_write 0x06, 0x07
        cmos_write 0x07, 0x31
        cmos_write 0x08, 0x12
        cmos_write 0x09, 0x25
        wait_us 10000
        cmos_read 0x00
        expect_eq al, 0x58
        it "the clock runs over midnight, month and year"
        cmos_write 0x01, 0xc0           ; alarm at any time: don't care codes
        cmos_write 0x03, 0xc0
        cmos_write 0x05, 0xc0
        cmos_read 0x0c
        cmos_write 0x0b, 0x02
        mov ebp, 400
.wait:
        wait_us 10000
        cmos_read 0x09
        cmp al, 0x26
        je .year
        dec ebp
        jnz .wait
.year:
        cmos_read 0x09
        expect_eq al, 0x26
        cmos_read 0x08
        expect_eq al, 0x01
        cmos_read 0x07
        expect_eq al, 0x01
        cmos_read 0x04
        expect_eq al, 0x00
        it "the update-ended and alarm flags were set; reading C clears them"
        cmos_read 0x0c
        and al, 0x30
        expect_eq al, 0x30
        cmos_read 0x0c
        and al, 0x30
        expect_eq al, 0
        it "binary mode"
        cmos_write 0x0b, 0x86
        cmos_write 0x00, 45
        cmos_write 0x02, 30
        cmos_write 0x04, 21
        cmos_write 0x0b, 0x06
        cmos_read 0x02
        expect_eq al, 30
        cmos_read 0x04
        expect_eq al, 21
        it "12-hour mode: bit 7 is PM"
        cmos_write 0x0b, 0x80
        cmos_write 0x04, 0x92           ; 12 PM
        cmos_read 0x04
        expect_eq al, 0x92
        cmos_write 0x0b, 0x02
        it "the periodic flag: 1024 a second, 20 periods take 15 to 60 ms, best of 10 tries"
        cmos_write 0x0b, 0x42           ; PIE; the PIC is masked
        mov ebp, 10
.try:
        cmos_read 0x0c
        pm_timer
        mov edi, eax
.first:
        pm_timer
        sub eax, edi
        and eax, 0xffffff
        cmp eax, 3579545
        ja .again
        cmos_read 0x0c
        test al, 0x40
        jz .first
        pm_timer
        mov esi, eax
        mov ecx, 20
.period:
        pm_timer
        sub eax, esi
        and eax, 0xffffff
        cmp eax, 3579545
        ja .again
        cmos_read 0x0c
        test al, 0x40
        jz .period
        loop .period
        pm_timer
        sub eax, esi
        and eax, 0xffffff
        cmp eax, 3579 * 15
        jb .again
        cmp eax, 3579 * 60
        jb .good
.again:
        dec ebp
        jnz .try
        unreachable
.good:
        it "register A keeps rate and divider, not UIP"
        cmos_read 0x0a
        and al, 0x7f
        expect_eq al, 0x26
        finish

        image_end
